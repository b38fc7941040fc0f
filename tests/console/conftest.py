"""A console on a runtime of its own for each file of tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from torch7py.bridge.runtime import Runtime
from torch7py.console.engine import Console


@pytest.fixture(scope="module")
def console() -> Iterator[Console]:
    with Runtime(seed=1) as runtime:
        yield Console(runtime)


@pytest.fixture
def shown(console: Console, capsys: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    """What the evaluation of a text prints."""

    def evaluate(text: str) -> str:
        capsys.readouterr()
        console.evaluate(text, "stdin")
        return capsys.readouterr().out

    return evaluate
