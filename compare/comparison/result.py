"""What a comparison gives back, and how it shows itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from samestep.experiment.clock import Clock, Place, Stepping
from samestep.experiment.schedules.text import to_short
from samestep.experiment.trace import moved_into_place, quoted, write_json

from ..align.losses import Losses
from ..align.reduction_words import Reduction
from ..align.table import table
from ..causes.base import Cause
from ..causes.scene import Fix
from ..diagnose import Diagnosis
from ..infer import Inferred
from ..refute.claim import Difference, Tolerance
from ..runs.run import Run, writable
from ..runs.side import Side
from ..show.folder import MANIFEST
from ..show.manifest import DRAWS, machine, versions
from ..show.result import Result
from ..terms import WORST, Verdict

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from ..show.picture import Picture


@dataclass(frozen=True, eq=False)
class Compared:
    """One run of a against one of b.

    Attributes:
        name: Identifies the pair.
        verdict: Also `inconclusive` if two equal runs would look like this under another reading of the log.
        doubt: The option that settles it.
        depends_on: What the verdict depends on, as the end of a sentence.
        digits: The written digits that make two rates the same: a's 6 digits.
    """

    name: str
    a: Run
    b: Run
    diagnosis: Diagnosis
    verdict: Verdict
    sentence: str
    fix: Fix
    also: tuple[tuple[Cause, str], ...]
    doubt: str | None
    losses: Losses
    depends_on: str | None = None
    digits: str = ""


@dataclass(frozen=True, eq=False)
class Comparison(Result):
    """Two sides and every pair of their runs; at least one pair.

    What is said of one pair is said of the worst.
    """

    a: Side
    b: Side
    clock: Clock | None
    stepping: Stepping
    pairs: tuple[Compared, ...]
    notes: tuple[str, ...] = ()

    report = "comparison/report"

    @property
    def worst(self) -> Compared:
        """The pair that decides: the first with the worst verdict."""
        return min(self.pairs, key=lambda pair: WORST.index(pair.verdict))

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of any pair."""
        return self.worst.verdict

    @property
    def same(self) -> bool:
        """Whether all rates are the same, within the tolerance."""
        return self.verdict == "same"

    @property
    def cause(self) -> Cause:
        """Why they differ, with its parameters."""
        return self.worst.diagnosis.cause

    @property
    def fix(self) -> Fix:
        """What to write: `advice`, and `code` by framework."""
        return self.worst.fix

    @property
    def first_difference(self) -> Difference | None:
        """The first update at which they differ, with both rates."""
        return self.worst.diagnosis.first_difference

    def __bool__(self) -> NoReturn:
        """A verdict has three values."""
        raise TypeError("A comparison has no truth value, since it may be inconclusive. Ask for .same or .verdict.")

    def place(self, step: int) -> Place | None:
        """Where a step is; None where the steps of an epoch are not known."""
        return None if self.clock is None else self.clock.place(step)

    def columns(self, pair: Compared) -> Mapping[str, np.ndarray]:
        """The rows of one pair, as arrays."""
        return table(pair.a, pair.b, self.clock)

    @property
    def table(self) -> pd.DataFrame:
        """One row for each pair and step: the columns of ``comparison.csv``."""
        import pandas as pd

        return pd.concat(list(self._tables()), ignore_index=True)

    def lines(self) -> Iterator[tuple[str, str]]:
        """The verdict, both sides, the first difference, the cause and the fix."""
        from . import words

        return words.lines(self)

    def to_json(self) -> dict[str, Any]:
        """The comparison; at the top level the pair with the worst verdict, under `pairs` all of them."""
        worst = self.worst
        return {
            "schema": 1,
            **_pair(self, worst),
            "a": _side(self.a, worst.a, worst.diagnosis.inferred_a),
            "b": _side(self.b, worst.b, worst.diagnosis.inferred_b),
            "clock": self.clock and {**asdict(self.clock), "steps_per_epoch": self.clock.steps_per_epoch},
            "notes": list(self.notes),
            "pairs": [_pair(self, pair) for pair in self.pairs],
        }

    def to_junit(self) -> str:
        """The comparison as JUnit XML: one test case for each pair."""
        from . import junit

        return junit.to_xml(self).decode()

    def pictures(self) -> Mapping[str, Callable[[], Picture]]:
        """The rates, how far they lie apart, and the first difference where there is one."""
        from . import figures

        return figures.pictures(self)

    def page(self) -> dict[str, Any]:
        """What the report says, as plain values."""
        from . import words

        return words.page(self) | {"versions": versions(*DRAWS)}

    def write_tables(self, folder: Path) -> None:
        """Write the rows of all pairs, the JSON and the manifest.

        Of millions of rows, pandas takes half the memory that `experiment.trace.write_csv` does; its floats are the
        shortest texts as well.
        """
        path = folder / "comparison.csv"
        with moved_into_place(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
            for number, rows in enumerate(self._tables(quoted)):
                rows.to_csv(file, index=False, header=number == 0, lineterminator="\n")
        write_json(folder / "comparison.json", self.to_json())
        told = {"schema": 1, "versions": versions(*DRAWS), "machine": machine()}
        write_json(folder / MANIFEST, told | {"a": _given(self.a), "b": _given(self.b)})

    def _tables(self, shown: Callable[[str], str] = str) -> Iterator[pd.DataFrame]:
        import pandas as pd

        for pair in self.pairs:
            rows = pd.DataFrame({"pair": shown(pair.name)} | dict(self.columns(pair)))
            for place in ("epoch", "batch"):
                rows[place] = rows[place].astype("Int64").where(rows[place] >= 0)
            yield rows


def _given(side: Side) -> dict[str, Any]:
    """What was read on a side, as the manifest says it."""
    schedule = None if side.schedule is None else side.schedule.model_dump(mode="json")
    manifest = json.loads(writable(json.dumps(dict(side.manifest), ensure_ascii=False)))
    return {"given": side.given, "schedule": schedule, "manifest": manifest}


def _pair(comparison: Comparison, pair: Compared) -> dict[str, Any]:
    found = pair.diagnosis
    return {
        "name": pair.name,
        "verdict": pair.verdict,
        "rows": {"a": len(pair.a.rates), "b": len(pair.b.rates), "compared": found.compared},
        "tolerance": {
            "ulp32": found.ulp32,
            "drift_per_decay": found.drift_per_decay,
            "applied": found.tolerance and _applied(found.tolerance),
        },
        "max": {"ulp32": found.max_ulp32, "relative": found.max_relative},
        "first_difference": _first(comparison, pair),
        "cause": _cause(found.cause)
        | {"sentence": pair.sentence, "fix": str(pair.fix), "fix_code": dict(pair.fix.code)},
        "also_possible": [{**_cause(cause), "sentence": said} for cause, said in pair.also],
        "doubt": pair.doubt,
        "losses": _losses(pair.losses),
    }


def _applied(tolerance: Tolerance) -> dict[str, Any]:
    """The update that uses most of its tolerance: how far its rates differ there, and how far they may."""
    there = tolerance.applied
    return {"step": tolerance.step, "ulp32": there.ulp32, "allowed_ulp32": there.allowed_ulp32}


def _first(comparison: Comparison, pair: Compared) -> dict[str, Any] | None:
    first = pair.diagnosis.first_difference
    if first is None:
        return None
    place = comparison.place(first.step)
    at = {"step": first.step, "epoch": None, "batch": None} if place is None else asdict(place)
    return {**at, "a": first.a, "b": first.b}


def _cause(cause: Cause) -> dict[str, Any]:
    """`reading` and `factor` are there whatever the cause, null where it has none."""
    parameters: Mapping[str, Any] = {"reading": None, "factor": None} | cause.parameters
    second = {} if cause.second is None else {"second": _cause(cause.second)}
    return {"name": cause.name, **parameters, "residual_ulp32": cause.residual_ulp32, **second}


def _side(side: Side, run: Run, inferred: Inferred | None) -> dict[str, Any]:
    return {
        "name": side.given,
        "format": side.format,
        "framework": run.key.framework or None,
        "arm": run.key.arm,
        "seed": run.key.seed,
        "conventions": dict(side.conventions),
        "assumed": list(side.assumed),
        "notes": [*side.notes, *run.notes],
        "inferred": None if inferred is None else to_short(inferred.schedule),
        "stepping": None if inferred is None else inferred.stepping,
    }


def _losses(losses: Losses) -> dict[str, Any]:
    first = losses.first_difference
    return {
        "compared": losses.compared,
        "agree": losses.agree if losses.compared else None,
        "verdict": losses.verdict,
        "max_relative": losses.max_relative if losses.compared else None,
        "tolerance": losses.tolerance,
        "first_difference": None if first is None else {"step": first[0], "a": first[1], "b": first[2]},
        "note": losses.note,
        "reduction": losses.reduction and _reduction(losses.reduction) | {"fix_code": dict(losses.instead)},
    }


def _reduction(reduction: Reduction) -> dict[str, Any]:
    names = ("name", "side", "over", "residual_relative", "rows", "also", "sentence")
    return {name: getattr(reduction, name) for name in names} | {"also": list(reduction.also)}
