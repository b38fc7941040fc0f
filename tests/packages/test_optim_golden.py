"""20 calls of each optimizer on the Rosenbrock function, against the original's; see tests/golden/README.md."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

import torch7py.packages.index  # noqa: F401  (registers the packages)
from tests.packages.rosenbrock import LUA, rosenbrock
from torch7py.packages.registry import packages

packages["optim"].load()

with gzip.open(Path(__file__).parents[1] / "golden" / "optim.json.gz", "rt") as file:
    CASES: dict[str, list[dict[str, Any]]] = json.load(file)

TOLERANCE = 1e-12

OBJECTIVE = f"require 'optim' {LUA} x = torch.Tensor{{-1.2, 1, 0.5, 2}}"


def assert_equal(ours: list[float], expected: list[float], what: str) -> None:
    assert len(ours) == len(expected), what
    for one, other in zip(ours, expected, strict=True):
        assert math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE), (
            f"{what}: {ours} is not {expected}"
        )


@pytest.mark.parametrize("case", CASES)
def test_one_table(runtime, case):
    name, config = case.split(" ", 1)
    runtime.execute(f"{OBJECTIVE} config = {config}")
    for number, step in enumerate(CASES[case], 1):
        x, values = runtime.execute(
            f"local y, f = optim.{name}(rosenbrock, x, config) assert(rawequal(x, y)) return y, f"
        )
        assert_equal(x.tolist(), step["x"], f"x after call {number}")
        assert_equal(values, step["f"], f"values of call {number}")


@pytest.mark.parametrize("case", CASES)
def test_config_and_state_apart(runtime, case):
    name, config = case.split(" ", 1)
    runtime.execute(f"{OBJECTIVE} config, state = {config}, {{}}")
    for number, step in enumerate(CASES[case], 1):
        x, values = runtime.execute(f"return optim.{name}(rosenbrock, x, config, state)")[:2]
        assert_equal(x.tolist(), step["x"], f"x after call {number}")
        assert_equal(values, step["f"], f"values of call {number}")


def python_config(text: str) -> dict[str, Any]:
    """The Lua table of a case as a dict."""
    functions = packages["optim"].functions
    text = text.replace("torch.Tensor{", "[").replace("},", "],").replace("}}", "]}")
    text = text.strip("{}").replace("true", "True").replace("lambda=", "lambda_=")
    names: dict[str, Any] = {"optim": type("optim", (), functions)}
    config: dict[str, Any] = eval(f"dict({text})", names)
    if "lambda_" in config:
        config["lambda"] = config.pop("lambda_")
    return {k: torch.tensor(v, dtype=torch.float64) if isinstance(v, list) else v for k, v in config.items()}


@pytest.mark.parametrize("case", CASES)
def test_from_python(case):
    name, text = case.split(" ", 1)
    optimizer = packages["optim"].functions[name]
    x, config = torch.tensor([-1.2, 1, 0.5, 2], dtype=torch.float64), python_config(text)
    for number, step in enumerate(CASES[case], 1):
        y, values, *_ = optimizer(rosenbrock, x, config)
        assert y is x
        assert_equal(x.tolist(), step["x"], f"x after call {number}")
        assert_equal(values, step["f"], f"values of call {number}")
