"""What programs write through Penlight, against the original.

tests/golden/README.md says how the texts were made.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.inner_runtime import InnerRuntime as Runtime

GOLDEN = Path(__file__).parents[2] / "golden"


def load(name: str) -> list[Any]:
    with gzip.open(GOLDEN / f"{name}.json.gz", "rt") as file:
        golden = json.load(file)
    return [
        pytest.param(
            golden["prelude"], case["code"], case["text"], id=f"{name}-{' '.join(case['code'].split())[-60:]}"
        )
        for case in golden["cases"]
    ]


def written(runtime: Runtime, prelude: str, code: str) -> Any:
    return runtime.execute(f"{prelude}\nreturn run(function()\n{code}\nend)")


@pytest.fixture(scope="module")
def shared() -> Iterator[Runtime]:
    with Runtime() as one:
        yield one


@pytest.mark.parametrize(("prelude", "code", "text"), load("penlight"))
def test_penlight(shared, prelude, code, text):
    assert written(shared, prelude, code) == text
