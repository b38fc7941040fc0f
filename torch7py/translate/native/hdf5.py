"""HDF5 files, by h5py: what stands at a path in a file is read as a tensor, and tensors are written there."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native import code
from torch7py.translate.native.analysis.unknown_values import is_open
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.library_rules import function, method_statements, methods
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Expression, Invoke, Number, String

__all__: list[str] = []

_MODES = ("r", "r+", "w", "w-", "a")


@function("hdf5.open")
def open_file(t: Translation, node: Call) -> Py:
    """``hdf5.open(path[, mode])``: both libraries have the same modes and begin with ``a``."""
    args = [t.value(node.arguments[0]).text]
    mode = node.arguments[1] if len(node.arguments) > 1 else String(node.span, "a")
    if not isinstance(mode, String) or mode.value not in _MODES or len(node.arguments) > 2:
        raise Problem("T7-203", node.line, "a file's mode that is not a literal")
    return atom(f"h5py.File({args[0]}, {code.quoted(mode.value)})")


def _item(t: Translation, file: Expression, path: Expression) -> str:
    """What stands at a path; of the names alone it is an entry of the file."""
    if t.kind(path) != "string":
        raise Problem("T7-203", path.line, "a path in a file of unknown kind")
    if isinstance(path, String):
        names = "/".join(name for name in path.value.split("/") if name)
        if not names:
            raise Problem("T7-203", path.line, "all that a file holds, as one table")
        return f"{t.value(file).at(code.ATOM)}[{code.quoted(names)}]"
    return f"{t.value(file).at(code.ATOM)}[{t.value(path)}]"


def _read(t: Translation, node: Invoke) -> Py:
    if len(node.arguments) != 1:
        raise Problem("T7-203", node.line, "all that a file holds, as one table")
    return atom(_item(t, node.receiver, node.arguments[0]))


def _tensor(t: Translation, dataset: Expression, places: str) -> Py:
    t.helpers["tensor_of"] = None
    return atom(f"tensor_of({t.value(dataset).at(code.ATOM)}[{places}])")


def _all(t: Translation, node: Invoke) -> Py:
    return _tensor(t, node.receiver, ":")


def _range(t: Translation, node: Expression) -> str:
    """``{from, to}``, counted from 1, or one place."""
    if isinstance(node, tree.Table):
        values = [item.value for item in node.fields]
        if len(values) != 2 or not all(t.kind(value) == "number" or is_open(t, value) for value in values):
            raise Problem("T7-304", node.line, "a part of a file's data with other than two places")
        first, last = values
    elif t.kind(node) == "number":
        first = last = node
    else:
        raise Problem("T7-304", node.line, "a part of a file's data by a table that is not written out")
    if any(isinstance(value, tree.Unary) or _is_below_one(value) for value in (first, last)):
        raise Problem("T7-304", node.line, "a part of a file's data with a place before its first")
    return code.stretch(str(t.expressions.position(first)), str(t.expressions.whole_number(last)))


def _is_below_one(node: Expression) -> bool:
    return isinstance(node, Number) and node.value < 1


def _partial(t: Translation, node: Invoke) -> Py:
    return _tensor(t, node.receiver, ", ".join(_range(t, argument) for argument in node.arguments))


def _sizes(t: Translation, node: Invoke) -> Py:
    return atom(f"list({t.value(node.receiver).at(code.ATOM)}.shape)")


def _sizes_of_tensor(t: Translation, node: Invoke) -> Py:
    """``x:size():totable()``, of which a page has the sizes as they are."""
    return atom(f"list({t.value(node.receiver)})")


def _write(t: Translation, node: Invoke) -> None:
    if len(node.arguments) != 2 or t.kind(node.arguments[1]) != "tensor":
        raise Problem(
            "T7-203", node.line, "writing something else into a file than a tensor, or with options"
        )
    path, value = node.arguments
    array = f"{t.value(value).at(code.ATOM)}.numpy(force=True)"
    t.emit(f"{_item(t, node.receiver, path)} = {array}")


def _close(t: Translation, node: Invoke) -> None:
    t.emit(f"{t.value(node.receiver).at(code.ATOM)}.close()")


methods["hdf5", "read"] = _read
methods["dataset", "all"] = _all
methods["dataset", "partial"] = _partial
methods["dataset", "dataspaceSize"] = _sizes
methods["storage", "totable"] = _sizes_of_tensor
method_statements["hdf5", "write"] = _write
method_statements["hdf5", "close"] = _close
