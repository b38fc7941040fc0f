"""optnet: less memory for networks."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("optnet", __name__, requires=("nn",), lua="optnet.lua", projects=8)
package("optnet.graphgen", __name__, requires=("optnet",), lua="graphgen.lua")
