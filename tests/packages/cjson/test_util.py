"""cjson.util: files, comparison of values, and tables as text."""

from __future__ import annotations

import pytest

from tests.inner_runtime import lua
from torch7py.bridge.errors import LuaError


def test_cjson_util(folder):
    assert (
        lua("""
        local util = require 'cjson.util'
        util.file_save('a.txt', 'one\\ntwo')
        assert(util.file_load('a.txt') == 'one\\ntwo')
        assert(util.compare_values({1, {a = 2}}, {1, {a = 2}}) and not util.compare_values({1}, {1, 2}))
        assert(util.compare_values(0 / 0, 0 / 0) and util.is_array {1, 2} == 2 and util.is_array {a = 1} == -1)
        return util.serialise_value({1, {a = 'b'}})
    """)
        == '{\n    1,\n    {\n        ["a"] = "b"\n    }\n}'
    )
    with pytest.raises(LuaError, match=r"cjson\.util: none\.txt: No such file"):
        lua("require('cjson.util').file_load('none.txt')")
