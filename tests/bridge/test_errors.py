"""What goes wrong in a Lua program: one readable message with file and line, whatever is behind it."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import pytest
import torch

import torch7py
from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime
from torch7py.translate.layers.registry import NotNative

ROOT = Path(__file__).parents[2]


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


# -- exceptions that a user of Python sees ---------------------------------------------------------------------

LAYERS = """
require 'nn'
local Failing = torch.class('nn.Failing', 'nn.Module')
function Failing:updateOutput(x)
   if self.where == 'forward' then error(self.what or 'no forward') end
   self.output = x * 2
   return self.output
end
function Failing:updateGradInput(x, g)
   if self.where == 'backward' then error(self.what or 'no backward') end
   self.gradInput = g * 2
   return self.gradInput
end
model = nn.Sequential():add(nn.Linear(2, 2)):add(nn.Failing())
f = function(x) return x.y.z end
"""


@pytest.fixture
def failing(runtime: Runtime) -> Runtime:
    runtime.execute(LAYERS, "@layers.lua")
    return runtime


def test_all_errors_have_one_base() -> None:
    names = "LuaError LuaSyntaxError TorchError T7Error NotTranslated RuntimeClosed".split()
    for name in names:
        assert issubclass(getattr(torch7py, name), torch7py.Torch7Error)
        assert name in torch7py.__all__
    assert issubclass(torch7py.LuaSyntaxError, LuaError)
    assert issubclass(NotNative, torch7py.NotTranslated)
    assert issubclass(torch7py.T7Error, torch7py.TorchError)
    found = [
        error
        for path in ROOT.joinpath("torch7py").rglob("*.py")
        for error in re.findall(
            r"^class (\w+(?:Error|Exception|Translated|Closed))\(Exception\)", path.read_text(), re.M
        )
    ]
    assert found == ["Torch7Error"]


def test_source_that_is_not_lua(runtime: Runtime) -> None:
    with pytest.raises(torch7py.LuaSyntaxError, match=r"^a\.lua:2: '=' expected") as caught:
        runtime.execute("x = 1\ny z", "@a.lua")
    assert (caught.value.file, caught.value.line) == ("a.lua", 2)


def test_a_layer_in_lua_that_fails_in_forward(failing: Runtime) -> None:
    model = failing.globals["model"]
    failing.execute("model:get(2).where = 'forward'")
    x = torch.ones(1, 2, dtype=torch.float64)
    for call in (lambda: model(x), lambda: model.updateOutput(x), lambda: model[1](x)):
        with pytest.raises(LuaError, match=r"^layers\.lua:5: no forward") as caught:
            call()
        assert "layers.lua:5: in function" in caught.value.traceback
    assert failing.execute("return 7") == 7


def test_a_layer_in_lua_that_fails_in_autograd(failing: Runtime) -> None:
    model = failing.globals["model"]
    failing.execute("model:get(2).where = 'backward'")
    loss = model(torch.ones(1, 2, dtype=torch.float64, requires_grad=True)).sum()
    with pytest.raises(LuaError, match=r"^layers\.lua:10: no backward"):
        loss.backward()


def test_a_function_in_lua_that_fails(failing: Runtime) -> None:
    f = failing.globals["f"]
    with pytest.raises(LuaError, match=r"^layers\.lua:15: attempt to index"):
        f(Runtime)  # a callable without such fields
    with pytest.raises(LuaError, match=r"^layers\.lua:15: attempt to index field 'y'"):
        f({})


def test_an_error_that_is_a_table_goes_through_python_as_it_is(failing: Runtime) -> None:
    failing.execute("model:get(2).where, model:get(2).what = 'forward', {code = 5}")
    found = failing.execute(
        "local ok, e = pcall(model.forward, model, torch.ones(1, 2)) return ok, e.code, e == model:get(2).what"
    )
    assert found == (False, 5, True)
    with pytest.raises(LuaError, match=r"^layers\.lua:5: error object: a table"):
        failing.globals["model"](torch.ones(1, 2, dtype=torch.float64))


def test_errors_are_pickled_without_their_runtime(failing: Runtime) -> None:
    with pytest.raises(LuaError) as caught:
        failing.execute("error('x')")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.message, again.traceback) == (caught.value.message, caught.value.traceback)


def test_os_exit_in_a_function_that_python_calls(runtime: Runtime) -> None:
    runtime.execute("leave = function() pcall(os.exit, 3) end")
    with pytest.raises(SystemExit) as caught:
        runtime.call("leave")
    assert caught.value.code == 3


WITHOUT_A_PLACE = {
    "next": "next, {}, 'none'",
    "a method that is none": "m.rethrowErrors, m, m:get(1), 1, 'none'",
    "bytecode for a method": "m.rethrowErrors, m, m:get(1), 1, string.dump(function() end)",
    "no method": "m.rethrowErrors, m, m:get(1)",
    "no module": "m.rethrowErrors, m",
    "a deep table": "torch.Tensor, deep",
    "a container in itself": "held.forward, held, torch.ones(1)",
    "endless recursion": "endless, 1",
}
CATCHERS = {
    "pcall": "return select(2, pcall(CALL))",
    "pcall in a function": "return select(2, pcall(function() return (function(f, ...) return f(...) end)(CALL) end))",
    "xpcall": "return select(2, xpcall(function() return (function(f, ...) f(...) end)(CALL) end, tostring))",
    "a coroutine": "return select(2, coroutine.resume(coroutine.create(function(f, ...) f(...) end), CALL))",
}


@pytest.mark.parametrize("way", CATCHERS)
def test_every_error_has_the_place_of_the_program(runtime: Runtime, way: str) -> None:
    """Those also that Lua itself says without one, and those of the Lua files of this package."""
    setup = """require 'nn' m, held, deep = nn.Sequential():add(nn.Linear(2, 2)), nn.Sequential(), {1}
    held:add(held) for i = 1, 1e5 do deep = {deep} end
    local mt = {} mt.__tostring = function(x) return tostring(x) .. 'a' end
    function endless() return setmetatable({}, mt) .. tostring(setmetatable({}, mt)) end"""
    runtime.execute(setup, "=setup.lua")
    for name, call in WITHOUT_A_PLACE.items():
        text = runtime.execute(CATCHERS[way].replace("CALL", call), "=called.lua")
        assert re.match(r"(called|setup)\.lua:\d+: ", text), (name, text[:200])
        assert "[torch7py]" not in text, name
