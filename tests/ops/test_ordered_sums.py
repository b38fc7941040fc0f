"""Reductions have the original's last digits: it adds one term after the other."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import torch

from tests.golden_cases import GOLDEN
from torch7py.bridge.runtime import Runtime
from torch7py.ops.ordered_sum import BLOCK, ordered_sum


def test_digits_of_reductions_are_the_originals(capfd: pytest.CaptureFixture[str]) -> None:
    with Runtime() as runtime:
        runtime.execute(Path(__file__).with_name("ordered_sums.lua").read_text())
    printed = [line.rstrip() for line in capfd.readouterr().out.splitlines()]
    recorded = gzip.decompress((GOLDEN / "ordered_sums.txt.gz").read_bytes()).decode().splitlines()
    assert printed == recorded


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("count", [0, 1, 1000, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 5])
def test_terms_are_added_in_order(dtype: torch.dtype, count: int) -> None:
    """A number that swallows the ones behind it: 2^53 + 1 is 2^53 in double, 2^24 + 1 is 2^24 in float."""
    large = 2.0**53 if dtype == torch.float64 else 2.0**24
    x = torch.ones(count, dtype=dtype)
    x[:1] = large
    assert ordered_sum(x).item() == (large if count else 0)


def test_a_sum_with_a_gradient_has_one() -> None:
    x = torch.ones(5, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(ordered_sum(x), [x])
    assert torch.equal(gradient, torch.ones(5, dtype=torch.float64))
