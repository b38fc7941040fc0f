"""``torch7py repl`` and ``torch7py run -i``: what is read and shown, on a terminal and elsewhere."""

from __future__ import annotations

import builtins
import io
import os
import re
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from tests import python_process
from torch7py.bridge.output import takes_colors
from torch7py.bridge.runtime import Runtime
from torch7py.cli import prompt, repl
from torch7py.cli.main import main
from torch7py.console.engine import Console


@pytest.fixture(scope="module")
def console() -> Iterator[Console]:
    with Runtime() as runtime:
        yield Console(runtime)


class TestKeys:
    """The prompt of prompt_toolkit, with keys from a pipe."""

    def read(self, console: Console, keys: str, history: Path | None = None) -> str:
        with create_pipe_input() as pipe:
            pipe.send_text(keys)
            return prompt.reader(console, history, pipe, DummyOutput())()

    def test_enter_ends_what_is_complete(self, console: Console) -> None:
        assert self.read(console, "x = 1\r") == "x = 1"

    def test_enter_goes_on_with_what_is_not(self, console: Console) -> None:
        assert self.read(console, "for i = 1, 2 do\r  f(i)\rend\r") == "for i = 1, 2 do\n  f(i)\n  end"

    def test_an_error_is_for_the_evaluation(self, console: Console) -> None:
        assert self.read(console, "x y\r") == "x y"

    def test_tab_completes(self, console: Console) -> None:
        console.evaluate("unmistakable = {inner_field = 1}", "stdin")
        assert self.read(console, "unmist\t.inn\t + 1\r") == "unmistakable.inner_field + 1"

    def test_tab_indents_at_the_beginning_of_a_line(self, console: Console) -> None:
        assert self.read(console, "do\r\tx = 1\rend\r") == "do\n  x = 1\n  end"

    def test_a_pasted_text_is_one_piece(self, console: Console) -> None:
        assert self.read(console, "\x1b[200~x = 1\ny = 2\n\x1b[201~\r") == "x = 1\ny = 2\n"

    def test_ctrl_c_drops_what_is_typed(self, console: Console) -> None:
        with pytest.raises(KeyboardInterrupt):
            self.read(console, "x = \x03")

    def test_ctrl_d_ends(self, console: Console) -> None:
        with pytest.raises(EOFError):
            self.read(console, "\x04")

    def test_the_history_is_kept(self, console: Console, tmp_path: Path) -> None:
        self.read(console, "first = 1\r", tmp_path / "history")
        assert self.read(console, "\x1b[A\r", tmp_path / "history") == "first = 1"

    def test_colours_of_a_line(self) -> None:
        from prompt_toolkit.document import Document

        styled = prompt._LuaLexer().lex_document(Document("local x = 'a b' .. 12 -- end"))(0)
        assert "".join(text for _, text, *_ in styled) == "local x = 'a b' .. 12 -- end"
        assert {style: text for style, text, *_ in styled if style} == {
            "class:keyword": "local",
            "class:string": "'a b'",
            "class:number": "12",
            "class:comment": "-- end",
        }


class TestWithoutPromptToolkit:
    def test_what_is_missing_is_said(self, console, monkeypatch, capsys) -> None:
        """And lines are read by ``input``, several where one does not make a piece of Lua."""
        lines: Iterator[str | type[BaseException]] = iter(
            ["1 + 1", "for i = 1, 2 do", "print(i)", "end", KeyboardInterrupt, "error 'no'", EOFError]
        )
        prompts = []

        def read(shown: str) -> str:
            prompts.append(shown)
            line = next(lines)
            if not isinstance(line, str):
                raise line
            return line

        monkeypatch.setattr(builtins, "input", read)
        monkeypatch.setattr(sys, "stdin", Terminal())
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        monkeypatch.setitem(sys.modules, "prompt_toolkit", None)
        assert repl.talk(console) == 0
        found = capsys.readouterr()
        assert found.out == "2\t\n1\t\n2\t\n"
        assert "completion and history at the prompt need prompt_toolkit" in found.err
        assert "pip install 'prompt-toolkit" in found.err
        assert found.err.endswith("stdin:1: no\n    1 | error 'no'\n")
        assert prompts == ["th> ", "th> ", "..> ", "..> ", "th> ", "th> ", "th> "]


