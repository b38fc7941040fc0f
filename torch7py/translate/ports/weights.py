"""Which weights of a port are which of the original's, and what they begin with.

A layer of the port goes with the first layer of the original that has no partner yet, is of the same class in PyTorch,
and has weights of the same names and shapes. A parameter that is in no such layer goes with the first tensor of weights
of its shape. Both are looked for in the model that has most shapes in common first, then in the order in which the
models were used first, and within a model in that of its layers. A map says otherwise, by names.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from torch7py.translate.ports.history import History, Moment, Tensors, Tracked
from torch7py.translate.ports.original import Part

__all__ = ["Pair", "PortWeights", "WrongMap"]


class WrongMap(Exception):
    """A map names what neither of the two has, or tensors of different shapes."""


@dataclass
class Pair:
    """A tensor of the port and the one of the original that it stands for; transposed, if a map says so."""

    name: str
    tensor: torch.Tensor
    part: Part
    entry: str
    transposed: bool = False
    tracked: Tracked = field(default_factory=lambda: Tracked({}, {}))
    other: torch.Tensor | None = None  # a gradient that was asked for, in place of the one that it holds

    @property
    def theirs(self) -> str:
        return _full_name(self.part, self.entry)

    def value(self) -> torch.Tensor:
        """As the original has it."""
        return self._turned(self.tensor.detach()).clone()

    def gradient(self) -> torch.Tensor | None:
        grad = self.tensor.grad if self.other is None else self.other
        return None if grad is None else self._turned(grad)

    def begin(self, values: Tensors) -> None:
        """Let it have one of these values of the layer's, if that did not begin as a copy of another one."""
        value = self._turned(values[self.entry]).to(self.tensor)
        if not self.part.copied and not torch.equal(self.tensor.detach(), value):
            with torch.no_grad():
                self.tensor.copy_(value)

    def _turned(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.t() if self.transposed else tensor


class PortWeights:
    """The parameters of a port as they come to be used. ``name_map`` maps its names to those of the original.

    ``begins`` says whether they are to begin with the original's values.
    """

    def __init__(
        self, parts: list[Part], name_map: Mapping[str, Any], history: History, begins: bool = True
    ) -> None:
        self.parts, self.name_map, self.history, self.begins = parts, dict(name_map), history, begins
        self.pairs: list[Pair] = []
        self.buffers: list[tuple[str, torch.Tensor, Part, str]] = []
        # With the port's names of the part's entries.
        self.tracked: list[tuple[Part, Tracked, dict[str, str]]] = []
        self.alone: list[str] = []  # parameters of the port without a partner
        self._unused = set(self.name_map)
        self._left = {(id(part), entry): (part, entry) for part in parts for entry in part.first}
        self._by_name = {_full_name(part, entry): (part, entry) for part, entry in self._left.values()}
        unknown = [name for name in map(_target, self.name_map.values()) if name not in self._by_name]
        if unknown:
            raise WrongMap(f"the original has no weights {unknown[0]!r}; it has {', '.join(self._by_name)}")
        self._reserved = {_target(value) for value in self.name_map.values()}
        self._seen: set[int] = set()
        self._kept: list[Any] = []  # what has been seen, so that nothing else gets its number
        self._names: dict[str, int] = {}
        self._model = 0  # the model of the original that the one at hand is most like

    @property
    def missing(self) -> list[str]:
        """The original's weights that nothing in the port stands for."""
        return [_full_name(part, entry) for part, entry in self._left.values()]

    def check(self) -> None:
        """Raise WrongMap where a map has names that the port has not, now that it has ended."""
        if self._unused:
            names = [*(pair.name for pair in self.pairs), *self.alone]
            raise WrongMap(f"the port has no weights {min(self._unused)!r}; it has {', '.join(names)}")

    def of_module(self, root: torch.nn.Module, moment: Callable[[], Moment]) -> None:
        """Take in the parameters of a model that is used."""
        if self.has(root):
            return
        title = self._title(type(root).__name__)
        self._model = self._model_like([tuple(p.shape) for p in root.parameters() if not self._has(p)])
        pairs: list[Pair] = []
        for path, module in root.named_modules():
            if self._has(module):
                continue
            prefix = ".".join(filter(None, (title, path)))
            whole = {name: p for name, p in module.named_parameters() if not self._has(p)}
            part = self._like(module, whole, prefix)
            self._see(module)
            if part is not None:
                for inner in module.modules():
                    self._see(inner)
                pairs += self._of_layer(module, prefix, whole, part)
                continue
            for name, tensor in module.named_parameters(recurse=False):
                if not self._has(tensor):
                    pairs += self._alone(f"{prefix}.{name}", tensor)
        self._track(pairs, moment)

    def _model_like(self, shapes: list[tuple[int, ...]]) -> int:
        """The model of the original whose weights that are left have most of these shapes, and fewest others."""
        models: dict[int, Counter[tuple[int, ...]]] = {}
        for part, entry in self._left.values():
            models.setdefault(part.model, Counter())[tuple(part.first[entry].shape)] += 1
        counts = Counter(shapes)
        scores = {
            model: 2 * (counts & model_counts).total() - model_counts.total() if counts & model_counts else -1
            for model, model_counts in models.items()
        }
        return max(scores, key=lambda model: scores[model], default=0)

    def of_tensors(self, tensors: Iterable[tuple[str, torch.Tensor]], moment: Callable[[], Moment]) -> None:
        """Take in tensors that an optimizer is given and that no module has brought, by names."""
        pairs = []
        paired = {pair.tensor.untyped_storage().data_ptr() for pair in self.pairs}
        for name, tensor in tensors:
            # Not the vector in which parameters lie that have partners already.
            if not self._has(tensor) and tensor.untyped_storage().data_ptr() not in paired:
                pairs += self._alone(self._title(name), tensor)
        self._track(pairs, moment)
        for pair in pairs:
            pair.tracked.ran = True  # no module tells when they are used

    def has(self, root: torch.nn.Module) -> bool:
        """Whether a module with all that is in it was taken in."""
        return all(self._has(module) for module in root.modules())

    def is_paired(self, tensor: torch.Tensor) -> bool:
        return any(pair.tensor is tensor for pair in self.pairs)

    @contextlib.contextmanager
    def instead(self, tensors: Sequence[torch.Tensor], gradients: Sequence[Any]) -> Iterator[None]:
        """Have these be the gradients of the tensors for a while, in place of those that they hold."""
        by_tensor = {id(tensor): gradient for tensor, gradient in zip(tensors, gradients, strict=True)}
        pairs = [pair for pair in self.pairs if id(pair.tensor) in by_tensor]
        for pair in pairs:
            pair.other = by_tensor[id(pair.tensor)]
        yield
        for pair in pairs:
            pair.other = None

    def drawn(self, tensor: torch.Tensor) -> None:
        """Weights were drawn anew: those that the original drew then are drawn."""
        memory = tensor.untyped_storage().data_ptr()
        for pair in self.pairs:
            if pair.tensor.untyped_storage().data_ptr() == memory:
                tracked = pair.tracked
                values = pair.part.drawn(tracked.count + 1) if tracked.learns else pair.part.first
                if values is not None:
                    pair.begin(values)

    def runs(self, root: torch.nn.Module) -> None:
        """A model is about to run: what has not begun to learn yet begins as the original did.

        Where the original never learns, that is when the model first runs.
        """
        inside = {id(p) for p in root.parameters()}
        for pair in self.pairs:
            if id(pair.tensor) in inside:
                if not pair.tracked.learns and (pair.part.tracked.learns or not pair.tracked.ran):
                    pair.begin(pair.part.first)
                pair.tracked.ran = True

    def _track(self, pairs: list[Pair], moment: Callable[[], Moment]) -> None:
        self.pairs += pairs
        for pair in pairs if self.begins else ():
            pair.begin(pair.part.seen if pair.part.tracked.learns else pair.part.first)
        for part in {id(pair.part): pair.part for pair in pairs}.values():
            mine = [pair for pair in pairs if pair.part is part]
            read: dict[str, Callable[[], torch.Tensor]] = {pair.entry: pair.value for pair in mine}
            gradients: dict[str, Callable[[], torch.Tensor | None]] = {
                pair.entry: pair.gradient for pair in mine
            }
            tracked = Tracked(read, gradients)
            self.history.track(tracked, moment())
            for pair in mine:
                pair.tracked = tracked
            self.tracked.append((part, tracked, {pair.entry: pair.name for pair in mine}))

    def _of_layer(
        self, module: torch.nn.Module, prefix: str, parameters: dict[str, torch.Tensor], part: Part
    ) -> list[Pair]:
        pairs = []
        for name, tensor in parameters.items():
            self._see(tensor)
            if (id(part), name) in self._left:
                pairs.append(self._pair(f"{prefix}.{name}", tensor, part, name))
            else:
                if tensor.requires_grad:
                    self.alone.append(f"{prefix}.{name}")
                if name.startswith("bias"):  # one of two that are added, of which the original has one
                    with torch.no_grad():
                        tensor.zero_()
        state = dict(module.named_buffers())
        for name in part.buffers.keys() & state.keys():
            self.buffers.append((f"{prefix}.{name}", state[name], part, name))
            if self.begins:
                state[name].copy_(part.first_buffers[name])
        return pairs

    def _like(self, module: torch.nn.Module, parameters: dict[str, torch.Tensor], prefix: str) -> Part | None:
        """The next layer of the original of this class, with weights of these names and shapes."""
        if not parameters or any(self._named(f"{prefix}.{name}") for name in parameters):
            return None
        kind = type(module).__name__
        if type(module).__module__.startswith("torch.nn.modules."):
            kind = f"nn.{kind}"
        for part in sorted(self.parts, key=lambda part: part.model != self._model):
            if part.kind != kind or any(_full_name(part, entry) in self._reserved for entry in part.first):
                continue
            free = all((id(part), entry) in self._left for entry in part.first)
            if free and all(
                entry in parameters and parameters[entry].shape == value.shape
                for entry, value in part.first.items()
            ):
                return part
        return None

    def _alone(self, name: str, tensor: torch.Tensor) -> list[Pair]:
        self._see(tensor)
        mapping = self._named(name)
        if mapping is not None:
            part, entry = self._by_name[_target(mapping)]
            turned = isinstance(mapping, dict) and bool(mapping.get("transposed"))
            wanted = part.first[entry].t().shape if turned else part.first[entry].shape
            if tensor.shape != wanted:
                raise WrongMap(
                    f"{name} has the shape {tuple(tensor.shape)}, {_target(mapping)} {tuple(part.first[entry].shape)}"
                )
            return [self._pair(name, tensor, part, entry, turned)]
        if not tensor.requires_grad and bool((tensor == tensor.flatten()[:1]).all()):
            return []  # a bias that is switched off, or the like
        free = [
            (part, entry)
            for part, entry in self._left.values()
            if part.first[entry].shape == tensor.shape and _full_name(part, entry) not in self._reserved
        ]
        short_name = name.rpartition(".")[2]
        for part, entry in sorted(
            free,
            key=lambda candidate: (
                candidate[0].model != self._model,
                not candidate[1].startswith(short_name),
            ),
        ):
            return [self._pair(name, tensor, part, entry)]
        self.alone.append(name)
        return []

    def _named(self, name: str) -> Any:
        """What a map says of a name, which may leave out the class of the model."""
        for key in (name, name.partition(".")[2]):
            if key in self.name_map:
                self._unused.discard(key)
                return self.name_map[key]
        return None

    def _pair(self, name: str, tensor: torch.Tensor, part: Part, entry: str, turned: bool = False) -> Pair:
        self._left.pop((id(part), entry), None)
        return Pair(name, tensor, part, entry, turned)

    def _title(self, name: str) -> str:
        self._names[name] = number = self._names.get(name, 0) + 1
        return name if number == 1 else f"{name}{number}"

    def _has(self, thing: Any) -> bool:
        return id(thing) in self._seen

    def _see(self, thing: Any) -> None:
        self._seen.add(id(thing))
        self._kept.append(thing)


def _full_name(part: Part, entry: str) -> str:
    return f"{part.name}.{entry}".rstrip(".")


def _target(value: Any) -> str:
    """The name in an entry of a map: a text, or ``{"name": text, "transposed": true}``."""
    if isinstance(value, dict) and isinstance(value.get("name"), str):
        return str(value["name"])
    if isinstance(value, str):
        return value
    raise WrongMap(f"a map holds names, or objects with a name and transposed, and not {value!r}")
