"""Layers and criterions that a program writes itself: a torch.nn.Module with the program's maths.

``updateOutput`` becomes ``forward``. Where the program writes the gradients too, both become a
torch.autograd.Function: what the first keeps in ``self`` for the second is kept in its context, so that a layer may be
used several times before a backward pass. A backward half that only calls those of the layers inside says nothing that
autograd does not know, and is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from torch7py.translate import tree
from torch7py.translate.kinds import Type
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.layer_fields import BACKWARD, KEPT_BY_NN, LayerFields
from torch7py.translate.native.models.constructions import WITHOUT_WEIGHTS, all_layers
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.tensors.overwriting import root_of, written_anew
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement

__all__ = ["LEFT_OUT", "OwnLayer"]

_INITIALIZERS = {
    "uniform": "nn.init.uniform_",
    "normal": "nn.init.normal_",
    "zero": "nn.init.zeros_",
    "fill": "nn.init.constant_",
}
_DRAWS = re.compile(
    "Dropout|Noise|Reinforce|Recurr|LSTM|GRU|BatchNormalization"
)  # not the same when run again
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

    spread: str = ""  # the name of a table of inputs
    trains_inner: bool = False  # whether its backward adds to the gradients of layers inside
    alone: set[Expression] = field(default_factory=set)  # calls whose result nobody takes
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
        names = [t.names.of(given) for given in inputs]
        self.spread = ""
        for each in inputs:
            if t.kind(each) == "table":
                if each is not inputs[0] or t.type(each).of_elements().kind != "tensor":
                    raise Problem("T7-243", forward.line, "gradients of tables in a table, written by hand")
                self.spread = names[0]
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
            at_return = [f"ctx.save_for_backward({', '.join(map(self.spread_out, saved))})"] if saved else []
            at_return += [f"ctx.{name} = {name}" for name in kept if not kept[name]]
            self._name_self(forward, "layer")
            with self.written_as(texts, None, at_return), self._as_tensors(forward.body):
                given = (
                    [*names[1:], *self.parameters, f"*{self.spread}"]
                    if self.spread
                    else [*names, *self.parameters]
                )
                t.define("forward", forward, (), (), ["ctx", *given])
            self._backward(names, kept, texts)
        if self.layer_used:
            t.lines[at] = t.lines[at].replace("(ctx, ", "(ctx, layer, ")
            self._keep_layer(at)
        if self.trains_inner:
            self._have_weights_given(at, len(names))
        t.emit("")
        t.emit("")

    def _have_weights_given(self, at: int, inputs: int) -> None:
        """Pass the weights of the layers inside as well: autograd asks for gradients only where some are wanted."""
        t = self.t
        if self.spread or self.parameters:
            raise Problem("T7-243", self.halves[0].line, "gradients of layers inside, beside others")
        t.lines[at] = t.lines[at].replace("):", ", *weights):")
        last = max(i for i in range(len(t.lines)) if t.lines[i].strip().startswith("return "))
        t.lines[last] += f", *[None] * (len(ctx.needs_input_grad) - {inputs + self.layer_used})"

    def spread_out(self, name: str) -> str:
        """A name among values: a table of inputs is spread out."""
        return f"*{name}" if name == self.spread else name

    def _keep_layer(self, at: int) -> None:
        """Have the layer itself in the context as well, where the gradients need it."""
        t = self.t
        back = next(i for i in range(at, len(t.lines)) if t.lines[i].strip().startswith("def backward"))
        if any("layer." in line for line in t.lines[back:]):
            head = t.lines[back]
            t.lines.insert(back + 1, f"{head[: len(head) - len(head.lstrip())]}    layer = ctx.layer")
            for i in reversed(range(at, back)):
                line = t.lines[i]
                if line.strip().startswith("return "):
                    t.lines.insert(i, f"{line[: len(line) - len(line.lstrip())]}ctx.layer = layer")
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
                    if isinstance(node, Index) and (
                        self._is_in_part(half, node)
                        or self._takes_number(half, node)
                        or self._is_nested(half, node)
                    ):
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

    def _is_nested(self, half: tree.Function, node: Index) -> bool:
        """Whether a gradient is added to in a loop or a branch: it begins with zeros then."""
        return not any(
            isinstance(s, tree.Run) and any(n is node for n in tree.walk(s)) for s in half.body.statements
        )

    def _takes_number(self, half: tree.Function, node: Index) -> bool:
        """``self.gradBias:add(gradOutput:sum())``: a number for each element."""
        return any(
            isinstance(n, Invoke)
            and n.receiver is node
            and n.arguments
            and self.t.kind(n.arguments[-1]) == "number"
            for n in tree.walk(half.body)
        )

    def _is_in_part(self, half: tree.Function, node: Index) -> bool:
        return any(isinstance(n, Index) and n.base is node for n in tree.walk(half.body))

    def _backward(self, names: list[str], kept: dict[str, bool], texts: dict[str, str]) -> None:
        t = self.t
        t.emit("")
        t.emit("@staticmethod")
        several = "*" if self.is_table("output") and self.made.instance.kind == "module" else ""
        t.emit(f"def backward(ctx, {several}gradOutput):")
        with t.indented():
            saved = [name for name in kept if kept[name]]
            if saved:
                spread = ", ".join(map(self.spread_out, saved))
                if saved == [self.spread]:
                    spread = self.spread
                t.emit(
                    f"{f'({saved[0]},)' if [spread] == saved and not self.spread else spread} = ctx.saved_tensors"
                )
            for name in kept:
                if not kept[name]:
                    t.emit(f"{name} = ctx.{name}")
            for half in self.halves:
                self._name_self(half, "layer")
                outer, t.scope = t.scope, t.scopes.of_function[half]
                for comment in self._comments(half):
                    t.comment(comment)
                self.half_at = len(t.lines), t.depth
                with self.written_as(texts, self.local("gradInput"), []):
                    self._begin_table(half)
                    t.block(half.body)
                t.scope = outer
            gradients = self._input_gradients(len(names))
            given = [] if self.spread else gradients
            given += ["None"] * (len(names) - max(len(given), bool(self.spread)))
            for gradient in self.gradients:
                used = any(gradient in self.fields_of(half.body) for half in self.halves)
                given.append(self.local(gradient) if used else "None")
            given += gradients if self.spread else []
            t.emit(f"return {', '.join(given)}")
        t.emit("")

    def _input_gradients(self, inputs: int) -> list[str]:
        """What a backward half gives for the inputs; a criterion's is one of its value."""
        count = self.entries["gradInput"]
        local = self.local("gradInput")
        named = [self.local(f"gradInput{n}") for n in range(1, count + 1)] if count else [local]
        spread = self.is_table("gradInput") and not count
        if not self.spread:
            if spread:
                raise Problem("T7-243", self.halves[0].line, "a table of gradients for an input that is none")
            named = named[:inputs]
        if self.made.instance.kind == "criterion":
            if spread:
                return [f"*(g * gradOutput for g in {local})"]
            return [f"{name} * gradOutput" for name in named]
        return [f"*{local}"] if spread else named

    def _begin_table(self, half: tree.Function) -> None:
        """The table of gradients before its entries are set, where that is not once and for all."""
        t = self.t
        if not self.is_table("gradInput") or "gradInput" not in self.fields_of(half.body):
            return
        count = self.entries["gradInput"]
        if not count:
            if any(self._stores_entry(node) for node in tree.walk(half.body)):
                if not self.spread:
                    raise Problem("T7-243", half.line, "a table of gradients for an input that is none")
                t.emit(f"{self.local('gradInput')} = [None] * len({self.spread})")
            return
        surely = self.set_before_read(half)
        if any(
            isinstance(s, tree.Assign)
            and self.own(s.targets[0]) == "gradInput"
            and isinstance(s.values[0], tree.Table)
            and s.values[0].fields
            for s in half.body.statements
        ):
            return
        for n in range(1, count + 1):
            if f"gradInput{n}" not in surely:
                t.emit(f"{self.local(f'gradInput{n}')} = None")

    def _only_clears(self, body: tree.Block) -> bool:
        """Whether a loop only takes gradients of former inputs out of the table."""
        return bool(body.statements) and all(
            isinstance(s, tree.Assign) and self._stores_entry(s) and isinstance(s.values[0], tree.Nil)
            for s in body.statements
        )

    def _stores_entry(self, node: tree.Node | tree.Block) -> bool:
        """``self.gradInput[i] = x``, or a method that changes ``self.gradInput[i]``."""
        if isinstance(node, tree.Assign):
            return isinstance(node.targets[0], Index) and self.own(node.targets[0].base) == "gradInput"
        if isinstance(node, tree.Run) and isinstance(node.call, Invoke):
            root = root_of(node.call)
            return isinstance(root, Index) and self.own(root.base) == "gradInput"
        return False

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
            given = [*layer, *names, *parameters]
            if self.spread:
                given = [*layer, *names[1:], *parameters, f"*{names[0]}"]
            if self.trains_inner:  # so that autograd asks for their gradients
                given.append("*self.parameters()")
            t.emit(f"    return {self.name}Function.apply({', '.join(given)})")
            t.emit("")
            return
        texts = {name: self.local(name) for name in self.temporary}
        with self.written_as(texts, None, []), self._as_tensors(forward.body):
            t.define("forward", forward)

    # Statements

    def statement(self, node: Statement) -> bool:
        """The statements of a layer's methods that are written otherwise; whether this was one."""
        t = self.t
        if self.texts and self._stores_entry(node) and self._entry(node):
            return True
        if self.no_return is not None and isinstance(node, tree.NumericFor) and self._only_clears(node.body):
            return True
        if isinstance(node, tree.Run):
            self.alone.add(node.call)
        if isinstance(node, tree.Run) and isinstance(node.call, Call) and self._is_parents_output(node.call):
            t.emit(f"{self.local('output')} = {t.value(node.call)}")
            return True
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

    def inner_gradient(self, node: Call | Invoke) -> Py | None:
        """``self.net:backward(x, g)`` in a backward half: gradients of a module that the layer has in it."""
        t = self.t
        if self.no_return is None or not isinstance(node, Invoke) or node.method not in BACKWARD:
            return None
        kind = t.kind(node.receiver)
        if kind not in ("module", "criterion") or self._is_self(node.receiver):
            return None
        if len(node.arguments) < 2 or t.kind(node.arguments[0]) != "tensor":
            raise Problem("T7-243", node.line, f"{node.method} of a layer in it, with these arguments")
        found, gradient = t.type(node.receiver), node.arguments[1]
        if any(_DRAWS.search(layer.name) for layer in all_layers(found)):
            raise Problem("T7-243", node.line, f"{node.method} of a layer in it, which is run again for it")
        base = t.value(node.receiver)
        if kind == "criterion":
            target = t.models.inputs.target(found, gradient, node.line)
            return atom(f"{t.need('criterion_gradient')}({base}, {t.value(node.arguments[0])}, {target})")
        x = t.models.inputs.input(found, node.arguments[0])
        self.trains_inner |= node.method != "updateGradInput" and self._may_have_weights(found)
        helper = {"updateGradInput": "input_gradient", "accGradParameters": "weight_gradients"}.get(
            node.method
        )
        if helper is None:
            helper = "weight_gradients" if node in self.alone else "module_gradient"
        return atom(f"{t.need(helper)}({base}, {x}, {t.value(gradient)})")

    def _may_have_weights(self, module: Type) -> bool:
        made = module.find().classes
        if made:
            known = [self.t.classes.layers.get(c) for c in made]
            return any(layer is None or layer.parameters or layer.trains_inner for layer in known)
        names = {layer.name for layer in all_layers(module)}
        return not names or not names <= WITHOUT_WEIGHTS

    def _is_parents_output(self, call: Call) -> bool:
        """``parent.updateOutput(self, input)``, which sets ``self.output``."""
        callee = call.callee
        if not (
            isinstance(callee, Index)
            and isinstance(callee.key, tree.String)
            and isinstance(callee.base, Name)
        ):
            return False
        named = self.t.scopes.of_name[callee.base] in self.t.types.parent_of_variable
        return named and callee.key.value == "updateOutput" and self.t.scope.function is self.forward

    def _entry(self, node: Statement) -> bool:
        """``self.gradInput[i]:resizeAs(x):copy(y)``, of a table whose size is the input's."""
        t = self.t
        if self.entries["gradInput"]:
            return False
        if isinstance(node, tree.Assign):
            value = node.values[0]
            same = isinstance(value, tree.Binary) and tree.same_expression(value.left, node.targets[0])
            if isinstance(value, tree.Binary) and value.operator == "or" and same:
                return True
            if not isinstance(value, tree.Nil):
                t.emit(f"{t.target(node.targets[0])} = {t.value(value)}")
            return True
        if isinstance(node, tree.Run) and isinstance(node.call, Invoke):
            anew = written_anew(t, node.call)
            if anew is not None:
                t.emit(f"{t.target(root_of(node.call))} = {anew}")
                return True
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
            added = self._added(first) if first is call else None
            if added is None:
                raise Problem("T7-243", call.line, f"{name}, changed otherwise than by add")
            value = added
            if t.kind(first.arguments[-1]) == "number":
                value = atom(f"torch.full_like({self.local(self.gradients[name])}, {value})")
            begun = any(line.strip().startswith(f"{local} = ") for line in t.lines[-200:])
            within = t.depth > 2
            part = call.receiver
            if isinstance(part, Index) and self.own(part) is None:
                self._begin(name, local, begun)
                t.emit(f"{t.value(part)} += {value}")
                return True
            if within and not begun:
                self._begin(name, local, begun)
                t.emit(f"{local} = {local} + {value.at(code.MULTIPLY)}")
                return True
            t.emit(f"{local} = {f'{local} + {value.at(code.MULTIPLY)}' if begun else value}")
            return True
        value_anew = written_anew(t, call)
        if value_anew is None:
            return False
        local = self.texts[name]
        self._drop_size(local, value_anew.text)
        t.emit(f"{local} = {value_anew}")
        return True

    def _drop_size(self, local: str, text: str) -> None:
        """Take back that a variable was given its size, where it is overwritten before it is read."""
        lines, used = self.t.lines, re.compile(rf"\b{local}\b")
        if used.search(text):
            return
        indent = "    " * self.t.depth
        for i in reversed(range(len(lines))):
            if lines[i].startswith(f"{indent}{local} = torch.empty"):
                if self._are_used(set(re.findall(r"[A-Za-z_]\w*", lines[i])) - {local}, i):
                    del lines[i]
                return
            if used.search(lines[i]) or not lines[i].startswith(indent):
                return

    def _are_used(self, names: set[str], but: int) -> bool:
        """Whether names are read elsewhere in the function that is being written."""
        lines = self.t.lines
        start = max((i for i in range(but) if lines[i].strip().startswith("def ")), default=0)
        text = "\n".join(line for i, line in enumerate(lines[start:], start) if i != but)
        return all(len(re.findall(rf"\b{name}\b", text)) != 1 for name in names)

    def _added(self, call: Invoke) -> Py | None:
        """What a method adds to a gradient: ``add(x)``, ``add(scale, x)``, ``addmm(scale, a, b)``; None for others."""
        t = self.t
        given = list(call.arguments)
        if call.method not in ("add", "addmm", "addmv", "addr", "addcmul"):
            return None
        factors = given[-1:] if call.method == "add" else given[-2:]
        scale = given[: -len(factors)]
        if len(scale) > 1 or len(given) < len(factors) or any(t.kind(x) != "number" for x in scale):
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
            if node.values and self.own(node.values[0]) != "gradInput":
                self._give("gradInput", node.values[0])
            return True
        if len(node.values) != 1:
            raise Problem("T7-243", node.line, "a layer that gives no output")
        given = node.values[0]
        value = self._table_given(given) or t.expressions.graph(given)
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

    def _give(self, name: str, value: Expression) -> None:
        """``self.gradInput = v``, or its entries."""
        t = self.t
        count = self.entries.get(name, 0)
        if count and isinstance(value, tree.Table):
            for n, item in enumerate(value.fields, 1):
                t.emit(f"{self.local(f'{name}{n}')} = {t.value(item.value)}")
        elif count:
            t.emit(f"{', '.join(self.local(f'{name}{n}') for n in range(1, count + 1))} = {t.value(value)}")
        else:
            t.emit(f"{self.local(name)} = {t.expressions.graph(value)}")

    def _table_given(self, value: Expression) -> Py | None:
        """What a forward gives that is a table."""
        t = self.t
        if self.own(value) == "output" and self.is_table("output"):
            count = self.entries["output"]
            if count:
                return atom(", ".join(self.local(f"output{n}") for n in range(1, count + 1)))
            handed_on = t.lines and t.lines[-1].strip() == f"{self.local('output')} = {self.spread or '?'}"
            return None if handed_on or not self.by_hand else atom(f"tuple({self.local('output')})")
        if isinstance(value, tree.Table):
            return atom(", ".join(t.value(item.value).text for item in value.fields))
        return None

    def _assign(self, name: str, target: Expression, value: Expression) -> bool:
        """``self.x = v``: parameters, buffers, modules; or nothing, for what is no field in PyTorch."""
        t = self.t
        if self.texts:
            if name in KEPT_BY_NN and self.is_table(name):
                if not isinstance(value, tree.Table) or value.fields:
                    self._give(name, value)
                elif not self.entries[name] and name == "output":
                    t.emit(f"{self.local(name)} = []")
                return True
            if name in self.texts and isinstance(value, tree.Binary) and value.operator == "or":
                return True  # a buffer made once: it is overwritten
            if name in self.texts and name.rstrip("0123456789") not in KEPT_BY_NN and name not in self.read():
                return True  # kept for somebody to look at
            if name in self.texts and self.made.instance.kind == "criterion" and name == "output":
                t.emit(f"{self.texts[name]} = {t.expressions.graph(value)}")
                return True
            return name not in self.texts and self._kept_number(target, value)
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

    def _kept_number(self, target: Expression, value: Expression) -> bool:
        """``self.loss = x``, a number that the program reads later: no tensor, and without its graph."""
        t = self.t
        if t.kind(target) != "number" or t.whole(value):
            return False
        raw = [
            n for n in tree.walk(value) if isinstance(n, Name) and t.kind(n) == "number" and self._is_local(n)
        ]
        before, t.raw_elements = t.raw_elements, set()
        try:
            text = t.value(value)
        finally:
            t.raw_elements = before
        left = t.target(target)
        t.emit(f"{left} = float({text})" if raw else f"{left} = {text}")
        return True

    def _is_local(self, node: Name) -> bool:
        variable = self.t.scopes.of_name[node]
        return variable.kind != "parameter" and variable.scope is self.t.scope

    @contextmanager
    def _as_tensors(self, node: tree.Block) -> Iterator[None]:
        """What is a number in Lua stays a tensor with its graph."""
        before = self.t.raw_elements
        self.t.raw_elements = before | {n for n in tree.walk(node) if isinstance(n, Expression)}
        try:
            yield
        finally:
            self.t.raw_elements = before
