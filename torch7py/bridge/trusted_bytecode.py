"""Which compiled functions in files may run: those that a Lua program of this user has saved.

A function in a ``.t7`` file is LuaJIT bytecode, and hand-made bytecode can do more than any program. So only bytecode
with a known digest runs: that of functions which this process compiled, or which an earlier one wrote to a file. The
latter are stored in ``torch7py/functions`` under ``$XDG_STATE_HOME``, by default ``~/.local/state``, one digest a line.
The file is ignored if somebody else may write to it.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from torch7py.ops import state
from torch7py.ops.user_files import state_folder

__all__ = ["is_trusted", "trust"]


def trust(code: str, lasting: bool) -> None:
    """Trust a function that this process compiled; with ``lasting`` later processes trust it too."""
    digest = _digest(code)
    known = state.of_process().trusted_bytecode
    if digest not in known:
        known[digest] = False
    if lasting and not known[digest]:
        known[digest] = True
        if digest not in _kept():
            _keep(digest)


def is_trusted(code: str) -> bool:
    digest = _digest(code)
    return digest in state.of_process().trusted_bytecode or digest in _kept()


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode("latin1")).hexdigest()


def _path() -> Path:
    return state_folder() / "functions"


def _kept() -> set[str]:
    path = _path()
    try:
        status = path.stat()
        if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o022):
            return set()
        return set(path.read_text("ascii").split())
    except (OSError, UnicodeDecodeError):
        return set()


def _keep(digest: str) -> None:
    path = _path()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError:
        return  # no place to keep it: a later process says that it cannot run the function
    try:
        os.write(file, f"{digest}\n".encode("ascii"))  # one write, so that two processes do not mix
    finally:
        os.close(file)
