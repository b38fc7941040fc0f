"""Networks that random programs change after they made them learn in pages as in Lua."""

from __future__ import annotations

from random import Random

import pytest

from tests.translate.random_edits import program
from tests.translate.training.outcome import outcome


def check(seed: int) -> None:
    found = outcome(program(seed))
    assert found.kind in ("equal", "plain calls"), found.reason


@pytest.mark.sampled(3)
@pytest.mark.parametrize("seed", range(24))
def test_same(seed: int) -> None:
    check(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [Random().randrange(10**9) for _ in range(300)])
def test_same_at_length(seed: int) -> None:
    check(seed)
