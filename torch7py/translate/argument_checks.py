"""Functions made by argcheck: rules for their arguments, and the function that is called when they fit.

``f = argcheck{{name='x', type='number', default=0}, call=function(x) ... end}`` is read as that function, of which it
is known what each argument is and what it is when it is left out; checks of their own are left out as the others are.
Rules that do more (several functions under one name) stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from torch7py.translate import tree
from torch7py.translate.scopes import Variable, resolve
from torch7py.translate.tree import Around, Block, Call, Expression, Function, Index, Name, String, Table
from torch7py.translate.tree_queries import dotted

__all__ = ["OF_RULE", "ArgumentChecks", "Rule", "find_argument_checks", "named_arguments"]

_READERS = (
    "pairs",
    "ipairs",
    "torch.Tensor",
    "torch.LongTensor",
    "torch.IntTensor",
    "torch.FloatTensor",
    "assert",
)
_KINDS = {"number", "string", "boolean", "table", "function"}
_OPTIONS = {"doc", "help", "call", "force", "nonamed", "noordered"}
OF_RULE = {"name", "type", "default", "defaulta", "opt", "help", "doc", "check"}


@dataclass(eq=False)
class Rule:
    """What is said of one argument."""

    name: str
    type: str
    default: Expression | None = None
    like: str = ""  # the argument whose value it takes when it is left out
    optional: bool = False

    @property
    def kind(self) -> str | None:
        """The kind of value; None for an object of a class."""
        if self.type in _KINDS:
            return self.type
        return "tensor" if self.type.startswith("torch.") and self.type.endswith("Tensor") else None

    @property
    def may_be_left_out(self) -> bool:
        return self.default is not None or bool(self.like) or self.optional


@dataclass(eq=False)
class ArgumentChecks:
    """The rules of one function, in the order of its parameters."""

    rules: list[Rule]
    doc: str = ""
    by_name: bool = True
    in_order: bool = True
    comments: list[tree.Comment] = field(default_factory=list)

    def places(
        self, arguments: Sequence[Expression], kind: Callable[[Expression], str | None], first: int
    ) -> list[int] | None:
        """Which rules the arguments of a call are for, from rule number ``first`` on.

        An argument that may be left out may be so in the middle: then those after it are told by their kinds, and
        of several ways the one that leaves out what comes last is taken. None: not known.
        """
        rules = self.rules[first:]
        count = len(arguments)
        if not self.in_order or (arguments and isinstance(arguments[-1], tree.Vararg)) or count > len(rules):
            return None
        if count == len(rules) or not any(rule.may_be_left_out for rule in rules[:count]):
            return list(range(count))
        kinds = [kind(argument) for argument in arguments]
        indices: list[int] = []
        at = 0
        for position, (argument, of_argument) in enumerate(zip(arguments, kinds, strict=True)):
            if of_argument in (None, "any") and not isinstance(argument, tree.Nil):
                return None
            while at < len(rules) and not self._fits(rules[at], argument, of_argument):
                if not rules[at].may_be_left_out:
                    return None
                at += 1
            if at == len(rules):
                return None
            if rules[at].kind is None and not isinstance(argument, tree.Nil) and position != at:
                return None  # objects of which class
            indices.append(at)
            at += 1
        if not all(rule.may_be_left_out for rule in rules[at:]):
            return None
        return indices

    def _fits(self, rule: Rule, argument: Expression, kind: str | None) -> bool:
        if isinstance(argument, tree.Nil):
            return rule.may_be_left_out
        return kind == rule.kind or (rule.kind is None and kind in ("object", "module", "criterion", "table"))


def named_arguments(checks: ArgumentChecks, arguments: Sequence[Expression], first: int) -> Table | None:
    """The table in ``f{x = 1, y = 2}``, where that gives the arguments by their names."""
    table = arguments[0] if len(arguments) == 1 else None
    if not checks.by_name or not isinstance(table, Table):
        return None
    rules = checks.rules[first:]
    # in order it would be the one argument
    others = [
        sum(not r.may_be_left_out for r in rules if r is not rule) for rule in rules if rule.type == "table"
    ]
    takes_tables = checks.in_order and 0 in others
    names = {rule.name for rule in rules}
    if takes_tables or any(i.key_name not in names for i in table.fields):
        return None
    return table


def find_argument_checks(
    program: Block,
) -> tuple[dict[Expression, Expression], dict[Function, ArgumentChecks]]:
    """The calls of argcheck in a program that was just parsed with the function that each makes, and their rules."""
    makers = {
        name
        for statement in tree.every(program, tree.Local)
        for name, value in zip(statement.names, statement.values, strict=False)
        if _requires(value, "argcheck")
    }
    if not makers:
        return {}, {}
    scopes = resolve(program)
    variables: set[Variable] = {scopes.of_name[name] for name in makers}
    replaced: dict[Expression, Expression] = {}
    checks: dict[Function, ArgumentChecks] = {}
    for call in tree.every(program, Call):
        if not isinstance(call.callee, Name) or scopes.of_name[call.callee] not in variables:
            continue
        read = _read(call)
        if read is not None:
            replaced[call] = read[0]
            checks[read[0]] = read[1]
    for function, function_checks in checks.items():
        _fill_in(function, function_checks)
    return replaced, checks


def _fill_in(function: Function, checks: ArgumentChecks) -> None:
    """Functions, tables and fields as defaults: ``if f == nil then f = ... end`` before all else, where f is nil."""
    body = function.body
    added: list[tree.Statement] = []
    for parameter, rule in zip(function.parameters, checks.rules, strict=False):
        default = rule.default
        if not isinstance(default, (Function, Table, Index)):
            continue
        first = body.statements[0].span if body.statements else function.span
        position = tree.Span(first.line, first.column, first.start, first.start)
        test = tree.Binary(position, "==", Name(position, parameter.name), tree.Nil(position))
        assigned = tree.Assign(position, Around(), (Name(position, parameter.name),), (default,))
        added.append(tree.If(position, Around(), ((test, Block((assigned,), None, ())),), None))
        rule.default, rule.optional = None, True
    if added:
        object.__setattr__(body, "statements", (*added, *body.statements))


def _requires(node: Expression, name: str) -> bool:
    callee = node.callee if isinstance(node, Call) else None
    return (
        isinstance(node, Call)
        and isinstance(callee, Name)
        and callee.name == "require"
        and len(node.arguments) == 1
        and isinstance(node.arguments[0], String)
        and node.arguments[0].value == name
    )


def _read(call: Call) -> tuple[Function, ArgumentChecks] | None:
    table = call.arguments[0] if len(call.arguments) == 1 else None
    if not isinstance(table, Table):
        return None
    checks = ArgumentChecks([])
    function: Function | None = None
    for item in table.fields:
        checks.comments += [*item.before, *([item.trailing] if item.trailing is not None else [])]
        if item.key is None:
            rule = _rule(item.value)
            if rule is None:
                return None
            checks.rules.append(rule)
            continue
        name = item.key_name or ""
        if name not in _OPTIONS:
            return None
        if name == "call":
            function = item.value if isinstance(item.value, Function) else None
        elif name in ("doc", "help"):
            if not isinstance(item.value, String):
                return None
            checks.doc = item.value.value
        elif name in ("nonamed", "noordered"):
            if not isinstance(item.value, tree.Boolean):
                return None
            checks.by_name &= name != "nonamed" or not item.value.value
            checks.in_order &= name != "noordered" or not item.value.value
    if function is None or function.vararg or len(function.parameters) > len(checks.rules):
        return None
    names = [rule.name for rule in checks.rules]
    if any(rule.like and rule.like not in names for rule in checks.rules):
        return None
    parameter_names = {parameter.name for parameter in function.parameters}
    for rule in checks.rules:
        inner = rule.default.operand if isinstance(rule.default, tree.Unary) else rule.default
        if isinstance(inner, Function):
            if parameter_names.intersection(n.name for n in tree.walk(inner.body) if isinstance(n, Name)):
                return None  # it would be another variable in the function
        elif isinstance(inner, Table):
            at = checks.rules.index(rule)
            if at < len(function.parameters) and not _is_only_read(function, function.parameters[at].name):
                return None  # made once, and the same for all calls
            if not all(_is_literal(item.value) for item in inner.fields):
                return None
        elif isinstance(inner, Index):
            if parameter_names.intersection(n.name for n in tree.walk(inner) if isinstance(n, Name)):
                return None
        elif inner is not None and not isinstance(inner, (tree.Number, String, tree.Boolean)):
            return None
    return function, checks


def _only_looks(check: Function) -> bool:
    """Whether a check changes nothing but its own variables."""
    local_names = {name.name for node in tree.every(check.body, tree.Local) for name in node.names}
    targets = [target for node in tree.every(check.body, tree.Assign) for target in node.targets]
    return all(isinstance(target, Name) and target.name in local_names for target in targets)


def _is_literal(node: Expression) -> bool:
    if isinstance(node, Table):
        return all(_is_literal(item.value) for item in node.fields)
    inner = node.operand if isinstance(node, tree.Unary) else node
    return isinstance(inner, (tree.Number, String, tree.Boolean))


def _is_only_read(function: Function, name: str) -> bool:
    """Whether a function looks at what a parameter holds, and neither changes it nor keeps it."""
    free: set[Expression] = set()
    for node in tree.walk(function.body):
        if isinstance(node, tree.Unary):
            free.add(node.operand)
        elif isinstance(node, tree.Binary) and node.operator in ("==", "~="):
            free |= {node.left, node.right}
        elif isinstance(node, Index):
            free.add(node.base)
        elif isinstance(node, Call) and (dotted(node.callee) or "").startswith(_READERS):
            free.update(node.arguments)
    stored = {target for node in tree.every(function.body, tree.Assign) for target in node.targets}
    free -= {target.base for target in stored if isinstance(target, Index)}
    names = [node for node in tree.walk(function.body) if isinstance(node, Name) and node.name == name]
    return all(node in free and node not in stored for node in names)


def _rule(node: Expression) -> Rule | None:
    if not isinstance(node, Table):
        return None
    entries = node.named_values
    if len(entries) != len(node.fields) or entries.keys() - OF_RULE:
        return None
    check = entries.get("check")
    if check is not None and not (isinstance(check, Function) and _only_looks(check)):
        return None
    name, kind = entries.get("name"), entries.get("type")
    if not isinstance(name, String) or not isinstance(kind, String):
        return None
    like, optional = entries.get("defaulta"), entries.get("opt")
    if (like is not None and not isinstance(like, String)) or (
        optional is not None and not isinstance(optional, tree.Boolean)
    ):
        return None
    return Rule(
        name.value,
        kind.value,
        entries.get("default"),
        like.value if isinstance(like, String) else "",
        bool(isinstance(optional, tree.Boolean) and optional.value),
    )
