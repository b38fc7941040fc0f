"""A backward after something has happened since the forward, or with a gradient of another shape, as in the original.

``programs/backward_variants.lua`` does it to every module; what the original gave stands in a golden file.
"""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from tests.golden_cases import GOLDEN, modules_of_every_class
from torch7py.bridge.runtime import Runtime

HERE = Path(__file__).parent
NUMBER = re.compile(r"-?(?:\d+\.?\d*(?:e[-+]?\d+)?|nan|inf)")

# Where it is not the original's: why, and the modules with what was done.
NOT_THE_SAME = {
    # Of the parameters' gradients IndexLinear shows a table in the original, the gradient of its weight here.
    "IndexLinear": "nothing parameters output column vector twice",
    "CAdd": "vector",  # an error in the original
    # They keep a step's results, which are those of the first backward; a second one is an error in the other.
    "BiSequencer BiSequencerLM NormStabilizer Sequencer SparseLinear": "twice",
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


def lua_text(value: str) -> str:
    return f"[==[{value}]==]"


def same(ours: str, theirs: str) -> bool:
    if NUMBER.sub("#", ours) != NUMBER.sub("#", theirs):
        return False
    pairs = zip(NUMBER.findall(ours), NUMBER.findall(theirs), strict=True)
    return all(a == b or float(a) == pytest.approx(float(b), rel=1e-3, abs=1e-9) for a, b in pairs)


def test_a_backward_gives_what_it_gave(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = modules_of_every_class()
    lines = [f"{{{lua_text(c['expr'])}, {lua_text(c['input'])}, {c['seed']}}}," for c in found]
    (tmp_path / "cases.lua").write_text("\n".join(["return {", *lines, "}"]))
    runtime = Runtime()
    runtime.run(HERE / "programs" / "backward_variants.lua", [str(tmp_path / "cases.lua")])
    runtime.close()
    ours = [line.rstrip().split(" ", 2) for line in capfd.readouterr().out.splitlines() if line[:1].isdigit()]
    with gzip.open(GOLDEN / "backward_variants.txt.gz", "rt") as file:
        theirs = [line.rstrip().split(" ", 2) for line in file]
    known, refused = pairs(NOT_THE_SAME), pairs(REFUSED)
    given = {(number, variant): text for number, variant, text in ours}
    wrong = [
        f"{found[int(number) - 1]['expr']}, {variant}: {given.get((number, variant))}, originally {text}"
        for number, variant, text in theirs
        if (found[int(number) - 1]["class"], variant) not in known
        and not same(
            given.get((number, variant), ""),
            "error" if (found[int(number) - 1]["class"], variant) in refused else text,
        )
    ]
    assert wrong == []
    assert len(theirs) > 1000
