"""Times taken and facts about files: torch.Timer, lfs and paths."""

from __future__ import annotations

from collections.abc import Callable

from torch7py.translate import page_library, tree
from torch7py.translate.native import code, metatables
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.library_rules import function, method_statements, methods, statement
from torch7py.translate.native.plain_calls import library_attribute, library_call
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.observed import FILLED
from torch7py.translate.tree import Call, Index, Invoke, Name, String, Table

__all__ = ["index", "is_about_plots"]

_OF_FILES = {"modification": "st_mtime", "access": "st_atime", "change": "st_ctime", "size": "st_size"}


def index(t: Translation, node: Index) -> Py | None:
    """``timer:time().real`` and ``lfs.attributes(path).modification``"""
    if not isinstance(node.key, String):
        return None
    base = node.base
    if isinstance(base, Invoke) and base.method == "time" and t.kind(base.receiver) == "timer":
        if node.key.value != "real":
            raise Problem("T7-202", node.line, f"{node.key.value} of a timer")
        return _elapsed(t, base)
    if t.kind(base) == "stat":
        name = _OF_FILES.get(node.key.value)
        if name is None:
            raise Problem("T7-203", node.line, f"{node.key.value} of a file")
        return atom(f"{t.value(base).at(code.ATOM)}.{name}")
    return None


def _elapsed(t: Translation, node: Invoke) -> Py:
    if _is_stopped(t):
        return atom(f"{t.value(node.receiver).at(code.ATOM)}.seconds()")
    t.imports.add("time")
    return Py(f"time.perf_counter() - {t.value(node.receiver).at(code.MULTIPLY)}", code.ADD)


def _is_stopped(t: Translation) -> bool:
    """Whether a page's timers are objects, and no numbers: some of the program's do not go on all the time."""
    stopped = t.plain_values or t.has_stopwatches
    if stopped is None:
        calls = (node for node in tree.every(t.program, Invoke) if node.method in ("stop", "resume"))
        stopped = t.has_stopwatches = any(t.kind(node.receiver) == "timer" for node in calls)
    return stopped


@function("torch.Timer")
def timer(t: Translation, node: Call) -> Py:
    if t.plain_values:
        return library_call(t, "Timer", [])
    if _is_stopped(t):
        return atom(f"{t.need('Stopwatch')}()")
    t.imports.add("time")
    return atom("time.perf_counter()")


def _reset(t: Translation, node: Invoke) -> None:
    if _is_stopped(t):
        _stopwatch(t, node)
        return
    if not isinstance(node.receiver, Name):
        raise Problem("T7-202", node.line, "a timer that is in no variable is set back")
    t.imports.add("time")
    t.emit(f"{t.target(node.receiver)} = time.perf_counter()")


def _stopwatch(t: Translation, node: Invoke) -> None:
    t.emit(f"{t.value(node.receiver).at(code.ATOM)}.{node.method}()")


method_statements["timer", "reset"] = _reset
for _name in ("stop", "resume"):
    method_statements["timer", _name] = _stopwatch


@statement("sys.tic")
def tic(t: Translation, node: Call) -> None:
    t.emit(f"{_clock(t, 'tic')}()")


@function("sys.toc")
def toc(t: Translation, node: Call) -> Py:
    """The seconds since sys.tic."""
    if node.arguments:
        return library_call(t, "toc", [t.value(argument).text for argument in node.arguments])
    return atom(f"{_clock(t, 'toc')}()")


def _clock(t: Translation, name: str) -> str:
    """A helper that remembers when time began: the library's where two pages would have one each of their own."""
    has_arguments = any(
        t.path(node.callee) == "sys.toc" and node.arguments for node in tree.every(t.program, Call)
    )
    if t.project.files or has_arguments:
        return library_attribute(t, name).text
    t.need("tic")
    return t.need(name)


@function("lfs.attributes")
def attributes(t: Translation, node: Call) -> Py:
    t.imports.add("os")
    path = t.value(node.arguments[0])
    if len(node.arguments) == 1:
        return atom(f"os.stat({path})")
    what = node.arguments[1]
    if not isinstance(what, String):
        raise Problem("T7-203", node.line, "a fact about a file that is not named by a literal")
    if what.value == "mode":
        text = f'"directory" if os.path.isdir({path}) else "file" if os.path.exists({path}) else None'
        return Py(text, code.TERNARY)
    name = _OF_FILES.get(what.value)
    if name is None:
        raise Problem("T7-203", node.line, f"{what.value} of a file")
    return atom(f"os.stat({path}).{name}")


