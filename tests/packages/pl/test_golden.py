"""What programs write through Penlight, against the original."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from tests.packages.written_texts import recorded_texts, written
from tests.together import together


@pytest.fixture(scope="module")
def shared() -> Iterator[Runtime]:
    with Runtime() as one:
        yield one


@together(("prelude", "code", "text"), recorded_texts("penlight"))
def test_penlight(shared, prelude, code, text):
    assert written(shared, prelude, code) == text
