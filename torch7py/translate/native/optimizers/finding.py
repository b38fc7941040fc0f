"""The optimizers of a program, from its calls of optim's functions: what each moves, and where it is made."""

from __future__ import annotations

import re
from collections.abc import Sequence

from torch7py.translate import tree, tree_queries
from torch7py.translate.kinds import Type
from torch7py.translate.native.analysis.optimizers import METHODS, Definition, Optimizer
from torch7py.translate.native.analysis.state_slots import Holder
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.optimizers import choices
from torch7py.translate.native.optimizers.lifetimes import block_of, stay_together
from torch7py.translate.native.optimizers.restored import restored
from torch7py.translate.native.optimizers.settings import completed, find_changes
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Name, Statement

__all__ = ["find"]

# The words for the state of an optimizer in the names of variables.
_STATE = re.compile(
    r"(?:(?:[Oo]ptim(?:izer)?|[sS]gd|[aA]dam|[rR]msprop|[aA]dagrad|lbfgs|cg)?_?"
    r"(?:[sS]tates?|[cC]onfig|[cC]onf|[pP]arams|[oO]pts?)(?![a-z])|^optim(?:izer)?$)"
)


def find(t: Translation) -> None:
    """The optimizers of a program, from its calls of optim's functions."""
    calls: dict[Holder, list[Call]] = {}
    moved: dict[tree.Function, set[Holder | None]] = {}
    for node in tree.every(t.program, Call):
        if len(node.arguments) > 1 and _called(t, node):
            for function in t.type(node.arguments[0]).functions:
                moved.setdefault(function, set()).add(t.training.holders.of(node.arguments[1]))
    t.training.multi_tensor_closures = {
        f for f, tensors in moved.items() if len(tensors) > 1 and f.parameters
    }
    for node in tree.every(t.program, Call):
        if len(node.arguments) < 2 or not _called(t, node):
            continue
        feval, weights = node.arguments[:2]
        functions = t.type(feval).functions
        if not _known_weights(t, weights, functions):
            continue
        for function in [*functions, *(f for c in functions for f in _handed_on(t, c))]:
            t.training.closures.add(function)
            t.training.moved_by.setdefault(function, []).append(weights)
            _mark_loss(t, function)
        state = node.arguments[-1] if len(node.arguments) > 2 else None
        holder = None if state is None else t.training.holders.of(state)
        if holder is not None:
            calls.setdefault(holder, []).append(node)
        elif len(node.arguments) == 4 and isinstance(state, tree.Table) and not state.fields:
            config = node.arguments[2]
            if isinstance(config, tree.Table):  # a state that begins anew
                _in_a_call(t, node, config)
        elif (state is None or isinstance(state, tree.Table)) and len(node.arguments) < 4:
            _in_a_call(t, node, state)
        _name_result(t, node, weights)
    for holder, nodes in calls.items():
        _kept(t, holder, nodes)
    find_changes(t)
    _find_stored(t)


def _handed_on(t: Translation, closure: tree.Function) -> list[tree.Function]:
    """The function that does all the work of ``function(x) return feval(x, batch) end``, and nothing else."""
    body = closure.body.statements
    only = body[0] if len(body) == 1 else None
    value = only.values[0] if isinstance(only, tree.Return) and len(only.values) == 1 else None
    if not isinstance(value, Call) or not closure.parameters or not value.arguments:
        return []
    first, parameter = value.arguments[0], t.scopes.of_name[closure.parameters[0]]
    functions = t.types.function_called(value)
    if len(functions) != 1 or not isinstance(first, Name) or t.scopes.of_name[first] is not parameter:
        return []
    return [functions[0]] if t.types.calls_of.get(functions[0], []) == [value] else []


