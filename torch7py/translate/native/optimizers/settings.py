"""The settings of an optimizer while it runs: read and changed as its parameter group's."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native import code
from torch7py.translate.native.analysis.optimizers import Optimizer
from torch7py.translate.native.analysis.state_slots import Holder
from torch7py.translate.native.code import Py
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.optimizers.restored import is_loaded
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Expression, Invoke, Name, Statement

__all__ = ["completed", "find_changes", "listed", "named", "settings_field", "value_of_field"]

# Settings of an optimizer that are no entry of its parameter group, or whose change it does not see.
_FIXED = ("line_search", "verbose", "decay", "dampening")
# What optim counts its calls by, in states.
_COUNTS = ("evalCounter", "nevals", "t")
# Classes that look at the rate before they call the function, as optim does.
_READ_FIRST = ("sgd", "sgd by element")


def find_changes(t: Translation) -> None:
    """Note which settings of each optimizer the program reads and changes while it runs."""
    inside = _called_by_optimizers(t)
    for value in _into_files(t):
        optimizer = _of_state(t, value)
        if optimizer is not None:
            optimizer.saved = True
    for statement, scope in t.surroundings.owner.items():
        if statement in t.training.dropped:
            continue
        targets = statement.targets if isinstance(statement, tree.Assign) else ()
        for node in tree.direct_nodes(statement):
            optimizer = _of_state(t, node.base) if isinstance(node, tree.Index) else None
            if optimizer is None or not isinstance(node, tree.Index) or not isinstance(node.key, tree.String):
                continue
            if node in targets:
                optimizer.changed.add(node.key.value)
                optimizer.changed_inside |= scope.function in inside
            else:
                optimizer.read.add(node.key.value)


def completed(
    t: Translation, holder: Holder, statement: Statement, table: tree.Table
) -> tuple[tree.Table, list[Statement]]:
    """A table of settings with those that the statements right behind it add, and these statements."""
    block = t.training.flow.block_of[statement].statements
    fields, assignments = list(table.fields), list[Statement]()
    for assignment in block[block.index(statement) + 1 :]:
        if (
            not isinstance(assignment, tree.Assign)
            or len(assignment.targets) != 1
            or len(assignment.values) != 1
        ):
            break
        (target,), (value,) = assignment.targets, assignment.values
        known = {field.key.value for field in fields if isinstance(field.key, tree.String)}
        places = [n for n in tree.walk(value) if isinstance(n, (Name, tree.Index))]
        if (
            not isinstance(target, tree.Index)
            or not isinstance(target.key, tree.String)
            or holder != t.training.holders.of(target.base)
            or isinstance(value, tree.Nil)
            or target.key.value in known
            or any(t.training.holders.of(operand) == holder for operand in places)
        ):
            break
        fields.append(
            tree.Field(
                target.span, target.key, value, True, assignment.around.before, assignment.around.trailing
            )
        )
        assignments.append(assignment)
    return tree.Table(table.span, tuple(fields)), assignments


def _called_by_optimizers(t: Translation) -> set[tree.Function]:
    """The functions that are given to optim, and those that they call."""
    functions: set[tree.Function] = set()
    waiting = list(t.training.closures)
    while waiting:
        function = waiting.pop()
        if function not in functions:
            functions.add(function)
            for node in tree.walk(function.body):
                if isinstance(node, (Call, Invoke)):
                    waiting += t.types.function_called(node)
    return functions


def _into_files(t: Translation) -> set[Expression]:
    """What the program puts into files as it is, or under a name in a table that it saves."""
    saved_values = set[Expression]()
    for node in tree.every(t.program, Call):
        if t.path(node.callee) != "torch.save" or len(node.arguments) < 2:
            continue
        value = node.arguments[1]
        saved_values.add(value)
        tables = [value]
        if isinstance(value, Name):
            variable = t.scopes.of_name[value]
            saves = {c.arguments[1] for c in tree.every(t.program, Call) if t.path(c.callee) == "torch.save"}
            stores = {
                target.base: v
                for s in t.surroundings.owner
                if isinstance(s, tree.Assign) and len(s.targets) == len(s.values)
                for target, v in zip(s.targets, s.values, strict=True)
                if isinstance(target, tree.Index)
            }
            if all(read in saves or read in stores for read in variable.reads):
                tables = [v for _, _, v in t.training.holders.assigned(variable) if v is not None]
                saved_values |= {stores[read] for read in variable.reads if read in stores}
        saved_values |= {
            item.value for table in tables if isinstance(table, tree.Table) for item in table.fields
        }
    for function, calls in t.types.calls_of.items():  # and what functions only put into files
        for parameter in function.parameters:
            reads = t.scopes.of_name[parameter].reads
            if reads and saved_values.issuperset(reads):
                for call in calls:
                    saved_values |= {
                        value for name, value in t.types.bound_arguments(function, call) if name is parameter
                    }
    return saved_values


def _saved(t: Translation, node: Expression) -> Py | None:
    """The state of an optimizer on its way into a file."""
    optimizer = _of_state(t, node)
    if optimizer is None or not optimizer.saved or node not in _into_files(t):
        return None
    if _is_looked_into(t, node):
        raise Problem("T7-228", node.line, "a saved state of which the program reads a field")
    return code.atom(f"{named(t, optimizer, node)}.state_dict()")


def _is_looked_into(t: Translation, state: Expression) -> bool:
    """Whether the program reads a field of a state out of the file that it has saved it in: PyTorch has other ones."""
    places = [(item.key, item.value) for item in tree.every(t.program, tree.Field)]
    for statement in tree.every(t.program, tree.Assign):
        targets = [getattr(target, "key", None) for target in statement.targets]
        places += zip(targets, statement.values, strict=False)
    names = {key.value for key, value in places if value is state and isinstance(key, tree.String)}
    for node in tree.every(t.program, tree.Index):
        base = node.base
        if isinstance(base, tree.Index) and isinstance(base.key, tree.String):
            is_state = base.key.value in names
        else:
            is_state = not names and node.key_name in _COUNTS
        if is_state and is_loaded(t, base):
            return True
    return False


def listed(t: Translation, optimizer: Optimizer, node: Name) -> Py:
    """The state of an optimizer in ``pairs(state)``: of plain descent its settings, and how often it was called."""
    saved = _saved(t, node)
    if saved is not None:
        return saved
    fields = optimizer.table.fields
    settings = {item.key.value: item.value for item in fields if isinstance(item.key, tree.String)}
    looped = any(
        isinstance(n, tree.GenericFor)
        and isinstance(n.values[0], Call)
        and t.path(n.values[0].callee) == "pairs"
        and n.values[0].arguments == (node,)
        for n in tree.walk(t.program)
    )
    targets = [x for n in tree.walk(t.program) if isinstance(n, tree.Assign) for x in n.targets]
    changed = any(isinstance(x, tree.Index) and _is_state(t, x, node) for x in targets)
    momentum = settings.get("momentum")
    without = momentum is None or (isinstance(momentum, tree.Number) and momentum.value == 0)
    plain = len(settings) == len(fields) and all(isinstance(v, tree.Number) for v in settings.values())
    if optimizer.methods != {"sgd"} or not (looped and without and plain and optimizer.scheduler) or changed:
        raise Problem("T7-228", node.line, "the state of an optimizer as a value")
    items = [f"{code.quoted(name)}: {t.value(value)}" for name, value in settings.items()]
    name = t.fresh("settings")
    t.emit(f'{name} = {{{", ".join(items)}, "evalCounter": {optimizer.scheduler}.last_epoch}}')
    return code.atom(name)


def _is_state(t: Translation, node: tree.Index, state: Name) -> bool:
    of_name = t.scopes.of_name
    return isinstance(node.base, Name) and of_name[node.base] is of_name[state]


def settings_field(t: Translation, node: tree.Index) -> str | None:
    """``state.learningRate`` as the optimizer's."""
    optimizer = _of_state(t, node.base)
    if optimizer is None or not optimizer.name or not isinstance(node.key, tree.String):
        return None
    forms = optimizer.forms
    names = {form.settings.get(node.key.value) for form in forms}
    name = names.pop() if len(names) == 1 else None
    two = any(name in pair[:2] for form in forms for pair in form.pairs.values())
    scheduled = name == "lr" and optimizer.scheduler
    late = optimizer.changed_inside and any(form.text not in _READ_FIRST for form in forms)
    construction = optimizer.construction_statement
    early = construction is not None and node.span.start < construction.span.start
    if early and t.scope is t.surroundings.owner[construction]:  # type: ignore[index]
        raise Problem("T7-228", node.line, f"the setting {node.key.value} before there are weights")
    if name is None or name in _FIXED or two or scheduled or late:
        raise Problem("T7-228", node.line, f"the setting {node.key.value} of a running optimizer")
    return f"{named(t, optimizer, node.base)}.param_groups[0][{code.quoted(name)}]"


def _of_state(t: Translation, node: Expression) -> Optimizer | None:
    holder = t.training.holders.of(node)
    return None if holder is None else t.training.optimizer_of.get(holder)


def named(t: Translation, optimizer: Optimizer, state: Expression) -> str:
    """What the page calls the optimizer that has its state in an expression: a variable, or a field."""
    if not isinstance(state, tree.Index):
        return optimizer.name
    base = t.value(state.base).at(code.ATOM)
    if t.kind(state.base) == "table" and t.representation(state.base) != "options":
        return f"{base}[{code.quoted(optimizer.name)}]"
    return f"{base}.{optimizer.name}"


def value_of_field(t: Translation, node: tree.Index) -> Py | None:
    """The state of an optimizer in a field: nothing else than its settings, its steps, and what is saved of it."""
    if _of_state(t, node) is None:
        return None
    saved = _saved(t, node)
    if saved is None:
        raise Problem("T7-228", node.line, "the state of an optimizer as a value")
    return saved
