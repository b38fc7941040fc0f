"""Importing this registers the layers of the stn package."""

from __future__ import annotations

from torch7py.packages.contrib.stn import kernels, layers  # noqa: F401

__all__: list[str] = []
