"""What is known of the kinds in a program: number, string, tensor, table, module, ... of each expression."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence

from torch7py.translate import library, tree
from torch7py.translate.argument_checks import ArgumentChecks
from torch7py.translate.kinds import Entry, LuaClass, Returns, Type
from torch7py.translate.scopes import Scopes, Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, String

__all__ = ["Family", "Types"]

# Kinds of what has fields without being of a class of the program.
_WITH_FIELDS = frozenset({"table", "tensor", "storage", "file"})


class Family:
    """Classes that are looked at together: a variable may hold objects of any layer that a program has.

    ``itself``: it is the classes, not their objects. ``instances`` are the types of their objects.
    """

    def __init__(self, classes: Sequence[LuaClass], itself: bool) -> None:
        self.classes = tuple(classes)
        self.itself = itself
        self.instances = tuple(dict.fromkeys(lua_class.instance.find() for lua_class in classes))
        self.parents = {lua_class.parent for lua_class in classes}
        self._methods: dict[str, list[tree.Function]] = {}

    def methods(self, name: str) -> list[tree.Function]:
        """The functions that a field of this name may be."""
        functions = self._methods.get(name)
        if functions is None:
            every: dict[tree.Function, None] = {}
            for lua_class in self.classes:
                first = lua_class.find(name) if self.itself else None
                every |= dict.fromkeys(
                    lua_class.everywhere(name) if not self.itself else [first] if first else []
                )
            functions = self._methods[name] = list(every)
        return functions


class Types:
    """The result: ``of(expression)``, and what was found out about functions and classes."""

    def __init__(self, scopes: Scopes) -> None:
        self.scopes = scopes
        self.by_node: dict[Expression, Type] = {}
        self.results: dict[Expression, list[Type]] = {}  # of calls, every value
        self.returns: dict[tree.Function, Returns] = {}
        self.versions: dict[Variable, tuple[list[int], list[Type]]] = {}
        self.classes: dict[str, LuaClass] = {}
        self.class_of_variable: dict[Variable, LuaClass] = {}
        self.self_of: dict[Variable, LuaClass] = {}  # the first parameters of methods of a class
        self.parent_of_variable: dict[Variable, LuaClass] = {}
        self.checks: dict[tree.Function, ArgumentChecks] = {}  # of functions made by argcheck
        self.takes_class: set[tree.Function] = set()  # makers whose first parameter is the class
        # Makers that take a table for the object: its parameter.
        self.table_handed: dict[tree.Function, Name] = {}
        self.varargs: dict[tree.Function, Type] = {}  # of what ... holds
        self.calls_of: dict[tree.Function, list[Call | Invoke]] = {}
        self.packages: dict[Variable, str] = {}  # variables that hold a package
        # Names of fields with tables that the program may give a module.
        self.fields_of_modules: set[str] = set()
        self.given_once: dict[Variable, Expression] = {}  # variables that hold one value, and it
        self.taken_fields: dict[Index, Expression] = {}  # ``self[k]``, and the table whose fields it is given
        self.program_fields: set[str] = set()  # names of other fields that it may give one
        self.known: dict[tree.Function, str] = {}  # functions that are known by what they do
        self.entries: dict[Call, Entry] = {}  # calls that give an entry of a table by its name
        self.guessed: set[Expression] = set()  # whose kind only their use tells
        # Parameters of several kinds where tests say that they are of fewer.
        self.narrowed: Collection[Name] = ()
        self._families: dict[tuple[Type, bool, int], Family] = {}

    def of(self, node: Expression) -> Type:
        return self.by_node[node].find() if node in self.by_node else Type()

    def kind(self, node: Expression) -> str | None:
        return self.of(node).kind

    def path(self, node: Expression) -> str | None:
        """``torch.randn`` for that expression, when its first name is a global nobody assigns.

        Penlight's modules, which are globals of every program, are ``pl.utils`` and so on.
        """
        if type(node) is Name:
            variable = self.scopes.of_name.get(node)
            if variable is not None and variable.scope is None and not variable.writes:
                return f"pl.{node.name}" if node.name in library.PENLIGHT else node.name
            return self.packages.get(variable) if variable is not None else None
        if type(node) is Index and node.dotted and isinstance(node.key, tree.String):
            base = self.path(node.base)
            if node.key.value == "new" and base is not None and library.is_class(base):
                return base  # which makes the same objects
            return None if base is None else f"{base}.{node.key.value}"
        return None

    def version(self, name: Name) -> Type:
        variable = self.scopes.of_name[name]
        bounds, types = self.versions[variable]
        return types[bisect_right(bounds, name.span.start)].find()

    def function_called(self, call: Call | Invoke) -> Sequence[tree.Function]:
        """The functions of the program that a call may reach."""
        if isinstance(call, Call):
            return self.of(call.callee).functions
        owner = self.of(call.receiver)
        if len(owner.classes) > 1:
            methods = self._methods_of_few(call)
            if methods:
                return methods
        return self.methods_of(owner, call.method)

    def _methods_of_few(self, call: Invoke) -> Sequence[tree.Function]:
        """The methods that a call may reach, where it is known of which of several classes the object is."""
        receiver = call.receiver
        made = self.class_made(receiver)
        if made is not None:
            method = made.find(call.method)
            return () if method is None else (method,)
        # a method's own object is of its class
        lua_class = self.self_of.get(self.scopes.of_name[receiver]) if isinstance(receiver, Name) else None
        return lua_class.everywhere(call.method) if lua_class is not None else ()

    def class_made(self, node: Expression) -> LuaClass | None:
        """The class by torch.class that an object is made of, which is then of none that derives from it."""
        if isinstance(node, Name):
            value = self.given_once.get(self.scopes.of_name[node])
            node = node if value is None else value
        if not isinstance(node, Call):
            return None
        lua_class = self.class_named(node.callee)
        return lua_class if lua_class in self.classes.values() and self.kind(node.callee) == "class" else None

    def is_of_classes(self, node: Expression, others: frozenset[str] = _WITH_FIELDS) -> bool:
        """Whether something is an object, or a class, of the program's own, and nothing else that has fields.

        Tables that are given a metatable are objects of its class in the page, too.
        """
        if isinstance(node, Name) and self.scopes.of_name[node] in self.self_of:
            return True
        owner = self.of(node).find()
        by_metatable = owner.classes and all(lua_class.by_metatable for lua_class in owner.classes)
        if by_metatable and all(table.classes for table in self.tables_of(owner)):
            others = others - {"table"}
        return owner.kind == "object" or (bool(owner.classes) and not owner.kinds & others)

    def tables_of(self, table_type: Type) -> list[Type]:
        """The types of the tables that a type takes, itself among them."""
        seen: dict[Type, None] = {}
        waiting = [table_type.find()]
        while waiting:
            table = waiting.pop()
            if table not in seen and "table" in table.kinds:
                seen[table] = None
                waiting += [source.find() for source in table.sources]
        return list(seen)

    def has_methods_of_classes(self, node: Expression) -> bool:
        """Whether the methods of something can only be those of classes of the program's own; texts have some."""
        return self.is_of_classes(node, _WITH_FIELDS | {"string"})

    def calls_program(self, node: Expression) -> bool:
        """Whether something calls functions of the program, which may do more than give a value of a known kind."""
        calls = (inner for inner in tree.walk(node) if isinstance(inner, (Call, Invoke)))
        return any(map(self.function_called, calls))

    def is_in_field(self, call: Invoke) -> bool:
        """Whether what an object is asked for is no method of its class but a value that it has in a field."""
        owner = self.of(call.receiver)
        return bool(owner.classes) and not self.family(owner).methods(call.method)

    def bound_arguments(self, function: tree.Function, call: Call | Invoke) -> list[tuple[Name, Expression]]:
        """The parameters of a function, each with the argument that a call has for it."""
        return list(zip(function.parameters[self.before(function, call) :], call.arguments, strict=False))

    def before(self, function: tree.Function, call: Call | Invoke) -> int:
        """How many parameters come before those of a call's arguments: a method's receiver, or a new object."""
        if isinstance(call, Invoke):
            return 1
        return 1 if self.kind(call.callee) == "class" and self.begins_with_self(function) else 0

    def begins_with_self(self, function: tree.Function) -> bool:
        """Whether the first parameter of a function of a class is the object, or the class."""
        first = function.parameters[0].name if function.parameters else ""
        return first == "self" or function in self.takes_class

    def methods_of(self, owner: Type, name: str) -> Sequence[tree.Function]:
        """The functions of the program that are fields of this name: of a class, or of a table."""
        owner = owner.find()
        functions = self.family(owner).methods(name) if owner.classes else []
        if functions:
            return functions
        in_fields: dict[tree.Function, None] = {}
        for field in self.fields_named(owner, name):
            in_fields |= dict.fromkeys(field.functions)
        return tuple(in_fields)

    def fields_named(self, owner: Type, name: str) -> list[Type]:
        """What a table, or objects of classes, have in fields of this name: each class's objects have those of it."""
        instances = self.family(owner).instances if owner.find().classes else ()
        owners = (owner.find(), *(instance.find() for instance in instances))
        return [part.of_field(name).find() for part in dict.fromkeys(owners) if name in part.fields]

    def family(self, owner: Type) -> Family:
        """The classes that a type may be of, or be, as one."""
        owner = owner.find()
        key = (owner, owner.kind == "class", len(owner.classes))  # a type forgets no class
        class_family = self._families.get(key)
        if class_family is None:
            class_family = self._families[key] = Family(owner.classes, owner.kind == "class")
        return class_family

    def class_named(self, node: Expression) -> LuaClass | None:
        """The class of the program that an expression names."""
        if isinstance(node, Name):
            lua_class = self.class_of_variable.get(self.scopes.of_name[node])
            if lua_class is not None:
                return lua_class
        path = self.path(node)
        if path in self.classes:
            return self.classes[path]
        known = self.of(node)  # what a file gives, or a parent
        if known.kind != "class":
            return None
        classes = known.find().classes
        if len(classes) > 1 and isinstance(node, Index) and isinstance(node.key, String):
            name, table = node.key.value, self.of(node.base).find()  # one of those that torch.class put there
            classes = tuple(
                c
                for c in classes
                if c.holder is not None
                and c.name.rpartition(".")[2] == name
                and self.of(c.holder).find() is table
            )
        return classes[0] if len(classes) == 1 else None
