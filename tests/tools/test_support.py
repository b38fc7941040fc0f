"""docs/support.md says what is so, and says it of every name."""

from __future__ import annotations

import json
import re

import pytest

from tools import support

UPSTREAM = json.loads(support.RESULTS.read_text()) if support.RESULTS.exists() else {}


@pytest.fixture(scope="module")
def text() -> str:
    return support.PAGE.read_text()


def test_the_page_is_what_make_support_writes(lua_name: str, text: str) -> None:
    if not lua_name.startswith("luajit"):
        pytest.skip("the page describes the runtime on LuaJIT")
    assert text == support.page(), "docs/support.md is stale: run `make support`"


def test_every_list_of_names_has_a_section() -> None:
    files = {*support.INVENTORY.glob("*.txt")} - {support.BY_CLASS}
    files |= {*support.ROOT.joinpath("torch7py", "packages").rglob("names.txt")}
    listed = [(section.title, section.names()) for _, part in support.sections() for section in part]
    written = [names for file in files for names in support.names_in(file).values()]
    assert len(listed) == len(written)
    assert all(names in written for _, names in listed)


@pytest.mark.parametrize("title", [part for part, _ in support.sections()])
def test_every_name_is_on_the_page(title: str, text: str) -> None:
    sections = dict(support.sections())[title]
    body = re.split(r"^## ", text, flags=re.MULTILINE)
    part = next(part for part in body if part.startswith(f"{title}\n"))
    for section in sections:
        chapter = next(
            chapter for chapter in part.split("\n### ") if chapter.startswith(f"{section.title}\n")
        )
        for name, uses, _ in section.names():
            assert f"`{name}` {uses}" in chapter or f"`{name}` | {uses} |" in chapter, name


@pytest.mark.parametrize("package", UPSTREAM)
def test_every_test_that_does_not_pass_has_its_reason(package: str) -> None:
    for row in UPSTREAM[package]["not"]:
        assert row["reason"], f"{package}: {row['suite']}: {row['test']}"


def test_notes_come_first() -> None:
    rows = [
        support.Row("a", 3, "yes"),
        support.Row("b", 2, "restricted", "in part"),
        support.Row("c", 1, "no", "an error"),
        support.Row("d", 0, "no"),
    ]
    lines = support._table(support.Table("Some", rows))
    assert lines == [
        "1 of 4 as in the original.",
        "",
        "`a` 3.",
        "",
        "| name | uses | | |",
        "|---|---:|---|---|",
        "| `b` | 2 | restricted | in part |",
        "| `c` | 1 | no | an error |",
        "",
        "Not supported:",
        "",
        "`d` 0.",
    ]
