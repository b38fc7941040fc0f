"""What is known of a program before any of it is written. Nothing here asks how pages are written."""

from __future__ import annotations
