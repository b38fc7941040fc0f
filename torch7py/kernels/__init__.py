"""Loops over memory that no operation of PyTorch or numpy does, written in Lua and compiled by LuaJIT.

LuaJIT serves as a compiler of loops only: the kernels have a Lua state of their own, from which no object of a program
or of Python can be reached. They take addresses, sizes and a few numbers, and write their results to the caller's
memory. Where LuaJIT 2.1 is missing callers use a version in Python, with which the tests compare the kernels. They read
what may hold any bits by ``reading.lua``, which is handed to them.

``kernel("quicksort")`` returns the function of ``quicksort.lua``; the comment at the head of a file says what it
computes. Other Python threads run meanwhile, but two kernels never run at once.
"""

from __future__ import annotations

from torch7py.kernels.compiler import available, kernel

__all__ = ["available", "kernel"]
