"""What calls of operations give: a new tensor, a number, or which of their operands, as originally."""

from __future__ import annotations

import gzip
from pathlib import Path

from tests.inner_runtime import InnerRuntime as Runtime

GOLDEN = Path(__file__).parent.parent / "golden" / "returned_tensors.txt.gz"


def test_calls_return_what_they_did() -> None:
    expected = dict(line.split("\t") for line in gzip.decompress(GOLDEN.read_bytes()).decode().splitlines())
    runtime = Runtime()
    try:
        returned = runtime.execute((Path(__file__).parent / "returned.lua").read_text())
        assert {call: returned(call) for call in expected} == expected
        assert len(expected) > 590
    finally:
        runtime.close()
