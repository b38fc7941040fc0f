"""``to_pytorch``: a Lua program or a ``.t7`` file as PyTorch source, from Python."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from torch7py.bridge.errors import LuaError
from torch7py.ops.atomic_file import replacing
from torch7py.translate import page_library
from torch7py.translate.check import report_of_page
from torch7py.translate.comparison.original import TooLong
from torch7py.translate.comparison.page import STOPPED
from torch7py.translate.ddp import HELPER, divided, helper
from torch7py.translate.files import translate_file, verify_file, write_weights
from torch7py.translate.input_sizes import parse_size
from torch7py.translate.layers.shapes import shape_of
from torch7py.translate.model import ModelSource
from torch7py.translate.native.program import Native, in_plain_forms, translate_script
from torch7py.translate.report import Report, Verification
from torch7py.translate.user_classes import program_classes
from torch7py.translate.verify import Comparison, Different
from torch7py.translate.verify_script import (
    OF_ROUNDINGS,
    ScriptComparison,
    Unforeseen,
    observed_in_a_run,
    verify_script,
)
from torch7py.wording import counted, untranslated

DIVIDED = "divided: torchrun --nproc-per-node 2 runs the page in two processes"
MOST_LINES = 10  # of those that print numbers with an error
MOST_RUNS = 3  # of a program, each of which shows what those before have not

__all__ = ["Translation", "to_pytorch"]


@dataclass
class Translation:
    """A page of PyTorch.

    ``code`` is its text, ``modules`` the pages of the files that a program requires, by their paths from the folder of
    the first; ``weights`` a model's, by state_dict entry; ``report`` what was translated and what not, and whether
    both do the same. ``page`` is a program's as the translator has it, ``comparison`` what both printed.
    ``source`` is that of a file of models, ``compared`` what was compared of each, by its name.
    """

    code: str
    report: Report
    modules: dict[str, str] = field(default_factory=dict)
    weights: dict[str, torch.Tensor] = field(default_factory=dict)
    page: Native | None = field(default=None, repr=False)
    comparison: ScriptComparison | None = field(default=None, repr=False)
    source: ModelSource | None = field(default=None, repr=False)
    compared: dict[str, Comparison] = field(default_factory=dict, repr=False)

    def write(
        self, out: str | os.PathLike[str], weights: str | os.PathLike[str] | None = None, force: bool = False
    ) -> list[Path]:
        """Write the page, the pages beside it, and weights as safetensors; by default beside it, under its name.

        Returns what was written. Raises FileExistsError before anything is written where a file exists, unless
        ``force`` or it is a page beside this one that is the same, or the library of another page, which is given
        what this one needs of it; OSError where it cannot be written.
        """
        target = Path(out)
        beside = Path(weights) if weights is not None else target.with_suffix(".safetensors")
        pages = {target: self.code} | {target.parent / name: code for name, code in self.modules.items()}
        library = target.parent / page_library.FILE
        if library in pages and library.is_file() and _is_library(library):
            pages[library] = page_library.joined(library.read_text("utf-8"), pages[library])
        there = [path for path, code in pages.items() if path != target and _holds(path, code)]
        paths = [*pages, *([beside] if self.weights else [])]
        for path in paths:
            if path.exists() and not force and path not in there and not _is_library(path):
                raise FileExistsError(f"{path} exists")
        for path, code in pages.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as temporary:
                Path(temporary).write_text(code, encoding="utf-8")
        if self.weights:
            write_weights(self.weights, beside)
        return paths


def _is_library(path: Path) -> bool:
    """Whether a file is the library of pages, with whatever a page needs of it."""
    return path.name == page_library.FILE and page_library.is_part(path.read_text("utf-8", "replace"))


def _holds(path: Path, text: str) -> bool:
    """Whether a file is there and has this text."""
    return path.is_file() and path.read_bytes() == text.encode()


def to_pytorch(
    path: str | os.PathLike[str],
    arguments: Sequence[str] = (),
    *,
    verify: bool = True,
    input_size: str | Mapping[str, str] | None = None,
    program: str | os.PathLike[str] | None = None,
    ddp: bool = False,
    limit: float | None = None,
    look: Callable[[ModelSource], None] | None = None,
) -> Translation:
    """Translate a Lua program (``.lua``) or the models and criterions of a ``.t7`` file.

    A program is run, with ``arguments``, beside its translation (``verify``); where a part of it has none, that is
    verified if the run does not come there. A model is run
    beside its class, on an input that its layers tell, or of ``input_size``, for several models by the names of their
    classes: ``"20x3x32x32"``, ``"20x5:100"`` for whole numbers from 1 to 100, ``"20x3,20x4"`` for a table. Nothing is
    written; ``write`` of the result does. ::

        result = torch7py.to_pytorch("train.lua", ["-epochs", "1"])
        print(result.code, result.report.problems, result.report.verified)

    ``limit``: after so many seconds the program is stopped at its next print, and after twice as many anywhere (not in
    another thread than the main one); what it has printed by then is compared. None: it runs to its end.

    ``program`` is the Lua file that defines the classes of a model's layers, where these are not Torch7's: what it
    defines is run, and nothing else of it.

    ``ddp``: the page, once verified, is made one that torchrun runs in several processes, each its part of every
    batch; it has ``data_parallel.py`` beside it.

    ``look`` is called with what the models of a file are to be, while those of ``program``'s classes can still run.

    What has no translation is in ``report.problems``, and raises an error in the page; a difference is in
    ``report.verified``, an error of the program itself in ``report.failure``.

    Raises:
        LuaSyntaxError: the program is no Lua.
        NotNative: a layer of a model has no native form.
        NotDivided: ``ddp`` was asked for, and several processes cannot share the page's training.
        TorchError: a model does not run on an input of the size that was given for it.
        ValueError: an ``input_size`` is no size.
        ForeignCode: a page holds what the translator does not write, so that it is not given out.
        OSError: the file cannot be read.
    """
    file = Path(path)
    if file.suffix == ".lua":
        result = _program(file, arguments, verify, limit)
        if ddp:
            result.code = divided(result.code, file.with_suffix(".py").name)
            result.modules = result.modules | {HELPER: helper()}
            result.report.notes.append(DIVIDED)
        return result
    sizes = {"": input_size} if isinstance(input_size, str) else dict(input_size or {})
    wanted = {name: parse_size(size) for name, size in sizes.items()}
    with (
        contextlib.nullcontext() if program is None else program_classes(Path(program), file) as user_classes
    ):
        source = translate_file(file, wanted, user_classes)
        report = Report(str(file), kind="model", layers=source.report)
        compared = _verify_models(source, report) if verify else {}
        if look is not None:
            look(source)
        return Translation(source.code, report, weights=source.weights, source=source, compared=compared)


def _program(file: Path, arguments: Sequence[str], verify: bool, limit: float | None) -> Translation:
    source = file.read_bytes()
    page = translate_script(source, str(file))
    report = report_of_page(page, file)
    comparison = None
    if verify and page.problems and page.loads_files:  # what these hold may tell more
        observed = observed_in_a_run(file, arguments, limit)
        if observed.tells_more_than(page.observed):
            page = translate_script(source, str(file), observed)
            report = report_of_page(page, file)
    if verify and page.problems:
        return _with_gaps(page, file, arguments, limit)
    if verify:
        for run in range(MOST_RUNS):
            try:
                comparison = _verify_program(page, file, arguments, report, limit)
                break
            except Unforeseen as unforeseen:
                page = translate_script(source, str(file), unforeseen.observed)
                report = report_of_page(page, file)
                if run == MOST_RUNS - 1 or page.problems:
                    report.failure = str(unforeseen)
                    break
        difference = report.verified.difference if report.verified is not None else ""
        if difference and OF_ROUNDINGS not in difference and STOPPED not in difference:
            for plain in in_plain_forms(page):
                plain_report, compared = report_of_page(plain, file), None
                with contextlib.suppress(Unforeseen):
                    compared = _verify_program(plain, file, arguments, plain_report, limit)
                if plain_report.verified is not None and plain_report.verified.equal:
                    plain_report.notes.insert(
                        0, f"in plain calls, as what was proved is not the same: {difference}"
                    )
                    page, report, comparison = plain, plain_report, compared
                    break
    return Translation(page.code, report, page.modules, page=page, comparison=comparison)


def _with_gaps(page: Native, file: Path, arguments: Sequence[str], limit: float | None) -> Translation:
    """The page of a program of which something is refused: one is taken whose run comes to none of these places."""
    report = report_of_page(page, file)
    for other in itertools.chain([page], in_plain_forms(page, with_gaps=True)):
        other_report, compared = report_of_page(other, file), None
        with contextlib.suppress(Unforeseen):
            compared = _verify_program(other, file, arguments, other_report, limit)
        if other_report.failure:
            break  # of the program itself
        if other_report.verified is not None and other_report.verified.equal:
            other_report.notes.append(
                f"verified: {untranslated(len(other.problems))}, none of which the run came to"
            )
            return Translation(other.code, other_report, other.modules, page=other, comparison=compared)
    return Translation(page.code, report, page.modules, page=page)


def _verify_program(
    page: Native, file: Path, arguments: Sequence[str], report: Report, limit: float | None
) -> ScriptComparison | None:
    """Run a page beside its program, and report how that went. Raises Unforeseen where it is to be written anew."""
    try:
        comparison = verify_script(page, file, arguments, time_limit=limit)
    except Unforeseen:
        raise
    except Different as difference:
        report.verified = Verification(False, difference=str(difference))
        partly: ScriptComparison | None = difference.comparison
        return partly
    except LuaError as error:
        report.failure = f"the original fails: {error}"
        return None
    except TooLong as error:
        report.failure = f"{error}; arguments that make it shorter let it be compared, or a larger limit"
        return None
    not_run = [str(page) for page in comparison.not_run]
    report.verified = Verification(True, comparison.largest, not_run=not_run)
    report.notes.append(
        f"verified: {counted(comparison.lines, 'line')} and {counted(comparison.layers, 'tensor')} of weights, "
        f"the largest relative error is {comparison.largest:.1e}"
    )
    if comparison.stopped:
        report.notes.append("verified as far as they came, as the time was over before the program had ended")
    if not_run:
        missed = sum(page.statements for page in comparison.not_run)
        report.notes.append(
            f"verified but for {missed} of {counted(comparison.statements, 'statement')}, which did not run: "
            f"{'; '.join(not_run)}"
        )
    by_size = sorted(comparison.printed_at.items(), key=lambda item: -item[1])
    report.notes += [
        f"verified: printed at {location}: {error:.1e}" for location, error in by_size[:MOST_LINES] if error
    ]
    return comparison


def _verify_models(source: ModelSource, report: Report) -> dict[str, Comparison]:
    """Run each model beside its class; what no input is known for is noted as not verified."""
    try:
        comparisons = verify_file(source)
    except Different as difference:
        report.verified = Verification(False, difference=str(difference))
        return difference.comparison or {}
    for cls in source.classes:
        if cls.name in comparisons:
            report.notes.append(
                f"verified: {cls.name} on an input of {shape_of(cls.example)}: the largest relative error of outputs "
                f"and gradients is {comparisons[cls.name].largest:.1e}"
            )
        else:
            report.notes.append(f"not verified: {cls.name}: {cls.unverified}")
    for function in source.functions:
        if function.name in comparisons:
            report.notes.append(f"verified: {function.name}: {comparisons[function.name].largest:.1e}")
        else:
            report.notes.append(f"not verified: {function.name}: what its target is like is not known")
    if comparisons:
        report.verified = Verification(True, max(comparison.largest for comparison in comparisons.values()))
    return comparisons
