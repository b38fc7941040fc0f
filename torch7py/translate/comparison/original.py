"""Runs a script, and notes what it prints and draws and the layers it makes."""

from __future__ import annotations

import contextlib
import functools
import importlib
import itertools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

import torch

from torch7py.bridge.errors import LuaError
from torch7py.bridge.lua_values import LuaTable
from torch7py.bridge.runtime import Runtime
from torch7py.nn.base import Criterion
from torch7py.nn.container import Container
from torch7py.nn.normalization import BatchNormalization
from torch7py.nn.registry import layers as torch7_layers
from torch7py.packages.registry import packages
from torch7py.rnn.abstract import AbstractRecurrent
from torch7py.rnn.bidirectional import Bidirectional
from torch7py.rnn.dpnn.nce import NCEModule
from torch7py.translate.comparison.layouts import Layouts, MemorySlot
from torch7py.translate.comparison.limits import Limit
from torch7py.translate.comparison.loaded_files import forms_of_files, note_read
from torch7py.translate.comparison.masks import Factor, recorded_masks
from torch7py.translate.layers.as_modules import REORDERED
from torch7py.translate.layers.groups import HOLDING
from torch7py.translate.native.desugar.known_conditions import MISSING
from torch7py.translate.native.desugar.text_methods import TEXT_METHODS, TextMethods
from torch7py.translate.observed import NOTHING_SEEN, Form, Observed
from torch7py.translate.parse import LuaSyntaxError
from torch7py.translate.patching import patched
from torch7py.translate.quoting import lua_quoted
from torch7py.translate.verify import Different
from torch7py.wording import seconds as in_words

__all__ = [
    "REST",
    "Construction",
    "Recording",
    "TooLong",
    "Watcher",
    "asks_for_gpu",
    "places_of_lines",
    "run_original",
]

REST = -1  # the key of what a snapshot has beside the weights of known layers
_FAILED_TESTS = "An error was found while running tests!"  # what torch.Tester ends a program with


@dataclass
class Construction:
    """A layer of the original: its class, itself, and the weights it began with."""

    name: str
    module: Any
    first: dict[str, torch.Tensor] = field(default_factory=dict)
    listed: list[torch.Tensor] = field(default_factory=list)  # the same as torch7_parameters gave them
    order: int = 0
    names: list[str] = field(default_factory=list)  # those of what is listed
    called: dict[int, str] = field(default_factory=dict)  # id of a parameter -> its name in the new layer
    resets: list[dict[str, torch.Tensor]] = field(default_factory=list)  # what its method `reset` drew
    centred: bool = (
        False  # whether what it gives is normalized over the batch at once: its bias has no effect
    )
    shifted: bool = False  # whether its running mean has such a bias in it


MOST_FILES = 20000  # more are not gone through for those that a program makes


@dataclass
class Recording:
    text: str
    places: list[str]  # of each line of the text, the file and line of the program
    draws: dict[str, list[Any]]
    constructions: list[Construction]
    snapshots: list[dict[int, dict[str, torch.Tensor]]]  # weights drawn for all layers at once
    limit: int | None = None  # the number of prints after which it was stopped
    single: bool = False  # whether it computed in single precision
    # Layers of its own, at the end.
    user_layers: dict[str, list[dict[str, torch.Tensor]]] = field(default_factory=dict)
    seconds: float = 0.0  # how long it ran
    factors: list[Factor] = field(default_factory=list)  # what layers drew for themselves
    noise: list[torch.Tensor] = field(default_factory=list)  # and classes of noise
    gpu: bool = False  # whether it asked for a GPU, and computed as if it had one
    failed_tests: bool = False  # whether it ended because some of its tests have failed
    observed: Observed = NOTHING_SEEN
    loads: list[tuple[str, str]] = field(default_factory=list)  # places, and files that it had not saved
    files: dict[str, int] = field(default_factory=dict)  # that it made, each with when it last wrote to it
    time_limit: float | None = None  # seconds that it had
    stopped: bool = False  # whether it was stopped behind its last print, where its weights may be others
    nudged: bool = False  # whether what it draws and the first weights are to have other last digits

    def nudged_copy(self) -> Recording:
        """The same for another run of the page, which begins some roundings away."""
        constructions = [replace(item, resets=list(item.resets)) for item in self.constructions]
        snapshots = [
            {key: {name: _nudged(x) for name, x in weights.items()} for key, weights in snapshot.items()}
            for snapshot in self.snapshots
        ]
        draws = {family: list(map(_nudged, values)) for family, values in self.draws.items()}
        return replace(self, constructions=constructions, snapshots=snapshots, draws=draws, nudged=True)


