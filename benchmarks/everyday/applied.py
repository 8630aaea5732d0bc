"""Applies the printed fix of a pair to real PyTorch code: the run of one side, changed as the fix says, and run again.

``python -m benchmarks.everyday.applied --each N`` prints a line of JSON per pair: which side the fix mends, if any.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import chdir
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.optim import lr_scheduler

import samestep
from benchmarks.everyday.pairs import Undrawn
from benchmarks.everyday.runs import Run
from benchmarks.everyday.schedules import BUILDERS, FORMULAS
from benchmarks.everyday.score import draw, mark

MISTAKES = (
    "total", "warmup-missing", "warmup-length", "floor-forgotten", "floor-other", "peak-with-floor", "scale", "factor",
    "step-size", "milestone", "last-milestone", "power", "pct-start", "cycles", "per-epoch", "processes",
)  # fmt: skip
"""Those whose two runs are each one schedule in one loop."""

RELATIVE = 1e-5
"""Of the peak rate: what the digits of a printed number leave open."""


@dataclass(frozen=True)
class Program:
    """A training script: a schedule, and how often its loop calls the scheduler for each update."""

    run: Run
    times: int = 1

    def rates(self, code: str) -> np.ndarray:
        """The rate of each update once the code stands in the script: setup before the loop, the rest in its place."""
        if "TrainingArguments" in code:
            return self._trained(code)
        setup, loop = _parts(code)
        made = re.findall(r"optimizer is made with lr=([-+\d.e]+)", code)
        optimizer = torch.optim.SGD(
            [torch.nn.Parameter(torch.zeros(1))], lr=float(made[-1]) if made else self.run.recipe["lr"]
        )
        rates: list[float] = []
        optimizer.register_step_pre_hook(lambda *_: rates.append(float(optimizer.param_groups[0]["lr"])))
        names: dict[str, Any] = {"torch": torch, "optimizer": optimizer, "updates": 0}
        if not re.search(r"^scheduler = (?!.*\bscheduler\b)", setup, re.MULTILINE):
            names["scheduler"] = self._scheduler(optimizer)
        exec(setup, names)
        if BATCHES.search(loop):
            steps = "optimizer.step()" not in _without_comments(loop)
            per_epoch = self.run.steps_per_epoch if "epochs" in loop else None
            names["epochs"] = self.run.updates // (self.run.steps_per_epoch or 1)
            names["loader"] = _Loader(optimizer, rates, self.run.updates, per_epoch, steps)
            exec(loop, names)
        else:
            self._loop(loop, names, rates, by_trainer="optimizers=(optimizer, scheduler)" in code)
        return np.array(rates[: self.run.updates])

    def _trained(self, code: str) -> np.ndarray:
        """The rates of the scheduler that transformers' `Trainer` makes of the arguments."""
        import transformers

        names: dict[str, Any] = {"transformers": transformers}
        exec(code, names)
        args = names["args"]
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=args.learning_rate)
        total = args.max_steps if args.max_steps > 0 else self.run.updates
        kind, warmup, more = args.lr_scheduler_type, args.get_warmup_steps(total), args.lr_scheduler_kwargs
        scheduler = transformers.get_scheduler(kind, optimizer, warmup, total, more)
        rates = []
        for _ in range(self.run.updates):
            rates.append(float(optimizer.param_groups[0]["lr"]))
            optimizer.step()
            scheduler.step()
        return np.array(rates)

    def _loop(self, body: str, names: dict[str, Any], rates: list[float], by_trainer: bool) -> None:
        whole = compile(body or "scheduler.step()", "fix", "exec")
        in_body = "optimizer.step()" in _without_comments(body)
        pace = 1 if in_body and "epoch" not in body.replace("last_epoch", "") else self.run.unit
        while len(rates) < self.run.updates:
            if not in_body:
                names["optimizer"].step()
            if len(rates) % pace == 0 or in_body:
                for _ in range(1 if body or by_trainer else self.times):
                    exec(whole, names)

    def _scheduler(self, optimizer: torch.optim.Optimizer) -> Any:
        numbers = dict(self.run.recipe.numbers)
        lr = numbers.pop("lr")
        if self.run.recipe.kind not in FORMULAS:
            return BUILDERS[self.run.recipe.kind](optimizer, **numbers)
        formula = FORMULAS[self.run.recipe.kind]
        return lr_scheduler.LambdaLR(optimizer, lambda n: formula(n, lr, **numbers) / lr)


