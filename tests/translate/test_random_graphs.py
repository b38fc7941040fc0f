"""Random graphs whose layers are counted: their pages have these in Torch7's order, that in which the graph runs."""

from __future__ import annotations

from random import Random

import pytest

from tests.translate.random_graphs import program
from tests.translate.training.outcome import outcome


@pytest.mark.sampled(1)
@pytest.mark.parametrize("seed", [0, 1, 4, 10, 14, 17, 22, 25, 29, 33, 38, 51])
def test_same(seed: int) -> None:
    result = outcome(program(seed))
    assert result.kind in ("equal", "plain calls"), result.reason


@pytest.mark.slow
@pytest.mark.parametrize("seed", [Random().randrange(10**9) for _ in range(500)])
def test_same_at_length(seed: int) -> None:
    test_same(seed)
