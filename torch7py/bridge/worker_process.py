"""Processes that run the jobs of Lua states, each those of one state: where jobs share nothing but tensors.

A process is a fork of the program's. Jobs and results lie in memory that both have; the messages about it are JSON
over a pair of sockets.
"""

from __future__ import annotations

import ctypes
import io
import os
import select
import signal
import socket
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch

from torch7py.bridge.runtime_interface import RuntimeInterface
from torch7py.bridge.shared_objects import Shared
from torch7py.bridge.worker_tasks import Job, Setting, Source, Task, perform
from torch7py.ops import memory, state, types
from torch7py.ops.error_messages import message_of
from torch7py.ops.errors import TorchError
from torch7py.ops.memory import Storage
from torch7py.ops.plain_values import from_text, to_text

__all__ = ["WorkerProcess", "can_fork"]

AT_ONCE = 200  # descriptors in one message: Linux takes 253
OWN_NUMBERS = 1 << 40  # the numbers of each process's shared objects begin at a multiple of this
PR_SET_PDEATHSIG = 1  # of Linux's prctl


def can_fork(process_state: state.State) -> bool:
    """Whether this system and this program allow it: what has used a GPU cannot fork."""
    return (
        hasattr(os, "fork")
        and sys.platform != "darwin"
        and process_state.device.type == "cpu"
        and not torch.cuda.is_initialized()
    )


# -- messages ------------------------------------------------------------------------------------------------


class _Channel:
    """One end of the pair of sockets."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end
        self._sent_digests: set[str] = set()  # digests of functions that the other process trusts

    def send(self, *fields: Any, content: Any = None, shared: Sequence[int] = ()) -> None:
        """Send plain values, a storage or text, and the shared objects of these numbers."""
        parcel = _Parcel()
        described = (
            parcel.add(Storage(content.type, content.untyped)) if isinstance(content, Storage) else content
        )
        objects = [(number, *parcel.add(Shared.objects.pop(number))) for number in shared]
        trusted = [
            digest for digest in state.of_process().trusted_bytecode if digest not in self._sent_digests
        ]
        self._sent_digests.update(trusted)
        body = to_text((fields, described, objects, parcel.sizes, trusted))
        self.end.sendall(len(body).to_bytes(8, "little") + body)
        for start in range(0, len(parcel.descriptors), AT_ONCE):
            socket.send_fds(self.end, [b"f"], parcel.descriptors[start : start + AT_ONCE])

    def receive(self) -> tuple[Any, Any] | None:
        """The plain values and the content of the next message; None at the end. Objects are put among the shared."""
        head = self._take(8)
        if head is None:
            return None
        body = self._take(int.from_bytes(head, "little"))
        if body is None:
            return None
        fields, described, objects, sizes, trusted = from_text(body)
        descriptors: list[int] = []
        for start in range(0, sum(map(bool, sizes)), AT_ONCE):
            descriptors += socket.recv_fds(self.end, 1, min(AT_ONCE, sum(map(bool, sizes)) - start))[1]
        pieces = _pieces(sizes, descriptors)
        for number, *description in objects:
            Shared.objects[number] = _object(pieces, description)
        for digest in trusted:
            state.of_process().trusted_bytecode.setdefault(digest, False)
        self._sent_digests.update(trusted)
        return fields, _object(pieces, described) if isinstance(described, tuple) else described

    def _take(self, count: int) -> bytes | None:
        taken = b""
        while len(taken) < count:
            try:
                more = self.end.recv(count - len(taken))
            except ConnectionError:
                return None
            if not more:
                return None
            taken += more
        return taken


class _Parcel:
    """Pieces of memory that another process gets too: each is moved to where both have it."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.descriptors: list[int] = []
        self._known: dict[int, int] = {}
        self._kept: list[Any] = []

    def add(self, item: torch.Tensor | Storage) -> tuple[Any, ...]:
        """Describe a tensor or storage, whose memory is one of the pieces."""
        untyped = item.untyped if isinstance(item, Storage) else item.untyped_storage()
        if untyped.device.type != "cpu":
            raise TorchError("a tensor on a GPU cannot be shared with another process (--pools threads)")
        number = self._known.get(untyped._cdata)
        if number is None:
            number = self._known[untyped._cdata] = len(self.sizes)
            size = untyped.nbytes()
            if size:
                self.descriptors.append(untyped._share_fd_cpu_()[0])
                memory.moves.value += 1
            self.sizes.append(size)
            self._kept.append(untyped)
        if isinstance(item, Storage):
            return number, item.type.name
        view = (int(item.storage_offset()), list(item.shape), list(item.stride()))
        return number, types.of(item).name, *view


def _pieces(sizes: Sequence[int], descriptors: Sequence[int]) -> list[torch.UntypedStorage]:
    new_shared: Any = torch.UntypedStorage._new_shared_fd_cpu  # type: ignore[attr-defined]
    left = iter(descriptors)
    pieces = []
    for size in sizes:
        if not size:
            pieces.append(torch.UntypedStorage(0))
            continue
        descriptor = next(left)
        pieces.append(new_shared(descriptor, size))
        os.close(descriptor)
    return pieces


