"""``torch7py.detach``: a model for PyTorch's own tools."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

import torch7py
from tests.every_class import Use, identify, layer_uses, new_runtime
from tests.inner_runtime import InnerRuntime as Runtime
from tests.together import together
from torch7py.nn.object import TorchObject
from torch7py.nn.trace import leaves_of
from torch7py.ops import state

# Their backward, or forward, needs a call from Lua.
LUA_ONLY = "nn.RecurrentAttention"
NOT_FLATTENED = ("nn.IndexLinear",)  # its gradient has rows of its own
USES = list({use.name: use for use in reversed(layer_uses()) if use.name != LUA_ONLY}.values())

MODEL = """
require 'nn'
local features = nn.Sequential():add(nn.SpatialConvolution(2, 3, 3, 3)):add(nn.SpatialBatchNormalization(3))
features:add(nn.ReLU(true)):add(nn.SpatialMaxPooling(2, 2, 2, 2))
local head = nn.Concat(2):add(nn.Linear(12, 4)):add(nn.Sequential():add(nn.Linear(12, 3)):add(nn.Tanh()))
return nn.Sequential():add(features):add(nn.View(12)):add(head):add(nn.Linear(7, 2)):add(nn.LogSoftMax())
"""


@pytest.fixture(scope="module")
def shared() -> Iterator[Runtime]:
    runtime = new_runtime()
    yield runtime
    runtime.close()


def run(shared: Runtime, module: Any, input: Any) -> list[torch.Tensor]:
    if hasattr(module, "forget"):
        module.forget()
    shared.state.generator.manual_seed(3)
    with torch.no_grad(), state.use(shared.state):
        return [leaf.clone() for leaf in leaves_of(module(copy.deepcopy(input)))]


def flattened() -> Any:
    with Runtime(seed=1) as runtime:
        model = runtime.execute(MODEL)
        runtime.globals["m"] = model
        runtime.execute("p, g = m:getParameters()")
    return model


@together("use", USES, identify)
def test_it_computes_the_same_in_memory_of_its_own(shared: Runtime, use: Use) -> None:
    module = use.make(shared).eval()
    if use.name not in NOT_FLATTENED:
        module.getParameters()
    # A Sequential around it, so that what torch.nn has is put in its place.
    whole = torch7py.nn.Sequential(module).eval()
    input = use.input(shared)
    expected = run(shared, whole, input)
    detached = torch7py.detach(whole)
    for one, other in zip(run(shared, detached, input), expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-9, equal_nan=True)
    names = list(detached.state_dict())
    assert [name for name in names if "num_batches" not in name] == list(whole.state_dict())
    storages = [p.untyped_storage() for p in detached.parameters() if p.numel()]
    assert all(
        s.nbytes() == p.nbytes
        for s, p in zip(storages, (p for p in detached.parameters() if p.numel()), strict=True)
    )
    theirs = {p.untyped_storage().data_ptr() for p in module.parameters() if p.numel()}
    assert theirs.isdisjoint(s.data_ptr() for s in storages)


def test_a_flattened_model_is_saved(tmp_path: Path) -> None:
    model = flattened()
    x = torch.randn(3, 2, 6, 6, dtype=torch.float64)
    with pytest.raises(RuntimeError, match="no suitable name to keep"):
        safetensors.torch.save_model(model, str(tmp_path / "flat.safetensors"))
    detached = torch7py.detach(model)
    torch.testing.assert_close(detached.eval()(x), model.eval()(x))
    safetensors.torch.save_file(detached.state_dict(), tmp_path / "file.safetensors")
    safetensors.torch.save_model(detached, str(tmp_path / "model.safetensors"))
    other = torch7py.detach(model)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
    assert not any(safetensors.torch.load_model(other, tmp_path / "model.safetensors"))
    assert torch.equal(other.eval()(x), detached(x))


def test_the_layers_are_those_of_torch_nn_where_they_are_the_same() -> None:
    detached = torch7py.detach(flattened())
    kinds = [
        type(part).__module__.partition(".")[0] + "." + type(part).__name__ for part in detached.modules()
    ]
    assert kinds[:7] == [
        "torch.Sequential",
        "torch.Sequential",
        "torch.Conv2d",
        "torch.BatchNorm2d",
        "torch.ReLU",
        "torch.MaxPool2d",
        "torch7py.View",
    ]
    assert "torch.Linear" in kinds
    assert "torch7py.Concat" in kinds
    # What its own layers compute in training is learned as PyTorch's are.
    loss = detached.train()(torch.randn(3, 2, 6, 6, dtype=torch.float64))[:, 0].mean()
    loss.backward()
    assert all(p.grad is not None for p in detached.parameters())


def test_shared_weights_stay_one_parameter() -> None:
    with Runtime(seed=1) as runtime:
        model = runtime.execute(
            "require 'nn' a = nn.Linear(3, 3) b = a:clone('weight', 'bias', 'gradWeight', 'gradBias') "
            "m = nn.Sequential():add(a):add(nn.Tanh()):add(b) m:getParameters() return m"
        )
    detached = torch7py.detach(model)
    assert len(list(detached.parameters())) == 2
    assert detached[0].weight is detached[2].weight  # type: ignore[index]


def test_a_module_of_the_users_own() -> None:
    class Net(torch.nn.Module):
        def __init__(self, inner: Any) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, x: torch.Tensor) -> Any:
            return self.inner(x)

    detached: Any = torch7py.detach(Net(flattened()))
    assert type(detached) is Net
    assert not isinstance(detached.inner, TorchObject)


def test_what_is_no_model() -> None:
    with pytest.raises(torch7py.TorchError, match="detach expects a model, not int"):
        torch7py.detach(3)  # type: ignore[arg-type]
