"""A process that works on one file after the other, and is ended where one takes too long or breaks it."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from torch7py.ops.errors import TorchError

if TYPE_CHECKING:
    from torch7py.translate.side_by_side import Subject

__all__ = ["Answer", "OneFile", "Order", "Worker"]


@dataclass(frozen=True)
class Order:
    """A file to translate, where its page goes, where to run it, and the arguments and options of ``to_pytorch``.

    ``beside``: whether the program beside its page is asked for.
    """

    source: Path
    page: Path
    folder: Path
    arguments: tuple[str, ...]
    options: dict[str, Any]
    beside: bool = False


@dataclass
class Answer:
    """The report as for JSON, or why there is none, and how many pages of a program there are."""

    report: dict[str, Any] = field(default_factory=dict)
    failure: str = ""
    pages: int = 0
    subject: Subject | None = None


class OneFile(Protocol):
    """What a worker is asked for."""

    @property
    def source(self) -> Path:
        """The file that is to be worked on."""


class Worker:
    """The process, which is started when it is first asked, and again after it was ended.

    ``work`` is what it does: it says by None that it is ready, and answers each order that comes. By default it
    translates.
    """

    def __init__(self, work: Callable[[Connection], None] | None = None) -> None:
        self._work = work or _work
        self._process: Any = None
        self._connection: Any = None
        self._over = False

    def ask(self, order: OneFile, limit: float | None) -> Answer | None:
        """Have a file worked on; None if that takes longer than ``limit`` seconds."""
        try:
            if self._process is None:
                self._start()
            self._connection.send(order)
            if not self._connection.poll(limit):
                self._kill()
                return None
            answer: Answer = self._connection.recv()
            return answer
        except (EOFError, OSError):
            self._kill()
            return Answer(failure=f"{order.source}: the process that worked on it ended")

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=self._work, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        if self._over:
            self._kill()
        self._connection.recv()  # it is ready

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._connection.close()
            self._process = None

    def end(self) -> None:
        """End the process, whatever it does."""
        self._over = True
        self._kill()


def _work(connection: Connection) -> None:
    from torch7py.translate.api import to_pytorch
    from torch7py.translate.checked_code import ForeignCode
    from torch7py.translate.layers.registry import NotNative
    from torch7py.translate.page_library import MODULE
    from torch7py.translate.parse import LuaSyntaxError
    from torch7py.translate.side_by_side import subject_of

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process hears it, and ends this one
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):  # whatever a program reads or says by itself is nobody's
        os.dup2(nothing, number)
    connection.send(None)
    while True:
        try:
            order: Order = connection.recv()
        except EOFError:
            return
        os.chdir(order.folder)
        try:
            translation = to_pytorch(order.source, order.arguments, **order.options)
            translation.write(order.page, force=True)
            answer = Answer(
                translation.report.as_json(), pages=1 + len({*translation.modules} - {f"{MODULE}.py"})
            )
            if order.beside:
                answer.subject = subject_of(translation, order.source, order.page, order.arguments)
        except (LuaSyntaxError, ForeignCode) as error:
            answer = Answer(failure=str(error))
        except (NotNative, TorchError) as error:
            said = str(error).removeprefix(f"{order.source.name}: ")
            answer = Answer(failure=said if said.startswith(str(order.source)) else f"{order.source}: {said}")
        except OSError as error:
            answer = Answer(failure=f"{error.filename or order.page}: {error.strerror}")
        except Exception as error:  # noqa: BLE001 (the others are to be translated all the same)
            answer = Answer(
                failure=f"{order.source}: an error in torch7py itself: {type(error).__name__}: {error}"
            )
        connection.send(answer)
