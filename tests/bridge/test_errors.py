"""What goes wrong in a Lua program: one readable message with file and line, whatever is behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime


def message(runtime: Runtime, code: str) -> str:
    with pytest.raises(LuaError) as caught:
        runtime.execute(code, "@script.lua")
    assert str(caught.value) == caught.value.message
    return caught.value.message


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("local x =\n= 3", "script.lua:2: unexpected symbol near '='"),
        ("local x = 1\nnope()", "script.lua:2: attempt to call global 'nope' (a nil value)"),
        ("error('mine')", "script.lua:1: mine"),
        ("error('mine', 0)", "mine"),
        ("local x = torch.Tensor(3)\nlocal y = x[4]", "script.lua:2: "),
        ("local x = torch.Tensor(3)\nx[4] = 1", "script.lua:2: "),
        (
            "local x = torch.Tensor(3)\nx:add('one')",
            "script.lua:2: invalid arguments for method 'add': (DoubleTensor, string)",
        ),
        (
            "local x = torch.Tensor(3)\nx:add(torch.Tensor(4))",
            "script.lua:2: inconsistent tensor size: 3 against 4",
        ),
        (
            "local x = torch.Tensor(3)\nx:add(torch.FloatTensor(3))",
            "script.lua:2: invalid arguments for method 'add'",
        ),
        ("local x = torch.Tensor(3)\nlocal y = x:nope()", "script.lua:2: attempt to call method 'nope'"),
        ("local y = torch.nope(1)", "script.lua:1: attempt to call field 'nope'"),
        ("require 'nn'\nlocal m = nn.Nope()", "script.lua:2: attempt to call field 'Nope'"),
        ("require 'nn'\nlocal m = nn.Linear(2, 3):nope()", "script.lua:2: attempt to call method 'nope'"),
        ("local ok = 1\nrequire 'no.such.package'", "script.lua:2: "),
        ("torch.class('nowhere.Thing')", "script.lua:1: cannot make class nowhere.Thing"),
        ("torch.class('A', 'NoSuchParent')", "script.lua:1: class 'A' has the unknown parent 'NoSuchParent'"),
        ("require 'nn'\ntorch.class('nn.Linear')", "script.lua:2: class 'nn.Linear' exists already"),
    ],
)
def test_the_message_has_file_and_line(runtime: Runtime, code: str, expected: str) -> None:
    assert message(runtime, code).startswith(expected)


def test_an_error_inside_a_function_names_the_innermost_line(runtime: Runtime) -> None:
    code = "local function f(x)\n   return 1 + x:nope(2)\nend\nf(torch.Tensor(2))"
    assert message(runtime, code).startswith("script.lua:2: ")


def test_error_objects_survive_pcall(runtime: Runtime) -> None:
    assert runtime.execute("local ok, e = pcall(function() error({code = 7}) end) return ok, e.code") == (
        False,
        7,
    )


def test_an_error_object_that_nobody_catches(runtime: Runtime) -> None:
    assert message(runtime, "local x = 1\nerror({code = 7})") == "script.lua:2: error object: a table"


def test_error_objects_cross_python_unchanged(runtime: Runtime) -> None:
    """From a Lua layer, through a Python container, to the pcall of the script."""
    assert runtime.execute(
        """
        require 'nn'
        local Bad, parent = torch.class('nn.Bad', 'nn.Module')
        local thrown = {code = 7}
        function Bad:updateOutput(input) error(thrown) end
        local m = nn.Sequential():add(nn.Sequential():add(nn.Bad()))
        local ok, e = pcall(m.forward, m, torch.ones(2))
        return ok, rawequal(e, thrown)
        """
    ) == (False, True)


def test_error_strings_cross_python_with_their_first_position(runtime: Runtime) -> None:
    code = (
        "require 'nn'\n"
        "local Bad, parent = torch.class('nn.Bad', 'nn.Module')\n"
        "function Bad:updateOutput(input)\n"
        "   return input:nope()\n"
        "end\n"
        "local o = nn.Sequential():add(nn.Bad()):forward(torch.ones(2))\n"
    )
    assert message(runtime, code).startswith("script.lua:4: attempt to call method 'nope'")


def test_a_python_error_keeps_its_cause(runtime: Runtime) -> None:
    with pytest.raises(LuaError) as caught:
        runtime.execute("require 'nn'\nlocal o = nn.Linear(3, 2):forward(torch.ones(4))", "@script.lua")
    assert caught.value.message.startswith("script.lua:2: nn.Linear: the input has 4 columns, not 3")
    assert caught.value.__cause__ is not None


def test_the_traceback_shows_the_scripts_frames_alone(runtime: Runtime) -> None:
    with pytest.raises(LuaError) as caught:
        runtime.execute("local function f()\n   error('x')\nend\nf()\nlocal a", "@script.lua")
    lines = caught.value.traceback.splitlines()
    assert any("script.lua:2:" in line for line in lines)
    assert any("script.lua:4:" in line for line in lines)
    assert not any("[torch7py]" in line for line in lines)


def test_the_runtime_works_after_an_error(runtime: Runtime) -> None:
    message(runtime, "error('x')")
    assert runtime.execute("local x = torch.ones(2) return x:sum()") == 2


def test_a_missing_file(runtime: Runtime, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        runtime.run(tmp_path / "nothing.lua")


@pytest.mark.parametrize(
    ("call", "code"),
    [("os.exit()", 0), ("os.exit(3)", 3), ("os.exit(true)", 0), ("os.exit(false)", 1), ("local x", 0)],
)
def test_exit_codes(runtime: Runtime, tmp_path: Path, call: str, code: int) -> None:
    script = tmp_path / "exit.lua"
    script.write_text(f"pcall(function() {call} end)\n")
    assert runtime.run(script) == code


def test_exit_passes_every_catcher(runtime: Runtime, tmp_path: Path) -> None:
    script = tmp_path / "exit.lua"
    script.write_text(
        """
        local co = coroutine.create(function() xpcall(function() os.exit(5) end, function(e) return e end) end)
        pcall(coroutine.resume, co)
        reached = true
        """
    )
    assert runtime.run(script) == 5
    assert "reached" not in runtime.globals


def test_a_script_may_throw_what_it_likes(runtime: Runtime) -> None:
    values: Any = runtime.execute(
        "local ok, e = pcall(error) local ok2, e2 = pcall(error, 5) return e == nil, e2"
    )
    assert values == (True, "5")  # Lua makes a string of a number to put the position before it
