"""Conditions whose answer is known before a program runs: whether a package, or a class of nn's, is there.

A package that neither this project nor the program's folder has is not there; ``pcall(require, 'it')`` says so. A class
of nn's own is there (``nn.SpatialBatchNormalization and ...``), as are Lua's libraries and those that ``th`` loads
(``path and path.join``). Of a choice by such an answer one way is left.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from torch7py.nn.registry import package_of
from torch7py.packages.registry import came_with_torch, packages
from torch7py.translate import tree
from torch7py.translate.facts.layers import ADDING, class_of
from torch7py.translate.inference.variables import AssignedValues
from torch7py.translate.library import FUNCTION_RESULTS, PENLIGHT
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.quoting import lua_quoted
from torch7py.translate.scopes import Variable
from torch7py.translate.templates import Template
from torch7py.translate.tree import Assignment, Binary, Call, Expression, Index, Name, Statement, String
from torch7py.translate.tree_queries import bare, dotted, targets
from torch7py.translate.usage import LUA, is_unset, required

__all__ = ["MISSING", "KnownConditions"]

# Facebook's own, which PyTorch's users cannot have; a program that asks has another way.
MISSING = ("fbcunn", "fbnn", "fbtorch")
# What th loads, under names that programs do not give to what is theirs.
_ALWAYS_THERE = PENLIGHT - {"dir", "file", "text", "utils"} | {"lapp"}
_ASKED = Template("return pcall(require, PACKAGE)")


class KnownConditions(Rewriting):
    """``has_file`` tells whether the program has a file that it requires by a name; None where nothing is known."""

    def __init__(self, source: bytes, file: str, has_file: Callable[[str], bool] | None) -> None:
        super().__init__(source, file)
        self.has_file = has_file
        self.defined = {node.value for node in tree.every(self.program, String)}
        self.missing: dict[Statement, tuple[Name | None, str]] = {}
        self.false: set[Variable] = set()  # the variables that hold that a package is not there
        self.answered: dict[Statement, Variable] = {}  # as they do in the statement right behind
        # Of these the names in the condition that is looked at.
        self.condition_names: set[tree.Node | tree.Block] = set()

    def rewrite(self) -> None:
        self._find_missing()
        self._branches()
        self._choices()
        self._answers()
        self.keep_outermost()

    # Packages

    def _find_missing(self) -> None:
        """``ok, p = pcall(require, 'fbcunn')``"""
        for block in self.blocks():
            for node, after in zip(block.statements, [*block.statements[1:], None], strict=False):
                name = self._asks_for(node)
                names = targets(node)
                variable = self.variable(names[0]) if name is not None else None
                second = names[1] if len(names) > 1 and isinstance(names[1], Name) else None
                if name is None or variable is None or len(names) > 1 + (second is not None):
                    continue
                self.missing[node] = second, name
                if len(variable.writes) == variable.is_global:
                    self.false.add(variable)
                elif after is not None:
                    self.answered[after] = variable

    def _asks_for(self, node: Statement) -> str | None:
        """The package of which a statement asks whether it is there, of one that certainly is not."""
        call = node.values[0] if isinstance(node, Assignment) and len(node.values) == 1 else None
        parts = _ASKED.match(call) if isinstance(call, Call) else None
        if not isinstance(call, Call) or parts is None or not isinstance(parts["PACKAGE"], String):
            return None
        is_lua = self.scopes.is_global(call.callee, "pcall") and self.scopes.is_global(
            call.arguments[0], "require"
        )
        return parts["PACKAGE"].value if is_lua and self._lacks(parts["PACKAGE"].value) else None

    def _lacks(self, name: str) -> bool:
        known = name in packages or name.partition(".")[0] in packages
        return name in MISSING or (not known and self.has_file is not None and not self.has_file(name))

    def _answers(self) -> None:
        """``ok, p = false, nil``; where the message is looked at, it is that of ``require``."""
        gone = [(start, end) for start, end, _ in self.edits]
        for node, (second, name) in self.missing.items():
            assert isinstance(node, Assignment)
            text = "false"
            if second is not None:
                reads = [read.span.start for read in self.scopes.of_name[second].reads]
                kept = any(not any(start <= at < end for start, end in gone) for at in reads)
                text += f", {lua_quoted(f'module {name!r} not found')}" if kept else ", nil"
            self.put(node.values[0], text)

    # Classes

    def _is_there(self, node: Index) -> bool | None:
        """Whether nn has a class, as far as that is certain."""
        path = dotted(node)
        owner, _, name = (path or "").rpartition(".")
        base = node.base
        if owner != "nn" or path is None or not isinstance(base, Name) or path in self.defined:
            return None
        assigned = any(dotted(t) == path for s in tree.every(self.program, tree.Assign) for t in s.targets)
        if assigned or not self._is_nn(base):
            return None
        if class_of(path) is not None and package_of[path] == "nn":
            return True
        return False if name[:1].isupper() and self._is_alone else None

    @property
    def _is_alone(self) -> bool:
        """Whether a program runs no file of its own, and no package besides that adds classes to nn."""
        for call in tree.every(self.program, Call):
            path = dotted(call.callee)
            if path in ("dofile", "paths.dofile", "include", "loadfile"):
                return False
            if path == "require":
                name = call.arguments[0] if call.arguments else None
                if not isinstance(name, String) or not came_with_torch(name.value) or name.value in ADDING:
                    return False
        return True

    def _is_nn(self, base: Name) -> bool:
        """Whether a variable is nn's table: the global, or what ``require 'nn'`` gives."""
        variable = self.scopes.of_name[base]
        values = [
            value
            for s in tree.every(self.program, Assignment)
            if isinstance(s, Assignment)
            for target, value in zip(targets(s), s.values, strict=False)
            if self.variable(target) is variable
        ]
        if not values:
            return variable.is_global and not variable.writes
        return all(
            isinstance(value, Call)
            and self.scopes.is_global(value.callee, "require")
            and [a.value for a in value.arguments if isinstance(a, String)] == ["nn"]
            for value in values
        )

    # What is true

    def _truth(self, node: Expression) -> bool | None:
        """Whether Lua takes an expression for true, as far as that is known."""
        node = bare(node)
        if isinstance(node, Name):
            variable = self.scopes.of_name[node]
            if variable in self.false or node in self.condition_names:
                return False
            if not variable.is_global or variable.writes:
                return None
            if is_unset(self.program, node.name):
                return False if self._is_alone else None
            return True if node.name in LUA | _ALWAYS_THERE else None
        if isinstance(node, Index):
            path = dotted(node) or ""
            is_function = path == "table.unpack" or {path, f"pl.{path}"} & FUNCTION_RESULTS.keys()
            return True if is_function and self._truth(node.base) else self._is_there(node)
        if isinstance(node, (tree.Table, tree.Function, String, tree.Number)):
            return True
        if isinstance(node, Call) and isinstance(node.callee, Index):
            gives_text = FUNCTION_RESULTS.get(dotted(node.callee) or "") == "string" and self._truth(
                node.callee
            )
            # or a module, as each of nn's classes does
            return True if gives_text or self._is_there(node.callee) else None
        if isinstance(node, tree.Unary) and node.operator == "not":
            inner = self._truth(node.operand)
            return None if inner is None else not inner
        if isinstance(node, Binary) and node.operator in ("==", "~="):
            asked = [s for s in (node.left, node.right) if not isinstance(s, tree.Nil)]
            there = self._is_there(asked[0]) if len(asked) == 1 and isinstance(asked[0], Index) else None
            return None if there is None else there == (node.operator == "~=")
        if isinstance(node, Binary) and node.operator in ("and", "or"):
            ends = node.operator == "or"
            left = self._truth(node.left)
            return left if left in (None, ends) else self._truth(node.right)
        return None

    def _branches(self) -> None:
        """Leave one way of a choice whose first condition is known."""
        for node in tree.every(self.program, tree.If):
            condition, block = node.branches[0]
            asked = self.answered.get(node)
            self.condition_names = {
                n for n in tree.walk(condition) if isinstance(n, Name) and self.variable(n) is asked
            }
            truth = self._truth(condition)
            self.condition_names = set()
            if truth is None:
                continue
            if truth or len(node.branches) == 1:
                self._only(node, block if truth else node.otherwise)
            else:
                self.put_between(node.span.start, node.branches[1][0].span.start, "if ")

    def _only(self, node: Statement, wanted: tree.Block | None) -> None:
        """Leave only one branch of a choice, as a block of its own where it has variables."""
        if wanted is None or not wanted.statements:
            self.put(node, "")
            return
        start, end = wanted.statements[0].span.start, wanted.statements[-1].span.end
        last = isinstance(wanted.statements[-1], (tree.Return, tree.Break))
        local = last or any(isinstance(s, (tree.Local, tree.LocalFunction)) for s in wanted.statements)
        same_line = b"\n" not in self.source[node.span.start : start]
        self.put_between(node.span.start, start, ("do " if same_line else "do") if local else "")
        self.put_between(end, node.span.end, " end" if local else "")

    def _choices(self) -> None:
        """``nn.A and nn.A(1) or nn.B(1)``, of which one part is left."""
        for node in tree.every(self.program, Binary):
            left = self._left(node)
            if left is not node:
                nothing = isinstance(left, Index) and self._is_there(left) is False
                self.put(node, "nil" if nothing else self.text(left))

    def _loads_itself(self, node: Binary) -> bool:
        """``tablex or require 'pl.tablex'``, which is the package, whatever a global of that name holds."""
        name = required(bare(node.right)) if node.operator == "or" else None
        if name is None or not (name in packages or name.partition(".")[0] in packages):
            return False
        return self.scopes.is_global(bare(node.left), name.rpartition(".")[2]) or self._holds(
            bare(node.left), name
        )

    def _holds(self, node: Expression, package: str) -> bool:
        """Whether a local variable only ever holds a package: ``image = image or require 'image'``."""
        variable = self.variable(node)
        if variable is None or variable.kind != "local":
            return False
        for value in self._assigned.to(variable):
            value = value if value is None else bare(value)
            if isinstance(value, Binary) and value.operator == "or" and self.variable(value.left) is variable:
                value = bare(value.right)
            if value is None or required(value) != package:
                return False
        return True

    @cached_property
    def _assigned(self) -> AssignedValues:
        return AssignedValues(self.program)

    def _left(self, node: Expression) -> Expression:
        """The part that a choice gives."""
        inner = bare(node)
        if not isinstance(inner, Binary) or inner.operator not in ("and", "or"):
            return node
        truth = False if self._loads_itself(inner) else self._truth(inner.left)
        if truth is None:
            return node
        return self._left(inner.right if truth == (inner.operator == "and") else inner.left)
