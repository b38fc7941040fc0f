"""``torch7py run``: a Lua program as the original ``th`` ran it."""

from __future__ import annotations

import os
import re
import sys
import warnings
from contextlib import closing, suppress

import click

from torch7py.bridge import output
from torch7py.bridge.errors import LuaError
from torch7py.cli.failure import INTERRUPTED, Command, Failure, Refusal, show_traceback, traceback_option
from torch7py.cli.process import deepen_stack, keep_freed_memory, load_libraries
from torch7py.cli.signals import script_signals

__all__ = ["run"]


def _device(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if not re.fullmatch(r"cpu|cuda(:\d+)?", value):
        raise click.BadParameter(f"{value!r} is not cpu, cuda or cuda:N.")
    return value


@click.command(cls=Command, context_settings={"allow_interspersed_args": False})
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float64"]),
    default="float64",
    show_default=True,
    help="The default tensor type the program starts with: Torch7's own was double.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    metavar="N",
    help="Seed of torch's random stream, as torch.manualSeed(N) in the first line.  [default: a random one]",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    metavar="N",
    help="Threads for tensor work.  [default: PyTorch's]",
)
@click.option(
    "--device",
    callback=_device,
    metavar="cpu|cuda[:N]",
    default="cpu",
    show_default=True,
    help="Where the program's tensors lie and compute.",
)
@click.option(
    "--cuda-as",
    type=click.Choice(["cpu"]),
    help="Let a program that asks for a GPU (cutorch, cunn, cudnn) compute on the CPU.",
)
@click.option(
    "--pairs",
    type=click.Choice(["sorted", "native"]),
    default="sorted",
    show_default=True,
    help="Order of string keys in pairs(): the same in every run, or Lua's own.",
)
@click.option(
    "--rnn-api",
    type=click.Choice(["2015", "2016"]),
    help="Generation of rnn, and with it of nn.  [default: judged by the program]",
)
@click.option(
    "--cutorch-api",
    type=click.Choice(["2015", "2016"]),
    help="Generation of cutorch: types of indices and masks.  [default: judged by the program]",
)
@traceback_option("Show the Lua stack when the program fails, and Python's of an error in torch7py itself.")
@click.argument("file")
@click.argument("arguments", metavar="[ARGS]...", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def run(
    ctx: click.Context,
    dtype: str,
    seed: int | None,
    threads: int | None,
    device: str,
    cuda_as: str | None,
    pairs: str,
    rnn_api: str | None,
    cutorch_api: str | None,
    file: str,
    arguments: tuple[str, ...],
) -> None:
    """Run the Lua program FILE.

    Everything after FILE goes to the program, as its global `arg`. The exit code is the program's own, or
    1 when it fails.
    """
    _check_file(file)
    if device != "cpu":
        if cuda_as is not None:
            raise Refusal(f"--cuda-as {cuda_as} and --device {device} exclude each other")
        _check_gpu(device)

    keep_freed_memory()
    deepen_stack()
    with script_signals():
        try:
            with load_libraries():
                from torch7py.bridge.runtime import Runtime

            runtime = Runtime(
                dtype=dtype,
                seed=seed,
                threads=threads,
                device=device,
                cuda_as=cuda_as,
                pairs=pairs,
                rnn_api=None if rnn_api is None else int(rnn_api),
                cutorch_api=None if cutorch_api is None else int(cutorch_api),
            )
            runtime.take_process()
            with closing(runtime):
                code = runtime.run(file, arguments)
        except LuaError as error:
            code = 1
            _complain(error.message, error.traceback if show_traceback(ctx) else "")
        except KeyboardInterrupt as interrupt:
            code = INTERRUPTED
            _complain(str(interrupt) or "interrupted")
        lost = output.flush()
        if lost is not None:
            raise Failure(lost)
    ctx.exit(code)


def _complain(*lines: str) -> None:
    with suppress(OSError):  # which is said at the end
        sys.stdout.flush()  # what the program printed comes before why it stopped
    for line in filter(None, lines):
        click.echo(line, err=True)


def _check_file(file: str) -> None:
    """Say what is wrong with the path before anything slow is loaded."""
    if not os.path.exists(file):
        reason = "no such file"
    elif os.path.isdir(file):
        reason = "it is a directory"
    elif not os.access(file, os.R_OK):
        reason = "permission denied"
    else:
        return
    raise Failure(f"cannot open {file}: {reason}")


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
