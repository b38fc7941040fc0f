"""The library of pages: ``lua_compat.py``, of which a page gets those functions that it uses, as a file beside it.

Its parts are modules like any other here, checked and tested as such; ``source`` puts those functions into one file
that a page uses, with what they need of the others.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import cache
from importlib import resources

__all__ = [
    "FILE",
    "MODULE",
    "arguments_needed",
    "entries",
    "functions_of_tensors",
    "has_method",
    "is_part",
    "joined",
    "makes_tensors",
    "methods_of",
    "names",
    "object_methods",
    "objects",
    "of_package",
    "source",
]

MODULE = "lua_compat"
FILE = f"{MODULE}.py"

# Each uses those before it; the first are the project's own, which need nothing but PyTorch.
_FILES = (
    "ops.quicksort",
    "packages.optim.line_search",
    "packages.optim.lbfgs",
    "packages.optim.cg",
    "packages.image.arithmetic",
    "packages.image.scaling",
    "packages.image.geometry",
    "packages.image.color",
    "packages.loadcaffe.caffemodel",
    "packages.gnuplot.styles",
    "packages.gnuplot.drawing",
    "packages.gnuplot.curves",
    "packages.gnuplot.settings",
    "packages.gnuplot.figures",
    "values",
    "text",
    "json_texts",
    "decompositions",
    "tensors",
    "nodes",
    "changed_inputs",
    "layers",
    "graphs",
    "modules",
    "module_methods",
    "rewards",
    "memory_files",
    "disk_files",
    "threads",
    "coroutines",
    "metatables",
    "torch7_files",
    "lua_functions",
    "methods",
    "minimizing",
    "pictures",
    "plots",
    "penlight",
    "gpus",
    "clock",
)
_ABOUT = '''"""What Lua's operations do to values of whatever kind, for pages in which not every kind is known.

A page has numbers, text, truth values and None; tensors; modules; functions; and lists, dicts and objects, which are
Lua's tables. The functions here look at what they are given when the page runs, and take all of these. Places and
dimensions count from 1, as the program counts them. What a value cannot do as Lua's would is an error: a list that is
given a name, a field of a layer of PyTorch.
"""'''
# The modules that the library imports, in the order of a page.
_GROUPS = {"__future__": 0, "numpy": 2, "PIL": 2, "torch": 2}

Definition = ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


def source(names: Iterable[str]) -> str:
    """The library with these functions, and what they use of it."""
    parts, imports = _parts()
    used: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in used:
            used.add(name)
            waiting += _names_read_by(name) & parts.keys()
    mentioned = {"annotations"}.union(*map(_names_read_by, used))
    lines = [_ABOUT, "", *_import_lines(imports, mentioned)]
    for name in (name for name in parts if name in used):  # in their order there
        node, code = parts[name]
        lines += ["", "", code] if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else ["", code]
    return "\n".join(lines) + "\n"


def names() -> list[str]:
    """The names of all that the library has."""
    return list(_parts()[0])


def is_part(code: str) -> bool:
    """Whether code is what ``source`` gives for some functions."""
    if not code.startswith(_ABOUT):
        return False
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError):
        return False
    defined = _defined_in(body)
    return bool(defined) and defined <= _parts()[0].keys() and code == source(defined)


def joined(code: str, other: str) -> str:
    """What ``source`` gives for the functions of two such parts together."""
    return source(sorted(_defined_in(ast.parse(code).body) | _defined_in(ast.parse(other).body)))


def _defined_in(body: Iterable[ast.stmt]) -> set[str]:
    names = {node.name for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    for node in body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        names |= {target.id} if isinstance(target, ast.Name) else set()
    return names


@cache
def makes_tensors(names: frozenset[str]) -> bool:
    """Whether functions of the library make tensors of the default type of numbers; methods have their tensor's."""
    made = re.compile(r"\btorch\.(get_default_dtype|empty|zeros|ones|tensor|rand|randn)\b")
    others = [name for name in names if "method" not in name]
    return bool(others) and made.search(source(others)) is not None


@cache
def entries(name: str) -> frozenset[str]:
    """The keys of a dict of the library, or the words of a set."""
    node = _parts()[0][name][0]
    assert isinstance(node, (ast.Assign, ast.AnnAssign))
    if isinstance(node.value, ast.Dict):
        return frozenset(str(key.value) for key in node.value.keys if isinstance(key, ast.Constant))
    texts = (part.value for part in ast.walk(node) if isinstance(part, ast.Constant))
    return frozenset(word for text in texts for word in str(text).split())


def methods_of(kind: str) -> frozenset[str]:
    """The methods that the library has for values of a kind, ``tensor``, ``module``, ``text`` or ``storage``."""
    return entries(f"{kind.upper()}_METHODS") | (entries("ELEMENTWISE") if kind == "tensor" else frozenset())


def of_package(path: str | None) -> str | None:
    """The library's function for one of a package's: ``gnuplot_plot`` for ``gnuplot.plot``."""
    name = (path or "").replace(".", "_")
    return name if name.startswith("gnuplot_") and name in _parts()[0] else None


