"""rnn: recurrent layers, whose Python is in ``torch7py.rnn``."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package(
    "rnn",
    __name__,
    "torch7py.rnn.all",
    requires=("dpnn", "torchx"),
    lua="rnn.lua",
    makes_global=True,
    projects=13,
)
