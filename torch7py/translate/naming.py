"""Names for the values of a ``forward``, chosen when it is known how long each lives."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["TOKEN", "Names", "Statement"]

# A value in a text: its number between control characters.
TOKEN = re.compile("\x02(\\d+)\x03")
POOL = ("x", "h", "y", "z", "u", "v", "a", "b", "c", "d", "e", "f", "g")


@dataclass
class Statement:
    """One statement of ``forward``: ``{targets} = {text}``, a plain text, or with ``body`` a block."""

    text: str
    targets: list[int] = field(default_factory=list)
    extra: str = ""  # further targets, as text
    comment: str = ""
    body: list[Statement] | None = None
    declares: int = -1  # a value that the block makes


class Names:
    """Names for values, from how long each lives."""

    def __init__(
        self, hints: list[str], statements: list[Statement], taken: set[str], inputs: list[int]
    ) -> None:
        self._hints, self._taken = hints, taken
        self._last: dict[int, int] = {}
        self._first: dict[int, int] = {}
        self._order: list[tuple[int, Statement]] = []
        self._position = 0
        self._scan(statements, [])
        self.names: dict[int, str] = {}
        for number in inputs:
            self.names[number] = self._of_input(self._hints[number] or "x")
            self._first[number] = 0
        for position, statement in self._order:
            for match in TOKEN.finditer(statement.text):
                if int(match[1]) not in self._first:  # of a comprehension, which is all that knows it
                    self._first[int(match[1])] = position
                    self._choose(int(match[1]), position, statement)
            for target in self._defined(statement):
                self._choose(target, position, statement)

    def __getitem__(self, number: int) -> str:
        return self.names.get(number, "_")

    def _of_input(self, base: str) -> str:
        name, number = base, 1
        while name in self._taken:  # by what the program calls a size, say
            number += 1
            name = f"{base}{number}"
        return name

    def _defined(self, statement: Statement) -> list[int]:
        if statement.body is None:
            return statement.targets
        if statement.declares >= 0:
            return [statement.declares]
        if not statement.text.startswith("for "):
            return []
        head = statement.text.partition(" in ")[0]
        return statement.targets + [int(m[1]) for m in TOKEN.finditer(head)]

    def _scan(self, statements: list[Statement], inner: list[set[int]]) -> None:
        for statement in statements:
            self._position += 1
            at = self._position
            self._order.append((at, statement))
            for match in TOKEN.finditer(statement.text):
                self._last[int(match[1])] = at
            for target in self._defined(statement):
                self._first.setdefault(target, at)
            if statement.body is not None:
                self._scan(statement.body, inner)
                self._position += 1
                end = self._position
                for number, last in list(self._last.items()):
                    # What a block uses and does not make lives as long as the block.
                    if at <= last < end and self._first.get(number, 0) <= at:
                        self._last[number] = end

    def _live(self, position: int) -> set[str]:
        return {
            name
            for number, name in self.names.items()
            if self._last.get(number, -1) > position and self._first.get(number, 0) <= position
        }

    def _choose(self, target: int, position: int, statement: Statement) -> None:
        if target in self.names:
            return
        if target not in self._last:
            return
        live = self._live(position) | self._taken
        live |= {self.names[t] for t in statement.targets if t in self.names}
        hint = self._hints[target]
        if hint:
            name, number = hint, 1
            while name in live:
                number += 1
                name = f"{hint}{number}"
            self.names[target] = name
            return
        for match in TOKEN.finditer(statement.text):
            source = int(match[1])
            name = self.names.get(source, "")
            if name in POOL and name not in live and self._last[source] <= position:
                self.names[target] = name
                return
        pool = [name for name in POOL if name not in live]
        number = 1
        while not pool:
            number += 1
            pool = [f"h{number}"] if f"h{number}" not in live else []
        self.names[target] = pool[0]
