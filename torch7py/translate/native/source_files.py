"""One file of a program, and the Python module that its page is."""

from __future__ import annotations

import keyword
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from torch7py.translate import tree
from torch7py.translate.tree import Block, Expression

__all__ = ["SourceFile"]

# Modules that a page may import: a file of such a name would stand in their way.
_TAKEN = {"torch", "numpy", "shared", *sys.stdlib_module_names}


@dataclass(eq=False)
class SourceFile:
    """One file. ``name`` is its path from the program's folder, ``function`` its stand-in (None for the script)."""

    name: str
    block: Block
    path: Path
    function: tree.Function | None = None
    source: bytes = b""  # what its places are counted in
    is_package: bool = False  # and nothing of the program's

    @property
    def module(self) -> str:
        """The Python module of its page: ``util.misc``."""
        parts = PurePosixPath(self.name).with_suffix("").parts
        if len(parts) > 1 and parts[-1] == "init":
            parts = parts[:-1]
        return ".".join(_module_part(part) for part in parts)

    @property
    def page(self) -> str:
        """Where its page is written, from the folder of the script's."""
        parts = PurePosixPath(self.name).with_suffix("").parts
        path = self.module.replace(".", "/")
        return f"{path}/__init__.py" if len(parts) > 1 and parts[-1] == "init" else f"{path}.py"

    @property
    def returned(self) -> Expression | None:
        """What the file gives whoever requires it."""
        last = self.block.statements[-1] if self.block.statements else None
        return last.values[0] if isinstance(last, tree.Return) and len(last.values) == 1 else None


def _module_part(part: str) -> str:
    name = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in part)
    if not name or name[0].isdigit():
        name = f"_{name}"
    return f"{name}_" if keyword.iskeyword(name) or name in _TAKEN else name
