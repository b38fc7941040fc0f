"""What programs write through torch.CmdLine, xlua, sys and optim.Logger, against the originals.

tests/golden/README.md says how the texts were made.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.inner_runtime import InnerRuntime as Runtime

GOLDEN = Path(__file__).parents[2] / "golden"


def load(name: str) -> list[Any]:
    with gzip.open(GOLDEN / f"{name}.json.gz", "rt") as file:
        golden = json.load(file)
    return [
        pytest.param(
            golden["prelude"], case["code"], case["text"], id=f"{name}-{' '.join(case['code'].split())[-60:]}"
        )
        for case in golden["cases"]
    ]


def written(runtime: Runtime, prelude: str, code: str) -> Any:
    return runtime.execute(f"{prelude}\nreturn run(function()\n{code}\nend)")


@pytest.mark.parametrize(("prelude", "code", "text"), load("console"))
def test_console(runtime, monkeypatch, prelude, code, text):
    monkeypatch.setenv("COLUMNS", "80")
    runtime.execute("require 'optim'")
    assert written(runtime, prelude, code) == text
