"""Modules and criterions: how a program makes them, and what it calls on them."""

from __future__ import annotations
