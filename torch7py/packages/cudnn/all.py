"""Registers all that cudnn brings; the layers of nn are there before."""

from __future__ import annotations

import torch7py.nn.all  # noqa: F401
from torch7py.packages.cudnn import convert, criterion, twins

__all__ = ["convert", "criterion", "twins"]
