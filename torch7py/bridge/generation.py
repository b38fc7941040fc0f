"""Which generation of the rnn package a program was written for; nn goes with it.

Until January 2016 ``backwardThroughTime()`` ended a sequence; later the method was an error. A program that calls
it, and defines no method of that name itself, is of the older generation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from torch7py.bridge.source import matches

__all__ = ["LATER", "OLDER", "generation_of"]

OLDER, LATER = 2015, 2016

METHOD = "backwardThroughTime"

_CALLS = """
(function_call name: (method_index_expression method: (identifier) @called))
(function_declaration name: (method_index_expression method: (identifier) @defined))
(function_declaration name: (dot_index_expression field: (identifier) @defined))
(assignment_statement (variable_list name: (dot_index_expression field: (identifier) @defined)))
"""
_LOADS = "(function_call name: (_) @loader arguments: (arguments . (string content: (string_content) @name)))"
_MAY_LOAD = re.compile(rb"require|dofile|include|loadfile")
_LOADERS = frozenset({"require", "dofile", "include", "loadfile", "paths.dofile"})


def generation_of(path: str | Path) -> int:
    """The generation for an entry script, judged by it and by the files that it names literally."""
    called = defined = False
    for source in _sources(Path(path)):
        if METHOD.encode() not in source:
            continue
        for found in matches(_CALLS, source):
            called = called or found.get("called") == METHOD
            defined = defined or found.get("defined") == METHOD
    return OLDER if called and not defined else LATER


def _sources(path: Path) -> Iterator[bytes]:
    """The entry script, and each file that a loader in it is given by name."""
    entry = path.read_bytes()
    yield entry
    seen = {path.resolve()}
    if not _MAY_LOAD.search(entry):
        return
    for found in matches(_LOADS, entry):
        file = _file_of(found["name"], path.parent) if found["loader"] in _LOADERS else None
        if file is not None and file.resolve() not in seen:
            seen.add(file.resolve())
            yield file.read_bytes()


def _file_of(name: str, directory: Path) -> Path | None:
    stem = re.sub(r"\.lua$", "", name)
    for base in (directory, Path()):
        for candidate in (stem, stem.replace(".", "/")):
            for tail in (".lua", "/init.lua"):
                path = base / (candidate + tail)
                if path.is_file():
                    return path
    return None
