"""A page's own variables, such as those of its loops over parameters, never take the place of one of the program's."""

from __future__ import annotations

import ast
import keyword
from pathlib import Path

import pytest

from torch7py.translate import tree
from torch7py.translate.native.program import translate_script
from torch7py.translate.parse import parse
from torch7py.translate.verify import Different
from torch7py.translate.verify_script import Unforeseen, verify_script

PROGRAMS = sorted(Path(__file__).parent.joinpath("programs").glob("*.lua"))
WORDS_OF_LUA = set("and do end function goto local nil not or repeat then until while elseif else".split())
# Fields of layers: with a global of such a name, some pages of classes of layers end in an error.
FIELDS = {"output", "gradInput"}


def names_of_page(source: str, name: str) -> list[str]:
    """The variables that a page assigns and its program does not have."""
    page = translate_script(source.encode(), name)
    known = {node.name for node in tree.every(parse(source.encode(), name), tree.Name)}
    stored = {
        node.id
        for node in ast.walk(ast.parse(page.code))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return sorted(
        n for n in stored - known - WORDS_OF_LUA - FIELDS if n.isascii() and not keyword.iskeyword(n)
    )


def with_names(source: str, names: list[str], name: str) -> str:
    """The program with variables of these names, which each of its functions looks at where it ends."""
    values = [0.25 * number for number in range(1, len(names) + 1)]
    check = f" if {' + '.join(names) or 0} ~= {sum(values)} then error('another value') end "
    places = []
    for function in tree.every(parse(source.encode(), name), tree.Function):
        last = function.body.statements[-1] if function.body.statements else None
        if last is not None:
            places.append(last.span.start if isinstance(last, tree.Return) else last.span.end)
    encoded = source.encode()
    for place in sorted(places, reverse=True):
        encoded = encoded[:place] + check.encode() + encoded[place:]
    first = "".join(f"{n} = {v} " for n, v in zip(names, values, strict=True))
    return f"{first}\n{encoded.decode()}\nprint({', '.join(names) or 0})\n{check}\n"


def outcome(source: str, path: Path) -> str:
    """How the page of a program ends: empty where it does the same."""
    path.write_text(source)
    page = translate_script(path.read_bytes(), path.name)
    try:
        try:
            verify_script(page, path)
        except Unforeseen as unforeseen:  # of files that the program reads
            verify_script(translate_script(path.read_bytes(), path.name, unforeseen.observed), path)
    except Different as difference:
        return str(difference)
    return ""


@pytest.mark.sampled(12)
@pytest.mark.parametrize("path", PROGRAMS, ids=[path.stem for path in PROGRAMS])
def test_no_variable_is_taken(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where programs write files
    source = path.read_text()
    names = names_of_page(source, path.name)
    found = outcome(with_names(source, names, path.name), tmp_path / path.name)
    if found:  # as with names that no page has
        others = [f"of_nobody_{number}" for number in range(len(names))]
        assert found == outcome(with_names(source, others, path.name), tmp_path / path.name)
