"""Runs a translated script beside its original, from the same weights and random draws, and compares.

The original runs in a Runtime that notes what it prints and draws and the layers it makes. The translation then runs
with PyTorch's and Python's random functions replaced by ones that hand out the same numbers, and each layer that it
makes is given the first weights of its counterpart. What is compared: everything printed, and the weights of all
layers at the end.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import io
import os
import random
import re
import sys
import time
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import torch

from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime
from torch7py.files import load as load_t7
from torch7py.nn.object import TorchObject
from torch7py.nn.registry import layers as torch7_layers
from torch7py.t7.objects import Table
from torch7py.translate.layers import Layer, natives
from torch7py.translate.model import taken
from torch7py.translate.native.program import Native
from torch7py.translate.verify import Different, relative_error

__all__ = ["ScriptComparison", "verify_script"]

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|inf|nan)\b|[-+]?\.\d+", re.IGNORECASE)
TOLERANCE = 1e-9


@dataclass
class ScriptComparison:
    """The largest relative errors of numbers printed and of weights at the end, and how many were compared."""

    lines: int = 0
    numbers: int = 0
    printed: float = 0.0
    layers: int = 0
    weights: float = 0.0

    @property
    def largest(self) -> float:
        return max(self.printed, self.weights)


@dataclass
class _Made:
    """A layer of the original: its class, itself, and the weights it began with."""

    name: str
    module: Any
    first: dict[str, torch.Tensor] = field(default_factory=dict)
    listed: list[torch.Tensor] = field(default_factory=list)  # the same as torch7_parameters gave them
    order: int = 0


@dataclass
class _Recording:
    text: str
    draws: dict[str, list[Any]]
    made: list[_Made]
    snapshots: list[dict[int, dict[str, torch.Tensor]]]  # weights drawn for all layers at once
    limit: int | None = None  # the number of prints after which it was stopped


def verify_script(
    native: Native,
    path: str | Path,
    arguments: Sequence[str] = (),
    rnn_api: int | None = None,
    lines: int | None = None,
) -> ScriptComparison:
    """Compare a script's translation with the script. Raises Different where they part by more than 1e-9.

    ``lines``: both are stopped when they have printed so many times, for programs that go on for long.
    """
    recording = _run_original(Path(path), arguments, rnn_api, lines)
    text, pairs = _run_translation(native, Path(path), arguments, recording)
    comparison = ScriptComparison()
    _compare_text(recording.text, text, comparison)
    for name, ours, theirs in pairs:
        comparison.layers += 1
        error = relative_error(ours.detach(), theirs.detach().to(ours.dtype))
        comparison.weights = max(comparison.weights, error)
        if error > TOLERANCE:
            raise Different(f"the weights of {name} differ at the end by {error:.3g}")
    return comparison


# The original


class _Enough(Exception):
    """The program has printed as much as was asked for."""


def _run_original(path: Path, arguments: Sequence[str], rnn_api: int | None, lines: int | None) -> _Recording:
    made: list[_Made] = []
    with _recorded_constructors(made), Runtime(rnn_api=rnn_api) as runtime:
        prelude = resources.files("torch7py.translate.native").joinpath("record.lua").read_text()
        runtime.execute(prelude, "=record")
        if lines is not None:
            runtime.execute(f"__torch7py_record.limit = {lines}")
        try:
            code = runtime.run(path, arguments)
        except LuaError as error:
            if lines is None or "enough lines were printed" not in str(error):
                raise
            code = 0
        if code:
            raise Different(f"the original ended with exit code {code}")
        text = runtime.execute("return table.concat(__torch7py_record.text)") or ""
        draws, snapshots = {}, []
        families = runtime.execute(
            "local t = {} for k in pairs(__torch7py_record.draws) do t[#t + 1] = k end return t"
        )
        for family in families or []:
            values = runtime.execute(f"return __torch7py_record.draws['{family}']")
            filled = runtime.execute(
                f"local t = {{}} for i = 1, #__torch7py_record.draws['{family}'] do "
                f"t[i] = __torch7py_record.filled['{family}'][i] or false end return t"
            )
            kept = []
            for value, tensor in zip(values, filled, strict=True):
                snapshot = _snapshot(value, tensor, made)
                if snapshot:
                    snapshots.append(snapshot)
                else:
                    kept.append(value)
            draws[family] = _flat(kept)
        for item in made:
            item.module = _Frozen(item.module)
    return _Recording(text, draws, made, snapshots, lines)


_REST = -1


def _snapshot(value: Any, tensor: Any, made: list[_Made]) -> dict[int, dict[str, torch.Tensor]]:
    """The weights that layers are given where a program fills the vector that they all lie in.

    By the number of each layer. Empty where it is another tensor that is filled.
    """
    found: dict[int, dict[str, torch.Tensor]] = {}
    if not isinstance(tensor, torch.Tensor):
        return found
    memory, first = tensor.untyped_storage().data_ptr(), int(tensor.storage_offset())
    last = first + tensor.numel()
    for item in made:
        for name, parameter in item.module.named_parameters():
            at = int(parameter.storage_offset())
            if parameter.untyped_storage().data_ptr() == memory and first <= at < last:
                values = value.flatten()[at - first : at - first + parameter.numel()]
                found.setdefault(item.order, {})[name] = values.view(parameter.shape)
    if sum(map(len, found.values())) < 2:
        return {}
    rest = torch.ones(tensor.numel(), dtype=torch.bool)
    for item in made:
        for name, parameter in item.module.named_parameters() if item.order in found else ():
            if name in found[item.order]:
                at = int(parameter.storage_offset()) - first
                rest[at : at + parameter.numel()] = False
    found[_REST] = {"": value.flatten()[rest]}  # of layers that the program writes itself
    return found


def _flat(values: Any) -> list[Any]:
    out: list[Any] = []
    for value in values:
        if isinstance(value, torch.Tensor):
            out += value.detach().flatten().tolist()
        else:
            out.append(value)
    return out


class _Frozen:
    """A layer's tensors as they are now, with those of the layers in it."""

    def __init__(self, module: Any) -> None:
        self.__dict__["_module"] = module
        self.__dict__["_tensors"] = {name: p.detach().clone() for name, p in module.named_parameters()}
        self.__dict__["_tensors"].update({name: b.detach().clone() for name, b in module.named_buffers()})

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_module"], name)


