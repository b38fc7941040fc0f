"""snappy: strings in Snappy's compressed format."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("snappy", __name__, ".compression")
