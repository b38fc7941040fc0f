"""Which methods the classes of the original define themselves, and which they inherit.

Python's classes share code in other places than the original's did. What a script sees must not follow from that: a
method that it puts into a base class stands for all classes that inherit it there, and for no others.
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
