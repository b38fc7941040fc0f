"""Modules and criterions: how a program makes them, and what it calls on them."""

from __future__ import annotations

from torch7py.translate.native.models.methods import Models

__all__ = ["Models"]