def _nudged(drawn: Any) -> Any:
    """A number, or numbers, of which the last digits are others."""
    if isinstance(drawn, torch.Tensor) and drawn.is_floating_point():
        return drawn * (1 + 16 * torch.finfo(drawn.dtype).eps)
    return drawn * (1 + 16 * sys.float_info.epsilon) if isinstance(drawn, float) else drawn


class TooLong(Exception):
    """A program has printed nothing in the time that it had, so that there is nothing to compare."""


class Watcher(Protocol):
    """What looks on while a script runs; ``stopped`` says whether it has stopped it before its end."""

    @property
    def stopped(self) -> bool: ...

    def watching(self) -> AbstractContextManager[None]: ...

    def start(self, runtime: Runtime) -> None: ...

    def finish(self) -> None: ...

    def holds(self, tensor: torch.Tensor) -> bool:
        """Whether numbers that are drawn into a tensor are those that a layer begins with."""
        ...


def run_original(
    path: Path,
    arguments: Sequence[str],
    rnn_api: int | None,
    lines: int | None,
    fields: dict[str, list[str]],
    watcher: Callable[[], Watcher] | None = None,
    time_limit: float | None = None,
) -> Recording:
    """Run a script. ``fields``: the parameters of the layers that it defines itself, by the name of the class.

    ``watcher`` makes what looks on; a script that this has stopped is taken as far as it came. After ``time_limit``
    seconds it is stopped at its next print, and after twice as many anywhere; TooLong says that it has printed nothing
    by then. A script that ends because it asks for a GPU is run again on the CPU, as if there were one.
    """
    before = _files()
    try:
        recording = _run(path, arguments, rnn_api, lines, fields, None, watcher, time_limit)
    except LuaError as error:
        if not asks_for_gpu(error):
            raise
        recording = _run(path, arguments, rnn_api, lines, fields, "cpu", watcher, time_limit)
    recording.observed = replace(recording.observed, loaded=forms_of_files(recording.loads))
    if before is not None:
        recording.files = {name: at for name, at in (_files() or {}).items() if name not in before}
    return recording


def _files() -> dict[str, int] | None:
    """The files in the current directory and below, each with when it was last written to; None of too many."""
    mtimes: dict[str, int] = {}
    for folder, _, names in os.walk(os.path.realpath(os.curdir)):
        for name in names:
            with contextlib.suppress(OSError):  # one that is gone already
                path = os.path.join(folder, name)
                mtimes[path] = os.stat(path).st_mtime_ns
        if len(mtimes) > MOST_FILES:
            return None
    return mtimes


def asks_for_gpu(error: LuaError) -> bool:
    """Whether a program ended because it was run without a GPU."""
    return "--cuda-as cpu" in str(error)


