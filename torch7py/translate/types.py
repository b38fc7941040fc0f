"""What kind each expression of a program has: number, string, tensor, table, module, ...

Kinds flow both ways: from constructors and known results to where a value is used, and from how a value is used
(a method that only tensors have, a bound of a loop) back to where it comes from. Types that must agree are one
object (union-find); what depends on a kind that is not known yet (``a + b``, ``a[i]``, ``a:f()``) is a rule that is
tried again until nothing changes. A variable that is assigned anew on a straight line has a type for each stretch.
"""

from __future__ import annotations

import functools
from bisect import bisect_right
from collections.abc import Callable, Iterable

from torch7py.translate import library, tree
from torch7py.translate.kind_rules import (
    be_rank,
    counted,
    equal_kinds,
    index_tensor,
    keeps_rank,
    module_field,
    output_kind,
    same_rank,
    same_value,
    tensor_method,
    tensor_of,
)
from torch7py.translate.kinds import Description, LuaClass, Returns, Type, unify
from torch7py.translate.library import FUNCTION_RESULTS, is_criterion
from torch7py.translate.scopes import Scopes, Variable
from torch7py.translate.tree import (
    Block,
    Call,
    Expression,
    Index,
    Invoke,
    Name,
    Statement,
    appends,
)

__all__ = ["Types", "infer"]


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
        self.parent_of_variable: dict[Variable, LuaClass] = {}
        self.calls_of: dict[tree.Function, list[Call | Invoke]] = {}

    def of(self, node: Expression) -> Type:
        return self.by_node[node].find() if node in self.by_node else Type()

    def kind(self, node: Expression) -> str | None:
        return self.of(node).kind

    def path(self, node: Expression) -> str | None:
        """``torch.randn`` for that expression, when its first name is a global nobody assigns."""
        if isinstance(node, Name):
            variable = self.scopes.of_name.get(node)
            if variable is not None and variable.is_global and not variable.writes:
                return node.name
            return None
        if isinstance(node, Index) and isinstance(node.key, tree.String) and node.dotted:
            base = self.path(node.base)
            return None if base is None else f"{base}.{node.key.value}"
        return None

    def version(self, name: Name) -> Type:
        variable = self.scopes.of_name[name]
        bounds, types = self.versions[variable]
        return types[bisect_right(bounds, name.place.start)].find()

    def function_called(self, call: Call | Invoke) -> list[tree.Function]:
        """The functions of the program that a call may reach."""
        if isinstance(call, Call):
            return self.of(call.callee).functions
        owner = self.of(call.receiver)
        if owner.lua_class is not None and call.method in owner.lua_class.methods:
            return [owner.lua_class.methods[call.method]]
        found = owner.fields.get(call.method)
        return found.find().functions if found is not None else []


def infer(program: Block, scopes: Scopes, recorded: dict[int, set[str]] | None = None) -> Types:
    """The types of a program. ``recorded``: kinds that a run saw, by the start of the expression."""
    inference = _Inference(scopes)
    inference.split_variables(program)
    inference.block(program)
    inference.learn(recorded or {})
    inference.settle()
    return inference.types


Rule = Callable[[], bool]


