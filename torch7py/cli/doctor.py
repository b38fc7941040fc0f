"""``torch7py doctor``: what is installed, what is missing and what it would add, and whether the essential works."""

from __future__ import annotations

import importlib
import os
import platform
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from time import perf_counter

import click

from torch7py import __version__
from torch7py.cli.failure import Command
from torch7py.packages.optional_libraries import LIBRARIES, install_command, is_installed
from torch7py.wording import counted

__all__ = ["doctor"]

LIMIT = 60.0  # seconds after which the self-test is stuck, on a busy machine too

TRAINING = """
require 'nn'
torch.manualSeed(1)
model = nn.Sequential():add(nn.Linear(2, 3)):add(nn.Tanh()):add(nn.Linear(3, 1))
local criterion = nn.MSECriterion()
local x = torch.Tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}})
local y = torch.Tensor({{0}, {1}, {1}, {0}})
for step = 1, 3 do
   local prediction = model:forward(x)
   print(criterion:forward(prediction, y))
   model:zeroGradParameters()
   model:backward(x, criterion:backward(prediction, y))
   model:updateParameters(0.1)
end
"""
# What the original printed for these lines.
LOSSES = (1.5951050851, 0.6180951272, 0.3458043241)


@click.command(cls=Command, short_help="Say what is installed, and try whether it works.")
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Say which Lua engines, PyTorch, devices and optional libraries there are, and try what matters.

    A Lua program takes some steps of training, a model is saved and read, and a few lines are translated and compared:
    some five seconds on a machine that is not busy. The exit code is 1 when something fails.
    """
    click.echo(f"torch7py   {__version__}, {os.path.dirname(os.path.dirname(__file__))}")
    click.echo(f"Python     {platform.python_version()}, {sys.executable}, {platform.platform()}")
    missing = list(_requirements())
    for name, title in (("Lua", _lua), ("PyTorch", _pytorch)):
        click.echo(f"{name:<11}{title()}")
    for line in _libraries():
        click.echo(line)
    if missing:
        for line in missing:
            click.echo(line)
        ctx.exit(1)
    ctx.exit(0 if _self_test() else 1)


def _requirements() -> Iterator[str]:
    """What torch7py cannot do without and is not there."""
    try:
        texts = requires("torch7py") or []
    except PackageNotFoundError:
        return  # run from its sources: whatever is missing fails below
    for text in texts:
        requirement, _, condition = text.partition(";")
        name = requirement.strip().rstrip("0123456789.,<>=!~ ")
        if "extra" in condition:
            continue
        try:
            version(name)
        except PackageNotFoundError:
            yield f"missing    {requirement.strip()}: {sys.executable} -m pip install '{requirement.strip()}'"


def _lua() -> str:
    """The engines of this lupa, the one that is used first."""
    from torch7py.bridge.engine import ENGINES, TITLES

    installed = []
    for name in ENGINES:
        try:
            importlib.import_module(f"lupa.{name}")
        except ImportError:
            continue
        installed.append(name)
    if not installed:
        return "none: this lupa has neither LuaJIT nor Lua 5.1"
    used = os.environ.get("TORCH7PY_LUA", installed[0])
    others = ", ".join(TITLES[name] for name in installed if name != used)
    slow = "" if used.startswith("luajit") else " (no compiler: loops are slow, and there is no FFI)"
    return f"{TITLES.get(used, used)}{slow}" + (f"; TORCH7PY_LUA takes another: {others}" if others else "")


def _pytorch() -> str:
    try:
        import torch
    except ImportError as error:
        return f"none: {error}"
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
        devices = f"--device cuda: {', '.join(names)}"
    else:
        devices = "no CUDA GPU (programs that ask for one run with --cuda-as cpu)"
    return f"{torch.__version__}, {counted(torch.get_num_threads(), 'thread')}, {devices}"


def _libraries() -> Iterator[str]:
    """The optional libraries, those that are missing with what they would add."""
    there = [library for library in LIBRARIES.values() if is_installed(library.module)]
    if there:
        shown = (f"{library.title} {_version(library.distribution)}".rstrip() for library in there)
        yield f"{'Libraries':<11}{', '.join(shown)}"
    missing = [library for library in LIBRARIES.values() if library not in there]
    for library in missing:
        yield f"{'Without' if library is missing[0] else '':<11}{library.title:<16}{library.adds}"
    if missing:
        yield f"{'':<11}To add them: {install_command(*(library.module for library in missing))}"


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


# -- the self-test ----------------------------------------------------------------------------------------


def _self_test() -> bool:
    """Run each step and say how it went; whether all did what they should."""
    stuck = threading.Timer(LIMIT, _give_up)
    stuck.daemon = True
    stuck.start()
    good = True
    with tempfile.TemporaryDirectory() as folder:
        for title, step in STEPS.items():
            begun = perf_counter()
            problem = _problem(step, Path(folder))
            good = good and problem is None
            took = perf_counter() - begun
            click.echo(
                f"{'Test':<11}{title}: {f'ok, {took:.1f} s' if problem is None else f'FAILED: {problem}'}"
            )
    stuck.cancel()
    return good


def _problem(step: Callable[[Path], None], folder: Path) -> str | None:
    try:
        step(folder)
    except Exception as error:  # noqa: BLE001  (whatever is broken is what this command is asked for)
        return f"{type(error).__name__}: {error}"
    return None


def _give_up() -> None:
    """End the process from another thread: the first one is in something that does not end."""
    os.write(1, f"{'Test':<11}FAILED: not done after {LIMIT:.0f} seconds\n".encode())
    os._exit(1)


def _train(folder: Path) -> None:
    """Steps of training in Lua, with the losses of the original."""
    import io
    from contextlib import redirect_stdout

    from torch7py.bridge.runtime import Runtime

    program = folder / "train.lua"
    program.write_text(TRAINING)
    with Runtime() as runtime, redirect_stdout(io.StringIO()) as printed:
        runtime.run(program)
        runtime.execute(f"torch.save([[{folder / 'model.t7'}]], model)")
    losses = [float(line) for line in printed.getvalue().split()]
    if len(losses) != len(LOSSES) or any(abs(a - b) > 1e-9 for a, b in zip(losses, LOSSES, strict=True)):
        raise ArithmeticError(f"the losses are {losses}, Torch7's {list(LOSSES)}")


def _read(folder: Path) -> None:
    """The model that Lua has saved, in Python, and saved and read once more."""
    import torch

    from torch7py.files import load, save

    model = load(folder / "model.t7")
    save(model, folder / "again.t7")
    again = load(folder / "again.t7")
    x = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    if not torch.equal(model(x), again(x)):
        raise ArithmeticError("a model that was saved and read computes something else")


def _translate(folder: Path) -> None:
    """The program as PyTorch, compared by a run of both."""
    from torch7py.translate.api import to_pytorch

    report = to_pytorch(folder / "train.lua").report
    if report.verified is None or not report.verified.equal:
        raise ArithmeticError(report.failure or "the translation does not compute the same")


STEPS = {
    "a network trains in Lua, as in Torch7": _train,
    "its model is saved and read": _read,
    "the program is translated and compared": _translate,
}
