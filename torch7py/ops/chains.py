"""Elementwise results that take several steps, without waiting for memory between the steps.

Where there is a routine for them (``machine.py``) each element goes through all steps at once. Elsewhere numpy's loops
are called, one after the other, for a few hundred elements.

PyTorch has an operation for each step and goes through all elements in each. Here a few hundred elements go through all
steps before the next ones: numpy's loops, which take any number of elements at a time, are called one after the other
from a kernel. A call of such a loop takes some nanoseconds where one of PyTorch's takes a microsecond or more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from torch7py.kernels import kernel
from torch7py.ops import compiled, machine, memory
from torch7py.ops.numpy_loops import has_loops, numpys_loop

__all__ = ["Chain", "shortcut", "shortcuts"]

T = torch.Tensor
Constants = Callable[[torch.dtype], tuple[float, ...]]

PIECE = 2048  # bytes of each vector that go through all steps: all that they need stays in the first cache
REALS = {torch.float64: "double", torch.float32: "float"}


class Chain:
    """Steps of names of numpy's functions, the operands of each and where its result goes: ``"add a b sum"``.

    One that has names which only routines know is done by these or not at all.

    An operand is one of ``vectors``, of which the last takes the result, one of ``numbers``, or else a name for
    what lies between two steps.
    """

    def __init__(self, vectors: str, numbers: str, *steps: str) -> None:
        self._text = vectors, numbers, *steps
        self._vectors, self._numbers = len(vectors.split()), len(numbers.split())
        self._steps = [step.split() for step in steps]
        self._numpys = all(isinstance(getattr(np, step[0], None), np.ufunc) for step in self._steps)
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
        routine = self.routine(out.dtype)
        if routine is not None:
            machine.run(routine, [*vectors, out], operands[self._vectors - 1 :])
            return out
        room = torch.empty(self._room, dtype=torch.uint8)
        addresses = [vector.data_ptr() for vector in (*vectors, out)]
        run = self._function(out.dtype)
        run(room.data_ptr(), out.numel(), *addresses, *operands[self._vectors - 1 :])
        return out

    def routine(self, dtype: torch.dtype) -> machine.Routine | None:
        """The routine for these steps and a type of elements, if there can be one."""
        return machine.routine(dtype, *self._text)

    def suits(self, vectors: tuple[T, ...], out: T | None) -> bool:
        """Whether the steps can be done for tensors of a size and may write where the result is to go."""
        first = vectors[0]
        return (
            first.numel() >= memory.LARGE
            and first.dtype in REALS
            and not compiled.is_shared_out(first)
            and compiled.fits(*vectors, *([] if out is None else [out]))
            and (out is None or all(memory.apart(out, vector) for vector in vectors))
            and (self.routine(first.dtype) is not None or (self._numpys and has_loops()))
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


# (operation, what its operands are besides the first tensor) -> its steps, and the numbers behind the call's own
shortcuts: dict[tuple[str, str], tuple[Chain, Constants]] = {}


def shortcut(operation: str, operands: str, chain: Chain, constants: Constants = lambda dtype: ()) -> None:
    """Say that an elementwise operation's floating numbers take these steps, for callers that reach memory themselves.

    ``operands`` has a letter for each operand besides the first tensor: ``n``, a number, or ``t``, a tensor. Of two
    numbers the first is not above the second. The chain's vectors are the first tensor, the others and the result.
    """
    shortcuts[operation, operands] = chain, constants
