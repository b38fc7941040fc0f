"""Functions of a program that are known by what they do, however they are called.

Torch7 programs that unroll a network by hand carry two of their own: one lays the parameters of several modules into
one vector, as ``getParameters`` does for one module; the other makes copies of a module that share its parameters. In
PyTorch neither is needed: an optimizer takes any list of parameters, and a module may be called many times.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.templates import Template
from torch7py.translate.tree import Block, Call, Expression, Function, Index, Invoke, Name, String
from torch7py.translate.tree_queries import dotted

__all__ = ["clones", "clones_plainly", "flattens", "known_function", "switches_dropout", "zeroes"]

_SHARED = {"weight", "bias", "gradWeight", "gradBias"}
_TOGETHER = Template(
    "local NET = MAKER() for PLACE, PART in OVER do NET:add(PART) end return NET:getParameters()"
)
_STORES = ("CLONES[TURN] = {}", "table.insert(CLONES, {})")
_ASKED = ("MODULE.parameters", "MODULE:parameters()", "MODULE.parameters and MODULE:parameters()")
_STORED = [store.format("CLONE") for store in _STORES] + [
    f"if {asked} then {store.format('CLONE')} else {store.format('MODULE:clone()')} end"
    for asked in _ASKED
    for store in _STORES
]
_CLONERS = [
    Template(f"local CLONES = {{}} for TURN = 1, COUNT do {stored} end return CLONES") for stored in _STORED
]


def flattens(function: Function) -> bool:
    """``flat, gradients = f(module, ...)``: gathers ``parameters()`` of what it is given, and moves them together."""
    last = _last(function.body)
    if _flattens_together(function):
        return True
    if not isinstance(last, tree.Return) or len(last.values) != 2:
        return False
    if not (function.vararg or function.parameters) or any(
        isinstance(n, tree.String) for n in _printed(function)
    ):
        return False
    methods = _methods(function.body)
    moves = any(len(node.arguments) >= 3 for node in methods.get("set", []))
    gathers = "parameters" in methods and "storage" in methods
    return moves and gathers and "torch.pointer" in _called(function.body)


def _flattens_together(function: Function) -> bool:
    """``getParameters`` of a new container to which all modules are added that the function is given."""
    found = _TOGETHER.match(function.body)
    if found is None or not function.vararg or function.parameters:
        return False
    made_by = dotted(found["MAKER"]) or ""
    is_of_all = any(isinstance(node, tree.Vararg) for node in tree.walk(found["OVER"]))
    return is_of_all and (facts.is_container(made_by) or facts.is_chain(made_by))


def clones(function: Function) -> bool:
    """``copies = f(module, n)``: writes a module to memory and reads it back n times, with its parameters shared."""
    if len(function.parameters) < 2 or function.vararg:
        return False
    methods = _methods(function.body)
    last = _last(function.body)
    if not isinstance(last, tree.Return) or len(last.values) != 1 or not isinstance(last.values[0], Name):
        return False
    module, count = function.parameters[0].name, function.parameters[1].name
    written = [node for node in methods.get("writeObject", []) if _is_name(node.arguments, module)]
    loops = [
        node
        for node in tree.walk(function.body)
        if isinstance(node, tree.NumericFor)
        and isinstance(node.stop, Name)
        and node.stop.name == count
        and isinstance(node.start, tree.Number)
        and node.start.value == 1
    ]
    reads = any(
        "readObject" in _methods(loop.body) and _stores(loop.body, loop, last.values[0].name)
        for loop in loops
    )
    shares = any("set" in _methods(loop.body) for loop in loops)
    return bool(written) and reads and shares and "torch.MemoryFile" in _called(function.body)


def clones_plainly(function: Function) -> bool:
    """``copies = f(module, n)``: a table of n times ``module:clone('weight', ...)``, and nothing else.

    What has no parameters may be cloned without them.
    """
    if len(function.parameters) != 2 or function.vararg:
        return False
    module, count = function.parameters
    for template in _CLONERS:
        found = template.match(function.body, MODULE=module, COUNT=count)
        clone = found["CLONE"] if found is not None else None
        if isinstance(clone, Invoke) and clone.method == "clone" and _is_name((clone.receiver,), module.name):
            return {name.value for name in clone.arguments if isinstance(name, String)} >= _SHARED
    return False


def switches_dropout(function: Function) -> bool | None:
    """``f(networks)``: what ``train`` of each Dropout in a list of networks is set to; None where it does otherwise.

    The function hands itself to ``apply`` of each network, and then gets the modules one by one.
    """
    statements = function.body.statements
    if len(function.parameters) != 1 or function.vararg or not 1 <= len(statements) <= 2:
        return None
    parameter_name, first = function.parameters[0].name, statements[0]
    if not isinstance(first, tree.If) or first.otherwise is not None:
        return None
    (condition, listed), *more = first.branches
    body: tuple[tree.Statement, ...] = listed.statements
    if len(statements) == 2 and not more:
        last, second = _last(listed), statements[1]
        if not isinstance(last, tree.Return) or last.values or not isinstance(second, tree.If):
            return None
        body, more = body[:-1], list(second.branches)
        if second.otherwise is not None:
            return None
    if len(more) != 1:
        return None
    asked = {node.name for node in tree.walk(condition) if isinstance(node, Name)}
    plain = {parameter_name} < asked <= {"type", "torch", parameter_name}
    if not plain or len(body) != 1 or not _applied_to(body[0], parameter_name):
        return None
    return _set_in_dropout(*more[0], parameter_name)


def _applied_to(loop: tree.Statement, networks: str) -> tuple[Expression, ...]:
    """What each of the networks in a list is asked to apply, in a loop that does no more."""
    if not isinstance(loop, (tree.NumericFor, tree.GenericFor)) or len(loop.body.statements) != 1:
        return ()
    (run,) = loop.body.statements
    call = run.call if isinstance(run, tree.Run) else None
    if not isinstance(call, Invoke) or call.method != "apply" or len(call.arguments) != 1:
        return ()
    network = call.receiver
    if isinstance(loop, tree.GenericFor):
        heads, is_loop_item = loop.values, isinstance(network, Name) and network.name == loop.names[-1].name
    else:
        heads, is_loop_item = (loop.stop,), isinstance(network, Index) and _is_name((network.base,), networks)
    over = any(isinstance(n, Name) and n.name == networks for head in heads for n in tree.walk(head))
    return call.arguments if over and is_loop_item else ()


def _set_in_dropout(test: Expression, body: Block, module: str) -> bool | None:
    """``if string.match(m.__typename, 'Dropout') then m.train = false end``"""
    literals = [n.value for n in tree.walk(test) if isinstance(n, String)]
    matched = isinstance(test, Call) and not _called(test).isdisjoint({"string.match", "string.find"})
    matched |= isinstance(test, Invoke) and test.method in ("find", "match")
    known = {"string", "torch", module} >= {n.name for n in tree.walk(test) if isinstance(n, Name)}
    named = "__typename" in literals or "torch.typename" in _called(test) or "torch.type" in _called(test)
    if not matched or not known or not named or "Dropout" not in literals or len(body.statements) != 1:
        return None
    (assigned,) = body.statements
    if not isinstance(assigned, tree.Assign) or len(assigned.targets) != 1 or len(assigned.values) != 1:
        return None
    target, value = assigned.targets[0], assigned.values[0]
    field = isinstance(target, Index) and target.key_name == "train"
    is_of_module = isinstance(target, Index) and isinstance(target.base, Name) and target.base.name == module
    return value.value if field and is_of_module and isinstance(value, tree.Boolean) else None


def _stores(block: Block, loop: tree.NumericFor, table: str) -> bool:
    """Whether a block in a loop puts something at the turn's place of a table."""
    for node in tree.walk(block):
        for target in node.targets if isinstance(node, tree.Assign) else ():
            if isinstance(target, Index) and isinstance(target.base, Name) and target.base.name == table:
                return isinstance(target.key, Name) and target.key.name == loop.variable.name
    return False


