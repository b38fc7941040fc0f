"""Methods that give a tensor other elements or sizes, whatever it had before."""

from __future__ import annotations

from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.tensors.rules import Arguments, Rule, changing, in_place, receiver_text, sizes
from torch7py.translate.tree import Expression


def _changing(name: str, python: str) -> None:
    def write(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
        args = ", ".join(t.expressions.number(argument).text for argument in arguments)
        return atom(f"{receiver_text(t, receiver)}.{python}({args})")

    in_place[name] = write


for _lua, _python in {"fill": "fill_", "zero": "zero_"}.items():
    _changing(_lua, _python)


@changing("resize")
def resize(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    return atom(f"{receiver_text(t, receiver)}.resize_({sizes(t, arguments)})")


@changing("resizeAs")
def resize_as(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    return atom(f"{receiver_text(t, receiver)}.resize_as_({t.value(arguments[0])})")


@changing("copy")
def copy(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    return atom(f"{receiver_text(t, receiver)}.copy_({t.expressions.beside(arguments[0], receiver)})")


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
