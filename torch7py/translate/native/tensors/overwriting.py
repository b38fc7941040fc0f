"""Chains of methods that overwrite their tensor whole: ``y:resizeAs(x):cmul(x, w):add(1)`` is ``x * w + 1``."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.facts.methods import COMPARISONS, ELEMENTWISE
from torch7py.translate.native import code, integer_tensors
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.tensors.rules import sizes
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Number

__all__ = ["root_of", "written_anew"]

_OPERATORS = {"add": "+", "csub": "-", "mul": "*", "cmul": "*", "div": "/", "cdiv": "/"}
_CONVERSIONS = {"float", "long", "int", "short", "byte", "char"}
_MAKERS = {"torch.randn", "torch.rand", "torch.zeros", "torch.ones"}  # whose tensors nobody else has
_RANDOM = {
    "uniform": "uniform_",
    "normal": "normal_",
    "bernoulli": "bernoulli_",
    "exponential": "exponential_",
}


def root_of(node: Expression) -> Expression:
    """What a chain of methods begins with."""
    while isinstance(node, Invoke):
        node = node.receiver
    return node


def written_anew(t: Translation, node: Expression) -> Py | None:
    """The value that a chain gives its tensor, if what the tensor was before does not matter; else None."""
    links: list[Invoke] = []
    while isinstance(node, Invoke):
        links.insert(0, node)
        node = node.receiver
    shape: Invoke | None = None
    while links and links[0].method in ("resizeAs", "resize"):
        shape = links.pop(0)
    if not links:
        return None if shape is None else _empty(t, shape)
    value = _first(t, links[0], shape, alone=len(links) == 1)
    for link in links[1:]:
        if value is None:
            return None
        value = _next(t, value, link)
    return value


def _empty(t: Translation, shape: Invoke) -> Py:
    if shape.method == "resizeAs":
        return atom(f"torch.empty_like({t.value(shape.arguments[0])})")
    return atom(f"torch.empty({sizes(t, shape.arguments)})")


def _first(t: Translation, link: Invoke, shape: Invoke | None, alone: bool) -> Py | None:
    """The method that overwrites: it is given all that it computes with."""
    name, args = link.method, link.arguments
    kinds = [t.kind(argument) for argument in args]
    if name == "set" and kinds == ["tensor"] and alone and shape is None:
        return t.value(args[0])
    if name == "copy" and kinds == ["tensor"]:
        value = t.value(args[0])
        if _converted(t, args[0]):
            return atom(f"{value.at(code.ATOM)}.to(torch.get_default_dtype())")
        constructor = t.path(args[0].callee) if isinstance(args[0], Call) else None
        return atom(f"{value.at(code.ATOM)}.clone()") if alone and constructor not in _MAKERS else value
    if name in _OPERATORS and len(args) == 2 and kinds[0] == "tensor" and None not in kinds:
        if name in ("mul", "div", "add") or kinds[1] == "tensor":
            whole = integer_tensors.operation(t, args[0], _OPERATORS[name], args[1])
            return whole or _operation(t, t.value(args[0]), _OPERATORS[name], t.value(args[1]))
        return None
    if name == "add" and kinds == ["tensor", "number", "tensor"]:
        return _scaled(t, t.value(args[0]), args[1], args[2])
    if name in ("mm", "mv") and kinds == ["tensor", "tensor"]:
        return _operation(t, t.value(args[0]), "@", t.value(args[1]))
    if name in ELEMENTWISE and kinds == ["tensor"]:
        return _elementwise(t.value(args[0]), name)
    if name == "pow" and kinds == ["tensor", "number"]:
        return code.power(t.value(args[0]), t.value(args[1]))
    if name in ("sum", "mean") and kinds == ["tensor", "number"]:
        dim = t.expressions.position(args[1])
        return atom(f"{t.value(args[0]).at(code.ATOM)}.{name}({dim}, keepdim=True)")
    if name == "clamp" and len(args) == 3 and kinds[0] == "tensor":
        return atom(f"{t.value(args[0]).at(code.ATOM)}.clamp({t.value(args[1])}, {t.value(args[2])})")
    if name in COMPARISONS and len(args) == 2 and kinds[0] == "tensor":
        kind = t.type(link.receiver).find().tensor_type
        if kind not in (None, "Double", "Float", "Byte"):
            return None
        left = t.value(args[0])
        compared = f"({left.at(code.ADD)} {COMPARISONS[name]} {t.value(args[1]).at(code.ADD)})"
        return atom(f"{compared}.{'byte()' if kind == 'Byte' else f'to({left.at(code.ATOM)}.dtype)'}")
    if name in ("cmax", "cmin") and kinds == ["tensor", "tensor"]:
        return atom(f"torch.{name[1:]}imum({t.value(args[0])}, {t.value(args[1])})")
    if shape is None:
        return None
    if name in ("zero", "fill"):
        filled = "0" if name == "zero" else t.value(args[0]).text
        if shape.method == "resizeAs":
            like = t.value(shape.arguments[0])
            return atom(
                f"torch.zeros_like({like})" if filled == "0" else f"torch.full_like({like}, {filled})"
            )
        places = sizes(t, shape.arguments)
        if filled in ("0", "1"):
            return atom(f"torch.{'zeros' if filled == '0' else 'ones'}({places})")
        shape_text = f"({places})" if "," in places else f"({places},)"
        return atom(f"torch.full({shape_text}, float({filled}))")
    if name in _RANDOM:
        return atom(f"{_empty(t, shape)}.{_RANDOM[name]}({', '.join(t.value(a).text for a in args)})")
    return None


def _converted(t: Translation, node: Expression) -> bool:
    """Whether a tensor may be of another type than what it is copied into: the program converts what it is made of."""
    names = {n.name for n in tree.walk(node) if isinstance(n, Name)} - {"self"}
    names |= {n.value for n in tree.walk(node) if isinstance(n, tree.String)}
    sources: list[tree.Node | tree.Block] = [node]
    for statement in tree.walk(t.program):
        if isinstance(statement, tree.Assignment):
            for target in statement.targets:
                key = target.key if isinstance(target, Index) else None
                name = key.value if isinstance(key, tree.String) else getattr(target, "name", None)
                if name in names:
                    sources += statement.values
    return any(
        isinstance(n, Invoke) and n.method in _CONVERSIONS for source in sources for n in tree.walk(source)
    )


def _next(t: Translation, value: Py, link: Invoke) -> Py | None:
    """The same for a method that changes what is there."""
    name, args = link.method, link.arguments
    if name in _OPERATORS and len(args) == 1:
        if integer_tensors.elements(t, link.receiver) is not None:
            return None
        return _operation(t, value, _OPERATORS[name], t.value(args[0]))
    if name in ("add", "csub") and len(args) == 2 and t.kind(args[0]) == "number":
        return _scaled(t, value, args[0], args[1], "+" if name == "add" else "-")
    if name == "addcmul" and len(args) == 3:
        return atom(
            f"torch.addcmul({value}, {t.value(args[1])}, {t.value(args[2])}, value={t.value(args[0])})"
        )
    if name in ELEMENTWISE and not args:
        return _elementwise(value, name)
    if name == "pow" and len(args) == 1:
        return code.power(value, t.value(args[0]))
    if name == "clamp" and len(args) == 2:
        return atom(f"{value.at(code.ATOM)}.clamp({t.value(args[0])}, {t.value(args[1])})")
    of_another = isinstance(link.receiver, Invoke) and link.receiver.method == "copy"  # that tensor itself
    if (
        name in ("resizeAs", "viewAs")
        and [t.kind(argument) for argument in args] == ["tensor"]
        and not of_another
    ):
        return atom(f"{value.at(code.ATOM)}.reshape_as({t.value(args[0])})")
    return None


def _elementwise(value: Py, name: str) -> Py:
    if name == "neg":
        return Py(f"-{value.at(code.NEGATE)}", code.NEGATE)
    return atom(f"{value.at(code.ATOM)}.{name}()")


def _operation(t: Translation, left: Py, operator: str, right: Py) -> Py:
    level = code.ADD if operator in "+-" else code.MULTIPLY
    return Py(f"{left.at(level)} {operator} {right.at(level + 1)}", level)


def _scaled(t: Translation, value: Py, scale: Expression, other: Expression, sign: str = "+") -> Py:
    scale_text = t.value(scale)
    if (isinstance(scale, Number) and scale.value == 1) or scale_text.text == "1":
        return _operation(t, value, sign, t.value(other))
    if scale_text.text.startswith("-") and scale_text.level >= code.NEGATE:
        sign, scale_text = "-" if sign == "+" else "+", Py(scale_text.text[1:], scale_text.level)
        if scale_text.text == "1":
            return _operation(t, value, sign, t.value(other))
    term = _operation(t, scale_text, "*", t.value(other))
    return _operation(t, value, sign, term)
