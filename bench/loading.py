"""Reading large .t7 files: time and memory for a model of 1 GB, and the outline of a file of 2 GB."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch

import torch7py
from bench.measure import Result, Target, alternate
from torch7py import nn
from torch7py.t7.outline import outline

__all__ = ["results"]

LAYERS = 32

# Prints how many kilobytes more a process has needed at most after reading a file than after reading a small one.
MEMORY = """
import sys, torch, torch7py
def most():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
torch7py.load(sys.argv[1])
before = most()
model = torch7py.load(sys.argv[2], mmap=sys.argv[3] == "mapped")
for parameter in model.parameters():
    parameter.detach().view(torch.int32).max()
print(most() - before)
"""


def model(megabytes: int) -> nn.Sequential:
    """Layers of floats of this size together; a file has them at any offset, as they come."""
    rows = megabytes * 1_000_000 // (4 * LAYERS * 1000)
    made = nn.Sequential(*(nn.Linear(1000, rows) for _ in range(LAYERS))).float()
    for layer in made.child_list():
        layer.set_field("gradWeight", None)  # the weights alone: what the size is of
        layer.set_field("gradBias", None)
    return made


def read(path: Path, mapped: bool) -> None:
    """Load a model and have every number of it read once."""
    for parameter in torch7py.load(path, mmap=mapped).parameters():
        parameter.detach().view(torch.int32).max()


def by_numpy(path: Path) -> None:
    """The same bytes as one array, every number read once."""
    found = np.fromfile(path, np.uint8)
    torch.from_numpy(found[: len(found) // 4 * 4].view(np.int32)).max()


def memory(small: Path, large: Path, how: str) -> float:
    """Gigabytes; where the system says how many (Linux)."""
    command = [sys.executable, "-c", MEMORY, str(small), str(large), how]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout) * 1024 / 1e9


def sparse(path: Path, count: int) -> None:
    """A table of a FloatTensor of so many numbers, of which the file system stores nothing."""
    torch7py.save({"w": torch.ones(1)}, path)
    data = path.read_bytes()
    one, end = (1).to_bytes(8, "little"), len(data) - 4
    at = data.rindex(one)  # the number of elements, before the element
    sizes = data.index(b"torch.FloatTensor") + len("torch.FloatTensor") + 4
    wanted = count.to_bytes(8, "little")
    assert data[sizes : sizes + 8] == one
    assert at == end - 8
    with open(path, "wb") as file:
        file.write(data[:sizes] + wanted + data[sizes + 8 : at] + wanted)
        file.truncate(at + 8 + 4 * count)


def results(quick: bool) -> Iterator[Result]:
    size, rounds = (8, 1) if quick else (1000, 5)
    with tempfile.TemporaryDirectory() as folder:
        large, small, big = (Path(folder) / name for name in ("large.t7", "small.t7", "big.t7"))
        torch7py.save(model(size), large)
        torch7py.save(model(1), small)
        numbers = large.stat().st_size / 1e9
        for how in ("mapped", "copied"):
            ours, plain = alternate(partial(read, large, how == "mapped"), partial(by_numpy, large), rounds)
            yield Result("loading", f"load 1 GB, {how} (np.fromfile)", "s", ours, plain, Target(1.3))
            if Path("/proc/self/status").exists():
                needed = memory(small, large, how)
                yield Result("loading", f"memory, {how} (its size)", "GB", needed, numbers, Target(1.1))
        sparse(big, size * 500_000)
        ours, _ = alternate(lambda: outline(big), lambda: None, rounds)
        yield Result("loading", "inspect 2 GB", "s", ours, None, Target(0.1, "figure"))
