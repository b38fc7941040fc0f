"""What a model is made of, for whoever draws it: its layers in their containers, parameters, and what is shared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from torch7py.nn.base import Module
from torch7py.nn.facts import facts_of_class
from torch7py.nn.gmodule import GModule
from torch7py.nn.object import TorchObject
from torch7py.nn.unknown_layer import UnknownLayer
from torch7py.ops import types

__all__ = ["Model", "Part", "Tensor", "families", "model_of"]


@dataclass(frozen=True)
class Tensor:
    """A parameter: its name in its layer, its sizes, and the place of its numbers in memory."""

    name: str
    sizes: tuple[int, ...]
    type: str
    view_key: tuple[Any, ...]

    @property
    def elements(self) -> int:
        total = 1
        for size in self.sizes:
            total *= size
        return total


@dataclass(eq=False)
class Part:
    """A layer or a container in a model.

    ``name`` is its number in its container, from 1, or the name that it has there; ``path`` leads to it from the model.
    ``arrangement`` is what a container does with its parts, a word of ``nn.facts.PARTS``. Where the very object has
    stood before, ``same_as`` is that part, and nothing is said of its inside.
    """

    module: TorchObject
    name: str
    path: str
    number: int
    parts: list[Part] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)
    same_as: Part | None = None

    @property
    def class_name(self) -> str:
        return self.module.class_name

    @property
    def arrangement(self) -> str:
        return facts_of_class(type(self.module)).parts if self.parts else "none"

    @property
    def is_known(self) -> bool:
        """Whether the class is one of this project or of the program."""
        return not isinstance(self.module, UnknownLayer)

    @property
    def arguments(self) -> str:
        """What its text says of it besides its class: ``3 -> 64, 7x7, 2,2, 3,3``."""
        if self.parts:
            return ""
        text = self.module.describe()
        said = re.fullmatch(r"[\w.]+\((.*)\)", text, re.DOTALL)
        if said is not None:
            return said[1]
        return (
            self.module.extra_repr()
            if text == self.class_name
            else text.removeprefix(self.class_name).strip()
        )

    @property
    def family(self) -> str:
        """What kind of a layer it is, for its colour: one of ``families``."""
        if self.parts:
            return "container"
        if self.class_name != self.module.torch7_name or not self.is_known:
            return "own"
        files = [base.__module__.rpartition(".")[2] for base in type(self.module).__mro__]
        return next((name for file in files for name, stems in _FAMILIES.items() if file in stems), "other")

    def walk(self) -> Iterator[Part]:
        """The part and all inside it, each before what is inside it."""
        yield self
        for part in self.parts:
            yield from part.walk()

    @property
    def parameters(self) -> int:
        """How many there are in it and inside it, shared ones once."""
        counted = {tensor.view_key: tensor.elements for part in self.walk() for tensor in part.tensors}
        return sum(counted.values())


# The files of layers by what these do.
_FAMILIES: dict[str, frozenset[str]] = {
    name: frozenset(stems.split())
    for name, stems in {
        "convolution": "convolution convolution_full convolution_local convolution_map temporal upsampling",
        "linear": "linear index_linear sparse_linear bilinear arithmetic metric weight_norm product",
        "activation": "activation rectifier softmax pointwise elementary attention",
        "pooling": "pooling pooling_average pooling_max pooling_fractional window window_max unpooling reduce",
        "normalization": "normalization normalization_local dropout noise",
        "recurrent": "seq_lstm seq_gru lstm fast_lstm gru mufuru recurrent recurrence cell gated",
    }.items()
}
families = (*_FAMILIES, "other", "own", "container")


@dataclass(eq=False)
class Model:
    """A model and how it is called: its path in the file, or where the program made it.

    ``copies`` are how many more models on the same weights there are.
    """

    name: str
    root: Part
    copies: int = 0

    def __post_init__(self) -> None:
        users: dict[tuple[Any, ...], list[tuple[Part, Tensor]]] = {}
        for part in self.root.walk():
            for tensor in part.tensors:
                if tensor.elements:
                    users.setdefault(tensor.view_key, []).append((part, tensor))
        self.shared = [group for group in users.values() if len(group) > 1]
        self._groups = {
            (part.number, tensor.name): number
            for number, group in enumerate(self.shared, 1)
            for part, tensor in group
        }

    def group(self, part: Part, tensor: Tensor) -> int | None:
        """The number of the group of parameters, from 1, that are the same numbers as this one."""
        return self._groups.get((part.number, tensor.name))

    @property
    def bytes(self) -> int:
        """What the parameters take in memory."""
        counted = {
            tensor.view_key: tensor.elements * tensor.view_key[1].itemsize
            for part in self.root.walk()
            for tensor in part.tensors
        }
        return sum(counted.values())


def model_of(module: TorchObject, name: str = "") -> Model:
    """The structure of a model."""
    known: dict[int, Part] = {}

    def part_of(module: TorchObject, name: str, path: str) -> Part:
        part = Part(module, name, path, len(known) + 1)
        before = known.get(id(module))
        if before is not None:
            part.number, part.same_as = before.number, before
            return part
        known[id(module)] = part
        for inner_name, inner in _inside(module):
            step = f"{path}.{inner_name}" if path else inner_name
            part.parts.append(part_of(inner, inner_name, step))
        part.tensors = _tensors(module, bool(part.parts))
        return part

    return Model(name, part_of(module, "", ""))


def _inside(module: TorchObject) -> list[tuple[str, TorchObject]]:
    """The modules in a module, as it shows them, with their names: without the copies of them for other steps."""
    children = [(key, child) for key, child in module._modules.items() if isinstance(child, TorchObject)]
    held = {id(child) for _, child in children}
    overrides = module.__dict__.get("_overrides")
    others = list(module.inner()) if isinstance(module, GModule) else []
    others += [] if overrides is None else overrides.foreign_modules(module)
    for other in others:
        if id(other) not in held:
            held.add(id(other))
            children.append(("", other))
    return [
        (key if key and not key.isdigit() else str(number), child)
        for number, (key, child) in enumerate(children, 1)
    ]


def _tensors(module: TorchObject, has_parts: bool) -> list[Tensor]:
    """The parameters of a module itself."""
    named: list[tuple[str, torch.Tensor]] = [
        (name, value) for name, value in module._parameters.items() if value is not None
    ]
    if not named and not has_parts and isinstance(module, Module):
        pairs = module.torch7_parameters()
        listed = list(pairs[0]) if pairs else []
        named = [(f"parameter {number}", value) for number, value in enumerate(listed, 1)]
    return [_tensor(name, value) for name, value in named]


def _tensor(name: str, value: torch.Tensor) -> Tensor:
    memory_key = (value.data_ptr(), value.dtype, tuple(value.shape), value.stride())
    return Tensor(name, tuple(value.shape), types.of(value).tensor.removeprefix("torch."), memory_key)
