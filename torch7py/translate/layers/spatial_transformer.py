"""The layers of spatial transformers, on images whose colours come last."""

from __future__ import annotations

from torch7py.translate.layers.registry import Args, Native, Use, fields, native
from torch7py.translate.layers.table import pair

__all__: list[str] = []


@native("nn.BilinearSamplerBHWD")
def sampler(args: Args) -> Native:
    def call(use: Use) -> str:
        images, grid = pair(use)
        return f"sample_images({images}, {grid})"

    return Native(call=call, helpers=("sample_images",))


@native("nn.AffineGridGeneratorBHWD", live=fields("height", "width"))
def grid(args: Args) -> Native:
    return Native(
        call=f"affine_points({{x}}, {args.height}, {args.width})", helpers=("affine_points",), ndim=-1
    )


@native("nn.AffineTransformMatrixGenerator", live=fields("useRotation", "useScale", "useTranslation"))
def matrices(args: Args) -> Native:
    flags = ", ".join(args.get(name, "False") for name in ("useRotation", "useScale", "useTranslation"))
    return Native(call=f"affine_matrices({{x}}, {flags})", helpers=("affine_matrices",), ndim=-1)
