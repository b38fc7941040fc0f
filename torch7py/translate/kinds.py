"""What is known of a kind: types that learn and are made one (union-find), layers, classes, results of functions."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch7py.translate import tree
from torch7py.translate.tree import Call, Statement

__all__ = ["DECIDING", "DEEPEST", "Description", "LuaClass", "Returns", "Type", "unify"]

DEEPEST = 30  # containers in containers; a variable used for several modules may seem to hold itself


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
}


@dataclass(eq=False)
class Description:
    """A layer or criterion as the program makes it: its class, arguments, and what is added to it."""

    name: str
    call: Call
    children: list[Type] = field(default_factory=list)
    slots: list[Type] = field(default_factory=list)  # modules among the arguments


@dataclass(eq=False)
class LuaClass:
    """A class of the program's own, by torch.class."""

    name: str
    parent: str | None
    instance: Type
    methods: dict[str, tree.Function] = field(default_factory=dict)
    statement: Statement | None = None


class Type:
    """One kind, or what is known of it. Use ``find()`` before reading; the properties do."""

    __slots__ = (
        "_up",
        "element",
        "evidence",
        "fields",
        "functions",
        "key",
        "kinds",
        "layers",
        "lua_class",
        "may_be_nil",
        "ranks",
        "tensor_type",
    )

    def __init__(self, kind: str | None = None) -> None:
        self._up: Type | None = None
        self.kinds: set[str] = {kind} if kind else set()
        self.may_be_nil = False
        self.evidence: set[str] = set()
        self.element: Type | None = None  # of a table
        self.key: Type | None = None
        self.fields: dict[str, Type] = {}
        self.functions: list[tree.Function] = []
        self.layers: list[Description] = []
        self.ranks: set[int] = set()
        self.tensor_type: str | None = None
        self.lua_class: LuaClass | None = None

    def find(self) -> Type:
        root = self
        while root._up is not None:
            root = root._up
        while self._up is not None:
            self._up, self = root, self._up
        return root

    @property
    def kind(self) -> str | None:
        """The one kind; None when not known, "any" when there are several."""
        kinds = self.find().kinds
        return next(iter(kinds)) if len(kinds) == 1 else ("any" if kinds else None)

    @property
    def rank(self) -> int | None:
        ranks = self.find().ranks
        return next(iter(ranks)) if len(ranks) == 1 else None

    @property
    def nil(self) -> bool:
        return self.find().may_be_nil

    def has(self, mark: str) -> bool:
        return mark in self.find().evidence

    def be(self, kind: str) -> bool:
        """Learn a kind; whether that is news."""
        root = self.find()
        if kind in root.kinds:
            return False
        root.kinds.add(kind)
        return True

    def mark(self, *marks: str) -> bool:
        root = self.find()
        before = len(root.evidence)
        root.evidence.update(marks)
        return len(root.evidence) > before

    def of_elements(self) -> Type:
        root = self.find()
        if root.element is None:
            root.element = Type()
        return root.element.find()

    def of_keys(self) -> Type:
        root = self.find()
        if root.key is None:
            root.key = Type()
        return root.key.find()

    def of_field(self, name: str) -> Type:
        root = self.find()
        return root.fields.setdefault(name, Type()).find()

    def __repr__(self) -> str:
        return f"<{self.kind}{'?' if self.nil else ''} rank {self.rank} {sorted(self.find().evidence)}>"


def unify(a: Type, b: Type) -> bool:
    """Make two types one; whether they were not."""
    waiting = [(a, b)]
    news = False
    while waiting:
        a, b = (found.find() for found in waiting.pop())
        if a is b:
            continue
        news = True
        b._up = a
        a.kinds |= b.kinds
        a.may_be_nil |= b.may_be_nil
        a.evidence |= b.evidence
        a.ranks |= b.ranks
        a.functions += [f for f in b.functions if f not in a.functions]
        a.layers += [layer for layer in b.layers if layer not in a.layers]
        a.tensor_type = b.tensor_type if a.tensor_type is None else a.tensor_type
        a.lua_class = a.lua_class or b.lua_class
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
                a.fields[name] = theirs
    return news


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
