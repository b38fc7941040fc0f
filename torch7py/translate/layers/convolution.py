"""Convolutions over one, two and three dimensions.

Torch7 names widths before heights, PyTorch takes (time, height, width).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch7py.translate.layers.registry import Args, Expr, Native, Read, Use, native

SPATIAL, VOLUMETRIC = "HW", "THW"


def sizes(args: Args, prefix: str, axes: str, default: str | None = None) -> str:
    """A size for each axis as PyTorch takes it: one number where all are the same.

    A missing one is the default, or where that is None the first axis's own (padH is padW).
    """
    texts = []
    for axis in axes:
        name = f"{prefix}{axis}"
        if name in args or default is None:
            texts.append(getattr(args, name))
        elif prefix == "pad" and axis == "H" and "padW" in args:
            texts.append(args.padW)
        else:
            texts.append(default)
    return texts[0] if len(set(texts)) == 1 else f"({', '.join(texts)})"


def options(args: Args, axes: str, *more: tuple[str, str]) -> str:
    """Stride, padding and others, where they are not PyTorch's defaults."""
    keywords = [("stride", sizes(args, "d", axes, "1"), "1"), ("padding", sizes(args, "pad", axes, "0"), "0")]
    keywords += [(name, text, "1" if name == "dilation" else "0") for name, text in more]
    return "".join(f", {name}={text}" for name, text, default in keywords if text != default)


def shaped(axes: str, transposed: bool = False) -> Callable[[Any], Any]:
    """The weight in PyTorch's shape, whichever way it lies."""

    def take(module: Any) -> Any:
        planes = [int(module.nOutputPlane), int(module.nInputPlane)]
        kernel = [int(getattr(module, f"k{axis}")) for axis in axes]
        return module.weight.reshape(*(planes[::-1] if transposed else planes), *kernel)

    return take


def reads(axes: str, *prefixes: str) -> Read:
    """A reader of the sizes of a convolution; ``bias`` is whether it has one."""

    def read(module: Any) -> dict[str, Any]:
        fields = {"nInputPlane": module.nInputPlane, "nOutputPlane": module.nOutputPlane}
        fields |= {f"{p}{a}": module.get_field(f"{p}{a}") for p in ("k", "d", "pad", *prefixes) for a in axes}
        return fields | {"bias": module.bias is not None}

    return read


def convolution(args: Args, cls: str, axes: str, more: str, transposed: bool = False) -> Native:
    plain = args.get("bias", "True") == "True"
    # Torch7 draws weights by the number of inputs, PyTorch those of a transposed one by that of outputs
    uses_helper = transposed and args.nInputPlane != args.nOutputPlane
    kernel = sizes(args, "k", axes)
    bias = "" if plain else ", bias=False"
    return Native(
        make=f"{'' if uses_helper else 'nn.'}{cls}({args.nInputPlane}, {args.nOutputPlane}, {kernel}{more}{bias})",
        helpers=(cls,) if uses_helper else (),
        weights={"weight": shaped(axes, transposed)} | ({"bias": "bias"} if plain else {}),
        heavy=True,
        name="conv",
        ndim=len(axes) + 2,
    )


@native("nn.SpatialConvolution", "nn.SpatialConvolutionMM", live=reads(SPATIAL))
def spatial_convolution(args: Args) -> Native:
    return convolution(args, "Conv2d", SPATIAL, options(args, SPATIAL))


@native("nn.SpatialDilatedConvolution", live=reads(SPATIAL, "dilation"))
def spatial_dilated_convolution(args: Args) -> Native:
    dilation = ("dilation", sizes(args, "dilation", SPATIAL, "1"))
    return convolution(args, "Conv2d", SPATIAL, options(args, SPATIAL, dilation))


@native("nn.VolumetricConvolution", live=reads(VOLUMETRIC))
def volumetric_convolution(args: Args) -> Native:
    return convolution(args, "Conv3d", VOLUMETRIC, options(args, VOLUMETRIC))


@native("nn.VolumetricDilatedConvolution", live=reads(VOLUMETRIC, "dilation"))
def volumetric_dilated_convolution(args: Args) -> Native:
    dilation = ("dilation", sizes(args, "dilation", VOLUMETRIC, "1"))
    return convolution(args, "Conv3d", VOLUMETRIC, options(args, VOLUMETRIC, dilation))


@native("nn.SpatialFullConvolution", live=reads(SPATIAL, "adj"))
def spatial_full_convolution(args: Args) -> Native:
    extra = ("output_padding", sizes(args, "adj", SPATIAL, "0"))
    return convolution(args, "ConvTranspose2d", SPATIAL, options(args, SPATIAL, extra), True)


@native("nn.VolumetricFullConvolution", live=reads(VOLUMETRIC, "adj"))
def volumetric_full_convolution(args: Args) -> Native:
    extra = ("output_padding", sizes(args, "adj", VOLUMETRIC, "0"))
    return convolution(args, "ConvTranspose3d", VOLUMETRIC, options(args, VOLUMETRIC, extra), True)


