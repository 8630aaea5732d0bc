"""Find the log in a folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from . import mlflow_files, tensorboard
from .base import ReadError, name_list
from .source import Source, is_pointer

DEEPEST = 4
MOST = 5_000
"""Levels of folders, and number of files, that the search for a log covers."""


@dataclass(frozen=True)
class Candidate:
    """A log in a folder: a file, the event files of one folder, or the folder of an MLflow run."""

    path: Path
    events: tuple[Path, ...] = ()


def find(folder: Path, known: Callable[[Source], bool]) -> Candidate:
    """The only log in a folder.

    Args:
        known: Whether a file is a log with rates.

    Raises:
        ReadError: If there is none, or if there are several; the message lists them.
    """
    if (folder / "manifest.json").is_file() and (folder / "trace.csv").is_file():
        return Candidate(folder / "trace.csv")
    if (folder / "trainer_state.json").is_file():
        return Candidate(folder / "trainer_state.json")
    if mlflow_files.is_run(folder):
        return Candidate(folder)
    found = _candidates(folder, known)
    if len(found) == 1:
        return found[0]
    if not found and (pointers := _pointers(folder)):
        raise ReadError(f"pointers of Git LFS and not the files themselves: {name_list(pointers)}. Run: git lfs pull")
    if not found:
        raise ReadError("no log with learning rates in this folder. Give the log itself.")
    listed = name_list([_listed(each, folder) for each in found])
    raise ReadError(f"{len(found)} logs in this folder. Give one: {listed}.")


def _candidates(folder: Path, known: Callable[[Source], bool]) -> list[Candidate]:
    found: list[Candidate] = []
    seen = 0
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders.sort()
        if len(here.relative_to(folder).parts) >= DEEPEST:
            folders.clear()
        if mlflow_files.is_run(here):
            folders.clear()
            found.append(Candidate(here))
            continue
        seen += len(files)
        if seen > MOST:
            raise ReadError(f"more than {MOST} files in this folder. Give the log itself.")
        found += _in_one_folder(here, sorted(files), known)
    return found


def _in_one_folder(here: Path, files: list[str], known: Callable[[Source], bool]) -> list[Candidate]:
    events, others = [], []
    for name in files:
        source = Source(here / name)
        if not source.path.is_file():
            continue
        try:
            if tensorboard.sniff(source):
                events.append(source.path)
            elif known(source):
                others.append(Candidate(source.path))
        except OSError:  # an unreadable file is not a candidate
            continue
    if events and tensorboard.has_rates(events):
        others.append(Candidate(here, tuple(events)))
    return others


def _pointers(folder: Path) -> list[str]:
    """The files of a folder that Git LFS did not fetch."""
    files = (path for path in islice(sorted(folder.rglob("*")), MOST) if path.is_file())
    return [path.relative_to(folder).as_posix() for path in files if is_pointer(Source(path))]


def _listed(candidate: Candidate, folder: Path) -> str:
    return str((candidate.events[0] if candidate.path == folder else candidate.path).relative_to(folder))
