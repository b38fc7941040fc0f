"""Files: io and what os does with them."""

from __future__ import annotations

from collections.abc import Sequence

from torch7py.translate import tree
from torch7py.translate.native import code, text
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.library_rules import (
    constants,
    function,
    functions,
    method_statements,
    methods,
    statement,
)
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Invoke, Number, String

__all__ = ["lines", "lines_of", "opened", "several", "write_with"]


def opened(t: Translation, node: Call) -> str:
    """``open(path, mode)``; the text is text, whatever the mode says."""
    args = [t.value(node.arguments[0]).text]
    if len(node.arguments) > 1:
        mode = node.arguments[1]
        if not isinstance(mode, String):
            raise Problem("T7-203", node.line, "a file's mode that is not a literal")
        plain = mode.value.replace("b", "")
        if plain != "r":
            args.append(code.quoted(plain))
    return f"open({', '.join(args)})"


_KEPT_OPEN = "  # noqa: SIM115"


@function("io.open")
def io_open(t: Translation, node: Call) -> Py:
    if not t.type(node).has("tested"):
        return atom(opened(t, node))
    t.helpers["open_or_none"] = None
    return atom(opened(t, node).replace("open(", "open_or_none(", 1))


def write_with(t: Translation, nodes: Sequence[tree.Statement], index: int) -> int:
    """Write a file that is opened here and closed further down as a ``with`` block; the statements that it took."""
    node = nodes[index]
    if not isinstance(node, tree.Local) or len(node.names) != 1 or len(node.values) != 1:
        return 0
    value = node.values[0]
    if isinstance(value, Call) and t.path(value.callee) == "assert" and value.arguments:
        value = value.arguments[0]
    elif t.type(value).has("tested"):
        return 0
    path = t.path(value.callee) if isinstance(value, Call) else None
    if not isinstance(value, Call) or path not in ("io.open", "torch.DiskFile") or t.kind(value) != "file":
        return 0
    variable = t.scopes.of_name[node.names[0]]
    end = next((i for i in range(index + 1, len(nodes)) if _closes(t, nodes[i], variable)), None)
    if end is None or end == index + 1 or variable.writes or variable.captured:
        return 0
    stop = nodes[end].span.end
    if any(name.span.start > stop for name in variable.reads):
        return 0
    if any(isinstance(n, (tree.Goto, tree.Label)) for inner in nodes[index:end] for n in tree.walk(inner)):
        return 0
    for comment in node.around.before:
        t.comment(comment)
    if node.around.blank and t.lines and t.lines[-1] and not t.lines[-1].endswith(":"):
        t.emit("")
    source = opened(t, value) if path == "io.open" else functions[path](t, value).text
    t.emit(f"with {source} as {t.names.of(node.names[0])}:")
    if node.around.trailing is not None:
        t.note_on(len(t.lines) - 1, node.around.trailing)
    with t.indented():
        t.statements(nodes[index + 1 : end])
    last = nodes[end].around
    for comment in [*last.before, *([last.trailing] if last.trailing else [])]:
        t.comment(comment)
    return end - index + 1


def _closes(t: Translation, node: tree.Statement, variable: Variable) -> bool:
    """``file:close()``, ``io.close(file)``"""
    call = node.call if isinstance(node, tree.Run) else None
    if isinstance(call, Invoke) and call.method == "close":
        closed: Expression | None = call.receiver
    elif isinstance(call, Call) and t.path(call.callee) == "io.close" and len(call.arguments) == 1:
        closed = call.arguments[0]
    else:
        return False
    return isinstance(closed, tree.Name) and t.scopes.of_name[closed] is variable


