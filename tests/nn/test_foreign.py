"""Layers of PyTorch's in Torch7's containers, from Python and from Lua."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import torch

from torch7py import nn
from torch7py.bridge.runtime import Runtime
from torch7py.nn.foreign import PyTorch, as_layer
from torch7py.ops.errors import TorchError


def layer() -> Any:
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Tanh()).double()


def reference(module: torch.nn.Module, x: torch.Tensor, gradient: torch.Tensor) -> tuple[Any, ...]:
    """Output and gradients by PyTorch itself, on a copy."""
    module, x = copy.deepcopy(module), x.clone().requires_grad_()
    output = module(x)
    output.backward(gradient)
    return output.detach(), x.grad, [p.grad for p in module.parameters()]


def test_the_protocol_is_autograd() -> None:
    module, x, g = layer(), torch.randn(5, 3).double(), torch.randn(5, 4).double()
    output, input_gradient, gradients = reference(module, x, g)
    wrapped = as_layer(module)
    torch.testing.assert_close(wrapped.updateOutput(x), output)
    wrapped.zeroGradParameters()
    torch.testing.assert_close(wrapped.backward(x, g, 1), input_gradient)
    for p, expected in zip(module.parameters(), gradients, strict=True):
        torch.testing.assert_close(p.grad, expected)
    wrapped.accGradParameters(x, g, 0.5)
    for p, expected in zip(module.parameters(), gradients, strict=True):
        torch.testing.assert_close(p.grad, 1.5 * expected)
    before = [p.detach().clone() for p in module.parameters()]
    wrapped.updateParameters(0.1)
    for p, old, expected in zip(module.parameters(), before, gradients, strict=True):
        torch.testing.assert_close(p.detach(), old - 0.15 * expected)


def test_a_backward_of_another_input_leaves_statistics_alone() -> None:
    module, x, g = layer(), torch.randn(5, 3).double(), torch.randn(5, 4).double()
    wrapped = as_layer(module)
    wrapped.updateOutput(x)
    mean = module[1].running_mean.clone()
    other = x + 1
    wrapped.zeroGradParameters()
    torch.testing.assert_close(wrapped.backward(other, g, 1), reference(module, other, g)[1])
    assert torch.equal(module[1].running_mean, mean)


def test_in_a_container_from_python() -> None:
    module = layer()
    model = nn.Sequential(nn.Linear(2, 3), module, nn.Linear(4, 1))
    assert isinstance(model[1], PyTorch)
    assert as_layer(module) is model[1]
    assert as_layer(model) is model
    x = torch.randn(6, 2).double()
    by_graph = model(x)
    assert torch.equal(model.torch7_forward(x), by_graph)
    assert len(list(model.parameters())) == 8
    assert "1.module.0.weight" in model.state_dict()
    model.eval()
    assert not module.training
    model.train()
    assert module[1].training
    flat, gradients = model.getParameters()
    assert flat.numel() == gradients.numel() == sum(p.numel() for p in model.parameters())
    flat.zero_()
    assert not module[0].weight.any()


def test_types_and_copies() -> None:
    module = layer()
    model = nn.Sequential(module)
    model.torch7_type("torch.FloatTensor")
    assert {p.dtype for p in module.parameters()} == {torch.float32}
    assert module[1].num_batches_tracked.dtype == torch.int64
    assert model.torch7_forward(torch.randn(2, 3)).dtype == torch.float32
    model.double()
    assert module[1].running_mean.dtype == torch.float64
    twin = copy.deepcopy(model)
    assert twin[0].module is not module
    x = torch.randn(4, 3).double()
    assert torch.equal(twin.torch7_forward(x), model.torch7_forward(x))
    again = pickle.loads(pickle.dumps(model))
    torch.testing.assert_close(again(x), twin(x))
    model.clearState()
    model.reset()


class Two(torch.nn.Module):
    def forward(self, a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return a * b, a + b


def test_tables_are_arguments_and_results() -> None:
    a, b = torch.randn(3).double(), torch.randn(3).double()
    wrapped = as_layer(Two())
    output = wrapped.updateOutput([a, b])
    assert torch.equal(output[0], a * b)
    found = wrapped.updateGradInput([a, b], [torch.ones(3).double(), torch.ones(3).double()])
    torch.testing.assert_close(found, [b + 1, a + 1])
    assert wrapped.torch7_parameters() is None


def test_results_that_are_no_tensors() -> None:
    class Strange(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"x": x}

    with pytest.raises(TorchError, match="returned a dict"):
        as_layer(Strange()).updateOutput(torch.ones(1))
    with pytest.raises(TorchError, match=r"made of a torch\.nn\.Module"):
        PyTorch(5)  # type: ignore[arg-type]


def test_in_lua() -> None:
    module = layer()
    with Runtime(seed=1) as runtime:
        runtime.globals["layer"] = module
        assert runtime.globals["layer"] is module
        runtime.execute("""
            require 'nn'
            require 'optim'
            model = nn.Sequential():add(nn.Linear(2, 3)):add(layer):add(nn.Linear(4, 1))
            local x, y, c = torch.randn(20, 2), torch.randn(20, 1), nn.MSECriterion()
            local parameters, gradients = model:getParameters()
            for _ = 1, 30 do
               optim.sgd(function()
                  gradients:zero()
                  local loss = c:forward(model:forward(x), y)
                  model:backward(x, c:backward(model.output, y))
                  first, last = first or loss, loss
                  return loss, gradients
               end, parameters, {learningRate = 0.1})
            end
            model:evaluate()
            count = parameters:nElement()""")
        assert runtime.globals["last"] < 0.8 * runtime.globals["first"]
        assert not module.training
        assert runtime.globals["count"] == sum(p.numel() for p in runtime.globals["model"].parameters())
        assert runtime.execute("return torch.type(layer), torch.isTypeOf(layer, 'nn.Module')") == (
            "nn.PyTorch",
            True,
        )
        assert "BatchNorm1d(4" in runtime.execute("return tostring(layer)")
        clone = runtime.execute("return model:clone()")
        assert torch.equal(clone[1].module[0].weight, module[0].weight)
        assert clone[1].module is not module
        with pytest.raises(Exception, match=r"cannot be saved in a \.t7 file"):
            runtime.execute("torch.serialize(model)")
