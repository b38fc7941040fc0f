"""The examples of the rnn package that need no data give the losses of the original.

They run unmodified from a checkout of rnn ba937a0 that ``TORCH7PY_RNN_CHECKOUT`` names; without one a program of this
project that trains the same network runs in the place of one of them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.golden_cases import load
from tests.inner_runtime import InnerRuntime as Runtime

PROGRAMS = Path(__file__).parent / "programs"
CHECKOUT = os.environ.get("TORCH7PY_RNN_CHECKOUT")
CASES: dict[str, Any] = {case["program"]: case["losses"] for case in load("rnn_programs")}


def losses_of(program: Path, lua_name: str) -> list[float]:
    if lua_name == "lua51":
        pytest.skip("draws from LuaJIT's math.random")
    with Runtime() as runtime:
        assert runtime.run(PROGRAMS / "watch.lua", [str(program)]) == 0
        found: list[float] = list(runtime.globals["losses"])
    return found


@pytest.mark.skipif(
    CHECKOUT is None, reason="TORCH7PY_RNN_CHECKOUT names no checkout of Element-Research/rnn"
)
@pytest.mark.parametrize("program", CASES)
def test_an_example_of_upstream(lua_name: str, program: str) -> None:
    assert len(CASES[program]) == 50
    found = losses_of(Path(str(CHECKOUT)) / "examples" / program, lua_name)
    assert found == pytest.approx(CASES[program], rel=1e-9, abs=0)


def test_a_training_of_ours_like_one_of_upstream(lua_name: str) -> None:
    found = losses_of(PROGRAMS / "recurrence.lua", lua_name)
    assert found == pytest.approx(CASES["simple-recurrence-network.lua"], rel=1e-9, abs=0)
