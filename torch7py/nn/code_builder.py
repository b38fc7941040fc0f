"""A function of Python being written, on tensors whose sizes and types are checked before its first line."""

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
    """A tensor of known shape and type under a name; ``held`` names the object that stands for it elsewhere.

    ``movable``: the module's own, written anew at each call by a kernel that does not mind where it lies.
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
    """A table of values of which each has a name."""

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
    """What can be said of a value that was seen."""
    if value.__class__ is Tensor:
        return Known(name, value.shape, value.dtype, value.is_contiguous())
    return Other(name)


@dataclass(frozen=True)
class Shown:
    """A line that fills or makes the table of this name, or something that nobody names (an empty name)."""

    table: str
    text: str


@dataclass
class Code:
    """A function being written: what must hold at its start, its lines, and the objects that they name.

    Some lines only show what has passed between the places: they are put off until somebody looks, but for those that
    make a table which other lines name.
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
        """What the lines name that are not put off."""
        return {name for line in self.lines if isinstance(line, str) for name in NAME.findall(line)}

    def show(self, table: str, text: str) -> None:
        self.lines.append(Shown(table, text))

    def turned(self, name: str) -> str:
        """A tensor's transpose: a view made once, as long as the memory is the same."""
        value = self.objects.get(name)
        if not isinstance(value, Tensor) or not value.is_contiguous():
            return f"{name}.t()"
        view, address = self.bind(f"w_{name}", value.detach().t()), self.bind(f"a_{name}", value.data_ptr())
        return f"({view} if {name}.data_ptr() == {address} and {name}.is_contiguous() else {name}.t())"

    def attributes(self, number: int, module: Any) -> str:
        """The name of a module's attributes."""
        return self.bind(f"d{number}", module.__dict__)

    def unmarked(self, number: int, module: Any) -> bool:
        """Whether no method of a module is a script's, which is checked from now on."""
        if "_marked" in module.__dict__:
            return False
        self.check(f"'_marked' not in {self.attributes(number, module)}")
        return True

    def tensor(self, name: str, value: Tensor, contiguous: bool = False) -> str:
        """Conditions for a tensor from outside to be like this one."""
        shape = self.bind(f"s_{name}", value.shape)
        dtype = self.bind(f"t_{name}", value.dtype)
        text = f"{name}.shape == {shape} and {name}.dtype is {dtype}"
        return f"{text} and {name}.is_contiguous()" if contiguous else text

    def result(self, number: int, module: Any, name: str, like: Known, whole: bool = True) -> Known | None:
        """The module's own tensor of this name, if a result of this size and type fits into its memory.

        Not ``whole``: it will take over another's memory, so that what it has now does not matter.
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
        """Check that a script has not given a result's memory another shape; its type goes with the object."""
        self.check(f"{name}.shape == {self.bind(f's_{name}', value.shape)}")
