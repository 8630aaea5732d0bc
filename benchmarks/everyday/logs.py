"""Logs as people have them: the format of a program, every k-th step, so many digits, cut off before the end."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

DIGITS: dict[str, Callable[[float], str]] = {
    "all digits": repr,
    "%.6f": lambda lr: f"{lr:.6f}",
    "%.8f": lambda lr: f"{lr:.8f}",
    "%.4e": lambda lr: f"{lr:.4e}",
    "%.2e": lambda lr: f"{lr:.2e}",
    "%.6g": lambda lr: f"{lr:.6g}",
    "%.5g": lambda lr: f"{lr:.5g}",
    "%.3g": lambda lr: f"{lr:.3g}",
    "round 8": lambda lr: repr(round(lr, 8)),
    "float32": lambda lr: repr(float(np.float32(lr))),
}
FORMATS = ("csv", "csv-loss", "jsonl", "hf", "lightning")


@dataclass(frozen=True)
class Style:
    """How a log is written.

    every : a row for so many steps. offset : the step of the first row. cut : rows are kept up to this share.
    base : what the log calls the first update. restart : the update at which its column of steps begins again.
    """

    format: str = "csv"
    every: int = 1
    offset: int = 0
    digits: str = "all digits"
    cut: float = 1.0
    base: int = 0
    restart: int = 0

    @property
    def name(self) -> str:
        """In a few words, for the table."""
        return f"every {self.every}, {self.digits}"

    def steps(self, updates: int) -> np.ndarray:
        """The updates that have a row."""
        return np.arange(self.offset, max(int(updates * self.cut), 1), self.every)

    def error(self, size: np.ndarray) -> np.ndarray:
        """How far a rate may be from the written one: half a unit of its last digit."""
        match self.digits:
            case "all digits":
                return np.zeros_like(size)
            case "float32":
                return 6e-8 * size
            case "%.6f" | "%.8f" | "round 8":
                return np.full_like(size, 0.5 * 10.0 ** -int(self.digits.strip("%.f")[-1]))
        return size * 0.5 * 10.0 ** -(int(self.digits[2]) - ("g" in self.digits))


def write(folder: Path, side: str, style: Style, rates: np.ndarray, steps_per_epoch: int | None) -> Path:
    """Write the log of a run whose update n used `rates[n]`. Returns the file."""
    steps = style.steps(len(rates))
    numbers = np.where(steps < style.restart, steps, steps - style.restart) + style.base
    cells = [DIGITS[style.digits](float(rates[n])) for n in steps]
    loss = [f"{2.3 * (1 + n) ** -0.1:.4f}" for n in steps]
    match style.format:
        case "csv":
            return _lines(
                folder / f"{side}.csv",
                "step,lr",
                [f"{n},{lr}" for n, lr in zip(numbers, cells, strict=True)],
            )
        case "csv-loss":
            rows = [f"{n},{x},{lr}" for n, x, lr in zip(numbers, loss, cells, strict=True)]
            return _lines(folder / f"{side}.csv", "iter,loss,lr", rows)
        case "jsonl":
            rows = [
                f'{{"step": {n}, "loss": {x}, "lr": {_json(lr)}}}' for n, x, lr in zip(steps, loss, cells, strict=True)
            ]
            return _lines(folder / f"{side}.jsonl", None, rows)
        case "hf":
            return _trainer_state(folder / side, style, rates, steps, cells, loss, steps_per_epoch)
        case "lightning":
            rows = []
            for n, x, lr in zip(steps, loss, cells, strict=True):
                rows += [f",{lr},{n},", f"{n // (steps_per_epoch or len(rates))},,{n},{x}"]
            target = folder / side
            target.mkdir()
            return _lines(target / "metrics.csv", "epoch,lr-AdamW,step,train_loss", rows)
    raise ValueError(style.format)


def _json(cell: str) -> str:
    return cell if "e" in cell or "." in cell else f"{cell}.0"


def _lines(path: Path, header: str | None, rows: list[str]) -> Path:
    path.write_text("\n".join([*([header] if header else []), *rows]) + "\n", encoding="utf-8")
    return path


def _trainer_state(
    folder: Path,
    style: Style,
    rates: np.ndarray,
    steps: np.ndarray,
    cells: list[str],
    loss: list[str],
    steps_per_epoch: int | None,
) -> Path:
    """As Trainer 5 writes it: a row after update n counts n + 1 updates, and holds the rate that n used."""
    epoch = steps_per_epoch or len(rates)
    history = [
        {
            "epoch": (int(n) + 1) / epoch,
            "grad_norm": 1.0,
            "learning_rate": float(lr),
            "loss": float(x),
            "step": int(n) + 1,
        }
        for n, lr, x in zip(steps, cells, loss, strict=True)
    ]
    last = history[-1]
    state = {
        "best_global_step": None, "best_metric": None, "best_model_checkpoint": None, "epoch": last["epoch"],
        "eval_steps": 500, "global_step": last["step"], "is_hyper_param_search": False,
        "is_local_process_zero": True, "is_world_process_zero": True, "log_history": history,
        "logging_steps": style.every, "max_steps": len(rates), "num_input_tokens_seen": 0,
        "num_train_epochs": -(-len(rates) // epoch), "save_steps": 500, "stateful_callbacks": {},
        "total_flos": 0.0, "train_batch_size": 8, "trial_name": None, "trial_params": None,
    }  # fmt: skip
    folder.mkdir()
    path = folder / "trainer_state.json"
    path.write_text(json.dumps(state, indent=2), encoding="utf-8")
    return path


def draw(random: np.random.Generator, updates: int) -> Style:
    """A way to log a run of so many updates, with at least 15 rows."""
    format_ = str(random.choice(FORMATS, p=[0.4, 0.15, 0.2, 0.15, 0.1]))
    spans = [every for every in (1, 10, 50, 100, 500) if updates >= 20 * every]
    every = 1 if random.random() < 0.45 else int(random.choice(spans))
    after = every - 1  # as Trainer and Lightning do: the update that completes k
    offset = after if format_ in ("hf", "lightning") else int(random.choice([0, 0, every, after]))
    digits = (
        "all digits"
        if random.random() < 0.55 or format_ in ("hf", "lightning")
        else str(random.choice(list(DIGITS)[1:]))
    )
    cut = 1.0 if random.random() < 0.85 else float(random.choice([0.5, 0.6, 0.75, 0.9]))
    return Style(format_, every, offset, digits, cut)
