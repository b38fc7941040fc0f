"""Which methods the classes of the original define themselves, which they inherit, and which return nothing.

Python's classes share code differently. A script must not see that: a method that it puts into a base class overrides
the method for exactly the classes that inherit it in the original. Nor does it see what Python's methods return where
the original's return nothing.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

__all__ = ["original_methods", "returns_nothing"]


@cache
def _by_class() -> dict[str, dict[str, bool]]:
    """Class name -> the methods that the class has itself, and whether they return something."""
    by_class: dict[str, dict[str, bool]] = {}
    for line in files(__package__).joinpath("own_methods.txt").read_text("ascii").splitlines():
        if not line.startswith(("#", "[")):
            name, *methods = line.split()
            by_class.setdefault(name, {}).update((m.removesuffix("*"), not m.endswith("*")) for m in methods)
    return by_class


@cache
def original_methods() -> dict[str, frozenset[str]]:
    """Class name -> the methods that the class has itself, those that packages add to it included."""
    return {name: frozenset(methods) for name, methods in _by_class().items()}


def returns_nothing(class_name: str, method: str) -> bool:
    """Whether the original's method of this very class has no value in Lua."""
    return not _by_class().get(class_name, {}).get(method, True)
