"""Watches the modules of a Lua program while it runs, at the calls that the program itself makes."""

from __future__ import annotations

import contextlib
import functools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from torch7py.bridge.module_proxies import ModuleProxies
from torch7py.bridge.runtime import Runtime
from torch7py.bridge.step_programs import without_steps_in_lua
from torch7py.nn.base import Criterion, Module
from torch7py.ops.errors import TorchError
from torch7py.translate.comparison.limits import Limit
from torch7py.translate.layers.helpers import DERIVED
from torch7py.translate.layers.registry import NotNative, Take
from torch7py.translate.model import layer_of, taken, write_model
from torch7py.translate.patching import patched
from torch7py.translate.ports.history import History, Moment, Tensors, Tracked
from torch7py.translate.verify import Gradients

__all__ = ["Part", "Watch"]

_FORWARD = frozenset("forward updateOutput __call__".split())
_BACKWARD = frozenset("backward updateGradInput accGradParameters backwardThroughTime".split())
_LISTING = frozenset("parameters getParameters clone".split())
_UPDATE = frozenset("updateParameters accUpdateGradParameters backwardUpdate reset".split())


@dataclass
class Part:
    """A layer of the program as it is in PyTorch: the class there, and its tensors by their names there.

    Of what has no form in PyTorch the class is empty, and the names are numbers. ``copied`` says that it began with the
    weights of another one. ``seen`` are its weights when the program first asked for them, or first ran it; ``ran``
    when it first ran it.
    """

    name: str
    kind: str
    module: Module
    tracked: Tracked
    buffers: dict[str, Callable[[], torch.Tensor]]
    copied: bool
    first_buffers: Tensors
    seen: Tensors
    model: int  # the number of the model in which it was first used
    ran: Tensors | None = None

    @property
    def first(self) -> Tensors:
        """The weights with which it began to learn; if it never does, those with which it first ran."""
        if self.tracked.learns:
            return self.tracked.taken[0].values
        return self.seen if self.ran is None else self.ran

    def drawn(self, changes: int) -> Tensors | None:
        """Its weights after so many changes, if these are known."""
        return self.tracked.taken[changes].values if changes < len(self.tracked.taken) else None