@contextlib.contextmanager
def _recorded_constructors(made: list[_Made]) -> Iterator[None]:
    """Note each layer with weights that a program makes itself, not those that layers make inside."""
    depth = 0
    originals: list[tuple[Any, Callable[..., None] | None]] = []

    def recording(cls: Any, name: str, original: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(original)
        def init(self: Any, *args: Any, **kwargs: Any) -> None:
            nonlocal depth
            depth += 1
            try:
                original(self, *args, **kwargs)
            finally:
                depth -= 1
            if depth == 0 and type(self) is cls and next(iter(self.parameters()), None) is not None:
                listed = [weight.detach().clone() for weight in self.torch7_parameters()[0]]
                made.append(_Made(name, self, _weights(name, self), listed, len(made)))

        return init

    for name, found in torch7_layers.items():
        cls: Any = found
        if name not in _CONTAINERS:
            originals.append((cls, cls.__dict__.get("__init__")))
            cls.__init__ = recording(cls, name, cls.__init__)
    try:
        yield
    finally:
        for cls, own in originals:
            if own is None:  # it has that of its base
                del cls.__init__
            else:
                cls.__init__ = own


_CONTAINERS = {
    "nn.Module",  # of layers written in Lua
    "nn.Container",
    "nn.Recurrent",
    "nn.Sequencer",
    "nn.Recursor",
    "nn.BiSequencer",
    "nn.BiSequencerLM",
    "nn.Repeater",
}


def _weights(name: str, module: Any) -> dict[str, torch.Tensor]:
    tensors = [*module.named_parameters(), *module.named_buffers()]
    return {key: value.detach().clone() for key, value in tensors}


# The translation


class _Draws:
    """Hands out the numbers of the original, family by family."""

    def __init__(self, draws: dict[str, list[Any]]) -> None:
        self.draws = {family: iter(values) for family, values in draws.items()}

    def take(self, family: str, count: int) -> list[Any]:
        found = []
        source = self.draws.get(family, iter(()))
        for _ in range(count):
            value = next(source, None)
            if value is None:
                raise Different(f"the translation draws more {family} numbers than the original")
            found.append(value)
        return found

    def one(self, family: str) -> Any:
        return self.take(family, 1)[0]

    def tensor(self, family: str, *size: Any, **options: Any) -> torch.Tensor:
        if len(size) == 1 and isinstance(size[0], (tuple, list, torch.Size)):
            size = tuple(size[0])
        like = torch.empty(*size, dtype=options.get("dtype"))
        return like.copy_(torch.tensor(self.take(family, like.numel()), dtype=torch.float64).view(like.shape))

    def fill(self, family: str, tensor: torch.Tensor) -> torch.Tensor:
        values = torch.tensor(self.take(family, tensor.numel()), dtype=torch.float64)
        with torch.no_grad():
            tensor.copy_(values.view(tensor.shape))
        return tensor


class _Snapshots:
    """Gives parameters what the original drew for the vector that they lie in, in whatever order they are filled."""

    def __init__(self, recording: _Recording, partners: _Partners) -> None:
        self.left = list(recording.snapshots)
        self.partners = partners
        self.filled: set[int] = set()

    def of(self, tensor: torch.Tensor) -> torch.Tensor | None:
        memory = tensor.data_ptr()
        if memory in self.filled:  # the next one
            self.left.pop(0)
            self.filled.clear()
        for _, module, entries, item in self.partners.found if self.left else ():
            state = {**dict(module.named_parameters()), **dict(module.named_buffers())}
            for entry, take in entries.items():
                weights = self.left[0].get(item.order)
                if weights and state[entry].data_ptr() == memory and state[entry].shape == tensor.shape:
                    self.filled.add(memory)
                    return taken(take, _first(_Made(item.name, item.module, weights)))
        rest = self.left[0][_REST] if self.left else {"": torch.empty(0)}
        if not 0 < tensor.numel() <= rest[""].numel():
            return None
        self.filled.add(memory)
        values, rest[""] = rest[""][: tensor.numel()], rest[""][tensor.numel() :]
        return values.view(tensor.shape)


class _Clock:
    """Every look at it is one second after the last one, as in the original's run."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        self.now += 1
        return self.now


class _Files:
    """What the translation saves stays in memory; what it loads and did not save itself is the original's."""

    def __init__(self) -> None:
        self.saved: dict[str, bytes] = {}
        self._load, self._save = torch.load, torch.save

    def save(self, value: Any, path: Any, **options: Any) -> None:
        buffer = io.BytesIO()
        self._save(value, buffer, **options)
        self.saved[os.path.realpath(path)] = buffer.getvalue()

    def load(self, path: Any, **options: Any) -> Any:
        saved = self.saved.get(os.path.realpath(path))
        if saved is not None:
            return self._load(io.BytesIO(saved), **options)
        return _plain(load_t7(path), path)


def _plain(value: Any, path: Any) -> Any:
    """What a .t7 file has, as a translation would have saved it."""
    if isinstance(value, TorchObject):
        raise Different(f"the translation loads {path}, in which the original saved a module of its own")
    if isinstance(value, Table):
        value = value.plain()
    if isinstance(value, dict):
        return {_plain(k, path): _plain(v, path) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(item, path) for item in value]
    return value


@contextlib.contextmanager
def _patched(changes: list[tuple[Any, str, Any]]) -> Iterator[None]:
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in changes]
    for owner, name, value in changes:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)


