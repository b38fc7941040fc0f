"""The classes that a program makes: by torch.class, and tables that are the metatables of its objects.

They are found before anything else, as a method may make objects of a class that comes later. The objects of a class
and of those derived from it have one type: their fields are the same, and a method may be any of theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.kinds import LuaClass, Type, unify
from torch7py.translate.library import is_criterion
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Block, Call, Expression, Index, Invoke, Name, Statement, String

if TYPE_CHECKING:
    from torch7py.translate.inference.statements import Inference

__all__ = ["Classes"]


# Metamethods of two operands, of which only one need be an object.
BINARY = {"__add", "__sub", "__mul", "__div", "__mod", "__pow", "__concat"}

# What Lua and Torch7 look for in a class by these names. Others that begin so are a program's own.
METAMETHODS = BINARY | set(
    "__init __index __newindex __call __tostring __len __eq __lt __le __unm __gc __mode __metatable __pairs __ipairs"
    " __index__ __newindex__ __call__ __tostring__ __len__ __eq__ __lt__ __le__ __unm__ __add__ __sub__ __mul__ __div__"
    " __mod__ __pow__ __concat__ __write __read __write__ __read__ __factory __typename __version".split()
)


class Classes:
    def __init__(self, inference: Inference) -> None:
        self.types = inference.types
        self.scopes = inference.scopes
        self.objects: dict[tree.Table, LuaClass] = {}  # tables that become objects
        self._made_by: dict[Statement, LuaClass] = {}
        self._of_part: dict[Statement, LuaClass] = {}

    # Finding them

    def find(self, program: Block) -> None:
        statements = list(_statements(program))
        for statement in statements:
            self._by_torch(statement)
        metatables = self._metatables(program)
        apart = self._apart(statements, metatables)
        metatables |= set(apart.values())
        for statement in statements:
            self._by_metatable(statement, metatables - set(apart))
        for statement in statements:
            self._beside(statement, apart)
        for statement in statements:
            self._inherits(statement)
        for statement in statements:
            self._part(statement)
        self._prototypes(statements)
        for function in tree.every(program, tree.Function):
            self._objects_in(function)
        self._objects_outside(program)
        self._handed(program)
        for made in self.all():
            made.reached.clear()
            self._made_by.setdefault(made.statement, made)
            for part in made.parts:
                self._of_part.setdefault(part, made)

    def _global_holder(self, name: str) -> Name | None:
        """The table of the program's own that ``torch.class('shop.Item')`` puts the class into: a global one."""
        prefix, _, last = name.partition(".")
        variable = self.scopes.globals.get(prefix)
        if not last or "." in last or variable is None or len(variable.writes) != 1:
            return None
        return variable.writes[0]

    def _by_torch(self, statement: Statement) -> None:
        """``local C, parent = torch.class('nn.C', 'nn.Module')``, ``C = torch.class('C')``, ``torch.class('C')``"""
        call = _only_value(statement)
        if not isinstance(call, Call) or self.types.path(call.callee) != "torch.class":
            return
        given = call.arguments
        holder = given[-1] if len(given) > 1 and isinstance(given[-1], Name) else None  # a table that gets it
        names = [argument.value for argument in given if isinstance(argument, String)]
        if not names or len(names) != len(given) - (holder is not None):
            return
        base = self.types.classes.get(names[1]) if len(names) > 1 else None
        foreign = names[1] if len(names) > 1 and base is None else None
        kind = "object"
        if foreign is not None and foreign.startswith(("nn.", "cudnn.")):
            kind = "criterion" if is_criterion(foreign) else "module"
        made = LuaClass(names[0], foreign, Type(kind), statement)
        made.holder = holder or self._global_holder(made.name)
        self._add(made, base)
        self.types.classes[made.name] = made
        targets = _targets(statement)
        if targets and isinstance(targets[0], Name):
            self.types.class_of_variable[self.scopes.of_name[targets[0]]] = made
        if len(targets) > 1 and isinstance(targets[1], Name):
            self.types.parent_of_variable[self.scopes.of_name[targets[1]]] = made

    def _add(self, made: LuaClass, base: LuaClass | None) -> None:
        if base is not None:
            made.base = base
            base.derived.append(made)
            made.instance = base.instance
        made.instance.find().classes += (made,)

    def _metatables(self, program: Block) -> set[Variable]:
        """The variables whose table is handed to setmetatable, or is its ``__index``."""
        found: set[Variable] = set()
        for node in tree.every(program, Call):
            if self.types.path(node.callee) != "setmetatable":
                continue
            meta = node.arguments[1] if len(node.arguments) == 2 else None
            if isinstance(meta, tree.Table):
                meta = _index_of(meta)
            if isinstance(meta, Name):
                found.add(self.scopes.of_name[meta])
        for statement in _statements(program):
            target, value = (_targets(statement) or (None,))[0], _only_value(statement)
            if (
                isinstance(target, Index)
                and isinstance(target.base, Name)
                and isinstance(value, Name)
                and isinstance(target.key, String)
                and target.key.value == "__index"
                and self.scopes.of_name[target.base] is self.scopes.of_name[value]
            ):  # C.__index = C
                found.add(self.scopes.of_name[value])
            if isinstance(statement, tree.FunctionStatement) and statement.method:
                target = statement.target
                own = self.scopes.of_name[statement.function.parameters[0]]
                if own in found and isinstance(target, Index) and isinstance(target.base, Name):
                    found.add(self.scopes.of_name[target.base])
        return found

    def _apart(self, statements: list[Statement], metatables: set[Variable]) -> dict[Variable, Variable]:
        """Metatables beside the table of methods: ``local mt = {__index = C}``, once, and where that table is."""
        made: dict[Variable, Variable | None] = {}
        for statement in statements:
            targets, value = _targets(statement), _only_value(statement)
            if len(targets) != 1 or not isinstance(targets[0], (Name, Index)):
                continue
            owner: Expression = targets[0]
            index: Expression | None = _index_of(value) if isinstance(value, tree.Table) else None
            if isinstance(owner, Index):  # mt.__index = C
                named = isinstance(owner.key, String) and owner.key.value == "__index"
                owner, index = owner.base, value if named else None
            if not isinstance(owner, Name) or not isinstance(index, Name):
                continue
            variable, methods = self.scopes.of_name[owner], self.scopes.of_name[index]
            if variable in metatables and variable is not methods:
                made[variable] = None if variable in made else methods
        return {v: m for v, m in made.items() if m is not None and m not in metatables and m not in made}

    def _beside(self, statement: Statement, apart: dict[Variable, Variable]) -> None:
        """The metatable of a class whose methods are in another table is a part of it."""
        targets, value = _targets(statement), _only_value(statement)
        if len(targets) != 1 or not isinstance(targets[0], Name) or not isinstance(value, tree.Table):
            return
        variable = self.scopes.of_name[targets[0]]
        methods = apart.get(variable)
        made = self.types.class_of_variable.get(methods) if methods is not None else None
        if made is None or len(variable.writes) > (1 if variable.is_global else 0):
            return
        if any(not isinstance(item.key, String) for item in value.fields):
            return
        self.types.class_of_variable[variable] = made
        made.parts.append(statement)
        for item in value.fields:
            if isinstance(item.key, String) and item.key.value != "__index":
                self._field(made, item.key.value, item.value)

    def _by_metatable(self, statement: Statement, metatables: set[Variable]) -> None:
        """``local C = {}``, or ``local C = setmetatable({}, {__index = Base})``, whose objects have it as metatable."""
        targets, value = _targets(statement), _only_value(statement)
        if len(targets) != 1 or not isinstance(targets[0], Name):
            return
        variable = self.scopes.of_name[targets[0]]
        if len(variable.writes) > (1 if variable.is_global else 0):
            return
        if isinstance(value, Call) and self.types.path(value.callee) == "setmetatable" and value.arguments:
            value = value.arguments[0]
        if not isinstance(value, tree.Table):
            return
        if variable not in metatables:  # `function C:new() ... setmetatable(o, self)`
            return
        if any(not isinstance(item.key, String) for item in value.fields):
            return
        made = LuaClass(targets[0].name, None, Type("object"), statement, by_metatable=True)
        self._add(made, None)
        self.types.class_of_variable[variable] = made
        for item in value.fields:
            if isinstance(item.key, String) and item.key.value != "__index":
                self._field(made, item.key.value, item.value)

    def _inherits(self, statement: Statement) -> None:
        """``setmetatable(C, {__index = Base})``, as a statement or around the table of C."""
        call = statement.call if isinstance(statement, tree.Run) else _only_value(statement)
        if not isinstance(call, Call) or self.types.path(call.callee) != "setmetatable":
            return
        if len(call.arguments) != 2:
            return
        first: Expression | None = call.arguments[0]
        if not isinstance(statement, tree.Run):
            targets = _targets(statement)
            first = targets[0] if targets else None
        child = self.types.class_named(first) if first is not None else None
        if child is None or (not isinstance(statement, tree.Run) and child.statement is not statement):
            return
        meta: Expression | None = call.arguments[1]
        if isinstance(meta, tree.Table):
            called = _called_maker(meta)
            if not called and child.by_metatable and self._makes_by_call(child, meta):
                called = "__call"
            if called and child.by_metatable:  # C(...) is C.new(...)
                child.called = called
                if isinstance(statement, tree.Run):
                    child.parts.append(statement)
            meta = _index_of(meta)
        base = self.types.class_named(meta) if meta is not None else None
        if base is None or base.derives_from(child) or child.base is not None:
            return
        child.base = base
        base.derived.append(child)
        unify(base.instance, child.instance)
        if isinstance(statement, tree.Run) and statement not in child.parts:
            child.parts.append(statement)

    def _part(self, statement: Statement, of: list[LuaClass] | None = None) -> None:
        """A method, or another field of a class (of one of a list)."""
        if isinstance(statement, tree.FunctionStatement):
            target: Expression = statement.target
            value: Expression = statement.function
        elif isinstance(statement, tree.Assign) and len(statement.targets) == len(statement.values) == 1:
            target, value = statement.targets[0], statement.values[0]
        else:
            return
        if not isinstance(target, Index) or not isinstance(target.key, String):
            return
        made = self.types.class_named(target.base)
        if made is None or (of is not None and made not in of):
            return
        made.parts.append(statement)
        if target.key.value != "__index" or isinstance(value, tree.Function):
            self._field(made, target.key.value, value)

    def _field(self, made: LuaClass, name: str, value: Expression) -> None:
        if (
            isinstance(value, Index)
            and isinstance(value.key, String)
            and self.types.class_named(value.base) is made
            and made.find(value.key.value) is not None
            and not name.startswith("__")
        ):
            made.aliases[name] = value.key.value
        elif self._is_of_parent(made, name, value):
            made.inherited.add(name)
        elif not isinstance(value, tree.Function):
            made.values[name] = value
        elif made.by_metatable and self._makes(made, value):
            made.makers[name] = value
            handed = self._table_handed(value)
            if handed is not None:
                self.types.table_handed[value] = handed
        elif name in METAMETHODS or (value.parameters and value.parameters[0].name == "self"):
            made.methods[name] = value
        else:
            made.statics[name] = value

    def _is_of_parent(self, made: LuaClass, name: str, value: Expression) -> bool:
        """``C.__tostring = Base.__tostring``"""
        if not name.startswith("__") or not isinstance(value, Index) or not isinstance(value.key, String):
            return False
        owner = self.types.class_named(value.base)
        if value.key.value != name or owner is None or made.base is None:
            return False
        base: LuaClass | None = made.base
        while base is not None and base is not owner:
            if name in base.methods:
                return False
            base = base.base
        return base is owner and owner.find(name) is not None

    def _makes(self, made: LuaClass, function: tree.Function) -> bool:
        """Whether a function of a class gives an object the class as its metatable, or lets a parent's do so."""
        first = function.parameters[0] if function.parameters else None
        for node in tree.walk(function.body):
            if (
                isinstance(node, Call)
                and self.types.path(node.callee) == "setmetatable"
                and len(node.arguments) == 2
                and self._is_class(node.arguments[1], made, function)
            ):
                return True
            if (
                isinstance(node, Call)
                and isinstance(node.callee, Index)
                and isinstance(node.callee.key, String)
                and made.base is not None
                and self.types.class_named(node.callee.base) is made.base
                and node.callee.key.value in made.base.makers
                and node.arguments
                and isinstance(node.arguments[0], Name)
                and first is not None
                and self.scopes.of_name[node.arguments[0]].declaration is first
            ):
                return True  # local o = Base.new(self, ...)
        return False

    def _makes_by_call(self, made: LuaClass, meta: tree.Table) -> bool:
        """``setmetatable(C, {__call = function(cls, ...) ... end})``, where that makes an object of C."""
        entries = {item.key.value: item.value for item in meta.fields if isinstance(item.key, String)}
        function = entries.get("__call")
        if len(entries) != len(meta.fields) or entries.keys() - {"__call", "__index"}:
            return False
        if not isinstance(function, tree.Function) or not function.parameters:
            return False
        self.types.takes_class.add(function)
        if not self._makes(made, function):
            self.types.takes_class.discard(function)
            return False
        made.makers["__call"] = function
        return True

    def _is_class(self, meta: Expression, made: LuaClass, function: tree.Function) -> bool:
        if isinstance(meta, tree.Table):
            found = _index_of(meta)
            return found is not None and self._is_class(found, made, function)
        if not isinstance(meta, Name):
            return False
        first = function.parameters[0] if function.parameters else None
        if (
            first is not None
            and self.types.begins_with_self(function)
            and self.scopes.of_name[meta].declaration is first
        ):
            return True
        return self.types.class_named(meta) is made

    def _prototypes(self, statements: list[Statement]) -> None:
        """``Dog = Animal:new{legs = 4}``, where Dog then gets methods or makes objects itself: a class that derives."""
        receivers = {
            self.scopes.of_name[node.receiver]
            for statement in statements
            for node in tree.own_nodes(statement)
            if isinstance(node, Invoke) and isinstance(node.receiver, Name) and self._makes_named(node.method)
        }
        for statement in statements:
            target = statement.target if isinstance(statement, tree.FunctionStatement) else None
            if isinstance(target, Index) and isinstance(target.base, Name):
                receivers.add(self.scopes.of_name[target.base])
        found: list[LuaClass] = []
        for statement in statements:
            targets, value = _targets(statement), _only_value(statement)
            if len(targets) != 1 or not isinstance(targets[0], Name) or not isinstance(value, Invoke):
                continue
            variable, base = self.scopes.of_name[targets[0]], self.types.class_named(value.receiver)
            once = len(variable.writes) <= (1 if variable.is_global else 0)
            if (
                base is None
                or not once
                or variable not in receivers
                or not self._takes_table(base, value.method)
            ):
                continue
            given = value.arguments[0] if value.arguments else None
            if len(value.arguments) > 1 or not (given is None or isinstance(given, tree.Table)):
                continue
            if isinstance(given, tree.Table) and any(not isinstance(i.key, String) for i in given.fields):
                continue
            made = LuaClass(targets[0].name, None, Type("object"), statement, by_metatable=True)
            self._add(made, None)
            made.base = base
            base.derived.append(made)
            unify(base.instance, made.instance)
            self.types.class_of_variable[variable] = made
            made.prototype = value
            for item in given.fields if isinstance(given, tree.Table) else ():
                if isinstance(item.key, String):
                    self._field(made, item.key.value, item.value)
            found.append(made)
        if found:
            for statement in statements:
                self._part(statement, found)

    def _makes_named(self, name: str) -> bool:
        """Whether a class has a maker of this name."""
        return any(name in made.makers for made in self.all())

    def _takes_table(self, made: LuaClass, name: str) -> bool:
        """Whether a class makes objects by giving a table its metatable that it is handed, and does nothing else."""
        function = made.find(name)
        table = self.types.table_handed.get(function) if function is not None else None
        if function is None or table is None:
            return False
        for statement in function.body.statements:  # what it does to a class, too, is nothing that is seen
            if isinstance(statement, tree.Run):
                if (
                    isinstance(statement.call, Call)
                    and self.types.path(statement.call.callee) == "setmetatable"
                ):
                    continue
                return False
            if isinstance(statement, tree.Assign):
                target = statement.targets[0]
                if isinstance(target, Name) and target.name == table.name:
                    continue
                if (
                    isinstance(target, Index)
                    and isinstance(target.key, String)
                    and target.key.value == "__index"
                ):
                    continue
                return False
            if not isinstance(statement, tree.Return):
                return False
        return True

    def _table_handed(self, function: tree.Function) -> Name | None:
        """The last parameter of a maker, which is a table that becomes the object."""
        last = function.parameters[-1] if function.parameters else None
        if last is None or function.vararg:
            return None
        for node in tree.walk(function.body):
            if isinstance(node, Call) and self.types.path(node.callee) == "setmetatable" and node.arguments:
                first: Expression | None = node.arguments[0]
                while isinstance(first, tree.Paren):
                    first = first.inner
                if isinstance(first, tree.Binary) and first.operator == "or":
                    first = first.left
                if isinstance(first, Name) and self.scopes.of_name[first].declaration is last:
                    return last
        return None

    def _objects_outside(self, program: Block) -> None:
        """``setmetatable({x = 1}, C)`` in other functions than those of C."""
        own: list[Block | Statement] = [f.body for made in self.all() for f in made.makers.values()]
        for made in self.all():
            own += [s for s in (made.statement, *made.parts) if not isinstance(s, tree.FunctionStatement)]
        inside = {id(node) for each in own for node in tree.walk(each)}
        tables = {
            self.scopes.of_name[name]: value
            for statement in tree.those(program, tree.Local)
            if isinstance(statement, tree.Local)
            for name, value in zip(statement.names, statement.values, strict=False)
        }
        for call in tree.every(program, Call):
            if (
                id(call) in inside
                or len(call.arguments) != 2
                or self.types.path(call.callee) != "setmetatable"
            ):
                continue
            first, meta = call.arguments
            owner = self.types.class_named(meta) if isinstance(meta, Name) else None
            if owner is None or not owner.by_metatable:
                continue
            if isinstance(first, Name) and not self.scopes.of_name[first].writes:
                first = tables.get(self.scopes.of_name[first], first)
            if isinstance(first, tree.Table) and first not in self.objects:
                self.objects[first] = owner
                owner.literals.append((call, first))

    def _objects_in(self, function: tree.Function) -> None:
        """The tables that a function makes objects of a class."""
        made = next((c for c in self.all() if function in c.makers.values()), None)
        if made is None:
            return
        for node in tree.walk(function.body):
            if not (isinstance(node, Call) and self.types.path(node.callee) == "setmetatable"):
                continue
            first = _or_table(node.arguments[0])
            if isinstance(first, tree.Table):
                self.objects[first] = made
            elif isinstance(first, Name):
                variable = self.scopes.of_name[first]
                for statement in _statements(function.body):
                    for target, value in zip(_targets(statement), _values(statement), strict=False):
                        value = _or_table(value)
                        if (
                            isinstance(target, Name)
                            and self.scopes.of_name[target] is variable
                            and isinstance(value, tree.Table)
                        ):
                            self.objects[value] = made

    def _handed(self, program: Block) -> None:
        """``Animal:new{name = 'rex'}``: the tables that are handed to a maker which takes them for the object."""
        for node in tree.those(program, Call, Invoke):
            if isinstance(node, Invoke):
                made, name, first = self.types.class_named(node.receiver), node.method, 1
            elif (
                isinstance(node, Call)
                and isinstance(node.callee, Index)
                and isinstance(node.callee.key, String)
            ):
                made, name, first = self.types.class_named(node.callee.base), node.callee.key.value, 0
            else:
                continue
            function = made.find(name) if made is not None else None
            if made is None or function is None or function not in self.types.table_handed:
                continue
            place = len(function.parameters) - 1 - first
            given = node.arguments[place] if 0 <= place < len(node.arguments) else None
            if isinstance(given, tree.Table) and made.prototype is not node:
                self.objects[given] = made

    def concatenate(self) -> bool:
        """Whether a class says what ``..`` is for its objects."""
        return any("__concat" in made.methods for made in self.all())

    def all(self) -> list[LuaClass]:
        found = list(self.types.classes.values())
        return found + [c for c in self.types.class_of_variable.values() if c not in found]

    # Their types

    def value_type(self, made: LuaClass) -> Type:
        """The type of the class itself."""
        found = Type("class")
        found.classes = (made,)
        return found

    def part(self, inference: Inference, statement: Statement) -> bool:
        """Give a statement that is a part of a class its types; whether it is one."""
        made = self._of_part.get(statement)
        if made is None:
            return False
        beside = _only_value(statement) if isinstance(statement, (tree.Local, tree.Assign)) else None
        if isinstance(statement, tree.FunctionStatement):
            target, value = statement.target, statement.function
        elif isinstance(statement, tree.Assign) and isinstance(statement.targets[0], Index):
            target, value = statement.targets[0], statement.values[0]  # type: ignore[assignment]
        elif isinstance(beside, tree.Table):  # a metatable beside its methods
            for item in beside.fields:
                if isinstance(item.key, String):
                    self.field(inference, made, item.key.value, item.value)
            return True
        else:
            self._called(inference, made, statement)
            return True
        assert isinstance(target, Index)
        assert isinstance(target.key, String)
        self.field(inference, made, target.key.value, value)
        return True

    def _called(self, inference: Inference, made: LuaClass, statement: Statement) -> None:
        """Give types to a ``__call`` that makes objects, where its statement is the one of its metatable."""
        maker = made.makers.get("__call")
        if maker is not None and any(node is maker for node in tree.walk(statement)):
            self.field(inference, made, "__call", maker)

    def field(self, inference: Inference, made: LuaClass, name: str, value: Expression) -> None:
        if (name == "__index" and not isinstance(value, tree.Function)) or name in made.inherited:
            return
        found = inference.expression(value)
        if isinstance(value, tree.Function):
            first = value.parameters[0] if value.parameters else None
            if first is not None and (self.types.begins_with_self(value) or name in made.methods):
                own = self.value_type(made) if name in made.makers else made.instance
                if name in BINARY:  # the object may be the other one
                    inference.name_type(first).be_of(made.instance.find().classes)
                else:
                    unify(inference.name_type(first), own)
            if name in ("__eq", "__lt", "__le"):  # only asked of two objects
                for parameter in value.parameters:
                    unify(inference.name_type(parameter), made.instance)
        else:
            unify(made.instance.of_field(name), found)

    def made_here(self, inference: Inference, statement: Statement) -> bool:
        """Whether a statement makes a class; the variables of the class and of its parent are given their types."""
        made = self._made_by.get(statement)
        if made is None:
            return False
        for variable, owner in self.types.class_of_variable.items():
            if owner is made:
                for found in self.types.versions[variable][1]:
                    unify(found, self.value_type(made))
        for variable, owner in self.types.parent_of_variable.items():
            if owner is made:
                base = self.value_type(made.base) if made.base is not None else Type("class")
                for found in self.types.versions[variable][1]:
                    unify(found, base)
        if made.holder is not None:
            table = inference.expression(made.holder)
            table.be("table")
            unify(table.of_field(made.name.rpartition(".")[2]), self.value_type(made))
        self._called(inference, made, statement)
        value = _only_value(statement)
        if isinstance(value, (Call, Invoke)) and value.arguments:
            value = value.arguments[0]
        if made.by_metatable and isinstance(value, tree.Table):
            for item in value.fields:
                if isinstance(item.key, String):
                    self.field(inference, made, item.key.value, item.value)
        return True


