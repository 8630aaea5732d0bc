"""What `samestep run` gives back: the traces of both frameworks, what they say, and how that is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pandas as pd

from samestep.experiment.plan import FRAMEWORKS, Framework, Plan
from samestep.experiment.trace import Trace, stack, write_csv, write_json

from ..align.rows import align
from ..show.folder import MANIFEST
from ..show.manifest import machine, versions
from ..show.picture import Picture
from ..show.result import Result
from ..terms import Verdict
from . import figures, page, words
from .summary import Summary, summarise, to_json, to_table


@dataclass(frozen=True, eq=False)
class Training(Result):
    """Every arm of a plan, trained in both frameworks.

    Attributes:
        plan: What was trained.
        traces: What came of it, by framework.
    """

    plan: Plan
    traces: Mapping[Framework, Trace]

    report = "training/report"

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row for each arm, seed and step: both rates, both losses, and their differences."""
        return align(self.traces, self.plan)

    @cached_property
    def summary(self) -> Summary:
        """The verdicts, and what they rest on."""
        return summarise(self.table, self.plan)

    @property
    def verdict(self) -> Verdict:
        """Whether both frameworks used the same rates in every arm."""
        return self.summary.verdict

    @property
    def loss_verdict(self) -> Verdict:
        """Whether their batch losses agree."""
        return self.summary.loss_verdict

    @cached_property
    def epochs(self) -> pd.DataFrame:
        """One row for each framework, arm, seed and epoch, with the losses after it."""
        return pd.DataFrame(dict(stack([self.traces[framework].epochs for framework in FRAMEWORKS])))

    def lines(self) -> Iterator[tuple[str, str]]:
        """A table of the arms, the verdict, and what to write instead."""
        return words.lines(self.summary, self.plan)

    def to_json(self) -> dict[str, Any]:
        """The summary as JSON values."""
        return to_json(self.summary, self.plan)

    def pictures(self) -> Mapping[str, Callable[[], Picture]]:
        """The rates, the losses, the difference of the losses, and the question of the plan."""
        draw: dict[str, Callable[..., Any]] = {
            "rates": figures.rates,
            "losses": figures.losses,
            "loss-differences": figures.loss_differences,
            "question": partial(figures.question, epochs=self.epochs),
        }

        def drawn(name: str, alt: str, caption: str) -> Picture:
            return Picture(name, draw[name](self.table, self.plan), alt, caption)

        return {name: partial(drawn, name, *said) for name, said in page.captions(self.summary, self.plan).items()}

    def page(self) -> dict[str, Any]:
        """What the report says, as plain values."""
        manifests = {framework: trace.manifest for framework, trace in self.traces.items()}
        return page.page(self.summary, self.plan, manifests) | {"versions": self._versions()}

    def write_tables(self, folder: Path) -> None:
        """Write the traces, both aligned, the summary, the plan and the manifest."""
        write_csv(folder / "trace.csv", stack([self.traces[framework].steps for framework in FRAMEWORKS]))
        write_csv(folder / "epochs.csv", dict(self.epochs))
        write_csv(folder / "aligned.csv", dict(self.table))
        write_csv(folder / "summary.csv", dict(to_table(self.summary)))
        write_json(folder / "summary.json", self.to_json())
        write_json(folder / MANIFEST, self._manifest())
        (folder / "plan.json").write_text(self.plan.to_json(), encoding="utf-8")

    def _manifest(self) -> dict[str, Any]:
        """How the traces came about: what both manifests share, and the arms of each framework."""
        first = next(iter(self.traces.values())).manifest
        return {
            "schema": 1,
            "plan": self.plan.model_dump(mode="json", by_alias=True),
            "precision": self.plan.precision,
            **{name: first[name] for name in ("engine", "device", "conventions")},
            "versions": self._versions(),
            "machine": machine(),
            "frameworks": {framework: {"arms": trace.manifest["arms"]} for framework, trace in self.traces.items()},
        }

    def _versions(self) -> dict[str, str]:
        traced = {name: number for trace in self.traces.values() for name, number in trace.manifest["versions"].items()}
        return versions() | traced | versions("pandas", "matplotlib")
