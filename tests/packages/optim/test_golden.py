"""20 calls of each optimizer on the Rosenbrock function, against the original's; see tests/golden/README.md.

Those of October 2015 differ in the settings that adam and rmsprop had (torch7py/packages/optim/quirks.py).
"""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.packages.optim.rosenbrock import LUA, rosenbrock
from torch7py.packages.registry import packages

packages["optim"].load()


def golden(name: str) -> dict[str, list[dict[str, Any]]]:
    with gzip.open(Path(__file__).parents[2] / "golden" / f"{name}.json.gz", "rt") as file:
        cases: dict[str, list[dict[str, Any]]] = json.load(file)
    return cases


CASES, CASES_2015 = golden("optim"), golden("optim_2015")

TOLERANCE = 1e-12

OBJECTIVE = f"require 'optim' {LUA} x = torch.Tensor{{-1.2, 1, 0.5, 2}}"


def assert_equal(ours: list[float], expected: list[float], what: str) -> None:
    assert len(ours) == len(expected), what
    for one, other in zip(ours, expected, strict=True):
        assert math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE), (
            f"{what}: {ours} is not {expected}"
        )


def run_with_one_table(runtime: Runtime, case: str, steps: list[dict[str, Any]]) -> None:
    name, config = case.split(" ", 1)
    runtime.execute(f"{OBJECTIVE} config = {config}")
    for number, step in enumerate(steps, 1):
        x, values = runtime.execute(
            f"local y, f = optim.{name}(rosenbrock, x, config) assert(rawequal(x, y)) return y, f"
        )
        assert_equal(x.tolist(), step["x"], f"x after call {number}")
        assert_equal(values, step["f"], f"values of call {number}")


@pytest.mark.one_runtime
@pytest.mark.parametrize("case", CASES)
def test_one_table(runtime, case):
    run_with_one_table(runtime, case, CASES[case])


@pytest.mark.parametrize("case", CASES_2015)
def test_as_of_2015(case, capfd):
    with Runtime(rnn_api=2015) as runtime:
        run_with_one_table(runtime, case, CASES_2015[case])
    unknown = {
        "optim.adam": ("learningRateDecay", "weightDecay"),
        "optim.rmsprop": ("weightDecay", "initialMean"),
    }
    name, config = case.split(" ", 1)
    expected = [setting for setting in unknown.get(f"optim.{name}", ()) if setting in config]
    lines = capfd.readouterr().err.splitlines()
    assert [line.split("setting ")[1].split()[0] for line in lines] == expected


@pytest.mark.one_runtime
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


IN_PYTHON = [case for case in CASES if case.split(" ", 1)[0] in packages["optim"].functions]


@pytest.mark.parametrize("case", IN_PYTHON)
def test_from_python(case):
    name, text = case.split(" ", 1)
    optimizer = packages["optim"].functions[name]
    x, config = torch.tensor([-1.2, 1, 0.5, 2], dtype=torch.float64), python_config(text)
    for number, step in enumerate(CASES[case], 1):
        y, values, *_ = optimizer(rosenbrock, x, config)
        assert y is x
        assert_equal(x.tolist(), step["x"], f"x after call {number}")
        assert_equal(values, step["f"], f"values of call {number}")
