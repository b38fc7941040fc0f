"""When kernels can be compiled, and what they can reach."""

from __future__ import annotations

import ctypes

import pytest

from torch7py.kernels import available, compiler, kernel


@pytest.mark.parametrize(("engine", "possible"), [("lua51", False), ("luajit20", False)])
def test_an_engine_that_has_no_compiler_for_them(
    monkeypatch: pytest.MonkeyPatch, engine: str, possible: bool
) -> None:
    monkeypatch.setenv("TORCH7PY_LUA", engine)
    assert available.__wrapped__() is possible


@pytest.mark.skipif(not available(), reason="kernels need LuaJIT 2.1")
class TestKernel:
    def test_it_is_compiled_once_for_each_type(self) -> None:
        floats = kernel("class_loss", REAL="float", NUMBER="float")
        assert kernel("class_loss", REAL="float", NUMBER="float") is floats
        assert kernel("class_loss", REAL="double", NUMBER="float") is not floats

    def test_it_writes_into_the_memory_that_it_is_given(self) -> None:
        keys, positions = (ctypes.c_double * 3)(30, -10, 20), (ctypes.c_int64 * 3)()
        assert kernel("quicksort")(ctypes.addressof(keys), 1, 3, -1, ctypes.addressof(positions)) is None
        assert (list(keys), list(positions)) == ([-10, 20, 30], [1, 2, 0])

    def test_it_reaches_no_python_object(self) -> None:
        lua = compiler.current().lua
        assert lua.eval("python.eval") is None
        assert lua.eval("python.builtins") is None
        with pytest.raises(AttributeError, match="no Python objects"):
            lua.eval("function(object) return object.__class__ end")(object())
