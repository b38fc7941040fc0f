"""The options of commands that run Lua, and the runtime that they ask for."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from torch7py.cli.failure import Refusal
from torch7py.cli.process import deepen_stack, keep_freed_memory, load_libraries

if TYPE_CHECKING:
    from torch7py.bridge.runtime import Runtime

__all__ = ["check_options", "library_option", "new_runtime", "runtime_options"]

F = TypeVar("F", bound=Callable[..., Any])


def _device(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if not re.fullmatch(r"cpu|cuda(:\d+)?", value):
        raise click.BadParameter(f"{value!r} is not cpu, cuda or cuda:N.")
    return value


OPTIONS = [
    click.option(
        "--dtype",
        type=click.Choice(["float32", "float64"]),
        default="float64",
        show_default=True,
        help="The default tensor type the program starts with: Torch7's own was double.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        metavar="N",
        help="Seed of torch's random stream, as torch.manualSeed(N) in the first line.  [default: a random one]",
    ),
    click.option(
        "--threads",
        type=click.IntRange(min=1),
        metavar="N",
        help="Threads for tensor work.  [default: PyTorch's]",
    ),
    click.option(
        "--device",
        callback=_device,
        metavar="cpu|cuda[:N]",
        default="cpu",
        show_default=True,
        help="Where the program's tensors lie and compute.",
    ),
    click.option(
        "--cuda-as",
        type=click.Choice(["cpu"]),
        help="Let a program that asks for a GPU (cutorch, cunn, cudnn) compute on the CPU.",
    ),
    click.option(
        "--pairs",
        type=click.Choice(["sorted", "native"]),
        default="sorted",
        show_default=True,
        help="Order of string keys in pairs(): the same in every run, or Lua's own.",
    ),
    click.option(
        "--pools",
        type=click.Choice(["threads", "processes", "in-turn"]),
        default="threads",
        show_default=True,
        callback=lambda ctx, param, value: value.replace("-", " "),
        help="Where the package threads does its jobs: beside the program in threads; in processes, which share "
        "tensors alone; or one after the other in its own thread.",
    ),
    click.option(
        "--rnn-api",
        type=click.Choice(["2015", "2016"]),
        help="Generation of rnn, and with it of nn.  [default: judged by the program]",
    ),
    click.option(
        "--cutorch-api",
        type=click.Choice(["2015", "2016"]),
        help="Generation of cutorch: types of indices and masks.  [default: judged by the program]",
    ),
]


library_option = click.option(
    "-l",
    "libraries",
    multiple=True,
    metavar="NAME",
    help="Require this package first.",
)


def runtime_options(function: F) -> F:
    """Give a command the options of a runtime; ``new_runtime`` takes their values."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function


def check_options(device: str, cuda_as: str | None, **others: Any) -> None:
    """Refuse options that do not go together, or not with this machine."""
    if device != "cpu":
        if cuda_as is not None:
            raise Refusal(f"--cuda-as {cuda_as} and --device {device} exclude each other")
        _check_gpu(device)


def new_runtime(rnn_api: str | None, cutorch_api: str | None, **options: Any) -> Runtime:
    """A runtime that has the process to itself. The first one of the process loads PyTorch."""
    keep_freed_memory()
    deepen_stack()
    with load_libraries():
        from torch7py.bridge.runtime import Runtime

    return Runtime(
        rnn_api=None if rnn_api is None else int(rnn_api),
        cutorch_api=None if cutorch_api is None else int(cutorch_api),
        **options,
    )


def _check_gpu(device: str) -> None:
    import torch

    with warnings.catch_warnings(record=True) as caught:  # PyTorch warns of an old or broken driver
        warnings.simplefilter("always")
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if count == 0:
        reason = f" ({str(caught[0].message).splitlines()[0]})" if caught else ""
        raise Refusal(f"--device {device}: PyTorch finds no CUDA GPU on this machine{reason}")
    index = int(device.partition(":")[2] or 0)
    if index >= count:
        raise Refusal(f"--device {device}: the last GPU of this machine is cuda:{count - 1}")
