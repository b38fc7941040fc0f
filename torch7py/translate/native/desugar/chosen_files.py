"""Files that a program chooses by an option, as a choice among those that are there.

``require('nets/' .. opt.net)`` is ``({small = require 'nets/small', large = require 'nets/large'})[opt.net]``: what
stands in a folder beside the program when it is translated is what it can load. A file that one beside it requires by
its own name, or that a longer pattern takes (``opt.set .. '-gen.lua'``), is another thing than those that are chosen,
unless what the pattern leaves open is a text of the program's.
Where running a file does more than to define things, only the chosen one is run, in a branch; so is one whose name is
in a variable that holds one of several texts. ``dofile(opt.net)`` chooses among the files whose names stand beside that
option's in the program, and those in the same folders.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from torch7py.translate import tree, tree_queries
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.parse import LuaSyntaxError, parse
from torch7py.translate.quoting import lua_quoted
from torch7py.translate.tree import Binary, Call, Expression, Index, Name, Statement, String

__all__ = ["ChosenFiles", "Folders", "Scanned"]

_RUNS = {"require", "dofile", "include", "paths.dofile"}
_LITERAL = re.compile(rb"(require|dofile|include)\s*\(?\s*(['\"])([^'\"\n]+)\2(?!\s*\.\.)")
_PATTERN = re.compile(
    rb"(require|dofile|include)\s*\(\s*(?:(['\"])([^'\"\n]*)\2\s*\.\.\s*)?[\w.]+"
    rb"(?:\s*\.\.\s*(['\"])([^'\"\n]*)\4)?\s*\)"
)
_TEXT = re.compile(rb"""(['"])([\w./-]+)\1""")
# ``cmd:option('-net', 'nets/small.lua')``, ``net = 'nets/small.lua'``
_GIVEN = re.compile(rb"(?:(['\"])-*(\w+)\1\s*,|\b(\w+)\s*=)\s*(['\"])([\w./-]+\.lua)\4(?!\s*\.\.)")
_MOST_FILES = 500
_MOST_NAMES = 12  # that a variable may hold
# Calls that a file may make when it is run without more than defining things.
_DEFINES = re.compile(r"require|torch\.class|class|(?:paths\.)?dofile|torch\.(?:\w*Tensor|\w*Storage)|pcall")


class Scanned(NamedTuple):
    """What files run by name, each with the folder of the one that does, the patterns by which they choose, texts
    that are names of files, by the names of options and variables that are given them, and other texts."""

    named: set[tuple[Path, Path]]
    patterns: list[str]
    file_names: dict[str, dict[str, None]]
    texts: set[str]


@dataclass(eq=False)
class Folders:
    """Where a file looks for others: ``roots`` for ``require``, the first one that has any, ``working`` for paths."""

    roots: list[Path]
    working: Path
    scanned: dict[Path, Scanned] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Whether ``require`` finds a file by a name."""
        relative_path = _plain(name, required=True)
        return any(
            (root / end).is_file()
            for root in self.roots
            for end in (f"{relative_path}.lua", f"{relative_path}/init.lua")
        )

    def known(self, root: Path) -> Scanned:
        """What the files of a folder say of others."""
        if root not in self.scanned:
            named: set[tuple[Path, Path]] = set()
            patterns: list[str] = []
            option_values: dict[str, dict[str, None]] = {}
            texts: set[str] = set()
            for path in sorted(root.rglob("*.lua"))[:_MOST_FILES]:
                source = path.read_bytes()
                texts |= {text.decode() for _, text in _TEXT.findall(_LITERAL.sub(b"", source))}
                for how, _, name in _LITERAL.findall(source):
                    folder = root if how == b"require" else path.parent
                    text = _path_of(name.decode("latin1"), how == b"require")
                    named |= {
                        (path.parent.resolve(), (base / text).resolve()) for base in (folder, path.parent)
                    }
                for how, _, before, _, after in _PATTERN.findall(source):
                    required = how == b"require"
                    folder = root if required else path.parent
                    text = f"{_plain(before.decode('latin1'), required)}*{after.decode('latin1')}"
                    if before or after:
                        patterns.append(str(folder.resolve() / (f"{text}.lua" if required else text)))
                for _, option, variable, _, value in _GIVEN.findall(source):
                    option_values.setdefault((option or variable).decode(), {})[value.decode()] = None
            self.scanned[root] = Scanned(named, patterns, option_values, texts)
        return self.scanned[root]


def _plain(name: str, required: bool) -> str:
    name = name.removeprefix("./")
    return name.replace(".", "/") if required and "/" not in name else name


def _path_of(name: str, required: bool) -> str:
    return f"{_plain(name.removesuffix('.lua'), required)}.lua" if required else name


@dataclass(eq=False)
class _Choice:
    """A call that runs a chosen file: the text that chooses, and the call that runs each."""

    call: Call
    by: Expression
    runs: dict[str, str]
    defines: bool  # whether running any of them only defines things


class ChosenFiles(Rewriting):
    """``require('models/' .. opt.net)``, ``dofile(opt.set .. '-gen.lua')``"""

    def __init__(self, source: bytes, file: str, folders: Folders) -> None:
        super().__init__(source, file)
        self.folders = folders

    def rewrite(self) -> None:
        for block in self.blocks():
            for statement in block.statements:
                for call in [n for n in tree.direct_nodes(statement) if isinstance(n, Call)]:
                    choice = self._choice(call)
                    if choice is not None:
                        self._write(statement, choice)

    def _write(self, statement: Statement, choice: _Choice) -> None:
        call, by = choice.call, self.text(choice.by)
        if isinstance(statement, tree.Run) and statement.call is call:
            self.put(call, self._branches(choice, by, ""))
        elif choice.defines:
            entries = ", ".join(f"[{lua_quoted(value)}] = {run}" for value, run in choice.runs.items())
            self.put(call, f"({{{entries}}})[{by}]")
        elif tree_queries.is_first_call(statement, call):
            chosen, start = self.fresh("chosen"), statement.span.start
            self.put_between(start, start, f"local {chosen} {self._branches(choice, by, f'{chosen} = ')} ")
            self.put(call, chosen)

    def _branches(self, choice: _Choice, by: str, target: str) -> str:
        branches = [
            f"if {by} == {lua_quoted(value)} then {target}{run}" for value, run in choice.runs.items()
        ]
        return f"{' else'.join(branches)} else error('there is no file for ' .. {by}) end"

    def _choice(self, call: Call) -> _Choice | None:
        callee = self.text(call.callee)
        if callee not in _RUNS or len(call.arguments) != 1:
            return None
        if isinstance(call.arguments[0], Name):
            return self._of_names(call, call.arguments[0], callee)
        if isinstance(call.arguments[0], Index) and callee != "require":
            return self._of_option(call, call.arguments[0], callee)
        pieces = _joined(call.arguments[0])
        by = [piece for piece in pieces if not isinstance(piece, String)]
        if len(by) != 1 or len(pieces) == 1 or not _is_plain(by[0]):
            return None
        at = pieces.index(by[0])
        before = "".join(p.value for p in pieces[:at] if isinstance(p, String))
        after = "".join(p.value for p in pieces[at + 1 :] if isinstance(p, String))
        required = callee == "require"
        if before.startswith(("/", "..")) or (not required and not after.endswith(".lua")):
            return None
        for root in self.folders.roots if required else [self.folders.working]:
            pattern = root.resolve() / f"{_plain(before, required)}*{after}{'.lua' if required else ''}"
            files = self._there(pattern)
            if files:
                runs = {value: f"{callee}({lua_quoted(before + value + after)})" for value in sorted(files)}
                return _Choice(call, by[0], runs, all(_only_defines(path) for path in files.values()))
        return None

    def _of_names(self, call: Call, name: Name, callee: str) -> _Choice | None:
        """``dofile(file)``, where a local variable only ever holds one of the names that are written out."""
        variable = self.scopes.of_name[name]
        if variable.is_global or variable.kind != "local":
            return None
        assigned_values: list[Expression] = []
        for node in tree.every(self.program, tree.Assignment):
            for at, target in enumerate(node.targets):
                if self.variable(target) is variable:
                    alone = len(node.targets) == len(node.values)
                    assigned_values += [node.values[at] if alone else target] if node.values else []
        values = dict.fromkeys(value.value for value in assigned_values if isinstance(value, String))
        if (
            not values
            or len(values) > _MOST_NAMES
            or any(not isinstance(v, (String, tree.Nil)) for v in assigned_values)
        ):
            return None
        return self._named(call, name, callee, values)

    def _of_option(self, call: Call, by: Index, callee: str) -> _Choice | None:
        """``dofile(opt.net)``, where the program says what that may be."""
        if not isinstance(by.key, String) or not _is_plain(by):
            return None
        values: dict[str, None] = {}
        for root in self.folders.roots:
            values |= self.folders.known(root).file_names.get(by.key.value, {})
        for value in list(values):
            folder, _, name = value.rpartition("/")
            pattern = self.folders.working / folder / f"*.{name.partition('.')[2]}"
            beside = self._there(pattern) if folder and (self.folders.working / value).is_file() else {}
            values |= {f"{folder}/{path.name}": None for path in beside.values()}
        return self._named(call, by, callee, dict.fromkeys(sorted(values)))

    def _named(self, call: Call, by: Expression, callee: str, values: dict[str, None]) -> _Choice | None:
        """A choice among the files of which these are the names."""
        required = callee == "require"
        roots = self.folders.roots if required else [self.folders.working]
        candidates = {value: [root / _path_of(value, required) for root in roots] for value in values}
        there = {value: next((p for p in paths if p.is_file()), None) for value, paths in candidates.items()}
        files = {value: path for value, path in there.items() if path is not None}
        if required and len(files) != len(values):  # packages may be among them
            return None
        if not files or any(not value.endswith(".lua") for value in values if not required):
            return None
        runs = {value: f"{callee}({lua_quoted(value)})" for value in files}
        return _Choice(call, by, runs, all(_only_defines(path) for path in files.values()))

    def _there(self, pattern: Path) -> dict[str, Path]:
        """The files of a pattern that are chosen by it, by what stands for its star."""
        root = self.folders.roots[0]
        named, patterns, _, texts = self.folders.known(root)
        before, _, after = pattern.name.partition("*")
        files = {}
        for path in sorted(pattern.parent.glob("*.lua")) if pattern.parent.is_dir() else []:
            value = path.name[len(before) : len(path.name) - len(after)]
            if not fnmatchcase(path.name, pattern.name) or not value:
                continue
            if value not in texts and (path.parent.resolve(), path.resolve()) in named:
                continue
            others = [
                p for p in patterns if len(p) > len(str(pattern)) and fnmatchcase(str(path.resolve()), p)
            ]
            is_itself = path == self.folders.working / Path(self.file).name
            if not others and path.name != "init.lua" and not is_itself:
                files[value] = path
        return files


def _joined(node: Expression) -> list[Expression]:
    """The operands of ``a .. b .. c``."""
    node = tree_queries.bare(node)
    if isinstance(node, Binary) and node.operator == "..":
        return _joined(node.left) + _joined(node.right)
    return [node]


def _is_plain(node: Expression) -> bool:
    """A name or a field, which may be read several times."""
    while isinstance(node, Index) and isinstance(node.key, String):
        node = node.base
    return isinstance(node, Name)


def _only_defines(path: Path) -> bool:
    """Whether a file, run, does no more than to define functions, classes and constants, and gives one of them."""
    try:
        block = parse(path.read_bytes(), path.name)
    except LuaSyntaxError:
        return False
    if not block.statements or not isinstance(block.statements[-1], tree.Return):
        return False
    stack: list[tree.Node] = list(block.statements)
    while stack:
        node = stack.pop()
        if isinstance(node, (tree.Function, tree.LocalFunction, tree.FunctionStatement)):
            continue
        if isinstance(node, tree.Invoke):
            return False
        if isinstance(node, Call) and not _DEFINES.fullmatch(_dotted(node.callee)):
            return False
        stack += [n for n in tree.children(node) if isinstance(n, tree.Node)]
        stack += [s for n in tree.children(node) if isinstance(n, tree.Block) for s in n.statements]
    return True


def _dotted(node: Expression) -> str:
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Index) and isinstance(node.key, String):
        return f"{_dotted(node.base)}.{node.key.value}"
    return "?"
