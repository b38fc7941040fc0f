"""Measures the translator over checkouts of repositories, and compares two measurements.

::

    python tools/shares.py measure CHECKOUTS -o shares.jsonl [--jobs 2] [--limit 60] [OWNER/NAME ...]
    python tools/shares.py compare OLD NEW
    python tools/shares.py table shares.jsonl

``tools/shares.txt`` lists the repositories; each one is a folder ``OWNER/NAME`` of CHECKOUTS, by whose name the tests
and examples of a package require it, and those that are not there are named and left out. A measurement is a line of
JSON for each Lua file, in order: its statements, how many of them are idiomatic, in plain calls and refused, as
``torch7py check`` counts them, how often each code was given, and a verdict. A file that another one requires is
counted as a part of that program. What a broken-off measurement has found stays in a ``.part`` file, from which the
next one goes on.

``compare`` names each file and repository that became worse, and then fails. ``table`` writes
docs/translator_shares.md.
"""

from __future__ import annotations

import ast
import json
import multiprocessing
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import NamedTuple

import click

from torch7py.translate import tree
from torch7py.translate.availability import Packages
from torch7py.translate.check import is_project_file, lua_files, parts_of_page, programs_first
from torch7py.translate.checked_code import ForeignCode
from torch7py.translate.native.analysis.unknown_values import is_of_what_is_not_there
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.program import Native, translate_script
from torch7py.translate.parse import LuaSyntaxError
from torch7py.translate.report import Report
from torch7py.translate.tree import Expression
from torch7py.translate.tree_queries import statements
from torch7py.translate.usage import required

__all__ = ["Share", "compared", "listed", "measured", "read", "table"]

ROOT = Path(__file__).parents[1]
LIST = Path(__file__).with_suffix(".txt")
PAGE = ROOT / "docs" / "translator_shares.md"

WHOLE = "idiomatic"
HELPED = "with plain calls"
IN_PART = "partly refused"
NO_LUA = "no Lua"

HEAD = """# How much of real programs the translator writes

Written by `python tools/shares.py table shares.jsonl` from a measurement over the repositories of `tools/shares.txt`. A
statement is *idiomatic* where it becomes plain PyTorch, in *plain calls* where functions look at its values when the
page runs, and *refused* where it has no translation; `torch7py check` says why. *Failed* counts the files for which no
page was written at all. *Not run* is the part of the refused statements that stands in programs which `torch7py run`
cannot run either, because they begin with a `require` of a package that is not here, or that uses what neither a file
of the program has nor this project.

| Repository | Files | Statements | Idiomatic | Plain calls | Refused | Not run | Wholly idiomatic files | Failed |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
"""


@dataclass(frozen=True)
class Share:
    """What one file came to; ``program`` is the file that was translated with it, ``commit`` the checkout's.

    ``absent`` are the packages without which the program does not begin, and that are not here; ``unset`` counts
    the refused statements that use what no file of the program has, nor this project, which is an error of its run as
    well.
    """

    repository: str
    file: str
    program: str
    commit: str
    verdict: str
    statements: int = 0
    idiomatic: int = 0
    plain_calls: int = 0
    codes: dict[str, int] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    unset: int = 0

    @property
    def refused(self) -> int:
        return self.statements - self.idiomatic - self.plain_calls

    @property
    def not_run(self) -> int:
        return self.refused if self.absent else self.unset

    @property
    def failed(self) -> bool:
        return self.verdict not in (WHOLE, HELPED, IN_PART, NO_LUA)

    def line(self) -> str:
        data = asdict(self) | {"refused": self.refused, "codes": dict(sorted(self.codes.items()))}
        return json.dumps(data, sort_keys=True)


class Program(NamedTuple):
    """A program to translate: its file, and the repository's folder, name and commit."""

    path: Path
    folder: Path
    repository: str
    commit: str

    @property
    def file(self) -> str:
        return self.path.relative_to(self.folder).as_posix()

    def failed(self, verdict: str) -> Share:
        return Share(self.repository, self.file, self.file, self.commit, verdict)


def listed() -> list[str]:
    """The repositories of the list, by their names."""
    lines = LIST.read_text().split("\n")
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def read(path: Path) -> list[Share]:
    """The lines of a measurement."""
    shares = []
    for line in path.read_text().splitlines():
        data = json.loads(line)
        del data["refused"]
        shares.append(Share(**data))
    return shares


def measured(program: Program) -> list[Share]:
    """The shares of a program and of its files inside the repository."""
    try:
        page = translate_script(program.path.read_bytes(), str(program.path))
        for code in (page.code, *page.modules.values()):
            ast.parse(code)
        reports = [report for report, _ in parts_of_page(page, program.path)]
        needed, unset = _needed(page), _unset(page)
    except LuaSyntaxError:
        return [program.failed(NO_LUA)]
    except ForeignCode as error:
        return [program.failed(f"foreign code: {error}".replace(str(program.folder), "")[:200])]
    except SyntaxError as error:
        return [program.failed(f"the page is no Python: {error.msg}")]
    return [
        _share(report, program, needed, unset[Path(report.file)])
        for report in reports
        if program.folder in Path(report.file).parents
    ]


