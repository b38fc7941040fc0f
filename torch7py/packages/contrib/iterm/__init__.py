"""iterm: images in the terminal, none of which is shown."""

from __future__ import annotations

from torch7py.ops.support import restricted
from torch7py.packages.registry import package

__all__: list[str] = []

package("iterm", __name__, requires=("torch",), lua="iterm.lua")
package("iterm.dot", __name__, requires=("iterm", "graph"), lua="dot.lua")

for _name in ("display", "image"):
    restricted(f"iterm.{_name}", "shows nothing, which is said once")
