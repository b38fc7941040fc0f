"""What every Lua must have of Lua 5.2 after compat.lua. Expectations are those of LuaJIT with LUA52COMPAT."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest

from tests.bridge.chunks import Engine, engines


@pytest.fixture(params=engines)
def engine(request) -> Engine:
    engine = Engine(request.param)
    engine.chunk("compat.lua")
    return engine


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("table.pack().n", 0),
        ("table.pack(nil, nil).n", 2),
        ("table.pack('a', 'b')[2]", "b"),
        ("select('#', table.unpack({1, nil, 3}, 1, 3))", 3),
        ("unpack({1, 2, 3}, 2)", (2, 3)),
        ("rawlen({1, 2})", 2),
        ("rawlen('abc')", 3),
        ("rawlen(setmetatable({1}, {__len = function() return 9 end}))", 1),
        ("math.mod(7, 4)", 3),
        ("math.pow(2, 10)", 1024),
        ("math.log(8, 2)", 3),
        ("math.log(1000, 10) > 2.999 and math.log(1000, 10) < 3.001", True),
        ("math.log(2)", math.log(2)),
        ("('ab'):rep(3, '-')", "ab-ab-ab"),
        ("('ab'):rep(1, '-')", "ab"),
        ("('ab'):rep(0, '-')", ""),
        ("('ab'):rep(-1, '-')", ""),
        ("('ab'):rep(2)", "abab"),
        ("string.format('%s %s %5s|%-5s|%%s', nil, true, false, 'x')", "nil true false|x    |%s"),
        ("string.format('%s', setmetatable({}, {__tostring = function() return 'T' end}))", "T"),
        ("string.format('%d %.2f %s', 3, 1.5, 2)", "3 1.50 2"),
        ("package.searchers == package.loaders", True),
        ("tonumber('-ff', 16), tonumber(' -1\\n', 8), tonumber('-0x10', 16)", (2.0**64,) * 3),
        ("tonumber('-8000000000000000', 16), tonumber('-ffffffffffffffff', 16)", (2.0**63, 1)),
        ("tonumber('-10000000000000000', 16), tonumber('-0', 2)", (2.0**64, 0)),
        ("tonumber('-12', 10), tonumber('-g', 16), tonumber('ff', 16)", (-12, None, 255)),
        ("1 / tonumber('-0'), 1 / tonumber('-0.0'), 1 / tonumber(-0.0)", (math.inf, -math.inf, -math.inf)),
        ("xpcall(function(...) return select('#', ...), ... end, error, nil, 'x')", (True, 2, None, "x")),
        ("xpcall(error, function(e) return e .. '!' end, 'x', 0)", (False, "x!")),
        ("debug.setmetatable(10, nil)", 10),
        ("pcall(assert, nil, nil)", (False, "assertion failed!")),
        ("pcall(assert, false, 'x')", (False, "x")),
        ("assert(1, nil, 3)", (1, None, 3)),
        ("('abc'):find('', 4)", (4, 3)),
        ("('abc'):find('', 5)", None),
        ("('abc'):find('', '5', true)", None),
        ("string.find(123, '', 5)", None),
        ("('abc'):find('c', -1)", (3, 3)),
        ("('abc'):match('()', 4)", 4),
        ("('abc'):match('.-', 5)", None),
        ("select('#', ('abc'):find('', 5))", 1),
        ("type(coroutine.running()), select(2, coroutine.running())", ("thread", True)),
        (
            "coroutine.running() == coroutine.running(), coroutine.status((coroutine.running()))",
            (True, "running"),
        ),
        ("(coroutine.resume(coroutine.running()))", False),
        (
            """coroutine.wrap(function(main)
                  local co, is_main = coroutine.running()
                  return co == main, is_main, coroutine.status(co), coroutine.status(main)
               end)(coroutine.running())""",
            (False, False, "running", "normal"),
        ),
    ],
)
def test_value(engine, expression, expected):
    assert engine.run(f"return {expression}") == expected


class TestErrors:
    """An error of a function that is written in Lua here names the line of its caller, as a built-in's does."""

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            ("rawlen(1)", "bad argument #1 to 'rawlen' (table or string expected, got number)"),
            ("ipairs(nil)", "bad argument #1 to 'ipairs' (table expected, got nil)"),
            ("string.format('%d', 'x')", "bad argument #2 to 'format' (number expected, got string)"),
            ("io.stderr:write('', {})", "bad argument #2 to 'write' (string expected, got table)"),
            ("__torch7py_len(nil)", "attempt to get length of a nil value"),
        ],
    )
    def test_line(self, engine, call, message):
        assert engine.run(f"return pcall(function()\n\n local x = {call} end)") == (
            False,
            f"test.lua:3: {message}",
        )


