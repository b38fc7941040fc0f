"""Torch7's random generator: one Mersenne Twister, word for word, with the original's saved form.

Every random function of Torch7 draws 32-bit words from one stream, one after the other, so a program's
numbers are right only if no function takes a word more or less than the original did. This file has the
stream; ``ops/random`` turns its words into numbers.

The words come from numpy's MT19937, whose stream numpy guarantees. Single words are served from a *stack* of
words drawn ahead, which never crosses the end of the twister's block of 624 words. That keeps the saved form
simple: the block is the same, and the position in it is the engine's less the height of the stack.
"""

from __future__ import annotations

import struct
from os import urandom

import numpy as np
from numpy.typing import NDArray

from torch7py.ops.errors import ArgumentError

__all__ = ["STATE_SIZE", "Generator", "to_long"]

Words = NDArray[np.uint64]

BLOCK = 624
# Initial seed, words left, seeded, next word; the block, a word in 8 bytes; then the normal pair's x, y and
# rho, and whether its second half is still to come. This is the memory of a 64-bit build of Torch7.
HEADER = struct.Struct("<QiiQ")
NORMAL = struct.Struct("<dddi4x")
STATE_SIZE = HEADER.size + 8 * BLOCK + NORMAL.size


def to_long(number: float) -> int:
    """A Lua number as C's ``long`` on x86-64: cut towards 0; what does not fit, and nan, is the smallest."""
    if number != number or number in (float("inf"), float("-inf")):
        return -(2**63)
    whole = int(number)
    return whole if -(2**63) <= whole < 2**63 else -(2**63)


class Generator:
    """A stream of random words: ``torch.Generator()`` in Lua.

    A new one is seeded from the system's entropy, as in the original. Not for use by two threads at once.

    Besides the stream it holds the *normal pair*: normal numbers are drawn in pairs, and ``pair_pending`` says
    that the second one of (x, y, rho) in ``pair`` has not been returned yet.
    """

    __slots__ = ("_ahead", "_engine", "_position", "_random_state", "_seed", "_stack", "pair", "pair_pending")

    def __init__(self) -> None:
        self._engine = np.random.MT19937(0)
        self._random_state = np.random.RandomState(self._engine)
        self.seed()

    def manual_seed(self, seed: float) -> None:
        """Start the stream that belongs to a seed and forget a pending normal number.

        ``torch.manualSeed([gen,] seed)``. The seed is cut to a C long; its lower 32 bits choose the stream.
        """
        self._seed = to_long(seed)
        # RandomState knows the initialisation of 2002 that Torch7 uses; MT19937(seed) has another.
        self._random_state.seed(self._seed & 0xFFFFFFFF)
        self._start(0)
        self.pair = (0.0, 0.0, 0.0)
        self.pair_pending = False

    def seed(self) -> int:
        """Seed from the system's entropy and return the seed (``torch.seed([gen])``).

        The original took 64 bits, which a Lua number cannot hold, so that seeding again with what it returned
        gave another stream. This takes 53.
        """
        seed = int.from_bytes(urandom(8), "little") >> 11
        self.manual_seed(seed)
        return seed

    def initial_seed(self) -> int:
        """The last seed, as a C long (``torch.initialSeed([gen])``)."""
        return self._seed

    def _start(self, position: int) -> None:
        # The engine's position in its block, 1 to 624; 0 after seeding, when the block was not yet twisted.
        self._position = position
        self._ahead: Words = np.empty(0, np.uint64)
        # The words of _ahead that have not been returned yet, the next one on top.
        self._stack: list[int] = []

    def _draw(self, n: int) -> Words:
        self._position = (self._position + n - 1) % BLOCK + 1
        return self._engine.random_raw(n)

    def _refill(self) -> None:
        # To the end of the block and no further; a word must be taken at once, see get_state.
        self._ahead = self._draw(BLOCK - self._position % BLOCK)
        self._stack = self._ahead[::-1].tolist()

    def word(self) -> int:
        """The next word, 0 to 2^32 - 1."""
        try:
            return self._stack.pop()
        except IndexError:
            self._refill()
            return self._stack.pop()

    def words(self, n: int) -> Words:
        """The next n words. The caller may change the array."""
        held = min(n, len(self._stack))
        if not held:
            return self._draw(n) if n else np.empty(0, np.uint64)
        start = len(self._ahead) - len(self._stack)
        del self._stack[-held:]
        first = self._ahead[start : start + held]
        return np.concatenate((first, self._draw(n - held))) if n > held else first.copy()

    def get_state(self) -> bytes:
        """The generator in 5048 bytes, byte for byte what ``torch.getRNGState([gen])`` holds."""
        # Never 0 once words were drawn: a refill is always followed by a draw from it.
        position = self._position - len(self._stack)
        block = self._engine.state["state"]["key"]
        left = BLOCK + 1 - position if position else 1
        return b"".join(
            (
                HEADER.pack(self._seed % 2**64, left, 1, position),
                block.astype("<u8").tobytes(),
                NORMAL.pack(*self.pair, self.pair_pending),
            )
        )

    def set_state(self, state: bytes) -> None:
        """Restore the state that ``get_state`` returned (``torch.setRNGState([gen,] state)``).

        Raises:
            ArgumentError: not 5048 bytes, or not a state that a generator can be in.
        """
        if len(state) != STATE_SIZE:
            raise ArgumentError(f"RNG state is wrong size: {len(state)} bytes, expected {STATE_SIZE}")
        seed, left, seeded, position = HEADER.unpack_from(state)
        block = np.frombuffer(state, "<u8", BLOCK, HEADER.size)
        *pair, pending = NORMAL.unpack_from(state, STATE_SIZE - NORMAL.size)
        expected_left = BLOCK + 1 - position if position else 1
        if seeded != 1 or position > BLOCK or left != expected_left or (block >= 2**32).any():
            raise ArgumentError("invalid RNG state")
        self._engine.state = {
            "bit_generator": "MT19937",
            "state": {"key": block.astype(np.uint32), "pos": position or BLOCK},
        }
        self._start(position)
        self._seed = seed - 2**64 if seed >= 2**63 else seed
        self.pair = (pair[0], pair[1], pair[2])
        self.pair_pending = pending != 0

    def copy(self) -> Generator:
        """An independent generator that continues with the same words."""
        twin = Generator()
        twin.set_state(self.get_state())
        return twin
