"""Which compiled functions in files are the user's own: those that a Lua program of this user has saved.

A function in a ``.t7`` is LuaJIT's bytecode, and bytecode that somebody else made can do more than any program. So
only that runs whose digest is known: of functions that this process has compiled, and of those that earlier ones have
written to a file. The latter are kept in ``torch7py/functions`` under ``$XDG_STATE_HOME``, by default
``~/.local/state``, a line each; a file that somebody else may write to is disregarded.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from torch7py.ops import state

__all__ = ["is_trusted", "trust"]


def trust(code: str, lasting: bool) -> None:
    """Remember a function that this process has compiled; ``lasting``: for later processes too."""
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
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "torch7py" / "functions"


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
