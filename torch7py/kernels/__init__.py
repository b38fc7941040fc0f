"""Loops over memory that no operation of PyTorch or numpy does, written in Lua and compiled by LuaJIT.

LuaJIT is here a compiler of loops and nothing else: it has a state of its own, which a kernel reaches no program's and
no Python object from. Kernels are handed addresses, sizes and a few numbers, and hand nothing back: they write into
the caller's memory. Where LuaJIT 2.1 is missing callers have their own way in Python, which is the kernels' measure in
the tests too.

``kernel("quicksort")`` gives the function of ``quicksort.lua``; the head of each file says what it computes. While one
runs, other Python threads go on; two kernels at once take turns.
"""

from __future__ import annotations

from torch7py.kernels.compiler import available, kernel

__all__ = ["available", "kernel"]
