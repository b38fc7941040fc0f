"""The compiled loop over the C library's functions gives what Python's ``math`` gives, to the last bit."""

from __future__ import annotations

import math

import numpy as np
import pytest

from torch7py.bridge.runtime import Runtime
from torch7py.ops import libm, state


@pytest.mark.parametrize("name", ["log", "exp", "sin", "cos", "tan"])
def test_the_loop_equals_math(runtime: Runtime, name: str) -> None:
    if runtime.state.libm is None:
        pytest.skip("this engine has no FFI: Python's math is what computes")
    values = np.random.default_rng(1).uniform(1e-9, 20, 20_000)
    with state.use(runtime.state):
        ours = getattr(libm, name)(values)
    assert ours.tolist() == [getattr(math, name)(x) for x in values.tolist()]
