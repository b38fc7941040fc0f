"""A directory as a whole: each of its programs with the files that it requires, and its models, page by page.

Each is translated as ``torch7py translate`` does one, in a process that is ended with it where it does not end
(``worker.py``), so that it leaves the others alone.
"""

from __future__ import annotations

import ast
import queue
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from torch7py.translate.check import lua_files, programs_first
from torch7py.translate.report import Report, summary
from torch7py.translate.side_by_side import Subject
from torch7py.translate.worker import Order, Worker
from torch7py.wording import counted, seconds, untranslated

__all__ = ["Piece", "pieces_of", "readme", "requirements", "translate_pieces"]

_PACKAGES = {"PIL": "pillow"}  # what is installed by another name than it is imported
RUNS = 4  # how many times as long as a program may run its verification may take,
TO_TRANSLATE = 30.0  # and seconds for its translation


@dataclass
class Piece:
    """A program or model of a directory: where it is, where its page goes, and what came of it."""

    source: Path
    page: Path
    kind: str = "program"
    report: Report = field(default_factory=lambda: Report(""))
    failure: str = ""  # why there is no page
    pages: int = 0  # its own, and those of the files that it requires
    skipped: bool = False  # whether it is a file without a model
    subject: Subject | None = None  # the program beside its page, where that was asked for

    @property
    def folder(self) -> Path:
        return self.page.parent

    @property
    def state(self) -> str:
        """``verified``, ``differs``, ``not verified``, ``incomplete`` or ``failed``."""
        if self.failure:
            return "failed"
        if self.report.problems:
            return "incomplete"
        if self.report.verified is not None:
            return "verified" if self.report.verified.equal else "differs"
        return "not verified"

    def as_subject(self, directory: Path, out: Path) -> Subject:
        """What a page of HTML says of it, with its places in both directories."""
        subject = self.subject or Subject("", "", self.report, failure=self.failure)
        subject.source, subject.page = (
            path.relative_to(folder).as_posix()
            for path, folder in ((self.source, directory), (self.page, out))
        )
        subject.report, subject.state = self.report, self.state
        return subject

    def line(self) -> str:
        """What came of it, in one line."""
        if self.failure:
            return f"FAILED {self.failure}"
        shares = self.report.shares() if self.kind == "program" else counted(len(self.report.layers), "layer")
        because = self.report.failure
        if self.report.verified is not None:
            because = self.report.verified.difference
        elif self.report.problems:
            because = untranslated(len(self.report.problems))
        state = "" if self.state == "incomplete" else f"; {self.state}"
        return f"{self.source} -> {self.page}: {shares}{state}{because and f': {because}'}"


def pieces_of(directory: Path, out: Path, models: bool) -> list[Piece]:
    """The programs of a directory, which no other file of it requires, and its models: each with a page of its own.

    A program's page is in a folder of its own, for files that several programs require may come out differently.
    """
    taken: set[str] = set()
    files = lua_files(directory)
    no_lua: dict[Path, Report] = {}
    programs, _ = programs_first(files, no_lua)
    broken = {path: no_lua[path.resolve()].error for path in files if path.resolve() in no_lua}
    pieces = []
    for path in sorted([*programs, *broken]):
        name = _free(_plain(path.relative_to(directory).with_suffix("")), taken)
        piece = Piece(path, out / name / f"{_plain(Path(path.stem))}.py")
        piece.failure = broken.get(path, "")
        pieces.append(piece)
    if models:
        named: set[str] = set()
        folder = out / _free("models", taken)
        for path in sorted(path for path in directory.rglob("*.t7") if path.is_file()):
            name = _free(_plain(path.relative_to(directory).with_suffix("")), named)
            pieces.append(Piece(path, folder / f"{name}.py", "model"))
    return pieces


def _plain(path: Path) -> str:
    """A file's name of letters that is a name everywhere, also of a Python module."""
    name = re.sub(r"\W", "_", "_".join(path.parts), flags=re.ASCII)
    return f"_{name}" if not name or name[0].isdigit() else name


def _free(name: str, taken: set[str]) -> str:
    base, number = name, 1
    while name.lower() in taken:  # some file systems know no small and large letters
        number += 1
        name = f"{base}_{number}"
    taken.add(name.lower())
    return name


def translate_pieces(
    pieces: Sequence[Piece],
    directory: Path,
    arguments: Sequence[str],
    options: Mapping[str, Any],
    jobs: int,
    limit: float,
    beside: bool = False,
) -> Iterator[Piece]:
    """Translate each, so many at once; each comes as soon as it is done.

    Programs run in the directory, with the arguments, for about ``limit`` seconds, and what they have printed by
    then is compared: one whose verification does not end is translated without it. ``options`` are those of
    ``to_pytorch``. ``beside``: whether programs beside their pages are asked for.
    """
    yield from (piece for piece in pieces if piece.failure)
    left = [piece for piece in pieces if not piece.failure]
    workers: queue.SimpleQueue[Worker] = queue.SimpleQueue()
    all_workers = [Worker() for _ in range(min(jobs, len(left)))]
    for worker in all_workers:
        workers.put(worker)

    def translate(piece: Piece) -> Piece:
        worker = workers.get()
        try:
            return _translate(worker, piece, directory, arguments, options, limit, beside)
        finally:
            workers.put(worker)

    with ThreadPoolExecutor(max(1, len(all_workers))) as pool:
        try:
            yield from (done.result() for done in as_completed([pool.submit(translate, p) for p in left]))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in all_workers:
                worker.end()


