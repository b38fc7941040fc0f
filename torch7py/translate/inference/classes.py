"""The classes that a program makes: by torch.class, and tables that are the metatables of its objects.

They are found before anything else, as a method may make objects of a class that comes later. The objects of a class
and of those derived from it have one type: their fields are the same, and a method may be any of theirs.
"""

from __future__ import annotations

from functools import cached_property

from torch7py.translate import tree, tree_queries
from torch7py.translate.inference.state import Inference
from torch7py.translate.kinds import LuaClass, Type, unify
from torch7py.translate.library import is_criterion
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Block, Call, Expression, Index, Invoke, Name, Statement, String

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
        self.tables_stay = False  # whether only torch.class makes classes
        self.types = inference.types
        self.scopes = inference.scopes
        self.objects = inference.objects
        self.files = inference.files
        self._required: dict[Variable, tree.Function] | None = (
            None  # variables with what a file gives: the file
        )

    # Finding them

    def find(self, program: Block) -> None:
        self.program = program
        statements = list(tree_queries.statements(program))
        for statement in statements:
            self._by_torch(statement)
        metatables = set[Variable]() if self.tables_stay else self._metatables(program)
        if not self.types.classes and not metatables:
            return  # as most programs
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
        if not self.tables_stay:
            self._prototypes(program, statements)
        classes = self.all()
        for function in () if self.tables_stay else tree.every(program, tree.Function):
            self.objects.in_maker(function, classes)
        self.objects.outside(program, classes)
        self.objects.handed(program)
        for lua_class in classes:
            lua_class.reached.clear()

    def _global_holder(self, name: str) -> Name | None:
        """The table of the program's own that ``torch.class('shop.Item')`` puts the class into: a global one."""
        prefix, _, last = name.partition(".")
        variable = self.scopes.globals.get(prefix)
        if not last or "." in last or variable is None or len(variable.writes) != 1:
            return None
        return variable.writes[0]

    def _by_torch(self, statement: Statement) -> None:
        """``local C, parent = torch.class('nn.C', 'nn.Module')``, ``C = torch.class('C')``, ``torch.class('C')``"""
        call = tree_queries.only_value(statement)
        if not isinstance(call, Call) or self.types.path(call.callee) != "torch.class":
            return
        arguments = call.arguments
        # A table that gets it.
        holder = arguments[-1] if len(arguments) > 1 and isinstance(arguments[-1], Name) else None
        names = [argument.value for argument in arguments if isinstance(argument, String)]
        if not names or len(names) != len(arguments) - (holder is not None):
            return
        base = self.types.classes.get(names[1]) if len(names) > 1 else None
        # Or the parent, in a file of another package's classes.
        if holder is not None and len(arguments) == 2:
            base = self._class_of_variable(holder)
            holder = holder if base is None else None
        foreign = names[1] if len(names) > 1 and base is None else None
        kind = "object"
        if foreign is not None and foreign.startswith(("nn.", "cudnn.")):
            kind = "criterion" if is_criterion(foreign) else "module"
        lua_class = LuaClass(names[0], foreign, Type(kind), statement)
        lua_class.holder = holder or self._global_holder(lua_class.name)
        self._add(lua_class, base)
        self.types.classes[lua_class.name] = lua_class
        targets = tree_queries.targets(statement)
        if targets and isinstance(targets[0], Name):
            self.types.class_of_variable[self.scopes.of_name[targets[0]]] = lua_class
        if len(targets) > 1 and isinstance(targets[1], Name):
            self.types.parent_of_variable[self.scopes.of_name[targets[1]]] = lua_class

    def _class_of_variable(self, name: Name) -> LuaClass | None:
        """The class that a variable holds: one of this file, or what the file gives that it requires."""
        named = self.types.class_named(name)
        variable = self.scopes.of_name[name]
        if named is not None or variable.writes:
            return named
        if self._required is None:
            self._required = {
                self.scopes.of_name[statement.names[0]]: self.files[statement.values[0]]
                for statement in tree.every(self.program, tree.Local)
                if len(statement.names) == len(statement.values) == 1 and statement.values[0] in self.files
            }
        file = self._required.get(variable)
        last = file.body.statements[-1] if file is not None and file.body.statements else None
        gives = last.values[0] if isinstance(last, tree.Return) and len(last.values) == 1 else None
        return self._class_of_variable(gives) if isinstance(gives, Name) else None

    def _add(self, lua_class: LuaClass, base: LuaClass | None) -> None:
        if base is not None:
            lua_class.base = base
            base.derived.append(lua_class)
            lua_class.instance = base.instance
        lua_class.instance.find().classes += (lua_class,)

    def _metatables(self, program: Block) -> set[Variable]:
        """The variables whose table is handed to setmetatable, or is its ``__index``."""
        metatables: set[Variable] = set()
        for node in tree.every(program, Call):
            if self.types.path(node.callee) != "setmetatable":
                continue
            meta = node.arguments[1] if len(node.arguments) == 2 else None
            if isinstance(meta, tree.Table):
                meta = tree_queries.index_of(meta)
            if isinstance(meta, Name):
                metatables.add(self.scopes.of_name[meta])
        for statement in tree_queries.statements(program):
            target, value = (
                (tree_queries.targets(statement) or (None,))[0],
                tree_queries.only_value(statement),
            )
            if (
                isinstance(target, Index)
                and isinstance(target.base, Name)
                and isinstance(value, Name)
                and target.key_name == "__index"
                and self.scopes.of_name[target.base] is self.scopes.of_name[value]
            ):  # C.__index = C
                metatables.add(self.scopes.of_name[value])
            if isinstance(statement, tree.FunctionStatement) and statement.method:
                target = statement.target
                self_variable = self.scopes.of_name[statement.function.parameters[0]]
                if (
                    self_variable in metatables
                    and isinstance(target, Index)
                    and isinstance(target.base, Name)
                ):
                    metatables.add(self.scopes.of_name[target.base])
        return metatables

    def _apart(self, statements: list[Statement], metatables: set[Variable]) -> dict[Variable, Variable]:
        """Metatables beside the table of methods: ``local mt = {__index = C}``, once, and where that table is."""
        method_tables: dict[Variable, Variable | None] = {}
        for statement in statements:
            targets, value = tree_queries.targets(statement), tree_queries.only_value(statement)
            if len(targets) != 1 or not isinstance(targets[0], (Name, Index)):
                continue
            owner: Expression = targets[0]
            index: Expression | None = tree_queries.index_of(value) if isinstance(value, tree.Table) else None
            if isinstance(owner, Index):  # mt.__index = C
                named = owner.key_name == "__index"
                owner, index = owner.base, value if named else None
            if not isinstance(owner, Name) or not isinstance(index, Name):
                continue
            variable, methods = self.scopes.of_name[owner], self.scopes.of_name[index]
            if variable in metatables and variable is not methods:
                method_tables[variable] = None if variable in method_tables else methods
        return {
            v: m
            for v, m in method_tables.items()
            if m is not None and m not in metatables and m not in method_tables
        }

    def _beside(self, statement: Statement, apart: dict[Variable, Variable]) -> None:
        """The metatable of a class whose methods are in another table is a part of it."""
        targets, value = tree_queries.targets(statement), tree_queries.only_value(statement)
        if len(targets) != 1 or not isinstance(targets[0], Name) or not isinstance(value, tree.Table):
            return
        variable = self.scopes.of_name[targets[0]]
        methods = apart.get(variable)
        lua_class = self.types.class_of_variable.get(methods) if methods is not None else None
        if lua_class is None or len(variable.writes) > (1 if variable.is_global else 0):
            return
        if any(item.key_name is None for item in value.fields):
            return
        self.types.class_of_variable[variable] = lua_class
        lua_class.parts.append(statement)
        self._fields(lua_class, value)

    def _by_metatable(self, statement: Statement, metatables: set[Variable]) -> None:
        """``local C = {}``, or ``local C = setmetatable({}, {__index = Base})``, whose objects have it as metatable."""
        targets, value = tree_queries.targets(statement), tree_queries.only_value(statement)
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
        if any(item.key_name is None for item in value.fields):
            return
        if len(value.fields) == 1 and isinstance(tree_queries.index_of(value), tree.Function):
            return  # what a table gives that it has not: there are no methods in it
        lua_class = LuaClass(targets[0].name, None, Type("object"), statement, by_metatable=True)
        self._add(lua_class, None)
        self.types.class_of_variable[variable] = lua_class
        self._fields(lua_class, value)

    def _inherits(self, statement: Statement) -> None:
        """``setmetatable(C, {__index = Base})``, as a statement or around the table of C."""
        call = statement.call if isinstance(statement, tree.Run) else tree_queries.only_value(statement)
        if not isinstance(call, Call) or self.types.path(call.callee) != "setmetatable":
            return
        if len(call.arguments) != 2:
            return
        first: Expression | None = call.arguments[0]
        if not isinstance(statement, tree.Run):
            targets = tree_queries.targets(statement)
            first = targets[0] if targets else None
        child = self.types.class_named(first) if first is not None else None
        if child is None or (not isinstance(statement, tree.Run) and child.statement is not statement):
            return
        meta: Expression | None = call.arguments[1]
        if isinstance(meta, tree.Table):
            called = _called_maker(meta)
            if not called and child.by_metatable and self.objects.makes_by_call(child, meta):
                called = "__call"
            if called and child.by_metatable:  # C(...) is C.new(...)
                child.called = called
                if isinstance(statement, tree.Run):
                    child.parts.append(statement)
            meta = tree_queries.index_of(meta)
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
        lua_class = self.types.class_named(target.base)
        if lua_class is None or (of is not None and lua_class not in of):
            return
        is_metamethod = target.key.value.startswith("__")
        if not isinstance(value, tree.Function) and not is_metamethod and self._in_its_turn(statement, value):
            lua_class.values.setdefault(target.key.value, tree.Nil(value.span))  # until the statement runs
            return
        lua_class.parts.append(statement)
        if target.key.value != "__index" or isinstance(value, tree.Function):
            self._field(lua_class, target.key.value, value)

    def _in_its_turn(self, statement: Statement, value: Expression) -> bool:
        """Whether a class gets a field when a statement runs, and not with the class.

        As in a function or a branch, and of a value that is made of variables, or of the fields of a class.
        """
        if statement not in self._unconditional:
            return True
        if isinstance(value, Name) and self.scopes.of_name[value] in self._functions:
            return False
        owner = self.types.class_named(value.base) if isinstance(value, Index) else None
        if owner is not None and isinstance(value, Index) and value.key_name not in owner.values:
            return False  # a method by another name
        return any(isinstance(node, Name) and self.types.path(node) is None for node in tree.walk(value))

    @cached_property
    def _unconditional(self) -> set[Statement]:
        """The statements that a program or a file of it runs once, whatever happens."""
        found: set[Statement] = set()
        waiting = [self.program, *(function.body for function in self.files.values())]
        while waiting:
            block = waiting.pop()
            found.update(block.statements)
            waiting += [statement.body for statement in block.statements if isinstance(statement, tree.Do)]
        return found

    @cached_property
    def _functions(self) -> set[Variable]:
        """The variables that are names of functions, and nothing else."""
        local = {self.scopes.of_name[node.name] for node in tree.every(self.program, tree.LocalFunction)}
        return {variable for variable in local if not variable.writes}

    def _fields(self, lua_class: LuaClass, table: tree.Table) -> None:
        """The entries of a table that is a class, without the one that says where its methods are."""
        for item in table.fields:
            if isinstance(item.key, String) and (
                item.key.value != "__index" or isinstance(item.value, tree.Function)
            ):
                self._field(lua_class, item.key.value, item.value)

    def _field(self, lua_class: LuaClass, name: str, value: Expression) -> None:
        if (
            isinstance(value, Index)
            and isinstance(value.key, String)
            and self.types.class_named(value.base) is lua_class
            and lua_class.find(value.key.value) is not None
            and not name.startswith("__")
        ):
            lua_class.aliases[name] = value.key.value
        elif self._is_of_parent(lua_class, name, value):
            lua_class.inherited.add(name)
        elif not isinstance(value, tree.Function):
            lua_class.values[name] = value
        elif lua_class.by_metatable and self.objects.makes(lua_class, value):
            lua_class.makers[name] = value
            handed = self.objects.table_handed(value)
            if handed is not None:
                self.types.table_handed[value] = handed
        elif name in METAMETHODS or (value.parameters and value.parameters[0].name == "self"):
            lua_class.methods[name] = value
        else:
            lua_class.statics[name] = value

    def _is_of_parent(self, lua_class: LuaClass, name: str, value: Expression) -> bool:
        """``C.__tostring = Base.__tostring``"""
        if not name.startswith("__") or not isinstance(value, Index) or not isinstance(value.key, String):
            return False
        owner = self.types.class_named(value.base)
        if value.key.value != name or owner is None or lua_class.base is None:
            return False
        base: LuaClass | None = lua_class.base
        while base is not None and base is not owner:
            if name in base.methods:
                return False
            base = base.base
        return base is owner and owner.find(name) is not None

    def _prototypes(self, program: Block, statements: list[Statement]) -> None:
        """``Dog = Animal:new{legs = 4}``, where Dog then gets methods or makes objects itself: a class that derives."""
        makers = {name for lua_class in self.all() for name in lua_class.makers}
        receivers = {
            self.scopes.of_name[node.receiver]
            for node in tree.every(program, Invoke)
            if node.method in makers and isinstance(node.receiver, Name)
        }
        for statement in statements:
            target = statement.target if isinstance(statement, tree.FunctionStatement) else None
            if isinstance(target, Index) and isinstance(target.base, Name):
                receivers.add(self.scopes.of_name[target.base])
        prototypes: list[LuaClass] = []
        for statement in statements:
            targets, value = tree_queries.targets(statement), tree_queries.only_value(statement)
            if len(targets) != 1 or not isinstance(targets[0], Name) or not isinstance(value, Invoke):
                continue
            variable, base = self.scopes.of_name[targets[0]], self.types.class_named(value.receiver)
            once = len(variable.writes) <= (1 if variable.is_global else 0)
            if (
                base is None
                or not once
                or variable not in receivers
                or not self.objects.takes_table(base, value.method)
            ):
                continue
            argument = value.arguments[0] if value.arguments else None
            if len(value.arguments) > 1 or not (argument is None or isinstance(argument, tree.Table)):
                continue
            if isinstance(argument, tree.Table) and any(
                not isinstance(i.key, String) for i in argument.fields
            ):
                continue
            lua_class = LuaClass(targets[0].name, None, Type("object"), statement, by_metatable=True)
            self._add(lua_class, None)
            lua_class.base = base
            base.derived.append(lua_class)
            unify(base.instance, lua_class.instance)
            self.types.class_of_variable[variable] = lua_class
            lua_class.prototype = value
            for item in argument.fields if isinstance(argument, tree.Table) else ():
                if isinstance(item.key, String):
                    self._field(lua_class, item.key.value, item.value)
            prototypes.append(lua_class)
        if prototypes:
            for statement in statements:
                self._part(statement, prototypes)

    def all(self) -> list[LuaClass]:
        classes = list(self.types.classes.values())
        return classes + [c for c in self.types.class_of_variable.values() if c not in classes]


def _called_maker(meta: tree.Table) -> str:
    """The maker's name in ``{__call = function(cls, ...) return cls.new(...) end}``; empty for anything else."""
    entries = meta.named_values
    function = entries.get("__call")
    if (
        not isinstance(function, tree.Function)
        or len(entries) != len(meta.fields)
        or entries.keys() - {"__call", "__index"}
    ):
        return ""
    statements = function.body.statements
    last = statements[0] if len(statements) == 1 else None
    call = last.values[0] if isinstance(last, tree.Return) and len(last.values) == 1 else None
    names = [p.name for p in function.parameters[1:]]
    if isinstance(call, Call) and isinstance(call.callee, Index) and isinstance(call.callee.key, String):
        arguments, name = call.arguments, call.callee.key.value
    elif isinstance(call, Invoke):
        arguments, name = call.arguments, call.method
    else:
        return ""
    passed = [
        a.name if isinstance(a, Name) else "..." if isinstance(a, tree.Vararg) else "" for a in arguments
    ]
    return name if passed == [*names, *(["..."] if function.vararg else [])] else ""
