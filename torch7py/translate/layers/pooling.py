"""Pooling, unpooling, upsampling and the padding of images."""

from __future__ import annotations

from typing import Any

from torch7py.translate.layers.convolution import SPATIAL, VOLUMETRIC, sizes
from torch7py.translate.layers.registry import (
    Args,
    Expr,
    Layer,
    Native,
    NotNative,
    Read,
    Use,
    Value,
    fields,
    native,
    structure,
)
from torch7py.translate.layers.writer import Writer
from torch7py.translate.quoting import quoted

MODES = ("ceil_mode", "count_include_pad", "divide")


def reads(axes: str, *more: str) -> Read:
    names = [f"{p}{a}" for p in ("k", "d", "pad", "dilation") for a in axes]
    return lambda m: {
        name: value for name in (*names, *MODES, *more) if (value := m.get_field(name)) is not None
    }


def window(args: Args, axes: str, stride: str | None) -> str:
    """Kernel, stride and padding as PyTorch takes them; ``stride`` is Torch7's default, None the kernel."""
    kernel = sizes(args, "k", axes)
    steps = [args.get(f"d{axis}", getattr(args, f"k{axis}") if stride is None else stride) for axis in axes]
    step = steps[0] if len(set(steps)) == 1 else f"({', '.join(steps)})"
    padding = sizes(args, "pad", axes, "0")
    dilation = sizes(args, "dilation", axes, "1")
    text = kernel
    if step != kernel:
        text += f", stride={step}"
    if padding != "0":
        text += f", padding={padding}"
    if dilation != "1":
        text += f", dilation={dilation}"
    if args.get("ceil_mode", "False") == "True":
        text += ", ceil_mode=True"
    return text


def max_pooling(*names: str, axes: str) -> None:
    dims = len(axes)

    def rule(layer: Layer, x: Value, w: Writer) -> Value:
        if w.depth:
            return w.map_steps(x, lambda step: rule(layer, step, w))
        if not isinstance(x, Expr):
            raise NotNative(f"{layer.name} is given a table")
        text = window(layer.args, axes, None)
        if id(layer) not in w.undone:
            return Expr(f"F.max_pool{dims}d({x}, {text})", x.ndim, x.lead, x.heavy)
        # An unpooling further on needs to know where the largest were.
        x = w.named(x)
        pooled, indices = w.fresh(), w.fresh("indices")
        size = w.fresh("size")
        w.emit(f"{x}.shape[-{dims}:]", size)
        w.emit(f"F.max_pool{dims}d({x}, {text}, return_indices=True)", pooled, indices)
        w.undone[id(layer)] = (indices, size)
        return pooled

    structure(*names, live=reads(axes))(rule)


max_pooling("nn.SpatialMaxPooling", "nn.SpatialDilatedMaxPooling", "inn.SpatialMaxPooling", axes=SPATIAL)
max_pooling("nn.VolumetricMaxPooling", "nn.VolumetricDilatedMaxPooling", axes=VOLUMETRIC)


def max_unpooling(name: str, axes: str) -> None:
    @structure(name, live=lambda m: {"pooling": m.pooling})
    def rule(layer: Layer, x: Value, w: Writer) -> Value:
        pooling = layer.slot("pooling")
        entry = w.undone.get(id(pooling))
        if entry is None or not isinstance(x, Expr):
            raise NotNative(f"{name}: its pooling does not come before it")
        indices, size = entry
        args = {n: t for n, t in pooling.args.texts.items() if n not in MODES}
        text = window(Args(args), axes, None)
        call = f"F.max_unpool{len(axes)}d({x}, {indices}, {text}, output_size={size})"
        return Expr(call, x.ndim, heavy=x.heavy)


max_unpooling("nn.SpatialMaxUnpooling", SPATIAL)
max_unpooling("nn.VolumetricMaxUnpooling", VOLUMETRIC)


