"""Functions of cutorch that ask about a GPU; where there is none, about the machine."""

from __future__ import annotations

import os
import platform
from typing import Any

import torch

from torch7py.translate.page_library.values import call_all


def with_device(device: Any, function: Any) -> tuple[Any, ...]:
    """``cutorch.withDevice(device, function)``: all values of the function, which is called for a GPU."""
    if not torch.cuda.is_available():
        return call_all(function)
    with torch.cuda.device(int(device) - 1):
        return call_all(function)


def memory_usage(device: Any = None) -> tuple[int, int]:
    """``cutorch.getMemoryUsage([device])``: the bytes that are free, and all of them."""
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info(None if device is None else int(device) - 1)
        return int(free), int(total)
    page = os.sysconf("SC_PAGE_SIZE")
    return page * os.sysconf("SC_AVPHYS_PAGES"), page * os.sysconf("SC_PHYS_PAGES")


def device_properties(device: Any) -> dict[str, Any]:
    """``cutorch.getDeviceProperties(device)``"""
    free, total = memory_usage(device)
    properties: dict[str, Any] = {"freeGlobalMem": free, "totalGlobalMem": total}
    if not torch.cuda.is_available():
        named = {"name": platform.processor() or platform.machine(), "major": 0, "minor": 0}
        return properties | named | {"multiProcessorCount": os.cpu_count() or 1}
    about = torch.cuda.get_device_properties(int(device) - 1)
    named = {"name": about.name, "major": about.major, "minor": about.minor}
    return properties | named | {"multiProcessorCount": about.multi_processor_count}
