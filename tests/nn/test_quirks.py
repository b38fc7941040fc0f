"""nn as of October 2015: the table of its quirks, and what the golden cases do not show."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

import torch7py
import torch7py.packages.optim.quirks
from tests.golden_cases import load, value
from tests.inner_runtime import InnerRuntime as Runtime
from tests.nn.as_of_2015 import exp_of_2015, runtime_of_2015  # noqa: F401
from torch7py.bridge.errors import LuaError
from torch7py.nn.linear import Linear
from torch7py.nn.quirks import ARGUMENTS
from torch7py.ops import state
from torch7py.ops.quirks import QUIRKS, older


def test_every_line_is_asked_for_and_every_question_has_a_line() -> None:
    sources = [path.read_text() for path in Path(torch7py.__file__).parent.rglob("*.py")]
    asked = {name for source in sources for name in re.findall(r'\bolder\("([^"]+)"\)', source)}
    assert asked == {name for name in QUIRKS if not name.startswith("optim.")}


@pytest.mark.parametrize(
    "until", [line.until for line in QUIRKS.values()] + [line.until for line in ARGUMENTS.values()]
)
def test_every_line_ended_after_the_day_that_2015_means(until: str) -> None:
    assert "2015-10-20" < until < "2018"


def test_later_programs_have_no_quirk() -> None:
    for generation in (None, 2016):
        with state.use(state.State(generation=generation)):
            assert not any(map(older, QUIRKS))
    with state.use(state.State(generation=2015)):
        assert all(map(older, QUIRKS))


def test_an_argument_of_a_later_day_is_disregarded_and_said_once(
    runtime_of_2015: Runtime,  # noqa: F811
    capfd: pytest.CaptureFixture[str],
) -> None:
    runtime_of_2015.execute(
        "require 'nn' a, b, c = nn.Linear(2, 3, false), nn.Linear(2, 3, false), nn.Linear(2, 3)"
    )
    assert runtime_of_2015.execute("return a.bias:nElement() + b.bias:nElement() + c.bias:nElement()") == 9
    assert capfd.readouterr().err == (
        "torch7py: there was no argument 3 (bias) of nn.Linear in 2015, before 2016-01-25, so it is disregarded; "
        "--rnn-api 2016 gives nn and rnn of a later day\n"
    )
    runtime_of_2015.execute("nn.MSECriterion(nil) nn.LookupTable(3, 2, nil)")
    assert capfd.readouterr().err == ""


def test_an_argument_from_python_is_python_s_own_affair() -> None:
    with state.use(state.State(generation=2015)):
        assert Linear(2, 3, bias=False).bias is None


def test_what_the_program_says_counts_from_nn_on(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "main.lua"
    script.write_text(
        "require 'nn' print(nn.View(2)) require 'rnn' local function f(r) r:backwardThroughTime() end"
    )
    with Runtime() as runtime:
        runtime.run(script)
        assert runtime.state.generation == 2015
    out, err = capfd.readouterr()
    assert out == "nn.View\n"
    assert err.endswith("nn and rnn as of 2015; --rnn-api 2016 gives it later ones\n")


@pytest.mark.parametrize("layer", ["nn.Dropout(0.5)", "nn.BatchNormalization(3)"])
def test_no_backward_in_evaluation(runtime_of_2015: Runtime, layer: str) -> None:  # noqa: F811
    runtime_of_2015.execute(f"require 'nn' m = {layer} m:evaluate() x = torch.ones(2, 3) m:forward(x)")
    with pytest.raises(LuaError, match=r"python:1: .*no backward in evaluation, as of 2015"):
        runtime_of_2015.execute("m:backward(x, x)")


def test_a_dropout_of_nothing_draws(runtime_of_2015: Runtime) -> None:  # noqa: F811
    draw = "torch.manualSeed(1) {} return torch.uniform()"
    runtime_of_2015.execute("require 'nn' x = torch.ones(4)")
    after = runtime_of_2015.execute(draw.format("nn.Dropout(0):forward(x)"))
    assert after == runtime_of_2015.execute(draw.format("for i = 1, 4 do torch.bernoulli(1) end"))
    assert after != runtime_of_2015.execute(draw.format(""))


def test_batch_normalization_runs_along_what_it_divided_by(runtime_of_2015: Runtime) -> None:  # noqa: F811
    runtime_of_2015.globals["x"] = x = torch.randn(5, 3, dtype=torch.float64)
    runtime_of_2015.execute("require 'nn' m = nn.BatchNormalization(3, 1e-4, 0.3) m:forward(x)")
    assert runtime_of_2015.execute("return m.running_var") is None
    inverse = 1 / np.sqrt(x.numpy().var(0) + 1e-4)
    np.testing.assert_allclose(
        runtime_of_2015.execute("return m.running_std").numpy(), 0.7 + 0.3 * inverse, rtol=1e-12
    )
    runtime_of_2015.execute("m:float() c = m:clone() c:evaluate() y = c:forward(x:float()) m:reset()")
    assert runtime_of_2015.execute("return m.running_std:sum(), c.running_std:sum() == 3") == (3, False)
    weight, bias, mean, inverse = runtime_of_2015.execute(
        "return c.weight, c.bias, c.running_mean, c.running_std"
    )
    expected = (x.float() - mean) * inverse * weight.data + bias.data
    torch.testing.assert_close(runtime_of_2015.globals["y"].data, expected, rtol=1e-6, atol=1e-6)


def test_one_example_was_a_batch(runtime_of_2015: Runtime) -> None:  # noqa: F811
    runtime_of_2015.execute("require 'nn' y = nn.BatchNormalization(3):forward(torch.Tensor{{1, -2, 3}})")
    assert runtime_of_2015.execute("return y:abs():max()") < 1e-12


def test_sparse_linear_moves_the_last_columns(runtime_of_2015: Runtime) -> None:  # noqa: F811
    runtime_of_2015.execute(
        """
        require 'nn'
        m = nn.SparseLinear(4, 2)
        m:zeroGradParameters()
        before = m.weight:clone()
        g = torch.Tensor{1, 2}
        for _, x in ipairs{torch.Tensor{{1, 3}}, torch.Tensor{{2, 1}, {2, 1}}} do
            m:forward(x) m:backward(x, g)
        end
        m:updateParameters(0.5)
        """
    )
    moved = runtime_of_2015.execute("return m.weight - before").numpy()
    # Column 1 has a gradient of 3 g and stays; column 2 has one of 2 g and is moved by it twice.
    np.testing.assert_allclose(moved, [[0, -2, 0, 0], [0, -4, 0, 0]], atol=1e-15)
    assert runtime_of_2015.execute("m:zeroGradParameters() return m.gradWeight:abs():max()") == 0


def test_infinite_norm_of_2015(runtime_of_2015: Runtime) -> None:  # noqa: F811
    given = "return nn.Normalize(math.huge):forward(torch.Tensor{1, 2, 4}):sum()"
    assert runtime_of_2015.execute(f"require 'nn' {given}") == 7


def test_the_polynomial_of_2015_is_what_the_softmax_cases_are_off_by() -> None:
    """The recorded softmax is that of the polynomial, which is within 5e-5 of ``exp``."""
    x = np.linspace(0, 20, 20001)
    assert np.abs(exp_of_2015(x) - np.exp(-x)).max() < 5e-5
    cases = [
        case
        for case in load("nn_modules_2015")
        if case["expr"] == "nn.SoftMax()" and "(3,4)" in case["input_expr"]
    ]
    assert cases
    for case in cases:
        given = value(case["input"]).numpy()
        terms = exp_of_2015(given.max(1, keepdims=True) - given)
        np.testing.assert_allclose(
            value(case["output"]).numpy(), terms / terms.sum(1, keepdims=True), rtol=1e-6
        )
