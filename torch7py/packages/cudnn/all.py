"""Registers all that cudnn brings."""

from __future__ import annotations

from torch7py.packages.cudnn import convert, criterion, functional, recurrent, twins

__all__ = ["convert", "criterion", "functional", "recurrent", "twins"]
