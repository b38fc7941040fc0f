"""``run --progress`` and ``--losses``: what is counted and shown, and that a program does not notice."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from tests import python_process
from torch7py.bridge.runtime import Runtime
from torch7py.cli.logs import curves_in
from torch7py.cli.progress import Progress, instrumented, instrumented_package

ROOT = Path(__file__).parents[2]
TRAINING = """require 'nn' require 'optim'
torch.manualSeed(1)
local model, criterion = nn.Linear(2, 1), nn.MSECriterion()
local x, y = torch.ones(4, 2), torch.ones(4, 1)
local parameters, gradients = model:getParameters()
local function loss()
   gradients:zero()
   local value = criterion:forward(model:forward(x), y)
   model:backward(x, criterion:backward(model.output, y))
   return value, gradients
end
for i = 1, 5 do
   local _, values = optim.sgd(loss, parameters, {learningRate = 0.1})
   print(values[1])
end
"""


class TestSource:
    def test_the_lines_stay(self) -> None:
        source = "local l = c:forward(m:forward(x),\n   y)\noptim.adam(f, x)\nm:updateParameters(1) -- x:forward(1)\n"
        lines = instrumented(source, "@main.lua").split("\n")
        assert len(lines) == 5
        assert lines[0].count("__torch7py_loss") == 2
        assert lines[1] == "   y))"
        assert lines[2] == "optim.adam(f, x) if __torch7py_step then __torch7py_step() end"
        assert lines[3].endswith(" end -- x:forward(1)")

    @pytest.mark.parametrize(
        "source",
        [
            "optim.Logger('x') m:backward(x) function m:forward() end",
            "x = 1\nm:forward(x):backward(y)",  # a parenthesis before it would call 1
            "m:forward(x).y = 3",
            "m:forward(x",
            "this is no Lua m:forward(x)",
        ],
    )
    def test_what_stays_as_it_is(self, source: str) -> None:
        assert instrumented(source, "@main.lua") == source

    def test_without_the_functions(self) -> None:
        """In another thread, with other globals, or read from a file: what is wrapped does what it did."""
        source = """
            local m = {forward = function(self, ...) return ... end, updateParameters = function() return 4 end}
            m:forward(1)
            m:updateParameters(1)
            local optim = {adam = function(...) return ... end}
            optim.adam(1)
            x = {m:forward(m:forward(1, 2)), m:updateParameters(), optim.adam(5, 6)}
            do m:forward(2) end repeat m:forward(3) until m:forward(true)
            return #x, x[3], x[#x], m:forward(7)"""
        with Runtime(rewrite=instrumented) as runtime:
            assert runtime.execute(source) == runtime.execute(f"setfenv(1, {{}}) {source}") == (4, 5, 6, 7)

    def test_the_samples(self) -> None:
        """They are Lua still, on the same lines."""
        files = sorted(ROOT.joinpath("lua_samples").rglob("*.lua"))
        assert len(files) > 10
        with Runtime() as runtime:
            for file in files:
                source = file.read_text()
                changed = instrumented(source, f"@{file}")
                assert changed.count("\n") == source.count("\n")
                assert runtime.call("loadstring", changed) is not None, file


