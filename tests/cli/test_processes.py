"""Programs in several processes: one pair of them beside one process, and what the process that watches says."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests import python_process
from torch7py.cli import processes
from torch7py.cli.main import main

PROGRAM = r"""
require 'cunn'
torch.manualSeed(3)
local gpus = {}
for i = 1, cutorch.getDeviceCount() do gpus[i] = i end
local net = nn.Sequential():add(nn.Linear(6, 8)):add(nn.Tanh()):add(nn.Dropout(0.3))
net:add(nn.Linear(8, 3)):add(nn.LogSoftMax())
local model = nn.DataParallelTable(1):add(net, gpus):type('torch.CudaDoubleTensor')
local criterion = nn.ClassNLLCriterion():type('torch.CudaDoubleTensor')
local w, dw = model:getParameters()
local first = 1
if arg[1] == 'resume' then
   local saved = torch.load('checkpoint.t7')
   model, first = saved.model, saved.at + 1
   torch.setRNGState(saved.random)
   cutorch.setRNGState(saved.cuda)
   w, dw = model:getParameters()
end
paths.mkdir('made/here')
local log = io.open('made/here/log.txt', 'a')
for i = first, 200 do
   local n = 1 + i % 7
   local x = torch.randn(n, 6):cudaDouble()
   local t = torch.CudaDoubleTensor(n):random(1, 3)
   dw:zero()
   local loss = criterion:forward(model:forward(x), t)
   model:backward(x, criterion:backward(model.output, t))
   w:add(-0.1, dw)
   print(string.format('%d %.15f', i, loss))
   log:write(loss, '\n')
   if i == 100 and first == 1 then
      model:clearState()
      torch.save('checkpoint.t7', {model = model, at = i, random = torch.getRNGState(), cuda = cutorch.getRNGState()})
      model = torch.load('checkpoint.t7').model
      w, dw = model:getParameters()
   end
   if i == 150 and arg[1] == 'die' and os.getenv('LOCAL_RANK') == '1' then
      require('ffi').cdef 'int raise(int);'
      require('ffi').C.raise(9)
   end
end
log:close()
model:evaluate()
print(string.format('%.15f %.15f', model:forward(torch.ones(3, 6):cudaDouble()):sum(), torch.uniform()))
print(select(2, io.open('made/here/log.txt'):read('*a'):gsub('\n', '')), io.popen('echo printed'):read('*l'))
os.execute('echo once $RANK$WORLD_SIZE >> commands')
error('the end')
"""


OPTIONS = ["--cuda-as", "cpu", "--seed", "5"]


def run_two(folder: Path, argument: str) -> subprocess.CompletedProcess[str]:
    (folder / "p.lua").write_text(PROGRAM)
    command = ["-m", "torch7py", "run", *OPTIONS, "--nproc", "2", "p.lua", argument]
    return python_process.run(command, cwd=folder, timeout=100)


def numbers(text: str) -> list[float]:
    return [float(word) for word in re.findall(r"-?\d+(?:\.\d+)?", text)]


@pytest.mark.skipif(sys.platform == "win32", reason="gloo of PyTorch's wheels needs a POSIX system here")
def test_two_processes_compute_what_one_does(tmp_path: Path) -> None:
    """Losses, files, commands and the error at the end; a run that lost a process goes on from its checkpoint."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "one" / "p.lua").write_text(PROGRAM)
    alone = ["-m", "torch7py", "run", *OPTIONS, "--threads", "1", "p.lua"]
    one = python_process.run(alone, cwd=tmp_path / "one")
    started = time.monotonic()
    two = run_two(tmp_path / "two", "die")
    assert time.monotonic() - started < 30
    assert two.returncode == 137
    assert two.stderr == "torch7py: process 1 of 2 was killed (SIGKILL); the others have been ended\n"
    before = numbers(two.stdout)
    assert numbers(one.stdout)[: len(before)] == pytest.approx(before, abs=1e-10)
    assert len(before) >= 2 * 149

    resumed = run_two(tmp_path / "two", "resume")
    assert resumed.returncode == one.returncode == 1
    assert resumed.stderr == one.stderr
    assert "p.lua" in one.stderr
    assert one.stderr.count("the end") == 2  # the message and the line of the program
    after, expected = numbers(resumed.stdout)[:-1], numbers(one.stdout)[:-1]
    assert after == pytest.approx(expected[-len(after) :], abs=1e-10)
    assert len(after) == 2 * 100 + 2
    assert "printed" in resumed.stdout
    assert (tmp_path / "two" / "commands").read_text() == "once\n"
    assert len((tmp_path / "two" / "made/here/log.txt").read_text().split()) >= 100


class Ended:
    """A process that has ended with a code, or never does."""

    def __init__(self, code: int | None) -> None:
        self.code = code

    def poll(self) -> int | None:
        return self.code


@pytest.mark.parametrize(
    ("codes", "code", "said"),
    [
        ([0, 0], 0, ""),
        ([1, 1], 1, ""),
        ([2, 3], 2, ""),
        ([75, 3], 3, "torch7py: process 1 of 2:\nerrors of 1\n"),
        ([75, -9, 75], 137, "torch7py: process 1 of 3 was killed (SIGKILL); the others have been ended\n"),
        ([None, -15], 143, "torch7py: process 1 of 2 was killed (SIGTERM); the others have been ended\n"),
        ([75, 0], 1, "torch7py: process 1 of 2 ended before the others, which still had to meet it\n"),
        ([75, 75], 1, "torch7py: the processes have lost one another\n"),
    ],
)
def test_one_message_says_why_processes_ended(
    codes: list[int | None],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(processes, "OTHERS_END", 0.01)
    errors = []
    for rank in range(len(codes)):
        path = tmp_path / str(rank)
        path.write_text(f"errors of {rank}\n")
        errors.append(None if rank == 0 else path.open("rb"))
    assert processes._watch([Ended(code) for code in codes], errors) == code  # type: ignore[misc]
    assert capsys.readouterr().err == said
    for file in filter(None, errors):
        file.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data-parallel", "-e", "x = 1"], "give --nproc N"),
        (["--nproc", "2", "-i"], "several processes run a program that is in a file"),
        (["--nproc", "0", "-e", "x = 1"], "0 is not in the range"),
    ],
)
def test_requests_that_make_no_sense(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(main, ["run", *arguments])
    assert result.exit_code == 2
    assert said in result.output


def test_a_group_is_named_by_all_of_torchruns_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number of processes alone, which other launchers leave behind, is none."""
    for name in ("RANK", "MASTER_ADDR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert not processes.is_one_of_several()
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("MASTER_ADDR", "localhost")
    assert processes.is_one_of_several()
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert not processes.is_one_of_several()
