"""Which methods the classes of the original define themselves, and which they inherit.

Python's classes share code differently. A script must not see that: a method that it puts into a base class overrides
the method for exactly the classes that inherit it in the original.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

__all__ = ["original_methods"]


@cache
def original_methods() -> dict[str, frozenset[str]]:
    """Class name -> the methods that the class has itself, those that packages add to it included."""
    by_class: dict[str, set[str]] = {}
    for line in files(__package__).joinpath("own_methods.txt").read_text("ascii").splitlines():
        if not line.startswith(("#", "[")):
            name, *methods = line.split()
            by_class.setdefault(name, set()).update(methods)
    return {name: frozenset(methods) for name, methods in by_class.items()}
