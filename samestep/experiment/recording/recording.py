"""A recording that grows while a run trains."""

from __future__ import annotations

import atexit
import logging
import math
import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from samestep.experiment.recording.file import RecordingFile, check_recordable
from samestep.experiment.recording.updates import Source, Updates

# seen without any set-up, since Python shows warnings of loggers; and never an exception, as a warning can become
_logger = logging.getLogger("samestep")

_MOST = 2**40
_SECONDS = 0.5  # from an update to its row in the file
_MOST_BEHIND = 1 << 26  # characters kept while the disk takes nothing


class Recording:
    """The updates of one run, kept in memory or written to a file as they come.

    framework : what every row's `framework` says.
    versions : of what does the work, for the manifest.
    path : the file, ending in `.csv`; taken up again where it is a recording already. None keeps all in memory.
    arm : a name for what is recorded, instead of the optimizer's class.
    steps_per_epoch : gives each row its epoch and batch.
    start : the first update's step; by default 0, or the step after the last one in the file.
    updates : what is told of each update.
    drain : called before anything is written, to fetch updates that are not told one by one.
    is_over, let_go : whether the training ended without a word, and what then releases the recorder. Another recorder
    that begins asks, and so takes over the file of a training that was interrupted.

    Nothing is written before `reopen`, but that the file can be taken is seen to at once. A thread writes what there is
    every half second, so that a process that is killed loses no more than that.
    Raises ValueError, with one line, for what cannot be: before anything is trained.
    """

    def __init__(
        self,
        framework: str,
        versions: Mapping[str, str],
        path: str | Path | None,
        arm: str | None,
        steps_per_epoch: int | None,
        start: int | None,
    ) -> None:
        _check(arm, steps_per_epoch, start)
        self.updates = Updates(framework, arm, steps_per_epoch, self._first_step, keep=path is None)
        self.drain: Callable[[], None] = self.updates.digest
        self.is_over: Callable[[], bool] = lambda: False
        self.let_go: Callable[[], None] = self.close
        self.start = start
        self._steps_per_epoch = steps_per_epoch
        self._framework, self._versions = framework, versions
        self._path = None if path is None else _path(path)
        self._file: RecordingFile | None = None
        self._closed: RecordingFile | None = None  # what it was before it was closed
        self._sources: list[Source] = []
        self._behind = ""
        self._writing = threading.RLock()  # held by whoever fetches and writes; before the lock of `updates`
        self._told_behind = False
        self._stop = threading.Event()
        if self._path is not None:
            _let_go_of_what_is_over()
            check_recordable(self._path, framework)

    @property
    def last(self) -> Mapping[str, tuple[int, int, int]]:
        """By arm, the highest step that was in the file before, with its epoch and batch; -1 where it has none."""
        return self._file.last if self._file else {}

    @property
    def lr(self) -> list[float]:
        """The rate of each update, of an optimizer's first parameter group; empty where a file is written."""
        return self._kept()[0]

    @property
    def loss(self) -> list[float]:
        """The loss of each update, NaN where none was logged; empty where a file is written."""
        return self._kept()[1]

    def _kept(self) -> tuple[list[float], list[float]]:
        if self._path is not None:
            return [], []
        with self._writing:
            self.drain()
            return self.updates.kept()

    def say(self, message: str, *values: object) -> None:
        """Tell the user one line that is no error."""
        _logger.warning(message, *values)

    def tell(self, loss: float) -> None:
        """A loss is logged, after all updates so far."""
        with self._writing:
            self.drain()
            self.updates.log(loss)

    def flush(self) -> None:
        """Fetch and write what there is so far. A disk that takes nothing is tried again next time."""
        with self._writing:
            self.drain()
            if self._file is None:
                return
            done, tail = self.updates.take()
            self._behind += done
            if not (self._behind or tail):
                return
            try:
                self._file.write(self._behind, tail)
                self._behind = ""
            except OSError as error:
                self._cannot_write(error)

    def reopen(self) -> None:
        """Begin, or go on after `close`: steps go on then, and nothing is said, since nothing was left."""
        _open.discard(self)
        _let_go_of_what_is_over()
        if self._path is not None and self._file is None:
            self._open_file()
        _open.add(self)

    def close(self) -> None:
        """Write all that is left and let go of the file. May be called twice."""
        self._stop.set()
        with self._writing:
            self.drain()
            self.updates.settle()
            self.flush()
            if self._file is not None:
                self._file.close()
                self._closed, self._file = self._file, None
        _open.discard(self)
        atexit.unregister(self.close)

    def _open_file(self) -> None:
        assert self._path is not None
        if self._closed is not None:
            self._file = self._closed.reopened()
        else:
            file = RecordingFile(self._path, self._framework)
            try:
                file.write_manifest(self._versions, self.start, self._steps_per_epoch)
            except BaseException:
                file.close()
                raise
            self._file = file
            if file.last:
                self._say_resumed(file)
        self._stop = threading.Event()
        atexit.register(self.close)
        threading.Thread(target=_write_on, args=(weakref.ref(self), self._stop), daemon=True, name="samestep").start()

    def _say_resumed(self, file: RecordingFile) -> None:
        after = ", ".join(f"{arm} after step {step}" for arm, (step, _, _) in file.last.items())
        again = ", ".join(f"{arm} steps {first} to {last}" for arm, (first, last) in file.overlap(self.start).items())
        said = f" Recorded again, and kept twice: {again}." if again else ""
        begins = "" if self.start is None else f", from step {self.start}"
        self.say("%s: resumed recording, %s%s.%s", self._path, after, begins, said)

    def _first_step(self, arms: Sequence[str]) -> int:
        if self.start is not None:
            return self.start
        return max((self.last[arm][0] + 1 for arm in arms if arm in self.last), default=0)

    def _cannot_write(self, error: OSError) -> None:
        if self._stop.is_set():
            self.say("%s: %s. The last rows are not in it.", self._path, error.strerror or error)
        elif len(self._behind) > _MOST_BEHIND:
            self.say("%s: %s, for too long. Nothing more is recorded.", self._path, error.strerror or error)
            self.updates.hush()
            self._behind = ""
        elif not self._told_behind:
            self.say("%s: %s. Rows are kept and tried again.", self._path, error.strerror or error)
            self._told_behind = True

    def _left_to_the_parent(self) -> None:
        """This process was forked, as a loader of data is: the recording stays with the one that began it."""
        self.updates = Updates(self._framework)  # whose lock nobody holds
        self.updates.hush()
        self._writing = threading.RLock()
        self.drain = self.updates.digest
        self._stop.set()
        if self._file is not None:
            self._file.close()
            self._file = None


