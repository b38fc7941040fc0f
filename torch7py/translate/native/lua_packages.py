"""Packages that this project has in Lua alone: a program that requires one gets their source as a file of its own."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

from torch7py.packages.registry import package_source, packages

__all__ = ["is_in_lua", "is_part", "path_of", "source_of", "with_parts_required"]

# Those of which nothing has an idiomatic form. They need of the runtime what raises errors, and no more.
_IN_LUA = frozenset({"bit32", "loadcaffe", "moses", "nninit"})
# Parts of packages, each with its file and what the file returns, as a table.
_PARTS = {"nn_jacobian": "torch7py.packages.nn/jacobian.lua"}
_RETURNED = {"return Jacobian, Sparse\n": "return {Jacobian = Jacobian, SparseJacobian = Sparse}\n"}
# What has no form in pages.
_OF_HESSIANS = re.compile(r"^-+\n-- Second derivatives.*?(?=^-+\n)", re.MULTILINE | re.DOTALL)
_JACOBIAN = re.compile(rb"\bnn\.(?=(?:Sparse)?Jacobian\b)")
# What the runtime puts into the table of one for its Lua, as a page has it.
_IN_PYTHON = {"loadcaffe.layers": "torch.layers_of_caffemodel"}
_ARGUMENTS = re.compile(r"^local (\w+), (\w+), (\w+) = \.\.\.$", re.MULTILINE)
_FAIL = "fail = function(text, ...) error(select('#', ...) > 0 and string.format(text, ...) or text, 0) end"


def is_in_lua(name: str) -> bool:
    """Whether pages have a package as the page of its source."""
    return name in _IN_LUA


def is_part(name: str) -> bool:
    """Whether this is a part of a package that programs get so."""
    return name in _PARTS


def with_parts_required(source: bytes) -> bytes:
    """A program that requires those parts of packages that it uses: ``nn.Jacobian``."""
    if b"DiagHessian" in source:
        return source
    return _JACOBIAN.sub(b"require('nn_jacobian').", source)


def path_of(name: str) -> Path:
    """The file of such a package."""
    module, _, file = _chunk(name).rpartition("/")
    return Path(str(resources.files(module).joinpath(file)))


def _chunk(name: str) -> str:
    return _PARTS[name] if name in _PARTS else str(packages[name].chunk)


def source_of(name: str) -> bytes:
    """Its source, where it makes itself what the runtime hands over, and gives the package at its end."""
    text = package_source(_chunk(name))
    text = _OF_HESSIANS.sub("", text)
    arguments = _ARGUMENTS.search(text)
    assert arguments is not None
    core, host, package = arguments.groups()
    table = "setmetatable({}, {})" if f"setmetatable({package}, " in text else "{}"
    made = f"local {core}, {host}, {package} = {{{_FAIL}}}, nil, {table}"
    if name not in _PARTS and packages[name].makes_global:
        made = f"{made} _G.{package} = {package}"
    rest = text[arguments.end() :]
    for function, in_page in _IN_PYTHON.items():
        rest = rest.replace(f"{function} = nil\n", "\n").replace(function, in_page)
    for returned, table in _RETURNED.items():
        rest = rest.replace(returned, table)
    if name in _PARTS:
        return f"{text[: arguments.start()]}{made}{rest}".encode()
    return f"{text[: arguments.start()]}{made}{rest}\nreturn {package}\n".encode()
