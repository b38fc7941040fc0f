"""From a live model to a page of PyTorch: one class, with the weights for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from torch7py.nn.gmodule import GModule
from torch7py.nn.object import TorchObject
from torch7py.ops.errors import TorchError
from torch7py.translate.blocks import find_kinds, grouped, inner
from torch7py.translate.checked_code import checked_tree
from torch7py.translate.layers.criterion import loss
from torch7py.translate.layers.examples import example_dims
from torch7py.translate.layers.helpers import HELPERS
from torch7py.translate.layers.registry import (
    Args,
    GraphNode,
    Layer,
    NotNative,
    Take,
    parameter_names,
    readers,
)
from torch7py.translate.layers.shapes import show_shapes, shown, walk
from torch7py.translate.layers.writer import Child, Part, Writer
from torch7py.translate.layout import lay_out
from torch7py.translate.quoting import comment, docstring

__all__ = [
    "ClassSource",
    "FunctionSource",
    "ModelSource",
    "layer_of",
    "literal",
    "page",
    "translate_criterion",
    "translate_model",
    "write_criterion",
    "write_model",
]

LARGEST_LITERAL = 64  # elements of a tensor that is written out


def literal(value: Any) -> str | None:
    """A constructor argument as Python source; None for what has none."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return repr(value)
    if isinstance(value, (int, float)):
        if value != value:
            return "math.nan"
        if abs(value) == float("inf"):
            return "math.inf" if value > 0 else "-math.inf"
        return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    if isinstance(value, torch.Tensor):
        if value.numel() > LARGEST_LITERAL:
            return None
        return f"torch.tensor({[_number(item) for item in value.tolist()]})".replace("'", "")
    if isinstance(value, (list, tuple)):
        parts = [literal(item) for item in value]
        if None in parts:
            return None
        inner = ", ".join(str(part) for part in parts)
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(parts) == 1 else ''})"
    return None


def _number(value: Any) -> Any:
    return [_number(item) for item in value] if isinstance(value, list) else value


def _settings(module: Any, read: Callable[[Any], Any]) -> Any:
    """What is read from a module's fields, which may hold anything in a file."""
    try:
        return read(module)
    except (AttributeError, TypeError, ValueError) as error:
        empty = [
            name for held in (module._parameters, module._buffers) for name in held if held[name] is None
        ]
        what = f"it has no {', '.join(empty)}" if empty else "a field does not hold what its class has there"
        raise TorchError(f"{module.class_name}: {what}") from error


def layer_of(root: TorchObject) -> Layer:
    """A live module as a tree of ``Layer``; one module, or modules with the same weights, one ``Layer``."""
    done: dict[int, Layer] = {}
    same: dict[Any, Layer] = {}

    def convert(module: Any) -> Layer:
        known_layer = done.get(id(module))
        if known_layer is not None:
            return known_layer
        layer = Layer(module.class_name, module=module)
        done[id(module)] = layer
        names, rest = parameter_names(layer.name) if layer.name in _known() else ((), None)
        read = readers.get(layer.name)
        arguments = (
            dict(_settings(module, read))
            if read
            else {n: module.get_field(n) for n in [*names, rest or ""] if n}
        )
        texts = {}
        for name, value in arguments.items():
            if isinstance(value, torch.nn.Module):
                layer.slots[name] = convert(value)
            else:
                text = literal(value)
                if text is not None:
                    texts[name] = text
        layer.args = Args(texts)
        if not layer.slots:
            layer.children = [convert(child) for child in module.child_list() or []]
        if isinstance(module, GModule):
            layer.nodes = [
                GraphNode(
                    None if node.module is None else convert(node.module),
                    list(node.sources),
                    node.select,
                    node.splits,
                    str(node.annotations.get("name") or ""),
                )
                for node in module.ordered_nodes
            ]
        key = _memory(module)
        if key and not layer.children and not layer.slots:
            twin = same.setdefault((layer.name, repr(layer.args), key), layer)
            done[id(module)] = layer = twin
        return layer

    return convert(root)


def _known() -> Any:
    from torch7py.nn.registry import layers

    return layers


def _memory(module: Any) -> tuple[Any, ...]:
    """The memory of a module's parameters: equal for modules that share all of them."""
    parameters = [module.get_field(name) for name in module.parameter_fields]
    return tuple((p.data_ptr(), p.shape, p.stride()) for p in parameters if p is not None and p.numel())


