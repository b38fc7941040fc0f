"""Vector loops in the processor's own instructions, for what no library computes in one pass.

LuaJIT's compiler uses no vector instructions, and numpy and PyTorch have a loop for each step: several steps are
several passes, and floats are summed in double only after a copy. A *routine* takes some numbers at a time through all
steps and then the next ones. It is written down here, instruction by instruction, for processors with AVX2 under Linux.
Elsewhere, and where the system lends no memory for code, ``routine`` is None and callers go their other way.

The instructions are those of Intel's manual, volume 2, in the encoding that it calls VEX. Single ones round as IEEE 754
has it, so the results are those of the same steps elsewhere, to the last bit.
"""

from __future__ import annotations

import ctypes
import functools
import mmap
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

__all__ = ["BLOCK", "LANES", "Routine", "fold", "routine", "run"]

BLOCK = 64  # bytes of each vector that a routine takes at a time
LANES = 4  # doubles that a fold leaves; it does whole fours only
SUMS = 4  # registers in which it adds up, as an addition may begin before the last one has ended
PAGES = 256  # of memory, for as many routines
WIDTH = 32  # bytes of a register

# Registers by their numbers, in the order in which C hands over arguments: the bytes to do, numbers, four vectors.
RDI, RSI, RDX, RCX, R8, R9 = 7, 6, 2, 1, 8, 9
VECTORS = (RDX, RCX, R8, R9)

# Steps of two operands, by their opcode. Of max and min the second operand counts if one is NaN or both are zeros.
BINARY = {
    "add": 0x58,
    "mul": 0x59,
    "sub": 0x5C,
    "min": 0x5D,
    "div": 0x5E,
    "max": 0x5F,
    "and": 0x54,
    "or": 0x56,
}
TO_WHOLE = {"floor": 0x09, "trunc": 0x0B}  # roundings, by their mode; no exception is noted
FOLDING = {"sum": "add", "product": "mul"}
NAMES = {"multiply": "mul", "subtract": "sub", "divide": "div"}  # numpy's for some of them
KNOWN = frozenset((*BINARY, *TO_WHOLE, *NAMES, "float"))


@dataclass(frozen=True)
class Routine:
    """A function in C: ``f(bytes, numbers, vector, vector, vector, vector)``, where ``bytes`` are of whole blocks."""

    address: int
    call: Any


def routine(dtype: torch.dtype, vectors: str, numbers: str, *steps: str) -> Routine | None:
    """Steps on every element of vectors: an operation, its operands and a name for the result.

    That is the last vector's, or one for what lies between two steps.

    The vectors but the last are read. ``numbers`` are in memory side by side, in the elements' type.
    """
    return _routine(dtype, vectors, numbers, steps, "")


def fold(dtype: torch.dtype, vectors: str, numbers: str, *steps: str) -> Routine | None:
    """The same in double, whatever the type, of which the last step, ``sum`` or ``product``, makes one number.

    ``numbers`` are doubles, the last of them what it begins with; the result is the sum, or product, of the four behind
    them.
    """
    return _routine(dtype, vectors, numbers, steps[:-1], steps[-1])


def run(routine: Routine, vectors: list[torch.Tensor], numbers: Sequence[float]) -> None:
    """A routine on contiguous vectors of as many elements and their numbers."""
    size = vectors[0].element_size()
    count = vectors[0].numel() * size
    whole = count // BLOCK * BLOCK
    element: Any = ctypes.c_double if size == 8 else ctypes.c_float
    values = (element * max(1, len(numbers)))(*numbers)
    addresses = [vector.data_ptr() for vector in vectors]
    unused = [0] * (len(VECTORS) - len(addresses))
    if whole:
        routine.call(whole, ctypes.addressof(values), *addresses, *unused)
    rest = count - whole
    if rest:  # in a block of each vector's own
        room = (ctypes.c_char * (BLOCK * len(addresses)))()
        places = [ctypes.addressof(room) + BLOCK * k for k in range(len(addresses))]
        for place, address in zip(places[:-1], addresses, strict=False):
            ctypes.memmove(place, address + whole, rest)
        routine.call(BLOCK, ctypes.addressof(values), *places, *unused)
        ctypes.memmove(addresses[-1] + whole, places[-1], rest)


@functools.cache
def _routine(
    dtype: torch.dtype, vectors: str, numbers: str, steps: tuple[str, ...], folding: str
) -> Routine | None:
    memory = _room()
    if memory is None or dtype not in (torch.float64, torch.float32):
        return None
    if any(step.split()[0] not in KNOWN for step in steps):
        return None
    return memory.add(_Writer(dtype, vectors.split(), numbers.split(), steps, folding).code)


