"""A program beside its translation: for each stretch of Lua the lines of Python that were written for it.

Which line of Lua a line of the page was written for is found again (``page_lines.py``).
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch7py.translate.api import Translation
from torch7py.translate.native.program import Native
from torch7py.translate.native.source_files import SourceFile
from torch7py.translate.page_lines import lua_lines
from torch7py.translate.report import Report
from torch7py.translate.translated_models import TranslatedModel, translated_models
from torch7py.translate.tree import Statement
from torch7py.translate.tree_queries import statements
from torch7py.translate.verify_script import Printed

__all__ = [
    "ADDED",
    "NATIVE",
    "NOTHING",
    "PLAIN_CALLS",
    "REFUSED",
    "Row",
    "Sides",
    "Subject",
    "of_native",
    "subject_of",
]

# How a stretch of a program was translated.
NATIVE, PLAIN_CALLS, REFUSED = "native", "plain-calls", "refused"
NOTHING = "nothing"  # it has no line of its own: it is part of another's, or nothing needs it in Python
ADDED = "added"  # lines of Python that stand for no statement: imports, helpers, the frame of a page


_GRAVITY = (NOTHING, NATIVE, PLAIN_CALLS, REFUSED)


@dataclass
class Row:
    """Lines of Lua, from the first to the last (0: none), and numbers of lines of the page.

    ``reasons`` are codes with reasons why something is not translated, or only in plain calls.
    """

    first: int
    last: int
    state: str
    page: list[int] = field(default_factory=list)
    reasons: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Sides:
    """One file of a program and its page, which has the lines of ``not_run`` that a comparison did not come to."""

    file: str
    lua: list[str]
    page: str
    python: list[str]
    rows: list[Row] = field(default_factory=list)
    not_run: list[tuple[int, int]] = field(default_factory=list)

    def did_not_run(self, line: int) -> bool:
        return any(first <= line <= last for first, last in self.not_run)


@dataclass
class Subject:
    """A program, or a file of models, with what is said of it; it goes from a process to another one.

    ``code`` is the page of models, ``weights`` the name of the file of their weights.
    """

    source: str
    page: str
    report: Report
    state: str = ""
    arguments: tuple[str, ...] = ()
    sides: list[Sides] = field(default_factory=list)
    printed: list[Printed] = field(default_factory=list)
    lines: int = 0  # of output that were compared
    tensors: int = 0  # of weights that were
    models: list[TranslatedModel] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    weights: str = ""
    failure: str = ""


def subject_of(
    translation: Translation, source: Path, target: Path, arguments: Sequence[str], state: str = ""
) -> Subject:
    """A translated program or file of models."""
    subject = Subject(str(source), str(target), translation.report, state, tuple(arguments))
    written = translation.page
    if isinstance(written, Native):
        subject.sides = of_native(written, source, target.name)
    if translation.source is not None:
        subject.models = translated_models(translation.source, translation.compared)
        subject.code = translation.code.rstrip().split("\n")
        subject.weights = target.with_suffix(".safetensors").name if translation.weights else ""
    comparison = translation.comparison
    if comparison is not None:
        subject.printed, subject.lines = comparison.printed_lines, comparison.lines
        subject.tensors = comparison.layers
        for missed in comparison.not_run:
            for sides in subject.sides:
                if missed.page == sides.page or (
                    sides is subject.sides[0] and missed.page == source.with_suffix(".py").name
                ):
                    sides.not_run += missed.lines
    return subject


# -- native pages ------------------------------------------------------------------------------------------


def of_native(page: Native, path: Path, name: str) -> list[Sides]:
    """Each file of a program, the script first. ``name`` is what its page is called."""
    t = page.translator
    assert t is not None
    result = []
    for file in page.parts:
        is_script = file is t.project.script
        python = page.code if is_script else page.modules[file.page]
        lua = _text_of(path if is_script else file.path)
        sides = Sides(file.name, lua.split("\n"), name if is_script else file.page, python.split("\n"))
        sides.rows = _rows(page, file, sides)
        result.append(sides)
    return result[::-1]


def _text_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n").rstrip("\n")


def _rows(page: Native, file: SourceFile, sides: Sides) -> list[Row]:
    t = page.translator
    assert t is not None
    file_statements = statements(file.block)
    owners = _owners(file, file_statements, len(sides.lua))
    places = lua_lines(t.origins, file_statements, sides.lua, sides.python)
    states = {inner.span.start: REFUSED for node in t.failed for inner in statements(node)}
    for node in t.plain_calls:
        states.setdefault(node.span.start, PLAIN_CALLS)
    listed: list[tuple[Row, Statement | None]] = []
    for line, owner in enumerate(owners, 1):
        if listed and owner is not None and owner is listed[-1][1]:
            listed[-1][0].last = line
            continue
        row = Row(line, line, NOTHING if owner is None else states.get(owner.span.start, NATIVE))
        listed.append((row, owner))
    firsts = [row.first for row, _ in listed]

    def row_of(line: int) -> Row:
        return listed[bisect.bisect_right(firsts, line) - 1][0]

    for node in file_statements:  # several may stand on one line
        row = row_of(node.line)
        row.state = max(row.state, states.get(node.span.start, NATIVE), key=_GRAVITY.index)
    helpers = {*t.helpers, *t.needed_classes}
    added = _give_lines(sides, places, row_of, helpers)
    _give_reasons(page, file, [row for row, _ in listed])
    for row, owner in listed:
        if row.state == NATIVE and not (owner is not None and row_of(owner.line).page):
            row.state = NOTHING
    return _with_added(_joined([row for row, _ in listed], sides.lua), added)


def _owners(file: SourceFile, file_statements: Sequence[Statement], lines: int) -> list[Statement | None]:
    """For each line the innermost statement that it is a part of, of those that begin there the outermost.

    Comments belong to the statement that follows.
    """
    owners: list[Statement | None] = [None] * lines
    source = file.source
    shift = _shift(file, file_statements)
    for node in file_statements:  # an outer one comes before those inside it
        begin, end = node.span.start - shift, node.span.end - shift
        last = node.line + source[begin:end].rstrip(b"\n").count(b"\n")
        for line in range(node.line, min(last, lines) + 1):
            before = owners[line - 1]
            if before is None or before.line < node.line:
                owners[line - 1] = node
        for note in node.around.before:
            for line in range(note.line, node.line):
                if 0 < line <= lines and owners[line - 1] is not node:
                    owners[line - 1] = node
    return owners


def _shift(file: SourceFile, file_statements: Sequence[Statement]) -> int:
    """How far the places of a file are from its own beginning: those of a program's files are counted on."""
    if not file_statements:
        return 0
    starts = [0]
    for line in file.source.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    first = file_statements[0]
    return first.span.start - (starts[first.span.line - 1] + first.span.column - 1)


