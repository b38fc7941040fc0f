"""Criterions as expressions of a prediction and a target. Classes count from 1 in Torch7, from 0 in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch7py.translate.layers.registry import (
    Args,
    Expr,
    Layer,
    NotNative,
    Read,
    Value,
    criterion,
    criterions,
    fields,
    items,
    unsupported,
)
from torch7py.translate.layers.writer import Writer


def loss(layer: Layer, x: Value, y: Value, w: Writer) -> Expr:
    """What a criterion makes of a prediction and a target."""
    rule = criterions.get(layer.name)
    if rule is None:
        raise NotNative(f"{layer.name} has no native form")
    expr: Expr = rule(layer, x, y, w)
    return expr


def summed(args: Args) -> str:
    """The reduction, where it is not PyTorch's default, the mean."""
    return ', reduction="sum"' if args.get("sizeAverage", "True") == "False" else ""


def weights(args: Args, x: Expr, w: Writer) -> str:
    """The weights of classes or elements as a further argument, in the prediction's type."""
    text = args.get("weights")
    if text == "None":
        return ""
    if text.startswith("torch.tensor("):
        return f", weight={w.named(x)}.new_tensor({text[len('torch.tensor(') : -1]})"
    return f", weight={text}"


def classes(y: Value, w: Writer) -> str:
    """Class numbers from 0."""
    target = w.as_expr(y)
    whole = w.is_whole(target)
    return f"{target.beside('-') if whole else target.operand + '.long()'} - 1"


def of_two(name: str, write: Callable[[Args, Expr, Expr, Writer], str], live: Read | None = None) -> None:
    """Register a criterion of one tensor and a target of the same kind."""

    @criterion(name, live=live)
    def rule(layer: Layer, x: Value, y: Value, w: Writer) -> Expr:
        return Expr(write(layer.args, w.as_expr(x), w.as_expr(y), w))


def _mean(name: str, function: str) -> None:
    of_two(name, lambda args, x, y, w: f"F.{function}({x}, {y}{summed(args)})", fields("sizeAverage"))


_mean("nn.MSECriterion", "mse_loss")
_mean("nn.AbsCriterion", "l1_loss")
_mean("nn.SmoothL1Criterion", "smooth_l1_loss")
_mean("nn.SoftMarginCriterion", "soft_margin_loss")

of_two(
    "nn.DistKLDivCriterion",
    lambda args, x, y, w: f'F.kl_div({x}, {y}, reduction="none").{_reduce(args)}()',
    fields("sizeAverage"),
)

of_two(
    "nn.BCECriterion",
    lambda args, x, y, w: f"F.binary_cross_entropy({x}, {y}{weights(args, x, w)}{summed(args)})",
    fields("weights", "sizeAverage"),
)
of_two(
    "nn.MultiLabelSoftMarginCriterion",
    lambda args, x, y, w: f"F.binary_cross_entropy_with_logits({x}, {y}{weights(args, x, w)}{summed(args)})",
    fields("weights", "sizeAverage"),
)


def _margin(args: Args, x: Expr, y: Expr, w: Writer) -> str:
    kind = "sum" if summed(args) else "mean"
    return f"F.relu({args.get('margin', '1')} - {x.beside('*')} * {y.beside('*', True)}).{kind}()"


of_two("nn.MarginCriterion", _margin, fields("margin", "sizeAverage"))


@criterion("nn.L1Cost")
def l1_cost(layer: Layer, x: Value, y: Value, w: Writer) -> Expr:
    return Expr(f"{w.as_expr(x).operand}.abs().sum()")


# -- classes ---------------------------------------------------------------------------------------------------------


def _of_classes(name: str, function: str, live: Read) -> None:
    @criterion(name, live=live)
    def rule(layer: Layer, x: Value, y: Value, w: Writer) -> Expr:
        args, prediction = layer.args, w.as_expr(x)
        ignored = args.get("ignoreIndex", "-100")
        more = "" if ignored == "-100" else f", ignore_index={_less_one(ignored)}"
        options = f"{weights(args, prediction, w)}{more}{summed(args)}"
        return Expr(f"F.{function}({prediction}, {classes(y, w)}{options})")


def _less_one(text: str) -> str:
    return str(int(text) - 1) if text.lstrip("-").isdigit() else f"{text} - 1"


def _cross_entropy(module: Any) -> dict[str, Any]:
    inner = module.nll
    return {"weights": inner.weights, "sizeAverage": inner.sizeAverage}


NLL = fields("weights", "sizeAverage", "ignoreIndex")
_of_classes("nn.ClassNLLCriterion", "nll_loss", NLL)
_of_classes("nn.SpatialClassNLLCriterion", "nll_loss", fields("weights", "sizeAverage"))
_of_classes("nn.CrossEntropyCriterion", "cross_entropy", _cross_entropy)


