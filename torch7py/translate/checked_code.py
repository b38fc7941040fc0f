"""What a page may hold: nothing runs of a page, and none is given out, before its tree has been looked at.

Texts of a program become literals, comments and checked names (``quoting.py``). Should one become code nevertheless,
it brings names that the translator never writes: imports, functions of Python, attributes of modules, names with two
underscores on both sides. A page with such is an error.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Collection, Iterator
from types import CodeType
from typing import Any

from torch7py.translate import page_library

__all__ = ["BUILTINS", "REACHING_OUT", "ForeignCode", "checked_tree", "compiled", "run_page"]


class ForeignCode(Exception):
    """A page holds what the translator does not write: some text of what was translated has become code."""


# Functions and classes of Python that pages use.
BUILTINS = frozenset(
    "abs all any bool bytes chr classmethod dict enumerate filter float frozenset getattr hasattr id input int"
    " isinstance issubclass iter len list map max min next object open ord print property range repr reversed round"
    " set setattr slice sorted staticmethod str sum super tuple type vars zip NotImplemented Ellipsis"
    " True False None".split()
) | {
    name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, Exception)
}

# The modules that pages import, and what they use of each; of those with None all that is public.
_MODULES: dict[str, frozenset[str] | None] = {
    name: None if words == "*" else frozenset(words.split())
    for name, words in {
        "argparse": "ArgumentParser Namespace",
        "collections": "Counter OrderedDict defaultdict deque",
        "contextlib": "suppress",
        "copy": "copy deepcopy",
        "csv": "reader writer",
        "functools": "partial reduce wraps",
        "h5py": "Dataset File Group",
        "inspect": "isroutine",
        "itertools": "chain count islice product",
        "json": "dump dumps load loads",
        "math": "*",
        "numpy": "*",
        "os": "chdir environ environ.get getcwd listdir makedirs popen remove rename rmdir stat system path"
        " path.abspath path.basename path.dirname path.exists path.expanduser path.getmtime path.getsize path.isdir"
        " path.isfile path.join",
        "PIL": "Image",
        "PIL.Image": "*",
        "platform": "system",
        "random": "*",
        "re": "*",
        "socket": "gethostname",
        "subprocess": "DEVNULL PIPE STDOUT run",
        "sys": "argv exit stderr stdin stdout",
        "tempfile": "mkdtemp mkstemp",
        "time": "perf_counter process_time sleep strftime time",
        "torch": "*",
        "torch.nn": "*",
        "torch.nn.functional": "*",
        "torch.nn.init": "*",
        "torch.nn.modules": "batchnorm",
        "torch.nn.modules.batchnorm": "_BatchNorm",
        "torch.nn.utils": "clip_grad_norm_ clip_grad_value_ parameters_to_vector parametrizations"
        " vector_to_parameters",
        "torch.nn.utils.parametrizations": "weight_norm",
        "torch.autograd": "Function backward grad",
        "torch.backends": "cudnn",
        "torch.backends.cudnn": "*",
        "torch.cuda": "*",
        "torch.linalg": "*",
        "torch.optim": "*",
        "torch.optim.lr_scheduler": "*",
        "torch.random": "*",
        "torch.testing": "assert_close",
        "lua_compat": "*",  # the pages' library
    }.items()
}
# Modules that reach out of the page: a page has them only where its translation has asked for them.
REACHING_OUT = frozenset({"os", "socket", "subprocess", "tempfile"})
# What pages take from a module by name.
_FROM = frozenset({"PIL.Image", "torch.nn"})
# Names with two underscores on both sides: methods of Python's classes, and what a page says of itself.
_SPECIAL = frozenset(
    "__add__ __all__ __call__ __deepcopy__ __enter__ __eq__ __exit__ __getitem__ __hash__ __init__"
    " __iter__ __le__ __len__ __lt__ __lua__ __missing__ __mod__ __mul__ __name__ __neg__ __pow__ __radd__ __repr__"
    " __rmod__ __rmul__ __rpow__ __rsub__ __rtruediv__ __setitem__ __str__ __sub__ __truediv__".split()
)
_BY_NAME = frozenset({"getattr", "hasattr", "setattr"})


def checked_tree(
    code: str, name: str, pages: Collection[str] = (), without: Collection[str] = ()
) -> ast.Module:
    """The tree of a page; ``pages`` are the modules of the same program, which it may import.

    ``without``: modules that this page has no reason to import.

    Raises ForeignCode where the page is no Python, or holds what the translator does not write.
    """
    try:
        tree = ast.parse(code, name)
    except (SyntaxError, ValueError) as error:
        raise ForeignCode(f"{name}: the page is no Python: {error}") from None
    if page_library.is_part(code):
        return tree  # the pages' library, as it is
    for line, what in _Check(tree, pages, without).problems():
        raise ForeignCode(f"{name}:{line}: the page has {what}, which the translator does not write")
    return tree


def compiled(code: str, name: str) -> CodeType:
    """A page as code, after it has been looked at."""
    return compile(checked_tree(code, name), name, "exec")


def run_page(code: str, name: str, namespace: dict[str, Any]) -> None:
    """Run a page, after it has been looked at."""
    exec(compiled(code, name), namespace)


class _Check:
    def __init__(self, tree: ast.Module, pages: Collection[str], without: Collection[str]) -> None:
        self.nodes = list(ast.walk(tree))
        self.pages, self.without = pages, without
        self.modules: dict[str, str] = {}  # by what a page calls them
        self.bound_names = set(_bound_names(self.nodes))

    def problems(self) -> Iterator[tuple[int, str]]:
        """What is not the translator's, with the lines."""
        for node in self.nodes:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                yield from ((node.lineno, f"the import of {name}") for name in self._imported(node))
        for node in self.nodes:
            if isinstance(node, ast.Name):
                if not self._is_known(node.id):
                    yield node.lineno, f"the name {node.id}"
            elif isinstance(node, ast.Attribute):
                what = self._attribute(node)
                if what:
                    yield node.lineno, what
            elif isinstance(node, ast.Call):
                what = _by_name(node)
                if what:
                    yield node.lineno, what
            else:
                for name in _names_of(node):
                    if not _is_plain(name):
                        yield getattr(node, "lineno", 1), f"the name {name}"

    def _imported(self, node: ast.Import | ast.ImportFrom) -> Iterator[str]:
        """Which of the modules are no page's; the others are noted."""
        for alias in node.names:
            if isinstance(node, ast.ImportFrom):
                of = node.module or ""
                name = f"{of}.{alias.name}"
                if node.level == 0 and (of in self.pages or name in self.pages):
                    continue
                if node.level or name not in _FROM:
                    yield name
            else:
                name = alias.name
                if name in self.pages:
                    continue
                if name not in _MODULES or name in self.without:
                    yield name
                if alias.asname is None:
                    name = name.partition(".")[0]
            self.modules[alias.asname or alias.name.partition(".")[0]] = name

    def _is_known(self, name: str) -> bool:
        if not _is_plain(name):
            return False
        known = name in self.bound_names or name in BUILTINS or name == "__name__"
        return known or not hasattr(builtins, name)

    def _attribute(self, node: ast.Attribute) -> str:
        """What is wrong with an attribute; nothing for most."""
        if not _is_plain(node.attr):
            return f"the attribute {node.attr}"
        words = [node.attr]
        value = node.value
        while isinstance(value, ast.Attribute):
            words.append(value.attr)
            value = value.value
        module = self.modules.get(value.id) if isinstance(value, ast.Name) else None
        return "" if module is None or _may_use(module, words[::-1]) else f"{module}.{'.'.join(words[::-1])}"