def _find_stored(t: Translation) -> None:
    """Steps whose function only gives the loss and gradients that were computed before: PyTorch's need none."""
    runs = {s.call for s in t.surroundings.owner if isinstance(s, tree.Run)}
    for optimizer in t.training.optimizers:
        if optimizer.takes_stored:
            optimizer.stored = {c for c in optimizer.calls if c in runs and _is_stored(t, c)}
    stored = {call.arguments[0] for optimizer in t.training.optimizers for call in optimizer.stored}
    for statement in t.surroundings.owner:  # functions for nothing else
        if isinstance(statement, tree.LocalFunction):
            name = statement.name
        elif isinstance(statement, tree.Local) and len(statement.names) == len(statement.values) == 1:
            name = statement.names[0]
        else:
            continue
        variable = t.scopes.of_name[name]
        if variable.reads and variable.constant and stored.issuperset(variable.reads):
            t.training.dropped.add(statement)
            t.training.dropped_variables.add(variable)


def _is_stored(t: Translation, call: Call) -> bool:
    """Whether the function of a step is ``return loss, gradients``, of names and fields."""
    functions = t.type(call.arguments[0]).functions
    if len(functions) != 1 or functions[0] in t.training.points:
        return False
    body = functions[0].body.statements
    if len(body) != 1 or not isinstance(body[0], tree.Return) or len(body[0].values) != 2:
        return False
    if not t.training.vectors.belong(body[0].values[1], call.arguments[1]):
        return False
    plain = (Name, tree.Index, tree.String, tree.Number)
    return all(isinstance(n, plain) for value in body[0].values for n in tree.walk(value))


def _result_of(t: Translation, node: Call) -> tuple[Expression, ...]:
    """What is given the results of a call, where that is all that a statement does."""
    for statement in t.surroundings.owner:
        if isinstance(statement, tree.Assignment) and statement.values == (node,):
            return statement.targets
    return ()


def _name_result(t: Translation, node: Call, weights: Expression) -> None:
    """The first result of optim is what it moves: a variable for it is another name of that."""
    holders = t.training.holders
    (first, *_) = _result_of(t, node) or (weights,)
    holder, moved = holders.of(first), holders.of(weights)
    if holder == moved or (isinstance(holder, Variable) and not holder.reads):
        return
    givers = [
        statement.values
        for statement, _, _ in ([] if holder is None else holders.assigned(holder))
        if isinstance(statement, tree.Assignment) and statement.values
    ]
    same = all(
        len(values) == 1
        and isinstance(values[0], Call)
        and _called(t, values[0])
        and holders.of(values[0].arguments[1]) == moved
        for values in givers
    )
    if not same or not isinstance(holder, Variable):
        t.training.renamed.add(node)
    elif moved in t.training.vectors.aliases:
        t.training.vectors.aliases[holder] = t.training.vectors.aliases[moved]
    elif isinstance(weights, Name):
        t.names.chosen[holder] = t.names.of(weights)


def _known_weights(t: Translation, weights: Expression, functions: Sequence[tree.Function]) -> bool:
    """Whether what is optimized are the parameters of a module, or a tensor of the program's."""
    if t.training.vectors.weights_of(weights) is not None:
        return True
    if not isinstance(weights, Name) or not _is_point(t, weights, functions):
        return False
    for function in functions:
        if function in t.training.multi_tensor_closures:
            t.training.points[function] = function.parameters[0]
            continue
        t.training.points[function] = weights
        for parameter in function.parameters[:1]:  # what it is given is this tensor itself
            t.names.stand_for(
                t.scopes.of_name[parameter], t.names.of(weights), t.scopes.of_function[function]
            )
    return True


def _module(t: Translation, weights: Expression) -> Expression:
    """What an optimizer moves: a module, or a tensor of the program's."""
    return t.training.vectors.weights_of(weights) or weights


def _called(t: Translation, node: Call) -> set[str]:
    """The names of optim's functions that a call may be one of."""
    return set(_options(t, node))


