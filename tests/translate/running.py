"""What a Lua program prints in the runtime, and what its native page prints, letter for letter."""

from __future__ import annotations

import contextlib
import functools
import io
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

import torch

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError
from torch7py.translate import page_library
from torch7py.translate.native.program import Native, translate_script
from torch7py.translate.verify import Different
from torch7py.translate.verify_script import Unforeseen, verify_script

__all__ = ["PRINT", "assert_same", "in_page", "in_runtime", "same_or_error", "whole_library"]

PRINT = r"""
local out = {}
local tostring, select, concat = tostring, select, table.concat
function print(...)
   local parts = {}
   for i = 1, select('#', ...) do parts[i] = tostring((select(i, ...))) end
   out[#out + 1] = concat(parts, "\t")
end
function printed() local text = concat(out, "\n") out = {} return text end
"""


@functools.cache
def _runtime(printing: str) -> Runtime:
    """One for all programs, as they leave nothing behind but what they print."""
    runtime = Runtime(seed=1)
    runtime.execute(printing, "=print")
    return runtime


def in_runtime(source: str, printing: str = PRINT) -> str:
    """What a program prints. ``printing``: Lua that has ``print`` keep its texts, and ``printed`` give them."""
    runtime = _runtime(printing)
    runtime.execute("printed()")
    runtime.execute(source, "@p.lua")
    return str(runtime.execute("return printed()") or "")


@functools.cache
def whole_library() -> ModuleType:
    """The pages' library with all that it has, as the file that pages get."""
    library = ModuleType(page_library.MODULE)
    code = compile(page_library.source(page_library.names()), page_library.FILE, "exec")
    with patch.dict(sys.modules, {page_library.MODULE: library}):  # where a dataclass looks for its module
        exec(code, library.__dict__)
    return library


def in_page(page: Native) -> str:
    written = io.StringIO()
    before, arguments = torch.get_default_dtype(), sys.argv
    sys.modules.setdefault(page_library.MODULE, whole_library())
    sys.argv = ["page.py"]
    try:
        with contextlib.redirect_stdout(written):
            exec(compile(page.code, "page", "exec"), {"__name__": "__main__"})
    finally:
        torch.set_default_dtype(before)
        sys.argv = arguments
    return written.getvalue().removesuffix("\n")


def _unsigned(text: str) -> str:
    return re.sub(r"(?<![\d.e+-])-(?=(nan|0)(?![\d.]))", "", text)


def assert_same(source: str, refused: bool = False) -> Native | None:
    """The page of a program, which prints what the program does; None where it fails in Lua or (``refused``) has codes.

    Not compared: the sign of what is not a number, and of zero.
    """
    try:
        expected = in_runtime(source)
    except LuaError:
        if not refused:
            raise
        return None
    page = translate_script(source.encode(), "p.lua")
    if refused and page.problems:
        return None
    assert [str(problem) for problem in page.problems] == []
    assert _unsigned(in_page(page)) == _unsigned(expected), page.code
    return page


def same_or_error(sources: Iterable[Path], translated: Callable[[bytes, str], Native], folder: Path) -> int:
    """How many of these programs have pages that do the same: an error is allowed, another number never."""
    same, others = 0, list[str]()
    for source in sources:
        path = folder / source.name
        path.write_bytes(source.read_bytes())
        page = translated(path.read_bytes(), path.name)
        if page.problems:
            continue
        try:
            verify_script(page, path)  # which tells single precision apart
            same += 1
        except Unforeseen:  # of files that the program reads
            continue
        except Different as difference:
            others.append(f"{source.name}: {difference}")
    assert [text for text in others if not re.search("the translation (fails: |draws )", text)] == []
    return same
