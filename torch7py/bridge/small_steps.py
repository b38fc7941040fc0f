"""Where Lua finds the memory of small criterions, which it computes itself (``lua/small_steps.lua``).

A *small criterion* is one of a built-in class, as long as nothing is special about it: no method of a script's, no
hook, tensors on the CPU that lie in one piece. Then Lua writes where the criterion's own methods would have written,
and both languages see the same tensors.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import torch

from torch7py.bridge.runtime_interface import RuntimeInterface
from torch7py.nn.fields import has_hooks
from torch7py.nn.object import TorchObject
from torch7py.nn.registry import layers
from torch7py.ops.dispatch.kinds import Kind
from torch7py.ops.quirks import older

__all__ = ["SmallCriterion", "small_step_functions"]

# Of a tensor: its address (0: there is none), dimensions (-1: the field is nil) and the first two sizes.
WORDS = 4
# Attributes of objects that Python alone serves.
SPECIAL = ("_passes_marked", "_catch_up", "_lent", "_direct")
TYPES = {torch.float64: 1, torch.float32: 2}


class SmallCriterion:
    """A criterion and the array that Lua reads the places of its tensors from.

    ``quirk`` names what an older generation did differently, which is not for Lua.
    """

    def __init__(self, criterion: TorchObject, names: Sequence[str], quirk: str = "") -> None:
        self.criterion = criterion
        self.names = names
        self.quirk = quirk
        self.words = (ctypes.c_int64 * (WORDS * len(names)))()

    def find(self) -> int:
        """Write down where the tensors are. Returns the number of their type in ``TYPES``, 0 where Lua cannot serve."""
        attributes = self.criterion.__dict__
        if (self.quirk and older(self.quirk)) or any(name in attributes for name in SPECIAL):
            return 0
        if has_hooks(self.criterion):
            return 0
        attributes.pop("_trace", None)  # it is of results that Lua overwrites now
        dtype: torch.dtype | None = None
        for number, name in enumerate(self.names):
            tensor = self.criterion.get_field(name)
            words: list[Any] = [0] * WORDS
            if isinstance(tensor, torch.Tensor):
                if dtype is None:
                    dtype = tensor.dtype
                is_criterion_tensor = name not in attributes or attributes["_own"].get(name) is tensor
                if tensor.dtype is not dtype or not tensor.is_cpu:
                    return 0
                if is_criterion_tensor and not tensor.is_contiguous():
                    return 0
                if is_criterion_tensor and tensor.numel():  # another one is not written to
                    words = [tensor.data_ptr(), tensor.dim(), *[*tensor.shape[:2], 1, 1][:2]]
            elif tensor is None:
                words[1] = -1
            elif not isinstance(tensor, (int, float)):
                return 0
            self.words[number * WORDS : (number + 1) * WORDS] = words
        return 0 if dtype is None else TYPES.get(dtype, 0)


def small_step_functions(runtime: RuntimeInterface) -> dict[str, Callable[..., Any]]:
    """The functions for ``small_steps.lua``."""
    handles = runtime.handles
    objects = handles.objects

    def small_criterion(criterion: int, key: str, names: str, quirk: str) -> tuple[int, int]:
        """Note a criterion that must be of the class registered as ``key``.

        Returns a handle and the address of its array; 0 where Python has another class.
        """
        obj = objects[criterion]
        if handles.cuda or type(obj) is not layers[key]:
            return 0, 0
        model = SmallCriterion(obj, names.split(), quirk)
        return handles.give_new(model, Kind.OBJECT), ctypes.addressof(model.words)

    def find_small_criterion(handle: int) -> int:
        return 0 if handles.cuda else objects[handle].find()

    def set_number(handle: int, name: str, value: float) -> None:
        """Set a field to a number that Lua has computed."""
        objects[handle].__dict__[name] = value

    return {
        "small_criterion": small_criterion,
        "find_small_criterion": find_small_criterion,
        "set_number": set_number,
    }
