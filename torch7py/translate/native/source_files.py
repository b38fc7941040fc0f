"""One file of a program, and the Python module that its page is."""

from __future__ import annotations

import keyword
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from torch7py.translate import tree
from torch7py.translate.native.comments import comment_lines
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
    heading: list[str] | None = (
        None  # the lines of the comment at its top, once a page has them as its docstring
    )

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

    def take_heading(self) -> list[str]:
        """The lines of the comment at the top, which is no comment of the first statement any more."""
        if self.heading is None:
            self.heading, first = [], next(iter(self.block.statements), None)
            before = first.around.before if first is not None else ()
            top = before[: next((i for i, comment in enumerate(before) if i and comment.blank), None)]
            if first is not None and top and top[0].line in (1, 2):
                lines = (line for comment in top for line in comment_lines(comment))
                self.heading += [
                    line[1:].removeprefix(" ") if line.startswith("#") else line for line in lines
                ]
                around = first.around._replace(before=before[len(top) :])
                object.__setattr__(
                    first, "around", around
                )  # it stays the same object for what is known about it
        return list(self.heading)

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
