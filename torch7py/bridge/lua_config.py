"""Tables that the Lua side gets: the operations at the start of a runtime, a package when a program requires it.

They are the same for every runtime until something else is registered, so their Lua text is cached. Registers only
grow: their sizes tell whether the cached text is still valid.
"""

from __future__ import annotations

from collections.abc import Set
from functools import cache
from typing import Any

from torch7py.bridge.dispatch import loops
from torch7py.bridge.lua_literals import lua_literal
from torch7py.bridge.package_functions import functions_and_records
from torch7py.nn.binding import describe, virtual_methods
from torch7py.nn.object import BESIDE_PASSES
from torch7py.nn.registry import extensions, layers
from torch7py.ops import types
from torch7py.ops.registry import operations
from torch7py.packages.registry import Package

__all__ = ["at_start", "of_package"]


def at_start() -> str:
    """The constant part of the table ``config`` of ``boot.lua``, as a Lua expression."""
    return _at_start(len(operations), len(layers))


@cache
def _at_start(*sizes: int) -> str:
    return lua_literal(
        {
            "types": [[t.name, t.code, t.ctype, t.size] for t in types.NUMBER_TYPES],
            "virtual": virtual_methods(),
            "beside_passes": sorted(BESIDE_PASSES),
            "loops": loops(),
            "operations": [[name, op.has_method] for name, op in operations.items()],
        }
    )


def of_package(package: Package, loaded: Set[str]) -> str:
    """What ``packages.lua`` needs to create a package next to those already loaded, as a Lua expression."""
    added = sum(len(methods) for classes in extensions.values() for methods in classes.values())
    sizes = len(layers), added, len(package.functions), len(package.records)
    return _of_package(package, frozenset(loaded), *sizes)


@cache
def _of_package(package: Package, loaded: frozenset[str], *sizes: int) -> str:
    classes, additions = describe(package.name, loaded)
    config: dict[str, Any] = {
        "global": package.name if package.makes_global else None,
        "classes": classes,
        "additions": additions,
        "virtual": virtual_methods() if classes else None,
        "chunk": package.chunk,
    }
    return lua_literal(config | functions_and_records(package))
