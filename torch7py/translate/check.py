"""What a program, or a directory of them, uses, and how much of it has a translation; nothing is written or run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from torch7py.packages.registry import packages
from torch7py.translate.availability import Availability, Packages
from torch7py.translate.native.program import Native, translate_script
from torch7py.translate.parse import LuaSyntaxError
from torch7py.translate.report import NameUse, Report, entries_of
from torch7py.translate.usage import Usage, usage_of

__all__ = ["check_files", "lua_files", "names_of_page", "report_of_page"]

# Packages whose globals a program may use after another package has loaded them.
_FAMILIAR = frozenset("autograd gnuplot hdf5 image itorch tds threads tnt trepl".split())


def lua_files(directory: Path) -> list[Path]:
    """The Lua files of a directory, in order; hidden directories are left out."""
    found = directory.rglob("*.lua")
    return sorted(
        path
        for path in found
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(directory).parts[:-1])
    )


def check_files(paths: Sequence[Path]) -> list[Report]:
    """A report for each file; a file that is no Lua has only an ``error``. They may be parts of one program."""
    reports: list[Report] = []
    usages: list[tuple[Report, Usage]] = []
    for path in paths:
        try:
            page = translate_script(path.read_bytes(), str(path))
        except LuaSyntaxError as error:
            reports.append(Report(str(path), error=f"{error} (this is no Lua)"))
            continue
        report = report_of_page(page, path)
        reports.append(report)
        usages.append((report, usage_of_page(page)))
    for (report, _), names in zip(usages, names_used(usages, paths), strict=True):
        report.names = names
    return reports


def report_of_page(page: Native, path: Path) -> Report:
    """The report on a program's translation, without names and verification."""
    return Report(
        str(path),
        statements=page.statements,
        native=page.native,
        problems=entries_of(page.problems, str(path)),
        open_methods=sum(len(lines) for lines in usage_of_page(page).open.values()),
    )


def names_of_page(page: Native, path: Path) -> list[NameUse]:
    """The names of packages that a program on its own uses."""
    (names,) = names_used([(report_of_page(page, path), usage_of_page(page))], [path])
    return names


def usage_of_page(page: Native) -> Usage:
    assert page.translator is not None
    return usage_of(page.translator.program, page.translator.types)


def names_used(usages: Sequence[tuple[Report, Usage]], paths: Sequence[Path]) -> Iterator[list[NameUse]]:
    """For each file the names of packages that it uses; what one file defines, the others have."""
    required = {name for _, usage in usages for name in usage.required}
    roots = {*packages, *_FAMILIAR, *required}
    with Packages(name for _, usage in usages for name in usage.defined) as known:
        for report, usage in usages:
            uses = []
            for name, lines in usage.required.items():
                own = _own_file(name, Path(report.file), paths)
                found = Availability("own") if own else known.package(name)
                uses.append(_use(name, found, report.file, lines))
            for name, lines in usage.names.items():
                if name.partition(":")[0].partition(".")[0] in roots:
                    uses.append(_use(name, known.name(name), report.file, lines, known.native(name)))
            yield sorted(uses, key=lambda use: use.name)


def _use(name: str, found: Availability, file: str, lines: Iterable[int], native: str = "") -> NameUse:
    return NameUse(name, found.state, found.note, [f"{file}:{line}" for line in lines], native)


def _own_file(name: str, file: Path, paths: Sequence[Path]) -> bool:
    """Whether ``require`` finds a file of the project: beside the one that asks, or in a directory above."""
    stem = name.removesuffix(".lua")
    ends = [part + tail for part in (stem, stem.replace(".", "/")) for tail in (".lua", "/init.lua")]
    if any((file.parent / end).is_file() for end in ends):
        return True
    return any(path.as_posix().endswith(f"/{end}") for path in paths for end in ends)
