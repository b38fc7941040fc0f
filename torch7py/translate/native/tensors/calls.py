"""Calls of tensors' methods: as values, as statements, and with two results."""

from __future__ import annotations

from torch7py.translate import library, page_library, tree
from torch7py.translate.facts.methods import VIEWS, gives_last, is_like_method, takes_another
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.devices import moved
from torch7py.translate.native.integer_tensors import changed
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.native.tensors.algebra import decomposed
from torch7py.translate.native.tensors.reductions import fitted
from torch7py.translate.native.tensors.rules import (
    Arguments,
    dimension,
    in_place,
    is_repeatable,
    makers,
    receiver_text,
    renewed,
    rules,
    sizes,
)
from torch7py.translate.native.tensors.selecting import ordered
from torch7py.translate.native.tensors.updates import into, new_tensor
from torch7py.translate.tree import Call, Expression, Invoke, Name, Number
from torch7py.translate.tree_queries import bare, returns_of


def method(t: Translation, node: Invoke) -> Py:
    """``x:f(...)`` as a value."""
    if node.method in ("cuda", "cl") and not node.arguments:
        return moved(t, node.receiver, node.method)
    written = apply(t, node.receiver, node.method, node.arguments, node)
    return value_of(t, written, node.method, node.arguments)


def value_of(t: Translation, written: Py, name: str, arguments: Arguments) -> Py:
    """What ``x:name(...)`` gives, written so: the tensor that it changes, or the last argument."""
    of_which = gives_last(name, [t.kind(argument) for argument in arguments])
    if not of_which:
        return written
    last = arguments[-1]
    if not is_repeatable(last) or (of_which == "cpu" and t.gpus):
        raise Undecided("T7-271", last.line, f"the value of {name}, which is its last argument")
    t.emit(written.text)
    return t.value(last)


def apply(t: Translation, receiver: Expression, name: str, arguments: Arguments, node: Expression) -> Py:
    filled = _filled(t, receiver, name, arguments)
    if filled is not None:
        return filled
    if takes_another(name, [t.kind(argument) for argument in arguments]):
        return into_result(t, receiver, name, arguments, node)
    if name == "round" and not arguments:
        return renewed(t, receiver, lambda base: f"{t.need('round_away')}({base})")
    if name in in_place:
        return in_place[name](t, receiver, arguments)
    rule = rules.get(name)
    if rule is None and name in makers and is_like_method(name):
        return makers[name](t, Call(node.span, receiver, (receiver, *arguments)))
    if rule is None:
        problem = Undecided if page_library.has_method("tensor", name) else Problem
        raise problem("T7-271", node.line, f"the tensor method {name}")
    text = rule(t, receiver, arguments)
    if name in ("size", "stride") and not arguments and t.type(node).has("stored"):
        return atom(f"list({text})")
    if node in t.counted:
        return atom(f"{text.at(code.ATOM)}.byte()")
    if name in library.TENSOR_LISTS and (t.tables.is_changed(node) or _is_returned(t, node)):
        return atom(f"list({text})")
    kinds = t.type(node).find().kinds  # more than one in `f and 'none' or x:sum()`
    is_number = "number" in kinds and ("tensor" not in kinds or not arguments)
    if is_number and name in _REDUCTIONS and node not in t.raw_elements:
        return atom(f"{text.at(code.ATOM)}.item()")
    return text


def _is_returned(t: Translation, node: Expression) -> bool:
    """Whether a function may give such a table: a tuple would be several values."""
    type_ = t.type(node).find()
    returns = [r for function in t.types.returns for r in returns_of(function) if len(r.values) == 1]
    return any(t.type(r.values[0]).find() is type_ for r in returns)


def into_result(
    t: Translation, receiver: Expression, name: str, arguments: Arguments, node: Expression
) -> Py:
    """``r:name(x, ...)``, which leaves in r what ``torch.name(x, ...)`` gives."""
    result = receiver_text(t, receiver)
    written = into(t, result, name, arguments)
    if written is not None:
        return written
    new = new_tensor(t, name, arguments)
    if new is None and name in makers:
        new = makers[name](t, Call(node.span, receiver, arguments))
    if new is None and t.kind(arguments[0]) != "tensor":
        raise Undecided("T7-271", node.line, f"{name} of what may be no tensor, into a result")
    if new is None:
        new = apply(t, arguments[0], name, arguments[1:], node)
    value = t.fresh("value")
    t.emit(f"{value} = {new}")
    if name in VIEWS:
        return atom(f"{result}.set_({value})")
    return atom(f"{result}.resize_as_({value}).copy_({value})")


def is_new(node: tree.Index) -> bool:
    return node.key_name == "new"


