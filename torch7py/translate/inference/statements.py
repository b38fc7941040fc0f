"""Statements, and the whole of an inference."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from torch7py.translate import library, literals, tree
from torch7py.translate.argument_checks import ArgumentChecks
from torch7py.translate.inference import fixpoint, tuples, union_types
from torch7py.translate.inference.calls import CallKinds
from torch7py.translate.inference.class_types import ClassTypes
from torch7py.translate.inference.classes import Classes
from torch7py.translate.inference.expressions import ExpressionKinds
from torch7py.translate.inference.indexing import IndexKinds, of_json
from torch7py.translate.inference.layer_tables import learn_tables
from torch7py.translate.inference.module_calls import module_fields, program_fields
from torch7py.translate.inference.narrowing import Narrowing
from torch7py.translate.inference.short_names import ShortNames
from torch7py.translate.inference.state import Inference
from torch7py.translate.inference.variables import AssignedValues, Stretches
from torch7py.translate.kinds import Type, unify, widen
from torch7py.translate.observed import Form
from torch7py.translate.scopes import Scopes, Variable
from torch7py.translate.tree import Block, Call, Expression, Index, Invoke, Name, Statement
from torch7py.translate.tree_queries import appends, bare, is_last
from torch7py.translate.types import Types
from torch7py.translate.usage import required

__all__ = ["infer"]


def infer(
    program: Block,
    scopes: Scopes,
    files: dict[Call, tree.Function] | None = None,
    checks: dict[tree.Function, ArgumentChecks] | None = None,
    tables_stay: bool = False,
    loaded: Mapping[Expression, Form] | None = None,
) -> Types:
    """The types of a program.

    ``files``: the calls that run a file of the program, and the function that the file is taken for. ``checks``: what
    is known of the arguments of functions that argcheck made. ``tables_stay``: whether tables with metatables stay what
    they are, and are no classes. ``loaded``: what a run has shown of the files that calls load.
    """
    once = functools.partial(_infer, program, scopes, files, checks or {}, tables_stay, loaded or {})
    types = once(set())
    tables = tuples.mixed(types, program)
    if tables:
        types = once(tables)
    sinks: set[union_types.Sink] = set()
    for _ in range(_MOST_LOOKS):
        more = union_types.sinks(types, scopes) - sinks
        if not more:
            break
        sinks |= more  # those among them that nothing told from the others before
        types = once(tables, sinks)
    return types


_MOST_LOOKS = 5  # at a program in which something takes several kinds
_MOST_RESULTS = 9  # that are followed from function to function


def _infer(
    program: Block,
    scopes: Scopes,
    files: dict[Call, tree.Function] | None,
    checks: dict[tree.Function, ArgumentChecks],
    tables_stay: bool,
    loaded: Mapping[Expression, Form],
    tables: set[tree.Table],
    sinks: set[union_types.Sink] | None = None,
) -> Types:
    inference = Statements(scopes, files or {})
    if sinks:
        inference.take_several(sinks)
    inference.types.checks = checks
    inference.classes.tables_stay = tables_stay
    inference.program = program
    inference.loaded = loaded
    inference.tuples = tables
    inference.options_read = literals.options_read(program)
    inference.graphs = any(node.key_name == "gModule" for node in tree.every(program, Index))
    Stretches(scopes, inference.types).find(program)
    inference.assigned = AssignedValues(program)
    inference.types.given_once = inference.assigned.once(scopes)
    inference.classes.find(program)
    inference.class_types.know(inference.classes.all())
    for lua_class in inference.classes.all():
        learn_tables(inference, lua_class)
    inference.types.fields_of_modules = module_fields(program)
    inference.types.program_fields = program_fields(program)
    inference.short_names = ShortNames(inference.types, program, inference.assigned)
    inference.short_names.find()
    inference.block(program)
    if inference.cases is not None:
        inference.types.narrowed = inference.cases.narrowing.kinds
    fixpoint.settle(inference)
    types = inference.types
    vars(inference).clear()  # its parts hold it: so they go now, and are nothing for the garbage collector
    return types


def kind_of_fields(table: Type, value: Type) -> bool:
    """The values of a table with names are what its fields are."""
    fields = [field.find() for field in table.find().fields.values()]
    kinds = frozenset[str]().union(*{field.kinds for field in fields})
    if kinds and kinds <= {"module", "criterion"} and all(len(field.kinds) < 2 for field in fields):
        return value.kind is None and value.be("module")
    if kinds == {"table"}:
        return sum(unify(value, field) for field in fields) > 0  # each of them
    news = False
    for field in fields:
        news |= value.be_like(field)
        news |= "table" in field.kinds and value.learn_from(field)
    return news


_UNPACKS = ("unpack", "table.unpack")


# Packages that a program calls, or does nothing with, without a dot behind their names.
_USED_BY_THEMSELVES = {"argcheck.doc", "threads"}


class Statements(Inference):
    def __init__(self, scopes: Scopes, files: dict[Call, tree.Function]) -> None:
        super().__init__(scopes, files)
        self._indexed: dict[Name, bool] | None = None
        self.assigned: AssignedValues
        self.short_names: ShortNames
        self.classes = Classes(self)
        self.class_types = ClassTypes(self)
        self.indexing = IndexKinds(self)
        self.calls = CallKinds(self)
        self.expressions = ExpressionKinds(self, self.calls, self.indexing, self.class_types)

    def take_several(self, sinks: set[union_types.Sink]) -> None:
        """Let these learn what they are given, and what they are given nothing from them."""
        self.sinks = sinks
        narrowing = Narrowing(self.types, self.scopes)
        for function in self.scopes.of_function:
            narrowing.function(
                function, [parameter for parameter in function.parameters if parameter in sinks]
            )
        self.cases = union_types.Cases(self.types, self.rules, narrowing)

    def expression(self, node: Expression) -> Type:
        type_ = self.types.by_node.get(node)
        if type_ is None:
            type_ = self.expressions.of(node)
            self.types.by_node[node] = type_
        return type_

    # Statements

    def block(self, block: Block) -> None:
        for statement in block.statements:
            self.statement(statement)

    def statement(self, node: Statement) -> None:
        if self.class_types.defines_class(self, node) or self.class_types.part(self, node):
            return
        if isinstance(node, tree.Assignment):
            self._package(node)
        if isinstance(node, tree.Local):
            self.assign([self.declare(name) for name in node.names], node.values)
        elif isinstance(node, tree.Assign):
            types = [self.target(target, node) for target in node.targets]
            places = [isinstance(t, Index) and not isinstance(t.key, tree.String) for t in node.targets]
            if node in self.apart:
                self.rules.append(
                    functools.partial(union_types.flow, types[0], self.expression(node.values[0]))
                )
                return
            # What is stored into an element of a tensor need not be of its kind: a number fills a row.
            self.assign([Type() if p else t for p, t in zip(places, types, strict=True)], node.values)
            value_types = self.values(node.values, len(types))
            for index, target in enumerate(node.targets):
                if places[index] and isinstance(target, Index) and index < len(value_types):
                    self._store(self.types.of(target.base), types[index], value_types[index])
            self._stores(node)
        elif isinstance(node, tree.Run):
            self.expression(node.call)
        elif isinstance(node, tree.Return):
            self._return(node)
        elif isinstance(node, (tree.If, tree.While, tree.Repeat)):
            self._conditional(node)
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

    def _conditional(self, node: tree.If | tree.While | tree.Repeat) -> None:
        if isinstance(node, tree.If):
            for condition, body in node.branches:
                self.expression(condition).mark("tested")
                self.block(body)
            if node.otherwise is not None:
                self.block(node.otherwise)
            return
        if isinstance(node, tree.Repeat):
            self.block(node.body)
        self.expression(node.condition).mark("tested")
        if isinstance(node, tree.While):
            self.block(node.body)

    def _package(self, node: tree.Assignment) -> None:
        """``local optim = require 'optim'``, or what ``pcall(require, 'cunn')`` gives second."""
        call = node.values[0] if len(node.values) == 1 else None
        if isinstance(call, Index) and len(node.targets) == 1 and isinstance(node.targets[0], Name):
            self.short_names.note(node.targets[0], call)
        if not isinstance(call, Call) or call in self.files:
            return
        maker = bare(call.callee)
        if isinstance(maker, Call):  # require('pl.import_into')()
            call = maker
        path, args = self.types.path(call.callee), list(call.arguments)
        at = 0
        if path == "pcall" and len(args) == 2 and self.types.path(args[0]) == "require":
            path, args, at = "require", args[1:], 1
        if (
            path != "require"
            or len(args) != 1
            or not isinstance(args[0], tree.String)
            or len(node.targets) != at + 1
        ):
            return
        target = node.targets[at]
        if not isinstance(target, Name):
            return
        variable = self.scopes.of_name[target]
        once = len(variable.writes) == (1 if variable.is_global else 0) or not variable.reads
        once = once or self._is_always(variable, args[0].value)
        by_itself = args[0].value in _USED_BY_THEMSELVES
        if once and (by_itself or self._only_indexed(variable, dotted=args[0].value != "optim")):
            self.types.packages[variable] = args[0].value.removesuffix(".import_into")

    def _is_always(self, variable: Variable, package: str) -> bool:
        """Whether each statement that gives a variable a value gives it one package."""
        values = self.assigned.to(variable)
        return all(v is not None and v not in self.files and required(v) == package for v in values)

    def _only_indexed(self, variable: Variable, dotted: bool) -> bool:
        """Whether a variable stands only before a dot, or a key: functions of optim are chosen by their names.

        Or it says to which package's layers a model is converted: ``cudnn.convert(net, cudnn)``.
        """
        if self._indexed is None:
            nodes = tree.every(self.program, Index)
            self._indexed = {n.base: n.dotted for n in nodes if isinstance(n.base, Name)}
            for call in tree.every(self.program, Call):
                callee = call.callee
                if isinstance(callee, Index) and callee.key_name == "convert":
                    self._indexed |= {n: True for n in call.arguments[1:] if isinstance(n, Name)}
            for unary in tree.every(self.program, tree.Unary):  # ``if not tds then tds = require 'tds' end``
                if unary.operator == "not" and isinstance(unary.operand, Name):
                    self._indexed[unary.operand] = True
        return all(name in self._indexed and self._indexed[name] >= dotted for name in variable.reads)

    def target(self, node: Expression, statement: Statement) -> Type:
        if isinstance(node, Name):
            type_ = self.name_type(node, statement)
            self.types.by_node[node] = type_
            return type_
        return self.expression(node)

    def assign(self, targets: list[Type], values: tuple[Expression, ...]) -> None:
        value_types = self.values(values, len(targets))
        for index, target in enumerate(targets):
            if index < len(value_types):
                unify(target, value_types[index])
            else:
                target.be_nil()

    def values(self, nodes: tuple[Expression, ...], wanted: int) -> list[Type]:
        """The types of a list of expressions; the last call gives as many as are wanted."""
        types = [self.expression(node) for node in nodes]
        if nodes and len(nodes) < wanted and isinstance(nodes[-1], (Call, Invoke)):
            more = self.types.results.setdefault(nodes[-1], [types[-1]])
            while len(types) < wanted:
                index = len(types) - len(nodes) + 1
                widen(more, index + 1)
                types.append(more[index])
        return types

    def _store(self, base: Type, element: Type, value: Type) -> None:
        def store() -> bool:
            if base.kind == "tensor":
                return element.be("number") if base.rank == 1 else False
            return unify(element, value) if base.kind is not None else False

        self.rules.append(store)

    def _stores(self, node: tree.Assign) -> None:
        for index, target in enumerate(node.targets):
            if isinstance(target, Index) and not target.dotted:
                base = self.types.of(target.base)
                base.mark("stored")
                if index < len(node.values) and isinstance(node.values[index], tree.Nil):
                    base.mark("array" if is_last(target) else "removed")
                if appends(target):
                    base.mark("array", "append")
                    base.be("table")

    def _all_results(self, function: tree.Function, before: int, call: Expression) -> bool:
        """``return f()`` gives all that f does."""
        news = False
        returns = self.types.returns[function]
        for called in self.types.function_called(call) if isinstance(call, (Call, Invoke)) else ():
            inner = self.types.returns.get(called)
            for index, result in enumerate(
                inner.types[1 : _MOST_RESULTS - before] if inner is not None else (), 1
            ):
                at = before + index
                if union_types.result_of(function, at) in self.sinks:
                    self.flows[returns.at(at), result] = None
                    news |= union_types.flow_back(returns.at(at), result)
                else:
                    news |= unify(returns.at(at), result)
        return news

    def _return(self, node: tree.Return) -> None:
        function = self.function[-1]
        types = self.values(node.values, len(node.values))
        if function is None:
            return
        returns = self.types.returns[function]
        returns.counts.add(len(node.values))
        if node.values and isinstance(node.values[-1], (Call, Invoke, tree.Vararg)):
            returns.open = True
            self.rules.append(lambda: self._all_results(function, len(node.values) - 1, node.values[-1]))
        if self.cases is not None:
            self.cases.note(function, node)
        for index, type_ in enumerate(types):
            if union_types.result_of(function, index) in self.sinks:
                self.flows[returns.at(index), type_] = None
                self.rules.append(functools.partial(union_types.flow_back, returns.at(index), type_))
            else:
                unify(returns.at(index), type_)
        only = node.values[0] if len(node.values) == 1 else None
        if isinstance(only, Call) and only.arguments and self.types.path(only.callee) in _UNPACKS:
            table = self.types.of(only.arguments[0])

            def items() -> bool:  # as many as the calls have names for
                news = False
                for result in returns.types:
                    news |= unify(result, table.of_elements())
                return news

            self.rules.append(items)
        for index, value in enumerate(node.values):
            if isinstance(value, tree.Binary) and value.operator == "and":  # nil, where the left side is
                returns.at(index).be_nil()

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
                    self.rules.append(lambda: kind_of_fields(table, names[1]))
            elif path in ("io.lines", "string.gmatch", *library.LISTINGS):
                for name in names:
                    name.be("string")
            if path in ("ipairs", "pairs") and len(names) > 1:
                self.guesses.append(lambda: of_json(table, names[1]))
        elif isinstance(source, Invoke) and source.method == "gmatch":
            for name in names:
                name.be("string")
        elif isinstance(source, Invoke) and source.method == "lines":
            names[0].be("string")
        if len(node.values) == 1:
            self.rules.append(lambda: self._iterated(types[0], names))
        self.block(node.body)
        self._same_fields(node)
        self._taken_fields(node)

    def _iterated(self, iterator: Type, names: list[Type]) -> bool:
        """What a function of the program's own gives at each turn of a loop over it."""
        news = iterator.kind == "matches" and names[0].be("string")
        for function in iterator.find().functions:
            returns = self.types.returns.get(function)
            if returns is not None:
                for position, name in enumerate(names):
                    news |= unify(name, returns.at(position))
        return news

    def _same_fields(self, node: tree.GenericFor) -> None:
        """``for k, v in pairs(a) do b[k] = copies(v, n) end``: b has a's fields, each a list."""
        source = node.values[0]
        if not (
            isinstance(source, Call) and self.types.path(source.callee) == "pairs" and len(node.names) == 2
        ):
            return
        table = self.types.of(source.arguments[0])
        for statement in node.body.statements:
            if not isinstance(statement, tree.Assign) or len(statement.targets) != 1:
                continue
            target, value = statement.targets[0], statement.values[0]
            if not (isinstance(target, Index) and isinstance(value, Call) and value.arguments):
                continue
            by_key = isinstance(target.key, Name) and target.key.name == node.names[0].name
            of_value = isinstance(value.arguments[0], Name) and value.arguments[0].name == node.names[1].name
            if by_key and of_value:
                filled, callee = self.types.of(target.base), self.types.of(value.callee)
                self.rules.append(lambda f=filled, c=callee: self._fill(table, f, c))  # type: ignore[misc]

    def _taken_fields(self, node: tree.GenericFor) -> None:
        """``for k, v in pairs(options) do self[k] = v end``: an object has the fields of a table."""
        source = node.values[0]
        of_pairs = isinstance(source, Call) and self.types.path(source.callee) == "pairs" and source.arguments
        if not of_pairs or len(node.names) != 2:
            return
        assert isinstance(source, Call)
        table = self.types.of(source.arguments[0])
        for statement in tree.every(node.body, tree.Assign):
            target, value = statement.targets[0], statement.values[0]
            if len(statement.targets) == len(statement.values) == 1 and self._is_entry(target, value, node):
                assert isinstance(target, Index)
                self.types.taken_fields[target] = source.arguments[0]
                taking = self.types.of(target.base)
                self.rules.append(lambda taking=taking: self._take(table, taking))  # type: ignore[misc]

    def _is_entry(self, target: Expression, value: Expression, node: tree.GenericFor) -> bool:
        """Whether ``target = value`` puts the key and the value of a loop into something else."""
        if not isinstance(target, Index) or not isinstance(target.key, Name) or not isinstance(value, Name):
            return False
        of_name = self.scopes.of_name
        key, entry = (of_name[name] for name in node.names)
        return of_name[target.key] is key and of_name[value] is entry and not (key.writes or entry.writes)

    def _take(self, table: Type, taking: Type) -> bool:
        if "object" not in taking.find().kinds:
            return False
        objects = dict.fromkeys((taking.find(), *self.types.family(taking).instances))
        fields = list(table.find().fields.items())
        return sum(unify(taker.of_field(n), f) for taker in objects for n, f in fields) > 0

    def _fill(self, table: Type, filled: Type, callee: Type) -> bool:
        if not any(self.types.known.get(f) == "clones" for f in callee.find().functions):
            return False
        news = filled.mark("copied fields")
        for name, field in list(table.find().fields.items()):
            copies = filled.of_field(name)
            news |= copies.be_list() | unify(copies.of_elements(), field)
        return news

    def _function_statement(self, node: tree.FunctionStatement) -> None:
        function = self.expression(node.function)
        target = node.target
        unify(self.target(target, node), function)
        if node.method and isinstance(target, Index):
            unify(self.name_type(node.function.parameters[0]), self.types.of(target.base))