def _write_on(recording: weakref.ref[Recording], stop: threading.Event) -> None:
    """Write what there is, time and again, until told to stop or the recording is gone."""
    while not stop.wait(_SECONDS):
        there = recording()
        if there is None:
            return
        try:
            there.flush()
        except Exception as error:  # a training is worth more than its recording
            there.updates.hush()
            there.say("Recording ended: %s: %s", type(error).__name__, error)
            return
        del there


def not_a_loss(value: Any) -> ValueError | TypeError:
    """The error, in one line, of a loss that is no number: it has several values, or none, or is something else."""
    try:
        shape = tuple(value.shape)
    except (AttributeError, TypeError, ValueError):
        shape = ()
    if math.prod(shape) != 1:
        return ValueError(f"log: got a tensor of shape {shape}. Give one value, like loss.mean().")
    shown = repr(value).replace("\n", " ")[:60]
    return TypeError(f"log: got {shown} of type {type(value).__name__}. Give a number, or a tensor that holds one.")


def _path(path: object) -> Path:
    if isinstance(path, str) and not path:
        raise ValueError("path: got ''. Give a file's name that ends in .csv, or None to keep all in memory.")
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path: got {repr(path)[:60]} of type {type(path).__name__}. Give a file's name.")
    return Path(path)


def _check(arm: object, steps_per_epoch: object, start: object) -> None:
    if arm is not None and not (isinstance(arm, str) and arm.strip() and arm.isprintable()):
        raise ValueError(f"arm: {arm!r} is not a name. Give printable text, like 'baseline'.")
    for name, value, least in (("steps_per_epoch", steps_per_epoch, 1), ("start", start, 0)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _MOST):
            raise ValueError(f"{name}: {value!r} is not a whole number from {least} to 2**40. Give one or none.")


_open: weakref.WeakSet[Recording] = weakref.WeakSet()


def _let_go_of_what_is_over() -> None:
    """Release every recorder whose training was broken off, so that its rows are written and its file is free."""
    for recording in list(_open):
        if recording.is_over():
            recording.let_go()


def _after_fork() -> None:
    for recording in list(_open):
        recording._left_to_the_parent()
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
