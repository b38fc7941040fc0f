"""How optimizers are written: where they are made, their steps, and their settings while they run."""

from __future__ import annotations

from torch7py.translate import page_library, tree
from torch7py.translate.native import code
from torch7py.translate.native.analysis.optimizers import METHODS, STATE, Definition, Optimizer, Restored
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.optimizers import changed_gradients
from torch7py.translate.native.optimizers.settings import named
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Expression, Invoke, Name

__all__ = ["give_gradient", "holds_loss", "of_call", "step", "write"]


def write(t: Translation, optimizer: Optimizer, definition: Definition) -> None:
    """``optimizer = torch.optim.SGD(...)``"""
    for item in definition.table.fields:
        for comment in (*item.before, *([item.trailing] if item.trailing is not None else [])):
            t.comment(comment)
    name = named(t, optimizer, definition.target)
    if definition.once:
        t.emit(f"if {name} is None:")
        with t.indented():
            _assign(t, optimizer, name, definition)
        return
    decay = _assign(t, optimizer, name, definition)
    if definition.restored is not None:
        _restore(t, name, definition.restored)
    if decay is not None:
        scheduler = optimizer.schedulers[definition.statement] = t.fresh("scheduler")
        t.emit(
            f"{scheduler} = torch.optim.lr_scheduler.LambdaLR({optimizer.name}, "
            f"lambda step: 1 / (1 + step * {decay}))"
        )


def _restore(t: Translation, name: str, restored: Restored) -> None:
    """Give an optimizer the state that a file has of one."""
    if restored.condition is None:
        t.emit(f"{name}.load_state_dict({t.value(restored.state)})")
        return
    t.emit(f"if {t.conditions.condition(restored.condition)}:")
    with t.indented():
        t.emit(f"{name}.load_state_dict({t.value(restored.state)})")


def _assign(
    t: Translation, optimizer: Optimizer, name: str, definition: Definition | Optimizer
) -> str | None:
    """Give a variable the optimizer; by what its rate decays."""
    if isinstance(definition, Definition) and definition.chosen is not None:
        _assign_chosen(t, optimizer, name, definition, definition.chosen)
        return None
    construction, decay = _construction(t, optimizer, definition.option, definition.table, definition.module)
    t.emit(f"{name} = {construction}")
    return decay


def _assign_chosen(
    t: Translation, optimizer: Optimizer, name: str, definition: Definition, chosen: Expression
) -> None:
    """``optimizer = {"sgd": lambda: torch.optim.SGD(...), ...}[opt.method]()``, of names that are there."""
    items = []
    for option in definition.choices:
        construction, decay = _construction(t, optimizer, option, definition.table, definition.module)
        if decay is not None:
            raise Problem("T7-228", chosen.line, "a rate that falls, of a method that may be one of several")
        items.append(f"{code.quoted(option)}: lambda: {construction}")
    makers, method = t.fresh("optimizers"), t.value(chosen).text
    t.emit(f"{makers} = {{{', '.join(items)}}}")
    t.emit(f"if {method} not in {makers}:")
    where = f"{t.file}:{chosen.line}: this page has no optimizer for optim."
    t.emit(f"{code.INDENT}raise RuntimeError({code.quoted(where)} + str({method}))")
    t.emit(f"{name} = {makers}[{method}]()")


def _construction(
    t: Translation, optimizer: Optimizer, name: str, table: tree.Table, module: Expression
) -> tuple[str, str | None]:
    """The construction of an optimizer, and by what its rate decays."""
    method = optimizer.form(name, table)
    arguments: dict[str, str] = {}
    for item in table.fields:
        key = item.key_name or ""
        if key and key not in method.settings and key not in STATE[name]:
            continue
        if key not in method.settings:
            raise Problem("T7-228", table.line, f"the setting {key} of optim.{name}")
        arguments[method.settings[key]] = _setting(t, name, key, item.value, module)
    decay = arguments.pop("decay", None)
    if decay in ("0", "0.0"):
        decay = None
    if arguments.get("lr_decay") in ("0", "0.0"):
        del arguments["lr_decay"]
    if method.text == "sgd by element":
        pass
    elif name == "sgd":
        if "momentum" in arguments and "dampening" not in arguments:
            arguments["dampening"] = arguments["momentum"]  # optim's default
        for zero in ("momentum", "dampening", "weight_decay"):
            if arguments.get(zero) in ("0", "0.0"):
                del arguments[zero]
        if "momentum" not in arguments:
            arguments.pop("dampening", None)
    for key, value in method.defaults.items():
        arguments.setdefault(key, value)
    if name == "adadelta":
        arguments = {key: value for key, value in arguments.items() if (key, value) not in _ADADELTA}
    for joined, (first, second, one, two) in method.pairs.items():
        values = arguments.pop(first, one), arguments.pop(second, two)
        if values != (one, two):
            arguments[joined] = f"({values[0]}, {values[1]})"
    if method.text:
        t.need_class("adam on data" if method.text == "adam" and t.training.explicit.stale else method.text)
    names = sorted(arguments, key=lambda key: key != "lr")
    texts = [t.training.vectors.parameters(module), *(f"{key}={arguments[key]}" for key in names)]
    return f"{method.pytorch}({', '.join(texts)})", decay