class Terminal:
    def isatty(self) -> bool:
        return True


def test_where_no_history_can_be_kept(tmp_path, monkeypatch, capsys) -> None:
    tmp_path.joinpath("file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert repl._history() is None
    assert "no history is kept" in capsys.readouterr().err


def test_a_file_as_standard_input() -> None:
    """What is evaluated may itself read the lines that follow, as under ``th``."""
    text = "1 + 1\nx = io.read()\na line\nx\ndo\n  print(x)\nend\nerror('no')\n? torch.abs\nio.write('end')\nx = ("
    found = python_process.run(["-m", "torch7py", "repl", "--traceback"], input=text)
    lines = found.stdout.splitlines()
    assert lines[:3] == ["2\t", "a line\t", "a line\t"]
    assert lines[3] == "torch.abs([out,] src)"
    assert re.fullmatch(r"endfile \(0x[0-9a-f]+\)", lines[-1])
    assert found.stderr.splitlines()[:3] == ["stdin:1: no", "    1 | error('no')", "stack traceback:"]
    assert "stdin:1: unexpected symbol near '<eof>'" in found.stderr
    assert found.returncode == 0


class TestRun:
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)

    def run(self, *arguments: str, input: str = "") -> Result:
        return CliRunner().invoke(main, ["run", *arguments], input=input)

    def test_code_of_the_command_line(self) -> None:
        Path("file.lua").write_text("print(arg[0] == ... , x, arg[1])")
        found = self.run("-e", "x = 1", "-e", "x = x + 1", "file.lua", "a")
        assert (found.exit_code, found.output) == (0, "false\t2\ta\t\n")
        found = self.run("-e", "print 'one'\nerror('no')")
        assert (found.exit_code, found.stdout) == (1, "one\t\n")
        assert found.stderr == "(command line):2: no\n    2 | error('no')\n"

    def test_packages_of_the_command_line(self) -> None:
        Path("part.lua").write_text("part = 5")
        found = self.run("-l", "part", "-l", "nn", "-e", "print(part, nn.Linear ~= nil)\nerror('no')")
        assert (found.exit_code, found.stdout) == (1, "5\ttrue\t\n")
        assert found.stderr.startswith("(command line):2: no\n")
        Path("file.lua").write_text("print(part)")
        assert self.run("-l", "part", "file.lua").output == "5\t\n"
        found = self.run("-l", "no such", "file.lua")
        assert found.exit_code == 1
        assert found.stderr.startswith("(command line):1: module 'no such' not found")

    def test_packages_of_a_prompt(self) -> None:
        Path("part.lua").write_text("part = 5")
        found = python_process.run(["-m", "torch7py", "repl", "-l", "part"], input="part + 1\n")
        assert (found.returncode, found.stdout, found.stderr) == (0, "6\t\n", "")
        found = python_process.run(["-m", "torch7py", "repl", "-l", "absent"], input="1\n")
        assert (found.returncode, found.stdout) == (1, "")
        assert "module 'absent' not found" in found.stderr
        assert "Traceback" not in found.stderr

    def test_a_program_on_the_standard_input(self) -> None:
        Path("part.lua").write_text("return 5")
        found = self.run("-", "a", "-b", input="print(require 'part', require './part', ...)")
        assert (found.exit_code, found.output) == (0, "5\t5\ta\t-b\t\n")

    def test_an_error_with_its_line_and_a_suggestion(self) -> None:
        Path("main.lua").write_text("require 'nn'\n\nlocal m = nn.Liner(2, 3)\n")
        expected = [
            "main.lua:3: attempt to call field 'Liner' (a nil value)",
            "    3 | local m = nn.Liner(2, 3)",
            "      |              ^^^^^",
            "did you mean nn.Linear?",
        ]
        assert self.run("main.lua").stderr.splitlines() == expected
        found = self.run("-", input=Path("main.lua").read_text())
        assert found.stderr.splitlines() == [expected[0].replace("main.lua", "stdin"), *expected[1:]]

    def test_its_generation_is_judged_by_what_was_read(self) -> None:
        program = "require 'rnn' if false then x:backwardThroughTime() end"
        assert (
            "stdin calls backwardThroughTime, so it gets nn and rnn as of 2015"
            in self.run("-", input=program).stderr
        )

    def test_a_prompt_after_the_program(self) -> None:
        """Also after one that failed."""
        Path("file.lua").write_text("x = 5\nfunction f() return x end\nerror('no')")
        found = python_process.run(
            ["-m", "torch7py", "run", "-i", "file.lua"], input="f() + 1\nwho()\nos.exit(7)\n"
        )
        assert found.returncode == 7
        assert found.stdout.splitlines()[0] == "6\t"
        assert [line.split()[0] for line in found.stdout.splitlines()[2:-1]] == ["[arg]", "[f]", "[x]"]
        assert ":3: no" in found.stderr

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [([], "Missing argument 'FILE'"), (["-i", "-"], "-i reads from the standard input")],
    )
    def test_what_makes_no_sense(self, arguments: list[str], message: str) -> None:
        found = self.run(*arguments)
        assert found.exit_code == 2
        assert message in found.output


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs pseudo-terminals")
def test_on_a_terminal_of_40_columns(tmp_path: Path) -> None:
    """The whole of it: a prompt, a value, several lines, Ctrl-C while Lua runs, Ctrl-D."""
    with Dialogue(tmp_path) as terminal:
        assert "for help" in terminal.until(READY)
        for text, shown in [
            ("40 + 2", "42\t"),
            ("torch.range(1, 2)", "[torch.DoubleTensor of size 2]"),
            ("error('no')", "stdin:1: no"),
            ("x = {\r1,\r7}\rx[2] + 1", "8\t"),
        ]:
            terminal.send(f"{text}\r")
            terminal.until(re.escape(shown))
            terminal.until(READY)
        terminal.send("io.write('run', 'ning'); while true do end\r")
        terminal.until("running")
        terminal.send("\x03")
        assert "interrupted" in terminal.until(READY)
        terminal.send("\x04")
        assert terminal.exit_code() == 0
    assert "\x1b[0;36m" in terminal.raw  # a number
    assert "\x1b[31m" in terminal.raw  # an error


