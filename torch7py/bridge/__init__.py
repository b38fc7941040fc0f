"""Lua programs on the Python floors below. Knows no layer and no operation by name."""