@native("nn.SpatialAveragePooling", "inn.SpatialAveragePooling", live=reads(SPATIAL))
def average_pooling(args: Args) -> Native:
    text = window(args, SPATIAL, "1")
    if sizes(args, "pad", SPATIAL, "0") != "0" and args.get("count_include_pad", "True") == "False":
        text += ", count_include_pad=False"
    if args.get("divide", "True") == "False":
        text += ", divisor_override=1"
    return Native(call=f"F.avg_pool2d({{x}}, {text})")


@native("nn.VolumetricAveragePooling", live=reads(VOLUMETRIC))
def volumetric_average_pooling(args: Args) -> Native:
    return Native(call=f"F.avg_pool3d({{x}}, {window(args, VOLUMETRIC, None)})")


def _adaptive(name: str, function: str) -> None:
    @native(name, live=fields("W", "H"))
    def rule(args: Args) -> Native:
        size = args.H if args.H == args.W else f"({args.H}, {args.W})"
        return Native(call=f"F.{function}({{x}}, {size})")


_adaptive("nn.SpatialAdaptiveMaxPooling", "adaptive_max_pool2d")
_adaptive("nn.SpatialAdaptiveAveragePooling", "adaptive_avg_pool2d")


def _lp(module: Any) -> dict[str, Any]:
    power = module.child_list()[0]
    pnorm = power.get_field("pow") if power.class_name == "nn.Power" else 2
    return {"pnorm": pnorm} | {n: getattr(module, n) for n in ("kW", "kH", "dW", "dH")}


@native("nn.SpatialLPPooling", live=_lp)
def lp_pooling(args: Args) -> Native:
    """The p-norm of each window (of numbers that are not negative where p is odd, as in Torch7)."""
    power = args.pnorm
    text = window(args, SPATIAL, None)
    if power == "2":
        return Native(call=f"torch.sqrt(F.avg_pool2d(torch.square({{x}}), {text}, divisor_override=1))")
    return Native(
        call=f"F.avg_pool2d({{(x)}}**{power}, {text}, divisor_override=1) ** (1 / {power})", binds="**"
    )


@native("nn.FeatureLPPooling", live=fields("width", "stride", "power", "batch_mode"))
def feature_lp_pooling(args: Args) -> Native:
    dim = 1 if args.get("batch_mode", "False") == "True" else 0
    return Native(
        call=f"feature_lp_pool({{x}}, {args.width}, {args.stride}, {args.power}, dim={dim})",
        helpers=("feature_lp_pool",),
    )


def _fractional(name: str, axes: str, cls: str) -> None:
    def live(module: Any) -> dict[str, Any]:
        args = {f"poolSize{a}": module.get_field(f"poolSize{a}") for a in axes}
        kind = "ratio" if module.get_field("ratioW") is not None else "out"
        return args | {f"{kind}{a}": module.get_field(f"{kind}{a}") for a in axes}

    def drawn(child: Any, module: Any) -> Any:
        child._random_samples = module.randomSamples
        return child.forward

    @native(name, live=live)
    def rule(args: Args) -> Native:
        kernel = sizes(args, "poolSize", axes)
        if "ratioW" in args:
            size = f"output_ratio={sizes(args, 'ratio', axes)}"
        elif "outW" in args:
            size = f"output_size={sizes(args, 'out', axes)}"
        else:  # a script's arguments: below 1 they are ratios
            values = [args.value(f"arg{n}") for n in range(1, len(axes) + 1)]
            order = values[::-1] if len(axes) == 2 else [values[0], values[2], values[1]]
            size = f"{'output_ratio' if order[0] < 1 else 'output_size'}=({', '.join(map(str, order))})"
        return Native(make=f"nn.{cls}({kernel}, {size})", name="pool", random="always", drawn=drawn)


_fractional("nn.SpatialFractionalMaxPooling", SPATIAL, "FractionalMaxPool2d")
_fractional("nn.VolumetricFractionalMaxPooling", VOLUMETRIC, "FractionalMaxPool3d")


