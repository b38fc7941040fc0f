"""Criterions that PyTorch has as modules or that are one expression, for programs whose losses are written by hand."""

from __future__ import annotations

from dataclasses import dataclass

from torch7py.translate.facts.layers import facts_of
from torch7py.translate.layers.registry import Layer

__all__ = [
    "LOSSES",
    "Loss",
    "counts_from_zero",
    "is_averaged_when_called",
    "is_function",
    "loss_module",
    "takes_class",
]


@dataclass(frozen=True)
class Loss:
    """``module``: PyTorch's class of the same value; ``formula``: the loss of one prediction p and target y, whose
    classes count from 1; ``note``: what a reader of it would wonder about; ``settings``: what the module takes
    besides weights, by the names of both, with what it is where it is not given."""

    module: str = ""
    formula: str = ""
    note: str = ""
    settings: tuple[tuple[str, str], ...] = ()


LOSSES = {
    "nn.ClassNLLCriterion": Loss("NLLLoss", "F.nll_loss({p}, {y}.long() - 1)"),
    "nn.CrossEntropyCriterion": Loss("CrossEntropyLoss", "F.cross_entropy({p}, {y}.long() - 1)"),
    "nn.MultiMarginCriterion": Loss(
        "MultiMarginLoss",
        "F.multi_margin_loss({p}, {y}.long() - 1)",
        settings=(("p", "1"), ("margin", "1")),
    ),
    "nn.MSECriterion": Loss("MSELoss", "F.mse_loss({p}, {y})"),
    "nn.AbsCriterion": Loss("L1Loss", "F.l1_loss({p}, {y})"),
    "nn.SmoothL1Criterion": Loss("SmoothL1Loss", "F.smooth_l1_loss({p}, {y})"),
    "nn.BCECriterion": Loss(
        formula="-({y} * torch.log({p} + 1e-12) + (1 - {y}) * torch.log(1 - {p} + 1e-12)).mean()",
        note="1e-12 keeps the logarithms finite",
    ),
    "nn.NCECriterion": Loss(formula="NoiseContrast.apply(*{p}) / len({p}[0])"),
    "nn.DistKLDivCriterion": Loss(formula='F.kl_div({p}, {y}, reduction="none").mean()'),
}
_NONE = Loss()


def is_function(name: str) -> bool:
    """Whether a criterion of this class is a function in a page, and no module."""
    return not LOSSES.get(name, _NONE).module


def counts_from_zero(name: str) -> bool:
    """Whether a criterion's target are classes, which it counts from 0 in its form in PyTorch, a module."""
    return _is_of_classes(name) and not is_function(name)


def takes_class(name: str) -> bool:
    """Whether a criterion may be given the class of one example as a number, where PyTorch's takes a tensor."""
    return _is_of_classes(name) and is_function(name)


def _is_of_classes(name: str) -> bool:
    facts = facts_of(name)
    return facts is not None and facts.target == "class" and facts.takes == "tensor"


def is_averaged_when_called(name: str) -> bool:
    """Whether a criterion's gradient is an average only behind a call, which counts what there is."""
    return not is_function(name) and LOSSES[name].module == "NLLLoss"


def loss_module(layer: Layer) -> str | None:
    """A criterion as a module of PyTorch with the same value; None where there is none."""
    if is_function(layer.name):
        return None
    arguments = [
        f"{key}={layer.args.get(key)}"
        for key, default in LOSSES[layer.name].settings
        if layer.args.get(key, default) != default
    ]
    if "weights" in layer.args:
        if not counts_from_zero(layer.name):
            return None
        arguments.append(f"weight={layer.args.weights}")
    average = layer.args.get("sizeAverage", "True")
    if average == "False":
        arguments.append('reduction="sum"')
    elif average != "True":
        return None
    return f"nn.{LOSSES[layer.name].module}({', '.join(arguments)})"