class _Loader:
    """Batches until all updates are made, of an epoch if the loop counts them; `steps` where the code has `...`."""

    def __init__(
        self, optimizer: torch.optim.Optimizer, rates: list[float], updates: int, per_epoch: int | None, steps: bool
    ) -> None:
        self.optimizer, self.rates, self.updates, self.per_epoch, self.steps = (
            optimizer,
            rates,
            updates,
            per_epoch,
            steps,
        )

    def __iter__(self) -> Iterator[int]:
        until = self.updates if self.per_epoch is None else min(len(self.rates) + self.per_epoch, self.updates)
        while len(self.rates) < until:
            yield 0
            if self.steps:
                self.optimizer.step()


BATCHES = re.compile(r"^for .* in .*(loader|epochs)", re.MULTILINE)
LOOP = re.compile(rf"(optimizer|scheduler)\.step\(\)|optimizer\.param_groups|^updates \+=|{BATCHES.pattern}")


def _parts(code: str) -> tuple[str, str]:
    """What stands before the loop, and what is part of it."""
    lines = code.splitlines()
    parts: dict[bool, list[str]] = {True: [], False: []}
    for statement in ast.parse(code).body:
        text = "\n".join(lines[statement.lineno - 1 : statement.end_lineno])
        is_definition = isinstance(statement, ast.FunctionDef | ast.ClassDef)
        parts[bool(LOOP.search(text)) and not is_definition].append(text)
    return "\n".join(parts[False]), "\n".join(parts[True])


def _without_comments(code: str) -> str:
    return ast.unparse(ast.parse(code))


def codes(fix: Mapping[str, Any]) -> Iterator[str]:
    """All code for PyTorch that a fix has; what only names another command is none."""
    for language, code in fix.items():
        if isinstance(code, Mapping):
            yield from codes(code)
        elif "torch" in language.lower() and ast.parse(code).body:
            yield code


def mended(case: Any, fix: Mapping[str, Any]) -> dict[str, Any]:
    """Which side the code mends, so that both have the same rates as far as rows go; and why not, where none.

    A log that has not all rows shows what was meant at those alone. Code that counts updates, and does not say how
    often the loop calls the scheduler, may be called for each.
    """
    run_a, run_b = case.pair.runs
    sides = [
        (side, Program(replace(run, per=per), case.pair.times if side == "b" else 1), wanted, style)
        for (side, run, wanted), style in zip(
            (("b", run_b, case.pair.a), ("a", run_a, case.pair.b)), case.styles, strict=True
        )
        for per in dict.fromkeys((run.per, "step"))
    ]
    shown = int(min(style.steps(len(rates))[-1] for style, rates in case.logged)) + 1
    said: dict[str, Any] = {"mends": None}
    for code in codes(fix):
        for side, program, wanted, style in sides:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    rates = program.rates(code)
            except Exception as error:  # what a user would see
                said[f"{side} per {program.run.per} raises"] = f"{type(error).__name__}: {error}"
                continue
            count = min(len(rates), len(wanted), shown)
            rows = np.arange(count) if style is None else style.steps(len(wanted))
            rows = rows[rows < count]
            wrong = rows[np.abs(rates[rows] - wanted[rows]) > RELATIVE * wanted.max()]
            if len(rows) and not len(wrong):
                return {"mends": side}
            said[f"{side} per {program.run.per} differs at"] = int(wrong[0]) if len(wrong) else 0
    return said


def main() -> None:
    """Draw, compare, apply; a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=3, help="pairs of each mistake (default 3)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=MISTAKES, default=MISTAKES, metavar="MISTAKE")
    options = parser.parse_args()
    for mistake in options.only:
        for number in range(options.each):
            try:
                case = draw(mistake, options.seed, number)
            except Undrawn:
                continue
            if case.pair.runs is None or case.pair.kind.startswith("keras-"):
                continue
            with tempfile.TemporaryDirectory(prefix="samestep-applied-") as folder, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                said = samestep.compare(*case.write(Path(folder)), **case.options).to_json()
            cause = said["cause"]
            fix = cause.get("fix_code") or {}
            told = {"case": case.name, "cause": cause["name"], "mark": mark(case, said), "fix": list(codes(fix))}
            with tempfile.TemporaryDirectory(prefix="samestep-applied-") as folder, chdir(folder):  # code may save
                result = mended(case, fix) if case.pair.runs and told["fix"] else {}
            print(json.dumps(told | result), flush=True)


if __name__ == "__main__":
    main()