def _needed(page: Native) -> list[str]:
    """The packages that a program's files require as they are loaded, whatever its options are."""
    calls = {
        node
        for file in page.parts
        for statement in file.block.statements
        if isinstance(statement, (tree.Local, tree.Assign, tree.Run))
        for node in tree.walk(statement)
    }
    assert page.translator is not None
    own = page.translator.project.requires
    return sorted(
        {name for node in calls - own.keys() if isinstance(node, Expression) and (name := required(node))}
    )


def _unset(page: Native) -> dict[Path, int]:
    """For each file the refused statements that use what no file of the program has, nor this project."""
    with Packages() as known:
        absent = [p for p in page.problems if is_of_what_is_not_there(p) or _is_absent(p, known)]
    refused = {
        statement
        for problem in absent
        if problem.statement is not None
        for statement in statements(problem.statement)
    }
    return {file.path: len(refused.intersection(statements(file.block))) for file in page.parts}


def _is_absent(problem: Problem, known: Packages) -> bool:
    """Whether a problem says that something has no native form which this project does not have at all."""
    named = re.match(r"([\w.]+) (has no native form|is not a class of nn or rnn)", problem.reason)
    if named is None:
        return False
    names = [named[1], named[1].replace("nn.", "cudnn.", 1)] if named[1].startswith("nn.") else [named[1]]
    return all(known.name(name).state == "no" for name in names)


def _share(report: Report, program: Program, needed: list[str], unset: int) -> Share:
    verdict = IN_PART if report.not_translated else HELPED if report.plain_calls else WHOLE
    return Share(
        program.repository,
        Path(report.file).relative_to(program.folder).as_posix(),
        program.file,
        program.commit,
        verdict,
        report.statements,
        report.native,
        report.plain_calls,
        dict(Counter(entry.code for entry in (*report.problems, *report.reasons))),
        needed,
        unset,
    )


def _send(program: Program, pipe: Connection) -> None:
    pipe.send(measured(program))
    pipe.close()


def _in_processes(programs: Sequence[Program], jobs: int, limit: float) -> Iterator[list[Share]]:
    """What each program comes to, as it is ready, each in a process of its own."""
    context = multiprocessing.get_context("fork")
    waiting = list(programs[::-1])
    running: dict[Connection, tuple[Program, float, ForkProcess]] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            program = waiting.pop()
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_send, args=(program, theirs))
            process.start()
            theirs.close()
            running[ours] = program, time.monotonic() + limit, process
        ends = min(end for _, end, _ in running.values())
        ready = wait(list(running), max(0.0, ends - time.monotonic()))
        late = [pipe for pipe, (_, end, _) in running.items() if end <= time.monotonic()]
        for pipe in dict.fromkeys([*ready, *late]):
            assert isinstance(pipe, Connection)
            program, _, process = running.pop(pipe)
            if pipe in ready:
                try:
                    yield pipe.recv()
                except EOFError:
                    process.join()
                    yield [program.failed(f"the translator broke off with {process.exitcode}")]
            else:
                process.kill()
                yield [program.failed(f"more than {limit:g} seconds")]
            process.join()
            pipe.close()


