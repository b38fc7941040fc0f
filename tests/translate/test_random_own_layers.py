"""Random networks with layers of the program's own learn in pages as in Lua, wherever these layers stand."""

from __future__ import annotations

from random import Random

import pytest

from tests.translate.random_own_layers import program
from tests.translate.training.outcome import outcome

# What no page says idiomatically: what a module or a tensor is called, asked of a variable.
_ASKED = "T7-308"


def check(seed: int) -> None:
    found = outcome(program(seed))
    assert found.kind == "equal" or (found.kind == "plain calls" and _ASKED in found.reason), found.reason


@pytest.mark.sampled(3)
@pytest.mark.parametrize("seed", range(24))
def test_equal(seed: int) -> None:
    check(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [Random().randrange(10**9) for _ in range(300)])
def test_equal_at_length(seed: int) -> None:
    check(seed)
