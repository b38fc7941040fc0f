"""Functions that move what they are given to a GPU: ``function place(x) return gpu and x:cuda() or x end``.

A program hands them its data, its model and its criterion alike. A call of one is read as ``x:cuda()``, so that
whatever is known of that method is known of it, and written as the call that it is. One that converts by an option, in
branches or by the type's name, is of this kind as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from torch7py.translate import tree
from torch7py.translate.native.tree_replacement import replace_in
from torch7py.translate.scopes import Variable, resolve
from torch7py.translate.tree import Binary, Block, Call, Expression, Function, Invoke, Name, Node
from torch7py.translate.tree_queries import bare

__all__ = ["Conversion", "DeviceTransfers", "read_as_methods"]

_CONVERSIONS = ("cuda", "cl", "float", "double")


@dataclass(eq=False)
class Conversion:
    """One of the branches of a function that converts: when it is taken (None: always), and what it does.

    ``method``: "cuda", "float", ..., "type" with the ``name`` of the type; "" where ``rest`` is all that is done.
    """

    condition: Expression | None
    method: str
    name: Expression | None = None
    rest: Block | None = None


@dataclass(eq=False)
class DeviceTransfers:
    """What was found: when each such function moves (None: always), and by which function a value is moved."""

    conditions: dict[Function, Expression | None] = field(default_factory=dict)
    # Of functions that convert otherwise.
    conversions: dict[Function, list[Conversion]] = field(default_factory=dict)
    by_function: dict[Expression, Name] = field(default_factory=dict)  # of what is moved, the function's name

    def update(self, other: DeviceTransfers) -> None:
        self.conditions.update(other.conditions)
        self.conversions.update(other.conversions)
        self.by_function.update(other.by_function)


def read_as_methods(program: Block, alone: bool) -> DeviceTransfers:
    """Find such functions in a program that was just parsed, and put methods in the place of their calls.

    ``alone``: the program is one file, so that nobody else gives its globals other values.
    """
    transfers = DeviceTransfers()
    declared = [
        (name, function)
        for name, function in _functions(program)
        if _moves(function, transfers.conditions) or _converts(function, transfers.conversions)
    ]
    if not declared:
        return transfers
    scopes = resolve(program)
    named: dict[Variable, Name] = {}
    for name, function in declared:
        variable = scopes.of_name[name]
        writes = [write for write in variable.writes if write is not name]
        if writes or variable in named or (variable.is_global and not alone):
            transfers.conditions.pop(function, None)
            transfers.conversions.pop(function, None)
        else:
            named[variable] = name
    calls: dict[Expression, Invoke] = {}
    for call in tree.every(program, Call):
        used = named.get(scopes.of_name[call.callee]) if isinstance(call.callee, Name) else None
        if used is not None and len(call.arguments) == 1 and not isinstance(call.arguments[0], tree.Vararg):
            receiver = call.arguments[0]
            calls[call] = Invoke(call.span, receiver, "cuda", (), call.span)
            transfers.by_function[receiver] = used
    if calls:
        _replace(program, calls, transfers)
    return transfers


def _functions(program: Block) -> list[tuple[Name, Function]]:
    local = [(node.name, node.function) for node in tree.every(program, tree.LocalFunction)]
    return local + [
        (node.target, node.function)
        for node in tree.every(program, tree.FunctionStatement)
        if isinstance(node.target, Name)
    ]


def _moves(function: Function, conditions: dict[Function, Expression | None]) -> bool:
    """Whether a function does nothing else than to move its one argument; notes when it does."""
    body = function.body
    if len(function.parameters) != 1 or function.vararg or body.opening or body.closing:
        return False
    parameter = function.parameters[0].name
    first, *rest = body.statements or (None,)
    if any(s.around.before or s.around.trailing or s.around.inside for s in body.statements):
        return False
    condition: Expression | None = None
    if isinstance(first, tree.Return) and len(first.values) == 1 and not rest:
        value = bare(first.values[0])
        if isinstance(value, Binary) and value.operator == "or" and _is_name(value.right, parameter):
            chosen = bare(value.left)
            if not (isinstance(chosen, Binary) and chosen.operator == "and"):
                return False
            condition, value = chosen.left, bare(chosen.right)
        if not _is_moved(value, parameter):
            return False
    elif isinstance(first, tree.If) and len(first.branches) == 1 and len(rest) <= 1:
        condition, then = first.branches[0]
        otherwise = first.otherwise.statements if first.otherwise is not None else tuple(rest)
        if (first.otherwise is not None and rest) or not _plain(then) or not _plain(first.otherwise):
            return False
        if len(then.statements) != 1 or len(otherwise) != 1 or not _returns(otherwise[0], parameter):
            return False
        moved = then.statements[0]
        if isinstance(moved, tree.Return) and len(moved.values) == 1:
            if not _is_moved(bare(moved.values[0]), parameter):
                return False
        elif not (
            isinstance(moved, tree.Assign)
            and len(moved.targets) == len(moved.values) == 1
            and _is_name(moved.targets[0], parameter)
            and _is_moved(bare(moved.values[0]), parameter)
            and first.otherwise is None
        ):
            return False
    else:
        return False
    if condition is not None and any(_is_name(n, parameter) for n in tree.walk(condition)):
        return False
    conditions[function] = condition
    return True


def _converts(function: Function, ways: dict[Function, list[Conversion]]) -> bool:
    """Whether a function only converts its one argument, by ``type`` or in the branches of a choice; notes how."""
    body = function.body
    if len(function.parameters) != 1 or function.vararg or not _plain(body) or len(body.statements) != 1:
        return False
    parameter, only = function.parameters[0].name, body.statements[0]
    conversions: list[Conversion] = []
    if isinstance(only, tree.If):
        for condition, block in only.branches:
            conversion = _branch_conversion(block, parameter, condition)
            if conversion is None or any(_is_name(n, parameter) for n in tree.walk(condition)):
                return False
            conversions.append(conversion)
        last = only.otherwise
        conversion = None if last is None else _branch_conversion(last, parameter, None)
        if conversion is not None:
            conversions.append(conversion)
        elif last is not None:
            if not _plain(last) or not _is_error(last, parameter):
                return False
            conversions.append(Conversion(None, "", rest=last))
        else:
            return False  # gives nothing
    else:
        conversion = _branch_conversion(body, parameter, None)
        if conversion is None or conversion.method != "type":
            return False
        conversions.append(conversion)
    ways[function] = conversions
    return True


def _branch_conversion(block: Block, parameter: str, condition: Expression | None) -> Conversion | None:
    """``require 'cunn' return x:cuda()``"""
    *before, last = block.statements or (None,)
    requires = all(
        isinstance(s, tree.Run)
        and isinstance(s.call, Call)
        and isinstance(s.call.callee, Name)
        and s.call.callee.name == "require"
        for s in before
    )
    if not _plain(block) or not requires or not isinstance(last, tree.Return) or len(last.values) != 1:
        return None
    value = bare(last.values[0])
    if _is_name(value, parameter):
        return Conversion(condition, "self")
    if not isinstance(value, Invoke) or not _is_name(value.receiver, parameter):
        return None
    if value.method in _CONVERSIONS and not value.arguments:
        return Conversion(condition, value.method)
    if value.method == "type" and len(value.arguments) == 1:
        name = value.arguments[0]
        if not any(_is_name(n, parameter) or isinstance(n, Call) for n in tree.walk(name)):
            return Conversion(condition, "type", name)
    return None


def _is_error(block: Block, parameter: str) -> bool:
    run = block.statements[0] if len(block.statements) == 1 else None
    call = run.call if isinstance(run, tree.Run) else None
    named = isinstance(call, Call) and isinstance(call.callee, Name) and call.callee.name == "error"
    return named and not any(_is_name(n, parameter) for n in tree.walk(block))


def _plain(block: Block | None) -> bool:
    """Whether there are no comments in a block."""
    return block is None or not (
        block.opening
        or block.closing
        or any(s.around.before or s.around.trailing or s.around.inside for s in block.statements)
    )


def _is_name(node: Node | Block, name: str) -> bool:
    return isinstance(node, Name) and node.name == name


def _is_moved(node: Expression, name: str) -> bool:
    return (
        isinstance(node, Invoke)
        and node.method == "cuda"
        and not node.arguments
        and _is_name(node.receiver, name)
    )


def _returns(statement: tree.Statement, name: str) -> bool:
    return (
        isinstance(statement, tree.Return)
        and len(statement.values) == 1
        and _is_name(statement.values[0], name)
    )


def _replace(program: Block, calls: dict[Expression, Invoke], transfers: DeviceTransfers) -> None:
    """Put the methods where the calls are."""
    replace_in(program, calls)
    for call, method in calls.items():
        name_of = transfers.by_function.pop(call, None)  # a call that is itself moved by another one
        if name_of is not None:
            transfers.by_function[method] = name_of