def zeroes(function: Function, call: Call) -> bool:
    """Whether a function gives a list of copies that it sets to zero, with the arguments of this call."""
    last = _last(function.body)
    if not isinstance(last, tree.Return) or len(last.values) != 1 or not isinstance(last.values[0], Name):
        return False
    result = last.values[0].name
    for statement in function.body.statements:
        if isinstance(statement, tree.GenericFor):
            for inner in statement.body.statements:
                if _zeroes(inner, result):
                    return True
                if isinstance(inner, tree.If) and len(inner.branches) == 1 and inner.otherwise is None:
                    condition, body = inner.branches[0]
                    if any(_zeroes(s, result) for s in body.statements) and _is_passed_true(
                        condition, function, call
                    ):
                        return True
    return False


def _zeroes(statement: tree.Statement, result: str) -> bool:
    call = statement.call if isinstance(statement, tree.Run) else None
    return (
        isinstance(call, Invoke)
        and call.method == "zero"
        and isinstance(call.receiver, Index)
        and isinstance(call.receiver.base, Name)
        and call.receiver.base.name == result
    )


def _is_passed_true(condition: Expression, function: Function, call: Call) -> bool:
    """Whether a condition is a parameter for which the call has ``true``."""
    names = [parameter.name for parameter in function.parameters]
    if not isinstance(condition, Name) or condition.name not in names:
        return False
    at = names.index(condition.name)
    argument = call.arguments[at] if at < len(call.arguments) else None
    return isinstance(argument, tree.Boolean) and argument.value


def known_function(function: Function) -> str:
    """ "flattens", "clones", "drops", "keeps" (what its Dropouts get) or nothing."""
    if flattens(function):
        return "flattens"
    if clones(function) or clones_plainly(function):
        return "clones"
    dropping = switches_dropout(function)
    return "" if dropping is None else "drops" if dropping else "keeps"


def _last(block: Block) -> tree.Statement | None:
    return block.statements[-1] if block.statements else None


def _methods(block: Block) -> dict[str, list[Invoke]]:
    calls: dict[str, list[Invoke]] = {}
    for node in tree.walk(block):
        if isinstance(node, Invoke):
            calls.setdefault(node.method, []).append(node)
    return calls


def _called(block: Block | tree.Node) -> set[str]:
    paths = set()
    for node in tree.walk(block):
        callee = node.callee if isinstance(node, Call) else None
        if isinstance(callee, Index) and isinstance(callee.base, Name) and isinstance(callee.key, String):
            paths.add(f"{callee.base.name}.{callee.key.value}")
    return paths


def _printed(function: Function) -> list[tree.Node | Block]:
    """What a function prints: one that does is more than a helper."""
    arguments: list[tree.Node | Block] = []
    for node in tree.walk(function.body):
        if isinstance(node, Call) and isinstance(node.callee, Name) and node.callee.name == "print":
            arguments += node.arguments
    return arguments


def _is_name(arguments: tuple[Expression, ...], name: str) -> bool:
    return len(arguments) == 1 and isinstance(arguments[0], Name) and arguments[0].name == name
