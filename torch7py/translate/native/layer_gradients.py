"""What a layer that a program writes itself adds to the gradients of its weights."""

from __future__ import annotations

from dataclasses import dataclass

from torch7py.translate import tree, tree_queries
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.layer_functions import LayerFunction
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Expression, Index, Invoke

__all__ = ["LayerGradients"]


@dataclass(eq=False)
class LayerGradients(LayerFunction):
    """How additions to gradients are written: they begin with zeros, where they do not begin with the first of them."""

    def _adds_to_part(self, name: str, part: Expression, value: Expression) -> None:
        """``self.gradWeight[i] = self.gradWeight[i] + x``: the gradient begins with zeros."""
        added = isinstance(value, tree.Binary) and value.operator in ("+", "-")
        if (
            not added
            or not isinstance(value, tree.Binary)
            or not tree_queries.same_expression(value.left, part)
        ):
            raise Problem("T7-243", part.line, f"a part of {name}, to which nothing is added")
        local = self.local(name)
        begun = any(line.strip().startswith(f"{local} = ") for line in self.t.lines[-200:])
        self._begin(name, local, begun)

    def _added(self, call: Invoke) -> Py | None:
        """What a method adds to a gradient: ``add(x)``, ``add(scale, x)``, ``addmm(scale, a, b)``; None for others."""
        t = self.t
        arguments = list(call.arguments)
        if call.method not in ("add", "addmm", "addmv", "addr", "addcmul"):
            return None
        factors = arguments[-1:] if call.method == "add" else arguments[-2:]
        scale = arguments[: -len(factors)]
        if len(scale) > 1 or len(arguments) < len(factors) or any(t.kind(x) != "number" for x in scale):
            return None
        texts = [t.value(factor) for factor in factors]
        if call.method == "add":
            value = texts[0]
        elif call.method == "addr":
            value = atom(f"torch.outer({texts[0]}, {texts[1]})")
        else:
            operator = "*" if call.method == "addcmul" else "@"
            value = Py(
                f"{texts[0].at(code.MULTIPLY)} {operator} {texts[1].at(code.MULTIPLY + 1)}", code.MULTIPLY
            )
        by = t.value(scale[0]) if scale else atom("1")
        if by.text == "1":
            return value
        return Py(f"{by.at(code.MULTIPLY)} * {value.at(code.MULTIPLY + 1)}", code.MULTIPLY)

    def _begin_others_gradient(self, node: Expression) -> None:
        """The gradients of another layer's weights, which are there from the beginning in Torch7."""
        t = self.t
        if not (isinstance(node, Index) and isinstance(node.key, tree.String)):
            return
        if node.key.value not in ("gradWeight", "gradBias") or t.kind(node.base) != "module":
            return
        weight = t.value(node).text.removesuffix(".grad")
        t.emit(f"if {weight}.grad is None:")
        t.emit(f"    {weight}.grad = torch.zeros_like({weight})")

    def _begin_named(self, node: tree.Local) -> None:
        """``local part = self.gradWeight[{{1, 3}}]``: what is added to the part is added to the gradient."""
        for value in node.values:
            name = self._gradient_with_part(value)
            if name is not None:
                local = self.local(name)
                begun = any(line.strip().startswith(f"{local} = ") for line in self.t.lines[-200:])
                self._begin(name, local, begun)

    def _begin(self, name: str, local: str, begun: bool) -> None:
        """A gradient of which parts are added to begins with zeros, before all of its half."""
        if not begun:
            line, depth = self.half_at
            shape = self.local(self.gradients[name])
            self.t.lines.insert(line, f"{'    ' * depth}{local} = torch.zeros_like({shape})")
