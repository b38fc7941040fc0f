"""What happened to the weights of a program while it ran: the values they took, gradients, losses, and where."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

__all__ = ["History", "Moment", "Taken", "Tensors", "Tracked"]

MOST_CHANGES = 50  # of one layer that are kept, from the first on
MOST_ELEMENTS = 50_000_000  # of all tensors that are kept


@dataclass(frozen=True)
class Moment:
    """When something happened: the file and line that did it, and how many lines had been printed.

    ``order`` counts the moments of a run.
    """

    source_line: str
    lines: int
    order: int = field(default_factory=itertools.count().__next__, compare=False)


Tensors = dict[str, torch.Tensor]


@dataclass
class Taken:
    """What the weights of a layer were, the gradients before, and the moment at which this was seen first."""

    values: Tensors
    gradients: Tensors
    moment: Moment


@dataclass
class Tracked:
    """A layer: how to read its weights and their gradients, what these were at first, and how often they changed."""

    read: dict[str, Callable[[], torch.Tensor]]
    read_gradient: dict[str, Callable[[], torch.Tensor | None]]
    taken: list[Taken] = field(default_factory=list)
    count: int = 0
    last: Tensors = field(default_factory=dict)
    gradients: Tensors = field(default_factory=dict)  # as the last backward pass that reached each left it
    ran: bool = False
    learns: bool = False  # whether it ran, and a backward pass came after that

    def now(self) -> Tensors:
        return {name: read() for name, read in self.read.items()}


class History:
    """The layers of a run, in the order in which they were used first, and its losses.

    A change of a layer that comes before it ran, or before any backward pass after that, is none of training: it is how
    its weights begin.
    """

    def __init__(self) -> None:
        self.tracked: list[Tracked] = []
        self.losses: list[tuple[float, Moment]] = []
        self.backwards = 0
        self._elements = 0
        self._updated: Moment | None = None
        self._passed: Moment | None = None

    def track(self, tracked: Tracked, moment: Moment) -> None:
        self.tracked.append(tracked)
        tracked.last = tracked.now()
        tracked.taken.append(Taken(tracked.last, {}, moment))

    def lost(self, value: float, moment: Moment) -> None:
        """A loss from which a backward pass begins."""
        self.losses.append((value, moment))

    def passed(self, moment: Moment) -> None:
        """A backward pass has ended."""
        self.backwards += 1
        self._passed = moment
        for tracked in self.tracked:
            tracked.learns |= tracked.ran
            if not self._has_room(tracked):
                continue
            for name, read in tracked.read_gradient.items():
                gradient = read()
                # A gradient of zeros may be one that was cleared, sooner in one program than in the other.
                if gradient is not None and gradient.count_nonzero():
                    tracked.gradients[name] = gradient.detach().clone()

    def updated(self, moment: Moment) -> None:
        """Something has changed weights. What they are is looked at later, when what follows has changed them too."""
        self._updated = moment

    def look(self, moment: Moment) -> None:
        """Note which weights are others than when this was last asked.

        What changed them is the last update that was told, or comes after the last backward pass.
        """
        moment = self._updated or self._passed or moment
        self._updated = None
        for tracked in self.tracked:
            now = tracked.now()
            if all(_same(value, tracked.last[name]) for name, value in now.items()):
                continue
            tracked.last = now
            taken = Taken(now, tracked.gradients, moment)
            if not tracked.learns:
                tracked.taken[0] = taken
                continue
            tracked.count += 1
            if self._has_room(tracked):
                self._elements += sum(value.numel() for value in now.values())
                tracked.taken.append(taken)
            tracked.gradients = {}

    def _has_room(self, tracked: Tracked) -> bool:
        return len(tracked.taken) <= MOST_CHANGES and self._elements < MOST_ELEMENTS


def _same(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and torch.equal(a, b)
