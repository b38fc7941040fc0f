"""cjson: JSON texts and Lua values."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("cjson", __name__, lua="cjson.lua", with_torch=True, projects=14)
package("cjson.safe", __name__, requires=("cjson",), lua="safe.lua")
package("cjson.util", __name__, lua="util.lua")
