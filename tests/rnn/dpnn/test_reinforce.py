"""The REINFORCE layers against the derivative of the log probability, as PyTorch's distributions have it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.distributions import Bernoulli, Gamma, Normal

from tests.nn.faces import values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.rnn.dpnn.reinforce import (
    Reinforce,
    ReinforceBernoulli,
    ReinforceCategorical,
    ReinforceGamma,
    ReinforceNormal,
)

REWARDS = torch.tensor([1.5, -2.0, 0.25], dtype=torch.float64)
MEANS = values(3, 4)
POSITIVE = values(3, 4, start=0.9).abs() + 0.2
SHARES = values(3, 4).softmax(1)
VECTOR = torch.tensor([0.5, 1.0, 1.5, 2.0], dtype=torch.float64)

# layer, its input, the distribution of that input, how closely the layer follows it
CASES: dict[str, tuple[Callable[[], Reinforce], Any, Callable[..., Any] | None, float]] = {
    "Bernoulli": (ReinforceBernoulli, SHARES, lambda p: Bernoulli(p, validate_args=False), 1e-12),
    "Categorical": (ReinforceCategorical, SHARES, None, 1e-6),
    "Normal": (lambda: ReinforceNormal(0.7), MEANS, lambda m: Normal(m, 0.7), 1e-12),
    "Normal of a tensor": (lambda: ReinforceNormal(POSITIVE), MEANS, lambda m: Normal(m, POSITIVE), 1e-12),
    "Normal of a vector": (lambda: ReinforceNormal(VECTOR), MEANS, lambda m: Normal(m, VECTOR), 1e-12),
    "Normal of both": (ReinforceNormal, [MEANS, POSITIVE], lambda m, s: Normal(m, s), 1e-5),
    "Gamma": (lambda: ReinforceGamma(2), POSITIVE, lambda k: Gamma(k, 0.5), 1e-12),
    "Gamma of a vector": (lambda: ReinforceGamma(VECTOR), POSITIVE, lambda k: Gamma(k, 1 / VECTOR), 1e-12),
    "Gamma of both": (ReinforceGamma, [POSITIVE, SHARES], lambda k, s: Gamma(k, 1 / s), 1e-12),
}


def copies(given: Any) -> list[torch.Tensor]:
    return [t.clone() for t in (given if isinstance(given, list) else [given])]


@pytest.mark.parametrize("name", CASES)
def test_the_gradient_is_that_of_the_rewarded_log_probability(name: str) -> None:
    make, given, distribution, tolerance = CASES[name]
    layer = make()
    output = layer.updateOutput(given).clone()
    layer.reinforce(REWARDS)
    gradient = layer.updateGradInput(given, torch.empty(0))
    leaves = [t.requires_grad_() for t in copies(given)]
    if distribution is None:
        log_probability = (leaves[0].log() * output).sum(1, keepdim=True)  # each share is free
    else:
        log_probability = distribution(*leaves).log_prob(output)
    loss = -(log_probability * REWARDS.view(-1, 1)).sum()
    expected = torch.autograd.grad(loss, leaves)
    found = gradient if isinstance(gradient, list) else [gradient]
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", CASES)
def test_pytorch_s_backward_is_the_same(name: str) -> None:
    make, given, _, _ = CASES[name]
    layer = make()
    leaves = [t.requires_grad_() for t in copies(given)]
    layer.reinforce(REWARDS)
    sample = layer(leaves if isinstance(given, list) else leaves[0])
    sample.sum().backward()
    layer.keep("output", sample.detach())
    expected = layer.updateGradInput(given, torch.empty(0))
    for leaf, gradient in zip(leaves, expected if isinstance(given, list) else [expected], strict=True):
        assert leaf.grad is not None
        assert torch.equal(leaf.grad, gradient)


def test_expected_gradient_of_the_normal() -> None:
    """E[-r dlogp/dm] of the reward r = -(x - t)^2 is 2 (m - t), that of the squared error's mean."""
    count, mean, target = 200_000, 0.5, 1.0
    layer = ReinforceNormal(0.4)
    means = torch.full((count,), mean, dtype=torch.float64)
    output = layer.updateOutput(means)
    layer.reinforce(-(output - target).square())
    estimate = layer.updateGradInput(means, means).mean().item()
    assert estimate == pytest.approx(2 * (mean - target), abs=0.02)


