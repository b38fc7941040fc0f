"""socket: the clock of LuaSocket."""

from __future__ import annotations

from torch7py.ops.support import unsupported
from torch7py.packages.registry import package

__all__: list[str] = []

package("socket", __name__, requires=("sys",), lua="socket.lua", makes_global=True, projects=4)

for _name in ("bind", "connect", "select", "tcp", "udp"):
    unsupported(f"socket.{_name}", "an error: there are no connections")
