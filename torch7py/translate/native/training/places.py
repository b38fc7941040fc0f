"""Where the statements of a program are: in which function, and in which other statements."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.native.layer_fields import BACKWARD
from torch7py.translate.scopes import Scope
from torch7py.translate.tree import Block, Expression, Invoke, Name, Statement

if TYPE_CHECKING:
    from torch7py.translate.native.translator import Translator

__all__ = ["Places"]


class Places:
    def __init__(self, translator: Translator) -> None:
        self.t = translator
        self.parents: dict[Statement, tuple[Statement, ...]] = {}  # the statements around, outermost first
        self.owner: dict[Statement, Scope] = {}  # the function that each is in
        self.home: dict[tree.Node, Statement] = {}  # the statement of names and calls of methods
        self._of_scope: dict[Scope, list[Statement]] | None = None
        self._place(translator.program, translator.scopes.main, ())

    def _place(self, block: Block, scope: Scope, around: tuple[Statement, ...]) -> None:
        for statement in block.statements:
            self.parents[statement] = around
            self.owner[statement] = scope
            self._descend(statement, scope, (*around, statement))

    def _descend(self, node: tree.Node | Block, scope: Scope, around: tuple[Statement, ...]) -> None:
        for child in tree.children(node):
            kind = type(child)
            if kind is Name or kind is Invoke:
                self.home[child] = around[-1]  # type: ignore[index]
            if isinstance(child, Block):
                self._place(child, scope, around)
            elif isinstance(child, tree.Function):
                self._place(child.body, self.t.scopes.of_function[child], ())
            else:
                self._descend(child, scope, around)

    def bodies(self) -> list[tuple[Scope, Block]]:
        """The functions, without the backward halves of the program's own layers, which have rules of their own."""
        scopes = self.t.scopes
        halves = {
            made.methods[name]
            for made in self.t.classes.all
            for name in BACKWARD
            if name in made.methods and made.instance.kind in ("module", "criterion")
        }
        bodies = [
            (scope, function.body) for function, scope in scopes.of_function.items() if function not in halves
        ]
        return [*bodies, (scopes.main, self.t.program)]

    def all_statements(self) -> list[Statement]:
        return list(self.owner)

    def statements_of(self, scope: Scope) -> list[Statement]:
        if self._of_scope is None:
            self._of_scope = {}
            for statement, owner in self.owner.items():
                self._of_scope.setdefault(owner, []).append(statement)
        return list(self._of_scope.get(scope, ()))

    @cached_property
    def indexed(self) -> set[Expression]:
        """What the program looks into: ``a`` of ``a[1]`` and ``a.x``."""
        return {index.base for index in tree.every(self.t.program, tree.Index)}

    @cached_property
    def stored_in(self) -> set[Expression]:
        """What the program stores in: ``a`` of ``a[1] = 2``."""
        targets = [x for s in tree.every(self.t.program, tree.Assign) for x in s.targets]
        return {target.base for target in targets if isinstance(target, tree.Index)}
