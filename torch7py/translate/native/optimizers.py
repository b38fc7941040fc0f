"""optim as torch.optim: the same update where there is one, a small class where there is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.native import code
from torch7py.translate.native.code import Py
from torch7py.translate.native.optimizer_classes import CLASSES
from torch7py.translate.native.problem import Problem
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Invoke, Name, Statement

if TYPE_CHECKING:
    from torch7py.translate.native.training import Training
    from torch7py.translate.native.translator import Translator

__all__ = [
    "CLASSES",
    "Definition",
    "Optimizer",
    "find",
    "give_gradient",
    "holds_loss",
    "listed",
    "of_call",
    "settings_field",
    "step",
    "write",
]


@dataclass(frozen=True)
class Method:
    """One of optim's functions in PyTorch: its class, and its settings as arguments with optim's defaults."""

    pytorch: str
    settings: dict[str, str]
    defaults: dict[str, str] = field(default_factory=dict)  # where PyTorch's are others
    pairs: dict[str, tuple[str, str, str, str]] = field(default_factory=dict)  # of two arguments as one
    text: str = ""  # of the class, if it is none of torch.optim
    several: bool = False  # whether a call evaluates the function several times


_COMMON = {"learningRate": "lr", "weightDecay": "weight_decay"}
_DECAY = {**_COMMON, "learningRateDecay": "lr_decay"}
_BETAS = {"betas": ("beta1", "beta2", "0.9", "0.999")}
_METHODS = {
    "sgd": Method(
        "torch.optim.SGD",
        {**_COMMON, "momentum": "momentum", "dampening": "dampening", "nesterov": "nesterov"}
        | {"learningRateDecay": "decay"},
        {"lr": "0.001"},
    ),
    "adam": Method(
        "Adam",
        {**_DECAY, "beta1": "beta1", "beta2": "beta2", "epsilon": "eps"},
        {"lr": "0.001"},
        _BETAS,
        text="adam",
    ),
    "adamax": Method(
        "torch.optim.Adamax",
        {**_COMMON, "beta1": "beta1", "beta2": "beta2", "epsilon": "eps"},
        {"lr": "0.002", "eps": "1e-38"},
        _BETAS,
    ),
    "rmsprop": Method("torch.optim.RMSprop", {**_COMMON, "alpha": "alpha", "epsilon": "eps"}, {"lr": "0.01"}),
    "adagrad": Method("torch.optim.Adagrad", _DECAY, {"lr": "0.001", "eps": "1e-10"}),
    "adadelta": Method(
        "torch.optim.Adadelta",
        {"rho": "rho", "eps": "eps", "weightDecay": "weight_decay"},
        {"lr": "1.0", "eps": "1e-6"},
    ),
    "rprop": Method(
        "torch.optim.Rprop",
        {"stepsize": "lr", "etaminus": "etaminus", "etaplus": "etaplus"}
        | {"stepsizemin": "stepsizemin", "stepsizemax": "stepsizemax"},
        {"lr": "0.1"},
        {
            "etas": ("etaminus", "etaplus", "0.5", "1.2"),
            "step_sizes": ("stepsizemin", "stepsizemax", "1e-6", "50.0"),
        },
    ),
    "asgd": Method(
        "torch.optim.ASGD",
        {"eta0": "lr", "lambda": "lambd", "alpha": "alpha", "t0": "t0"},
        {"lr": "1e-4"},
    ),
    "nag": Method("NAG", {**_DECAY, "momentum": "momentum"}, text="nag"),
    "lbfgs": Method(
        "LBFGS",
        {
            "learningRate": "lr",
            "maxIter": "max_iter",
            "maxEval": "max_eval",
            "tolFun": "tolerance_grad",
            "tolX": "tolerance_change",
            "nCorrection": "history_size",
            "lineSearch": "line_search",
            "verbose": "verbose",
        },
        text="lbfgs",
        several=True,
    ),
    "cg": Method(
        "CG",
        {"maxIter": "max_iter", "maxEval": "max_eval", "rho": "rho", "sig": "sig", "int": "interval"}
        | {"ext": "ext", "ratio": "ratio"},
        text="cg",
        several=True,
    ),
}
# Settings that these methods do not look at, as programs share a table among several.
_DISREGARDED = {
    "rmsprop": {"learningRateDecay", "momentum"},
    "adadelta": {"learningRate", "learningRateDecay", "momentum"},
    "rprop": {"learningRate", "learningRateDecay", "momentum", "weightDecay"},
    "asgd": {"learningRate", "learningRateDecay", "momentum", "weightDecay"},
    "adam": {"momentum", "dampening", "nesterov"},
    "adamax": {"learningRateDecay", "momentum", "dampening", "nesterov"},
    "adagrad": {"momentum", "dampening", "nesterov"},
    "lbfgs": {"learningRateDecay", "momentum", "weightDecay"},
    "cg": {"learningRate", "learningRateDecay", "momentum", "weightDecay"},
}


@dataclass(eq=False)
class Definition:
    """A statement that gives the variable of an optimizer's state its table, and the method that goes with it."""

    statement: Statement
    table: tree.Table
    method: str
    once: bool = False  # `state = state or {...}`


