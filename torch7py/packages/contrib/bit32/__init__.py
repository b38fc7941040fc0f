"""bit32: Lua 5.2's operations on the bits of integers."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("bit32", __name__, lua="bit32.lua")