class _Inference:
    def __init__(self, scopes: Scopes) -> None:
        self.scopes = scopes
        self.types = Types(scopes)
        self.rules: list[Rule] = []
        self.guesses: list[Rule] = []  # for what is still open when the rules have nothing more to say
        self.function: list[tree.Function | None] = [None]

    # Variables

    def split_variables(self, program: Block) -> None:
        """Give each variable its stretches: a new one where it is assigned in the block that declares it."""
        homes: dict[Variable, list[int]] = {}
        self._find_homes(program, homes, set())
        everything = [v for s in [self.scopes.main, *self.scopes.of_function.values()] for v in s.variables]
        for variable in [*everything, *self.scopes.globals.values()]:
            bounds = homes.get(variable, [])
            names = [*variable.reads, *variable.writes]
            foreign = [name.place.start for name in names if self._is_foreign(variable, name)]
            first = min(foreign, default=None)
            if first is not None:
                bounds = [bound for bound in bounds if bound < first]
            self.types.versions[variable] = (bounds, [Type() for _ in range(len(bounds) + 1)])

    def _is_foreign(self, variable: Variable, name: Name) -> bool:
        return self._scope_of_name.get(name) is not (variable.scope or self.scopes.main)

    def _find_homes(self, program: Block, homes: dict[Variable, list[int]], seen: set[Variable]) -> None:
        self._scope_of_name: dict[Name, object] = {}

        def names_in(node: tree.Node | Block, scope: object) -> None:
            if isinstance(node, tree.Function):
                scope = self.scopes.of_function[node]
            if isinstance(node, Name):
                self._scope_of_name[node] = scope
            for child in tree.children(node):
                names_in(child, scope)

        names_in(program, self.scopes.main)

        def visit(block: Block, main: bool) -> None:
            declared: set[Variable] = set()
            for statement in block.statements:
                if isinstance(statement, tree.Local):
                    declared |= {self.scopes.of_name[name] for name in statement.names}
                if isinstance(statement, tree.Assign):
                    for target in statement.targets:
                        if isinstance(target, Name):
                            variable = self.scopes.of_name[target]
                            if main and variable.is_global and variable not in seen:
                                seen.add(variable)  # the first assignment of a global is its declaration
                            elif variable in declared or (main and variable.is_global):
                                homes.setdefault(variable, []).append(statement.place.end)
                for child in tree.children(statement):
                    descend(child)

        def descend(node: tree.Node | Block) -> None:
            if isinstance(node, Block):
                visit(node, False)
            else:
                for child in tree.children(node):
                    descend(child)

        visit(program, True)

    def name_type(self, name: Name, target_of: Statement | None = None) -> Type:
        variable = self.scopes.of_name[name]
        bounds, types = self.types.versions[variable]
        at = name.place.start if target_of is None else target_of.place.end
        return types[bisect_right(bounds, at)]

    # Statements

    def block(self, block: Block) -> None:
        for statement in block.statements:
            self.statement(statement)

    def statement(self, node: Statement) -> None:
        if isinstance(node, tree.Local):
            self.assign([self.declare(name) for name in node.names], node.values)
            self._class_statement(node)
        elif isinstance(node, tree.Assign):
            self.assign([self.target(target, node) for target in node.targets], node.values)
            self._stores(node)
        elif isinstance(node, tree.Run):
            self.expression(node.call)
        elif isinstance(node, tree.Return):
            self._return(node)
        elif isinstance(node, tree.NumericFor):
            for bound in (node.start, node.stop, node.step):
                if bound is not None:
                    self.expression(bound).be("number")
            self.declare(node.variable).be("number")
            self.block(node.body)
        elif isinstance(node, tree.GenericFor):
            self._generic_for(node)
        elif isinstance(node, tree.LocalFunction):
            unify(self.declare(node.name), self.expression(node.function))
        elif isinstance(node, tree.FunctionStatement):
            self._function_statement(node)
        else:
            for child in tree.children(node):
                if isinstance(child, Block):
                    self.block(child)
                elif isinstance(child, Expression):
                    self.expression(child)

    def declare(self, name: Name) -> Type:
        found = self.name_type(name)
        self.types.by_node[name] = found
        return found

    def target(self, node: Expression, statement: Statement) -> Type:
        if isinstance(node, Name):
            found = self.name_type(node, statement)
            self.types.by_node[node] = found
            return found
        return self.expression(node)

    def assign(self, targets: list[Type], values: tuple[Expression, ...]) -> None:
        given = self.values(values, len(targets))
        for index, target in enumerate(targets):
            if index < len(given):
                unify(target, given[index])
            else:
                target.find().may_be_nil = True

    def values(self, nodes: tuple[Expression, ...], wanted: int) -> list[Type]:
        """The types of a list of expressions; the last call gives as many as are wanted."""
        found = [self.expression(node) for node in nodes]
        if nodes and len(nodes) < wanted and isinstance(nodes[-1], (Call, Invoke)):
            more = self.types.results.setdefault(nodes[-1], [found[-1]])
            while len(found) < wanted:
                index = len(found) - len(nodes) + 1
                while len(more) <= index:
                    more.append(Type())
                found.append(more[index])
        return found

    def _stores(self, node: tree.Assign) -> None:
        for index, target in enumerate(node.targets):
            if isinstance(target, Index) and not target.dotted:
                base = self.types.of(target.base)
                base.mark("stored")
                if index < len(node.values) and isinstance(node.values[index], tree.Nil):
                    base.mark("removed")
                if appends(target):
                    base.mark("array", "append")
                    base.be("table")

    def _return(self, node: tree.Return) -> None:
        function = self.function[-1]
        types = self.values(node.values, len(node.values))
        if function is None:
            return
        returns = self.types.returns[function]
        returns.counts.add(len(node.values))
        if node.values and isinstance(node.values[-1], (Call, Invoke, tree.Vararg)):
            returns.open = True
        for index, found in enumerate(types):
            unify(returns.at(index), found)

    def _generic_for(self, node: tree.GenericFor) -> None:
        types = self.values(node.values, 3)
        names = [self.declare(name) for name in node.names]
        source = node.values[0]
        if isinstance(source, Call) and source.arguments:
            path = self.types.path(source.callee)
            table = self.types.of(source.arguments[0])
            if path == "ipairs":
                table.mark("array")
                table.be("table")
                names[0].be("number")
                names[0].mark("whole")
                if len(names) > 1:
                    unify(names[1], table.of_elements())
            elif path == "pairs":
                table.be("table")
                table.mark("pairs")
                unify(names[0], table.of_keys())
                if len(names) > 1:
                    unify(names[1], table.of_elements())
        elif isinstance(source, Invoke) and source.method == "gmatch":
            for name in names:
                name.be("string")
        elif isinstance(source, Invoke) and source.method == "lines":
            names[0].be("string")
        del types
        self.block(node.body)

    def _function_statement(self, node: tree.FunctionStatement) -> None:
        function = self.expression(node.function)
        target = node.target
        owner = self._class_named(target.base) if isinstance(target, Index) else None
        if owner is not None and isinstance(target, Index) and isinstance(target.key, tree.String):
            owner.methods[target.key.value] = node.function
            if node.function.parameters:
                unify(self.name_type(node.function.parameters[0]), owner.instance)
            unify(owner.instance.of_field(target.key.value), function)
            return
        unify(self.target(target, node), function)
        if node.method and isinstance(target, Index):
            unify(self.name_type(node.function.parameters[0]), self.types.of(target.base))

    def _class_named(self, node: Expression) -> LuaClass | None:
        if isinstance(node, Name):
            return self.types.class_of_variable.get(self.scopes.of_name[node])
        path = self.types.path(node)
        return self.types.classes.get(path) if path else None

    def _class_statement(self, node: tree.Local) -> None:
        """``local C, parent = torch.class('nn.C', 'nn.Module')``"""
        if len(node.values) != 1 or not isinstance(node.values[0], Call):
            return
        call = node.values[0]
        if self.types.path(call.callee) not in ("torch.class", "class"):
            return
        names = [argument.value for argument in call.arguments if isinstance(argument, tree.String)]
        if not names:
            return
        made = LuaClass(names[0], names[1] if len(names) > 1 else None, Type("object"), statement=node)
        made.instance.find().lua_class = made
        parent = made.parent or ""
        if parent.startswith("nn.") and parent not in self.types.classes:
            made.instance.mark("criterion" if is_criterion(parent) else "module")
        elif parent in self.types.classes and self.types.classes[parent].instance.has("module"):
            made.instance.mark("module")
        self.types.classes[made.name] = made
        self.types.class_of_variable[self.scopes.of_name[node.names[0]]] = made
        if len(node.names) > 1:
            self.types.parent_of_variable[self.scopes.of_name[node.names[1]]] = made

    # Expressions

    def expression(self, node: Expression) -> Type:
        found = self.types.by_node.get(node)
        if found is None:
            found = self._expression(node)
            self.types.by_node[node] = found
        return found

    def _expression(self, node: Expression) -> Type:
        if isinstance(node, Name):
            return self.name_type(node)
        if isinstance(node, tree.Number):
            return Type("number")
        if isinstance(node, tree.String):
            return Type("string")
        if isinstance(node, tree.Boolean):
            return Type("boolean")
        if isinstance(node, tree.Nil):
            found = Type()
            found.may_be_nil = True
            return found
        if isinstance(node, tree.Paren):
            return self.expression(node.inner)
        if isinstance(node, tree.Table):
            return self._table(node)
        if isinstance(node, tree.Function):
            return self._function(node)
        if isinstance(node, tree.Unary):
            return self._unary(node)
        if isinstance(node, tree.Binary):
            return self._binary(node)
        if isinstance(node, Index):
            return self._index(node)
        if isinstance(node, Call):
            return self._call(node)
        if isinstance(node, Invoke):
            return self._invoke(node)
        return Type()

    def _table(self, node: tree.Table) -> Type:
        found = Type("table")
        for item in node.fields:
            value = self.expression(item.value)
            if item.key is None:
                found.mark("array")
                found.of_keys().be("number")
                unify(found.of_elements(), value)
            elif isinstance(item.key, tree.String):
                self.expression(item.key)
                found.mark("record")
                found.of_keys().be("string")
                unify(found.of_field(item.key.value), value)
            else:
                unify(found.of_keys(), self.expression(item.key))
                if isinstance(item.key, tree.Number):
                    found.mark("array" if item.key.value == 1 else "sparse")
                else:
                    found.mark("dict")
                unify(found.of_elements(), value)
        return found

    def _function(self, node: tree.Function) -> Type:
        found = Type("function")
        found.functions.append(node)
        self.types.returns[node] = Returns()
        for parameter in node.parameters:
            self.declare(parameter)
        self.function.append(node)
        self.block(node.body)
        self.function.pop()
        returns = self.types.returns[node]
        last = node.body.statements[-1] if node.body.statements else None
        if returns.counts and not _always_returns(last):
            returns.falls_off = True
            returns.at(0).find().may_be_nil = True
        return found

    def _unary(self, node: tree.Unary) -> Type:
        operand = self.expression(node.operand)
        if node.operator == "not":
            return Type("boolean")
        if node.operator == "#":
            found = Type("number")
            found.mark("whole")

            def length() -> bool:
                return operand.kind == "table" and operand.mark("array")

            self.rules.append(length)
            return found
        result = Type()

        def negate() -> bool:
            return operand.kind in ("number", "tensor") and same_value(result, operand)

        self.rules.append(negate)
        return result

    def _binary(self, node: tree.Binary) -> Type:
        left, right = self.expression(node.left), self.expression(node.right)
        operator = node.operator
        if operator in ("==", "~="):
            self.rules.append(lambda: equal_kinds(left, right))
            return Type("boolean")
        if operator in ("<", ">", "<=", ">="):
            self.rules.append(lambda: equal_kinds(left, right))
            return Type("boolean")
        if operator == "..":
            return Type("string")
        if operator in ("and", "or"):
            return self._logical(node, left, right)
        result = Type()

        def arithmetic() -> bool:
            kinds = {left.kind, right.kind}
            if operator in ("%", "^") and None in kinds and "tensor" not in kinds:
                return left.be("number") | right.be("number") | result.be("number")
            if "tensor" in kinds:
                news = result.be("tensor")
                for side in (left, right):
                    if (side.kind == "tensor" and operator != "*") or (
                        operator == "*" and kinds == {"tensor", "number"} and side.kind == "tensor"
                    ):
                        news |= same_rank(result, side)
                return news
            if kinds <= {"number", "string"}:
                return result.be("number")
            if result.kind == "number":
                return (left.be("number") if left.kind is None else False) | (
                    right.be("number") if right.kind is None else False
                )
            return False

        self.rules.append(arithmetic)
        return result

    def _logical(self, node: tree.Binary, left: Type, right: Type) -> Type:
        result = Type()
        unify(result, right)
        literal = isinstance(node.left, tree.Boolean | tree.Nil)
        if node.operator == "or" and not literal:
            # `a and b or c`: the first operand is b (a is only a condition)
            first = node.left
            while isinstance(first, tree.Paren):
                first = first.inner
            if isinstance(first, tree.Binary) and first.operator == "and":
                unify(result, self.expression(first.right))
            elif not (left.kind == "boolean" and right.kind not in ("boolean", None)):
                nil = right.nil
                left.find().may_be_nil = True
                unify(result, left)
                result.find().may_be_nil = result.find().may_be_nil or nil
        return result

    def _index(self, node: Index) -> Type:
        path = self.types.path(node)
        if path in FUNCTION_RESULTS:
            return Type("number") if path in ("math.pi", "math.huge") else Type("function")
        base = self.expression(node.base)
        key = self.expression(node.key)
        result = Type()
        name = node.key.value if isinstance(node.key, tree.String) else None

        def index() -> bool:
            kind = base.kind
            if kind == "tensor":
                return index_tensor(base, node, result, self.types)
            if kind == "string" or kind == "function":
                return False
            if kind in ("module", "criterion"):
                return module_field(name, result, base)
            if name is not None and kind in ("table", "object"):
                news = base.mark("record") if kind == "table" else False
                if kind == "table" and base.key is not None and not base.fields and base.has("dict"):
                    return unify(result, base.of_elements())
                return news | unify(result, base.of_field(name))
            if kind == "table":
                if isinstance(node.key, tree.Number):
                    base.mark("sparse" if node.key.value < 1 else "by number")
                elif key.kind == "number":
                    base.mark("by number")
                elif key.kind in ("string", "object", "tensor"):
                    base.mark("dict")
                return unify(base.of_keys(), key) | unify(result, base.of_elements())
            if kind is None and name is not None and self.types.path(node.base) is None:
                return False
            return False

        self.rules.append(index)
        return result

    # Calls

    def _call(self, node: Call) -> Type:
        path = self.types.path(node.callee)
        callee = self.expression(node.callee)
        arguments = [self.expression(argument) for argument in node.arguments]
        results = self.types.results.setdefault(node, [Type()])
        if path is not None and self._library_call(path, node, arguments, results):
            return results[0]
        seen: set[tree.Function] = set()

        def call() -> bool:
            news = False
            for function in callee.find().functions:
                if function not in seen:
                    seen.add(function)
                    self.types.calls_of.setdefault(function, []).append(node)
                    self._bind(function, node.arguments, arguments, 0)
                    news = True
                news |= self._results(function, results)
            if callee.kind in ("module", "criterion") or callee.has("module"):
                news |= self._forward(callee, results[0], arguments)
            return news

        self.rules.append(call)
        return results[0]

    def _results(self, function: tree.Function, results: list[Type]) -> bool:
        returns = self.types.returns.get(function)
        news = False
        if returns is not None:
            for index, result in enumerate(results):
                news |= unify(result, returns.at(index))
        return news

    def _bind(
        self, function: tree.Function, nodes: tuple[Expression, ...], given: list[Type], first: int
    ) -> None:
        parameters = function.parameters[first:]
        open_end = bool(nodes) and isinstance(nodes[-1], (Call, Invoke, tree.Vararg))
        for index, parameter in enumerate(parameters):
            if index < len(given):
                unify(self.name_type(parameter), given[index])
            elif not open_end:
                self.name_type(parameter).find().may_be_nil = True

    def _invoke(self, node: Invoke) -> Type:
        receiver = self.expression(node.receiver)
        arguments = [self.expression(argument) for argument in node.arguments]
        results = self.types.results.setdefault(node, [Type()])
        result, method = results[0], node.method
        if method in library.TENSOR_METHODS and method not in _AMBIGUOUS:
            self.rules.append(lambda: receiver.kind is None and receiver.be("tensor"))
        if method in _MODULE_METHODS:
            self.guesses.append(lambda: receiver.kind is None and receiver.be("module"))
        seen: set[tree.Function] = set()

        def invoke() -> bool:
            kind = receiver.kind
            own = self.types.function_called(node)
            if own:
                news = False
                for function in own:
                    if function not in seen:
                        seen.add(function)
                        self.types.calls_of.setdefault(function, []).append(node)
                        self._bind(function, node.arguments, arguments, 1)
                        news = True
                    news |= self._results(function, results)
                return news
            if kind == "tensor":
                return tensor_method(node, receiver, arguments, results)
            if kind in ("module", "criterion") or receiver.has("module") or receiver.has("criterion"):
                return self._module_method(node, receiver, arguments, results)
            if kind == "string":
                if method in ("find", "byte", "len"):
                    return result.be("number") | result.mark("whole")
                if method == "gmatch":
                    return False
                return result.be("string")
            if kind == "cmdline" and method == "parse":
                return result.be("table") | result.mark("record", "options")
            if kind == "timer" and method == "time":
                return result.be("table") | result.of_field("real").be("number")
            if kind == "file" and method == "read":
                return result.be("string")
            return False

        self.rules.append(invoke)
        return result

    def _forward(self, module: Type, result: Type, arguments: list[Type]) -> bool:
        if module.kind == "criterion" or module.has("criterion"):
            return result.be("number") | result.mark("loss")
        shape = output_kind(module, arguments[0] if arguments else Type())
        if shape == "steps":
            return result.be("table") | result.mark("array", "steps") | result.of_elements().be("tensor")
        if shape == "tuple":
            return result.be("table") | result.mark("array", "tuple") | result.of_elements().be("tensor")
        if shape == "tensor":
            news = result.be("tensor")
            if arguments and keeps_rank(module):
                news |= same_rank(result, arguments[0])
            return news
        return False

    def _module_method(
        self, node: Invoke, receiver: Type, arguments: list[Type], results: list[Type]
    ) -> bool:
        result, method = results[0], node.method
        if method in ("forward", "updateOutput"):
            return self._forward(receiver, result, arguments)
        if method in ("backward", "updateGradInput"):
            return unify(result, arguments[0]) if arguments and arguments[0].kind == "tensor" else False
        if method == "add":
            news = False
            for layer in receiver.find().layers[:1]:
                if arguments and not any(child is arguments[0] for child in layer.children):
                    layer.children.append(arguments[0])
                    news = True
            return news | unify(result, receiver)
        if method in ("training", "evaluate", "float", "double", "cuda", "clone", "type", "reset", "share"):
            return unify(result, receiver)
        if method == "get":
            return result.be("module")
        if method == "getParameters":
            news = False
            for index in range(2):
                while len(results) <= index:
                    results.append(Type())
                news |= results[index].be("tensor") | be_rank(results[index], 1)
                news |= results[index].mark("flat weights" if index == 0 else "flat gradients")
            return news
        return False

    def _library_call(self, path: str, node: Call, arguments: list[Type], results: list[Type]) -> bool:
        """Whether the call is one of a library's; its results are given their types."""
        result = results[0]
        if path in library.TENSOR_TYPES:
            result.be("tensor")
            result.find().tensor_type = library.TENSOR_TYPES[path]
            if node.arguments and isinstance(node.arguments[0], tree.Table):
                be_rank(result, _depth_of(node.arguments[0]))
            elif len(node.arguments) == 1:
                only = arguments[0]
                self.rules.append(lambda: tensor_of(only, result))
            else:
                result.find().ranks.add(len(node.arguments))
            return True
        if path.startswith("torch.") and self._torch_call(path, node, arguments, results):
            return True
        if path.startswith("optim.") and len(node.arguments) >= 2:
            unify(results[0], arguments[1])
            while len(results) < 2:
                results.append(Type())
            results[1].be("table")
            results[1].mark("array", "losses")
            results[1].of_elements().be("number")
            results[1].of_elements().mark("loss")
            return True
        if path.startswith(("nn.", "cudnn.", "rnn.")):
            return self._make(path, node, arguments, result)
        if path == "tonumber":
            result.be("number")
            result.find().may_be_nil = True
            return True
        if path == "table.insert" and arguments:
            table = arguments[0]
            table.be("table")
            table.mark("array", "append")
            unify(table.of_elements(), arguments[-1])
            return True
        if path in ("table.remove", "unpack", "table.unpack") and arguments:
            arguments[0].be("table")
            arguments[0].mark("array")
            unify(result, arguments[0].of_elements())
            for more in results[1:]:
                unify(more, arguments[0].of_elements())
            return True
        if path == "table.sort" and arguments:
            arguments[0].be("table")
            arguments[0].mark("array")
            return True
        if path == "table.concat" and arguments:
            arguments[0].be("table")
            arguments[0].mark("array")
        if path in ("assert",) and arguments:
            unify(result, arguments[0])
            return True
        if path == "setmetatable" and arguments:
            unify(result, arguments[0])
            return True
        if path == "pcall":
            result.be("boolean")
            return True
        if path in ("torch.save", "print", "require"):
            return path != "require"
        kind = FUNCTION_RESULTS.get(path)
        if kind is None:
            return False
        if kind == "whole":
            result.be("number")
            result.mark("whole")
        else:
            result.be(kind)
        if path.startswith("math.") and path not in ("math.random",):
            for argument in arguments:
                self.rules.append(functools.partial(counted, argument))
        return True

    def _torch_call(self, path: str, node: Call, arguments: list[Type], results: list[Type]) -> bool:
        name, result = path.removeprefix("torch."), results[0]
        if name in library.CREATORS:
            result.be("tensor")
            if not (len(arguments) == 1 and not isinstance(node.arguments[0], tree.Number)):
                result.find().ranks.add(len(arguments))
            else:
                only = arguments[0]
                self.rules.append(lambda: only.kind == "number" and be_rank(result, 1))
            return True
        if name in ("range", "linspace", "logspace", "randperm"):
            result.be("tensor")
            be_rank(result, 1)
            if name == "randperm":
                result.mark("whole")
            return True
        if name in ("eye",):
            result.be("tensor")
            be_rank(result, 2)
            return True
        if name in ("load",):
            return True
        if path in FUNCTION_RESULTS:
            return False
        if name in library.TENSOR_METHODS | library.NUMBER_METHODS | {"cat", "topk"} and arguments:
            first = arguments[0]

            def method() -> bool:
                if first.kind is None:
                    return False
                if first.kind == "number":
                    return result.be("number")
                if name == "cat":
                    return result.be("tensor") | (
                        same_rank(result, first) if first.kind == "tensor" else False
                    )
                if first.kind == "tensor":
                    return tensor_method(
                        Invoke(node.place, node.arguments[0], name, node.arguments[1:], node.place),
                        first,
                        arguments[1:],
                        results,
                    )
                return False

            self.rules.append(method)
            return True
        return False

    def _make(self, path: str, node: Call, arguments: list[Type], result: Type) -> bool:
        own = self.types.classes.get(path)
        if own is not None:
            unify(result, own.instance)
            start = own.methods.get("__init") or own.methods.get("init")
            if start is not None:
                self.types.calls_of.setdefault(start, []).append(node)
                self._bind(start, node.arguments, arguments, 1)
            return True
        kind = "criterion" if is_criterion(path) else "module"
        result.be(kind)
        description = Description("nn." + path.split(".", 1)[1], node)
        description.slots = [argument for argument in arguments if argument.kind in ("module", "criterion")]
        result.find().layers.append(description)
        return True

    # Settling

    def learn(self, recorded: dict[int, set[str]]) -> None:
        if not recorded:
            return
        for node, found in self.types.by_node.items():
            kinds = recorded.get(node.place.start * 1_000_003 + node.place.end)
            if kinds:
                for kind in kinds:
                    base, _, rank = kind.partition(":")
                    if base == "nil":
                        found.find().may_be_nil = True
                    elif found.kind is None or found.kind == base:
                        found.be(base)
                        if rank.isdigit() and not found.find().ranks:
                            found.find().ranks.add(int(rank))

    def settle(self) -> None:
        self._run()
        self._guess_methods()
        for guess in self.guesses:
            if guess():
                self._run()
        # What is still open and is counted with, is a number.
        for node, found in list(self.types.by_node.items()):
            if isinstance(node, tree.Binary) and node.operator in "+-*/%^" and found.kind is None:
                for side in (self.types.of(node.left), self.types.of(node.right)):
                    if side.kind is None:
                        side.be("number")
                self._run()

    def _guess_methods(self) -> None:
        """What nn hands to the methods of a layer of the program's own."""
        for made in self.types.classes.values():
            if not (made.instance.has("module") or made.instance.has("criterion")):
                continue
            for name, function in made.methods.items():
                if name not in _PROTOCOL:
                    continue
                for parameter in function.parameters[1:]:
                    found = self.name_type(parameter)
                    if found.kind is None and not found.find().fields:
                        found.be("number" if parameter.name in ("scale", "lr", "learningRate") else "tensor")
                if name in ("updateOutput", "updateGradInput", "updateOutput"):
                    given = self.types.returns[function].at(0)
                    if given.kind is None:
                        given.be(
                            "number"
                            if made.instance.has("criterion") and name == "updateOutput"
                            else "tensor"
                        )
            for name in ("output", "gradInput"):
                field_type = made.instance.of_field(name)
                if field_type.kind is None and not made.instance.has("criterion"):
                    field_type.be("tensor")
        self._run()

    def _run(self) -> None:
        for _ in range(60):
            news = False
            for rule in self.rules:
                news |= bool(rule())
            if not news:
                return


