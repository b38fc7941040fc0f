"""What is known of a kind: types that learn and are made one (union-find), layers, classes, results of functions.

A rule of the inference is applied again only when a type that it looked at has changed: ``find()``, which comes before
all reading, notes the rule that is being applied, and what learns wakes the rules that are noted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from torch7py.translate import tree
from torch7py.translate.tree import Call, Invoke, Statement

__all__ = [
    "ANY_LAYER",
    "DECIDING",
    "Description",
    "Entry",
    "LuaClass",
    "Returns",
    "Rules",
    "Type",
    "all_parts",
    "unify",
]

# The mark of modules that may be of any layer, such as each that ``net:apply(f)`` gives f.
ANY_LAYER = "any layer"
DECIDING = {
    "number",
    "string",
    "boolean",
    "tensor",
    "storage",
    "table",
    "module",
    "criterion",
    "function",
    "object",
    "class",
}


_applied: Rule | None = None  # the rule that is being applied

_Item = TypeVar("_Item")
_NONE: frozenset[str] = frozenset()
_NO_RANKS: frozenset[int] = frozenset()
_NO_FIELDS: Mapping[str, Type] = MappingProxyType({})
_ONES: dict[str, frozenset[str]] = {}  # the sets of one kind


def _one(kind: str) -> frozenset[str]:
    singleton = _ONES.get(kind)
    if singleton is None:
        singleton = _ONES[kind] = frozenset((kind,))
    return singleton


class Rule:
    """A rule: what it does says whether there was news. ``waits`` tells whether what it looks at has changed since."""

    __slots__ = ("index", "rules", "run", "waits")

    def __init__(self, run: Callable[[], bool], rules: Rules, index: int) -> None:
        self.run, self.rules, self.index = run, rules, index
        self.waits = True

    def apply(self) -> bool:
        global _applied
        _applied, self.waits = self, False
        try:
            return bool(self.run())
        finally:
            _applied = None

    def wake(self) -> None:
        if not self.waits:
            self.waits = True
            self.rules.woken(self)


class Rules:
    """The rules of a program, which are applied in rounds, each in their order, until none waits.

    Only those that wait are looked at: a program has a hundred thousand, and a guess changes what a few look at.
    """

    MOST_ROUNDS = 60

    def __init__(self, runs: Sequence[Callable[[], bool]]) -> None:
        self.runs = runs  # to which rules may add others
        self.all: list[Rule] = []
        self.at = 0  # the place of the rule that is being applied
        self.now: list[int] = []  # heaps of places: of this round, and of the next
        self.next: list[int] = []

    def woken(self, rule: Rule) -> None:
        heappush(self.now if rule.index > self.at else self.next, rule.index)

    def settle(self) -> None:
        for _ in range(self.MOST_ROUNDS):
            for index in range(len(self.all), len(self.runs)):
                self.all.append(Rule(self.runs[index], self, index))
                heappush(self.next, index)
            self.now, self.next = self.next, []
            if not self.now:
                break
            news = False
            while self.now:
                self.at = heappop(self.now)
                news |= self.all[self.at].apply()
            self.at = len(self.all)
            if not news and len(self.runs) == len(self.all):
                break

    def close(self) -> None:
        """No rule is applied any more: types that note them do not keep what they look at."""
        for rule in self.all:
            del rule.run
        self.all.clear()


@dataclass(eq=False)
class Description:
    """A layer or criterion as the program makes it: its class, arguments, and what is added to it."""

    name: str
    call: Call
    children: list[Type] = field(default_factory=list)
    arguments: list[Type] = field(default_factory=list)
    # Children that are several layers, added one after the other.
    in_turn: list[Type] = field(default_factory=list)

    @property
    def slots(self) -> list[Type]:
        """The modules among the arguments, as far as is known by now."""
        return [argument for argument in self.arguments if argument.kind in ("module", "criterion")]


@dataclass(eq=False)
class LuaClass:
    """A class of the program's own: made by torch.class, or a table that is the metatable of objects."""

    name: str
    parent: str | None  # a class that is not the program's own
    instance: Type  # of its objects, and of those of its parents and children
    statement: Statement
    base: LuaClass | None = None
    derived: list[LuaClass] = field(default_factory=list)
    methods: dict[str, tree.Function] = field(default_factory=dict)
    statics: dict[str, tree.Function] = field(default_factory=dict)
    makers: dict[str, tree.Function] = field(default_factory=dict)  # that make a metatable's objects
    values: dict[str, tree.Expression] = field(default_factory=dict)  # other fields of the class itself
    aliases: dict[str, str] = field(default_factory=dict)  # other names of its functions
    inherited: set[str] = field(default_factory=set)  # metamethods that it takes over from a parent by name
    parts: list[Statement] = field(default_factory=list)  # its statements after the first
    by_metatable: bool = False
    holder: tree.Name | None = None  # the table that torch.class puts it into
    # Objects made outside of its functions: the call of setmetatable, and the table.
    literals: list[tuple[Call, tree.Table]] = field(default_factory=list)
    prototype: Invoke | None = None  # the call that made it, an object of its base that is used as a class
    called: str = ""  # the maker that a call of the class itself is one of
    # By `everywhere`, once all is known.
    reached: dict[str, list[tree.Function]] = field(default_factory=dict)

    def object(self) -> Type:
        """A type of its objects, which learns that something may be others as well, and they nothing of that.

        Layers are followed by the one type that they have.
        """
        if self.instance.kind != "object":
            return self.instance
        object_type = Type("object")
        object_type.classes = self.instance.find().classes
        return object_type

    def constructor(self) -> tree.Function | None:
        """What a call of the class hands its arguments to."""
        return self.makers.get(self.called) or self.find("__init")

    def find(self, name: str) -> tree.Function | None:
        """A method, or a function of the class, here or in a parent."""
        current: LuaClass | None = self
        while current is not None:
            for kept in (current.methods, current.statics, current.makers):
                if name in kept:
                    return kept[name]
            if name in current.aliases:
                return current.find(current.aliases[name])
            current = current.base
        return None

    def everywhere(self, name: str) -> list[tree.Function]:
        """What a call of a method on an object of this class or of one that derives from it may reach."""
        known = self.reached.get(name)
        if known is None:
            first = self.find(name)
            functions = {} if first is None else {first: None}
            for child in self.derived:
                functions |= dict.fromkeys(child.everywhere(name))
            known = self.reached[name] = list(functions)
        return known

    def derives_from(self, other: LuaClass) -> bool:
        """Whether another class is this one or one of its parents."""
        current: LuaClass | None = self
        while current is not None and current is not other:
            current = current.base
        return current is other


