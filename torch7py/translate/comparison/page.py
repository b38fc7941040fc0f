"""Runs a translation on what the original drew, with the layers of the original as partners of its own."""

from __future__ import annotations

import ast
import atexit
import builtins
import contextlib
import ctypes
import functools
import importlib.abc
import importlib.machinery
import os
import random
import sys
import threading
import time
import traceback
import types
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from torch7py.translate import page_library
from torch7py.translate.checked_code import checked_tree
from torch7py.translate.comparison import simulated_gpu
from torch7py.translate.comparison.coverage import Reached
from torch7py.translate.comparison.masks import Masks
from torch7py.translate.comparison.original import Recording
from torch7py.translate.comparison.partners import Partners
from torch7py.translate.comparison.pictures import Pictures
from torch7py.translate.comparison.replay import Clock, Draws, Files, Snapshots, on_the_day
from torch7py.translate.native.program import Native, modules_of
from torch7py.translate.page_lines import lua_lines
from torch7py.translate.patching import patched
from torch7py.translate.tree_queries import statements
from torch7py.translate.verify import Different

__all__ = ["STOPPED", "run_translation", "shown_value"]

# What decorates each class of a page while it is compared.
_CLASS_MADE = "__torch7py_class_made__"

PATIENCE = 60.0  # seconds that a translation may take in any case,
FACTOR = 50  # and how many times as long as its original
WITHIN = 10.0  # where the original has a limit of time: seconds besides twice that
STOPPED = "the translation was stopped"  # how a difference begins that is one of time


class Enough(Exception):
    """The program has printed as much as was asked for."""


