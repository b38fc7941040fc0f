"""Where files are kept for a user between processes."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["state_folder"]


def state_folder() -> Path:
    """``torch7py`` under ``$XDG_STATE_HOME``, by default ``~/.local/state``. It may be missing."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "torch7py"