class _Writer:
    """The instructions of one routine, in ``code``."""

    def __init__(
        self, dtype: torch.dtype, vectors: list[str], numbers: list[str], steps: tuple[str, ...], folding: str
    ) -> None:
        self.code = bytearray()
        self._double = 1 if dtype == torch.float64 or folding else 0
        self._registers: dict[str, int] = {}
        reads = vectors if folding else vectors[:-1]
        width = WIDTH // 2 if folding and dtype == torch.float32 else WIDTH
        size = 8 if self._double else 4
        for place, name in enumerate(numbers):
            self._broadcast(self._new(name), RSI, size * place)
        behind = size * len(numbers)
        sums = [self._new(f"sum{k}") for k in range(SUMS)] if folding else []
        for register in sums:  # broadcast again: a move would do
            self._broadcast(register, RSI, behind - size)
        known = dict(self._registers)

        def take(copies: int) -> None:
            """As many registers' worth of each vector."""
            for copy in range(copies):
                self._registers = dict(known)
                for vector, name in enumerate(reads):
                    self._load(self._new(name), VECTORS[vector], width * copy, width)
                for step in steps:
                    self._step(*step.split())
                if folding:
                    name, operand = folding.split()
                    total = sums[copy % SUMS]
                    self._step_on(FOLDING[name], total, total, self._registers[operand])
                else:
                    self._move(0x11, self._registers[vectors[-1]], VECTORS[len(reads)], width * copy, True)
            self.code += b"\x48\x05" + (width * copies).to_bytes(4, "little")  # add rax, ...

        self.code += b"\x31\xc0"  # xor eax, eax
        self.code += b"\x49\x89\xfa\x49\x83\xe2" + bytes((256 - BLOCK,))  # mov r10, rdi; and r10, -BLOCK
        self._while_below(b"\x4c\x39\xd0", lambda: take(BLOCK // width))  # cmp rax, r10
        self._while_below(b"\x48\x39\xf8", lambda: take(1))  # cmp rax, rdi
        for register in sums[1:]:
            self._step_on(FOLDING[folding.split()[0]], sums[0], sums[0], register)
        if folding:
            self._move(0x11, sums[0], RSI, behind)
        self.code += b"\xc5\xf8\x77\xc3"  # vzeroupper; ret

    def _while_below(self, comparison: bytes, write: Callable[[], None]) -> None:
        """A loop as long as rax is below what a comparison says."""
        self.code += comparison + b"\x0f\x83" + bytes(4)  # jae, behind the loop
        top = len(self.code)
        write()
        self.code += comparison
        back = top - (len(self.code) + 6)
        self.code += b"\x0f\x82" + back.to_bytes(4, "little", signed=True)  # jb top
        self.code[top - 4 : top] = (len(self.code) - top).to_bytes(4, "little")

    def _new(self, name: str) -> int:
        if name not in self._registers:
            self._registers[name] = len(self._registers)
            if len(self._registers) > 16:
                raise ValueError("a routine has 16 registers")
        return self._registers[name]

    def _step(self, name: str, *operands: str) -> None:
        *sources, target = operands
        found = [self._registers[source] for source in sources]
        self._step_on(NAMES.get(name, name), self._new(target), *found)

    def _step_on(self, name: str, target: int, first: int, second: int = 0) -> None:
        if name == "float":  # vcvtpd2ps, then vcvtps2pd: doubles rounded to floats
            self._vex(1, 1, 0x5A, target, 0, first)
            self._vex(0, 1, 0x5A, target, 0, target)
        elif name in TO_WHOLE:  # vroundps or vroundpd
            self._vex(1, 3, 8 + self._double, target, 0, first)
            self.code.append(TO_WHOLE[name])
        else:
            self._vex(self._double, 1, BINARY[name], target, first, second)

    def _broadcast(self, target: int, base: int, offset: int) -> None:
        self._vex(1, 2, 0x18 + self._double, target, 0, base, offset)

    def _load(self, target: int, base: int, offset: int, width: int) -> None:
        if width < WIDTH:  # vcvtps2pd: floats as doubles
            self._vex(0, 1, 0x5A, target, 0, base, offset, True)
        else:
            self._move(0x10, target, base, offset, True)

    def _move(self, opcode: int, register: int, base: int, offset: int, indexed: bool = False) -> None:
        self._vex(self._double, 1, opcode, register, 0, base, offset, indexed)

    def _vex(
        self,
        prefix: int,
        table: int,
        opcode: int,
        register: int,
        second: int,
        other: int,
        offset: int | None = None,
        indexed: bool = False,
    ) -> None:
        """An instruction on 32 bytes: ``other`` is a register, or with an offset a place in memory, to which rax may
        be added.
        """
        self.code += bytes(
            (
                0xC4,
                (register < 8) << 7 | 1 << 6 | (other < 8) << 5 | table,
                (15 - second) << 3 | 1 << 2 | prefix,
                opcode,
            )
        )
        if offset is None:
            self.code.append(0xC0 | (register & 7) << 3 | other & 7)
            return
        index = 0 if indexed else 4  # rax, or none
        self.code += bytes((0x84 | (register & 7) << 3, index << 3 | other & 7))
        self.code += offset.to_bytes(4, "little")


class _Room:
    """Memory for code: a page for each routine, which is first written to and from then on only run."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, PAGES * mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self._address = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        self._used = 0
        self._protect = ctypes.CDLL(None, use_errno=True).mprotect
        self._protect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        self.add(bytearray(b"\xc3"))  # ret: whether code may be run at all

    def add(self, code: bytearray) -> Routine:
        start = self._used
        if start + mmap.PAGESIZE > len(self._memory) or len(code) > mmap.PAGESIZE:
            raise MemoryError("too much code")
        self._used += mmap.PAGESIZE
        self._memory[start : start + len(code)] = bytes(code)
        address = self._address + start
        if self._protect(address, mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_EXEC):
            raise OSError(ctypes.get_errno(), "no memory for code")
        return Routine(address, PROTOTYPE(address))


PROTOTYPE = ctypes.CFUNCTYPE(None, ctypes.c_size_t, *(ctypes.c_void_p,) * 5)


@functools.cache
def _room() -> _Room | None:
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return None
    if torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"):
        return None
    try:
        return _Room()
    except OSError:
        return None
