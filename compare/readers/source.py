"""A file for the readers: its first bytes, and the header row if it is a table."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from samestep.experiment.trace import unquoted

from .base import read_bytes

HEAD = 1 << 18
"""Bytes read to tell formats apart."""

MOST_COLUMNS = 10_000
"""Columns of a table; wandb's histories have hundreds."""

SEPARATORS = ",;\t"

FIRST = 1000
"""Lines that are looked at to recognise a format."""


@dataclass(frozen=True)
class Header:
    """The header row of a table.

    Attributes:
        names: The columns.
        separator: One of ``,`` ``;`` and tab.
        lines: Lines up to and with the header.
    """

    names: list[str]
    separator: str
    lines: int


@dataclass(frozen=True)
class Source:
    """A file to be read."""

    path: Path

    @cached_property
    def head(self) -> bytes:
        """The first bytes. Raises ReadError if it is not a regular file: a pipe may never end."""
        return read_bytes(self.path, HEAD)

    @cached_property
    def size(self) -> int:
        """Its length in bytes."""
        return self.path.stat().st_size

    @cached_property
    def text(self) -> str | None:
        """The first characters; None if they are not UTF-8."""
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        try:
            # the head of a long file may end within a character
            return decoder.decode(self.head, final=len(self.head) < HEAD)
        except UnicodeDecodeError:
            return None

    @cached_property
    def header(self) -> Header | None:
        """The header row if the file looks like a table, else None."""
        # lines as the csv module counts them; str.splitlines would also break at a form feed
        lines = io.StringIO(self.text or "", newline="").readlines()
        first = next((number for number, line in enumerate(lines) if line.strip()), None)
        if first is None or lines[first].lstrip().startswith(("{", "[")):
            return None
        if len(lines) == first + 1 and len(self.head) == HEAD:  # it goes on beyond the head
            return None
        line = lines[first].rstrip("\r\n")
        separator = max(SEPARATORS, key=line.count)
        try:
            names = [name.strip() for name in next(csv.reader([line], delimiter=separator, strict=True))]
        except csv.Error:
            return None
        if len(names) > MOST_COLUMNS or any(not name.isprintable() for name in names):
            return None
        return Header([unquoted(name) for name in names], separator, first + 1)

    @property
    def names(self) -> list[str]:
        """The columns of the header row; none if it is not a table."""
        return self.header.names if self.header else []

    @property
    def rows(self) -> Iterator[list[str]]:
        """The cells of a table's first rows, as far as the head has them whole."""
        if self.header is None or self.text is None:
            return
        lines = io.StringIO(self.text, newline="").readlines()[self.header.lines :]
        whole = lines[:-1] if len(self.head) == HEAD else lines
        with suppress(csv.Error):
            yield from (row for row in csv.reader(whole, delimiter=self.header.separator) if row)

    @cached_property
    def objects(self) -> list[dict[str, Any]]:
        """The first lines, as far as each is one JSON object."""
        found: list[dict[str, Any]] = []
        for line in (self.text or "").splitlines()[:FIRST]:
            value = parsed(line) if line.lstrip().startswith("{") else None
            if not isinstance(value, dict):
                break
            found.append(value)
        return found

    @property
    def last(self) -> bytes:
        """The last byte of a file that is not empty."""
        with self.path.open("rb") as file:
            file.seek(-1, 2)
            return file.read(1)

    @property
    def is_object(self) -> bool:
        """Whether it begins as a JSON object does."""
        return (self.text or "").lstrip().startswith("{")


def is_pointer(source: Source) -> bool:
    """Whether Git LFS left its pointer in place of the file."""
    return source.head.startswith(b"version https://git-lfs.github.com/spec/")


def parsed(text: str) -> Any:
    """Parsed JSON; None if it is invalid. Infinity and NaN are read as Python writes them."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
