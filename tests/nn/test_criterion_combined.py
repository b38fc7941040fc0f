"""Criterions made of criterions: what the golden cases leave out."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from tests.nn.criterion_faces import assert_criterion
from tests.nn.faces import values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.nn.activation import Tanh
from torch7py.nn.criterion import AbsCriterion, MSECriterion
from torch7py.nn.criterion_class import ClassNLLCriterion
from torch7py.nn.criterion_combined import CriterionTable, ModuleCriterion, MultiCriterion, ParallelCriterion
from torch7py.nn.linear import Linear


def test_parallel() -> None:
    criterion: Any = ParallelCriterion().add(MSECriterion(), 0.5).add(ClassNLLCriterion())
    x = [values(3, 4), torch.log_softmax(values(2, 3), 1)]
    target = [values(3, 4, start=2), torch.tensor([3, 1])]
    found = assert_criterion(criterion, x, target)
    expected = 0.5 * F.mse_loss(x[0], target[0]) + F.nll_loss(x[1], target[1] - 1)
    assert found == pytest.approx(expected.item(), rel=1e-13)


def test_parallel_with_one_target() -> None:
    criterion: Any = ParallelCriterion(True).add(MSECriterion()).add(AbsCriterion(), 2)
    x, t = [values(3, 4), values(3, 4, start=1)], values(3, 4, start=2)
    found = assert_criterion(criterion, x, t)
    expected = F.mse_loss(x[0], t) + 2 * F.l1_loss(x[1], t)
    assert found == pytest.approx(expected.item(), rel=1e-13)


def test_parallel_of_tensors(runtime: Runtime) -> None:
    loss, gradient = lua(
        runtime,
        """
        local c = nn.ParallelCriterion():add(nn.ClassNLLCriterion(), 2):add(nn.ClassNLLCriterion())
        local x, t = torch.Tensor{{1, 2, 4}, {8, 16, 32}}, torch.Tensor{3, 2}
        return c:forward(x, t), c:backward(x, t)
        """,
    )
    assert loss == -(2 * 4 + 16)
    assert gradient.tolist() == [[0, 0, -2], [0, -1, 0]]


def test_multi_of_nested_tables() -> None:
    def inner() -> Any:
        return ParallelCriterion().add(MSECriterion()).add(AbsCriterion())

    criterion: Any = MultiCriterion().add(inner(), 2).add(inner(), 0.5)
    x, t = [values(3), values(2, start=1)], [values(3, start=2), values(2, start=3)]
    found = assert_criterion(criterion, x, t)
    assert found == pytest.approx(2.5 * (F.mse_loss(x[0], t[0]) + F.l1_loss(x[1], t[1])).item(), rel=1e-13)


def test_inputs_without_a_criterion_have_no_gradient(runtime: Runtime) -> None:
    first, second, same = lua(
        runtime,
        """
        local c = nn.ParallelCriterion():add(nn.AbsCriterion(false))
        local x, t = {torch.ones(2), torch.ones(3)}, {torch.zeros(2), torch.zeros(3)}
        local d = c:backward(x, t)
        return d[1], d[2], rawequal(d, c:backward(x, t))
        """,
    )
    assert first.tolist() == [1, 1]
    assert second.tolist() == [0, 0, 0]
    assert same


def test_fields_are_tables_of_the_script(runtime: Runtime) -> None:
    found = lua(
        runtime,
        """
        local c, m = nn.ParallelCriterion(), nn.MultiCriterion()
        table.insert(c.criterions, nn.MSECriterion())
        table.insert(c.weights, 3)
        m.criterions[1] = nn.MSECriterion()
        m.weights:resize(1):fill(5)
        local x, t = torch.ones(2), torch.zeros(2)
        return c:forward({x}, {t}), m:forward(x, t), torch.type(m.weights), #c.criterions
        """,
    )
    assert found == (3, 5, "torch.DoubleStorage", 1)


def test_type_reaches_the_criterions_inside(runtime: Runtime) -> None:
    found = lua(
        runtime,
        """
        local c = nn.MultiCriterion():add(nn.ClassNLLCriterion(torch.ones(2)))
        local p = nn.ParallelCriterion():add(c):float()
        return torch.type(c.criterions[1].weights), torch.type(c.weights)
        """,
    )
    assert found == ("torch.FloatTensor", "torch.DoubleStorage")


def test_criterion_table(runtime: Runtime) -> None:
    loss, gradient, without = lua(
        runtime,
        """
        local m, x, t = nn.CriterionTable(nn.MSECriterion()), torch.Tensor{1, 3}, torch.zeros(2)
        local loss, d = m:forward{x, t}, m:backward{x, t}
        return loss, d[1], nn.CriterionTable(nn.L1Cost()):forward{x}
        """,
    )
    assert (loss, without) == (5, 4)
    assert gradient.tolist() == [1, 3]
    x = values(3).requires_grad_()
    CriterionTable(MSECriterion())([x, values(3, start=2)]).backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, (x.data - values(3, start=2)) * 2 / 3)


@pytest.mark.parametrize("target_module", [None, Tanh])
def test_module_criterion(target_module: Any) -> None:
    layer = Linear(4, 3)
    made = None if target_module is None else target_module()
    x, t = values(5, 4), values(5, 3, start=2)
    found = assert_criterion(ModuleCriterion(MSECriterion(), layer, made), x, t)
    output = F.linear(x, layer.weight, layer.bias)
    assert found == pytest.approx(F.mse_loss(output, t if made is None else t.tanh()).item(), rel=1e-13)


def test_module_criterion_says_that_nothing_is_learned(
    runtime: Runtime, capfd: pytest.CaptureFixture[str]
) -> None:
    lua(
        runtime,
        "nn.ModuleCriterion(nn.MSECriterion(), nn.Linear(2, 2)) "
        "nn.ModuleCriterion(nn.MSECriterion(), nn.Tanh())",
    )
    assert capfd.readouterr().out == "Warning: nn.ModuleCriterion doesn't support parameter updates\t\n"


def test_module_criterion_leaves_the_target_module_alone(runtime: Runtime) -> None:
    found = lua(
        runtime,
        """
        local function types(cast)
           local c = nn.ModuleCriterion(nn.MSECriterion(), nn.Tanh(), nn.Sigmoid(), cast):float()
           return c.inputModule:type() .. ' ' .. c.targetModule:type()
        end
        return types(nil), types(false)
        """,
    )
    assert found == ("torch.FloatTensor torch.FloatTensor", "torch.FloatTensor torch.DoubleTensor")


@pytest.mark.one_runtime
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("nn.MultiCriterion():add(nn.Tanh())", "nn.MultiCriterion:add expects a criterion"),
        ("nn.CriterionTable(nn.Tanh())", "nn.CriterionTable expects a criterion"),
        ("nn.ModuleCriterion(nn.Tanh())", "nn.ModuleCriterion expects a criterion"),
        (
            "nn.ParallelCriterion():add(nn.MSECriterion()):forward(torch.ones(1), {torch.ones(1)})",
            "nn.ParallelCriterion expects a table of 1 inputs",
        ),
        (
            (
                "nn.ParallelCriterion():add(nn.MSECriterion()):add(nn.MSECriterion()):forward({torch.ones(1),"
                " torch.ones(1)}, {torch.ones(1)})"
            ),
            "nn.ParallelCriterion expects a table of 2 targets",
        ),
        (
            "nn.CriterionTable(nn.MSECriterion()):forward(torch.ones(2))",
            "nn.CriterionTable: the input must be a table of input and target",
        ),
        (
            "nn.ModuleCriterion(nn.MSECriterion(), nn.Tanh()):backward(torch.ones(2), torch.ones(2))",
            "nn.ModuleCriterion: a backward without a forward",
        ),
    ],
)
def test_errors(runtime: Runtime, code: str, expected: str) -> None:
    assert lua_error(runtime, code) == expected
