"""The file of a recording: CSV that grows row by row, is taken up again, and reads even where it was cut off."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from samestep.experiment.trace import TRACE_COLUMNS, Table, TraceError, quoted, read_float, tabled, unquoted, write_json

try:
    import fcntl
except ImportError:  # Windows has none: there two recorders of one file are not told apart
    fcntl = None  # type: ignore[assignment]

HEADER = ",".join(TRACE_COLUMNS) + "\n"
CONVENTIONS = {"step_base": 0, "lr_timing": "used", "loss_kind": "batch"}
UNKNOWN = -1
"""Epoch and batch of a row that does not say them."""


def csv_cell(text: str) -> str:
    """Text as one cell of a CSV line, quoted as needed."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([quoted(text)])
    return line.getvalue()


def read_recording(path: str | Path) -> Table:
    """Read what a recorder wrote, also while it writes or after it was killed: an unfinished last line is no row.

    Returns the columns of `TRACE_COLUMNS`. Where a row has no epoch and batch they are -1 (`UNKNOWN`), where it has no
    loss it is NaN. Rows stand as in the file: a resumed recording can hold a step twice.
    Raises TraceError, naming file and line, for what is no recording; OSError for what cannot be read.
    """
    path = Path(path)
    with path.open("rb") as file:
        rows = list(_Rows(path, file))
    return tabled(rows, TRACE_COLUMNS)


def check_recordable(path: Path, framework: str) -> None:
    """Raise TraceError, with one line, where `RecordingFile` could not take a path; a new file is not left behind."""
    fresh = not os.path.lexists(path)
    RecordingFile(path, framework).close()
    if fresh:
        path.unlink(missing_ok=True)


class RecordingFile:
    """A recording, open for appending. One recorder at a time: others are refused while it is open.

    last : by arm, the highest step that was in the file as it was opened, with that row's epoch and batch.

    path : a name that ends in `.csv`; made where there is no such file. The manifest goes beside it.
    framework : what every row's `framework` says; a file of another one is refused.
    Raises TraceError with one line, leaving everything as it was, where the file cannot be taken.
    """

    def __init__(self, path: str | Path, framework: str) -> None:
        self.path = Path(path)
        self.framework = framework
        self.last: dict[str, tuple[int, int, int]] = {}
        self._manifest = self.path.with_suffix(".manifest.json")
        _check_place(self.path)
        fresh = not self.path.exists()
        try:
            self._file = self.path.open("x+b" if fresh else "r+b", buffering=0)
        except OSError as error:
            raise TraceError(
                f"{self.path}: {error.strerror or error}. Record into a file that can be written."
            ) from None
        try:
            self._lock()
            self._earlier = self._manifest_before()
            self._end = self._take_up()
        except BaseException as error:
            self._file.close()
            if fresh:
                self.path.unlink(missing_ok=True)
            if isinstance(error, OSError):
                said = f"{self.path}: {error.strerror or error}. Record where there is room."
                raise TraceError(said) from None
            raise

    def write(self, rows: str, tail: str = "") -> None:
        """Append rows, and after them a tail that the next call replaces: rows which may still get their loss.

        Raises OSError where that fails; nothing of `rows` is then in the file.
        """
        data = memoryview((rows + tail).encode())
        try:
            self._file.seek(self._end)
            while data:
                data = data[self._file.write(data) :]
            self._file.truncate()
        except OSError:
            with suppress(OSError):
                self._file.truncate(self._end)
            raise
        self._end += len(rows.encode())

    def close(self) -> None:
        """Let go of the file. May be called twice."""
        self._file.close()

    def reopened(self) -> RecordingFile:
        """The file again after `close`; read anew only where somebody else changed it."""
        try:
            self._file = self.path.open("r+b", buffering=0)
            if self._file.seek(0, os.SEEK_END) == self._end:
                self._lock()
                return self
        except FileNotFoundError:
            pass
        except TraceError:
            self._file.close()
            raise
        self._file.close()
        return RecordingFile(self.path, self.framework)

    def write_manifest(self, versions: Mapping[str, str], start: int | None, steps_per_epoch: int | None) -> None:
        """Write beside the file how it is recorded, and what was in it before. Raises TraceError where it cannot."""
        part = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "start": start,
            "resumed_after": {arm: step for arm, (step, _, _) in self.last.items()},
            "overlap": self.overlap(start),
            "steps_per_epoch": steps_per_epoch,
            "versions": dict(versions),
        }
        told = {"schema": 1, "framework": self.framework, "conventions": CONVENTIONS, "versions": dict(versions)}
        try:
            write_json(self._manifest, told | {"recorded": [*self._earlier, part]})
        except OSError as error:
            raise TraceError(f"{self._manifest}: {error.strerror or error}. Record where there is room.") from None

    def overlap(self, start: int | None) -> dict[str, list[int]]:
        """By arm, the first and the last step that are in the file and come again when recording begins at `start`."""
        return {arm: [start, step] for arm, (step, _, _) in self.last.items() if start is not None and start <= step}

    def _lock(self) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TraceError(
                f"{self.path} is being recorded by another recorder, of this process or another one. "
                "Call release() of that one first, or record into another file."
            ) from None
        except OSError:  # a file system without locks
            return

    def _take_up(self) -> int:
        """Read what is in the file, cut an unfinished line off, begin a new one. Returns where the next row goes."""
        with self.path.open("rb") as file:
            rows = _Rows(self.path, file)
            for framework, arm, _, step, epoch, batch, _, _ in rows:
                if framework != self.framework:
                    raise TraceError(
                        f"{self.path} holds rows of {framework}. Record {self.framework} into another file."
                    )
                if arm not in self.last or step >= self.last[arm][0]:
                    self.last[arm] = step, epoch, batch
        if not rows.end:
            self._end = 0
            self.write(HEADER)
            return len(HEADER)
        self._file.truncate(rows.end)
        return rows.end

    def _manifest_before(self) -> list[dict[str, Any]]:
        """What the manifest says of earlier parts of this recording."""
        try:
            told = json.loads(self._manifest.read_text(encoding="utf-8"))
            parts = told["recorded"]
        except FileNotFoundError:
            return []
        except (ValueError, KeyError, TypeError, OSError):
            parts = None
        if not isinstance(parts, list):
            raise TraceError(
                f"{self._manifest} is there and belongs to no recording. Move it away or record under another name."
            )
        return parts


