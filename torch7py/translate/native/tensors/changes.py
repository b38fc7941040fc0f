"""Methods that change their tensor."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.integer_tensors import changed, operation
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Undecided
from torch7py.translate.native.tensors.results import into, into_receiver
from torch7py.translate.native.tensors.rules import (
    Arguments,
    Rule,
    changing,
    in_place,
    receiver_text,
    renewed,
    sizes,
)
from torch7py.translate.tree import Expression, Index, Invoke


def _changing(name: str, python: str) -> None:
    def write(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
        args = ", ".join(t.expressions.number(argument).text for argument in arguments)
        return atom(f"{receiver_text(t, receiver)}.{python}({args})")

    in_place[name] = write


for _lua, _python in {"fill": "fill_", "zero": "zero_"}.items():
    _changing(_lua, _python)


@changing("pow")
def power(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    if len(arguments) != 1 or t.kind(arguments[0]) == "tensor":
        return into_receiver(t, receiver, "pow", arguments)
    return atom(f"{receiver_text(t, receiver)}.pow_({t.value(arguments[0])})")


@changing("resize")
def resize(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    return atom(f"{receiver_text(t, receiver)}.resize_({sizes(t, arguments)})")


@changing("resizeAs")
def resize_as(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    return atom(f"{receiver_text(t, receiver)}.resize_as_({t.value(arguments[0])})")


@changing("copy")
def copy(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    return atom(f"{receiver_text(t, receiver)}.copy_({t.expressions.beside(arguments[0], receiver)})")


def _sum(t: Translation, receiver: Expression, arguments: Arguments, name: str) -> Py:
    """``x:add(v)``, ``x:add(y)``, ``x:add(v, y)``, ``x:add(y, z)``, ``x:add(y, v, z)``: the last two overwrite x."""
    kinds = [t.kind(argument) for argument in arguments]
    base = receiver_text(t, receiver)
    texts = [t.value(argument).text for argument in arguments]
    if len(arguments) == 1:
        whole = changed(t, receiver, "+" if name == "add_" else "-", arguments[0])
        return whole or atom(f"{base}.{name}({t.expressions.beside(arguments[0], receiver)})")
    if kinds == ["number", "tensor"]:
        if _stays_tensor(t, arguments[0]):  # with its graph: that is no alpha
            product = (
                f"{t.value(arguments[0]).at(code.MULTIPLY)} * {t.value(arguments[1]).at(code.MULTIPLY + 1)}"
            )
            return atom(f"{base}.{name}({product})")
        scale = "" if texts[0] == "1" else f", alpha={texts[0]}"
        return atom(f"{base}.{name}({t.expressions.beside(arguments[1], receiver)}{scale})")
    written = into(t, base, "add" if name == "add_" else "csub", arguments)  # the sum of the others, into x
    if written is not None:
        return written
    raise Undecided("T7-271", receiver.line, "add with these arguments")


def _stays_tensor(t: Translation, node: Expression) -> bool:
    """Whether a number is written as the tensor that it is computed from: an element, or a sum."""
    parts = [inner for inner in tree.walk(node) if isinstance(inner, Index) and inner in t.raw_elements]
    sums = [inner for inner in tree.walk(node) if isinstance(inner, Invoke) and inner in t.raw_elements]
    sources = [*(part.base for part in parts), *(inner.receiver for inner in sums if not t.whole(inner))]
    return any(t.kind(source) == "tensor" for source in sources)


in_place["add"] = lambda t, receiver, arguments: _sum(t, receiver, arguments, "add_")
in_place["csub"] = lambda t, receiver, arguments: _sum(t, receiver, arguments, "sub_")


def _multiply(name: str, python: str, operator: str) -> Rule:
    def write(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
        base = receiver_text(t, receiver)
        if len(arguments) == 1:
            whole = changed(t, receiver, operator, arguments[0])
            return whole or atom(f"{base}.{python}({t.expressions.beside(arguments[0], receiver)})")
        whole = operation(t, arguments[0], operator, arguments[1])
        if whole is not None:
            return atom(f"{base}.copy_({whole})")
        return into_receiver(t, receiver, name, arguments)

    return write


for _lua in ("mul", "cmul"):
    in_place[_lua] = _multiply(_lua, "mul_", "*")
for _lua in ("div", "cdiv"):
    in_place[_lua] = _multiply(_lua, "div_", "/")


@changing("clamp")
def clamp(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    written = into(t, receiver_text(t, receiver), "clamp", arguments)
    if written is not None:
        return written
    low, high = (t.value(argument).text for argument in arguments)
    return atom(f"{receiver_text(t, receiver)}.clamp_({low}, {high})")


def _with_another(name: str) -> Rule:
    """``x:fmod(y)`` and ``x:fmod(y, z)``, which overwrites x."""

    def write(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
        base = receiver_text(t, receiver)
        if len(arguments) == 1:
            return atom(f"{base}.{name.removeprefix('c')}_({t.expressions.beside(arguments[0], receiver)})")
        return into_receiver(t, receiver, name, arguments)

    return write


for _lua in ("fmod", "remainder", "cfmod", "cremainder", "atan2", "cpow"):
    in_place[_lua] = _with_another(_lua)


@changing("lerp")
def lerp(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    base = receiver_text(t, receiver)
    if len(arguments) == 2:
        return atom(f"{base}.lerp_({t.expressions.beside(arguments[0], receiver)}, {t.value(arguments[1])})")
    start, end, weight = arguments
    return atom(
        f"torch.lerp({t.value(start)}, {t.expressions.beside(end, start)}, {t.value(weight)}, out={base})"
    )


@changing("cinv")
def cinv(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    base = receiver_text(t, receiver)
    return atom(
        f"torch.reciprocal({t.value(arguments[0])}, out={base})" if arguments else f"{base}.reciprocal_()"
    )


def _bounded(name: str) -> Rule:
    def write(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
        if len(arguments) == 2:
            return into_receiver(t, receiver, f"c{name}", arguments)
        if t.kind(arguments[0]) == "number":
            bound = f"{'min' if name == 'max' else 'max'}={t.value(arguments[0])}"
            return atom(f"{receiver_text(t, receiver)}.clamp_({bound})")
        other = t.expressions.beside(arguments[0], receiver)
        return renewed(t, receiver, lambda base: f"torch.{name}imum({base}, {other})")

    return write


in_place["cmax"], in_place["cmin"] = _bounded("max"), _bounded("min")


def _of_products(name: str) -> Rule:
    """``x:addcmul(v, y, z)``; given a tensor before them, the result overwrites x."""

    def write(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
        kinds = [t.kind(argument) for argument in arguments]
        base = receiver_text(t, receiver)
        texts = [t.value(argument).text for argument in arguments]
        start = ""
        if len(arguments) > 2 and kinds[0] == "tensor":
            start, kinds, texts = texts[0], kinds[1:], texts[1:]
        value = ""
        if kinds[:1] == ["number"]:
            value, kinds, texts = f", value={texts[0]}", kinds[1:], texts[1:]
        if kinds != ["tensor", "tensor"]:
            raise Undecided("T7-271", receiver.line, f"{name} with these arguments")
        if start:
            return atom(f"torch.{name}({start}, {texts[0]}, {texts[1]}{value}, out={base})")
        return atom(f"{base}.{name}_({texts[0]}, {texts[1]}{value})")

    return write


for _lua in ("addcmul", "addcdiv"):
    in_place[_lua] = _of_products(_lua)


def _random(name: str) -> Rule:
    def write(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
        base = receiver_text(t, receiver)
        args = [t.value(argument).text for argument in arguments]
        if name == "random":
            low, high = ("1", args[0]) if len(args) == 1 else (args[0], args[1])
            end = t.expressions.whole_number(arguments[-1], 1)
            del high
            return atom(f"{base}.random_({low}, {end})")
        return atom(f"{base}.{name}_({', '.join(args)})")

    return write


for _lua in ("uniform", "normal", "bernoulli", "random", "geometric", "exponential", "cauchy"):
    in_place[_lua] = _random(_lua)
in_place["logNormal"] = lambda t, receiver, arguments: atom(
    f"{receiver_text(t, receiver)}.log_normal_({', '.join(t.value(a).text for a in arguments)})"
)
