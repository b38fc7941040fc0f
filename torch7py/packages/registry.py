"""The register of Lua packages: what ``require`` finds besides the script's own files."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, TypeVar

from torch7py.ops.errors import TorchError
from torch7py.ops.registry import Fields
from torch7py.packages import discovery

__all__ = [
    "Fields",
    "Package",
    "came_with_torch",
    "chunk_name",
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

    ``module`` is the Python module that registers it, in whose folder its Lua files lie. ``python`` is the module, by
    itself or relative to ``module``, that registers the package's functions and classes when it is imported. ``lua`` is
    the Lua file that completes the package, ``requires`` names the packages that are loaded before it. ``makes_global``
    says that its table is a global too, ``with_torch`` that Torch's installer brought it, ``projects`` how many of the
    91 counted projects use it.

    ``functions`` are the Python functions in its table, ``filenames`` those among them whose strings are names of
    files, ``records`` its classes. ``start`` is called when a program first requires the package, ``finish`` when such
    a program ends.
    """

    name: str
    module: str
    python: str | None = None
    lua: str | None = None
    requires: tuple[str, ...] = ()
    makes_global: bool = False
    with_torch: bool = False
    projects: int | None = None
    start: Callable[[], object] | None = None
    finish: Callable[[], None] | None = None
    functions: dict[str, Callable[..., Any]] = field(default_factory=dict)
    filenames: set[str] = field(default_factory=set)
    records: dict[str, Record] = field(default_factory=dict)

    @property
    def chunk(self) -> str | None:
        """The Lua file as ``package_source`` takes it."""
        return None if self.lua is None else f"{self.module}/{self.lua}"

    def load(self) -> None:
        """Import what registers the package's functions and classes."""
        if self.python is not None:
            importlib.import_module(self.python, self.module)


class Register(Mapping[str, Package]):
    """The packages by the names that ``require`` takes.

    A package is registered when its name is first looked up, those of other distributions too; going through the
    register registers all built-in packages.
    """

    def __init__(self) -> None:
        self._packages: dict[str, Package] = {}

    def add(self, package: Package) -> None:
        present = self._packages.setdefault(package.name, package)
        if present is not package:
            raise ValueError(
                f"package '{package.name}' is registered twice: by {present.module} and by {package.module}"
            )

    def remove(self, name: str) -> None:
        del self._packages[name]

    def __getitem__(self, name: str) -> Package:
        if name not in self._packages:
            distribution = discovery.import_declaration(name)
            if distribution is not None and "." not in name and name not in self._packages:
                raise TorchError(
                    f"the entry point of package '{name}' in the distribution {distribution} registers no such package"
                )
        return self._packages[name]

    def __iter__(self) -> Iterator[str]:
        for module in discovery.built_in_modules():
            importlib.import_module(module)
        return iter(tuple(self._packages))

    def __len__(self) -> int:
        return len(tuple(iter(self)))


packages = Register()


def came_with_torch(name: str) -> bool:
    """Whether a package was installed with Torch, where it was found before a program's files.

    The others were installed one by one: where a program has a file of such a name, it requires that file.
    """
    root = name.partition(".")[0]
    if discovery.built_in_module(root) is None:
        return False
    package = packages.get(root)
    return package is not None and package.with_torch


def package_source(path: str) -> str:
    """The text of a package's Lua file, ``the.module/file.lua``."""
    module, _, file = path.rpartition("/")
    return resources.files(module).joinpath(file).read_text(encoding="utf-8")


def chunk_name(path: str) -> str:
    """The name of a chunk of ours in Lua's tracebacks; messages for the program leave such frames out."""
    return f"=[torch7py] {path.removeprefix('torch7py.packages.')}"


def package(
    name: str,
    module: str,
    python: str | None = None,
    *,
    lua: str | None = None,
    requires: tuple[str, ...] = (),
    makes_global: bool = False,
    with_torch: bool = False,
    projects: int | None = None,
) -> Package:
    """Register a package under the name that ``require`` takes; ``module`` is the caller's ``__name__``.

    The other arguments are the fields of ``Package``.
    """
    registered = Package(name, module, python, lua, requires, makes_global, with_torch, projects)
    packages.add(registered)
    return registered


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

    ``filenames`` says that its string arguments and results are names of files, which Lua holds as bytes and Python
    as ``os.fsdecode`` makes them.
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
