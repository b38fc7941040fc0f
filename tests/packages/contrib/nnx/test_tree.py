"""SoftMaxTree beside the Linear and LogSoftMax of each parent, and what it says of its parameters."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.ops.errors import TorchError
from torch7py.packages.contrib.nnx.tree import SoftMaxTree

INPUTS, ROOT = 4, 9
FAMILIES = {9: [1, 10, 2], 1: [3, 4], 2: [5, 6, 7, 8]}
PATHS = {10: [(9, 1)], 4: [(1, 1), (9, 0)], 5: [(2, 0), (9, 2)], 8: [(2, 3), (9, 2)]}
TARGETS = [4, 10, 8, 8, 5]


def draw(*size: int, seed: int = 5) -> torch.Tensor:
    return torch.randn(*size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def tree(**options: Any) -> SoftMaxTree:
    hierarchy = {parent: torch.tensor(children, dtype=torch.int32) for parent, children in FAMILIES.items()}
    return SoftMaxTree(INPUTS, hierarchy, ROOT, **options)


def batch() -> list[torch.Tensor]:
    return [draw(len(TARGETS), INPUTS), torch.tensor(TARGETS, dtype=torch.int32)]


def likelihoods(weight: torch.Tensor, bias: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """By the definition, node after node."""
    first, rows = 0, {}
    for parent, children in FAMILIES.items():
        rows[parent] = slice(first, first + len(children))
        first += len(children)
    found = []
    for example, target in zip(x, TARGETS, strict=True):
        steps = [
            (weight[rows[parent]] @ example + bias[rows[parent]]).log_softmax(0)[place]
            for parent, place in PATHS[target]
        ]
        found.append(torch.stack(steps).sum())
    return torch.stack(found)


def test_output_and_gradients() -> None:
    module, (x, target), g = tree(), batch(), draw(len(TARGETS), seed=6)
    leaves = [t.clone().requires_grad_() for t in (x, module.weight.data, module.bias.data)]
    wanted = likelihoods(leaves[1], leaves[2], leaves[0])
    gradients = torch.autograd.grad((wanted * g).sum(), leaves)
    module.zeroGradParameters()
    torch.testing.assert_close(module.updateOutput([x, target]), wanted.detach(), rtol=0, atol=1e-13)
    torch.testing.assert_close(module([x, target]), wanted.detach(), rtol=0, atol=1e-13, check_stride=False)
    for passes in (1, 2):
        module.updateOutput([x, target])  # a backward makes gradients of what a forward kept
        of_x, of_target = module.backward([x, target], g, 0.5)
        torch.testing.assert_close(of_x, gradients[0], rtol=0, atol=1e-13)
        assert torch.equal(of_target, torch.zeros_like(target))
        for name, known in (("weight", gradients[1]), ("bias", gradients[2])):
            torch.testing.assert_close(module.gradient(name), passes / 2 * known, rtol=0, atol=1e-13)
        assert module.updates == {9: 2.5 * passes, 1: 0.5 * passes, 2: 1.5 * passes}


def test_the_leaves_are_a_distribution() -> None:
    module, leaves = tree(), [3, 4, 5, 6, 7, 8, 10]
    x = draw(1, INPUTS).expand(len(leaves), INPUTS)
    total = module.updateOutput([x, torch.tensor(leaves, dtype=torch.int32)]).exp().sum()
    torch.testing.assert_close(total, torch.ones((), dtype=torch.float64))


def test_only_what_was_used_is_moved() -> None:
    module = tree()
    x, target = draw(2, INPUTS), torch.tensor([4, 10], dtype=torch.int32)
    before = module.weight.data.clone()
    module.updateOutput([x, target])
    module.backward([x, target], torch.ones(2, dtype=torch.float64))
    parameters, gradients, _, size = module.torch7_parameters()
    assert set(parameters) == set(gradients) == {9, 1, 9 + 9, 1 + 9}
    assert size == 2 * 9
    module.updateParameters(0.1)
    moved = (module.weight.data != before).any(1).tolist()
    assert moved == [True] * 5 + [False] * 4
    momentum = module.momentumGradParameters()
    assert set(momentum) == set(parameters)
    buffer: Any = module.gradient("weight")
    wanted = 0.1 * buffer.clone()
    module.updateGradParameters(0.9)
    torch.testing.assert_close(buffer, wanted, rtol=1e-12, atol=0)
    torch.testing.assert_close(module.momGradParams[0], wanted, rtol=1e-12, atol=0)
    module.zeroGradParameters()
    assert module.updates == {}
    assert set(module.torch7_parameters()[0]) == {9, 1, 2, 18, 10, 11}
    loose = tree(static=False)
    assert loose.torch7_parameters()[0] == [loose.weight, loose.bias]


@pytest.mark.parametrize(
    ("root", "parents", "static", "expected"),
    # What nnx gave of the model that is new, and of the one that has made a step: how many tensors, and in a vector.
    [
        (1, [2, 3, 4], True, [10, 4, 24]),
        (50, [1, 2, 3], True, [5, 3, 15]),
        (50, [7, 9, 5], True, [2, 2, 9]),
        (50, [1, 2, 3], False, [4, 6, 29]),
    ],
)
def test_a_container_counts_them_as_a_list(
    runtime: Runtime, root: int, parents: list[int], static: bool, expected: list[int]
) -> None:
    numbers, is_static = ", ".join(map(str, parents)), str(static).lower()
    found = lua(
        runtime,
        f"""
        require 'nnx'
        local hierarchy, leaf = {{[{root}] = torch.IntTensor{{{numbers}}}}}, 100
        for _, parent in ipairs{{{numbers}}} do
           hierarchy[parent] = torch.IntTensor{{leaf, leaf + 1}}
           leaf = leaf + 2
        end
        local tree = nn.SoftMaxTree(3, hierarchy, {root}, nil, {is_static})
        local pair = nn.ParallelTable():add(nn.Linear(2, 3)):add(nn.Identity())
        local m = nn.Sequential():add(pair):add(tree)
        local before = #m:parameters()
        local x = {{torch.randn(2, 2), torch.IntTensor{{100, 101}}}}
        m:forward(x)
        m:backward(x, torch.ones(2))
        return {{before, #m:parameters(), m:getParameters():size(1)}}
        """,
    )
    assert found == expected


def test_norms_and_without_gradients() -> None:
    module = tree()
    module.weight.data.fill_(1)
    module.maxNorm(1)
    torch.testing.assert_close(module.weight.data.norm(dim=1), torch.ones(9).double(), rtol=1e-6, atol=0)
    alone, (x, target) = tree(accUpdate=True), batch()
    before, g = alone.weight.data.clone(), torch.ones(len(TARGETS), dtype=torch.float64)
    alone.updateOutput([x, target])
    leaf, bias = before.clone().requires_grad_(), alone.bias.data.clone()
    (gradient,) = torch.autograd.grad(likelihoods(leaf, bias, x).sum(), leaf)
    alone.backwardUpdate([x, target], g, 0.5)
    torch.testing.assert_close(alone.weight.data, before - 0.5 * gradient, rtol=0, atol=1e-13)
    with pytest.raises(TorchError, match="accUpdate"):
        alone.updateParameters(0.1)


def test_errors() -> None:
    module, (x, target) = tree(), batch()
    for wrong, message in (
        ([x], "batch and its targets"),
        ([x[:, 1:], target], "must be"),
        ([x, target[1:]], "4 targets for 5"),
        ([x, target + 5], "no parent in the tree"),
        ([x, torch.full_like(target, ROOT)], "node 9 has no parent"),
    ):
        with pytest.raises(TorchError, match=message):
            module.updateOutput(wrong)
    with pytest.raises(TorchError, match="no path from node 3"):
        SoftMaxTree(2, {1: torch.tensor([2, 4]), 3: torch.tensor([5])}, 1)
    with pytest.raises(TorchError, match="no children"):
        module.getNodeParameters(4)


def test_in_a_script(runtime: Runtime) -> None:
    found = lua(
        runtime,
        """
        require 'nnx'
        torch.manualSeed(3)
        local m = nn.SoftMaxTree(4, {torch.IntTensor{2, 3}, torch.IntTensor{4, 5, 6}}, 1)
        torch.manualSeed(3)
        local s = 1 / math.sqrt(5 * 4)
        local drawn = torch.Tensor(5, 4):uniform(-s, s)
        local x, t = torch.randn(2, 4), torch.IntTensor{4, 3}
        local loss = nn.TreeNLLCriterion()
        local y = m:forward{x, t}
        loss:forward(y, t)
        m:zeroGradParameters()
        local back = m:backward({x, t}, loss:backward(y, t))
        local params, grads, scales, size = m:parameters()
        local node = m:getNodeParameters(2)
        m:float()
        return (m.weight:double() - drawn):abs():max(), torch.type(back[2]), m.updates[1], m.updates[2], size,
            params[2]:size(1), params[2 + 2]:size(1), node[1]:size(1), torch.type(m.childParent)
        """,
    )
    assert found[0] < 1e-7
    assert found[1:] == ("torch.IntTensor", 2, 1, 10, 3, 3, 3, "torch.IntTensor")
    assert "2 targets for 1" in lua_error(
        runtime,
        "require 'nnx' nn.SoftMaxTree(2, {torch.IntTensor{2, 3}}, 1):forward{torch.ones(1, 2), torch.IntTensor{2, 3}}",
    )
