"""Importing this registers the layers of the inn package."""

from __future__ import annotations

from torch7py.packages.inn import layers, regions, stochastic  # noqa: F401

__all__: list[str] = []
