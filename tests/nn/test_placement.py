"""Layers compute where their tensors are: no hidden operand on another device.

There need not be a GPU for this. The layer is made and run on PyTorch's ``meta`` device under a dispatch mode
that refuses to mix devices (plain ``meta`` accepts such mixtures without a word).
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tests.golden_cases import Case, identify, supported, value
from torch7py.bridge.runtime import Runtime

# What needs the values of its input, which meta tensors do not have.
READS_VALUES = (
    "LookupTable",
    "MaskedSelect",
    "Index",
    "OneHot",
    "SparseLinear",
    "BCECriterion",
    "CategoricalEntropy",
)

COPIES = {torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default, torch.ops.aten.copy.default}


class OneDevice(TorchDispatchMode):
    """Refuses operations whose tensors lie on several devices; 0-dim tensors and explicit copies are let through."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        leaves = tree_leaves((args, kwargs or {}))
        devices = {t.device.type for t in leaves if isinstance(t, torch.Tensor) and t.dim() > 0}
        if len(devices) > 1 and func not in COPIES:
            raise AssertionError(f"{func} mixes {sorted(devices)}")
        return func(*args, **(kwargs or {}))


def cases() -> list[dict[str, Any]]:
    found = supported("nn_modules") + supported("rnn_modules")
    return [
        case
        for case in found
        if not any(word in case["expr"] for word in READS_VALUES)
        and not case["input_expr"].startswith(("I(", "{I("))
        and "maskZero" not in case["expr"]
        and "gradOutput" in case
    ]


def to_meta(item: Any) -> Any:
    return [to_meta(part) for part in item] if isinstance(item, list) else item.to("meta")


@pytest.fixture
def meta() -> Any:
    runtime = Runtime(device="meta")
    yield runtime
    runtime.close()


@pytest.mark.parametrize("recorded", cases(), ids=identify)
def test_a_layer_stays_on_its_device(meta: Runtime, recorded: dict[str, Any]) -> None:
    case = Case(meta, recorded)
    case.make()
    module = meta.globals["m"]
    assert all(p.device.type == "meta" for p in module.parameters())
    given, gradient = to_meta(value(recorded["input"])), to_meta(value(recorded["gradOutput"]))
    from torch7py.ops import state

    with OneDevice(), state.use(meta.state), torch.no_grad():
        module.updateOutput(given)
        module.backward(given, gradient)


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