class Watch:
    """The parts of a program with their history. ``limit`` is what may stop the program before its end."""

    def __init__(self, limit: Limit | None = None) -> None:
        self.limit = limit
        self.history = History()
        self.parts: list[Part] = []
        self.used: set[int] = set()  # the memory in which weights lie, and lay
        self.buffers: dict[str, Tensors] = {}  # at the end, by the name of the part
        self._here: Callable[[], Any] | None = None
        self._within = False
        self._known: list[Module] = []  # modules with weights of their own, each once
        self._roots: dict[int, Module] = {}
        self._ran: set[int] = set()
        self._models = 0
        self._numbers: Counter[str] = Counter()
        self._kept: list[torch.UntypedStorage] = []

    @property
    def stopped(self) -> bool:
        return self.limit is not None and self.limit.over

    def start(self, runtime: Runtime) -> None:
        """To be called after the prelude ``record.lua``, before the program."""
        self._here = runtime.evaluate("__torch7py_record.for_a_port() return __torch7py_record.here")
        runtime.globals["__torch7py_updated"] = lambda: self.history.updated(self.moment())

    def finish(self) -> None:
        """To be called when the program has ended, before its runtime is closed."""
        self.history.look(self.moment())
        self.buffers = {
            part.name: {entry: read() for entry, read in part.buffers.items()} for part in self.parts
        }

    def holds(self, tensor: torch.Tensor) -> bool:
        """Whether a tensor lies where weights lie, or lay."""
        return tensor.untyped_storage().data_ptr() in self.used

    def moment(self) -> Moment:
        assert self._here is not None
        location, _, lines = str(self._here()).rpartition("\n")
        return Moment(location, int(lines))

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """See the calls of modules' methods that come from Lua."""
        method, flattened = ModuleProxies.method, Module.flattened

        def watched_method(proxies: ModuleProxies, class_name: str, name: str) -> Callable[..., Any]:
            call = method(proxies, class_name, name)
            if name not in _FORWARD | _BACKWARD | _UPDATE | _LISTING:
                return call

            def watched(handle: int, mask: int, *arguments: Any) -> Any:
                if self._within:
                    return call(handle, mask, *arguments)
                obj = proxies.handles.objects[handle]
                self._within = True
                try:
                    if isinstance(obj, Module) and name in _FORWARD | _LISTING:
                        self._used(obj, name in _FORWARD)
                    result = call(handle, mask, *arguments)
                    self._after(obj, name)
                finally:
                    self._within = False
                return result

            return watched

        @functools.wraps(flattened)
        def noting(module: Module, parameters: list[torch.Tensor], *rest: Any, **named: Any) -> Any:
            for tensor in parameters:
                self._use(tensor)
            return flattened(module, parameters, *rest, **named)

        changes: list[tuple[Any, str, Any]] = [
            (ModuleProxies, "method", watched_method),
            (Module, "flattened", noting),
            *without_steps_in_lua(),
        ]
        with patched(changes):
            yield

    def _use(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self.used:
            self.used.add(storage.data_ptr())
            self._kept.append(storage)  # else another tensor could come to lie there

    def _used(self, root: Module, runs: bool) -> None:
        moment = self.moment()
        if id(root) not in self._roots:
            self._roots[id(root)] = root
            self.add(root, moment)
        if runs:
            self.history.look(moment)
            self._run(root)

    def _run(self, root: Module) -> None:
        """Note what its weights are when a model runs for the first time."""
        if id(root) in self._ran:
            return
        self._ran.add(id(root))
        inside = set(_memory(root))  # of a copy that shares them, too
        for part in self.parts:
            if part.ran is None and inside.intersection(_memory(part.module)):
                part.ran = part.tracked.last
                part.tracked.ran = True

    def _after(self, obj: Any, name: str) -> None:
        if isinstance(obj, Criterion):
            if name in ("backward", "updateGradInput") and isinstance(obj.output, (int, float)):
                self.history.lost(float(obj.output), self.moment())
        elif name in _UPDATE:
            self.history.updated(self.moment())
        elif name in _BACKWARD:
            self.history.passed(self.moment())

    def add(self, root: Module, moment: Moment) -> None:
        """Take in the parts of a module that is called for the first time."""
        self._models += 1
        known = {key for module in self._known for key in _memory(module)}
        for module, kind, weights, buffers in _parts(root):
            memory = _memory(module)
            if memory and all(key in known for key in memory):
                continue  # a copy that shares them
            known.update(memory)
            self._known.append(module)
            self._numbers[module.class_name] += 1
            name = f"{module.class_name}.{self._numbers[module.class_name]}"
            tracked = Tracked(
                {entry: read for entry, (read, _) in weights.items()},
                {entry: gradient for entry, (_, gradient) in weights.items()},
            )
            others = [value for other in self.history.tracked for value in other.last.values()]
            self.history.track(tracked, moment)
            copied = any(_is_among(value, others) for value in tracked.last.values())
            state = {entry: read() for entry, read in buffers.items()}
            self.parts.append(
                Part(name, kind, module, tracked, buffers, copied, state, tracked.last, self._models)
            )
            for tensor in module.parameter_pairs()[0]:
                self._use(tensor)


Readers = tuple[Callable[[], torch.Tensor], Callable[[], "torch.Tensor | None"]]


def _parts(
    module: Module,
) -> Iterator[tuple[Module, str, dict[str, Readers], dict[str, Callable[[], torch.Tensor]]]]:
    """The layers with weights in a module, in order: with the class in PyTorch, and how its tensors are read."""
    if not module.parameter_pairs()[0]:
        return
    try:
        children = write_model(layer_of(module)).writer.children
    except (NotNative, TorchError):
        inner = [part for part in module.children_of() if isinstance(part, Module)]
        if inner:
            for part in inner:
                yield from _parts(part)
        else:
            raw = range(len(module.parameter_pairs()[0]))
            yield module, "", {str(n + 1): _raw(module, n) for n in raw}, {}
        return
    for child in children:
        if not child.native.weights:
            continue
        class_name = child.make.partition("(")[0]
        live = child.layer.module
        weights = {entry: _readers(live, take) for entry, take in child.native.weights.items()}
        buffers: dict[str, Callable[[], torch.Tensor]] = {
            entry: functools.partial(taken, take, live) for entry, take in child.native.buffers.items()
        }
        yield live, "" if "" in weights else DERIVED.get(class_name, class_name), weights, buffers


def _readers(module: Module, take: Take) -> Readers:
    def gradient() -> torch.Tensor | None:
        source: Any = Gradients(module)
        value = getattr(source, take) if isinstance(take, str) else take(source)
        return value if isinstance(value, torch.Tensor) else None

    return functools.partial(taken, take, module), gradient


def _raw(module: Module, number: int) -> Readers:
    def gradient() -> torch.Tensor | None:
        gradients = module.parameter_pairs()[1]
        return gradients[number] if number < len(gradients) else None

    return lambda: module.parameter_pairs()[0][number].detach().clone(), gradient


def _memory(module: Module) -> list[tuple[int, torch.Size]]:
    return [(tensor.data_ptr(), tensor.shape) for tensor in module.parameter_pairs()[0]]


def _is_among(value: torch.Tensor, others: list[torch.Tensor]) -> bool:
    """Whether a tensor has the values of another one, of those that tell."""
    if value.numel() < 2 or bool((value == value.flatten()[0]).all()):
        return False
    return any(value.shape == other.shape and torch.equal(value, other) for other in others)