class TestNumbers:
    def run(self, source: str, losses: Path | None = None) -> Progress:
        with Runtime(rewrite=instrumented, rewrite_packages=instrumented_package) as runtime:
            progress = Progress(runtime, False, losses.open("w") if losses else None)
            with progress:
                runtime.execute(source, "@main.lua")
        return progress

    def test_steps_and_losses(self, capsys: pytest.CaptureFixture[str]) -> None:
        progress = self.run(TRAINING)
        printed = [float(line) for line in capsys.readouterr().out.split()]
        assert progress.numbers[:2] == [5, 5]
        assert progress.numbers[6] == pytest.approx(printed[-1], rel=1e-12)
        assert re.fullmatch(
            r"5 iterations in [\d.]+ s, [\d.]+ a second, loss [\d.e-]+, \d+ MB", progress.text()
        )

    def test_a_program_that_only_evaluates(self) -> None:
        progress = self.run(
            "require 'nn' local c = nn.AbsCriterion() for i = 1, 3 do c:forward(torch.ones(1), torch.zeros(1)) end"
        )
        assert progress.text().startswith("3 iterations")

    def test_the_loop_of_a_trainer(self, capsys: pytest.CaptureFixture[str]) -> None:
        """nn.StochasticGradient calls the criterion and moves the parameters for the program."""
        progress = self.run("""
            require 'nn'
            torch.manualSeed(1)
            local dataset = {size = function() return 3 end}
            for i = 1, 3 do dataset[i] = {torch.ones(2) * i, torch.ones(1)} end
            local trainer = nn.StochasticGradient(nn.Linear(2, 1), nn.MSECriterion())
            trainer.maxIteration = 2
            trainer:train(dataset)""")
        assert progress.numbers[:2] == [6, 6]
        printed = re.search(r"# training error = (.*)", capsys.readouterr().out)
        assert printed is not None
        assert sum(progress.numbers[5:8]) / 3 == pytest.approx(float(printed[1]), rel=1e-12)

    def test_the_files_of_packages(self) -> None:
        """They are Lua still, on the same lines."""
        files = sorted(ROOT.joinpath("torch7py", "packages").rglob("*.lua"))
        changed = {file: instrumented_package(file.read_text()) for file in files}
        assert sum(changed[file] != file.read_text() for file in files) > 3
        with Runtime() as runtime:
            for file, text in changed.items():
                assert text.count("\n") == file.read_text().count("\n")
                assert runtime.call("loadstring", text) is not None, file

    def test_results_pass_through(self) -> None:
        """All of them, nil too, and errors with their lines."""
        program = """
            local m = {forward = function(self, ...) return ... end}
            assert(select('#', m:forward(1, nil, 2, nil)) == 4)
            local ok, message = pcall(function()
               return m:backward():forward()
            end)
            assert(message == "main.lua:5: attempt to call method 'backward' (a nil value)", message)
            local co = coroutine.wrap(function() m.forward = function() coroutine.yield(3) end m:forward() end)
            assert(co() == 3)
            """
        assert self.run(program).numbers[:3] == [1, 0, 1]

    def test_losses_in_a_file(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        file = tmp_path / "losses.log"
        self.run(TRAINING, file)
        printed = [float(line) for line in capsys.readouterr().out.split()]
        (curve,) = curves_in(file.read_text())
        assert curve.name == "loss"
        assert curve.y == pytest.approx(printed, rel=1e-4)

    def test_many_losses(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each is written once, in order, however often the memory for them is full."""
        monkeypatch.setattr("torch7py.cli.progress.KEPT", 8)
        file = tmp_path / "losses.log"
        program = "local c = {forward = function(_, x) return x end} for i = 1, 99 do c:forward(i) end"
        self.run(program, file)
        (curve,) = curves_in(file.read_text())
        assert curve.y == list(range(1, 100))


def test_where_stderr_is_no_terminal(tmp_path: Path) -> None:
    """One line at the end, also of a program that ends the process."""
    file = tmp_path / "main.lua"
    file.write_text(TRAINING + "os.exit(3)")
    found = python_process.run(["-m", "torch7py", "run", "--progress", "--losses", tmp_path / "losses", file])
    assert found.returncode == 3
    assert len(found.stdout.splitlines()) == 5
    assert re.fullmatch(r"torch7py: 5 iterations in .* MB\n", found.stderr)
    assert len(tmp_path.joinpath("losses").read_text().splitlines()) == 6


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs pseudo-terminals")
def test_on_a_terminal(tmp_path: Path) -> None:
    """The last line is taken out of what scrolls, shows numbers, and is given back."""
    import pty

    file = tmp_path / "main.lua"
    file.write_text(TRAINING + "local t = os.clock() while os.clock() - t < 0.6 do end print('end')")
    pid, terminal = pty.fork()
    if not pid:
        os.environ["LINES"], os.environ["COLUMNS"], os.environ["TERM"] = "24", "80", "xterm"
        os.execv(sys.executable, [sys.executable, "-m", "torch7py", "run", "--progress", str(file)])
    shown = b""
    try:
        while data := os.read(terminal, 1 << 16):
            shown += data
    except OSError:  # the other side is closed
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(terminal)
    text = shown.decode()
    begin, end = text.index("\x1b[1;23r"), text.index("\x1b[r")
    assert re.search(r"\x1b7\x1b\[24;1H5 iterations in [^\n]*\x1b\[K\x1b8", text[begin:end])
    plain = re.sub(r"\x1b7.*?\x1b8|\x1b\[[0-9;]*[A-Za-z]", "", text).replace("\r", "").split("\n")
    assert [line.rstrip() for line in plain if line][-2] == "end"
    assert plain[-2].startswith("torch7py: 5 iterations in ")
