"""Calls every function, method and layer at random, and says what must never happen.

``python -m tests.fuzz.calls COUNT [FIRST] [JOBS]`` makes calls by so many numbers and lists what was found: processes that
died or took too long, errors that show Python's insides or no place in the program, memory that no argument asks for.
"""

from __future__ import annotations

import faulthandler
import functools
import os
import re
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch

from tests.every_class import PACKAGES, PRELUDE, registry, uses
from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.ops import types
from torch7py.ops.registry import classes

__all__ = ["Fault", "make_calls"]

BATCH = 200  # numbers of calls for one process
SECONDS = 15  # for one number
HEADROOM = 2 << 30  # bytes for the calls of one process
MORE = "optim image gnuplot graph cutorch tds threads cjson csvigo argcheck torchx moses".split()

# What a call is and what is wrong with one goes through files, which outlive a process that dies.
WATCH = """
local current, found = io.open('current', 'w'), io.open('found', 'a')
found:setvbuf('line')
local function line(text, length) return (text:sub(1, length):gsub('[%c%z]', ' ')) end
local function begin(text)
   current:seek('set')
   current:write(('%6d %s\\n'):format(number, line(text, 2000)))
   current:flush()
end
local function report(kind, text, message)
   found:write(('%d\\t%s\\t%s\\t%s\\n'):format(number, kind, line(text, 300), line(message, 400)))
end
fuzz_call = loadstring(source, '=calls.lua')(class_names, makers, begin, report)
"""


@dataclass(frozen=True)
class Fault:
    number: int
    kind: str
    call: str
    message: str

    @property
    def group(self) -> tuple[str, str, str]:
        """Faults of one cause mostly have one group."""
        name = re.split(r"\((?!.*\):)", self.call, maxsplit=1)[0]
        name = re.sub(r".*\):(\w+)$", r":\1", name)
        return self.kind, name[-60:], re.sub(r"-?[\d.]+(e[+-]?\d+)?", "N", self.message)[:90]


@functools.cache
def _class_names() -> list[str]:
    tensors = [name for t in types.NUMBER_TYPES for name in (t.tensor, t.storage)]
    return sorted({*tensors, *classes, *registry()})


def _runtime() -> Runtime:
    """With all packages, in the folder in which its calls are to work."""
    runtime = Runtime(cuda_as="cpu", seed=1)
    for name in (*PACKAGES, *MORE):
        runtime.execute(f"pcall(require, '{name}')")
    runtime.execute(PRELUDE)
    runtime.globals["class_names"] = _class_names()
    runtime.globals["makers"] = [[use.name, use.expr] for use in uses()]
    runtime.globals["source"] = Path(__file__).with_name("calls.lua").read_text()
    runtime.globals["watch"] = WATCH
    return runtime


def _calls(runtime: Runtime, first: int, last: int, folder: Path) -> None:
    """In a process of its own: the calls of these numbers."""
    os.chdir(folder)
    silent = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(silent, descriptor)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + HEADROOM
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    faulthandler.enable(open("error", "w"))
    runtime.execute("loadstring(watch)()")
    for number in range(first, last):
        signal.alarm(SECONDS)
        runtime.globals["number"] = number
        runtime.execute("fuzz_call(number)")
        Path("done").write_text(str(number))


def _batch(runtime: Runtime, first: int, last: int) -> list[Fault]:
    faults: list[Fault] = []
    with tempfile.TemporaryDirectory(prefix="torch7py-fuzz-") as made:
        folder = Path(made)
        at = first
        while at < last:
            pid = os.fork()
            if pid == 0:
                code = 1
                try:
                    _calls(runtime, at, last, folder)
                    code = 0
                except BaseException as error:  # whatever it is is a fault; the process must not go on as its parent
                    Path("error").write_text(f"{type(error).__name__}: {str(error)[:300]}")
                finally:
                    os._exit(code)
            _, status = os.waitpid(pid, 0)
            done = folder / "done"
            next_one = int(done.read_text()) + 1 if done.exists() else at
            if status == 0:
                break
            name = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"
            said = folder / "error"
            message = " ".join(said.read_text().split())[:1500] if said.exists() else ""
            said.unlink(missing_ok=True)
            current = folder / "current"
            text = current.read_text(errors="replace").split("\n")[0][7:] if current.exists() else ""
            faults.append(Fault(next_one, name, text, message))
            at = next_one + 1
            done.write_text(str(next_one))
        found = folder / "found"
        if found.exists():
            for line in found.read_text(errors="replace").splitlines():
                number, kind, call, message = line.split("\t", 3)
                faults.append(Fault(int(number), kind, call, message))
    return faults


def make_calls(count: int, first: int = 0, jobs: int = 1) -> Iterator[list[Fault]]:
    """The faults that calls of so many numbers show, a list for each process that made some of them."""
    torch.set_num_threads(1)
    runtime = _runtime()
    starts = range(first, first + count, BATCH)
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda at: _batch(runtime, at, min(at + BATCH, first + count)), starts)


def main() -> None:
    count = int(sys.argv[1])
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    jobs = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    seen: set[tuple[str, str, str]] = set()
    started, total = time.monotonic(), 0
    for number, faults in enumerate(make_calls(count, first, jobs), 1):
        total += len(faults)
        for fault in faults:
            if fault.group not in seen:
                seen.add(fault.group)
                print(f"{fault.number}\t{fault.kind}\t{fault.call}\t{fault.message}", flush=True)
        print(f"# {min(number * BATCH, count)} numbers, {total} faults, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
