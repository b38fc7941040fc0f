"""Where the benchmarks compute: on the CPU, or with ``--device cuda`` on a GPU, both the program and its port."""

from __future__ import annotations

import time
from typing import Any

import torch

from bench.measure import Target
from torch7py.bridge.runtime import Runtime

__all__ = ["clock", "compute_on", "graphed", "new_runtime", "on_gpu", "target", "tolerance"]

_device = ["cpu"]
LOOSER = 1e4  # on a GPU the two add up in other orders


def compute_on(device: str) -> None:
    _device[0] = device


def on_gpu() -> bool:
    return _device[0] != "cpu"


def new_runtime(**options: Any) -> Runtime:
    """A runtime there. What its program makes lies there, and a port that is made of it too."""
    return Runtime(device=_device[0], **options)


def clock() -> float:
    """The processor's time, which neighbours do not take; of what a GPU does there is only the time that passes."""
    return time.perf_counter() if on_gpu() else time.process_time()


def target(limit: float) -> Target | None:
    """A target, which was set for the CPU."""
    return None if on_gpu() else Target(limit)


def tolerance(relative: float) -> float:
    """How far apart the losses of the two may lie."""
    return relative * LOOSER if on_gpu() else relative


def graphed(model: torch.nn.Module, *inputs: torch.Tensor) -> Any:
    """A model of a port whose forward and backward are CUDA graphs, for inputs of these sizes."""
    return torch.cuda.make_graphed_callables(model, inputs)
