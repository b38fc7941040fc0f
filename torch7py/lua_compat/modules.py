"""Translated files as modules: where ``require`` finds them, and how a program is started.

``require`` is th's: a name that begins with a dot is a file beside the one that asks for it and runs every time; any
other is loaded once, from package.preload, this project's packages or package.path, and failing these is a file in the
working directory or the program's. A file's translation that stands beside it (``a/b.py`` for ``a/b.lua``) is taken in
its place.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

from torch7py.lua_compat import basic
from torch7py.lua_compat.arguments import MISSING, a_string, an_int
from torch7py.lua_compat.basic import G, package
from torch7py.lua_compat.errors import CAUGHT, Source, fail, thrown
from torch7py.lua_compat.operators import tostring
from torch7py.lua_compat.package_loader import load_package
from torch7py.lua_compat.system import Exit
from torch7py.lua_compat.values import Table, call, first, index

__all__ = ["begin", "here", "main", "run", "run_file", "search_in"]

DEPTH = 20_000
"""Calls within calls that a program may have, about as many as LuaJIT allows."""

_places: list[str] = []  # the program's own directory, if that is not the working directory
_LOADING = object()  # stands in package.loaded for a module that is being loaded, or failed to


# Files


def here(level: int = 1) -> str | None:
    """The Lua file of the program's function that runs, ``level - 1`` of its own functions further out."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        source = frame.f_globals.get("__lua__")
        if isinstance(source, Source) and not source.is_ours:
            level -= 1
            if level <= 0:
                return source.file
        frame = frame.f_back
    return None


def directory(path: str) -> str:
    return os.path.dirname(path) or ("/" if path.startswith("/") else ".")


def join(place: str, name: str) -> str:
    return os.path.normpath(name if name.startswith("/") else f"{place}/{name}")


def _translated(path: str) -> str:
    return (path.removesuffix(".lua") if path.endswith(".lua") else path) + ".py"


def is_file(path: str) -> bool:
    return os.path.isfile(os.fsdecode(path.encode("latin1")))


def there(path: str) -> bool:
    """Whether a Lua file or its translation is there."""
    return is_file(path) or (path.endswith(".lua") and is_file(_translated(path)))


def load_file(path: str) -> Callable[..., Any]:
    """The function of a Lua file: of its translation that stands beside it, or made now."""
    python = os.fsdecode(_translated(path).encode("latin1"))
    if path.endswith(".lua") and os.path.isfile(python):
        spec = importlib.util.spec_from_file_location(os.path.basename(python)[:-3], python)
        if spec is not None and spec.loader is not None:
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            if hasattr(module, "chunk"):
                module.__lua__.file = path
                chunk: Callable[..., Any] = module.chunk
                return chunk
    return basic.compiled(basic.file_source(path), "@" + path)


def run_file(path: str) -> Any:
    return load_file(path)()


def _run_saved(path: str) -> Any:
    return call(index(G.torch, "load"), path)


def _run_network(path: str) -> Any:
    require("nn")
    return _run_saved(path)


_READERS: tuple[tuple[str, Callable[[str], Any]], ...] = ((".th", _run_saved), (".net", _run_network))


def _find(place: str, name: str) -> tuple[str, Callable[[str], Any]] | list[str]:
    """The file that th takes for a name in a directory and how to run it, or the paths that were tried."""
    path = join(place, name)
    if there(path + ".lua"):
        return path + ".lua", run_file
    if is_file(path):
        reader = next((run for ending, run in _READERS if path.endswith(ending)), run_file)
        return path, reader
    for ending, reader in _READERS:
        if is_file(path + ending):
            return path + ending, reader
    init = join(path, "init.lua")
    return (init, run_file) if there(init) else [path + ".lua", path, init]


def _find_in(places: Iterable[str], name: str) -> tuple[str, Callable[[str], Any]] | str:
    tried = ""
    for place in places:
        found = _find(place, name)
        if isinstance(found, tuple):
            return found
        tried += "".join(f"\n\tno file '{path}'" for path in found)
    return tried


def _require_beside(name: str) -> Any:
    file = here()
    place = directory(file) if file is not None and there(file) else "."
    found = _find_in([place], name)
    if isinstance(found, str):
        raise fail(
            f"module '{name}' not found:{found}"
            "\n\ta name that begins with a dot is a file beside the one that requires it"
        )
    return found[1](found[0])


# require


def search_path(name: str, path: str) -> tuple[str | None, str]:
    """The first file of a list of patterns that is there, and what was tried."""
    tried = ""
    for pattern in path.split(";"):
        file = pattern.replace("?", name.replace(".", "/"))
        if there(file):
            return file, ""
        tried += f"\n\tno file '{file}'"
    return None, tried


def _in_preload(name: str) -> Any:
    found = index(package, "preload").rawget_(name)
    return f"\n\tno field package.preload['{name}']" if found is None else found


def _is_running(path: str) -> bool:
    """Whether a file is one of those that are running: they require the package, not themselves."""
    frame: FrameType | None = sys._getframe(1)
    wanted = os.path.normpath(path)
    while frame is not None:
        source = frame.f_globals.get("__lua__")
        if isinstance(source, Source) and not source.is_ours and os.path.normpath(source.file) == wanted:
            return True
        frame = frame.f_back
    return False


