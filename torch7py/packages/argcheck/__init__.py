"""argcheck: functions that check their arguments by rules in a table."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package(
    "argcheck",
    __name__,
    requires=("torch", "argcheck.env", "argcheck.doc", "argcheck._call"),
    lua="argcheck.lua",
    with_torch=True,
    projects=16,
)
package("argcheck._call", __name__, requires=("torch", "argcheck.env"), lua="call.lua")
package("argcheck.env", __name__, requires=("torch",), lua="env.lua")
package("argcheck.doc", __name__, lua="doc.lua")