@dataclass
class ClassSource:
    """One class of a page. ``writer`` knows its children and how its inputs are given.

    ``example`` is an input on which the live model was run, where there is one, ``unverified`` why there is none;
    ``example_given`` whether somebody said its size.
    """

    name: str
    lines: list[str]
    writer: Writer
    layer: Layer
    helpers: list[str] = field(default_factory=list)
    example: Any = None
    example_given: bool = False
    unverified: str = "no input can be told from its layers; say one with --input-size"

    @property
    def inputs(self) -> Any:
        """How the input is given: "tensor", "whole" numbers, "steps", or a list for a tuple."""
        return resolved(self.writer.inputs, 0)

    def entries(self) -> Iterator[tuple[str, Take, Child, str]]:
        """What is in the state_dict: entry, where from, of which child, and as what."""
        for child in self.writer.children:
            for part in child.parts:
                for entry, take, within, kind in part.source.entries():
                    inner_child = replace(within, layer=part.layers[id(within.layer)])
                    yield f"{child.name}.{part.prefix}{entry}", take, inner_child, kind
            native = child.native
            for kind in ("weights", "buffers", "constants"):
                for entry, take in getattr(native, kind).items():
                    yield (f"{child.name}.{entry}" if entry else child.name), take, child, kind

    def leaves(self) -> Iterator[tuple[str, Child]]:
        """The children that are no classes of the page, with where they are: those of its parts among them."""
        for child in self.writer.children:
            for part in child.parts:
                for path, within in part.source.leaves():
                    inner_child = replace(within, layer=part.layers[id(within.layer)])
                    yield f"{child.name}.{part.prefix}{path}", inner_child
            if not child.parts:
                yield child.name, child

    def classes(self) -> Iterator[ClassSource]:
        """The classes that it needs before it, each once."""
        seen: set[int] = set()
        for child in self.writer.children:
            for part in child.parts:
                if id(part.source) not in seen:
                    seen.add(id(part.source))
                    yield part.source

    def state_dict(self) -> dict[str, torch.Tensor]:
        """The weights of the live modules, as the class names them."""
        return {entry: taken(take, child.layer.module) for entry, take, child, _ in self.entries()}


def taken(take: Take, module: Any) -> torch.Tensor:
    """What an entry of a state_dict is made of."""
    value = getattr(module, take) if isinstance(take, str) else _settings(module, take)
    if value is None:
        raise TorchError(f"{module.class_name}: it has no {take}")
    tensor: torch.Tensor = value.detach().clone(memory_format=torch.contiguous_format)
    return tensor


@dataclass
class ModelSource:
    """A page of PyTorch: its code, the weights by state_dict entry, and what was translated to what."""

    code: str
    weights: dict[str, torch.Tensor]
    report: list[dict[str, str]]
    classes: list[ClassSource]
    functions: list[FunctionSource] = field(default_factory=list)


def write_model(
    layer: Layer,
    name: str = "Model",
    title: str = "",
    factored: bool = False,
    any_dtype: str = "",
    over_time: str | None = None,
    ranks: frozenset[int | None] = frozenset(),
) -> ClassSource:
    """The class of a model; ``factored``, with classes for the parts that repeat, which puts the layers into order.

    ``any_dtype``: whose whole numbers may be in tensors of any type ("entries" of a table of inputs, or "all").
    ``over_time``: a model that takes whole sequences, time in front, and what it remembers between them.
    ``ranks``: how many dimensions the tensors have that it is given (None: not known); single examples have fewer.
    """
    texts = " ".join(text for part in walk(layer) for text in (*part.args.texts.values(), part.passed_as))
    writer = Writer(taken={"self", *re.findall(r"(?<![\w.])[A-Za-z_]\w*", texts)})
    writer.any_dtype = any_dtype
    example = example_dims(layer, ranks)
    if example is None:
        writer.images = 3 in ranks
    elif example.input_dims in ranks:
        writer.example = example.dims
        if len(ranks) == 1 or example.dims > 1:  # alone each time, else as if in a batch
            writer.input_dims = example.input_dims + (len(ranks) > 1)
    if over_time is not None:
        writer.depth, writer.remembers = 1, over_time
    if factored:
        writer.parts = _parts(layer, name)
        grouped(layer, lambda part: id(part) in writer.parts)
    return _write_class(writer, layer, name, title or "Translated from Torch7.")


