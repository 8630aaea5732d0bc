"""Words that many sentences share: counts with their nouns, lists, places."""

from __future__ import annotations

from experiment.clock import Clock, Place


def epoch_in_steps(clock: Clock) -> str:
    """How many steps make an epoch, and why."""
    if said := large_batch(clock):
        return said
    full, rest = divmod(clock.samples, clock.batch_size)
    batches = counted(full, "full batch", "full batches")
    if rest and clock.drop_last:
        batches += f"; the last {counted(rest, 'row')} left out"
    elif rest:
        batches += f" and one of {rest}"
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


def listed(words: list[str]) -> str:
    """Words in a row: a, b and c."""
    return " and ".join([*([", ".join(words[:-1])] if words[1:] else []), *words[-1:]])


def at_place(place: Place) -> str:
    """Where an update is: its step, and its epoch and batch."""
    return f"step {place.step} (epoch {place.epoch}, batch {place.batch})"
