"""Elements chosen by a mask, by positions, or by their order."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.native.tensors.rules import (
    Arguments,
    Rule,
    dimension,
    in_place,
    maker,
    receiver_text,
    rule,
    rules,
)
from torch7py.translate.tree import Call, Expression
from torch7py.translate.tree_queries import returns_of

__all__ = ["ordered"]


@rule("multinomial")
def multinomial(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    """Categories count from 1."""
    if not arguments or t.kind(arguments[0]) != "number":
        raise Problem("T7-271", receiver.line, "multinomial into a result, or with a generator")
    count = t.expressions.whole_number(arguments[0])
    again = f", {t.value(arguments[1])}" if len(arguments) > 1 else ""
    return Py(f"torch.multinomial({t.value(receiver)}, {count}{again}) + 1", code.ADD)


@maker("multinomial")
def of_weights(t: Translation, node: Call) -> Py:
    """``torch.multinomial(p, n)``: p is a tensor, whatever else is known of it."""
    return multinomial(t, node.arguments[0], node.arguments[1:])


def ordered(t: Translation, receiver: Expression, name: str, arguments: Arguments, places: bool) -> str:
    """``topk``, ``kthvalue``, ``median`` or ``mode``, each of which gives values and places.

    Torch7's topk gives the smallest, in no order that PyTorch has, unless it is told to sort them. Of equal elements
    that are the mode or the median each library has its own.
    """
    base, line = receiver_text(t, receiver), receiver.line
    numbers = [a for a in arguments if not isinstance(a, tree.Boolean)]
    flags = [a.value for a in arguments if isinstance(a, tree.Boolean)]
    if any(t.kind(a) != "number" for a in numbers) or (name == "kthvalue" and not numbers):
        raise Undecided("T7-271", line, f"{name} with these arguments")
    if name == "topk" and not numbers:
        numbers = [tree.Number(arguments[0].span if arguments else receiver.span, 1, "1")]
    count = [] if name in ("median", "mode") else [str(t.expressions.whole_number(numbers.pop(0)))]
    dim = dimension(t, numbers[0]) if numbers else "-1"
    if name == "topk":
        alone = count == ["1"]
        if not alone and flags[1:] != [True]:
            raise Undecided("T7-271", line, "topk in the original's own order")
        return f"{base}.topk({count[0]}, {dim}, largest={bool(flags and flags[0])})"
    if name == "mode" and places:
        raise Undecided("T7-271", line, "where the mode is")
    return f"{base}.{name}({', '.join([*count, dim])}, keepdim=True)"


def _values(name: str) -> Rule:
    def write(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
        text = ordered(t, receiver, name, arguments, False)
        return atom(f"{text}.values")

    return write


for _lua in ("topk", "kthvalue", "median", "mode"):
    rules[_lua] = _values(_lua)


@rule("chunk")
def chunk(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    dim = dimension(t, arguments[1]) if len(arguments) > 1 else "0"
    count = t.expressions.whole_number(arguments[0])
    return atom(f"{receiver_text(t, receiver)}.chunk({count}{f', {dim}' if dim != '0' else ''})")


def _gives_one(t: Translation, function: tree.Function) -> bool:
    """Whether a function always gives one value."""
    returns = t.types.returns[function]
    calls = (tree.Call, tree.Invoke)
    return (
        not returns.falls_off
        and returns.counts == {1}
        and not any(isinstance(r.values[0], tree.Vararg) for r in returns_of(function))
        and all(
            t.calls.count(r.values[0]) == 1 for r in returns_of(function) if isinstance(r.values[0], calls)
        )
    )


def _function_of_elements(python: str) -> Rule:
    """``x:apply(f)``, ``x:map(y, f)``: f must take what it is given, or nothing, and give a number for each element."""

    def write(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
        function = arguments[-1]
        functions = t.type(function).find().functions
        gives = [t.types.returns[f] for f in functions]
        counts = {len(f.parameters) for f in functions if not f.vararg}
        takes = counts in ({0}, {len(arguments)}) and not any(f.vararg for f in functions)
        if not gives or not takes or not all(_gives_one(t, f) for f in functions):
            raise Undecided(
                "T7-271", receiver.line, "a function that does not give a number for each element"
            )
        if t.kind(receiver) != "tensor" or any(r.at(0).kind != "number" or r.at(0).nil for r in gives):
            raise Undecided(
                "T7-271", receiver.line, "a function that does not give a number for each element"
            )
        # Numbers alone go to the function: PyTorch refuses those that it would have to go back through.
        texts = [f"{t.value(argument).at(code.ATOM)}.detach()" for argument in arguments[:-1]]
        texts.append(str(t.value(function)))
        if counts == {0}:
            unused = ", ".join("_" * width for width in range(1, len(arguments) + 1))
            what = texts[-1].removeprefix("lambda: ")
            texts[-1] = f"lambda {unused}: {what if what != texts[-1] else f'{what}()'}"
        return atom(f"{receiver_text(t, receiver)}.{python}({', '.join(texts)})")

    return write


in_place["apply"], in_place["map"] = _function_of_elements("apply_"), _function_of_elements("map_")
in_place["map2"] = _function_of_elements("map2_")
