"""The settings of cutorch in one program."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.ops.mersenne import Generator
from torch7py.packages.registry import on_require

__all__ = ["SEED_OFFSET", "Settings", "check_device", "device_count", "gpu", "settings"]

# The two streams of a program with one seed for both must not be the same numbers.
SEED_OFFSET = 0x9E3779B9


@dataclass
class Settings:
    """``streams`` and ``blas_handles``: how many the program reserved; ``stream``, ``blas_handle``: the current.

    ``device`` is the current one where the CPU stands in, for whichever the program names.
    """

    seed: int
    device: int = 1
    streams: int = 0
    stream: int = 0
    blas_handles: int = 1
    blas_handle: int = 1
    kernel_peer_access: bool = False


@on_require("cutorch")
def start() -> None:
    """CUDA types exist from now on. Their random stream starts from the seed of torch's."""
    current = state.current()
    if current.gpu is None:
        raise TorchError(
            "this program asks for a GPU (cutorch): run it with --device cuda, "
            "or with --cuda-as cpu to compute on the CPU"
        )
    if "cutorch" not in current.packages:
        seed = current.generator.initial_seed()
        current.packages["cutorch"] = Settings(seed)
        current.cuda_generator = Generator()
        current.cuda_generator.manual_seed(seed + SEED_OFFSET)


def settings() -> Settings:
    present: Settings = state.current().packages["cutorch"]
    return present


def gpu() -> torch.device | None:
    """The GPU that the program computes on; None where the CPU stands in for it."""
    device = state.current().gpu
    return device if device is not None and device.type == "cuda" else None


def device_count() -> int:
    """How many devices a program finds: a process each, where several run it."""
    current = state.current()
    if current.group is not None:
        return current.group.size
    return torch.cuda.device_count() if gpu() is not None else 1


def check_device(device: float, label: str, divides: bool = False) -> int:
    """The number of a device, which counts from 1; ``divides``: processes may be there in the place of devices."""
    count = device_count()
    if gpu() is None and count == 1 and device == settings().device:
        return int(device)
    if not 1 <= device <= count or int(device) != device:
        more = f" (run --nproc {device:g} has as many)" if divides and device > count else ""
        raise TorchError(f"{label}: there is no device {device:g} here, only {count}{more}")
    return int(device)
