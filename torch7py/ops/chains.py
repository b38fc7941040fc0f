"""Elementwise results that take several steps, in numpy's loops and without waiting for memory between the steps.

PyTorch has an operation for each step and goes through all elements in each. Here a few hundred elements go through all
steps before the next ones: numpy's loops, which take any number of elements at a time, are called one after the other
from a kernel. A call of such a loop takes some nanoseconds where one of PyTorch's takes a microsecond or more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from torch7py.kernels import kernel
from torch7py.ops import compiled, memory
from torch7py.ops.numpy_loops import has_loops, numpys_loop

__all__ = ["Chain"]

T = torch.Tensor

PIECE = 2048  # bytes of each vector that go through all steps: all that they need stays in the first cache
REALS = {torch.float64: "double", torch.float32: "float"}


class Chain:
    """Steps of names of numpy's functions, the operands of each and where its result goes: ``"add a b sum"``.

    An operand is one of ``vectors``, of which the last takes the result, one of ``numbers``, or else a name for
    what lies between two steps.
    """

    def __init__(self, vectors: str, numbers: str, *steps: str) -> None:
        self._vectors, self._numbers = len(vectors.split()), len(numbers.split())
        self._steps = [step.split() for step in steps]
        names = dict.fromkeys([*vectors.split(), *numbers.split(), *(n for s in self._steps for n in s[1:])])
        self._places = {name: place for place, name in enumerate(names)}
        self._room = (len(names) - self._vectors) * PIECE
        self._compiled: dict[torch.dtype, tuple[Any, Callable[..., None], T]] = {}

    def into(self, out: T | None, *operands: Any) -> T | None:
        """Do the steps for the vectors but the last, and numbers of their type, into a tensor or a new one.

        Returns that, or None where these are not to be done so; then nothing has been done.
        """
        vectors = operands[: self._vectors - 1]
        if not self.suits(vectors, out):
            return None
        if out is None:
            out = torch.empty_like(vectors[0])
        room = torch.empty(self._room, dtype=torch.uint8)
        addresses = [vector.data_ptr() for vector in (*vectors, out)]
        run = self._function(out.dtype)
        run(room.data_ptr(), out.numel(), *addresses, *operands[self._vectors - 1 :])
        return out

    def suits(self, vectors: tuple[T, ...], out: T | None) -> bool:
        """Whether the steps can be done for tensors of a size and may write where the result is to go."""
        first = vectors[0]
        return (
            first.numel() >= memory.LARGE
            and first.dtype in REALS
            and not compiled.is_shared_out(first)
            and compiled.fits(*vectors, *([] if out is None else [out]))
            and (out is None or all(memory.apart(out, vector) for vector in vectors))
            and has_loops()
        )

    def _function(self, dtype: torch.dtype) -> Callable[..., None]:
        """The function for a type of elements, of the compiler that the process has now."""
        make = kernel("steps", REAL=REALS[dtype], PIECE=str(PIECE // dtype.itemsize))
        known = self._compiled.get(dtype)
        if known is None or known[0] is not make:
            lines = []
            for name, *operands in self._steps:
                places = [self._places[operand] for operand in operands]
                lines.append([*numpys_loop(name, dtype), *places, *[-1] * (4 - len(places))])
            plan = torch.tensor(lines, dtype=torch.int64)
            run = make(plan.data_ptr(), len(lines), self._vectors, self._numbers)
            known = self._compiled[dtype] = make, run, plan
        return known[1]
