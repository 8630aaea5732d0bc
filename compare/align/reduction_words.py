"""What is said of losses that are a reduction of others: a sentence, and code that logs what can be compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ..terms import Language, Side, other
from ..words import counted, listed

ReductionName = Literal[
    "running mean",
    "mean over samples",
    "mean over batches",
    "epoch mean",
    "mean since the row before",
    "sum",
    "half",
]
Over = Literal["samples", "batches"]
Of = Literal["epoch", "batch"]


@dataclass(frozen=True)
class Reduction:
    """What the losses of one side are of the other side's.

    name : ``epoch mean`` where a mean over batches and one over samples are the same. side : the one that is reduced.
    of : what is reduced to one number. over : what counts alike in a mean or a sum, if the rows decide that.
    residual_relative : the largest relative difference that is left. rows : how many were compared.
    also : other reductions that fit as well. batch_rows : rows of an epoch's first and last update, where known.
    """

    name: ReductionName
    side: Side
    of: Of
    over: Over | None
    residual_relative: float
    rows: int
    also: tuple[ReductionName, ...] = ()
    batch_rows: tuple[int, int] | None = None

    @property
    def sentence(self) -> str:
        """What it means, what stays open, and how exactly it holds."""
        scaled = self.name in ("sum", "half")
        so = "the trainings agree up to that factor" if scaled else "the trainings agree, the logs do not"
        also = f"They could also be the {listed(list(self.also))}." if self.also else ""
        left = f"at most {self.residual_relative:.2g} relative" if self.residual_relative else "none"
        left = f"The remaining difference, in {counted(self.rows, 'row')}: {left}."
        return " ".join(filter(None, [f"{self.side}'s losses are {self._what()}: {so}.", self._open(), also, left]))

    def _what(self) -> str:
        theirs = f"{other(self.side)}'s"
        match self.name:
            case "running mean":
                return f"the running means of {theirs} within each epoch{self._counting()}"
            case "mean since the row before":
                return f"the means of {theirs} since the row before"
            case "sum" if self.of == "batch":
                return f"sums over the rows of a batch, where {theirs} are means"
            case "sum":
                return f"the sums of {theirs} over the {self.over or 'batches'} of each epoch"
            case "half":
                return f"half of {theirs}, as 0.5 * MSE is of MSE"
            case _:
                means = f"means over {self.over}" if self.over else "means"
                return f"the {means} of {theirs}, one for each epoch{self._counting()}"

    def _counting(self) -> str:
        """What a shorter last batch counts."""
        if self.over is None:
            return ""
        if self.batch_rows is None:
            return ", a shorter last batch counting less"
        full, last = self.batch_rows
        weight = f"as much as one of {full}" if self.over == "batches" else "by its rows"
        return f", the last batch of {counted(last, 'row')} counting {weight}"

    def _open(self) -> str:
        if self.over is not None or self.name not in ("running mean", "epoch mean"):
            return ""
        if self.batch_rows is not None and self.batch_rows[0] == self.batch_rows[1]:
            return "Every batch is full, so a mean over batches and one over samples are the same."
        return "A mean over batches and one over samples both fit."


def instead(reduction: Reduction, languages: Iterable[Language]) -> dict[Language, str]:
    """Code for the reduced side that logs what the other side does, or can be compared with it, by framework."""
    match reduction.name:
        case "sum" if reduction.of == "batch":
            code = _MEAN_OF_BATCH
        case "half":
            code = _WHOLE
        case "mean over batches" | "sum":
            code = _MEAN_OF_EPOCH
        case "mean since the row before":
            code = _EACH_ROW
        case _:
            code = _OWN
    return {language: code[language] for language in languages}


_OWN: dict[Language, str] = {
    "Keras": """recorder = tf_impl.Recorder("run.csv")  # each batch's own; logs["loss"] is a running mean
model.fit(x, y, callbacks=[recorder])""",
    "PyTorch": """with torch_impl.record("run.csv") as recorder:
    for x, y in loader:
        ...  # forward, backward, optimizer.step()
        recorder.log(loss)  # this batch's own, not total / (batch + 1)""",
}

_MEAN_OF_EPOCH: dict[Language, str] = {
    "Keras": """mean = keras.metrics.Mean()  # reset_state() when an epoch begins
mean.update_state(loss, sample_weight=len(x))  # after each batch, by its rows: as fit does""",
    "PyTorch": """total, rows = 0.0, 0  # when an epoch begins
for x, y in loader:
    ...  # forward, backward, optimizer.step()
    total += loss.item() * len(x)  # the last batch may have fewer rows
    rows += len(x)
epoch_loss = total / rows  # what Keras' history shows; not total / len(loader)""",
}

_EACH_ROW: dict[Language, str] = {
    "Keras": _OWN["Keras"],
    "PyTorch": 'arguments = transformers.TrainingArguments("out", logging_steps=1)  # a row for each update',
}

_MEAN_OF_BATCH: dict[Language, str] = {
    "Keras": 'loss = keras.losses.MeanSquaredError(reduction="sum_over_batch_size")',
    "PyTorch": 'criterion = torch.nn.MSELoss(reduction="mean")',
}

_WHOLE: dict[Language, str] = {
    "Keras": 'model.compile(optimizer, loss="mse")  # without the factor 0.5',
    "PyTorch": "loss = torch.nn.functional.mse_loss(prediction, y)  # without the factor 0.5",
}
