"""Normalization, and what draws random numbers in training."""

from __future__ import annotations

from typing import Any

import torch

from torch7py.translate.layers.registry import Args, Native, NotNative, Use, fields, native


def _norm_reader(module: Any) -> dict[str, Any]:
    if module.get_field("running_std") is not None:
        return {"of_2015": True}
    return {
        "nOutput": module.running_mean.numel(),
        "eps": module.eps,
        "momentum": module.momentum,
        "affine": module.weight is not None,
    }


def _batch_norm(name: str, cls: str, dims: int) -> None:
    @native(name, live=_norm_reader)
    def rule(args: Args) -> Native:
        if "of_2015" in args:
            raise NotNative(f"{name} of 2015, which runs the standard deviation along")
        more = ""
        if args.get("eps", "1e-05") not in ("1e-05", "1e-5"):
            more += f", eps={args.eps}"
        if args.get("momentum", "0.1") != "0.1":
            more += f", momentum={args.momentum}"
        affine = args.get("affine", "True") == "True"
        if not affine:
            more += ", affine=False"
        used = f"Single{cls}" if "one_row" in args else cls if affine else ""
        return Native(
            make=f"{used or f'nn.{cls}'}({args.nOutput}{more})",
            batches_of=dims,
            helpers=(used,) if used else (),
            weights={"weight": "weight", "bias": "bias"} if affine else {},
            buffers={"running_mean": "running_mean", "running_var": "running_var"},
            constants={"num_batches_tracked": lambda m: torch.tensor(0)},
            name="bn",
        )


_batch_norm("nn.BatchNormalization", "BatchNorm1d", 1)
_batch_norm("nn.SpatialBatchNormalization", "BatchNorm2d", 3)
_batch_norm("nn.VolumetricBatchNormalization", "BatchNorm3d", 4)


def _layer_norm_reader(module: Any) -> dict[str, Any]:
    children = module.child_list()
    size = round(children[3].constant_scalar ** 2)
    return {"nOutput": size, "eps": children[2].eps, "affine": len(children) > 4}


@native("nn.LayerNormalization", live=_layer_norm_reader)
def layer_normalization(args: Args) -> Native:
    affine = args.get("affine", "True") == "True"
    more = "" if args.get("eps", "1e-10") == "1e-10" else f", eps={args.eps}"
    return Native(
        make=f"LayerNormalization({args.nOutput}{more}{'' if affine else ', affine=False'})",
        weights={
            "weight": lambda m: m.child_list()[4].weight.reshape(-1),
            "bias": lambda m: m.child_list()[5].bias.reshape(-1),
        }
        if affine
        else {},
        helpers=("LayerNormalization",),
        name="norm",
    )


@native("nn.Normalize", live=fields("p", "eps"))
def normalize(args: Args) -> Native:
    p, eps = args.p, args.get("eps", "1e-10")
    if p != "2":
        more = "" if eps == "1e-10" else f", eps={eps}"
        return Native(call=f"normalize({{x}}, {p}{more})", helpers=("normalize",), over_time=True)

    def call(use: Use) -> str:
        x = use.named()
        return f"{x} / ({x}.square().sum(-1, keepdim=True) + {eps}).sqrt()"

    return Native(call=call, binds="/", over_time=True)


@native(
    "nn.SpatialCrossMapLRN",
    "inn.SpatialCrossResponseNormalization",
    live=fields("size", "alpha", "beta", "k"),
)
def local_response(args: Args) -> Native:
    defaults = {"alpha": "0.0001", "beta": "0.75", "k": "1"}
    more = "".join(f", {n}={args.get(n)}" for n, d in defaults.items() if args.get(n, d) != d)
    return Native(call=f"F.local_response_norm({{x}}, {args.size}{more})")


def _kernel(args: Args) -> str:
    return args.get("kernel", "torch.ones(9, 9)")


@native("nn.SpatialSubtractiveNormalization", live=fields("nInputPlane", "kernel"))
def subtractive(args: Args) -> Native:
    return Native(
        make=f"SubtractiveNormalization({args.get('nInputPlane', '1')}, {_kernel(args)})",
        constants={"kernel": _window},
        helpers=("LocalMean", "SubtractiveNormalization"),
        name="subtract",
    )


