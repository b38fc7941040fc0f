"""Elementwise functions, softmaxes, and layers that are one learned or given number."""

from __future__ import annotations

import math

from torch7py.translate.layers.registry import Args, Expr, Native, Use, around_zero, fields, items, native


def function(name: str, call: str, binds: str = "") -> None:
    """Register a layer that is a call of a function, or an operation."""
    native(name)(lambda args: Native(call=call, binds=binds, over_time=True))


function("nn.Tanh", "torch.tanh({x})")
function("nn.Sigmoid", "torch.sigmoid({x})")
function("nn.LogSigmoid", "F.logsigmoid({x})")
function("nn.Abs", "torch.abs({x})")
function("nn.Exp", "torch.exp({x})")
function("nn.Log", "torch.log({x})")
function("nn.Square", "torch.square({x})")
function("nn.Minus", "torch.neg({x})")
function("nn.SoftSign", "F.softsign({x})")
function("nn.TanhShrink", "F.tanhshrink({x})")
function("nn.ReLU6", "F.relu6({x})")


def pointwise(call: str, binds: str = "") -> Native:
    return Native(call=call, binds=binds, over_time=True)


@native("nn.Sqrt", live=fields(b="eps"))
def sqrt(args: Args) -> Native:
    b = args.get("b", "0")
    return pointwise("torch.sqrt({x})" if b == "0" else f"torch.sqrt({{(x)}} + {b})")


@native("nn.Power", live=fields(p="pow"))
def power(args: Args) -> Native:
    return pointwise(f"torch.pow({{x}}, {args.p})")


@native("nn.Threshold", live=fields(th="threshold", v="val"))
def threshold(args: Args) -> Native:
    level, value = args.get("th", "1e-06"), args.get("v", "0")
    if level == value == "0":
        return pointwise("F.relu({x})")
    return pointwise(f"F.threshold({{x}}, {level}, {value})")


@native("nn.ReLU")
def relu(args: Args) -> Native:
    return pointwise("F.relu({x})")


@native("nn.HardTanh", "nn.Clamp", live=fields(min_value="min_val", max_value="max_val"))
def hard_tanh(args: Args) -> Native:
    bounds = args.get("min_value", "-1"), args.get("max_value", "1")
    return pointwise(
        "F.hardtanh({x})" if bounds == ("-1", "1") else f"F.hardtanh({{x}}, {', '.join(bounds)})"
    )


def _shrink(name: str, function: str) -> None:
    @native(name, live=fields(lam="lambda"))
    def rule(args: Args) -> Native:
        lam = args.get("lam", "0.5")
        return pointwise(f"{function}({{x}})" if lam == "0.5" else f"{function}({{x}}, {lam})")


_shrink("nn.HardShrink", "F.hardshrink")
_shrink("nn.SoftShrink", "F.softshrink")


@native("nn.SoftPlus", live=fields("beta"))
def soft_plus(args: Args) -> Native:
    beta = args.get("beta", "1")
    return pointwise("F.softplus({x})" if beta == "1" else f"F.softplus({{x}}, {beta})")


@native("nn.ELU", live=fields("alpha"))
def elu(args: Args) -> Native:
    alpha = args.get("alpha", "1")
    return pointwise("F.elu({x})" if alpha == "1" else f"F.elu({{x}}, {alpha})")


@native("nn.LeakyReLU", live=fields(negval="negval"))
def leaky_relu(args: Args) -> Native:
    slope = args.get("negval", "0.01")
    if slope in ("True", "False"):  # LeakyReLU(inplace)
        slope = "0.01"
    return pointwise("F.leaky_relu({x})" if slope == "0.01" else f"F.leaky_relu({{x}}, {slope})")


@native("nn.RReLU", live=fields(l="lower", u="upper"))
def randomized_relu(args: Args) -> Native:
    low, high = args.get("l", "0.125"), args.get("u", "1 / 3")
    return Native(
        make=f"nn.RReLU({low}, {high})",
        over_time=True,
        random=True,
        drawn=lambda child, m: lambda x: x * m.noise,
        name="rrelu",
    )


@native("nn.PReLU", live=lambda m: {"nOutputPlane": m.nOutputPlane})
def parametric_relu(args: Args) -> Native:
    planes = args.get("nOutputPlane", "0")
    shared = planes in ("0", "None")
    make = "nn.PReLU()" if shared else f"nn.PReLU({planes})"
    return Native(make=make, weights={"weight": "weight"}, over_time=shared, name="prelu")


# -- softmaxes: classes are the last axis of vectors and batches of them, the third last of images ---------------


def classes(use: Use) -> int:
    return -3 if use.ndim in (3, 4) else -1


def softmax(name: str, call: str, image: bool = False) -> None:
    def rule(args: Args) -> Native:
        return Native(
            call=lambda use: call.format(x=use.tensor, dim=-3 if image else classes(use)), over_time=True
        )

    native(name)(rule)


