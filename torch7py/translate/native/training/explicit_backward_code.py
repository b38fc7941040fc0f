"""How backward passes are written call by call: see explicit_backward.py."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.facts.methods import DRAWING
from torch7py.translate.layers.groups import LEAVING_OUT
from torch7py.translate.native import code
from torch7py.translate.native.analysis.explicit_calls import CriterionBackward, Forward, Pass
from torch7py.translate.native.analysis.flow import passed_integers
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.models.constructions import all_layers
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.training.explicit_backward import Explicit
from torch7py.translate.native.training.forwards import Forwards
from torch7py.translate.native.training.unused_parameters import RunParts
from torch7py.translate.tree import Call, Expression, Index, Invoke

__all__ = ["Written"]


class Written:
    def __init__(self, t: Translation, explicit: Explicit, forwards: Forwards, run_parts: RunParts) -> None:
        self.t, self.explicit, self.calls, self.run_parts = t, explicit, forwards, run_parts
        self._before: dict[Expression, tuple[int, list[str], Py | None]] = {}  # what a value has emitted

    # Statements

    def statement(self, node: Call | Invoke) -> bool:
        """A call as a statement; whether it is one of these."""
        if node in self.explicit.forwards:
            forward = self.explicit.forwards[node]
            if not forward.output and not forward.kept and not forward.voids:
                return False
            self.value(node)
            return True
        if isinstance(node, Invoke) and node in self.explicit.passes:
            backward_pass = self.explicit.passes[node]
            text = self._pass(backward_pass, backward_pass.used)
            if backward_pass.name:
                self.t.emit(f"{backward_pass.name} = {text}")
            return True
        gradient = self.explicit.criterion_calls.get(node)
        if gradient is not None:
            if not gradient.fused:
                self.t.emit(f"{self._name(gradient)} = {self._criterion(gradient)}")
            return True
        return False

    def value(self, node: Call | Invoke) -> Py | None:
        """A call as a value; None if it is none of these. What a statement asks for again is not run again."""
        lines = self.t.lines
        begin, kept, result = self._before.get(node, (0, [], None))
        if kept and begin >= self.t.statement_at and lines[begin : begin + len(kept)] == kept:
            return result
        begin = len(lines)
        result = self._value(node)
        self._before[node] = begin, lines[begin:], result
        return result

    def _value(self, node: Call | Invoke) -> Py | None:
        if node in self.explicit.forwards:
            return self._forward(self.explicit.forwards[node])
        if isinstance(node, Invoke) and node in self.explicit.passes:
            return self._pass(self.explicit.passes[node], True)
        gradient = self.explicit.criterion_calls.get(node)
        return None if gradient is None else self._criterion(gradient)

    def field(self, node: Index) -> Py | None:
        """``module.output`` and ``module.gradInput``"""
        t = self.t
        if node in self.explicit.kept_fields:
            return atom(f"{t.value(node.base).at(code.ATOM)}.last_output")
        source = self.explicit.read.get(node)
        if isinstance(source, Forward):
            if source.kept:
                return atom(f"{t.value(node.base).at(code.ATOM)}.last_output")
            return atom(source.output) if source.output else None
        if isinstance(source, Pass):
            self.explicit.check(source.node)
            return atom(source.name) if source.name else None
        if isinstance(source, CriterionBackward):
            return atom(self._name(source))
        return None

    def _name(self, gradient: CriterionBackward) -> str:
        if not gradient.name:
            gradient.name = self.t.fresh("gradInput")
        return gradient.name

    # Forwards

    def _forward(self, forward: Forward) -> Py:
        t = self.t
        node, module_input = forward.node, forward.input
        statement = self.explicit.flow.statement(node)
        whole = isinstance(statement, tree.Assignment) and passed_integers(statement, node) is not None
        self._may_be_hoisted(forward, statement, whole)
        instead = t.expressions.instead
        text = ""
        base = t.value(forward.module).at(code.ATOM)
        if forward.kept:
            if forward.needs_leaf:
                t.emit(f"{base}.last_input = {t.value(module_input).at(code.ATOM)}.detach().requires_grad_()")
                instead[module_input] = atom(f"{base}.last_input")
            else:
                self._cut(module_input)
            text = f"{base}.last_output"
        elif not forward.passes:
            pass
        elif not forward.needs_leaf:
            self._cut(module_input)
        elif t.kind(module_input) == "table":
            self._leaves(forward)
        else:
            t.emit(f"{forward.leaf} = {t.value(module_input).at(code.ATOM)}.detach().requires_grad_()")
            instead[module_input] = atom(forward.leaf)
        if not forward.kept and not forward.named:
            text = forward.output
        arguments = node.arguments
        written = t.models.inputs.forward(forward.module, arguments, node.line)
        instead.pop(module_input, None)
        if forward.voids:
            t.emit(f"{base}.last_output = None  # of another input")
        if not text:
            return written
        if whole:
            return Py(f"{text} = {written}", code.ATOM)
        t.emit(f"{text} = {written}")
        return atom(text)

    def _may_be_hoisted(self, forward: Forward, statement: tree.Statement, whole: bool) -> None:
        """Statements before an expression are another order where it may not be evaluated, or several times."""
        if whole or isinstance(statement, tree.Run):
            return
        logical = [
            outer
            for outer in tree.direct_nodes(statement)
            if isinstance(outer, tree.Binary) and outer.operator in ("and", "or")
        ]
        within = any(n is forward.node for outer in logical for n in tree.walk(outer))
        if within or isinstance(statement, (tree.While, tree.Repeat, tree.If)):
            reason = "a forward in a condition, whose gradients are asked for"
            raise Problem("T7-226", forward.node.line, reason)

    def _cut(self, module_input: Expression) -> None:
        """The input of a module as it is, without what made it."""
        t = self.t
        if not self.explicit.reach.has_graph(module_input):
            return
        if isinstance(module_input, tree.Table):
            for item in module_input.fields:
                if t.kind(item.value) != "tensor":
                    raise Problem("T7-226", module_input.line, "a backward pass of a table in a table")
                if self.explicit.reach.has_graph(item.value):
                    t.expressions.instead[item.value] = atom(f"{t.value(item.value).at(code.ATOM)}.detach()")
        elif t.kind(module_input) == "table":
            t.expressions.instead[module_input] = atom(f"[x.detach() for x in {t.value(module_input)}]")
        else:
            t.expressions.instead[module_input] = atom(f"{t.value(module_input).at(code.ATOM)}.detach()")

    def _leaves(self, forward: Forward) -> None:
        """The entries of a table of inputs as leaves."""
        t, module_input = self.t, forward.input
        forward.leaf = forward.leaf or t.fresh("leaves")
        if isinstance(module_input, tree.Table):
            if any(t.kind(item.value) != "tensor" or item.key is not None for item in module_input.fields):
                raise Problem("T7-226", module_input.line, "the gradient of a table in a table")
            texts = [
                f"{t.value(item.value).at(code.ATOM)}.detach().requires_grad_()"
                for item in module_input.fields
            ]
            t.emit(f"{forward.leaf} = [{', '.join(texts)}]")
            for number, item in enumerate(module_input.fields):
                t.expressions.instead[item.value] = atom(f"{forward.leaf}[{number}]")
        else:
            if t.type(module_input).of_elements().kind != "tensor" or t.type(module_input).has("steps"):
                raise Problem("T7-226", module_input.line, "the gradient of a table of tables, or of steps")
            t.emit(f"{forward.leaf} = [x.detach().requires_grad_() for x in {t.value(module_input)}]")
            t.expressions.instead[module_input] = atom(forward.leaf)

    # Passes

    def _pass(self, backward_pass: Pass, used: bool) -> Py:
        """Emit what a pass does to the gradients of weights; the gradient of the input, where it is used."""
        t, node = self.t, backward_pass.node
        self.explicit.check(node)
        forward = backward_pass.forward or backward_pass.kept[0]
        base = t.value(node.receiver).at(code.ATOM)
        output = f"{base}.last_output" if forward.kept else forward.output
        leaf = f"{base}.last_input" if forward.kept else forward.leaf
        again = backward_pass.again or (forward.kept and self._several(backward_pass))
        if not leaf and not self.run_parts.has_weights(node.receiver):
            raise Problem("T7-226", node.line, "a backward pass through a module without weights")
        scale = node.arguments[2] if len(node.arguments) > 2 else None
        if isinstance(scale, tree.Number) and scale.value == 1:
            scale = None
        several = t.kind(node.arguments[0]) == "table"
        apart = (
            used
            and node.method == "backward"
            and (scale is not None or again or len(forward.passes) > 1 or forward.kept)
        )
        if backward_pass.loss:
            root, gradient = backward_pass.loss, ""
        else:
            root, gradient = output, self._gradient(backward_pass, forward, apart)
        if node.method == "updateGradInput":
            return self._of_input(root, leaf, gradient, again, forward)
        result = Py("")
        if apart:
            text = self._of_input(root, leaf, gradient, True, forward)
            result = atom(t.fresh("gradInput"))
            t.emit(f"{result} = {text}")
        self._run(root, gradient, scale, ", retain_graph=True" if again else "", node)
        if apart or not used:
            return result
        return atom(f"[x.grad for x in {leaf}]") if several else atom(f"{leaf}.grad")

    def _several(self, backward_pass: Pass) -> bool:
        """Whether there are other passes through what a module keeps."""
        forwards = backward_pass.kept if backward_pass.forward is None else [backward_pass.forward]
        passes = {p for forward in forwards for p in forward.passes}
        return len(passes) > 1

    def _run(self, root: str, gradient: str, scale: Expression | None, more: str, node: Invoke) -> None:
        t = self.t
        if gradient.startswith("["):
            if scale is not None:
                raise Problem("T7-226", node.line, "a backward pass of several gradients with a scale")
            t.emit(f"torch.autograd.backward({root}, {gradient}{more})")
            return
        if scale is not None:
            factor = t.value(scale).at(code.MULTIPLY)
            if gradient:
                gradient = f"{factor} * {gradient}" if gradient.isidentifier() else f"{factor} * ({gradient})"
            else:
                root = f"({factor} * {root})"
        args = f"{gradient}{more}" if gradient else more.removeprefix(", ")
        t.emit(f"{root}.backward({args})")

    def _of_input(self, root: str, leaf: str, gradient: str, again: bool, forward: Forward) -> Py:
        extra_args = "".join(f", {text}" for text in (gradient, "retain_graph=True" if again else "") if text)
        if self.t.kind(forward.input) == "table":
            if any(layer.name in LEAVING_OUT for layer in all_layers(self.t.type(forward.module))):
                extra_args += ", materialize_grads=True"
            return atom(f"list(torch.autograd.grad({root}, {leaf}{extra_args}))")
        return atom(f"torch.autograd.grad({root}, {leaf}{extra_args})[0]")

    def _gradient(self, backward_pass: Pass, forward: Forward, twice: bool) -> str:
        """What is given as the gradient of the output: of several outputs a list. ``twice``: it is written twice."""
        t = self.t
        gradient = backward_pass.node.arguments[1]
        shape = t.type(forward.node)
        if t.kind(forward.node) == "table" and not shape.has("steps"):
            if isinstance(gradient, tree.Table):
                if any(t.kind(item.value) != "tensor" for item in gradient.fields):
                    raise Problem("T7-226", gradient.line, "a gradient of a table in a table")
                return f"[{', '.join(self._once(item.value, twice) for item in gradient.fields)}]"
            if t.kind(gradient) != "table" or t.type(gradient).of_elements().kind != "tensor":
                raise Problem(
                    "T7-226", gradient.line, "a gradient of a table of outputs that is of unknown kind"
                )
            return f"[*{t.value(gradient).at(code.ATOM)}]"
        if t.kind(gradient) == "table":
            if not shape.has("steps"):
                raise Problem("T7-226", gradient.line, "a table as the gradient of a tensor")
            return f"torch.stack({t.value(gradient)})"
        if t.kind(gradient) != "tensor":
            raise Problem("T7-226", gradient.line, "a gradient of unknown kind")
        return self._once(gradient, twice)

    def _once(self, gradient: Expression, twice: bool) -> str:
        """A gradient; what draws it, or is a function of the program's, is run once, and its value has a name then."""
        text = self.t.value(gradient).text
        if not twice or not any(self._runs(n) for n in tree.walk(gradient)):
            return text
        name = self.t.fresh("gradOutput")
        self.t.emit(f"{name} = {text}")
        return name

    def _runs(self, node: tree.Node | tree.Block) -> bool:
        """Whether a call is not the same when it is made again."""
        if isinstance(node, Invoke):
            return (
                node.method in DRAWING or bool(self.t.types.function_called(node)) or node.method == "forward"
            )
        if not isinstance(node, Call):
            return False
        name = (self.t.path(node.callee) or "").rpartition(".")[2]
        return not name or name in DRAWING or bool(self.t.types.function_called(node))

    def _criterion(self, gradient: CriterionBackward) -> Py:
        """The gradient of a criterion."""
        t, node = self.t, gradient.node
        if gradient.refused or len(node.arguments) < 2:
            reason = gradient.refused or "backward of a criterion without a target"
            raise Problem("T7-226", node.line, reason)
        predicted, target = node.arguments[:2]
        if gradient.holder:
            again = ", retain_graph=True" if gradient.again else ""
            text = f"torch.autograd.grad({gradient.holder}, {t.value(predicted)}{again})"
            return atom(f"list({text})" if t.kind(predicted) == "table" else f"{text}[0]")
        if t.kind(predicted) != "tensor":
            raise Problem("T7-226", node.line, "the gradient of a criterion of several predictions")
        leaf = t.fresh("leaf")
        t.emit(f"{leaf} = {t.value(predicted).at(code.ATOM)}.detach().requires_grad_()")
        criterion = t.type(node.receiver)
        text = f"{t.value(node.receiver)}({leaf}, {t.models.inputs.target(criterion, target, node.line)})"
        return atom(f"torch.autograd.grad({text}, {leaf})[0]")