def _run(
    path: Path,
    arguments: Sequence[str],
    rnn_api: int | None,
    lines: int | None,
    fields: dict[str, list[str]],
    cuda_as: str | None,
    watcher: Callable[[], Watcher] | None,
    time_limit: float | None,
) -> Recording:
    layers: list[Construction] = []
    watch = None if watcher is None else watcher()
    for package in ("nn", "rnn", "fbnn"):
        packages[package].load()  # their layers are to be recorded
    if cuda_as is not None:
        importlib.import_module("torch7py.packages.cudnn.all")
    noise: list[torch.Tensor] = []
    layouts = Layouts(lambda: ((item, *parameter) for item in layers for parameter in _parameters(item)))
    with (
        _noted_inputs(layers),
        layouts.noted(),
        _recorded_constructors(layers) as note_loaded,
        recorded_masks() as factors,
        _recorded_noise(noise),
        contextlib.nullcontext() if watch is None else watch.watching(),
        Runtime(rnn_api=rnn_api, cuda_as=cuda_as, rewrite=_with_asked_texts) as runtime,
    ):
        runtime.state.prints = None  # what layers print by themselves is none of the page's
        prelude = resources.files("torch7py.translate.native").joinpath("record.lua").read_text()
        runtime.globals["__torch7py_loaded"] = note_loaded
        read: dict[str, Form] = {}
        runtime.globals["__torch7py_read"] = functools.partial(note_read, read)
        runtime.evaluate(prelude, "=record")
        if watch is not None:
            watch.start(runtime)
        hidden = ", ".join(f"{name} = true" for name in MISSING)
        runtime.evaluate(f"__torch7py_record.hide {{{hidden}}}")
        if lines is not None:
            runtime.evaluate(f"__torch7py_record.limit = {lines}")
        start, failed, stopped = time.perf_counter(), False, False
        limit = None
        # Signals belong to the main thread: in another one a program is stopped at its prints alone.
        if time_limit is not None and threading.current_thread() is threading.main_thread():
            limit = Limit(2 * time_limit)
        if time_limit is not None:
            end = start + time_limit
            runtime.globals["__torch7py_is_late"] = lambda: time.perf_counter() > end
            runtime.evaluate("__torch7py_record.is_late, __torch7py_is_late = __torch7py_is_late, nil")
        try:
            with contextlib.nullcontext() if limit is None else limit.held():
                code = runtime.run(path, arguments)
        except LuaError as error:
            if _FAILED_TESTS in str(error):
                failed = True
            elif (lines is None and time_limit is None) or "enough lines were printed" not in str(error):
                raise
            code = 0
        except KeyboardInterrupt:
            stopped = limit is not None and limit.over
            if not stopped and (watch is None or not watch.stopped):
                raise
            code = 0
        seconds = time.perf_counter() - start
        if stopped and not runtime.evaluate("return __torch7py_record.up_to_last_line()"):
            raise TooLong(f"it has printed nothing in {in_words(round(seconds))}")
        if watch is not None:
            watch.finish()
        if code:
            raise Different(f"the original ended with exit code {code}")
        octets = runtime.evaluate("return table.concat(__torch7py_record.text)") or ""
        text = octets.encode("latin1").decode("utf-8", "replace")  # as a terminal shows them
        places = places_of_lines(
            runtime.evaluate("return __torch7py_record.text") or [],
            runtime.evaluate("return __torch7py_record.places") or [],
        )
        user_layers = _user_layer_parameters(runtime, fields)
        draws, snapshots, laid = {}, [], layouts.places()
        families = runtime.evaluate(
            "local t = {} for k in pairs(__torch7py_record.draws) do t[#t + 1] = k end return t"
        )
        for family in families or []:
            of_family = f"[{lua_quoted(family)}]"
            values = runtime.evaluate(f"return __torch7py_record.draws{of_family}")
            filled = runtime.evaluate(
                f"local t = {{}} for i = 1, #__torch7py_record.draws{of_family} do "
                f"t[i] = __torch7py_record.filled{of_family}[i] or false end return t"
            )
            if watch is not None:
                of_data = [not isinstance(f, torch.Tensor) or not watch.holds(f) for f in filled]
                values, filled = ([*itertools.compress(items, of_data)] for items in (values, filled))
            taken, draws[family] = _sorted_out(values, filled, laid)
            snapshots += taken
        default = runtime.evaluate("return torch and torch.getdefaulttensortype()")
        printed = runtime.evaluate("return __torch7py_record.printed") if stopped else None
        limit_reached = runtime.evaluate("return __torch7py_record.limit")
        loads = runtime.evaluate("return __torch7py_record.loads") or []
        observed = Observed(any(_ONE_ROW in item.module.__dict__ for item in layers), read=read)
        for item in layers:
            item.shifted = _GIVER in item.module.__dict__
            item.module = Frozen(item.module)
    of_layers = (p.dtype for item in layers for _, p in item.module.named_parameters())
    single = default == "torch.FloatTensor" or torch.float32 in of_layers
    return Recording(
        text,
        places,
        draws,
        layers,
        snapshots,
        printed or limit_reached,
        single,
        user_layers,
        seconds,
        factors,
        noise,
        cuda_as is not None,
        failed,
        observed=observed,
        loads=list(zip(loads[::2], loads[1::2], strict=True)),
        time_limit=time_limit,
        stopped=stopped,
    )