def _sub_sampling(name: str, axes: str, live: Read, planes: str) -> None:
    @native(name, live=live)
    def rule(args: Args) -> Native:
        kernel = sizes(args, "k", axes)
        stride = sizes(args, "d", axes, "1")
        cls = "SubSampling" if len(axes) == 2 else "TemporalSubSampling"
        more = "" if stride == "1" else f", stride={stride}"
        return Native(
            make=f"{cls}({getattr(args, planes)}, {kernel}{more})",
            weights={"weight": "weight", "bias": "bias"},
            helpers=(cls,),
            heavy=True,
            name="pool",
        )


_sub_sampling("nn.SpatialSubSampling", SPATIAL, fields("nInputPlane", "kW", "kH", "dW", "dH"), "nInputPlane")
_sub_sampling("nn.TemporalSubSampling", "W", fields("inputFrameSize", "kW", "dW"), "inputFrameSize")


@native("nn.TemporalMaxPooling", live=fields("kW", "dW"))
def temporal_max_pooling(args: Args) -> Native:
    step = args.get("dW", args.kW)
    stride = "" if step == args.kW else f", stride={step}"
    return Native(call=f"F.max_pool1d({{(x)}}.mT, {args.kW}{stride}).mT")


@native("nn.TemporalDynamicKMaxPooling", live=fields("minK", "factor"))
def k_max_pooling(args: Args) -> Native:
    factor = args.get("factor", "0")
    return Native(call=f"k_max_pool({{x}}, {args.minK}, {factor})", helpers=("k_max_pool",))


# -- upsampling and padding ----------------------------------------------------------------------------------------


@native("nn.SpatialUpSamplingNearest", live=fields(scale="scale_factor"))
def nearest(args: Args) -> Native:
    return Native(call=f'F.interpolate({{x}}, scale_factor={args.scale}, mode="nearest")')


def _sized(module: Any) -> dict[str, Any]:
    args = {n: module.get_field(n) for n in ("scale_factor", "odepth", "oheight", "owidth", "mode")}
    return {name: value for name, value in args.items() if value is not None}


@native("nn.SpatialUpSamplingBilinear", "nn.UpSampling", live=_sized)
def upsampling(args: Args) -> Native:
    mode = args.value("mode", "bilinear")
    if "scale_factor" in args:
        size = f"scale_factor={args.scale_factor}"
    elif "owidth" in args:
        texts = [args.get(n) for n in ("odepth", "oheight", "owidth") if n in args]
        size = f"size=({', '.join(texts)})"
    else:
        size = f"scale_factor={args.params}"

    def call(use: Use) -> str:
        if mode == "nearest":
            return f'F.interpolate({use.tensor}, {size}, mode="nearest")'
        kind = "trilinear" if use.ndim == 5 or "odepth" in args else "bilinear"
        return f"F.interpolate({use.tensor}, {size}, mode={quoted(kind)}, align_corners=True)"

    if mode == "nearest":
        return Native(call=call)
    return Native(call=call, tolerance=1e-4, because="Torch7 interpolates between places in single precision")


@native("nn.PixelShuffle", live=fields("upscaleFactor"))
def pixel_shuffle(args: Args) -> Native:
    return Native(call=f"F.pixel_shuffle({{x}}, {args.upscaleFactor})")


def _padding(name: str, mode: str, sides: tuple[str, ...]) -> None:
    @native(name, live=fields(*sides))
    def rule(args: Args) -> Native:
        first = getattr(args, sides[0])
        texts = ", ".join(args.get(side, first) for side in sides)
        return Native(call=f"F.pad({{x}}, ({texts}){mode})")


FLAT = ("pad_l", "pad_r", "pad_t", "pad_b")
_padding("nn.SpatialZeroPadding", "", FLAT)
_padding("nn.SpatialReflectionPadding", ', mode="reflect"', FLAT)
_padding("nn.SpatialReplicationPadding", ', mode="replicate"', FLAT)
_padding(
    "nn.VolumetricReplicationPadding",
    ', mode="replicate"',
    ("pleft", "pright", "ptop", "pbottom", "pfront", "pback"),
)