def _method_at(t: Translation, node: Expression) -> str | None:
    """The method that ``optim.sgd`` and the like stand for."""
    path = t.path(node) or ""
    name = path.removeprefix("optim.")
    return name if path.startswith("optim.") and name in METHODS else None


def _options(t: Translation, node: Call) -> list[str]:
    """The methods that a call may call; none if it may be something else."""
    callees: list[Expression | None] = [node.callee]
    if isinstance(node.callee, Name):
        callees = [value for _, value in t.training.assigned_to(t.scopes.of_name[node.callee])]
    if choices.by_name(t, node.callee) is not None:
        return list(choices.named_methods(t))
    options: list[str] = []
    for callee in callees:
        option = None if callee is None else _method_at(t, callee)
        if option is None:
            return []
        options.append(option)
    return options


def _is_point(t: Translation, tensor: Name, functions: Sequence[tree.Function]) -> bool:
    """Whether what is optimized is a tensor of the program's (an image) that always stays the same one."""
    variable = t.scopes.of_name[tensor]
    if t.kind(tensor) != "tensor" or variable.kind == "parameter":
        return False
    if t.type(tensor).has("flat weights") and variable not in t.training.vectors.as_vectors:
        return False
    steps = [w for w in variable.writes if _is_step_of(t, w, variable)]
    if len(variable.writes) - len(steps) > variable.is_global or not functions:
        return False
    for function in functions:  # they must see it
        if any(isinstance(s, tree.Return) and len(s.values) != 2 for s in tree.walk(function.body)):
            return False
        if function in t.training.multi_tensor_closures:
            continue
        scope = t.scopes.of_function[function].parent
        while scope is not None and variable.scope is not None and scope is not variable.scope:
            scope = scope.parent
        if scope is None or t.training.points.get(function, tensor).name != tensor.name:
            return False
    return True


def _is_step_of(t: Translation, written: Name, variable: Variable) -> bool:
    """Whether a variable is given here what optim moves, which is what it holds: ``x = optim.sgd(f, x)``."""
    for statement, target, _ in t.training.holders.assigned(variable):
        if target is written and isinstance(statement, tree.Assignment):
            (value, *more) = statement.values
            of_optim = isinstance(value, Call) and bool(_called(t, value)) and not more
            return (
                of_optim and isinstance(value, Call) and t.training.holders.of(value.arguments[1]) is variable
            )
    return False


def _mark_loss(t: Translation, function: tree.Function) -> None:
    """The loss that a closure gives keeps its graph."""
    if t.plain_passes:
        return
    for node in tree.walk(function.body):
        if isinstance(node, tree.Return) and node.values:
            for name in tree.walk(node.values[0]):
                if isinstance(name, Name) and t.type(name).has("loss"):
                    variable = t.scopes.of_name[name]
                    t.graph_variables.add(variable)
                    for source in t.integers.sources(variable):  # a function with a backward pass of its own
                        if isinstance(source, (Call, tree.Invoke)):
                            t.training.losses.graph_functions.update(t.types.function_called(source))


def _in_a_call(t: Translation, node: Call, state: tree.Table | None) -> None:
    """Settings in the call itself: each call begins anew."""
    options = _options(t, node)
    module = _module(t, node.arguments[1])
    table = tree.Table(node.span, ()) if state is None else state
    if len(options) == 1:
        t.training.optimizers.append(Optimizer(options[0], module, table, None, calls=[node]))