def _run_translation(
    native: Native, path: Path, arguments: Sequence[str], recording: _Recording
) -> tuple[str, list[tuple[str, torch.Tensor, torch.Tensor]]]:
    draws = _Draws(recording.draws)
    text: list[str] = []
    partners = _Partners(native, recording.made)
    namespace: dict[str, Any] = {"__name__": "translated"}
    shown: list[bool] = []  # of each print, whether it was one of Lua's print
    files, clock, snapshots = _Files(), _Clock(), _Snapshots(recording, partners)

    def fill(family: str, tensor: torch.Tensor) -> torch.Tensor:
        value = snapshots.of(tensor)
        if value is None:
            return draws.fill(family, tensor)
        with torch.no_grad():
            return tensor.copy_(value)

    def show(*values: Any, sep: str = " ", end: str = "\n", file: Any = None, **_: Any) -> None:
        if file not in (None, sys.stdout):
            return
        text.append(sep.join(_shown(value) for value in values) + end)
        shown.append(end == "\n")
        if sum(shown) == recording.limit:
            raise _Enough

    changes: list[tuple[Any, str, Any]] = [
        (builtins, "print", show),
        (torch, "rand", functools.partial(draws.tensor, "uniform")),
        (torch, "randn", functools.partial(draws.tensor, "normal")),
        (torch, "randperm", lambda n: torch.tensor(draws.take("permutation", n), dtype=torch.int64) - 1),
        (random, "random", functools.partial(draws.one, "uniform")),
        (random, "uniform", lambda a, b: draws.one("uniform")),
        (random, "gauss", lambda a, b: draws.one("normal")),
        (random, "randint", lambda a, b: int(draws.one("whole"))),
        (torch.Tensor, "uniform_", lambda self, *_, **__: fill("uniform", self)),
        (torch.Tensor, "normal_", lambda self, *_, **__: fill("normal", self)),
        (torch.Tensor, "bernoulli_", lambda self, *_, **__: fill("bernoulli", self)),
        (torch.Tensor, "random_", lambda self, *_, **__: draws.fill("whole", self)),
        (torch.Tensor, "exponential_", lambda self, *_, **__: fill("exponential", self)),
        (time, "time", clock),
        (time, "perf_counter", clock),
        (time, "process_time", clock),
        (torch, "load", files.load),
        (torch, "save", files.save),
        (sys, "argv", [str(path), *map(str, arguments)]),
    ]
    dtype = torch.get_default_dtype()
    try:
        modules = _modules(native, path.parent, partners)
        with _quiet_initializers(), partners.watching(), _patched(changes), modules:
            exec(compile(native.code, str(path.with_suffix(".py")), "exec"), namespace)
            partners.wrap_classes(namespace)
            _run_main(namespace)
    finally:
        torch.set_default_dtype(dtype)
    return "".join(text), partners.pairs()


