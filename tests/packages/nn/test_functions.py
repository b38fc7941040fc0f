"""nn's functions beside its classes, with answers known from mathematics: nn.utils, Jacobians, StochasticGradient."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError


@pytest.fixture
def nn(runtime: Runtime) -> Runtime:
    runtime.execute("require 'nn' torch.manualSeed(1)")
    return runtime


# -- nn.utils ------------------------------------------------------------------------------------------------


def test_recursive_type(nn: Runtime) -> None:
    nn.execute(
        "a = {torch.ones(2), {torch.ones(1), x = torch.ones(3)}} b = nn.utils.recursiveType(a, 'torch.FloatTensor')"
    )
    assert (
        nn.execute("return torch.type(b[1]), torch.type(b[2][1]), torch.type(b[2].x)")
        == ("torch.FloatTensor",) * 3
    )
    assert nn.execute("return rawequal(a, b), b[2].x:sum()") == (True, 3)


def test_recursive_type_keeps_sharing(nn: Runtime) -> None:
    nn.execute(
        "t = torch.ones(2) a = {t, t:narrow(1, 1, 1)} nn.utils.recursiveType(a, 'torch.FloatTensor', {}) a[2]:fill(5)"
    )
    assert nn.execute("return a[1][1], a[1][2]") == (5, 1)


def test_recursive_type_of_modules(nn: Runtime) -> None:
    nn.execute("m = nn.utils.recursiveType({nn.Linear(2, 1)}, 'torch.FloatTensor')[1]")
    assert nn.execute("return m:type(), torch.type(m.weight)") == ("torch.FloatTensor", "torch.FloatTensor")


def test_recursive_resize(nn: Runtime) -> None:
    nn.execute(
        "a, b = nn.utils.recursiveResizeAs({torch.Tensor(1), torch.Tensor(9), y = torch.Tensor(2)}, "
        "{torch.Tensor(2, 3), {torch.Tensor(4)}})"
    )
    assert nn.execute("return a[1]:size(1), a[1]:size(2), a[2][1]:size(1), a.y") == (2, 3, 4, None)
    nn.execute("t = nn.utils.recursiveResizeAs(nil, torch.FloatTensor(2, 2))")
    assert nn.execute("return torch.type(t), t:nElement()") == ("torch.FloatTensor", 4)


def test_recursive_fill(nn: Runtime) -> None:
    nn.execute("t = torch.Tensor(3) a = nn.utils.recursiveFill({t, {torch.Tensor(2)}}, 7)")
    assert nn.execute("return t:sum(), a[2][1]:sum(), rawequal(a[1], t)") == (21, 14, True)


def test_recursive_add(nn: Runtime) -> None:
    nn.execute(
        "t = torch.ones(2) a = {t, {torch.ones(1)}} nn.utils.recursiveAdd(a, {torch.ones(2), {torch.ones(1)}})"
    )
    assert nn.execute("return t[1], a[2][1][1]") == (2, 2)
    nn.execute("nn.utils.recursiveAdd(a, -3, {torch.ones(2), {torch.ones(1)}})")
    assert nn.execute("return t[1], a[2][1][1]") == (-1, -1)


def test_recursive_copy(nn: Runtime) -> None:
    nn.execute(
        "t = torch.zeros(1) b = {torch.Tensor{1, 2}, {torch.Tensor{3}}} a = nn.utils.recursiveCopy({t}, b) b[1]:fill(9)"
    )
    assert nn.execute("return rawequal(a[1], t), t[1], t[2], a[2][1][1]") == (True, 1, 2, 3)
    assert nn.execute("return nn.utils.recursiveCopy(nil, torch.Tensor{4})[1]") == 4


@pytest.mark.parametrize(
    "call", ["recursiveFill('x', 1)", "recursiveAdd('x', 'y')", "recursiveResizeAs({}, 'y')"]
)
def test_recursive_on_what_is_no_tensor(nn: Runtime, call: str) -> None:
    with pytest.raises(LuaError, match=r"^t\.lua:1: "):
        nn.execute(f"nn.utils.{call}", "=t.lua")


def test_a_dimension_of_one(nn: Runtime) -> None:
    nn.execute(
        "t = torch.range(1, 6):view(2, 3) a = nn.utils.addSingletonDimension(t) "
        "b = nn.utils.addSingletonDimension(t, 3) v = torch.Tensor() c = nn.utils.addSingletonDimension(v, t, 2)"
    )
    assert nn.execute("return a:size():totable(), b:size():totable(), c:size():totable()") == (
        [1, 2, 3],
        [2, 3, 1],
        [2, 1, 3],
    )
    assert nn.execute("t[2][3] = 9 return a[1][2][3], b[2][3][1], v[2][1][3], rawequal(v, c)") == (
        9,
        9,
        9,
        True,
    )
    with pytest.raises(LuaError, match="dimension 4"):
        nn.execute("nn.utils.addSingletonDimension(t, 4)")


def test_contiguous_view(nn: Runtime) -> None:
    nn.execute(
        "t = torch.range(1, 6):view(2, 3) a = nn.utils.contiguousView(nil, t, 6) "
        "b = nn.utils.contiguousView(nil, t:t(), 6) t[1][2] = 8"
    )
    assert nn.execute("return a:totable(), b:totable()") == ([1, 8, 3, 4, 5, 6], [1, 4, 2, 5, 3, 6])


def test_clear(nn: Runtime) -> None:
    nn.execute(
        "m = nn.Linear(2, 1) m:forward(torch.ones(2)) m.extra, m.number = {1}, 5 "
        "nn.utils.clear(m, 'output', {'ignored'}) nn.utils.clear(m, {'extra', 'number', 'missing'})"
    )
    assert nn.execute("return m.output:nElement(), #m.extra, m.number, m.missing") == (0, 0, None, None)


# -- Jacobians -----------------------------------------------------------------------------------------------

# A layer y = 3 x + w whose gradients are off by known amounts: 4 for 3, and 1.5 for 1.
WRONG = """
local W, parent = torch.class('nn.Wrong', 'nn.Module')
function W:__init() parent.__init(self) self.weight, self.gradWeight = torch.zeros(2), torch.zeros(2) end
function W:updateOutput(x) self.output:resizeAs(x):copy(x):mul(3):add(self.weight) return self.output end
function W:updateGradInput(x, g) self.gradInput:resizeAs(x):copy(g):mul(4) return self.gradInput end
function W:accGradParameters(x, g, scale) self.gradWeight:add((scale or 1) * 1.5, g) end
"""


def test_the_jacobian_of_a_linear_map(nn: Runtime) -> None:
    nn.execute(
        "m = nn.Linear(3, 2) x = torch.randn(3) f = nn.Jacobian.forward(m, x, x) b = nn.Jacobian.backward(m, x)"
    )
    weight = nn.globals["m"].weight.detach()
    assert torch.equal(nn.globals["b"], weight.t())
    torch.testing.assert_close(nn.globals["f"], weight.t(), rtol=1e-8, atol=1e-8)


def test_the_jacobian_of_parameters(nn: Runtime) -> None:
    """By the weight of ``y = W x``: x in the rows of its output, 0 elsewhere."""
    nn.execute(
        "m = nn.Linear(3, 2) x = torch.randn(3) b = nn.Jacobian.backward(m, x, m.weight, m.gradWeight)"
        "f = nn.Jacobian.forward(m, x, m.weight) u = nn.Jacobian.backwardUpdate(m, x, m.weight)"
    )
    x = nn.globals["x"]
    wanted = torch.zeros(6, 2, dtype=torch.float64)
    wanted[:3, 0] = wanted[3:, 1] = x
    assert torch.equal(nn.globals["b"], wanted)
    torch.testing.assert_close(nn.globals["f"], wanted, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("testJacobian(m, torch.Tensor(2))", 1),
        ("testJacobianParameters(m, torch.Tensor(2), m.weight, m.gradWeight)", 0.5),
        ("testJacobianUpdateParameters(m, torch.Tensor(2), m.weight)", 0.5),
    ],
)
def test_they_find_how_wrong_a_layer_is(nn: Runtime, test: str, expected: float) -> None:
    nn.execute(WRONG)
    assert nn.execute(f"m = nn.Wrong() return nn.Jacobian.{test}") == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    "test",
    [
        "testJacobian(m, torch.Tensor(3))",
        "testJacobian(m, torch.Tensor(3), -1, 1, 1e-5)",
        "testJacobianParameters(m, torch.Tensor(3), m.weight, m.gradWeight)",
        "testJacobianParameters(m, torch.Tensor(3), m.bias, m.gradBias, 1, 2)",
        "testJacobianUpdateParameters(m, torch.Tensor(3), m.weight)",
        "testDiagHessianInput(m, torch.Tensor(3), -2, 2)",
        "testDiagHessianWeight(m, torch.Tensor(3), -2, 2)",
        "testDiagHessianBias(m, torch.Tensor(3), -2, 2)",
    ],
)
def test_they_find_nothing_wrong_with_linear(nn: Runtime, test: str) -> None:
    assert nn.execute(f"nn.hessian.enable() m = nn.Linear(3, 2) return nn.Jacobian.{test}") < 1e-6


def test_saving_is_tested(nn: Runtime) -> None:
    assert nn.execute(
        "return nn.Jacobian.testIO(nn.Sequential():add(nn.Linear(3, 2)):add(nn.Tanh()), torch.Tensor(3))"
    ) == (0, 0)


def test_all_updates(nn: Runtime) -> None:
    nn.execute("errors = nn.Jacobian.testAllUpdate(nn.Linear(3, 2), torch.randn(3), 'weight', 'gradWeight')")
    errors = nn.globals["errors"]
    assert len(errors) > 1
    assert max(dict(errors).values()) < 1e-12


SPARSE = "m = nn.SparseLinear(5, 2) x = torch.Tensor{{1, 0.5}, {4, -1}}"


def test_the_sparse_jacobian(nn: Runtime) -> None:
    """Of the values alone: the columns of the weight that the indices name."""
    nn.execute(f"{SPARSE} f = nn.SparseJacobian.forward(m, x)")
    weight = nn.globals["m"].weight.detach()
    torch.testing.assert_close(nn.globals["f"], weight[:, [0, 3]].t(), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize(
    "test",
    [
        "testJacobianParameters(m, x, m.weight, m.gradWeight)",
        "testJacobianParameters(m, x, m.bias, m.gradBias)",
        "testJacobianUpdateParameters(m, x, m.weight)",
        "testJacobianUpdateParameters(m, x, m.bias)",
    ],
)
def test_sparse_tests(nn: Runtime, test: str) -> None:
    assert nn.execute(f"{SPARSE} return nn.SparseJacobian.{test}") < 1e-6


# -- nn.StochasticGradient -----------------------------------------------------------------------------------

DATA = """
data = {{torch.Tensor{1}, torch.Tensor{2}}, {torch.Tensor{2}, torch.Tensor{3}}}
function data:size() return 2 end
m = nn.Linear(1, 1) m.weight:fill(0) m.bias:fill(0)
trainer = nn.StochasticGradient(m, nn.MSECriterion())
trainer.learningRate, trainer.shuffleIndices, trainer.verbose = 0.1, false, false
"""


def by_hand(rounds: int, rate: float, decay: float = 0) -> tuple[float, float, list[float]]:
    """Weight, bias and mean losses of ``y = w x + b`` trained on these two points, one after the other."""
    w = b = 0.0
    losses = []
    step = rate
    for number in range(1, rounds + 1):
        total = 0.0
        for x, y in ((1.0, 2.0), (2.0, 3.0)):
            off = w * x + b - y
            total += off * off
            w, b = w - step * 2 * off * x, b - step * 2 * off
        losses.append(total / 2)
        step = rate / (1 + (number + 1) * decay)
    return w, b, losses


@pytest.mark.parametrize(
    ("data", "message"),
    [("{}", "has no function size"), ("{size = function() return 1 end}", "fewer examples")],
)
def test_data_that_are_none_are_told_with_the_line(nn: Runtime, data: str, message: str) -> None:
    source = f"nn.StochasticGradient(nn.Linear(1, 1), nn.MSECriterion()):train({data})"
    with pytest.raises(LuaError, match=rf"p\.lua:1: .*{message}"):
        nn.execute(source, "@p.lua")


def test_stochastic_gradient(nn: Runtime, capfd: pytest.CaptureFixture[str]) -> None:
    nn.execute(
        DATA
        + "trainer.maxIteration, seen = 4, {} trainer.hookIteration = function(self, n, loss) seen[n] = loss end "
        "examples = 0 trainer.hookExample = function(self, e) examples = examples + e[1]:nElement() end "
        "trainer:train(data)"
    )
    weight, bias, losses = by_hand(4, 0.1)
    assert nn.execute("return m.weight[1][1], m.bias[1]") == pytest.approx((weight, bias), rel=1e-12)
    assert nn.globals["seen"] == pytest.approx(losses, rel=1e-12)
    assert nn.globals["examples"] == 8
    lines = [line.rstrip() for line in capfd.readouterr().out.splitlines()]
    assert lines[0] == "# StochasticGradient: training"
    assert lines[1] == "# StochasticGradient: you have reached the maximum number of iterations"
    assert float(lines[2].removeprefix("# training error = ")) == pytest.approx(losses[-1], rel=1e-12)


def test_its_rate_decays(nn: Runtime) -> None:
    nn.execute(DATA + "trainer.maxIteration, trainer.learningRateDecay = 3, 0.5 trainer:train(data)")
    weight, bias, _ = by_hand(3, 0.1, 0.5)
    assert nn.execute("return m.weight[1][1], m.bias[1]") == pytest.approx((weight, bias), rel=1e-12)


def test_its_order_is_a_permutation_of_the_stream(nn: Runtime) -> None:
    """One of all examples, drawn at the beginning."""
    nn.execute(
        """
        data, order = {}, {}
        for i = 1, 6 do data[i] = {torch.Tensor{i}, torch.Tensor{0}} end
        function data:size() return 6 end
        trainer = nn.StochasticGradient(nn.Linear(1, 1), nn.MSECriterion())
        trainer.maxIteration, trainer.verbose, trainer.learningRate = 2, false, 0
        trainer.hookExample = function(self, e) order[#order + 1] = e[1][1] end
        torch.manualSeed(5)
        trainer:train(data)
        torch.manualSeed(5)
        wanted = torch.randperm(6):totable()
        """
    )
    wanted: Any = nn.globals["wanted"]
    assert nn.globals["order"] == wanted + wanted
    assert sorted(wanted) == [1, 2, 3, 4, 5, 6]


class TestLentMethods:
    """``nn.Module.getParameters(criterion)``: methods of modules on other objects that have what these use."""

    CRITERION = """
    require 'nn'
    local Loss, parent = torch.class('nn.LinearLoss', 'nn.Criterion')
    function Loss:__init()
       parent.__init(self)
       self.net, self.loss = nn.Linear(3, 2), nn.MSECriterion()
    end
    function Loss:parameters() return self.net:parameters() end
    function Loss:getParameters() return nn.Module.getParameters(self) end
    function Loss:clone(...) return nn.Module.clone(self, ...) end
    function Loss:share(other, ...) self.net:share(other.net, ...) return self end
    loss = nn.LinearLoss()
    p, g = loss:getParameters()
    """

    @pytest.mark.parametrize("more", ["", "require 'dpnn'", "require 'rnn'"])
    def test_parameters_of_a_criterion(self, more: str) -> None:
        with Runtime() as runtime:
            runtime.execute(more + self.CRITERION)
            assert runtime.execute("p:fill(2) return p:size(1), loss.net.weight:sum(), loss.net.bias[2]") == (
                8,
                12,
                2,
            )
            assert runtime.execute("loss.net.gradBias:fill(3) return g[7], g[8]") == (3, 3)
            # a module's own way is as before
            assert runtime.execute("local q = nn.Linear(2, 1):getParameters() return q:size(1)") == 3

    def test_a_copy(self) -> None:
        with Runtime() as runtime:
            runtime.execute(self.CRITERION)
            runtime.execute("copy, shared = loss:clone(), loss:clone('weight', 'bias')")
            runtime.execute("p:fill(5)")
            assert runtime.execute("return torch.type(copy), copy.net.bias[1] == 5, shared.net.bias[1]") == (
                "nn.LinearLoss",
                False,
                5,
            )

    def test_an_object_of_another_class(self) -> None:
        with Runtime() as runtime:
            runtime.execute(
                """require 'nn'
                local P = torch.class('Pair')
                function P:__init() self.a = nn.Linear(1, 1) end
                function P:parameters() return self.a:parameters() end
                pair = Pair()
                p = nn.Module.getParameters(pair)
                copy = nn.Module.clone(pair)"""
            )
            assert runtime.execute("p:fill(4) return pair.a.weight[1][1], copy.a.weight[1][1] == 4") == (
                4,
                False,
            )
