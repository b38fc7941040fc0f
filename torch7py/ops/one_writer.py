"""Which process acts where several run one program: the one place that decides it.

The first process of a group alone changes the world outside: it writes files and starts commands, for all. Where the
program does such a thing the processes meet, before and after it, so that each of them sees the files of the same
moment. A process without a group acts for itself: the functions here then do what their argument does.
"""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

from torch7py.ops import state

__all__ = ["agreed", "by_one", "open_for_writing", "path_for_writing", "written"]

P = ParamSpec("P")
T = TypeVar("T")


def agreed(what: str, value: T) -> T:
    """The first process's value of something that is not the same in all of them: a time, a seed, a name."""
    group = state.current().group
    if group is None:
        return value
    answer: T = group.agree(what, value)
    return answer


def by_one(function: Callable[P, T]) -> Callable[P, T]:
    """Let a function that changes files be called in one process only; the others get its result, or its error."""

    @functools.wraps(function)
    def calls(*arguments: P.args, **options: P.kwargs) -> T:
        group = state.current().group
        if group is None:
            return function(*arguments, **options)
        name = function.__qualname__
        group.agree(f"a call of {name}")
        outcome: tuple[Any, BaseException | None] = None, None
        if group.acts:
            current = state.current()
            current.group = None  # what the function calls is not for the others to call
            try:
                outcome = function(*arguments, **options), None
            except Exception as error:  # noqa: BLE001  (it is raised again, in every process)
                outcome = None, error
            finally:
                current.group = group
        value, failed = group.agree(f"the result of {name}", outcome)
        if failed is not None:
            raise failed
        result: T = value
        return result

    return calls


def open_for_writing(name: str, open_file: Callable[[str], T], keeps: bool = False) -> T:
    """Open a file to write it. A process that does not act gets a file of its own, which nobody sees.

    ``keeps``: what is in the file stays, so that the other file begins with it too.
    """
    group = state.current().group
    if group is None:
        return open_file(name)
    path = path_for_writing(name, keeps)
    opened: T | None = None
    failed: OSError | None = None
    if group.acts:
        try:
            opened = open_file(name)
        except OSError as error:
            failed = error
    failed = group.agree(f"opening {os.path.basename(name)}", failed)
    if failed is not None:
        raise failed
    if opened is None:
        try:
            opened = open_file(path)
        finally:
            with suppress(OSError):
                os.unlink(path)
    return opened


def path_for_writing(name: str, keeps: bool) -> str:
    """The path that this process opens for a file to write: ``name``, or that of a file of its own.

    A file of its own, which is there only where it begins with what is in ``name``, is removed by the caller.
    """
    group = state.current().group
    if group is None:
        return name
    path = name
    if not group.acts:
        number, path = tempfile.mkstemp(prefix="torch7py-")
        os.close(number)
        if keeps and os.path.isfile(name):
            shutil.copyfile(name, path)
        else:
            os.unlink(path)
    group.agree(f"a file to write, {os.path.basename(name)}")
    return path


def written(name: str) -> None:
    """A file that was opened for writing has been closed: from here on every process sees it."""
    group = state.current().group
    if group is not None:
        group.agree(f"the end of {os.path.basename(name)}")
