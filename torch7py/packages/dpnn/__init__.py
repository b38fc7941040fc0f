"""dpnn: what rnn's modules have beyond those of nn; its Python is in ``torch7py.rnn.dpnn``."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package(
    "dpnn", __name__, "torch7py.rnn.dpnn.all", requires=("nn",), lua="dpnn.lua", makes_global=True, projects=6
)