def _with_asked_texts(source: str, name: str) -> str:
    """Lua in which the texts of models are asked for by ``tostring``, of which a recording knows."""
    octets = source.encode("latin1")
    if not TEXT_METHODS.search(octets):
        return source
    with contextlib.suppress(LuaSyntaxError):  # which the run tells in Lua's words
        octets = TextMethods(octets, name).written()
    return octets.decode("latin1")


def places_of_lines(pieces: Sequence[str], places: Sequence[str]) -> list[str]:
    """Where each line of a text was printed, from its pieces: a line is where its first piece is."""
    locations: list[str] = []
    begun = False
    for piece, location in zip(pieces, places, strict=True):
        lines = piece.split("\n")
        for number, line in enumerate(lines):
            if not begun and (line or number < len(lines) - 1):
                locations.append(location)
                begun = True
            if number < len(lines) - 1:
                begun = False
    return locations


def _user_layer_parameters(
    runtime: Runtime, fields: dict[str, list[str]]
) -> dict[str, list[dict[str, torch.Tensor]]]:
    """The parameters at the end of the layers that a program defines itself, in the order of their making."""
    layers_by_class: dict[str, list[dict[str, torch.Tensor]]] = {}
    names = runtime.evaluate(
        "local t = {} for i, o in ipairs(__torch7py_record.objects) do t[i] = torch.typename(o) or '' end return t"
    )
    for number, name in enumerate(names or [], 1):
        if name not in fields:
            continue
        layer: dict[str, torch.Tensor] = {}
        for field_name in fields[name]:
            value = runtime.evaluate(f"return __torch7py_record.objects[{number}][{lua_quoted(field_name)}]")
            if isinstance(value, torch.Tensor):
                layer[field_name] = value.detach().clone()
        layers_by_class.setdefault(name, []).append(layer)
    return layers_by_class


def _sorted_out(
    values: Sequence[Any], filled: Sequence[Any], laid: list[MemorySlot[Construction]]
) -> tuple[list[dict[int, dict[str, torch.Tensor]]], list[Any]]:
    """What was drawn for the weights of layers, and the other numbers.

    Parameters that are filled one after the other are taken together: a page may go through the layers of a graph in
    another order, and have the numbers of one layer in other parts, or in another order.
    """
    snapshots: list[dict[int, dict[str, torch.Tensor]]] = []
    kept: list[Any] = []
    group: list[tuple[Construction, str, torch.Tensor]] = []

    def end() -> None:
        snapshot: dict[int, dict[str, torch.Tensor]] = {}
        for item, name, value in group:
            snapshot.setdefault(item.order, {})[name] = value
        whole = all(_tells(item, snapshot[item.order]) for item, _, _ in group)
        if group and whole and (len(group) > 1 or group[0][0].name in REORDERED):
            snapshots.append({**snapshot, REST: {"": torch.empty(0)}})
        else:
            kept.extend(value for _, _, value in group)
        group.clear()

    for value, tensor in zip(values, filled, strict=True):
        snapshot = _snapshot(value, tensor, laid)
        one = None if snapshot else _parameter(tensor, laid)
        if one is not None and not any(other[:2] == one for other in group):
            group.append((*one, value))
            continue
        end()
        if one is not None:
            group.append((*one, value))
        elif snapshot:
            snapshots.append(snapshot)
        else:
            kept.append(value)
    end()
    return snapshots, _flat(kept)


def _tells(item: Construction, filled: dict[str, torch.Tensor]) -> bool:
    """Whether what a layer's parameters are filled with tells what those of its partner in a page are."""
    names = dict(_parameters(item)).keys()
    return filled.keys() >= names or names <= {"weight", "bias"}


def _parameter(tensor: Any, laid: list[MemorySlot[Construction]]) -> tuple[Construction, str] | None:
    """The layer and the name of the parameter that a tensor is, if it is one."""
    if not isinstance(tensor, torch.Tensor):
        return None
    memory, first = tensor.untyped_storage().data_ptr(), int(tensor.storage_offset())
    for region in laid:
        if (region.memory, region.first, region.shape) == (memory, first, tensor.shape):
            return region.item, region.name
    return None


