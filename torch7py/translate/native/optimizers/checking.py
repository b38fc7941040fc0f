"""``optim.checkgrad``: a gradient against differences, by a small function in the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Expression

if TYPE_CHECKING:
    from torch7py.translate.native.training.steps import Training

__all__ = ["check", "is_check", "several_of_check"]


def is_check(training: Training, node: Call) -> bool:
    return training.t.path(node.callee) == "optim.checkgrad" and len(node.arguments) in (2, 3)


def _called(training: Training, node: Call) -> str:
    t = training.t
    if node not in training.checks:
        raise Problem("T7-228", node.line, "optim.checkgrad of something else than a vector and its function")
    closure, point, *eps = node.arguments
    given = ", ".join([t.value(closure).text, t.value(point).text, *(t.value(e).text for e in eps)])
    return f"{t.need('check_gradient')}({given})"


def check(training: Training, node: Call) -> Py | None:
    """The error alone."""
    return atom(f"{_called(training, node)}[0]") if is_check(training, node) else None


def several_of_check(training: Training, node: Call, targets: tuple[Expression, ...]) -> bool:
    """The error, the gradient and the differences."""
    t = training.t
    if not is_check(training, node):
        return False
    called = atom(_called(training, node)).at(code.ATOM)
    names = [t.unread(target) or t.target(target) for target in targets[:3]]
    if len(names) == 1:
        t.emit(f"{names[0]} = {called}[0]")
    else:
        t.emit(f"{', '.join([*names, *['_'] * (3 - len(names))])} = {called}")
    return True
