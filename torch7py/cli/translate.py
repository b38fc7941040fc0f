"""``torch7py translate``: a program or a model as PyTorch source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from torch7py.cli.failure import Failure, Refusal

if TYPE_CHECKING:
    from torch7py.translate.example import Wanted
    from torch7py.translate.model import ModelSource
    from torch7py.translate.native.program import Native
    from torch7py.translate.report import Verification

__all__ = ["translate"]


class Inequality(Failure):
    """The translation does not compute what the original does."""

    exit_code = 2


@click.command()
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Where to.  [default: FILE with .py]")
@click.option(
    "--weights", type=click.Path(path_type=Path), help="Of a model: the weights' .safetensors file."
)
@click.option("--report", type=click.Path(path_type=Path), help="What was translated and what not, as JSON.")
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
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("arguments", nargs=-1)
def translate(
    file: Path,
    arguments: tuple[str, ...],
    out: Path | None,
    weights: Path | None,
    report: Path | None,
    sizes: tuple[str, ...],
    no_verify: bool,
    force: bool,
) -> None:
    """Translate the Lua program or the .t7 model FILE to PyTorch.

    A program is then run beside its translation, with ARGUMENTS for both, from the same weights and random numbers:
    what they print and the weights at the end are compared. Choose ARGUMENTS that make it short. A model is run beside
    its translation on an input that its layers tell, or of the size given: outputs and gradients are compared.

    The exit code is 1 when something has no translation (the page raises an error there), and 2 when the two
    do not compute the same.
    """
    out = out if out is not None else file.with_suffix(".py")
    if file.suffix == ".lua":
        if weights is not None:
            raise Refusal("--weights is for models; a program makes its own")
        if sizes:
            raise Refusal("--input-size is for models")
        _refuse_to_overwrite(force, out, report)
        _script(file, arguments, out, report, verify=not no_verify, force=force)
    else:
        if arguments:
            raise Refusal(f"{file} is a model: it takes no arguments")
        weights = weights if weights is not None else out.with_suffix(".safetensors")
        _refuse_to_overwrite(force, out, report, weights)
        _model(file, out, weights, report, sizes, verify=not no_verify)


def _refuse_to_overwrite(force: bool, *paths: Path | None) -> None:
    for path in paths:
        if path is not None and path.exists() and not force:
            raise Refusal(f"{path} exists; --force overwrites it")


def _write(path: Path, text: str) -> None:
    from torch7py.ops.atomic import replacing

    try:
        with replacing(path) as temporary:
            Path(temporary).write_text(text)
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from None


# -- programs ------------------------------------------------------------------------------------------------


def _script(
    file: Path, arguments: tuple[str, ...], out: Path, report: Path | None, verify: bool, force: bool
) -> None:
    from torch7py.translate.check import names_of_page, report_of_page
    from torch7py.translate.native.program import translate_script
    from torch7py.translate.parse import LuaSyntaxError

    try:
        page = translate_script(file.read_bytes(), str(file))
    except LuaSyntaxError as error:
        raise Failure(str(error)) from None
    others = {out.parent / name: code for name, code in page.modules.items()}
    _refuse_to_overwrite(force, *others)
    _write(out, page.code)
    for path, code in others.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, code)
    found = report_of_page(page, file)
    click.echo(f"{file} -> {out}: {found.shares()}")
    for problem in found.problems:
        click.echo(str(problem), err=True)
    if verify and not found.problems:
        found.verified = _verify(page, file, arguments)
    if report is not None:
        found.names = names_of_page(page, file)
        _write(report, json.dumps(found.as_json(), indent=2) + "\n")
    if found.verified is not None and not found.verified.equal:
        raise Inequality(f"{file}: not the same: {found.verified.difference}")
    if found.problems:
        raise Failure(f"{file}: {len(found.problems)} places have no translation, so it was not verified")


def _verify(page: Native, file: Path, arguments: tuple[str, ...]) -> Verification:
    """Run both; what differs."""
    from torch7py.bridge.errors import LuaError
    from torch7py.translate.report import Verification
    from torch7py.translate.verify import Different
    from torch7py.translate.verify_script import verify_script

    try:
        comparison = verify_script(page, file, arguments)
    except Different as difference:
        return Verification(False, difference=str(difference))
    except LuaError as error:
        raise Failure(f"{file}: the original fails, so nothing was verified: {error}") from None
    click.echo(
        f"verified: {comparison.lines} lines and {comparison.layers} tensors of weights, "
        f"the largest relative error is {comparison.largest:.1e}"
    )
    return Verification(True, comparison.largest)


# -- models --------------------------------------------------------------------------------------------------


def _model(
    file: Path, out: Path, weights: Path, report: Path | None, sizes: tuple[str, ...], verify: bool
) -> None:
    from torch7py.ops.errors import TorchError
    from torch7py.translate.files import translate_file, write_page
    from torch7py.translate.layers.registry import NotNative
    from torch7py.translate.report import Report

    try:
        source = translate_file(file, _inputs(sizes))
        write_page(source, out, weights)
    except (NotNative, TorchError) as error:
        message = str(error).removeprefix(f"{file.name}: ")
        raise Failure(message if message.startswith(str(file)) else f"{file}: {message}") from None
    except OSError as error:
        raise Failure(f"{error.filename or out}: {error.strerror}") from None
    also = f" and {weights}" if source.weights else ""
    click.echo(f"{file} -> {out}{also}: {len(source.report)} layers")
    found = Report(str(file), kind="model", layers=source.report)
    if verify:
        found.verified = _verify_models(source)
    if report is not None:
        _write(report, json.dumps(found.as_json(), indent=2) + "\n")
    if found.verified is not None and not found.verified.equal:
        raise Inequality(f"{file}: not the same: {found.verified.difference}")


def _inputs(sizes: tuple[str, ...]) -> dict[str, Wanted]:
    """The sizes that the command was given, by the name of the class; "" for the only one."""
    from torch7py.translate.example import parse_size

    found = {}
    for text in sizes:
        name, _, size = text.rpartition("=")
        try:
            found[name] = parse_size(size)
        except ValueError as error:
            raise Refusal(f"--input-size: {error}") from None
    return found


def _verify_models(source: ModelSource) -> Verification | None:
    """Run each model beside its class. None where none could be run."""
    from torch7py.translate.files import verify_file
    from torch7py.translate.model import shape_of
    from torch7py.translate.report import Verification
    from torch7py.translate.verify import Different

    try:
        found = verify_file(source)
    except Different as difference:
        return Verification(False, difference=str(difference))
    for cls in source.classes:
        if cls.name in found:
            click.echo(
                f"verified: {cls.name} on an input of {shape_of(cls.example)}: the largest relative error of outputs "
                f"and gradients is {found[cls.name].largest:.1e}"
            )
        else:
            click.echo(
                f"not verified: {cls.name}: no input can be told from its layers; say one with --input-size",
                err=True,
            )
    for function in source.functions:
        if function.name in found:
            click.echo(f"verified: {function.name}: {found[function.name].largest:.1e}")
        else:
            click.echo(f"not verified: {function.name}: what its target is like is not known", err=True)
    largest = max((comparison.largest for comparison in found.values()), default=None)
    return None if largest is None else Verification(True, largest)
