"""Streams and cuBLAS handles of cutorch: numbers that a program chooses among.

All work is done in one order, so whatever a program lets one stream wait for has been done already.
"""

from __future__ import annotations

from collections.abc import Callable

from torch7py.ops.errors import TorchError
from torch7py.packages.cutorch.settings import settings
from torch7py.packages.registry import function

__all__: list[str] = []


@function("cutorch.reserveStreams")
def reserve_streams(count: float, non_blocking: bool = False) -> None:
    """``cutorch.reserveStreams(n)``: have at least so many besides the default stream 0."""
    settings().streams = max(settings().streams, int(count))


@function("cutorch.getNumStreams")
def stream_count() -> int:
    """``cutorch.getNumStreams()``"""
    return settings().streams


@function("cutorch.setStream")
def set_stream(stream: float) -> None:
    """``cutorch.setStream(n)``: 0 is the default stream."""
    if not 0 <= stream <= settings().streams:
        raise TorchError(f"cutorch.setStream: stream {stream:g} of {settings().streams} that are reserved")
    settings().stream = int(stream)


@function("cutorch.getStream")
def current_stream() -> int:
    """``cutorch.getStream()``"""
    return settings().stream


@function("cutorch.setDefaultStream")
def set_default_stream() -> None:
    """``cutorch.setDefaultStream()``"""
    settings().stream = 0


@function("cutorch.reserveBlasHandles")
def reserve_blas_handles(count: float) -> None:
    """``cutorch.reserveBlasHandles(n)``"""
    settings().blas_handles = max(settings().blas_handles, int(count))


@function("cutorch.getNumBlasHandles")
def blas_handle_count() -> int:
    """``cutorch.getNumBlasHandles()``"""
    return settings().blas_handles


@function("cutorch.setBlasHandle")
def set_blas_handle(number: float) -> None:
    """``cutorch.setBlasHandle(n)``"""
    if not 1 <= number <= settings().blas_handles:
        raise TorchError(
            f"cutorch.setBlasHandle: handle {number:g} of {settings().blas_handles} that are reserved"
        )
    settings().blas_handle = int(number)


@function("cutorch.getBlasHandle")
def current_blas_handle() -> int:
    """``cutorch.getBlasHandle()``"""
    return settings().blas_handle


def _nothing(name: str) -> Callable[..., None]:
    def wait(*arguments: object) -> None:
        """Everything has been done in order already."""

    return function(f"cutorch.{name}")(wait)


for (
    _name
) in """streamWaitFor streamWaitForMultiDevice streamBarrier streamBarrierMultiDevice streamSynchronize
        deviceReset setHeapTracking _sleep""".split():
    _nothing(_name)