@criterion("nn.MultiMarginCriterion", live=fields("p", "weights", "margin", "sizeAverage"))
def multi_margin(layer: Layer, x: Value, y: Value, w: Writer) -> Expr:
    args, prediction = layer.args, w.as_expr(x)
    more = "" if args.get("p", "1") == "1" else f", p={args.p}"
    more += "" if args.get("margin", "1") == "1" else f", margin={args.margin}"
    options = f"{more}{weights(args, prediction, w)}{summed(args)}"
    return Expr(f"F.multi_margin_loss({prediction}, {classes(y, w)}{options})")


@criterion("nn.MultiLabelMarginCriterion", live=fields("sizeAverage"))
def multi_label_margin(layer: Layer, x: Value, y: Value, w: Writer) -> Expr:
    """Labels end with a 0 in Torch7, with a -1 in PyTorch."""
    return Expr(f"F.multilabel_margin_loss({w.as_expr(x)}, {classes(y, w)}{summed(layer.args)})")


@criterion("nn.ClassSimplexCriterion", live=fields("nClasses"))
def class_simplex(layer: Layer, x: Value, y: Value, w: Writer) -> Expr:
    w.helpers["simplex"] = None
    prediction = w.named(w.as_expr(x))
    return Expr(
        f"F.mse_loss({prediction}, simplex({layer.args.nClasses}).to({prediction})[{classes(y, w)}]"
        f"{summed(layer.args)})"
    )


# -- pairs -----------------------------------------------------------------------------------------------------------


def _reduce(args: Args) -> str:
    return "sum" if summed(args) else "mean"


@criterion("nn.HingeEmbeddingCriterion", live=fields("margin", "sizeAverage"))
def hinge_embedding(layer: Layer, x: Value, y: Value, w: Writer) -> Expr:
    args = layer.args
    more = "" if args.get("margin", "1") == "1" else f", margin={args.margin}"
    return Expr(f"F.hinge_embedding_loss({w.as_expr(x)}, {w.as_expr(y)}{more}{summed(args)})")


@criterion("nn.L1HingeEmbeddingCriterion", live=fields("margin"))
def l1_hinge_embedding(layer: Layer, x: Value, y: Value, w: Writer) -> Expr:
    a, b = (w.as_expr(part) for part in w.entries(x, 2, layer))
    distance = w.named(Expr(f"({a.beside('-')} - {b.beside('-', True)}).abs().sum()"), "distance")
    margin = layer.args.get("margin", "1")
    return Expr(f"{distance} if {w.as_expr(y)} == 1 else F.relu({margin} - {distance})", binds="if")


@criterion("nn.CosineEmbeddingCriterion", live=fields("margin", "sizeAverage"))
def cosine_embedding(layer: Layer, x: Value, y: Value, w: Writer) -> Expr:
    a, b = (w.as_expr(part) for part in w.entries(x, 2, layer))
    args = layer.args
    more = "" if args.get("margin", "0") == "0" else f", margin={args.margin}"
    return Expr(f"F.cosine_embedding_loss({a}, {b}, {w.as_expr(y)}{more}{summed(args)})")


@criterion("nn.MarginRankingCriterion", live=fields("margin", "sizeAverage"))
def margin_ranking(layer: Layer, x: Value, y: Value, w: Writer) -> Expr:
    a, b = (w.as_expr(part) for part in w.entries(x, 2, layer))
    margin = layer.args.get("margin", "1")
    return Expr(
        f"F.relu({margin} - {w.as_expr(y).beside('*')} * ({a.beside('-')} - {b.beside('-', True)}))"
        f".{_reduce(layer.args)}()"
    )


@criterion("nn.DistanceRatioCriterion", live=fields("sizeAverage"))
def distance_ratio(layer: Layer, x: Value, y: Value, w: Writer) -> Expr:
    a, b = (w.as_expr(part) for part in w.entries(x, 2, layer))
    return Expr(f"F.softplus({a.beside('-')} - {b.beside('-', True)}).{_reduce(layer.args)}()")


@criterion("nn.WeightedMSECriterion", live=lambda m: {"w": m.weight, "sizeAverage": m.sizeAverage})
def weighted_mse(layer: Layer, x: Value, y: Value, w: Writer) -> Expr:
    text, prediction = layer.args.w, w.as_expr(x)
    if text.startswith("torch.tensor("):
        prediction = w.named(prediction)
        text = f"{prediction}.new_tensor({text[len('torch.tensor(') : -1]})"
    return Expr(f"F.mse_loss({prediction}, {w.as_expr(y).beside('*')} * {text}{summed(layer.args)})")


@criterion("nn.SpatialAutoCropMSECriterion", live=fields("sizeAverage"))
def cropped_mse(layer: Layer, x: Value, y: Value, w: Writer) -> Expr:
    w.helpers["center_crop"] = None
    prediction = w.named(w.as_expr(x))
    return Expr(
        f"F.mse_loss({prediction}, center_crop({w.as_expr(y)}, {prediction}.shape[-2:]){summed(layer.args)})"
    )


# -- criterions of criterions ----------------------------------------------------------------------------------------


