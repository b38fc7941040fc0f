"""The two products of a Linear's backward, in the form that is fastest for their sizes.

The BLAS that PyTorch brings computes a thin result, with more rows than columns, in doubles at half its speed where
the columns lie side by side in memory. Where it pays, the result is computed turned and then turned back. The sums are
the same, in the order that the BLAS takes them.
"""

from __future__ import annotations

import torch

__all__ = ["accumulate_product", "gradient_of_rows"]

BLOCK = 24  # rows of a result in doubles that the BLAS computes at once
PART = 1000  # rows of a turned result that stay in the cache until they are added; a power of 2 takes longer


def _slow(tensor: torch.Tensor) -> bool:
    return tensor.dtype == torch.float64 and tensor.is_cpu


def gradient_of_rows(gradient: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """``gradient @ weight`` of ``(rows, outputs)`` and ``(outputs, inputs)``."""
    (rows, outputs), inputs = gradient.shape, weight.shape[1]
    if not _slow(gradient) or inputs == 0:
        return gradient @ weight
    if min(rows, outputs) >= 4 * inputs:
        return (weight.t() @ gradient.t()).t().contiguous()
    whole = rows - rows % BLOCK
    if inputs > 64 or outputs < 16 * inputs or not whole:
        return gradient @ weight
    result = gradient.new_empty(rows, inputs)
    result[:whole] = (weight.t() @ gradient[:whole].t()).t()
    if whole < rows:
        torch.mm(gradient[whole:], weight, out=result[whole:])
    return result


def accumulate_product(
    buffer: torch.Tensor, gradient: torch.Tensor, rows: torch.Tensor, scale: float = 1
) -> None:
    """``buffer += scale * gradient.t() @ rows`` of ``(outputs, inputs)``, ``(n, outputs)`` and ``(n, inputs)``."""
    (count, inputs), outputs = rows.shape, gradient.shape[1]
    if _slow(buffer) and outputs >= 4 * inputs and count >= 2 * inputs:
        turned = True
    else:
        turned = _slow(buffer) and inputs <= 64 and outputs >= 16 * inputs and count >= 32
    if turned:
        turned_rows = rows.t()
        for start in range(0, outputs, PART):
            part = slice(start, start + PART)
            buffer[part].add_((turned_rows @ gradient[:, part]).t(), alpha=scale)
    else:
        buffer.addmm_(gradient.t(), rows, alpha=scale)
