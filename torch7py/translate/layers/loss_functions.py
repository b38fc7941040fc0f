"""Criterions written out as functions."""

from __future__ import annotations

from torch7py.translate.layers.losses import LOSSES
from torch7py.translate.layers.registry import Layer, NotNative
from torch7py.translate.quoting import comment

__all__ = ["loss_function"]


class NoFormula(NotNative):
    """A criterion is no expression of its prediction and its target."""

    code = "T7-224"


def loss_function(layer: Layer, name: str) -> list[str]:
    """The lines of a function of that name that computes a criterion; NoFormula where it cannot be one."""
    if layer.name == "nn.SequencerCriterion":
        inner = next(iter(layer.slots.values()), None)
        if inner is not None and inner.name == "nn.MaskZeroCriterion":
            return _masked(layer, inner, name)
        formula = _formula(inner)
        if inner is None or formula is None:
            raise NoFormula(f"{layer.name} of {inner.name if inner else 'something unknown'}")
        body = formula.format(p="p", y="t")
        doc = f"{layer.name}({inner.name}())"
        return [
            f"def {name}(prediction, y):  {comment(doc)}",
            f"    return sum({body} for p, t in zip(prediction, y))",
        ]
    loss = LOSSES.get(layer.name)
    formula = "" if loss is None else loss.formula
    if loss is None or not formula or layer.args.texts:
        raise NoFormula(f"{layer.name} has no native form")
    doc = layer.name + (f": {loss.note}" if loss.note else "")
    value = formula.format(p="prediction", y="y")
    return [f"def {name}(prediction, y):  {comment(doc)}", f"    return {value}"]


def _formula(layer: Layer | None) -> str | None:
    """The formula of a criterion without arguments."""
    loss = None if layer is None or layer.args.texts else LOSSES.get(layer.name)
    return None if loss is None else loss.formula


def _masked(layer: Layer, masked: Layer, name: str) -> list[str]:
    """``nn.SequencerCriterion(nn.MaskZeroCriterion(...))``: a step without rows to count is worth 0."""
    inner = next(iter(masked.slots.values()), None)
    formula = _formula(inner)
    if inner is None or formula is None or masked.args.get("nInputDim") != "1" or layer.args.texts:
        raise NoFormula(f"{layer.name} of {masked.name} of this kind")
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
