"""The optimizers of a program, from its calls of optim's functions: what each moves, and where it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.native.optimizers.methods import METHODS, Definition, Optimizer
from torch7py.translate.native.optimizers.settings import find_changes
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Name, Statement

if TYPE_CHECKING:
    from torch7py.translate.native.training import Training

__all__ = ["find"]


def find(training: Training) -> None:
    """The optimizers of a program, from its calls of optim's functions."""
    t = training.t
    calls: dict[Variable, list[Call]] = {}
    for node in tree.every(t.program, Call):
        if len(node.arguments) < 2 or not _called(training, node):
            continue
        feval, weights = node.arguments[:2]
        functions = t.type(feval).functions
        if not isinstance(weights, Name) or not _known_weights(training, weights, functions):
            continue
        for function in functions:
            training.closures.add(function)
            _mark_loss(training, function)
        state = node.arguments[-1] if len(node.arguments) > 2 else None
        if isinstance(state, Name):
            calls.setdefault(t.scopes.of_name[state], []).append(node)
        elif (state is None or isinstance(state, tree.Table)) and len(node.arguments) < 4:
            _in_a_call(training, node, state)
    for variable, nodes in calls.items():
        _kept(training, variable, nodes)
    find_changes(training)


def _known_weights(training: Training, weights: Name, functions: list[tree.Function]) -> bool:
    """Whether what is optimized are the parameters of a module, or a tensor of the program's."""
    t = training.t
    if t.scopes.of_name[weights] in training.vectors.aliases:
        return True
    if not _is_point(training, weights, functions):
        return False
    for function in functions:
        training.points[function] = weights
        for parameter in function.parameters[:1]:  # what it is given is this tensor itself
            t.names.chosen[t.scopes.of_name[parameter]] = t.names.of(weights)
    return True


def _module(training: Training, weights: Name) -> Expression:
    """What an optimizer moves: a module, or a tensor of the program's."""
    return training.vectors.aliases.get(training.t.scopes.of_name[weights], weights)


def _called(training: Training, node: Call) -> set[str]:
    """The names of optim's functions that a call may be one of."""
    t = training.t
    path = t.path(node.callee) or ""
    if path.startswith("optim."):
        return {path.removeprefix("optim.")} & set(METHODS)
    if not isinstance(node.callee, Name):
        return set()
    found = set()
    for _, value in _assignments(training, t.scopes.of_name[node.callee]):
        path = (t.path(value) or "") if value is not None else ""
        if not path.startswith("optim.") or path.removeprefix("optim.") not in METHODS:
            return set()
        found.add(path.removeprefix("optim."))
    return found


def _assignments(training: Training, variable: Variable) -> list[tuple[Statement, Expression | None]]:
    """What is assigned to a variable, and where."""
    if training.assignments is None:
        training.assignments = {}
        for statement in training.places.owner:
            if isinstance(statement, tree.Local):
                targets: tuple[Expression, ...] = statement.names if statement.values else ()
            elif isinstance(statement, tree.Assign):
                targets = statement.targets
            else:
                continue
            for index, target in enumerate(targets):
                if isinstance(target, Name):
                    alone = len(targets) == len(statement.values) == 1
                    made = (statement, statement.values[index] if alone else None)
                    training.assignments.setdefault(training.t.scopes.of_name[target], []).append(made)
    return training.assignments.get(variable, [])


def _is_point(training: Training, tensor: Name, functions: list[tree.Function]) -> bool:
    """Whether what is optimized is a tensor of the program's (an image) that always stays the same one."""
    t = training.t
    variable = t.scopes.of_name[tensor]
    if t.kind(tensor) != "tensor" or variable.kind == "parameter":
        return False
    if t.type(tensor).has("flat weights") and variable not in training.vectors.as_vectors:
        return False
    if len(variable.writes) > (1 if variable.is_global else 0) or not functions:
        return False
    for function in functions:  # they must see it
        scope = t.scopes.of_function[function].parent
        while scope is not None and variable.scope is not None and scope is not variable.scope:
            scope = scope.parent
        if scope is None or training.points.get(function, tensor).name != tensor.name:
            return False
        if any(isinstance(s, tree.Return) and len(s.values) != 2 for s in tree.walk(function.body)):
            return False
    return True


def _mark_loss(training: Training, function: tree.Function) -> None:
    """The loss that a closure gives keeps its graph."""
    t = training.t
    for node in tree.walk(function.body):
        if isinstance(node, tree.Return) and node.values:
            for name in tree.walk(node.values[0]):
                if isinstance(name, Name) and t.type(name).has("loss"):
                    t.graph_variables.add(t.scopes.of_name[name])


def _in_a_call(training: Training, node: Call, state: tree.Table | None) -> None:
    """Settings in the call itself: each call begins anew."""
    methods = _called(training, node)
    weights = node.arguments[1]
    assert isinstance(weights, Name)
    module = _module(training, weights)
    table = tree.Table(node.place, ()) if state is None else state
    if len(methods) == 1:
        training.optimizers.append(Optimizer(next(iter(methods)), module, table, None, calls=[node]))


