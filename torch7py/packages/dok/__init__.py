"""dok: the functions for arguments and help that xlua has too."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("dok", __name__, requires=("xlua",), lua="dok.lua", makes_global=True, with_torch=True)
