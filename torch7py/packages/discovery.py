"""Find the Python module that registers a package: a folder beside this file, or an entry point of another wheel.

Nothing is imported before a name is looked up. A name of the folders costs a look at the file system; the entry points
of all installed distributions are read when a name is not one of those, once.
"""

from __future__ import annotations

import importlib
import keyword
import pkgutil
from functools import cache
from importlib import util
from typing import NamedTuple

from torch7py.ops.errors import TorchError

__all__ = ["GROUP", "built_in_module", "built_in_modules", "import_declaration", "installed"]

GROUP = "torch7py.packages"  # the group of entry points
HOMES = ("torch7py.packages", "torch7py.packages.contrib")


@cache
def built_in_module(root: str) -> str | None:
    """The module of the folder that holds the packages whose names begin with ``root``."""
    folder = root.replace("-", "_")
    if keyword.iskeyword(folder):
        folder += "_"
    if not folder.isidentifier():
        return None
    for home in HOMES:
        spec = util.find_spec(f"{home}.{folder}")
        # Modules beside the folders, what is left of a removed folder and ``contrib`` itself hold no package.
        if spec is not None and spec.submodule_search_locations and spec.origin and spec.name not in HOMES:
            return spec.name
    return None


@cache
def built_in_modules() -> tuple[str, ...]:
    """The modules of all folders."""
    return tuple(
        info.name
        for home in HOMES
        for info in pkgutil.iter_modules(importlib.import_module(home).__path__, f"{home}.")
        if info.ispkg and info.name not in HOMES
    )


class Declaration(NamedTuple):
    """A module that registers a package, and the distribution that has it."""

    module: str
    distribution: str

    def __str__(self) -> str:
        return f"{self.module} of the distribution {self.distribution}"


@cache
def installed() -> dict[str, list[Declaration]]:
    """The entry points of the group by the first parts of their packages' names."""
    from importlib.metadata import entry_points

    declarations: dict[str, list[Declaration]] = {}
    for point in entry_points(group=GROUP):
        distribution = point.dist.name if point.dist is not None else "an unknown distribution"
        declarations.setdefault(point.name.partition(".")[0], []).append(
            Declaration(point.value, distribution)
        )
    return declarations


def import_declaration(name: str) -> str | None:
    """Import the module that registers the package ``name``, if there is one.

    One module registers all packages whose names have the same first part. Returns the distribution that has it, None
    for a built-in one. Raises TorchError where an entry point is broken: where two distributions have one of this name,
    or the module cannot be imported.
    """
    root = name.partition(".")[0]
    module = built_in_module(root)
    if module is None:
        return _import_from_entry_point(root)
    importlib.import_module(module)
    return None


def _import_from_entry_point(root: str) -> str | None:
    points = installed()
    for taken in filter(built_in_module, points):
        raise _twice(taken, f"{built_in_module(taken)} of torch7py", *points[taken])
    declarations = points.get(root)
    if declarations is None:
        return None
    if len(declarations) > 1:
        raise _twice(root, *declarations)
    try:
        importlib.import_module(declarations[0].module)
    except Exception as error:
        reason = f"importing {declarations[0]} raises {type(error).__name__}: {error}"
        raise TorchError(f"the entry point of package '{root}' is broken: {reason}") from error
    return declarations[0].distribution


def _twice(name: str, *modules: object) -> TorchError:
    return TorchError(f"package '{name}' is registered twice: by {' and by '.join(map(str, modules))}")