@dataclass(eq=False)
class Optimizer:
    """One optimizer: the settings' table, and what it moves."""

    method: str  # of the first definition, where there are several
    module: Expression
    settings: tree.Table
    statement: Statement | None  # where it is made; None for a table in the call
    definitions: list[Definition] = field(default_factory=list)
    name: str = ""
    schedulers: dict[Statement, str] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    @property
    def scheduler(self) -> str:
        return next(iter(self.schedulers.values()), "")

    @property
    def methods(self) -> set[str]:
        return {d.method for d in self.definitions} or {self.method}


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
        return {path.removeprefix("optim.")} & set(_METHODS)
    if not isinstance(node.callee, Name):
        return set()
    found = set()
    for _, value in _assignments(training, t.scopes.of_name[node.callee]):
        path = (t.path(value) or "") if value is not None else ""
        if not path.startswith("optim.") or path.removeprefix("optim.") not in _METHODS:
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


# Writing


def write(t: Translator, optimizer: Optimizer, definition: Definition) -> None:
    """``optimizer = torch.optim.SGD(...)``"""
    made, decay = _made(t, optimizer, definition.method, definition.table)
    if definition.once:
        t.emit(f"if {optimizer.name} is None:")
        with t.indented():
            t.emit(f"{optimizer.name} = {made}")
        if decay is not None:
            raise Problem(
                "T7-228", definition.table.line, "a rate that decays, of settings made within a loop"
            )
        return
    t.emit(f"{optimizer.name} = {made}")
    if decay is not None:
        if len(optimizer.definitions) > 1:
            raise Problem("T7-228", definition.table.line, "a rate that decays, of one optimizer of several")
        scheduler = optimizer.schedulers[definition.statement] = t.fresh("scheduler")
        t.emit(
            f"{scheduler} = torch.optim.lr_scheduler.LambdaLR({optimizer.name}, "
            f"lambda step: 1 / (1 + step * {decay}))"
        )


def _made(t: Translator, optimizer: Optimizer, name: str, table: tree.Table) -> tuple[str, str | None]:
    """The construction of an optimizer, and by what its rate decays."""
    method = _METHODS[name]
    given: dict[str, str] = {}
    for item in table.fields:
        key = item.key.value if isinstance(item.key, tree.String) else ""
        if key in _DISREGARDED.get(name, ()) and key not in method.settings:
            continue
        if key not in method.settings:
            raise Problem("T7-228", table.line, f"the setting {key} of optim.{name}")
        given[method.settings[key]] = _setting(t, name, key, item.value)
    decay = given.pop("decay", None)
    if decay in ("0", "0.0"):
        decay = None
    if name == "sgd":
        if "momentum" in given and "dampening" not in given:
            given["dampening"] = given["momentum"]  # optim's default
        for zero in ("momentum", "dampening", "weight_decay"):
            if given.get(zero) in ("0", "0.0"):
                del given[zero]
        if "momentum" not in given:
            given.pop("dampening", None)
    for key, value in method.defaults.items():
        given.setdefault(key, value)
    if name == "adadelta":
        given = {key: value for key, value in given.items() if (key, value) not in _ADADELTA}
    for joined, (first, second, one, two) in method.pairs.items():
        values = given.pop(first, one), given.pop(second, two)
        if values != (one, two):
            given[joined] = f"({values[0]}, {values[1]})"
    if method.text:
        t.need_class("adam on data" if method.text == "adam" and t.training.explicit.stale else method.text)
    names = sorted(given, key=lambda key: key != "lr")
    texts = [t.training.vectors.parameters(optimizer.module), *(f"{key}={given[key]}" for key in names)]
    return f"{method.pytorch}({', '.join(texts)})", decay


_ADADELTA = {("lr", "1.0"), ("eps", "1e-6")}  # PyTorch's own


def _setting(t: Translator, method: str, key: str, value: Expression) -> str:
    if method == "lbfgs" and key == "lineSearch":
        if t.path(value) != "optim.lswolfe":
            raise Problem("T7-228", value.line, "a line search that is not optim.lswolfe")
        t.need_class("lswolfe")
        return "lswolfe"
    return t.value(value).text


def of_call(training: Training, node: Call) -> Optimizer | None:
    for optimizer in training.optimizers:
        if node in optimizer.calls:
            return optimizer
    path = training.t.path(node.callee) or ""
    if path.startswith("optim.") and path[6:].islower():
        raise Problem("T7-228", node.line, f"{path} whose settings or weights are not plain to see")
    return None


