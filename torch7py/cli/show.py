"""``torch7py show``: models as pictures."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from torch7py.cli.failure import Failure, Refusal, traceback_option
from torch7py.cli.process import deepen_stack, keep_freed_memory, load_libraries
from torch7py.cli.program_arguments import ProgramCommand
from torch7py.cli.translate_directory import write_text
from torch7py.wording import counted

if TYPE_CHECKING:
    from torch7py.show.picture import Shown

__all__ = ["show"]


@click.command(cls=ProgramCommand, short_help="Draw the models of a file or a program.")
@traceback_option()
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Where to, .html or .svg.  [default: FILE with .html, in this directory]",
)
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="SIZES",
    help="Of a .t7 model: the sizes of an input, such as 1x3x224x224 or 20x5:long; several make a table. Without it "
    "the picture has no sizes and no times.",
)
@click.option("--entry", default="", metavar="PATH", help="Only this part of the file, such as protos.rnn.")
@click.option(
    "--limit",
    type=click.FloatRange(min=0, min_open=True),
    default=30,
    show_default=True,
    metavar="SECONDS",
    help="Of a program: how long it may run.",
)
@click.option(
    "--cuda-as",
    type=click.Choice(["cpu"]),
    help="Let a program that asks for a GPU (cutorch, cunn, cudnn) compute on the CPU.",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("arguments", metavar="[ARGS]...", nargs=-1, type=click.UNPROCESSED)
def show(
    out: Path | None,
    inputs: tuple[str, ...],
    entry: str,
    limit: float,
    cuda_as: str | None,
    file: Path,
    arguments: tuple[str, ...],
) -> None:
    """Draw the models in the .t7 FILE, or those that the Lua program FILE builds.

    The picture has the layers in their containers, the sizes between them, their parameters, which of them are shared,
    and the time of one forward and one backward of each layer. It is one file that opens without a network: a page
    that folds and unfolds, or a drawing.

    Of a .t7 file nothing is run unless --input gives the size of an input. A program is run with ARGS, for at most
    --limit seconds; shown are the models on which it calls forward, with the input of the first call.
    """
    out = Path(file.with_suffix(".html").name) if out is None else out
    if out.suffix not in (".html", ".htm", ".svg"):
        raise Refusal(f"{out}: a picture is .html or .svg")
    program = file.suffix == ".lua"
    if program and (inputs or entry):
        raise Refusal("--input and --entry are for .t7 files: a program has its own")
    if not program and arguments:
        raise Refusal(f"{file} is no program: it takes no arguments")
    if program:
        deepen_stack()
    keep_freed_memory()
    with load_libraries():
        from torch7py.show import picture

    notices: list[str] = []
    shown = (
        _of_program(file, arguments, limit, cuda_as, notices) if program else _of_file(file, entry, inputs)
    )
    text = picture.model_page(file.name, shown, notices) if out.suffix != ".svg" else _drawing(shown)
    write_text(out, text)
    total = sum(one.model.root.parameters for one in shown)
    click.echo(f"{file} -> {out}: {counted(len(shown), 'model')}, {counted(total, 'parameter')}")
    failed = [f"{one.title}: {one.measured.error}" for one in shown if one.measured and one.measured.error]
    if notices or (failed and len(failed) == len(shown)):
        raise Failure(f"{file}: {(notices or failed)[0]}")


def _of_file(file: Path, entry: str, inputs: Sequence[str]) -> list[Shown]:
    from torch7py import conversion
    from torch7py.files import load
    from torch7py.ops.errors import TorchError
    from torch7py.show.measure import measure
    from torch7py.show.picture import Shown
    from torch7py.show.structure import model_of

    try:
        models: dict[str, Any] = conversion.models_in(conversion.entry(load(file), entry))
        if not models:
            raise TorchError("there is no model in it (torch7py inspect shows what is)")
        shown = []
        for name, module in models.items():
            model = model_of(module, f"{entry}.{name}".strip("."))
            measured = None
            if inputs:
                kind = module._type.removeprefix("torch.").removesuffix("Tensor").removeprefix("Cuda").lower()
                examples = [conversion.parse_input(text, kind or "float") for text in inputs]
                measured = measure(model, examples[0] if len(examples) == 1 else examples)
            shown.append(Shown(model, measured))
    except TorchError as error:
        message = str(error)
        raise Failure(message if message.startswith(str(file)) else f"{file}: {message}") from None
    return shown


def _of_program(
    file: Path, arguments: Sequence[str], limit: float, cuda_as: str | None, notices: list[str]
) -> list[Shown]:
    from torch7py.ops import state
    from torch7py.show.measure import measure
    from torch7py.show.picture import Shown
    from torch7py.show.program import called_models
    from torch7py.show.structure import model_of

    runtime, called, error = called_models(file, arguments, limit, _give_up(file, limit), cuda_as)
    with runtime:
        if error is not None:
            notices.append(f"the program failed: {str(error).strip().splitlines()[0]}")
        if not called:
            raise Failure(notices[0] if notices else f"{file}: it calls forward on no model")
        shown = []
        names = [one.module.class_name for one in called]
        with state.use(runtime.state):
            for number, one in enumerate(called):
                name = names[number]
                many = names.count(name) > 1
                model = model_of(one.module, f"{name} {names[: number + 1].count(name)}" if many else "")
                model.copies = len(one.others)
                shown.append(Shown(model, measure(model, one.input)))
    return shown


def _give_up(file: Path, limit: float) -> Callable[[], None]:
    def end() -> None:
        os.write(2, f"torch7py: {file}: it did not stop after {limit:g} seconds\n".encode())
        os._exit(1)

    return end


def _drawing(shown: Sequence[Shown]) -> str:
    from torch7py.show.drawing import model_drawing

    if len(shown) > 1:
        names = ", ".join(one.title for one in shown)
        raise Refusal(
            f"{len(shown)} models ({names}) do not go into one drawing: name one by --entry, or make a page"
        )
    return model_drawing(shown[0].model, shown[0].measured)
