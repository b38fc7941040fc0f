"""MuFuRu beside its equations."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from torch7py.ops.errors import TorchError
from torch7py.rnn.mufuru import MuFuRu

BATCH, INPUTS, OUTPUTS = 3, 4, 5


def draw(*size: int, seed: int = 5) -> torch.Tensor:
    return torch.randn(*size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def close(one: Any, other: Any) -> None:
    torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("ops", [None, ["keep", "replace"]])
def test_mufuru_is_its_equations(ops: list[str] | None):
    module = MuFuRu(INPUTS, OUTPUTS, ops)
    wr, br, ur, bur, wv, bv, wp, bp = (p.detach() for p in module.torch7_parameters()[0])
    x, h = draw(BATCH, INPUTS), draw(BATCH, OUTPUTS, seed=7)
    r = torch.sigmoid(x @ wr.t() + br + h @ ur.t() + bur)
    v = torch.sigmoid(torch.cat([x, r * h], 1) @ wv.t() + bv)
    values = {
        "keep": h,
        "replace": v,
        "mul": h * v,
        "diff": h - v,
        "forget": h * 0,
        "sqrt_diff": (h - v).abs().sqrt() * 0.25,
        "max": torch.maximum(h, v),
        "min": torch.minimum(h, v),
    }
    weights = torch.softmax((torch.cat([x, h], 1) @ wp.t() + bp).view(BATCH, len(module.ops), OUTPUTS), 1)
    wanted = sum(weights[:, n] * values[name] for n, name in enumerate(module.ops))
    module.set_field("userPrevOutput", h)
    close(module.updateOutput(x), wanted)
    assert module.describe() == f"nn.MuFuRu(4 -> 5) {{ {''.join(f'{name} ' for name in module.ops)}}}"
    with pytest.raises(TorchError, match="none of"):
        MuFuRu(2, 2, ["add"])
