"""The torch package and its kin for translated programs, on the values of ``torch7py.lua_compat``.

A tensor is the ``torch.Tensor`` itself, and so are storages and the other objects of the ops floor. A layer is a Lua
table with the ``torch.nn.Module`` behind it (``modules.py``), so that a program may add fields and methods to it.
"""
