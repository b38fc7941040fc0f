"""Layers and criterions that a program writes itself: a torch.nn.Module with the program's maths.

``updateOutput`` becomes ``forward``. Where the program writes the gradients too, both become a
torch.autograd.Function: what the first keeps in ``self`` for the second is kept in its context, so that a layer may be
used several times before a backward pass. A backward half that only calls those of the layers inside says nothing that
autograd does not know, and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from torch7py.translate import tree
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.layer_fields import BACKWARD, KEPT_BY_NN, LayerFields
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.tensors.overwriting import root_of, written_anew
from torch7py.translate.tree import Expression, Index, Invoke, Name, Statement

__all__ = ["LEFT_OUT", "OwnLayer"]

_INITIALIZERS = {
    "uniform": "nn.init.uniform_",
    "normal": "nn.init.normal_",
    "zero": "nn.init.zeros_",
    "fill": "nn.init.constant_",
}
# Methods that nn.Module does itself in PyTorch, or that have nothing to do there.
LEFT_OUT = {
    "parameters",
    "clearState",
    "accUpdateGradParameters",
    "sharedAccUpdateGradParameters",
    *BACKWARD,
}


@dataclass(eq=False)
class OwnLayer(LayerFields):
    """How one class of layers is written."""

    half_at: tuple[int, int] = (0, 0)  # where the backward half that is written begins: line and depth

    # Writing

    def write_function(self) -> None:
        """The torch.autograd.Function before the class."""
        t, forward = self.t, self.forward
        if not self.by_hand:
            return
        if forward is None:
            raise Problem("T7-243", self.halves[0].line, "gradients without updateOutput")
        inputs = list(forward.parameters[1:])
        for given in inputs:
            if t.kind(given) == "table":
                raise Problem("T7-243", forward.line, "gradients of a table of inputs, written by hand")
        names = [t.names.of(given) for given in inputs]
        for half in self.halves:
            self._same_parameters(half, names)
        kept = self._kept(names)
        texts = {name: self.local(name) for name in (*self.temporary, *self.parameters)}
        texts |= {name: self.local(name) for name in self.gradients}
        texts[""] = "layer"
        self.layer_used = False
        t.gap()
        t.emit(f"class {self.name}Function(torch.autograd.Function):")
        with t.indented():
            t.emit(f'"""{self.made.name} with its gradients as {t.file} writes them."""')
            t.emit("")
            t.emit("@staticmethod")
            at = len(t.lines)
            saved = [name for name in kept if kept[name]]
            at_return = [f"ctx.save_for_backward({', '.join(saved)})"] if saved else []
            at_return += [f"ctx.{name} = {name}" for name in kept if not kept[name]]
            self._name_self(forward, "layer")
            with self.written_as(texts, None, at_return), self._as_tensors(forward.body):
                t.define("forward", forward, (), (), ["ctx", *names, *self.parameters])
            self._backward(names, kept, texts)
        if self.layer_used:
            t.lines[at] = t.lines[at].replace("(ctx, ", "(ctx, layer, ")
            self._keep_layer(at)
        t.emit("")
        t.emit("")

    def _keep_layer(self, at: int) -> None:
        """Have the layer itself in the context as well."""
        t = self.t
        at_return = [i for i in range(at, len(t.lines)) if t.lines[i].strip().startswith("return ")]
        back = next(i for i in range(at, len(t.lines)) if t.lines[i].strip().startswith("def backward"))
        for i in reversed([i for i in at_return if i < back]):
            t.lines.insert(i, f"{t.lines[i][: len(t.lines[i]) - len(t.lines[i].lstrip())]}ctx.layer = layer")
        back = next(i for i in range(at, len(t.lines)) if t.lines[i].strip().startswith("def backward"))
        if any("layer." in line for line in t.lines[back:]):
            head = t.lines[back]
            t.lines.insert(back + 1, f"{head[: len(head) - len(head.lstrip())]}    layer = ctx.layer")
        last = max(i for i in range(len(t.lines)) if t.lines[i].strip().startswith("return "))
        t.lines[last] = t.lines[last].replace("return ", "return None, ", 1)

    def _name_self(self, function: tree.Function, name: str) -> None:
        self.t.names.chosen[self.t.scopes.of_name[function.parameters[0]]] = name

    def _same_parameters(self, half: tree.Function, names: list[str]) -> None:
        """The parameters of a backward half have the names that the forward gives its own."""
        given = half.parameters[1:]
        wanted = [*names, "gradOutput"] if self.made.instance.kind == "module" else names
        for parameter, name in zip(given, wanted, strict=False):
            self.t.names.chosen[self.t.scopes.of_name[parameter]] = name
        for parameter in given[len(wanted) :]:
            self.t.scales.add(self.t.scopes.of_name[parameter])

    def _kept(self, names: list[str]) -> dict[str, bool]:
        """What the backward needs of the forward, and whether that is a tensor."""
        assert self.forward is not None
        t = self.t
        found: dict[str, bool] = {}
        of_name = {t.names.of(p): p for p in self.forward.parameters[1:]}
        written = self.set_before_read(self.forward)
        for half in self.halves:
            own = self.set_before_read(half) - {"gradInput"}
            for node in tree.walk(half.body):
                if isinstance(node, Name) and node not in half.parameters:
                    variable = t.scopes.of_name[node]
                    if variable.declaration in half.parameters[1:] and t.names.of(node) in of_name:
                        found[t.names.of(node)] = t.kind(of_name[t.names.of(node)]) != "number"
                name = self.own(node)
                if name in self.gradients:  # its size, where parts of it are added to
                    parameter = self.local(self.gradients[name])
                    if isinstance(node, Index) and self._is_in_part(half, node):
                        found[parameter] = True
                if name in self.parameters or (
                    name in self.temporary and name in written and name not in own
                ):
                    assert name is not None
                    assert isinstance(node, Expression)
                    found[self.local(name)] = t.kind(node) == "tensor"
        order = [*names, *self.parameters]
        return dict(sorted(found.items(), key=lambda i: order.index(i[0]) if i[0] in order else len(order)))

    def _gradient_with_part(self, node: Expression) -> str | None:
        """The gradient that an expression is a part of, as ``self.gradWeight[i]``."""
        while isinstance(node, Index) and self.own(node) is None:
            node = node.base
        name = self.own(node)
        return name if name in self.gradients else None

    def _is_in_part(self, half: tree.Function, node: Index) -> bool:
        return any(isinstance(n, Index) and n.base is node for n in tree.walk(half.body))

    def _backward(self, names: list[str], kept: dict[str, bool], texts: dict[str, str]) -> None:
        t = self.t
        t.emit("")
        t.emit("@staticmethod")
        t.emit("def backward(ctx, gradOutput):")
        given: list[str] = []
        with t.indented():
            saved = [name for name in kept if kept[name]]
            if saved:
                t.emit(f"{f'({saved[0]},)' if len(saved) == 1 else ', '.join(saved)} = ctx.saved_tensors")
            for name in kept:
                if not kept[name]:
                    t.emit(f"{name} = ctx.{name}")
            for half in self.halves:
                self._name_self(half, "layer")
                outer, t.scope = t.scope, t.scopes.of_function[half]
                for comment in self._comments(half):
                    t.comment(comment)
                self.half_at = len(t.lines), t.depth
                with self.written_as(texts, "gradInput", []):
                    t.block(half.body)
                t.scope = outer
            criterion = self.made.instance.kind == "criterion"
            given.append("gradInput * gradOutput" if criterion else "gradInput")
            given += ["None"] * (len(names) - 1)
            for gradient in self.gradients:
                used = any(gradient in self.fields_of(half.body) for half in self.halves)
                given.append(self.local(gradient) if used else "None")
            t.emit(f"return {', '.join(given)}")
        t.emit("")

    def _comments(self, function: tree.Function) -> tuple[tree.Comment, ...]:
        """The comments before the statement that defines a method."""
        for statement in self.made.parts:
            if isinstance(statement, tree.FunctionStatement) and statement.function is function:
                return statement.around.before
        return ()

    def write_forward(self) -> None:
        t, forward = self.t, self.forward
        assert forward is not None
        if self.by_hand:
            names = [t.names.of(given) for given in forward.parameters[1:]]
            t.gap()
            t.emit(f"def forward(self, {', '.join(names)}):")
            layer = ["self"] if self.layer_used else []
            parameters = [f"self.{self.attribute(name)}" for name in self.parameters]
            t.emit(f"    return {self.name}Function.apply({', '.join([*layer, *names, *parameters])})")
            t.emit("")
            return
        texts = {name: self.local(name) for name in self.temporary}
        with self.written_as(texts, None, []), self._as_tensors(forward.body):
            t.define("forward", forward)

    # Statements

    def statement(self, node: Statement) -> bool:
        """The statements of a layer's methods that are written otherwise; whether this was one."""
        t = self.t
        if isinstance(node, tree.Run) and isinstance(node.call, Invoke):
            name = self.own(root_of(node.call))
            if name is None and self.no_return is not None:
                name = self._gradient_with_part(root_of(node.call))
            if name is not None and name in self.texts:
                return self._overwritten(name, node.call)
            if name in self.parameters:
                return self._initialized(name, node.call)
        if isinstance(node, tree.Assign) and len(node.targets) == 1:
            first = node.targets[0]
            if isinstance(first, Name) and t.scopes.of_name[first] in t.scales:
                return True  # scale = scale or 1
        if isinstance(node, tree.If) and self.no_return is not None:
            if self._is_never(node):
                return True
            if self._is_always(node):
                t.block(node.branches[0][1])
                return True
        if isinstance(node, tree.Return) and t.scope.function in (self.forward, *self.halves):
            return self._return(node)
        if isinstance(node, tree.Assign) and len(node.targets) == len(node.values) == 1:
            name = self.own(node.targets[0])
            if name is not None:
                return self._assign(name, node.targets[0], node.values[0])
        return False

    def _initialized(self, name: str, call: Invoke) -> bool:
        """A method that changes a parameter outside of the computation: its first value, mostly."""
        t = self.t
        text = f"self.{self.attribute(name)}"
        initializer = _INITIALIZERS.get(call.method)
        if initializer is not None and self.own(call.receiver) == name:
            given = [text, *(t.value(argument).text for argument in call.arguments)]
            t.emit(f"{initializer}({', '.join(given)})")
            return True
        with self.written_as({name: f"{text}.data"}, None, []):
            t.calls.statement(call)
        return True

    def _overwritten(self, name: str, call: Invoke) -> bool:
        t = self.t
        if name in self.gradients:
            first: Expression = call
            while isinstance(first, Invoke) and isinstance(first.receiver, Invoke):
                first = first.receiver
            assert isinstance(first, Invoke)
            local = self.local(name)
            if first is not call or first.method != "add" or not 1 <= len(first.arguments) <= 2:
                raise Problem("T7-243", call.line, f"{name}, changed otherwise than by add")
            value = t.value(first.arguments[-1])
            if len(first.arguments) == 2:
                scale = t.value(first.arguments[0])
                if scale.text != "1":
                    value = Py(f"{scale.at(code.MULTIPLY)} * {value.at(code.MULTIPLY + 1)}", code.MULTIPLY)
            begun = any(line.strip().startswith(f"{local} = ") for line in t.lines[-200:])
            within = t.depth > 2
            part = call.receiver
            if isinstance(part, Index) and self.own(part) is None:
                self._begin(name, local, begun)
                t.emit(f"{t.value(part)} += {value}")
                return True
            if within and not begun:
                raise Problem("T7-243", call.line, f"{name}, added to in a loop or a branch")
            t.emit(f"{local} = {f'{local} + {value.at(code.MULTIPLY)}' if begun else value}")
            return True
        value_anew = written_anew(t, call)
        if value_anew is None:
            return False
        t.emit(f"{self.texts[name]} = {value_anew}")
        return True

    def _begin(self, name: str, local: str, begun: bool) -> None:
        """A gradient of which parts are added to begins with zeros, before all of its half."""
        if not begun:
            line, depth = self.half_at
            shape = self.local(self.gradients[name])
            self.t.lines.insert(line, f"{'    ' * depth}{local} = torch.zeros_like({shape})")

    def _is_always(self, node: tree.If) -> bool:
        """``if self.gradInput then``: it is wanted, as autograd asks for it."""
        return (
            len(node.branches) == 1
            and node.otherwise is None
            and self.own(node.branches[0][0]) == "gradInput"
        )

    def _is_never(self, node: tree.If) -> bool:
        """``if scale == 0 then``: the scale is 1."""
        condition = node.branches[0][0]
        if len(node.branches) != 1 or node.otherwise is not None or not isinstance(condition, tree.Binary):
            return False
        left, right = condition.left, condition.right
        is_scale = isinstance(left, Name) and self.t.scopes.of_name[left] in self.t.scales
        is_other = isinstance(right, tree.Number) and right.value != 1
        return condition.operator == "==" and is_scale and is_other

    def _ends(self, function: tree.Function) -> Statement:
        """The last statement of a backward half."""
        last = function.body.statements[-1]
        while isinstance(last, tree.If) and self._is_always(last) and last.branches[0][1].statements:
            last = last.branches[0][1].statements[-1]
        return last

    def _return(self, node: tree.Return) -> bool:
        t = self.t
        if self.no_return is not None:
            function = t.scope.function
            if function is None or node is not self._ends(function) or len(node.values) > 1:
                raise Problem("T7-243", node.line, "a return in the middle of a backward half")
            if node.values:
                text = t.value(node.values[0]).text
                if text != self.no_return:
                    t.emit(f"{self.no_return} = {text}")
            return True
        if len(node.values) != 1:
            raise Problem("T7-243", node.line, "a layer that gives no output")
        value = t.expressions.graph(node.values[0])
        for line in self.at_return:
            t.emit(line)
        last = t.lines[-1].strip() if t.lines else ""
        if t.lines and len(t.lines[-1]) - len(last) != 4 * t.depth:
            last = ""  # of a block before it
        if not self.at_return and last.startswith(f"{value} = ") and "  #" not in last:
            t.lines.pop()
            value = atom(last.partition(" = ")[2])
        t.emit(f"return {value}")
        return True

    def _assign(self, name: str, target: Expression, value: Expression) -> bool:
        """``self.x = v``: parameters, buffers, modules; or nothing, for what is no field in PyTorch."""
        t = self.t
        if self.texts:
            if name in self.texts and isinstance(value, tree.Binary) and value.operator == "or":
                return True  # a buffer made once: it is overwritten
            if name in self.texts and name not in KEPT_BY_NN and name not in self.read():
                return True  # kept for somebody to look at
            if name in self.texts and self.made.instance.kind == "criterion" and name == "output":
                t.emit(f"{self.texts[name]} = {t.expressions.graph(value)}")
                return True
            return False
        attribute = f"self.{self.attribute(name)}"
        if name in self.gradients or name in self.temporary:
            return True
        if name in self.parameters:
            t.emit(f"{attribute} = nn.Parameter({t.value(value)})")
            return True
        in_init = t.scope.function is self.made.methods.get("__init")
        if t.kind(target) == "tensor" and in_init:
            t.emit(f'self.register_buffer("{self.attribute(name)}", {t.value(value)})')
            return True
        if t.kind(target) == "table" and t.type(target).of_elements().kind == "module":
            if t.representation(target) != "list":
                raise Problem("T7-243", value.line, "layers in a table that is no list")
            t.emit(f"{attribute} = nn.ModuleList({t.value(value) if getattr(value, 'fields', ()) else ''})")
            return True
        return False

    @contextmanager
    def _as_tensors(self, node: tree.Block) -> Iterator[None]:
        """What is a number in Lua stays a tensor with its graph."""
        before = self.t.raw_elements
        self.t.raw_elements = before | {n for n in tree.walk(node) if isinstance(n, Expression)}
        try:
            yield
        finally:
            self.t.raw_elements = before
