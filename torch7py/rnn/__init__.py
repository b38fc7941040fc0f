"""The layers of rnn and dpnn: ``torch7py.rnn.LSTM(10, 20)``."""

from __future__ import annotations

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    if name[:1].isupper():
        importlib.import_module("torch7py.rnn.all")
        registry = importlib.import_module("torch7py.nn.registry")
        cls = registry.layers.get(f"nn.{name}")
        if cls is not None and registry.package_of[f"nn.{name}"] in ("rnn", "dpnn"):
            return cls
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
