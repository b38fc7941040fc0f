"""Backwards of recurrent modules: in evaluation, in halves with other arguments, and such that move the parameters.

In evaluation all steps run in one module, so that a backward reads what the last of them has left. What
``programs/recurrent_backwards.lua`` printed in the original stands in a golden file.
"""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from tests.golden_cases import GOLDEN
from torch7py.bridge.runtime import Runtime

pytestmark = pytest.mark.one_lua

PROGRAM = Path(__file__).parent / "programs" / "recurrent_backwards.lua"
SOME = ["LSTM", "graph", "NormStabilizer", "Sequencer of stack, both", "layer", "BiSequencerLM"]
# The original gives numbers here that it read where nothing had been written.
UNDEFINED = re.compile(r"(Repeater of )?BatchNormalization: evaluate forward training ")
# It goes back through clones that the last sequence in training has left. Of a sequence that was computed as one piece
# nothing is there of them: an error says so.
OF_TRAINING = re.compile(
    r"(Sequencer|BiSequencer|layer).*: forward backward evaluate (forget forward looked|forward) backward"
)
BELOW_FIRST = re.compile(r"Sequencer of NormStabilizer.*: evaluate forward training backward")


def _lines(printed: str) -> dict[str, list[str]]:
    """Module and deed: what was printed of each call."""
    split = [line.rpartition(": ") for line in printed.splitlines()]
    return {name: text.split(" | ") for name, _, text in split}


def _close(one: str, other: str) -> bool:
    pairs = list(zip(one.split(), other.split(), strict=False))
    numbers = [(a.strip("{}"), b.strip("{}")) for a, b in pairs]
    alike = [
        a == b or abs(float(a) - float(b)) < 3e-6
        for a, b in numbers
        if {a, b}.isdisjoint(("error", "[]", "nil"))
    ]
    return len(one.split()) == len(other.split()) and all(alike) and ("error" in one) == ("error" in other)


@pytest.mark.parametrize("names", [SOME, pytest.param([], marks=pytest.mark.slow)], ids=["some", "all"])
def test_recurrent_backwards(names: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    printed = gzip.decompress((GOLDEN / "recurrent_backwards.txt.gz").read_bytes()).decode()
    theirs = {
        case: calls
        for case, calls in _lines(printed).items()
        if not names or case.partition(": ")[0] in names
    }
    with Runtime() as runtime:
        runtime.run(PROGRAM, names)
    ours = _lines(capfd.readouterr().out)
    assert ours.keys() == theirs.keys()
    assert len(ours) == (180 if names else 2970)
    wrong = []
    for case, calls in theirs.items():
        if UNDEFINED.match(case) or BELOW_FIRST.match(case):
            continue
        if OF_TRAINING.match(case) and ours[case][-1] == "error":
            calls = [*calls[: len(ours[case]) - 1], "error"]
        if len(calls) != len(ours[case]) or not all(map(_close, calls, ours[case])):
            wrong.append(f"{case}: {ours[case]}, originally {calls}")
    assert wrong == []
