"""The two products of a Linear's backward, in the form that is fastest for their sizes.

The BLAS that PyTorch brings computes a thin result, with more rows than columns, in doubles at half its speed where
the columns lie side by side in memory. Where it pays, the result is computed turned and then turned back. The sums are
the same, in the order that the BLAS takes them.
"""

from __future__ import annotations

import torch

__all__ = ["accumulate_product", "gradient_of_rows", "turns_product", "turns_rows"]

BLOCK = 24  # rows of a result in doubles that the BLAS computes at once
PART = 1000  # rows of a turned result that stay in the cache until they are added; a power of 2 takes longer


def _slow(tensor: torch.Tensor) -> bool:
    return tensor.dtype == torch.float64 and tensor.is_cpu


def turns_rows(gradient: torch.Tensor, weight: torch.Tensor) -> bool:
    """Whether the gradient of rows is computed turned."""
    (rows, outputs), inputs = gradient.shape, weight.shape[1]
    if not _slow(gradient) or inputs == 0:
        return False
    return min(rows, outputs) >= 4 * inputs or (inputs <= 64 and outputs >= 16 * inputs and rows >= BLOCK)


def gradient_of_rows(gradient: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """``gradient @ weight`` of ``(rows, outputs)`` and ``(outputs, inputs)``."""
    (rows, outputs), inputs = gradient.shape, weight.shape[1]
    if not turns_rows(gradient, weight):
        return gradient @ weight
    if min(rows, outputs) >= 4 * inputs:
        return (weight.t() @ gradient.t()).t().contiguous()
    whole = rows - rows % BLOCK
    result = gradient.new_empty(rows, inputs)
    result[:whole] = (weight.t() @ gradient[:whole].t()).t()
    if whole < rows:
        torch.mm(gradient[whole:], weight, out=result[whole:])
    return result


def turns_product(buffer: torch.Tensor, gradient: torch.Tensor, rows: torch.Tensor) -> bool:
    """Whether the product that is added to a buffer is computed turned."""
    (count, inputs), outputs = rows.shape, gradient.shape[1]
    if not _slow(buffer):
        return False
    return (outputs >= 4 * inputs and count >= 2 * inputs) or (
        inputs <= 64 and outputs >= 16 * inputs and count >= 32
    )


def accumulate_product(
    buffer: torch.Tensor, gradient: torch.Tensor, rows: torch.Tensor, scale: float = 1
) -> None:
    """``buffer += scale * gradient.t() @ rows`` of ``(outputs, inputs)``, ``(n, outputs)`` and ``(n, inputs)``."""
    if turns_product(buffer, gradient, rows):
        turned_rows = rows.t()
        for start in range(0, gradient.shape[1], PART):
            part = slice(start, start + PART)
            buffer[part].add_((turned_rows @ gradient[:, part]).t(), alpha=scale)
    else:
        buffer.addmm_(gradient.t(), rows, alpha=scale)
