"""pprint: values as texts for people to read."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("pprint", __name__, requires=("torch",), lua="pprint.lua")
