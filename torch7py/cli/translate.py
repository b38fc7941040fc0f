"""``torch7py translate``: a program or a model as PyTorch source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from torch7py.cli.failure import Failure, Refusal, traceback_option
from torch7py.cli.program_arguments import OptionalFile, ProgramCommand
from torch7py.cli.translate_directory import Inequality, translate_directory, write_text
from torch7py.wording import counted, untranslated

if TYPE_CHECKING:
    from torch7py.translate.report import Report

__all__ = ["translate"]


@click.command(cls=ProgramCommand, short_help="Translate programs and models to PyTorch, and compare both.")
@traceback_option()
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Where to.  [default: FILE with .py]")
@click.option(
    "--weights", type=click.Path(path_type=Path), help="Of a model: the weights' .safetensors file."
)
@click.option("--report", type=click.Path(path_type=Path), help="What was translated and what not, as JSON.")
@click.option(
    "--html",
    cls=OptionalFile,
    ending=".html",
    metavar="[FILE.html]",
    help="A page with the program beside its translation, what the codes mean and what was verified; of a model its "
    "picture, its class, and what was compared.  "
    "[default: by the name of -o; of a directory, report.html in it]",
)
@click.option(
    "--input-size",
    "sizes",
    multiple=True,
    metavar="[CLASS=]SIZE",
    help="Of a model: what to verify it on, where its layers do not tell: 20x3x32x32 for a tensor, 20x5:100 for one "
    "of whole numbers from 1 to 100, 20x3,20x4 for a table.",
)
@click.option("--no-verify", is_flag=True, help="Do not run the translation beside the original.")
@click.option("--force", is_flag=True, help="Overwrite files.")
@click.option(
    "--program",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Of a model: the Lua file that defines the classes of its layers.",
)
@click.option(
    "--ddp",
    is_flag=True,
    help="Of a program: a page that torchrun runs in several processes, each its part of every batch.",
)
@click.option("--models", is_flag=True, help="Of a directory: also its .t7 models.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Of a directory: how many at once.",
)
@click.option(
    "--limit",
    type=click.FloatRange(min=0, min_open=True),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long a program may run to be verified: what it has printed by then is compared.",
)
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.argument("arguments", metavar="[ARGS]...", nargs=-1, type=click.UNPROCESSED)
def translate(
    file: Path,
    arguments: tuple[str, ...],
    out: Path | None,
    weights: Path | None,
    report: Path | None,
    html: str | None,
    sizes: tuple[str, ...],
    no_verify: bool,
    force: bool,
    program: Path | None,
    ddp: bool,
    models: bool,
    jobs: int,
    limit: float,
) -> None:
    """Translate the Lua program or the .t7 model FILE, or all programs of a directory, to PyTorch.

    A program is then run beside its translation, with ARGS for both, from the same weights and random numbers:
    what they print and the weights at the end are compared. Choose ARGS that make it short. A model is run beside
    its translation on an input that its layers tell, or of the size given: outputs and gradients are compared.

    Of a directory each program that no other one requires gets a folder in OUT, with pages of the files that it
    requires, and all of them a README.md and requirements.txt. Programs run in that directory, each with ARGS.

    Options stand before FILE or right behind it. ARGS, the program's own, begin with the first argument that is none
    of them, or after `--`: in `translate train.lua -o train.py -epochs 1` they are `-epochs 1`.

    The exit code is 1 when something has no translation (the page raises an error there), and 2 when the two
    do not compute the same.
    """
    if ddp and file.suffix != ".lua":
        raise Refusal("--ddp is for programs")
    if file.is_dir():
        if out is None:
            raise Refusal(f"{file} is a directory: -o says where its pages go")
        if weights is not None or sizes or program is not None:
            raise Refusal("--weights, --input-size and --program are for one model")
        options = {"verify": not no_verify}
        page = None if html is None else Path(html or out / "report.html")
        translate_directory(file, out, arguments, options, force, models, jobs, limit, report, page)
        return
    if models:
        raise Refusal("--models is for directories")
    out = out if out is not None else file.with_suffix(".py")
    if out.resolve() == file.resolve():
        raise Refusal(f"{file}: the page would take its place; -o says where it goes")
    script = file.suffix == ".lua"
    if script and weights is not None:
        raise Refusal("--weights is for models; a program makes its own")
    if script and (sizes or program is not None):
        raise Refusal("--input-size and --program are for models")
    if not script:
        if arguments:
            raise Refusal(f"{file} is a model: it takes no arguments")
        weights = weights if weights is not None else out.with_suffix(".safetensors")
    page = None if html is None else Path(html or out.with_suffix(".html"))
    _refuse_to_overwrite(force, out, report, weights, page)
    translation = _translate(
        file,
        arguments,
        out,
        weights,
        sizes,
        force,
        verify=not no_verify,
        program=program,
        page=page,
        ddp=ddp,
        limit=limit,
    )
    if report is not None:
        write_text(report, json.dumps(translation.as_json(), indent=2) + "\n")
    if translation.verified is not None and not translation.verified.equal:
        raise Inequality(f"{file}: not the same: {translation.verified.difference}")
    if translation.problems:
        is_verified = translation.verified is not None
        why = "which its run did not come to" if is_verified else "so it was not verified"
        raise Failure(f"{file}: {untranslated(len(translation.problems))}, {why}")
    if translation.failure:
        raise Failure(f"{file}: nothing was verified: {translation.failure}")


def _refuse_to_overwrite(force: bool, *paths: Path | None) -> None:
    for path in paths:
        if path is not None and path.exists() and not force:
            raise Refusal(f"{path} exists; --force overwrites it")


def _translate(
    file: Path,
    arguments: tuple[str, ...],
    out: Path,
    weights: Path | None,
    sizes: tuple[str, ...],
    force: bool,
    verify: bool,
    program: Path | None,
    page: Path | None,
    ddp: bool,
    limit: float,
) -> Report:
    """Write the translation and say how it went."""
    from torch7py.ops.errors import TorchError
    from torch7py.show.translated_models import pictures_of
    from torch7py.translate.api import to_pytorch
    from torch7py.translate.checked_code import ForeignCode
    from torch7py.translate.layers.registry import NotNative
    from torch7py.translate.parse import LuaSyntaxError

    pictures: dict[str, str] = {}
    try:
        result = to_pytorch(
            file,
            arguments,
            verify=verify,
            input_size=_by_class(sizes),
            program=program,
            ddp=ddp,
            limit=limit,
            look=None if page is None else lambda source: pictures.update(pictures_of(source)),
        )
        written = result.write(out, weights, force)
    except (LuaSyntaxError, ForeignCode) as error:
        raise Failure(str(error)) from None
    except (NotNative, TorchError) as error:
        message = str(error)
        if not message.startswith(str(file)):
            # What is within a file is named by it: "model.t7, protos.rnn: ".
            inside = message.startswith((f"{file.name}: ", f"{file.name}, "))
            message = f"{file}{message.removeprefix(file.name)}" if inside else f"{file}: {message}"
        raise Failure(message) from None
    except ValueError as error:  # of parse_size
        raise Refusal(f"--input-size: {error}") from None
    except FileExistsError as error:
        raise Refusal(f"{error}; --force overwrites it") from None
    except OSError as error:
        raise Failure(f"{error.filename or out}: {error.strerror}") from None
    if page is not None:
        from torch7py.show.translation import one_page
        from torch7py.translate.side_by_side import subject_of

        subject = subject_of(result, file, out, arguments)
        subject.weights = weights.name if subject.weights and weights is not None else ""
        write_text(page, one_page(subject, pictures))
    report = result.report
    what = report.shares() if report.kind == "program" else counted(len(report.layers), "layer")
    shown = [out] if report.kind == "program" else written
    click.echo(f"{file} -> {' and '.join(map(str, shown))}: {what}")
    for problem in report.problems:
        click.echo(str(problem), err=True)
    for note in report.notes:
        click.echo(note, err=not note.startswith(("verified", "divided")))
    return report


def _by_class(sizes: tuple[str, ...]) -> dict[str, str]:
    """The sizes that the command was given, by the name of the class; "" for the only one."""
    return {name: size for name, _, size in (text.rpartition("=") for text in sizes)}
