"""What seems to hold itself, or comes from the same thing in many ways, is looked at once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from types import FrameType

import pytest

from torch7py.translate.native.program import translate_script

SECONDS = 20  # far more than any of these takes, far less than all ways through it


@pytest.fixture(autouse=True)
def _ended_in_time() -> Iterator[None]:
    def end(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"not translated within {SECONDS} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def test_a_container_that_seems_to_hold_itself() -> None:
    source = """
        require 'nn'
        require 'optim'
        local function joined(a, b) return nn.Sequential():add(a):add(b) end
        local net = joined(nn.Linear(3, 3), nn.Tanh())
        net = joined(joined(net, nn.Linear(3, 2)), joined(nn.Tanh(), nn.Linear(2, 2)))
        local wrapped = nn.Sequential():add(nn.ConcatTable():add(net):add(net)):add(nn.CAddTable())
        local criterion = nn.MSECriterion()
        local weights, gradients = wrapped:getParameters()
        local x, y = torch.randn(4, 3), torch.randn(4, 2)
        local function step()
           gradients:zero()
           local output = wrapped:forward(x)
           local loss = criterion:forward(output, y)
           wrapped:backward(x, criterion:backward(output, y))
           return loss, gradients
        end
        for i = 1, 3 do optim.sgd(step, weights, {learningRate = 0.1}) end
        net:forward(x)
    """
    translate_script(source.encode(), "cycle.lua")


def test_layers_that_a_loop_adds_to_what_they_come_from() -> None:
    source = """
        require 'nn'
        local first, second, third = nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 4)
        local function chained(layers)
           local chain = nn.Sequential()
           for _, layer in ipairs(layers) do chain:add(layer) end
           return chain
        end
        local net = chained({first, second})
        net = chained({net, chained({net, third})})
        print(net:forward(torch.ones(1, 4)):size(2))
    """
    translate_script(source.encode(), "loop.lua")


@pytest.mark.parametrize(
    "first", ["net:forward(x)", "torch.randn(2, 3)", "torch.LongTensor(2, 3):fill(1)", "x:gt(0)"]
)
def test_a_tensor_that_comes_from_another_in_many_ways(first: str) -> None:
    lines = [
        "require 'nn'",
        "local net = nn.Linear(3, 3)",
        "local x = torch.randn(2, 3)",
        f"local a0 = {first}",
    ]
    lines += [f"local a{n + 1} = a{n} + a{n}" for n in range(45)]
    lines += ["local criterion = nn.MSECriterion()", "print(criterion:forward(net:forward(x), a45))"]
    lines += ["x:narrow(1, 1, 2):copy(a45)", "print(a45:eq(0):sum(), x:sum())"]
    translate_script("\n".join(lines).encode(), "ways.lua")


def test_classes_that_derive_from_each_other() -> None:
    source = """
        local First = {}
        First.__index = First
        local Second = {}
        Second.__index = Second
        setmetatable(First, {__index = Second})
        setmetatable(Second, {__index = First})
        function First.new() return setmetatable({}, First) end
        function First:name() return 'first' end
        print(First.new():name(), pcall(function() return First.new():other() end))
    """
    translate_script(source.encode(), "circle.lua")
