"""Runs a port on what the original drew, with the original's first weights, and keeps its history."""

from __future__ import annotations

import builtins
import contextlib
import functools
import os
import sys
import sysconfig
import time
import types
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

import torch7py
from torch7py.translate.comparison import simulated_gpu
from torch7py.translate.comparison.limits import Limit
from torch7py.translate.comparison.masks import Masks
from torch7py.translate.comparison.original import Recording
from torch7py.translate.comparison.page import shown_value
from torch7py.translate.comparison.pictures import Pictures
from torch7py.translate.comparison.replay import Clock, Files
from torch7py.translate.patching import altered, patched
from torch7py.translate.ports.draws import PortDraws, within_constructor
from torch7py.translate.ports.history import History, Moment
from torch7py.translate.ports.original import Watch
from torch7py.translate.ports.weights import PortWeights, WrongMap
from torch7py.translate.verify import Different

__all__ = ["Port", "run_port"]

# What is no line of a port, even where it lies in the same folder.
_LIBRARIES = (
    *(os.path.join(os.path.dirname(str(module.__file__)), "") for module in (os, torch, torch7py)),
    os.path.join(sysconfig.get_path("purelib"), ""),
)


@dataclass
class Port:
    """What a port did, as far as it came.

    ``error`` is why it failed, with the place; ``parted`` what it asked for that the original never had, and the place;
    ``stopped`` says that it was interrupted after the limit.
    """

    text: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)  # of each piece of the text
    history: History = field(default_factory=History)
    error: str = ""
    parted: tuple[str, str] | None = None
    stopped: bool = False
    left: dict[str, int] = field(default_factory=dict)  # what it has not drawn of what the original drew
    single: bool = False  # whether it computed in single precision