class Type:
    """One kind, or what is known of it. Use ``find()`` before reading; the properties do."""

    __slots__ = (
        "_up",
        "classes",
        "element",
        "evidence",
        "fields",
        "functions",
        "key",
        "kinds",
        "layers",
        "may_be_nil",
        "ranks",
        "readers",
        "sources",
        "tensor_type",
    )

    def __init__(self, kind: str | None = None) -> None:
        # Most types learn little: what is empty is one object for all, and replaced when there is something to it.
        self._up: Type | None = None
        self.readers: list[Rule] | None = None  # that looked at it since it last changed
        self.kinds = _one(kind) if kind else _NONE
        self.may_be_nil = False
        self.evidence = _NONE
        self.element: Type | None = None  # of a table
        self.key: Type | None = None
        self.fields: Mapping[str, Type] = _NO_FIELDS
        self.functions: tuple[tree.Function, ...] = ()
        self.layers: tuple[Description, ...] = ()
        self.ranks: frozenset[int] = _NO_RANKS
        self.tensor_type: str | None = None
        self.classes: tuple[LuaClass, ...] = ()  # whose objects these are, or (of kind "class") which classes
        # What a sink of several kinds is given (see inference/union_types.py).
        self.sources: tuple[Type, ...] = ()

    def find(self) -> Type:
        root = self
        if self._up is not None:
            while root._up is not None:
                root = root._up
            while self._up is not None:
                self._up, self = root, self._up
        if _applied is not None:
            if root.readers is None:
                root.readers = [_applied]
            elif root.readers[-1] is not _applied:
                root.readers.append(_applied)
        return root

    @property
    def is_root(self) -> bool:
        return self._up is None

    @property
    def kind(self) -> str | None:
        """The one kind; None when not known, "any" when there are several."""
        kinds = self.find().kinds
        if len(kinds) == 1:
            (only,) = kinds
            return only
        return "any" if kinds else None

    @property
    def rank(self) -> int | None:
        ranks = self.find().ranks
        return next(iter(ranks)) if len(ranks) == 1 else None

    @property
    def nil(self) -> bool:
        return self.find().may_be_nil

    def has(self, mark: str) -> bool:
        return mark in self.find().evidence

    # Learning

    def changed(self) -> None:
        """Wake the rules that looked at this, the root of what is one."""
        if self.readers is not None:
            for rule in self.readers:
                rule.wake()
            self.readers = None

    def be(self, kind: str) -> bool:
        """Learn a kind; whether that is news."""
        root = self.find()
        if kind in root.kinds:
            return False
        root.kinds = root.kinds | {kind} if root.kinds else _one(kind)
        root.changed()
        return True

    def be_like(self, other: Type) -> bool:
        """Learn all kinds of another type, and of which classes its objects are; whether that is news."""
        news, source = False, other.find()
        for kind in source.kinds:
            is_of_classes = kind in ("class", "object") and source.classes
            news |= self.be_of(source.classes, kind) if is_of_classes else self.be(kind)
        return news

    def be_of(self, classes: tuple[LuaClass, ...], kind: str = "object") -> bool:
        """Learn that this may be an object of classes, and not that it is nothing else; whether that is news.

        With the kind "class" it may be one of the classes.
        """
        root = self.find()
        joined = _joined(root.classes, classes)
        new = joined != root.classes
        if new:
            root.classes = joined
            root.changed()
        return root.be(kind) or new

    def owner(self) -> Type:
        """The type that has the fields: that of all objects of a class, where this may be one of them."""
        root = self.find()
        return root.classes[0].instance.find() if root.classes and "object" in root.kinds else root

    def be_nil(self) -> None:
        root = self.find()
        if not root.may_be_nil:
            root.may_be_nil = True
            root.changed()

    def be_rank(self, rank: int | None) -> bool:
        root = self.find()
        if rank is None or rank < 0 or rank in root.ranks:
            return False
        root.ranks |= {rank}
        root.changed()
        return True

    def be_function(self, function: tree.Function) -> bool:
        """Learn that this may be a function of the program; whether that is news."""
        root = self.find()
        if function in root.functions:
            return False
        root.functions += (function,)
        root.changed()
        return True

    MOST_SOURCES = 50

    def learn_from(self, source: Type) -> bool:
        """Learn of something that this sink is given; whether that is news. Of very many it is only known that."""
        root = self.find()
        if (
            len(root.sources) > self.MOST_SOURCES
            or source.find() is root
            or any(other.find() is source for other in root.sources)
        ):
            return False
        root.sources += (source,)
        root.changed()
        return True

    @property
    def has_too_many_sources(self) -> bool:
        return len(self.find().sources) > self.MOST_SOURCES

    def mark(self, *marks: str) -> bool:
        root = self.find()
        if root.evidence.issuperset(marks):
            return False
        root.evidence = root.evidence.union(marks)
        root.changed()
        return True

    def be_list(self, kind: str | None = None, *marks: str) -> bool:
        """Learn that this is a table of items, perhaps of a kind; whether that is news."""
        news = self.be("table") | self.mark("array", *marks)
        return news if kind is None else news | self.of_elements().be(kind)

    def be_any_layer(self) -> bool:
        """Learn that this is a module of whatever layer, though what it is put together with is of one."""
        return self.be("module") | self.mark(ANY_LAYER)

    def of_elements(self) -> Type:
        root = self.find()
        if root.element is None:
            root.element = Type()
            root.changed()
        return root.element.find()

    def of_keys(self) -> Type:
        root = self.find()
        if root.key is None:
            root.key = Type()
            root.changed()
        return root.key.find()

    def of_field(self, name: str) -> Type:
        root = self.find()
        field_type = root.fields.get(name)
        if field_type is None:
            field_type = Type()
            root._set_field(name, field_type)
            root.changed()
        return field_type.find()

    def _set_field(self, name: str, field_type: Type) -> None:
        if type(self.fields) is dict:
            self.fields[name] = field_type
        else:
            self.fields = {name: field_type}

    def fields_are(self, mark: str) -> bool:
        """Whether all fields of a record, and it has some, are known as something."""
        fields = self.find().fields
        return bool(fields) and all(field_type.has(mark) for field_type in fields.values())

    def __repr__(self) -> str:
        return f"<{self.kind}{'?' if self.nil else ''} rank {self.rank} {sorted(self.find().evidence)}>"


