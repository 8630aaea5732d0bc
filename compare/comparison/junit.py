"""A comparison as JUnit XML, which CI systems show: one test case for each pair of runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from .words import difference_sentence, verdict

if TYPE_CHECKING:
    from .result import Compared, Comparison


def to_xml(comparison: Comparison) -> bytes:
    """The XML: a failure for a pair that differs, an error for one that is inconclusive.

    Inconclusive is an error and not skipped: CI systems take what is skipped for passed, and the command does not.
    """
    verdicts = [pair.verdict for pair in comparison.pairs]
    failures, errors = (str(verdicts.count(each)) for each in ("differs", "inconclusive"))
    counts = {"tests": str(len(verdicts)), "failures": failures, "errors": errors, "skipped": "0", "time": "0"}
    root = ElementTree.Element("testsuites", {"name": "samestep", **counts})
    suite = ElementTree.SubElement(root, "testsuite", {"name": "samestep", **counts})
    for pair in comparison.pairs:
        _case(suite, comparison, pair)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _case(suite: ElementTree.Element, comparison: Comparison, pair: Compared) -> None:
    named = {"classname": "samestep.compare", "name": _allowed(pair.name), "time": "0"}
    case = ElementTree.SubElement(suite, "testcase", named)
    if pair.verdict == "same":
        return
    kind = "failure" if pair.verdict == "differs" else "error"
    typed = {"type": _allowed(pair.diagnosis.cause.label), "message": _allowed(verdict(comparison, pair))}
    found = ElementTree.SubElement(case, kind, typed)
    fix = f"Fix: {pair.fix.advice}"
    said = [pair.sentence, pair.doubt, difference_sentence(pair), fix, pair.diagnosis.cause.more]
    found.text = _allowed("\n".join(each for each in said if each))


def _allowed(text: str) -> str:
    """Without the control characters and lone surrogates that XML cannot hold, however escaped."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "�", text)
