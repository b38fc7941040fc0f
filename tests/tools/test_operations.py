"""docs/operations.md has every operation, with words of its own."""

from __future__ import annotations

import re

from tests.inner_runtime import InnerRuntime as Runtime
from tools import operations as tool
from torch7py.ops.registry import operations

WORDS = {operation.name: " ".join(" ".join(operation.about).split()) for operation in tool.of_torch()}


def test_the_page_is_what_make_support_writes() -> None:
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(), (
        "docs/operations.md is stale: run `make support`"
    )


def test_operations_of_other_packages_are_left_out() -> None:
    with Runtime(cuda_as="cpu") as runtime:
        runtime.execute("require 'cutorch'")
    assert "cutorch.getDevice" in operations
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page()


def test_every_operation_says_what_it_does() -> None:
    """More than how it is called: some words, or another call that is the same, or a formula."""
    silent = [
        name
        for name, words in WORDS.items()
        if len(re.findall("[a-z]{2,}", re.sub("``.*?``", "", words))) < 3
        and not re.match(r"(``[^`]+``: )?``[^`]+``|``[^`]+``: ", words)
    ]
    assert not silent
    assert all(len(words) < 500 for name, words in WORDS.items() if not name.startswith("__"))
