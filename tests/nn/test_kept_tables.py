"""What a script keeps of a pass, a table or a tensor: whether the next pass fills it anew, or leaves it as it was.

``programs/kept_tables.lua`` looks at every module that gives tables; what the original did stands in a golden file.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.nn.program_on_every_class import compare, unexplained


@pytest.mark.one_lua
@pytest.mark.parametrize("step", [17, pytest.param(1, marks=pytest.mark.slow)])
def test_tables_of_results(tmp_path: Path, capfd: pytest.CaptureFixture[str], step: int) -> None:
    compared = compare("kept_tables", tmp_path, capfd, step=step, further=True)
    assert len(compared) > 300 / step
    assert unexplained(compared, {}, lambda ours, theirs: ours == theirs) == []