def unify(a: Type, b: Type) -> bool:
    """Make two types one; whether they were not."""
    a, b = a.find(), b.find()
    if a is b:
        return False
    waiting = [(a, b)]
    while waiting:
        a, b = waiting.pop()
        a, b = a.find(), b.find()
        if a is b:
            continue
        b._up = a
        a.changed()
        b.changed()
        a.kinds = _union(a.kinds, b.kinds)
        a.may_be_nil |= b.may_be_nil
        a.evidence = _union(a.evidence, b.evidence)
        a.ranks = _union(a.ranks, b.ranks)
        a.functions = _joined(a.functions, b.functions)
        a.layers = _joined(a.layers, b.layers)
        a.tensor_type = b.tensor_type if a.tensor_type is None else a.tensor_type
        a.classes = _joined(a.classes, b.classes)
        sources = _joined(a.sources, b.sources)[: Type.MOST_SOURCES + 1]
        a.sources = tuple(source for source in sources if source.find() is not a)
        for name in ("element", "key"):
            mine, theirs = getattr(a, name), getattr(b, name)
            if mine is None:
                setattr(a, name, theirs)
            elif theirs is not None:
                waiting.append((mine, theirs))
        for name, theirs in b.fields.items():
            if name in a.fields:
                waiting.append((a.fields[name], theirs))
            else:
                a._set_field(name, theirs)
    return True


