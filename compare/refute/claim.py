"""A statement about two runs that their rows can refute, and the check that tries to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

import numpy as np

from samestep.experiment.clock import Clock

from ..rates import Rates
from ..terms import SIDES, Side
from ..tolerance import ULP32, Applied, applied, ulp32
from .curve import FEWEST, Curve, Known, Predicted, blocks

FEW = 3
"""Rows that a claim may leave over at the beginning, whatever they are."""

CERTAIN = 1e-6
"""Part of a rate by which one that lies between two rows may be off, where it is known all the same."""

AT_ONCE = 256
"""Claims of one kind that are held against a few rows at once."""

FEW_CLAIMS = 40
"""Claims of each cause that are tried on what another cause leaves, the likelier first."""

C_co = TypeVar("C_co", covariant=True)
"""What is claimed: a cause."""

T = TypeVar("T")


def per_side(computed: Callable[[Any, Side], T]) -> cached_property[dict[Side, T]]:
    """A property with a value for each side, computed once."""
    return cached_property(lambda pair: {side: computed(pair, side) for side in SIDES})


@dataclass(frozen=True)
class Difference:
    """An update at which both lie further apart than the tolerance, and both rates."""

    step: int
    a: float
    b: float


@dataclass(frozen=True)
class Claim(Generic[C_co]):
    """One cause with its parameters: it predicts the rates of one side from those of the other.

    side : whose rows are predicted. predict : their rates, at any steps of theirs.
    extrapolates : whether the other side goes on where no row of `side` speaks of it. leaves : rows at its beginning
    that are left over. is_refuted : whether `Pair.probed` has refuted it already, with others of its kind.
    """

    cause: C_co
    side: Side
    predict: Callable[[np.ndarray], Known]
    extrapolates: bool = False
    leaves: int = 0
    is_refuted: bool = False

    @property
    def leaves_few(self) -> bool:
        """Whether hardly any row is left over."""
        return self.leaves <= FEW


@dataclass(frozen=True)
class Check:
    """What a claim leaves over.

    rows : that it was held against. known : those of them that it speaks of.
    excess : the largest difference in units of what is allowed. residual_ulp32 : the largest difference in float32 ULP,
    drift and slack taken off.
    evidence : rows that differ without the claim, and do not with it. vague : those of which it says too little.
    """

    rows: int
    known: int
    excess: float
    residual_ulp32: float
    evidence: int
    vague: int

    @property
    def covered(self) -> float:
        """Fraction of the rows that the claim speaks of."""
        return self.known / self.rows

    @property
    def fits(self) -> bool:
        """Whether the claim speaks of any row, and none refutes it."""
        return self.known > 0 and self.excess <= 1

    def joined(self, other: Check) -> Check:
        """The same for other rows as well."""
        return Check(
            self.rows + other.rows,
            self.known + other.known,
            max(self.excess, other.excess),
            max(self.residual_ulp32, other.residual_ulp32),
            self.evidence + other.evidence,
            self.vague + other.vague,
        )


REFUTED = Check(1, 1, np.inf, np.inf, 0, 0)
"""What is left over by a claim that was refuted before."""


@dataclass(frozen=True, eq=False)
class Tolerance:
    """How far two rates may differ, as it was applied to the rows of one side.

    Attributes:
        step: The update that uses most of its tolerance, or exceeds it most.
        applied: How much of it, there.
        steps: Every update that was compared: int64.
        allowed: How far the two rates of each may differ, absolute: float64.
    """

    step: int
    applied: Applied
    steps: np.ndarray
    allowed: np.ndarray


@dataclass(frozen=True)
class Pair:
    """Two runs, the clock of both where it is known, and the float32 ULP within which two rates are the same.

    most : claims of one cause that are tried at most.
    """

    a: Curve
    b: Curve
    clock: Clock | None = None
    ulp: float = ULP32
    most: int = 1500

    def of(self, side: Side) -> Curve:
        """One side."""
        return self.a if side == "a" else self.b

    def other(self, side: Side) -> Curve:
        """The other one."""
        return self.b if side == "a" else self.a

    def without(self, claim: Claim[object]) -> Pair | None:
        """What is left to compare if a claim holds: its prediction beside the rows; None for too few of these."""
        kept = self.of(claim.side)
        predicted = Predicted.on(kept.rates.step, claim.predict)
        return None if predicted is None else self.left(claim.side, kept, predicted)

    def left(self, side: Side, ours: Curve, theirs: Curve) -> Pair:
        """What is left to compare: `ours` in the place of `side`, and `theirs` in the other's."""
        a, b = (ours, theirs) if side == "a" else (theirs, ours)
        return Pair(a, b, self.clock, self.ulp, FEW_CLAIMS)

    @per_side
    def differs(self, side: Side) -> np.ndarray:
        """For each row, whether the other's rate at this step is another, beyond the tolerance."""
        distance, allowed = self._apart[side]
        return self._compared[side] & (distance > allowed)

    def known_between(self, side: Side, rows: slice) -> tuple[np.ndarray, np.ndarray]:
        """For each of some rows, whether the other's rate there is known, with a row or without; and is another."""
        distance, allowed = (column[rows] for column in self._apart[side])
        theirs = self.other(side).at(self.of(side).rates.step[rows])
        known = theirs.slack <= CERTAIN * theirs.value  # a fall between two rows may be at any step between them
        return known, known & (distance > allowed)

    @property
    def any_differs(self) -> bool:
        """Whether there is any such row."""
        return bool(self.differs["a"].any() or self.differs["b"].any())

    @per_side
    def same(self, side: Side) -> np.ndarray:
        """For each row, whether the other's rate at this step is known to be the same."""
        return np.asarray(self._compared[side] & ~self.differs[side])

    def tolerance(self, side: Side) -> Tolerance | None:
        """The tolerance of one side's rows; None where none of them is compared."""
        rows = np.flatnonzero(self._compared[side])
        if not len(rows):
            return None
        distance, allowed = (column[rows] for column in self._apart[side])
        most = rows[[int((distance / allowed).argmax())]]
        ours, lr = self.of(side).observed.at_rows(most), self.of(side).rates.rows(most)
        theirs = self.other(side).at(lr.step)
        size, drift = np.maximum(theirs.size, ours.size), np.maximum(theirs.drift, ours.drift)
        found = applied(lr.lr, theirs.value, size, drift, theirs.slack + lr.rounding, self.ulp)
        return Tolerance(int(lr.step[0]), found, self.of(side).rates.step[rows], allowed)

    def residual_ulp32(self, side: Side) -> float:
        """The largest difference of a side's rows, drift and rounding of digits taken off, in float32 ULP."""
        compared = self._compared[side]
        ours, distance = self.of(side).rates.rows(compared), self._apart[side][0][compared]
        theirs = self.other(side).at(ours.step)
        drift = np.maximum(theirs.drift, self.of(side).observed.drift[compared])
        left = np.maximum(distance - drift - theirs.slack - ours.rounding, 0.0)
        return float((left / ulp32(np.maximum(ours.lr, theirs.value))).max(initial=0.0))

    def is_rounded(self) -> bool:
        """Whether any rate that is compared differs in bits."""
        return any(bool((self._apart[side][0][self._compared[side]] > 0).any()) for side in SIDES)

    def probed(
        self, side: Side, numbers: Sequence[int], prediction: Callable[[np.ndarray], Callable[[np.ndarray], Known]]
    ) -> list[float]:
        """The excess of a claim for each of many numbers, on the few rows that refute most: all are asked at once.

        prediction : makes what predicts the rates of `side` from a number for each step that is asked.
        """
        probe = self.probe[side]
        found: list[float] = []
        for begin in range(0, len(numbers), AT_ONCE):
            part = np.array(numbers[begin : begin + AT_ONCE], dtype=np.int64)
            which = np.tile(probe, len(part))
            rows = self.of(side).rates.rows(which)
            theirs = prediction(np.repeat(part, len(probe)))(rows.step)
            apart, slack, _ = _apart_from(theirs, rows)
            some = np.flatnonzero(apart)
            excess = np.zeros(len(which))
            excess[some] = self._excesses(side, which, theirs, apart, slack, some)[0]
            found += excess.reshape(len(part), len(probe)).max(axis=1, initial=0.0).tolist()
        return found

    def check(self, claim: Claim[object]) -> Check:
        """Hold a claim against every row; against a few first, which refute most."""
        if claim.is_refuted:
            return REFUTED
        for rows in (self.probe[claim.side], self.sample[claim.side]):
            check = self._check(claim, rows)
            if check.excess > 1:
                return check
        count = len(self.of(claim.side).rates)
        if len(rows) == count:
            return check
        whole = Check(0, 0, 0.0, 0.0, 0, 0)
        for part in blocks(count):
            whole = whole.joined(self._check(claim, part))
            if whole.excess > 1:
                break
        return whole

    def _check(self, claim: Claim[object], which: np.ndarray | slice) -> Check:
        rows = self.of(claim.side).rates.rows(which)
        theirs = claim.predict(rows.step)
        apart, slack, known = _apart_from(theirs, rows)
        some = np.flatnonzero(apart)  # most rows of most claims that stand differ by nothing
        excess = residual = 0.0
        if len(some):
            excess, residual = (float(e.max()) for e in self._excesses(claim.side, which, theirs, apart, slack, some))
        differs = self.differs[claim.side][which]
        sharp = known & (slack <= self._apart[claim.side][0][which] / 4)
        evidence, vague = int((differs & sharp).sum()), int((differs & known & ~sharp).sum())
        return Check(len(rows), int(known.sum()), excess, residual, evidence, vague)

    def _excesses(
        self,
        side: Side,
        which: np.ndarray | slice,
        theirs: Known,
        apart: np.ndarray,
        slack: np.ndarray,
        some: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The differences of some rows, in units of what is allowed, and in float32 ULP without drift and slack."""
        curve = self.of(side)
        lr, theirs = curve.rates.lr[which][some], theirs.at_rows(some)
        apart, slack = apart[some], slack[some]
        drift = np.maximum(theirs.drift, curve.observed.drift[which][some])
        size = np.maximum(np.minimum(theirs.size, curve.peak), lr)
        excess = apart / Known(theirs.value, slack, size, drift).allowed(self.ulp)
        return excess, np.maximum(apart - slack - drift, 0.0) / ulp32(np.maximum(np.abs(theirs.value), lr))

    @per_side
    def _apart(self, side: Side) -> tuple[np.ndarray, np.ndarray]:
        """For each row, how far the other's rate lies away, infinite where unknown, and how far it may."""
        curve, count = self.of(side), len(self.of(side).rates)
        distance, allowed = np.empty(count), np.empty(count)
        for part in blocks(count):
            rows, ours = curve.rates.rows(part), curve.observed.at_rows(part)
            theirs = self.other(side).at(rows.step)
            size, drift = np.maximum(theirs.size, ours.size), np.maximum(theirs.drift, ours.drift)
            distance[part] = np.where(np.isfinite(theirs.slack), np.abs(rows.lr - theirs.value), np.inf)
            allowed[part] = Known(theirs.value, theirs.slack + rows.rounding, size, drift).allowed(self.ulp)
        return distance, allowed

    @per_side
    def _compared(self, side: Side) -> np.ndarray:
        """Rows that are held against the other side: those whose step it has; where these are few, all it knows of."""
        step = self.of(side).rates.step
        shared = self.other(side).has(step)
        few = min(len(self.a.rates), len(self.b.rates)) / 2
        return shared if shared.sum() >= min(FEWEST, few) else np.isfinite(self._apart[side][0])

    @per_side
    def probe(self, side: Side) -> np.ndarray:
        """A few rows that refute many claims."""
        sample = self.sample[side]
        differs = sample[self.differs[side][sample]]
        few = [rows[np.linspace(0, len(rows) - 1, 12).astype(np.int64)] for rows in (sample, differs) if len(rows)]
        return np.unique(np.concatenate(few))

    @per_side
    def sample(self, side: Side) -> np.ndarray:
        """Rows that refute most claims: spread over all, around changes, around differences."""
        curve = self.of(side)
        count = len(curve.rates)
        if count <= 2000:
            return np.arange(count)
        spread = np.linspace(0, count - 1, 500).astype(np.int64)
        differs = np.flatnonzero(self.differs[side])
        edges = np.flatnonzero(np.diff(self.differs[side]))
        near = np.concatenate([each[:80] for each in (curve.changes, differs, edges)] + [differs[-40:], edges[-40:]])
        around = (near[:, None] + np.arange(-1, 2)).reshape(-1)
        return np.unique(np.clip(np.concatenate([spread, around, np.arange(80)]), 0, count - 1))


def _apart_from(theirs: Known, rows: Rates) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How far rows lie from what was predicted, how far they may by their slack, and which of them were predicted."""
    known = np.isfinite(theirs.slack)
    apart = np.abs(rows.lr - np.where(known, theirs.value, rows.lr))
    return apart, np.where(known, theirs.slack, 0.0) + rows.rounding, known
