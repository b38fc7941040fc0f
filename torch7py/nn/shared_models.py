"""Models whose batches several processes share, without the program saying so (``torch7py run --data-parallel``).

A call of a model's ``forward`` is divided among the processes along the first or second dimension of its input, if the
model computes each example by itself. Whether it does is tried out: at its first call a copy of the model computes
the batch, and the parts that the processes would get, and the numbers must be the same.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

import torch

from torch7py.nn import data_parallel
from torch7py.nn.base import Module
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.ops.process_group import ProcessGroup

__all__ = ["SharedModels"]

HOOKED = frozenset("forward updateOutput backward updateGradInput accGradParameters".split())
REFUSED = frozenset("__call__ backwardUpdate accUpdateGradParameters".split())
FIRST = frozenset({"forward", "updateOutput"})


class _Shared:
    """The last forward of a model that was shared: this process's part of the input and output, and both as a whole."""

    def __init__(self, axis: int, input: Any, part: Any) -> None:
        self.axis, self.input, self.part = axis, input, part
        self.part_output: Any = None


class SharedModels:
    """Divides the calls of models. ``tell`` says to the user why a model's are not."""

    def __init__(self, group: ProcessGroup, tell: Callable[[str], None]) -> None:
        self.group, self.tell = group, tell
        self._within = False
        self._axes: weakref.WeakKeyDictionary[Module, dict[Any, int | None]] = weakref.WeakKeyDictionary()
        self._last: weakref.WeakKeyDictionary[Module, _Shared] = weakref.WeakKeyDictionary()

    def takes(self, name: str) -> bool:
        """Whether calls of a method of this name come here."""
        return name in HOOKED or name in REFUSED

    def call(self, name: str, module: Any, arguments: list[Any], plain: Callable[[list[Any]], Any]) -> Any:
        """A program's call of a method, which ``plain`` computes with its arguments."""
        if self._within or not isinstance(module, Module) or not arguments:
            return plain(arguments)
        self._within = True
        try:
            if name in FIRST:
                return self._forward(module, arguments, plain)
            last = self._last.get(module)
            if last is None and name not in REFUSED:
                return plain(arguments)
            if name in REFUSED:
                raise TorchError(
                    f"{module.class_name}: several processes do not share {name} (--data-parallel): call forward, "
                    "backward and updateParameters"
                )
            assert last is not None
            return self._backward(name, module, last, arguments, plain)
        finally:
            self._within = False

    def _forward(self, module: Module, arguments: list[Any], plain: Callable[[list[Any]], Any]) -> Any:
        input = arguments[0]
        axis = self._axis(module, input)
        if axis is None:
            self._last.pop(module, None)
            return plain(arguments)
        part = data_parallel.part_of(input, axis, self.group)
        last = self._last[module] = _Shared(axis, input, part)
        with data_parallel.computing(input, axis, self.group):
            output = plain([part]) if data_parallel.has_data(part) else None
        last.part_output = module.__dict__.get("output")
        whole = data_parallel.gather(self.group, "forward", output, axis, module.new())
        # Not into the memory of the part's output, which the layers need for their gradients.
        module.__dict__["output"] = whole
        return whole

    def _backward(
        self,
        name: str,
        module: Module,
        last: _Shared,
        arguments: list[Any],
        plain: Callable[[list[Any]], Any],
    ) -> Any:
        gradient = data_parallel.part_of(arguments[1], last.axis, self.group)
        whole = module.__dict__.get("output")

        def run() -> Any:
            if not data_parallel.has_data(last.part):
                return None
            with data_parallel.computing(last.input, last.axis, self.group):
                return plain([last.part, gradient, *arguments[2:]])

        module.__dict__["output"] = last.part_output
        try:
            if name == "updateGradInput":
                result = run()
            else:
                result = data_parallel.sum_gradients(self.group, module.parameter_pairs()[1], run)
        finally:
            module.__dict__["output"] = whole
        if name == "accGradParameters" or module.gradInput is None:
            return None
        joined = data_parallel.gather(self.group, name, result, last.axis, module.new())
        module.__dict__["gradInput"] = joined
        return joined

    # -- whether a model is shared ------------------------------------------------------------------------

    def _axis(self, module: Module, input: Any) -> int | None:
        """The dimension along which the processes share a model's input; None where each computes it whole."""
        tensors = list(_tensors(input))
        if any(tensor is None for tensor in tensors) or not tensors:
            key: Any = "no tensors"
        else:
            key = tuple(tensor.dim() for tensor in tensors), module.training
        known = self._axes.setdefault(module, {})
        if key not in known:
            if key == "no tensors":
                known[key] = None
                self._say(module, "its input is no tensor or table of tensors")
            elif all(tensor.shape[0] < 2 for tensor in tensors if tensor.dim()):
                return None  # which says nothing about larger batches
            else:
                known[key] = self._tried(module, input, tensors)
        axis = known[key]
        if axis is not None and len({tensor.shape[axis] for tensor in tensors}) > 1:
            return None
        return axis

    def _tried(self, module: Module, input: Any, tensors: list[torch.Tensor]) -> int | None:
        reason = ""
        for axis in (0, 1):
            objection = _why_not(module, input, tensors, axis, self.group)
            if not objection:
                return axis
            reason = reason or objection
        self._say(module, reason)
        return None

    def _say(self, module: Module, reason: str) -> None:
        self.tell(f"--data-parallel: every process computes the whole {module.class_name}, as {reason}")


def _tensors(value: Any) -> Iterator[Any]:
    """The tensors of an input in order; None for what is no tensor."""
    if isinstance(value, list):
        for item in value:
            yield from _tensors(item)
    else:
        yield value if isinstance(value, torch.Tensor) else None


class _As:
    """A process's rank, for trying out its part in this one."""

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size


def _why_not(
    module: Module, input: Any, tensors: list[torch.Tensor], axis: int, group: ProcessGroup
) -> str | None:
    """Why a model cannot be divided along a dimension of its input; None where it can."""
    if any(tensor.dim() <= axis for tensor in tensors):
        return f"a tensor of its input has no dimension {axis + 1}"
    sizes = {tensor.shape[axis] for tensor in tensors}
    if len(sizes) > 1:
        return f"the tensors of its input are not of one size along dimension {axis + 1}"
    if max(sizes) < 2:
        return f"its input has one example along dimension {axis + 1}"
    generator = state.current().generator
    before = generator.get_state()
    try:
        whole = list(_tensors(module.clone().updateOutput(input)))
        parts = []
        for rank in range(group.size):
            generator.set_state(before)
            one = _As(rank, group.size)
            part = data_parallel.part_of(input, axis, one)
            if data_parallel.has_data(part):
                with data_parallel.computing(input, axis, one):
                    parts.append(list(_tensors(module.clone().updateOutput(part))))
    except TorchError as error:
        return f"it does not take a part of its input ({error})"
    finally:
        generator.set_state(before)
    for number, expected in enumerate(whole):
        pieces = [part[number] for part in parts if number < len(part)]
        if expected is None or any(piece is None or piece.dim() <= axis for piece in pieces):
            return f"its output has no dimension {axis + 1} that goes by its input's"
        joined = torch.cat(pieces, axis) if len(pieces) == len(parts) else None
        if joined is None or joined.shape != expected.shape:
            return f"its output has no dimension {axis + 1} that goes by its input's"
        exact = 1e-9 if expected.dtype == torch.float64 else 1e-4
        if not torch.allclose(joined.double(), expected.double(), rtol=exact, atol=exact):
            return f"its output for an example depends on the others along dimension {axis + 1}"
    return None
