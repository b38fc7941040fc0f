"""What is asked about expressions before they are broken: when they want parentheses, and which brackets they have."""

from __future__ import annotations

from torch7py.translate.layout.syntax import Node

__all__ = [
    "ALWAYS",
    "BEST",
    "CHAIN",
    "COMPARISON",
    "MULTILINE",
    "NEVER",
    "PRECEDENCE",
    "can_do_without",
    "has_brackets",
    "has_own_brackets",
    "is_fluent",
    "need_of",
]

# When a value wants parentheses around it: where it has several lines, always, where that makes it fit, never.
MULTILINE, ALWAYS, BEST, NEVER = "multiline", "always", "best", "never"

CHAIN = frozenset({"attribute", "call", "subscript"})
_COMPREHENSIONS = frozenset({"list comprehension", "set comprehension", "dict comprehension"})
_DISPLAYS = frozenset({"list", "set", "dict"})
_ATOMS = frozenset({"name", "number", "string", "constant", "strings", "slice"})
_LINK, _POWER, _NONE, _CHOICE = 1, 2, 0, 12
PRECEDENCE = {"**": _POWER, "<<": 6, ">>": 6, "&": 7, "^": 8, "|": 9, "+": 5, "-": 5, "or": 11, "and": 11}
PRECEDENCE |= dict.fromkeys(("*", "@", "/", "%", "//"), 4)
COMPARISON, _INVERSION = 10, 3


def has_own_brackets(node: Node) -> str:
    """Whether a node ends, if broken, with brackets of its own: "full", "empty" or not ("")."""
    if node.kind in _COMPREHENSIONS or node.kind == "subscript":
        return "full"
    if node.kind == "generator":
        return "full" if node.own else ""
    if node.kind in _DISPLAYS or (node.kind == "tuple" and node.own):
        return "full" if node.parts else "empty"
    if node.kind == "call":
        return "full" if len(node.parts) > 1 else "empty"
    return ""


def has_brackets(node: Node) -> str:
    own = has_own_brackets(node)
    return "full" if node.enclosed and own != "full" else own


def is_fluent(node: Node) -> bool:
    """Whether a chain of calls has so many that each gets a line of its own."""
    links = 0
    while node.kind in CHAIN:
        inner = node.parts[0]
        if inner.enclosed:
            links += node.kind == "attribute"
            break
        links += node.kind == "attribute" and inner.kind in ("call", "subscript")
        node = inner
    return links >= 2


def need_of(node: Node, parent: str) -> str:
    """When a value wants parentheses, from itself; ``parent`` is the kind of what it is in."""
    kind = node.kind
    if kind in CHAIN:
        if is_fluent(node):
            return MULTILINE
        return NEVER if node.parts[0].enclosed else need_of(node.parts[0], kind)
    if kind in ("name", "number", "constant"):
        return BEST
    if kind == "string":
        return NEVER if "\n" in node.text else BEST
    if kind == "unary":
        return NEVER if node.parts[0].enclosed else need_of(node.parts[0], kind)
    if kind == "named":
        return MULTILINE if parent in ("if", "elif", "while") else ALWAYS
    if kind in ("yield", "yield from"):
        if parent != "assignment":
            return ALWAYS
        if not node.parts or node.parts[0].enclosed:
            return NEVER
        need = need_of(node.parts[0], kind)
        return NEVER if need == BEST else need
    if kind in _DISPLAYS or kind in _COMPREHENSIONS or kind in ("generator", "tuple"):
        return NEVER
    return MULTILINE


class _Survey:
    """What an expression has outside of its brackets: its loosest operators, and what it begins and ends with."""

    def __init__(self, node: Node) -> None:
        self.loosest, self.count = _NONE, 0
        self.any_brackets = False
        self.first: Node | None = None
        self.last: Node | None = None
        self.begun = False
        self.inside(node)

    def note(self, precedence: int, count: int = 1) -> None:
        if precedence > self.loosest:
            self.loosest, self.count = precedence, count
        elif precedence == self.loosest:
            self.count += count

    def part(self, node: Node) -> None:
        self.last = node
        if node.enclosed:
            self.any_brackets = True
        else:
            self.inside(node)
        self.begin(node)

    def begin(self, node: Node | None) -> None:
        if not self.begun:
            self.begun, self.first = True, node

    def inside(self, node: Node) -> None:
        kind = node.kind
        if kind in _DISPLAYS or kind in _COMPREHENSIONS or (kind in ("tuple", "generator") and node.own):
            self.any_brackets = True
            return
        if kind in _ATOMS:
            return
        if kind in ("call", "subscript"):
            self.any_brackets = True
            self.part(node.parts[0])
            self.last = node
            return
        if kind == "attribute":
            self.part(node.parts[0])
            if has_brackets(node.parts[0]):
                self.note(_LINK)
            self.last = node
            return
        if kind == "bool":
            self.note(PRECEDENCE["or"], len(node.parts) - 1)
        elif kind == "binary":
            self.note(PRECEDENCE[node.text])
        elif kind == "compare":
            self.note(COMPARISON, len(node.words))
        elif kind == "if":
            self.note(_CHOICE, 2)
        elif kind == "unary":
            if node.text == "~":
                self.note(_INVERSION)
            self.begin(None)
        elif kind not in ("named", "generator", "tuple"):
            self.begin(None)
        for part in node.parts:
            if part.kind == "parameter":
                for default in part.parts:
                    self.part(default)
            elif part.kind == "for":
                for inner in part.parts:
                    self.part(inner)
            else:
                self.part(part)


def can_do_without(node: Node) -> bool:
    """Whether the formatter breaks an expression in its last or first brackets sooner than put it in parentheses."""
    found = _Survey(node)
    if not found.any_brackets or found.count > 1:
        return False
    if found.loosest <= _LINK:
        return True
    return any(
        end is not None and end.kind != "subscript" and has_brackets(end) == "full"
        for end in (found.last, found.first)
    )
