"""A batch that several processes compute together, each its part: what ``nn.DataParallelTable`` did on several GPUs.

The parts are divided as in the original: consecutive, the first ones an example longer where the batch does not divide
evenly; a process for which nothing is left computes nothing. Inputs and outputs may be tables of tensors, each of
which has the batch along the same axis.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from torch7py.ops import state, types
from torch7py.ops.batch_part import BatchPart
from torch7py.ops.errors import TorchError
from torch7py.ops.mersenne import Generator
from torch7py.ops.process_group import ProcessGroup, Rank

__all__ = ["computing", "gather", "has_data", "keep_equal", "part_of", "send_first", "sum_gradients"]


def _range(total: int, rank: int, count: int) -> tuple[int, int]:
    """Where the part of a process begins, and how long it is."""
    share, left = divmod(total, count)
    return rank * share + min(rank, left), share + (rank < left)


def part_of(value: Any, axis: int, group: Rank) -> Any:
    """This process's part of an input or gradient."""
    if isinstance(value, list):
        return [part_of(item, axis, group) for item in value]
    start, length = _range(_size(value, axis), group.rank, group.size)
    part = value.narrow(axis, start, length).contiguous() if length else value.new_empty(0)
    return types.label(part, types.of(value))


def _size(tensor: torch.Tensor, axis: int) -> int:
    if tensor.numel() == 0:
        return 0
    if not 0 <= axis < tensor.dim():
        raise TorchError(
            f"a batch is divided along dimension {axis + 1}, which a tensor of {tensor.dim()} dimensions has not"
        )
    return tensor.shape[axis]


def has_data(value: Any) -> bool:
    """Whether there is any number in an input."""
    if isinstance(value, list):
        return any(map(has_data, value))
    return bool(value.numel())


@contextmanager
def computing(value: Any, axis: int, group: Rank) -> Iterator[None]:
    """While this process computes its part of an input: random numbers are drawn for the whole batch."""
    current = state.current()
    first = value
    while isinstance(first, list) and first:
        first = first[0]
    before = current.batch_part
    if isinstance(first, torch.Tensor) and first.numel():
        total = _size(first, axis)
        start, length = _range(total, group.rank, group.size)
        if length:
            current.batch_part = BatchPart(axis, start, length, total)
    try:
        yield
    finally:
        current.batch_part = before


# -- results together ----------------------------------------------------------------------------------------


def gather(group: ProcessGroup, what: str, value: Any, axis: int, like: torch.Tensor) -> Any:
    """The parts of a result, joined along the axis, in every process; None where no process has one.

    ``value`` is None in a process that computed nothing. ``like``: a tensor on the device of the results.
    """
    said = group.say(what, json.dumps([_form(value), _random_states()]).encode())
    replies = [json.loads(text) for text in said]
    forms = [form for form, _ in replies]
    form = next((form for form in forms if form is not None), None)
    if form is None:
        result = None
    else:
        leaves = list(_leaves(value)) if value is not None else []
        data = [leaf.detach().contiguous().view(-1).view(torch.uint8) for leaf in leaves if leaf.numel()]
        mine = torch.cat(data) if data else torch.empty(0, dtype=torch.uint8, device=like.device)
        sizes = [sum(_bytes(leaf) for leaf in _form_leaves(form)) for form in forms]
        pieces = _Pieces(group.gather(mine, sizes), forms, axis)
        result = pieces.join(form, ())
    if any(states != replies[0][1] for _, states in replies):
        _equal_generators(group)
    return result


def _form(value: Any) -> Any:
    """Types and sizes of a result, in its nesting."""
    if isinstance(value, (list, tuple)):
        return [_form(item) for item in value]
    if value is None:
        return None
    if not isinstance(value, torch.Tensor):
        raise TorchError("a model that several processes compute gives tensors, or tables of tensors")
    return {"type": types.of(value).name, "sizes": list(value.shape)}


def _leaves(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)
    elif value is not None:
        yield value


def _form_leaves(form: Any) -> Iterator[dict[str, Any]]:
    if isinstance(form, list):
        for item in form:
            yield from _form_leaves(item)
    elif form is not None:
        yield form


def _bytes(leaf: dict[str, Any]) -> int:
    return _count(leaf["sizes"]) * types.BY_NAME[leaf["type"]].size


def _count(sizes: Sequence[int]) -> int:
    count = 1
    for size in sizes:
        count *= size
    return count


