"""The models of a Lua program: those on which it calls forward, each with the input of its first call."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

from torch7py.bridge.module_proxies import ModuleProxies
from torch7py.bridge.runtime import Runtime
from torch7py.bridge.step_programs import without_steps_in_lua
from torch7py.nn.base import Module
from torch7py.ops.errors import Torch7Error
from torch7py.show.measure import METHODS, recording
from torch7py.translate.comparison.limits import Limit
from torch7py.translate.patching import patched

__all__ = ["Called", "called_models", "copy_of_input"]

_FORWARD = frozenset("forward updateOutput __call__".split())


@dataclass
class Called:
    """A model, the input of its first call, and how many others on its weights were called."""

    module: Module
    input: Any
    others: list[Module] = field(default_factory=list)


def called_models(
    path: str | os.PathLike[str],
    arguments: Sequence[str],
    seconds: float,
    give_up: Callable[[], None],
    cuda_as: str | None = None,
) -> tuple[Runtime, list[Called], Exception | None]:
    """Run a program for some seconds.

    Returns its runtime, its models, and the error that ended it before that. A model that lies inside another one that
    is called is a part of that. ``give_up`` is called, in another thread, if the program cannot be interrupted.
    """
    called: list[Called] = []
    ended: Exception | None = None
    limit = Limit(seconds, give_up)
    with _watching(called):
        runtime = Runtime(cuda_as=cuda_as)
        try:
            with limit.held():
                runtime.run(path, arguments)
        except KeyboardInterrupt:
            if not limit.over:
                raise
        except Torch7Error as error:
            ended = error
    inside = {id(part) for one in called for part in list(one.module.modules())[1:]}
    return runtime, [one for one in called if id(one.module) not in inside], ended


@contextmanager
def _watching(called: list[Called]) -> Iterator[None]:
    """See the calls of forward that come from Lua and are not within another one."""
    method = ModuleProxies.method
    within = False
    known: dict[int, Module] = {}  # by id; they are kept, so that no other object gets the id of one
    of_weights: dict[Any, Called] = {}

    def note(module: Module, input: Any) -> None:
        known[id(module)] = module
        weights = tuple((p.data_ptr(), p.shape) for p in module.parameters())
        first = of_weights.get(weights) if weights else None
        if first is None:
            called.append(Called(module, copy_of_input(input)))
            of_weights[weights] = called[-1]
        else:
            first.others.append(module)

    def watched_method(proxies: ModuleProxies, class_name: str, name: str) -> Callable[..., Any]:
        call = method(proxies, class_name, name)
        direction = METHODS.get(name)
        if name not in _FORWARD and direction is None:
            return call

        def value_of(mask: int, arguments: Sequence[Any]) -> Any:
            return proxies.handles.objects[arguments[0]] if mask & 1 else arguments[0]

        def watched(handle: int, mask: int, *arguments: Any) -> Any:
            nonlocal within
            module = proxies.handles.objects[handle]
            recorder = recording.get()
            if recorder is not None and direction is not None and isinstance(module, Module):
                inputs = [value_of(mask, arguments)] if arguments else []
                return recorder.follow(module, direction, lambda: call(handle, mask, *arguments), inputs)
            if within or name not in _FORWARD or not isinstance(module, Module):
                return call(handle, mask, *arguments)
            if id(module) not in known and arguments:
                note(module, value_of(mask, arguments))
            within = True
            try:
                return call(handle, mask, *arguments)
            finally:
                within = False

        return watched

    changes: list[tuple[Any, str, Any]] = [
        (ModuleProxies, "method", watched_method),
        *without_steps_in_lua(),
    ]
    with patched(changes):
        yield


def copy_of_input(value: Any) -> Any:
    """An input as it is now: the program may use its memory again."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, (list, tuple)):
        return [copy_of_input(item) for item in value]
    if isinstance(value, dict):
        return {key: copy_of_input(item) for key, item in value.items()}
    return value