_STATEMENTS = set(Statement.__subclasses__())


def _statements(node: tree.Node | Block) -> list[Statement]:
    return [n for n in tree.walk(node) if n.__class__ in _STATEMENTS]


def _targets(statement: Statement) -> tuple[Expression, ...]:
    if isinstance(statement, tree.Local):
        return statement.names
    return statement.targets if isinstance(statement, tree.Assign) else ()


def _values(statement: Statement) -> tuple[Expression, ...]:
    return statement.values if isinstance(statement, (tree.Local, tree.Assign)) else ()


def _only_value(statement: Statement) -> Expression | None:
    if isinstance(statement, tree.Run):
        return statement.call
    values = _values(statement)
    return values[0] if len(values) == 1 else None


def _or_table(node: Expression) -> Expression:
    """The table in ``o or {}``; any other expression itself."""
    while isinstance(node, tree.Paren):
        node = node.inner
    return node.right if isinstance(node, tree.Binary) and node.operator == "or" else node


def _index_of(meta: tree.Table) -> Expression | None:
    """What ``{__index = X}`` has there."""
    for item in meta.fields:
        if isinstance(item.key, String) and item.key.value == "__index":
            return item.value
    return None


def _called_maker(meta: tree.Table) -> str:
    """The maker's name in ``{__call = function(cls, ...) return cls.new(...) end}``; empty for anything else."""
    entries = {item.key.value: item.value for item in meta.fields if isinstance(item.key, String)}
    function = entries.get("__call")
    if (
        not isinstance(function, tree.Function)
        or len(entries) != len(meta.fields)
        or entries.keys() - {"__call", "__index"}
    ):
        return ""
    statements = function.body.statements
    last = statements[0] if len(statements) == 1 else None
    made = last.values[0] if isinstance(last, tree.Return) and len(last.values) == 1 else None
    names = [p.name for p in function.parameters[1:]]
    if isinstance(made, Call) and isinstance(made.callee, Index) and isinstance(made.callee.key, String):
        given, name = made.arguments, made.callee.key.value
    elif isinstance(made, Invoke):
        given, name = made.arguments, made.method
    else:
        return ""
    passed = [a.name if isinstance(a, Name) else "..." if isinstance(a, tree.Vararg) else "" for a in given]
    return name if passed == [*names, *(["..."] if function.vararg else [])] else ""
