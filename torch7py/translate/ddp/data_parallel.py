"""Training in several processes, started by torchrun, each of which computes its part of every batch.

    torchrun --nproc-per-node 2 train.py          # CHECKPOINT=run.pt torchrun ... also saves, and goes on where it was

All processes run the same page from the same seed. In one process everything here does nothing. Written by torch7py.
"""

from __future__ import annotations

import atexit
import copy
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

EVERY = float(os.environ.get("CHECKPOINT_SECONDS", "60"))


class Processes:
    """The processes of this run: ``rank`` counts from 0, and the first one alone prints and saves."""

    def __init__(self) -> None:
        self.size, self.rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
        self.parallel: dict[int, DistributedDataParallel] = {}
        self.reductions: dict[Any, str] = {}
        self.batch = (
            0,
            0,
            0,
            0,
        )  # the dimension of the examples, how many there are, and this process's first and number
        self.path = os.environ.get("CHECKPOINT", "")
        self.values, self.saved = dict[str, Any](), time.monotonic()
        self.drawn = torch.get_rng_state()
        there = bool(self.path) and os.path.exists(self.path)
        self.loaded: dict[str, Any] = torch.load(self.path) if there else {}
        if self.size == 1:
            return
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        atexit.register(dist.destroy_process_group)
        seed = torch.tensor(torch.initial_seed() % 2**32)
        dist.broadcast(seed, 0)
        torch.manual_seed(int(seed))
        random.seed(int(seed))
        if self.rank:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    # -- a step -----------------------------------------------------------------------------------------------

    def forward(self, module: torch.nn.Module, *inputs: Any, axis: int = 0) -> Any:
        """The outputs of this process's part of a batch, whose examples lie along this axis of each input.

        Gradients are averaged over the processes. An input may be a list of tensors.
        """
        if self.size == 1:
            return module(*inputs)
        first: Any = inputs
        while not torch.is_tensor(first):
            first = first[0]
        if first.dim() <= axis:
            raise ValueError("a model's input is a single example, which several processes cannot share")
        total = first.shape[axis]
        per_process, left = divmod(total, self.size)
        start, length = self.rank * per_process + min(self.rank, left), per_process + (self.rank < left)
        self.batch = axis, total, start, length
        if id(module) not in self.parallel:
            self.check(module, inputs)
            self.parallel[id(module)] = DistributedDataParallel(module)
        self.drawn = torch.get_rng_state()
        return self.parallel[id(module)](*self.cut(inputs))

    def check(self, module: torch.nn.Module, inputs: Any) -> None:
        """Raise an error where a model does not compute each example by itself: tried out on copies."""
        drawn, copied = torch.get_rng_state(), copy.deepcopy(module).eval()
        with torch.no_grad():
            wanted, gathered = copied(*inputs), self.whole(copy.deepcopy(module).eval()(*self.cut(inputs)))
        torch.set_rng_state(drawn)
        for one, other in zip(tensors(wanted), tensors(gathered), strict=True):
            if one.shape != other.shape or not torch.allclose(one, other, rtol=1e-4, atol=1e-5):
                raise ValueError(
                    "the model does not compute each example by itself: processes cannot share a batch"
                )

    def cut(self, value: Any) -> Any:
        """This process's part of a tensor, or of the tensors in a list."""
        if not torch.is_tensor(value):
            return type(value)(self.cut(item) for item in value)
        axis, total, start, length = self.batch
        if value.dim() <= axis or value.shape[axis] != total:
            axis = 0
        if value.dim() == 0 or value.shape[axis] != total:
            raise ValueError(
                f"a tensor of {list(value.shape)} does not belong to a batch of {total} examples"
            )
        # Without a part of its own a process computes an example that does not count.
        return value.narrow(axis, start, length) if length else value.narrow(axis, 0, 1)

    def loss(self, criterion: Callable[..., Any], outputs: Any, targets: Any) -> Any:
        """The loss of the whole batch, with the gradients of this process's part."""
        if self.size == 1:
            return criterion(outputs, targets)
        self.same_draws()
        _, total, _, length = self.batch
        local_loss = criterion(outputs, self.cut(targets))
        key = getattr(criterion, "__code__", criterion)
        reduction = self.reductions.get(key) or self.find_reduction(
            criterion, outputs, targets, local_loss.detach()
        )
        if total > 1:  # of one example both are the same
            self.reductions[key] = reduction
        weight = length / total if reduction == "mean" else float(length > 0)
        counted = local_loss * weight
        whole = counted.detach().clone()
        dist.all_reduce(whole)
        # The value is the whole; the gradients are averaged over the processes, and so are to be added up before.
        return whole + (counted - counted.detach()) * self.size

    def find_reduction(
        self, criterion: Callable[..., Any], outputs: Any, targets: Any, local_loss: torch.Tensor
    ) -> str:
        """Whether a batch's loss is the mean or the sum of those of its parts."""
        with torch.no_grad():
            wanted = criterion(self.whole(outputs), targets)
        length = float(self.batch[3])
        candidates = {"mean": local_loss * (length / self.batch[1]), "sum": local_loss * float(length > 0)}
        for name, value in candidates.items():
            dist.all_reduce(value)
            if torch.allclose(value, wanted, rtol=1e-4):
                return name
        raise ValueError("the loss of a batch is neither the mean nor the sum of the losses of its examples")

    def whole(self, value: Any) -> Any:
        """The outputs of all processes for a batch, without their history."""
        if self.size == 1:
            return value
        if not torch.is_tensor(value):
            return type(value)(self.whole(item) for item in value)
        axis, total, _, length = self.batch
        axis = axis if value.dim() > axis and value.shape[axis] == max(length, 1) else 0
        lengths = [total // self.size + (rank < total % self.size) for rank in range(self.size)]
        value = value.detach().transpose(0, axis)
        padded = value.new_zeros(max(lengths), *value.shape[1:])
        padded[:length] = value[:length]
        parts = [torch.empty_like(padded) for _ in range(self.size)]
        dist.all_gather(parts, padded)
        return torch.cat([part[:n] for part, n in zip(parts, lengths, strict=True)]).transpose(0, axis)

    def same_draws(self) -> None:
        """Go on with the first process's random numbers where the model has drawn some."""
        now = torch.get_rng_state()
        if not torch.equal(now, self.drawn):
            dist.broadcast(now, 0)
            torch.set_rng_state(now)

    def save(self, value: Any, path: str) -> None:
        """``torch.save``, by the first process."""
        if self.rank == 0:
            torch.save(value, path)
        if self.size > 1:
            dist.barrier()

    # -- checkpoints ------------------------------------------------------------------------------------------

    def rest(self, rounds: Iterable[Any], **held: Any) -> Iterator[Any]:
        """The rounds of a training that are not done yet; what it holds is saved after them, and is as it was then."""
        done = self.loaded.get("done", 0)
        marks = {name: mark(value) for name, value in held.items()}
        for name, value in held.items():
            if name in self.loaded.get("held", {}):
                put_back(value, self.loaded["held"][name])
        if self.loaded:
            torch.set_rng_state(self.loaded["torch"])
            version, numbers, gauss = self.loaded["random"]
            random.setstate((version, tuple(numbers), gauss))
        for number, value in enumerate(rounds, 1):
            if number > done:
                yield value
                if self.path and time.monotonic() - self.saved >= EVERY:
                    self.checkpoint(number, held, marks)

    def kept(self, name: str, value: Any) -> Any:
        """The value of a variable as it was saved, or the given one."""
        return self.loaded.get("values", {}).get(name, value)

    def keep(self, **values: Any) -> None:
        """Remember variables as they are at the end of a round."""
        self.values = values

    def checkpoint(self, number: int, held: dict[str, Any], marks: dict[str, Any]) -> None:
        """Save what has changed since the training began."""
        contents = {name: content(value) for name, value in held.items() if mark(value) != marks[name]}
        values = dict(self.values)
        if has_history([contents, values]):
            return  # after a later round
        version, numbers, gauss = random.getstate()
        state = {"done": number, "held": contents, "values": values, "torch": torch.get_rng_state()}
        state["random"] = (version, list(numbers), gauss)
        if self.rank == 0:
            torch.save(state, f"{self.path}.new")
            os.replace(f"{self.path}.new", self.path)
        self.saved = time.monotonic()


def tensors(value: Any) -> list[torch.Tensor]:
    """The tensors in a value, in their order."""
    return [value] if torch.is_tensor(value) else [tensor for item in value for tensor in tensors(item)]


def mark(value: Any) -> Any:
    """What tells whether a value has changed; of what always may have, a new object."""
    if torch.is_tensor(value):
        return value.data_ptr(), value._version
    if isinstance(value, (list, tuple)):
        return [mark(item) for item in value]
    if isinstance(value, dict):
        return {key: mark(item) for key, item in value.items()}
    return value if value is None or isinstance(value, (bool, int, float, str)) else object()


def content(value: Any) -> Any:
    """What is saved of a value; None of what holds no data."""
    if hasattr(value, "state_dict"):
        return {
            "state": value.state_dict(),
            "kept": {name: x for name, x in vars(value).items() if torch.is_tensor(x)},
        }
    if is_data(value):
        return value
    if callable(value) or not hasattr(value, "__dict__"):
        return None
    return {name: x for name, x in vars(value).items() if is_data(x)}


def is_data(value: Any) -> bool:
    """Whether a value is a tensor, a number, a text, or a list or dict of these."""
    if isinstance(value, dict):
        return all(map(is_data, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(is_data, value))
    return value is None or torch.is_tensor(value) or isinstance(value, (bool, int, float, str))


def has_history(value: Any) -> bool:
    """Whether a later backward goes through it: it cannot be saved."""
    if isinstance(value, dict):
        return any(map(has_history, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(has_history, value))
    return torch.is_tensor(value) and value.grad_fn is not None


def put_back(value: Any, saved: Any) -> None:
    """Give a value the content that was saved."""
    if saved is None:
        return
    if hasattr(value, "state_dict"):
        value.load_state_dict(saved["state"])
        vars(value).update(saved["kept"])
    elif torch.is_tensor(value):
        value.data = saved
    elif isinstance(value, list):
        value[:] = saved
    elif isinstance(value, dict):
        value.clear()
        value.update(saved)
    elif hasattr(value, "__dict__"):
        vars(value).update(saved)


processes = Processes()
