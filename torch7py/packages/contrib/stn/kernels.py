"""Functions that programs call without a layer: ``x.nn.BilinearSamplerBHWD_updateOutput(layer, images, grids,
output)``."""

from __future__ import annotations

import torch

from torch7py.ops.errors import TorchError
from torch7py.packages.contrib.stn.layers import sampled
from torch7py.packages.registry import function

__all__ = ["gradients", "output"]


def _check(images: torch.Tensor, grids: torch.Tensor) -> None:
    if images.dim() != 4 or grids.dim() != 4 or grids.shape[-1] != 2 or len(images) != len(grids):
        raise TorchError(
            "BilinearSamplerBHWD: images (batch, h, w, colours) and grids (batch, rows, columns, 2) expected, not "
            f"{'x'.join(map(str, images.shape))} and {'x'.join(map(str, grids.shape))}"
        )


@function("stn._output")
def output(images: torch.Tensor, grids: torch.Tensor, result: torch.Tensor) -> None:
    """Fill ``result``."""
    _check(images, grids)
    samples = sampled(images.detach(), grids.detach())
    if result.shape != samples.shape:
        raise TorchError("BilinearSamplerBHWD_updateOutput: the output has not the size of the result")
    result.copy_(samples)


@function("stn._gradients")
def gradients(
    images: torch.Tensor,
    grids: torch.Tensor,
    grad_images: torch.Tensor,
    grad_grids: torch.Tensor,
    grad_output: torch.Tensor,
) -> None:
    """Add the images' gradient to ``grad_images``, which may be one image expanded; fill ``grad_grids``."""
    _check(images, grids)
    if grad_output.shape != (*grids.shape[:3], images.shape[-1]):
        raise TorchError("BilinearSamplerBHWD_updateGradInput: gradOutput has not the size of the output")
    expanded = len(images) > 1 and grad_images.stride(0) == 0
    if expanded and images.stride(0) == 0:
        # One image under many grids is sampled as one, else a gradient would be made for each of them.
        images, grad_images = images[:1], grad_images[:1]
    flat_grids = grids.detach().reshape(len(images), -1, *grids.shape[2:])
    with torch.enable_grad():
        a = images.detach().requires_grad_()
        b = flat_grids.requires_grad_()
        samples = sampled(a, b)
        of_images, of_grids = torch.autograd.grad(samples, (a, b), grad_output.reshape(samples.shape))
    if expanded:
        grad_images[0].add_(of_images.sum(0))
    else:
        grad_images.add_(of_images)
    grad_grids.copy_(of_grids.view(grids.shape))
