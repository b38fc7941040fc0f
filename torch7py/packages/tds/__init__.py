"""tds: vectors and hashes outside of Lua's memory."""

from __future__ import annotations

from torch7py.ops.support import restricted
from torch7py.packages.registry import package

__all__: list[str] = []

package("tds", __name__, ".counting", requires=("torch",), lua="tds.lua", with_torch=True, projects=15)

for _name in ("tds.Hash", "tds.Vec", "tds.AtomicCounter"):
    restricted(_name, "objects have the Lua type userdata, where the original's were LuaJIT's cdata")