def _measure(checkouts: Path, name: str, part: Path, jobs: int, limit: float) -> list[Share]:
    """One repository; a file counts as a part of the first program that has it."""
    folder = (checkouts / name).resolve()
    commit = subprocess.run(
        ["git", "-C", folder, "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    no_lua: dict[Path, Report] = {}
    files = lua_files(folder)
    rounds = [[Program(p, folder, name, commit) for p in paths] for paths in programs_first(files, no_lua)]
    before = [share for share in read(part) if share.repository == name] if part.exists() else []
    shares = [Program(path, folder, name, commit).failed(NO_LUA) for path in no_lua if path in files] + before
    done = {share.program for share in before}
    for programs in rounds:  # what a program requires is looked at by itself only where that has failed
        have = {share.file for share in shares if not share.failed}
        with part.open("a") as file:
            for found in _in_processes([p for p in programs if not {p.file} & (have | done)], jobs, limit):
                file.write("".join(f"{share.line()}\n" for share in found))
                file.flush()
                shares += found
    order = {program.file: number for number, program in enumerate([*rounds[0], *rounds[1]])}
    best: dict[str, Share] = {}
    for share in sorted(shares, key=lambda share: (share.failed, order.get(share.program, 0))):
        best.setdefault(share.file, share)
    with Packages() as known:
        return [_with_absent(best[file], folder, files, known) for file in sorted(best)]


def _with_absent(share: Share, folder: Path, files: Sequence[Path], known: Packages) -> Share:
    """A share whose ``absent`` are no longer all packages that it needs, but those that are not here."""
    file = folder / share.program
    absent = [
        name
        for name in share.absent
        if not is_project_file(name, file, files) and known.package(name).state == "no"
    ]
    return replace(share, absent=absent)


def compared(old: Iterable[Share], new: Iterable[Share]) -> Iterator[str]:
    """What became worse from one measurement to another, by file and then by repository."""
    before = {(share.repository, share.file): share for share in old}
    after = {(share.repository, share.file): share for share in new}
    names = dict.fromkeys(name for name, _ in after)
    for key, was in before.items():
        now = after.get(key)
        if now is None:
            if key[0] in names:
                yield f"{'/'.join(key)}: is not there any more"
        elif now.failed and not was.failed:
            yield f"{'/'.join(key)}: {now.verdict}"
        elif not now.failed and not was.failed and _worse(was, now):
            codes = Counter(now.codes)
            codes.subtract(was.codes)
            more = ", ".join(f"{code} {times:+}" for code, times in sorted(codes.items()) if times > 0)
            yield (
                f"{'/'.join(key)}: {was.idiomatic} -> {now.idiomatic} idiomatic, {was.refused} -> {now.refused} refused"
                f" of {now.statements}{more and f' ({more})'}"
            )
    for name in names:
        was_all = _Sum.of(share for share in before.values() if share.repository == name)
        now_all = _Sum.of(share for share in after.values() if share.repository == name)
        if was_all.statements and now_all.share < was_all.share:
            yield f"{name}: {100 * was_all.share:.1f} % -> {100 * now_all.share:.1f} % idiomatic"


def _worse(was: Share, now: Share) -> bool:
    """Whether a smaller share is idiomatic, or a larger one refused."""
    less = now.idiomatic * was.statements < was.idiomatic * now.statements
    return less or now.refused * was.statements > was.refused * now.statements


class _Sum(NamedTuple):
    """Several files together."""

    files: int
    statements: int
    idiomatic: int
    plain_calls: int
    refused: int
    not_run: int
    whole: int
    failed: int

    @property
    def share(self) -> float:
        return self.idiomatic / self.statements if self.statements else 0.0

    @classmethod
    def of(cls, shares: Iterable[Share]) -> _Sum:
        found = list(shares)
        return cls(
            len(found),
            sum(share.statements for share in found),
            sum(share.idiomatic for share in found),
            sum(share.plain_calls for share in found),
            sum(share.refused for share in found),
            sum(share.not_run for share in found),
            sum(share.verdict == WHOLE for share in found),
            sum(share.failed for share in found),
        )

    def row(self, name: str) -> str:
        whole = max(1, self.statements)
        parts = (
            f"{100 * part / whole:.1f} %"
            for part in (self.idiomatic, self.plain_calls, self.refused, self.not_run)
        )
        cells = (name, str(self.files), f"{self.statements:,}", *parts, str(self.whole), str(self.failed))
        return f"| {' | '.join(cells)} |\n"


def table(shares: Sequence[Share]) -> str:
    """The page of a measurement."""
    names = sorted({share.repository for share in shares}, key=str.lower)
    rows = [_Sum.of(share for share in shares if share.repository == name).row(name) for name in names]
    return HEAD + "".join(rows) + _Sum.of(shares).row("**All**")


@click.group()
def main() -> None:
    """Measure the translator over checkouts of repositories."""


@main.command()
@click.argument("checkouts", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("names", nargs=-1)
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True)
@click.option("--jobs", type=click.IntRange(1), default=1, help="Programs at the same time.")
@click.option("--limit", type=float, default=60.0, help="Seconds for each program.")
def measure(checkouts: Path, names: tuple[str, ...], out: Path, jobs: int, limit: float) -> None:
    """Measure the repositories NAMES, by default all of the list, in the folder CHECKOUTS."""
    part = out.with_name(f"{out.name}.part")
    shares: list[Share] = []
    for name in names or listed():
        if not (checkouts / name).is_dir():
            click.echo(f"{name}: not checked out")
            continue
        found = _measure(checkouts, name, part, jobs, limit)
        shares += found
        click.echo(_Sum.of(found).row(name), nl=False)
    shares.sort(key=lambda share: (share.repository, share.file))
    out.write_text("".join(f"{share.line()}\n" for share in shares))
    part.unlink(missing_ok=True)


@main.command()
@click.argument("old", type=click.Path(exists=True, path_type=Path))
@click.argument("new", type=click.Path(exists=True, path_type=Path))
def compare(old: Path, new: Path) -> None:
    """Say what became worse from the measurement OLD to NEW; fail where anything did."""
    worse = list(compared(read(old), read(new)))
    for line in worse:
        click.echo(line)
    sys.exit(1 if worse else 0)


@main.command("table")
@click.argument("shares", type=click.Path(exists=True, path_type=Path))
def write_table(shares: Path) -> None:
    """Write docs/translator_shares.md from a measurement."""
    PAGE.write_text(table(read(shares)))


if __name__ == "__main__":
    main()
