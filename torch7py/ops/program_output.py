"""What layers print: by the ``print`` of the program that runs them, which it may have redefined."""

from __future__ import annotations

import sys
from typing import Any

from torch7py.ops import state

__all__ = ["say"]


def say(*values: Any) -> None:
    """Print values as the running program does; without one, their texts on a line."""
    prints = state.current().prints
    if prints is not None:
        prints(*values)
        return
    sys.stdout.write("\t".join(map(str, values)) + "\n")
    sys.stdout.flush()
