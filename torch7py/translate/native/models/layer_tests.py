"""Tests of what a module is: its class by name or by a pattern of names, and whether it has weights.

A test of a module's class becomes ``isinstance``. That holds where each layer of the original is a module of the page
that no other layer is, too. A layer without weights may be a function in a page's class: then only layers with weights
are found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property

from torch7py.translate import library, tree, tree_queries
from torch7py.translate.facts import layers as facts
from torch7py.translate.kinds import ANY_LAYER
from torch7py.translate.layers import NotNative, natives, structures
from torch7py.translate.layers.as_modules import ALWAYS, USUAL
from torch7py.translate.layers.groups import CHAIN, PARALLEL
from torch7py.translate.layers.helpers import DERIVED
from torch7py.translate.native import code
from torch7py.translate.native.analysis.builders import Builders
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.models.constructions import Constructions
from torch7py.translate.native.models.instantiation import Making
from torch7py.translate.native.patterns import regex
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.scopes import Variable
from torch7py.translate.templates import Template
from torch7py.translate.tree import Binary, Call, Expression, Index, Invoke, Name, Statement, String

__all__ = ["LayerTests"]

_ASKING = ("torch.isTypeOf", "torch.type", "torch.typename")
_METHODS = ("apply", "replace", *library.MODULE_LISTS)

Test = Callable[[str], bool]


_FIRST = Template("return NET:get(1)")


class LayerTests:
    def __init__(
        self, t: Translation, builders: Builders, constructions: Constructions, making: Making
    ) -> None:
        self.t, self.builders, self.constructions, self.making = t, builders, constructions, making
        self.layer_names = making.written.layer_names
        program = self.t.program
        self.used = (
            any(n.method in _METHODS for n in tree.every(program, Invoke))
            or any(self.t.path(n.callee) in _ASKING for n in tree.every(program, Call))
            or any(_is_list_of_modules(n) for n in tree.every(program, Index))
        )
        self.used = self.used and not t.plain_modules  # objects have the names of Torch7's classes
        self._classes: dict[str, str | None] | None = None
        self._weighted: set[str] = set()  # the layers that have weights
        self._plain: bool | None = None
        self.class_names: set[Variable] = set()  # variables that hold a class instead of its name

    # What the program's layers are

    def _constructions(self) -> Iterator[tuple[str, Call]]:
        for node in tree.walk(self.t.program):
            is_construction = isinstance(node, Call) and self.builders.is_construction(node)
            if is_construction and isinstance(node, Call) and self.t.kind(node) != "criterion":
                yield self.t.path(node.callee) or "", node

    def classes(self) -> dict[str, str | None]:
        """The names of all layers of the program, and the page's classes of them; None for what is no module there."""
        if self._classes is None:
            self._classes = {}
            for path, node in self._constructions():
                text = self._class(f"nn.{path.split('.', 1)[1]}", node)
                known = self._classes.setdefault(path, text)
                if known != text:
                    self._classes[path] = None
            for lua_class, name in self.t.classes.names.items():
                if lua_class.instance.kind == "module":
                    self._classes[lua_class.name] = name
        return self._classes

    def _class(self, name: str, node: Call) -> str | None:
        if facts.is_parallel(name):
            self._weighted.add(name)
            return "nn.DataParallel"
        instances = self.t.models.plain_modules
        before = len(instances)
        try:
            layer = self.constructions.layer(node)
            rule = natives.get(name)
            native = rule(layer.args) if rule is not None else None
            if native is None or native.weights:
                self._weighted.add(name)
            text = native.make if native is not None else ""
            text = text or self.making.plain(layer) or f"{USUAL.get(name, '')}("
        except (Problem, NotNative):
            self._weighted.add(name)
            return USUAL[name] if name in ALWAYS else None
        finally:
            del instances[before:]
        derived = DERIVED.get(text.partition("(")[0])
        if derived is not None:
            return derived
        match = re.match(r"nn\.(?!Parameter)\w+(?=\()", text)
        return match[0] if match else None

    def plain(self) -> bool:
        """Whether each layer of the program's models is a module of the page, and each module a layer."""
        if self._plain is None:
            instances = self.t.models.plain_modules
            before = len(instances)
            self._plain = all(self._is_plain(node) for _, node in self._constructions())
            del instances[before:]
        return self._plain

    def _is_plain(self, node: Call) -> bool:
        try:
            return self.making.plain(self.constructions.layer(node)) is not None
        except Problem:
            return False

    # Tests

    def subject(self, node: Expression) -> Expression | None:
        """The module whose class an expression names: ``torch.type(m)``, ``m.__typename``, or a variable for it."""
        t = self.t
        if isinstance(node, tree.Paren):
            return self.subject(node.inner)
        if isinstance(node, Call) and t.path(node.callee) in ("torch.type", "torch.typename"):
            only = node.arguments[0] if len(node.arguments) == 1 else None
            return only if only is not None and t.kind(only) == "module" else None
        if isinstance(node, Index) and node.key_name == "__typename":
            return node.base if t.kind(node.base) == "module" else None
        if isinstance(node, Name) and t.kind(node) in ("string", None, "any"):
            variable = t.scopes.of_name[node]
            sources = t.integers.sources(variable)
            if len(sources) == 1 and not variable.writes and not isinstance(sources[0], (bool, Name)):
                return self.subject(sources[0])
        return None

    def _test(self, node: Expression) -> tuple[Expression, Test] | None:
        """The module of a test of its class, and which names pass it."""
        t = self.t
        if isinstance(node, tree.Paren):
            return self._test(node.inner)
        if isinstance(node, Binary) and node.operator == "or":
            first, second = self._test(node.left), self._test(node.right)
            if first is None or second is None or "~=" in (_operator(node.left), _operator(node.right)):
                return None
            if self.t.value(first[0]).text != self.t.value(second[0]).text:
                return None
            return first[0], lambda name: first[1](name) or second[1](name)
        if isinstance(node, Binary) and node.operator in ("==", "~="):
            for one, other in ((node.left, node.right), (node.right, node.left)):
                subject = self.subject(one) if isinstance(other, String) else None
                if subject is not None and isinstance(other, String):
                    return subject, lambda name, wanted=other.value: name == wanted
        text: Expression | None = None
        args: tuple[Expression, ...] = ()
        if isinstance(node, Invoke) and node.method in ("find", "match"):
            text, args = node.receiver, node.arguments
        elif (
            isinstance(node, Call)
            and t.path(node.callee) in ("string.find", "string.match")
            and node.arguments
        ):
            text, args = node.arguments[0], node.arguments[1:]
        if text is not None and len(args) == 1 and isinstance(args[0], String):
            subject = self.subject(text)
            if subject is not None:
                pattern = re.compile(regex(args[0].value, node.line)[0])
                return subject, lambda name: pattern.search(name) is not None
        if isinstance(node, Call) and t.path(node.callee) == "torch.isTypeOf" and len(node.arguments) == 2:
            subject, wanted = node.arguments
            path = wanted.value if isinstance(wanted, String) else t.path(wanted)
            if t.kind(subject) in ("module", "any", None) and path is not None:
                return subject, lambda name, base=path: facts.derives(name, base)
        return None

    def condition(self, node: Expression) -> Py | None:
        if not self.used:
            return None
        test = self._test(node)
        if test is None:
            return self._has_field(node) or self._has_parts(node)
        subject, passes = test
        wanted = node.arguments[-1] if isinstance(node, Call) and node.arguments else node
        if isinstance(wanted, String) and facts.is_base(wanted.value) and "Mod" in wanted.value:
            return atom(f"isinstance({self.t.value(subject)}, nn.Module)")
        try:
            classes = self.passing(passes, node.line, self.is_taken_out(subject))
        except Undecided:
            if not self.t.plainly:
                raise
            return None  # as other conditions then, of what a plain call gives
        text = self.isinstance_of(self.t.value(subject).text, classes)
        if isinstance(node, Binary) and node.operator == "~=":
            return Py(f"not {text}", code.NOT)
        return text

    def isinstance_of(self, text: str, classes: list[str]) -> Py:
        return atom(f"isinstance({text}, {_several(classes)})")

    def is_taken_out(self, node: Expression) -> bool:
        """Whether a module is known to be one of the page: ``local layer = net:get(i)``"""
        sources = self.t.integers.sources(self.t.scopes.of_name[node]) if isinstance(node, Name) else []
        return len(sources) == 1 and isinstance(sources[0], Invoke) and sources[0].method == "get"

    def passing(self, passes: Test, line: int, surely: bool = False) -> list[str]:
        """The page's classes of the layers whose names pass a test. ``surely``: what is tested is a module there."""
        if self.t.apart and self.layer_names.has_packages:  # else what packages make is refused
            raise self.t.of_each_module(
                "T7-308", line, "a test of a module's class, which may be any of a package"
            )
        known = self.classes()
        passing = {name: cls for name, cls in known.items() if passes(name)}
        others = {cls for name, cls in known.items() if not passes(name)}
        if not passing:
            passing = {name: cls for name, cls in USUAL.items() if passes(name)}
        classes: list[str] = []
        for name, cls in passing.items():
            weighted = f"nn.{name.split('.', 1)[-1]}" in self._weighted or name not in known
            weighted |= surely or name in self.t.types.classes
            if cls is None or not (weighted or self.plain()):
                reason = f"whether a module is one of {name}, which need be none in PyTorch"
                raise self.t.of_each_module("T7-308", line, reason)
            if cls in others:
                reason = f"whether a module is one of {name}: others are {cls} as well"
                raise self.t.of_each_module("T7-308", line, reason)
            if cls not in classes:
                classes.append(cls)
        if not classes:
            reason = "a test of a module's class that no layer of the program passes"
            raise self.t.of_each_module("T7-308", line, reason)
        return classes

    def _has_field(self, node: Expression) -> Py | None:
        """``if m.weight then``, of a module that is any of several layers."""
        if not (isinstance(node, Index) and isinstance(node.key, String) and self.is_any(node.base)):
            return None
        if node.key.value not in ("weight", "bias"):
            return None
        self._weights_seen(node.line)
        text = self.t.value(node.base).text
        return Py(f"getattr({text}, {code.quoted(node.key.value)}, None) is not None", code.COMPARE)

    def _has_parts(self, node: Expression) -> Py | None:
        """``if m.modules then`` and ``m.modules == nil``, of a module that is any of several layers."""
        asked, is_absence = node, False
        if isinstance(node, Binary) and node.operator in ("==", "~="):
            sides = [side for side in (node.left, node.right) if not isinstance(side, tree.Nil)]
            asked, is_absence = sides[0] if len(sides) == 1 else node, node.operator == "=="
        if not (isinstance(asked, Index) and asked.key_name == "modules" and self.is_any(asked.base)):
            return None
        classes = self.passing(facts.has_list_of_modules, node.line)
        found = self.isinstance_of(self.t.value(asked.base).text, classes)
        return Py(f"not {found}", code.NOT) if is_absence else found

    def _weights_seen(self, line: int) -> None:
        """Refuse to ask for weights where a layer has some and is no module of the page."""
        for path, cls in self.classes().items():
            name = f"nn.{path.split('.', 1)[1]}"
            if cls is None and name in self._weighted and name not in structures:
                raise Problem(
                    "T7-226", line, f"the weights of all modules, of which {path} is none in PyTorch"
                )

    def is_any(self, node: Expression) -> bool:
        """Whether an expression is a module of which the layer is not known: one that is looked at among others."""
        if not self.used or self.t.kind(node) != "module":
            return False
        type_ = self.t.type(node).find()
        is_one = len({layer.name for layer in type_.layers}) == 1 and not type_.has(ANY_LAYER)
        return not type_.classes and not is_one

    def name_classes(self) -> None:
        """Parameters that are only the names of classes to look for become those classes: ``init('nn.Linear')``."""
        if not self.used:
            return
        looked_for = {
            node.arguments[0]
            for node in tree.walk(self.t.program)
            if isinstance(node, Invoke) and node.method == "findModules" and len(node.arguments) == 1
        }
        for function, calls in self.t.types.calls_of.items():
            for at, parameter in enumerate(function.parameters):
                variable = self.t.scopes.of_name[parameter]
                if variable.writes or not variable.reads or not looked_for.issuperset(variable.reads):
                    continue
                args = [c.arguments[at] if at < len(c.arguments) else None for c in calls]
                literals = [literal for literal in args if isinstance(literal, String)]
                if len(literals) != len(calls) or not all(isinstance(c, Call) for c in calls):
                    continue
                try:
                    classes: dict[Expression, Py] = {x: self._classes_named(x) for x in literals}
                except Problem:
                    continue  # which is said where it looks for them
                self.class_names.add(variable)
                self.t.expressions.instead.update(classes)

    def _classes_named(self, literal: String) -> Py:
        usual = USUAL.get(f"nn.{literal.value.partition('.')[2]}")
        if literal.value not in self.classes() and usual in self.classes().values():
            return atom("()")  # the program's layers of this kind go by another name
        return _several(self.passing(lambda name: name == literal.value, literal.line))

    def has_weights(self, node: Index) -> bool:
        """Whether a branch has found that a module is one with weights, of which this is one."""
        if self._around(node.base):
            return True
        return any(
            body.statements
            and body.statements[0].span.start <= node.span.start < body.statements[-1].span.end
            and any(
                isinstance(part, Index)
                and part.key_name in ("weight", "bias")
                and tree_queries.same_expression(part.base, node.base)
                for part in _all_true(condition)
            )
            for statement in tree.every(self.t.program, tree.If)
            for condition, body in statement.branches
        )

    def is_parallel_at(self, node: Invoke) -> bool:
        """``net:get(1)`` where a branch has found that net is a ``nn.DataParallelTable``"""
        tests = [] if _FIRST.match(node) is None else self._around(node.receiver)
        return any(passes(PARALLEL) and not passes(CHAIN) for passes in tests)

    def possible(self, node: Expression) -> set[str]:
        """The names of the program's layers that a module may be by the branches that an expression is in."""
        tests = self._around(node)
        names = {name for name in self.classes() if all(passes(name) for passes in tests)}
        holds = any(facts.parts(name) for name in names)  # one that holds others stands for them, too
        return set(self.classes()) if holds else names

    def is_chain_at(self, node: Expression) -> bool:
        """Whether a branch has found that a module is a ``nn.Sequential``, and no other container."""
        tests = self._around(node)
        names = {name for name in structures if all(passes(name) for passes in tests)}
        return bool(tests) and bool(names) and all(map(facts.is_chain, names))

    def _around(self, node: Expression, seen: frozenset[Expression] = frozenset()) -> list[Test]:
        """The tests that the module has passed where an expression stands, and those of all callers for a parameter.

        ``seen``: arguments of which it is being found out.
        """
        tests = [
            passes
            for subject, passes, body in self._branches
            if tree_queries.same_expression(subject, node)
            and body.statements[0].span.start <= node.span.start < body.statements[-1].span.end
        ]
        function, at = self._parameter(node)
        calls = [] if function is None else self.t.types.calls_of.get(function, [])
        if calls and all(isinstance(call, Call) and at < len(call.arguments) for call in calls):
            args = [call.arguments[at] for call in calls]
            outside = [[] if x in seen else self._around(x, seen.union(args)) for x in args]
            tests.append(lambda name: any(all(passes(name) for passes in passed) for passed in outside))
        return tests

    @cached_property
    def _branches(self) -> list[tuple[Expression, Test, tree.Block]]:
        """What is done with a module that has passed a test: the module, the test, and the branch."""
        branches = []
        for statement in tree.every(self.t.program, tree.If):
            for condition, body in statement.branches:
                test = self._test(condition)
                differs = isinstance(condition, Binary) and condition.operator == "~="
                if test is not None and not differs and body.statements:
                    branches.append((*test, body))
        return branches

    def _parameter(self, node: Expression) -> tuple[tree.Function | None, int]:
        """The function of which this is a parameter that always is what it was given, and which of them it is."""
        variable = self.t.scopes.of_name.get(node) if isinstance(node, Name) else None
        function = None if variable is None or variable.scope is None else variable.scope.function
        if variable is None or function is None or variable.kind != "parameter" or variable.writes:
            return None, 0
        of_function = [self.t.scopes.of_name[name] for name in function.parameters]
        return (function, of_function.index(variable)) if variable in of_function else (None, 0)

    def handles(self, node: Statement) -> bool:
        """``local name = torch.type(m)`` before tests of it is nothing in the page."""
        if not self.used or not isinstance(node, tree.Local) or len(node.names) != 1 or len(node.values) != 1:
            return False
        variable = self.t.scopes.of_name[node.names[0]]
        if variable.writes or self.subject(node.values[0]) is None:
            return False
        tested = {
            n
            for inner in tree.walk(self.t.program)
            if isinstance(inner, Expression) and self._test(inner) is not None
            for n in tree.walk(inner)
            if isinstance(n, Name)
        }
        if not set(variable.reads) <= tested:
            return False
        return not self.t.apart or all(self._is_decided(test) for test in self._tests_by(variable))

    def _tests_by(self, variable: Variable) -> Iterator[Expression]:
        """The tests of a class whose name is in a variable."""
        for inner in tree.walk(self.t.program):
            if not isinstance(inner, Expression):
                continue
            names = [n for n in tree.walk(inner) if isinstance(n, Name)]
            if any(self.t.scopes.of_name[n] is variable for n in names) and self._test(inner) is not None:
                yield inner

    def _is_decided(self, test: Expression) -> bool:
        """Whether the page tells by a class whether a test passes."""
        found = self._test(test)
        try:
            return found is not None and bool(self.passing(found[1], test.line, self.is_taken_out(found[0])))
        except Problem:
            return False

    def is_test(self, node: Expression) -> bool:
        if isinstance(node, tree.Paren):
            return self.is_test(node.inner)
        if isinstance(node, Binary) and node.operator == "and":
            return self.is_test(node.left) or self.is_test(node.right)
        if isinstance(node, Binary) and node.operator == "or":
            return self.is_test(node.left) and self.is_test(node.right)
        if self._is_of_own_field(node):
            return True
        if isinstance(node, Binary) and node.operator == "~=":
            return False
        return self._test(node) is not None or (
            isinstance(node, Index) and node.key_name in ("weight", "bias") and self.is_any(node.base)
        )

    def _is_of_own_field(self, node: Expression) -> bool:
        """``m.name``, ``m.name ~= nil`` and ``m.name == 'first'``, where only the program gives modules this field."""
        if isinstance(node, Binary) and node.operator in ("==", "~="):
            is_nil = isinstance(node.right, tree.Nil)
            if not (is_nil or isinstance(node.right, String)) or is_nil != (node.operator == "~="):
                return False
            node = node.left
        own = self.t.types.program_fields - self.t.types.fields_of_modules
        is_own = isinstance(node, Index) and node.key_name in own
        return is_own and isinstance(node, Index) and self.t.kind(node.base) == "module"


def _all_true(condition: Expression) -> Iterator[Expression]:
    """What is neither nil nor false where a condition holds."""
    if isinstance(condition, tree.Paren):
        yield from _all_true(condition.inner)
    elif isinstance(condition, Binary) and condition.operator == "and":
        yield from _all_true(condition.left)
        yield from _all_true(condition.right)
    elif (
        isinstance(condition, Binary) and condition.operator == "~=" and isinstance(condition.right, tree.Nil)
    ):
        yield condition.left
    else:
        yield condition


def _is_list_of_modules(node: Index) -> bool:
    return node.key_name == "modules"


def _several(classes: list[str]) -> Py:
    return atom(classes[0] if len(classes) == 1 else f"({', '.join(classes)})")


def _operator(node: Expression) -> str:
    return node.operator if isinstance(node, Binary) else ""
