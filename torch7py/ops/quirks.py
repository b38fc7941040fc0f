"""A table of the differences in the packages of 2015, and the test whether one applies.

A program that runs as of 2015 (``State.generation``) gets the packages of 20 October 2015, when rnn had
``backwardThroughTime``. An entry of the table is one difference: the day and the commit that ended it, and the earlier
behaviour. Code that depends on it asks ``older``. Packages add their entries: those of torch are here, those of nn in
``nn/quirks.py``, those of optim in ``packages/optim/quirks.py``; the two interfaces of rnn are in
``rnn/generation.py``.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from torch7py.ops import state

__all__ = ["OLDER", "QUIRKS", "Quirk", "disregard", "older"]

OLDER = 2015


@dataclass(frozen=True)
class Quirk:
    """One difference: the last day of the earlier behaviour, the commit that ended it, and a description."""

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
    """Report on stderr, once a program, an argument that 2015's packages did not have."""
    said: set[str] = state.current().packages.setdefault("quirks", set())
    if what not in said:
        said.add(what)
        print(
            f"torch7py: there was no {what} in 2015, before {since}, so it is disregarded; "
            "--rnn-api 2016 gives nn and rnn of a later day",
            file=sys.stderr,
        )
