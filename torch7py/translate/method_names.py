"""Which kinds of values have a method of a name: what may be of several kinds, and is called so, is one of these."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Set
from functools import cached_property

from torch7py.translate import library, page_library, tree
from torch7py.translate.facts.methods import CHANGING, READING
from torch7py.translate.kinds import LuaClass
from torch7py.translate.tree import Block, Expression, Index
from torch7py.translate.types import Types

__all__ = ["MethodNames"]

_WITHOUT_METHODS = {"boolean", "function", "number"}


class MethodNames:
    def __init__(self, program: Block, types: Types) -> None:
        self.program, self.types = program, types

    def kinds_with(self, name: str, kinds: Set[str]) -> set[str]:
        """Those of several kinds that may have a method of this name."""
        return {kind for kind in kinds if self._may_have(kind, name)}

    def _is_of_library(self, name: str) -> bool:
        of_library = (
            *map(page_library.methods_of, ("text", "storage", "module")),
            page_library.object_methods(),
            library.METHODS_OF_OBJECTS,
        )
        return name in self._of_library_tensors or any(name in names for names in of_library)

    def class_with(self, name: str) -> LuaClass | None:
        """The class whose objects alone have a method of this name, with those that derive from it."""
        if self._is_of_library(name) or self._may_be_of_table(name):
            return None
        owners = [
            c for c in self._classes if name in c.methods and (c.base is None or c.base.find(name) is None)
        ]
        first = owners[0] if len(owners) == 1 else None
        return first if first is not None and first.instance.kind == "object" else None

    def _may_have(self, kind: str, name: str) -> bool:
        if kind == "tensor":
            return name in self._of_library_tensors or self._may_be_of_table(name)
        if kind == "string":
            return name in page_library.methods_of("text")
        if kind == "table":
            return self._may_be_of_table(name)
        if kind == "object":
            return name in self._of_classes or self._may_be_of_table(name)
        return kind not in _WITHOUT_METHODS

    @cached_property
    def _of_library_tensors(self) -> Set[str]:
        return page_library.methods_of("tensor") | library.TENSOR_METHODS | READING | CHANGING

    @cached_property
    def _of_classes(self) -> set[str]:
        return {name for lua_class in self._classes for name in lua_class.methods}

    @cached_property
    def _classes(self) -> set[LuaClass]:
        return {*self.types.classes.values(), *self.types.class_of_variable.values()}

    def _may_be_of_table(self, name: str) -> bool:
        """Whether a table that is no class, or what tensors can do, may hold a function under this name."""
        return None in self._names_of_functions or name in self._names_of_functions

    @cached_property
    def _names_of_functions(self) -> set[str | None]:
        """The names under which tables that are no classes may hold functions: None is a name computed when it runs."""
        return {
            key.value if isinstance(key, tree.String) else None
            for key, value in self._stored()
            if self._may_be(key, "string") and self._may_be(value, "function")
        }

    def _may_be(self, node: Expression, kind: str) -> bool:
        kinds = self.types.of(node).find().kinds
        return not kinds or kind in kinds

    def _stored(self) -> Iterator[tuple[Expression, Expression]]:
        """The keys, with what is stored there, of all tables that are no classes."""
        for table in tree.every(self.program, tree.Table):
            yield from ((item.key, item.value) for item in table.fields if item.key is not None)
        for call in tree.every(self.program, tree.Call):
            if (
                isinstance(call.callee, tree.Name)
                and call.callee.name == "rawset"
                and len(call.arguments) > 2
            ):
                yield call.arguments[1], call.arguments[2]
        stored: list[tuple[Expression, Expression]] = [
            (node.target, node.function) for node in tree.every(self.program, tree.FunctionStatement)
        ]
        for node in tree.every(self.program, tree.Assign):
            unknown = tree.Vararg(node.span)
            stored += itertools.zip_longest(node.targets, node.values, fillvalue=unknown)
        for target, value in stored:
            if isinstance(target, Index) and self.types.class_named(target.base) is None:
                yield target.key, value
