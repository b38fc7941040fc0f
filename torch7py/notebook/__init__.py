"""Lua in Jupyter: cells in a Python notebook, and a kernel of its own."""
