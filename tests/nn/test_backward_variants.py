"""A backward after something has happened since the forward, or with a gradient of another shape, as in the original.

``programs/backward_variants.lua`` does it to every module; what the original gave stands in a golden file.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.nn.program_on_every_class import compare

NUMBER = re.compile(r"-?(?:\d+\.?\d*(?:e[-+]?\d+)?|nan|inf)")

# Where it is not the original's: why, and the modules with what was done.
NOT_THE_SAME = {
    "CAdd": "vector",  # an error in the original
    "SparseLinear": "twice",  # an error in the original
}
# What the original computes of numbers that are elsewhere in a gradOutput of this shape, or not in it, is refused here.
REFUSED = {
    "Replicate SpatialAdaptiveAveragePooling SpatialAdaptiveMaxPooling": "column vector",
    "SpatialColorTransform": "column",
}


def pairs(known: dict[str, str]) -> set[tuple[str, str]]:
    """Each class of such a table with each of its variants."""
    return {
        (f"nn.{name}", variant)
        for names, variants in known.items()
        for name in names.split()
        for variant in variants.split()
    }


def same(ours: str, theirs: str) -> bool:
    if NUMBER.sub("#", ours) != NUMBER.sub("#", theirs):
        return False
    pairs = zip(NUMBER.findall(ours), NUMBER.findall(theirs), strict=True)
    return all(a == b or float(a) == pytest.approx(float(b), rel=1e-3, abs=1e-9) for a, b in pairs)


def test_a_backward_gives_what_it_gave(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    known, refused = pairs(NOT_THE_SAME), pairs(REFUSED)
    compared = compare("backward_variants", tmp_path, capfd)
    wrong = [
        f"{case.expr}, {case.variant}: {case.ours}, originally {case.theirs}"
        for case in compared
        if (case.cls, case.variant) not in known
        and not same(case.ours, "error" if (case.cls, case.variant) in refused else case.theirs)
    ]
    assert wrong == []
    assert len(compared) > 1000
