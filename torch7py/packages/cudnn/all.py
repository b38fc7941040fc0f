"""Registers all that cudnn brings."""

from __future__ import annotations

from torch7py.packages.cudnn import convert, criterion, functional, layers, recurrent

__all__ = ["convert", "criterion", "functional", "layers", "recurrent"]
