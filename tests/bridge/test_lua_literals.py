"""Constants as Lua text: what Lua reads is what Python had."""

from __future__ import annotations

import pytest

from torch7py.bridge.lua_literals import lua_literal
from torch7py.bridge.runtime import Runtime


def test_strings(runtime: Runtime) -> None:
    every_byte = "".join(map(chr, range(256)))
    for text in (every_byte, every_byte[::-1], "", "]]", "\r\n1", "\0" + "7"):
        code = f"local s = {lua_literal(text)} return {{n = #s, s:byte(1, -1)}}"
        # the bytes of a file, as execute wants them
        read = runtime.execute(code.encode("latin-1").decode("utf-8", "surrogateescape"))
        assert read["n"] == len(text)
        assert [read[i] for i in range(1, len(text) + 1)] == [ord(c) for c in text]


def test_tables(runtime: Runtime) -> None:
    value = {"list": [1, -2, True, [False, []]], "no": None, "end": {"x y": 1 << 40}}
    runtime.execute(f"t = {lua_literal(value)}")
    assert runtime.execute("return #t.list, t.list[1], t.list[2], t.list[3], #t.list[4], t.list[4][1]") == (
        4,
        1,
        -2,
        True,
        2,
        False,
    )
    assert runtime.execute("return t.no, t['end']['x y']") == (None, 1 << 40)


def test_nothing_else() -> None:
    with pytest.raises(TypeError, match="no constant"):
        lua_literal({"x": 0.5})