class _Pieces:
    """The bytes of all processes' results, which are read leaf by leaf."""

    def __init__(self, data: list[torch.Tensor], forms: list[Any], axis: int) -> None:
        self.forms, self.axis = forms, axis
        self.data, self.at = data, [0] * len(data)

    def join(self, form: Any, path: tuple[int, ...]) -> Any:
        if isinstance(form, list):
            return [self.join(item, (*path, number)) for number, item in enumerate(form)]
        if form is None:
            return None
        parts = [self._take(rank, path) for rank in range(len(self.data))]
        full = [part for part in parts if part is not None and part.numel()]
        number_type = types.BY_NAME[form["type"]]
        if not full:
            joined = torch.empty(0, dtype=number_type.dtype, device=self.data[0].device)
        else:
            _size(full[0], self.axis)
            joined = torch.cat(full, self.axis)
        return types.label(joined, number_type)

    def _take(self, rank: int, path: tuple[int, ...]) -> torch.Tensor | None:
        form = self.forms[rank]
        if form is None:
            return None
        for number in path:
            form = form[number]
        start = self.at[rank]
        self.at[rank] += _bytes(form)
        data = self.data[rank][start : self.at[rank]]
        # Copied, as numbers of eight bytes begin at addresses that eight divides.
        return data.clone().view(types.BY_NAME[form["type"]].dtype).view(form["sizes"])


# -- the same state in every process -------------------------------------------------------------------------


def sum_gradients(group: ProcessGroup, gradients: Sequence[torch.Tensor], run: Callable[[], Any]) -> Any:
    """Call what adds this process's part to the gradients, and sum these over all processes.

    What the gradients held before counts once.
    """
    if not group.acts:
        for gradient in gradients:
            gradient.zero_()
    result = run()
    for flat, scatter in _flat(gradients):
        group.sum(flat)
        scatter(flat)
    return result


def send_first(group: ProcessGroup, tensors: Sequence[torch.Tensor]) -> None:
    """Give every process the first one's numbers."""
    for flat, scatter in _flat(tensors):
        group.send_first(flat)
        scatter(flat)


def keep_equal(group: ProcessGroup, model: torch.nn.Module) -> None:
    """Give every process the first one's running statistics, which each took of its own part in training."""
    running = [
        buffer
        for module in model.modules()
        if module.training
        for name in getattr(module, "buffer_fields", ())
        if isinstance(buffer := module._buffers.get(name), torch.Tensor)
    ]
    send_first(group, running)


def _flat(tensors: Sequence[torch.Tensor]) -> Iterator[tuple[torch.Tensor, Callable[[torch.Tensor], None]]]:
    """Flat tensors with all numbers of these, each once, and what puts them back: as few as there are types.

    Tensors that fill one piece of memory, as after ``getParameters``, are that piece itself.
    """
    by_type: dict[tuple[torch.dtype, torch.device], dict[tuple[Any, ...], torch.Tensor]] = {}
    for tensor in tensors:
        if tensor.numel():
            places = by_type.setdefault((tensor.dtype, tensor.device), {})
            places.setdefault((tensor.data_ptr(), tensor.shape, tensor.stride()), tensor.detach())
    for places in by_type.values():
        distinct = list(places.values())
        piece = _one_piece(distinct)
        if piece is not None:
            yield piece, lambda flat: None
        else:
            yield torch.cat([tensor.reshape(-1) for tensor in distinct]), _scatter(distinct)


def _scatter(tensors: list[torch.Tensor]) -> Callable[[torch.Tensor], None]:
    def put_back(flat: torch.Tensor) -> None:
        start = 0
        for tensor in tensors:
            tensor.copy_(flat[start : start + tensor.numel()].view(tensor.shape))
            start += tensor.numel()

    return put_back


def _one_piece(tensors: list[torch.Tensor]) -> torch.Tensor | None:
    """The memory that contiguous tensors fill together without gaps; None where they do not."""
    first = min(tensors, key=lambda tensor: tensor.data_ptr())
    storage = first.untyped_storage().data_ptr()
    end = start = int(first.storage_offset())
    for tensor in sorted(tensors, key=lambda tensor: tensor.data_ptr()):
        offset = int(tensor.storage_offset())
        if tensor.untyped_storage().data_ptr() != storage or not tensor.is_contiguous() or offset > end:
            return None
        end = max(end, offset + tensor.numel())
    return first.as_strided((end - start,), (1,), start)


def _generators() -> list[Generator]:
    current = state.current()
    return [current.generator, *([current.cuda_generator] if current.cuda_generator is not None else [])]


def _random_states() -> list[int]:
    return [zlib.crc32(generator.get_state()) for generator in _generators()]


def _equal_generators(group: ProcessGroup) -> None:
    """Let random numbers go on as in the first process."""
    for generator in _generators():
        generator.set_state(group.agree("random numbers", generator.get_state()))
