"""Parts of a model that repeat, as in a ResNet: one class for each kind, made several times.

Parts repeat when they have the same layers with the same arguments; numbers of planes and features and strides may
differ, and become the class's arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from torch7py.translate.facts import layers as facts
from torch7py.translate.layers.groups import CHAIN
from torch7py.translate.layers.registry import Args, Layer

__all__ = ["Kind", "Occurrence", "find_kinds", "grouped", "inner"]

# Arguments that may differ between parts of one kind: whether before or after the layer, and of what.
_VARIABLE = {
    "nInputPlane": ("in_", "channels"),
    "nOutputPlane": ("out_", "channels"),
    "inputSize": ("in_", "features"),
    "outputSize": ("out_", "features"),
    "nOutput": ("out_", ""),
    "dW": ("", "stride"),
    "dH": ("", "stride"),
}
LEAST = 6  # layers that a class must save
MOST = 6  # arguments of a class


@dataclass
class Occurrence:
    """One part: its layers, in the order of those of the kind's pattern, and its class's arguments."""

    layer: Layer
    arguments: list[str] = field(default_factory=list)


@dataclass
class Kind:
    """A kind of parts: ``pattern`` has the class's parameters in the places of its arguments."""

    pattern: Layer
    parameters: list[str]
    occurrences: list[Occurrence]


def inner(layer: Layer) -> Iterator[Layer]:
    """A layer and all in it, in a fixed order, as often as they stand there."""
    yield layer
    for child in layer.children:
        yield from inner(child)
    for name in sorted(layer.slots):
        yield from inner(layer.slots[name])


def find_kinds(root: Layer) -> list[Kind]:
    """The kinds of parts that are worth a class; parts do not overlap."""
    uses: dict[int, int] = {}
    _count(root, uses)
    groups: dict[Any, _Group] = {}
    of_layer: dict[int, _Group] = {}
    for layer, around in _candidates(root, []):
        if layer is not root and all(uses[id(part)] == 1 and not part.nodes for part in inner(layer)):
            group = groups.setdefault(_signature(layer), _Group())
            group.layers.append(layer)
            group.depth = max(group.depth, len(around))
            group.around += [of_layer[id(other)] for other in around[-1:] if id(other) in of_layer]
            of_layer[id(layer)] = group
    worth = {id(group): group for group in groups.values() if group.saved >= LEAST}
    for group in sorted(worth.values(), key=lambda group: -group.depth):
        outer = {id(g): g for g in group.around}
        if id(group) not in worth or not outer:
            continue
        level = {key: g for key, g in worth.items() if g.around and {id(o) for o in g.around} <= set(outer)}
        outside, inside = _total(outer, worth), _total(level, worth)
        for key in level if outside > inside else outer:
            worth.pop(key, None)
    kinds = []
    taken: set[int] = set()
    for group in sorted(worth.values(), key=lambda group: -group.saved):
        parts = {id(part) for layer in group.layers for part in inner(layer)}
        if parts & taken:
            continue
        kind = _kind(group.layers)
        if len(kind.parameters) <= MOST:
            kinds.append(kind)
            # What is around a part is no part either: it would hold a class of its own.
            taken |= parts | {id(layer) for layer in inner(root) if parts & {id(p) for p in inner(layer)}}
    return kinds


@dataclass
class _Group:
    """Parts of one kind, how deep they stand, and the groups of the parts that they stand in."""

    layers: list[Layer] = field(default_factory=list)
    depth: int = 0
    around: list[_Group] = field(default_factory=list)

    @property
    def saved(self) -> int:
        """How many layers need not be written when the kind has a class; 0 for parts of hardly any weights."""
        first = self.layers[0]
        if sum(1 for part in inner(first) if not part.children and _has_weights(part)) < 2:
            return 0
        return (len(self.layers) - 1) * sum(1 for part in inner(first) if not part.children)


def _total(groups: dict[int, _Group], worth: dict[int, _Group]) -> int:
    return sum(group.saved for key, group in groups.items() if key in worth)


def _count(layer: Layer, uses: dict[int, int]) -> None:
    uses[id(layer)] = uses.get(id(layer), 0) + 1
    for child in (*layer.children, *layer.slots.values()):
        _count(child, uses)