class Endless(BaseException):
    """A translation runs so much longer than its original that it will hardly end."""


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raise Endless in this thread when it has taken longer, at the next line of Python."""
    lock, done = threading.Lock(), False
    thread = ctypes.c_ulong(threading.get_ident())

    def stop() -> None:
        with lock:
            if not done:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(Endless))

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            done = True
        timer.cancel()


def run_translation(
    native: Native, path: Path, arguments: Sequence[str], recording: Recording
) -> tuple[str, list[tuple[str, torch.Tensor, torch.Tensor]], Reached]:
    """What the page prints, its weights at the end beside the original's, and which of its statements ran.

    Where the original has a limit of time, a page that takes longer is stopped; ``recording.stopped`` says so then.
    """
    reached = Reached(path.parent)
    draws = Draws(recording.draws)
    text: list[str] = []
    partners = Partners(native, recording)
    script = types.ModuleType("translated")
    namespace = vars(script)
    shown: list[bool] = []  # of each print, whether it was one of Lua's print
    files, clock, snapshots = Files(recording.files), Clock(), Snapshots(recording, partners)
    pictures = Pictures()

    def fill(family: str, tensor: torch.Tensor) -> torch.Tensor:
        value = snapshots.of(tensor)
        if value is None:
            return draws.fill(family, tensor)
        with torch.no_grad():
            return tensor.copy_(value)

    def filling(method: str, family: str) -> tuple[Any, str, Any]:
        original = getattr(torch.Tensor, method)

        def filled(self: torch.Tensor, *arguments: Any, **options: Any) -> torch.Tensor:
            drawn: torch.Tensor = (
                original(self, *arguments, **options)
                if partners.quiet or partners.within
                else fill(family, self)
            )
            return drawn

        return torch.Tensor, method, filled

    def show(*values: Any, sep: str = " ", end: str = "\n", file: Any = None, **_: Any) -> None:
        if file not in (None, sys.stdout):
            return
        text.append(sep.join(shown_value(value) for value in values) + end)
        shown.append(end == "\n")
        if sum(shown) == recording.limit:
            raise Enough

    ends: list[Callable[[], object]] = []  # what the library does when a page ends, the last first

    def at_end(function: Any, *arguments: Any, **options: Any) -> Any:
        if function.__module__ != page_library.MODULE:  # of a library that is imported now
            return register(function, *arguments, **options)
        ends.insert(0, functools.partial(function, *arguments, **options))
        return function

    register = atexit.register
    masks = Masks(recording.factors)
    changes: list[tuple[Any, str, Any]] = [
        (builtins, "print", show),
        (atexit, "register", at_end),
        (torch.nn.Module, "__repr__", lambda self: "<table>"),
        (torch, "rand", functools.partial(draws.tensor, "uniform")),
        (torch, "randn", functools.partial(draws.tensor, "normal")),
        (torch, "randperm", lambda n: torch.tensor(draws.take("permutation", n), dtype=torch.int64) - 1),
        (torch, "multinomial", draws.categories),
        (random, "random", functools.partial(draws.one, "uniform")),
        (random, "uniform", lambda a, b: draws.one("uniform")),
        (random, "gauss", lambda a, b: draws.one("normal")),
        (random, "randint", lambda a, b: int(draws.one("whole"))),
        filling("uniform_", "uniform"),
        filling("normal_", "normal"),
        filling("bernoulli_", "bernoulli"),
        (torch.Tensor, "random_", lambda self, *_, **__: draws.fill("whole", self)),
        filling("exponential_", "exponential"),
        (time, "time", clock),
        (time, "perf_counter", clock),
        (time, "strftime", functools.partial(on_the_day, time.strftime)),
        (time, "process_time", clock),
        *masks.changes(),
        (torch, "randn_like", masks.noise),
        (torch, "rand_like", masks.uniform),
        *simulated_gpu.changes(recording.gpu),
        (torch, "load", files.load),
        (torch, "save", files.save),
        (os, "remove", functools.partial(pictures.remove, files.remove)),
        *pictures.changes(),
        (os, "listdir", files.listed),
        (
            os.path,
            "exists",
            functools.partial(pictures.exists, functools.partial(files.exists, os.path.exists)),
        ),
        (
            os.path,
            "isfile",
            functools.partial(pictures.exists, functools.partial(files.exists, os.path.isfile)),
        ),
        (sys, "argv", [str(path), *map(str, arguments)]),
    ]
    dtype = torch.get_default_dtype()
    try:
        modules = _modules(native, path.parent, partners, script, reached, files)
        limit = PATIENCE + FACTOR * recording.seconds
        if recording.time_limit is not None:
            limit = min(limit, WITHIN + 2 * recording.time_limit)
        with _quiet_initializers(partners), partners.watching(), patched(changes), modules, _limited(limit):
            _run_program(native, str(path.with_suffix(".py")), namespace, partners, recording, reached)
            for end in ends:
                end()
        pictures.compare()
    except Endless:
        if recording.time_limit is None or True not in shown:
            raise Different(
                f"{STOPPED}: it takes more than {limit:.0f} seconds, and the original took {recording.seconds:.1f}"
            ) from None
        while not shown.pop():  # what came after the last line
            text.pop()
        shown.append(True)
        recording.stopped = True
    finally:
        torch.set_default_dtype(dtype)
    return "".join(text), partners.pairs(), reached


class _Pages(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """The pages of the files that the program requires, which its own imports run, each where it stands."""

    def __init__(
        self, native: Native, folder: Path, partners: Partners, reached: Reached, files: Files
    ) -> None:
        self.folder, self.partners, self.reached, self.files = folder, partners, reached, files
        # By module: the page and its code; of a mere folder nothing.
        self.pages: dict[str, tuple[str, str]] = {}
        for name, page in modules_of(native.modules).items():
            self.pages[name] = (page, native.modules.get(page, ""))

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in self.pages:
            return None
        package = self.pages[fullname][0].endswith("__init__.py")
        return importlib.machinery.ModuleSpec(fullname, self, is_package=package)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        page, code = self.pages[module.__name__]
        _run_page(code, str(self.folder / page), vars(module), self.partners, self.reached, self.pages)
        if module.__name__ == page_library.MODULE and "is_torch7_file" in vars(module):
            vars(module)["is_torch7_file"] = self.files.is_torch7_file


def _run_page(
    code: str,
    name: str,
    namespace: dict[str, Any],
    partners: Partners,
    reached: Reached,
    pages: Collection[str],
) -> None:
    """Run a page, and note what the layers of each of its classes are partners of as soon as there is the class.

    A class may stand within ``main``, so that each is decorated where it stands.
    """
    namespace.update(reached.names())
    namespace[_CLASS_MADE] = partners.wrap_class
    for plain in checked_tree(code, name, pages).body:
        statement = reached.mark(name, plain)
        for node in ast.walk(statement):
            if isinstance(node, ast.ClassDef):
                decorator = ast.Name(_CLASS_MADE, ast.Load())
                node.decorator_list.insert(0, ast.copy_location(decorator, node))
        exec(compile(ast.Module([statement], []), name, "exec"), namespace)
        if isinstance(statement, ast.FunctionDef):
            partners.wrap_function(namespace, statement.name)


@contextlib.contextmanager
def _modules(
    native: Native, folder: Path, partners: Partners, script: types.ModuleType, reached: Reached, files: Files
) -> Iterator[None]:
    """Have the pages of the files that the program requires be found; pickle finds the classes of its own."""
    pages = _Pages(native, folder, partners, reached, files)
    names = [script.__name__, *pages.pages]
    before = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    sys.modules[script.__name__] = script
    sys.meta_path.insert(0, pages)
    try:
        yield
    finally:
        sys.meta_path.remove(pages)
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update(before)


def _run_program(
    native: Native,
    name: str,
    namespace: dict[str, Any],
    partners: Partners,
    recording: Recording,
    reached: Reached,
) -> None:
    """Run the page's program, as a process of its own would."""
    try:
        _run_page(native.code, name, namespace, partners, reached, modules_of(native.modules))
        if "main" in namespace:  # a page that only imports others has none
            namespace["main"]()
    except Enough:
        return
    except Different:
        raise
    except SystemExit as end:
        if end.code not in (None, 0) and not recording.failed_tests:
            raise Different(f"the translation ended with exit code {end.code}") from end
    except (KeyboardInterrupt, Endless):
        raise
    except BaseException as error:  # of the program's, or of what the page cannot do, which is no Exception
        where = _place(native, name, error)
        raise Different(f"the translation fails: {type(error).__name__}: {error}{where}") from error


