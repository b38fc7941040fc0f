"""Criterions as PyTorch's losses."""

from __future__ import annotations

from torch7py.translate.layers import Layer
from torch7py.translate.native.problem import Problem
from torch7py.translate.quoting import comment

__all__ = ["LABELS", "OF_NUMBERS", "is_function", "loss_function", "loss_module"]

# Criterions whose targets are classes, counted from 1, and whose PyTorch form is a module given such as from 0.
LABELS = {"nn.ClassNLLCriterion", "nn.CrossEntropyCriterion"}
# Those that are given a class as a number for one example, and whose PyTorch form takes a tensor.
OF_NUMBERS = {"nn.ClassSimplexCriterion", "nn.MultiMarginCriterion"}

_MODULES = {
    "nn.ClassNLLCriterion": "NLLLoss",
    "nn.CrossEntropyCriterion": "CrossEntropyLoss",
    "nn.MSECriterion": "MSELoss",
    "nn.AbsCriterion": "L1Loss",
    "nn.SmoothL1Criterion": "SmoothL1Loss",
}
# The loss of one prediction p and target y; classes count from 1.
_FORMULAS = {
    "nn.ClassNLLCriterion": "F.nll_loss({p}, {y}.long() - 1)",
    "nn.CrossEntropyCriterion": "F.cross_entropy({p}, {y}.long() - 1)",
    "nn.MSECriterion": "F.mse_loss({p}, {y})",
    "nn.AbsCriterion": "F.l1_loss({p}, {y})",
    "nn.SmoothL1Criterion": "F.smooth_l1_loss({p}, {y})",
    "nn.BCECriterion": "-({y} * torch.log({p} + 1e-12) + (1 - {y}) * torch.log(1 - {p} + 1e-12)).mean()",
    "nn.NCECriterion": "NoiseContrast.apply(*{p}) / len({p}[0])",
    "nn.DistKLDivCriterion": 'F.kl_div({p}, {y}, reduction="mean")',
}
_NOTES = {"nn.BCECriterion": "1e-12 keeps the logarithms finite"}


def is_function(name: str) -> bool:
    """Whether a criterion of this class is a function in a page, and no module."""
    return name not in _MODULES


def loss_module(layer: Layer) -> str | None:
    """A criterion as a module of PyTorch with the same value; None where there is none."""
    name = _MODULES.get(layer.name)
    if name is None:
        return None
    arguments = []
    if "weights" in layer.args:
        if layer.name not in LABELS:
            return None
        arguments.append(f"weight={layer.args.weights}")
    average = layer.args.get("sizeAverage", "True")
    if average == "False":
        arguments.append('reduction="sum"')
    elif average != "True":
        return None
    return f"nn.{name}({', '.join(arguments)})"


def loss_function(layer: Layer, name: str, line: int) -> list[str]:
    """A criterion written out as a function."""
    shown = "p" if layer.name == "nn.SequencerCriterion" else "prediction"
    if layer.name == "nn.SequencerCriterion":
        inner = next(iter(layer.slots.values()), None)
        if inner is not None and inner.name == "nn.MaskZeroCriterion":
            return _masked(layer, inner, name, line)
        formula = None if inner is None or inner.args.texts else _FORMULAS.get(inner.name)
        if inner is None or formula is None:
            raise Problem("T7-224", line, f"{layer.name} of {inner.name if inner else 'something unknown'}")
        body = formula.format(p=shown, y="t")
        doc = f"{layer.name}({inner.name}())"
        return [
            f"def {name}(prediction, y):  {comment(doc)}",
            f"    return sum({body} for p, t in zip(prediction, y))",
        ]
    formula = _FORMULAS.get(layer.name)
    if formula is None or layer.args.texts:
        raise Problem("T7-224", line, f"{layer.name} has no native form")
    note = _NOTES.get(layer.name, "")
    doc = f"{layer.name}" + (f": {note}" if note else "")
    return [f"def {name}(prediction, y):  {comment(doc)}", f"    return {formula.format(p=shown, y='y')}"]


def _masked(layer: Layer, masked: Layer, name: str, line: int) -> list[str]:
    """``nn.SequencerCriterion(nn.MaskZeroCriterion(...))``: a step without rows to count is worth 0."""
    inner = next(iter(masked.slots.values()), None)
    formula = None if inner is None or inner.args.texts else _FORMULAS.get(inner.name)
    if inner is None or formula is None or masked.args.get("nInputDim") != "1" or layer.args.texts:
        raise Problem("T7-224", line, f"{layer.name} of {masked.name} of this kind")
    loss = formula.format(p="p[kept]", y="t[kept]")
    doc = comment(f"{layer.name}({masked.name}({inner.name}()))")
    return [
        f"def {name}(prediction, y):  {doc}",
        "    losses = []",
        "    for p, t in zip(prediction, y):",
        "        kept = (p != 0).any(-1)  # rows of zeros do not count",
        f"        losses.append({loss} if kept.any() else p.sum() * 0)",
        "    return sum(losses)",
    ]
