"""Runs a translated script beside its original, from the same weights and random draws, and compares.

What is compared: everything printed, and the weights of all layers at the end.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import torch

from torch7py.bridge.errors import LuaError
from torch7py.translate.comparison.coverage import NotRun
from torch7py.translate.comparison.original import Recording, TooLong, run_original
from torch7py.translate.comparison.page import run_translation
from torch7py.translate.comparison.printed import line_error
from torch7py.translate.native.images import IN_SINGLE
from torch7py.translate.native.program import Native
from torch7py.translate.observed import NOTHING_SEEN, Observed
from torch7py.translate.verify import Different, relative_error

__all__ = [
    "OF_ROUNDINGS",
    "SINGLE",
    "TOLERANCE",
    "Printed",
    "ScriptComparison",
    "Unforeseen",
    "observed_in_a_run",
    "verify_script",
]

Pairs: TypeAlias = Sequence[tuple[str, torch.Tensor, torch.Tensor]]

KEPT = 200  # lines of output that a comparison keeps from the beginning, and as many from the end

TOLERANCE = 1e-9
# Weights below this share of the largest of their tensor are compared on its scale: one that training takes through
# zero is as far off as the others, and any relative error can be had of it (2e-9 after 500 steps of Adam, of 0.01).
SMALL = 0.1
# A page that parts from the original by less than LARGEST is run once more, from weights that are some roundings away.
# Where it parts from the original by no more than so many times what it parts from itself, the report says so: the
# program enlarges what numbers are rounded by (a division by a root of squares that are nearly 0).
ENLARGED = 30
LARGEST = {False: 1e-4, True: 1e-2}  # by whether it computes in single precision
OF_ROUNDINGS = "begun some roundings away, the translation parts from itself by as much"
SINGLE = 1e-4  # of what is computed in single precision, where the order of a sum tells in the seventh digit


class Unforeseen(Different):
    """A run of the program has shown what the page was not written by; ``observed`` is all that it has shown."""

    def __init__(self, observed: Observed, message: str) -> None:
        super().__init__(message)
        self.observed = observed


@dataclass(frozen=True)
class Printed:
    """A line that both sides printed: its number, the place in the program, both texts, and their relative error."""

    number: int
    place: str
    original: str
    translation: str
    error: float


@dataclass
class ScriptComparison:
    """The largest relative errors of numbers printed and of weights at the end, and how many were compared.

    ``not_run``: those of the page's statements that the run did not come to, so that nothing is known of them.
    """

    lines: int = 0
    numbers: int = 0
    printed: float = 0.0
    layers: int = 0
    weights: float = 0.0
    printed_at: dict[str, float] = field(default_factory=dict)  # by the line of the program that printed them
    stopped: bool = False  # whether the time was over before the program had ended
    statements: int = 0  # of the page's functions
    not_run: list[NotRun] = field(default_factory=list)
    printed_lines: list[Printed] = field(default_factory=list)

    def keep(self, line: Printed) -> None:
        """Keep a line of output, of a long one the first and the last."""
        self.printed_lines.append(line)
        if len(self.printed_lines) > 2 * KEPT:
            del self.printed_lines[KEPT]

    @property
    def largest(self) -> float:
        return max(self.printed, self.weights)


def verify_script(
    native: Native,
    path: str | Path,
    arguments: Sequence[str] = (),
    rnn_api: int | None = None,
    lines: int | None = None,
    time_limit: float | None = None,
) -> ScriptComparison:
    """Compare a script's translation with the script. Raises Different where they part by more than 1e-9.

    In single precision they may part by 1e-4.
    ``lines``: both are stopped when they have printed so many times, for programs that go on for long. ``time_limit``:
    so are they after as many lines as the script has printed in so many seconds; TooLong if it printed none.
    """
    assert native.translator is not None
    fields = {
        lua_class.name: layer.parameters for lua_class, layer in native.translator.classes.layers.items()
    }
    recording = run_original(Path(path), arguments, rnn_api, lines, fields, time_limit=time_limit)
    observed = recording.observed
    tells_more = observed.tells_more_than(native.observed)
    if tells_more and (observed.loaded or native.plain_calls):
        raise Unforeseen(observed, "the program reads files of which nothing was known")
    try:
        return _compared(native, Path(path), arguments, recording)
    except Different as difference:
        if tells_more or (observed.one_row and not native.observed.one_row):
            raise Unforeseen(observed, str(difference)) from difference
        raise


def observed_in_a_run(path: Path, arguments: Sequence[str], time_limit: float | None) -> Observed:
    """What a run of a program shows; nothing where it does not run."""
    try:
        return run_original(path, arguments, None, None, {}, time_limit=time_limit).observed
    except (Different, LuaError, TooLong):
        return NOTHING_SEEN


def _compared(native: Native, path: Path, arguments: Sequence[str], recording: Recording) -> ScriptComparison:
    spare = recording.nudged_copy()
    text, pairs, reached = run_translation(native, path, arguments, recording)
    if recording.stopped:  # somewhere behind the last line
        pairs = []
    assert native.translator is not None
    single = recording.single or not IN_SINGLE.isdisjoint(native.translator.helpers_needed)
    comparison = ScriptComparison(statements=len(reached.marks), not_run=reached.not_run())
    comparison.stopped = recording.time_limit is not None and (
        recording.stopped or recording.limit is not None
    )
    try:
        _compare(recording, text, pairs, comparison, single, _Rounding())
    except Different as difference:
        if comparison.largest <= LARGEST[single]:
            try:
                again, others, _ = run_translation(native, path, arguments, spare)
                rounding = _Rounding.between(text, pairs, again, others, LARGEST[single])
                _compare(recording, text, pairs, ScriptComparison(), single, rounding)
            except Different:
                pass  # roundings do not explain it
            else:
                difference = Different(f"{difference}; {OF_ROUNDINGS}")
        difference.comparison = comparison
        raise difference from None
    return comparison


def _compare(
    recording: Recording,
    text: str,
    pairs: Pairs,
    comparison: ScriptComparison,
    single: bool,
    rounding: _Rounding,
) -> None:
    _compare_text(recording, text, comparison, SINGLE if single else TOLERANCE, rounding)
    _compare_weights(pairs, comparison, single, rounding)


@dataclass
class _Rounding:
    """What a page enlarges the rounding of numbers to: of each line that it prints, and of each tensor of weights."""

    lines: list[float] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    largest: float = LARGEST[False]

    @staticmethod
    def between(text: str, pairs: Pairs, again: str, others: Pairs, largest: float) -> _Rounding:
        lines = [line_error(a, b)[0] for a, b in zip(_printed(text), _printed(again), strict=False)]
        weights = [
            relative_error(ours.detach(), theirs.detach(), least=SMALL, floor=_floor(ours))
            for (_, ours, _), (_, theirs, _) in zip(pairs, others, strict=False)
        ]
        return _Rounding(lines, weights, largest)

    def tolerance(self, usual: float, differences: list[float], number: int) -> float:
        enlarged = differences[number] * ENLARGED if number < len(differences) else 0.0
        return max(usual, min(enlarged, self.largest))


def _floor(weights: torch.Tensor) -> float:
    # A bias that no loss depends on is rounding alone.
    return 1e-3 if weights.dtype is torch.float32 else 1e-6


def _compare_weights(pairs: Pairs, comparison: ScriptComparison, single: bool, rounding: _Rounding) -> None:
    for number, (name, ours, theirs) in enumerate(pairs):
        comparison.layers += 1
        error = relative_error(ours.detach(), theirs.detach().to(ours.dtype), least=SMALL, floor=_floor(ours))
        comparison.weights = max(comparison.weights, error)
        usual = SINGLE if single or ours.dtype is torch.float32 else TOLERANCE
        if error > rounding.tolerance(usual, rounding.weights, number):
            raise Different(f"the weights of {name} differ at the end by {error:.3g}")


def _printed(text: str) -> list[str]:
    """The lines of a page, without what its optimizers say."""
    return [line for line in text.splitlines() if not line.startswith("<optim.")]


def _compare_text(
    recording: Recording, ours: str, comparison: ScriptComparison, tolerance: float, rounding: _Rounding
) -> None:
    places = recording.places
    noted = [  # the original's optimizers are not noted
        (line, places[number] if number < len(places) else "")
        for number, line in enumerate(recording.text.splitlines())
        if not line.startswith("<optim.")
    ]
    our_lines = _printed(ours)
    times: Counter[str] = Counter()
    for number, ((a, location), b) in enumerate(zip(noted, our_lines, strict=False)):
        comparison.lines += 1
        times[location] += 1
        error, numbers = line_error(a, b)
        comparison.numbers += numbers
        comparison.printed = max(comparison.printed, error)
        comparison.keep(Printed(number + 1, location, a, b, error))
        if location:
            comparison.printed_at[location] = max(comparison.printed_at.get(location, 0.0), error)
        if error > rounding.tolerance(tolerance, rounding.lines, number):
            where = f"they part at {location}, iteration {times[location]} (line {number + 1} of the output)"
            by = f" by {error:.3g}" if error < math.inf else ""
            raise Different(
                f"{where if location else f'line {number + 1} of the output differs'}{by}: "
                f"{b.strip()!r}, the original has {a.strip()!r}"
            )
    if len(noted) != len(our_lines) and not (recording.stopped and our_lines and len(our_lines) < len(noted)):
        location = noted[len(our_lines)][1] if len(our_lines) < len(noted) else ""
        after = f"; the next one would be of {location}" if location else ""
        raise Different(f"{len(our_lines)} lines of output, the original has {len(noted)}{after}")
