"""lua-utf8, beside Python's strings."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.inner_runtime import InnerRuntime as Runtime
from tests.inner_runtime import lua
from torch7py.bridge.errors import LuaError


class TestUtf8:
    """Beside Python's strings."""

    # the first and last characters of each length
    @settings(max_examples=20)
    @given(
        st.text("a\0\x7f\x80\u07ff\u0800\u20ac\uffff\U00010000\U0010ffff", max_size=6),
        st.integers(-8, 8),
        st.integers(-8, 8),
    )
    def test_of_characters(self, text, i, j):
        n = len(text)
        first = max(n + i + 1, 1) if i < 0 else max(i, 1)
        last = n + j + 1 if j < 0 else min(j, n)
        found = run_utf8(text, i, j)
        assert found[0] == n
        assert found[1] == text[first - 1 : max(last, 0)]
        assert found[2] == text[::-1]
        assert found[3] == [ord(c) for c in text]
        assert found[4] == text

    def test_places(self):
        assert lua("""
            local utf8 = require 'lua-utf8'
            local s = 'aé€𝄞z'
            assert(utf8.char(97, 233, 8364, 0x1D11E) == 'aé€𝄞' and utf8.offset(s, 3) == 4 and utf8.offset(s, -1) == 11)
            local places = {}
            for place, code in utf8.next, 'aé€z' do places[#places + 1] = place .. ':' .. code end
            assert(table.concat(places, ' ') == '1:97 2:233 4:8364 7:122')
            assert(utf8.next('aé€z', 7, -1) == 4 and utf8.next('aé€z', -4) == 7)
            assert(utf8.next('aé€z', 7) == nil and utf8.next('') == nil and utf8.next('aé', 0, 2) == 2)
            assert(utf8.offset(s, 0, 9) == 7 and utf8.codepoint(s, 4) == 8364 and select('#', utf8.byte(s, 2, -1)) == 4)
            assert(utf8.insert(s, 2, 'ß') == 'aßé€𝄞z' and utf8.remove(s, 2, 3) == 'a𝄞z' and utf8.remove(s) == 'aé€𝄞')
            assert(utf8.find('abc', 'b') == 2 and utf8.upper('ab') == 'AB')
            local ok, at = utf8.len('a\\255')
            assert(ok == nil and at == 2 and not utf8.isvalid('\\192\\128') and not utf8.isvalid('\\237\\160\\128'))
            local t = {}
            for c in utf8.gmatch(s, utf8.charpattern) do t[#t + 1] = c end
            for place, code in utf8.codes(s) do t[#t + 1] = place .. ':' .. code end
            return table.concat(t, ' ')
        """) == "a é € 𝄞 z 1:97 2:233 4:8364 7:119070 11:122".encode().decode("latin1")
        assert (
            lua("""
            local utf8 = require 'lua-utf8'
            local s, t = 'aé€z', {}
            for place, code in utf8.next, s do t[#t + 1] = place .. ':' .. code end
            local function add(...) t[#t + 1] = table.concat({...}, ':') end
            add(utf8.next(s, 1, 2)) add(utf8.next(s, -1, -1)) add(utf8.next(s, 2, 0))
            add(utf8.next(s, 1, 4), utf8.next(s, 7)) add(utf8.charpos(s)) add(utf8.charpos(s, 3))
            add(utf8.charpos(s, -2)) add(utf8.charpos(s, 2, 1)) add(utf8.charpos(s, 5))
            return table.concat(t, ' ')
        """)
            == "1:97 2:233 4:8364 7:122 4:8364 4:8364 2:233  1:97 4:8364 4:8364 4:8364 "
        )
        with pytest.raises(LuaError, match="is not supported"):
            lua("require('lua-utf8').upper('é')")
        with pytest.raises(LuaError, match="invalid UTF-8 code"):
            lua("require('lua-utf8').sub('\\255', 1)")


_RUNTIME = None


def run_utf8(text: str, i: int, j: int) -> list[Any]:
    """Length, a part, the reverse, the codes, and the text made of them, of one runtime for all examples."""
    global _RUNTIME
    if _RUNTIME is None:
        _RUNTIME = Runtime()
        _RUNTIME.execute("utf8 = require 'lua-utf8'")
    runtime = _RUNTIME
    runtime.globals["s"] = text.encode().decode("latin1")

    def decoded(code: str) -> str:
        found = runtime.execute(f"return {code}")
        return str(found).encode("latin1").decode()

    codes = runtime.execute(
        "local t = {} for _, c in utf8.codes(s) do t[#t + 1] = c end return table.concat(t, ' ')"
    )
    back = decoded("utf8.char(utf8.byte(s, 1, -1))")
    return [
        runtime.execute("return utf8.len(s)"),
        decoded(f"utf8.sub(s, {i}, {j})"),
        decoded("utf8.reverse(s)"),
        [int(c) for c in codes.split()],
        back,
    ]
