"""The register of Lua packages: what ``require`` finds besides the script's own files."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

__all__ = ["Package", "function", "package", "packages"]

F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class Package:
    """A Lua package.

    ``imports`` is the Python module that registers what the package brings when it is imported; ``requires``
    names the packages loaded with it; ``globals`` is the global table it makes (by default its own name);
    ``functions`` are the Python functions in that table, ``chunk`` the name of a ``.lua`` file that completes it.
    """

    name: str
    imports: str | None = None
    requires: tuple[str, ...] = ()
    table: str | None = None
    chunk: str | None = None
    functions: dict[str, Callable[..., Any]] = field(default_factory=dict)

    def load(self) -> None:
        if self.imports is not None:
            importlib.import_module(self.imports)


packages: dict[str, Package] = {}


def package(
    name: str,
    imports: str | None = None,
    *,
    requires: tuple[str, ...] = (),
    table: str | None = None,
    chunk: str | None = None,
) -> Package:
    """Register a package under the name that ``require`` takes."""
    if name in packages:
        raise ValueError(f"package {name!r} is registered twice")
    made = packages[name] = Package(name, imports, requires, table or name, chunk)
    return made


def function(name: str) -> Callable[[F], F]:
    """Register a Python function as ``package.name``. It takes and returns plain values and tensors."""
    owner, _, short = name.rpartition(".")

    def register(f: F) -> F:
        functions = packages[owner].functions
        if short in functions:
            raise ValueError(f"function {name!r} is registered twice")
        functions[short] = f
        return f

    return register