def _snapshot(
    value: Any, tensor: Any, laid: list[MemorySlot[Construction]]
) -> dict[int, dict[str, torch.Tensor]]:
    """The weights that layers are given where a program fills the vector that they all lie in.

    By the number of each layer. Empty where it is another tensor that is filled.
    """
    snapshot: dict[int, dict[str, torch.Tensor]] = {}
    if not isinstance(tensor, torch.Tensor):
        return snapshot
    memory, first = tensor.untyped_storage().data_ptr(), int(tensor.storage_offset())
    last = first + tensor.numel()
    rest = torch.ones(tensor.numel(), dtype=torch.bool)
    for region in laid:
        if region.memory == memory and first <= region.first < last:
            part = slice(region.first - first, region.first - first + region.shape.numel())
            snapshot.setdefault(region.item.order, {})[region.name] = value.flatten()[part].view(region.shape)
            rest[part] = False
    if sum(map(len, snapshot.values())) < 2:
        return {}
    snapshot[REST] = {"": value.flatten()[rest]}  # of layers that the program writes itself
    return snapshot


def _flat(values: Any) -> list[Any]:
    out: list[Any] = []
    for value in values:
        if isinstance(value, torch.Tensor):
            out += value.detach().flatten().tolist()
        else:
            out.append(value)
    return out


def _parameters(item: Construction) -> Iterator[tuple[str, Any]]:
    """The parameters of a layer by the names that they had when it was made: a mask puts it into another one."""
    for name, parameter in item.module.named_parameters():
        yield item.called.get(id(parameter), name), parameter


class Frozen:
    """A layer's tensors as they are now, with those of the layers in it."""

    def __init__(self, module: Any) -> None:
        self.__dict__["_module"] = module
        self.__dict__["_tensors"] = {name: p.detach().clone() for name, p in module.named_parameters()}
        self.__dict__["_tensors"].update({name: b.detach().clone() for name, b in module.named_buffers()})

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_module"], name)


@contextlib.contextmanager
def _recorded_noise(noise: list[torch.Tensor]) -> Iterator[None]:
    """Note the classes that modules for noise contrastive estimation draw."""
    original = NCEModule.noiseSample

    @functools.wraps(original)
    def noting(self: Any, *arguments: Any) -> torch.Tensor:
        drawn = original(self, *arguments)
        noise.append(drawn.detach().clone())
        return drawn

    with patched([(NCEModule, "noiseSample", noting)]):
        yield


_GIVER = "_giver_seen_by_comparison"
_ASKED = "_asked_for_givers_by_comparison"
_ONE_ROW = "_one_row_seen_by_comparison"


def _is_joined_in(part: torch.Tensor, whole: torch.Tensor) -> bool:
    """Whether a tensor's channels are some of another's, as where several layers' outputs are joined."""
    if part.dim() < 2 or part.numel() == 0 or part.dtype != whole.dtype:
        return False
    if part.shape[:1] + part.shape[2:] != whole.shape[:1] + whole.shape[2:]:
        return False
    count = part.shape[1]
    return any(
        torch.equal(whole.narrow(1, first, count), part) for first in range(whole.shape[1] - count + 1)
    )


@contextlib.contextmanager
def _noted_inputs(layers: list[Construction]) -> Iterator[None]:
    """Batch normalization tells whose output it trains on, and notes whether that is a batch of one example."""
    forward = BatchNormalization.forward

    @functools.wraps(forward)
    def noting(self: Any, input: torch.Tensor) -> torch.Tensor:
        if self.training and _GIVER not in self.__dict__:
            for item in layers:
                output = item.module.__dict__.get("output")
                if not isinstance(output, torch.Tensor):
                    continue
                is_new = _ASKED not in self.__dict__
                if output.data_ptr() == input.data_ptr() or (is_new and _is_joined_in(output, input)):
                    item.centred = self.__dict__[_GIVER] = True
            self.__dict__[_ASKED] = True
        if self.training and (input.dim() < self.dims or input.shape[0] == 1):
            self.__dict__[_ONE_ROW] = True
        return forward(self, input)

    with patched([(BatchNormalization, "forward", noting)]):
        yield


