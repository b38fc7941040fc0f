"""A table that a pass has given and a script has kept: whether the next pass fills it anew, or leaves it as it was.

``programs/kept_tables.lua`` looks at every module; what the original did stands in a golden file.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.nn.program_on_every_class import compare

# Tables without a tensor in them, and such whose tensors are the same in both.
NOT_THE_SAME = {"nn.BiSequencerLM", "nn.IndexLinear", "nn.ParallelTable", "nn.SparseLinear"}


@pytest.mark.one_lua
@pytest.mark.parametrize("step", [8, pytest.param(1, marks=pytest.mark.slow)])
def test_tables_of_results(tmp_path: Path, capfd: pytest.CaptureFixture[str], step: int) -> None:
    compared = compare("kept_tables", tmp_path, capfd, step=step, further=True)
    assert len(compared) > 70 / step
    wrong = [
        f"{case.expr}: {case.ours}, originally {case.theirs}"
        for case in compared
        if case.ours != case.theirs and case.cls not in NOT_THE_SAME
    ]
    assert wrong == []
