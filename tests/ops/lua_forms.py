"""Running operations from Lua and checking every form in which they can be called."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime
from torch7py.ops.memory import Storage
from torch7py.ops.registry import operations

TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5, torch.float16: 1e-3}


def lua(runtime: Runtime, source: str, **values: Any) -> Any:
    """What a piece of Lua returns, with ``values`` as globals."""
    for name, value in values.items():
        runtime.globals[name] = value
    return runtime.execute(source)


def assert_tensor(actual: Any, expected: Any, dtype: torch.dtype) -> None:
    """A tensor of this type, this shape and these elements: exactly, or to rounding for floating types."""
    assert isinstance(actual, torch.Tensor), actual
    assert actual.dtype == dtype
    expected = np.asarray(expected)
    assert tuple(actual.shape) == expected.shape
    if dtype.is_floating_point:
        tolerance = TOLERANCE[dtype]
        np.testing.assert_allclose(actual.numpy(), expected, rtol=tolerance, atol=tolerance)
    else:
        np.testing.assert_array_equal(actual.numpy(), expected)


def layouts(values: torch.Tensor) -> list[torch.Tensor]:
    """The same matrix contiguous, transposed in memory, and inside of a larger one."""
    rows, columns = values.shape
    inside = torch.zeros(rows + 2, 2 * columns, dtype=values.dtype)[1:-1, ::2]
    inside.copy_(values)
    return [values.clone(), values.t().contiguous().t(), inside]


def check_update(
    runtime: Runtime, name: str, arguments: str, x: torch.Tensor, expected: Any, **values: Any
) -> None:
    """The four forms of an operation that changes its receiver; ``x`` is a matrix."""
    call = f", {arguments}" if arguments else ""
    for src in layouts(x):
        before = src.clone()
        result = lua(runtime, f"return torch.{name}(x{call})", x=src, **values)
        assert_tensor(result, expected, x.dtype)
        for form in (f"torch.{name}(out, x{call})", f"out:{name}(x{call})"):
            out = torch.zeros(7, dtype=x.dtype)
            assert lua(runtime, f"return rawequal(out, {form})", x=src, out=out) is True
            assert_tensor(out, expected, x.dtype)
        assert torch.equal(src, before)
        assert lua(runtime, f"return rawequal(x, x:{name}({arguments}))", x=src) is True
        assert_tensor(src, expected, x.dtype)


def check_query(
    runtime: Runtime,
    name: str,
    arguments: str,
    x: torch.Tensor,
    *expected: tuple[Any, torch.dtype],
    **values: Any,
) -> None:
    """The four forms of an operation that leaves its receiver as it is; ``x`` is a matrix."""
    call = f", {arguments}" if arguments else ""
    outs = ", ".join(f"out{i}" for i in range(len(expected)))
    gives_last = any(case.gives_last for case in operations[name].cases)
    for src in layouts(x):
        before = src.clone()
        for form in (f"torch.{name}(x{call})", f"x:{name}({arguments})"):
            found = lua(runtime, f"return {form}", x=src, **values)
            found = found if isinstance(found, tuple) else (found,)
            for result, (wanted, dtype) in zip(found, expected, strict=True):
                assert_tensor(result, wanted, dtype)
        others = "".join(f"out{i}, " for i in range(1, len(expected)))
        for form in (f"torch.{name}({outs}, x{call})", f"out0:{name}({others}x{call})"):
            given = {f"out{i}": torch.zeros(7, dtype=dtype) for i, (_, dtype) in enumerate(expected)}
            same = lua(runtime, f"return rawequal(({form}), out0)", x=src, **given, **values)
            assert same is not gives_last
            for out, (wanted, dtype) in zip(given.values(), expected, strict=True):
                assert_tensor(out, wanted, dtype)
        np.testing.assert_array_equal(src.numpy(), before.numpy())  # NaN too


def plain(value: Any) -> Any:
    """A result of Lua as nested lists and numbers: tensors and storages by their elements."""
    if isinstance(value, torch.Tensor):
        return value.tolist()
    if isinstance(value, Storage):
        return value.tensor().tolist()
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def failure(runtime: Runtime, source: str) -> str:
    """The message with which a piece of Lua fails, after the place, which must be its line 1."""
    with pytest.raises(LuaError) as caught:
        runtime.execute(source, "@script.lua")
    place, _, message = caught.value.message.partition(": ")
    assert place == "script.lua:1", caught.value.message
    return message