def _object(pieces: Sequence[torch.UntypedStorage], description: Sequence[Any]) -> torch.Tensor | Storage:
    number, name, *view = description
    number_type = types.BY_NAME[name]
    if not view:
        return Storage(number_type, pieces[number])
    offset, sizes, strides = view
    tensor = torch.empty(0, dtype=number_type.dtype).set_(pieces[number], offset, sizes, strides)
    return types.label(tensor, number_type)


# -- the program's side --------------------------------------------------------------------------------------


class WorkerProcess:
    """A process with a Lua state that does what it is sent, one thing after the other."""

    def __init__(self, new_state: Callable[[], RuntimeInterface], number: int) -> None:
        _flush()
        here, there = socket.socketpair()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12: other threads are not there
            self.process = os.fork()
        if not self.process:
            here.close()
            _live(_Channel(there), new_state, number)
        there.close()
        self._channel = _Channel(here)
        self._ended: str | None = None
        self._arrived: dict[int, Any] = {}
        self._sent = self._received = 0

    def do(self, task: Task) -> Callable[[], Any]:
        """Begin a task; returns what waits for its result and gives it, or raises its error."""
        self._sent += 1
        number = self._sent
        try:
            if isinstance(task, Job):
                self._channel.send("job", task.serializer, content=task.content, shared=task.shared)
            elif isinstance(task, Source):
                self._channel.send("source", task.text)
            else:
                self._channel.send("set", task.name, task.value)
        except ConnectionError:
            self._note_end()
        return lambda: self._result(number)

    def _result(self, number: int) -> Any:
        while number not in self._arrived:
            if self._ended is not None:
                raise TorchError(f"the process of this thread has ended: {self._ended}")
            state.wait_until(lambda seconds: bool(select.select([self._channel.end], [], [], seconds)[0]))
            message = self._channel.receive()
            if message is None:
                self._note_end()
                continue
            self._received += 1
            self._arrived[self._received] = message
        (kind, value, printed), content = self._arrived.pop(number)
        if printed:
            sys.stdout.write(printed)
        if kind == "exit":
            raise SystemExit(value)
        if kind == "error":
            raise TorchError(value)
        return content

    def _note_end(self) -> None:
        if self._ended is not None:
            return
        _, status = os.waitpid(self.process, 0)
        code = os.waitstatus_to_exitcode(status)
        names = {number.value: number.name for number in signal.Signals}
        self._ended = f"it was killed ({names.get(-code, -code)})" if code < 0 else f"exit code {code}"

    def close(self, collect: bool) -> None:
        """End the process when it has done its work."""
        if self._ended is None:
            self._channel.end.shutdown(socket.SHUT_WR)
            while self._ended is None:
                state.wait_until(lambda seconds: bool(select.select([self._channel.end], [], [], seconds)[0]))
                if self._channel.receive() is None:
                    self._note_end()
        self._channel.end.close()

    def prepare_to_stop(self) -> None:
        """A process is ended from outside."""

    def stop(self) -> None:
        """End the process at once."""
        if self._ended is None:
            os.kill(self.process, signal.SIGKILL)
            self._note_end()
        self._channel.end.close()


def _flush() -> None:
    """Empty what is still to be written, or both processes would write it."""
    sys.stdout.flush()
    sys.stderr.flush()
    ctypes.CDLL(None).fflush(None)


# -- the process ---------------------------------------------------------------------------------------------


def _live(channel: _Channel, new_state: Callable[[], RuntimeInterface], number: int) -> None:
    """What the process does until the program's one ends it."""
    try:
        if sys.platform.startswith("linux"):  # none outlives the program
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the program's process ends this one
        signal.set_wakeup_fd(-1)
        torch.set_num_threads(1)  # the threads of OpenMP have not come along
        vars(torch)["set_num_threads"] = _one_thread
        collected = None if _is_direct() else io.StringIO()
        if collected is not None:
            sys.stdout = collected
        Shared.number_from(OWN_NUMBERS * (os.getpid() % 4096 + 1))
        runtime = new_state()
        while (message := channel.receive()) is not None:
            _answer(channel, runtime, message, collected)
    finally:
        _flush()
        os._exit(0)


def _one_thread(count: int) -> None:
    """``torch.set_num_threads`` where there can be no more."""


def _is_direct() -> bool:
    try:
        return sys.stdout.fileno() == 1
    except (OSError, ValueError, AttributeError):
        return False


def _answer(
    channel: _Channel, runtime: RuntimeInterface, message: Any, collected: io.StringIO | None
) -> None:
    (kind, *fields), content = message
    task: Task
    if kind == "job":
        task = Job(fields[0], content, [])
    elif kind == "source":
        task = Source(*fields)
    else:
        task = Setting(*fields)
    answer, value, result = "done", None, None
    try:
        result = perform(runtime, task)
    except SystemExit as ended:
        answer, value = "exit", ended.code
    except Exception as error:  # noqa: BLE001  (it is raised again in the program's process)
        answer, value = "error", message_of(error)
    _flush()
    printed = ""
    if collected is not None:
        printed = collected.getvalue()
        collected.seek(0)
        collected.truncate()
    channel.send(answer, value, printed, content=result, shared=runtime.shared_numbers)
    runtime.shared_numbers.clear()
