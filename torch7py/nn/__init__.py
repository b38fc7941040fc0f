"""The layers of nn, as PyTorch modules that also speak Torch7's protocol: ``torch7py.nn.Linear(4, 3)``."""

from __future__ import annotations

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    if name[:1].isupper():
        importlib.import_module("torch7py.nn.all")
        registry = importlib.import_module("torch7py.nn.registry")
        cls = registry.layers.get(f"nn.{name}")
        if cls is not None and registry.package_of[f"nn.{name}"] == "nn":
            return cls
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
