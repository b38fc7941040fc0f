"""Runs a page beside its program, with one seed for both, and compares what they print, byte for byte."""

from __future__ import annotations

import contextlib
import io
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from torch7py import lua_compat
from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime
from torch7py.lua_compat import modules
from torch7py.translate.checked_code import run_page as run_code
from torch7py.translate.faithful.page import Page
from torch7py.translate.verify import Different

__all__ = ["verify_faithful"]

SEED = 1


def verify_faithful(page: Page, path: Path, arguments: Sequence[str] = ()) -> int:
    """How many lines both print. Raises Different where the page prints another one, or ends otherwise."""
    failure: str | None = None
    with _printing() as printed, Runtime(seed=SEED, rnn_api=page.rnn_api) as runtime:
        try:
            code = runtime.run(path, arguments)
        except LuaError as error:
            code, failure = 1, error.message
        expected = printed().split("\n")
    found = run_page(page, path, arguments)
    for number, (a, b) in enumerate(itertools.zip_longest(expected, found.output.split("\n")), 1):
        if a != b:
            raise Different(f"line {number} of the output is {_shown(b)}, the original has {_shown(a)}")
    if failure is not None and found.failure is None:
        raise Different(f"the original fails: {failure}")
    if found.failure is not None and found.failure != failure:
        raise Different(
            f"the page fails: {found.failure}" + (f", the original: {failure}" if failure else "")
        )
    if code != found.code:
        raise Different(f"the page ended with exit code {found.code}, the original with {code}")
    return len(expected) - 1


class Ended:
    """How a page ended: what it printed (a character a byte), its exit code, the message of its error."""

    def __init__(self, output: str, code: int, failure: str | None) -> None:
        self.output = output
        self.code = code
        self.failure = failure


def run_page(page: Page, path: Path, arguments: Sequence[str] = ()) -> Ended:
    """Run a page in this process as one of its own would."""
    names: dict[str, Any] = {"__name__": "page"}
    lua_compat.reset()
    try:
        run_code(page.text, f"<{path.with_suffix('.py')}>", names)
        modules.begin(str(path), arguments, page.rnn_api, SEED)
        modules.search_in(modules.directory(str(path)))
        with _printing() as printed:
            code, failure = modules.run(names["chunk"])
            output = printed()
    finally:
        lua_compat.reset()
    return Ended(output, code, failure)


@contextlib.contextmanager
def _printing() -> Iterator[Callable[[], str]]:
    """Let a function give what Lua and Python print meanwhile, a character for each byte."""
    written = io.BytesIO()
    text = io.TextIOWrapper(written, "utf-8", "surrogateescape", newline="\n")

    def printed() -> str:
        text.flush()
        return written.getvalue().decode("latin1")

    with contextlib.redirect_stdout(text):
        yield printed


def _shown(line: str | None) -> str:
    return "missing" if line is None else repr(line)
