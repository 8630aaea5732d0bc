"""Builds the book: ``python -m docs``, into out/docs/html and, in Chinese, out/docs/html/zh-CN.

``python -m docs --catalogues`` brings the translations' files up to date instead: docs/locale/zh_CN/LC_MESSAGES has
one for each page of `TRANSLATED`. What is new there is empty, what has changed is fuzzy.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.pofile import read_po, write_po

HERE = Path(__file__).parent
BUILD = HERE.parent / "out" / "docs"
HTML, GETTEXT = BUILD / "html", BUILD / "gettext"
CATALOGUES = HERE / "locale" / "zh_CN" / "LC_MESSAGES"

TRANSLATED = ("index", "start", *sorted(f"lessons/{page.stem}" for page in (HERE / "lessons").glob("*.md")))
"""The pages that are there in Chinese as well, all of them whole. All others are English in both books."""

HEADER = (
    'msgid ""\nmsgstr ""\n"Language: zh_CN\\n"\n"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
)
KEPT = re.compile(r"\{glue:text\}`[^`]+`|\]\([^)]+\)")
"""What a translation has as its original has it: values of runs, and where links lead."""


def main() -> int:
    """Build both books, or write the catalogues. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m docs", description="Build the book into out/docs/html.")
    parser.add_argument("--catalogues", action="store_true", help="bring docs/locale up to date instead")
    asked = parser.parse_args()
    if _sphinx("gettext", GETTEXT, "en"):
        return 1
    if asked.catalogues:
        update()
        return 0
    if found := list(faults()):
        print(*found, sep="\n", file=sys.stderr)
        print("After a change of the English text: python -m docs --catalogues, then translate.", file=sys.stderr)
        return 1
    shutil.rmtree(HTML, ignore_errors=True)
    failed = _sphinx("html", HTML, "en") or _sphinx("html", HTML / "zh-CN", "zh_CN")
    if not failed:
        print(f"The book is in {os.path.relpath(HTML)}: index.html, and zh-CN/index.html in Chinese.")
    return failed


def faults() -> Iterator[str]:
    """What the catalogues lack, as ``file: message``; made from what the gettext builder wrote."""
    for page in TRANSLATED:
        path = CATALOGUES / f"{page}.po"
        shown = os.path.relpath(path)
        if not path.exists():
            yield f"{shown}: there is no such file"
            continue
        translated = _read(path)
        for message in _read(GETTEXT / f"{page}.pot"):
            if not message.id:
                continue
            known = translated.get(message.id)
            start = repr(message.id if len(message.id) < 60 else f"{message.id[:60]}…")
            if known is None:
                yield f"{shown}: lacks {start}"
            elif not known.string:
                yield f"{shown}: empty: {start}"
            elif known.fuzzy:
                yield f"{shown}: fuzzy: {start}"
            elif differing := _kept(message.id) ^ _kept(known.string):
                yield f"{shown}: not the same on both sides, {', '.join(sorted(differing))}: {start}"


def update() -> None:
    """Write a catalogue for each page of `TRANSLATED`: new messages empty, changed ones fuzzy, old ones dropped."""
    for page in TRANSLATED:
        path = CATALOGUES / f"{page}.po"
        catalogue = _read(path) if path.exists() else Catalog(locale="zh_CN")
        catalogue.update(_read(GETTEXT / f"{page}.pot"))
        catalogue.obsolete.clear()
        text = BytesIO()
        # in the order of the page; neither lines nor dates, which would differ each time
        write_po(text, catalogue, width=0, no_location=True, omit_header=True, include_previous=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{HEADER}\n{text.getvalue().decode().strip()}\n", encoding="utf-8")
        print(os.path.relpath(path))


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="zh_CN")


def _kept(text: str) -> set[tuple[str, int]] | set[str]:
    return {f"{part} × {times}" for part, times in Counter(KEPT.findall(text)).items()}


def _sphinx(builder: str, out: Path, language: str) -> int:
    # -E: a page read in an earlier build would keep its warnings to itself; what cells gave is cached all the same
    words = ["-b", builder, "-nEqW", "--keep-going", "-j", "auto", "-D", f"language={language}"]
    doctrees = BUILD / "doctrees" / f"{builder}-{language}"
    print(f"sphinx: {builder}, {language}", flush=True)
    return subprocess.run(
        [sys.executable, "-m", "sphinx", *words, "-d", str(doctrees), str(HERE), str(out)], check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
