"""tbc: a convolution along the time, of sequences whose first dimension is the time."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("tbc", __name__, ".layers", requires=("nn",))
