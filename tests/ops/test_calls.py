"""Calls of every function and method in every form, on random tensors of every type and layout, against the original.

tests/golden/README.md says how the texts were made. A call that failed there must fail here, and change nothing.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from tests.together import together

GOLDEN = json.loads(gzip.decompress((Path(__file__).parents[1] / "golden" / "calls.json.gz").read_bytes()))
NAME = re.compile(r"return .*?(?:torch\.|:)(\w+)\(")


def by_name() -> dict[str, list[dict[str, str]]]:
    found = defaultdict(list)
    for case in GOLDEN["cases"]:
        name = NAME.match(case["code"], case["code"].index("return "))
        found[name[1] if name else "operators and indices"].append(case)
    return dict(sorted(found.items()))


CASES = by_name()

# A storage at an address where the process has no memory: the original made it, and died when it was read.
REFUSED = re.compile(r"torch\.\w+Storage\(3, 2\)")


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        runtime.execute(GOLDEN["prelude"])
        yield runtime


def same(found: str, wanted: str, of_floats: bool) -> bool:
    """Equal texts, numbers up to rounding."""
    ours, theirs = found.split(), wanted.split()
    if len(ours) != len(theirs):
        return False
    tolerance = 2e-5 if of_floats or "FloatTensor" in wanted else 1e-11
    for one, other in zip(ours, theirs, strict=True):
        if one != other:
            try:
                x, y = float(one), float(other)
            except ValueError:
                return False
            if not (x != x and y != y) and not abs(x - y) <= tolerance * max(1, abs(y)):
                return False
    return True


@together("name", CASES)
def test_calls(rt: Runtime, name: str) -> None:
    for case in CASES[name]:
        if REFUSED.search(case["code"]):
            continue
        found = rt.execute(f"return {case['code']}")
        assert same(found, case["text"], case["type"] == "Float"), f"{case['code']}\n{found}\n{case['text']}"