@contextlib.contextmanager
def _modules(native: Native, folder: Path, partners: _Partners) -> Iterator[None]:
    """The pages of the files that the program requires, to be imported by its own."""
    before = dict(sys.modules)
    made: list[str] = []

    def module(name: str, is_package: bool) -> types.ModuleType:
        found = types.ModuleType(name)
        if is_package:
            found.__path__ = []
        package, _, last = name.rpartition(".")
        if package:
            parent = sys.modules[package] if package in made else module(package, True)
            setattr(parent, last, found)
        sys.modules[name] = found
        made.append(name)
        return found

    try:
        # "shared" needs none of the others; those are in the order in which they need each other.
        for page in sorted(native.modules, key=lambda page: page != "shared.py"):
            name = page.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            found = module(name, page.endswith("__init__.py"))
            exec(compile(native.modules[page], str(folder / page), "exec"), found.__dict__)
            partners.wrap_classes(found.__dict__)
        yield
    finally:
        for name in made:
            if name in before:
                sys.modules[name] = before[name]
            else:
                sys.modules.pop(name, None)


def _run_main(namespace: dict[str, Any]) -> None:
    """Run the page's program, as a process of its own would."""
    try:
        namespace["main"]()
    except _Enough:
        return
    except Different:
        raise
    except SystemExit as end:
        if end.code not in (None, 0):
            raise Different(f"the translation ended with exit code {end.code}") from end
    except Exception as error:
        raise Different(f"the translation fails: {type(error).__name__}: {error}") from error


@contextlib.contextmanager
def _quiet_initializers() -> Iterator[None]:
    """PyTorch's own initial weights draw nothing: they are replaced at once."""
    kinds = (
        torch.nn.Linear,
        torch.nn.Embedding,
        torch.nn.RNNBase,
        torch.nn.Bilinear,
        torch.nn.modules.conv._ConvNd,
    )
    with _patched([(kind, "reset_parameters", lambda self: None) for kind in kinds]):
        yield