def _shapes(layer: Layer, source: Any, result: Any) -> list[str]:
    """What a class takes and gives, for its docstring; nothing where that is not known."""
    taken = shown(layer.named_in, isinstance(source, str) and "steps" in source)
    outputs = shown(layer.named_out, not isinstance(result, tuple))
    if not taken or not outputs:
        return []
    return ["", f"Takes {taken}, gives {outputs}."]


def _parts(root: Layer, name: str) -> dict[int, Part]:
    """The parts of a model that have a class of their own, each with it."""
    order = {id(layer): number for number, layer in enumerate(inner(root))}
    kinds = sorted(find_kinds(root), key=lambda kind: order[id(kind.occurrences[0].layer)])
    parts: dict[int, Part] = {}
    base = "Block" if name == "Model" else f"{name}Block"
    count = 0
    for kind in kinds:
        called = base if not count else f"{base}{count + 1}"
        title = f"A part that {name} has {len(kind.occurrences)} times."
        try:
            source = _write_class(Writer(taken={"self"}), kind.pattern, called, title, kind.parameters)
        except NotNative:  # the form of a layer in it depends on what differs between the parts
            continue
        if source.writer.attributes or source.inputs != "tensor" or source.writer.undone:
            continue
        count += 1
        for occurrence in kind.occurrences:
            layers = dict(zip(map(id, inner(kind.pattern)), inner(occurrence.layer), strict=True))
            make = f"{called}({', '.join(occurrence.arguments)})"
            parts[id(occurrence.layer)] = Part(source, make, layers)
    return parts


def _write_class(
    writer: Writer, layer: Layer, name: str, doc: str, parameters: Sequence[str] = ()
) -> ClassSource:
    writer.comments = not parameters
    x = replace(writer.input(), ndim=writer.input_dims)
    if writer.depth:
        x = replace(x, lead=writer.depth)
    result = writer.apply(layer, x)
    if writer.depth and isinstance(result, tuple):
        raise NotNative("steps that give tables")
    if parameters and isinstance(result, tuple):
        raise NotNative("a part that gives a table")
    body = writer.finish(result)
    lines = [f"class {name}(nn.Module):"]
    more = [] if parameters else _shapes(layer, resolved(writer.inputs, 0), result)
    written = docstring("\n".join([doc, *more]), closed_below=True).split("\n")
    lines += [*(f"    {line}" if line else line for line in written), ""]
    if writer.children or writer.attributes:
        signature = "".join(f", {parameter}" for parameter in parameters)
        lines += [f"    def __init__(self{signature}):", "        super().__init__()"]
        lines += list(_constructor(writer))
        lines.append("")
    lines.append(f"    def forward(self, {writer.argument}):")
    lines += body
    if writer.attributes:
        lines += ["", "    def forget(self):", '        """Start the next sequence from a state of 0."""']
        lines += [f"        self.{attribute} = {first}" for attribute, first in writer.attributes.items()]
    if writer.over_sequences:
        lines += [
            "",
            "    def train(self, mode=True):",
            '        """In another mode sequences start anew."""',
        ]
        lines += ["        if mode != self.training:"]
        lines += [f"            self.{name} = {writer.attributes[name]}" for name in writer.over_sequences]
        lines += ["        return super().train(mode)"]
    return ClassSource(name, lines, writer, layer, list(writer.helpers))


@dataclass
class FunctionSource:
    """A criterion as a function of a page."""

    name: str
    lines: list[str]
    writer: Writer
    layer: Layer
    helpers: list[str] = field(default_factory=list)

    @property
    def forms(self) -> tuple[Any, Any]:
        """How prediction and target are given (see ``ClassSource.inputs``)."""
        prediction, target = (resolved(self.writer.inputs, number) for number in (0, 1))
        return prediction, target


def resolved(held: dict[int, Any], number: int) -> Any:
    value = held[number]
    return [resolved(held, n) for n in value] if isinstance(value, list) else value


