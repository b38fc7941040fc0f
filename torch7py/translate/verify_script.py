"""Runs a translated script beside its original, from the same weights and random draws, and compares.

What is compared: everything printed, and the weights of all layers at the end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from torch7py.translate.comparison.original import run_original
from torch7py.translate.comparison.page import run_translation
from torch7py.translate.native.program import Native
from torch7py.translate.verify import Different, relative_error

__all__ = ["SINGLE", "TOLERANCE", "ScriptComparison", "verify_script"]

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|inf|nan)\b|[-+]?\.\d+", re.IGNORECASE)
TOLERANCE = 1e-9
SINGLE = 1e-4  # of what is computed in single precision, where the order of a sum tells in the seventh digit


@dataclass
class ScriptComparison:
    """The largest relative errors of numbers printed and of weights at the end, and how many were compared."""

    lines: int = 0
    numbers: int = 0
    printed: float = 0.0
    layers: int = 0
    weights: float = 0.0

    @property
    def largest(self) -> float:
        return max(self.printed, self.weights)


def verify_script(
    native: Native,
    path: str | Path,
    arguments: Sequence[str] = (),
    rnn_api: int | None = None,
    lines: int | None = None,
) -> ScriptComparison:
    """Compare a script's translation with the script. Raises Different where they part by more than 1e-9.

    In single precision they may part by 1e-4.
    ``lines``: both are stopped when they have printed so many times, for programs that go on for long.
    """
    recording = run_original(Path(path), arguments, rnn_api, lines)
    text, pairs = run_translation(native, Path(path), arguments, recording)
    comparison = ScriptComparison()
    tolerance = SINGLE if recording.single else TOLERANCE
    _compare_text(recording.text, text, comparison, tolerance)
    for name, ours, theirs in pairs:
        comparison.layers += 1
        error = relative_error(ours.detach(), theirs.detach().to(ours.dtype))
        comparison.weights = max(comparison.weights, error)
        if error > (SINGLE if ours.dtype is torch.float32 else TOLERANCE):
            raise Different(f"the weights of {name} differ at the end by {error:.3g}")
    return comparison


def _compare_text(theirs: str, ours: str, comparison: ScriptComparison, tolerance: float) -> None:
    theirs_lines, our_lines = (
        [line for line in text.splitlines() if not line.startswith("<optim.")]  # the original's are not noted
        for text in (theirs, ours)
    )
    for number, (a, b) in enumerate(zip(theirs_lines, our_lines, strict=False), 1):
        comparison.lines += 1
        words_a, words_b = _NUMBER.sub("#", a).split(), _NUMBER.sub("#", b).split()
        if words_a != words_b:
            raise Different(
                f"line {number} of the output differs: {b.strip()!r}, the original has {a.strip()!r}"
            )
        for x, y in zip(_NUMBER.findall(a), _NUMBER.findall(b), strict=True):
            comparison.numbers += 1
            error = _error(float(x), float(y))
            comparison.printed = max(comparison.printed, error)
            if error > tolerance:
                raise Different(
                    f"line {number} of the output differs: {b.strip()!r}, the original has {a.strip()!r}"
                )
    if len(theirs_lines) != len(our_lines):
        raise Different(f"{len(our_lines)} lines of output, the original has {len(theirs_lines)}")


def _error(a: float, b: float) -> float:
    if a == b or (a != a and b != b):
        return 0.0
    return abs(a - b) / max(abs(a), abs(b), 1e-6)
