"""A schedule as its author would type it on samestep's command line, to compare a log with what was meant."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.everyday.runs import Run


def typed(run: Run) -> str | None:
    """The text; None where the schedule cannot simply be typed."""
    of = TYPED.get(run.recipe.kind)
    return None if of is None else of(run)


def _calls(run: Run, count: int) -> str:
    return f"{count} {'epochs' if run.per == 'epoch' else 'steps'}"


def _warmed(warmup: int, then: str, initial: float = 0.0) -> str:
    return f"warmup:initial={initial:g},over={warmup} steps,then=({then})" if warmup else then


def _hf(then: Callable[[Run, int], str]) -> Callable[[Run], str]:
    """Transformers' warm-up from 0, then the rest."""

    def text(run: Run) -> str:
        warmup = int(run.recipe["warmup"])
        left = int(run.recipe["total"]) - warmup if "total" in run.recipe else 0
        return _warmed(warmup, then(run, left))

    return text


def _cosine(run: Run, floor: float, over: int) -> str:
    return f"cosine:initial={run.recipe['lr']!r},floor={floor!r},over={over} steps,after=hold"


def _steps_only(text: Callable[[Run], str]) -> Callable[[Run], str | None]:
    """Of a schedule that is stepped once per update; looked up once per epoch it is another."""
    return lambda run: text(run) if run.per == "step" else None


def _stones(run: Run) -> str:
    lr, gamma, stones = run.recipe["lr"], run.recipe["gamma"], run.recipe["milestones"]
    boundaries = ",".join(_calls(run, each) for each in stones)
    values = ",".join(repr(lr * gamma**power) for power in range(len(stones) + 1))
    return f"piecewise-constant:boundaries=[{boundaries}],values=[{values}]"


def _nanogpt(run: Run) -> str:
    numbers = run.recipe
    left = int(numbers["lr_decay_iters"]) - int(numbers["warmup_iters"])
    return _warmed(int(numbers["warmup_iters"]), _cosine(run, float(numbers["min_lr"]), left))


def _one_cycle(run: Run) -> str:
    numbers = run.recipe
    return (
        f"one-cycle:max_lr={numbers['max_lr']!r},div_factor=25,final_div_factor=1e4,pct_start={numbers['pct_start']},"
        f"over={numbers['total_steps']} steps,anneal_strategy={numbers['anneal_strategy']},after=hold"
    )


TYPED: dict[str, Callable[[Run], str | None]] = {
    "hf-linear": _hf(lambda run, left: f"linear:initial={run.recipe['lr']!r},end=0,over={left} steps"),
    "hf-cosine": _hf(lambda run, left: _cosine(run, 0.0, left)),
    "hf-constant-warmup": _hf(lambda run, left: f"constant:initial={run.recipe['lr']!r}"),
    "nanogpt-2023": _nanogpt,
    "StepLR": lambda run: (
        f"exponential:initial={run.recipe['lr']!r},factor={run.recipe['gamma']},"
        f"every={_calls(run, run.recipe['step_size'])},staircase"
    ),
    "MultiStepLR": _stones,
    "ExponentialLR": lambda run: (
        f"exponential:initial={run.recipe['lr']!r},factor={run.recipe['gamma']},every={_calls(run, 1)},staircase"
    ),
    "CosineAnnealingLR": _steps_only(lambda run: _cosine(run, float(run.recipe["eta_min"]), int(run.recipe["T_max"]))),
    "PolynomialLR": _steps_only(
        lambda run: (
            f"polynomial:initial={run.recipe['lr']!r},end=0,power={run.recipe['power']},"
            f"over={run.recipe['total_iters']} steps"
        )
    ),
    "OneCycleLR": _one_cycle,
}