@contextlib.contextmanager
def _recorded_constructors(layers: list[Construction]) -> Iterator[Callable[[Any], None]]:
    """Note each layer with weights that a program makes itself, not those that layers make inside.

    It gives what notes the layers of a model from a file, or of models in a table.
    """
    depth, within = 0, 0
    drawing: list[Any] = []  # the layers whose weights are being drawn anew
    kinds: dict[Any, str] = {
        cls: name
        for name, cls in torch7_layers.items()
        if name not in HOLDING and not issubclass(cls, Criterion)
    }
    # Only what a class has itself is replaced: what else it would have of its own is not what a script gets to see.
    owners: dict[Any, None] = dict.fromkeys(
        next(base for base in cls.__mro__ if "__init__" in base.__dict__) for cls in kinds
    )

    def recording(owner: Any, original: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(original)
        def init(self: Any, *args: Any, **kwargs: Any) -> None:
            nonlocal depth
            cls = type(self)
            if not any(base in kinds and issubclass(base, owner) for base in cls.__mro__):
                original(self, *args, **kwargs)
                return
            depth += 1
            try:
                original(self, *args, **kwargs)
            finally:
                depth -= 1
            if depth == 0 and cls in kinds and next(iter(self.parameters()), None) is not None:
                plain = kinds[cls].replace("cudnn.", "nn.")  # which compute the same
                layers.append(_noted(plain, self, len(layers)))

        return init

    def noting(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def reset(self: Any, *args: Any, **kwargs: Any) -> Any:
            nonlocal within
            if any(module is self for module in drawing):  # by the method of a class that it derives from
                return original(self, *args, **kwargs)
            within += 1
            drawing.append(self)
            try:
                result = original(self, *args, **kwargs)
            finally:
                within -= 1
                drawing.pop()
            for item in layers if depth == 0 else ():
                if item.module is self:
                    item.resets.append(_weights(self))
            if (
                not depth
                and not within
                and not {id(item.module) for item in layers} & set(map(id, self.modules()))
            ):
                note_copies(self)
            return result

        return reset

    def note_copies(module: Any) -> None:
        """A copy that draws weights of its own is as good as one that the program makes."""
        name = module.torch7_name
        plain = isinstance(module, Container) and not isinstance(module, AbstractRecurrent)
        if name in torch7_layers and name not in HOLDING and not plain:
            if next(iter(module.parameters()), None) is not None:
                layers.append(_noted(name, module, len(layers)))
            return
        for child in module.child_list() or []:
            note_copies(child)

    def note_loaded(value: Any) -> None:
        if isinstance(value, torch.nn.Module):
            note_copies(value)
        elif isinstance(value, LuaTable):
            for part in value.values():
                note_loaded(part)

    def copying(original: Callable[..., None]) -> Callable[..., None]:
        """Of a container that goes both ways: the copy that it makes for the second one has layers of its own."""

        @functools.wraps(original)
        def init(self: Any, forward: Any, backward: Any = None, *rest: Any) -> None:
            original(self, forward, backward, *rest)
            if depth or backward is not None:
                return
            names = {id(item.module): item.name for item in layers}
            for first, copy in zip(self.forwardModule.modules(), self.backwardModule.modules(), strict=True):
                if id(first) in names:
                    layers.append(_noted(names[id(first)], copy, len(layers)))

        return init

    changes: list[tuple[Any, str, Any]] = [(Container, "reset", noting(Container.reset))]
    changes += [(owner, "__init__", recording(owner, owner.__init__)) for owner in owners]
    both_ways: list[Any] = [cls for cls in torch7_layers.values() if issubclass(cls, Bidirectional)]
    changes += [(cls, "__init__", copying(cls.__init__)) for cls in both_ways]
    drawers = dict.fromkeys(base for cls in kinds for base in cls.__mro__ if "reset" in base.__dict__)
    changes += [(cls, "reset", noting(cls.reset)) for cls in drawers if cls is not Container]
    with patched(changes):
        yield note_loaded


def _noted(name: str, module: Any, order: int) -> Construction:
    """A layer as it is when it is made."""
    weights = module.torch7_parameters()[0]
    of = {id(weight): key for key, weight in module.named_parameters()}
    names = [of.get(id(weight), "") for weight in weights]
    listed = [weight.detach().clone() for weight in weights]
    return Construction(name, module, _weights(module), listed, order, names, of)


def _weights(module: Any) -> dict[str, torch.Tensor]:
    tensors = [*module.named_parameters(), *module.named_buffers()]
    return {key: value.detach().clone() for key, value in tensors}
