"""Numbers as text: the original's texts, ties above all."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from torch7py.ops.rounding import format_number

CASES = json.loads(gzip.decompress((Path(__file__).parents[1] / "golden/formats.json.gz").read_bytes()))


def test_numbers_are_written_as_by_the_original():
    assert [format_number(directive, float.fromhex(x)) for directive, x, _ in CASES] == [
        text for *_, text in CASES
    ]


def test_the_cases_hold_ties():
    assert sum(directive % float.fromhex(x) != text for directive, x, text in CASES) >= 400


def test_a_text_is_no_directive():
    with pytest.raises(ValueError, match="formats no number"):
        format_number("%d", 1.5)
