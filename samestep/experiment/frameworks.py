"""The two frameworks, and what each is called wherever it is named: asked here, and written nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from samestep.experiment.plan import Framework as Name

Language = Literal["Keras", "PyTorch"]


@dataclass(frozen=True)
class Framework:
    """One framework.

    Attributes:
        name: In plans, traces and file names.
        label: For people.
        package: Our folder that implements it.
        distributions: What is installed of it.
        words: What an option may call it.
        logs: What the column `framework` of a log says that was written with it.
        colour: Of its lines in every figure: Okabe-Ito.
        line: The style of its lines in every figure, for those who do not see the colour.
    """

    name: Name
    label: Language
    package: str
    distributions: tuple[str, ...]
    words: tuple[str, ...]
    logs: tuple[str, ...]
    colour: str
    line: Any


KERAS = Framework(
    name="tensorflow",
    label="Keras",
    package="tf_impl",
    distributions=("tensorflow", "keras"),
    words=("keras", "tensorflow"),
    logs=("tensorflow", "keras"),
    colour="#0072B2",
    line="-",
)
PYTORCH = Framework(
    name="torch",
    label="PyTorch",
    package="torch_impl",
    distributions=("torch",),
    words=("torch", "pytorch"),
    logs=(
        "torch",
        "lightning",
        "hugging-face",
        "trainer-output",
        "llama-factory",
        "deit",
        "detectron2",
        "fairseq",
        "mmengine",
        "pytorch-classification",
        "stable-baselines3",
        "timm",
        "yolo",
    ),
    colour="#D55E00",
    line=(0, (4, 2)),
)
BY_NAME: Mapping[Name, Framework] = {each.name: each for each in (KERAS, PYTORCH)}
BY_WORD: Mapping[str, Framework] = {word: each for each in BY_NAME.values() for word in each.words}
LABELS: Mapping[str, Language] = {each.name: each.label for each in BY_NAME.values()}
LANGUAGES: Mapping[str, Language] = {log: each.label for each in BY_NAME.values() for log in each.logs}
"""The framework to write code for, by what the column `framework` of a log says; of other logs it is not known."""
