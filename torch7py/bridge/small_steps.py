"""Where Lua finds the memory of small models, whose steps it takes itself (``lua/small_steps.lua``).

A *small model* is a module of built-in classes and those inside it, as long as nothing is special about them: no
method of a script's, no hook, tensors on the CPU that lie in one piece and have a buffer for each result. Then Lua
writes where the layers' own methods would have written, and both languages see the same tensors.
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

__all__ = ["SmallModel", "small_step_functions"]

# Of a tensor: its address (0: there is none), dimensions (-1: the field is nil) and the first two sizes.
WORDS = 4
# Attributes of objects that Python alone serves.
SPECIAL = ("_marked", "_above", "_elsewhere", "_catch_up", "_lent", "_direct")
TYPES = {torch.float64: 1, torch.float32: 2}


class SmallModel:
    """The objects of a small model and the array that Lua reads the places of their tensors from.

    ``parts`` are the layers or the criterion itself, in their order; ``containers`` have the numbers of their first and
    last part, whose results are theirs. ``quirk`` names what an older generation did differently, which is not for Lua.
    """

    def __init__(
        self,
        names: Sequence[str],
        parts: list[TorchObject],
        containers: list[tuple[TorchObject, int, int]],
        quirk: str = "",
    ) -> None:
        self.quirk = quirk
        self.names = names
        self.parts = parts
        self.containers = containers
        self.words = (ctypes.c_int64 * (WORDS * len(names) * len(parts)))()

    def make_room(self, name: str, sizes: Sequence[int]) -> None:
        """Give each part a result of this name, ``output`` or ``gradInput``, of its size.

        The sizes of all parts follow each other.
        """
        dims = len(sizes) // len(self.parts)
        for number, part in enumerate(self.parts):
            wanted = tuple(int(size) for size in sizes[number * dims : (number + 1) * dims])
            held = part.__dict__[name]
            if (
                held.shape != wanted
                or not held.is_contiguous()
                or part.__dict__["_own"].get(name) is not held
            ):
                part.keep(name, part.new(*wanted).zero_())  # whatever lies there, no loop may read as it is
        for container, first, last in self.containers:
            container.__dict__[name] = self.parts[last if name == "output" else first].__dict__[name]

    def find(self) -> int:
        """Write down where the tensors are. Returns the number of their type in ``TYPES``, 0 where Lua cannot serve.

        4 is added where a container's output is not its last part's, 8 where its gradInput is not its first part's.
        """
        if self.quirk and older(self.quirk):
            return 0
        dtype: torch.dtype | None = None
        words, at = self.words, 0
        for part in self.parts:
            attributes = part.__dict__
            if _is_special(part) or attributes.get("inplace"):
                return 0
            attributes.pop("_trace", None)  # it is of results that Lua overwrites now
            for name in self.names:
                tensor = part.get_field(name)
                words[at : at + WORDS] = [0] * WORDS
                if isinstance(tensor, torch.Tensor):
                    if dtype is None:
                        dtype = tensor.dtype
                    is_own = name not in attributes or attributes["_own"].get(name) is tensor
                    if tensor.dtype is not dtype or not tensor.is_cpu:
                        return 0
                    if is_own and not tensor.is_contiguous():
                        return 0
                    if is_own and tensor.numel():  # another one is not written to
                        sizes = [*tensor.shape[:2], 1, 1][:2]
                        words[at : at + WORDS] = [tensor.data_ptr(), tensor.dim(), *sizes]
                elif tensor is None:
                    words[at + 1] = -1
                elif not isinstance(tensor, (int, float)):
                    return 0
                at += WORDS
        apart = 0
        for container, first, last in self.containers:
            attributes = container.__dict__
            if _is_special(container):
                return 0
            if attributes["output"] is not self.parts[last].__dict__["output"]:
                apart |= 4
            if attributes["gradInput"] is not self.parts[first].__dict__["gradInput"]:
                apart |= 8
        number = 0 if dtype is None else TYPES.get(dtype, 0)
        return number and number + apart


def _is_special(obj: TorchObject) -> bool:
    attributes = obj.__dict__
    return any(name in attributes for name in SPECIAL) or has_hooks(obj)


def small_step_functions(runtime: RuntimeInterface) -> dict[str, Callable[..., Any]]:
    """The functions for ``small_steps.lua``."""
    handles = runtime.handles
    objects = handles.objects

    def small_model(names: str, classes: str, quirk: str, count: int, *modules: int) -> tuple[int, int]:
        """Note a small model of so many parts, which begin the handles, with the classes whose layers they must be.

        Handles, first and last part of each container follow. Returns the model's handle and the address of its array;
        0 where a part is of another class in Python than in Lua.
        """
        parts = [objects[handle] for handle in modules[:count]]
        keys = classes.split()
        if handles.cuda or any(type(p) is not layers[k] for p, k in zip(parts, keys, strict=True)):
            return 0, 0
        rest = modules[count:]
        containers = [(objects[rest[i]], rest[i + 1], rest[i + 2]) for i in range(0, len(rest), 3)]
        model = SmallModel(names.split(), parts, containers, quirk)
        return handles.give_new(model, Kind.OBJECT), ctypes.addressof(model.words)

    def find_small_model(handle: int) -> int:
        return 0 if handles.cuda else objects[handle].find()

    def make_room(handle: int, name: str, *sizes: int) -> None:
        """Let results have these sizes (see ``SmallModel.make_room``)."""
        objects[handle].make_room(name, sizes)

    def set_number(handle: int, name: str, value: float) -> None:
        """Set a field to a number that Lua has computed."""
        objects[handle].__dict__[name] = value

    return {
        "small_model": small_model,
        "find_small_model": find_small_model,
        "make_room": make_room,
        "set_number": set_number,
    }