def _kept(training: Training, variable: Variable, nodes: list[Call]) -> None:
    """An optimizer whose state is in a variable, from the tables that the variable is given."""
    t = training.t
    modules = {t.scopes.of_name[call.arguments[1]] for call in nodes if isinstance(call.arguments[1], Name)}
    if len(modules) != 1:
        return
    definitions = []
    for statement, value in _assignments(training, variable):
        once = isinstance(value, tree.Binary) and value.operator == "or"
        if once and isinstance(value, tree.Binary):
            same = isinstance(value.left, Name) and t.scopes.of_name[value.left] is variable
            value = value.right if same else None
        settings = _settings(training, nodes, value)
        methods = _methods_at(training, nodes, statement)
        if settings is None or len(methods) != 1:
            return
        definitions.append(Definition(statement, settings, next(iter(methods)), once))
    if not definitions:
        return
    first, (weights,) = definitions[0], modules
    (named, *_) = (call.arguments[1] for call in nodes)
    assert isinstance(named, Name)
    module = _module(training, named)
    optimizer = Optimizer(first.method, module, first.table, first.statement, definitions, calls=nodes)
    optimizer.name = t.names.chosen[variable] = t.names.fresh("optimizer", variable.scope or t.scopes.main)
    training.optimizers.append(optimizer)
    training.optimizer_of[variable] = optimizer
    for definition in definitions:
        _place(training, optimizer, definition, weights)
    for call in nodes:
        if isinstance(call.callee, Name):  # the variable that has the method is the optimizer's class now
            chosen = t.scopes.of_name[call.callee]
            training.dropped.update(s for s, _ in _assignments(training, chosen))
            training.dropped_variables.add(chosen)


def _settings(training: Training, nodes: list[Call], value: Expression | None) -> tree.Table | None:
    """The table of settings; of ``optim.sgd(f, x, config, state)`` it is another than the state's."""
    if not isinstance(value, tree.Table):
        return None
    configs = [call.arguments[2] for call in nodes if len(call.arguments) > 3]
    if not configs:
        return value
    config = configs[0]
    if value.fields or len(configs) != len(nodes) or len(configs) > 1:
        return None
    if isinstance(config, tree.Table):
        plain = all(isinstance(f.value, (tree.Number, tree.Boolean)) for f in config.fields)
        return config if plain else None
    if not isinstance(config, Name):
        return None
    variable = training.t.scopes.of_name[config]
    made = _assignments(training, variable)
    table = made[0][1] if len(made) == 1 else None
    # the table is an optimizer's alone, whose settings do not change
    if not isinstance(table, tree.Table) or len(variable.reads) != 1:
        return None
    training.dropped.add(made[0][0])
    training.dropped_variables.add(variable)
    return table


def _methods_at(training: Training, nodes: list[Call], statement: Statement) -> set[str]:
    """The method that the state made by a statement is for: of several, the one that is chosen beside it."""
    found: set[str] = set()
    for call in nodes:
        found |= _called(training, call)
    if len(found) == 1:
        return found
    beside = set()
    for call in nodes:
        if (training.t.path(call.callee) or "").startswith("optim.") or not isinstance(call.callee, Name):
            return found
        for other, value in _assignments(training, training.t.scopes.of_name[call.callee]):
            around = training.places.parents[other]
            same = around == training.places.parents[statement] and _block_of(around, other) is _block_of(
                around, statement
            )
            if same and value is not None:
                beside.add((training.t.path(value) or "").removeprefix("optim."))
    return beside


def _block_of(around: tuple[Statement, ...], statement: Statement) -> tree.Block | None:
    """The block of the innermost statement around that a statement stands in."""
    for child in tree.walk(around[-1]) if around else ():
        if isinstance(child, tree.Block) and statement in child.statements:
            return child
    return None


def _place(training: Training, optimizer: Optimizer, definition: Definition, weights: Variable) -> None:
    """An optimizer is made where its settings stand, or after the weights where those come later."""
    flat = next((s for s, _ in _assignments_of_vector(training, weights)), None)
    training.dropped.add(definition.statement)
    at = definition.statement
    alone = len(optimizer.definitions) == 1
    if alone and flat is not None and flat.place.start > at.place.start:
        at = flat
    training.made_at.setdefault(at, []).append((optimizer, definition))


def _assignments_of_vector(training: Training, weights: Variable) -> list[tuple[Statement, None]]:
    found: list[tuple[Statement, None]] = []
    for statement in training.places.owner:
        if isinstance(statement, (tree.Local, tree.Assign)):
            targets = statement.names if isinstance(statement, tree.Local) else statement.targets
            if any(isinstance(x, Name) and training.t.scopes.of_name[x] is weights for x in targets):
                found.append((statement, None))
    return found