class _Observed:
    """The calls of PyTorch by which a port is followed."""

    def __init__(self, port: Port, weights: PortWeights, path: Path) -> None:
        self.port, self.weights, self.history = port, weights, port.history
        self.path, self.folder = str(path), os.path.join(path.parent, "")
        self.lines = 0
        self.modules: weakref.WeakSet[torch.nn.Module] = weakref.WeakSet()
        self._within = 0

    def is_port_file(self, file: str) -> bool:
        """Whether a file is one of the port's."""
        return file.startswith(self.folder) and (file == self.path or not file.startswith(_LIBRARIES))

    def current_line(self) -> str:
        """The file and line of the port that are being run: ``train.py:12``."""
        frame: Any = sys._getframe(1)
        while frame is not None:
            if self.is_port_file(frame.f_code.co_filename):
                return f"{frame.f_code.co_filename[len(self.folder) :]}:{frame.f_lineno}"
            frame = frame.f_back
        return ""

    def moment(self) -> Moment:
        return Moment(self.current_line(), self.lines)

    def put(self, piece: str) -> None:
        if not piece:
            return
        self.port.text.append(piece)
        self.port.places.append(self.current_line())
        self.lines += piece.count("\n")

    def is_weight(self, tensor: torch.Tensor) -> bool:
        """Whether a tensor holds weights: it requires a gradient, or lies in the memory of a parameter."""
        if tensor.requires_grad and tensor.is_leaf:
            return True
        memory = tensor.untyped_storage().data_ptr()
        parameters = (p for module in self.modules for p in module._parameters.values())
        return any(p is not None and p.untyped_storage().data_ptr() == memory for p in parameters)

    def changes(self) -> list[tuple[Any, str, Any]]:
        init, call = torch.nn.Module.__init__, torch.nn.Module.__call__
        backward, grad = torch.autograd.backward, torch.autograd.grad
        optimizer, attribute = torch.optim.Optimizer.__init__, torch.nn.Module.__getattr__

        def make(module: torch.nn.Module, *arguments: Any, **options: Any) -> None:
            init(module, *arguments, **options)
            self.modules.add(module)

        def forward(module: torch.nn.Module, *arguments: Any, **options: Any) -> Any:
            if self._within:
                return call(module, *arguments, **options)
            self._take_in(module)
            self.weights.runs(module)
            self.history.look(self.moment())
            with altered(self, _within=self._within + 1):
                return call(module, *arguments, **options)

        def listing(original: Callable[..., Any]) -> Callable[..., Any]:
            """A look at a model's weights, which are to be the original's from then on."""

            @functools.wraps(original)
            def listed(module: torch.nn.Module, *arguments: Any, **options: Any) -> Any:
                if not self._within and not within_constructor(sys._getframe(1)):
                    self._take_in(module)
                return original(module, *arguments, **options)

            return listed

        def optimize(self_: torch.optim.Optimizer, *arguments: Any, **options: Any) -> None:
            optimizer(self_, *arguments, **options)
            tensors = [p for group in self_.param_groups for p in group["params"]]
            of_modules = {id(p) for module in self.modules for p in module._parameters.values()}
            alone = [p for p in tensors if id(p) not in of_modules]
            self.weights.of_tensors(self._named(alone), self.moment)

        def go_back(tensors: Any, *arguments: Any, **options: Any) -> None:
            self.history.look(self.moment())
            self._lost(tensors)
            backward(tensors, *arguments, **options)
            self.history.passed(self.moment())

        def derive(outputs: Any, inputs: Any, *arguments: Any, **options: Any) -> Any:
            self.history.look(self.moment())
            gradients = grad(outputs, inputs, *arguments, **options)
            listed = [inputs] if isinstance(inputs, torch.Tensor) else list(inputs)
            if any(self.weights.is_paired(tensor) for tensor in listed):
                self._lost(outputs)
                with self.weights.instead(listed, gradients):
                    self.history.passed(self.moment())
            return gradients

        def read(module: torch.nn.Module, name: str) -> Any:
            is_parameter = not self._within and name in module.__dict__.get("_parameters", ())
            if is_parameter and not self.weights.has(module) and not within_constructor(sys._getframe(1)):
                self._take_in(module)
            return attribute(module, name)

        return [
            (torch.nn.Module, "__getattr__", read),
            (torch.nn.Module, "__init__", make),
            (torch.nn.Module, "__call__", forward),
            *(
                (torch.nn.Module, name, listing(getattr(torch.nn.Module, name)))
                for name in ("named_parameters", "parameters", "state_dict", "__reduce_ex__")
            ),
            (torch.optim.Optimizer, "__init__", optimize),
            (torch.autograd, "backward", go_back),
            (torch.autograd, "grad", derive),
        ]

    def _take_in(self, module: torch.nn.Module) -> None:
        """The weights of a module, with those of what it is a part of."""
        if not any(part._parameters for part in module.modules()) or self.weights.has(module):
            return
        with altered(self, _within=self._within + 1):
            around = [
                candidate for candidate in self.modules if any(part is module for part in candidate.modules())
            ]
            root = max(around, key=lambda candidate: sum(1 for _ in candidate.modules()), default=module)
            self.weights.of_module(root, self.moment)

    def _named(self, tensors: list[torch.Tensor]) -> Iterator[tuple[str, torch.Tensor]]:
        """Tensors with the names that they have in the lines of the port that are being run."""
        known: dict[int, str] = {}
        frame: Any = sys._getframe(1)
        while frame is not None:
            if self.is_port_file(frame.f_code.co_filename):
                for scope in (frame.f_locals, frame.f_globals):
                    known = {id(x): name for name, x in scope.items() if isinstance(x, torch.Tensor)} | known
            frame = frame.f_back
        for tensor in tensors:
            yield known.get(id(tensor), "tensor"), tensor

    def _lost(self, tensors: Any) -> None:
        moment = self.moment()
        for tensor in [tensors] if isinstance(tensors, torch.Tensor) else tensors:
            if tensor.numel() == 1:
                self.history.lost(float(tensor.detach()), moment)

    def stepped(self, *_: Any) -> None:
        """An optimizer has made a step."""
        self.history.updated(self.moment())


