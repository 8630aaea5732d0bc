"""Measures what samestep claims: ``python -m benchmarks [NAME…]``.

``limits`` measures what no program gets below, ``growth`` how cost grows, ``all`` everything.

Writes `benchmarks/speed/results.json`, or replaces in it what was measured; `limits` and `growth` write files of
their own. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import json
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from benchmarks.speed import measuring
from benchmarks.speed.ratios import Pair, pairs

RESULTS = Path(__file__).parent / "speed" / "results.json"
WRONG_USE = 2


def main(names: list[str]) -> int:
    """Measure the benchmarks of these names, or all of them."""
    if names in (["growth"], ["limits"]):
        import_module(f"benchmarks.speed.{names[0]}").main()
        return 0
    if names == ["all"]:
        return max(main(each) for each in ([], ["limits"], ["growth"]))
    with tempfile.TemporaryDirectory(prefix="samestep-benchmarks-") as folder:
        known = {pair.name: pair for pair in pairs(Path(folder))}
        if wrong := [name for name in names if name not in known]:
            print(
                f"{wrong[0]!r} is no benchmark. Write some of {', '.join(known)}; or limits, growth or all.",
                file=sys.stderr,
            )
            return WRONG_USE
        return 0 if measured([known[name] for name in names or known]) else 1


def measured(chosen: list[Pair]) -> bool:
    """Measure, print and write each as soon as it is known. Returns whether all reach what is claimed."""
    cores = measuring.pin()
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {"ratios": {}}
    reached = True
    for pair in chosen:
        print(f"{pair.name}: {pair.against}", flush=True)
        found = pair.measure(lambda text: print(f"  {text}", flush=True))
        reaches = found["ratio"] >= pair.at_least
        reached &= reaches
        said = f"{found['other']:.4g} over {found['ours']:.4g} {pair.unit}: {found['ratio']:.3g}"
        print(f"  {said}, {'at least' if reaches else 'LESS THAN'} {pair.at_least:g}", flush=True)
        results["ratios"][pair.name] = found
        kept = {each.name: results["ratios"][each.name] for each in pairs(Path()) if each.name in results["ratios"]}
        machine, versions = measuring.machine(cores), measuring.versions()
        measuring.write_json(RESULTS, {"ratios": kept, "machine": machine, "versions": versions})
    return reached


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