def several(t: Translation, node: Call, targets: tuple[Expression, ...]) -> bool:
    """``file, message = io.open(path)``"""
    names = [t.unread(target) or t.target(target) for target in targets]
    more = ["None"] * (len(names) - 1)
    t.emit("try:")
    with t.indented():
        t.emit(f"{', '.join(names)} = {', '.join([opened(t, node), *more])}{_KEPT_OPEN}")
    used = len(names) > 1 and names[1] != "_"
    t.emit(f"except OSError{' as error' if used else ''}:")
    with t.indented():
        message = 'f"{error.filename}: {error.strerror}"' if used else "None"
        values = ["None", message, *more][: len(names)]
        t.emit(f"{', '.join(names)} = {', '.join(values)}")
    return True


def lines(t: Translation, node: tree.GenericFor, source: Py, name: str) -> None:
    """``for line in file:lines() do``"""
    t.emit(f"for {name} in {source}:")
    with t.indented():
        if name != "_":
            t.emit(f'{name} = {name}.rstrip("\\n")')
        last = node.body.statements[-1] if node.body.statements else None
        t.labels.append(last.name if isinstance(last, tree.Label) else None)
        t.block(node.body)
        t.labels.pop()


def lines_of(t: Translation, node: tree.GenericFor, path: Expression, name: str) -> None:
    """``for line in io.lines(path) do``"""
    file = t.fresh("file")
    t.emit(f"with open({t.value(path)}) as {file}:")
    with t.indented():
        lines(t, node, atom(file), name)


def _is_standard(t: Translation, node: Expression) -> str | None:
    """``io.stdout`` and ``io.stderr``"""
    return {"io.stdout": "stdout", "io.stderr": "stderr"}.get(t.path(node) or "")


def _read(t: Translation, node: Invoke) -> Py:
    if t.path(node.receiver) == "io.stdin":
        return _read_from(t, node, _standard_input(t))
    return _read_from(t, node, t.value(node.receiver).at(code.ATOM))


def _standard_input(t: Translation) -> str:
    t.imports.add("sys")
    return "sys.stdin"


def _read_from(t: Translation, node: Invoke | Call, file: str) -> Py:
    what = node.arguments[0] if node.arguments else None
    format_ = what.value.lstrip("*")[:1] if isinstance(what, String) else ""
    if len(node.arguments) > 1:
        raise Problem("T7-203", node.line, "file:read of several things at once")
    if format_ == "a":
        return atom(f"{file}.read()")
    tested = t.type(node).has("tested")
    if what is None or format_ == "l":
        if not tested:
            return atom(f'{file}.readline().rstrip("\\n")')
        line = t.fresh("line")
        return Py(f'{line}.rstrip("\\n") if ({line} := {file}.readline()) else None', code.TERNARY)
    if isinstance(what, Number) or (t.kind(what) == "number" and t.whole(what)):
        count = t.expressions.whole_number(what)
        return Py(f"{file}.read({count}) or None", code.OR) if tested else atom(f"{file}.read({count})")
    raise Problem("T7-203", node.line, "file:read of numbers")


def _write(t: Translation, node: Invoke) -> None:
    written = text.joined(t, node.arguments)
    standard = _is_standard(t, node.receiver)
    if standard == "stdout":
        t.emit(f'print({written}, end="")')
    elif standard == "stderr":
        t.imports.add("sys")
        t.emit(f'print({written}, end="", file=sys.stderr)')
    else:
        t.emit(f"{t.value(node.receiver).at(code.ATOM)}.write({written})")


def _seek(t: Translation, node: Invoke) -> Py:
    """``file:seek([whence[, offset]])``: the place, or another one from the beginning, or the end."""
    whence = node.arguments[0] if node.arguments else String(node.span, "cur")
    offset = node.arguments[1] if len(node.arguments) == 2 else tree.Number(node.span, 0, "0")
    if not isinstance(whence, String) or len(node.arguments) > 2:
        raise Problem("T7-203", node.line, "file:seek from what is not written out")
    at_offset = not isinstance(offset, tree.Number) or offset.value != 0
    base = t.value(node.receiver).at(code.ATOM)
    if whence.value == "cur" and not at_offset:
        return atom(f"{base}.tell()")
    if whence.value == "end" and not at_offset:
        return atom(f"{base}.seek(0, 2)")
    if whence.value != "set" or (at_offset and t.kind(offset) != "number"):
        raise Problem("T7-203", node.line, "file:seek by an offset from elsewhere than the beginning")
    return atom(f"{base}.seek({t.expressions.whole_number(offset) if at_offset else 0})")


