"""The torch.autograd.Function of a layer whose gradients the program writes too."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.facts.layers import BACKWARD
from torch7py.translate.native.code import INDENT
from torch7py.translate.native.layer_study import LayerStudy
from torch7py.translate.native.names import walk_function
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.tensors.overwriting import root_of
from torch7py.translate.quoting import docstring
from torch7py.translate.tree import Expression, Index, Invoke, Name

__all__ = ["LayerFunction"]


@dataclass(eq=False)
class LayerFunction(LayerStudy):
    """How the function of a layer is written: its forward, and its halves as one backward."""

    alone: set[Expression] = field(default_factory=set)  # calls whose result nobody takes
    inputs: int = 0  # how many the function has
    last_half: tree.Function | None = None  # which may return in its middle
    itself: str = "layer"  # what the function calls the layer
    half_at: tuple[int, int] = (0, 0)  # where the backward half that is written begins: line and depth

    def write_function(self) -> None:
        """The torch.autograd.Function before the class."""
        t, forward = self.t, self.forward
        if forward is not None and "forward" in self.lua_class.methods:
            raise Problem(
                "T7-243", self.lua_class.methods["forward"].line, "a forward of its own beside updateOutput"
            )
        if forward is not None and self._keeps_its_output(forward):
            raise Problem("T7-243", forward.line, "updateOutput that sets self.output and does not return it")
        if not self.by_hand:
            return
        if forward is None and not self.inherits:
            raise Problem("T7-243", self.halves[0].line, "gradients without updateOutput")
        inputs = self.inputs_of_forward()
        names = [t.names.of(parameter) for parameter in inputs]
        self.spread = ""
        self.either = self._may_be_a_table(inputs[0])
        if self.either:
            self.spread = names[0]
        for node in inputs:
            if t.kind(node) == "table":
                if node is not inputs[0] and self.lua_class.instance.kind == "criterion":
                    continue  # a target, which is handed on as it is
                if node is not inputs[0] or t.type(node).of_elements().kind != "tensor":
                    raise Problem(
                        "T7-243", self.halves[0].line, "gradients of tables in a table, written by hand"
                    )
                self.spread = names[0]
        for half in self.halves:
            self._same_parameters(half, names)
        kept = self._kept(names)
        texts = {name: self.local(name) for name in (*self.temporary, *self.handed)}
        texts |= {name: self.local(name) for name in self.handed_gradients}
        methods = self.halves if forward is None else [forward, *self.halves]
        scopes = [t.scopes.of_function[method] for method in methods]
        self.itself = texts[""] = t.names.free_in(scopes, "layer")
        self.layer_used = False
        t.gap()
        t.emit(f"class {self.name}Function(torch.autograd.Function):")
        with t.indented():
            t.emit(docstring(f"{self.lua_class.name} with its gradients as {t.file} writes them."))
            t.emit("")
            t.emit("@staticmethod")
            at = len(t.lines)
            saved = [name for name in kept if kept[name]]
            at_return = [self._save(saved)] if saved else []
            at_return += [f"ctx.{name} = {name}" for name in kept if not kept[name]]
            if self.either:
                at_return.append(f"ctx.{self._is_table} = {self._is_table}")
            if self.remembers_output:
                self.layer_used = True
                at_return.append(f"{self.itself}.output = {self.local('output')}.detach()")
            weights = [self.local(name) for name in self.handed]
            args = [*names[1:], *weights, f"*{self._inputs}"] if self.spread else [*names, *weights]
            args[:0] = [self._is_table] if self.either else []
            if forward is None:
                t.emit(f"def forward(ctx, {', '.join(args)}):")
                for line in at_return:
                    t.emit(f"    {line}")
                t.emit(f"    return {self.parents}({names[0]})")
            else:
                self._name_self(forward)
                with self.written_as(texts, None, at_return), self._as_tensors(forward.body):
                    t.functions.define("forward", forward, (), (), ["ctx", *args])
                first = [f"{self.local('output')} = {self.itself}.output"] if self.remembers_output else []
                first += [self._either(self._is_table)] if self.either else []
                t.lines[at + 1 : at + 1] = [f"{INDENT * (t.depth + 1)}{line}" for line in first]
            self._backward(names, kept, texts)
            self._drop_saved(at, saved)
        if self.layer_used:
            t.lines[at] = t.lines[at].replace("(ctx, ", f"(ctx, {self.itself}, ")
            self._keep_layer(at)
        if self.trains_inner:
            self._pass_weights(at, len(names), t.names.free_in(scopes, "weights"))
        t.emit("")
        t.emit("")

    def _keeps_its_output(self, forward: tree.Function) -> bool:
        """Whether a forward may end without giving what it computed, which in a page nobody could have then."""
        returns = self.t.types.returns[forward]
        return (not returns.counts or returns.falls_off) and "output" in self.fields_of(forward.body)

    def _save(self, names: list[str]) -> str:
        return f"ctx.save_for_backward({', '.join(map(self.spread_out, names))})"

    def _saved(self, names: list[str]) -> str:
        """What was saved, with its names."""
        if names == [self.spread]:
            return f"{self._inputs} = ctx.saved_tensors"
        spread = ", ".join(map(self.spread_out, names))
        return f"{f'({spread},)' if len(names) == 1 else spread} = ctx.saved_tensors"

    def _drop_saved(self, at: int, saved: list[str]) -> None:
        """Leave out what the backward half, as it is written now, does not need: that had its size, mostly."""
        lines = self.t.lines
        indices = (
            [i for i in range(at, len(lines)) if lines[i].strip() == self._saved(saved)] if saved else []
        )
        if not indices:
            return
        body = "\n".join(lines[indices[0] + 1 :])
        used = [name for name in saved if re.search(rf"\b{name}\b", body)]
        if used == saved:
            return
        for i in reversed(range(at, indices[0] + 1)):
            for text in (self._save, self._saved):
                if lines[i].strip() == text(saved):
                    indent = lines[i][: len(lines[i]) - len(lines[i].lstrip())]
                    lines[i : i + 1] = [indent + text(used)] if used else []

    def _pass_weights(self, at: int, inputs: int, name: str) -> None:
        """Pass the weights of the layers inside as well: autograd asks for gradients only where some are wanted."""
        t = self.t
        if self.handed:
            return  # of which gradients are wanted
        if self.either:
            raise Problem(
                "T7-243", self.halves[0].line, "layers with weights behind an input that may be a table"
            )
        if self.spread:  # one weight will do
            t.lines[at] = t.lines[at].replace(f"*{self.spread}", f"{name}, *{self.spread}")
            for i in self._returns(at):
                line = t.lines[i]
                if line.strip().startswith("return (*"):
                    line = line.replace("(", "", 1).removesuffix(",)")
                head = "return " + "None, " * (self.layer_used + inputs - 1)  # of the layer, and of targets
                t.lines[i] = line.replace(head, f"{head}None, ", 1)
            return
        t.lines[at] = t.lines[at].replace("):", f", *{name}):")
        for i in self._returns(at):
            t.lines[i] += f", *[None] * (len(ctx.needs_input_grad) - {inputs + self.layer_used})"

    def _returns(self, at: int) -> list[int]:
        """The lines of the backward half that return its gradients."""
        lines = self.t.lines
        back = next(i for i in range(at, len(lines)) if lines[i].strip().startswith("def backward"))
        return [i for i in range(back, len(lines)) if lines[i].strip().startswith("return ")]

    def _keep_layer(self, at: int) -> None:
        """Have the layer itself in the context as well, where the gradients need it."""
        t = self.t
        back = next(i for i in range(at, len(t.lines)) if t.lines[i].strip().startswith("def backward"))
        if any(re.search(rf"\b{self.itself}\b", line) for line in t.lines[back:]):
            head = t.lines[back]
            t.lines.insert(back + 1, f"{head[: len(head) - len(head.lstrip())]}    {self.itself} = ctx.layer")
            for i in reversed(range(at, back)):
                line = t.lines[i]
                if line.strip().startswith("return "):
                    t.lines.insert(i, f"{line[: len(line) - len(line.lstrip())]}ctx.layer = {self.itself}")
        for i in self._returns(at):
            line = t.lines[i]
            if line.strip().startswith("return (*"):  # a table of gradients by itself
                line = line.replace("(", "", 1).removesuffix(",)")
            t.lines[i] = line.replace("return ", "return None, ", 1)

    def _name_self(self, function: tree.Function) -> None:
        self.t.names.chosen[self.t.scopes.of_name[function.parameters[0]]] = self.itself

    def _same_parameters(self, half: tree.Function, names: list[str]) -> None:
        """The parameters of a backward half have the names that the forward gives its own."""
        parameters = half.parameters[1:]
        wanted = [*names, "gradOutput"] if self.lua_class.instance.kind == "module" else names
        for parameter, name in zip(parameters, wanted, strict=False):
            self.t.names.chosen[self.t.scopes.of_name[parameter]] = name
        for parameter in parameters[len(wanted) :]:
            self.t.scales.add(self.t.scopes.of_name[parameter])

    def _kept(self, names: list[str]) -> dict[str, bool]:
        """What the backward needs of the forward, and whether that is a tensor."""
        t = self.t
        saved: dict[str, bool] = {names[0]: True} if self.inherits else {}
        of_name = {t.names.of(p): p for p in self.inputs_of_forward()}
        written = self.set_before_read(self.forward) if self.forward is not None else set()
        if self.remembers_output:
            written |= {"output"}
        for half in self.halves:
            assigned = self.set_before_read(half) - {"gradInput"}
            for node in tree.walk(half.body):
                if isinstance(node, Name) and node not in half.parameters:
                    variable = t.scopes.of_name[node]
                    if variable.declaration in half.parameters[1:] and t.names.of(node) in of_name:
                        kind = t.kind(of_name[t.names.of(node)])
                        is_target = kind == "table" and t.names.of(node) != names[0]
                        saved[t.names.of(node)] = kind != "number" and not is_target
                if isinstance(node, Index) and self._is_output_inside(node):
                    raise Problem(
                        "T7-225", node.line, "the output of a layer inside, where its gradients are written"
                    )
                name = self.self_field(node)
                if name in self.handed_gradients:  # its size, where parts of it are added to
                    parameter = self.local(self.gradients[name])
                    if isinstance(node, Index) and (
                        self._is_in_part(half, node)
                        or self._takes_number(half, node)
                        or self._is_nested(half, node)
                    ):
                        saved[parameter] = True
                if name in self.handed or (
                    name in self.temporary and name in written and name not in assigned
                ):
                    assert name is not None
                    assert isinstance(node, Expression)
                    saved[self.local(name)] = t.kind(node) == "tensor"
        order = [*names, *self.handed]
        return dict(sorted(saved.items(), key=lambda i: order.index(i[0]) if i[0] in order else len(order)))

    def _is_output_inside(self, node: Index) -> bool:
        """``self.field.output``, of a module that the layer has in it."""
        named = node.key_name == "output"
        return named and self.self_field(node.base) is not None and self.t.kind(node.base) == "module"

    def _gradient_with_part(self, node: Expression) -> str | None:
        """The gradient that an expression is a part of, as ``self.gradWeight[i]``."""
        while isinstance(node, Index) and self.self_field(node) is None:
            node = node.base
        name = self.self_field(node)
        return name if name in self.handed_gradients else None

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
        several = "*" if self.is_table("output") and self.lua_class.instance.kind == "module" else ""
        t.emit(f"def backward(ctx, {several}gradOutput):")
        with t.indented():
            saved = [name for name in kept if kept[name]]
            if saved:
                t.emit(self._saved(saved))
            if self.either:
                t.emit(self._either(f"ctx.{self._is_table}"))
            for name in kept:
                if not kept[name]:
                    t.emit(f"{name} = ctx.{name}")
            self.inputs = len(names)
            halves = self._in_order()
            self.last_half = halves[-1] if halves else None
            if self.inherits:
                self._inherited(names[0])
            for half in halves:
                self._name_self(half)
                outer, t.scope = t.scope, t.scopes.of_function[half]
                for comment in self._comments(half):
                    t.comment(comment)
                self.half_at = len(t.lines), t.depth
                with self.written_as(texts, self.local("gradInput"), []):
                    self._begin_table(half)
                    t.block(half.body)
                t.scope = outer
            if not halves or not self._always_returns(halves[-1].body):
                self._return_gradients()
        t.emit("")

    def inputs_of_forward(self) -> list[Name]:
        """The parameters of the forward half; of one that is the parent's, that of a backward half."""
        return list(
            self.forward.parameters[1:] if self.forward is not None else self.halves[0].parameters[1:2]
        )

    @property
    def parents(self) -> str:
        """What the parent computes, in the function of a class that derives from a layer."""
        self.layer_used = True
        return f"super({self.name}, {self.itself}).forward"

    def parents_gradient(self, helper: str, args: str) -> str:
        """A call of a helper that computes a gradient of the parent's half; of a container its layers may have some."""
        holds = facts.parts(self.lua_class.parent or "") not in ("", "none")
        owner = f", {self.itself}" if holds and helper == "input_gradient" else ""
        return f"{self.t.need(helper)}({self.parents}, {args}{owner})"

    def _inherited(self, inputs: str) -> None:
        """The halves that the class has from its parent."""
        t, methods = self.t, self.lua_class.methods
        if "backward" in methods:
            return
        if "updateGradInput" not in methods:
            gradient = self.parents_gradient("input_gradient", f"{inputs}, gradOutput")
            t.emit(f"{self.local('gradInput')} = {gradient}")
        if "accGradParameters" not in methods and self.parameters:
            self.trains_inner = True
            t.emit(self.parents_gradient("weight_gradients", f"{inputs}, gradOutput"))

    def parents_half(self, node: Expression) -> str | None:
        """The method of the parent that ``parent.updateGradInput(self, ...)`` calls."""
        callee = node.callee if isinstance(node, tree.Call) else None
        if not (isinstance(callee, Index) and isinstance(callee.key, tree.String) and self.inherits):
            return None
        named = isinstance(callee.base, Name) and (
            self.t.scopes.of_name[callee.base] in self.t.types.parent_of_variable
        )
        is_parent = named or self.t.path(callee.base) == self.lua_class.parent
        return callee.key.value if is_parent and callee.key.value in BACKWARD else None

    def _in_order(self) -> list[tree.Function]:
        """The halves, of which only the last one may return in its middle."""
        early = [half for half in self.halves[:-1] if self._returns_early(half)]
        if early:
            raise Problem("T7-243", early[0].line, "a return in the middle of a backward half")
        return self.halves

    def _returns_early(self, half: tree.Function) -> bool:
        """Whether a half returns somewhere else than at its end."""
        if not half.body.statements:
            return False
        last = self.ends(half)
        returns = [n for n in walk_function(half.body) if isinstance(n, tree.Return)]
        return any(node is not last for node in returns)

    def _always_returns(self, block: tree.Block) -> bool:
        """Whether all ways through a half end with a return in a branch, which the page then has as well."""
        last = block.statements[-1] if block.statements else None
        if not isinstance(last, tree.If) or last.otherwise is None:
            return False
        blocks = [*(body for _, body in last.branches), last.otherwise]
        return all(
            bool(b.statements) and (isinstance(b.statements[-1], tree.Return) or self._always_returns(b))
            for b in blocks
        )

    def ends(self, function: tree.Function) -> tree.Statement:
        """The last statement of a backward half."""
        last = function.body.statements[-1]
        while isinstance(last, tree.If) and self.is_always(last) and last.branches[0][1].statements:
            last = last.branches[0][1].statements[-1]
        return last

    def is_always(self, node: tree.If) -> bool:
        """``if self.gradInput then``: it is wanted, as autograd asks for it."""
        return (
            len(node.branches) == 1
            and node.otherwise is None
            and self.self_field(node.branches[0][0]) == "gradInput"
        )

    def _return_gradients(self) -> None:
        """``return gradInput, gradWeight``, with what belongs to the other arguments of the function."""
        t, names = self.t, self.inputs
        if t.behind_error():
            return
        gradients = self._input_gradients(names)
        results = [] if self.spread else gradients
        results += ["None"] * (names - max(len(results), bool(self.spread)) + self.either)
        for gradient in self.handed_gradients:
            used = any(gradient in self.fields_of(half.body) for half in self.halves)
            results.append(self.local(gradient) if used else "None")
        results += gradients if self.spread else []
        alone = len(results) == 1 and results[0].startswith("*")
        t.emit(f"return ({results[0]},)" if alone else f"return {', '.join(results)}")

    def _input_gradients(self, inputs: int) -> list[str]:
        """What a backward half gives for the inputs; a criterion's is one of its value."""
        count = self.entries["gradInput"]
        local = self.local("gradInput")
        if self.either:
            return [f"*({local} if ctx.{self._is_table} else [{local}])"]
        named = [self.local(f"gradInput{n}") for n in range(1, count + 1)] if count else [local]
        spread = self.is_table("gradInput") and not count
        if not self.spread:
            if spread:
                raise Problem("T7-243", self.halves[0].line, "a table of gradients for an input that is none")
            named = named[:inputs]
        if self.lua_class.instance.kind == "criterion":
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
            and self.self_field(s.targets[0]) == "gradInput"
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
            return isinstance(node.targets[0], Index) and self.self_field(node.targets[0].base) == "gradInput"
        if isinstance(node, tree.Run) and isinstance(node.call, Invoke):
            root = root_of(node.call)
            return isinstance(root, Index) and self.self_field(root.base) == "gradInput"
        return False

    def _comments(self, function: tree.Function) -> tuple[tree.Comment, ...]:
        """The comments before the statement that defines a method, and behind it."""
        for statement in self.lua_class.parts:
            if isinstance(statement, tree.FunctionStatement) and statement.function is function:
                return statement.around.outside
        return ()

    def write_forward(self) -> None:
        t, forward = self.t, self.forward
        if self.by_hand:
            names = [t.names.of(parameter) for parameter in self.inputs_of_forward()]
            t.gap()
            t.emit(f"def forward(self, {', '.join(names)}):")
            layer = ["self"] if self.layer_used else []
            parameters = [f"self.{self.attribute(name)}" for name in self.handed]
            args = [*layer, *names, *parameters]
            if self.spread:
                args = [*layer, *names[1:], *parameters, f"*{names[0]}"]
            if self.either:
                t.emit(f"    {self._is_table} = isinstance({names[0]}, (list, tuple))")
                spread = f"*({names[0]} if {self._is_table} else [{names[0]}])"
                args = [*layer, self._is_table, *names[1:], *parameters, spread]
            if self.trains_inner and not self.handed:  # so that autograd asks for their gradients
                if self.spread:
                    args.insert(len(args) - 1, "next(self.parameters())")
                else:
                    args.append("*self.parameters()")
            t.emit(f"    return {self.name}Function.apply({', '.join(args)})")
            t.emit("")
            return
        assert forward is not None
        texts = {name: self.local(name) for name in self.temporary}
        with self.written_as(texts, None, []), self._as_tensors(forward.body):
            t.functions.define("forward", forward)
