"""A process group of threads, for tests of what several processes do together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import torch

from torch7py.ops import state
from torch7py.ops.process_group import ProcessGroup

__all__ = ["FakeGroup", "in_processes"]


class _Meeting:
    def __init__(self, size: int) -> None:
        self.barrier = threading.Barrier(size, timeout=20)
        self.brought: list[Any] = [None] * size


class FakeGroup(ProcessGroup):
    """One of the threads that stand for processes."""

    def __init__(self, rank: int, meeting: _Meeting) -> None:
        super().__init__(rank, len(meeting.brought))
        self.meeting = meeting
        self.sums: list[int] = []  # the numbers in each sum

    def all_gather(self, tensor: torch.Tensor) -> list[torch.Tensor]:
        self.meeting.brought[self.rank] = tensor
        self.meeting.barrier.wait()
        parts = [part.clone() for part in self.meeting.brought]
        self.meeting.barrier.wait()
        assert {(part.shape, part.dtype) for part in parts} == {(tensor.shape, tensor.dtype)}
        return parts

    def all_sum(self, tensor: torch.Tensor) -> None:
        self.sums.append(tensor.numel())
        tensor.copy_(torch.stack(self.all_gather(tensor)).sum(0))

    def send_first(self, tensor: torch.Tensor) -> None:
        tensor.copy_(self.all_gather(tensor)[0])


def in_processes(size: int, run: Callable[[FakeGroup], Any], seed: int = 1) -> list[Any]:
    """What ``run`` gives in each of so many threads, which stand for processes, by rank."""
    meeting = _Meeting(size)
    results: list[Any] = [None] * size

    def one(rank: int) -> None:
        own = state.State(group=FakeGroup(rank, meeting))
        own.generator.manual_seed(seed)
        with state.use(own):
            try:
                results[rank] = run(own.group)  # type: ignore[arg-type]
            except Exception as error:  # noqa: BLE001  (it is raised in the test's own thread)
                results[rank] = error
                meeting.barrier.abort()

    threads = [threading.Thread(target=one, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    errors = [
        r for r in results if isinstance(r, Exception) and not isinstance(r, threading.BrokenBarrierError)
    ]
    if errors:
        raise errors[0]
    return results
