"""The products of a backward are the plain products, in whichever form they are computed."""

from __future__ import annotations

import pytest
import torch

from torch7py.nn.linear_gradients import accumulate_product, gradient_of_rows

# Rows, inputs, outputs: on both sides of every bound.
SIZES = [
    (1, 3, 2),
    (40, 4, 64),
    (40, 4, 63),
    (31, 4, 64),
    (32, 65, 1040),
    (16, 4, 16),
    (15, 4, 16),
    (16, 4, 15),
    (23, 8, 128),
    (48, 8, 128),
    (50, 8, 128),
    (50, 8, 127),
    (50, 64, 1024),
    (50, 65, 1040),
]


def draw(*size: int, dtype: torch.dtype) -> torch.Tensor:
    return torch.randn(*size, dtype=torch.float64, generator=torch.Generator().manual_seed(3)).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(("count", "inputs", "outputs"), SIZES)
def test_both_products(count: int, inputs: int, outputs: int, dtype: torch.dtype) -> None:
    close = 1e-12 if dtype == torch.float64 else 1e-4
    gradient, weight = draw(count, outputs, dtype=dtype), draw(outputs, inputs, dtype=dtype)
    rows, buffer = draw(count, inputs, dtype=dtype), draw(outputs, inputs, dtype=dtype)
    found = gradient_of_rows(gradient, weight)
    assert found.is_contiguous()
    wanted = torch.einsum("no,oi->ni", gradient.double(), weight.double())
    torch.testing.assert_close(found.double(), wanted, rtol=close, atol=close)
    wanted = buffer.double() - 0.5 * torch.einsum("no,ni->oi", gradient.double(), rows.double())
    accumulate_product(buffer, gradient, rows, -0.5)
    torch.testing.assert_close(buffer.double(), wanted, rtol=close, atol=close)