methods["file", "read"] = _read
methods["file", "seek"] = _seek
method_statements["file", "write"] = _write


def _close(t: Translation, node: Invoke) -> None:
    t.emit(f"{t.value(node.receiver).at(code.ATOM)}.close()")


def _closed(t: Translation, node: Invoke) -> Py:
    """What the end of a file or a command gives, which Python says otherwise."""
    raise Undecided("T7-202", node.line, "the value of the method close of a file")


def _flush(t: Translation, node: Invoke) -> None:
    standard = _is_standard(t, node.receiver)
    t.imports.add("sys")
    t.emit(f"{f'sys.{standard}' if standard else t.value(node.receiver).at(code.ATOM)}.flush()")


def _quiet(t: Translation, node: Invoke) -> None:
    """A text that ends is no error: what is read then is empty, as it is in Python."""


methods["file", "close"] = _closed
method_statements["file", "close"] = _close
method_statements["file", "quiet"] = _quiet
method_statements["file", "flush"] = _flush


@statement("io.close")
def io_close(t: Translation, node: Call) -> None:
    if len(node.arguments) != 1 or t.kind(node.arguments[0]) != "file":
        raise Problem(
            "T7-203", node.line, "io.close of what io.output has set, or of something that may be no file"
        )
    t.emit(f"{t.value(node.arguments[0]).at(code.ATOM)}.close()")


@function("io.read")
def io_read(t: Translation, node: Call) -> Py:
    return _read_from(t, node, _standard_input(t))


@statement("io.write")
def io_write(t: Translation, node: Call) -> None:
    t.emit(f'print({text.joined(t, node.arguments)}, end="")')


@function("io.write")
def written_file(t: Translation, node: Call) -> Py:
    """``return io.write(...)``, which gives the file."""
    io_write(t, node)
    t.imports.add("sys")
    return atom("sys.stdout")


@statement("os.remove", "os.rename")
def os_call(t: Translation, node: Call) -> None:
    """Lua's functions say in what they give that there is no such file, and nobody asks."""
    t.imports |= {"contextlib", "os"}
    args = ", ".join(t.value(argument).text for argument in node.arguments)
    t.emit("with contextlib.suppress(FileNotFoundError):")
    with t.indented():
        t.emit(f"{t.path(node.callee)}({args})")


@function("os.date")
def os_date(t: Translation, node: Call) -> Py:
    t.imports.add("time")
    shown = node.arguments[0] if node.arguments else None
    if shown is None:
        return atom('time.strftime("%c")')
    if len(node.arguments) > 1 or not isinstance(shown, String) or shown.value[:1] in ("!", "*"):
        raise Undecided("T7-203", node.line, "os.date as a table, of another time or another zone")
    return atom(f"time.strftime({t.value(shown)})")


@function("sys.execute", "sys.fexecute")
def output_of(t: Translation, node: Call) -> Py:
    """What a command writes; of several, sys.fexecute takes the errors of the last only."""
    if len(node.arguments) != 1 or t.kind(node.arguments[0]) != "string":
        raise Problem("T7-203", node.line, "sys.execute of something that may be no text")
    t.imports.add("subprocess")
    command, of_all = t.value(node.arguments[0]), t.path(node.callee) == "sys.execute"
    if of_all:
        return atom(f"{t.need('shell_output')}({command})")
    return atom(f'{t.need("shell_output")}({command.at(code.ADD)} + " 2>&1", None)')


def _system(t: Translation, path: str) -> Py:
    """The name of the system, as LuaJIT has it."""
    t.imports.add("platform")
    return atom('{"Darwin": "OSX"}.get(platform.system(), platform.system())')


constants["ffi.os"] = constants["jit.os"] = _system