def _every_part(layer: Description) -> Iterable[Type]:
    return (*layer.children, *layer.slots)


def all_parts(module: Type, inside: Callable[[Description], Iterable[Type]] = _every_part) -> list[Type]:
    """A module and what is in it, in order, each once: a variable used for several modules may seem to hold itself.

    ``inside``: of a layer, the parts that are gone into.
    """
    parts: dict[Type, None] = {}
    waiting = [module.find()]
    while waiting:
        part = waiting.pop()
        if part not in parts:
            parts[part] = None
            waiting += reversed([p.find() for layer in part.layers for p in inside(layer)])
    return list(parts)


def _union(mine: frozenset[_Item], theirs: frozenset[_Item]) -> frozenset[_Item]:
    """Both; one of the two where it has all of the other."""
    return mine if theirs <= mine else theirs if mine <= theirs else mine | theirs


def _joined(mine: tuple[_Item, ...], theirs: tuple[_Item, ...]) -> tuple[_Item, ...]:
    """Both, each item once, in the order in which they came."""
    if not mine or not theirs:
        return mine or theirs
    return mine + tuple(item for item in theirs if item not in mine)


class Entry(NamedTuple):
    """What a call gives: the table and the name of its entry, and what it gives where there is none."""

    table: tree.Expression
    name: tree.String
    default: tree.Expression | None


@dataclass(eq=False)
class Returns:
    """What a function gives: a type for each position, and the numbers of values its returns have."""

    types: list[Type] = field(default_factory=list)
    counts: set[int] = field(default_factory=set)
    open: bool = False  # returns a call's values, or ...
    falls_off: bool = False

    def at(self, position: int) -> Type:
        while len(self.types) <= position:
            self.types.append(Type())
        return self.types[position]

    @property
    def count(self) -> int:
        return max(self.counts, default=0)

    @property
    def known(self) -> int:
        """How many there are as far as is known: those of a call at its end come to be known."""
        return len(self.types) if self.open else self.count


def widen(types: list[Type], count: float) -> None:
    """Have at least so many types in a list, of which nothing is known."""
    types += [Type() for _ in range(int(count) - len(types))]