class _Partners:
    """Gives each layer of the translation the weights of its counterpart, and pairs them for the end."""

    def __init__(self, native: Native, made: list[_Made]) -> None:
        assert native.translator is not None
        self.models = native.translator.models
        self.queues: dict[str, list[_Made]] = {}
        for item in made:
            self.queues.setdefault(item.name, []).append(item)
        self.found: list[tuple[str, torch.nn.Module, dict[str, Any], _Made]] = []
        self.within = 0

    def take(self, layer: Layer, state: dict[str, torch.Tensor], entries: dict[str, Any]) -> _Made:
        """The first layer of the class that the original made, of those with weights of these sizes.

        A page may make layers in another order than the original, but not those of one size.
        """
        queue = self.queues.get(layer.name, [])
        for number, item in enumerate(queue):
            if all(taken(take, _first(item)).shape == state[entry].shape for entry, take in entries.items()):
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
                state[entry].copy_(taken(take, _first(item)))
        self.found.append((layer.name, module, entries, item))

    def wrap_classes(self, namespace: dict[str, Any]) -> None:
        for cls in self.models.classes:
            kind = namespace.get(cls.name)
            if kind is None or kind.__module__ != namespace["__name__"]:
                continue  # of another page
            kind.__init__ = self._after(kind.__init__, cls)

    def _after(self, original: Callable[..., None], cls: Any) -> Callable[..., None]:
        @functools.wraps(original)
        def init(module: Any, *args: Any, **kwargs: Any) -> None:
            self.within += 1
            try:
                original(module, *args, **kwargs)
            finally:
                self.within -= 1
            children = [child for child in cls.writer.children if child.native.weights]
            for child in sorted(children, key=lambda c: self.models.places.get(id(c.layer), 0)):
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
        for layer, text in self.models.made:
            rule = natives.get(layer.name)
            if rule is not None and rule(layer.args).weights:
                by_class.setdefault(text.partition("(")[0].removeprefix("nn."), []).append(layer)
        changes = []
        for name, made in by_class.items():
            kind = getattr(torch.nn, name)
            changes.append((kind, "__init__", self._plain(kind.__init__, made)))
        with _patched(changes):
            yield

    def _plain(self, original: Callable[..., None], made: list[Layer]) -> Callable[..., None]:
        @functools.wraps(original)
        def init(module: Any, *args: Any, **kwargs: Any) -> None:
            original(module, *args, **kwargs)
            if self.within:
                return
            names = {layer.name: layer for layer in made}
            best = (
                min((self.queues[name][0].order, name) for name in names if self.queues.get(name))
                if any(self.queues.get(name) for name in names)
                else None
            )
            if best is None:
                raise Different(f"the translation makes more layers of {', '.join(names)} than the original")
            layer = names[best[1]]
            native = natives[layer.name](layer.args)
            own = {n for n, _ in [*module.named_parameters(), *module.named_buffers()]}
            entries = {**native.weights, **native.buffers}
            self.give(module, layer, {k: v for k, v in entries.items() if k in own})

        return init

    def pairs(self) -> list[tuple[str, torch.Tensor, torch.Tensor]]:
        found: list[tuple[str, torch.Tensor, torch.Tensor]] = []
        for name, module, entries, item in self.found:
            state: dict[str, torch.Tensor] = dict(module.named_parameters())
            state.update(dict(module.named_buffers()))
            for entry, take in entries.items():
                found.append((f"{name}.{entry}", state[entry], taken(take, item.module._module)))
        return found


class _first:
    """A layer of the original with the weights that it began with."""

    def __init__(self, item: _Made, prefix: str = "") -> None:
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
        if isinstance(value, torch.nn.Module):
            prefix = next((n for n, m in self._item.module._module.named_modules() if m is value), path)
            return _first(self._item, f"{prefix}.")
        return value


def _shown(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return f"<tensor {' '.join(f'{x:.12g}' for x in value.detach().double().flatten().tolist())}>"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int)):
        return str(value)
    if isinstance(value, float):
        return f"{value:.14g}"
    return "nil" if value is None else "<table>"


# Comparison


def _compare_text(theirs: str, ours: str, comparison: ScriptComparison) -> None:
    theirs_lines, our_lines = theirs.splitlines(), ours.splitlines()
    for number, (a, b) in enumerate(zip(theirs_lines, our_lines, strict=False), 1):
        comparison.lines += 1
        words_a, words_b = _NUMBER.sub("#", a).split(), _NUMBER.sub("#", b).split()
        if words_a != words_b:
            raise Different(
                f"line {number} of the output differs: {b.strip()!r}, the original has {a.strip()!r}"
            )
        for x, y in zip(_NUMBER.findall(a), _NUMBER.findall(b), strict=True):
            comparison.numbers += 1
            error = _error(float(x), float(y))
            comparison.printed = max(comparison.printed, error)
            if error > TOLERANCE:
                raise Different(
                    f"line {number} of the output differs: {b.strip()!r}, the original has {a.strip()!r}"
                )
    if len(theirs_lines) != len(our_lines):
        raise Different(f"{len(our_lines)} lines of output, the original has {len(theirs_lines)}")


def _error(a: float, b: float) -> float:
    if a == b or (a != a and b != b):
        return 0.0
    return abs(a - b) / max(abs(a), abs(b), 1e-6)
