"""Whether hand-written gradients are those of the loss: passed on as criterions and modules give them, and unchanged.

``loss.backward()`` may stand for the calls of ``backward`` only then. A scale, a part of a gradient, one that the
program made itself or changed on the way, or half a backward pass (``updateGradInput`` without
``accGradParameters``) is another computation.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator

from torch7py.translate import tree
from torch7py.translate.facts.layers import BACKWARD
from torch7py.translate.known_functions import zeroes
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Block, Call, Expression, Index, Invoke, Name, Statement
from torch7py.translate.tree_queries import base_name

__all__ = ["Gradients", "is_gradient", "refuse_untouched"]

# Methods that give or keep the same numbers.
_SAME = set("clone view viewAs reshape contiguous typeAs double float cuda resize resizeAs".split())
_NEW = {"torch.zeros", "torch.Tensor", "torch.DoubleTensor", "torch.FloatTensor", "torch.CudaTensor"}


def is_gradient(t: Translation, value: tree.Node | tree.Block, gradients: set[Variable]) -> bool:
    """Whether an expression has what a backward call gave in it."""
    return any(
        t.user_passes.is_backward(node)
        or (isinstance(node, Name) and t.scopes.of_name[node] in gradients)
        or (isinstance(node, Index) and node.key_name == "gradInput")
        for node in tree.direct_nodes(value)
    )


def refuse_untouched(t: Translation, node: Expression) -> None:
    """Refuse to read gradients before any backward pass: they are zeros in Torch7, and None in PyTorch.

    When functions run is not told by where they stand: there it is asked whether the program, if it makes modules at
    all, goes back anywhere.
    """
    end = math.inf
    if t.scope.function is None and not t.project.files and node in t.surroundings.home:
        end = t.surroundings.chain(node)[0].span.end
    elif not any((t.path(call.callee) or "").startswith("nn.") for call in tree.every(t.program, Call)):
        return
    passes = (n for n in tree.every(t.program, Invoke) if n.method in BACKWARD)
    if not any(n.span.start < end for n in passes):
        raise Problem("T7-227", node.line, "gradients before any backward pass")


class Gradients:
    """The gradients in the statements of one function that are taken for a backward pass."""

    def __init__(self, t: Translation, statements: Collection[Statement]) -> None:
        self.t = t
        self.variables: set[Variable] = set()  # that hold what a backward call gave
        self.scaled: set[Expression] = set()  # gradients of criterions that are all scaled alike
        while any(self._learn(statement) for statement in statements):
            pass

    def _learn(self, statement: Statement) -> bool:
        if isinstance(statement, tree.GenericFor) and self.has(statement.values[0]):
            loops = {self._variable(name) for name in statement.names[1:]} - self.variables
            self.variables |= loops
            return bool(loops)
        if isinstance(statement, tree.Run) and isinstance(statement.call, tree.Call):
            call = statement.call
            name = base_name(call.arguments[0]) if len(call.arguments) > 1 else None
            if name is None or not self.has(call.arguments[-1]) or self._variable(name) in self.variables:
                return False
            self.variables.add(self._variable(name))
            return True
        if not isinstance(statement, tree.Assignment):
            return False
        if not any(self.has(value) for value in statement.values):
            return False
        variables = {
            self._variable(name) for target in statement.targets if (name := base_name(target)) is not None
        }
        news = variables - self.variables
        self.variables |= news
        return bool(news)

    def _variable(self, name: Name) -> Variable:
        return self.t.scopes.of_name[name]

    def has(self, value: tree.Node | Block) -> bool:
        """Whether an expression has what a backward call gave in it."""
        return is_gradient(self.t, value, self.variables)

    def objections(self, statement: Statement) -> Iterator[str]:
        """Why a statement does something else than to pass gradients on."""
        for node in tree.direct_nodes(statement):
            if isinstance(node, Invoke) and self.t.user_passes.is_backward(node):
                yield from self._of_backward(node)
            elif isinstance(node, Invoke) and node in self.scaled:
                continue
            elif isinstance(node, Invoke) and self.has(node.receiver):
                yield from self._of_method(node)
            elif (
                isinstance(node, tree.Binary)
                and node.operator in ("-", "*", "/", "^", "%")
                and self._is_passed(node.left, node.right)
            ):
                yield f"a gradient with {node.operator} on its way back"
            elif isinstance(node, tree.Unary) and node.operator == "-" and self._is_passed(node.operand):
                yield "a gradient with its sign changed"
        if isinstance(statement, tree.Assignment):
            yield from self._of_values(statement)

    def _is_passed(self, *operands: Expression) -> bool:
        return any(self.has(operand) for operand in operands)

    def _of_backward(self, node: Invoke) -> Iterator[str]:
        if self.t.kind(node.receiver) != "module":
            return
        if node.method != "backward":
            yield f"half a backward pass, {node.method}"
        if len(node.arguments) > 1 and self._begins_at_state(node.receiver, node.arguments[1]):
            return
        if len(node.arguments) < 2 or not self.has(node.arguments[1]):
            yield "a backward pass of a gradient that is not that of a criterion"
        if len(node.arguments) > 2 and not _is_number(node.arguments[2], 1):
            yield "a backward pass with a scale"

    def _begins_at_state(self, module: Expression, grad_output: Expression) -> bool:
        """Whether a module is given zeros, as its gradients come through a state that it has handed over."""
        coupling = self.t.models.coupling
        return coupling.takes_back and self._is_empty(grad_output) and coupling.begins_at_state(module)

    def _of_method(self, node: Invoke) -> Iterator[str]:
        args = node.arguments
        if node.method in _SAME:
            return
        if node.method in ("copy", "add") and len(args) == 1 and self.has(args[0]):
            return
        yield f"a gradient changed by {node.method}"

    def _of_values(self, statement: tree.Assignment) -> Iterator[str]:
        for target, value in zip(statement.targets, statement.values, strict=False):
            name = base_name(target)
            if name is None or self._variable(name) not in self.variables or self.has(value):
                continue
            if not self._is_empty(value):
                yield "a gradient replaced by something else"

    def _is_empty(self, value: Expression) -> bool:
        """Nothing, a table to be filled, or zeros."""
        if isinstance(value, tree.Nil):
            return True
        if isinstance(value, tree.Table):
            return all(self._is_empty(item.value) for item in value.fields)
        if isinstance(value, Name):
            return self._is_kept_zeros(value)
        return self._is_zeros(value)

    def _is_zeros(self, value: Expression) -> bool:
        """Whether an expression makes a tensor of zeros, or a list of them."""
        t = self.t
        if isinstance(value, Invoke):
            if value.method == "zero":
                return True
            return value.method == "clone" and self._is_still_zeros(value.receiver)
        if not isinstance(value, tree.Call):
            return False
        path = t.path(value.callee)
        if path in _NEW:
            return path == "torch.zeros" or not value.arguments  # without a size it is to be filled
        return any(zeroes(function, value) for function in t.types.function_called(value))

    def _initial_value(self, name: Name) -> Expression | None:
        """What a variable that is never assigned again was made from."""
        variable = self._variable(name)
        for statement in self.t.surroundings.all_statements():
            if isinstance(statement, tree.Local) and len(statement.names) == len(statement.values):
                for target, value in zip(statement.names, statement.values, strict=True):
                    if self._variable(target) is variable:
                        return value if variable.constant else None
        return None

    def _is_still_zeros(self, node: Expression) -> bool:
        """Whether what is cloned here holds zeros: made of them, and not touched by an earlier statement."""
        if not isinstance(node, Name):
            return self._is_zeros(node)
        initializer = self._initial_value(node)
        if initializer is None or not self._is_zeros(initializer):
            return False
        variable = self._variable(node)
        earlier = [n for n in variable.reads if n.span.start < node.span.start]
        return not variable.in_loop and all(self._is_cloned(n) for n in earlier)

    def _is_kept_zeros(self, name: Name) -> bool:
        """Whether a variable holds zeros for ever: nothing but gradients is made of it, and nothing changes it."""
        initializer = self._initial_value(name)
        if initializer is None or not self._is_zeros(initializer):
            return False
        changed = {
            node.receiver
            for statement in self.t.surroundings.all_statements()
            for node in tree.direct_nodes(statement)
            if isinstance(node, Invoke) and node.method not in _SAME
        }
        return not any(read in changed for read in self._variable(name).reads)

    def _is_cloned(self, name: Name) -> bool:
        return any(
            isinstance(node, Invoke) and node.receiver is name and node.method == "clone"
            for statement in self.t.surroundings.all_statements()
            for node in tree.direct_nodes(statement)
        )


def _is_number(node: Expression, number: float) -> bool:
    return isinstance(node, tree.Number) and node.value == number
