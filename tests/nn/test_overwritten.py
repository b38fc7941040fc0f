"""A backward after the memory that the forward read or wrote was overwritten: what is read anew, and what is kept.

Programs do this: a tensor that all batches are copied into, a layer that works in place, an input that is set to zero.
In the original some layers read the memory as it is by then, some what their forward has kept.
``programs/overwritten.lua`` does it to every module; what the original gave stands in a golden file.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.nn.program_on_every_class import compare, unexplained

NUMBER = re.compile(r"-?(?:\d+\.?\d*(?:e[-+]?\d+)?|nan|inf)")

# Where it is not the original's: why, and the modules with what was done.
NOT_THE_SAME = {
    # Of tensors that the forward was not given, some layers inside are told, others not.
    "BiSequencer FastLSTM GRU": "other other_later",
}
SHORT = 40


def same(ours: str, theirs: str) -> bool:
    if NUMBER.sub("#", ours) != NUMBER.sub("#", theirs):
        return False
    pairs = zip(NUMBER.findall(ours), NUMBER.findall(theirs), strict=True)
    return all(a == b or float(a) == pytest.approx(float(b), rel=1e-3, abs=1e-6) for a, b in pairs)


@pytest.mark.one_lua
@pytest.mark.parametrize("step", [SHORT, pytest.param(1, marks=pytest.mark.slow)])
def test_a_backward_after_memory_was_overwritten(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], step: int
) -> None:
    compared = compare("overwritten", tmp_path, capfd, step=step, further=True)
    assert len(compared) > 3800 / step
    assert unexplained(compared, NOT_THE_SAME, same) == []
