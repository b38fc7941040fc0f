"""What the rewritings of a source have in common: its tree, its names, and edits that leave lines where they are."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.parse import parse
from torch7py.translate.scopes import Scopes, resolve
from torch7py.translate.tree import Block, Name

__all__ = ["Leave", "Rewriting"]


class Leave(Exception):
    """Something is used in a way that has no simpler form."""


class Rewriting:
    def __init__(self, source: bytes, file: str) -> None:
        self.source = source
        self.program = parse(source, file)
        self.scopes: Scopes = resolve(self.program)
        self.names = {node.name for node in tree.every(self.program, Name)}
        self.edits: list[tuple[int, int, str]] = []

    def text(self, node: tree.Node) -> str:
        return self.source[node.span.start : node.span.end].decode("latin1")

    def fresh(self, name: str) -> str:
        """A name that is not used where it is put."""
        while name in self.names:
            name += "_"
        self.names.add(name)
        return name

    def edited(self, edits: list[tuple[int, int, str]]) -> None:
        """Put texts in the place of parts; a part that spans lines keeps them."""
        for start, end, text in sorted(edits, reverse=True):
            lines = self.source.count(b"\n", start, end) - text.count("\n")
            self.source = self.source[:start] + text.encode("latin1") + b"\n" * lines + self.source[end:]

    def blocks(self) -> list[Block]:
        return [node for node in tree.walk(self.program) if isinstance(node, Block)]
