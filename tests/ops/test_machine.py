"""Routines in the processor's instructions against numpy's functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from torch7py.kernels import available
from torch7py.ops import folds, machine, memory
from torch7py.ops.chains import Chain, shortcuts

Array = np.ndarray[Any, Any]

TYPES: dict[torch.dtype, type[np.floating[Any]]] = {torch.float64: np.float64, torch.float32: np.float32}
SPECIAL = [0.0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-40, 1e30, np.inf, -np.inf, np.nan]

pytestmark = pytest.mark.skipif(
    machine.routine(torch.float64, "x out", "", "floor x out") is None, reason="not this processor, or system"
)

# What a step makes of a, b and the number v.
STEPS: dict[str, Callable[[Array, Array, Any], Array]] = {
    "add a b out": lambda a, b, v: a + b,
    "subtract a b out": lambda a, b, v: a - b,
    "multiply a v out": lambda a, b, v: a * v,
    "divide v b out": lambda a, b, v: v / b,
    "max a b out": lambda a, b, v: np.where(a > b, a, b),
    "min a b out": lambda a, b, v: np.where(a < b, a, b),
    "floor a out": lambda a, b, v: np.floor(a),
    "trunc a out": lambda a, b, v: np.trunc(a),
}


def bits(values: Array) -> Array:
    """Numbers as their bits, all NaN the same."""
    whole = np.int64 if values.itemsize == 8 else np.int32
    return np.where(np.isnan(values), -1, values.view(whole))


def every_pair(dtype: type[np.floating[Any]]) -> tuple[Array, Array]:
    numbers = np.concatenate([SPECIAL, np.random.default_rng(0).normal(size=60) * 100]).astype(dtype)
    a, b = np.meshgrid(numbers, numbers)
    return a.ravel(), b.ravel()


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("count", [1, 15, 16, 17, 5476])
def test_single_steps_of_special_numbers(dtype: torch.dtype, count: int) -> None:
    a, b = (values[:count].copy() for values in every_pair(TYPES[dtype]))
    v = 1.7
    for step, compute in STEPS.items():
        found = machine.routine(dtype, "a b out", "v", step)
        assert found is not None
        out = torch.full((count + 1,), 77.0, dtype=dtype)
        machine.run(found, [torch.tensor(a), torch.tensor(b), out[:count]], [v])
        with np.errstate(all="ignore"):
            expected = compute(a, b, a.dtype.type(v))
        assert np.array_equal(bits(out[:count].numpy()), bits(expected)), step
        assert out[count] == 77


@pytest.mark.parametrize("dtype", TYPES)
def test_many_names_and_the_result_over_an_operand(dtype: torch.dtype) -> None:
    a, b = every_pair(TYPES[dtype])
    x = torch.tensor(a)
    chain = Chain("a b c out", "v w", "multiply a v p", "add p b q", "subtract q w r", "divide r c out")
    found = chain.routine(dtype)
    assert found is not None
    with np.errstate(all="ignore"):
        v, w = a.dtype.type(0.3), a.dtype.type(-2)
        expected = (a * v + b - w) / b
    machine.run(found, [x, torch.tensor(b), torch.tensor(b), x], [0.3, -2])
    assert np.array_equal(bits(x.numpy()), bits(expected))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("count", [4096, 4097, 8191])
def test_folds_are_in_double(dtype: torch.dtype, count: int) -> None:
    a, b = np.random.default_rng(1).normal(1, 0.01, size=(2, count)).astype(TYPES[dtype])
    x, y = torch.tensor(a), torch.tensor(b)
    wide = a.astype(np.float64)
    assert folds.whole("sum", x) == pytest.approx(wide.sum(), rel=1e-13)
    assert folds.whole("product", x) == pytest.approx(np.exp(np.log(wide).sum()), rel=1e-11)
    assert folds.whole("squares", x) == pytest.approx((wide**2).sum(), rel=1e-13)
    assert folds.whole("magnitudes", -x) == pytest.approx(wide.sum(), rel=1e-13)
    assert folds.whole("deviations", x, number=0.9) == pytest.approx(((wide - 0.9) ** 2).sum(), rel=1e-13)
    difference = (a - b).astype(np.float64)
    assert folds.whole("squares of differences", x, y) == pytest.approx((difference**2).sum(), rel=1e-13)
    assert folds.whole("differences", x, y) == pytest.approx(np.abs(difference).sum(), rel=1e-13)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.skipif(not available(), reason="there is no LuaJIT 2.1")
def test_folds_of_rows(dtype: torch.dtype) -> None:
    held = torch.from_numpy(np.random.default_rng(1).normal(1, 0.1, size=(70, 300)).astype(TYPES[dtype]))
    for rows in (held, held[:, :131], held.view(7, 10, 300)):
        wide = rows.double().reshape(70, -1)
        for name, expected in (
            ("sum", wide.sum(1)),
            ("product", wide.prod(1)),
            ("squares", wide.square().sum(1)),
            ("magnitudes", wide.abs().sum(1)),
        ):
            found = folds.of_rows(name, rows)
            assert found is not None
            assert torch.allclose(found, expected, rtol=1e-13, atol=0)
    for x in (held.t(), held[:, ::2]):  # in other orders, and with gaps
        assert folds.whole("sum", x) == (
            pytest.approx(x.double().sum().item(), rel=1e-13) if x.stride(0) == 1 else None
        )
    assert folds.whole("sum", held[:, :131]) == pytest.approx(held[:, :131].double().sum().item(), rel=1e-13)


def test_what_has_no_routine() -> None:
    assert machine.routine(torch.int64, "x out", "", "floor x out") is None
    assert machine.routine(torch.float64, "x out", "", "exp x out") is None


def test_a_routine_is_the_chain_in_numpys_loops() -> None:
    """Both ways of ``Chain``, where a chain has both."""
    rng = np.random.default_rng(2)
    for (_, operands), (chain, constants) in shortcuts.items():
        for dtype, real in TYPES.items():
            sources = [
                torch.tensor(rng.normal(size=memory.LARGE + 5).astype(real))
                for _ in range(1 + operands.count("t"))
            ]
            numbers = [1.5] * operands.count("n") + list(constants(dtype))
            first = chain.into(None, *sources, *numbers)
            without = pytest.MonkeyPatch()
            with without.context() as patch:
                patch.setattr(Chain, "routine", lambda self, dtype: None)
                second = chain.into(None, *sources, *numbers)
            assert first is not None
            assert second is None or torch.equal(first, second)
