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

    def is_of_nothing(self, name: str, kinds: Set[str]) -> bool:
        """Whether nothing that a page has is known to have a method of this name, nor what may be of these kinds."""
        return not (
            kinds - _WITHOUT_METHODS or name in self._of_classes or self._is_of_library_or_table(name)
        )

    def _is_of_library_or_table(self, name: str) -> bool:
        of_library = (
            *map(page_library.methods_of, ("text", "storage", "module")),
            page_library.object_methods(),
        )
        return name in self._of_tensors or any(name in names for names in of_library)

    def class_with(self, name: str) -> LuaClass | None:
        """The class whose objects alone have a method of this name, with those that derive from it."""
        if self._is_of_library_or_table(name):
            return None
        owners = [
            c for c in self._classes if name in c.methods and (c.base is None or c.base.find(name) is None)
        ]
        first = owners[0] if len(owners) == 1 else None
        return first if first is not None and first.instance.kind == "object" else None

    def _may_have(self, kind: str, name: str) -> bool:
        if kind == "tensor":
            return name in self._of_tensors
        if kind == "string":
            return name in page_library.methods_of("text")
        if kind == "table":
            return name in self._kept_elsewhere
        if kind == "object":
            return name in self._of_classes or name in self._kept_elsewhere
        return kind not in _WITHOUT_METHODS

    @cached_property
    def _of_tensors(self) -> set[str]:
        """The names of what tensors can do, and of what the program may have added to it."""
        of_library = page_library.methods_of("tensor") | library.TENSOR_METHODS | READING | CHANGING
        return {*of_library, *self._kept_elsewhere}

    @cached_property
    def _of_classes(self) -> set[str]:
        return {name for lua_class in self._classes for name in lua_class.methods}

    @cached_property
    def _classes(self) -> set[LuaClass]:
        return {*self.types.classes.values(), *self.types.class_of_variable.values()}

    @cached_property
    def _kept_elsewhere(self) -> set[str]:
        """The names of fields of other tables than classes that may hold functions."""
        names = set()
        for name, value in self._fields():
            kinds = self.types.of(value).find().kinds
            if not kinds or "function" in kinds:
                names.add(name)
        return names

    def _fields(self) -> Iterator[tuple[str, Expression]]:
        """The fields, with what they are given, of all tables that are no classes."""
        for table in tree.every(self.program, tree.Table):
            yield from ((item.key_name, item.value) for item in table.fields if item.key_name)
        stored: list[tuple[Expression, Expression]] = [
            (node.target, node.function) for node in tree.every(self.program, tree.FunctionStatement)
        ]
        for node in tree.every(self.program, tree.Assign):
            unknown = tree.Vararg(node.span)
            stored += itertools.zip_longest(node.targets, node.values, fillvalue=unknown)
        for target, value in stored:
            if isinstance(target, Index) and target.key_name and self.types.class_named(target.base) is None:
                yield target.key_name, value
