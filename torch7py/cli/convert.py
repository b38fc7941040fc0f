"""``torch7py convert``: ``.t7`` files as the files of others."""

from __future__ import annotations

import os
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import click

from torch7py.cli.convert_directory import Conversion, convert_in_processes, serve
from torch7py.cli.failure import (
    Command,
    Failure,
    Refusal,
    one_line,
    show_traceback,
    traceback_option,
)

__all__ = ["convert"]

FORMATS = ("safetensors", "pt", "npz", "onnx", "py")


@click.command(cls=Command, short_help="Convert .t7 files: safetensors, pt, npz, ONNX, Python.")
@traceback_option()
@click.option("--to", type=click.Choice(FORMATS), help="The format.  [default: by the name OUT]")
@click.option("--entry", default="", metavar="PATH", help="Only this part of the file, such as protos.rnn.")
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="SIZES",
    help="For ONNX: the sizes of an input, such as 1x3x32x32 or 5x3:long; once for each input.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Of a directory, in N processes, with a line of JSON for each file; what is done already is left out.",
)
@click.option("--pattern", default="*.t7", show_default=True, help="Of a directory, which files.")
@click.argument("file", type=click.Path(exists=True, allow_dash=True, path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.pass_context
def convert(
    ctx: click.Context,
    to: str | None,
    entry: str,
    inputs: tuple[str, ...],
    jobs: int | None,
    pattern: str,
    file: Path,
    out: Path,
) -> None:
    """Convert the .t7 FILE (- is the standard input) to OUT, by whose name the format goes.

    \b
    .safetensors  tensors by name; weights that are tied stand in the metadata, as aliases
    .pt           the state_dict of a model, for torch.load; tables are dicts and lists
    .npz          numpy arrays by name
    .onnx         the model in evaluation, with floats (pip install 'torch7py[onnx]')
    .py           the model as a PyTorch program, with its weights beside it

    If FILE is a directory, all .t7 files under it are converted into the directory OUT, with --to for the format. The
    exit code is 1 when any of them fails. With --jobs a run that was cut off goes on where it was, by the same command.
    """
    if str(file) == "-":
        file = Path("/dev/stdin")
    if not file.is_dir():
        suffix = f".{to}" if to else out.suffix
        if suffix not in {f".{name}" for name in FORMATS}:
            formats = ", ".join(f".{name}" for name in FORMATS)
            raise Refusal(f"{out}: its ending names no format, which is one of {formats}")
        if jobs is not None:
            raise Refusal("--jobs is for a directory")
        _one(file, out, suffix, entry, inputs, str(file))
        return
    if to is None:
        raise Refusal(f"{file} is a directory: --to says into what to convert its files")
    sources = sorted(path for path in file.rglob(pattern) if path.is_file())
    if not sources:
        raise Failure(f"{file}: there are no files {pattern} in it")
    if jobs is not None:
        orders = [
            Conversion(
                source,
                str(name := source.relative_to(file)),
                out / Path(name).with_suffix(f".{to}"),
                entry,
                inputs,
            )
            for source in sources
        ]
        ctx.exit(1 if convert_in_processes(orders, _work, jobs) else 0)
    failed: list[str] = []
    terminal = sys.stderr.isatty()
    with click.progressbar(
        sources, file=sys.stderr, label=f"{len(sources)} files", hidden=not terminal
    ) as bar:
        for source in bar:
            name = source.relative_to(file)
            target = out / name.with_suffix(f".{to}")
            if terminal:
                click.echo("\r\x1b[K", nl=False, err=True)  # the line of the bar is free for what is said
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                with one_line(name, show_traceback(ctx)):
                    _one(source, target, f".{to}", entry, inputs, str(name))
            except Failure as failure:
                click.echo(f"FAILED {failure.message}")
                failed.append(failure.message)
            except OSError as error:
                click.echo(f"FAILED {name}: {error.strerror}")
                failed.append(f"{name}: {error.strerror}")
    click.echo(f"{len(sources) - len(failed)} converted, {len(failed)} failed")
    for message in failed:
        click.echo(f"  {message}", err=True)
    ctx.exit(1 if failed else 0)


def _work(connection: Connection) -> None:
    """A process of --jobs."""
    serve(connection, _about)


def _about(order: Conversion) -> dict[str, Any]:
    said = _converted(order.source, order.target, order.target.suffix, order.entry, order.inputs, order.name)
    return {"holds": said, "bytes": order.target.stat().st_size}


def _one(source: Path, target: Path, suffix: str, entry: str, inputs: tuple[str, ...], name: str) -> None:
    """Convert one file and say so."""
    said = _converted(source, target, suffix, entry, inputs, name)
    click.echo(f"{name} -> {target}: {said}, {target.stat().st_size:,} bytes")


def _converted(
    source: Path, target: Path, suffix: str, entry: str, inputs: tuple[str, ...], name: str
) -> str:
    """Convert one file; returns what the result holds."""
    from torch7py import conversion
    from torch7py.files import load
    from torch7py.ops.errors import TorchError

    try:
        if suffix == ".py":
            return _translate(source, target)
        root: Any = load(source)
        return conversion.WRITERS[suffix](conversion.entry(root, entry), target, inputs)
    except TorchError as error:
        message = str(error)
        shown = message if message.startswith(os.fspath(source)) else f"{source}: {message}"
        raise Failure(shown) from None
    except OSError as error:
        raise Failure(f"{name}: {error.filename or target}: {error.strerror}") from None


def _translate(source: Path, target: Path) -> str:
    """The models in the file as a page of PyTorch, with the weights beside it."""
    from torch7py.translate.files import translate_file, write_page
    from torch7py.translate.layers.registry import NotNative

    try:
        write_page(translate_file(source), target)
    except NotNative as error:
        raise Failure(str(error)) from None
    return "PyTorch source"
