"""Plain text with values in its lines: ``step 100 | loss: 1.5``, ``key=value``, or JSON at the end of a line.

What a line holds is looked for, in this order: a JSON object or a Python dictionary with which it ends, else words that
a number follows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from .base import Conventions, Log, LrTiming, Options, ReadError, shown
from .json_lines import log_of
from .names import EPOCH, STEPS, first_of, is_rate
from .source import FIRST, Source, parsed
from .table import SAMPLE

NAME = "text"
STEP_BASE = 0
LR_TIMING: LrTiming = "unknown"
LOSS_KIND = "as the log's author wrote it"
COLUMNS = ("step", "lr", "loss")

LONGEST_LINE = 50_000
"""Characters of a line that are looked at."""

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_ENDS = r"(?![\w-]|[.:]\d|/\d*/)"
_PAIR = re.compile(
    r"(?<![\w/.'-])(?:"
    rf"(?P<key>(?:learning|global|train)[ ](?:rate|step|loss)|[A-Za-z_][\w/.-]{{0,80}}?)[ ]{{0,20}}[=:][ ]{{0,20}}\[?"
    r"|(?P<word>step|iter|iteration|update|epoch|lr|learning[ ]rate|loss)[ ]{1,20}\[?"
    rf")[ ]{{0,20}}(?P<value>{_NUMBER}){_ENDS}",
    re.IGNORECASE,
)
_QUOTED = re.compile(rf"'(?P<key>[^']{{1,80}})': '?(?P<value>{_NUMBER}|nan|inf)'?(?=[,}}])")

_PLACE = re.compile(r"(?<![\d/])(\d{1,9})(?: ?/ ?\d{1,9})?\]? {0,4}\[ {0,9}(\d{1,9}) ?/ ?(\d{1,9})(?!\d)")
"""``[3/90][ 120/1251]``, ``Epoch: [3][ 120/1251]`` or ``3 [ 120/1251 (10%)]``: the epoch, the batch, and how many."""

PLACE = ("place.epoch", "place.batch", "place.batches")

Values = dict[str, str]
"""The numbers of one line by name, as text."""


def sniff(source: Source) -> bool:
    """A step and a rate in one of the first lines."""
    return any(is_row(values) for values in first_values(source))


def is_row(values: Values) -> bool:
    """Whether a line has a step and a rate."""
    return first_of((*STEPS, EPOCH, *PLACE), values) is not None and any(map(is_rate, values))


def first_values(source: Source) -> Iterator[Values]:
    """What the first lines hold."""
    return map(values_of, (source.text or "").splitlines()[:FIRST])


def read(source: Source, options: Options) -> Log:
    """Each value that is a rate is a series. A name with brackets is a pattern, and what they enclose is the value."""
    find = with_patterns(options)
    notes: list[str] = []
    conventions = Conventions(STEP_BASE, LR_TIMING, LOSS_KIND)
    log = log_of(NAME, _with_steps(rows(source, find)), options, conventions, notes)
    return with_texts(log, source, find)


def _with_steps(lines: Iterator[tuple[int, dict[str, Any]]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The lines, with the step of those that have an epoch and a batch of so many, but no step.

    Epochs count from 0 or 1, as the first one does.
    """
    begins: float | None = None
    for line, values in lines:
        if PLACE[0] in values and first_of(STEPS, values) is None:
            epoch, batch, batches = (values[name] for name in PLACE)
            begins = epoch if begins is None else begins
            if begins in (0, 1):
                values = {name: value for name, value in values.items() if name.lower() != EPOCH}
                values["step"] = (epoch - begins) * batches + batch
        yield line, values


def rows(source: Source, find: Callable[[str], Values]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The number of each line that holds values, and these as numbers."""
    for line, text in _lines(source):
        if values := find(text):
            yield line, {name: float(value) for name, value in values.items()}


def with_texts(log: Log, source: Source, find: Callable[[str], Values]) -> Log:
    """The log with its rates as they are written in the file."""
    rates = [each.name for each in log.series]

    def texts() -> list[str]:
        found = (find(text) for _, text in islice(_lines(source), SAMPLE))
        return [values[name] for values in found for name in rates if name in values]

    return replace(log, texts=texts)


def with_patterns(options: Options) -> Callable[[str], Values]:
    """`values_of`, and the patterns among the names that the user gave. Raises ReadError for one that is invalid."""
    patterns = {}
    for what, name in options.columns.items():
        if "(" in name:
            try:
                patterns[name] = re.compile(name)
            except re.error as error:
                raise ReadError(f"column.{what}: {shown(name)} is not a pattern: {error}.") from None
    if not patterns:
        return values_of

    def find(line: str) -> Values:
        values = values_of(line)
        for name, pattern in patterns.items():
            match = pattern.search(line)
            if match and match.lastindex and re.fullmatch(_NUMBER, match[1] or ""):
                values[name] = match[1]
        return values

    return find


def values_of(line: str) -> Values:
    """The numbers that a line names."""
    line = line[:LONGEST_LINE].rstrip()
    if line.endswith("}") and "{" in line:
        tail = line[line.index("{") :]
        if isinstance(value := parsed(tail), dict):
            texts = {str(key): item if isinstance(item, str) else repr(item) for key, item in value.items()}
            return {key: text for key, text in texts.items() if re.fullmatch(_NUMBER, text)}
        if quoted := {match["key"]: match["value"] for match in _QUOTED.finditer(tail)}:
            return quoted
    values = {match["key"] or match["word"]: match["value"] for match in _PAIR.finditer(line)}
    place = _PLACE.search(line)
    return values | dict(zip(PLACE, place.groups(), strict=True)) if values and place else values


def _lines(source: Source) -> Iterator[tuple[int, str]]:
    with source.path.open(encoding="utf-8-sig", errors="replace") as file:
        yield from enumerate(file, start=1)
