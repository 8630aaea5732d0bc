"""One experiment, written out in full: what is trained, on what, how, and with which schedules."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from samestep.experiment import csv_data
from samestep.experiment.clock import Clock, Duration, Stepping
from samestep.experiment.schedules import ArrayLike, Constant, ExponentialDecay, Schedule
from samestep.experiment.schedules.text import parse, values_of
from samestep.experiment.validation import Model, PlanError, describe, strict_json

Source = Literal["shared", "native"]
Framework = Literal["tensorflow", "torch"]
FRAMEWORKS: tuple[Framework, Framework] = ("tensorflow", "torch")

_NAME = re.compile(r"[^\W_][\w. -]{0,58}[^\W_]|[^\W_]")


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name[:60]!r} cannot be a name. Write letters, digits, spaces and . _ - only: 60 at most, "
            "and a letter or digit first and last."
        )
    return name


Name = Annotated[str, AfterValidator(_check_name)]
Count = Annotated[int, Field(ge=1, le=2**40)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Rate = Annotated[float, Field(ge=0, lt=1)]
Precision = Literal["float32", "float64"]


class QuestionData(Model):
    """x: `samples` draws uniform on [0, 2); y: normal around x² with standard deviation `noise`."""

    kind: Literal["question"] = Field(default="question", repr=False)
    samples: Count
    noise: float = Field(ge=0)
    seed: Seed


class CsvData(Model):
    """A CSV file with a header row: column `target` is predicted from all others, taken as they are.

    Attributes:
        path: the file; a relative path starts at the folder of the plan.
        target: the column to predict.
        samples: rows in the file; null has them counted as the plan is loaded.
    """

    kind: Literal["csv"] = Field(default="csv", repr=False)
    path: str = Field(min_length=1, pattern=r"^[^\x00-\x1f]+$")
    target: str = Field(min_length=1)
    samples: Count | None = None


class SGD(Model):
    """``w -= lr * g``"""

    kind: Literal["sgd"] = Field(default="sgd", repr=False)


class Momentum(Model):
    """SGD with momentum; the two frameworks train differently with it once the rate changes."""

    kind: Literal["momentum"] = Field(default="momentum", repr=False)
    momentum: float = Field(gt=0, lt=1)
    nesterov: bool


class Adam(Model):
    """Adam; the two frameworks add `epsilon` at different places."""

    kind: Literal["adam"] = Field(default="adam", repr=False)
    beta_1: Rate
    beta_2: Rate
    epsilon: float = Field(gt=0)
    amsgrad: bool


class AdamW(Model):
    """Adam with decoupled weight decay of every weight and bias."""

    kind: Literal["adamw"] = Field(default="adamw", repr=False)
    beta_1: Rate
    beta_2: Rate
    epsilon: float = Field(gt=0)
    amsgrad: bool
    weight_decay: float = Field(ge=0)


class RMSprop(Model):
    """RMSprop without momentum, not centered; the two frameworks add `epsilon` at different places."""

    kind: Literal["rmsprop"] = Field(default="rmsprop", repr=False)
    rho: Rate
    epsilon: float = Field(gt=0)


class Network(Model):
    """Dense layers, each followed by dropout, then one dense output without activation."""

    hidden: Annotated[tuple[Annotated[int, Field(ge=1, le=2**20)], ...], Field(strict=False)]
    activation: Literal["elu", "linear", "relu", "sigmoid", "silu", "softplus", "tanh"]
    dropout: Rate

    def parameters(self, features: int) -> int:
        """Kernels and biases of a network for this many features, counted.

        Example:
            >>> Network(hidden=(10, 10), activation="tanh", dropout=0.0).parameters(features=1)
            141
        """
        return sum((inputs + 1) * outputs for inputs, outputs in pairwise([features, *self.hidden, 1]))


class Controls(Model):
    """What both frameworks share, or make in their own way from the same seed."""

    data: Source
    order: Source
    weights: Source
    masks: Source


class Arm(Model):
    """One schedule with one stepping; trained in each framework."""

    name: Name
    schedule: Annotated[Schedule, BeforeValidator(lambda given: values_of(given) if isinstance(given, str) else given)]
    stepping: Stepping

    def rate(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """Closed form of the rate that each update uses: float64, the shape of `step`."""
        return self.schedule.rate(clock.looked_up(np.asarray(step), self.stepping), clock)

    def float32_drift(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """Absolute error of each rate from parameters in float32: float64, the shape of `step`."""
        return self.schedule.float32_drift(clock.looked_up(np.asarray(step), self.stepping), clock)

    def float32_scale(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """Size at which float32 rounds each rate, where larger than the rate: float64, the shape of `step`."""
        return self.schedule.float32_scale(clock.looked_up(np.asarray(step), self.stepping), clock)

    def check(self, clock: Clock, epochs: int) -> None:
        """Check that the schedule fits the clock and lasts as long as the run.

        Raises:
            ValueError: a duration is no whole number of steps, the schedule ends with an error before the run does,
                or the rate grows past what float32 holds.
        """
        self.schedule.whole_steps(clock)
        last = int(clock.looked_up(epochs * clock.steps_per_epoch - 1, self.stepping))
        length = self.schedule.length(clock)
        if self.schedule.after_end == "error" and length is not None and last >= length:
            raise ValueError(
                f"the schedule ends after {length} steps and the run takes {epochs * clock.steps_per_epoch}. "
                "Make it as long as the run, or write after hold."
            )
        self.schedule.rate(last, clock)  # it may grow past any number

    def meant(self, clock: Clock) -> Arm | None:
        """This arm with its period in epochs, if the period is in steps and shorter than an epoch; else None.

        Such a period was perhaps meant in epochs: the question that samestep began with.
        """
        schedule = self.schedule
        if not isinstance(schedule, ExponentialDecay) or schedule.every.unit != "steps" or schedule.factor == 1:
            return None
        if schedule.every.count >= clock.steps_per_epoch or self.stepping != "step":
            return None
        in_epochs = schedule.model_copy(update={"every": Duration(schedule.every.count, "epochs")})
        return self.model_copy(update={"schedule": in_epochs})


class Plan(Model):
    """One experiment. Every key is written out: a default that differs is what samestep is about.

    Example:
        >>> plan = question()
        >>> plan.name, plan.steps, [arm.name for arm in plan.arms][:2]
        ('question', 1600, ['constant', 'staircase-steps'])
        >>> Plan.from_json(plan.to_json()) == plan
        True
    """

    version: Literal[1] = Field(alias="schema")
    name: Name
    data: Annotated[QuestionData | CsvData, Field(discriminator="kind")]
    batch_size: Count
    drop_last: bool
    epochs: Count
    network: Network
    optimizer: Annotated[SGD | Momentum | Adam | AdamW | RMSprop, Field(discriminator="kind")]
    precision: Precision
    seeds: Annotated[tuple[Seed, ...], Field(strict=False, min_length=1)]
    controls: Controls
    arms: Annotated[tuple[Arm, ...], Field(strict=False, min_length=1)]

    @model_validator(mode="after")
    def _parts_fit(self) -> Plan:
        if mistakes := list(self._mistakes()):
            raise ValueError(" ".join(mistakes))
        return self

    def _mistakes(self) -> Iterator[str]:
        for kind, values in (("arms", [arm.name for arm in self.arms]), ("seeds", self.seeds)):
            for value, times in Counter(values).items():
                if times > 1:
                    yield f"{kind}: {value!r} is there twice. Give each its own."
        if isinstance(self.data, CsvData) and self.controls.data == "native":
            yield "controls.data: 'native' has no meaning for a CSV file. Write 'shared'."
        if self.data.samples is None:
            return
        try:
            clock = self.clock
        except ValueError as error:
            yield str(error)
            return
        for arm in self.arms:
            try:
                arm.check(clock, self.epochs)
            except ValueError as error:
                yield f"arm {arm.name!r}: {error}"

    @property
    def clock(self) -> Clock:
        """The clock of this plan.

        Raises:
            PlanError: the rows of a CSV file are not counted yet.
        """
        if self.data.samples is None:
            raise PlanError("data: the rows of the CSV file are not counted. Load the plan with Plan.load.")
        return Clock(self.data.samples, self.batch_size, self.drop_last)

    @property
    def steps(self) -> int:
        """Updates in one run."""
        return self.epochs * self.clock.steps_per_epoch

    @property
    def constant_arm(self) -> Arm | None:
        """The first arm whose rate never changes, to which the others are compared; None if there is none."""
        return next((arm for arm in self.arms if isinstance(arm.schedule, Constant)), None)

    def replace(self, **changes: Any) -> Plan:
        """The plan with other values, checked again.

        Raises:
            ValidationError: of pydantic, with every mistake.

        Example:
            >>> question().replace(epochs=2).steps
            64
        """
        values = {field.alias or name: getattr(self, name) for name, field in type(self).model_fields.items()}
        return type(self).model_validate(values | changes)

    def to_json(self) -> str:
        """The plan as JSON text that `from_json` reads back to an equal plan."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Read a plan from JSON text.

        Raises:
            PlanError: the text is no plan; one line names every mistake.

        Example:
            >>> try:
            ...     Plan.from_json('{"epochs": 0}')
            ... except PlanError as error:
            ...     print(str(error)[-44:])
            epochs: got 0. Write a number of at least 1.
        """
        data = strict_json(text, "a plan")
        if not isinstance(data, dict):
            raise PlanError(f"no plan: got {type(data).__name__}. Write a JSON object.")
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise PlanError(describe(error)) from None

    @classmethod
    def load(cls, path: str | Path) -> Plan:
        """Read a plan from a file and count the rows of its CSV data.

        Args:
            path: a JSON file. A relative path of the data starts at its folder.

        Raises:
            PlanError: the file cannot be read or is no plan; one line names the file and every mistake.
        """
        path = Path(path)
        try:
            plan = cls.from_json(path.read_text(encoding="utf-8-sig"))
            if isinstance(plan.data, CsvData):
                plan = plan.replace(data=_found(plan.data, path.parent))
        except OSError as error:
            raise PlanError(f"{path}: {error.strerror or error}. Name a plan that can be read.") from None
        except UnicodeDecodeError:
            raise PlanError(f"{path}: not UTF-8 text. Write the plan as JSON in UTF-8.") from None
        except ValidationError as error:
            raise PlanError(f"{path}: {describe(error)}") from None
        except PlanError as error:
            raise PlanError(f"{path}: {error}") from None
        return plan


def _found(data: CsvData, folder: Path) -> CsvData:
    """The CSV data with its path made absolute and its rows counted."""
    path = (folder / data.path).resolve()
    samples = len(csv_data.read(path, data.target)[1])
    if data.samples not in (None, samples):
        raise PlanError(
            f"data: {path} has {samples} rows, the plan says {data.samples}. Write samples {samples} or null."
        )
    return data.model_copy(update={"path": str(path), "samples": samples})


def question() -> Plan:
    """The default plan: a decay every 25 steps, and the decay every 25 epochs that was meant, side by side."""
    decay = "exponential:initial=1e-3,factor=0.95"
    return Plan(
        schema=1,
        name="question",
        data=QuestionData(samples=1000, noise=0.05, seed=0),
        batch_size=32,
        drop_last=False,
        epochs=50,
        network=Network(hidden=(10, 10), activation="tanh", dropout=0.2),
        optimizer=Adam(beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False),
        precision="float32",
        seeds=(0,),
        controls=Controls(data="shared", order="shared", weights="shared", masks="shared"),
        arms=(
            Arm(name="constant", schedule=Constant(initial=1e-3), stepping="step"),
            Arm(name="staircase-steps", schedule=parse(f"{decay},every=25 steps,staircase"), stepping="step"),
            Arm(name="staircase-epochs", schedule=parse(f"{decay},every=25 epochs,staircase"), stepping="epoch"),
            Arm(name="smooth-steps", schedule=parse(f"{decay},every=25 steps"), stepping="step"),
            Arm(name="smooth-epochs", schedule=parse(f"{decay},every=25 epochs"), stepping="epoch"),
        ),
    )
