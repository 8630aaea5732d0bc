"""Rates and losses in the order in which a training loop tells them, put together into one row per update."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from samestep.experiment.recording.file import csv_cell
from samestep.experiment.trace import float_text


class Source:
    """One optimizer whose updates are recorded.

    arms : names of its parameter groups, as rows have them.
    step : the next update, counted from 0 over the run.
    rates : what the update under way uses, one for each group; None between updates.
    """

    # what is `made` is the last update that was done, as long as it may still get its loss
    __slots__ = ("arms", "loss", "losses", "made", "name", "place", "prefixes", "rates", "step", "total")

    def __init__(self, name: str, arms: list[str], prefixes: list[str], step: int) -> None:
        self.name, self.arms, self.prefixes, self.step = name, arms, prefixes, step
        self.rates: Sequence[float] | None = None
        self.loss: float | None = None  # told from within the step under way
        self.made: Sequence[float] | None = None
        self.place = ""
        self.total = 0.0
        self.losses = 0


_ENDS = [None]


class Updates:
    """What a recorder hears, in the order of the calls.

    An update gets as its loss what `log` was told

    - from within its own `step()` (a closure): the first of these calls, since a closure is asked again and again;
    - before it, since the update before, in a loop whose very first `log` came before its first update; the mean of
      several, for gradients are accumulated then;
    - after it, in any other loop: the first of these calls. Of several optimizers that stepped since the call before,
      all get it; so a batch whose update is skipped does not change the loss of the update before.

    heard : what came in and was not taken in yet, in one operation each: an optimizer and its rates, as one float or a
        list, as its step begins (``heard.extend((source, rates))``); None as a step is done; a loss that is logged as a
        float. To append to a list costs a training least; all else is left to `digest`.
    named : how many optimizers of each name were met.
    done : rows that nothing will change any more, as lines of CSV; whoever writes them takes them out.
    lr, loss : the same as numbers, instead of lines, where they are kept.
    lock : held while any of this changes.

    framework : what every row says.
    arm : a name for what is recorded, instead of the optimizer's class.
    steps_per_epoch : gives epoch and batch; None leaves what is told with the update.
    first_step : the first step of an optimizer with these arms.
    keep : whether numbers are kept instead of lines.
    """

    def __init__(
        self,
        framework: str,
        arm: str | None = None,
        steps_per_epoch: int | None = None,
        first_step: Callable[[Sequence[str]], int] = lambda arms: 0,
        keep: bool = False,
    ) -> None:
        self.lock = threading.RLock()
        self.heard: list[Any] = []
        self.named: Counter[str] = Counter()
        self.done: list[str] = []
        self.lr: list[float] = []
        self.loss: list[float] = []
        self._hushed = False
        self._framework, self._arm, self._first_step = framework, arm, first_step
        self._steps_per_epoch, self._keep = steps_per_epoch, keep
        self._begun: list[Source] = []  # steps that began and did not end; the innermost is the last
        self._under_way: Source | None = None  # the one that a loss is told from within
        self._any = False  # whether there was an update
        self._log_comes_first: bool | None = None
        self._waiting: list[float] = []  # losses told before their update
        self._taken: set[Source] = set()  # optimizers that have taken these
        self._open: dict[Source, None] = {}  # those whose last update may still get a loss, in order

    def source(self, kind: str, groups: Sequence[str | None]) -> Source:
        """An optimizer that is met for the first time, named as Lightning's `LearningRateMonitor` would.

        kind : its class; the second of one class becomes ``Adam-1``.
        groups : for each parameter group its own name, or None: ``Adam/pg1``, ``Adam/pg2``.
        """
        base = self._arm or kind
        with self.lock:
            count = self.named[base]
            self.named[base] += 1
        name = f"{base}-{count}" if count else base
        named = [each if each and each.isprintable() else None for each in groups]
        if len({each or place for place, each in enumerate(named)}) < len(named):
            named = [None] * len(named)
        arms = [name] if named == [None] else [f"{name}/{each or f'pg{place}'}" for place, each in enumerate(named, 1)]
        return Source(name, arms, [self._prefix(arm) for arm in arms], self._first_step(arms))

    def hush(self) -> None:
        """Hear nothing from here on."""
        self._hushed = True
        self.heard = _Deaf()

    def digest(self) -> None:
        """Take in what was heard so far."""
        with self.lock:
            # a training that goes on meanwhile only appends: each of these two is one operation, so nothing is lost
            heard = self.heard[:]
            del self.heard[: len(heard)]
            place = 0
            while place < len(heard):
                each = heard[place]
                if each is None:
                    self._end()
                    place += 1
                elif type(each) is not Source:
                    self.log(each)
                    place += 1
                elif heard[place + 2 : place + 3] == _ENDS and not self._begun:  # begun and done: nearly always
                    rates = heard[place + 1]
                    self.commit(each, rates if type(rates) is list else [rates])
                    place += 3
                else:
                    self._begin(each, heard[place + 1])
                    place += 2

    def _begin(self, source: Source, rates: float | list[float]) -> None:
        source.rates, source.loss = rates if isinstance(rates, list) else [rates], None
        if source in self._begun:  # `step` of a class that calls that of its base, or a step that failed before
            self._begun.remove(source)
        self._begun.append(source)
        self._under_way = source

    def _end(self) -> None:
        self._under_way = None
        if self._begun:
            source = self._begun.pop()
            rates, source.rates = source.rates, None
            if rates is not None:
                self.commit(source, rates, source.loss)

    def commit(
        self,
        source: Source,
        rates: Sequence[float],
        loss: float | None = None,
        epoch: int | None = None,
        batch: int | None = None,
    ) -> None:
        """An update is done. loss : its own, where it is known; what `log` is told does not change it then."""
        if self._hushed:
            return
        with self.lock:
            self._settle(source)
            step = source.step
            source.step = step + 1
            if self._steps_per_epoch is not None:
                epoch, batch = divmod(step, self._steps_per_epoch)
            source.place = f"{step},," if epoch is None else f"{step},{epoch},{batch}"
            source.made, source.losses = rates, 0
            self._any = True
            if self._waiting and source not in self._taken:
                self._taken.add(source)
                for each in self._waiting:
                    _add(source, each)
            if loss is not None:
                _add(source, loss)
            if self._log_comes_first or loss is not None:
                self._settle(source)
            else:
                self._open[source] = None

    def log(self, loss: float) -> None:
        """A loss is told."""
        with self.lock:
            if self._under_way is not None:
                if self._under_way.loss is None:
                    self._under_way.loss = loss
                return
            if self._log_comes_first is None:
                self._log_comes_first = not self._any
            if not self._log_comes_first:
                for source in tuple(self._open):
                    _add(source, loss)
                    self._settle(source)
                return
            if self._taken:
                self._waiting.clear()
                self._taken.clear()
            self._waiting.append(loss)

    def settle(self) -> None:
        """Nothing more will be told of any update so far."""
        with self.lock:
            for source in list(self._open):
                self._settle(source)

    def take(self) -> tuple[str, str]:
        """The rows that are done, taken out, and those of updates that may still get a loss."""
        with self.lock:
            done, self.done = self.done, []
            still_open = "".join(_lines(source) for source in self._open)
        return "".join(done), still_open

    def kept(self) -> tuple[list[float], list[float]]:
        """The rate and the loss of every update so far, where numbers are kept; NaN where there is no loss."""
        with self.lock:
            still_open = [source.made[0] for source in self._open if source.made]
            return [*self.lr, *still_open], [*self.loss, *[math.nan] * len(still_open)]

    def _settle(self, source: Source) -> None:
        """An optimizer's last update has all that it gets."""
        self._open.pop(source, None)
        made = source.made
        if made is None:
            return
        if self._keep:
            self.lr.append(made[0])
            self.loss.append(source.total / source.losses if source.losses else math.nan)
        else:
            if len(source.prefixes) < len(made):
                self._name_added_groups(source, len(made))
            self.done.append(_lines(source))
        source.made = None

    def _name_added_groups(self, source: Source, groups: int) -> None:
        """Groups that were added while training; those that were there keep their names."""
        for place in range(len(source.prefixes) + 1, groups + 1):
            source.arms.append(f"{source.name}/pg{place}")
            source.prefixes.append(self._prefix(source.arms[-1]))

    def _prefix(self, arm: str) -> str:
        return f"{self._framework},{csv_cell(arm)},0,"


class _Deaf(list[Any]):
    """A list that stays empty."""

    def append(self, one: Any) -> None:
        """Do nothing."""

    def extend(self, several: Any) -> None:
        """Do nothing."""


def _add(source: Source, loss: float) -> None:
    source.total = source.total + loss if source.losses else loss
    source.losses += 1


def _lines(source: Source) -> str:
    """An optimizer's last update: a line of CSV for each of its parameter groups."""
    loss = _text(source.total if source.losses == 1 else source.total / source.losses) if source.losses else ""
    made = source.made or ()
    if len(made) == 1:
        return f"{source.prefixes[0]}{source.place},{_text(made[0])},{loss}\n"
    pairs = zip(source.prefixes, made, strict=False)
    return "".join(f"{prefix}{source.place},{_text(rate)},{loss}\n" for prefix, rate in pairs)


def _text(value: float) -> str:
    return repr(value) if value == value else float_text(value)  # a NaN is not itself
