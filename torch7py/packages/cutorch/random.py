"""The random stream of the CUDA types.

The original drew on the GPU, from a generator of NVIDIA's (MTGP32) for each device and 64 blocks of threads. Its
numbers are not reproduced here. CUDA tensors draw from a second Mersenne Twister, one for all devices, on a GPU and
on the CPU alike: a program with a seed repeats itself, with other numbers than in its time.
"""

from __future__ import annotations

import torch

from torch7py.ops import state
from torch7py.ops.mersenne import Generator
from torch7py.packages.cutorch.settings import SEED_OFFSET, settings
from torch7py.packages.registry import function

__all__: list[str] = []


def _generator() -> Generator:
    generator = state.current().cuda_generator
    assert generator is not None
    return generator


@function("cutorch.manualSeed")
def manual_seed(seed: float) -> None:
    """``cutorch.manualSeed(seed)``"""
    settings().seed = int(seed)
    _generator().manual_seed(int(seed) + SEED_OFFSET)


@function("cutorch.manualSeedAll")
def manual_seed_all(seed: float) -> None:
    """``cutorch.manualSeedAll(seed)``: the devices share one stream."""
    manual_seed(seed)


@function("cutorch.seed")
def seed() -> int:
    """``cutorch.seed()``: seed from the system's entropy; returns the seed."""
    manual_seed(Generator().initial_seed())
    return settings().seed


@function("cutorch.seedAll")
def seed_all() -> int:
    """``cutorch.seedAll()``"""
    return seed()


@function("cutorch.initialSeed")
def initial_seed() -> int:
    """``cutorch.initialSeed()``: the seed last given."""
    return settings().seed


@function("cutorch.getRNGState")
def get_state() -> torch.Tensor:
    """``cutorch.getRNGState()``: the generator in a ByteTensor."""
    return torch.tensor(list(_generator().get_state()), dtype=torch.uint8)


@function("cutorch.setRNGState")
def set_state(saved: torch.Tensor) -> None:
    """``cutorch.setRNGState(saved)``: go on where the saved generator was."""
    generator = _generator()
    generator.set_state(bytes(saved.cpu().flatten().tolist()))
    settings().seed = generator.initial_seed() - SEED_OFFSET
