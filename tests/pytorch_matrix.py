"""What a layer must do as a ``torch.nn.Module``, and the layers that cannot, with the reason."""

from __future__ import annotations

import collections
import copy
from collections.abc import Callable, Iterable
from typing import Any

import torch

from torch7py.nn.trace import leaves_of

__all__ = ["CELLS", "LACKS", "LUA_ONLY", "page_table", "reason"]

# Its backward depends on a call from Lua, so that there is no forward for PyTorch.
LUA_ONLY = "nn.RecurrentAttention"

_NO_BATCHING = "PyTorch's kernel of the whole network cannot be batched (no batching rule)"
_NO_DERIVATIVE = "its gradient is no derivative, and PyTorch's transforms take no such function"
_ANOTHER = "it looks into another layer"
_STATISTICS = "the running statistics, which are no part of the batch, are changed in place, as in torch.nn"
_VALUES = "what it computes follows from values"
_REWARD = "its backward needs a reward"
_REINFORCE = (
    *("nn.Reinforce", "nn.ReinforceBernoulli", "nn.ReinforceCategorical", "nn.ReinforceGamma"),
    "nn.ReinforceNormal",
)
_CUDNN = tuple(f"cudnn.{name}" for name in ("RNN", "RNNReLU", "RNNTanh", "LSTM", "GRU", "BLSTM", "BGRU"))
_NORMALIZATIONS = (
    *("nn.BatchNormalization", "nn.SpatialBatchNormalization", "nn.VolumetricBatchNormalization"),
    *("cudnn.BatchNormalization", "cudnn.SpatialBatchNormalization", "cudnn.VolumetricBatchNormalization"),
    *("fbnn.BatchNormalization", "fbnn.SpatialBatchNormalization"),
)
_OF_2015 = ("fbnn.BatchNormalization", "fbnn.SpatialBatchNormalization")
_NO_TRANSFORM = {
    "nn.LookupTableMaskZero": "a forward changes a row of the weight",
    "nn.NCEModule": "it draws noise, and estimates a constant at the first forward",
    "nn.SpatialBinaryConvolution": _NO_DERIVATIVE,
    "nn.SpatialMaxUnpooling": _ANOTHER,
    "nn.VolumetricMaxUnpooling": _ANOTHER,
}


def _training(names: Iterable[str], why: str) -> dict[str, str]:
    return {f"{name} in training": why for name in names}


