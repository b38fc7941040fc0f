"""visdom: plots in a browser, none of which is shown."""

from __future__ import annotations

from torch7py.ops.support import restricted
from torch7py.packages.registry import package

__all__: list[str] = []

package("visdom", __name__, requires=("torch",), lua="visdom.lua")

restricted(
    "visdom.client", "shows nothing, which is said once; check_connection says that there is no server"
)