class TestIpairs:
    def test_metamethod(self, engine):
        assert engine.rows("""
            local t = setmetatable({1, 2}, {__ipairs = function(t)
               return function(_, i) if i < 3 then return i + 1, 'm' end end, t, 0, 'dropped'
            end})
            local seen = {select('#', ipairs(t))}
            for i, v in ipairs(t) do seen[#seen + 1] = v .. i end
            return seen
        """) == [3, "m1", "m2", "m3"]

    def test_tables(self, engine):
        assert engine.rows("""
            local seen = {}
            for _, t in ipairs {{1, 2, nil, 4}, setmetatable({5}, {}), {}} do
               for i, v in ipairs(t) do seen[#seen + 1] = v end
            end
            return seen
        """) == [1, 2, 5]


class TestFiles:
    def test_write_gives_the_file(self, engine, tmp_path):
        path = tmp_path / "out"
        assert engine.run(
            "local f = io.open(..., 'wb') local same = f:write('a', 1):write('\\0\\255') == f f:close() return same",
            str(path),
        )
        assert path.read_bytes() == b"a1\x00\xff"

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
    def test_write_reports_what_failed(self, engine):
        result, message, code = engine.run(
            "local f = io.open('/dev/full', 'w') f:setvbuf('no') return f:write('a')"
        )
        assert result is None
        assert message
        assert code == 28  # ENOSPC

    def test_write_to_a_closed_file(self, engine, tmp_path):
        assert engine.run(
            "local f = io.open(..., 'w') f:close() return pcall(function()\n local x = f:write('a') end)",
            str(tmp_path / "out"),
        ) == (False, "test.lua:2: attempt to use a closed file")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("'true'", (True, "exit", 0)),
        ("'exit 3'", (None, "exit", 3)),
        ("'exit 255'", (None, "exit", 255)),
        ("'kill -9 $$'", (None, "signal", 9)),
        ("", True),
    ],
)
def test_execute(engine, command, expected):
    assert engine.run(f"return os.execute({command})") == expected


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize("close", ["h:close()", "io.close(h)"])
def test_closing_a_pipe_tells_how_the_command_ended(engine, close):
    if not engine.jit:
        pytest.skip("plain Lua 5.1 does not tell")
    program = "local h = io.popen(...) local text = h:read('*a') return text, " + close
    ends = [engine.run(program, command) for command in ("echo a; exit 3", "echo a", "echo a; kill -9 $$")]
    assert ends == [("a\n", None, "exit", 3), ("a\n", True, "exit", 0), ("a\n", None, "signal", 9)]
    assert engine.run(
        f"local h = io.popen('true') {close} collectgarbage() return io.type(h), (pcall(h.close, h))"
    ) == ("closed file", False)


class TestSearchpath:
    def test_found(self, engine, tmp_path):
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "b%1.lua").touch()
        path = f"{tmp_path}/?.x;{tmp_path}/?.lua"
        assert engine.run("return package.searchpath('a.b%1', ...)", path) == f"{tmp_path}/a/b%1.lua"

    def test_not_found(self, engine):
        found, tried = engine.run("return package.searchpath('a.b', '/nowhere/?.lua;/nowhere/?/init.lua')")
        assert found is None
        assert tried == "\n\tno file '/nowhere/a/b.lua'\n\tno file '/nowhere/a/b/init.lua'"


@pytest.mark.parametrize("name", engines)
def test_nothing_else_becomes_global(name):
    engine = Engine(name)
    names = "local n = {} for k in pairs(_G) do n[#n + 1] = k end return n"
    before = set(engine.rows(names))
    engine.chunk("compat.lua")
    assert set(engine.rows(names)) - before == {"__torch7py_len", "rawlen"}
