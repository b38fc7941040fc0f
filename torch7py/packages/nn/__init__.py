"""nn: layers and criterions, whose Python is in ``torch7py.nn``."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package(
    "nn",
    __name__,
    "torch7py.nn.all",
    requires=("torch",),
    lua="nn.lua",
    makes_global=True,
    with_torch=True,
    projects=79,
)
package("nn.utils", __name__, ".utils", requires=("torch",), lua="utils.lua")
package("nn.THNN", __name__, ".thnn", requires=("torch",), lua="THNN.lua")
package("nn.tables", __name__, ".connection_tables", requires=("torch",))
