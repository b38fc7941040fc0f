"""fbtorch: torch with Facebook's ``torch.reload``."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("fbtorch", __name__, requires=("torch", "paths", "sys"), lua="fbtorch.lua")
