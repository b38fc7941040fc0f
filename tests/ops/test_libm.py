"""The C library's functions over arrays."""

from __future__ import annotations

import ctypes
import math

import numpy as np
import pytest

from torch7py.ops import libm, state

FUNCTIONS = ["cos", "exp", "log", "sin", "tan"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_value_is_the_c_librarys(name):
    values = np.random.RandomState(1).random_sample(20_000) * 3 + 2.0**-32
    result = getattr(libm, name)(values)
    assert result.tolist() == [getattr(math, name)(x) for x in values]


def test_log_has_known_values():
    assert libm.log(np.array([1.0, math.e, 2.0])).tolist() == [0.0, 1.0, 0.6931471805599453]


def test_strides_and_shapes_are_kept():
    values = np.arange(1.0, 13).reshape(3, 4)[:, ::2]
    assert libm.log(values).tolist() == [[math.log(x) for x in row] for row in values.tolist()]


def test_outside_the_domain_stands_what_c_returns():
    values = np.array([1.0, 0.0, -1.0, math.inf, math.nan])
    assert np.array_equal(libm.log(values), [0.0, -math.inf, math.nan, math.inf, math.nan], equal_nan=True)
    assert libm.exp(np.array([1000.0, -1000.0])).tolist() == [math.inf, 0.0]
    assert np.isnan(libm.cos(np.array([math.inf, math.nan]))).all()


def test_a_loop_is_installed_for_one_state():
    calls = []

    def doubling(name: str, source: int, target: int, n: int) -> None:
        calls.append((name, n))
        doubles = ctypes.c_double * n
        for i, x in enumerate(doubles.from_address(source)):
            doubles.from_address(target)[i] = 2 * x

    values = np.arange(10.0)[::3]
    with state.use(state.State()):
        libm.install(doubling)
        assert libm.sin(values).tolist() == [0.0, 6.0, 12.0, 18.0]
        with state.use(state.State()):
            assert libm.exp(np.zeros(2)).tolist() == [1.0, 1.0]
        libm.install(None)
        assert libm.sin(np.zeros(1)).tolist() == [0.0]
    assert calls == [("sin", 4)]
