"""What the registers have, whether the program has required it or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.nn.registry import layers
from torch7py.packages.discovery import built_in_modules
from torch7py.packages.registry import packages

if TYPE_CHECKING:
    from torch7py.nn.object import TorchObject

__all__ = ["class_named", "classes_of", "package_names"]

# Who may bring classes of another package's namespace.
_BRING = {
    "cudnn": ("cudnn",),
    "nngraph": ("nngraph",),
    "nn": ("nn", "rnn", "dpnn", "nngraph", "nnx", "cunn", "cudnn"),
}


def package_names() -> list[str]:
    """The names of packages, without those of parts of one."""
    return [module.rpartition(".")[2].rstrip("_") for module in built_in_modules()]


def classes_of(namespace: str) -> dict[str, type[TorchObject]]:
    """All classes of ``nn``, say, by their full names, whichever package brings them."""
    for package in _BRING.get(namespace, ()):
        packages[package].load()
    return {name: cls for name, cls in layers.items() if name.startswith(f"{namespace}.") and "@" not in name}


def class_named(name: str) -> type[TorchObject] | None:
    """A class by its full name, ``nn.LSTM``."""
    return layers.get(name) or classes_of(name.partition(".")[0]).get(name)
