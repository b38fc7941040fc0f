"""The ``.t7`` serialization format. Knows no Lua."""

from __future__ import annotations

from torch7py.t7.errors import T7Error
from torch7py.t7.files import load, save
from torch7py.t7.objects import Function, Object, Table

__all__ = ["Function", "Object", "T7Error", "Table", "load", "save"]
