"""Which optional libraries a program will need and are missing: said before it begins, not after an hour.

That is judged by names: what the files of a program require, and the functions that they call. A program may never get
there, so nothing is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from torch7py.bridge.program_files import code_matches, program_files
from torch7py.packages.optional_libraries import LIBRARIES, Library, install_command, is_installed

__all__ = ["missing_libraries"]


def missing_libraries(file: Path, source: bytes) -> list[str]:
    """A line for each library that a program will need and that is missing, with the command that installs it."""
    missing = [library for library in LIBRARIES.values() if library.packages or library.functions]
    missing = [library for library in missing if not is_installed(library.module)]
    lines: dict[str, str] = {}
    for path, text in program_files(file, source) if missing else ():
        for library in missing:
            for name, offset in _uses(library, text):
                line = text.count(b"\n", 0, offset) + 1
                command = install_command(library.module)
                lines.setdefault(
                    library.module,
                    f"torch7py: {path}:{line}: {name} needs {library.title}, which is missing: {command}",
                )
    return list(lines.values())


def _uses(library: Library, source: bytes) -> Iterator[tuple[str, int]]:
    """What in a source needs a library, and where it stands."""
    for package in library.packages:
        for match in _find(_required(package), package, source):
            yield package, match.start()
    by_owner: dict[str, list[str]] = {}
    for function in library.functions:
        owner, mark, name = re.split(r"([.:])(?=\w+$)", function)
        by_owner.setdefault(owner + mark, []).append(name)
    for owner, names in by_owner.items():
        of, mark = owner[:-1], owner[-1]
        called = rf"({'|'.join(names)})\b"
        if mark == ":":
            pattern = rf"[A-Za-z_][\w.\[\]]*:{called}\s*\("
        else:
            files = "|".join(library.without_file) or "(?!)"
            pattern = rf"(?:{'|'.join(_aliases(of, source))})\.{called}(?![^\n]*\.(?:{files})[\"'])"
        for match in _find(pattern, of, source):
            yield owner + match[1].decode(), match.start()


def _find(pattern: str, word: str, source: bytes) -> Iterable[re.Match[bytes]]:
    return code_matches(re.compile(pattern.encode()), source) if word.encode() in source else ()


def _required(package: str) -> str:
    return rf"require\s*\(?\s*[\"']{re.escape(package)}[\"']"


def _aliases(package: str, source: bytes) -> list[str]:
    """What a package is called in a source: ``img`` after ``local img = require 'image'``."""
    names = re.findall(rf"([A-Za-z_]\w*)\s*=\s*{_required(package)}".encode(), source)
    return [package, *(name.decode() for name in names)]
