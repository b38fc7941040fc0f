"""Ports that fail, do not end, print nothing or ask for what never was, and files with odd names."""

from __future__ import annotations

import importlib
import json
import re
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests import python_process
from tests.time_limits import LIMITS, long_enough
from torch7py.cli.main import main
from torch7py.wording import seconds

LUA = """require 'nn'
torch.manualSeed(1)
local cmd = torch.CmdLine()
cmd:option('-epochs', 3, 'how many')
local opt = cmd:parse(arg)
local net, criterion = nn.Linear(3, 1), nn.MSECriterion()
local x, y = torch.randn(5, 3), torch.randn(5, 1)
for epoch = 1, opt.epochs do
   print(epoch, criterion:forward(net:forward(x), y))
   net:zeroGradParameters()
   net:backward(x, criterion:backward(net.output, y))
   net:updateParameters(0.1)
end
"""
PORT = """import argparse

import torch

parser = argparse.ArgumentParser()
parser.add_argument("-epochs", type=int, default=3)
epochs = parser.parse_args().epochs
torch.set_default_dtype(torch.float64)
net = torch.nn.Linear(3, 1)
x, y = torch.randn(5, 3), torch.randn(5, 1)
optimizer = torch.optim.SGD(net.parameters(), 0.1)
for epoch in range(epochs):
    loss = torch.nn.functional.mse_loss(net(x), y)
    print(epoch + 1, loss.item())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


@pytest.fixture
def lua(tmp_path: Path) -> Path:
    path = tmp_path / "train.lua"
    path.write_text(LUA)
    return path


@pytest.fixture
def port(tmp_path: Path) -> Path:
    path = tmp_path / "train.py"
    path.write_text(PORT)
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["compare", *map(str, arguments)])


def test_both_get_the_options_that_follow(lua: Path, port: Path) -> None:
    result = run(lua, port, "-epochs", 2)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.output.startswith("the same: 2 lines, 2 losses, 2 changes of weights, 2 tensors of weights")
    result = run("--json", "--limit", 50, lua, port, "--", "-epochs", "4")
    found = json.loads(result.output)
    assert (found["equal"], found["lines"]) == (True, 4)
    assert found["matched"] == {"Linear.weight": "nn.Linear.1.weight", "Linear.bias": "nn.Linear.1.bias"}


def test_a_difference_is_exit_code_2(lua: Path, port: Path) -> None:
    port.write_text(PORT.replace("0.1)", "0.2)"))
    result = run(lua, port)
    assert result.exit_code == 2
    assert result.output.startswith("they part at train.lua:12 and train.py:17: Linear.")
    assert json.loads(run("--json", lua, port).output)["differences"][0]["port"] == "train.py:17"


def test_a_port_that_prints_nothing(lua: Path, port: Path) -> None:
    port.write_text(PORT.replace("    print(epoch + 1, loss.item())\n", ""))
    result = run(lua, port)
    assert result.exit_code == 2
    assert "the port prints 0 lines, the original 3" in result.output
    port.write_text("")
    result = run(lua, port)
    assert result.exit_code == 2
    assert "train.lua:9: the port prints 0 lines, the original 3" in result.output
    assert "nothing in the port stands for nn.Linear.1.weight, nn.Linear.1.bias" in result.output


def test_nothing_to_compare(lua: Path, port: Path) -> None:
    lua.write_text("local x = 1\n")
    port.write_text("x = 1\n")
    result = run(lua, port)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "torch7py: there is nothing to compare: no lines, no losses, no weights\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    optimizer.step()", "    raise ValueError('no\\nmore')", "train.py:17: ValueError: no"),
        (
            "    optimizer.step()",
            "    len(epochs)",
            "train.py:17: TypeError: object of type 'int' has no len()",
        ),
        (
            "import torch\n",
            "import torch, nowhere\n",
            "train.py:3: ModuleNotFoundError: No module named 'nowhere'",
        ),
        ("epochs = ", "epochs = = ", "train.py:7: SyntaxError: invalid syntax"),
        ("    optimizer.step()", "    raise SystemExit(3)", "it ended with exit code 3"),
    ],
)
def test_a_port_that_fails_names_its_line(lua: Path, port: Path, old: str, new: str, said: str) -> None:
    port.write_text(PORT.replace(old, new))
    result = run(lua, port)
    assert result.exit_code == 1
    assert result.stderr == f"torch7py: the port fails: {said}\n"


def test_what_was_seen_before_a_failure_is_told(lua: Path, port: Path) -> None:
    port.write_text(
        PORT.replace(
            "    optimizer.step()", "    if epoch == 1:\n        raise ValueError\n    optimizer.step()"
        )
    )
    result = run(lua, port)
    assert result.exit_code == 1
    assert result.stdout == "the same as far as they came: 2 lines, 2 losses, 1 change of weights\n"
    assert result.stderr == "torch7py: the port fails: train.py:18: ValueError: no message\n"


def test_an_original_that_fails(lua: Path, port: Path) -> None:
    lua.write_text("print(1)\nerror('no')\n")
    result = run(lua, port)
    assert result.exit_code == 1
    assert re.fullmatch(r"torch7py: the original fails: \S*/train\.lua:2: no\n", result.stderr)
    lua.write_text("x = = 1\n")
    assert "train.lua:1: unexpected symbol near '='" in run(lua, port).stderr
    lua.write_text("os.exit(4)\n")
    assert "the original ended with exit code 4" in run(lua, port).stderr


@pytest.fixture(scope="module")
def _imported() -> None:
    """What PyTorch imports late: an interrupt in the middle would leave half of it in this process."""
    importlib.import_module("torch._dynamo")


@pytest.mark.usefixtures("_imported")
@pytest.mark.parametrize("endless", ["while True:\n        pass", "import time\n    time.sleep(1e6)"])
def test_a_port_that_does_not_end(lua: Path, port: Path, endless: str) -> None:
    port.write_text(PORT.replace("    optimizer.step()", f"    {endless}"))
    start = time.monotonic()
    limit, result = long_enough(
        lambda limit: run("--limit", limit, lua, port), lambda result: bool(result.stdout)
    )
    assert time.monotonic() - start < sum(LIMITS) + 30
    assert result.exit_code == 1
    assert result.stdout == "the same as far as they came: 1 line, 1 loss\n"
    assert result.stderr == f"torch7py: the port did not end within {seconds(float(limit))}\n"


@pytest.mark.usefixtures("_imported")
@pytest.mark.parametrize("endless", ["while true do end", "while true do net:forward(x) end"])
def test_an_original_that_does_not_end(lua: Path, port: Path, endless: str) -> None:
    lua.write_text(f"{LUA}{endless}\n")
    came = "the same as far as they came: 3 lines, 3 losses"
    limit, result = long_enough(
        lambda limit: run("--limit", limit, lua, port), lambda result: result.stdout.startswith(came)
    )
    assert result.exit_code == 1
    assert result.stdout.startswith(came)
    assert result.stderr == f"torch7py: the original did not end within {seconds(float(limit))}\n"


def test_a_port_that_cannot_be_stopped(lua: Path, port: Path) -> None:
    port.write_text("""import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
