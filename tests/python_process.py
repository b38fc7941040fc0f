"""New Python processes for tests, without waiting for PyTorch and torch7py to be loaded in each of them.

``run`` does what ``subprocess.run([sys.executable, *arguments])`` does, in a process forked from one that has imported
PyTorch and what every command of torch7py imports; ``start`` returns while it runs. Starting one takes a tenth of a
second instead of two. Tests about what is imported, and one of each kind about the end of a process, start one by
``subprocess``.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import IO

__all__ = ["Running", "run", "server", "start"]

LIBRARIES = [
    "torch",
    "torch._dynamo",
    "torch7py.cli.main",
    "torch7py.bridge.runtime",
    "torch7py.nn.all",
    "torch7py.rnn.all",
]


@cache
def server() -> ForkServerContext:
    """What starts processes that have imported PyTorch and the commands, for ``multiprocessing`` too."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LIBRARIES)
    return context


def run(
    arguments: Sequence[str | Path],
    *,
    cwd: str | Path | None = None,
    env: Mapping[str, str] | None = None,
    input: str = "",
    stdout: str | Path | None = None,
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:
    """Run Python with arguments: ``-m module ...``, ``-c program ...`` or ``file ...``.

    Args:
        cwd: the directory to run in, by default this process's.
        env: all variables of the environment, by default this process's.
        input: what the standard input holds.
        stdout: a file that takes the standard output; by default the result has it.
        timeout: seconds after which the process is killed and ``subprocess.TimeoutExpired`` raised.
    """
    with start(arguments, cwd=cwd, env=env, input=input, stdout=stdout) as running:
        return running.wait(timeout)


@contextmanager
def start(
    arguments: Sequence[str | Path],
    *,
    cwd: str | Path | None = None,
    env: Mapping[str, str] | None = None,
    input: str = "",
    stdout: str | Path | None = None,
) -> Iterator[Running]:
    """Start Python as ``run`` does; the process is killed at the end of the block if it still runs."""
    words = [str(word) for word in arguments]
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("in", "out", "err")]
        Path(paths[0]).write_text(input)
        streams = (paths[0], paths[1] if stdout is None else str(stdout), paths[2])
        environment = dict(os.environ if env is None else env)
        process = server().Process(target=_main, args=(words, str(cwd or os.getcwd()), environment, streams))
        process.start()
        try:
            yield Running(words, process, paths[1:])
        finally:
            if process.is_alive():
                process.kill()
            process.join()
            process.close()


@dataclass
class Running:
    """A process that was started: its arguments, and the files of its standard output and of its errors."""

    words: list[str]
    process: ForkServerProcess
    paths: list[str]

    def wait_for(self, text: str, timeout: float = 60) -> None:
        """Until it has printed a text."""
        end = time.monotonic() + timeout
        while text not in self._printed()[0]:
            assert self.process.is_alive(), self._printed()[1]
            assert time.monotonic() < end, f"it did not print {text!r}"
            time.sleep(0.02)

    def send_signal(self, number: int) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def wait(self, timeout: float) -> subprocess.CompletedProcess[str]:
        self.process.join(timeout)
        if self.process.is_alive():
            raise subprocess.TimeoutExpired(self.words, timeout)
        assert self.process.exitcode is not None
        return subprocess.CompletedProcess(self.words, self.process.exitcode, *self._printed())

    def _printed(self) -> list[str]:
        return [Path(path).read_text() if os.path.exists(path) else "" for path in self.paths]


def _main(words: list[str], cwd: str, environment: dict[str, str], streams: tuple[str, str, str]) -> None:
    for descriptor, (path, flags) in enumerate(
        zip(streams, (os.O_RDONLY, os.O_WRONLY | os.O_CREAT, os.O_WRONLY | os.O_CREAT), strict=True)
    ):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = _text(0, "r"), _text(1, "w"), _text(2, "w")
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    try:
        code = _run_python(words)
    except BaseException as error:  # noqa: BLE001  (an interpreter's last resort: print it and end)
        code = 1
        frames = error.__traceback__
        while frames is not None and frames.tb_frame.f_code.co_filename in (__file__, "<frozen runpy>"):
            frames = frames.tb_next
        sys.excepthook(type(error), error, frames)
    try:
        sys.stdout.flush()
    except OSError:
        code = code or 120  # as Python itself ends where it cannot write the last of its output
    sys.stderr.flush()
    os._exit(code)


def _text(descriptor: int, mode: str) -> IO[str]:
    return open(descriptor, mode, closefd=False, errors="backslashreplace" if descriptor == 2 else None)


def _run_python(words: list[str]) -> int:
    """Run a program as the interpreter would, and return its exit code."""
    try:
        if words[0] == "-m":
            sys.argv = words[1:]
            sys.path.insert(0, os.getcwd())
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        elif words[0] == "-c":
            sys.argv = ["-c", *words[2:]]
            sys.path.insert(0, "")
            module = type(sys)("__main__")
            sys.modules["__main__"] = module
            exec(compile(words[1], "<string>", "exec"), module.__dict__)
        else:
            sys.argv = words
            sys.path.insert(0, os.path.dirname(os.path.abspath(words[0])))
            runpy.run_path(words[0], run_name="__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    return 0
