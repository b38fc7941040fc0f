"""print, with all values of a call at its end."""

from __future__ import annotations

from collections.abc import Callable

from torch7py.translate import tree
from torch7py.translate.inference import tuples
from torch7py.translate.layers.groups import SUMMING_WEIGHTS
from torch7py.translate.native import code, plain_calls, text
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.library_rules import statement
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name

__all__ = ["spreads"]

# All results of a function of a library, as print writes them.
spreads: dict[str, Callable[[Translation, Call], str]] = {}


def _spread(t: Translation, argument: Expression, is_first: bool) -> str | None:
    """All values of the last argument of print, where it has several. ``is_first``: nothing is computed before it."""
    if isinstance(argument, tree.Vararg) or t.is_unpacked(argument):
        values = t.rest() if isinstance(argument, tree.Vararg) else t.calls.unpacked(argument).text
        kind = t.kind(argument)
        if isinstance(argument, tree.Vararg) and t.type(argument).nil:
            raise Undecided("T7-218", argument.line, "print of several values, nil among them")
        mixed = isinstance(argument, Call) and t.type(argument.arguments[0]).has(tuples.MARK)
        if kind == "string" or (kind == "tensor" and not mixed):
            return f"*{values}"
        if kind != "number":
            raise Undecided("T7-218", argument.line, "print of several values of unknown kind")
        return f'*(f"{{x:.14g}}" for x in {values})'
    if t.counts.is_exact_call(argument):
        raise Undecided("T7-218", argument.line, "a number of results that varies")
    if t.calls.count(argument) < 2:
        written = spreads.get(t.path(argument.callee) or "") if isinstance(argument, Call) else None
        if written is not None and isinstance(argument, Call):
            return written(t, argument)
        loss = _loss_and_count(t, argument)
        if loss is not None:
            return loss
        pair = t.calls.values_and_places(argument)
        if pair is not None:
            return pair
        if t.calls.gives_two(argument):
            problem = Undecided if plain_calls.gives_all(t, argument) else Problem
            raise problem("T7-218", argument.line, "all values of a call at the end of a list")
        if t.counts.may_lack_value(argument):
            return f"*{t.need('without_none')}({t.value(argument)})"
        if not t.counts.are_all(argument):
            count_range = t.counts.of(argument)
            what = "print of a call that may give no value at all"
            if count_range is not None and count_range[1] > 1:
                what = "all values of a call at the end of a list"
            problem = Undecided if plain_calls.gives_all(t, argument) else Problem
            raise problem("T7-218", argument.line, what)
        return None
    assert isinstance(argument, (Call, Invoke))
    kinds: set[str | None] = set()
    whole = True
    for function in t.types.function_called(argument):
        returns = t.types.returns[function]
        if not t.counts.are_all(argument) or not t.calls.is_fixed(function):
            raise Problem("T7-218", argument.line, "a number of results that varies")
        for index in range(t.counts.written(function)):
            kinds.add("any" if returns.at(index).nil else returns.at(index).kind)
            whole = whole and (
                returns.at(index).kind != "number" or t.integers.returns_whole(function, index)
            )
    if whole and kinds <= {"string", "number"}:
        return f"*{t.calls.all_values(argument)}"
    if kinds == {"number"}:
        return f'*(f"{{x:.14g}}" for x in {t.calls.all_values(argument)})'
    named = _named_one_by_one(t, argument) if is_first else None
    if named is None:
        raise Undecided("T7-218", argument.line, "print of all results of a call, numbers among them")
    return named


def _named_one_by_one(t: Translation, node: Call | Invoke) -> str | None:
    """The results of a function, each as Lua writes what it is; None where that is not known."""
    functions = t.types.function_called(node)
    if len(functions) != 1:
        return None
    returns, names, texts = t.types.returns[functions[0]], [], []
    for index in range(t.counts.written(functions[0])):
        result = returns.at(index)
        name = t.fresh("value")
        names.append(name)
        if result.nil or result.kind == "boolean":
            texts.append(f"{t.need('lua_text')}({name})")
        elif result.kind == "number" and not t.integers.returns_whole(functions[0], index):
            texts.append(text.f_string([(name, ".14g")]).text)
        elif result.kind in ("number", "string", "tensor"):
            texts.append(name)
        else:
            return None
    t.emit(f"{', '.join(names)} = {t.calls.all_values(node)}")
    return ", ".join(texts)


def _loss_and_count(t: Translation, node: Expression) -> str | None:
    """What ``ClassNLLCriterion:forward`` gives: beside the loss the sum of its classes' weights, here of ones."""
    if not isinstance(node, Invoke) or node.method != "forward" or len(node.arguments) != 2:
        return None
    layers = t.type(node.receiver).find().layers if t.kind(node.receiver) == "criterion" else []
    if not layers or any(one.name not in SUMMING_WEIGHTS or one.call.arguments for one in layers):
        return None
    target = node.arguments[1]
    if t.kind(target) == "tensor" and isinstance(target, (Name, Index)):
        count = f"{t.value(target).at(code.ATOM)}.numel()"
    elif t.kind(target) == "number":
        count = "1"
    else:
        return None
    return f"{text.text(t, node).text}, {count}"


@statement("print")
def print_statement(t: Translation, node: Call) -> None:
    texts, spread = [], None
    for argument in node.arguments:
        kind = t.kind(argument)
        is_first = all(isinstance(before, (tree.String, tree.Number)) for before in node.arguments[:-1])
        spread = _spread(t, argument, is_first) if argument is node.arguments[-1] else None
        if spread is not None:
            texts.append(spread)
        elif (
            kind in (None, "boolean", "file")
            or (kind == "number" and not text.written_plain(t, argument))
            or text.may_be_nil(t, argument, of_all_kinds=True)
        ):
            texts.append(text.text(t, argument).text)
        else:
            texts.append(t.value(argument).text)
    if texts == ['""']:
        texts = []
    several = len(texts) > 1 or spread is not None
    separator = ', sep="\\t"' if several else ""
    t.emit(f"print({', '.join(texts)}{separator})")
