"""Outputs of modules that another one calls: ``encoder.output`` and ``model:get(3).output`` after ``model:forward(x)``.

A Torch7 module keeps its last output. One of PyTorch does so with a forward hook, which it is given where the program
puts it into the variable or the field that the output is read from. What the program hands on to a module or a
criterion is none of these: gradients would have to go through it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from torch7py.translate import page_library, tree
from torch7py.translate.layers import NotNative
from torch7py.translate.layers.in_place import changes_input, is_written_over
from torch7py.translate.native.analysis.builders import Builder, Builders
from torch7py.translate.native.code import ATOM
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.models.constructions import Constructions
from torch7py.translate.native.models.encoder_decoder_state import Coupling
from torch7py.translate.native.problem import Problem
from torch7py.translate.scopes import Variable
from torch7py.translate.templates import Template
from torch7py.translate.tree import Expression, Index, Invoke, Name, Statement, String

__all__ = ["Hooks"]

_GET, _ENTRY = Template("return INNER:get(AT)"), Template("return INNER.modules[AT]")
_Holder = Variable | str  # of a module: the variable, or the field by its name


class Hooks:
    def __init__(
        self, t: Translation, builders: Builders, coupling: Coupling, constructions: Constructions
    ) -> None:
        self.t, self.builders, self.coupling, self.constructions = t, builders, coupling, constructions
        self._read: dict[Index, _Holder] | None = None

    def reads(self) -> dict[Index, _Holder]:
        """The outputs that the program looks at, and the variables or fields that their modules are reached from.

        What a module gave in a call of its own, which is known, has a name in the page and is none of these.
        """
        if self._read is None:
            self._read = {}
            explicit = self.t.training.explicit
            nodes = list(tree.walk(self.t.program))
            handed_on = {
                inner
                for n in nodes
                if isinstance(n, Invoke) and self.t.kind(n.receiver) in ("module", "criterion")
                for argument in n.arguments
                for inner in tree.walk(argument)
            }
            for node in nodes:
                if not isinstance(node, Index) or node.key_name != "output":
                    continue
                if self.t.kind(node.base) != "module" or node in self.coupling.inside:
                    continue
                if node not in handed_on and node not in explicit.read and node not in explicit.kept_fields:
                    holder = self._holder(node.base)
                    if holder is not None:
                        self._read[node] = holder
        return self._read

    def after(self, statement: Statement) -> None:
        """Have a module that a statement has made keep its output, where that is read."""
        builders = self.builders
        builder, in_field = builders.written_with_last(statement), builders.of_fields.get(statement)
        if builders.is_unfinished(statement):
            return
        if builder is not None:
            holders: set[object] = {builder.variable}
        elif in_field is not None:
            holders = {self._slot(in_field.target)}
        else:
            holders = {self._slot(target) for target, _ in _assignments_of(statement)}
        texts = dict.fromkeys(
            self.t.value(node.base).at(ATOM)
            for node, holder in (self.reads().items() if holders else ())
            if holder in holders
        )
        for text in texts:
            if self.t.plain_passes:
                hook, self.t.mixed = f"{page_library.MODULE}.keep_output", True
            else:
                hook = self.t.need("keep_output")
            self.t.emit(f"{text}.register_forward_hook({hook})")

    def _holder(self, module: Expression) -> _Holder | None:
        """The variable or field from which a module is reached; None where it is not known to hold one alone."""
        root = self._root(module)
        if isinstance(root, Name):
            builder = self.builders.builder_at(root)
            if builder is not None and not builder.dynamic and module is not root:
                written = self._is_written_over(module, builder)
                return None if written else builder.variable
        if module is not root and not (root is None and isinstance(module, Index)):
            return None
        values = self._values(module)
        if not values or any(self.t.kind(value) != "module" for value in values):
            return None
        if self._may_be_written_over(module):
            return None
        holder = self._slot(module)
        return holder if isinstance(holder, (Variable, str)) else None

    def _values(self, node: Expression) -> list[Expression]:
        """All that a variable or a field is given; nothing where others may give it something as well."""
        if isinstance(node, Name):
            variable = self.t.scopes.of_name[node]
            if variable.kind not in ("local", "global"):
                return []
            statements = tree.every(self.t.program, tree.Assignment)
            return [
                value
                for statement in statements
                for target, value in _assignments_of(statement)
                if isinstance(target, Name) and self.t.scopes.of_name[target] is variable
            ]
        if isinstance(node, Index) and isinstance(node.key, String) and node.dotted:
            return [value for value, _ in self.builders.field_assignments(node.key.value)]
        return []

    def _is_written_over(self, node: Expression, builder: Builder) -> bool:
        """Whether the layer after a part writes over its output: ``nn.ReLU(true)``."""
        places: list[int] = []
        while not isinstance(node, Name):
            index = (
                node.arguments[0]
                if isinstance(node, Invoke)
                else node.key
                if isinstance(node, Index)
                else node
            )
            if not isinstance(index, tree.Number):
                return False
            places.insert(0, int(index.value) - 1)
            inner = (
                node.receiver if isinstance(node, Invoke) else node.base if isinstance(node, Index) else node
            )
            node = inner.base if isinstance(node, Index) and isinstance(inner, Index) else inner
        try:
            model = self.constructions.whole(builder)
        except (Problem, NotNative):
            return False  # which is said where it is made
        return is_written_over(model, places)

    def _root(self, node: Expression) -> Name | None:
        """The variable of ``net:get(1):get(2)`` and ``net.modules[1]``, with constants as places."""
        while not isinstance(node, Name):
            found = _GET.match(node) or _ENTRY.match(node)
            if found is None or not isinstance(found["AT"], tree.Number):
                return None
            node = found["INNER"]
        return None if self.t.type(node).find().classes else node

    def _may_be_written_over(self, part: Expression) -> bool:
        """Whether what a container has behind a module may write over what that gives."""
        chains: dict[object, list[Expression]] = {}
        for statement in tree.those(self.t.program, tree.Run, tree.Local, tree.Assign):
            for target, value in _assignments_of(statement):
                added: list[Expression] = []
                while isinstance(value, Invoke) and value.method == "add" and value.arguments:
                    added.insert(0, value.arguments[0])
                    value = value.receiver
                chains.setdefault(self._slot(target or value), []).extend(added)
        return any(
            self._may_be(first, part) and self._changes_input(second)
            for added in chains.values()
            for first, second in itertools.pairwise(added)
        )

    def _may_be(self, node: Expression, module: Expression) -> bool:
        """Whether an expression may be the module that another one is."""
        if self._slot(node) == self._slot(module):
            return True
        is_construction = self.builders.is_construction(node)
        return not is_construction and not (self._made_in_place(node) and self._made_in_place(module))

    def _made_in_place(self, node: Expression) -> bool:
        """Whether all that a variable or a field is given is made right there."""
        values = self._values(node)
        return bool(values) and all(map(self.builders.is_construction, values))

    def _slot(self, node: Expression | None) -> object:
        """The variable, or the name of the field, in which something is."""
        if isinstance(node, Name):
            return self.t.scopes.of_name[node]
        return node.key.value if isinstance(node, Index) and isinstance(node.key, String) else node

    def _changes_input(self, node: Expression) -> bool:
        """Whether a module may write over its input: so too if it is not known what it is."""
        constructions, builders = self.constructions, self.builders
        try:
            if isinstance(node, Name) and (builder := builders.builder_at(node)) is not None:
                return changes_input(constructions.whole(builder))
            if isinstance(node, Index) and isinstance(node.key, String):
                assignments = builders.field_assignments(node.key.value)
                expressions = [builder.whole() if builder else value for value, builder in assignments]
                return not expressions or any(
                    changes_input(constructions.layer(whole)) for whole in expressions
                )
            return changes_input(constructions.layer(node))
        except (Problem, NotNative):
            return True


def _assignments_of(statement: tree.Node) -> Iterator[tuple[Expression | None, Expression]]:
    """What a statement gives variables and fields; a call that stands alone for none of them."""
    if isinstance(statement, tree.Run):
        yield None, statement.call
    elif isinstance(statement, tree.Assignment):
        yield from zip(statement.targets, statement.values, strict=False)
