"""What a script finds without asking."""

from __future__ import annotations

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError


class TestGlobals:
    @pytest.mark.parametrize("name", ["torch", "paths", "sys", "xlua", "pl"])
    def test_loaded_packages(self, runtime, name):
        assert runtime.execute(f"return type(rawget(_G, '{name}')), require '{name}' == {name}") == (
            "table",
            True,
        )

    def test_monkeypatches(self, runtime):
        assert runtime.execute("return ('a,b'):split(',')[2], table.splice({1, 2})[1], '%d!' % 3") == (
            "b",
            2,
            "3!",
        )

    @pytest.mark.parametrize("name", ["path", "stringx", "tablex", "pretty", "List", "dir", "utils", "text"])
    def test_penlight_by_name(self, runtime, name):
        assert runtime.execute(
            f"return rawget(_G, '{name}'), type({name}), require 'pl.{name}' == {name}, pl.{name} == {name}"
        ) == (None, "table", True, True)

    def test_a_global_of_the_script_goes_first(self, runtime):
        assert runtime.execute("path = 'x' return path, type(require 'pl.path'), path, undefined_name") == (
            "x",
            "table",
            "x",
            None,
        )

    def test_an_earlier_metatable_of_the_globals_goes_on(self):
        with Runtime() as runtime:
            runtime.execute("setmetatable(_G, {__index = function(_, name) return name .. '?' end})")
            assert runtime.execute("return some_name") == "some_name?"

    def test_colours(self, runtime):
        assert runtime.execute(
            "local c = require 'trepl.colorize' return c.red('x') .. c._blue('y'), require('trepl.colors').bright"
        ) == ("\x1b[0;31mx\x1b[0m\x1b[44my\x1b[0m", "\x1b[1m")
        assert runtime.execute("return type(require 'trepl'), trepl") == ("table", None)

    def test_what_there_is_not(self, runtime):
        with pytest.raises(LuaError, match=r"module 'pl\.none' not found"):
            runtime.execute("require 'pl.none'")
