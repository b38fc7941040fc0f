"""display: images and plots in a browser, none of which is shown."""

from __future__ import annotations

from torch7py.ops.support import restricted
from torch7py.packages.registry import package

__all__: list[str] = []

package("display", __name__, requires=("torch",), lua="display.lua", projects=12)

for _name in ("image", "images", "plot", "text", "audio", "pane"):
    restricted(f"display.{_name}", "shows nothing, which is said once; arguments are looked at")
