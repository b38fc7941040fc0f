"""The register of Lua packages: what ``require`` finds besides the script's own files."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, TypeVar

from torch7py.ops.registry import Fields

__all__ = [
    "Fields",
    "Package",
    "came_with_torch",
    "function",
    "on_close",
    "on_require",
    "package",
    "package_source",
    "packages",
    "record",
]

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)


@dataclass
class Record:
    """A class whose objects are tables to a script; ``methods`` maps Lua's names to Python's."""

    cls: type
    methods: dict[str, str]


@dataclass(eq=False)
class Package:
    """A Lua package.

    ``imports`` is the Python module that registers what the package brings when it is imported; ``requires``
    names the packages loaded with it; ``table`` is the global table it makes, None for one that ``require``
    returns and that has no name of its own; ``functions`` are the Python functions in that table, ``filenames``
    those among them whose strings are names of files, ``records`` its classes; ``chunk`` is the name of a
    ``.lua`` file that completes it. ``start`` is called when a program first requires the package, ``finish`` when
    such a program ends.
    """

    name: str
    imports: str | None = None
    requires: tuple[str, ...] = ()
    table: str | None = None
    chunk: str | None = None
    start: Callable[[], object] | None = None
    finish: Callable[[], None] | None = None
    functions: dict[str, Callable[..., Any]] = field(default_factory=dict)
    filenames: set[str] = field(default_factory=set)
    records: dict[str, Record] = field(default_factory=dict)

    def load(self) -> None:
        if self.imports is not None:
            importlib.import_module(self.imports)


packages: dict[str, Package] = {}

_CAME_WITH_TORCH = frozenset(
    "torch nn nnx image optim paths sys xlua trepl graph nngraph gnuplot env dok cutorch cunn cudnn threads tds cjson"
    " argcheck lfs pl class".split()
)


def came_with_torch(name: str) -> bool:
    """Whether a package was installed with Torch, where it was found before a program's files.

    The others were installed by whoever wanted them: where a program has a file of such a name, that is what it
    requires.
    """
    return name.partition(".")[0] in _CAME_WITH_TORCH


def package_source(chunk: str) -> str:
    """The text of a package's ``.lua`` file."""
    return resources.files("torch7py.packages").joinpath("lua").joinpath(chunk).read_text(encoding="utf-8")


def package(
    name: str,
    imports: str | None = None,
    *,
    requires: tuple[str, ...] = (),
    table: str | None = "",
    chunk: str | None = None,
) -> Package:
    """Register a package under the name that ``require`` takes, which is its table's name too by default."""
    if name in packages:
        raise ValueError(f"package {name!r} is registered twice")
    made = packages[name] = Package(name, imports, requires, name if table == "" else table, chunk)
    return made


def on_require(name: str) -> Callable[[F], F]:
    """Register what is called when a program first requires a package; a TorchError refuses."""

    def register(f: F) -> F:
        packages[name].start = f
        return f

    return register


def on_close(name: str) -> Callable[[F], F]:
    """Register what is called when a program that required a package ends, also by ``os.exit``."""

    def register(f: F) -> F:
        packages[name].finish = f
        return f

    return register


def function(name: str, *, filenames: bool = False) -> Callable[[F], F]:
    """Register a Python function as ``package.name``. It takes and returns plain values and tensors.

    ``filenames`` says that its strings, given and returned, are names of files, which Lua holds as bytes and
    Python as ``os.fsdecode`` makes them.
    """
    owner, _, short = name.rpartition(".")

    def register(f: F) -> F:
        functions = packages[owner].functions
        if short in functions:
            raise ValueError(f"function {name!r} is registered twice")
        functions[short] = f
        if filenames:
            packages[owner].filenames.add(short)
        return f

    return register


def record(name: str, methods: dict[str, str]) -> Callable[[C], C]:
    """Register a Python class as the Torch7 class ``package.Name``, whose objects are tables to a script.

    The attributes of an object are the table's fields, under the same names, and a script may read, write and
    save them as it likes. ``methods`` are the methods it may call (Lua name -> Python name, ``__init`` for the
    constructor among them). The class itself is like any other and needs no base.
    """
    owner, _, short = name.rpartition(".")

    def register(cls: C) -> C:
        records = packages[owner].records
        if short in records:
            raise ValueError(f"class {name!r} is registered twice")
        records[short] = Record(cls, methods)
        return cls

    return register
