"""Convolution and cross-correlation of two and three dimensions, of tensors of any type.

``torch.conv2([out,] x, k [, 'V' | 'F'])`` by the dimensions of ``x`` and ``k``:

==========  ==========  =================================================================
``x``       ``k``       result
==========  ==========  =================================================================
H x W       h x w       one plane
P x H x W   P x h x w   plane by plane
P x H x W   N x P x h x w   N planes, each the sum over the P planes of ``x``
==========  ==========  =================================================================

``conv3`` and ``xcorr3`` have one dimension more. ``'V'`` keeps what needs no element outside of ``x``
(``H - h + 1``), ``'F'`` pads with zeros (``H + h - 1``). ``xcorr`` does not flip the kernel.
"""

from __future__ import annotations

import torch

from torch7py.ops.errors import TorchError
from torch7py.ops.registry import Form, operation

__all__: list[str] = []

T = torch.Tensor


def _correlate(x: T, kernel: T, space: int) -> T:
    """Valid correlation of P x space with N x P x space, as windows times kernels."""
    windows = x
    for dim in range(space):
        windows = windows.unfold(1 + dim, kernel.size(2 + dim), 1)
    # windows: P x positions x kernel sizes; summed over P and the kernel's dimensions
    kernel_dims = list(range(1 + space, 1 + 2 * space))
    result: T = torch.tensordot(kernel, windows, dims=(list(range(1, 2 + space)), [0, *kernel_dims]))
    return result


def _convolve(x: T, kernel: T, mode: str, space: int, flip: bool) -> T:
    full = mode[:1] == "F"
    if not full and mode[:1] != "V":
        raise TorchError(f"type of convolution can be 'V' or 'F', not '{mode}'")
    kinds = (x.dim() - space, kernel.dim() - space)
    if kinds not in ((0, 0), (1, 1), (1, 2)):
        raise TorchError(
            f"{x.dim()}D input and {kernel.dim()}D kernel do not fit; expected {space}D and {space}D, "
            f"{space + 1}D and {space + 1}D, or {space + 1}D and {space + 2}D tensors"
        )
    if kinds[0] and x.size(0) != kernel.size(kinds[1] - 1):
        raise TorchError(f"invalid number of input planes: {x.size(0)} and {kernel.size(kinds[1] - 1)}")
    sizes = kernel.shape[-space:]
    if not full and any(n < k for n, k in zip(x.shape[-space:], sizes, strict=True)):
        raise TorchError("input image is smaller than kernel")
    if full:
        margins = [margin for size in reversed(sizes) for margin in (size - 1, size - 1)]
        x = torch.nn.functional.pad(x, margins)
    if flip:
        kernel = kernel.flip(tuple(range(-space, 0)))
    if kinds == (0, 0):
        return _correlate(x[None], kernel[None, None], space)[0]
    if kinds == (1, 1):
        planes = zip(x, kernel, strict=True)
        return torch.cat([_correlate(plane[None], k[None, None], space) for plane, k in planes])
    return _correlate(x, kernel, space)


@operation("conv2", "x:T kernel:T mode:string='V'", Form.QUERY)
def _conv2(x: T, kernel: T, mode: str) -> T:
    """Convolution over height and width, the kernel turned around: of a plane, plane by plane, or summed over planes.

    ``'V'`` keeps what lies within ``x``, ``'F'`` all.
    """
    return _convolve(x, kernel, mode, 2, flip=True)


@operation("xcorr2", "x:T kernel:T mode:string='V'", Form.QUERY)
def _xcorr2(x: T, kernel: T, mode: str) -> T:
    """Cross-correlation over height and width: ``conv2`` with the kernel as it stands."""
    return _convolve(x, kernel, mode, 2, flip=False)


@operation("conv3", "x:T kernel:T mode:string='V'", Form.QUERY)
def _conv3(x: T, kernel: T, mode: str) -> T:
    """Convolution over depth, height and width: ``conv2`` with a dimension more."""
    return _convolve(x, kernel, mode, 3, flip=True)


@operation("xcorr3", "x:T kernel:T mode:string='V'", Form.QUERY)
def _xcorr3(x: T, kernel: T, mode: str) -> T:
    """Cross-correlation over depth, height and width: ``conv3`` with the kernel as it stands."""
    return _convolve(x, kernel, mode, 3, flip=False)
