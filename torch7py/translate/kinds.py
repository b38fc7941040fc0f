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
    "class",
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
    parts: list[Statement] = field(default_factory=list)  # its statements after the first
    by_metatable: bool = False

    def find(self, name: str) -> tree.Function | None:
        """A method, or a function of the class, here or in a parent."""
        found: LuaClass | None = self
        while found is not None:
            for kept in (found.methods, found.statics, found.makers):
                if name in kept:
                    return kept[name]
            found = found.base
        return None

    def everywhere(self, name: str) -> list[tree.Function]:
        """What a call of a method on an object of this class or of one that derives from it may reach."""
        first = self.find(name)
        found = [] if first is None else [first]
        for child in self.derived:
            found += [f for f in child.everywhere(name) if f not in found]
        return found


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
        self.classes: list[LuaClass] = []  # whose objects these are, or (of kind "class") which classes

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
        a.classes += [c for c in b.classes if c not in a.classes]
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