def _in_packages(name: str) -> Any:
    from torch7py.packages.registry import came_with_torch

    if not came_with_torch(name):
        file, _ = search_path(name, "./?.lua")
        if file is not None and not _is_running(file):
            return f"\n\tno package '{name}' before '{file}'"
    found = load_package(name)
    return f"\n\tno package '{name}' in torch7py" if found is None else lambda *_: found


def _own_package(name: str) -> str:
    """The places of a package that the program is a part of: its examples and tests require it by its name, and it need
    not be installed."""
    folder, wanted = os.path.abspath(_places[-1] if _places else "."), re.split(r"[./]", name)[0]
    while folder != "/":
        above, last = os.path.split(folder)
        if last == wanted:
            return f";{above}/?.lua;{above}/?/init.lua"
        folder = above
    return ""


def _in_files(name: str) -> Any:
    file, tried = search_path(name, str(index(package, "path")) + _own_package(name))
    return f"{tried}\n\tno file '{name}'" if file is None else load_file(file)


def searchpath(name: Any = MISSING, path: Any = MISSING, *_: Any) -> Any:
    """``package.searchpath``"""
    found, tried = search_path(a_string(name, 1, "searchpath"), a_string(path, 2, "searchpath"))
    return found if found is not None else (None, tried)


def require(name: Any = MISSING, *_: Any) -> Any:
    wanted = a_string(name, 1, "require")
    if wanted.startswith("."):
        return _require_beside(wanted)
    loaded = index(package, "loaded")
    known = loaded.rawget_(wanted)
    if known is _LOADING:
        raise fail(f"loop or previous error loading module '{wanted}'")
    if known is not None and known is not False:
        return known
    tried = ""
    for searcher in list(index(package, "loaders").array_):
        found = first(call(searcher, wanted))
        if callable(found) and not isinstance(found, str):
            break
        tried += found if isinstance(found, str) else ""
    else:
        file = _find_in([".", *_places], wanted)
        if isinstance(file, str):
            raise fail(
                f"module '{wanted}' not found:{tried}"
                "\n\tit is neither a package that torch7py knows nor a Lua file of this program"
                "\n\ta package written in Lua is found in the program's folder and in those of LUA_PATH"
            )
        return file[1](file[0])
    loaded.rawset_(wanted, _LOADING)
    result = first(call(found, wanted))
    if result is not None:
        loaded.rawset_(wanted, result)
    elif loaded.rawget_(wanted) is _LOADING:
        loaded.rawset_(wanted, True)
    return loaded.rawget_(wanted)


def include(name: Any = MISSING, depth: Any = None, *_: Any) -> Any:
    """``include(file)``: run a file beside the one that calls."""
    file = here(1 + (0 if depth is None else an_int(depth, 2, "include")))
    place = "." if file is None else directory(file)
    return run_file(join(place, a_string(name, 1, "include")))


def dofile(name: Any = MISSING, *_: Any) -> Any:
    path = a_string(name, 1, "dofile")
    if not there(path):
        raise fail(f"cannot open {path}: No such file or directory")
    return run_file(path)


def use_torch() -> None:
    """Torch7's operations in a page that is PyTorch otherwise: autograd stays as it is there."""
    import torch

    before = torch.is_grad_enabled()
    require("torch")
    torch.set_grad_enabled(before)


def _no_module(*_: Any) -> Any:
    raise fail("module: a translated function has the globals of the program")


def reset() -> None:
    _places.clear()
    G.__dict__.update(require=require, include=include, dofile=dofile, module=_no_module)
    searchers = Table([_in_preload, _in_packages, _in_files])
    package.__dict__.update(
        searchpath=searchpath, loaders=searchers, searchers=searchers, seeall=_no_module, loadlib=_no_module
    )


basic.resetters.append(reset)
reset()


# Programs


def main(chunk: Callable[..., Any], file: str, rnn_api: int | None = None) -> None:
    """Run a translated program with the arguments of the command line; ends the process.

    ``file`` is the Lua file it comes from, ``rnn_api`` the generation of rnn and nn that it was written for.
    """
    begin(file, sys.argv[1:], rnn_api)
    place = directory(file if os.path.isfile(file) else sys.argv[0])
    search_in(place)
    code, message = run(chunk)
    if message is not None:
        print(message, file=sys.stderr)
    sys.exit(code)


def begin(
    file: str, arguments: Iterable[str] = (), rnn_api: int | None = None, seed: int | None = None
) -> None:
    """Set what a program finds at its start: its arguments, and the seed of torch's random stream."""
    given = [os.fsencode(argument).decode("latin1") for argument in arguments]
    G.rawset_("arg", Table(given, {0: file}))
    basic.settings.update(rnn_api=rnn_api, seed=seed)


def search_in(place: str) -> None:
    """Let ``require`` look into a program's own directory too."""
    if place != ".":
        _places.append(place)
        package.__dict__["path"] = f"{package.__dict__['path']};{place}/?.lua;{place}/?/init.lua"


def run(chunk: Callable[..., Any]) -> tuple[int, str | None]:
    """Run a program that has begun: its exit code, and the message of the error that ended it."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(DEPTH, before))
    try:
        chunk(*G.arg.array_)
    except Exit as leaving:
        return leaving.code, None
    except CAUGHT as error:
        value = thrown(error)
        return 1, value if type(value) is str else str(tostring(value))
    finally:
        sys.setrecursionlimit(before)
        sys.stdout.flush()
    return 0, None