# By column: the class, or the class "in training", and why it cannot.
LACKS: dict[str, dict[str, str]] = {
    "nothing is kept": {
        "nn.NCEModule": "it estimates a constant at the first forward",
        **_training(_OF_2015, "the running statistics are PyTorch's buffers"),
    },
    "bfloat16": {
        "nn.DataParallelTable": "it takes FloatTensors and CudaTensors",
        "nn.DontCast": "it keeps its module's type",
    },
    "meta": {
        "fbnn.SegSparseLinear": "the number of examples is a value",
        "nn.DontCast": "it keeps its module where it is",
        "nn.IndexLinear": "the sizes of the examples are values",
        "nn.MaskedSelect": "the number of elements is a value",
        "nn.NCEModule": "it draws noise",
        "nn.TrimZero": "the number of rows is a value",
    },
    "hooks": dict.fromkeys(_REINFORCE, _REWARD),
    "hooks inside": {
        "nn.CategoricalEntropy": "its network computes the gradient's gain; a forward writes that out",
        "nn.NCEModule": "the table of aliases is no layer",
        "nn.Recurrent": "the first step has no output before it for feedback and merge",
        "nn.SpatialMaxUnpooling": "the pooling is another's",
        "nn.VolumetricMaxUnpooling": "the pooling is another's",
    },
    "functional_call": {},
    "vmap over parameters": {
        **dict.fromkeys(_CUDNN, _NO_BATCHING),
        **{name: _NO_TRANSFORM[name] for name in ("nn.LookupTableMaskZero", "nn.NCEModule")},
        "nn.SpatialBinaryConvolution": _NO_DERIVATIVE,
        **_training(["fbnn.NormalizedLinearNoBias"], "a forward normalizes the weight in place"),
    },
    "vmap over inputs": {
        **{name: why for name, why in _NO_TRANSFORM.items() if name != "nn.LookupTableMaskZero"},
        **dict.fromkeys((*_REINFORCE[:1], *_REINFORCE[1:]), _NO_DERIVATIVE),
        **dict.fromkeys(_CUDNN, _NO_BATCHING),
        "inn.ROIPooling": "the regions are values",
        "nn.SpatialGlimpse": "the places to look at are values",
        "nn.TrimZero": "the number of rows is a value",
        **_training(_NORMALIZATIONS, _STATISTICS),
        **_training(["nn.RReLU"], "it draws a number for each element that is not above 0"),
    },
    "vjp": {
        **_NO_TRANSFORM,
        **dict.fromkeys(_REINFORCE, _NO_DERIVATIVE),
        **_training(_OF_2015, _STATISTICS),
        **_training(["fbnn.NormalizedLinearNoBias"], "a forward normalizes the weight in place"),
    },
    "second derivative": {
        **dict.fromkeys(_REINFORCE, _REWARD),
        "nn.SpatialBinaryConvolution": _NO_DERIVATIVE,
        **dict.fromkeys(
            (
                "nn.CategoricalEntropy",
                "nn.Clip",
                "nn.GradientReversal",
                "nn.L1Penalty",
                "nn.LinearNoBackprop",
            ),
            "it changes gradients, and so also those of gradients",
        ),
        "nn.ModuleFromCriterion": "the target, which is one of its inputs, counts as a constant",
        "nn.HalfPrecision": "it rounds to half precision, so that differences tell nothing",
        "nn.MaskZero": "a row of zeros is treated as no row near it is",
    },
}
# Indices of a floating type, which a batch of inputs must not change.
_INDEXED = (
    "nn.WeightedLookupTable",
    "nn.SparseLinear",
    "nn.LookupTable",
    "nn.LookupTableMaskZero",
    "nn.NCEModule",
    "inn.ROIPooling",
)


def reason(column: str, name: str, training: bool) -> str | None:
    """Why a class cannot do what a column asks for; None where it must."""
    lacks = LACKS[column]
    return lacks.get(name) or (lacks.get(f"{name} in training") if training else None)


def page_table() -> str:
    """``LACKS`` as the page docs/pytorch.md shows it: for each column, the reasons with their classes."""
    lines = ["| what | why not | layers |", "|---|---|---|"]
    for column, lacks in LACKS.items():
        by_reason: dict[str, list[str]] = {}
        for name, why in lacks.items():
            by_reason.setdefault(why, []).append(f"`{name.removesuffix(' in training')}`")
            if name.endswith(" in training") and "in training" not in why:
                by_reason[why][-1] += " in training"
        lines += [f"| {column} | {why} | {', '.join(names)} |" for why, names in by_reason.items()]
    return "\n".join(lines)


def mapped(function: Callable[[torch.Tensor], torch.Tensor], value: Any) -> Any:
    """A tensor or nested list with every floating tensor replaced."""
    if isinstance(value, torch.Tensor):
        return function(value) if value.is_floating_point() else value
    return [mapped(function, item) for item in value] if isinstance(value, list) else value


def floats(value: Any) -> list[torch.Tensor]:
    return [leaf for leaf in leaves_of(value) if leaf.is_floating_point()]


def same(ours: Iterable[torch.Tensor], expected: Iterable[torch.Tensor]) -> None:
    for one, other in zip(list(ours), list(expected), strict=True):
        torch.testing.assert_close(one, other, equal_nan=True)


Start = Callable[[Any], None]  # begins a sequence and the random stream anew
CELLS: dict[str, Callable[[Any, Any, Start], None]] = {}


def cell(name: str) -> Callable[[Callable[[Any, Any, Start], None]], Callable[[Any, Any, Start], None]]:
    def register(function: Callable[[Any, Any, Start], None]) -> Callable[[Any, Any, Start], None]:
        CELLS[name] = function
        return function

    return register


