"""The random numbers that a test draws without a seed: the same in every run, whichever tests ran before it.

Those are PyTorch's generator's, Python's, the C library's (``math.random`` of plain Lua), those of the process's own
generator of ours and, in place of the system's entropy, what new generators of ours are seeded with.
"""

from __future__ import annotations

import ctypes
import os
import random

import torch

__all__ = ["SEED", "same_draws"]

# Another seed, in this variable, is how one finds a test that holds by luck.
SEED = int(os.environ.get("TORCH7PY_TEST_SEED", "0"))
C_LIBRARY = ctypes.CDLL(None)


def same_draws() -> None:
    from torch7py.ops import mersenne, state

    torch.default_generator.manual_seed(SEED)
    random.seed(SEED)
    C_LIBRARY.srand(SEED + 1)
    vars(mersenne)["urandom"] = random.Random(SEED).randbytes
    state.of_process().generator.manual_seed(SEED)
