"""Random programs in the native style print the same as their pages."""

from __future__ import annotations

from random import Random

import hypothesis
import pytest
from hypothesis import strategies

from tests.translate.native_programs import program
from tests.translate.running import assert_same
from torch7py.bridge import engine

pytestmark = pytest.mark.skipif(engine.engine_name() != "luajit21", reason="compares with LuaJIT 2.1")


def check(random: Random, statements: int) -> None:
    """Minus zero is not compared: whole numbers are ints in a page, and have none."""
    assert_same(program(random, statements), refused=True)


@hypothesis.settings(max_examples=40)
@hypothesis.given(strategies.randoms(use_true_random=False))
def test_same_output(random: Random) -> None:
    check(random, 6)


@pytest.mark.slow
@hypothesis.settings(max_examples=3000, suppress_health_check=list(hypothesis.HealthCheck), derandomize=False)
@hypothesis.given(strategies.randoms(use_true_random=False))
def test_same_output_at_length(random: Random) -> None:
    check(random, 12)
