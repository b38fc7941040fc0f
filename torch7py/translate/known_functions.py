"""Functions of a program that are known by what they do, however they are called.

Torch7 programs that unroll a network by hand carry two of their own: one lays the parameters of several modules into
one vector, as ``getParameters`` does for one module; the other makes copies of a module that share its parameters. In
PyTorch neither is needed: an optimizer takes any list of parameters, and a module may be called many times.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.tree import Block, Call, Expression, Function, Index, Invoke, Name, String
from torch7py.translate.tree_queries import dotted

__all__ = ["clones", "clones_plainly", "flattens", "known_function", "switches_dropout", "zeroes"]


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
    if not function.vararg or function.parameters or len(function.body.statements) != 3:
        return False
    made, loop, last = function.body.statements
    if (
        not isinstance(made, tree.Local)
        or not isinstance(loop, tree.GenericFor)
        or not isinstance(last, tree.Return)
    ):
        return False
    maker = made.values[0] if len(made.names) == len(made.values) == 1 else None
    given = last.values[0] if len(last.values) == 1 else None
    if not isinstance(maker, Call) or maker.arguments or not isinstance(given, Invoke):
        return False
    together, made_by = made.names[0].name, dotted(maker.callee) or ""
    over = [node for value in loop.values for node in tree.walk(value)]
    (step,) = loop.body.statements if len(loop.body.statements) == 1 else (None,)
    added = step.call if isinstance(step, tree.Run) else None
    return (
        (facts.is_container(made_by) or facts.is_chain(made_by))
        and given.method == "getParameters"
        and _is_name((given.receiver,), together)
        and any(isinstance(node, tree.Vararg) for node in over)
        and isinstance(added, Invoke)
        and added.method == "add"
        and _is_name((added.receiver,), together)
        and _is_name(added.arguments, loop.names[-1].name)
    )


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
    """``copies = f(module, n)``: a table of n times ``module:clone('weight', ...)``, and nothing else."""
    if len(function.parameters) != 2 or function.vararg or len(function.body.statements) != 3:
        return False
    first, loop, last = function.body.statements
    if not (isinstance(first, tree.Local) and len(first.names) == 1 and isinstance(loop, tree.NumericFor)):
        return False
    empty = len(first.values) == 1 and isinstance(first.values[0], tree.Table) and not first.values[0].fields
    if not empty or not (isinstance(last, tree.Return) and _is_name(last.values, first.names[0].name)):
        return False
    module, count = function.parameters[0].name, function.parameters[1].name
    counts = isinstance(loop.start, tree.Number) and loop.start.value == 1 and loop.step is None
    if (
        not counts
        or not (isinstance(loop.stop, Name) and loop.stop.name == count)
        or len(loop.body.statements) != 1
    ):
        return False
    store = loop.body.statements[0]
    table = first.names[0].name
    if isinstance(store, tree.If) and len(store.branches) == 1 and store.otherwise is not None:
        # what has no parameters shares none
        (asked, sharing), others = store.branches[0], store.otherwise
        plain = _clone_stored(others, loop, table, module)
        if not _asks_for_parameters(asked, module) or plain is None or plain.arguments:
            return False
        clone = _clone_stored(sharing, loop, table, module)
    else:
        clone = _clone_stored(loop.body, loop, table, module)
    shared = (
        {name.value for name in clone.arguments if isinstance(name, String)} if clone is not None else set()
    )
    return {"weight", "bias", "gradWeight", "gradBias"} <= shared


def _clone_stored(block: Block, loop: tree.NumericFor, table: str, module: str) -> Invoke | None:
    """``copies[t] = module:clone(...)``, the only statement of a block in a loop over t: the clone."""
    store = block.statements[0] if len(block.statements) == 1 else None
    if isinstance(store, tree.Assign) and len(store.targets) == len(store.values) == 1:
        if not _stores(block, loop, table):
            return None
        value = store.values[0]
    elif (
        isinstance(store, tree.Run) and _called(block) == {"table.insert"} and len(store.call.arguments) == 2
    ):
        value = store.call.arguments[1]
    else:
        return None
    is_clone = isinstance(value, Invoke) and value.method == "clone" and _is_name((value.receiver,), module)
    return value if isinstance(value, Invoke) and is_clone else None


def _asks_for_parameters(asked: Expression, module: str) -> bool:
    """``net.parameters and net:parameters()``"""
    if isinstance(asked, tree.Binary) and asked.operator == "and":
        return _asks_for_parameters(asked.left, module) and _asks_for_parameters(asked.right, module)
    if isinstance(asked, Invoke):
        return asked.method == "parameters" and _is_name((asked.receiver,), module)
    return dotted(asked) == f"{module}.parameters"


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
