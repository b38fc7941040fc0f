"""Notes for the support page (docs/support.md): what works otherwise than in Torch7, and what does not work.

A note stands beside what it is about. Names are written as the page has them: ``torch.zeros``, ``torch.Tensor:add``
for a method, ``nn.Linear``, ``nn.Linear:reset``.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Note", "notes", "restricted", "unsupported"]


@dataclass(frozen=True)
class Note:
    text: str
    supported: bool


notes: dict[str, Note] = {}


def restricted(name: str, how: str) -> None:
    """Say what of a name that works is missing or different."""
    _note(name, Note(how, True))


def unsupported(name: str, why: str) -> None:
    """Say why a name is missing, or why calling it is an error."""
    _note(name, Note(why, False))


def _note(name: str, note: Note) -> None:
    if name in notes:
        raise ValueError(f"there are two notes on {name!r}")
    notes[name] = note
