"""paths: names of files, and the files and directories under them."""

from __future__ import annotations

from torch7py.ops.support import unsupported
from torch7py.packages.registry import package

__all__: list[str] = []

package("paths", __name__, ".filesystem", lua="paths.lua", makes_global=True, with_torch=True, projects=28)

unsupported("paths.getregistryvalue", "an error: the registry of Windows")
