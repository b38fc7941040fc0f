"""Importing this registers every layer and criterion of the nn package."""

from __future__ import annotations

from torch7py.nn import activation, base, container, criterion, dropout, linear  # noqa: F401
