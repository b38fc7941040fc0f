"""What takes several kinds of things: a parameter, what ``...`` holds, a result of a function.

Types that must agree are one. A parameter that is now a number and now a table would make one of all that it is ever
given, and of all that these are made one with. So what is found to be of several kinds learns what it is given, and
what it is given learns nothing from it: the program is looked at once more, with these sinks open. Some of them are of
one kind then, as they only took several from others; these are made one with what they are given once all is known,
since what is of one kind is what its uses say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from torch7py.translate import tree
from torch7py.translate.inference.narrowing import EVERYTHING, Kinds, Narrowing, lua_type_of
from torch7py.translate.inference.tuples import MARK
from torch7py.translate.kinds import DECIDING, Type, unify
from torch7py.translate.scopes import Scopes
from torch7py.translate.tree import Function, Name
from torch7py.translate.types import Types

__all__ = ["Cases", "Sink", "flow", "flow_back", "join", "result_of", "sinks"]

_TABLE: Kinds = frozenset({"table"})

# A parameter, a function for what its ``...`` holds, or a result by the function and its place.
Sink: TypeAlias = "Name | Function | tuple[Function, int]"

# What is known of how a table is used: where it comes from, that decides what it becomes in Python.
_FORMS = frozenset(
    {"append", "array", "by number", "dict", "pairs", "record", "removed", "sparse", "stored", MARK}
)


def result_of(function: Function, index: int) -> Sink:
    return (function, index)


def sinks(types: Types, scopes: Scopes) -> set[Sink]:
    """The sinks of a program that were found to be of several kinds."""
    union_sinks: set[Sink] = set()
    for function, returns in types.returns.items():
        for parameter in function.parameters:
            if parameter.name != "self" and _is_several(types.versions[scopes.of_name[parameter]][1][0]):
                union_sinks.add(parameter)
        for index, result in enumerate(returns.types):
            if _is_several(result):
                union_sinks.add(result_of(function, index))
    for function, held in types.varargs.items():
        if _is_several(held):
            union_sinks.add(function)
    return union_sinks


def _is_several(type_: Type) -> bool:
    return len(type_.find().kinds & DECIDING) > 1


def _are_alike(one: Type, other: Type) -> bool:
    """Whether two types of one kind could be one, and no part would be of more kinds, classes or ranks by that."""
    waiting, seen = [(one, other)], set()
    if len(one.find().kinds) != 1 or one.find().kinds != other.find().kinds:
        return False
    while waiting:
        a, b = (type_.find() for type_ in waiting.pop())
        if a is b or (a, b) in seen:
            continue
        seen.add((a, b))
        for mine, theirs in ((a.kinds, b.kinds), (a.ranks, b.ranks), (set(a.classes), set(b.classes))):
            if mine and theirs and mine != theirs:
                return False
        waiting += _common_parts(a, b)
    return True


def join(sink: Type, source: Type) -> bool:
    """Make one of a sink and what it is given, or of parts of theirs, where they are alike; whether anything was."""
    news, waiting, seen = False, [(sink, source)], set()
    while waiting:
        sink, source = (type_.find() for type_ in waiting.pop())
        if sink is source or (sink, source) in seen:
            continue
        seen.add((sink, source))
        if _are_alike(sink, source):
            news |= unify(sink, source)
        elif "table" in sink.kinds & source.kinds:
            waiting += _common_parts(sink, source)
    return news


def _common_parts(one: Type, other: Type) -> list[tuple[Type, Type]]:
    """The parts that two tables both have."""
    both = [(one.element, other.element), (one.key, other.key)]
    both += [(one.fields[name], other.fields[name]) for name in one.fields if name in other.fields]
    return [(mine, theirs) for mine, theirs in both if mine is not None and theirs is not None]


def flow(sink: Type, source: Type, kinds: Kinds = EVERYTHING) -> bool:
    """Let a sink learn what it is given, as far as that is of these kinds; whether there was news.

    A table that is in itself, on whatever ways, is looked into once: what it is given need not go on as far.
    """
    news, waiting, seen = False, [(sink, source)], set()
    looked_into: set[Type] = set()
    while waiting:
        sink, source = (type_.find() for type_ in waiting.pop())
        if sink is source or (sink, source) in seen:
            continue
        seen.add((sink, source))
        news |= _learn(sink, source, kinds)
        if "table" in source.kinds and "table" in kinds:
            news |= _learn_table(sink, source)
            names = [n for n in sink.fields if sink not in looked_into or n in source.fields]
            looked_into.add(sink)
            waiting += [(sink.of_field(name), source.of_field(name)) for name in names]
            if sink.element is not None:
                inside = [
                    type_
                    for table in _tables(source)
                    for type_ in (table.element, *table.fields.values())
                    if type_
                ]
                if len(inside) > Type.MOST_SOURCES:  # which are of all kinds
                    news |= sink.element.be("table") | sink.element.be("number")
                else:
                    waiting += [(sink.element, element) for element in inside]
        kinds = EVERYTHING
    return news


def _tables(type_: Type) -> list[Type]:
    """What a type takes that may be a table, itself among it: what a sink gives are the tables that it was given."""
    seen: dict[Type, None] = {}
    waiting = [type_]
    while waiting:
        table = waiting.pop().find()
        if table not in seen and "table" in table.kinds and len(seen) <= Type.MOST_SOURCES:
            seen[table] = None
            waiting += table.sources
    return list(seen)


def flow_back(result: Type, source: Type) -> bool:
    """Let what a function gives learn what that is, and that what it is may be missing, where the result is tested."""
    news = flow(result, source)
    if result.nil and result.has("tested") and not source.nil:
        source.be_nil()
        news = True
    return news


def _learn(sink: Type, source: Type, kinds: Kinds) -> bool:
    news = False
    allowed = {kind for kind in source.kinds if (kind if lua_type_of(kind) is not None else "other") in kinds}
    for kind in allowed:
        news |= sink.be(kind)
    news |= sink.mark(*source.evidence - _FORMS)
    news |= "tested" in sink.evidence and source.mark("tested")  # so that it may be missing
    if source.may_be_nil and "nil" in kinds and not sink.may_be_nil:
        sink.be_nil()
        news = True
    if "tensor" in allowed:
        for rank in source.ranks:
            news |= sink.be_rank(rank)
        if sink.tensor_type is None:
            sink.tensor_type = source.tensor_type
    for function in source.functions if "function" in allowed else ():
        news |= sink.be_function(function)
    if source.classes and "object" in allowed:
        news |= sink.be_of(source.classes)
    if not source.kinds or "table" in allowed:
        news |= sink.learn_from(source)
    return news


def _learn_table(sink: Type, source: Type) -> bool:
    """The keys of a table, the fields that are looked at, and to the table how it is used where the sink is."""
    news = source.mark(*sink.evidence & _FORMS)
    for table in _tables(source) if sink.key is not None else ():
        if table.key is not None:
            news |= sink.of_keys().be_like(table.key)
        if table.fields:
            news |= sink.of_keys().be("string")
    return news


class Cases:
    """What functions give that find out of what kind a parameter is: for each kind what that branch gives."""

    def __init__(self, types: Types, rules: list[Callable[[], bool]], narrowing: Narrowing) -> None:
        self.types, self.rules, self.narrowing = types, rules, narrowing
        self.returns: dict[Function, list[tuple[Kinds, tree.Return]]] = {}
        self._applied: dict[tuple[Function, int, Type], Type] = {}

    def narrowed(self, name: Name, whole: Type) -> Type | None:
        """The type of a parameter where it is read."""
        kinds = self.narrowing.kinds.get(name)
        if kinds is None:
            return None
        result = Type()

        def narrow() -> bool:
            source = whole.find()
            # the weights as one vector are no tensor in a page, and layers are followed by the types that they have
            hidden = source.has("flat weights") or source.has("flat gradients")
            left = source.kinds & kinds
            news = flow(result, whole, EVERYTHING if hidden or left & {"module", "criterion"} else kinds)
            for origin in source.sources:
                news |= "table" in result.find().kinds and flow(result, origin, kinds & _TABLE)
            if (
                not result.find().kinds
                and kinds & {"table", "tensor"} == {"table"}
                and source.kinds == {"tensor"}
            ):
                news |= result.be_list()  # what nobody gives, it is in this branch
            if "table" in result.find().kinds:
                result.of_elements()  # to be looked at
            return news

        self.rules.append(narrow)
        return result

    def note(self, function: Function, node: tree.Return) -> None:
        """A return of a function."""
        kinds = self.narrowing.returns.get(node)
        if kinds is not None:
            self.returns.setdefault(function, []).append((kinds, node))

    def result(self, function: Function, index: int, argument: Type) -> Type | None:
        """What a call gives, by what it is given; None where that makes no difference."""
        if function not in self.returns:
            return None
        key = (function, index, argument.find())
        result_type = self._applied.get(key)
        if result_type is None:
            result_type = self._applied[key] = Type()
            self.rules.append(lambda: self._learn(function, index, argument, result_type))
        return result_type

    def _learn(self, function: Function, index: int, argument: Type, result: Type) -> bool:
        news = False
        kinds = _with_nil(argument)
        parameter = self.narrowing.parameter[function]
        variable = self.types.scopes.of_name[parameter]
        for allowed, node in self.returns[function]:
            if not kinds & allowed:
                continue
            if index >= len(node.values):
                result.be_nil()
                continue
            value = node.values[index]
            if isinstance(value, Name) and self.types.scopes.of_name[value] is variable:
                news |= (
                    unify(result, argument)
                    if len(argument.find().kinds) == 1
                    else flow(result, argument, allowed)
                )
            else:
                news |= flow_back(result, self.types.of(value))
        return news


def _with_nil(type_: Type) -> Kinds:
    root = type_.find()
    kinds = {kind if lua_type_of(kind) is not None else "other" for kind in root.kinds}
    return frozenset(kinds | ({"nil"} if root.may_be_nil else set()))