def _weighted(module: Any) -> dict[str, Any]:
    values = module.weights.tensor().tolist() if hasattr(module.weights, "tensor") else module.weights
    return {f"criterion{n}": c for n, c in enumerate(module.criterions, 1)} | {
        "weights": [float(value) for value in values],
        "repeatTarget": bool(module.get_field("repeatTarget")),
    }


def parts_of(layer: Layer) -> list[tuple[str, Layer]]:
    """The criterions in a sum, with their weights as texts."""
    inside = layer.children or [layer.slots[f"criterion{n}"] for n in range(1, len(layer.slots) + 1)]
    factors = items(layer.args.weights) if "weights" in layer.args else ["1"] * len(inside)
    return list(zip(factors, inside, strict=True))


def total(terms: list[tuple[str, Expr]]) -> Expr:
    texts = [
        e.beside("+", n > 0) if f == "1" else f"{f} * {e.beside('*', True)}" for n, (f, e) in enumerate(terms)
    ]
    return Expr(" + ".join(texts), binds="+" if len(texts) > 1 else "*") if texts else Expr("0")


@criterion("nn.MultiCriterion", live=_weighted)
def multi_criterion(layer: Layer, x: Value, y: Value, w: Writer) -> Expr:
    x, y = w.name_all(x), w.name_all(y)
    return total([(factor, loss(inner, x, y, w)) for factor, inner in parts_of(layer)])


@criterion("nn.ParallelCriterion", live=_weighted)
def parallel_criterion(layer: Layer, x: Value, y: Value, w: Writer) -> Expr:
    parts = parts_of(layer)
    xs = w.entries(x, len(parts), layer)
    if layer.args.get("repeatTarget", "False") == "True":
        ys: tuple[Value, ...] = (w.name_all(y),) * len(parts)
    else:
        ys = w.entries(y, len(parts), layer)
    terms = [(f, loss(inner, a, b, w)) for (f, inner), a, b in zip(parts, xs, ys, strict=True)]
    return total(terms)


def _modules(module: Any) -> dict[str, Any]:
    children = {n: module._modules.get(n) for n in ("criterion", "inputModule", "targetModule")}
    return {name: value for name, value in children.items() if value is not None}


@criterion("nn.ModuleCriterion", live=_modules)
def module_criterion(layer: Layer, x: Value, y: Value, w: Writer) -> Expr:
    slots = layer.slots
    if "inputModule" in slots:
        x = w.apply(layer.slot("inputModule"), x)
    if "targetModule" in slots:
        y = w.apply(layer.slot("targetModule"), y)
    return loss(layer.slot("criterion"), x, y, w)


def _stepwise(module: Any) -> dict[str, Any]:
    return {"criterion": module._modules["criterion"], "sizeAverage": bool(module.get_field("sizeAverage"))}


@criterion("nn.SequencerCriterion", live=_stepwise)
def sequencer_criterion(layer: Layer, x: Value, y: Value, w: Writer) -> Expr:
    """The losses of the steps, added up."""
    xs, ys = w.as_expr(w.steps(x, layer)), w.as_expr(w.steps(y, layer))
    p, t = w.fresh("p"), w.fresh("t")
    w.make_part(ys, t)
    step_loss = w.alone(lambda: loss(layer.slot("criterion"), p, t, w))
    text = f"sum({w.as_expr(step_loss)} for {p}, {t} in zip({xs}, {ys}, strict=True))"
    if layer.args.get("sizeAverage", "False") == "True":
        return Expr(f"{text} / len({w.named(xs)})", binds="/")
    return Expr(text)


@criterion("nn.RepeaterCriterion", live=_stepwise)
def repeater_criterion(layer: Layer, x: Value, y: Value, w: Writer) -> Expr:
    """The losses of the steps against one target, added up."""
    xs = w.as_expr(w.steps(x, layer))
    target = w.named(w.as_expr(y))
    p = w.fresh("p")
    step_loss = w.alone(lambda: loss(layer.slot("criterion"), p, target, w))
    return Expr(f"sum({w.as_expr(step_loss)} for {p} in {xs})")


@criterion(
    "nn.MaskZeroCriterion", live=lambda m: {"criterion": m._modules["criterion"], "nInputDim": m.nInputDim}
)
def mask_zero_criterion(layer: Layer, x: Value, y: Value, w: Writer) -> Expr:
    """Rows of zeros in the prediction do not count."""
    if layer.args.get("nInputDim") != "1":
        raise NotNative("nn.MaskZeroCriterion of other than vectors")
    prediction, target = w.named(w.as_expr(x)), w.named(w.as_expr(y))
    kept = w.fresh("kept")
    w.emit(f"({prediction} != 0).any(-1)", kept)
    chosen = w.fresh("target")
    w.make_part(target, chosen)
    w.emit(f"{target}[{kept}]", chosen)
    return loss(layer.slot("criterion"), Expr(f"{prediction}[{kept}]"), chosen, w)


unsupported("nn.CriterionTable", "a criterion as a layer: call the criterion itself")
unsupported("nn.ModuleFromCriterion", "a criterion as a layer: call the criterion itself")
unsupported("nn.PyTorch", "a layer of PyTorch's already: use the module in it")
