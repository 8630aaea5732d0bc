"""Find the schedule that a run follows: `infer(rates)`.

What the rows show first (where rates hold, change, jump, turn) leads to guesses. A guess is a schedule of the
vocabulary with rough parameters. Least squares on a few hundred rows refines them. Then each parameter becomes the
shortest number that the other parameters can compensate for, because a person wrote 0.95 and not 0.9499999881. A
schedule is accepted only if it explains every row within the tolerance of `compare.tolerance`, including the float32
drift of its own tidy factors. Simple kinds come first, then a warm-up with what follows it, fitted at once, then the
kinds that go up and down. Other schedules made of schedules are found piece by piece.

`search` runs the search, `guesses` orders the guesses, `rows` holds the rows and checks schedules against them,
`structure` finds holds, jumps and turns, `numbers` finds short numbers, `fitting` refines; `decays`, `staircase`,
`lines`, `waves`, `cycles`, `warmed` and `combined` make the guesses.
"""

from .search import Inferred, infer

__all__ = ["Inferred", "infer"]
