"""``torch7py run``: what reaches the program, and how the command ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from tests import python_process
from torch7py.bridge.errors import LuaError
from torch7py.cli.main import main

COMMAND = [sys.executable, "-m", "torch7py", "run"]


def torch7py_run(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return python_process.run([*COMMAND[1:], *arguments], cwd=cwd)


@pytest.fixture
def script(tmp_path: Path):
    """Writes a program and gives its path."""

    def write(source: str, name: str = "script.lua") -> Path:
        path = tmp_path / name
        path.write_text(source)
        return path

    return write


class FakeRuntime:
    """Notes what is asked of a runtime; ``run_source`` ends with ``outcome``, returned or raised."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.outcome: int | BaseException = 0

    def start(self, **options: object) -> FakeRuntime:
        self.calls.append(("options", options))
        return self

    def run_source(self, source: bytes, name: str, arguments: Sequence[str], first: str) -> int:
        assert (source, first) == (Path(name).read_bytes(), "")
        self.calls.append(("run", (name, list(arguments))))
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome

    def take_process(self) -> None:
        pass

    def close(self) -> None:
        self.calls.append(("close", None))


class TestCommandLine:
    """What the options become, with a stand-in for the runtime."""

    @pytest.fixture
    def fake(self, monkeypatch):
        module = ModuleType("torch7py.bridge.runtime")
        fake = FakeRuntime()
        module.Runtime = fake.start  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "torch7py.bridge.runtime", module)
        monkeypatch.setattr("torch7py.cli.run._explain", lambda *_: [])
        return fake

    def invoke(self, *arguments: str | Path):
        return CliRunner().invoke(main, ["run", *map(str, arguments)])

    def test_defaults(self, fake, script):
        path = script("")
        result = self.invoke(path)
        assert result.exit_code == 0
        assert fake.calls == [
            (
                "options",
                {
                    "dtype": "float64",
                    "seed": None,
                    "threads": None,
                    "device": "cpu",
                    "cuda_as": None,
                    "pairs": "sorted",
                    "pools": "threads",
                    "rnn_api": None,
                    "cutorch_api": None,
                },
            ),
            ("run", (str(path), [])),
            ("close", None),
        ]

    def test_every_option(self, fake, script):
        options = [
            "--dtype=float32",
            "--seed=7",
            "--threads=2",
            "--pairs=native",
            "--pools=in-turn",
            "--rnn-api=2015",
            "--cutorch-api=2015",
            "--cuda-as=cpu",
        ]
        result = self.invoke(*options, script(""))
        assert result.exit_code == 0
        assert fake.calls[0] == (
            "options",
            {
                "dtype": "float32",
                "seed": 7,
                "threads": 2,
                "device": "cpu",
                "cuda_as": "cpu",
                "pairs": "native",
                "pools": "in turn",
                "rnn_api": 2015,
                "cutorch_api": 2015,
            },
        )

    @pytest.mark.parametrize(
        "arguments",
        [
            ["a", "b c", ""],
            ["-gpuid", "0", "--seed", "3"],
            ["--help"],
            ["--", "-x"],
            ["--traceback", "--no-such-option=1"],
        ],
    )
    def test_all_that_follows_the_file_is_the_programs(self, fake, script, arguments):
        path = script("")
        assert self.invoke("--seed", "1", path, *arguments).exit_code == 0
        assert fake.calls[1] == ("run", (str(path), arguments))

    @pytest.mark.parametrize(
        ("option", "complaint"),
        [
            (["--sead", "1"], "No such option"),
            (["--seed", "-1"], "Invalid value for '--seed'"),
            (["--threads", "0"], "Invalid value for '--threads'"),
            (["--dtype", "int"], "Invalid value for '--dtype'"),
            (["--device", "cuda:x"], "'cuda:x' is not cpu, cuda or cuda:N."),
            (["--pairs", "random"], "Invalid value for '--pairs'"),
            (["--cuda-as", "gpu"], "Invalid value for '--cuda-as'"),
            (["--cuda-as", "cpu", "--device", "cuda"], "--cuda-as cpu and --device cuda exclude each other"),
        ],
    )
    def test_a_wrong_option_is_refused(self, fake, script, option, complaint):
        result = self.invoke(*option, script(""))
        assert result.exit_code == 2
        assert complaint in result.output
        assert fake.calls == []

    def test_exit_code_is_the_programs(self, fake, script):
        fake.outcome = 7
        assert self.invoke(script("")).exit_code == 7
        assert fake.calls[-1] == ("close", None)

    def test_a_failure_is_its_message(self, fake, script):
        fake.outcome = LuaError("script.lua:3: no", "stack traceback:\n\tscript.lua:3: in main chunk")
        result = self.invoke(script(""))
        assert (result.exit_code, result.stdout, result.stderr) == (1, "", "script.lua:3: no\n")
        assert fake.calls[-1] == ("close", None)

    def test_a_failure_with_its_traceback(self, fake, script):
        fake.outcome = LuaError("script.lua:3: no", "stack traceback:\n\tscript.lua:3: in main chunk")
        result = self.invoke("--traceback", script(""))
        assert result.exit_code == 1
        assert result.stderr.splitlines() == [
            "script.lua:3: no",
            "stack traceback:",
            "\tscript.lua:3: in main chunk",
        ]

    @pytest.mark.parametrize("message", ["interrupted", "script.lua:4: interrupted"])
    def test_an_interrupt(self, fake, script, message):
        fake.outcome = KeyboardInterrupt(*([message] if ":" in message else []))
        result = self.invoke(script(""))
        assert (result.exit_code, result.stderr) == (130, f"{message}\n")
        assert fake.calls[-1] == ("close", None)

    def test_signal_handlers_are_put_back(self, fake, script):
        before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGPIPE)
        assert self.invoke(script("")).exit_code == 0
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGPIPE)) == before

    @pytest.mark.parametrize(
        ("device", "count", "complaint"),
        [
            ("cuda", 0, "--device cuda: PyTorch finds no CUDA GPU on this machine"),
            ("cuda:1", 0, "--device cuda:1: PyTorch finds no CUDA GPU on this machine"),
            ("cuda:2", 2, "--device cuda:2: the last GPU of this machine is cuda:1"),
        ],
    )
    def test_a_missing_gpu(self, fake, script, monkeypatch, device, count, complaint):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        result = self.invoke("--device", device, script(""))
        assert (result.exit_code, result.stderr) == (2, f"torch7py: {complaint}\n")
        assert fake.calls == []

    def test_a_gpu_that_is_there(self, fake, script, monkeypatch):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
        assert self.invoke("--device", "cuda:1", script("")).exit_code == 0
        assert fake.calls[0][1]["device"] == "cuda:1"


