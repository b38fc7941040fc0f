"""Layers compute where their tensors are: no hidden operand on another device.

There need not be a GPU for this. The layer is made and run on PyTorch's ``meta`` device under a dispatch mode
that refuses to mix devices (plain ``meta`` accepts such mixtures without a word).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tests.every_class import Use, criterion_uses, identify, layer_uses, new_runtime
from tests.inner_runtime import InnerRuntime as Runtime
from tests.together import together
from torch7py.bridge.errors import LuaError
from torch7py.ops import state
from torch7py.ops.errors import TorchError

# What asks for the values of a tensor, which meta tensors do not have.
READS_VALUES = {
    "fbnn.SegSparseLinear": "how many examples there are",
    "fbnn.SparseLinear": "which columns an example has",
    "inn.ROIPooling": "the places of the regions",
    "nn.ClassHierarchicalNLLCriterion": "the classes of the clusters",
    "nn.IndexLinear": "the number of elements of an example",
    "nn.LookupTable": "which rows are repeated, padding or too long",
    "nn.MaskZeroCriterion": "how many rows are not zeros",
    "nn.MaskedSelect": "the size of the output",
    "nn.NCEModule": "the table of aliases is made from the unigrams",
    "nn.SoftMaxTree": "the tree, and which of its nodes are parents",
    "nn.SparseLinear": "which columns an example has",
    "nn.TrimZero": "how many rows are not zeros",
}

COPIES = {torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default, torch.ops.aten.copy.default}


class OneDevice(TorchDispatchMode):
    """Refuses operations whose tensors lie on several devices; 0-dim tensors and explicit copies are let through.

    A number asked of a meta tensor, a loss, say, is 1, a truth value is false, two such tensors are equal.
    """

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        leaves = tree_leaves((args, kwargs or {}))
        devices = {t.device.type for t in leaves if isinstance(t, torch.Tensor) and t.dim() > 0}
        if len(devices) > 1 and func not in COPIES:
            raise AssertionError(f"{func} mixes {sorted(devices)}")
        if func is torch.ops.aten._local_scalar_dense.default and args[0].is_meta:
            return False if args[0].dtype == torch.bool else 1
        if func is torch.ops.aten.equal.default and args[0].is_meta:
            return True
        return func(*args, **(kwargs or {}))


def to_meta(item: Any) -> Any:
    if isinstance(item, list):
        return [to_meta(part) for part in item]
    return item.to("meta") if isinstance(item, torch.Tensor) else item


def like(output: Any) -> Any:
    """A gradient for an output."""
    if isinstance(output, list):
        return [like(part) for part in output]
    return torch.ones_like(output) if isinstance(output, torch.Tensor) else 1


@pytest.fixture
def meta() -> Iterator[Runtime]:
    runtime = Runtime(device="meta")
    yield runtime
    runtime.close()


@pytest.fixture(scope="module")
def everything_on_meta() -> Iterator[Runtime]:
    runtime = new_runtime(device="meta")
    yield runtime
    runtime.close()


@pytest.fixture(scope="module")
def everything() -> Iterator[Runtime]:
    runtime = new_runtime()
    yield runtime
    runtime.close()


def forms(value: Any) -> Any:
    """Type and sizes of each tensor in a value."""
    if isinstance(value, (list, tuple)):
        return [forms(part) for part in value]
    return (
        (value.dtype, tuple(value.shape)) if isinstance(value, torch.Tensor) else type(value) in (int, float)
    )


def run(module: Any, input: Any) -> Any:
    """Forward and backward; the forms of what comes out."""
    with torch.no_grad():
        output = module.updateOutput(input)
        seen = [forms(output)]
        if module.class_name.startswith("nn.Reinforce"):
            module.reinforce(torch.ones_like(output[:, 0]))
        gradient = module.backward(input, like(output))
        return [*seen, forms(gradient), forms(module.torch7_parameters())]


def of_values(uses: list[Use], reads: bool = False) -> list[Use]:
    return [use for use in uses if (use.name in READS_VALUES) == reads]


@pytest.mark.one_lua
@together("use", of_values(layer_uses()), identify)
def test_a_layer_stays_on_its_device(everything: Runtime, everything_on_meta: Runtime, use: Use) -> None:
    input = use.input(everything)
    on_meta = to_meta(input)
    with state.use(everything.state):
        expected = run(use.make(everything), input)
    module = use.make(everything_on_meta)
    assert all(p.device.type == "meta" for p in module.parameters())
    with OneDevice(), state.use(everything_on_meta.state):
        assert run(module, on_meta) == expected


@pytest.mark.parametrize("use", of_values(layer_uses(), True), ids=identify)
def test_a_layer_that_reads_values_does(everything: Runtime, everything_on_meta: Runtime, use: Use) -> None:
    """Those in the table do fail on ``meta``, and because there are no values."""
    given = to_meta(use.input(everything))
    no_values = (NotImplementedError, RuntimeError, TorchError, LuaError)
    about = "[Mm]eta|nonzero|sizes add up"
    with pytest.raises(no_values, match=about), OneDevice(), state.use(everything_on_meta.state):
        run(use.make(everything_on_meta), given)


@pytest.mark.one_lua
@together("use", of_values(criterion_uses()), identify)
def test_a_criterion_stays_on_its_device(everything: Runtime, everything_on_meta: Runtime, use: Use) -> None:
    input, target = use.input(everything), use.target(everything)
    on_meta, target_on_meta = to_meta(input), to_meta(target)
    with state.use(everything.state), torch.no_grad():
        criterion = use.make(everything)
        criterion.updateOutput(input, target)
        expected = forms(criterion.updateGradInput(input, target))
    criterion = use.make(everything_on_meta)
    with OneDevice(), state.use(everything_on_meta.state), torch.no_grad():
        criterion.updateOutput(on_meta, target_on_meta)
        assert forms(criterion.updateGradInput(on_meta, target_on_meta)) == expected


def test_the_mode_does_refuse() -> None:
    with OneDevice(), pytest.raises(AssertionError, match="mixes"):
        torch.mm(torch.ones(2, 2, device="meta"), torch.ones(2, 2))


def test_constructors_place_tensors(meta: Runtime) -> None:
    meta.execute("x = torch.Tensor(3) y = torch.zeros(2, 2) s = torch.FloatStorage(4)")
    assert meta.globals["x"].device.type == "meta"
    assert meta.globals["y"].device.type == "meta"
    assert meta.globals["s"].untyped.device.type == "meta"
    assert meta.execute("return torch.type(x)") == "torch.DoubleTensor"


def test_mixed_operands_come_together(meta: Runtime) -> None:
    meta.globals["c"] = torch.ones(3, dtype=torch.float64)
    with OneDevice():
        meta.execute("x = torch.Tensor(3) z = x + c x:add(c)")
        assert meta.globals["z"].device.type == "meta"
        assert meta.globals["x"].device.type == "meta"
        meta.execute("c:add(1, c)")
    assert meta.globals["c"].device.type == "cpu"


def test_a_gpu_that_is_not_there() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(Exception, match=r"^device cuda: PyTorch finds no CUDA GPU on this machine$"):
        Runtime(device="cuda")
