"""``nn.tables``: tables of connections for convolutions between chosen planes."""

from __future__ import annotations

from torch7py.nn import connections
from torch7py.packages.registry import function

__all__: list[str] = []

function("nn.tables.full")(connections.full)
function("nn.tables.oneToOne")(connections.one_to_one)
function("nn.tables.random")(connections.random)
