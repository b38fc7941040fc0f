"""env and dok: what older programs load before everything else."""

from __future__ import annotations

import pytest

from torch7py.bridge.errors import LuaError


def test_env(runtime, capfd):
    runtime.execute("require 'env'")
    assert capfd.readouterr().out == "Torch 7.0  Copyright (C) 2001-2011 Idiap, NEC Labs, NYU\t\n"
    script = "local t = table() t:insert(3) t:insert(4) return t:concat(','), t[1], type(exit)"
    assert runtime.execute(script) == ("3,4", 3, "function")
    assert runtime.execute(
        "mine = {a = 1, print = 2} package.loaded.mine = mine import 'mine' return a, print ~= 2"
    ) == (
        1,
        True,
    )
    assert runtime.execute("import('mine', true) return print") == 2
    with pytest.raises(LuaError, match="who is not supported"):
        runtime.execute("who()")


def test_dok(runtime):
    script = """require 'image'
    local _, a, b = dok.unpack({{b = 5}}, 'f', 'a function', {arg = 'a', type = 'number', help = 'a', default = 2},
                               {arg = 'b', type = 'number', help = 'b', req = true})
    return a, b"""
    assert runtime.execute(script) == (2, 5)
