"""The two interfaces of the rnn package: recorded (2015), and step by step (2016 and later).

A generation holds what differs between them; the maths of a step is the same in both and belongs to the modules.
"""

from __future__ import annotations

from typing import TypeAlias

from torch7py.ops import state
from torch7py.rnn.generation_2015 import Generation2015
from torch7py.rnn.generation_2016 import Generation2016

__all__ = ["GENERATIONS", "LATEST", "Generation", "current", "current_year"]

Generation: TypeAlias = Generation2016  # what both are

LATEST = Generation2016.year
GENERATIONS: dict[int, Generation] = {g.year: g for g in (Generation2015(), Generation2016())}


def current_year() -> int:
    """The generation of the running program by its year."""
    return state.current().generation or LATEST


def current() -> Generation:
    """The generation of the running program."""
    return GENERATIONS[current_year()]
