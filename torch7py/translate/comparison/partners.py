"""Gives each layer of the translation the weights of its counterpart, and pairs them for the end."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import torch

from torch7py.translate import page_library
from torch7py.translate.comparison.original import Construction, Recording
from torch7py.translate.layers import Layer, natives
from torch7py.translate.layers.as_modules import CLASSES_OF_PAGES
from torch7py.translate.layers.groups import ESTIMATING
from torch7py.translate.layers.helpers import DERIVED, DRAWING, HELPERS
from torch7py.translate.model import taken
from torch7py.translate.native.program import Native
from torch7py.translate.patching import altered, patched
from torch7py.translate.verify import Different

__all__ = ["Partners", "first_weights"]


class Partners:
    """Gives each layer of the translation the weights of its counterpart, and pairs them for the end."""

    def __init__(self, native: Native, recording: Recording) -> None:
        assert native.translator is not None
        self.models = native.translator.models
        self.queues: dict[str, list[Construction]] = {}
        self.of_original = recording.user_layers
        self.noise = list(recording.noise)
        self.nudged = recording.nudged
        self.user_class_names = {
            layer.name: lua_class.name for lua_class, layer in native.translator.classes.layers.items()
        }
        named = {cls.name for cls in self.models.written.classes}
        self.helpers = set(HELPERS) - named - set(self.user_class_names)
        # Objects of the program's own layers, by their class.
        self.user_modules: dict[str, list[torch.nn.Module]] = {}
        for item in recording.constructions:
            self.queues.setdefault(item.name, []).append(item)
        self.matches: list[tuple[str, torch.nn.Module, dict[str, Any], Construction]] = []
        self.within = 0
        self.quiet = 0  # while a class for one of Torch7's layers is made: its first weights are replaced

    def take(self, layer: Layer, state: dict[str, torch.Tensor], entries: dict[str, Any]) -> Construction:
        """The first layer of the class that the original made, of those with weights of these sizes.

        A page may make layers in another order than the original, but not those of one size.
        """
        queue = self.queues.get(layer.name, [])
        for number, item in enumerate(queue):
            if all(
                taken(take, first_weights(item)).shape == state[entry].shape
                for entry, take in entries.items()
            ):
                return queue.pop(number)
        raise Different(
            f"the translation makes more layers of {layer.name} than the original, or larger ones"
        )

    def give(self, module: torch.nn.Module, layer: Layer, entries: dict[str, Any]) -> None:
        state: dict[str, torch.Tensor] = dict(module.named_parameters())
        state.update(dict(module.named_buffers()))
        item = self.take(layer, state, entries)
        with torch.no_grad():
            for entry, take in entries.items():
                state[entry].copy_(taken(take, first_weights(item)))
                if self.nudged and state[entry].is_floating_point():
                    state[entry].mul_(1 + 16 * torch.finfo(state[entry].dtype).eps)
        self.matches.append((layer.name, module, entries, item))

    def reset(self, module: torch.nn.Module) -> None:
        """Give a layer the weights that the original's next ``reset`` of its counterpart drew."""
        state = {**dict(module.named_parameters()), **dict(module.named_buffers())}
        for _, other, entries, item in self.matches:
            if other is module:
                if not item.resets:
                    raise Different(
                        f"the translation draws weights of {item.name} that the original does not"
                    )
                drawn = first_weights(Construction(item.name, item.module, item.resets.pop(0)))
                with torch.no_grad():
                    for entry, take in entries.items():
                        state[entry].copy_(taken(take, drawn))

    def wrap_class(self, kind: Any) -> Any:
        """Have what a class of a page makes be noted; the class."""
        name = kind.__name__
        if kind.__module__ == page_library.MODULE:
            return kind  # whose classes may have the names of those of the page
        for cls in self.models.written.classes:
            if cls.name == name:
                kind.__init__ = self._after(kind.__init__, cls)
        if name in self.helpers and issubclass(kind, torch.nn.Module):
            kind.__init__ = self._quietly(kind.__init__)
            if "reset_parameters" in vars(kind) and name in DERIVED:
                kind.reset_parameters = lambda module: self.reset(module)
        if name in self.user_class_names:
            kind.__init__ = self._noting(kind, self.user_class_names[name])
        if name == CLASSES_OF_PAGES[ESTIMATING] and name in self.helpers:
            self._wrap_estimation(kind)
        return kind

    def _wrap_estimation(self, kind: Any) -> None:
        """Give modules for noise contrastive estimation the weights and the noise of the original's."""
        original = kind.__init__
        entries = {"weight": "weight", "bias": "bias"}

        def init(module: Any, *args: Any, **kwargs: Any) -> None:
            original(module, *args, **kwargs)
            if not self.within:
                self.give(module, Layer(ESTIMATING), entries)
                kind.reset_parameters = lambda module: self.reset(module)

        def draw(module: Any, count: int) -> torch.Tensor:
            if not self.noise or self.noise[0].numel() != count:
                raise Different("the translation draws other noise than the original")
            return self.noise.pop(0).flatten() - 1

        kind.__init__, kind.draw = init, draw

    def wrap_function(self, namespace: dict[str, Any], name: str) -> None:
        """Have what a function of a page draws for first weights be replaced, as all of them are."""
        if name in self.helpers and name in DRAWING:
            namespace[name] = self._quietly(namespace[name])
        if name in self.helpers and name == "draw_weights":
            namespace[name] = self._draw_weights

    def _draw_weights(self, model: torch.nn.Module, _: float) -> None:
        for layer in model.modules():
            self.reset(layer)

    def _quietly(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def quiet(*args: Any, **kwargs: Any) -> Any:
            with altered(self, quiet=self.quiet + 1):
                return original(*args, **kwargs)

        return quiet

    def _noting(self, kind: Any, lua_name: str) -> Callable[..., None]:
        original: Callable[..., None] = kind.__init__

        @functools.wraps(original)
        def init(module: Any, *args: Any, **kwargs: Any) -> None:
            if type(module) is kind:
                self.user_modules.setdefault(lua_name, []).append(module)
            original(module, *args, **kwargs)

        return init

    def _after(self, original: Callable[..., None], cls: Any) -> Callable[..., None]:
        @functools.wraps(original)
        def init(module: Any, *args: Any, **kwargs: Any) -> None:
            with altered(self, within=self.within + 1):
                original(module, *args, **kwargs)
            children = [child for child in cls.writer.children if child.native.weights]
            for child in sorted(children, key=lambda c: self.models.constructions.places.get(id(c.layer), 0)):
                entries = {**child.native.weights, **child.native.buffers}
                if "" in entries:
                    entries = {child.name: entries[""]}
                    self.give(module, child.layer, entries)
                else:
                    self.give(getattr(module, child.name), child.layer, entries)

        return init

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Plain modules that are made outside the translation's own classes."""
        by_class: dict[str, list[Layer]] = {}
        for layer, text in self.models.plain_modules:
            rule = natives.get(layer.name)
            if rule is not None and rule(layer.args).weights:
                class_name = text.partition("(")[0]
                by_class.setdefault(DERIVED.get(class_name, class_name).removeprefix("nn."), []).append(layer)
        changes = []
        for name, layers in by_class.items():
            kind = getattr(torch.nn, name)
            changes.append((kind, "__init__", self._plain(kind.__init__, layers)))
        with patched(changes):
            yield

    def _plain(self, original: Callable[..., None], layers: list[Layer]) -> Callable[..., None]:
        @functools.wraps(original)
        def init(module: Any, *args: Any, **kwargs: Any) -> None:
            original(module, *args, **kwargs)
            if self.within or next(module.parameters(), None) is None:
                return
            names = {layer.name: layer for layer in layers}
            best = (
                min((self.queues[name][0].order, name) for name in names if self.queues.get(name))
                if any(self.queues.get(name) for name in names)
                else None
            )
            if best is None:
                raise Different(f"the translation makes more layers of {', '.join(names)} than the original")
            layer = names[best[1]]
            native = natives[layer.name](layer.args)
            state_names = {n for n, _ in [*module.named_parameters(), *module.named_buffers()]}
            entries = {**native.weights, **native.buffers}
            self.give(module, layer, {k: v for k, v in entries.items() if k in state_names})

        return init

    def pairs(self) -> list[tuple[str, torch.Tensor, torch.Tensor]]:
        weight_pairs: list[tuple[str, torch.Tensor, torch.Tensor]] = []
        means: list[tuple[str, torch.Tensor, torch.Tensor]] = []
        apart = False  # whether a bias without an effect has gone another way
        for name, module, entries, item in self.matches:
            state: dict[str, torch.Tensor] = dict(module.named_parameters())
            state.update(dict(module.named_buffers()))
            for entry, take in entries.items():
                if entry == "bias" and entry not in state and item.module._module.bias is None:
                    continue  # taken from both
                theirs, ours = taken(take, item.module._module), state[entry].detach().cpu()
                if entry == "bias" and item.centred:
                    # it has no effect, and no gradient but rounding, of which Adam makes whole steps
                    apart = apart or not torch.allclose(ours.to(theirs), theirs, 1e-4, 1e-4)
                    continue
                pairs = means if entry == "running_mean" and item.shifted else weight_pairs
                pairs.append((f"{name}.{entry}", ours, theirs))
        if not apart:
            weight_pairs += [
                (name, ours, theirs)
                for name, ours, theirs in means
                if not torch.allclose(ours.to(theirs), theirs, 1e-4, 1e-4)
            ]
        return weight_pairs + self._user_layer_pairs()

    def _user_layer_pairs(self) -> list[tuple[str, torch.Tensor, torch.Tensor]]:
        """The parameters of layers that the program defines itself, in the order in which each class made them."""
        weight_pairs: list[tuple[str, torch.Tensor, torch.Tensor]] = []
        for name, theirs in self.of_original.items():
            ours = self.user_modules.get(name, [])
            if len(ours) != len(theirs):
                raise Different(
                    f"the translation makes {len(ours)} layers of {name}, the original {len(theirs)}"
                )
            for number, (module, fields) in enumerate(zip(ours, theirs, strict=True), 1):
                for field, value in fields.items():
                    weight = getattr(module, field, None)
                    if isinstance(weight, torch.Tensor) and weight.shape == value.shape:
                        weight_pairs.append(
                            (f"{name} number {number}, {field}", weight.detach().cpu(), value)
                        )
                    else:
                        raise Different(f"{name} number {number} has no {field} of size {tuple(value.shape)}")
        return weight_pairs


class first_weights:
    """A layer of the original with the weights that it began with."""

    def __init__(self, item: Construction, prefix: str = "") -> None:
        self._item, self._prefix = item, prefix

    def __getattr__(self, name: str) -> Any:
        if name == "torch7_parameters" and not self._prefix:
            return lambda: (self._item.listed, [])
        path = f"{self._prefix}{name}"
        if path in self._item.first:
            return self._item.first[path]
        module = self._item.module._module
        for part in self._prefix.split(".")[:-1]:
            module = getattr(module, part)
        value = getattr(module, name)
        if name == "child_list":
            return lambda: [self._inside(child, path) for child in value()]
        return self._inside(value, path) if isinstance(value, torch.nn.Module) else value

    def _inside(self, part: torch.nn.Module, path: str) -> first_weights:
        prefix = next((n for n, m in self._item.module._module.named_modules() if m is part), path)
        return first_weights(self._item, f"{prefix}.")
