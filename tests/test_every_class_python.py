"""A layer made in Lua is a plain ``torch.nn.Module`` in Python: copied, pickled, saved, loaded and exported."""

from __future__ import annotations

import copy
import pickle
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from tests.every_class import Use, identify, layer_uses, new_runtime
from tests.inner_runtime import InnerRuntime as Runtime
from tests.together import together
from torch7py.nn.trace import leaves_of
from torch7py.ops import state

# What torch.export cannot take, and why.
NO_EXPORT = {
    "fbnn.SegSparseLinear": "the number of examples is a value",
    "inn.ROIPooling": "the regions are values",
    "nn.IndexLinear": "the sizes of the examples are values",
    "nn.LookupTableMaskZero": "a forward changes a row of the weight",
    "nn.NCEModule": "it draws random numbers",
    "nn.SoftMaxTree": "whether a target is in the tree is a value",
    "nn.SpatialFractionalMaxPooling": "it draws random numbers, in evaluation too",
    "nn.SpatialGlimpse": "the places to look at are values",
    "nn.SpatialMaxUnpooling": "it looks into another layer",
    "nn.TrimZero": "the number of rows is a value",
    "nn.VolumetricFractionalMaxPooling": "it draws random numbers, in evaluation too",
    "nn.VolumetricMaxUnpooling": "it looks into another layer",
}
# Layers whose backward depends on a call from Lua, so that there is no forward for PyTorch.
LUA_ONLY = "nn.RecurrentAttention"

# One of each class is exported, which takes long.
EXPORTED = list({use.name: use for use in reversed(layer_uses()) if use.name != LUA_ONLY}.values())
USES = [use for use in layer_uses() if use.name != LUA_ONLY]


@pytest.fixture(scope="module")
def shared() -> Iterator[Runtime]:
    runtime = new_runtime()
    yield runtime
    runtime.close()


def run(
    shared: Runtime, module: Any, input: Any, call: Callable[..., Any] | None = None
) -> list[torch.Tensor]:
    """What a module gives, from the beginning of a sequence and of the random stream."""
    if hasattr(module, "forget"):
        module.forget()
    shared.state.generator.manual_seed(3)
    with torch.no_grad(), state.use(shared.state):
        return [leaf.clone() for leaf in leaves_of((call or module)(copy.deepcopy(input)))]


def assert_same(ours: list[torch.Tensor], expected: list[torch.Tensor]) -> None:
    assert len(ours) == len(expected)
    for one, other in zip(ours, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)


@together("use", USES, identify)
def test_copied_and_pickled(shared: Runtime, use: Use) -> None:
    module, input = use.make(shared).eval(), use.input(shared)
    output = run(shared, module, input)
    for made in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert type(made) is type(module)
        assert list(made.state_dict()) == list(module.state_dict())
        assert not made.training
        assert_same(run(shared, made, input), output)
        mine = {p.data_ptr() for p in module.parameters() if p.numel()}
        assert mine.isdisjoint(p.data_ptr() for p in made.parameters())


@together("use", USES, identify)
def test_state(shared: Runtime, use: Use) -> None:
    """The names are a path of numbers, from 0, or of parts, then a field; a state loaded restores the output."""
    module, input = use.make(shared).eval(), use.input(shared)
    output = run(shared, module, input)
    saved = {name: value.clone() for name, value in module.state_dict().items()}
    assert all(re.fullmatch(r"([a-z_]\w*\.|\d+\.)*[a-z]\w*", name, re.I) for name in saved), list(saved)
    other = copy.deepcopy(module)
    for value in other.state_dict().values():
        value.zero_()
    other.load_state_dict(saved)
    assert_same(run(shared, other, input), output)
    assert {p.untyped_storage().data_ptr() for p in module.parameters()} >= {
        p.untyped_storage().data_ptr() for p in module.parameter_pairs()[0] if p.is_floating_point()
    }


@pytest.mark.sampled(10)
@pytest.mark.parametrize("use", EXPORTED, ids=identify)
def test_exported(shared: Runtime, use: Use, capfd: pytest.CaptureFixture[str]) -> None:
    module, input = use.make(shared).eval(), use.input(shared)
    output = run(shared, module, input)
    if hasattr(module, "forget"):
        module.forget()
    with state.use(shared.state), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, about attributes that a forward sets
        if use.name in NO_EXPORT:
            with pytest.raises(Exception, match=r"export|fake tensor|data-dependent|DispatchStub|Storage"):
                torch.export.export(module, (copy.deepcopy(input),))
            return
        exported = torch.export.export(module, (copy.deepcopy(input),)).module()
    found = run(shared, exported, input)
    assert len(found) == len(output)
    for one, other in zip(found, output, strict=True):
        single = other.dtype in (torch.float32, torch.float16)
        torch.testing.assert_close(one, other, rtol=1e-5 if single else 1e-11, atol=1e-6 if single else 1e-14)


def test_random_numbers_are_not_frozen_into_an_export(shared: Runtime) -> None:
    module = shared.execute("return nn.Dropout(0.5)")
    with pytest.raises(Exception, match="random numbers of Torch7's stream cannot be exported"):
        torch.export.export(module, (torch.ones(2, 3, dtype=torch.float64),))
