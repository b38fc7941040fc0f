"""Whether this project has what a program uses of packages: asked of a runtime, which runs nothing of the program."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType

from torch7py.bridge.runtime import Runtime
from torch7py.nn.base import Module
from torch7py.nn.registry import layers
from torch7py.ops.support import notes
from torch7py.packages.registry import packages
from torch7py.translate.facts import layers as facts
from torch7py.translate.layers import criterions, natives, reasons, structures
from torch7py.translate.quoting import lua_quoted

__all__ = ["Availability", "Packages"]

_PROGRAM = """
    local function at(path)
        local value = _G
        for part in path:gmatch('[^.]+') do
            if type(value) ~= 'table' then return nil end
            local inner
            if value == _G then  -- which pl.strict may have made strict
                inner = rawget(_G, part)
                if inner == nil then inner = package.loaded[part] end
            else
                local there, found = pcall(function() return value[part] end)
                if not there then return nil end  -- a package that says itself that it has no such thing
                inner = found
            end
            value = inner
        end
        return value
    end
    local ask = {}
    function ask.field(path) return at(path) ~= nil or torch.getmetatable(path) ~= nil end
    function ask.method(class, name)
        local mt = torch.getmetatable(class)
        return mt ~= nil and mt[name] ~= nil
    end
    function ask.module(name) return package.loaded[name] ~= nil or package.preload[name] ~= nil end
    return ask[%r](%s)
"""
_EXAMPLES = {"torch.Tensor": "torch.DoubleTensor", "torch.Storage": "torch.ByteStorage"}
# What adds names to a package's table: a file of a project may use them and leave the require to another.
_ADDITIONS = {"nn": ("nngraph", "rnn", "nnx", "stn", "cunn")}
_WORD = re.compile(r"[\w.\-]+")


@dataclass(frozen=True)
class Availability:
    """``state``: yes, restricted, no, or own (the program's or the project's). ``note`` says how or why."""

    state: str
    note: str = ""


class Packages:
    """Answers for names of packages. ``user_names`` are names that the program itself adds to packages."""

    def __init__(self, user_names: Iterable[str] = ()) -> None:
        self.user_names = set(user_names)
        self._runtime = Runtime(cuda_as="cpu", rnn_api=2016)
        self._runtime.evaluate("function print() end")  # a package may greet, and this output is a report
        self._loaded: set[str] = set()
        self._known: dict[str, Availability] = {}

    def __enter__(self) -> Packages:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runtime.close()

    def package(self, name: str) -> Availability:
        """A package that ``require`` is given."""
        if name in packages:
            self._load(name)
            return Availability("yes")
        if not _WORD.fullmatch(name) or not self._ask("module", name):
            return Availability("no", f"there is no package {name}")
        return Availability("yes")

    def name(self, name: str) -> Availability:
        """``nn.Linear``, or ``nn.Linear:forward`` for a method."""
        availability = self._known.get(name)
        if availability is None:
            availability = self._known[name] = self._find(name)
        return availability

    def native(self, name: str) -> str:
        """Why a class has no native form in PyTorch; empty where it has one, or is no layer."""
        of_nn = f"nn.{name.partition('.')[2]}"  # which the translator takes a layer of cudnn for
        if name not in layers or any(of_nn in register for register in (natives, structures, criterions)):
            return ""
        return reasons.get(of_nn, "no layer of PyTorch's computes it")

    def _find(self, name: str) -> Availability:
        owner, _, method = name.partition(":")
        if self._is_user_defined(owner, method):
            return Availability("own")
        note = notes.get(name)
        if note is not None and not note.supported:
            return Availability("no", note.text)
        package = owner.partition(".")[0]
        self._load(package)
        if not (self._has_method(owner, method) if method else self._ask("field", owner)):
            if package not in packages and not self._ask("field", package):
                return Availability("no", f"there is no package {package}")
            return Availability("no")
        return Availability("yes") if note is None else Availability("restricted", note.text)

    def _is_user_defined(self, owner: str, method: str) -> bool:
        """Whether the program defines it; a class of its own has whatever methods."""
        if owner in self.user_names:
            return True
        return bool(method) and not self.user_names.isdisjoint(
            {f"{cls}{mark}{method}" for cls in (owner, Module.torch7_name) for mark in ":."}
        )

    def _has_method(self, owner: str, method: str) -> bool:
        """Whether the class has the method, or where only the kind of thing is known, a class that it may be."""
        if self._ask("method", _EXAMPLES.get(owner, owner), method):
            return True
        if owner == "torch.Tensor":  # taken for a tensor because of what is done with it: a graph's node, say
            self._load("nn")
            return self._ask("method", "nngraph.Node", method)
        if facts.is_base(owner):
            return any(self._ask("method", name, method) for name in sorted(layers))
        return False

    def _load(self, package: str) -> None:
        root = package.partition(".")[0]  # a part of a package adds to it
        for name in (root, package, *_ADDITIONS.get(package, ())):
            if name in packages and name not in self._loaded:
                self._loaded.add(name)
                self._runtime.evaluate(f"require {lua_quoted(name)}")

    def _ask(self, what: str, *texts: str) -> bool:
        arguments = ", ".join(lua_quoted(text) for text in texts)
        return bool(self._runtime.evaluate(_PROGRAM % (what, arguments)))
