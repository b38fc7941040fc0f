"""The files of a program: its entry script, and those that it loads by literal names, as far as these are found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["code_matches", "program_files"]

_LOADS = re.compile(
    rb"(?:require|(?:paths\.)?dofile|include|loadfile)\b\s*\(?\s*(?:\"([^\"\n]+)\"|'([^'\n]+)')"
)
_LONG_COMMENT = re.compile(rb"--\[(=*)\[.*?\]\1\]", re.DOTALL)


def code_matches(pattern: re.Pattern[bytes], source: bytes) -> Iterator[re.Match[bytes]]:
    """The matches of a pattern outside of comments. It must begin with a name, which is not the end of a longer one."""
    if b"--[" in source:
        source = _LONG_COMMENT.sub(lambda match: re.sub(rb"[^\n]", b" ", match[0]), source)
    for match in pattern.finditer(source):
        start = match.start()
        before = source[source.rfind(b"\n", 0, start) + 1 : start]
        if b"--" not in before and not re.search(rb"[\w.:]$", before):
            yield match


def program_files(
    entry: Path, source: bytes | None = None, deep: bool = True
) -> Iterator[tuple[Path, bytes]]:
    """Each file and its source, the entry script first; without ``deep`` only what the script itself loads.

    ``source`` is the script's where it has been read already.
    """
    waiting = [entry]
    seen = {entry.resolve()}
    while waiting:
        path = waiting.pop(0)
        try:
            text = source if path == entry and source is not None else path.read_bytes()
        except OSError:
            if path == entry:
                raise
            continue  # the program will say so, if it gets there
        yield path, text
        if not deep and path != entry:
            continue
        for match in code_matches(_LOADS, text):
            name = (match[1] or match[2]).decode("latin1")
            file = _find(name, (path.parent, entry.parent, Path()))
            if file is not None and file.resolve() not in seen:
                seen.add(file.resolve())
                waiting.append(file)


def _find(name: str, folders: tuple[Path, ...]) -> Path | None:
    stem = name.removesuffix(".lua")
    for folder in dict.fromkeys(folders):
        for candidate in dict.fromkeys((stem, stem.replace(".", "/"))):
            for tail in (".lua", "/init.lua"):
                path = folder / (candidate + tail)
                if path.is_file():
                    return path
    return None