def new(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    """``x.new(3, 4)`` and ``x.new{1, 2}``, a tensor of x's type. (``x:new()`` is another view of x.)"""
    if len(arguments) == 1 and t.kind(arguments[0]) == "table" and t.representation(arguments[0]) == "list":
        held = t.type(arguments[0]).find().of_elements()
        if held.kind in ("number", "table"):
            return atom(f"{receiver_text(t, receiver)}.new_tensor({t.value(arguments[0])})")
    if len(arguments) == 1 and t.kind(arguments[0]) == "storage":  # x.new(#y)
        return atom(f"{receiver_text(t, receiver)}.new_empty({t.value(arguments[0])})")
    if any(t.kind(argument) != "number" for argument in arguments):
        raise Problem("T7-271", receiver.line, "new of something else than sizes")
    return atom(f"{receiver_text(t, receiver)}.new_empty({sizes(t, arguments) if arguments else 0})")


def _filled(t: Translation, receiver: Expression, name: str, arguments: Arguments) -> Py | None:
    """``torch.Tensor(3, 4):fill(1)`` as ``torch.ones(3, 4)``."""
    if not isinstance(receiver, Call) or t.path(receiver.callee) not in library.TENSOR_TYPES:
        return None
    if name == "range" and not receiver.arguments and len(arguments) in (2, 3):
        return _range(t, library.TENSOR_TYPES[t.path(receiver.callee) or ""], arguments)
    if name not in ("zero", "fill") or not receiver.arguments:
        return None
    if t.path(receiver.callee) != "torch.Tensor" or any(t.kind(a) != "number" for a in receiver.arguments):
        return None
    value = t.value(arguments[0]).text if arguments else "0"
    maker = {"0": "torch.zeros", "1": "torch.ones"}.get(value)
    if maker is not None:
        return atom(f"{maker}({sizes(t, receiver.arguments)})")
    if t.kind(arguments[0]) != "number":
        return None
    if t.whole(arguments[0]):
        value = f"{value}.0" if isinstance(arguments[0], Number) else f"float({value})"
    shape = sizes(t, receiver.arguments)
    return atom(f"torch.full(({shape}{',' if len(receiver.arguments) == 1 else ''}), {value})")


def _range(t: Translation, kind: str | None, arguments: Arguments) -> Py | None:
    """``torch.LongTensor():range(1, 10)``"""
    if not all(t.whole(argument) for argument in arguments):
        return None
    start, end = t.value(arguments[0]), t.expressions.whole_number(arguments[1], 1)
    step = f", {t.value(arguments[2])}" if len(arguments) > 2 else ""
    dtype = {"Long": "", None: ", dtype=torch.get_default_dtype()"}.get(kind)
    return None if dtype is None else atom(f"torch.arange({start}, {end}{step}{dtype})")


_REDUCTIONS = set("sum mean std var max min norm prod dot dist trace".split())


def statement(t: Translation, node: Invoke) -> bool:
    """``x:f(...)`` as a statement; True where it was written."""
    with t.models.changed(node.receiver):
        return _statement(t, node)


def _is_of_module(t: Translation, node: Expression) -> bool:
    """Whether a tensor may be a parameter of a module, or its gradient."""
    asks = t.training.parameter_lists.asks
    is_field = isinstance(node, tree.Index) and t.kind(node.base) in ("module", None, "any")
    return is_field or any(asks(n) for n in tree.every(t.program, Invoke))


def _statement(t: Translation, node: Invoke) -> bool:
    name, receiver = node.method, node.receiver
    if (
        name in ("add", "mul", "div", "csub", "cmul", "cdiv")
        and len(node.arguments) == 1
        and isinstance(receiver, Name)
        and t.training.alias_of(receiver) is None
    ):
        variable = t.scopes.of_name[receiver]
        if (variable.scope or t.scopes.main) is t.scope:
            operator = {"add": "+", "csub": "-", "mul": "*", "cmul": "*", "div": "/", "cdiv": "/"}[name]
            whole = changed(t, receiver, operator, node.arguments[0])
            if whole is not None:
                t.emit(whole.text)
                return True
            t.emit(f"{t.names.of(receiver)} {operator}= {t.expressions.beside(node.arguments[0], receiver)}")
            return True
    if name in ("copy",) and len(node.arguments) == 1:
        base = t.value(receiver)
        if base.text.endswith("]") and _is_part(t, receiver):
            source = node.arguments[0]
            written = t.models.origins.cut(source, t.value(source))
            t.emit(f"{base} = {fitted(t, receiver, source, written, lambda: base.text)}")
            return True
    if name in ("fill", "zero"):
        base = t.value(receiver)
        if base.text.endswith("]") and _is_part(t, receiver):
            t.emit(f"{base} = {t.value(node.arguments[0]) if node.arguments else 0}")
            return True
    if name == "apply" and len(node.arguments) == 1 and _gives_nothing(t, node.arguments[0]):
        function = t.value(node.arguments[0])
        element = t.fresh("element")
        t.emit(f"for {element} in {receiver_text(t, receiver)}.flatten().tolist():")
        t.emit(f"    {function}({element})")
        return True
    if name == "set":  # of weights, or of one of a list of parameters, only what objects have
        raise (Undecided if t.plain_modules or not _is_of_module(t, receiver) else Problem)(
            "T7-272", node.line, f"{name} as a statement"
        )
    t.emit(apply(t, receiver, name, node.arguments, node).text)
    return True


def _gives_nothing(t: Translation, function: Expression) -> bool:
    """Whether a function takes an element and gives no value, ever: it leaves the tensor as it is."""
    functions = t.type(function).find().functions
    return bool(functions) and all(
        len(f.parameters) == 1 and not t.types.returns[f].counts for f in functions
    )


def _is_part(t: Translation, node: Expression) -> bool:
    """Whether an expression is a part of a tensor, and no entry of a table."""
    node = bare(node)
    if isinstance(node, tree.Index):
        return t.kind(node.base) == "tensor"
    return isinstance(node, Invoke) and t.kind(node.receiver) == "tensor"


def several(
    t: Translation,
    node: Expression,
    receiver: Expression,
    name: str,
    arguments: Arguments,
    targets: tuple[Expression, ...],
) -> bool:
    """``values, places = x:max(2)`` and its like."""
    if decomposed(t, name, (receiver, *arguments), targets):
        return True
    if name not in ("max", "min", "sort", "topk", "median", "mode", "kthvalue") or len(targets) != 2:
        return False
    if (name in ("max", "min") and not arguments) or "tensor" in map(t.kind, arguments):
        return False  # one number, or into results
    places = t.target(targets[1])
    unused_values, unused_places = (isinstance(x, Name) and not t.scopes.of_name[x].reads for x in targets)
    if unused_values and name in ("max", "min", "sort"):
        inside = _along(t, receiver, name, arguments)
        t.emit(f"{places} = {receiver_text(t, receiver)}.arg{name}({inside}) + 1")
        return True
    t.emit(f"{t.target(targets[0])}, {places} = {_two(t, receiver, name, arguments, not unused_places)}")
    if not unused_places:
        t.emit(f"{places} = {places} + 1")
    return True


def _along(t: Translation, receiver: Expression, name: str, arguments: Arguments) -> str:
    """PyTorch's arguments for ``max``, ``min`` and ``sort`` along a dimension."""
    if name == "sort" and t.plain_tensors:
        raise Undecided("T7-271", receiver.line, "the original's order of equal elements")
    if name != "sort":
        return f"{dimension(t, arguments[0])}, keepdim=True"
    flags = [argument.value for argument in arguments if isinstance(argument, tree.Boolean)]
    dims = [dimension(t, argument) for argument in arguments if not isinstance(argument, tree.Boolean)]
    return ", ".join([*(dims or ["-1"]), *(["descending=True"] if flags and flags[0] else [])])


def _two(t: Translation, receiver: Expression, name: str, arguments: Arguments, places: bool) -> str:
    """The call that gives values and their places, counted from 0."""
    if name in ("max", "min", "sort"):
        return f"{receiver_text(t, receiver)}.{name}({_along(t, receiver, name, arguments)})"
    return ordered(t, receiver, name, arguments, places)


def both(t: Translation, node: Expression) -> str | None:
    """The values of ``x:max(2)`` and their places, one after the other; None where it is no call of this kind."""
    call = _of_two_results(t, node)
    if call is None:
        return None
    values, places = t.fresh("values"), t.fresh("places")
    t.emit(f"{values}, {places} = {_two(t, *call, True)}")
    return f"{values}, {places} + 1"


def places(t: Translation, node: Expression) -> Py | None:
    """The places alone that ``x:max(2)`` and its like give second."""
    call = _of_two_results(t, node)
    if call is None:
        return None
    receiver, name, arguments = call
    if name in ("max", "min", "sort"):
        indices = f"{receiver_text(t, receiver)}.arg{name}({_along(t, receiver, name, arguments)})"
    else:
        indices = f"{_two(t, *call, True)}.indices"
    return Py(f"{indices} + 1", code.ADD)


def gives_places(t: Translation, node: Expression) -> bool:
    """Whether a call gives values and places."""
    return _of_two_results(t, node) is not None


def _of_two_results(t: Translation, node: Expression) -> tuple[Expression, str, Arguments] | None:
    """The tensor, the name and the arguments of a call that gives values and places."""
    if isinstance(node, Invoke):
        receiver, name, arguments = node.receiver, node.method, node.arguments
    elif isinstance(node, Call) and node.arguments and (t.path(node.callee) or "").startswith("torch."):
        receiver, *rest = node.arguments
        name, arguments = (t.path(node.callee) or "")[6:], tuple(rest)
    else:
        return None
    if t.kind(receiver) != "tensor" or any(t.kind(argument) == "tensor" for argument in arguments):
        return None
    if name not in ("max", "min", "sort", "topk", "median", "mode", "kthvalue"):
        return None
    return None if name in ("max", "min") and not arguments else (receiver, name, arguments)
