"""Choices by name: what a random program is made of, and what it is made smaller by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TypeVar

__all__ = ["Choices", "shrunk"]

T = TypeVar("T")


class Choices:
    """Draws each choice once, by its name; the first of the options is the simplest.

    With ``given`` choices nothing is drawn: what is not among them is the first option.
    """

    def __init__(self, seed: int | None = None, given: Mapping[str, int] | None = None) -> None:
        self._random = None if given is not None else Random(seed)
        self._given = given or {}
        self.made: dict[str, int] = {}

    def number(self, name: str, below: int) -> int:
        if name not in self.made:
            drawn = self._given.get(name, 0) if self._random is None else self._random.randrange(below)
            self.made[name] = drawn % below
        return self.made[name]

    def pick(self, name: str, options: Sequence[T]) -> T:
        return options[self.number(name, len(options))]

    def chance(self, name: str, one_in: int = 2) -> bool:
        return self.number(name, one_in) == 1


def shrunk(made: Mapping[str, int], fails: Callable[[Mapping[str, int]], bool]) -> dict[str, int]:
    """The choices that a failure needs: all others are the first option."""
    needed = {name: value for name, value in made.items() if value}
    size = max(len(needed) // 2, 1)
    while True:
        before = len(needed)
        for start in range(0, before, size):
            names = list(needed)[start : start + size]
            less = {name: value for name, value in needed.items() if name not in names}
            if names and fails(less):
                needed = less
        if size == 1 and len(needed) == before:
            return needed
        size = max(size // 2, 1)
