"""Layers by their names."""

from __future__ import annotations

from typing import Any

from torch7py.files import register_layers
from torch7py.nn import registry


def made(name: str, *arguments: Any) -> Any:
    """A layer of any package: ``made("nn.Sequencer", module)``."""
    register_layers()
    layers: dict[str, Any] = registry.layers
    return layers[name](*arguments)
