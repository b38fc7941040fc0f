"""torchx: the files under a folder, and names as rows of characters."""

from __future__ import annotations

import fnmatch
import os

import torch

from torch7py.ops.errors import TorchError
from torch7py.ops.support import restricted, unsupported
from torch7py.packages.registry import function

__all__ = ["find", "rows"]

restricted(
    "paths.indexdir", "in the order of names, where the original has the file system's; nothing is cached"
)
unsupported("torch.MultiCudaTensor", "not written: there is one GPU")


@function("torchx._find", filenames=True)
def find(folder: str, endings: str, no_file: str | None = None, no_path: str | None = None) -> list[str]:
    """The files under a folder with one of the endings (separated by slashes), whatever their case."""
    if not os.path.isdir(folder):
        raise TorchError(f"there is no folder {folder}")
    suffixes = tuple("." + ending.lower() for ending in endings.split("/"))
    paths = []
    for parent, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = parent.rstrip("/") + "/" + name
            if not name.lower().endswith(suffixes):
                continue
            if no_file is not None and fnmatch.fnmatchcase(name.lower(), no_file.lower()):
                continue
            if no_path is not None and fnmatch.fnmatchcase(path, no_path):
                continue
            paths.append(path)
    return paths


@function("torchx._rows", filenames=True)
def rows(names: str) -> torch.Tensor:
    """Names, a line each, as the rows of a CharTensor; zeros follow."""
    texts = [os.fsencode(name) for name in names.split("\n")]
    width = max(map(len, texts)) + 1
    padded = bytearray(b"".join(text.ljust(width, b"\0") for text in texts))
    return torch.frombuffer(padded, dtype=torch.int8).view(len(texts), width).clone()  # memory that can grow
