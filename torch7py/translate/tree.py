"""The syntax tree of a Lua program: Lua 5.1 with LuaJIT's goto and integer literals.

Nodes compare by identity, so that they can be keys of what is found out about them, and nobody changes them once a
program is read (frozen dataclasses would take three times as long to make). Strings and names are latin-1: one
character for each byte of the source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

__all__ = [
    "Around",
    "Assign",
    "Assignment",
    "Binary",
    "Block",
    "Boolean",
    "Break",
    "Call",
    "Comment",
    "Do",
    "Expression",
    "Field",
    "Function",
    "FunctionStatement",
    "GenericFor",
    "Goto",
    "If",
    "Index",
    "Invoke",
    "Label",
    "Local",
    "LocalFunction",
    "Name",
    "Nil",
    "Node",
    "Number",
    "NumericFor",
    "Paren",
    "Repeat",
    "Return",
    "Run",
    "Span",
    "Statement",
    "String",
    "Table",
    "Unary",
    "Vararg",
    "While",
    "blocks",
    "children",
    "direct_nodes",
    "every",
    "those",
    "walk",
]


_Kind = TypeVar("_Kind", bound="Node")


class Span(NamedTuple):
    """Where a node stands: line and column (both from 1) of its first byte, and its bytes [start, end)."""

    line: int
    column: int
    start: int
    end: int


@dataclass(slots=True, eq=False)
class Node:
    span: Span
    below: tuple[Node | Block, ...] | None = field(default=None, init=False, repr=False)  # see ``children``

    @property
    def line(self) -> int:
        return self.span.line


@dataclass(slots=True, eq=False)
class Comment(Node):
    """A comment without its dashes and brackets."""

    text: str
    long: bool  # --[[ ]], which may have several lines
    blank: bool  # an empty line stands before it


# Expressions


@dataclass(slots=True, eq=False)
class Expression(Node):
    pass


@dataclass(slots=True, eq=False)
class Nil(Expression):
    pass


@dataclass(slots=True, eq=False)
class Boolean(Expression):
    value: bool


@dataclass(slots=True, eq=False)
class Number(Expression):
    """A number that is written without a point or an exponent has an int as its value."""

    value: int | float
    text: str


@dataclass(slots=True, eq=False)
class String(Expression):
    value: str


@dataclass(slots=True, eq=False)
class Vararg(Expression):
    pass


@dataclass(slots=True, eq=False)
class Name(Expression):
    name: str
    of_globals: bool = False  # ``_G.name``: the global, whatever variables of that name are in sight


@dataclass(slots=True, eq=False)
class Index(Expression):
    """``base.key`` (a String as key, ``dotted``) or ``base[key]``."""

    base: Expression
    key: Expression
    dotted: bool

    @property
    def key_name(self) -> str | None:
        """The key, where it is a text that is written out."""
        return self.key.value if isinstance(self.key, String) else None

    @property
    def of_self(self) -> str | None:
        """The key of a field of ``self``."""
        return self.key_name if isinstance(self.base, Name) and self.base.name == "self" else None


@dataclass(slots=True, eq=False)
class Call(Expression):
    callee: Expression
    arguments: tuple[Expression, ...]


@dataclass(slots=True, eq=False)
class Invoke(Expression):
    """``receiver:method(arguments)``"""

    receiver: Expression
    method: str
    arguments: tuple[Expression, ...]
    method_span: Span


@dataclass(slots=True, eq=False)
class Binary(Expression):
    operator: str  # or and < > <= >= ~= == .. + - * / % ^
    left: Expression
    right: Expression


@dataclass(slots=True, eq=False)
class Unary(Expression):
    operator: str  # not # -
    operand: Expression


@dataclass(slots=True, eq=False)
class Paren(Expression):
    """``(inner)``, which has exactly one value."""

    inner: Expression


@dataclass(slots=True, eq=False)
class Field(Node):
    """One item of a table constructor; ``key`` is None for a positional one, ``named`` tells ``k = v``."""

    key: Expression | None
    value: Expression
    named: bool
    before: tuple[Comment, ...]
    trailing: Comment | None

    @property
    def key_name(self) -> str | None:
        """The key, where it is a text that is written out."""
        return self.key.value if isinstance(self.key, String) else None


@dataclass(slots=True, eq=False)
class Table(Expression):
    fields: tuple[Field, ...]

    @property
    def named_values(self) -> dict[str, Expression]:
        """The values of the fields whose keys are texts that are written out."""
        return {name: item.value for item in self.fields if (name := item.key_name) is not None}


@dataclass(slots=True, eq=False)
class Function(Expression):
    """``name`` is what error messages call it, if it was defined with one."""

    parameters: tuple[Name, ...]  # a method's `self` among them
    vararg: bool
    body: Block
    name: str | None
    return_cache: list[Return] | None = field(default=None, init=False, repr=False)  # see ``returns_of``


# Statements


@dataclass(slots=True, eq=False)
class Block:
    statements: tuple[Statement, ...]
    opening: Comment | None  # on the line of `then`, `do`, `function f()`, ...
    closing: tuple[Comment, ...]  # after the last statement
    below: tuple[Node | Block, ...] | None = field(default=None, init=False, repr=False)
    all_below: tuple[Node | Block, ...] | None = field(default=None, init=False, repr=False)  # see ``walk``
    by_class: dict[type, list[Any]] | None = field(default=None, init=False, repr=False)  # see ``every``


class Around(NamedTuple):
    """The comments and empty lines that belong to a statement."""

    before: tuple[Comment, ...] = ()
    trailing: Comment | None = None  # on its last line
    inside: tuple[Comment, ...] = ()  # those in it that belong to no inner block and no table field
    blank: bool = False  # an empty line stands before it, after its comments

    @property
    def outside(self) -> tuple[Comment, ...]:
        """Those before it and behind it."""
        return self.before if self.trailing is None else (*self.before, self.trailing)


@dataclass(slots=True, eq=False)
class Statement(Node):
    around: Around
    # See ``direct_nodes``.
    node_cache: list[Node | Block] | None = field(default=None, init=False, repr=False)
    block_cache: list[Block] | None = field(default=None, init=False, repr=False)  # see ``blocks``


class Assignment(Statement):
    """What gives values to variables, which it may declare, or to elements of tables."""

    __slots__ = ()
    targets: tuple[Expression, ...]
    values: tuple[Expression, ...]


@dataclass(slots=True, eq=False)
class Local(Assignment):
    targets: tuple[Name, ...]
    values: tuple[Expression, ...]

    @property
    def names(self) -> tuple[Name, ...]:
        return self.targets


@dataclass(slots=True, eq=False)
class Assign(Assignment):
    targets: tuple[Expression, ...]  # Name or Index
    values: tuple[Expression, ...]


@dataclass(slots=True, eq=False)
class Run(Statement):
    """A call as a statement."""

    call: Call | Invoke


@dataclass(slots=True, eq=False)
class Do(Statement):
    body: Block


@dataclass(slots=True, eq=False)
class While(Statement):
    condition: Expression
    body: Block


@dataclass(slots=True, eq=False)
class Repeat(Statement):
    body: Block
    condition: Expression  # sees the locals of the body


@dataclass(slots=True, eq=False)
class If(Statement):
    branches: tuple[tuple[Expression, Block], ...]
    otherwise: Block | None


@dataclass(slots=True, eq=False)
class NumericFor(Statement):
    variable: Name
    start: Expression
    stop: Expression
    step: Expression | None
    body: Block


@dataclass(slots=True, eq=False)
class GenericFor(Statement):
    names: tuple[Name, ...]
    values: tuple[Expression, ...]
    body: Block


@dataclass(slots=True, eq=False)
class FunctionStatement(Statement):
    """``function a.b.c() end`` or, with ``method``, ``function a.b:c() end``."""

    target: Expression  # Name or Index
    method: bool
    function: Function


@dataclass(slots=True, eq=False)
class LocalFunction(Statement):
    name: Name
    function: Function


@dataclass(slots=True, eq=False)
class Return(Statement):
    values: tuple[Expression, ...]


@dataclass(slots=True, eq=False)
class Break(Statement):
    pass


@dataclass(slots=True, eq=False)
class Goto(Statement):
    label: str


@dataclass(slots=True, eq=False)
class Label(Statement):
    name: str


_CHILDREN: dict[type, Callable[[Any], tuple[object, ...]]] = {}  # the fields of a class that hold nodes
_NO_CHILDREN = {
    "span",
    "below",
    "all_below",
    "by_class",
    "node_cache",
    "block_cache",
    "return_cache",
    "around",
    "before",
    "trailing",
    "opening",
    "closing",
}


def children(node: Node | Block) -> tuple[Node | Block, ...]:
    """The nodes directly below one, in the order of the source; comments left out. They are kept, for the next time."""
    nodes = node.below
    if nodes is None:
        nodes = _children(node)
        object.__setattr__(node, "below", nodes)
    return nodes


def _children(node: Node | Block) -> tuple[Node | Block, ...]:
    kind = type(node)
    values = _CHILDREN.get(kind)
    if values is None:
        names = [f.name for f in fields(kind) if f.name not in _NO_CHILDREN]
        get = attrgetter(*names) if names else None
        values = _CHILDREN[kind] = (
            (lambda _: ()) if get is None else get if len(names) > 1 else (lambda n: (get(n),))
        )
    nodes: list[Node | Block] = []
    for value in values(node):
        if isinstance(value, (Node, Block)):
            nodes.append(value)
        elif type(value) is tuple:
            for item in value:
                if type(item) is tuple:
                    nodes += item
                else:
                    nodes.append(item)
    return tuple(nodes)


def walk(node: Node | Block) -> Iterator[Node | Block]:
    """A node and everything below it, in the order of the source."""
    return iter(_below(node)) if isinstance(node, Block) else _walk(node)


def every(block: Block, kind: type[_Kind]) -> Sequence[_Kind]:
    """The nodes of a class in a block, in the order of the source."""
    by_class = block.by_class
    if by_class is None:
        by_class = {}
        for node in _below(block):
            by_class.setdefault(type(node), []).append(node)
            if isinstance(node, Assignment):
                by_class.setdefault(Assignment, []).append(node)
        object.__setattr__(block, "by_class", by_class)
    return by_class.get(kind, ())


def those(block: Block, *kinds: type[Node]) -> list[Node]:
    """The nodes of several classes in a block, in the order of the source."""
    nodes = [node for kind in kinds for node in every(block, kind)]
    nodes.sort(key=lambda node: (node.span.start, -node.span.end))
    return nodes


def _below(block: Block) -> tuple[Node | Block, ...]:
    """A block and everything below it; kept, as programs are gone through many times."""
    result = block.all_below
    if result is None:
        nodes: list[Node | Block] = [block]
        stack = list(children(block)[::-1])
        while stack:
            node = stack.pop()
            if type(node) is Block:
                nodes += _below(node)
                continue
            nodes.append(node)
            below = node.below
            stack += (children(node) if below is None else below)[::-1]
        result = tuple(nodes)
        object.__setattr__(block, "all_below", result)
    return result


def _walk(node: Node | Block) -> Iterator[Node | Block]:
    stack: list[Node | Block] = [node]
    while stack:
        node = stack.pop()
        if isinstance(node, Block):
            yield from _below(node)
            continue
        yield node
        below = node.below
        stack += (children(node) if below is None else below)[::-1]


def blocks(statement: Statement) -> Sequence[Block]:
    """The blocks directly inside a statement, in the order of the source, those of functions in it too."""
    if statement.block_cache is not None:
        return statement.block_cache
    inner_blocks: list[Block] = []
    stack = list(children(statement)[::-1])
    while stack:
        node = stack.pop()
        if type(node) is Block:
            inner_blocks.append(node)
        else:
            below = node.below
            stack += (children(node) if below is None else below)[::-1]
    object.__setattr__(statement, "block_cache", inner_blocks)
    return inner_blocks


def direct_nodes(statement: Node | Block) -> Sequence[Node | Block]:
    """The nodes of a statement without inner functions and inner blocks."""
    kept = statement.node_cache if isinstance(statement, Statement) else None
    if kept is not None:
        return kept
    nodes: list[Node | Block] = [statement]
    stack = list(children(statement))
    while stack:
        node = stack.pop()
        kind = type(node)
        if kind is Block or kind is Function:
            continue
        nodes.append(node)
        stack += children(node)
    nodes.sort(key=_start)
    if isinstance(statement, Statement):
        object.__setattr__(statement, "node_cache", nodes)
    return nodes


def _start(node: Node | Block) -> int:
    return node.span.start if isinstance(node, Node) else 0