class _Output:
    """A ``sys.stdout`` that keeps what is written; all else is the real one's."""

    def __init__(self, observed: _Observed, real: Any) -> None:
        self._observed, self._real = observed, real

    def write(self, text: str) -> int:
        self._observed.put(text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def run_port(
    path: Path,
    arguments: Sequence[str],
    recording: Recording,
    watch: Watch,
    weight_map: Mapping[str, Any],
    limit: Limit,
    port: Port,
) -> PortWeights:
    """Run a port; ``port`` is filled while it runs. Raises WrongMap where a map does not fit."""
    weights = PortWeights(watch.parts, weight_map, port.history)
    observed = _Observed(port, weights, path.resolve())
    draws = PortDraws(recording.draws, observed.is_weight, weights.drawn)
    files, clock, pictures = _Files(recording.files), Clock(), Pictures()
    output = _Output(observed, sys.stdout)

    def show(*values: Any, sep: str | None = " ", end: str | None = "\n", file: Any = None, **_: Any) -> None:
        text = (" " if sep is None else sep).join(
            shown_value(value) if isinstance(value, torch.Size) or _is_array(value) else str(value)
            for value in values
        ) + ("\n" if end is None else end)
        (output if file is None or file is sys.stdout else file).write(text)

    changes: list[tuple[Any, str, Any]] = [
        (builtins, "print", show),
        (sys, "stdout", output),
        (sys, "argv", [str(path), *map(str, arguments)]),
        (torch.nn.Module, "__repr__", lambda self: "<table>"),
        *draws.changes(),
        *observed.changes(),
        *(
            (owner, name, clock)
            for owner, name in ((time, "time"), (time, "perf_counter"), (time, "process_time"))
        ),
        *Masks(recording.factors, "the port").changes(),
        *simulated_gpu.changes(recording.gpu),
        (torch, "load", files.load),
        (torch, "save", files.save),
        (os, "remove", functools.partial(pictures.remove, files.remove)),
        *pictures.changes(),
        (os.path, "exists", functools.partial(files.exists, os.path.exists)),
        (os.path, "isfile", functools.partial(files.exists, os.path.isfile)),
    ]
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    hook = register_optimizer_step_post_hook(observed.stepped)
    try:
        with _modules(path), patched(changes), limit.held():
            _run(path, port, observed)
    except KeyboardInterrupt:
        if not limit.over:
            raise
        port.stopped = True
    finally:
        hook.remove()
        torch.set_default_dtype(dtype)
        torch.set_num_threads(threads)
        torch.set_grad_enabled(True)
    port.history.look(observed.moment())
    port.left = draws.left()
    port.single = any(pair.tensor.dtype is torch.float32 for pair in weights.pairs)
    if not (port.error or port.stopped or port.parted):
        weights.check()
    return weights


def _is_array(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.dim() > 0


def _run(path: Path, port: Port, observed: _Observed) -> None:
    name = str(path.resolve())
    try:
        code = compile(path.read_bytes(), name, "exec")
        exec(code, vars(sys.modules["__main__"]))
    except (KeyboardInterrupt, WrongMap):
        raise
    except SystemExit as end:
        if end.code not in (None, 0):
            port.error = f"it ended with exit code {end.code}"
    except Different as difference:
        port.parted = (str(difference), _innermost_line(difference, observed))
    except BaseException as error:  # noqa: BLE001 (whatever a program may raise)
        location = _innermost_line(error, observed)
        if isinstance(error, SyntaxError) and error.lineno is not None:
            location = f"{path.name}:{error.lineno}"
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        first = (said.strip() or "no message").splitlines()[0]
        port.error = f"{location or path.name}: {type(error).__name__}: {first}"


def _innermost_line(error: BaseException, observed: _Observed) -> str:
    """The innermost line of the port in a traceback."""
    location, at = "", error.__traceback__
    while at is not None:
        name = at.tb_frame.f_code.co_filename
        if observed.is_port_file(name):
            location = f"{name[len(observed.folder) :]}:{at.tb_lineno}"
        at = at.tb_next
    return location


@contextlib.contextmanager
def _modules(path: Path) -> Iterator[None]:
    """Have the port be ``__main__``, with the files beside it as its modules."""
    folder = str(path.resolve().parent)
    main = types.ModuleType("__main__")
    main.__file__ = str(path.resolve())
    before, known = sys.modules["__main__"], set(sys.modules)
    sys.modules["__main__"] = main
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
        sys.modules["__main__"] = before
        for name in set(sys.modules) - known:
            if str(getattr(sys.modules[name], "__file__", None) or "").startswith(folder + os.sep):
                del sys.modules[name]


class _Files(Files):
    """Files of a port: what it saves stays in memory, and .t7 files are read as what they hold."""

    def load(self, path: Any, **options: Any) -> Any:
        named = isinstance(path, (str, os.PathLike))
        if named and (os.path.realpath(path) in self.saved or str(path).endswith(".t7")):
            return super().load(path, **options)
        return self._load(path, **options)

    def save(self, value: Any, path: Any, **options: Any) -> None:
        if isinstance(path, (str, os.PathLike)):
            super().save(value, path, **options)
        else:
            self._save(value, path, **options)

    def exists(self, otherwise: Callable[[Any], bool], path: Any) -> bool:
        return super().exists(otherwise, path) if isinstance(path, (str, os.PathLike)) else otherwise(path)
