"""Loops over the names in a directory, and lists of them."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.library_rules import function
from torch7py.translate.native.patterns import as_regex
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.tree import Call, String

__all__ = ["loop_head"]

_LOOPS = {
    "paths.files": "",
    "lfs.dir": "",
    "paths.iterfiles": "os.path.isfile",
    "paths.iterdirs": "os.path.isdir",
}


def loop_head(t: Translation, node: tree.GenericFor, names: list[str]) -> bool:
    """``for name in paths.files(directory, include) do``; whether it is one."""
    source = node.values[0]
    path = t.path(source.callee) if isinstance(source, Call) and len(node.values) == 1 else None
    if path not in _LOOPS or not isinstance(source, Call) or not source.arguments or len(names) != 1:
        return False
    t.imports.add("os")
    args = [t.value(source.arguments[0]).text]
    if len(source.arguments) > 1:
        if path != "paths.files":
            raise Problem("T7-203", source.line, f"{path} with {len(source.arguments)} arguments")
        args.append(_include(t, source.arguments[1]))
    if _LOOPS[path]:
        directory = args[0]
        within = f"os.path.join({directory}, {names[0]})"
        t.emit(f"for {names[0]} in sorted(os.listdir({directory})):")
        with t.indented():
            t.emit(f"if not {_LOOPS[path]}({within}):")
            with t.indented():
                t.emit("continue")
        return True
    t.emit(f"for {names[0]} in {t.need('names_in')}({', '.join(args)}):")
    return True


def _include(t: Translation, node: tree.Expression) -> str:
    """What says which names are wanted: a function, or a pattern that they have in them."""
    if t.kind(node) == "function":
        return t.value(node).text
    if not isinstance(node, String):
        raise Undecided("T7-233", node.line, "a pattern that is not a literal")
    regex, _ = as_regex(t, node)
    t.imports.add("re")
    return f"re.compile({regex}).search"


@function("paths.dir")
def _names(t: Translation, node: Call) -> Py:
    """The names in a directory; nil where there is none."""
    if len(node.arguments) != 1:
        raise Problem("T7-203", node.line, f"paths.dir with {len(node.arguments)} arguments")
    if t.type(node).has("tested"):
        raise Problem("T7-203", node.line, "paths.dir of what need not be a directory")
    t.imports.add("os")
    return atom(f"{t.need('names_in')}({t.value(node.arguments[0])})")