def step(
    training: Training, optimizer: Optimizer, node: Call, targets: tuple[Expression, ...] | None
) -> None:
    t = training.t
    if targets is not None and len(targets) > 2:
        raise Problem("T7-228", node.line, "more than two results of optim")
    closure = t.value(node.arguments[0])
    name = optimizer.name
    if not name:
        method = _METHODS[optimizer.method]
        name, _ = _made(t, optimizer, optimizer.method, optimizer.settings)
        if method.several and targets is not None and not _first_only(training, targets):
            raise Problem("T7-228", node.line, "all losses of an optimizer that is not kept")
    text = f"{name}.step({closure})"
    losses = _unused(t, targets)
    if losses is None:
        t.emit(text)
    elif _first_only(training, targets or ()):
        t.emit(f"{losses} = {text}")
    else:
        if not all(_METHODS[method].several for method in optimizer.methods):
            t.emit(f"{losses} = [{text}.item()]")
        else:
            t.emit(text)
            t.emit(f"{losses} = {name}.losses")
    if optimizer.scheduler:
        t.emit(f"{optimizer.scheduler}.step()")


def _unused(t: Translator, targets: tuple[Expression, ...] | None) -> str | None:
    """The name for the losses; None where nobody looks at them."""
    if targets is None or len(targets) < 2:
        return None
    name = t.unread(targets[1]) or t.target(targets[1])
    return None if name == "_" else name


def _first_only(training: Training, targets: tuple[Expression, ...]) -> bool:
    """Whether of the losses that optim gives the program only looks at the first."""
    return len(targets) < 2 or holds_loss(training.t, targets[1])


def holds_loss(t: Translator, node: Expression) -> bool:
    """Whether what is a table of losses in Lua is the loss alone: the program only reads its first entry."""
    if not t.type(node).has("losses"):
        return False
    if not isinstance(node, Name):
        return True
    variable = t.scopes.of_name[node]
    known = t.training.first_only.get(variable)
    if known is None:
        firsts = {
            n.base
            for n in tree.walk(t.program)
            if isinstance(n, tree.Index) and isinstance(n.key, tree.Number) and n.key.value == 1
        }
        known = t.training.first_only[variable] = set(variable.reads) <= firsts
    return known


def listed(training: Training, optimizer: Optimizer, node: Name) -> Py:
    """The state of an optimizer in ``pairs(state)``: of plain descent its settings, and how often it was called."""
    t = training.t
    fields = optimizer.settings.fields
    settings = {item.key.value: item.value for item in fields if isinstance(item.key, tree.String)}
    looped = any(
        isinstance(n, tree.GenericFor)
        and isinstance(n.values[0], Call)
        and t.path(n.values[0].callee) == "pairs"
        and n.values[0].arguments == (node,)
        for n in tree.walk(t.program)
    )
    targets = [x for n in tree.walk(t.program) if isinstance(n, tree.Assign) for x in n.targets]
    changed = any(isinstance(x, tree.Index) and _is_state(training, x, node) for x in targets)
    momentum = settings.get("momentum")
    without = momentum is None or (isinstance(momentum, tree.Number) and momentum.value == 0)
    plain = len(settings) == len(fields) and all(isinstance(v, tree.Number) for v in settings.values())
    if optimizer.methods != {"sgd"} or not (looped and without and plain and optimizer.scheduler) or changed:
        raise Problem("T7-228", node.line, "the state of an optimizer as a value")
    items = [f'"{name}": {t.value(value)}' for name, value in settings.items()]
    name = t.fresh("settings")
    t.emit(f'{name} = {{{", ".join(items)}, "evalCounter": {optimizer.scheduler}.last_epoch}}')
    return code.atom(name)


def _is_state(training: Training, node: tree.Index, state: Name) -> bool:
    of_name = training.t.scopes.of_name
    return isinstance(node.base, Name) and of_name[node.base] is of_name[state]


def give_gradient(t: Translator, point: Name, gradient: Expression) -> None:
    """What a function gives as the gradient of a tensor that is optimized itself, where PyTorch wants it."""
    name = t.names.of(point)
    while isinstance(gradient, Invoke) and gradient.method in (
        "view",
        "viewAs",
        "reshape",
        "resize",
        "resizeAs",
    ):
        gradient = gradient.receiver  # optim counts elements alone
    if t.kind(gradient) != "tensor":
        raise Problem("T7-228", gradient.line, "a gradient for optim that is of unknown kind")
    rank = t.type(gradient).rank
    shape = "" if rank is not None and rank == t.type(point).rank else f".view_as({name})"
    t.emit(f"{name}.grad = {t.value(gradient).at(code.ATOM)}{shape}")


def settings_field(training: Training, node: tree.Index) -> str | None:
    """``state.learningRate`` as the optimizer's."""
    if isinstance(node.base, Name) and isinstance(node.key, tree.String):
        optimizer = training.optimizer_of.get(training.t.scopes.of_name[node.base])
        if optimizer is not None and optimizer.name:
            names = {_METHODS[method].settings.get(node.key.value) for method in optimizer.methods}
            name = names.pop() if len(names) == 1 else None
            two = any(name in pair[:2] for m in optimizer.methods for pair in _METHODS[m].pairs.values())
            own = name in ("line_search", "verbose", "decay", "dampening") or two
            if name is None or own or (name == "lr" and optimizer.scheduler):
                raise Problem("T7-228", node.line, f"the setting {node.key.value} of a running optimizer")
            return f'{optimizer.name}.param_groups[0]["{name}"]'
    return None
