"""The register of layers and criterions: a line each, read by the Lua binding and the support table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from torch7py.nn.object import TorchObject

__all__ = ["extend", "extensions", "layer", "layers", "package_of"]

C = TypeVar("C", bound="type[TorchObject]")

layers: dict[str, type[TorchObject]] = {}  # by Torch7 name; "name@package" for one that replaces another
package_of: dict[str, str] = {}


# package -> class name -> methods (Lua name -> Python attribute) that the package adds to the class
extensions: dict[str, dict[str, dict[str, str]]] = {}


def extend(name: str, methods: dict[str, str], *, package: str) -> None:
    """Let a package add methods to a class that another package brought."""
    extensions.setdefault(package, {}).setdefault(name, {}).update(methods)


def layer(name: str, *, package: str | None = None, replaces: bool = False) -> Callable[[C], C]:
    """Register a class under its Torch7 name, such as ``"nn.Linear"``.

    ``package`` is the Lua package that brings it, by default the name's first part (rnn puts its classes into
    ``nn``). A class is visible to a script only once its package is required. A package may also bring another
    definition of a class that exists (``replaces``): it counts from the moment the package is required.
    """

    def register(cls: C) -> C:
        home = package or name.partition(".")[0]
        key = f"{name}@{home}" if replaces else name
        if key in layers:
            raise ValueError(f"layer {key!r} is registered twice")
        cls.torch7_name = name
        cls.registered_as = key
        layers[key] = cls
        package_of[key] = home
        return cls

    return register
