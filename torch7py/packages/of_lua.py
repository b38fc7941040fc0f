"""Notes on names that the bridge's Lua files define (see ``ops/support.py``)."""

from __future__ import annotations

from torch7py.ops.support import restricted, unsupported

__all__: list[str] = []

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
unsupported("paths.getregistryvalue", "an error: the registry of Windows")
for _name in ("torch.save", "torch.serialize", "torch.serializeToStorage"):
    restricted(_name, "functions cannot be saved by translated programs, which have no bytecode")
for _name in ("torch.getenv", "torch.setenv"):
    restricted(_name, "an error in translated programs, whose functions have the globals of the program")
restricted("xlua.Profiler", "displayAll is an error: it draws with Qt")
for _name in ("tds.Hash", "tds.Vec", "tds.AtomicCounter"):
    restricted(_name, "objects have the Lua type userdata, where the original's were LuaJIT's cdata")

for _name in ("image", "images", "plot", "text", "audio", "pane"):
    restricted(f"display.{_name}", "shows nothing, which is said once; arguments are looked at")
restricted(
    "visdom.client", "shows nothing, which is said once; check_connection says that there is no server"
)
for _name in ("display", "image"):
    restricted(f"iterm.{_name}", "shows nothing, which is said once")
for _name in ("find", "match", "gmatch", "gsub", "lower", "upper"):
    restricted(f"lua-utf8.{_name}", "an error with characters other than those of ASCII")
for _name in ("bind", "connect", "select", "tcp", "udp"):
    unsupported(f"socket.{_name}", "an error: there are no connections")
