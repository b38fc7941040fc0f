"""pcall, as ``try`` and ``except``."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native import text
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Undecided
from torch7py.translate.tree import Call, Expression, Name
from torch7py.translate.tree_queries import returns_of

__all__ = ["is_text", "reads_errors", "refuse_other_errors", "several", "statement", "value"]

_CATCHING = {"pcall", "xpcall", "coroutine.resume"}


def several(t: Translation, node: Call, targets: tuple[Expression, ...]) -> bool:
    """``ok, result = pcall(f, ...)``"""
    call, count = _call(t, node, len(targets) - 1)
    names = [t.unread(target) or t.target(target) for target in targets]
    wanted = len(names) - 1
    t.emit("try:")
    with t.indented():
        if not count:
            t.emit(call)
            call = "None"
        results = [call] if count == 1 else [f"{call}[{i}]" for i in range(count)]
        if count > 1:
            kept = t.fresh("results")
            t.emit(f"{kept} = {call}")
            results = [f"{kept}[{i}]" for i in range(count)]
        results = (results + ["None"] * wanted)[:wanted]
        t.emit(f"{', '.join(names)} = {', '.join(['True', *results])}")
    used = _is_read(t, targets[1]) if wanted else False
    t.emit(f"except Exception{' as error' if used else ''}:  # noqa: BLE001")
    with t.indented():
        results = ["str(error)" if used else "None", *["None"] * wanted][:wanted]
        t.emit(f"{', '.join(names)} = {', '.join(['False', *results])}")
    return True


def value(t: Translation, node: Call) -> str:
    """Whether ``pcall(f, ...)`` goes well: a variable that is set before."""
    name = t.fresh("ok")
    _alone(t, node, name)
    return name


def statement(t: Translation, node: Call) -> None:
    _alone(t, node, "")


def assigned(t: Translation, node: Call, target: str) -> None:
    """``ok = pcall(f, ...)``"""
    _alone(t, node, target)


def _alone(t: Translation, node: Call, name: str) -> None:
    call, _ = _call(t, node, 0)
    t.emit("try:")
    with t.indented():
        t.emit(call)
        if name:
            t.emit(f"{name} = True")
    t.emit("except Exception:  # noqa: BLE001")
    with t.indented():
        t.emit(f"{name} = False" if name else "pass")


def is_text(t: Translation, node: Call) -> bool:
    """Whether the value of a call of ``error`` is a text, or may be one."""
    if not node.arguments:
        return False
    return t.kind(node.arguments[0]) in ("string", None) or text.is_message(t, node.arguments[0])


def reads_errors(t: Translation) -> bool:
    """Whether the program may read what an error says."""
    return any(t.path(node.callee) in _CATCHING for node in tree.every(t.program, Call))


def refuse_other_errors(t: Translation, line: int) -> None:
    """Programs whose errors are values of other kinds than text: what pcall gives is not known then."""
    for error in tree.every(t.program, Call):
        if t.path(error.callee) == "error" and not is_text(t, error):
            raise Undecided("T7-203", line, "pcall, where errors are not only texts")


def _call(t: Translation, node: Call, wanted: int) -> tuple[str, int]:
    """The call that is protected, and how many results it has, of which so many are wanted."""
    refuse_other_errors(t, node.line)
    function, args = node.arguments[0], node.arguments[1:]
    if t.path(function) is not None:
        raise Undecided("T7-201", node.line, f"pcall of {t.path(function)}")
    functions = t.type(function).functions
    if not functions:
        raise Undecided("T7-307", node.line, "pcall of something of unknown kind")
    counts = {t.counts.written(f) for f in functions}
    known = [count for f in functions if (count := t.counts.of_function(f)) is not None]
    ends = [r.values[-1] for f in functions for r in returns_of(f) if r.values]
    varies = wanted and any(isinstance(end, tree.Vararg) for end in ends)
    varies = varies or any(map(t.counts.is_exact, functions))
    if varies or len(counts) != 1 or any(min(wanted, most) > max(counts) for _, most in known):
        raise Undecided("T7-216", node.line, "functions with different numbers of results")
    if isinstance(function, tree.Function):
        name = t.fresh("attempt")
        t.functions.define(name, function)
        while t.lines and not t.lines[-1].strip():
            t.lines.pop()
        t.emit("")
    else:
        name = t.value(function).text
    call = Call(node.span, function, args)
    return f"{name}({t.calls.arguments(call, functions)})", counts.pop()


def _is_read(t: Translation, target: Expression) -> bool:
    return not isinstance(target, Name) or bool(t.scopes.of_name[target].reads)