_ADADELTA = {("lr", "1.0"), ("eps", "1e-6")}  # PyTorch's own


def _setting(t: Translation, method: str, key: str, value: Expression, module: Expression) -> str:
    if method == "lbfgs" and key == "lineSearch":
        if t.path(value) != "optim.lswolfe":
            raise Problem("T7-228", value.line, "a line search that is not optim.lswolfe")
        if t.kind(module) == "tensor" and not t.type(module).has("flat weights"):
            # the page's search takes each gradient for the same memory, as those of modules are
            raise Problem("T7-228", value.line, "a line search with gradients that are tensors of their own")
        return f"{page_library.MODULE}.lswolfe"
    return t.value(value).text


def of_call(t: Translation, node: Call) -> Optimizer | None:
    for optimizer in t.training.optimizers:
        if node in optimizer.calls:
            return optimizer
    path = t.path(node.callee) or ""
    if path.startswith("optim.") and path[6:].islower() and not t.plain_vectors:
        raise Problem("T7-228", node.line, f"{path} whose settings or weights are not plain to see")
    return None


def step(t: Translation, optimizer: Optimizer, node: Call, targets: tuple[Expression, ...] | None) -> None:
    if targets is not None and len(targets) > 2:
        raise Problem("T7-228", node.line, "more than two results of optim")
    if changed_gradients.looked_at(t, optimizer, node):
        raise Problem("T7-228", node.line, "gradients that are looked at after optim added the decay to them")
    if node in t.training.renamed:
        raise Problem("T7-228", node.line, "what optim moves, under a name that is something else as well")
    closure = "" if node in optimizer.stored else t.value(node.arguments[0]).text
    functions = t.type(node.arguments[0]).functions
    if any(f in t.training.multi_tensor_closures and f in t.training.points for f in functions):
        closure = f"lambda: {closure}({t.value(node.arguments[1])})"
    if optimizer.name:
        name = named(t, optimizer, node.arguments[-1])
    else:
        several = any(METHODS[method].several for method in optimizer.methods)
        if several and targets is not None and not _first_only(t, targets):
            name = t.fresh("optimizer")  # which has all its losses
            _assign(t, optimizer, name, optimizer)
        else:
            name, _ = _construction(t, optimizer, optimizer.option, optimizer.table, optimizer.module)
    step_call = f"{name}.step({closure})"
    losses = _unused(t, targets)
    if losses is None:
        t.emit(step_call)
    elif _first_only(t, targets or ()):
        t.emit(f"{losses} = {step_call}")
    else:
        several_of = {METHODS[method].several for method in optimizer.methods}
        if len(several_of) > 1:
            raise Problem("T7-228", node.line, "all losses of a method that may be one of several")
        if not several_of.pop():
            t.emit(f"{losses} = [{step_call}.item()]")
        else:
            t.emit(step_call)
            t.emit(f"{losses} = {name}.losses")
    if optimizer.scheduler:
        t.emit(f"{optimizer.scheduler}.step()")


def _unused(t: Translation, targets: tuple[Expression, ...] | None) -> str | None:
    """The name for the losses; None where nobody looks at them."""
    if targets is None or len(targets) < 2:
        return None
    name = t.unread(targets[1]) or t.target(targets[1])
    return None if name == "_" else name


def _first_only(t: Translation, targets: tuple[Expression, ...]) -> bool:
    """Whether of the losses that optim gives the program only looks at the first."""
    return len(targets) < 2 or holds_loss(t, targets[1])


def holds_loss(t: Translation, node: Expression) -> bool:
    """Whether what is a table of losses in Lua is the loss alone: the program only reads its first entry."""
    if not t.type(node).has("losses") or t.plain_vectors:
        return False
    if not isinstance(node, Name):
        return False
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


def give_gradient(t: Translation, point: Name, gradient: Expression) -> None:
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
