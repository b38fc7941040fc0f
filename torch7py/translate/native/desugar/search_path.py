"""Places that a program adds to ``package.path``: where its own files are, which a page finds without being told."""

from __future__ import annotations

import posixpath
import re

from torch7py.translate import tree
from torch7py.translate.native.desugar.rewriting import Leave, Rewriting
from torch7py.translate.scopes import Variable
from torch7py.translate.templates import Template
from torch7py.translate.tree import Call, Expression, Index, Local, Name, Node, Statement, String
from torch7py.translate.tree_queries import dotted

__all__ = ["BESIDE", "SearchPath"]

BESIDE = "\0"
"""Stands for the folder of the file that asks, in the places that are found."""

_OLD = "\1"  # stands for the path as it was
_JOINED = {"path.join", "paths.concat", "pl.path.join"}
_FOLDER_OF = {"path.dirname", "paths.dirname", "pl.path.dirname"}
_GIVEN = Template("return (function() return VALUE end)()")
_FILES = [
    Template(f"return {text}")
    for text in (
        "arg[0]",
        "paths.thisfile()",
        "ASKED.source:sub(2)",
        "ASKED.source:gsub('@', '')",
        "ASKED.source:gsub('^@', '')",
        "string.gsub(ASKED.source, '@', '')",
        "string.gsub(ASKED.source, '^@', '')",
    )
]
_PATTERN = re.compile(r"(?:(?P<folder>[^?;]*)/)?\?(?:/init)?\.lua")


class SearchPath(Rewriting):
    """``package.path = path.join(path.dirname(__FILE__), 'lib', '?.lua;') .. package.path`` and its like.

    ``before`` and ``behind`` are the folders in front of the old path and after it, from that of the file itself
    (``BESIDE``) or from where the program runs. A statement that does no more goes, with the variables that are there
    for nothing else.
    """

    def __init__(self, source: bytes, file: str) -> None:
        super().__init__(source, file)
        self.before: list[str] = []
        self.behind: list[str] = []
        self._values: dict[Variable, Expression] = {}

    def rewrite(self) -> None:
        gone: list[Statement] = []
        for node in self.program.statements:
            if isinstance(node, Local) and len(node.names) == len(node.values) == 1:
                variable = self.scopes.of_name[node.names[0]]
                if not variable.writes:
                    self._values[variable] = node.values[0]
            elif isinstance(node, tree.Assign) and [dotted(t) for t in node.targets] == ["package.path"]:
                try:
                    before, behind = _folders(self._text_of(node.values[0]))
                except Leave:
                    continue
                self.before, self.behind = [*before, *self.before], [*self.behind, *behind]
                gone.append(node)
        names: set[Node | tree.Block] = {name for node in gone for name in tree.walk(node)}
        for node in reversed(self.program.statements):
            if not isinstance(node, Local) or len(node.names) > 1:
                continue
            variable = self.scopes.of_name[node.names[0]]
            if variable in self._values and variable.reads and names.issuperset(variable.reads):
                gone.append(node)
                names |= set(tree.walk(node))
        for node in gone:
            self.put(node, "")

    def _text_of(self, node: Expression) -> str:
        """What an expression gives, as far as that is told by where the file is."""
        node = node.inner if isinstance(node, tree.Paren) else node
        if isinstance(node, String):
            return node.value
        if isinstance(node, tree.Binary) and node.operator == "..":
            return self._text_of(node.left) + self._text_of(node.right)
        if isinstance(node, Name) and self.scopes.of_name[node] in self._values:
            return self._text_of(self._values[self.scopes.of_name[node]])
        if isinstance(node, Index) and dotted(node) == "package.path":
            return _OLD
        if self._is_file(node):
            return f"{BESIDE}/file"
        if isinstance(node, Call):
            return self._called(node)
        raise Leave

    def _called(self, node: Call) -> str:
        name, args = dotted(node.callee), node.arguments
        if name in _JOINED and args:
            return posixpath.join(*(self._text_of(argument) for argument in args))
        if name in _FOLDER_OF and len(args) == 1:
            return posixpath.dirname(self._text_of(args[0]))
        if (found := _GIVEN.match(node)) is not None:
            return self._text_of(found["VALUE"])
        raise Leave

    def _is_file(self, node: Expression) -> bool:
        """``arg[0]``, ``paths.thisfile()``, ``debug.getinfo(1, 'S').source`` without the sign before it."""
        found = [found for template in _FILES if (found := template.match(node)) is not None]
        asked = [one["ASKED"] for one in found if "ASKED" in one]
        return bool(found) and all(isinstance(n, Call) and dotted(n.callee) == "debug.getinfo" for n in asked)


def _folders(path: str) -> tuple[list[str], list[str]]:
    """The folders before and behind the path as it was; raises Leave where it is another one."""
    parts = [part for part in path.split(";") if part]
    if parts.count(_OLD) != 1:
        raise Leave
    places = []
    for part in parts:
        match = _PATTERN.fullmatch(part)
        if part != _OLD and match is None:
            raise Leave
        places.append((match["folder"] or ".") if match is not None else part)
    at = places.index(_OLD)
    return list(dict.fromkeys(places[:at])), list(dict.fromkeys(places[at + 1 :]))
