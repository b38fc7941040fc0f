"""What a script finds without asking, and how a program ends that is called wrongly."""

from __future__ import annotations

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError

OPTIONS = """
local cmd = torch.CmdLine()
cmd:text('Train')
cmd:option('-rate', 0.1, 'step size')
local opt = cmd:parse(arg)
print('rate ' .. opt.rate)
"""


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


class TestCommandLine:
    @pytest.mark.parametrize(
        ("words", "code", "written"),
        [
            ([], 0, "rate 0.1\t\n"),
            (["-rate", "3"], 0, "rate 3\t\n"),
            (["--help"], 0, "Usage: {script} [options]\nTrain\n  -rate step size [0.1]\n"),
            (["-nope"], 1, "\t\n\t\nUsage: [options]\nTrain\n  -rate step size [0.1]\n"),
        ],
    )
    def test_ends(self, tmp_path, capfd, words, code, written):
        script = tmp_path / "script.lua"
        script.write_text(OPTIONS)
        with Runtime() as runtime:
            assert runtime.run(script, words) == code
        assert capfd.readouterr().out == written.format(script=script)

    def test_a_log_gets_what_is_printed(self, tmp_path, capfd):
        with Runtime() as runtime:
            runtime.globals["log"] = str(tmp_path / "log")
            runtime.execute("local cmd = torch.CmdLine() cmd:silent() cmd:log(log) print('seen', 1)")
        assert (tmp_path / "log").read_text().endswith("[----------------------] \nseen 1 \n")
        assert capfd.readouterr().out == ""