def _translate(
    worker: Worker,
    piece: Piece,
    directory: Path,
    arguments: Sequence[str],
    options: Mapping[str, Any],
    limit: float,
    beside: bool,
) -> Piece:
    piece.folder.mkdir(parents=True, exist_ok=True)
    order = Order(
        piece.source.relative_to(directory),  # where it runs, so that no report has paths of this machine
        piece.page.resolve(),
        directory.resolve(),
        tuple(arguments) if piece.kind == "program" else (),
        {**options, "limit": limit} if piece.kind == "program" else {"verify": options.get("verify", True)},
        beside,
    )
    answer = worker.ask(order, RUNS * limit + TO_TRANSLATE)
    if answer is None:
        answer = worker.ask(replace(order, options={**order.options, "verify": False}), None)
        assert answer is not None
        answer.report["failure"] = f"it was not verified within {seconds(RUNS * limit)}"
    piece.failure = re.sub(
        rf"^{re.escape(str(order.source))}(?=:)", lambda _: str(piece.source), answer.failure
    )
    piece.skipped = piece.kind == "model" and answer.failure.endswith("no model in it")
    if not piece.failure:
        piece.report = Report.from_json(answer.report)
        piece.subject, piece.pages = answer.subject, answer.pages
    return piece


def requirements(out: Path) -> list[str]:
    """What the pages under a directory import, by the names by which it is installed."""
    packages = {"torch"}
    for path in out.rglob("*.py"):
        local_modules = {sibling.stem for sibling in path.parent.glob("*")}
        for node in ast.walk(ast.parse(path.read_bytes())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            elif isinstance(node, ast.Call):
                names = _imported_late(node)
            packages |= {name.partition(".")[0] for name in names} - local_modules
    if any(out.rglob("*.safetensors")):
        packages.add("safetensors")
    return sorted(
        _PACKAGES.get(name, name) for name in packages - set(sys.stdlib_module_names) - _modules(out)
    )


def _imported_late(node: ast.Call) -> list[str]:
    """What the pages' library imports where it is needed: ``import_library("matplotlib.figure", "plots")``."""
    is_import = isinstance(node.func, ast.Name) and node.func.id == "import_library"
    names = [argument.value for argument in node.args[:1] if isinstance(argument, ast.Constant)]
    return [name for name in names if is_import and isinstance(name, str)]


def _modules(out: Path) -> set[str]:
    return {path.stem if path.suffix else path.name for path in out.rglob("*")}


def readme(directory: Path, out: Path, pieces: Sequence[Piece]) -> str:
    """How to run each page, and what came of all."""
    done = [piece for piece in pieces if not piece.skipped]
    lines = [
        f"{_shown(directory.resolve().name)} in PyTorch",
        "=" * 20,
        "",
        "Translated from Torch7 by torch7py.",
        "",
        "    pip install -r requirements.txt",
        "",
    ]
    programs = [piece for piece in done if piece.kind == "program" and not piece.failure]
    if programs:
        lines += ["## Programs", "", "Run them where the originals ran, for they read the same files:", ""]
        for piece in programs:
            page = piece.page.relative_to(out).as_posix()
            options = " --help" if "ArgumentParser(" in piece.page.read_text(encoding="utf-8") else ""
            lines.append(
                f"- `python {page}{options}`: {_shown(piece.source.relative_to(directory))}, {piece.state}"
            )
        lines.append("")
    models = [piece for piece in done if piece.kind == "model" and not piece.failure]
    if models:
        lines += ["## Models", "", "A class each, with its weights beside it:", ""]
        for piece in models:
            page = piece.page.relative_to(out).as_posix()
            lines.append(f"- `{page}`: {_shown(piece.source.relative_to(directory))}, {piece.state}")
        lines.append("")
    failed = [piece for piece in done if piece.failure]
    if failed:
        lines += ["## Without a page", ""]
        lines += [f"- {_shown(piece.failure.removeprefix(f'{directory}/'))}" for piece in failed]
        lines.append("")
    whole = summary([piece.report for piece in programs])
    if programs:
        lines += ["## Report", "", *(f"    {_line(line)}" for line in whole.summary_lines()), ""]
        for piece in programs:
            lines += [
                f"    {_line(line)}" for line in piece.report.notes if not line.startswith("verified: ")
            ]
    return "\n".join(lines).rstrip() + "\n"


def _line(text: str) -> str:
    return re.sub(r"\s", " ", text)


def _shown(name: object) -> str:
    """A text of others within Markdown: nothing in it marks anything up."""
    return "`" + re.sub(r"[\s`\x00-\x1f]+", " ", str(name)) + "`"
