"""What a model does with an input: the sizes between its layers, and the time that each of them takes.

The layers' methods are watched in two calls. In the first, everything goes layer by layer and step by step, which
shows the sizes everywhere. In the second the model runs as it does in a program: what it computes as one piece, a
sequence of a recurrent network for one, has a time as a whole.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch

from torch7py.bridge.errors import LuaError
from torch7py.bridge.module_proxies import LuaMethod
from torch7py.nn.arguments import size_text
from torch7py.nn.error_location import explain
from torch7py.ops.errors import Torch7Error
from torch7py.show.structure import Model, Part, model_of
from torch7py.translate.patching import patched

__all__ = ["METHODS", "Measured", "Timing", "measure", "recording", "sizes_of"]

FORWARD, BACKWARD = "forward", "backward"
METHODS = {
    "updateOutput": FORWARD,
    "updateGradInput": BACKWARD,
    "accGradParameters": BACKWARD,
    "backward": BACKWARD,
}
REPEATS = 3
LONG = 2.0  # seconds of a forward and backward from which they are not repeated


@dataclass
class Timing:
    """Of one layer: seconds of the forward and the backward, and its calls; ``own`` are those outside of its parts."""

    forward: float = 0.0
    backward: float = 0.0
    own: float = 0.0
    calls: int = 0

    @property
    def seconds(self) -> float:
        return self.forward + self.backward


@dataclass
class Measured:
    """Of one model: what each of its parts took in and gave out, as text, and the times, by the part's number.

    ``failed`` is the number of the part in which the forward failed, ``error`` why; ``no_backward`` why there are no
    times of a backward.
    """

    input: str = ""
    inputs: dict[int, str] = field(default_factory=dict)
    outputs: dict[int, str] = field(default_factory=dict)
    times: dict[int, Timing] = field(default_factory=dict)
    error: str = ""
    failed: int | None = None
    no_backward: str = ""

    def __post_init__(self) -> None:
        self.seconds_of_all = 0.0


@dataclass
class _Record:
    module: Any
    timing: Timing = field(default_factory=Timing)
    input: Any = None
    output: Any = None


class _Recorder:
    """Follows the calls of layers' methods."""

    def __init__(self) -> None:
        self.records: dict[int, _Record] = {}
        self.failed: Any = None
        self._running: list[tuple[Any, list[float]]] = []

    def watched(self, function: Callable[..., Any], direction: str) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(module: Any, *arguments: Any, **named: Any) -> Any:
            return self.follow(module, direction, lambda: function(module, *arguments, **named), arguments)

        return call

    def watched_of_lua(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same for ``LuaMethod.__call__``: a method that a program defines."""

        @functools.wraps(function)
        def call(method: Any, *arguments: Any) -> Any:
            module, direction = method._object(), METHODS.get(method.name)
            if module is None or direction is None:
                return function(method, *arguments)
            return self.follow(module, direction, lambda: function(method, *arguments), arguments)

        return call

    def follow(self, module: Any, direction: str, call: Callable[[], Any], arguments: Sequence[Any]) -> Any:
        """Make a call and note how long it took, and at the first forward the sizes."""
        running = self._running
        if running and running[-1][0] is module:  # the class's own method, called by a derived one's
            return call()
        record = self.records.setdefault(id(module), _Record(module))
        inner = [0.0]
        running.append((module, inner))
        start = time.perf_counter()
        try:
            result = call()
        except BaseException:
            if self.failed is None:
                self.failed = module
            raise
        finally:
            elapsed = time.perf_counter() - start
            running.pop()
            if running:
                running[-1][1][0] += elapsed
        timing = record.timing
        setattr(timing, direction, getattr(timing, direction) + elapsed)
        timing.own += elapsed - inner[0]
        if direction == FORWARD:
            timing.calls += 1
            if record.output is None:
                record.input = sizes_of(arguments[0] if arguments else None)
                record.output = sizes_of(module.get_field("output"))
        return result


# What follows calls at this moment, for who sees calls that come from Lua.
recording: ContextVar[_Recorder | None] = ContextVar("recording", default=None)


def sizes_of(value: Any) -> str:
    """The sizes of a tensor, ``1x3x32x32``, or of the tensors in a table, ``{5x3, 5x4}``; equal ones are counted."""
    if isinstance(value, torch.Tensor):
        return size_text(value)
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        texts: list[tuple[str, int]] = []
        for text in map(sizes_of, value):
            if texts and texts[-1][0] == text:
                texts[-1] = text, texts[-1][1] + 1
            else:
                texts.append((text, 1))
        return "{" + ", ".join(text if count == 1 else f"{count} × {text}" for text, count in texts) + "}"
    return (
        "nothing"
        if value is None
        else str(value)
        if isinstance(value, (bool, int, float))
        else type(value).__name__
    )


def measure(model: Model, input: Any, backward: bool = True) -> Measured:
    """Run a model forward and back on an input, in its state of training or evaluation.

    Gradients are added to, as always, and running statistics move. An error of the model's own ends it: what was seen
    until then is there.
    """
    measured = Measured(sizes_of(input))
    root: Any = model.root.module
    with _watching(model) as recorder, _by_themselves(model):
        if not _forward(root, input, measured):
            _note_sizes(model, recorder, measured)
            part = _part_of(model, recorder.failed)
            measured.failed = None if part is None else part.number
            return measured
    _note_sizes(model, recorder, measured)
    best: dict[int, Timing] = {}
    for _ in range(REPEATS):
        start = time.perf_counter()
        with _watching(model) as recorder:
            _as_new(model)
            if not _forward(root, input, measured):
                return measured
            if backward and not measured.no_backward:
                _backward(root, input, measured)
        for number, timing in _times(model, recorder).items():
            if number not in best or timing.seconds < best[number].seconds:
                best[number] = timing
        if time.perf_counter() - start > LONG:
            break
    measured.times = best
    measured.seconds_of_all = best[model.root.number].seconds if model.root.number in best else 0.0
    return measured


def _forward(root: Any, input: Any, measured: Measured) -> bool:
    try:
        with torch.no_grad():
            root.forget()
            root.torch7_forward(input)
    except (Torch7Error, RuntimeError, ValueError, TypeError, IndexError, AttributeError) as error:
        measured.error = _message(error, root)
        return False
    return True


def _backward(root: Any, input: Any, measured: Measured) -> None:
    try:
        with torch.no_grad():
            root.backward(input, _ones(root.output))
    except (Torch7Error, RuntimeError, ValueError, TypeError, IndexError, AttributeError) as error:
        measured.no_backward = _message(error, root)


def _message(error: Exception, root: Any) -> str:
    return str(error) if isinstance(error, LuaError) else str(explain(error, root))


def _ones(output: Any) -> Any:
    if isinstance(output, (list, tuple)):
        return [_ones(item) for item in output]
    return torch.ones_like(output) if isinstance(output, torch.Tensor) else output


@contextmanager
def _watching(model: Model) -> Iterator[_Recorder]:
    """Watch the methods of all classes of the model. What one inherits from another is one function still."""
    recorder = _Recorder()
    classes = {base for part in model.root.walk() for base in type(part.module).__mro__}
    changes: list[tuple[Any, str, Any]] = [
        (cls, name, recorder.watched(vars(cls)[name], direction))
        for cls in classes
        for name, direction in METHODS.items()
        if name in vars(cls)
    ]
    changes.append((LuaMethod, "__call__", recorder.watched_of_lua(LuaMethod.__call__)))
    token = recording.set(recorder)
    try:
        with patched(changes):
            yield recorder
    finally:
        recording.reset(token)


@contextmanager
def _by_themselves(model: Model) -> Iterator[None]:
    """Have every layer called by itself: nothing is computed as one piece with others."""
    unmarked = [part.module for part in model.root.walk() if "_marked" not in part.module.__dict__]
    for module in unmarked:
        module.__dict__["_marked"] = ()
    try:
        yield
    finally:
        for module in unmarked:
            module.__dict__.pop("_marked", None)


def _as_new(model: Model) -> None:
    """Let graphs run node by node, as they do the first time."""
    for part in model.root.walk():
        forget_plan = getattr(part.module, "forget_plan", None)
        if forget_plan is not None:
            forget_plan()


def _pairs(model: Model) -> Iterator[tuple[Part, Any]]:
    """Each part with its module and, of networks with steps, with its copies for other steps."""
    for part in model.root.walk():
        if part.same_as is not None:
            continue
        yield part, part.module
        clones = getattr(part.module, "existing_clones", None)
        if clones is not None and part.parts:
            originals = list(part.parts[0].walk())
            for clone in clones():
                copies = list(_tree(clone))
                if [type(c) for c in copies] == [type(p.module) for p in originals]:
                    yield from zip(originals, copies, strict=True)


def _tree(module: Any) -> Iterator[Any]:
    return (part.module for part in model_of(module).root.walk())


def _note_sizes(model: Model, recorder: _Recorder, measured: Measured) -> None:
    for part, module in _pairs(model):
        record = recorder.records.get(id(module))
        if record is not None and record.input is not None:
            measured.inputs.setdefault(part.number, record.input)
            if record.output is not None:
                measured.outputs.setdefault(part.number, record.output)


def _times(model: Model, recorder: _Recorder) -> dict[int, Timing]:
    """The times by part. What was not called in the forward is no part of its own: its container computes with it."""
    times: dict[int, Timing] = {}
    for part, module in _pairs(model):
        record = recorder.records.get(id(module))
        if record is not None:
            total = times.setdefault(part.number, Timing())
            for name in ("forward", "backward", "own", "calls"):
                setattr(total, name, getattr(total, name) + getattr(record.timing, name))

    def gather(part: Part, around: Timing | None) -> None:
        timing = times.get(part.number)
        if timing is not None and not timing.calls:
            del times[part.number]
            if around is not None:
                around.own += timing.own
            timing = None
        for inner in part.parts:
            gather(inner, timing or around)

    gather(model.root, None)
    return times


def _part_of(model: Model, module: Any) -> Part | None:
    return next((part for part, one in _pairs(model) if one is module), None)
