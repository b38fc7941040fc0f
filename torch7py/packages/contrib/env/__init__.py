"""env: what Torch7 had before th: a greeting, and a few global functions."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("env", __name__, requires=("torch", "dok", "paths"), lua="env.lua", with_torch=True)
