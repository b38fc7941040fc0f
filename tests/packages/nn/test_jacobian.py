"""nn.Jacobian: what it gives, and what it calls."""

from __future__ import annotations

import pytest
import torch

from tests.nn.faces import values
from torch7py.bridge.runtime import Runtime


def test_both_ways_give_the_derivative(runtime: Runtime) -> None:
    runtime.globals["x"] = values(2, 3)
    of_input, of_weight, by_differences, weight = runtime.execute(
        """
        require 'nn'
        local m = nn.Linear(3, 2)
        local j = nn.Jacobian
        return j.backward(m, x), j.backward(m, x, m.weight, m.gradWeight), j.forward(m, x), m.weight
        """
    )
    for row in range(2):
        block = of_input.view(2, 3, 2, 2)[row, :, row]
        torch.testing.assert_close(block, weight.data.t(), rtol=0, atol=0)
        of_row = of_weight.view(2, 3, 2, 2)[:, :, row]
        torch.testing.assert_close(of_row, torch.einsum("oq,i->oiq", torch.eye(2), values(2, 3)[row]))
    torch.testing.assert_close(by_differences, of_input, rtol=0, atol=1e-8)
    assert of_input.is_contiguous()


@pytest.mark.parametrize("layer", ["nn.Euclidean(3, 4)", "nn.WeightedEuclidean(3, 4)"])
def test_parameters_whose_gradient_is_made_of_what_update_grad_input_keeps(
    runtime: Runtime, layer: str
) -> None:
    runtime.execute("require 'nn'")
    error = runtime.execute(
        f"""
        local m, x = {layer}, torch.randn(3)
        local back = nn.Jacobian.backward(m, x, m.weight, m.gradWeight)
        return (back - nn.Jacobian.forward(m, x, m.weight)):abs():max()
        """
    )
    assert error < 1e-6


def test_what_is_seen_afterwards_is_of_the_last_column(runtime: Runtime) -> None:
    runtime.globals["x"] = values(3)
    of_weight, of_bias, of_input, weight = runtime.execute(
        """
        require 'nn'
        local m = nn.Linear(3, 2)
        nn.Jacobian.backward(m, x)
        local w, b = m.gradWeight:clone(), m.gradBias:clone()
        nn.Jacobian.backward(m, x, m.bias, m.gradBias)
        return w, b, m.gradInput, m.weight
        """
    )
    torch.testing.assert_close(of_weight, torch.stack([torch.zeros(3).double(), values(3)]), rtol=0, atol=0)
    assert of_bias.tolist() == [0, 1]
    torch.testing.assert_close(of_input, weight.data[1], rtol=0, atol=0)


@pytest.mark.parametrize(
    "model",
    [
        "nn.Counting(3, 2)",  # a script's class
        "patched",  # a method of one object
        "nn.Sequential():add(nn.Counting(3, 2))",
    ],
)
def test_methods_of_a_script_are_called_for_every_column(runtime: Runtime, model: str) -> None:
    calls = runtime.execute(
        f"""
        require 'nn'
        local calls = 0
        local Counting, parent = torch.class('nn.Counting', 'nn.Linear')
        function Counting:accGradParameters(...) calls = calls + 1 return parent.accGradParameters(self, ...) end
        local patched = nn.Linear(3, 2)
        function patched.accGradParameters(self, ...) calls = calls + 1 return parent.accGradParameters(self, ...) end
        nn.Jacobian.backward({model}, torch.randn(4, 3))
        return calls
        """
    )
    assert calls == 8


def test_a_layer_that_counts_its_backwards_is_called_for_every_column(runtime: Runtime) -> None:
    # nn.SpatialDepthWiseConvolution mixes up its gradients at every second call.
    same = runtime.execute(
        """
        require 'nn'
        local x = torch.randn(2, 3, 3)
        local a = nn.SpatialDepthWiseConvolution(2, 2, 2, 2)
        local b = a:clone()
        nn.Jacobian.backward(a, x)
        local gradOutput = b:forward(x):clone()
        for i = 1, gradOutput:nElement() do
           gradOutput:zero():view(-1)[i] = 1
           b:zeroGradParameters()
           b:updateGradInput(x, gradOutput)
           b:accGradParameters(x, gradOutput)
        end
        return (a.gradWeight - b.gradWeight):abs():max(), a.gradWeight:abs():max()
        """
    )
    assert same[0] == 0
    assert same[1] > 0
