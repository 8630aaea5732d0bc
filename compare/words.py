"""Words that many sentences share: counts with their nouns, lists, places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samestep.experiment.clock import Clock, Place
from samestep.experiment.schedules.text import to_short

if TYPE_CHECKING:
    from samestep.experiment.plan import Plan
    from samestep.experiment.schedules import Schedule


def epoch_in_steps(clock: Clock) -> str:
    """How many steps make an epoch, and why."""
    if said := large_batch(clock):
        return said
    full, rest = divmod(clock.samples, clock.batch_size)
    batches = counted(full, "full batch", "full batches")
    if rest:
        batches += f"; the last {counted(rest, 'row')} left out" if clock.drop_last else f" and one of {rest}"
    make = "makes" if clock.samples == 1 else "make"
    if clock.accumulate > 1:
        batches += f"; {clock.accumulate} batches make an update"
    return (
        f"{counted(clock.samples, 'sample')} in batches of {clock.batch_size} {make} "
        f"{counted(clock.steps_per_epoch, 'step')} an epoch ({batches})."
    )


def large_batch(clock: Clock) -> str | None:
    """What an epoch is where a batch could take more than all samples; None where it could not."""
    if clock.batch_size <= clock.samples:
        return None
    return (
        f"batch_size {clock.batch_size} is larger than the {counted(clock.samples, 'sample')}: "
        f"each epoch is one batch of {clock.samples}."
    )


def counted(number: int, one: str, more: str | None = None) -> str:
    """A number with its noun: 1 step, 1,600 steps."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def multiple(value: float) -> str:
    """A factor as people write it: 32, 0.95, 1.6667."""
    return f"{value:.6g}"


def part(relative: float) -> str:
    """A relative difference: in percent, or as a number where that would be too small to read."""
    return f"{100 * relative:.3g} %" if relative >= 1e-5 else f"{relative:.2g} relative"


def short(schedule: Schedule | None, most: int = 160) -> str | None:
    """A schedule in the short form, cut where it is long; None for none."""
    if schedule is None:
        return None
    text = to_short(schedule)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def listed(words: list[str]) -> str:
    """Words in a row: a, b and c."""
    return " and ".join([*([", ".join(words[:-1])] if words[1:] else []), *words[-1:]])


def at_place(place: Place) -> str:
    """Where an update is: its step, and its epoch and batch."""
    return f"step {place.step} (epoch {place.epoch}, batch {place.batch})"


def setting(plan: Plan) -> str:
    """What was trained and for how long, in sentences."""
    optimizer = ", ".join(f"{name} {value}" for name, value in plan.optimizer.model_dump(exclude={"kind"}).items())
    network, hidden = plan.network, "No hidden layer"
    if network.hidden:
        widths = listed([str(width) for width in network.hidden])
        hidden = f"Hidden layers of {widths} units, {network.activation}, dropout {network.dropout:g}"
    length = f"{counted(plan.epochs, 'epoch')}, {counted(plan.steps, 'step')} in all"
    seeds = f"{'seeds' if len(plan.seeds) > 1 else 'seed'} {', '.join(map(str, plan.seeds))}"
    made = f"Optimizer {plan.optimizer.kind}{f' ({optimizer})' if optimizer else ''}; {plan.precision}; {seeds}"
    return f"{epoch_in_steps(plan.clock)} {length}. {hidden}. {made}."


def number(value: float) -> str:
    """A relative difference in three digits: 0.874, 9.62e-06, 0."""
    return f"{value:.3g}"


def share(part: float) -> str:
    """A part in percent, never rounded up to all of it, nor down to nothing: 27.5 %, > 99.9 %, < 0.001 %."""
    size = abs(part)
    if 0.9995 <= size < 1:
        said = "> 99.9"
    elif 0 < size < 1e-5:
        said = "< 0.001"
    else:
        said = f"{100 * size:.3g}" if size < 10 else f"{100 * size:,.0f}"
    return f"{'-' if part < 0 else ''}{said} %"