def _kept(t: Translation, holder: Holder, nodes: list[Call]) -> None:
    """An optimizer whose state is in a variable or a field, from the tables that this is given."""
    holders = t.training.holders
    if len({holders.of(call.arguments[1]) for call in nodes}) != 1:
        return
    definitions = []
    behind: list[Statement] = []
    literals = holders.in_literals(holder)
    assignments = [*holders.assigned(holder), *((s, target, item.value) for s, target, item in literals)]
    for statement, target, value in assignments:
        if isinstance(value, tree.Nil):  # there is none yet
            continue
        value, state = restored(t, value)
        once = isinstance(value, tree.Binary) and value.operator == "or"
        if once and isinstance(value, tree.Binary):
            same = holders.of(value.left) is not None and holders.of(value.left) == holder
            value = value.right if same else None
        settings = _settings(t, nodes, value)
        names = _names(t, nodes)
        option = choices.named_methods(t)[0] if names else _option_at(t, nodes, statement)
        module = _module_at(t, nodes, statement, target)
        if settings is None or option is None or module is None:
            return
        if settings is value:
            settings, setting_statements = completed(t, holder, statement, settings)
            behind += setting_statements
        definition = Definition(statement, target, settings, option, module, once, state)
        if names:
            definition.choices, definition.chosen = choices.named_methods(t), names[0]
            if once or state is not None or not choices.values_can_wait(t, settings):
                return
            if not choices.seen_from(t, names[0], statement):
                return
        definitions.append(definition)
    if not definitions:
        return
    nothing = [(s, target) for s, target, value in assignments if isinstance(value, tree.Nil)]
    if any(s.span.start > definitions[0].statement.span.start for s, _ in nothing):
        return
    first = definitions[0]
    optimizer = Optimizer(first.option, first.module, first.table, first.statement, definitions, calls=nodes)
    optimizer.holder = holder
    weights = holders.of(nodes[0].arguments[1])
    if not stay_together(t, optimizer, weights, _called):
        return
    t.training.dropped.update(behind)
    t.training.absorbed.update(behind)
    t.training.settings.update(item for definition in definitions for item in definition.table.fields)
    if isinstance(holder, Variable):
        home = holder.scope or t.scopes.main
        optimizer.name = t.names.chosen[holder] = t.names.fresh(_named_after(holder.name), home)
        optimizer.elsewhere = any(t.surroundings.owner[d.statement] is not home for d in definitions)
    else:
        optimizer.name = _free_field(t, holder)
    t.training.optimizers.append(optimizer)
    t.training.optimizer_of[holder] = optimizer
    inside: dict[Expression, tree.Field] = {target: item for _, target, item in literals}
    for definition in definitions:
        _place_construction(t, optimizer, definition, weights, inside.get(definition.target))
    for call in nodes:
        # the variable that has the method is the optimizer's class now
        if isinstance(call.callee, Name):
            chosen = t.scopes.of_name[call.callee]
            for statement, target, _ in holders.assigned(chosen):
                t.training.drop_target(statement, target)
            t.training.dropped_variables.add(chosen)


def _names(t: Translation, nodes: list[Call]) -> list[Expression]:
    """The name that all of these calls take their method by; none if they do not."""
    names = [name for call in nodes if (name := choices.by_name(t, call.callee)) is not None]
    variables = {t.scopes.of_name[n.base if isinstance(n, tree.Index) else n] for n in names}  # type: ignore[index]
    same = len(names) == len(nodes) and all(tree_queries.same_expression(n, names[0]) for n in names)
    return names if same and len(variables) == 1 else []


def _free_field(t: Translation, holder: tuple[Type, str]) -> str:
    """A name for the field with an optimizer."""
    objects, base = holder[0], _named_after(holder[1], holder[1])
    others = {o.name for h, o in t.training.optimizer_of.items() if isinstance(h, tuple) and h[0] is objects}
    number, name = 1, base
    while name in others or (name in objects.fields and name != holder[1]):
        number += 1
        name = f"{base}{number}"
    return name


def _named_after(state: str, otherwise: str = "optimizer") -> str:
    """The name of an optimizer, from that of its state: ``optimizerG`` for ``optimStateG``."""
    match = _STATE.search(state)
    if match is None:
        return otherwise
    before, after = state[: match.start()], state[match.end() :]
    word = "optimizer" if not before or before.endswith("_") else "Optimizer"
    name = f"{before}{word}{after}"
    return name if name.isidentifier() else "optimizer"


