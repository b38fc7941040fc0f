"""vector: lists that grow, kept in storages."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("vector", __name__, requires=("torch", "tds"), lua="vector.lua")
