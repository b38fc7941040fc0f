"""The devices of cutorch: their number, the current one, their properties."""

from __future__ import annotations

import os
import platform
from typing import Any

import torch

from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.packages.cutorch.settings import check_device, device_count, gpu, settings
from torch7py.packages.registry import function

__all__: list[str] = []


@function("cutorch.getDeviceCount")
def get_device_count() -> int:
    """``cutorch.getDeviceCount()``: 1 where the CPU stands in; one for each process where several run the program."""
    return device_count()


@function("cutorch.getDevice")
def current_device() -> int:
    """``cutorch.getDevice()``: the current device, counted from 1."""
    device = gpu()
    if device is None or state.current().group is not None:
        return settings().device
    return 1 + (torch.cuda.current_device() if device.index is None else device.index)


@function("cutorch.setDevice")
def set_device(device: float) -> None:
    """``cutorch.setDevice(n)``: new tensors go to this device. The CPU stands in for any that a program names."""
    if gpu() is None:
        if device < 1 or int(device) != device:
            raise TorchError(f"cutorch.setDevice: devices count from 1, {device:g} is none")
        settings().device = int(device)
        return
    number = check_device(device, "cutorch.setDevice")
    if state.current().group is not None:  # this process computes on its own
        settings().device = number
        return
    current = state.current()
    current.gpu = current.device = torch.device("cuda", number - 1)


@function("cutorch.synchronize")
def synchronize() -> None:
    """``cutorch.synchronize()``: wait until the GPU has finished."""
    device = gpu()
    if device is not None:
        torch.cuda.synchronize(device)


@function("cutorch.synchronizeAll")
def synchronize_all() -> None:
    """``cutorch.synchronizeAll()``: the same for all GPUs."""
    if gpu() is not None:
        for number in range(torch.cuda.device_count()):
            torch.cuda.synchronize(number)


@function("cutorch.getMemoryUsage")
def memory_usage(device: float | None = None) -> tuple[int, int]:
    """``free, total = cutorch.getMemoryUsage([device])``: bytes, of the machine's memory where the CPU stands in."""
    number = current_device() if device is None else check_device(device, "cutorch.getMemoryUsage")
    if gpu() is not None:
        free, total = torch.cuda.mem_get_info(number - 1)
        return int(free), int(total)
    return _machine_memory()


def _machine_memory() -> tuple[int, int]:
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        total = page * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        raise TorchError("cutorch: this system does not tell how much memory it has") from None
    try:
        return page * os.sysconf("SC_AVPHYS_PAGES"), total
    except (ValueError, OSError):  # macOS does not report free memory
        return total, total


@function("cutorch.getDeviceProperties")
def device_properties(device: float) -> dict[str, Any]:
    """``cutorch.getDeviceProperties(device)``: a table with name, totalGlobalMem, freeGlobalMem (bytes),
    multiProcessorCount, and on a GPU major and minor, its compute capability, warpSize and regsPerBlock where
    PyTorch tells them. Where the CPU stands in, major and minor are 0.
    """
    number = check_device(device, "cutorch.getDeviceProperties")
    free, total = memory_usage(number)
    properties: dict[str, Any] = {"freeGlobalMem": free, "totalGlobalMem": total}
    if gpu() is None:
        properties |= {"name": platform.processor() or platform.machine(), "major": 0, "minor": 0}
        return properties | {"multiProcessorCount": os.cpu_count() or 1}
    about = torch.cuda.get_device_properties(number - 1)
    properties |= {"name": about.name, "major": about.major, "minor": about.minor}
    properties |= {"multiProcessorCount": about.multi_processor_count}
    for name, attribute in {
        "warpSize": "warp_size",
        "regsPerBlock": "regs_per_multiprocessor",
        "sharedMemPerBlock": "shared_memory_per_block",
    }.items():
        if hasattr(about, attribute):
            properties[name] = getattr(about, attribute)
    return properties


@function("cutorch.isCachingAllocatorEnabled")
def is_caching() -> bool:
    """``cutorch.isCachingAllocatorEnabled()``: PyTorch's allocator for GPUs caches."""
    return gpu() is not None


@function("cutorch.getRuntimeVersion")
def runtime_version() -> int:
    """``cutorch.getRuntimeVersion()``: that of the CUDA which PyTorch was built with, 12010 for 12.1."""
    version = torch.version.cuda
    if gpu() is None or version is None:
        raise TorchError("cutorch.getRuntimeVersion: there is no CUDA runtime behind --cuda-as cpu")
    major, minor = (int(part) for part in version.split(".")[:2])
    return 1000 * major + 10 * minor


@function("cutorch.getDriverVersion")
def driver_version() -> int:
    """``cutorch.getDriverVersion()``: PyTorch does not tell it."""
    raise TorchError("cutorch.getDriverVersion: PyTorch does not tell the driver's version")


@function("cutorch.hasHalfInstructions")
def has_half_instructions() -> bool:
    """``cutorch.hasHalfInstructions()``: whether the GPU computes in half precision."""
    device = gpu()
    return device is not None and torch.cuda.get_device_capability(device) >= (5, 3)


@function("cutorch.hasFastHalfInstructions")
def has_fast_half_instructions() -> bool:
    """``cutorch.hasFastHalfInstructions()``: whether that is faster than single precision."""
    device = gpu()
    if device is None:
        return False
    capability = torch.cuda.get_device_capability(device)
    return capability >= (6, 0) and capability != (6, 1)


# -- access of one device to another's memory, which PyTorch sees to -----------------------------------------


@function("cutorch.getPeerToPeerAccess")
def peer_access(device: float, other: float) -> bool:
    """``cutorch.getPeerToPeerAccess(device, other)``"""
    one = check_device(device, "cutorch.getPeerToPeerAccess") - 1
    another = check_device(other, "cutorch.getPeerToPeerAccess") - 1
    return one == another or bool(torch.cuda.can_device_access_peer(one, another))


@function("cutorch.setPeerToPeerAccess")
def set_peer_access(device: float, other: float, allowed: bool = True) -> None:
    """``cutorch.setPeerToPeerAccess(device, other, flag)``: copies are the same either way."""
    check_device(device, "cutorch.setPeerToPeerAccess")
    check_device(other, "cutorch.setPeerToPeerAccess")


@function("cutorch.getKernelPeerToPeerAccess")
def kernel_peer_access() -> bool:
    """``cutorch.getKernelPeerToPeerAccess()``"""
    return settings().kernel_peer_access


@function("cutorch.setKernelPeerToPeerAccess")
def set_kernel_peer_access(allowed: bool) -> None:
    """``cutorch.setKernelPeerToPeerAccess(flag)``"""
    settings().kernel_peer_access = bool(allowed)
