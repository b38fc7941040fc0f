"""What the tests of dpnn share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from torch7py.ops import state


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    """Layers made from Python draw from a stream of a fixed seed."""
    with state.use(state.State()):
        state.current().generator.manual_seed(5)
        yield
