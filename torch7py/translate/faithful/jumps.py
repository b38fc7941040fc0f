"""Loops, break and goto.

A block whose labels are the aim of a goto becomes a loop over its pieces, and the number in ``label`` says with which
to begin. What leaves several Python loops at once sets a number first, and each loop on the way ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch7py.translate import tree
from torch7py.translate.faithful.writing import FunctionWriting, JumpWriting
from torch7py.translate.tree import Block

__all__ = ["Jumps"]


@dataclass(eq=False)
class _Loop:
    """A Python loop. ``is_lua``: it stands for one of Lua's, so that a break means it."""

    is_lua: bool
    labels: dict[str, int] = field(default_factory=dict)  # label -> number of the piece that it begins
    continues: set[str] = field(default_factory=set)  # labels at the end of the loop's body
    variable: str = ""
    leaving: dict[int, tuple[_Loop, str, list[str]]] = field(default_factory=dict)  # jumps that pass through


class Jumps(JumpWriting):
    """The loops around the current place in one Python function."""

    def __init__(self, writer: FunctionWriting) -> None:
        self.writer = writer
        self.loops: list[_Loop] = []
        self.used = False
        self.count = 0
        self._variable: str | None = None

    @property
    def variable(self) -> str:
        if self._variable is None:
            self._variable = self.writer.names.take("jump", for_good=True)
        return self._variable

    def loop(
        self,
        header: str,
        body: Block,
        line: int,
        before: Any = None,
        after: Callable[[], None] | None = None,
    ) -> None:
        """One of Lua's loops. ``before`` and ``after`` write lines around the body, in the body's scope."""
        writer = self.writer
        loop = _Loop(True)
        if after is None:
            loop.continues = self._closing_labels(body)
        self.loops.append(loop)
        writer.code.add(header, line, comment=writer.page.trailing(body.opening))
        writer.code.depth += 1
        writer.names.open()
        if before is not None:
            before()
        mark = len(writer.code.lines)
        self.statements(body)
        writer.code.comments(body.closing, writer.line)
        if after is not None:
            after()
        if before is None and not any(not x.text.startswith("#") for x in writer.code.lines[mark:]):
            writer.add("pass")
        writer.names.close()
        writer.code.depth -= 1
        self.loops.pop()
        self._after(loop)

    def _closing_labels(self, body: Block) -> set[str]:
        """The labels at the end of a loop's body: a goto to one is Python's continue."""
        found = set()
        for statement in reversed(body.statements):
            if not isinstance(statement, tree.Label):
                break
            found.add(statement.name)
        return found

    def statements(self, block: Block) -> None:
        """The statements of a block, labels included."""
        writer = self.writer
        closing = self.loops[-1].continues if self.loops else set()
        wanted = {
            s.name
            for s in block.statements
            if isinstance(s, tree.Label) and s.name not in closing and writer.page.is_aim(s)
        }
        if not wanted:
            for statement in block.statements:
                if isinstance(statement, tree.Label):
                    writer.code.comments(statement.around.before, statement.line)
                else:
                    writer.statement(statement)
            return
        self._pieces(block, wanted)

    def _pieces(self, block: Block, wanted: set[str]) -> None:
        writer = self.writer
        pieces: list[list[tree.Statement]] = [[]]
        loop = _Loop(False)
        for statement in block.statements:
            if isinstance(statement, tree.Label):
                if statement.name in wanted:
                    pieces.append([])
                    loop.labels[statement.name] = len(pieces) - 1
            else:
                pieces[-1].append(statement)
        loop.variable = writer.names.take("label", for_good=True)
        writer.add(f"{loop.variable} = 0")
        self.loops.append(loop)
        writer.add("while True:")
        writer.code.depth += 1
        for number, piece in enumerate(pieces):
            last = number == len(pieces) - 1
            if not piece:
                continue
            if not last:
                writer.add(f"if {loop.variable} < {number + 1}:")
                writer.code.depth += 1
            mark = len(writer.code.lines)
            for statement in piece:
                writer.statement(statement)
            if not any(not x.text.startswith("#") for x in writer.code.lines[mark:]):
                writer.add("pass")
            if not last:
                writer.code.depth -= 1
        writer.add("break")
        writer.code.depth -= 1
        self.loops.pop()
        self._after(loop)

    def break_(self) -> None:
        aim = next(loop for loop in reversed(self.loops) if loop.is_lua)
        self._jump(aim, "break", [])

    def goto(self, node: tree.Goto) -> None:
        for loop in reversed(self.loops):
            if node.label in loop.labels:
                self._jump(loop, "continue", [f"{loop.variable} = {loop.labels[node.label]}"])
                return
            if node.label in loop.continues:
                self._jump(loop, "continue", [])
                return
        raise AssertionError(f"no label {node.label}")

    def _jump(self, aim: _Loop, action: str, settings: list[str]) -> None:
        writer = self.writer
        if aim is self.loops[-1]:
            for setting in settings:
                writer.add(setting)
            writer.add(action)
            return
        self.used = True
        self.count += 1
        for loop in reversed(self.loops):
            if loop is aim:
                break
            loop.leaving[self.count] = (aim, action, settings)
        writer.add(f"{self.variable} = {self.count}")
        writer.add("break")

    def _after(self, loop: _Loop) -> None:
        """Behind a Python loop: the jumps that left it go on."""
        writer = self.writer
        for number, (aim, action, settings) in loop.leaving.items():
            writer.add(f"if {self.variable} == {number}:")
            writer.code.depth += 1
            if aim is self.loops[-1]:
                writer.add(f"{self.variable} = 0")
                for setting in settings:
                    writer.add(setting)
                writer.add(action)
            else:
                writer.add("break")
            writer.code.depth -= 1
