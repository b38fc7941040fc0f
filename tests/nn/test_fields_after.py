"""What the fields of every module are after calls that change, copy or save it, as in the original.

``programs/fields_after.lua`` looks at them; what it saw in the original stands in a golden file.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.nn.program_on_every_class import compare

NUMBER = re.compile(r":(-?(?:\d+\.?\d*(?:e[-+]?\d+)?|nan|inf))")
# Where they are not the original's, and why.
NOT_THE_SAME = {
    "nn.GPU": "lets go of output and gradInput when it gets a type on the CPU",
    "nn.SeqGRU": "clearState leaves no gradInput",
    "nn.SeqLSTM": "clearState leaves no gradInput",
    "nn.SeqLSTMP": "clearState leaves no gradInput",
    "nn.SoftMaxTree": "the gradient of the targets keeps its type",
    "nn.WeightNorm": "a clone that shares is left without a bias",
}


def same(ours: str, theirs: str) -> bool:
    if theirs == "error":  # a fault of the original
        return True
    pairs = zip(NUMBER.findall(ours), NUMBER.findall(theirs), strict=False)
    return NUMBER.sub(":", ours) == NUMBER.sub(":", theirs) and all(
        float(a) == pytest.approx(float(b), rel=2e-3, abs=1e-6, nan_ok=True) for a, b in pairs
    )


@pytest.mark.one_lua
@pytest.mark.parametrize("step", [15, pytest.param(1, marks=pytest.mark.slow)])
def test_fields_after_a_call(tmp_path: Path, capfd: pytest.CaptureFixture[str], step: int) -> None:
    compared = compare("fields_after", tmp_path, capfd, step=step)
    assert len(compared) > 2000 / step
    wrong = [
        f"{case.expr}, {case.variant}: {case.ours}, originally {case.theirs}"
        for case in compared
        if case.cls not in NOT_THE_SAME and not same(case.ours, case.theirs)
    ]
    assert wrong == []