def _state(value: Any, depth: int = 0) -> Any:
    """What a value holds, to be compared: tensors by place, size and version."""
    if isinstance(value, torch.Tensor):
        return id(value), value.data_ptr() if value.numel() else 0, tuple(value.shape), value._version
    if isinstance(value, (list, tuple)) and depth < 4:
        return type(value), [_state(item, depth + 1) for item in value]
    if isinstance(value, dict) and depth < 4:
        return [(key, _state(item, depth + 1)) for key, item in value.items()]
    return value if isinstance(value, (int, float, str, type(None))) else id(value)


@cell("nothing is kept")
def nothing_is_kept(module: Any, input: Any, start: Start) -> None:
    """After a forward each field of each part is as it was; buffers of running statistics may have moved."""

    def now() -> dict[str, Any]:
        found = {}
        for name, part in module.named_modules():
            held = part.__dict__
            found.update({f"{name}.{key}": _state(value) for key, value in held.items() if key != "_window"})
        return found

    start(module)
    before = now()
    module(input)
    after = now()
    assert [key for key in {**before, **after} if before.get(key) != after.get(key)] == []


@cell("bfloat16")
def bfloat16(module: Any, input: Any, start: Start) -> None:
    start(module)
    expected = floats(module(copy.deepcopy(input)))
    module.to(torch.bfloat16)
    start(module)
    found = floats(module(mapped(lambda t: t.to(torch.bfloat16), input)))
    for ours, exact in zip(found, expected, strict=True):
        assert ours.dtype == torch.bfloat16
        largest = exact.abs().max().item() if exact.numel() else 0.0
        assert (ours.double() - exact.double()).abs().max().item() <= 0.06 * max(largest, 1e-3) + 1e-3


@cell("meta")
def meta(module: Any, input: Any, start: Start) -> None:
    start(module)
    expected = list(leaves_of(module(copy.deepcopy(input))))
    module.to("meta")
    start(module)
    on_meta = [t.to("meta") for t in leaves_of(input)]
    taken = iter(on_meta)
    found = list(leaves_of(module(_replaced(input, lambda t: next(taken)))))
    assert all(t.is_meta for t in found)
    assert [(t.shape, t.dtype) for t in found] == [(t.shape, t.dtype) for t in expected]


