"""inn (imagine-nn): layers of image models, among them those of objects' regions."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("inn", __name__, ".all", requires=("nn",), lua="inn.lua", makes_global=True, projects=4)
package("inn.utils", __name__, requires=("inn",), lua="utils.lua")
