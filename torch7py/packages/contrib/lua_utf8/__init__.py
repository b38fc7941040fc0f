"""lua-utf8: strings by their characters in UTF-8."""

from __future__ import annotations

from torch7py.ops.support import restricted
from torch7py.packages.registry import package

__all__: list[str] = []

package("lua-utf8", __name__, lua="utf8.lua")

for _name in ("find", "match", "gmatch", "gsub", "lower", "upper"):
    restricted(f"lua-utf8.{_name}", "an error with characters other than those of ASCII")
