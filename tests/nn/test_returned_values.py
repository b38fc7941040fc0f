"""What the methods of layers and criterions return: a method without a result gives none, not a nil.

``programs/returned_values.lua`` calls each method of each class; what each returned originally stands in a golden file.
Methods that are not here, or ask for more, are the matter of other tests.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.nn.program_on_every_class import compare


@pytest.mark.one_lua
@pytest.mark.parametrize("step", [12, pytest.param(1, marks=pytest.mark.slow)])
def test_methods_return_as_many_values(tmp_path: Path, capfd: pytest.CaptureFixture[str], step: int) -> None:
    compared = compare("returned_values", tmp_path, capfd, criterions=True, step=step)
    known = [case for case in compared if "error" not in (case.ours, case.theirs)]
    assert len(known) > 900 / step
    differ = [case for case in known if case.ours != case.theirs]
    assert [f"{c.cls}:{c.variant} gives {c.ours}, originally {c.theirs}" for c in differ] == []


def test_a_result_that_is_none_is_a_nil(runtime):
    counts = runtime.execute("""
        require 'nn'
        local function count(...) return select('#', ...) end
        local m, x, g = nn.Linear(2, 2), torch.ones(2), torch.ones(2)
        m:forward(x)
        m.gradInput = nil
        local s = nn.Sequential():add(m)
        return {count(m:backward(x, g)), count(s:get(3)),
                count(m:zeroGradParameters()), count(m:training()), count(s:training()), count(s:training()),
                count(nn.Tanh():parameters()), count(m:updateParameters(0.1)), count(m:reset())}
    """)
    assert counts == [1, 1, 0, 0, 0, 0, 0, 0, 1]
