"""Every code that the translation can give has its page, and every page its code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from torch7py.translate.native.program import translate_script

ROOT = Path(__file__).parents[2]
PAGES = sorted(ROOT.glob("docs/codes/*.md"))
CODE = re.compile(r'"(T7-\d{3})"')


def test_every_code_has_its_page_and_every_page_its_code() -> None:
    sources = [*ROOT.glob("torch7py/translate/**/*.py")]
    codes = {code for path in sources for code in CODE.findall(path.read_text())}
    assert codes == {page.stem for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_a_page_says_what_why_and_what_to_do(page: Path) -> None:
    text = page.read_text()
    assert text.startswith(f"# {page.stem}: ")
    for part in ("What", "Why", "By hand"):
        assert f"\n**{part}.** " in text


# What the examples have before them: a table, a text, a tensor, a model and its flat vectors.
BEFORE = """require 'nn'
require 'optim'
local t, s, x = {1, 2, 3}, 'abc', torch.randn(3, 3)
local model = nn.Linear(3, 2)
local w, gradients = model:getParameters()
"""
EXAMPLES = {
    page.stem: found[1]
    for page in PAGES
    if (found := re.search(r"\*\*Example\.\*\* `(.*)`", page.read_text()))
}


@pytest.mark.parametrize("code", EXAMPLES)
def test_an_example_gives_its_code(code: str) -> None:
    page = translate_script((BEFORE + EXAMPLES[code]).encode(), "example.lua")
    assert code in {problem.code for problem in (*page.problems, *page.reasons)}
