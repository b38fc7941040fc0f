"""Objects of Python classes in Lua: classes, methods, identity, and Lua functions that come back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import failure, lua
from torch7py.ops.mersenne import Generator
from torch7py.ops.timer import Timer


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


def test_a_class(rt: Runtime) -> None:
    source = """
        local t = torch.Timer()
        local mt = torch.getmetatable('torch.Timer')
        return type(t), torch.type(t), torch.isTypeOf(t, 'torch.Timer'), torch.isTypeOf(t, 'torch.Generator'),
               rawequal(mt, getmetatable(t)), mt.__typename, type(mt.time), torch.version(t)"""
    assert lua(rt, source) == ("userdata", "torch.Timer", True, False, True, "torch.Timer", "function", 1)


def test_python_gets_the_object(rt: Runtime) -> None:
    assert isinstance(lua(rt, "return torch.Timer()"), Timer)
    assert isinstance(lua(rt, "return torch.Generator()"), Generator)


def test_lua_gets_one_userdata(rt: Runtime) -> None:
    assert lua(rt, "local t = torch.Timer() a = {t} return rawequal(t, t:stop()), rawequal(a[1], t)") == (
        True,
        True,
    )
    rt.globals["t"] = timer = Timer()
    assert lua(rt, "return torch.type(t), t:time().real >= 0") == ("torch.Timer", True)
    assert rt.globals["t"] is timer


def test_methods_added_by_a_script(rt: Runtime) -> None:
    source = """
        function torch.Timer:seconds() return self:time().real end
        return type(torch.Timer():seconds())"""
    assert lua(rt, source) == "number"


def test_fields_cannot_be_set(rt: Runtime) -> None:
    assert "the class torch.Timer cannot be indexed" in failure(rt, "torch.Timer().x = 3")


def test_a_class_of_no_name(rt: Runtime) -> None:
    class Strange:
        pass

    rt.globals["s"] = strange = Strange()
    assert lua(rt, "return type(s), tostring(s)") == ("userdata", "Strange")
    assert rt.globals["s"] is strange


def test_objects_are_released(rt: Runtime) -> None:
    lua(rt, "collectgarbage() collectgarbage()")
    lua(rt, "torch.Tensor(1)")
    before = len(rt.handles)
    lua(rt, "for i = 1, 3000 do torch.Timer():time() end collectgarbage() collectgarbage()")
    lua(rt, "for i = 1, 300 do torch.Tensor(1) end collectgarbage()")
    assert len(rt.handles) < before + 600


def test_a_lua_function_comes_back_as_itself(rt: Runtime) -> None:
    lua(rt, "function f(x) return x + 1 end")
    function = rt.globals["f"]
    assert function(2) == 3
    rt.globals["g"] = function
    assert lua(rt, "return rawequal(f, g), g(4)") == (True, 5)


class TestUtilities:
    def test_isatty(self, rt: Runtime) -> None:
        assert lua(rt, "return type(torch.isatty(io.stdout)), torch.isatty(io.tmpfile())") == (
            "boolean",
            False,
        )
        assert "a file expected, got number" in failure(rt, "torch.isatty(1)")

    def test_what_needs_no_doing(self, rt: Runtime) -> None:
        assert lua(rt, "torch.updateerrorhandlers() torch.updatethreadlocals()") is None
        assert lua(rt, "torch.setheaptracking(true) return torch._heaptracking") is True
        assert "expects a boolean" in failure(rt, "torch.setheaptracking(1)")

    @pytest.mark.parametrize("name", ["pushudata", "metatype"])
    def test_what_cannot_be(self, rt: Runtime, name: str) -> None:
        assert "there are no C structures of Torch7's here" in failure(rt, f"torch.{name}()")

    def test_environments(self, rt: Runtime) -> None:
        source = """
            local f = function() return y end
            torch.setenv(f, {y = 3})
            return f(), torch.getenv(f).y"""
        assert lua(rt, source) == (3, 3)


def test_reading_asks_the_programs_own_factory(rt: Runtime) -> None:
    source = """
        local factory = torch.factory
        torch.factory = function(name)
            if name == 'made.Late' and not factory(name) then torch.class(name, made) end
            return factory(name)
        end
        made = {}
        local text = '4\\n1\\n3\\nV 1\\n9\\nmade.Late\\n3\\n2\\n1\\n2\\n1\\nn\\n1\\n7\\n'
        local one = torch.deserialize(text, 'ascii')
        return torch.type(one), one.n"""
    assert lua(rt, source) == ("made.Late", 7)


def test_source_from_python_is_utf8():
    with Runtime() as runtime:
        assert runtime.execute("return #'é€'") == 5
        assert runtime.execute("return 'é'") == "é".encode().decode("latin1")
