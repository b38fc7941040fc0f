"""What programs write, beside what they wrote in the original; tests/golden/README.md says how the texts were made."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.inner_runtime import InnerRuntime as Runtime

GOLDEN = Path(__file__).parents[1] / "golden"


def recorded_texts(name: str) -> list[Any]:
    """The cases of a file: the prelude of all programs, the code of one, and the text that it wrote."""
    with gzip.open(GOLDEN / f"{name}.json.gz", "rt") as file:
        golden = json.load(file)
    return [
        pytest.param(
            golden["prelude"], case["code"], case["text"], id=f"{name}-{' '.join(case['code'].split())[-60:]}"
        )
        for case in golden["cases"]
    ]


def written(runtime: Runtime, prelude: str, code: str) -> Any:
    """The text that a program writes here."""
    return runtime.execute(f"{prelude}\nreturn run(function()\n{code}\nend)")
