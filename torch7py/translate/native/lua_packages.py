"""Packages that this project has in Lua alone: a program that requires one gets their source as a file of its own."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

from torch7py.packages.registry import package_source, packages

__all__ = ["is_in_lua", "path_of", "source_of"]

# Those of which nothing has an idiomatic form. They need of the runtime what raises errors, and no more.
_IN_LUA = frozenset({"bit32", "loadcaffe", "moses", "nninit"})
# What the runtime puts into the table of one for its Lua, as a page has it.
_IN_PYTHON = {"loadcaffe.layers": "torch.layers_of_caffemodel"}
_ARGUMENTS = re.compile(r"^local (\w+), (\w+), (\w+) = \.\.\.$", re.MULTILINE)
_FAIL = "fail = function(text, ...) error(select('#', ...) > 0 and string.format(text, ...) or text, 0) end"


def is_in_lua(name: str) -> bool:
    """Whether pages have a package as the page of its source."""
    return name in _IN_LUA


def path_of(name: str) -> Path:
    """The file of such a package."""
    module, _, file = str(packages[name].chunk).rpartition("/")
    return Path(str(resources.files(module).joinpath(file)))


def source_of(name: str) -> bytes:
    """Its source, where it makes itself what the runtime hands over, and gives the package at its end."""
    text = package_source(str(packages[name].chunk))
    arguments = _ARGUMENTS.search(text)
    assert arguments is not None
    core, host, package = arguments.groups()
    table = "setmetatable({}, {})" if f"setmetatable({package}, " in text else "{}"
    made = f"local {core}, {host}, {package} = {{{_FAIL}}}, nil, {table}"
    if packages[name].makes_global:
        made = f"{made} _G.{package} = {package}"
    rest = text[arguments.end() :]
    for function, in_page in _IN_PYTHON.items():
        rest = rest.replace(f"{function} = nil\n", "\n").replace(function, in_page)
    return f"{text[: arguments.start()]}{made}{rest}\nreturn {package}\n".encode()
