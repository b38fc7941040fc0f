"""What a program, or a directory of them, uses, and how much of it has a translation; nothing is written or run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from torch7py.packages.registry import packages
from torch7py.translate.availability import Availability, Packages
from torch7py.translate.checked_code import ForeignCode
from torch7py.translate.garbage import uncollected
from torch7py.translate.native.program import Native, translate_script
from torch7py.translate.native.project import gather
from torch7py.translate.parse import LuaSyntaxError
from torch7py.translate.report import NameUse, Report, entries_of, merged, summary
from torch7py.translate.usage import Usage, usage_of

__all__ = [
    "check_files",
    "check_program",
    "is_project_file",
    "lua_files",
    "parts_of_page",
    "programs_first",
    "report_of_page",
]

# Packages whose globals a program may use after another package has loaded them.
_FAMILIAR = frozenset("autograd gnuplot hdf5 image itorch tds threads tnt trepl".split())


def lua_files(directory: Path) -> list[Path]:
    """The Lua files of a directory, in order; hidden directories are left out."""
    candidates = directory.rglob("*.lua")
    return sorted(
        path
        for path in candidates
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(directory).parts[:-1])
    )


def check_files(paths: Sequence[Path], begun: Callable[[Path], None] = lambda path: None) -> list[Report]:
    """A report for each file; a file that is no Lua has only an ``error``.

    A file that another one requires is judged as a part of that program, where more is known of it. ``begun`` is
    told of each file when its turn comes.
    """
    reports: dict[Path, Report] = {}
    usages: list[tuple[Report, Usage]] = []
    programs, required = programs_first(paths, reports)
    no_lua = [path for path in paths if path.resolve() in reports]
    for path in (*no_lua, *programs, *required):
        key = path.resolve()
        begun(path)
        if key in reports:
            continue
        try:
            page = translate_script(path.read_bytes(), str(path))
        except LuaSyntaxError as error:
            reports[key] = _no_lua(path, error)
            continue
        except ForeignCode as error:
            reports[key] = Report(str(path), error=str(error))
            continue
        for report, usage in parts_of_page(page, path):
            where = Path(report.file).resolve()
            if where not in reports:
                reports[where] = report
                usages.append((report, usage))
    for (report, _), names in zip(usages, names_used(usages, paths), strict=True):
        report.names = names
    return [reports[path.resolve()] for path in paths]


def check_program(path: Path) -> Report:
    """The report on a program with the files of its own that it requires. Raises LuaSyntaxError and ForeignCode."""
    return report_of_page(translate_script(path.read_bytes(), str(path)), path)


def _no_lua(path: Path, error: LuaSyntaxError) -> Report:
    return Report(str(path), error=f"{error} (this is no Lua)")


def programs_first(paths: Sequence[Path], reports: dict[Path, Report]) -> tuple[list[Path], list[Path]]:
    """The files that no other one requires, and the rest; one that is no Lua gets its report instead."""
    required: set[Path] = set()
    good = []
    for path in paths:
        if path.resolve() in required:  # what it needs itself is needed there, too
            good.append(path)
            continue
        try:
            with uncollected():
                project = gather(path.read_bytes(), str(path))
        except LuaSyntaxError as error:
            reports[path.resolve()] = _no_lua(path, error)
            continue
        good.append(path)
        required |= {file.path.resolve() for file in project.files}
    programs = [path for path in good if path.resolve() not in required]
    return programs, [path for path in good if path.resolve() in required]


def parts_of_page(page: Native, path: Path) -> list[tuple[Report, Usage]]:
    """The files of a program, its own first, each with what it uses."""
    assert page.translator is not None
    parts = []
    others = _files_of(page)
    for file, (statements, native, plain_calls) in page.parts.items():
        problems = [problem for problem in page.problems if (problem.file or path.name) == file.name]
        usage = usage_of(file.block, page.translator.types, page.translator.project.added)
        report = Report(
            str(file.path),
            statements=statements,
            native=native,
            plain_calls=plain_calls,
            problems=entries_of(problems, str(path), others),
            reasons=entries_of(
                [p for p in page.reasons if (p.file or path.name) == file.name], str(path), others
            ),
            open_methods=sum(len(lines) for lines in usage.open.values()),
        )
        parts.append((report, usage))
    return parts[::-1]


def _files_of(page: Native) -> dict[str, Path]:
    """Where the files of a program are, by their names."""
    assert page.translator is not None
    project = page.translator.project
    return {file.name: file.path for file in (*project.files, project.script)}


def report_of_page(page: Native, path: Path) -> Report:
    """The report on a program with all its files, without verification."""
    parts = parts_of_page(page, path)
    whole = summary([report for report, _ in parts])
    whole.file = str(path)
    others = _files_of(page)
    whole.problems = entries_of(page.problems, str(path), others)
    whole.reasons = entries_of(page.reasons, str(path), others)
    places = [Path(report.file) for report, _ in parts]
    for names in names_used(parts, places):
        whole.names = merged([*whole.names, *names])
    return whole


def names_used(usages: Sequence[tuple[Report, Usage]], paths: Sequence[Path]) -> Iterator[list[NameUse]]:
    """For each file the names of packages that it uses; what one file defines, the others have."""
    foreign = {
        name
        for report, usage in usages
        for name in usage.required
        if not is_project_file(name, Path(report.file), paths)
    }
    roots = {*packages, *_FAMILIAR, *(name.partition(".")[0] for name in foreign)}
    with Packages(name for _, usage in usages for name in usage.defined) as known:
        for report, usage in usages:
            uses = []
            for name, lines in usage.required.items():
                availability = known.package(name) if name in foreign else Availability("own")
                uses.append(_use(name, availability, report.file, lines))
            for name, lines in usage.names.items():
                if name.partition(":")[0].partition(".")[0] in roots:
                    uses.append(_use(name, known.name(name), report.file, lines, known.native(name)))
            yield sorted(uses, key=lambda use: use.name)


def _use(name: str, availability: Availability, file: str, lines: Iterable[int], native: str = "") -> NameUse:
    return NameUse(name, availability.state, availability.note, [f"{file}:{line}" for line in lines], native)


def is_project_file(name: str, file: Path, paths: Sequence[Path]) -> bool:
    """Whether ``require`` finds a file of the project: beside the one that asks, or in a directory above."""
    stem = name.removesuffix(".lua")
    ends = [part + tail for part in (stem, stem.replace(".", "/")) for tail in (".lua", "/init.lua")]
    if any((file.parent / end).is_file() for end in ends):
        return True
    return any(path.resolve().as_posix().endswith(f"/{end}") for path in paths for end in ends)
