"""The tables of docs/benchmarks.md, made from what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.speed.ratios import Pair


def filled(
    page: str, results: Mapping[str, Any], limits: Mapping[str, Any], growth: Mapping[str, Any], pairs: Sequence[Pair]
) -> str:
    """The page with its marked blocks written anew."""
    blocks = {
        "ratios": _ratios(results, pairs),
        "how": _how(pairs),
        "machine": _machine(results),
        "limits": _limits(results, limits),
        "seeds": _seeds(growth),
    }
    for name, block in blocks.items():
        begin, end = f"<!-- {name}: written by tests/benchmarks/test_benchmarks.py -->\n", f"<!-- end of {name} -->\n"
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        page = f"{before}{begin}\n{block}\n{end}{after}"
    return page


def _ratios(results: Mapping[str, Any], pairs: Sequence[Pair]) -> str:
    lines = ["| name | against | theirs | ours | theirs / ours | aimed at |", "|---|---|---:|---:|---:|---:|"]
    for pair in pairs:
        found = results["ratios"][pair.name]
        is_bound = isinstance(pair.other, float)
        theirs = "" if is_bound else f"{_number(found['other'])} {found['unit']}"
        ratio = "" if is_bound else f"**{_number(found['ratio'])}**"
        claimed = f"at most {pair.other:g} s" if is_bound else f"at least {pair.at_least:g}"
        mine = f"{_number(found['ours'])} {found['unit']}"
        lines.append(f"| `{pair.name}` | {pair.against} | {theirs} | {mine} | {ratio} | {claimed} |")
    return "\n".join(lines) + "\n"


def _limits(results: Mapping[str, Any], limits: Mapping[str, Any]) -> str:
    lines = ["| name | the limit | | ours | ours / limit |", "|---|---|---:|---:|---:|"]
    for name, found in limits["limits"].items():
        mine = results["ratios"][name]["ours"]
        lines.append(
            f"| `{name}` | {found['what']} | {_number(found['limit'])} {found['unit']} "
            f"| {_number(mine)} {found['unit']} | {_number(mine / found['limit'])} |"
        )
    return "\n".join(lines) + "\n"


def _seeds(growth: Mapping[str, Any]) -> str:
    said = []
    for line in growth["lines"]:
        if line["axis"] == "seeds":
            few, many = line["points"][-2:]
            each = (many["peak_mib"] - few["peak_mib"]) / (many["at"] - few["at"])
            said.append(
                f"{line['label']} takes {few['peak_mib']:,.0f} MiB with {few['at']:,} seeds and "
                f"{many['peak_mib']:,.0f} MiB with {many['at']:,}, {each:.2f} MiB for each more"
            )
    return "; ".join(said) + ".\n"


def _how(pairs: Sequence[Pair]) -> str:
    lines = ["| name | what is timed | pairs |", "|---|---|---:|"]
    lines += [f"| `{pair.name}` | {pair.how} | {pair.pairs} |" for pair in pairs]
    return "\n".join(lines) + "\n"


def _machine(results: Mapping[str, Any]) -> str:
    machine = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    return (
        f"Measured on {machine['cores_used']} of {machine['cores']} cores of a machine with {machine['processor']}, "
        f"{machine['memory_gib']:g} GiB, {machine['system']}, Python {machine['python']}; with {versions}.\n"
    )


def _number(value: float) -> str:
    """Three figures, thousands set apart."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
