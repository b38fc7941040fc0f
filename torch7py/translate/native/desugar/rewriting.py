"""What the rewritings of a source have in common: its tree, its names, and edits that leave lines where they are."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch7py.translate import tree
from torch7py.translate.parse import parse
from torch7py.translate.scopes import Scopes, Variable, resolve
from torch7py.translate.tree import Block, Name, Node

__all__ = ["Leave", "Rewriting"]


class Leave(Exception):
    """Something is used in a way that has no simpler form."""


class Rewriting(ABC):
    """A source in which ``rewrite`` puts other texts in the place of parts."""

    def __init__(self, source: bytes, file: str) -> None:
        self.source, self.file = source, file
        self.program = parse(source, file)
        self.scopes: Scopes = resolve(self.program)
        self.names = {node.name for node in tree.every(self.program, Name)}
        self.edits: list[tuple[int, int, str]] = []

    @abstractmethod
    def rewrite(self) -> None:
        """Put what is simpler in the place of what is not."""

    def written(self) -> bytes:
        """The source as it is rewritten; a part that spans lines keeps them."""
        self.rewrite()
        for start, end, text in sorted(self.edits, reverse=True):
            lines = self.source.count(b"\n", start, end) - text.count("\n")
            self.source = self.source[:start] + text.encode("latin1") + b"\n" * lines + self.source[end:]
        return self.source

    def put(self, node: Node, text: str) -> None:
        """Have a text in the place of a node."""
        self.put_between(node.span.start, node.span.end, text)

    def put_between(self, start: int, end: int, text: str) -> None:
        self.edits.append((start, end, text))

    def keep_outermost(self) -> None:
        """Forget edits within what other edits replace."""
        edits = list(dict.fromkeys(self.edits))
        self.edits = [e for e in edits if not any(o != e and o[0] <= e[0] and e[1] <= o[1] for o in edits)]

    def text(self, node: Node) -> str:
        return self.source[node.span.start : node.span.end].decode("latin1")

    def fresh(self, name: str) -> str:
        """A name that is not used where it is put."""
        while name in self.names:
            name += "_"
        self.names.add(name)
        return name

    def variable(self, node: Node | None) -> Variable | None:
        """The variable that an expression is the name of."""
        return self.scopes.variable(node)

    def blocks(self) -> list[Block]:
        return [node for node in tree.walk(self.program) if isinstance(node, Block)]
