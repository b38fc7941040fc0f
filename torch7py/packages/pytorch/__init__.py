"""pytorch: layers of PyTorch's own in a Lua program; their Python is in ``torch7py.nn.foreign``."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("pytorch", __name__, "torch7py.nn.foreign", requires=("nn",))
