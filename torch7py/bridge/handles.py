"""Handles: the integers by which Lua holds Python objects.

lupa frees a Python object under Lua's feet when it hands the same object out again while the old wrapper
awaits finalization. So no Python object is ever in a script's hands: Lua holds an integer (inside a
userdata or a module's table), Python keeps the object under it and counts how often it was given out.

A handle carries what it is in its low six bits (see ``ops.dispatch.kinds``), so that Lua knows the type without
asking. The sixth bit says that a tensor or storage is of a CUDA type; what the lower five say stays true of it.
Numbers are never used twice: a stale handle is a KeyError, not another object.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from operator import is_
from typing import Any

import torch

from torch7py.ops import types
from torch7py.ops.dispatch.kinds import Kind
from torch7py.t7.objects import Table

__all__ = ["STEP", "Handles"]

KIND = 31  # the bits of a handle that say what it is, apart from CUDA
_SIMPLE = frozenset({torch.Tensor, torch.nn.Parameter, int, float, bool, str, bytes, type(None)})
STEP = 64  # handles are multiples of STEP plus a kind
COUNTED = 1024  # bytes; Lua's own collector keeps up with tensors below this


class Handles:
    """The objects that one runtime's Lua state holds.

    ``objects`` maps handle to object and is read directly on the hot path. ``allocated`` counts the bytes of
    tensors given out since it was last reset: Lua sees only the integers, so the runtime uses the sum to
    decide when a collection is due. ``of_modules`` counts those of them that are parameters: dead modules are often
    in cycles, which Python's own collector does not know to be large. ``cuda`` says that the program has cutorch,
    ``within_cuda`` that what Python makes now and hands to Lua is of CUDA types.
    """

    def __init__(self) -> None:
        self.objects: dict[int, Any] = {}
        self.codes: dict[int, int] = {}  # id(object) -> handle, while the object is held
        self.extra: dict[int, int] = {}  # references beyond the first
        # by the handle of a list or dict: what Lua's table was given, or gave
        self.lua_contents: dict[int, Any] = {}
        self.allocated = self.of_modules = 0
        self.cuda = False
        self.within_cuda = False
        self.limit = 1 << 62  # bytes; beyond it a handle is given out negative, for Lua to collect first
        self._next = itertools.count(STEP, STEP)
        self._kinds = {dtype: Kind.TENSOR + t.code for dtype, t in types.BY_DTYPE.items()}
        self.give_tensor = self._tensor_giver()

    def give(self, obj: Any, kind: int) -> int:
        """Return the handle of an object and count one more reference."""
        handle = self.codes.get(id(obj))
        if handle is not None:
            self.extra[handle] = self.extra.get(handle, 0) + 1
            return handle
        return self.give_new(obj, kind)

    def give_new(self, obj: Any, kind: int) -> int:
        """``give`` for a new object, which cannot have a handle yet."""
        handle = next(self._next) + kind
        self.objects[handle] = obj
        self.codes[id(obj)] = handle
        return handle

    def asking(self, handle: int) -> int:
        """The handle, negative where a collection is due."""
        return -handle if self.allocated > self.limit else handle

    def count_parameters(self, module: Any) -> None:
        """Count the memory of a new module's parameters and their gradients, once it is built, read or copied."""
        parameters = module._parameters
        if parameters:
            size = 2 * sum(tensor.nbytes for tensor in parameters.values() if tensor is not None)
            self.allocated += size
            self.of_modules += size

    def _tensor_giver(self) -> Callable[[torch.Tensor], int]:
        # A closure: every result of an operation passes here, and attributes of self cost a quarter of it.
        objects, codes, extra, kinds = self.objects, self.codes, self.extra, self._kinds
        following = self._next.__next__

        def give_tensor(tensor: torch.Tensor) -> int:
            """``give`` for a tensor whose memory counts as newly allocated."""
            key = id(tensor)
            handle = codes.get(key)
            if handle is not None:
                extra[handle] = extra.get(handle, 0) + 1
                return handle
            handle = following() + kinds[tensor.dtype]
            objects[handle] = tensor
            codes[key] = handle
            size = tensor.nbytes
            if size > COUNTED:
                self.allocated += size
                if self.allocated > self.limit:
                    return -handle
            return handle

        return give_tensor

    def give_view(self, tensor: torch.Tensor) -> int:
        """``give`` for a tensor whose memory is already counted."""
        return self.give(tensor, self._kinds[tensor.dtype])

    def give_cuda(self, tensor: torch.Tensor) -> int:
        """``give_tensor`` for a result of CUDA tensors."""
        return self.give_typed(tensor if id(tensor) in self.codes else types.label_all(tensor))

    def give_cuda_view(self, tensor: torch.Tensor) -> int:
        """``give_view`` for a view of CUDA tensors."""
        return self.give(types.label_all(tensor), types.of(tensor).code)

    def give_typed(self, tensor: torch.Tensor) -> int:
        """``give_tensor`` for a tensor with a type label."""
        if id(tensor) in self.codes:
            return self.give(tensor, 0)
        self.allocated += tensor.nbytes
        handle = self.give_new(tensor, types.of(tensor).code)
        return -handle if self.allocated > self.limit else handle

    def give_typed_view(self, tensor: torch.Tensor) -> int:
        """``give_view`` for a tensor with a type label."""
        return self.give(tensor, types.of(tensor).code)

    def release(self, *handles: int) -> None:
        """Drop one reference of each handle."""
        objects, codes, extra = self.objects, self.codes, self.extra
        for handle in handles:
            count = extra.get(handle)
            if count is None:
                del codes[id(objects[handle])]
                del objects[handle]
                if handle & KIND == Kind.TABLE:
                    self.lua_contents.pop(handle, None)
            elif count == 1:
                del extra[handle]
            else:
                extra[handle] = count - 1

    def rebind(self, handle: int, obj: Any) -> None:
        """Let a handle that Lua holds refer to another object of the same kind, which has no handle yet."""
        if id(obj) in self.codes:
            raise ValueError("the object has a handle of its own")
        del self.codes[id(self.objects[handle])]
        self.objects[handle] = obj
        if handle & types.CUDA:
            types.label_all(obj)
        self.codes[id(obj)] = handle

    def matches_lua(
        self, held: list[Any] | dict[Any, Any], handle: int | None, seen: set[int | None] | None = None
    ) -> bool:
        """Whether a list or dict is unchanged since Lua's table with this handle last had the same content.

        ``seen`` has the handles of those that are being compared or have been, for one may lie within itself.
        """
        known = None if handle is None else self.lua_contents.get(handle)
        if known is None or len(known) != len(held):
            return False
        if isinstance(held, dict):
            if not isinstance(known, dict):
                return False
            for key, value in held.items():
                if key not in known or known[key] is not value:
                    return False
            values: Iterable[Any] = held.values()
        else:
            if not all(map(is_, held, known)):
                return False
            values = held
        for value in values:
            if value.__class__ in _SIMPLE:
                continue
            if isinstance(value, (list, dict)):
                inner = self.codes.get(id(value))
                seen = {handle} if seen is None else seen
                if inner in seen:
                    continue
                seen.add(inner)
                if not self.matches_lua(value, inner, seen):
                    return False
            elif isinstance(value, Table):
                return False
        return True

    def clear(self) -> None:
        self.lua_contents.clear()
        self.objects.clear()
        self.codes.clear()
        self.extra.clear()

    def __len__(self) -> int:
        return len(self.objects)
