"""Sequences of calls on each layer: training, copying, clearing, converting and all else, in any order.

The original's numbers are in ``golden/layer_sequences.json.gz``.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from torch7py.bridge.runtime import Runtime

HERE = Path(__file__).parent
PRELUDE = (HERE / "layer_sequences.lua").read_text("ascii")
CASES = json.loads(gzip.decompress((HERE.parent / "golden" / "layer_sequences.json.gz").read_bytes()))
AT_ONCE = 54


def differs(found: str, expected: str) -> bool:
    """Whether a tensor's count or one of its three sums is another; some layers go through float."""
    if found == expected:
        return False
    numbers, wanted = found.split(":"), expected.split(":")
    if len(numbers) != 4 or len(wanted) != 4 or numbers[0] != wanted[0]:
        return True
    size = float(wanted[2])
    return any(
        abs(float(x) - float(y)) > 2e-5 * (1 + size) for x, y in zip(numbers[1:], wanted[1:], strict=True)
    )


def is_other(found: str, expected: str) -> bool:
    tensors, wanted = found.split(), expected.split()
    return len(tensors) != len(wanted) or any(map(differs, tensors, wanted))


def program(cases: list[dict[str, Any]]) -> str:
    return PRELUDE + "".join(
        f"case({number}, function() return {case['layer']} end, function() return {case['input']} end, "
        f"{{{', '.join(map(repr, case['calls']))}}})\n"
        for number, case in enumerate(cases)
    )


@pytest.mark.few_on_plain_lua(4)
@pytest.mark.parametrize("first", range(0, len(CASES), AT_ONCE))
def test_a_sequence_of_calls(first: int, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    cases = CASES[first : first + AT_ONCE]
    with Runtime() as runtime:
        runtime.execute(program(cases))
        runtime.execute("io.stdout:flush()")
    found: dict[int, list[str]] = {number: [] for number in range(len(cases))}
    for line in capfdbinary.readouterr().out.decode("latin1").splitlines():
        label, _, text = line.partition(" ")
        if label.isdigit():
            found[int(label)].append(text.rstrip())
    wrong = {}
    for number, case in enumerate(cases):
        lines, expected = found[number], [line.rstrip() for line in case["lines"]]
        if len(lines) != len(expected) or any(map(is_other, lines, expected)):
            wrong[case["layer"]] = (case["calls"], lines, expected)
    assert wrong == {}
