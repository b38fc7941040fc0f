"""lfs: LuaFileSystem: the attributes of files, directories and links."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("lfs", __name__, ".filesystem", lua="lfs.lua", makes_global=True, with_torch=True, projects=16)
