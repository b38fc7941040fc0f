"""How Lua's libraries reach the packages of Torch7, which are built on them: by a function that is set from above."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["load_package", "set_package_loader"]

_loaders: list[Callable[[str], Any]] = []


def set_package_loader(load: Callable[[str], Any]) -> None:
    """Set the function that gives the value of ``require(name)`` for a package, None for an unknown one."""
    _loaders[:] = [load]


def load_package(name: str) -> Any:
    """The value of ``require(name)`` for a package of Torch7; None if there is no such package."""
    return _loaders[0](name)
