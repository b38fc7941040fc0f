"""What the registers have, whether the program has required it or not."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime
from torch7py.nn.registry import layers
from torch7py.packages.discovery import built_in_modules
from torch7py.packages.registry import packages

if TYPE_CHECKING:
    from torch7py.nn.object import TorchObject

__all__ = ["class_named", "classes_of", "names_in", "package_names"]

# Who may bring classes of another package's namespace.
_BRING = {
    "cudnn": ("cudnn",),
    "nngraph": ("nngraph",),
    "nn": ("nn", "rnn", "dpnn", "nngraph", "nnx", "cunn", "cudnn"),
}


def package_names() -> list[str]:
    """The names of packages, without those of parts of one."""
    return [module.rpartition(".")[2].rstrip("_") for module in built_in_modules()]


# What stands in the table that a package gives, or that is global under its name.
_NAMES = """
print = function() end
local given, names = require(package), {}
local fields = type(given) == 'table' and given or _G[package]
if type(fields) == 'table' then
   for name in pairs(fields) do
      if type(name) == 'string' and string.find(name, '^%a[%w_]*$') then names[#names + 1] = name end
   end
end
return table.concat(names, ' ')"""


@cache
def names_in(package: str) -> list[str]:
    """The fields of a package, ``optim.sgd``, as a program has them that requires nothing else.

    A runtime of its own tells them, so that the program of the prompt goes on without the package.
    """
    with Runtime(cuda_as="cpu") as runtime:
        try:
            names = runtime.execute(f"local package = '{package}'{_NAMES}")
        except LuaError:  # something that it needs is not installed
            return []
    return [f"{package}.{name}" for name in names.split()]


def classes_of(namespace: str) -> dict[str, type[TorchObject]]:
    """All classes of ``nn``, say, by their full names, whichever package brings them."""
    for package in _BRING.get(namespace, ()):
        packages[package].load()
    return {name: cls for name, cls in layers.items() if name.startswith(f"{namespace}.") and "@" not in name}


def class_named(name: str) -> type[TorchObject] | None:
    """A class by its full name, ``nn.LSTM``."""
    return layers.get(name) or classes_of(name.partition(".")[0]).get(name)