def _replaced(value: Any, function: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    if isinstance(value, torch.Tensor):
        return function(value)
    return [_replaced(item, function) for item in value] if isinstance(value, list) else value


@cell("hooks")
def hooks(module: Any, input: Any, start: Start) -> None:
    """Those of the layer itself fire once, the backward's where PyTorch can attach one."""
    seen: collections.Counter[str] = collections.Counter()
    module.register_forward_pre_hook(lambda *_: seen.update(["before"]))
    module.register_forward_hook(lambda *_: seen.update(["after"]))
    module.register_full_backward_hook(lambda *_: seen.update(["back"]))
    start(module)
    given = mapped(lambda t: t.clone().requires_grad_(), input)
    output = module(given)
    assert seen["before"] == seen["after"] == 1
    if isinstance(output, torch.Tensor) and output.requires_grad:
        output.sum().backward()
        if any(t.grad is not None for t in floats(given)) and isinstance(given, torch.Tensor):
            assert seen["back"] == 1


@cell("hooks inside")
def hooks_inside(module: Any, input: Any, start: Start) -> None:
    """Those of every part fire."""
    seen: collections.Counter[Any] = collections.Counter()
    for part in module.modules():
        part.register_forward_hook(lambda part, *_: seen.update([part]))
    start(module)
    module(input)
    assert [type(part).__name__ for part in module.modules() if not seen[part]] == []


@cell("functional_call")
def functional_call(module: Any, input: Any, start: Start) -> None:
    start(module)
    expected = [t.clone() for t in leaves_of(module(copy.deepcopy(input)))]
    held = {name: p.detach().clone() for name, p in module.named_parameters()}
    held |= {name: b.clone() for name, b in module.named_buffers()}
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
    start(module)
    same(leaves_of(torch.func.functional_call(module, held, (input,))), expected)


@cell("vmap over parameters")
def vmap_over_parameters(module: Any, input: Any, start: Start) -> None:
    held = {name: p.detach() for name, p in module.named_parameters()}
    if not held:
        return

    def run(parameters: dict[str, torch.Tensor]) -> list[torch.Tensor]:
        return list(leaves_of(torch.func.functional_call(module, parameters, (copy.deepcopy(input),))))

    start(module)
    found = torch.func.vmap(run)({name: torch.stack([p, p * 0.5]) for name, p in held.items()})
    for number, factor in enumerate((1, 0.5)):
        start(module)
        same([t[number] for t in found], run({name: p * factor for name, p in held.items()}))


def _function(module: Any, input: Any) -> Callable[..., tuple[torch.Tensor, ...]]:
    """A module as a function of the floating tensors of its input."""

    def run(*values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        given = iter(values)
        return tuple(floats(module(mapped(lambda t: next(given), input))))

    return run


@cell("vmap over inputs")
def vmap_over_inputs(module: Any, input: Any, start: Start) -> None:
    values = floats(input)
    if not values:
        return
    factor = 1 if module.class_name in _INDEXED else 0.5
    run = _function(module, input)
    start(module)
    found = torch.func.vmap(run)(*[torch.stack([t, t * factor]) for t in values])
    for number, scale in enumerate((1, factor)):
        start(module)
        same([t[number] for t in found], run(*[t * scale for t in values]))


@cell("vjp")
def vjp(module: Any, input: Any, start: Start) -> None:
    """The gradient by ``torch.func`` is autograd's, and autograd's again afterwards."""
    values = [t.clone().requires_grad_() for t in floats(input)]
    run = _function(module, input)

    def gradients() -> list[torch.Tensor]:
        start(module)
        outputs = [o for o in run(*values) if o.requires_grad]
        if not outputs:
            return [torch.zeros_like(v) for v in values]
        found = torch.autograd.grad(outputs, values, list(map(torch.cos, outputs)), allow_unused=True)
        return [torch.zeros_like(v) if g is None else g for v, g in zip(values, found, strict=True)]

    start(module)
    if not values or not run(*values):
        return
    expected = gradients()
    start(module)
    vjp_of: Any = torch.func.vjp
    outputs, pull = vjp_of(run, *[v.detach() for v in values])
    same(pull(tuple(map(torch.cos, outputs))), expected)
    same(gradients(), expected)


@cell("second derivative")
def second_derivative(module: Any, input: Any, start: Start) -> None:
    """Along one direction, against differences of gradients."""
    values = [t.double().clone() for t in floats(input)] if module.class_name not in _INDEXED else []
    if not values or any(t.dtype != torch.float64 for t in floats(input)):
        return
    run = _function(module, input)
    direction = [torch.linspace(1, 2, t.numel(), dtype=t.dtype).view(t.shape).sin() for t in values]

    def slope(at: list[torch.Tensor]) -> torch.Tensor:
        start(module)
        outputs = [o for o in run(*at) if o.requires_grad]
        loss = torch.stack([o.double().sin().sum() for o in outputs]).sum() if outputs else torch.zeros(())
        if not loss.requires_grad:
            return torch.zeros((), dtype=torch.float64)
        found = torch.autograd.grad(loss, at, create_graph=True, allow_unused=True)
        return torch.stack(
            [(g * d).sum() for g, d in zip(found, direction, strict=True) if g is not None]
        ).sum()

    at = [v.clone().requires_grad_() for v in values]
    here = slope(at)
    found = torch.autograd.grad(here, at, allow_unused=True) if here.requires_grad else [None] * len(at)
    ours = sum((float((g * d).sum()) for g, d in zip(found, direction, strict=True) if g is not None), 0.0)
    step = 1e-5
    ahead, behind = (
        slope([(v + sign * step * d).requires_grad_() for v, d in zip(values, direction, strict=True)]).item()
        for sign in (1, -1)
    )
    expected = (ahead - behind) / (2 * step)
    assert abs(ours - expected) <= 1e-4 * max(1.0, abs(expected)), (ours, expected)
