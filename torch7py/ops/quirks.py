"""The packages as of 2015: what they did otherwise, as a table, and how code asks for a line of it.

A program that runs as of 2015 (``State.generation``) gets the packages of 20 October 2015, of the days when rnn had
``backwardThroughTime``. A line of the table is one difference: the day and the commit that ended it, and what was so
before. The code that differs asks ``older`` for it by its name at the place where it differs. Each package brings its
own lines: those of torch are here, those of nn in ``nn/quirks.py``, those of optim in ``packages/optim/quirks.py``;
the two interfaces of rnn are in ``rnn/generation.py``.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from torch7py.ops import state

__all__ = ["OLDER", "QUIRKS", "Quirk", "disregard", "older"]

OLDER = 2015


@dataclass(frozen=True)
class Quirk:
    """One difference: until which day it was so, the commit of the package that ended it, and what was so."""

    until: str
    commit: str
    what: str


QUIRKS: dict[str, Quirk] = {
    "storage text": Quirk("2015-10-22", "a224e7f", "the text of a storage begins with an empty line"),
}


def older(name: str) -> bool:
    """Whether the running program gets the quirk of this name."""
    return state.current().generation == OLDER and name in QUIRKS


def disregard(what: str, since: str) -> None:
    """Say on stderr, once a program, that something it gives was not known in 2015: it may be of a later day."""
    said: set[str] = state.current().packages.setdefault("quirks", set())
    if what not in said:
        said.add(what)
        print(
            f"torch7py: there was no {what} in 2015, before {since}: disregarded (--rnn-api 2016: later)",
            file=sys.stderr,
        )