@dataclass
class _Rows:
    """The complete rows of a file, one after the other; `end` is where the last of them ends, 0 without a header."""

    path: Path
    file: BinaryIO
    end: int = field(default=0, init=False)

    def __iter__(self) -> Iterator[tuple[str, str, int, int, int, int, float, float]]:
        reader = csv.reader(self._lines(), strict=True)
        try:
            yield from map(_row, reader)
        except TraceError:
            raise
        except (ValueError, csv.Error) as error:
            raise TraceError(f"{self.path}: line {reader.line_num + 1} is not a recorded row ({error}).") from None

    def _lines(self) -> Iterator[str]:
        """Complete lines after the header. A line without its end was not written to the end."""
        header = self.file.readline(len(HEADER))
        if header != HEADER.encode():
            if HEADER.encode().startswith(header):
                return  # nothing, or a header that was cut off
            raise TraceError(f"{self.path} is not a recording: it begins without {HEADER.strip()}. Record elsewhere.")
        self.end = len(HEADER)
        for line in iter(lambda: self.file.readline(_LONGEST), b""):
            if not line.endswith(b"\n"):
                if len(line) == _LONGEST:
                    raise TraceError(f"{self.path}: a line of more than {_LONGEST} bytes. Record elsewhere.")
                return
            yield line.decode("utf-8")
            self.end += len(line)


_LONGEST = 1 << 16


def _row(cells: list[str]) -> tuple[str, str, int, int, int, int, float, float]:
    if len(cells) != len(TRACE_COLUMNS):
        raise ValueError(f"{len(cells)} cells, not {len(TRACE_COLUMNS)}")
    framework, arm, seed, step, epoch, batch, lr, loss = cells
    if int(step) < 0:
        raise ValueError(f"step {step}")
    run = framework, unquoted(arm), int(seed), int(step)
    place = int(epoch) if epoch else UNKNOWN, int(batch) if batch else UNKNOWN
    return *run, *place, read_float(lr), read_float(loss) if loss else np.nan


def _check_place(path: Path) -> None:
    """Raise TraceError where a path cannot be a recording's, before anything is opened."""
    if path.suffix != ".csv":
        if path.is_dir():
            raise TraceError(f"{path} is a folder. Name a file, like {path / 'run.csv'}.")
        raise TraceError(f"{path}: a recording ends in .csv. Give it such a name.")
    if os.path.islink(path) and not os.path.exists(path):
        raise TraceError(f"{path} is a link to {os.readlink(path)}, which is not there. Remove it, or name another.")
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = None
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror or error}. Name a file that can be written.") from None
    if mode is not None and not stat.S_ISREG(mode):
        raise TraceError(f"{path} is {'a folder' if stat.S_ISDIR(mode) else 'no regular file'}. Name a file.")
    if not os.path.isdir(path.parent):
        raise TraceError(f"{path}: there is no folder {path.parent}. Make it first.")
