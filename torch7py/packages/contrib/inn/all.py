"""Importing this registers the layers of the inn package."""

from __future__ import annotations

from torch7py.packages.contrib.inn import layers, regions, stochastic  # noqa: F401

__all__: list[str] = []