# Names that tensors share with tables, strings, modules or the program's own objects.
_AMBIGUOUS = set(
    "add copy fill zero clone type float double cuda sort set select index insert remove random pow find get size"
    " repeatTensor uniform squeeze view reset round sign log exp sqrt abs".split()
) - {"fill", "zero", "uniform", "squeeze", "view", "repeatTensor"}

_MODULE_METHODS = {
    "forward",
    "backward",
    "updateGradInput",
    "getParameters",
    "zeroGradParameters",
    "updateParameters",
    "evaluate",
    "training",
}


_PROTOCOL = {"updateOutput", "updateGradInput", "accGradParameters", "backward", "forward"}


def _always_returns(statement: Statement | None) -> bool:
    if isinstance(statement, tree.Return):
        return True
    if isinstance(statement, tree.If):
        blocks = [body for _, body in statement.branches]
        if statement.otherwise is None:
            return False
        return all(b.statements and _always_returns(b.statements[-1]) for b in [*blocks, statement.otherwise])
    if isinstance(statement, tree.Do):
        return bool(statement.body.statements) and _always_returns(statement.body.statements[-1])
    if isinstance(statement, tree.Run) and isinstance(statement.call, Call):
        callee = statement.call.callee
        return isinstance(callee, Name) and callee.name == "error"
    return False


def _depth_of(node: tree.Table) -> int:
    depth = 1
    while node.fields and isinstance(node.fields[0].value, tree.Table):
        node = node.fields[0].value
        depth += 1
    return depth


def known_kinds(types: Types, nodes: Iterable[Expression]) -> float:
    """The share of expressions whose kind is known."""
    found = [types.kind(node) is not None for node in nodes]
    return sum(found) / len(found) if found else 1.0
