"""Calls every function, method and layer at random, and says what must never happen.

``python -m tests.fuzz.calls COUNT [FIRST] [JOBS]`` makes calls by so many numbers, one to three each, and lists what
it found: processes that died or took too long, errors that show Python's insides or no place in the program, memory
that no argument asks for.
"""

from __future__ import annotations

import functools
import resource
from collections.abc import Iterator
from pathlib import Path

import torch

from tests.every_class import PACKAGES, PRELUDE, registry, uses
from tests.fuzz.processes import Fault, in_processes, report
from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.ops import types
from torch7py.ops.registry import classes

__all__ = ["make_calls"]

BATCH = 200
HEADROOM = 2 << 30  # bytes for the calls of one process
MORE = "optim image gnuplot graph cutorch tds threads cjson csvigo argcheck torchx moses".split()

# Lua itself writes what processes.py reads of a process: its calls are too many to go through Python.
WATCH = """
local current, found = io.open('current', 'w'), io.open('found', 'a')
found:setvbuf('line')
local function line(text, length) return (text:sub(1, length):gsub('[%c%z]', ' ')) end
local function begin(text)
   current:seek('set')
   current:write(line(text, 2000), '\\n')
   current:flush()
end
local function report(kind, text, message)
   found:write(('%d\\t%s\\t%s\\t%s\\n'):format(number, kind, line(text, 300), line(message, 400)))
end
fuzz_call = loadstring(source, '=calls.lua')(class_names, makers, begin, report)
"""


@functools.cache
def _class_names() -> list[str]:
    tensors = [name for t in types.NUMBER_TYPES for name in (t.tensor, t.storage)]
    return sorted({*tensors, *classes, *registry()})


def _runtime() -> Runtime:
    """With all packages, and what ``WATCH`` makes the calls of."""
    runtime = Runtime(cuda_as="cpu", seed=1)
    for name in (*PACKAGES, *MORE):
        runtime.execute(f"pcall(require, '{name}')")
    runtime.execute(PRELUDE)
    runtime.globals["class_names"] = _class_names()
    runtime.globals["makers"] = [[use.name, use.expr] for use in uses()]
    runtime.globals["source"] = Path(__file__).with_name("calls.lua").read_text()
    runtime.globals["watch"] = WATCH
    return runtime


def make_calls(count: int, first: int = 0, jobs: int = 1) -> Iterator[list[Fault]]:
    """The faults that calls of so many numbers show, some at a time."""
    torch.set_num_threads(1)
    prepared: list[int] = []  # the process that is
    with _runtime() as runtime:

        def attempt(number: int) -> None:
            if not prepared:
                pages = int(Path("/proc/self/statm").read_text().split()[0])
                most = pages * resource.getpagesize() + HEADROOM
                resource.setrlimit(resource.RLIMIT_AS, (most, most))
                runtime.execute("loadstring(watch)()")
                prepared.append(number)
            runtime.globals["number"] = number
            runtime.execute("fuzz_call(number)")

        for faults in in_processes(attempt, count, first, jobs, BATCH):
            yield [fault for fault in faults if not _is_long(fault)]


def _is_long(fault: Fault) -> bool:
    """Whether a call was stopped that takes as many steps as its tensor has places, of which there are 2^40."""
    return fault.kind in ("SIGVTALRM", "SIGALRM") and ":expand 1048576x1048576:" in fault.what


if __name__ == "__main__":
    report(make_calls, BATCH)
