"""The table of uses covers the register."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from tests.every_class import ABSTRACT, Use, identify, new_runtime, registry, uses
from tests.golden_cases import assert_close
from tests.inner_runtime import InnerRuntime as Runtime
from tests.together import together
from torch7py.bridge.errors import LuaError
from torch7py.nn.base import Criterion
from torch7py.nn.trace import leaves_of


@pytest.fixture(scope="module")
def shared() -> Iterator[Runtime]:
    runtime = new_runtime()
    yield runtime
    runtime.close()


TENSOR_LOSS = {"nn.SparseNLLCriterion"}  # whose loss is a tensor of one element


def test_every_class_has_a_use() -> None:
    used = {use.name for use in uses()}
    assert {cls.torch7_name for cls in registry().values()} == used | set(ABSTRACT)
    assert not used & set(ABSTRACT)


@together("use", uses(), identify)
def test_a_use_works(shared: Runtime, use: Use) -> None:
    made = use.make(shared)
    assert made.class_name == use.name
    assert isinstance(made, Criterion) == use.is_criterion
    shared.globals["x"] = use.input(shared)
    if use.is_criterion:
        shared.globals["t"] = use.target(shared)
        loss = shared.execute("return (m:forward(x, t))")
        assert isinstance(loss, torch.Tensor if use.name in TENSOR_LOSS else (int, float))
        assert list(leaves_of(shared.execute("return m:backward(x, t)")))
    else:
        output = shared.execute("return m:forward(x)")
        assert isinstance(output, float) or list(leaves_of(output))


def to_float(item: Any) -> Any:
    """Floating tensors in single precision; whole numbers, that is indices, as they are."""
    if isinstance(item, list):
        return [to_float(part) for part in item]
    return item.float() if isinstance(item, torch.Tensor) and item.is_floating_point() else item


def forward_and_backward(runtime: Runtime, use: Use, input: Any, target: Any) -> list[torch.Tensor]:
    """Output, gradInput and the parameters' gradients of the global ``m``."""
    runtime.globals["x"], runtime.globals["t"] = input, target
    if use.is_criterion:
        use.seeded(runtime, "y = m:forward(x, t) gi = m:backward(x, t)")
        return list(leaves_of(runtime.execute("return {torch.isTensor(y) and y or torch.Tensor{y}, gi}")))
    use.seeded(
        runtime,
        """
        m:zeroGradParameters()
        y = m:forward(x)
        if torch.type(m):find('^nn.Reinforce') then m:reinforce(y:select(2, 1):clone():fill(1)) end
        gi = m:backward(x, gradient(y))
        """,
    )
    return list(leaves_of(runtime.execute("return {y, gi, (select(2, m:parameters()) or {})}")))


NO_FLOAT = {
    "nn.DataParallelTable": "it is of a CUDA type",
    "nn.DontCast": "what is inside stays double",
    "nn.SpatialMaxUnpooling": "its pooling layer needs a forward in float first",
    "nn.VolumetricMaxUnpooling": "the same",
}


@together(
    "use", [u for u in uses() if u.name not in NO_FLOAT and not re.search("cudnn|cuda", u.expr)], identify
)
def test_float_is_close_to_double(shared: Runtime, use: Use) -> None:
    use.make(shared)
    double = [t.clone() for t in forward_and_backward(shared, use, use.input(shared), use.target(shared))]
    use.make(shared)
    shared.execute("m:float()")
    input, target = to_float(use.input(shared)), to_float(use.target(shared))
    single = forward_and_backward(shared, use, input, target)
    assert len(single) == len(double)
    for number, (ours, expected) in enumerate(zip(single, double, strict=True)):
        if expected.numel() and expected.abs().max() < 1e-14:  # 0 but for rounding
            assert ours.abs().max() < 1e-6
            continue
        assert_close(ours, expected, 1e-5, f"tensor {number}", 1)


def test_indices_do_not_survive_type(shared: Runtime) -> None:
    """They are whole numbers, which single or half precision may not hold: a forward must come first."""
    shared.execute(
        """
        p = nn.SpatialMaxPooling(2, 2, 2, 2)
        m = nn.Sequential():add(p):add(nn.SpatialMaxUnpooling(p))
        x = R(2, 3, 4, 6)
        y = m:forward(x):clone()
        m:float()
        single = m:forward(x:float()):double():csub(y):abs():max()
        m:double()
        """
    )
    assert shared.execute("return single") < 1e-6
    with pytest.raises(
        LuaError, match=r"^t\.lua:1: nn\.SpatialMaxUnpooling: the indices are a torch\.DoubleTensor"
    ):
        shared.execute("m:get(2):forward(y)", "=t.lua")
    with pytest.raises(
        LuaError, match=r"^t\.lua:1: nn\.SpatialMaxPooling: the indices are a torch\.DoubleTensor"
    ):
        shared.execute("p:backward(x, p.output)", "=t.lua")