def _give_lines(
    sides: Sides, places: Sequence[int | None], row_of: Callable[[int], Row], helpers: set[str]
) -> list[tuple[int, list[int]]]:
    """Give the lines of the page to the rows of their statements; those of no statement to what is around them.

    Returns the lines that belong to none, each stretch with the line of Lua that it stands before.
    """
    heads = _definitions(sides.python)
    uses = _first_uses(sides.python, places, heads)
    added: list[tuple[int, list[int]]] = []
    loose: list[int] = []
    last: Row | None = None
    begun = False
    for number, (line, lua) in enumerate(zip(sides.python, places, strict=True), 1):
        if not line.strip():
            continue
        name = heads.get(number)
        if lua is None and name is not None and name not in helpers:
            lua = uses.get(name)  # a class that was written for a statement
        if lua is not None:
            last = row_of(lua)
            if loose:
                added.append((last.first if begun else 1, loose))
                loose = []
            begun = True
        elif name is not None or not line.startswith((" ", ")", "]", "}")):
            last = None  # of nobody: a helper, or what stands at the level of the module
        (loose if last is None else last.page).append(number)
    if loose:
        added.append((len(sides.lua) + 1, loose))
    return added


def _definitions(python: Sequence[str]) -> dict[int, str]:
    """The functions and classes at the level of the module, by the numbers of their first lines."""
    definitions = {}
    for number, line in enumerate(python, 1):
        match = re.match(r"(?:def|class) (\w+)", line)
        if match:
            definitions[number] = match[1]
    return definitions


def _first_uses(python: Sequence[str], places: Sequence[int | None], heads: dict[int, str]) -> dict[str, int]:
    """For each class and function the first line of Lua that makes something of it."""
    uses: dict[str, int] = {}
    names = "|".join(map(re.escape, heads.values()))
    if names:
        pattern = re.compile(rf"(?<![\w.])({names})\(")
        for line, lua in zip(python, places, strict=True):
            if lua is not None and not line.startswith(("def ", "class ")):
                for name in pattern.findall(line):
                    uses.setdefault(name, lua)
    return uses


def _give_reasons(page: Native, file: SourceFile, rows: Sequence[Row]) -> None:
    t = page.translator
    assert t is not None
    firsts = [row.first for row in rows]
    for problem in (*page.problems, *page.reasons):
        if (problem.file or t.project.script.name) == file.name and rows:
            row = rows[max(0, bisect.bisect_right(firsts, problem.line) - 1)]
            if (problem.code, problem.reason) not in row.reasons:
                row.reasons.append((problem.code, problem.reason))


def _joined(rows: Sequence[Row], lua: Sequence[str]) -> list[Row]:
    """Rows without a line of their own become one, and one with those next to it that are about the same variable.

    So ``model = nn.Sequential()`` and the calls of ``model:add`` stand beside the one line that they become.
    """
    joined: list[Row] = []
    for row in rows:
        before = joined[-1] if joined else None
        empty = row.state == NOTHING and not row.page and not row.reasons
        if before is not None and not before.reasons:
            names, names_before = _first_names(row, lua), _first_names(before, lua)
            same = len(names) == 1 and names == names_before
            nothing_before = before.state == NOTHING and not before.page
            if empty and (nothing_before or (same and before.page)):
                before.last = row.last
                continue
            if same and row.page and nothing_before:
                row.first = before.first
                joined.pop()
        joined.append(row)
    return joined


def _first_names(row: Row, lua: Sequence[str]) -> set[str]:
    """What the lines of a row are about: the name that each begins with."""
    lines = (line.strip() for line in lua[row.first - 1 : row.last])
    matches = (
        re.match(r"(?:local\s+)?([A-Za-z_]\w*)?", line)
        for line in lines
        if line and not line.startswith("--")
    )
    return {match[1] or "" for match in matches if match}


def _with_added(rows: list[Row], added: Sequence[tuple[int, list[int]]]) -> list[Row]:
    """The rows with those of Python's own lines between them."""
    result: list[Row] = []
    waiting = sorted(added, key=lambda item: item[0])
    for row in rows:
        while waiting and waiting[0][0] <= row.first:
            result.append(Row(0, 0, ADDED, waiting.pop(0)[1]))
        result.append(row)
    result += [Row(0, 0, ADDED, lines) for _, lines in waiting]
    return result