def test_when_there_are_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    assert takes_colors(Terminal())
    assert not takes_colors(io.StringIO())
    assert not takes_colors(None)
    monkeypatch.setenv("TERM", "dumb")
    assert not takes_colors(Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not takes_colors(Terminal())


READY = "<ready>"


class Dialogue:
    """``torch7py repl`` on a pseudo-terminal."""

    def __init__(self, folder: Path) -> None:
        self.variables = {"TERM": "xterm", "XDG_STATE_HOME": str(folder), "OMP_NUM_THREADS": "1"}

    def __enter__(self) -> Dialogue:
        import fcntl
        import pty
        import struct
        import termios

        self.raw, self.unread = "", ""
        self.pid, self.terminal = pty.fork()
        if not self.pid:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # the tests may run where Ctrl-C is ignored
            environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | self.variables
            os.execve(sys.executable, [sys.executable, "-m", "torch7py", "repl"], environment)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
        return self

    def __exit__(self, *error: object) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.terminal)

    def send(self, keys: str) -> None:
        os.write(self.terminal, keys.encode())

    def _read(self) -> bool:
        if not select.select([self.terminal], [], [], 0.1)[0]:
            return True
        try:
            data = os.read(self.terminal, 1 << 16).decode(errors="replace")
        except OSError:  # the other side is closed
            return False
        if "\x1b[6n" in data:  # where the cursor is
            self.send("\x1b[1;1R")
        self.raw += data
        data = data.replace("\x1b[?2004h", READY)  # which begins a prompt
        self.unread += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", data)
        return bool(data)

    def until(self, pattern: str) -> str:
        """What is shown until the pattern comes, without the codes for colours and places."""
        end = time.monotonic() + 60
        while not (found := re.search(pattern, self.unread)):
            assert time.monotonic() < end, self.unread
            self._read()
        shown, self.unread = self.unread[: found.end()], self.unread[found.end() :]
        return shown

    def exit_code(self) -> int:
        end = time.monotonic() + 60
        while self._read() and time.monotonic() < end:
            pass
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)