def _window(module: Any) -> torch.Tensor:
    """The kernel over all planes: as it is, or of a vector the product with itself; its sum over all planes is 1."""
    kernel: torch.Tensor = module.kernel
    if kernel.dim() == 1:
        kernel = torch.outer(kernel, kernel)
    planes = int(module.nInputPlane)
    return (kernel / (kernel.sum() * planes)).expand(1, planes, *kernel.shape)


def _divisive_make(args: Args) -> str:
    threshold = args.get("threshold", "1e-4")
    more = f", {threshold}, {args.get('thresval', threshold)}"
    return "" if more in (", 1e-4, 1e-4", ", 0.0001, 0.0001") else more


DIVISIVE = fields("nInputPlane", "kernel", "threshold", "thresval")


@native("nn.SpatialDivisiveNormalization", live=DIVISIVE)
def divisive(args: Args) -> Native:
    return Native(
        make=f"DivisiveNormalization({args.get('nInputPlane', '1')}, {_kernel(args)}{_divisive_make(args)})",
        constants={"kernel": _window},
        helpers=("LocalMean", "DivisiveNormalization"),
        name="divide",
    )


@native("nn.SpatialContrastiveNormalization", live=DIVISIVE)
def contrastive(args: Args) -> Native:
    planes, kernel = args.get("nInputPlane", "1"), _kernel(args)
    return Native(
        make=f"nn.Sequential(SubtractiveNormalization({planes}, {kernel}), "
        f"DivisiveNormalization({planes}, {kernel}{_divisive_make(args)}))",
        constants={"0.kernel": _window, "1.kernel": _window},
        helpers=("LocalMean", "SubtractiveNormalization", "DivisiveNormalization"),
        name="normalize",
    )


# -- random --------------------------------------------------------------------------------------------------------


def _dropout_reader(module: Any) -> dict[str, Any]:
    args = {"p": module.p, "v1": not module.v2, "stochasticInference": bool(module.stochastic_inference)}
    for name in ("lazy", "mono"):
        if module.get_field(name):
            args[name] = True
    return args


@native("nn.Dropout", live=_dropout_reader)
def dropout(args: Args) -> Native:
    p = args.get("p", "0.5")
    if args.get("stochasticInference", "False") == "True":
        raise NotNative("nn.Dropout that drops in evaluation too")
    if args.get("lazy", "False") == "True" or args.get("mono", "False") == "True":
        raise NotNative("nn.Dropout with one mask for several steps or for all examples")
    scaled = args.get("v1", "False") == "True"
    return Native(
        make=f"nn.Dropout({'' if p == '0.5' else p})",
        call=f"{{self}}({{x}}) * {_kept(p)}" if scaled else "{self}({x})",
        binds="*" if scaled else "",
        over_time=True,
        name="dropout",
        random=True,
        drawn=lambda child, m: lambda x: x * m.noise / (1 if m.v2 else 1 - m.p),
        comment="not scaled in training, scaled down in evaluation" if scaled else "",
    )


def _kept(p: str) -> str:
    return f"(1 - {p})"


def _map_dropout(name: str, cls: str) -> None:
    @native(name, live=lambda m: {"p": m.p, "stochasticInference": bool(m.stochastic_inference)})
    def rule(args: Args) -> Native:
        p = args.get("p", "0.5")
        if args.get("stochasticInference", "False") == "True":
            raise NotNative(f"{name} that drops in evaluation too")
        return Native(
            make=f"nn.{cls}({'' if p == '0.5' else p})",
            call=f"{{self}}({{x}}) * {_kept(p)}",
            binds="*",
            name="dropout",
            random=True,
            drawn=lambda child, m: lambda x: x * m.noise / (1 - m.p),
            comment="not scaled in training, scaled down in evaluation",
        )


_map_dropout("nn.SpatialDropout", "Dropout2d")
_map_dropout("nn.VolumetricDropout", "Dropout3d")


@native("nn.WhiteNoise", live=fields("mean", "std"))
def white_noise(args: Args) -> Native:
    return Native(
        make=f"WhiteNoise({args.get('mean', '0')}, {args.get('std', '0.1')})",
        helpers=("WhiteNoise",),
        over_time=True,
        name="noise",
        random=True,
        drawn=lambda child, m: lambda x: x + m.noise,
    )