def write_criterion(layer: Layer, name: str = "criterion", any_dtype: str = "") -> FunctionSource:
    """A criterion as a function of a prediction and a target; ``any_dtype`` as for a model."""
    writer = Writer()
    writer.any_dtype = any_dtype
    x, y = writer.input("prediction"), writer.input("target")
    result = loss(layer, x, y, writer)
    if writer.children:
        raise NotNative(f"{layer.name} with layers that have weights")
    body = [line[4:] for line in writer.finish(result)]
    lines = [f"def {name}({writer.argument}, target):", f"    {docstring(f'{layer.name}.')}", *body]
    return FunctionSource(name, lines, writer, layer, list(writer.helpers))


def _constructor(writer: Writer) -> Iterator[str]:
    for child in writer.children:
        origin = ", ".join(part for part in (_origin(child), child.layer.source) if part)
        note = f"  {comment(origin)}" if origin else ""
        me = f"self.{child.name}"
        yield f"        {me} = {child.make}{note}"
        for line in child.native.setup:
            yield "        " + line.replace("{self}", me)
    for name, text in writer.settings.items():
        yield f"        self.{name} = {text}"
    for attribute, first in writer.attributes.items():
        yield f"        self.{attribute} = {first}"


def _origin(child: Child) -> str:
    """The Torch7 class, where the constructor does not show it, and the comment."""
    if child.parts:
        return ""
    if child.layer.passed_as:
        return ""
    theirs = child.layer.name
    shown = child.make.partition("(")[0] == theirs
    return ": ".join(part for part in ("" if shown else theirs, child.native.comment) if part)


IMPORTS = (
    ("import functools", r"\bfunctools\."),
    ("import math", r"\bmath\."),
    ("import sys", r"\bsys\."),
    ("", ""),
    ("import torch", r"\btorch\."),
    ("import torch.nn.functional as F", r"\bF\."),
    ("from torch import nn", r"\bnn\."),
)


def page(classes: Sequence[ClassSource | FunctionSource], title: str) -> str:
    """A file of classes, with the imports, helpers and classes of parts that they need."""
    needed: dict[str, None] = {}
    classes = [
        one for cls in classes for one in ([*cls.classes(), cls] if isinstance(cls, ClassSource) else [cls])
    ]
    for cls in classes:
        for helper in cls.helpers:
            needed[helper] = None
    parts = [HELPERS[name].strip() for name in needed]
    parts += ["\n".join(cls.lines) for cls in classes]
    body = "\n\n\n".join(parts)
    code = re.sub(r'""".*?"""', "", re.sub(r"#.*", "", body), flags=re.DOTALL)
    imports = [line for line, pattern in IMPORTS if not pattern or re.search(pattern, code)]
    while imports and not imports[0]:
        imports.pop(0)
    while imports and not imports[-1]:
        imports.pop()
    head = [docstring(title), "\n".join(imports)] if imports else [docstring(title)]
    written = lay_out("\n\n".join(head) + "\n\n\n" + body)
    checked_tree(written, "the page")
    return written


def translate_criterion(criterion: TorchObject, name: str = "criterion", origin: str = "") -> ModelSource:
    """A live criterion as a page of PyTorch with one function of that name."""
    function = write_criterion(layer_of(criterion), name)
    title = f"{name}{f' of {origin}' if origin else ''} in PyTorch, translated by torch7py."
    report = [{"layer": function.layer.name, "native": name, "name": name, "source": ""}]
    return ModelSource(page([function], title), {}, report, [], [function])


def translate_model(
    module: TorchObject, name: str = "Model", origin: str = "", example: Any = None
) -> ModelSource:
    """A live model as a page of PyTorch with one class of that name.

    ``origin`` says where the model came from ("model.t7"), for the first line of the page. ``example`` is an input:
    it shows which shapes each layer takes, where a layer's meaning depends on it. Without one, inputs are taken for
    batches.
    """
    layer = layer_of(module)
    if example is not None:
        show_shapes(layer, example)
    cls = write_model(layer, name, factored=True)
    title = f"{name}{f' of {origin}' if origin else ''} in PyTorch, translated by torch7py."
    return ModelSource(page([cls], title), cls.state_dict(), report_of(cls), [cls])


def report_of(cls: ClassSource) -> list[dict[str, str]]:
    """What became of each child."""
    return [
        {"layer": child.layer.name, "native": child.make, "name": path, "source": child.layer.source}
        for path, child in cls.leaves()
    ]
