"""optim as torch.optim: the same update where there is one, a small class where there is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.native import code
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Expression, Invoke, Name, Statement

if TYPE_CHECKING:
    from torch7py.translate.native.training import Training
    from torch7py.translate.native.translator import Translator

__all__ = ["CLASSES", "Optimizer", "find", "give_gradient", "of_call", "step", "write"]

ADAM = '''class Adam(torch.optim.Optimizer):
    """Adam as optim.adam computes it: epsilon is added before the second moment's bias is corrected."""

    def __init__(self, params, lr=0.001, betas=(0.9, 0.999), eps=1e-8, lr_decay=0, weight_decay=0):
        names = {"lr": lr, "betas": betas, "eps": eps, "lr_decay": lr_decay, "weight_decay": weight_decay}
        super().__init__(params, names)

    @torch.no_grad()
    def step(self, closure):
        with torch.enable_grad():
            loss = closure()
        for group in self.param_groups:
            (beta1, beta2), eps = group["betas"], group["eps"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state.update(t=0, m=torch.zeros_like(p), v=torch.zeros_like(p))
                grad = p.grad.add(p, alpha=group["weight_decay"]) if group["weight_decay"] else p.grad
                rate = group["lr"] / (1 + state["t"] * group["lr_decay"])
                state["t"] += 1
                state["m"].lerp_(grad, 1 - beta1)
                state["v"].mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
                rate *= (1 - beta2 ** state["t"]) ** 0.5 / (1 - beta1 ** state["t"])
                p.addcdiv_(state["m"], state["v"].sqrt().add_(eps), value=-rate)
        return loss'''
# Where a program asks for gradients of what a module gave before the step: autograd does not see a change of ``data``,
# and computes them at the new weights, as Torch7 does.
ADAM_ON_DATA = ADAM.replace(
    "                p.addcdiv_(",
    "                # by its data: outputs from before the step may still go back\n                p.data.addcdiv_(",
)
CLASSES = {"adam": ADAM, "adam on data": ADAM_ON_DATA}

# optim's names of settings as those of torch.optim, by method
_SETTINGS = {
    "sgd": {
        "learningRate": "lr",
        "momentum": "momentum",
        "dampening": "dampening",
        "weightDecay": "weight_decay",
        "nesterov": "nesterov",
        "learningRateDecay": "decay",
    },
    "adam": {
        "learningRate": "lr",
        "beta1": "beta1",
        "beta2": "beta2",
        "epsilon": "eps",
        "weightDecay": "weight_decay",
        "learningRateDecay": "lr_decay",
    },
    "rmsprop": {"learningRate": "lr", "alpha": "alpha", "epsilon": "eps", "weightDecay": "weight_decay"},
    "adagrad": {"learningRate": "lr", "learningRateDecay": "lr_decay", "weightDecay": "weight_decay"},
    "adadelta": {"rho": "rho", "eps": "eps", "weightDecay": "weight_decay"},
    "lbfgs": {
        "maxIter": "max_iter",
        "learningRate": "lr",
        "tolFun": "tolerance_grad",
        "tolX": "tolerance_change",
        "nCorrection": "history_size",
    },
}
_RATE = {"sgd": "0.001", "adam": "0.001", "rmsprop": "0.01", "adagrad": "0.001"}
_PYTORCH = {
    "sgd": "torch.optim.SGD",
    "adam": "Adam",
    "rmsprop": "torch.optim.RMSprop",
    "adagrad": "torch.optim.Adagrad",
}


@dataclass(eq=False)
class Optimizer:
    """One optimizer: the settings' table, and what it moves."""

    method: str
    module: Expression
    settings: tree.Table
    state: Name | None  # the variable of the settings; None for a table in the call
    statement: Statement | None  # where it is made
    name: str = ""
    scheduler: str = ""
    calls: list[Call] = field(default_factory=list)


def find(training: Training) -> None:
    """The optimizers of a program, from its calls of optim's functions."""
    t = training.t
    found: dict[object, Optimizer] = {}
    for node in tree.walk(t.program):
        if not isinstance(node, Call):
            continue
        path = t.path(node.callee) or ""
        method = path.removeprefix("optim.")
        if not path.startswith("optim.") or method not in _SETTINGS or len(node.arguments) < 2:
            continue
        feval, weights = node.arguments[:2]
        state = node.arguments[2] if len(node.arguments) > 2 else None
        if not isinstance(weights, Name):
            continue
        module = training.vectors.aliases.get(t.scopes.of_name[weights])
        functions = t.type(feval).functions
        if module is None and isinstance(state, Name) and _is_point(training, weights, functions):
            module = weights
            for function in functions:
                training.points[function] = weights
                for parameter in function.parameters[:1]:  # what it is given is this tensor itself
                    t.names.chosen[t.scopes.of_name[parameter]] = t.names.of(weights)
        if module is None:
            continue
        for function in functions:
            training.closures.add(function)
            _mark_loss(training, function)
        if isinstance(state, Name):
            variable = t.scopes.of_name[state]
            optimizer = found.get(variable)
            if optimizer is None:
                made = _definition(training, state)
                if made is None:
                    continue
                statement, table = made
                optimizer = Optimizer(method, module, table, state, statement)
                optimizer.name = t.names.fresh("optimizer", t.scopes.main)
                found[variable] = optimizer
                training.optimizers[variable] = optimizer
                _place(training, optimizer, weights)
            optimizer.calls.append(node)


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


def _definition(training: Training, state: Name) -> tuple[Statement, tree.Table] | None:
    variable = training.t.scopes.of_name[state]
    for statement in training.places.owner:
        if isinstance(statement, tree.Local):
            targets: tuple[Expression, ...] = statement.names
        elif isinstance(statement, tree.Assign):
            targets = statement.targets
        else:
            continue
        for target, value in zip(targets, statement.values, strict=False):
            if (
                isinstance(target, Name)
                and training.t.scopes.of_name[target] is variable
                and isinstance(value, tree.Table)
                and len(targets) == 1
            ):
                return statement, value
    return None


def _place(training: Training, optimizer: Optimizer, weights: Name) -> None:
    """An optimizer is made where its settings stand, or after the weights where those come later."""
    t = training.t
    assert optimizer.statement is not None
    flat = next(
        (
            s
            for s in training.places.owner
            if isinstance(s, (tree.Local, tree.Assign))
            and any(
                isinstance(x, Name) and t.scopes.of_name[x] is t.scopes.of_name[weights]
                for x in (s.names if isinstance(s, tree.Local) else s.targets)
            )
        ),
        None,
    )
    training.dropped.add(optimizer.statement)
    at = optimizer.statement
    if flat is not None and flat.place.start > at.place.start:
        at = flat
    training.made_at.setdefault(at, []).append(optimizer)


def write(t: Translator, optimizer: Optimizer) -> None:
    """``optimizer = torch.optim.SGD(...)``"""
    given: dict[str, str] = {}
    names = _SETTINGS[optimizer.method]
    for item in optimizer.settings.fields:
        key = item.key.value if isinstance(item.key, tree.String) else ""
        if key not in names:
            raise Problem("T7-228", optimizer.settings.line, f"the setting {key} of optim.{optimizer.method}")
        given[names[key]] = t.value(item.value).text
    parameters = t.training.vectors.parameters(optimizer.module)
    if optimizer.method == "lbfgs":
        raise Problem("T7-228", optimizer.settings.line, "optim.lbfgs has no native form yet")
    decay = given.pop("decay", None)
    given.setdefault("lr", _RATE[optimizer.method])
    if optimizer.method == "sgd":
        if "momentum" in given and "dampening" not in given:
            given["dampening"] = given["momentum"]  # optim's default
        if given.get("dampening") in ("0", "0.0"):
            del given["dampening"]
    if optimizer.method == "adam":
        betas = given.pop("beta1", "0.9"), given.pop("beta2", "0.999")
        if betas != ("0.9", "0.999"):
            given["betas"] = f"({betas[0]}, {betas[1]})"
        t.need_class("adam on data" if t.training.explicit.stale else "adam")
    if optimizer.method == "adagrad":
        given["eps"] = "1e-10"
    order = ["lr", *[name for name in given if name != "lr"]]
    texts = ", ".join(f"{name}={given[name]}" for name in order)
    t.emit(f"{optimizer.name} = {_PYTORCH[optimizer.method]}({parameters}, {texts})")
    if decay is not None:
        optimizer.scheduler = t.fresh("scheduler")
        t.emit(
            f"{optimizer.scheduler} = torch.optim.lr_scheduler.LambdaLR({optimizer.name}, "
            f"lambda step: 1 / (1 + step * {decay}))"
        )


def of_call(training: Training, node: Call) -> Optimizer | None:
    for optimizer in training.optimizers.values():
        if node in optimizer.calls:
            return optimizer
    path = training.t.path(node.callee) or ""
    if path.startswith("optim."):
        raise Problem("T7-228", node.line, f"{path} whose settings or weights are not plain to see")
    return None


def step(
    training: Training, optimizer: Optimizer, node: Call, targets: tuple[Expression, ...] | None
) -> None:
    t = training.t
    closure = t.value(node.arguments[0])
    text = f"{optimizer.name}.step({closure})"
    if targets is not None and len(targets) > 1:
        target = targets[1]
        if len(targets) > 2:
            raise Problem("T7-228", node.line, "more than two results of optim")
        name = t.target(target)
        text = text if name == "_" else f"{name} = {text}"
    t.emit(text)
    if optimizer.scheduler:
        t.emit(f"{optimizer.scheduler}.step()")


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
        optimizer = training.optimizers.get(training.t.scopes.of_name[node.base])
        if optimizer is not None and optimizer.name:
            name = _SETTINGS[optimizer.method].get(node.key.value)
            if name is None or (name == "lr" and optimizer.scheduler):
                raise Problem("T7-228", node.line, f"the setting {node.key.value} of a running optimizer")
            return f'{optimizer.name}.param_groups[0]["{name}"]'
    return None