def _may_use(module: str, words: list[str]) -> bool:
    """Whether pages use this of a module: ``("os", ["path", "join"])``."""
    if module not in _MODULES:
        return True  # no module: something that was imported from one
    allowed = _MODULES[module]
    if f"{module}.{words[0]}" in _MODULES:
        return len(words) == 1 or _may_use(f"{module}.{words[0]}", words[1:])
    if allowed is not None:
        return words[0] in allowed and (len(words) == 1 or f"{words[0]}." not in _prefixes(allowed, words))
    return not words[0].startswith("_") and not isinstance(_of_module(module, words[0]), type(sys))


def _prefixes(allowed: frozenset[str], words: list[str]) -> set[str]:
    """The names with parts of their own, of which a page uses one that is not allowed."""
    parts = {name.partition(".")[0] + "." for name in allowed if "." in name}
    return parts if ".".join(words[:2]) not in allowed else set()


def _of_module(module: str, name: str) -> object:
    loaded = sys.modules.get(module)
    return getattr(loaded, name, None)


def _by_name(node: ast.Call) -> str:
    """``getattr(x, "__class__")``"""
    if not isinstance(node.func, ast.Name) or node.func.id not in _BY_NAME or len(node.args) < 2:
        return ""
    name = node.args[1]
    if isinstance(name, ast.Constant) and isinstance(name.value, str) and not _is_plain(name.value):
        return f"{node.func.id} of {name.value}"
    return ""


def _is_plain(name: str) -> bool:
    return not (name.startswith("__") and name.endswith("__") and len(name) > 4) or name in _SPECIAL


def _names_of(node: ast.AST) -> Iterator[str]:
    """The names that a node has as words of its own."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
        yield node.name
    elif isinstance(node, (ast.arg, ast.keyword)):
        if node.arg is not None:
            yield node.arg
    elif isinstance(node, ast.ExceptHandler):
        if node.name is not None:
            yield node.name
    elif isinstance(node, (ast.Global, ast.Nonlocal)):
        yield from node.names
    elif isinstance(node, ast.alias):
        yield node.asname or node.name


def _bound_names(nodes: list[ast.AST]) -> Iterator[str]:
    """The names that a page makes anywhere."""
    for node in nodes:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif not isinstance(node, (ast.keyword, ast.Global, ast.Nonlocal)):
            yield from _names_of(node)
