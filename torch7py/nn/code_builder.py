"""Generates a Python function on tensors whose sizes and types are checked before its first line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import torch

__all__ = ["NAME", "Code", "Known", "Listed", "Other", "Shown", "Value", "observe"]

Tensor = torch.Tensor
NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Known:
    """A named tensor of known shape and type; ``held`` names the object that stands for it elsewhere.

    ``movable``: a tensor of the module's that a kernel overwrites at each call, wherever its memory lies.
    """

    name: str
    shape: torch.Size
    dtype: torch.dtype
    contiguous: bool
    held: str = ""
    movable: bool = False

    @property
    def object(self) -> str:
        return self.held or self.name


@dataclass(frozen=True)
class Listed:
    """A table of named values."""

    name: str
    items: list[Value]

    @property
    def object(self) -> str:
        return self.name


@dataclass(frozen=True)
class Other:
    """A value of which nothing is known."""

    name: str

    @property
    def object(self) -> str:
        return self.name


Value = Known | Listed | Other


def observe(name: str, value: Any) -> Value:
    """What is known of an observed value."""
    if value.__class__ is Tensor:
        return Known(name, value.shape, value.dtype, value.is_contiguous())
    return Other(name)


@dataclass(frozen=True)
class Shown:
    """A line that updates the named table, or (without a name) something that no line reads."""

    table: str
    text: str


@dataclass
class Code:
    """A function under construction: the conditions at its start, its lines, and the objects that they name.

    Lines that only update tables which scripts may read are deferred until somebody reads them, unless other lines
    name the table.
    """

    objects: dict[str, Any] = field(default_factory=dict)
    checks: dict[str, None] = field(default_factory=dict)
    lines: list[str | Shown] = field(default_factory=list)
    locals: list[str] = field(default_factory=list)

    def bind(self, name: str, value: Any) -> str:
        self.objects[name] = value
        return name

    def check(self, *conditions: str) -> None:
        self.checks.update(dict.fromkeys(conditions))

    def line(self, text: str) -> None:
        self.lines.append(text)

    def names(self) -> set[str]:
        """The names in lines that are not deferred."""
        return {name for line in self.lines if isinstance(line, str) for name in NAME.findall(line)}

    def show(self, table: str, text: str) -> None:
        self.lines.append(Shown(table, text))

    def turned(self, name: str) -> str:
        """A tensor's transpose: a view that is created once, valid while the memory is the same."""
        value = self.objects.get(name)
        if not isinstance(value, Tensor) or not value.is_contiguous():
            return f"{name}.t()"
        view, address = self.bind(f"w_{name}", value.detach().t()), self.bind(f"a_{name}", value.data_ptr())
        return f"({view} if {name}.data_ptr() == {address} and {name}.is_contiguous() else {name}.t())"

    def attributes(self, number: int, module: Any) -> str:
        """The name of a module's attribute dict."""
        return self.bind(f"d{number}", module.__dict__)

    def unmarked(self, number: int, module: Any) -> bool:
        """Whether no method of a module is a script's. The function checks this from now on."""
        if "_marked" in module.__dict__:
            return False
        self.check(f"'_marked' not in {self.attributes(number, module)}")
        return True

    def tensor(self, name: str, value: Tensor, contiguous: bool = False) -> str:
        """Conditions that a tensor from outside is like this one."""
        shape = self.bind(f"s_{name}", value.shape)
        dtype = self.bind(f"t_{name}", value.dtype)
        text = f"{name}.shape == {shape} and {name}.dtype is {dtype}"
        return f"{text} and {name}.is_contiguous()" if contiguous else text

    def result(self, number: int, module: Any, name: str, like: Known, whole: bool = True) -> Known | None:
        """The module's tensor of this name, if a result of this size and type fits into its memory.

        Not ``whole``: the tensor will take over another one's memory, so its present memory does not matter.
        """
        held = module.__dict__[name]
        if held.__class__ is not Tensor or held is not module._own.get(name) or held.dtype is not like.dtype:
            return None
        if whole and (held.shape != like.shape or not held.is_contiguous()):
            return None
        short = self.bind(f"{name[0]}{number}", held)
        self.check(f"{self.attributes(number, module)}['{name}'] is {short}")
        if whole:
            self.shape(short, held)
        return Known(short, like.shape, like.dtype, True)

    def output(self, number: int, module: Any, like: Known) -> str | None:
        """The name of the output of the forward."""
        held = module.__dict__["output"]
        if held.__class__ is not Tensor or held.shape != like.shape or held.dtype is not like.dtype:
            return None
        name = self.bind(f"o{number}", held)
        self.check(f"{self.attributes(number, module)}['output'] is {name}")
        return name

    def shape(self, name: str, value: Tensor) -> None:
        """Check that a script has not reshaped a result's memory; the type belongs to the object."""
        self.check(f"{name}.shape == {self.bind(f's_{name}', value.shape)}")