class TestFile:
    def test_missing(self, tmp_path):
        result = torch7py_run(tmp_path / "none.lua")
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr == f"torch7py: cannot open {tmp_path / 'none.lua'}: no such file\n"

    def test_directory(self, tmp_path):
        result = torch7py_run(tmp_path)
        assert result.returncode == 1
        assert result.stderr == f"torch7py: cannot open {tmp_path}: it is a directory\n"

    def test_none(self):
        result = torch7py_run()
        assert result.returncode == 2
        assert "Missing argument 'FILE'" in result.stderr


class TestGpu:
    """Programs that ask for a GPU, with and without --cuda-as cpu. In this process: to start one takes seconds."""

    @pytest.fixture
    def run(self, capfd):
        """Runs the command; gives its exit code, and what it and the program wrote."""

        def invoke(*arguments: str | Path) -> tuple[int, str, str]:
            result = CliRunner().invoke(main, ["run", *map(str, arguments)])
            written = capfd.readouterr()
            return result.exit_code, written.out + result.stdout, written.err + result.stderr

        return invoke

    @pytest.mark.parametrize("name", ["cutorch", "cunn", "cudnn", "cunnx"])
    def test_one_line_says_which_option(self, script, run, name):
        code, out, err = run(script(f"require 'nn'\nrequire '{name}'\nprint('not reached')"))
        assert (code, out) == (1, "")
        assert err.splitlines()[1:] == [f"    2 | require '{name}'"]
        assert re.search(r"script\.lua:2: .*--device cuda.*--cuda-as cpu", err)

    @pytest.mark.parametrize("name", ["cutorch", "cunn", "cudnn"])
    def test_a_guard_is_false(self, script, run, name):
        program = script(
            f"local ok, why = pcall(require, '{name}') print(ok, type(why), torch.CudaTensor, package.loaded.{name})"
        )
        assert run(program) == (0, "false\tstring\tnil\tnil\t\n", "")

    @pytest.mark.parametrize("name", ["cutorch", "cunn", "cudnn", "cunnx"])
    def test_on_the_cpu(self, script, run, name):
        program = script(
            f"require '{name}' require 'nn' print(nn.Linear(2, 1):cuda():forward(torch.CudaTensor(2)):type())"
        )
        assert run("--cuda-as", "cpu", program) == (0, "torch.CudaTensor\t\n", "")

    def test_the_seed_of_the_command_is_cutorchs_too(self, script, run):
        program = script("require 'cutorch' print(torch.CudaTensor(1):uniform()[1], cutorch.initialSeed())")
        one, two = (run("--cuda-as=cpu", "--seed=5", program)[1] for _ in range(2))
        assert one == two
        assert one.split()[1] == "5"