def functions_of_tensors() -> frozenset[str]:
    """The functions of torch that the library has for tensors of whatever kind: methods, and those of matrices."""
    return methods_of("tensor") | entries("DECOMPOSITIONS")


def has_method(kind: str, name: str) -> bool:
    """Whether the library has a method for values of a kind, those too whose functions take other arguments."""
    return name in methods_of(kind) or (kind == "tensor" and name in entries("NEW_ELEMENTS"))


@cache
def objects() -> dict[str, str]:
    """The classes that are modules and criterions of Torch7's as objects, by their names there."""
    names: dict[str, str] = {}
    for node in (node for node, _ in _parts()[0].values() if isinstance(node, ast.ClassDef)):
        for part in node.body:
            target = part.targets[0] if isinstance(part, ast.Assign) else None
            if isinstance(target, ast.Name) and target.id == "NAME" and isinstance(part, ast.Assign):
                names.setdefault(ast.literal_eval(part.value), node.name)
    return names


@cache
def arguments_needed(name: str) -> int:
    """How many arguments the constructor of one of these classes needs."""
    node = _parts()[0][name][0]
    assert isinstance(node, ast.ClassDef)
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            return len(part.args.args) - 1 - len(part.args.defaults)
    bases = (base.id for base in node.bases if isinstance(base, ast.Name) and base.id in _parts()[0])
    return max(map(arguments_needed, bases), default=0)


@cache
def object_methods() -> frozenset[str]:
    """The methods that modules have which are objects, whatever their classes are."""
    classes = [node for node, _ in _parts()[0].values() if isinstance(node, ast.ClassDef)]
    own = {part.name for node in classes for part in node.body if isinstance(part, ast.FunctionDef)}
    return entries("OBJECT_METHODS") | {name for name in own if not name.startswith("_")}


@cache
def _parts() -> tuple[dict[str, tuple[Definition, str]], list[ast.Import | ast.ImportFrom]]:
    """The library's functions, classes and constants by their names, each with its source, and what it imports."""
    parts: dict[str, tuple[Definition, str]] = {}
    imports: list[ast.Import | ast.ImportFrom] = []
    for file in _FILES:
        folder, _, name_of_file = f"torch7py.{file}".rpartition(".") if "." in file else (__name__, "", file)
        code = resources.files(folder).joinpath(f"{name_of_file}.py").read_text(encoding="utf-8")
        lines = code.splitlines(keepends=True)
        for node in ast.parse(code).body[1:]:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                if not str(getattr(node, "module", "")).startswith("torch7py."):
                    imports.append(node)
                continue
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                name = node.name
            elif isinstance(node, (ast.Assign, ast.AnnAssign)):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                assert isinstance(target, ast.Name)
                name = target.id
                if name == "__all__":
                    continue
            else:
                raise ValueError(f"{file}.py:{node.lineno}: no function, class or constant")
            if name in parts:
                raise ValueError(f"{file}.py:{node.lineno}: a second {name}")
            is_shared = "." in file and isinstance(node, ast.FunctionDef)
            # They register it, and in a page the function to be minimized has its graph.
            decorators = [] if is_shared else getattr(node, "decorator_list", [])
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                node.decorator_list = decorators
            first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
            parts[name] = node, "".join(lines[first - 1 : node.end_lineno]).rstrip("\n")
    return parts, imports


@cache
def _names_read_by(name: str) -> frozenset[str]:
    """The names that a function, class or constant of the library reads."""
    return frozenset(_names_in(_parts()[0][name][0]))


def _names_in(node: ast.AST) -> set[str]:
    """The names that a part of the library reads, but for those of its own parameters and variables."""
    if isinstance(node, ast.ClassDef):
        return set().union(*map(_names_in, (*node.decorator_list, *node.bases, *node.body)))
    local_names = {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)}
    names = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
    if isinstance(node, ast.FunctionDef):
        local_names |= {part.id for part in names if isinstance(part.ctx, ast.Store)}
    return {part.id for part in names} - local_names


def _group(module: str) -> int:
    return _GROUPS.get(re.split("[. ]", module)[0], 1)


def _import_lines(imports: list[ast.Import | ast.ImportFrom], mentioned: set[str]) -> Iterable[str]:
    """The imports of what is mentioned, the standard library's apart from others."""
    plain: set[str] = set()
    taken: dict[str, set[str]] = {}
    for node in imports:
        kept = {ast.unparse(alias) for alias in node.names if (alias.asname or alias.name) in mentioned}
        if isinstance(node, ast.ImportFrom) and kept:
            taken.setdefault(str(node.module), set()).update(kept)
        elif isinstance(node, ast.Import):
            plain |= kept
    lines = [(_group(name), 0, name, f"import {name}") for name in plain]
    lines += [
        (_group(name), 1, name, f"from {name} import {', '.join(sorted(kept))}")
        for name, kept in taken.items()
    ]
    before = 0
    for group, _, _, line in sorted(lines):
        if group != before:
            yield ""
        before = group
        yield line