def times(a: str, b: str) -> str:
    return str(int(a) * int(b)) if a.isdigit() and b.isdigit() else f"{a} * {b}"


@native("nn.SpatialDepthWiseConvolution", live=reads(SPATIAL))
def depth_wise_convolution(args: Args) -> Native:
    """nOutputPlane windows for each input plane; PyTorch has those of one input plane side by side."""
    plain = args.get("bias", "True") == "True"

    def weight(module: Any) -> Any:
        filters = module.weight.reshape(
            int(module.nOutputPlane), int(module.nInputPlane), int(module.kH), int(module.kW)
        )
        return filters.transpose(0, 1).flatten(0, 1).unsqueeze(1)

    outputs = times(args.nInputPlane, args.nOutputPlane)
    more = options(args, SPATIAL) + f", groups={args.nInputPlane}" + ("" if plain else ", bias=False")
    return Native(
        make=f"Conv2d({args.nInputPlane}, {outputs}, {sizes(args, 'k', SPATIAL)}{more})",
        helpers=("Conv2d",),
        weights={"weight": weight} | ({"bias": lambda m: m.bias.t().reshape(-1)} if plain else {}),
        heavy=True,
        name="conv",
    )


def _connections(module: Any) -> dict[str, Any]:
    return {"conMatrix": module.connTable.long()} | {n: getattr(module, n) for n in ("kW", "kH", "dW", "dH")}


def _mapped(name: str, function: str, transposed: bool) -> None:
    @native(name, live=_connections)
    def rule(args: Args) -> Native:
        stride = sizes(args, "d", SPATIAL, "1")
        more = "" if stride == "1" else f", stride={stride}"
        if transposed:
            more += ", transposed=True"
        return Native(
            make=f"MappedConvolution({args.conMatrix}, {sizes(args, 'k', SPATIAL)}{more})",
            weights={"weight": "weight", "bias": "bias"},
            constants={"connections": lambda m: m.connTable.long() - 1},
            helpers=("MappedConvolution",),
            heavy=True,
            name="conv",
        )


_mapped("nn.SpatialConvolutionMap", "conv2d", False)
_mapped("nn.SpatialFullConvolutionMap", "conv_transpose2d", True)


@native("nn.SpatialConvolutionLocal", live=reads(SPATIAL, "i"))
def local_convolution(args: Args) -> Native:
    size = sizes(args, "i", SPATIAL)
    return Native(
        make=f"LocalConvolution({args.nInputPlane}, {args.nOutputPlane}, {size}, {sizes(args, 'k', SPATIAL)}"
        f"{options(args, SPATIAL)})",
        weights={"weight": "weight", "bias": "bias"},
        helpers=("LocalConvolution",),
        heavy=True,
        name="conv",
    )


# -- over time ---------------------------------------------------------------------------------------------------

ACROSS = "{self}({(x)}.mT).mT"  # Torch7 has (frames, features), PyTorch's Conv1d (features, frames)


@native(
    "nn.TemporalConvolution",
    live=lambda m: {n: getattr(m, n) for n in ("inputFrameSize", "outputFrameSize", "kW", "dW")},
)
def temporal_convolution(args: Args) -> Native:
    step = args.get("dW", "1")

    def weight(module: Any) -> Any:
        return module.weight.unflatten(1, (int(module.kW), int(module.inputFrameSize))).mT

    def call(use: Use) -> Expr:
        ndim = 3 if use.ndim is None and use.writer.example == 2 else use.ndim
        return Expr(f"{use.me}({use.tensor.operand}.mT).mT", ndim=ndim)

    return Native(
        make=f"nn.Conv1d({args.inputFrameSize}, {args.outputFrameSize}, {args.kW}"
        f"{'' if step == '1' else f', stride={step}'})",
        call=call,
        weights={"weight": weight, "bias": "bias"},
        heavy=True,
        name="conv",
    )


@native(
    "nn.TemporalRowConvolution",
    live=lambda m: (
        {n: getattr(m, n) for n in ("inputFrameSize", "kW", "dW")}
        | {"featFirst": bool(m.featFirst), "bias": m.bias is not None}
    ),
)
def row_convolution(args: Args) -> Native:
    step = args.get("dW", "1")
    plain = args.get("bias", "True") == "True"
    return Native(
        make=f"Conv1d({args.inputFrameSize}, {args.inputFrameSize}, {args.kW}"
        f"{'' if step == '1' else f', stride={step}'}, groups={args.inputFrameSize}{'' if plain else ', bias=False'})",
        call="{self}({x})" if args.get("featFirst", "False") == "True" else ACROSS,
        helpers=("Conv1d",),
        weights={"weight": "weight"} | ({"bias": "bias"} if plain else {}),
        heavy=True,
        name="conv",
    )
