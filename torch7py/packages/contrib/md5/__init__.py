"""md5: digests of strings."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("md5", __name__, ".digests")
