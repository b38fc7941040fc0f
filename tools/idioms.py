"""Writes docs/lua_to_python.md: what of Lua becomes what, from the programs in tests/translate/idioms.

::

    python tools/idioms.py [--check]

Each program has a title, ``--- title``, and the codes that it must give where it has no native form,
``--- title | T7-201``. ``--check`` writes nothing and fails when the page is stale.
"""

from __future__ import annotations

import ast
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import click

from torch7py.translate.layers.helpers import HELPERS
from torch7py.translate.native.program import Native, translate_script

__all__ = ["Idiom", "idioms", "page", "written"]

ROOT = Path(__file__).parents[1]
PROGRAMS = ROOT / "tests" / "translate" / "idioms"
PAGE = ROOT / "docs" / "lua_to_python.md"
SECTIONS = {"language": "The language", "libraries": "Libraries", "models": "Models and training"}

HEAD = """# What of Lua becomes what

Written by `tools/idioms.py` from the programs in `tests/translate/idioms`, which the tests translate, run and compare
with the original. Left out of each page: its imports, its helpers (`lua_...`), and the line that makes double the
default type.

What differs and is meant to: the text of an error has no place of the Lua file before it; `paths.concat` gives a path
that is relative where its first part is; `pairs` goes through names and numbers in their order, where the original's
order is that of a hash table; where elements of a tensor are equal, their order after `sort` is PyTorch's; a test ends
at its first failed check, tensors of other shapes with the same elements are not equal in it, equal infinities are; a
number just between two texts (0.125 by `%.2f`) gets the even digit of Python's formats, where the original goes away
from zero.
"""


@dataclass(frozen=True)
class Idiom:
    section: str
    title: str
    codes: tuple[str, ...]
    source: str

    @property
    def program(self) -> str:
        return f"require 'nn'\n{self.source}" if self.section == "models" else self.source


def idioms() -> list[Idiom]:
    found = []
    for section in SECTIONS:
        for part in PROGRAMS.joinpath(f"{section}.lua").read_text().split("--- ")[1:]:
            head, source = part.split("\n", 1)
            title, _, codes = head.partition(" | ")
            found.append(Idiom(section, title, tuple(codes.replace(",", "").split()), source))
    return found


def page() -> str:
    parts = [HEAD]
    section = ""
    for idiom in idioms():
        if idiom.section != section:
            section = idiom.section
            parts.append(f"## {SECTIONS[section]}\n")
        title = idiom.title[0].upper() + idiom.title[1:]
        parts.append(f"### {title}\n\n```lua\n{idiom.source.strip()}\n```\n\n{_translation(idiom)}")
    return "\n".join(parts)


def _translation(idiom: Idiom) -> str:
    native = translate_script(idiom.program.encode(), "program.lua")
    if native.problems:
        reasons = dict.fromkeys(str(problem) for problem in native.problems)
        links = [f"[{r[:6]}](codes/{r[:6]}.md){r[6:]}" for r in reasons]
        return f"No native form. {'; '.join(links)}.\n"
    style = "" if native.native == native.statements else "In part in plain calls:\n\n"
    return f"{style}```python\n{written(native)}\n```\n"


def written(native: Native) -> str:
    """A page without its imports and helpers, and what is in ``main`` at the margin."""
    lines = native.code.split("\n")
    parts = []
    for node in ast.parse(native.code).body:
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.If)) or _is_text(node):
            continue
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name in HELPERS:
            continue
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        body = lines[first - 1 : node.end_lineno]
        if isinstance(node, ast.FunctionDef) and node.name == "main":
            body = [line for line in body[1:] if "set_default_dtype" not in line]
        parts.append(textwrap.dedent("\n".join(body)).strip("\n"))
    joined, apart = "", False
    for part in parts:
        defines = part.startswith(("def ", "class ", "@"))
        joined += ("\n\n\n" if apart or defines else "\n") + part if joined else part
        apart = defines
    return joined


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; fail when the page is stale.")
def main(check: bool) -> None:
    if not check:
        PAGE.write_text(page())
    elif PAGE.read_text() != page():
        sys.exit("docs/lua_to_python.md is stale: run tools/idioms.py")


if __name__ == "__main__":
    main()
