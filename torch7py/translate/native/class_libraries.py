"""Classes of the packages ``class``, ``classic`` and ``pl.class``, read as those of ``torch.class``.

A file whose use of such a package is more than classes, their constructors and parents stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable

from torch7py.translate import tree, tree_queries
from torch7py.translate.inference.classes import METAMETHODS
from torch7py.translate.native.tree_replacement import replace_in
from torch7py.translate.scopes import Scopes, Variable, resolve
from torch7py.translate.tree import Block, Call, Expression, Index, Invoke, Name, Run, Span, Statement, String

__all__ = ["read_class_libraries"]

_PACKAGES = {"class", "classic", "pl.class"}
_ASKED = ("mustHave", "final")  # what a class of classic is told that must be, or must not
# What objects and classes of these packages have besides, of which torch.class has nothing.
_OF_OBJECTS = {
    "class": METAMETHODS - {"__init", "__index"},  # which objects of a class that derives do not have
    "classic": set("class classIs __init __eq __lt __le __len __mod __gc __mode __pairs __ipairs".split()),
    "pl.class": set("_base _class _class_init _create _handler _name _post_init cast catch".split()),
}
_OF_CLASSES = set(
    "abstract allMethods include instantiate isClassOf isSubclassOf methodIsFinal methods parent super".split()
)


class _Leave(Exception):
    """The package is used in a way that torch.class has not."""


def read_class_libraries(program: Block, is_package: Callable[[str], bool]) -> None:
    """Put torch.class in the place of other packages' classes, in a file that was just parsed.

    ``is_package``: whether ``require`` finds a package of that name, and no file of the program's.
    """
    required = {
        s: package
        for s in tree_queries.statements(program)
        if (package := _required(s)) is not None and is_package(package)
    }
    named = any(isinstance(n.base, Name) and n.base.name == "classic" for n in tree.every(program, Index))
    packages = {*required.values(), *(("classic",) if named else ())}
    if len(packages) != 1:
        return
    try:
        rewrite = _File(program, list(required), packages.pop())
    except _Leave:
        return
    replace_in(program, rewrite.new, rewrite.gone)


def _required(statement: Statement) -> str | None:
    """The package of ``local class = require 'class'``, and of ``require 'classic'``, which is a global then."""
    call, targets = tree_queries.only_value(statement), tree_queries.targets(statement)
    if isinstance(statement, Run):
        call = statement.call
    if (
        not isinstance(call, Call)
        or tree_queries.dotted(call.callee) != "require"
        or len(call.arguments) != 1
    ):
        return None
    name = call.arguments[0]
    if not isinstance(name, String) or name.value not in _PACKAGES or len(targets) > 1:
        return None
    return name.value if all(isinstance(target, Name) for target in targets) else None


class _File:
    """What takes the place of what: expressions, and the statements that go."""

    def __init__(self, program: Block, required: list[Statement], package: str) -> None:
        self.program, self.package = program, package
        self.scopes: Scopes = resolve(program)
        names = [target for s in required for target in tree_queries.targets(s) if isinstance(target, Name)]
        self.library = {self.scopes.of_name[name] for name in names}  # the variables that hold the package
        if package == "classic" and package in self.scopes.globals:
            self.library.add(self.scopes.globals[package])
        if {write for variable in self.library for write in variable.writes} - set(names):
            raise _Leave
        self.left = {read for variable in self.library for read in variable.reads}
        self.classes: dict[Variable, str] = {}  # the names of classes, by what holds them
        self.bases: dict[Variable, str] = {}  # what their parents are called
        self.saves = False  # whether objects of classic are torch's
        self.new: dict[Expression, Expression] = {}
        self.gone: dict[Statement, Statement] = {}
        for statement in required:
            self._leave_out(statement)
        statements = list(tree_queries.statements(program))
        for statement in statements:
            self._class_definition(statement)
        for statement in statements:
            self._class_declaration(statement)
        self._constructors()
        for call in tree.every(program, Call):
            self._asked(call)
        if package == "pl.class":
            for statement in statements:
                if isinstance(statement, tree.FunctionStatement) and statement.method:
                    self._supers(statement)
            for node in tree.every(program, Invoke):
                self._class_asked(node)
        if self.left:
            raise _Leave

    def _leave_out(self, statement: Statement) -> None:
        self.gone[statement] = tree.Do(statement.span, statement.around, Block((), None, ()))

    def _written(self, node: tree.Node) -> None:
        """What is read here of the package is written otherwise."""
        self.left -= {name for name in tree.walk(node) if isinstance(name, Name)}

    def _is_library(self, node: Expression) -> bool:
        return isinstance(node, Name) and self.scopes.of_name[node] in self.library

    def _of_library(self, node: Expression) -> str | None:
        """``X`` in ``library.X``; nothing for the library itself."""
        if self._is_library(node):
            return ""
        if not isinstance(node, Index) or not self._is_library(node.base):
            return None
        return node.key_name

    # The classes

    def _class_definition(self, statement: Statement) -> None:
        """``local C, super = classic.class('C', Base)``, ``local C = class(Base)``, ``class.C(Base)``"""
        call = statement.call if isinstance(statement, Run) else tree_queries.only_value(statement)
        word = self._of_library(call.callee) if isinstance(call, Call) else None
        if word is None or not isinstance(call, Call):
            return
        targets = tree_queries.targets(statement)
        first = targets[0] if targets else None
        if any(not isinstance(target, Name) for target in targets):
            raise _Leave
        arguments = list(call.arguments)
        if self.package == "pl.class":
            name = self._name_in_penlight(word, targets)
        elif word in {"class": ("", "new"), "classic": ("class",)}[self.package]:
            named = arguments.pop(0) if arguments else None
            if not isinstance(named, String):
                raise _Leave
            name = named.value
        else:
            return
        base = arguments[0] if arguments else None
        by_name = isinstance(base, String) and self.package != "pl.class"
        known = isinstance(base, Name) and self.package != "class"
        if len(arguments) > 1 or not (base is None or by_name or known):
            raise _Leave
        variable = self.scopes.of_name[first] if isinstance(first, Name) else self.scopes.globals.get(name)
        if variable is not None:
            if len(variable.writes) > (variable.is_global and bool(targets)):
                raise _Leave
            self.classes[variable] = name
            if isinstance(base, Name):
                self.bases[variable] = base.name
        self._written(call.callee)
        self.new[call] = Call(
            call.span, _torch("class", call.span), (String(call.span, name), *([base] if base else []))
        )

    def _name_in_penlight(self, word: str, targets: tuple[Expression, ...]) -> str:
        """``C = class()``, or ``class.C()``, which makes a global variable."""
        only = targets[0] if len(targets) == 1 else None
        if word in ("", None) and isinstance(only, Name):
            return only.name
        if not word or targets or word == "properties":
            raise _Leave
        return word

    # What is done with them

    def _class_declaration(self, statement: Statement) -> None:
        """``C:mustHave('f')``, ``classic.strict(self)``, ``require 'classic.torch'``: what only checks, or saves."""
        call = statement.call if isinstance(statement, Run) else None
        if self.package != "classic" or call is None:
            return
        if isinstance(call, Invoke):
            goes = self._is_class(call.receiver) and call.method in _ASKED
        else:
            first = call.arguments[0] if len(call.arguments) == 1 else None
            saves = isinstance(first, String) and first.value == "classic.torch"
            saves = saves and tree_queries.dotted(call.callee) == "require"
            self.saves |= saves
            goes = saves or self._of_library(call.callee) == "strict"
        if goes:
            self._written(call)
            self._leave_out(statement)

    def _is_class(self, node: Expression) -> bool:
        return isinstance(node, Name) and self.scopes.of_name[node] in self.classes

    def _constructors(self) -> None:
        """``_init`` as ``__init``, ``C.static.f`` as ``C.f``; nothing that torch.class has not."""
        others = _OF_OBJECTS[self.package]
        if self.package == "classic" and not self.saves:
            others = others | (METAMETHODS - {"__index"})  # which strict objects do not have then
        for node in tree.every(self.program, Index):
            key = node.key_name
            if key in others and not self._is_library(node.base):
                raise _Leave
            if key == "_init" and self.package != "class":
                self.new[node.key] = String(node.key.span, "__init")
            if key == "static" and self.package == "classic" and self._is_class(node.base):
                self.new[node] = node.base
        for call in tree.every(self.program, Invoke):
            of_class = self.package == "classic" and self._is_class(call.receiver)
            if call.method in ("_init", *others) or (of_class and call.method in _OF_CLASSES):
                raise _Leave

    def _asked(self, call: Call) -> None:
        """``class.type(x)``, ``class.istype(x, 'C')``"""
        word = self._of_library(call.callee) if self.package == "class" else None
        name = {"type": "type", "istype": "isTypeOf"}.get(word or "")
        if name is not None:
            self._written(call.callee)
            self.new[call.callee] = _torch(name, call.callee.span)

    def _supers(self, statement: tree.FunctionStatement) -> None:
        """``self:super(x)`` in a constructor as ``Base.__init(self, x)``"""
        target = statement.target
        key = target.key if isinstance(target, Index) else None
        holder = target.base if isinstance(target, Index) else None
        variable = self.scopes.of_name[holder] if isinstance(holder, Name) else None
        for node in tree.walk(statement.function.body):
            if not isinstance(node, Invoke) or node.method != "super":
                continue
            itself, constructor = node.receiver, isinstance(key, String) and key.value == "_init"
            if not isinstance(itself, Name) or itself.name != "self" or not constructor:
                raise _Leave
            if variable is None or variable not in self.bases:
                raise _Leave
            start = Index(node.span, Name(node.span, self.bases[variable]), String(node.span, "__init"), True)
            self.new[node] = Call(node.span, start, (itself, *node.arguments))

    def _class_asked(self, node: Invoke) -> None:
        """``x:is_a(C)``, ``C:class_of(x)``"""
        if node.method not in ("is_a", "class_of"):
            return
        if len(node.arguments) != 1:
            raise _Leave
        value, named = node.receiver, node.arguments[0]
        if node.method == "class_of":
            value, named = named, value
        class_name = self.classes.get(self.scopes.of_name[named]) if isinstance(named, Name) else None
        if class_name is None:
            raise _Leave
        self.new[node] = Call(
            node.span, _torch("isTypeOf", node.span), (value, String(named.span, class_name))
        )


def _torch(name: str, location: Span) -> Index:
    return Index(location, Name(location, "torch"), String(location, name), True)
