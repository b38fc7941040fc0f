"""docs/errors.md has the messages that there are."""

from __future__ import annotations

from tools import errors as tool


def test_the_page_is_what_make_support_writes() -> None:
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(), "docs/errors.md is stale: run `make support`"
