"""The register of layers and criterions: a line each, read by the Lua binding and the support table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from torch7py.nn.facts import Facts, facts_of_class, stated

if TYPE_CHECKING:
    from torch7py.nn.object import TorchObject

__all__ = ["extend", "extensions", "facts_of", "layer", "layers", "package_of"]

C = TypeVar("C", bound="type[TorchObject]")

layers: dict[str, type[TorchObject]] = {}  # by Torch7 name; "name@package" for one that replaces another
package_of: dict[str, str] = {}


# package -> class name -> methods (Lua name -> Python attribute) that the package adds to the class
extensions: dict[str, dict[str, dict[str, str]]] = {}


def extend(name: str, methods: dict[str, str], *, package: str) -> None:
    """Let a package add methods to a class that another package brought."""
    extensions.setdefault(package, {}).setdefault(name, {}).update(methods)


def facts_of(name: str) -> Facts:
    """The facts of a class by its Torch7 name. KeyError where it is not registered."""
    return facts_of_class(layers[name])


def layer(name: str, *, package: str | None = None, replaces: bool = False, **facts: Any) -> Callable[[C], C]:
    """Register a class under its Torch7 name, such as ``"nn.Linear"``.

    ``package`` is the Lua package that brings it, by default the name's first part (rnn puts its classes into
    ``nn``). A class is visible to a script only once its package is required. A package may also bring another
    definition of a class that exists (``replaces``): it counts from the moment the package is required. ``facts``
    are those in which it differs from the class that it derives from (``nn/facts.py``).
    """

    def register(cls: C) -> C:
        home = package or name.partition(".")[0]
        key = f"{name}@{home}" if replaces else name
        if key in layers:
            raise ValueError(f"layer {key!r} is registered twice")
        cls.torch7_name = name
        cls.registered_as = key
        if facts:
            cls.stated_facts = stated(facts)
        layers[key] = cls
        package_of[key] = home
        return cls

    return register
