"""class: classes whose objects are tables, with one parent each."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("class", __name__, lua="class.lua", projects=5)