print(1)
while True:
    pass
""")
    shortened = (
        "from torch7py.translate.comparison import limits; limits.PATIENCE = 0.2\n"
        "from torch7py.cli.main import main; main()"
    )
    result = python_process.run(["-c", shortened, "compare", "--limit", "1", str(lua), str(port)])
    assert result.returncode == 1
    assert (
        "the port did not end within 1 second, and could not be stopped; so far it has printed 1 line,"
        in result.stderr
    )


def test_draws_that_the_original_never_made(lua: Path, port: Path) -> None:
    port.write_text(PORT.replace("optimizer =", "noise = torch.randn(2)\noptimizer ="))
    result = run(lua, port)
    assert result.exit_code == 2
    assert result.output == (
        "they part at train.py:11: the port draws more normal numbers than the original\n"
        "  nothing in the port stands for nn.Linear.1.weight, nn.Linear.1.bias of the original\n"
    )
    port.write_text(PORT.replace(", torch.randn(5, 1)", ", torch.zeros(5, 1)"))
    assert "random numbers that the original drew and the port did not: 5 normal" in run(lua, port).output


@pytest.mark.parametrize(
    "name", ['a"; print(7); #.py', "a'''.py", "${HOME} $(touch x).py", "-o.py", "ä 字.py"]
)
def test_a_files_name_is_a_name(lua: Path, name: str, tmp_path: Path) -> None:
    folder = tmp_path / "in here; import os"
    folder.mkdir()
    port = folder / name
    port.write_text(PORT)
    result = run(lua, port)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in tmp_path.rglob("*")) == sorted(["train.lua", folder.name, name])
    port.write_text(PORT.replace("0.1)", "0.2)"))
    assert f"they part at train.lua:12 and {name}:17: " in run(lua, port).output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON"),
        ("[1]", "a map is an object of names"),
        ('{"Linear.weight": 3}', "a map holds names"),
        (
            '{"Linear.weight": "nn.Linear.2.weight"}',
            "the original has no weights 'nn.Linear.2.weight'; it has nn.Linear",
        ),
        (
            '{"Linear.weights": "nn.Linear.1.weight"}',
            "the port has no weights 'Linear.weights'; it has Linear.",
        ),
        ('{"weight": "nn.Linear.1.bias"}', "Linear.weight has the shape (1, 3), nn.Linear.1.bias (1,)"),
    ],
)
def test_maps_that_do_not_fit(lua: Path, port: Path, tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "map.json"
    path.write_text(text)
    result = run("--map", path, lua, port)
    assert result.exit_code == 2
    assert said in result.stderr


def test_nothing_of_the_port_stays(lua: Path, port: Path, tmp_path: Path) -> None:
    import random
    import sys

    import numpy as np
    import torch

    (tmp_path / "beside_it.py").write_text("RATE = 0.1\n")
    port.write_text(
        PORT.replace("import torch\n", "import torch\nimport beside_it\n").replace("0.1)", "beside_it.RATE)")
    )
    before = (
        torch.rand,
        torch.nn.Module.__call__,
        random.random,
        np.random.rand,
        print,
        sys.stdout,
        sys.argv,
    )
    modules, path, dtype = sys.modules["__main__"], list(sys.path), torch.get_default_dtype()
    assert run(lua, port).exit_code == 0
    assert (
        torch.rand,
        torch.nn.Module.__call__,
        random.random,
        np.random.rand,
        print,
        sys.stdout,
        sys.argv,
    ) == before
    assert (sys.modules["__main__"], sys.path, torch.get_default_dtype()) == (modules, path, dtype)
    assert "beside_it" not in sys.modules