@function("torch.load")
def load(t: Translation, node: Call) -> Py:
    text = f"torch.load({t.value(node.arguments[0])}, weights_only=False)"
    if node in t.torch7_files:
        # what it gives is known, and handed over like what the page makes itself
        loader = "load_tables" if t.plain_values else "load"
        text = f"{page_library.MODULE}.{loader}({t.value(node.arguments[0])})"
        if not t.plain_values:
            text = metatables.with_metatable(t, t.type(node), text)
    if t.type(node).has("options"):
        return atom(f"argparse.Namespace(**{text})")
    names = _options_in(t, node)
    if names:
        return atom(f"{t.need('with_options')}({text}, {', '.join(code.quoted(name) for name in names)})")
    return atom(text)


@statement(FILLED)
def fill(t: Translation, node: Call) -> None:
    """A model is given the weights of one that Torch7 has saved: see ``desugar/loaded_models.py``."""
    model, saved = (t.value(argument).text for argument in node.arguments)
    t.emit(f"{page_library.MODULE}.filled_from_file({model}, {saved})")


@function("torch.DiskFile")
def disk_file(t: Translation, node: Call) -> Py:
    """A file of text; what is read and written of it is text."""
    mode = node.arguments[1] if len(node.arguments) > 1 else None
    is_known = mode is None or (isinstance(mode, String) and mode.value in ("r", "w"))
    if not is_known or t.plain_values or t.types.kind(node) != "file":
        raise Undecided("T7-203", node.line, "torch.DiskFile of numbers, or for reading and writing")
    more = ', "w"' if isinstance(mode, String) and mode.value == "w" else ""
    return atom(f"open({t.value(node.arguments[0])}{more})")


def _read_string(t: Translation, node: Invoke) -> Py:
    what = node.arguments[0] if node.arguments else None
    file = t.value(node.receiver).at(code.ATOM)
    if t.plain_values:  # all files are the library's
        raise Undecided("T7-203", node.line, "readString of a file")
    if isinstance(what, String) and what.value.lstrip("*")[:1] in ("a", "l"):
        whole = what.value.lstrip("*")[:1] == "a"
        return atom(f"{file}.read()" if whole else f'{file}.readline().rstrip("\\n")')
    raise Problem("T7-203", node.line, "readString in another form than a line or all")


def _write_string(t: Translation, node: Invoke) -> Py:
    if t.plain_values or len(node.arguments) != 1:
        raise Undecided("T7-203", node.line, "writeString of a file")
    return atom(f"{t.value(node.receiver).at(code.ATOM)}.write({t.value(node.arguments[0])})")


methods["file", "readString"] = _read_string
methods["file", "writeString"] = _write_string


def _options_in(t: Translation, value: tree.Expression) -> list[str]:
    """The fields of a table that hold the command line's options."""
    if t.kind(value) != "table":
        return []
    return sorted(name for name, kept in t.type(value).find().fields.items() if kept.has("options"))


def saved(t: Translation, value: tree.Expression) -> str:
    """What ``torch.save`` writes: options among it as a dict."""
    if isinstance(value, Table):
        options = [item.value for item in value.fields if t.type(item.value).has("options")]
        for item in options:
            t.expressions.instead[item] = atom(f"vars({t.value(item)})")
        text = t.value(value).text
        for item in options:
            del t.expressions.instead[item]
        return text
    text = t.value(value).text
    if t.type(value).has("options"):
        return f"vars({text})"
    names = _options_in(t, value)
    if not names:
        return text
    more = ", ".join(f"{code.quoted(name)}: vars({text}[{code.quoted(name)}])" for name in names)
    return f"{{**{text}, {more}}}"


# optim.Logger


@function("optim.Logger")
def logger(t: Translation, node: Call) -> Py:
    if len(node.arguments) != 1:
        raise Problem("T7-203", node.line, "optim.Logger without a file, or with the time in its name")
    t.helpers["Logger"] = None
    return atom(f"Logger({t.value(node.arguments[0])})")


def _logged(name: str) -> Callable[[Translation, Invoke], None]:
    def write(t: Translation, node: Invoke) -> None:
        (values,) = node.arguments
        kinds = {t.kind(item.value) for item in values.fields} if isinstance(values, Table) else set()
        if kinds - {"number", "string", "any", None} and name == "add":
            raise Problem("T7-203", node.line, "something else than numbers and texts in a log")
        text = t.value(values).text
        written = library_call(t, "listed", [text]).text if t.plain_values else text
        t.emit(f"{t.value(node.receiver).at(code.ATOM)}.{name}({written})")

    return write


def _plotted(t: Translation, node: Invoke) -> None:
    """A plot of the log: it is left to whoever reads the file."""


def is_about_plots(t: Translation, field: Index) -> bool:
    """Whether ``logger.showPlot = false`` or its like says only how a log is plotted."""
    return t.kind(field.base) == "logger" and field.key_name in ("showPlot", "defaultStyle", "epsfile")


method_statements["logger", "add"] = _logged("add")
method_statements["logger", "setNames"] = _logged("set_names")
for _name in ("style", "plot", "display", "setlogscale"):
    method_statements["logger", _name] = _plotted