def _candidates(layer: Layer, around: list[Layer]) -> Iterator[tuple[Layer, list[Layer]]]:
    """Sequences of layers with nothing around them but containers, and the sequences around each."""
    if not (facts.grows(layer.name) or facts.is_graph(layer.name)):
        return
    if facts.is_chain(layer.name):
        yield layer, around
        around = [*around, layer]
    for child in layer.children:
        yield from _candidates(child, around)


def _has_weights(layer: Layer) -> bool:
    return layer.module is not None and next(iter(layer.module.parameters()), None) is not None


def _signature(layer: Layer) -> Any:
    """What must be equal for two parts to be of one kind."""
    arguments = tuple(
        (name, "" if _varies(name, text) else text) for name, text in sorted(layer.args.texts.items())
    )
    shapes = (_ranks(layer.shape_in), _ranks(layer.shape_out))
    children = tuple(_signature(child) for child in layer.children)
    slots = tuple((name, _signature(layer.slots[name])) for name in sorted(layer.slots))
    return layer.name, arguments, shapes, children, slots


def _varies(name: str, text: str) -> bool:
    return name in _VARIABLE and text.isdigit()


def _ranks(shape: Any) -> Any:
    return tuple(_ranks(part) for part in shape) if isinstance(shape, list) else shape and len(shape)


def _kind(group: list[Layer]) -> Kind:
    """The pattern of a group, its parameters, and what each part gives for them."""
    columns: dict[tuple[str, ...], list[str]] = {}  # the values in the parts -> the arguments with them
    for layers in zip(*(inner(layer) for layer in group), strict=True):
        for name, text in sorted(layers[0].args.texts.items(), key=lambda item: _order(item[0])):
            if _varies(name, text):
                values = tuple(layer.args.texts[name] for layer in layers)
                if len(set(values)) > 1:
                    columns.setdefault(values, []).append(name)
    names: dict[tuple[str, ...], str] = {}
    for values, uses in columns.items():
        names[values] = _free(_called(uses), set(names.values()))
    ordered = sorted(names, key=lambda values: "stride" in names[values])

    def pattern(layers: tuple[Layer, ...]) -> Layer:
        texts = {}
        for name, text in layers[0].args.texts.items():
            values = tuple(layer.args.texts[name] for layer in layers)
            texts[name] = names[values] if _varies(name, text) and values in names else text
        return replace(
            layers[0],
            args=Args(texts),
            children=[pattern(part) for part in zip(*(layer.children for layer in layers), strict=True)],
            slots={name: pattern(tuple(layer.slots[name] for layer in layers)) for name in layers[0].slots},
        )

    occurrences = [
        Occurrence(
            layer,
            [
                f"{names[values]}={values[n]}" if "stride" in names[values] else values[n]
                for values in ordered
            ],
        )
        for n, layer in enumerate(group)
    ]
    return Kind(pattern(tuple(group)), [names[values] for values in ordered], occurrences)


def _order(name: str) -> int:
    return list(_VARIABLE).index(name) if name in _VARIABLE else len(_VARIABLE)


def _called(uses: list[str]) -> str:
    """A name for a parameter by what it is used for: the channels that come in, go out, or all of them."""
    sides = {_VARIABLE[name][0] for name in uses}
    things = [thing for name in uses if (thing := _VARIABLE[name][1])]
    thing = things[0] if things else "features"
    return f"{sides.pop()}{thing}" if len(sides) == 1 else thing


def _free(name: str, taken: set[str]) -> str:
    base, number = name, 1
    while name in taken:
        number += 1
        name = f"{base}{number}"
    return name


def grouped(layer: Layer, is_part: Callable[[Layer], bool]) -> None:
    """Make of parts that follow one another in a sequence a sequence of their own, in place."""
    if not (facts.grows(layer.name) or facts.is_graph(layer.name)) or is_part(layer):
        return
    for child in layer.children:
        grouped(child, is_part)
    if not facts.is_chain(layer.name) or all(is_part(child) for child in layer.children):
        return
    children: list[Layer] = []
    run: list[Layer] = []
    for child in layer.children:
        if is_part(child):
            run.append(child)
        else:
            children += [*_joined(run), child]
            run = []
    layer.children = [*children, *_joined(run)]


def _joined(run: list[Layer]) -> list[Layer]:
    if len(run) < 2:
        return run
    return [Layer(CHAIN, children=run, named_in=run[0].named_in, named_out=run[-1].named_out)]
