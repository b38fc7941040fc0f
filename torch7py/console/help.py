"""Help on a name, from the registers and from what stands above a function in its Lua file."""

from __future__ import annotations

import importlib
import inspect
import re
import shutil
import textwrap
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from torch7py.console.completion import path_of
from torch7py.console.registers import class_named, classes_of, names_in
from torch7py.nn.binding import all_exports
from torch7py.ops import all as all_operations  # noqa: F401  (registers them)
from torch7py.ops.descriptions import calls_of, words_of
from torch7py.ops.registry import operations
from torch7py.ops.support import notes
from torch7py.packages.registry import package_source, packages

__all__ = ["text"]

WIDTH = 78  # of a line, where the terminal is not narrower
HERE = """x = torch.randn(3)   a statement is run
x:mean()             an expression is printed; = x:mean() too, and x; is not
?torch.add           help: also on a method (?x:add), ?nn.Linear, ?optim
$ ls                 a command of the system
who()                the global variables of the program
import 'image'       makes all fields of a package global
_LAST, _RESULTS      what was printed last, and all of it
Tab completes names, and files in a string.
What is incomplete goes on on the next line.
Ctrl-C interrupts what runs and drops what is typed.
Ctrl-D, or os.exit(), ends."""

_TENSOR = re.compile(r"torch\.\w*Tensor$")
_STORAGE = re.compile(r"torch\.\w*Storage$")
_OURS = "=[torch7py] "

Path_ = tuple[str | int, ...]


def text(
    topic: str,
    kind: Callable[[Path_], str],
    location_of: Callable[[Path_], tuple[str, int] | None],
) -> str | None:
    """Help on a topic, or None. ``kind`` says what a value is, ``location_of`` where a function begins."""
    topic = topic.strip().removesuffix("()")
    if not topic:
        return HERE
    path = path_of(topic)
    if not path or not re.fullmatch(r"[\w.:\[\]'\"-]+", topic):
        return None
    name = ".".join(map(str, path))
    return (
        _registered(name)
        or _commented(location_of(path))
        or _of_method(path, kind)
        or _of_value(path, kind)
        or _package(name)
    )


def _filled(text: str) -> str:
    return textwrap.fill(text, min(WIDTH, shutil.get_terminal_size().columns))


def _of_method(path: Path_, kind: Callable[[Path_], str]) -> str | None:
    """``x:add`` and ``model.forward``, of what these variables hold."""
    if len(path) < 2:
        return None
    owner = kind(path[:-1])
    return _registered(f"{owner}.{path[-1]}") if "." in owner else None


def _of_value(path: Path_, kind: Callable[[Path_], str]) -> str | None:
    """A variable is what its class is."""
    owner = kind(path)
    text = _registered(owner) if "." in owner else None
    return f"{'.'.join(map(str, path))}: {owner}\n\n{text}" if text else None


def _registered(name: str) -> str | None:
    """Help on a name in full: an operation, a layer, a method of one, or a function of a package."""
    owner, _, method = name.rpartition(".")
    if _TENSOR.match(owner):
        name = f"torch.{method}"
    elif _STORAGE.match(owner):
        name = f"torch.Storage.{method}"
    text = _operation(name) or _layer(name) or _layer_method(owner, method) or _function(owner, method)
    if text is None:
        return None
    shown = {name, f"torch.Tensor:{method}" if owner == "torch" else name, f"{owner}:{method}"}
    shown_notes = [notes[key] for key in sorted(shown) if key in notes]
    more = [f"{'Restricted' if note.supported else 'Not supported'}: {note.text}" for note in shown_notes]
    return "\n\n".join([text, *(_filled(note) for note in more)])


def _operation(name: str) -> str | None:
    short = name.removeprefix("torch.")
    operation = operations.get(short) or operations.get(name) or operations.get(f"{name}.new")
    if operation is None or not name.startswith("torch."):
        return None
    return "\n".join([*calls_of(operation), "", _filled(words_of(operation))])


def _layer(name: str) -> str | None:
    cls = class_named(name)
    return None if cls is None else _docstring(cls)


def _layer_method(owner: str, method: str) -> str | None:
    """What a method says of itself, or the one that it overrides."""
    cls = class_named(owner)
    attribute = None if cls is None else all_exports(cls).get(method)
    if cls is None or attribute is None:
        return None
    docstrings = (_docstring(base.__dict__[attribute]) for base in cls.__mro__ if attribute in base.__dict__)
    return next(filter(None, docstrings), None)


def _function(owner: str, name: str) -> str | None:
    package = packages.get(owner.partition(".")[0])
    if package is None:
        return None
    package.load()
    owns_name = package.name == owner
    if owns_name and name in package.functions:
        return _docstring(package.functions[name])
    if owns_name and name in package.records:
        return _docstring(package.records[name].cls)
    return _in_lua_files(package.module, f"{owner}.{name}")


def _in_lua_files(module: str, name: str) -> str | None:
    """What the Lua files of a package say of a function or a class: the comment that begins with a call of it."""
    head = re.escape(name).replace(r"\.", "[.:]")
    for file in sorted(resources.files(module).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".lua"):
            source = file.read_text(encoding="utf-8")
            match = re.search(rf"^-- (?:\w+.* = )?{head}[(\[{{].*\n(?:--(?!-).*\n)*", source, re.MULTILINE)
            if match:
                return re.sub(r"(?m)^-- ?", "", match[0]).rstrip()
            match = re.search(rf"^function ({head}\(.*\))", source, re.MULTILINE)
            if match:
                return match[1]
    return None


def _package(name: str) -> str | None:
    """What a package is for, and the names that a program finds in it."""
    package = packages.get(name)
    if package is None:
        return None
    package.load()
    words = (_docstring(importlib.import_module(package.module)) or name).partition("\n\n")[0]
    listed = sorted({*names_in(name), *classes_of(name)})
    return "\n\n".join([words, _filled(", ".join(listed))]) if listed else words


def _docstring(thing: object) -> str | None:
    """A docstring of ours; those of PyTorch's are written for its users."""
    module = thing.__name__ if inspect.ismodule(thing) else getattr(thing, "__module__", None)
    if not (module or "").startswith("torch7py."):
        return None
    return re.sub("``(.+?)``", r"\1", inspect.cleandoc(thing.__doc__)) if thing.__doc__ else None


def _commented(location: tuple[str, int] | None) -> str | None:
    """The comment above a function in its Lua file, and the function's first line."""
    if location is None:
        return None
    chunk, line = location
    source = _source(chunk)
    if source is None or not 0 < line <= len(source):
        return None
    first = line - 1
    while first > 0 and re.match(r"\s*--(?!-)", source[first - 1]):
        first -= 1
    comment = [re.sub(r"^\s*-- ?", "", text).rstrip() for text in source[first : line - 1]]
    if chunk.startswith(_OURS):
        return "\n".join(comment) or None
    file = chunk.removeprefix("@")
    return "\n".join([*comment, f"{source[line - 1].strip()}  ({file}:{line})"])


def _source(chunk: str) -> list[str] | None:
    """The lines of the file behind the name of a chunk; None where it is no file, or one of the bridge's."""
    if chunk.startswith(_OURS):
        folder, _, file = chunk.removeprefix(_OURS).rpartition("/")
        return package_source(f"torch7py.packages.{folder}/{file}").splitlines() if folder else None
    if not chunk.startswith("@"):
        return None
    try:
        return Path(chunk.removeprefix("@")).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
