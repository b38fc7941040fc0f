"""numpy's loops, called by their addresses."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from torch7py.bridge import vector_loops
from torch7py.bridge.vector_loops import LOOPS, vector_loop

LOOP = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)


@pytest.mark.parametrize("letter", ["d", "f"])
@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_computes_what_the_function_does(name: str, letter: str) -> None:
    function = getattr(np, name)
    numbers = np.linspace(-3, 3, 50).astype(letter)
    operands = [numbers[::2].copy(), numbers[1::2].copy()][: function.nin]
    found = np.empty_like(operands[0])
    places = [array.ctypes.data for array in (*operands, found)]
    steps = [found.itemsize] * len(places)
    address, data = vector_loop(name, letter)
    LOOP(address)(
        (ctypes.c_void_p * len(places))(*places),
        (ctypes.c_ssize_t * 1)(len(found)),
        (ctypes.c_ssize_t * len(steps))(*steps),
        data,
    )
    np.testing.assert_array_equal(found, function(*operands))


def test_another_layout_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other:
        nin, nout, nargs, ntypes = 2, 1, 3, 7
        __name__ = "add"

    monkeypatch.setattr(np, "add", Other())
    with pytest.raises(RuntimeError, match="another layout of ufuncs"):
        vector_loops.vector_loop("add", "d")