def _module_at(
    t: Translation, nodes: list[Call], statement: Statement, target: Expression
) -> Expression | None:
    """What an optimizer moves, seen from where it is made; None where it cannot be seen."""
    holders = t.training.holders
    weights = nodes[0].arguments[1]
    module = _module(t, weights)
    if not isinstance(weights, tree.Index):
        return module
    state = nodes[0].arguments[-1]
    if isinstance(state, tree.Index) and isinstance(target, tree.Index) and isinstance(module, tree.Index):
        together = all(
            isinstance(call.arguments[-1], tree.Index)
            and isinstance(call.arguments[1], tree.Index)
            and tree_queries.same_expression(call.arguments[-1].base, call.arguments[1].base)
            for call in nodes
        )
        return holders.field(target.base, module) if together else None
    alike = all(tree_queries.same_expression(call.arguments[1], weights) for call in nodes)
    base = weights.base
    if not alike or not isinstance(base, Name):
        return None
    variable = t.scopes.of_name[base]
    first = variable.declaration or (variable.writes[0] if variable.writes else None)
    here = variable.scope or t.scopes.main
    seen = here is t.scopes.main or here is t.surroundings.owner[statement]
    steady = len(variable.writes) <= variable.is_global
    return (
        module if seen and steady and first is not None and first.span.start < statement.span.start else None
    )


def _settings(t: Translation, nodes: list[Call], value: Expression | None) -> tree.Table | None:
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
    variable = t.scopes.of_name[config]
    assignments = t.training.assigned_to(variable)
    table = assignments[0][1] if len(assignments) == 1 else None
    # the table is an optimizer's alone, whose settings do not change
    if not isinstance(table, tree.Table) or len(variable.reads) != 1:
        return None
    t.training.drop_target(assignments[0][0], t.training.holders.assigned(variable)[0][1])
    t.training.dropped_variables.add(variable)
    return table


def _option_at(t: Translation, nodes: list[Call], statement: Statement) -> str | None:
    """The method that the state made by a statement is for: of several, the one that is chosen beside it."""
    options = [option for call in nodes for option in _options(t, call)]
    if set(options) == {options[0]}:
        return options[0]
    beside: set[str] = set()
    for call in nodes:
        if not isinstance(call.callee, Name):
            return None
        for other, value in t.training.assigned_to(t.scopes.of_name[call.callee]):
            around = t.surroundings.parents[other]
            same = around == t.surroundings.parents[statement] and block_of(around, other) is block_of(
                around, statement
            )
            method = _method_at(t, value) if value is not None else None
            if same and method is not None:
                beside.add(method)
    return beside.pop() if len(beside) == 1 else None


def _place_construction(
    t: Translation,
    optimizer: Optimizer,
    definition: Definition,
    weights: Holder | None,
    item: tree.Field | None,
) -> None:
    """An optimizer is made where its settings stand, or after the weights where those come later."""
    assignments = [] if weights is None else t.training.holders.assigned(weights)
    flat = min((statement for statement, _, _ in assignments), key=lambda s: s.span.start, default=None)
    at, places = definition.statement, t.training.constructed_at
    if item is None:
        t.training.drop_target(definition.statement, definition.target)
    else:  # in a table that stays
        t.training.dropped_fields.add(item)
        places = t.training.constructed_after
    alone = len(optimizer.definitions) == 1
    same = flat is not None and t.surroundings.owner[flat] is t.surroundings.owner[at]
    if alone and flat is not None and (same or not optimizer.is_field) and flat.span.start > at.span.start:
        at, places = flat, t.training.constructed_at
        optimizer.construction_statement = at
    several = isinstance(at, tree.Assignment) and len(at.values) > 1
    if definition.restored is not None and several and at is definition.statement:
        places = t.training.constructed_after  # of what the same statement takes from the file
    places.setdefault(at, []).append((optimizer, definition))