class TestProgram:
    """The command and the runtime together."""

    def test_arg(self, script):
        path = script("print(#arg, arg[0], arg[1], arg[2]); print(select('#', ...), (...))")
        result = torch7py_run("script.lua", "one", "--two", cwd=path.parent)
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout == "2\tscript.lua\tone\t--two\t\n2\tone\t\n"

    def test_seed_is_manual_seed(self, script):
        path = script("require 'torch'; if arg[1] then torch.manualSeed(5) end; print(torch.random())")
        seeded = torch7py_run("--seed", "5", path)
        assert (seeded.returncode, seeded.stderr) == (0, "")
        assert seeded.stdout == torch7py_run(path, "here").stdout
        # The first word of MT19937 seeded with 5, from numpy's generator of that name.
        assert seeded.stdout.strip() == "953453411"

    @pytest.mark.parametrize(("options", "name"), [([], "Double"), (["--dtype", "float32"], "Float")])
    def test_dtype(self, script, options, name):
        result = torch7py_run(*options, script("require 'torch'; io.write(torch.type(torch.Tensor(2)))"))
        assert (result.stdout, result.stderr) == (f"torch.{name}Tensor", "")

    def test_threads(self, script):
        result = torch7py_run("--threads", "1", script("require 'torch'; io.write(torch.getnumthreads())"))
        assert (result.stdout, result.stderr) == ("1", "")

    @pytest.mark.one_lua
    def test_output_keeps_its_order(self, script):
        path = script("io.write('a'); print('b'); io.write('c\\n'); io.stderr:write('d\\n'); error('e', 0)")
        result = subprocess.run(
            [*COMMAND, path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        assert (result.returncode, result.stdout.replace("\t", "")) == (1, "ab\nc\nd\ne\n")

    @pytest.mark.parametrize(("source", "code"), [("os.exit(3)", 3), ("os.exit()", 0), ("return 5", 0)])
    def test_exit_code(self, script, source, code):
        result = torch7py_run(script(f"io.write('before ')\nprint('it')\n{source}"))
        assert (result.returncode, result.stdout.replace("\t", ""), result.stderr) == (
            code,
            "before it\n",
            "",
        )

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("\nerror('no')", "script.lua:2: no"),
            ("x = \n= 2", "script.lua:2: unexpected symbol near '='"),
            ("\n\nlocal t = nil; t.x = 1", "script.lua:3: attempt to index local 't' (a nil value)"),
            ("require 'torch'\nlocal x = torch.Tensor(2)\nx[3] = 1", "script.lua:3: "),
            ("require 'no_such_package'", "script.lua:1: "),
            ("require 'nn'\nlocal m = nn.NoSuchLayer(3)", "script.lua:2: "),
        ],
    )
    def test_a_failure_names_its_line(self, script, source, message):
        path = script(source)
        result = torch7py_run("script.lua", cwd=path.parent)
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr.startswith(message)
        assert "traceback" not in result.stderr.lower()

    def test_traceback(self, script):
        path = script("local function inner() error('deep') end\nlocal function outer() inner() end\nouter()")
        result = torch7py_run("--traceback", "script.lua", cwd=path.parent)
        assert result.returncode == 1
        message, *stack = result.stderr.splitlines()
        assert message == "script.lua:1: deep"
        for line in (1, 2, 3):
            assert any(f"script.lua:{line}:" in entry for entry in stack)

    def test_no_gpu_is_one_line(self, script):
        environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
        result = python_process.run([*COMMAND[1:], "--device", "cuda", script("")], env=environment)
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr.startswith("torch7py: --device cuda: PyTorch finds no CUDA GPU on this machine")
        assert result.stderr.count("\n") == 1

    @pytest.mark.one_lua
    def test_a_closed_pipe_ends_it_quietly(self, script):
        path = script("print('first'); for i = 1, 1e7 do print(i) end; io.stderr:write('still here')")
        process = subprocess.Popen(
            [*COMMAND, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "first"
        process.stdout.close()
        assert process.wait(timeout=60) == -signal.SIGPIPE
        assert process.stderr is not None
        assert process.stderr.read() == ""
        process.stderr.close()

    @pytest.mark.parametrize(
        "loop",
        [
            "while true do os.clock() end",
            "local x = 0; while true do x = x + 1 end",
            "require 'torch'; local x = torch.Tensor(2); while true do x:add(1) end",
            "require 'torch'; local x = torch.Tensor(100); while true do x:add(1) end",
        ],
    )
    def test_an_interrupt_ends_it(self, script, loop, lua_name):
        path = script(f"print('ready'); io.stdout:flush()\n{loop}")
        with python_process.start([*COMMAND[1:], "script.lua"], cwd=path.parent) as process:
            process.wait_for("ready")
            time.sleep(0.3)  # into the loop, and its compilation
            process.send_signal(signal.SIGINT)
            ended = process.wait(timeout=20)
        complaint = ended.stderr
        assert ended.returncode == 130
        assert complaint.endswith("interrupted\n")
        # LuaJIT 2.0 cannot tell the place of a loop that calls nothing of Python.
        known = lua_name != "luajit20" or "100" in loop
        assert complaint.startswith("script.lua:2: " if known else "")
        assert complaint.count("\n") == 1
