"""Which statements of a native page are written in the faithful style."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.errors import NotTranslated
from torch7py.translate.native.faithful_parts.part import Part
from torch7py.translate.native.faithful_parts.passing import Passing, Refused
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Statement

if TYPE_CHECKING:
    from torch7py.translate.native.translator import Needs, Translator

__all__ = ["Parts"]


class Parts:
    """Writes statements of a native page in the faithful style."""

    def __init__(self, translator: Translator) -> None:
        self.t = translator
        self.passing = Passing(translator)
        self._possible: bool | None = None

    def write(self, node: Statement) -> bool:
        """Write a statement; whether that was done."""
        if not self._fits_program() or not self._is_closed(node):
            return False
        t = self.t
        before, depth, needs = len(t.lines), t.depth, t.needs()
        try:
            lines = Part(self.passing, node).lines()
        except (Refused, Problem, NotTranslated):
            del t.lines[before:]
            t.depth = depth
            t.put_back_needs(needs)
            return False
        del t.lines[before:]
        for indent, text in lines:
            t.lines.append("    " * (depth + indent) + text if text else "")
            t.note_origin(text)
        return True

    def write_instead(self, node: Statement, before: int, needs: Needs, problems: int, failed: int) -> None:
        """Write a statement in which others were not translated, from a line on, wholly in the faithful style.

        ``needs``: what the page needed before it.
        """
        t = self.t
        lines, needs_of_lines = t.lines[before:], t.needs()
        del t.lines[before:]
        t.put_back_needs(needs)
        if not self.write(node):
            t.lines[before:] = lines
            t.put_back_needs(needs_of_lines)
            return
        self.note(node, t.problems[problems:])
        del t.problems[problems:], t.failed[failed:]

    def note(self, node: Statement, problems: list[Problem]) -> None:
        """All in a statement is faithful, for these reasons."""
        self.t.faithful += [inner for inner in tree.walk(node) if isinstance(inner, Statement)]
        self.t.reasons += problems

    def _fits_program(self) -> bool:
        """Whether text is of the same letters in both styles, and new tensors are of the same type."""
        if self._possible is None:
            t = self.t
            self._possible = not t.wide_text and not any(
                t.path(node.callee) in ("torch.setdefaulttensortype", "torch.include", "setfenv", "module")
                for node in tree.every(t.program, Call)
            )
        return self._possible

    def _is_closed(self, node: Statement) -> bool:
        """Whether nothing leaves the statement but by its end, or by its return."""
        if isinstance(node, (tree.Break, tree.Goto, tree.Label)):
            return False
        if not any(
            node.place.start <= leap.place.start < node.place.end
            for kind in (tree.Break, tree.Goto)
            for leap in tree.every(self.t.program, kind)
        ):
            return True
        labels = {inner.name for inner in tree.walk(node) if isinstance(inner, tree.Label)}
        stack: list[tuple[tree.Node | tree.Block, bool]] = [(node, False)]
        while stack:
            current, in_loop = stack.pop()
            if isinstance(current, tree.Goto) and current.label not in labels:
                return False
            if isinstance(current, tree.Break) and not in_loop:
                return False
            if isinstance(current, tree.Function):
                in_loop = False
            in_loop = in_loop or isinstance(
                current, (tree.NumericFor, tree.GenericFor, tree.While, tree.Repeat)
            )
            stack.extend((child, in_loop) for child in tree.children(current))
        return True
