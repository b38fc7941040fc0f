"""optim.ConfusionMatrix: counts of the predicted classes for each target class."""

from __future__ import annotations

import math
from typing import Any

import torch

from torch7py.ops import state
from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.ops.printing import number_to_string
from torch7py.ops.rounding import format_number
from torch7py.ops.support import unsupported
from torch7py.packages.registry import record

__all__ = ["ConfusionMatrix"]

Prediction = float | torch.Tensor


unsupported("optim.ConfusionMatrix:render", "an error: it drew with Qt; the matrix can be printed")


@record(
    "optim.ConfusionMatrix",
    {
        "__init": "__init__",
        "__tostring__": "__str__",
        "_add": "count",
        "add": "add",
        "batchAdd": "batch_add",
        "zero": "zero",
        "updateValids": "update_valids",
        "farFrr": "far_frr",
        "render": "render",
    },
)
class ConfusionMatrix:
    """``optim.ConfusionMatrix(classes)`` or ``(nclasses[, classes])``: a matrix of counts, targets by predictions.

    Fields: ``mat`` (a LongTensor, row = target), ``nclasses``, ``classes`` (their names); after ``updateValids``
    or a ``tostring``: ``valids`` (of each row, the share on the diagonal), ``unionvalids`` (the same of row and
    column together), ``averageValid``, ``averageUnionValid`` (their means, rows without samples left out) and
    ``totalValid`` (the share of the whole matrix). Shares are kept in single precision.
    """

    def __init__(self, nclasses: int | list[Any], classes: list[Any] | None = None) -> None:
        if isinstance(nclasses, list):
            classes = nclasses
        size = int(len(nclasses) if isinstance(nclasses, list) else nclasses)
        if size < 1:
            raise ArgumentError("optim.ConfusionMatrix needs at least one class")
        device = state.current().device
        self.mat = torch.zeros((size, size), dtype=torch.int64, device=device)
        self.valids = torch.zeros(size, dtype=torch.float32, device=device)
        self.unionvalids = torch.zeros(size, dtype=torch.float32, device=device)
        self.nclasses = size
        self.totalValid: float = 0
        self.averageValid: float = 0
        self.classes = classes or []
        # The original's buffers: a saved object has them, nothing here needs them.
        self._mat_flat = self.mat.view(-1)
        self._target, self._prediction, self._max = (
            torch.empty(0, dtype=torch.float32, device=device) for _ in range(3)
        )
        self._pred_idx, self._targ_idx = (torch.empty(0, dtype=torch.int64, device=device) for _ in range(2))

    # -- counting -----------------------------------------------------------------------------------------

    def count(self, prediction: float, target: float) -> None:
        """One sample by its classes; a target that is not positive is missing and does not count."""
        if target > 0:
            self._check(prediction, "prediction")
            self._check(target, "target")
            self.mat[int(target) - 1, int(prediction) - 1] += 1

    def add(self, prediction: Prediction, target: Prediction) -> None:
        """``m:add(prediction, target)``: one sample, each a class or a vector whose largest element names it."""
        self.count(_class_of(prediction, "prediction"), _class_of(target, "target"))

    def batch_add(self, predictions: torch.Tensor, targets: torch.Tensor) -> None:
        """``m:batchAdd(predictions, targets)``: many samples, each a vector of classes or a matrix with a row of
        scores (or a class alone) for each. Targets below 1 are missing and do not count."""
        rows, columns = _classes_of(targets, "targets"), _classes_of(predictions, "predictions")
        if rows.numel() != columns.numel():
            raise TorchError(
                f"optim.ConfusionMatrix: {columns.numel()} predictions for {rows.numel()} targets"
            )
        labelled = rows >= 1
        rows, columns = rows[labelled], columns[labelled]
        for values, what in ((rows, "target"), (columns, "prediction")):
            for extreme in (values.min().item(), values.max().item()) if values.numel() else ():
                self._check(extreme, what)
        cell = (rows.long() - 1) * self.nclasses + columns.long() - 1
        counts = torch.bincount(cell, minlength=self.nclasses**2).view_as(self.mat)
        self.mat.add_(counts.to(self.mat))

    def _check(self, number: float, what: str) -> None:
        if not 1 <= number < self.nclasses + 1:
            raise TorchError(
                f"optim.ConfusionMatrix: the {what} {number:g} is not one of {self.nclasses} classes"
            )

    def zero(self) -> None:
        """``m:zero()``: forget all samples."""
        for tensor in (self.mat, self.valids, self.unionvalids):
            tensor.zero_()
        self.totalValid = self.averageValid = 0

    # -- shares -------------------------------------------------------------------------------------------

    def update_valids(self) -> None:
        """``m:updateValids()``: compute the shares."""
        counts = self.mat.double()
        right = counts.diagonal()
        rows, columns = counts.sum(1), counts.sum(0)
        self.valids.copy_(right / rows)
        self.unionvalids.copy_(right / (rows + columns - right))
        self.totalValid = (right.sum() / counts.sum()).item()
        valids, unions = self.valids.tolist(), self.unionvalids.tolist()
        self.averageValid = _mean([v for v in valids if v == v])
        self.averageUnionValid = _mean([u for u, v in zip(unions, valids, strict=True) if u == u and v == v])

    def far_frr(self) -> tuple[torch.Tensor, ...]:
        """``classFrrs, classFars, frrs, fars = m:farFrr()``: how often each class was falsely rejected and accepted.

        The first two have -1 for a class without samples, the others leave it out.
        """
        counts = self.mat.double()
        totals = counts.sum(1).tolist()
        shares = counts / counts.sum(1, keepdim=True)
        with_samples = [i for i, total in enumerate(totals) if total]
        dtype = state.current().default_type.dtype
        class_frrs = torch.full((self.nclasses,), -1.0, dtype=dtype, device=counts.device)
        class_fars = class_frrs.clone()
        for i in with_samples:
            others = [shares[j, i].item() for j in with_samples if j != i]
            class_frrs[i] = 1 - shares[i, i].item()
            class_fars[i] = _mean(others)
        return class_frrs, class_fars, class_frrs[with_samples], class_fars[with_samples]

    # -- text ---------------------------------------------------------------------------------------------

    def __str__(self) -> str:
        self.update_valids()
        counts = self.mat.tolist()
        largest = self.mat.max().item()
        width = max(8, 1 + math.ceil(math.log10(largest))) if largest > 0 else 8
        named = bool(self.classes)
        lines = ["ConfusionMatrix:"]
        for t, (row, valid) in enumerate(zip(counts, self.valids.tolist(), strict=True)):
            text = "".join(f"{int(count):{width}d}" for count in row)
            close = "]]  " if t == self.nclasses - 1 else "]   "
            name = f"\t[class: {_text(self.classes[t]) if t < len(self.classes) else ''}]" if named else ""
            lines.append(
                f"{'[' if t == 0 else ' '}[{text}{close}{format_number('%2.3f', valid * 100)}% {name}"
            )
        lines.append(f" + average row correct: {_text(self.averageValid * 100)}% ")
        lines.append(f" + average rowUcol correct (VOC measure): {_text(self.averageUnionValid * 100)}% ")
        lines.append(f" + global correct: {_text(self.totalValid * 100)}%")
        return "\n".join(lines)

    def render(self, *arguments: Any) -> None:
        """``m:render()`` drew the matrix with Qt, which is not there."""
        raise TorchError(
            "optim.ConfusionMatrix: render needs qtwidget, which is not supported; print the matrix"
        )


def _class_of(value: Prediction, what: str) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if not isinstance(value, torch.Tensor) or value.dim() != 1 or not value.numel():
        raise ArgumentError(f"optim.ConfusionMatrix: the {what} must be a number or a vector")
    return int(value.float().argmax()) + 1


def _classes_of(values: torch.Tensor, what: str) -> torch.Tensor:
    """The class of each sample as a vector of floats."""
    if not isinstance(values, torch.Tensor) or values.dim() not in (1, 2) or not values.numel():
        raise ArgumentError(f"optim.ConfusionMatrix: the {what} must be a vector or a matrix")
    values = values.float()
    if values.dim() == 2:
        return values[:, 0] if values.shape[1] == 1 else values.argmax(1) + 1
    return values


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def _text(value: Any) -> str:
    """A name or number as Lua writes it."""
    return value if isinstance(value, str) else number_to_string(value)