@pytest.mark.parametrize(
    ("make", "draws"),
    [
        ("nn.ReinforceNormal(0.3)", "torch.Tensor(4, 5):normal() * 0.3 + x"),
        (
            "nn.ReinforceNormal(torch.range(1, 5))",
            "torch.cmul(torch.Tensor(4, 5):normal(), torch.range(1, 5):view(1, 5):expand(4, 5)) + x",
        ),
        ("nn.ReinforceBernoulli()", "torch.lt(torch.Tensor(4, 5):uniform(), x):double()"),
        ("nn.ReinforceCategorical()", "torch.zeros(4, 5):scatter(2, torch.multinomial(x, 1), 1)"),
    ],
)
def test_the_order_of_draws(runtime: Runtime, make: str, draws: str) -> None:
    ours, expected = lua(
        runtime,
        f"""
        require 'dpnn'
        local m, x = {make}, torch.rand(4, 5)
        torch.manualSeed(8)
        local ours = m:forward(x):clone()
        torch.manualSeed(8)
        return ours, {draws}
        """,
    )
    assert torch.equal(ours, expected)


@pytest.mark.parametrize(
    ("make", "given", "expected"),
    [
        (ReinforceBernoulli, SHARES, SHARES),
        (ReinforceCategorical, SHARES, SHARES),
        (ReinforceNormal, [MEANS, POSITIVE], MEANS),
        (ReinforceGamma, [POSITIVE, SHARES], POSITIVE * SHARES),
    ],
)
def test_evaluation_draws_nothing(make: type[Reinforce], given: Any, expected: torch.Tensor) -> None:
    layer = make()
    layer.set_evaluate()
    assert torch.equal(layer.updateOutput(given), expected)
    arguments = [True] if make in (ReinforceBernoulli, ReinforceCategorical) else [None, True]
    layer = make(*arguments)
    layer.set_evaluate()
    assert not torch.equal(layer.updateOutput(given), expected)


def test_one_example(runtime: Runtime) -> None:
    gradient, expected = lua(
        runtime,
        """
        require 'dpnn'
        local m, x = nn.ReinforceNormal(0.5), torch.randn(6)
        local y = m:forward(x)
        m:reinforce(torch.Tensor{3})
        return m:backward(x, x), (x - y) * 3 / 0.25
        """,
    )
    torch.testing.assert_close(gradient, expected, rtol=1e-12, atol=1e-14)


def test_gamma_numbers_have_their_mean_and_variance() -> None:
    layer = ReinforceGamma(0.5)
    drawn = layer.updateOutput(torch.full((100_000,), 3.0, dtype=torch.float64))
    assert drawn.mean().item() == pytest.approx(1.5, abs=0.02)
    assert drawn.var().item() == pytest.approx(0.75, abs=0.03)


def test_a_reward_reaches_the_layers_inside(runtime: Runtime) -> None:
    inner, of_class, base = lua(
        runtime,
        """
        require 'dpnn'
        local mine = torch.class('nn.Mine', 'nn.Identity')
        local got
        function mine:reinforce(reward) got = reward:sum() end
        local deep = nn.ReinforceBernoulli()
        local m = nn.Sequential():add(nn.Linear(3, 4)):add(nn.ConcatTable():add(deep):add(nn.Mine()))
        m:forward(torch.ones(2, 3))
        m:reinforce(torch.Tensor{2, 3})
        local b = nn.Reinforce()
        b:reinforce(torch.Tensor{2, 3})
        b:forward(torch.ones(2, 2))
        return deep.reward:sum(), got, b:backward(torch.ones(2, 2), torch.ones(2, 2))
        """,
    )
    assert (inner, of_class) == (5, 5)
    assert base.tolist() == [[2, 2], [3, 3]]


ERRORS = {
    "m = nn.ReinforceNormal(1) x = torch.ones(2, 3) m:forward(x) m:backward(x, x)": (
        "nn.ReinforceNormal: a backward needs a reward, a vector, by reinforce(reward)"
    ),
    "m = nn.ReinforceNormal(1) x = torch.ones(2, 3) m:forward(x) m:reinforce(torch.ones(3)) m:backward(x, x)": (
        "nn.ReinforceNormal: there are 3 rewards for 2 examples"
    ),
    "m = nn.ReinforceNormal() m:forward(torch.ones(2, 3))": (
        "nn.ReinforceNormal: there is no stdev, for the constructor or in the input"
    ),
    "m = nn.ReinforceNormal() m:forward{torch.ones(2, 3), torch.ones(2, 2)}": (
        "nn.ReinforceNormal: the stdev is 2x2, not 2x3"
    ),
    "m = nn.ReinforceCategorical() m:forward(torch.ones(3))": (
        "nn.ReinforceCategorical: the input must be a matrix, not 3"
    ),
}


@pytest.mark.parametrize("code", ERRORS)
def test_errors(runtime: Runtime, code: str) -> None:
    runtime.execute("require 'dpnn'")
    assert lua_error(runtime, code) == ERRORS[code]
