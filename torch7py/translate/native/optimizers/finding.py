"""The optimizers of a program, from its calls of optim's functions: what each moves, and where it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.native.optimizers.choices import assigned_before, by_name, is_known_at, method_at
from torch7py.translate.native.optimizers.methods import Choice, Definition, Optimizer
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
    found: set[str] = set()
    for option in _options(training, node):
        found |= {option} if isinstance(option, str) else set(option.methods.values())
    return found


def _options(training: Training, node: Call) -> list[str | Choice]:
    """What a call may call: methods, or choices among them; nothing if it may be something else."""
    callees: list[Expression | None] = [node.callee]
    if isinstance(node.callee, Name):
        callees = [value for _, value in training.assigned_to(training.t.scopes.of_name[node.callee])]
    found: list[str | Choice] = []
    for callee in callees:
        option = None if callee is None else method_at(training, callee) or by_name(training, callee)
        if option is None:
            return []
        found.append(option)
    return found


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
    options = _options(training, node)
    weights = node.arguments[1]
    assert isinstance(weights, Name)
    module = _module(training, weights)
    table = tree.Table(node.place, ()) if state is None else state
    if len(options) == 1:
        training.optimizers.append(Optimizer(options[0], module, table, None, calls=[node]))


def _kept(training: Training, variable: Variable, nodes: list[Call]) -> None:
    """An optimizer whose state is in a variable, from the tables that the variable is given."""
    t = training.t
    modules = {t.scopes.of_name[call.arguments[1]] for call in nodes if isinstance(call.arguments[1], Name)}
    if len(modules) != 1:
        return
    definitions = []
    for statement, value in training.assigned_to(variable):
        once = isinstance(value, tree.Binary) and value.operator == "or"
        if once and isinstance(value, tree.Binary):
            same = isinstance(value.left, Name) and t.scopes.of_name[value.left] is variable
            value = value.right if same else None
        settings = _settings(training, nodes, value)
        option = _option_at(training, nodes, statement)
        if settings is None or option is None:
            return
        definitions.append(Definition(statement, settings, option, once))
    if not definitions:
        return
    first, (weights,) = definitions[0], modules
    (named, *_) = (call.arguments[1] for call in nodes)
    assert isinstance(named, Name)
    module = _module(training, named)
    optimizer = Optimizer(first.option, module, first.table, first.statement, definitions, calls=nodes)
    optimizer.name = t.names.chosen[variable] = t.names.fresh("optimizer", variable.scope or t.scopes.main)
    training.optimizers.append(optimizer)
    training.optimizer_of[variable] = optimizer
    for definition in definitions:
        _place(training, optimizer, definition, weights)
    for call in nodes:
        # the variable that has the method is the optimizer's class now
        if isinstance(call.callee, Name) and not _names_method(call.callee, definitions):
            chosen = t.scopes.of_name[call.callee]
            training.dropped.update(s for s, _ in training.assigned_to(chosen))
            training.dropped_variables.add(chosen)
        _drop_table(training, call)


def _names_method(callee: Name, definitions: list[Definition]) -> bool:
    """Whether a variable stays, as the name of the method."""
    return any(isinstance(d.option, Choice) and d.option.key is callee for d in definitions)


def _drop_table(training: Training, call: Call) -> None:
    """A table of methods is not needed where each of them is written out."""
    chosen = call.callee
    if isinstance(chosen, Name):
        chosen = next((v for _, v in training.assigned_to(training.t.scopes.of_name[chosen]) if v), chosen)
    is_one = by_name(training, chosen) is not None or method_at(training, chosen) is not None
    if isinstance(chosen, tree.Index) and isinstance(chosen.base, Name) and is_one:
        table = training.t.scopes.of_name[chosen.base]
        training.dropped.update(s for s, _ in training.assigned_to(table))
        training.dropped_variables.add(table)


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
    made = training.assigned_to(variable)
    table = made[0][1] if len(made) == 1 else None
    # the table is an optimizer's alone, whose settings do not change
    if not isinstance(table, tree.Table) or len(variable.reads) != 1:
        return None
    training.dropped.add(made[0][0])
    training.dropped_variables.add(variable)
    return table


def _option_at(training: Training, nodes: list[Call], statement: Statement) -> str | Choice | None:
    """The method that the state made by a statement is for: of several, the one that is chosen beside it."""
    choices = [option for call in nodes for option in _options(training, call)]
    if isinstance(choices[0], str) and set(choices) == {choices[0]}:
        return choices[0]
    if all(isinstance(option, Choice) and _alike(option, choices[0]) for option in choices):
        known = isinstance(choices[0], Choice) and is_known_at(training, choices[0].key, statement)
        return choices[0] if known else None
    beside: set[str] = set()
    for call in nodes:
        if not isinstance(call.callee, Name):
            return None
        for other, value in training.assigned_to(training.t.scopes.of_name[call.callee]):
            around = training.places.parents[other]
            same = around == training.places.parents[statement] and _block_of(around, other) is _block_of(
                around, statement
            )
            method = method_at(training, value) if value is not None else None
            if same and method is not None:
                beside.add(method)
    if len(beside) == 1:
        return beside.pop()
    callees = [call.callee for call in nodes]
    if beside or not all(isinstance(c, Name) and tree.same_expression(c, callees[0]) for c in callees):
        return None
    return assigned_before(training, callees[0], statement) if isinstance(callees[0], Name) else None


def _alike(option: Choice, other: str | Choice) -> bool:
    return isinstance(other, Choice) and tree.same_expression(option.key, other.key)


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