softmax("nn.SoftMax", "F.softmax({x}, dim={dim})")
softmax("nn.LogSoftMax", "F.log_softmax({x}, dim={dim})")
softmax("nn.SoftMin", "F.softmin({x}, dim={dim})")
softmax("nn.SpatialSoftMax", "F.softmax({x}, dim={dim})", image=True)
softmax("nn.SpatialLogSoftMax", "F.log_softmax({x}, dim={dim})", image=True)


# -- numbers ---------------------------------------------------------------------------------------------------


def number(text: str) -> str:
    """A number as an operand."""
    return text if text.replace(".", "").replace("_", "").isalnum() else f"({text})"


@native("nn.AddConstant", live=fields("constant_scalar"))
def add_constant(args: Args) -> Native:
    text = args.constant_scalar
    if text.startswith("-") and text[1:].replace(".", "").isdigit():
        return pointwise(f"{{(x)}} - {text[1:]}", "+")
    return pointwise(f"{{(x)}} + {number(text)}", "+")


@native("nn.MulConstant", live=fields("constant_scalar"))
def mul_constant(args: Args) -> Native:
    text = args.constant_scalar
    return pointwise("-{(x)}", "-") if text == "-1" else pointwise(f"{{(x)}} * {number(text)}", "*")


@native("nn.SAdd", live=fields("addend", "negate"))
def negate_and_add(args: Args) -> Native:
    if args.value("negate", False):
        if args.addend == "-1":
            return pointwise("1 - {(x)}", "+")
        return pointwise(f"-({{(x)}} + {number(args.addend)})", "-")
    return pointwise(f"{{(x)}} + {number(args.addend)}", "+")


@native("nn.Mul")
def learned_scale(args: Args) -> Native:
    return Native(
        make="nn.Parameter(torch.empty(1).uniform_(-1, 1))",
        call="{(x)} * {self}",
        binds="*",
        weights={"": "weight"},
        over_time=True,
        name="scale",
    )


def _drawn(sizes: list[str]) -> str:
    """A parameter that is drawn by how many numbers it has, as Torch7 does."""
    if all(size.isdigit() for size in sizes):
        count = str(math.prod(map(int, sizes)))
    else:
        count = sizes[0] if len(sizes) == 1 else f"math.prod(({', '.join(sizes)}))"
    return f"nn.Parameter(torch.empty({', '.join(sizes)}).uniform_({around_zero(count)}))"


@native("nn.Add", live=lambda m: {"inputSize": m.bias.numel(), "scalar": m.scalar})
def learned_shift(args: Args) -> Native:
    scalar = args.get("scalar", "False") not in ("False", "None")
    size = "1" if scalar else args.inputSize

    def call(use: Use) -> Expr:
        x, shape = use.tensor, use.shape
        me = use.me
        if not scalar and shape is not None and len(shape) > 2:
            me = f"{me}.view({', '.join(map(str, shape[1:]))})"
        return Expr(f"{x.beside('+')} + {me}", binds="+")

    return Native(
        make=_drawn([size]),
        call=call,
        weights={"": "bias"},
        over_time=True,
        name="shift",
    )


def _spread(me: str, use: Use, sizes: list[str]) -> str:
    """A parameter of these sizes as it meets the input, whose elements it matches."""
    shape = use.shape
    if shape is None or len(shape) in (len(sizes), len(sizes) + 1):
        fits = shape is None or all(
            mine in (str(theirs), "1") for mine, theirs in zip(sizes[::-1], shape[::-1], strict=False)
        )
        if fits:
            return me
    if shape is None:
        return me
    return f"{me}.view({', '.join(map(str, shape[-(len(shape) - 1) or None :]))})"


def _componentwise(name: str, field: str, operator: str, label: str) -> None:
    @native(name, live=lambda m: {"sizes": list(m.size.sizes())})
    def rule(args: Args) -> Native:
        sizes = items(args.sizes)
        return Native(
            make=_drawn(sizes),
            call=lambda use: Expr(
                f"{use.tensor.beside(operator)} {operator} {_spread(use.me, use, sizes)}", binds=operator
            ),
            weights={"": field},
            over_time=True,
            name=label,
        )


_componentwise("nn.CAdd", "bias", "+", "shift")
_componentwise("nn.CMul", "weight", "*", "scale")


@native("nn.GatedLinearUnit", live=fields("dim"))
def gated_linear_unit(args: Args) -> Native:
    dim = args.value("dim", -1)
    return Native(
        call=lambda use: f"F.glu({use.tensor}, dim={use.axis(dim)})",
        over_time=True,
    )


@native("nn.CReLU", live=fields("nInputDims"))
def concatenated_relu(args: Args) -> Native:
    dims = args.value("nInputDims")

    def call(use: Use) -> str:
        x = use.named()
        return f"F.relu(torch.cat(({x}, -{x}), dim={-dims}))"

    return Native(call=call, over_time=True)
