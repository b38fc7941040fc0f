"""The pages' functions of optim, beside the runtime's on the same function."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.translate.running import whole_library
from torch7py.translate import page_library

lua_compat = whole_library()

STEPS = """
require 'optim'
local target = torch.Tensor{1, -2, 0.5, 3}
local scale = torch.Tensor{1, 10, 0.1, 3}
local function f(x)
   local distance = x - target
   return distance:dot(torch.cmul(scale, distance)), torch.cmul(scale, distance):mul(2)
end
local x, config, values = torch.Tensor{0.1, 0.2, -0.3, 0.4}, {%s}, {}
for step = 1, %d do
   local _, found = optim.%s(f, x, config)
   for _, value in ipairs(found) do values[#values + 1] = value end
end
return {x[1], x[2], x[3], x[4], unpack(values)}
"""
CASES = [
    ("sgd", "learningRate = 0.02"),
    ("sgd", "learningRate = 0.02, momentum = 0.9, weightDecay = 0.1, learningRateDecay = 0.01"),
    ("sgd", "learningRate = 0.02, momentum = 0.5, dampening = 0, nesterov = true"),
    ("nag", "learningRate = 0.02, weightDecay = 0.1"),
    ("adam", "learningRate = 0.1, weightDecay = 0.1, learningRateDecay = 0.01"),
    ("adamax", "learningRate = 0.1"),
    ("adagrad", "learningRate = 0.3, learningRateDecay = 0.01"),
    ("adadelta", "rho = 0.8, eps = 1e-4"),
    ("rmsprop", "learningRate = 0.05, alpha = 0.9"),
    ("rprop", "niter = 2"),
    ("asgd", "t0 = 1e6"),
    ("asgd", "eta0 = 0.1, lambda = 0.01, alpha = 0.6, t0 = 1"),
    ("cg", "maxIter = 3"),
    ("cg", "maxIter = 8, rho = 0.1, sig = 0.3"),
    ("lbfgs", "maxIter = 4"),
    ("lbfgs", "maxIter = 8, learningRate = 0.3, nCorrection = 2"),
]


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return Runtime(seed=1)


@pytest.fixture
def page_type() -> Iterator[None]:
    """The default type that a page sets."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def test_every_function_has_a_case() -> None:
    assert {name for name, _ in CASES} == page_library.entries("OPTIMIZERS")


@pytest.mark.usefixtures("page_type")
@pytest.mark.parametrize(("name", "config"), CASES)
def test_steps(runtime: Runtime, name: str, config: str) -> None:
    target = torch.tensor([1, -2, 0.5, 3], dtype=torch.float64)
    scale = torch.tensor([1, 10, 0.1, 3], dtype=torch.float64)

    def function(x: torch.Tensor) -> tuple[float, torch.Tensor]:
        distance = x - target
        return distance.dot(scale * distance).item(), 2 * scale * distance

    x = torch.tensor([0.1, 0.2, -0.3, 0.4], dtype=torch.float64)
    settings = {
        key: value == "true" or float(value) for key, value in (s.split(" = ") for s in config.split(", "))
    }
    values: list[float] = []
    count = 2 if name == "cg" else 12  # which is at its end soon, where rounding tells
    for _ in range(count):
        values += lua_compat.OPTIMIZERS[name](function, x, settings)[1]
    wanted = runtime.execute(STEPS % (config, count, name))
    assert [*x.tolist(), *values] == pytest.approx(wanted, rel=1e-11 if name == "cg" else 1e-13, abs=1e-15)
