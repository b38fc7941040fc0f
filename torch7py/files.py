"""``torch7py.load`` and ``torch7py.save``: ``.t7`` files, with every layer that there is here."""

from __future__ import annotations

import os
from typing import Any

from torch7py.packages.registry import packages
from torch7py.t7 import files as t7
from torch7py.t7.files import Form

__all__ = ["load", "register_layers", "save"]


def register_layers() -> None:
    """Make the layers of all packages known; a script sees those of the packages that it requires."""
    for package in packages.values():
        package.load()


def load(
    path: str | os.PathLike[str],
    *,
    format: t7.ReadForm | None = None,
    referenced: bool = True,
    encoding: str = "latin1",
    mmap: bool = False,
) -> Any:
    """Read a ``.t7`` file.

    Numbers, strings and booleans come as Python's, tensors as ``torch.Tensor``, sharing memory as they did; storages
    as ``torch7py.ops.memory.Storage``; tables as ``torch7py.Table``; layers and criterions of nn, nngraph, rnn, dpnn,
    cunn and cudnn as live ``torch.nn.Module``s, ready to run, to train and to be saved again; objects of other
    classes as ``torch7py.T7Object``, or as modules that only cannot run where they are layers; functions as
    ``torch7py.T7Function``, which are kept, not run. Tensors that were on a GPU come on the CPU. Nothing that is
    read is run. ::

        model = torch7py.load("model.t7")
        checkpoint = torch7py.load("checkpoint.t7")
        model, options = checkpoint["model"], checkpoint["opt"].plain()

    A model of an old version of its classes is brought up to date, as in Torch7. The gradients that were saved with
    it are in ``.grad``: zero them before the first backward.

    Args:
        path: the file.
        format: ``"binary"`` or ``"ascii"``; ``"b32"`` or ``"b64"`` for a binary file with longs of 4 or 8 bytes.
            None to see by the file, in which the bytes may stand in either order.
        referenced: False for a file that was saved without references.
        encoding: of the strings; ``latin1`` keeps every byte as one character, as the Lua runtime does.
        mmap: True for large storages that are memory mapped from the file, copy-on-write, instead of copies of it. That
            loads at once what is used later, and the file must stay as it is while they are used: what another process
            writes into it changes them, and where it is cut the process dies (``torch7py.save`` puts a new file in its
            place, which does neither). They cannot be resized. Numbers that do not lie at a multiple of their size in
            the file are copied in any case.

    Raises:
        T7Error: the file is damaged or no ``.t7`` file; it says at which byte, and what was there.
        OSError: it cannot be read.
    """
    register_layers()
    return t7.load(path, format=format, referenced=referenced, encoding=encoding, mmap=mmap)


def save(
    obj: Any,
    path: str | os.PathLike[str],
    *,
    format: Form = "binary",
    referenced: bool = True,
    encoding: str = "latin1",
) -> None:
    """Write a ``.t7`` file as Torch7's ``torch.save`` does.

    Takes what ``load`` gives, and dicts, lists, numpy arrays and numbers besides. What was read and not changed is
    written byte for byte as it was; a layer made in Python is written with all fields of its class. The file is
    written under another name first and then put in its place, so that a reader finds the old or the new one.

    Args:
        obj: what to save.
        path: where.
        format: ``"binary"`` (longs of 8 bytes, little-endian, as the original on x86-64) or ``"ascii"``.
        referenced: False to write every object each time it occurs.
        encoding: of the strings; what it cannot express is written as utf-8.

    Raises:
        T7Error: something in it cannot be saved.
        OSError: the file cannot be written.
    """
    t7.save(obj, path, format=format, referenced=referenced, encoding=encoding)