def _place(native: Native, name: str, error: BaseException) -> str:
    """Where in the program the statement stands in whose place a page has failed, in brackets."""
    t = native.translator
    assert t is not None
    names = {str(Path(name).parent / file.page): file for file in native.parts} | {name: t.project.script}
    failed = [
        (names[frame.filename], frame.lineno or 0)
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename in names
    ]
    if not failed:
        return ""
    file, line = failed[-1]
    code = native.code if file is t.project.script else native.modules[file.page]
    lua = file.source.decode("utf-8", "replace").split("\n")
    found = lua_lines(t.origins, statements(file.block), lua, code.split("\n"))[line - 1]
    return "" if found is None else f" ({file.name}:{found})"


@contextlib.contextmanager
def _quiet_initializers(partners: Partners) -> Iterator[None]:
    """PyTorch's own initial weights draw nothing: they are replaced at once, later ones by what the original drew."""
    kinds = (
        torch.nn.Linear,
        torch.nn.Embedding,
        torch.nn.RNNBase,
        torch.nn.RNNCellBase,
        torch.nn.Bilinear,
        torch.nn.modules.conv._ConvNd,
    )
    with patched([(kind, "reset_parameters", lambda self: partners.reset(self)) for kind in kinds]):
        yield


def shown_value(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return f"<tensor {' '.join(f'{x:.12g}' for x in value.detach().double().flatten().tolist())}>"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int)):
        return str(value)
    if isinstance(value, float):
        return f"{value:.14g}"
    if isinstance(value, torch.Size):
        return f"<sizes {' '.join(map(str, value))}>"
    has_text = any("__str__" in vars(kind) for kind in type(value).__mro__[:-1])
    if has_text and not isinstance(value, torch.nn.Module):
        str(value)  # which may do something: a confusion matrix is evaluated
    return "nil" if value is None else "<table>"
