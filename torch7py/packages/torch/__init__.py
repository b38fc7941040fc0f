"""torch: tensors, storages, files and the tools of a program, whose Python is in ``torch7py.ops``."""

from __future__ import annotations

from torch7py.ops.support import restricted, unsupported
from torch7py.packages.registry import package

__all__: list[str] = []

package("torch", __name__, "torch7py.ops.all", makes_global=True, with_torch=True, projects=66)

for _name in ("torch.cdata", "torch.Tensor:cdata", "torch.Storage:cdata"):
    restricted(
        _name,
        "a pointer for the functions of x.THNN, which tells objects apart: none of Torch7's C structures is behind it",
    )
for _name in ("torch.pushudata", "torch.metatype"):
    unsupported(_name, "an error: there are no C structures of Torch7's here")
unsupported("torch.Allocator", "memory comes from PyTorch")
for _name in ("torch.setheaptracking", "torch.updateerrorhandlers", "torch.updatethreadlocals"):
    restricted(_name, "changes nothing: the runtime watches memory itself, errors need no handlers in C")
for _name in ("torch.data", "torch.Tensor:data", "torch.Storage:data"):
    restricted(_name, "needs LuaJIT, and memory of the CPU; an error in translated programs")
for _name in ("torch.Tensor:__index__", "torch.Tensor:__newindex__"):
    restricted(_name, "can be called; setting another function changes nothing")
for _name in ("torch.save", "torch.serialize", "torch.serializeToStorage"):
    restricted(_name, "functions cannot be saved by translated programs, which have no bytecode")
for _name in ("torch.getenv", "torch.setenv"):
    restricted(_name, "an error in translated programs, whose functions have the globals of the program")
