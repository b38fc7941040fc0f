"""stn: spatial transformers (Jaderberg et al., 2015), with colours as the last dimension."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("stn", __name__, ".all", requires=("nn",), lua="stn.lua")
