"""Where a program and its port part, by all that was seen of both."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from torch7py.translate.comparison.original import Recording, places_of_lines
from torch7py.translate.comparison.printed import line_error, numbers_of
from torch7py.translate.ports.history import Moment, Taken, Tensors
from torch7py.translate.ports.original import Watch
from torch7py.translate.ports.run import Port
from torch7py.translate.ports.weights import PortWeights
from torch7py.translate.verify import ROUNDING, relative_error
from torch7py.translate.verify_script import SMALL

__all__ = ["Difference", "Outcome", "judge"]

DOUBLE, SINGLE = 1e-6, 1e-3  # how far apart the two may be, relatively, where nothing else is asked for
_FLOORS = {True: 1e-3, False: 1e-6}  # weights smaller than this are compared on its scale: single, double


@dataclass
class Difference:
    """Where they part in one respect: ``what`` it is, the lines of both, and a sentence."""

    what: str
    original: str
    port: str
    text: str
    when: tuple[int, int, int] = (0, 0, 0)

    def __str__(self) -> str:
        where = " and ".join(filter(None, (self.original, self.port)))
        return f"{where + ': ' if where else ''}{self.text}"

    def as_json(self) -> dict[str, str]:
        return {"what": self.what, "original": self.original, "port": self.port, "text": self.text}


@dataclass
class Outcome:
    """What came of a comparison.

    ``differences``: the first one in each respect, in the order in which they happened. ``failure`` is why one of the
    two was not run to its end, ``matched`` the port's weights with those of the original that they stand for.
    """

    differences: list[Difference] = field(default_factory=list)
    lines: int = 0
    losses: int = 0
    changes: int = 0
    weights: int = 0
    largest_error: float = 0.0
    failure: str = ""
    notes: list[str] = field(default_factory=list)
    matched: dict[str, str] = field(default_factory=dict)

    @property
    def equal(self) -> bool:
        """Whether both were run to their ends and are the same."""
        return not self.differences and not self.failure

    def seen(self) -> str:
        """How much was compared."""
        counts = (
            (self.lines, "line", "lines"),
            (self.losses, "loss", "losses"),
            (self.changes, "change of weights", "changes of weights"),
            (self.weights, "tensor of weights at the end", "tensors of weights at the end"),
        )
        return ", ".join(f"{n} {one if n == 1 else many}" for n, one, many in counts if n) or "nothing"

    def text(self) -> Iterator[str]:
        """The outcome in words."""
        if self.differences:
            first, *rest = self.differences
            yield f"they part at {first}"
            yield from (f"  then {difference.what} part at {difference}" for difference in rest)
        elif self.failure:
            yield f"the same as far as they came: {self.seen()}"
        else:
            yield f"the same: {self.seen()}; the largest relative error is {self.largest_error:.1e}"
        yield from (f"  {note}" for note in self.notes)

    def as_json(self) -> dict[str, Any]:
        """For ``json.dumps``."""
        numbers = ("lines", "losses", "changes", "weights", "largest_error", "failure", "notes", "matched")
        values = {name: getattr(self, name) for name in numbers}
        return {"equal": self.equal, "differences": [d.as_json() for d in self.differences], **values}


class _Judge:
    def __init__(
        self,
        recording: Recording,
        watch: Watch,
        port: Port,
        weights: PortWeights,
        tolerance: float | None,
        numbers_only: bool,
    ) -> None:
        self.recording, self.watch, self.port, self.weights = recording, watch, port, weights
        self.single = recording.single or port.single
        self.tolerance = (SINGLE if self.single else DOUBLE) if tolerance is None else tolerance
        self.numbers_only = numbers_only
        self.cut = bool(watch.stopped or port.stopped or port.error or port.parted)
        self.outcome = Outcome(matched={pair.name: pair.theirs for pair in weights.pairs})
        self.centred = {id(item.module._module) for item in recording.constructions if item.centred}

    def judge(self) -> Outcome:
        outcome = self.outcome
        printed = self._printed()
        end = None if self.cut else self._end()
        losses = self._losses()
        counts = [min(len(part.tracked.taken), len(mine.taken)) - 1 for part, mine, _ in self.weights.tracked]
        outcome.changes = max(counts, default=0)
        whole = not self.cut and bool(self.weights.pairs) and not self.weights.missing
        if printed or end or self.port.parted or self.cut or (losses and not whole):
            history = list(self._history())
            differences = [printed, losses, *history, self._parted()]
            if end is not None and not history:
                differences.append(end)
            outcome.differences = sorted((d for d in differences if d is not None), key=lambda d: d.when)
        elif losses:
            outcome.notes.append(f"losses are not the same, and make no difference: {losses}")
        self._notes()
        return outcome

    def _error(self, ours: torch.Tensor, theirs: torch.Tensor, floor: float) -> float:
        error = relative_error(ours, theirs.to(ours.dtype), least=SMALL, floor=floor)
        if math.isfinite(error):
            self.outcome.largest_error = max(self.outcome.largest_error, error)
        return error

    def _printed(self) -> Difference | None:
        theirs = self._lines(self.recording.text, self.recording.places)
        text = "".join(self.port.text)
        ours = self._lines(text, places_of_lines(self.port.text, self.port.places))
        for number, ((a, there), (b, here)) in enumerate(zip(theirs, ours, strict=False)):
            error, _ = line_error(a, b, rounded=True)
            if error > self.tolerance:
                by = f", off by {error:.1e}" if error < math.inf else ""
                said = f"line {number + 1} of the output is {b.strip()!r}, the original's {a.strip()!r}{by}"
                return Difference("prints", there, here, said, (number, 1 << 60, 3))
            self.outcome.lines += 1
            self.outcome.largest_error = max(self.outcome.largest_error, error)
        if len(theirs) == len(ours) or (
            self.cut and not (not self.watch.stopped and len(ours) > len(theirs))
        ):
            return None
        number = min(len(theirs), len(ours))
        there = theirs[number][1] if number < len(theirs) else ""
        here = ours[number][1] if number < len(ours) else ""
        said = f"the port prints {len(ours)} lines, the original {len(theirs)}"
        return Difference("prints", there, here, said, (number, 1 << 60, 3))

    def _lines(self, text: str, places: list[str]) -> list[tuple[str, str]]:
        lines = text.splitlines()
        located_lines = list(zip(lines, [*places, *[""] * (len(lines) - len(places))], strict=False))
        if self.numbers_only:
            return [(numbers_of(line), location) for line, location in located_lines if numbers_of(line)]
        return [(line, location) for line, location in located_lines if line.strip()]

    def _losses(self) -> Difference | None:
        theirs, ours = self.watch.history.losses, self.port.history.losses
        grouped = _grouped(theirs, ours, self.cut)
        if grouped is None:
            if theirs and ours:
                self.outcome.notes.append(
                    f"losses are not compared: {len(theirs)} of the original, {len(ours)} of the port"
                )
            return None
        for number, (values, there, (b, here)) in enumerate(grouped):
            total = sum(values)
            errors = {a: _of_numbers(a, b) for a in (total, total / len(values))}
            a = min(errors, key=lambda value: errors[value])
            if not errors[a] <= self.tolerance:
                said = f"loss {number + 1} is {b:.10g}, the original's {a:.10g}, off by {errors[a]:.1e}"
                return Difference(
                    "losses", there.source_line, here.source_line, said, (there.lines, there.order, 0)
                )
            self.outcome.losses += 1
        return None

    def _history(self) -> Iterator[Difference]:
        """The first change of weights before which gradients, and after which weights are not the same."""
        for kind in ("gradients", "weights"):
            differences = [self._of_layer(kind, *entry) for entry in self.weights.tracked]
            first = min((d for d in differences if d is not None), key=lambda d: d.when, default=None)
            if first is not None:
                yield first

    def _of_layer(self, kind: str, part: Any, ours: Any, names: dict[str, str]) -> Difference | None:
        pairs = itertools.islice(zip(part.tracked.taken, ours.taken, strict=False), 1, None)
        for number, (theirs, mine) in enumerate(pairs, 1):
            if kind == "gradients":
                worst = self._worst(
                    theirs.gradients, mine.gradients, part, _largest(theirs) * ROUNDING[self.single]
                )
            else:
                worst = self._worst(theirs.values, mine.values, part, _FLOORS[self.single])
            if worst is not None:
                entry, error = worst
                name = f"{names[entry]} ({part.name}.{entry})"
                then, now = theirs.moment, mine.moment
                if kind == "gradients":
                    said = f"the gradient of {name} before its change {number} is off by {error:.1e}"
                else:
                    said = f"{name} after its change {number} is off by {error:.1e}"
                    if not self._worst(
                        theirs.gradients, mine.gradients, part, _largest(theirs) * ROUNDING[self.single]
                    ):
                        said += ", with equal gradients before" if mine.gradients else ""
                return Difference(
                    kind,
                    then.source_line,
                    now.source_line,
                    said,
                    (then.lines, then.order, 1 + (kind == "weights")),
                )
        more, fewer = part.tracked.count, ours.count
        if kind == "weights" and more != fewer and not self.cut:
            longer = part.tracked.taken if more > fewer else ours.taken
            number = min(more, fewer) + 1
            last = longer[number].moment if number < len(longer) else Moment("", 1 << 60)
            said = f"the weights of {part.name} change {more} times, {fewer} in the port"
            there, here = (last.source_line, "") if more > fewer else ("", last.source_line)
            at = last if more > fewer else Moment("", 1 << 59)
            if self._worst(part.tracked.last, ours.last, part, _FLOORS[self.single]):
                return Difference("weights", there, here, said, (at.lines, at.order, 2))
        return None

    def _worst(self, theirs: Tensors, ours: Tensors, part: Any, floor: float) -> tuple[str, float] | None:
        """The entry that is farthest off, if it is farther than may be."""
        errors: dict[str, float] = {}
        for entry in theirs.keys() & ours.keys():
            if entry == "bias" and id(part.module) in self.centred:
                continue  # it has no effect, and no gradient but rounding
            errors[entry] = self._error(ours[entry], theirs[entry], floor)
        entry = max(errors, key=lambda name: errors[name], default="")
        return (entry, errors[entry]) if errors and not errors[entry] <= self.tolerance else None

    def _end(self) -> Difference | None:
        """The weights at the end."""
        for part, ours, names in self.weights.tracked:
            worst = self._worst(part.tracked.last, ours.last, part, _FLOORS[self.single])
            if worst is not None:
                entry, error = worst
                said = f"{names[entry]} ({part.name}.{entry}) is off by {error:.1e} at the end"
                return Difference("weights", "", "", said, (1 << 60, 0, 2))
            self.outcome.weights += len(names)
        for name, buffer, part, entry in self.weights.buffers:
            theirs = self.watch.buffers[part.name][entry]
            near = 1e-4 if self.centred and entry == "running_mean" else self.tolerance
            error = relative_error(buffer, theirs.to(buffer.dtype), least=SMALL, floor=_FLOORS[self.single])
            if error > near:
                said = f"{name} ({part.name}.{entry}) is off by {error:.1e} at the end"
                return Difference("weights", "", "", said, (1 << 60, 0, 2))
            self.outcome.weights += 1
        return None

    def _parted(self) -> Difference | None:
        if self.port.parted is None:
            return None
        said, location = self.port.parted
        lines = "".join(self.port.text).count("\n")
        return Difference("random numbers", "", location, said, (lines, 1 << 59, 3))

    def _notes(self) -> None:
        notes, missing = self.outcome.notes, self.weights.missing
        if missing:
            notes.append(f"nothing in the port stands for {', '.join(missing)} of the original")
        if self.weights.alone:
            notes.append(f"nothing in the original stands for {', '.join(self.weights.alone)} of the port")
        if self.port.left and not self.cut:
            left = ", ".join(f"{count} {kind}" for kind, count in self.port.left.items())
            notes.append(f"random numbers that the original drew and the port did not: {left}")


def judge(
    recording: Recording,
    watch: Watch,
    port: Port,
    weights: PortWeights,
    tolerance: float | None = None,
    numbers_only: bool = False,
) -> Outcome:
    """Compare what was seen of a program and of its port."""
    return _Judge(recording, watch, port, weights, tolerance, numbers_only).judge()


def _largest(taken: Taken) -> float:
    return max((float(g.abs().max()) for g in taken.gradients.values() if g.numel()), default=0.0)


def _of_numbers(a: float, b: float) -> float:
    if a == b or (a != a and b != b):
        return 0.0
    return abs(a - b) / max(abs(a), abs(b), 1e-6)


Loss = tuple[float, Moment]


def _grouped(
    theirs: list[Loss], ours: list[Loss], cut: bool
) -> list[tuple[list[float], Moment, Loss]] | None:
    """Each loss of the port with those of the original that it stands for; None where that cannot be told.

    A port may go back once from the sum or the mean of losses from which the original goes back one by one.
    """
    if not theirs or not ours:
        return None
    size = 1
    if len(theirs) != len(ours) and not cut:
        if len(theirs) % len(ours):
            return None
        size = len(theirs) // len(ours)
    groups = [theirs[at : at + size] for at in range(0, len(theirs), size)]
    return [([a for a, _ in group], group[0][1], mine) for group, mine in zip(groups, ours, strict=False)]
