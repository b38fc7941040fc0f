"""What Lua prints goes to Python's sys.stdout, in the order of both."""

from __future__ import annotations

import contextlib
import io

import pytest

from tests import python_process
from torch7py.bridge.runtime import Runtime

PRINTING = "print('a', 1) io.write('b', 2) io.stdout:write('c'):write('d\\n') io.stdout:flush() io.flush()"
PRINTED = "a\t1\t\nb2cd\n"

# What the original's interpreter leaves in the file and prints: print writes where io.write does.
TO_A_FILE = """
io.write('a'):write('b', '\\n')
local f = io.open(arg[1], 'w')
assert(io.output(f) == f)
io.write('hello ')
print(io.write('x') == f, {1})
io.close()
io.output(io.stdout)
print(io.output() == io.stdout, io.type(f))
"""


@pytest.mark.parametrize("redirected", [False, True])
def test_print_writes_where_io_write_does(tmp_path, redirected: bool) -> None:
    script = tmp_path / "p.lua"
    script.write_text(TO_A_FILE)
    file = tmp_path / "out.txt"
    if redirected:
        with Runtime() as runtime, contextlib.redirect_stdout(io.StringIO()) as written:
            runtime.run(script, [str(file)])
        text = written.getvalue()
    else:
        text = python_process.run(["-m", "torch7py", "run", str(script), str(file)]).stdout
    assert text == "ab\ntrue\tclosed file\t\n"
    assert file.read_text() == "hello xtrue\t{\n  1 : 1\n}\n"


def test_redirect_stdout() -> None:
    with Runtime() as runtime:
        outer, inner = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(outer):
            print("first")
            runtime.execute(PRINTING)
            print("then")
            with contextlib.redirect_stdout(inner):
                runtime.execute(PRINTING)
            runtime.execute("print('é') io.write('\\195') io.write('\\169\\n', '\\255\\n')")
            runtime.globals["say"] = lambda: print("from Python")
            runtime.execute("io.write('before ') say() io.write('after\\n')")
        assert outer.getvalue() == f"first\n{PRINTED}then\né\t\né\n\ufffd\nbefore from Python\nafter\n"
        assert inner.getvalue() == PRINTED


def test_a_callable_that_redirects() -> None:
    with Runtime() as runtime:
        kept, inside = io.StringIO(), io.StringIO()

        def silent(function: object) -> None:
            with contextlib.redirect_stdout(inside):
                assert callable(function)
                function()

        with contextlib.redirect_stdout(kept):
            runtime.globals["silent"] = silent
            runtime.execute("io.write('1') silent(function() io.write('2') end) io.write('3')")
        assert (kept.getvalue(), inside.getvalue()) == ("13", "2")


def test_bytes_where_there_are_bytes() -> None:
    out = io.TextIOWrapper(io.BytesIO(), "ascii", newline="\n")
    with Runtime() as runtime, contextlib.redirect_stdout(out):
        print("x")
        runtime.execute("io.write('\\255\\0')")
        print("y")
    out.seek(0)
    assert out.buffer.read() == b"x\n\xff\0y\n"


def test_stderr() -> None:
    found = io.StringIO()
    with Runtime() as runtime, contextlib.redirect_stderr(found):
        runtime.execute("io.stderr:write('trouble\\n')")
    assert found.getvalue() == "trouble\n"


def test_wrong_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    with Runtime() as runtime:
        ok, message = runtime.execute("local ok, message = pcall(io.write, {}) return ok, message")
        assert (ok, message.split(": ")[-1]) == (
            False,
            "bad argument #1 to 'write' (string expected, got table)",
        )
    assert capsys.readouterr().out == ""


def test_other_files_are_lua_s_own(tmp_path) -> None:
    with Runtime() as runtime, contextlib.redirect_stdout(io.StringIO()) as found:
        runtime.globals["path"] = str(tmp_path / "file")
        runtime.execute(
            "io.output(path) io.write('in a file') io.close() io.output(io.stdout) io.write('here')"
        )
        assert found.getvalue() == "here"
    assert tmp_path.joinpath("file").read_text() == "in a file"


def test_the_process_s_own_stdout() -> None:
    program = f'''
import torch7py
runtime = torch7py.Runtime()
runtime.globals["say"] = lambda: print("python")
print("first")
runtime.execute(r"""{PRINTING} say() print('lua')""")
print("last")
'''
    result = python_process.run(["-c", program])
    assert result.stdout == f"first\n{PRINTED}python\nlua\t\nlast\n"


def test_a_stream_that_only_writes() -> None:
    class Stream:
        text = ""

        def write(self, text: str) -> None:
            self.text += text

        def flush(self) -> None:
            pass

    stream = Stream()
    with Runtime() as runtime, contextlib.redirect_stdout(stream):  # type: ignore[type-var]
        runtime.execute("print('a')")
    assert stream.text == "a\t\n"
