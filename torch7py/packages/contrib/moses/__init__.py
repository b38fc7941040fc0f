"""moses: functions over tables, as of version 1.4."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("moses", __name__, lua="moses.lua")
