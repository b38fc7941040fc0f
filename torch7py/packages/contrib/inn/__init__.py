"""inn: layers of image models (imagine-nn), among them pooling of regions of interest."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("inn", __name__, ".all", requires=("nn",), lua="inn.lua", makes_global=True, projects=4)
package("inn.utils", __name__, requires=("inn",), lua="utils.lua")
