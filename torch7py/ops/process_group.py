"""Several processes that run one program together, and what they tell each other.

Every process of a group runs the same program with the same numbers. The first one, of rank 0, acts for all where the
world outside is changed (``one_writer.py``)."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch

from torch7py.ops.errors import ProcessLost, TorchError
from torch7py.ops.plain_values import from_text, to_text

__all__ = ["DistributedGroup", "ProcessGroup", "Rank", "join"]

NAMES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # as torchrun has them in the environment
ROOM = 1024  # bytes that each process can say at once; more takes a second exchange


class Rank(Protocol):
    """A place in a group of processes."""

    rank: int
    size: int


class ProcessGroup(ABC):
    """The processes that run this program. A subclass says how bytes and numbers travel.

    ``exchanged`` and ``summed`` count the bytes of this process's tensors that were gathered and summed.
    """

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size
        self.exchanged = self.summed = 0

    @property
    def acts(self) -> bool:
        """Whether this process prints and writes for all."""
        return self.rank == 0

    @abstractmethod
    def all_gather(self, tensor: torch.Tensor) -> list[torch.Tensor]:
        """The tensors of all processes, which have the same size and type, by rank."""

    @abstractmethod
    def all_sum(self, tensor: torch.Tensor) -> None:
        """Put the sum over all processes into this tensor, which is contiguous."""

    @abstractmethod
    def send_first(self, tensor: torch.Tensor) -> None:
        """Put the first process's numbers into this tensor, which is contiguous."""

    def say(self, what: str, content: bytes = b"") -> list[bytes]:
        """The contents that all processes give, by rank. All of them have arrived here when this returns.

        ``what`` the program does here must be the same in all of them.
        """
        head = what.encode(errors="surrogateescape")
        text = len(head).to_bytes(4, "little") + head + content
        said = self.all_gather(_framed(text, ROOM))
        lengths = [int.from_bytes(bytes(part[:8].tolist()), "little") for part in said]
        if max(lengths) > ROOM - 8:
            said = self.all_gather(_framed(text, max(lengths) + 8))
        contents = []
        for rank, (part, length) in enumerate(zip(said, lengths, strict=True)):
            data = part[8 : 8 + length].numpy().tobytes()
            end = 4 + int.from_bytes(data[:4], "little")
            if data[4:end] != head:
                other = data[4:end].decode(errors="replace")
                raise TorchError(
                    f"the processes of this run do not do the same: process {self.rank} is at {what}, "
                    f"process {rank} at {other}"
                )
            contents.append(data[end:])
        return contents

    def agree(self, what: str, value: Any = None) -> Any:
        """The first process's value of ``what``, in every process: one of those that ``plain_values.py`` writes."""
        said = self.say(what, to_text(value) if self.acts else b"")
        return value if self.acts else from_text(said[0])

    def gather(self, tensor: torch.Tensor, sizes: Sequence[int]) -> list[torch.Tensor]:
        """The flat tensors of all processes, whose numbers of elements are ``sizes``."""
        longest = max(sizes)
        self.exchanged += tensor.nbytes
        if longest == 0:
            return [tensor[:0]] * self.size
        padded = (
            tensor if len(tensor) == longest else torch.cat([tensor, tensor.new_zeros(longest - len(tensor))])
        )
        return [part[:n] for part, n in zip(self.all_gather(padded.contiguous()), sizes, strict=True)]

    def sum(self, tensor: torch.Tensor) -> None:
        """Put the sum over all processes into this tensor."""
        self.summed += tensor.nbytes
        self.all_sum(tensor)


def _framed(text: bytes, room: int) -> torch.Tensor:
    """Bytes behind their length, in a tensor of this many bytes; what has no room is left out."""
    framed = len(text).to_bytes(8, "little") + text[: room - 8]
    return torch.frombuffer(bytearray(framed.ljust(room, b"\0")), dtype=torch.uint8)


class DistributedGroup(ProcessGroup):
    """The processes of ``torch.distributed``: gloo carries what lies on the CPU, NCCL what lies on GPUs."""

    def __init__(self) -> None:
        import torch.distributed as distributed

        self._distributed = distributed
        if not distributed.is_initialized():
            nccl = torch.cuda.is_available() and distributed.is_nccl_available()
            distributed.init_process_group("cpu:gloo,cuda:nccl" if nccl else "gloo")
        super().__init__(distributed.get_rank(), distributed.get_world_size())

    def _call(self, function: Callable[..., Any], *arguments: Any) -> None:
        try:
            function(*arguments)
        except RuntimeError as error:  # torch.distributed has no narrower one for gloo
            first = str(error).strip().splitlines()[0]
            raise ProcessLost(
                f"another process of this run has ended, or cannot be reached ({first})"
            ) from None

    def all_gather(self, tensor: torch.Tensor) -> list[torch.Tensor]:
        parts = [torch.empty_like(tensor) for _ in range(self.size)]
        self._call(self._distributed.all_gather, parts, tensor)
        return parts

    def all_sum(self, tensor: torch.Tensor) -> None:
        self._call(self._distributed.all_reduce, tensor)

    def send_first(self, tensor: torch.Tensor) -> None:
        self._call(self._distributed.broadcast, tensor, 0)


_joined: list[ProcessGroup] = []


def join() -> ProcessGroup | None:
    """Enter the group that the environment names, as torchrun sets it; None where this is the only process.

    The names are taken out of the environment then: commands that the program starts are no members.
    """
    if not _joined and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        _joined.append(DistributedGroup())
        for name in NAMES:
            os.environ.pop(name, None)
    return _joined[0] if _joined else None
