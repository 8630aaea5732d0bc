"""What every schedule of the vocabulary has in common: it is asked, answers for arrays, and does not change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from samestep.experiment.clock import Clock, Count, Duration, Stepping
from samestep.experiment.schedules.calls import (
    Call,
    Calls,
    Config,
    Counts,
    NotWholeError,
    State,
    counted,
    keras_call,
    number,
    torch_call,
)
from samestep.experiment.validation import Model

ArrayLike = np.ndarray | list[int] | int

After = Literal["hold", "rise", "error"]
"""What a schedule does after its end: hold its last rate, rise again, or raise an error when it is asked."""

LARGEST = 3e38  # what float32 holds
Peak = Annotated[float, Field(gt=0, le=LARGEST)]
Level = Annotated[float, Field(ge=0, le=LARGEST)]

FLOAT32 = 2.0**-24
"""Largest relative error of a number that is rounded to float32."""


class ScheduleModel(Model):
    """A learning-rate schedule: a pure function of step and clock.

    A kind gives its closed form as ``_rate``, how float32 bends it, and what it is called in both frameworks.

    Attributes:
        EXAMPLES: Short forms, by what their rows in the table of schedules say: one for each condition that changes
            what the schedule becomes. Each is a few epochs long, so that a run of ten epochs shows all of it.
        ADDED: Keys of the rates that are added: float32 rounds their sum at the size of the largest.
        KERAS: Classes that `from_keras` reads, Keras' own or stand-ins, with the key for each argument but the initial
            rate. A stand-in has no entries: its arguments are the keys. The schedule becomes the first class.
        TORCH: Classes of PyTorch that `from_torch` reads, with the key for each entry of a state. The entries
            identify the class of a state that was saved without its name.
        SAYS: Keys that a class fixes without an argument.
        NAMES: PyTorch's argument for a key, where the state has another name for it.
        AFTER: What happens after the end, where there is no key for it.
        ALONE: Whether PyTorch's class sets the optimizer's rate itself, so that it cannot be part of another schedule.
    """

    EXAMPLES: ClassVar[Mapping[str, str]] = {}
    ADDED: ClassVar[tuple[str, ...]] = ()
    KERAS: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    TORCH: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    SAYS: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    NAMES: ClassVar[Mapping[str, str]] = {}
    ALONE: ClassVar[bool] = False
    AFTER: ClassVar[After | None] = None

    @property
    def stretches(self) -> bool:
        """Whether counting in epochs instead of steps leaves the form as it is, and that of its parts."""
        return all(each.stretches for each in self.parts())

    @property
    def base_lr(self) -> float:
        """The rate an optimizer is made with for this schedule; factors in PyTorch are relative to it."""
        first = next(iter(self.parts()), None)
        return first.base_lr if first else float(vars(self)["initial"])

    @property
    def after_end(self) -> After | None:
        """What happens after the end; None where the schedule has no end."""
        after: After | None = vars(self).get("after", self.AFTER)
        return after

    def length(self, clock: Clock) -> int | None:
        """Steps until the end; None where the schedule has no end."""
        over: Duration | None = vars(self).get("over")
        return None if over is None or self.after_end is None else clock.steps(over)

    def durations(self) -> Iterator[tuple[str, Duration]]:
        """Every duration with its place, like ``("over", 100 steps)`` or ``("then.over", 10 epochs)``."""
        for name in type(self).model_fields:
            yield from _durations(name, getattr(self, name))

    def parts(self) -> tuple[ScheduleModel, ...]:
        """The schedules that it is made of; none for most kinds."""
        values = [getattr(self, name) for name in type(self).model_fields]
        within = [each for value in values for each in (value if isinstance(value, tuple) else (value,))]
        return tuple(each for each in within if isinstance(each, ScheduleModel))

    def count(self, clock: Clock, stepping: Stepping) -> Count:
        """The unit in which the framework's own schedule counts, with this stepping."""
        return Count.of((duration for _, duration in self.durations()), clock, stepping, self.stretches)

    def whole_steps(self, clock: Clock) -> None:
        """Raise ValueError, with the place, where a duration is no whole number of steps of this clock."""
        for place, duration in self.durations():
            try:
                clock.steps(duration)
            except ValueError as error:
                raise ValueError(f"{place}: {error}") from None
        for part in self.parts():
            part.whole_steps(clock)

    def in_steps(self, clock: Clock) -> Self:
        """The same with every duration in steps. Raises ValueError where one is no whole number of steps."""

        def counted(value: Any) -> Any:
            if isinstance(value, tuple):
                return tuple(map(counted, value))
            if isinstance(value, Duration):
                return Duration(Fraction(clock.steps(value)), "steps")
            return value.in_steps(clock) if isinstance(value, ScheduleModel) else value

        return self.model_copy(update={name: counted(getattr(self, name)) for name in type(self).model_fields})

    def rate(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """The learning rate at each step.

        Args:
            step: Integers of any shape: the steps at which the rate is looked up, counted from 0.
            clock: Gives the steps of an epoch.

        Returns:
            The rates as float64, in the shape of `step`.

        Raises:
            ValueError: A step is negative, a duration is not a whole number of steps, the schedule is asked after an
                end that is an error, or the rate is larger than float32 holds.

        Example:
            >>> from samestep.experiment.schedules import Linear
            >>> Linear(initial=0.0, end=1.0, over="4 steps").rate([0, 1, 9], Clock(samples=1000, batch_size=32))
            array([0.  , 0.25, 1.  ])
        """
        steps = _steps(step)
        if self.after_end == "error":
            length, last = self.length(clock), int(steps.max(initial=0))
            if length is not None and last >= length:
                raise ValueError(
                    f"the {self._kind} schedule ends after {length} steps, step {last} is asked. "
                    "Make it as long as the run, or write after hold."
                )
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            rate = np.asarray(self._rate(steps, clock), dtype=np.float64)
        beyond = ~(rate <= LARGEST)
        if beyond.any():
            first = int(steps.reshape(-1)[beyond.reshape(-1)][0])
            raise ValueError(
                f"the {self._kind} schedule grows past {LARGEST:g}, what float32 holds, at step {first}. "
                "Ask for fewer steps."
            )
        return rate

    def float32_scale(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """The size at which float32 rounds, where that is larger than the rate: float64, the shape of `step`.

        A product is rounded at its own size, a sum at the size of its largest term.
        """
        return np.full(np.shape(step), max((float(getattr(self, key)) for key in self.ADDED), default=0.0))

    def float32_drift(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """The absolute error that parameters in float32 cause, besides rounding: float64, the shape of `step`."""
        return np.zeros(_steps(step).shape)

    @classmethod
    def names(cls, key: str) -> tuple[str | None, str | None]:
        """The name of one of our keys in Keras and in PyTorch; None where neither has a class with it."""
        keras, torch = (
            next((theirs for keys in classes.values() for theirs, ours in keys.items() if ours == key), None)
            for classes in (cls.KERAS, cls.TORCH)
        )
        return keras, cls.NAMES.get(key, torch)

    @classmethod
    def may_be_none(cls, key: str) -> bool:
        """Whether a class of Keras, or a stand-in, may have None for one of its arguments."""
        return key == "warmup_target" or (key in cls.model_fields and cls.model_fields[key].default is None)

    @classmethod
    def keras_keys(cls, name: str) -> Mapping[str, str]:
        """Our key for each argument of a class of Keras, all of which have the same word for the initial rate."""
        keys = cls.KERAS[name]
        return {"initial_learning_rate": "initial", **keys} if keys and "initial" in cls.model_fields else keys

    def keras(self, count: Counts) -> Call:
        """The class of Keras with its arguments, or the stand-in where Keras has none."""
        name = next(iter(self.KERAS))
        if keys := self.keras_keys(name):
            return keras_call(name, **self._arguments(keys, count))
        what = f"{self._kind} of schedules" if "schedules" in type(self).model_fields else f"{self._kind} schedule"
        note = f"{name} stands in: Keras has no {what}."
        return replace(self.stand_in(count, lambda part: part.keras(count)), note=note)

    def torch(self, count: Calls) -> Call:
        """The class of PyTorch with its arguments, or the stand-in that `LambdaLR` asks where PyTorch has none."""
        try:
            call = self._torch(count)
        except NotWholeError:
            call = None
        if call is not None and (not call.is_stand_in or count.stepping == "step" or not self.stretches):
            return call
        per_step = self.torch(replace(count, stepping="step"))
        odd = next((each for _, each in self.durations() if not count.whole(each)), None)
        if odd is None or per_step.is_stand_in:
            return call or per_step
        return self.lambda_lr(
            count,
            f"for {per_step.short_name}, which counts whole epochs where it is stepped per epoch: {odd} "
            f"{'is' if odd.count == 1 else 'are'} {count.exact(odd)} of one",
        )

    def in_a_line(self, count: Calls) -> Call | None:
        """A short call of PyTorch for a fix, in place of the stand-in: a function, or a class that will do."""
        return None

    @classmethod
    def from_keras(cls, config: Config) -> ScheduleModel:
        """The schedule of a config. Raises ValueError for one that the vocabulary cannot say."""
        return cls.known(config, cls.keras_keys(config.name))

    @classmethod
    def from_torch(cls, state: State) -> ScheduleModel:
        """The schedule of a state. Raises ValueError for one that the vocabulary cannot say."""
        return cls.known(state, cls.TORCH[state.name], initial=state.base_lr)

    @classmethod
    def known(cls, held: Config | State, keys: Mapping[str, str], **more: Any) -> Self:
        """The schedule with the values of a native one, those that its class fixes, and `more`."""
        return cls(**more, **cls.SAYS.get(held.name, {}), **cls.read(held, keys))

    @classmethod
    def read(cls, held: Config | State, keys: Mapping[str, str]) -> dict[str, Any]:
        """The values of a native schedule by our keys; without `keys`, those that have our own names."""

        def value(theirs: str, ours: str, given: Any) -> Any:
            if given is None:
                return None
            annotation = cls.model_fields[ours].annotation
            if isinstance(given, list | tuple):
                return tuple(value(theirs, ours, each) for each in given)
            if "Duration" in repr(annotation):
                return counted(theirs, given, held.stepping)
            if isinstance(held, Config) and not isinstance(given, bool | int | float | str):
                return held.within(given)  # a config, or a schedule
            return number(theirs, given) if annotation is float else bool(given) if annotation is bool else given

        keys = keys or {key: key for key in cls.model_fields if key in held.values}
        return {ours: value(theirs, ours, held[theirs]) for theirs, ours in keys.items()}

    def stand_in(
        self, count: Counts, within: Callable[[ScheduleModel], Call] | None = None, name: str | None = None
    ) -> Call:
        """The stand-in with this schedule's values, durations as counts, without the values that its class fixes.

        Args:
            count: Counts the durations.
            within: Makes the call of each schedule within this one; by default its stand-in.
            name: The stand-in's class, where it is not named as this one.
        """
        name = name or type(self).__name__
        keys = {key: key for key in type(self).model_fields if key != "kind" and key not in self.SAYS.get(name, {})}
        return Call(name, self._arguments(keys, count, within))

    def _arguments(
        self, keys: Mapping[str, str], count: Counts, within: Callable[[ScheduleModel], Call] | None = None
    ) -> dict[str, Any]:
        """The values of our keys by their names, durations as counts."""

        def value(given: Any) -> Any:
            if isinstance(given, tuple):
                return [value(each) for each in given]
            if isinstance(given, ScheduleModel):
                return within(given) if within else given.stand_in(count)
            return count(given) if isinstance(given, Duration) else given

        return {theirs: value(getattr(self, ours)) for theirs, ours in keys.items()}

    def native(self, name: str, count: Calls) -> Call:
        """A class of PyTorch whose arguments are our keys by other names."""
        return torch_call(name, self.base_lr, **self._arguments(self.TORCH[name], count))

    def lambda_lr(self, count: Calls, why: str) -> Call:
        """The stand-in that `LambdaLR` asks; `why` is what follows on ``LambdaLR stands in``."""
        stand_in = self.stand_in(self.count(count.clock, count.stepping))
        mark = "" if why[0] == ":" else " "
        return replace(stand_in, base_lr=self.base_lr, note=f"LambdaLR stands in{mark}{why}.")

    def _torch(self, count: Calls) -> Call:
        """As `torch`; raises NotWholeError where a duration is no whole number of calls."""
        return self.lambda_lr(count, f": PyTorch has no {self._kind.replace('-', ' ')} schedule")

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        raise NotImplementedError

    @model_serializer(mode="wrap")
    def _shortest(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without the keys that have their default, so that what was written before a kind had them stays the same."""
        data: dict[str, Any] = written(self)
        return {key: value for key, value in data.items() if key == "kind" or value != self._default(key)}

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        return ((key, value) for key, value in super().__repr_args__() if key is None or value != self._default(key))

    @classmethod
    def _default(cls, key: str) -> Any:
        """The default of a key; pydantic's mark for none, which no value equals."""
        return cls.model_fields[key].default

    @property
    def _kind(self) -> str:
        return str(getattr(self, "kind", "unnamed"))


OWN_RATES = ", whose schedulers all begin at base_lr: these begin at rates of their own"


def as_part(schedule: ScheduleModel, count: Calls) -> Call | str:
    """PyTorch's own class for a part of another schedule, or why there is none, as it follows on that one's name."""
    if schedule.ALONE:
        return f", since its {schedule._kind} sets the optimizer's rate for itself"
    call = schedule.torch(count)
    if not call.is_stand_in:
        return call
    why = str(call.note).partition(" If your run")[0].rstrip(".")
    return why.replace("LambdaLR stands in for", ": it would need").replace("LambdaLR stands in:", ":")


def in_turn(schedule: ScheduleModel, parts: list[Call], milestones: Sequence[Duration], count: Calls) -> Call:
    """`SequentialLR`, whose schedulers all begin at one rate; the stand-in of `schedule` where these do not."""
    if len({each.base_lr for each in parts}) > 1:
        return schedule.lambda_lr(count, f"for SequentialLR{OWN_RATES}")
    base_lr = parts[0].base_lr or schedule.base_lr
    return torch_call("SequentialLR", base_lr, schedulers=parts, milestones=[count(each) for each in milestones])


def float32_error(value: float) -> float:
    """Relative error of a number when it is held in float32.

    >>> round(float32_error(0.95), 11), float32_error(0.5), float32_error(0.0)
    (1.255e-08, 0.0, 0.0)
    """
    return abs(float(np.float32(value)) - value) / abs(value) if value else 0.0


def tidy(value: float) -> float:
    """A number to 15 digits: without the last bit that arithmetic added.

    >>> 0.1 * 0.05, tidy(0.1 * 0.05)
    (0.005000000000000001, 0.005)
    """
    return float(f"{value:.15g}")


def ratio(part: float, whole: float) -> float:
    """The shortest decimal for ``part / whole`` from which `tidy` gives the part back.

    >>> 0.003 / 0.1, ratio(0.003, 0.1)
    (0.03, 0.03)
    >>> 0.01 / 0.1, ratio(0.01, 0.1)
    (0.09999999999999999, 0.1)
    """
    rounded = (float(f"{part / whole:.{digits}g}") for digits in range(1, 17))
    return next((each for each in rounded if tidy(each * whole) == part), part / whole)


def periods(step: np.ndarray, every: int, staircase: bool) -> np.ndarray:
    """``t / E``, or its floor: float64."""
    return np.asarray((step // every).astype(np.float64) if staircase else step / every)


def periods_in_float32(step: np.ndarray, every: int) -> np.ndarray:
    """The floor of ``t / E`` as compiled code of TensorFlow has it: t times 1 / E, rounded to float32; float64."""
    times = step.astype(np.float32) * (np.float32(1) / np.float32(every))
    return np.asarray(np.floor(times), dtype=np.float64)


def check_rising(name: str, durations: Sequence[Duration]) -> None:
    """Raise ValueError where durations of one unit do not rise. Several units can be compared only with a clock."""
    for one, other in pairwise(durations):
        if one.unit == other.unit and one.count >= other.count:
            raise ValueError(f"{name}: '{other}' comes after '{one}'. Write them in rising order.")


def rising_steps(name: str, durations: Sequence[Duration], clock: Clock) -> list[int]:
    """Durations in steps. Raises ValueError where they do not rise."""
    steps = [clock.steps(each) for each in durations]
    for index, (one, other) in enumerate(pairwise(steps)):
        if one >= other:
            raise ValueError(
                f"{name}: '{durations[index]}' is step {one}, and '{durations[index + 1]}', which is step {other}, "
                "comes after it. Write them in rising order."
            )
    return steps


def _durations(name: str, value: Any) -> Iterator[tuple[str, Duration]]:
    if isinstance(value, Duration):
        yield name, value
    elif isinstance(value, ScheduleModel):
        for place, duration in value.durations():
            yield f"{name}.{place}", duration
    elif isinstance(value, tuple):
        for index, each in enumerate(value):
            yield from _durations(f"{name}[{index}]", each)


def _steps(step: ArrayLike) -> np.ndarray:
    steps = np.asarray(step)
    if steps.dtype.kind not in "iu":
        raise ValueError(f"step: {steps.dtype} values. Steps are whole numbers, counted from 0.")
    if steps.size and (least := steps.min()) < 0:
        raise ValueError(f"step: {least} is negative. Steps are counted from 0.")
    return steps.astype(np.int64, copy=False)
