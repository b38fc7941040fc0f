"""The flat vectors that ``getParameters`` gives, as the parameters that they are of."""

from __future__ import annotations

import math
from collections.abc import Iterable

from torch7py.translate import tree, tree_queries
from torch7py.translate.native import code, flat_parameters, initialization
from torch7py.translate.native.analysis.state_slots import Holder
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.gradients import refuse_untouched
from torch7py.translate.native.interfaces import training as interfaces
from torch7py.translate.native.interfaces.training import Training
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.tensors.rules import in_place
from torch7py.translate.native.training.unused_parameters import RunParts
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement
from torch7py.translate.tree_queries import LOOPS, same_expression

__all__ = ["FlatVectors"]


class FlatVectors(interfaces.FlatVectors):
    def __init__(self, t: Translation, training: Training, run_parts: RunParts) -> None:
        self.training, self.t = training, t
        super().__init__()
        self.run_parts = run_parts
        self.lists: dict[Expression, str] = {}  # modules, and the page's list of their parameters

    def find(self) -> None:
        if self.t.plain_modules:
            return
        holders_by_statement: dict[Statement, list[Holder]] = {}
        for statement in self.t.surroundings.owner:
            if not isinstance(statement, tree.Assignment) or len(statement.values) != 1:
                continue
            modules = self._flattened(statement.values[0])
            if modules is not None:
                modules = self._seen_from(statement.targets, modules, statement) or modules
                holders = [
                    holder for x in statement.targets if (holder := self.training.holders.of(x)) is not None
                ]
                holders_by_statement[statement] = holders
                self.module_of[statement] = modules
                self.flattened_at.update((holder, statement) for holder in holders)
                if (
                    self.t.plain_vectors
                    or len(holders) < len(statement.targets)
                    or not self._is_kept(statement.targets, modules)
                    or not self._is_theirs(holders, modules, statement)
                    or self.run_parts.leaves_out(modules)
                    or (self.run_parts.discards(modules) and self._are_added_to(holders[1:]))
                    or flat_parameters.changed_in_part(self.t, self.training.holders, holders)
                    or flat_parameters.used_as_vectors(self.t, self.training.holders, holders)
                ):
                    self.flat[statement] = modules
        while True:  # what is a vector once always is
            vectors = {holder for statement in self.flat for holder in holders_by_statement[statement]}
            more = [
                s
                for s, holders in holders_by_statement.items()
                if s not in self.flat and not vectors.isdisjoint(holders)
            ]
            if not more:
                break
            self.flat.update((statement, self.module_of[statement]) for statement in more)
        self.as_vectors.update(holder for holder in vectors if isinstance(holder, Variable))
        for statement, holders in holders_by_statement.items():
            if statement not in self.flat:
                for holder, where in zip(holders, (self.aliases, self.flat_gradients), strict=False):
                    where[holder] = self.module_of[statement]
                self.training.dropped.add(statement)
        self._forget()

    def _seen_from(
        self, targets: tuple[Expression, ...], module: Expression, statement: Statement
    ) -> Expression | None:
        """Of vectors that are fields: the field of the same object that keeps their module."""
        (first, *_) = targets
        return (
            self.training.holders.field_with(module, statement, first.base)
            if isinstance(first, Index)
            else None
        )

    def _is_kept(self, targets: tuple[Expression, ...], module: Expression) -> bool:
        """Whether vectors that are fields are given once, beside their module in the same object."""
        fields = [target for target in targets if isinstance(target, Index)]
        if not fields:
            return True
        holders = self.training.holders
        return (
            len(fields) == len(targets)
            and isinstance(module, Index)
            and all(
                tree_queries.same_expression(field.base, module.base)
                and (holder := holders.of(field)) is not None
                and len(holders.assigned(holder)) == 1
                for field in fields
            )
        )

    def _are_added_to(self, gradients: list[Holder]) -> bool:
        """Whether the program adds something, such as a decay, to gradients that may be missing in PyTorch."""
        holders = self.training.holders
        return any(
            node.method == "add" and len(node.arguments) == 2 and holders.of(node.receiver) in gradients
            for node in tree.every(self.t.program, Invoke)
            if isinstance(node.receiver, (Name, Index))
        )

    def _is_theirs(self, vectors: list[Holder], module: Expression, statement: Statement) -> bool:
        """Whether a module's name means, wherever vectors are used, the module that they are of."""
        for name in tree.walk(module):
            variable = self.t.scopes.of_name[name] if isinstance(name, Name) else None
            if variable is not None and any(w.span.start > statement.span.start for w in variable.writes):
                return False
        for vector in vectors:
            for other, _, _ in self.training.holders.assigned(vector):
                value = other.values[0] if isinstance(other, tree.Assignment) else None
                again = None if value is None else self._flattened(value)
                same = again is None or other is statement or self.training.flow.same(again, module)
                if not same:
                    return False
        return True

    def makers(self, statements: Iterable[Statement]) -> list[Statement]:
        distinct: list[Statement] = []
        for statement in sorted(statements, key=lambda s: s.span.start):
            if statement in self.flat or not any(self._are_same(s, statement) for s in distinct):
                distinct.append(statement)
        return distinct

    def _are_same(self, first: Statement, later: Statement) -> bool:
        """Whether two statements give the vectors of one network, which has not got or lost layers in between."""
        one, other = self.module_of.get(first), self.module_of.get(later)
        same = self.training.flow.same
        if one is None or other is None or not same(one, other):
            return False
        return not any(
            node.method in ("add", "insert", "remove")
            and first.span.start < node.span.start < later.span.start
            and same(node.receiver, one)
            for node in tree.every(self.t.program, Invoke)
        )

    def _forget(self) -> None:
        """``params, gradParams = nil, nil``, before they are made anew, is nothing in the page."""
        for statement in self.t.surroundings.owner:
            if isinstance(statement, tree.Assign) and all(isinstance(v, tree.Nil) for v in statement.values):
                holders = [self.training.holders.of(x) for x in statement.targets]
                if all(h in self.aliases or h in self.flat_gradients for h in holders):
                    self.training.dropped.add(statement)

    def belong(self, gradients: Expression, weights: Expression) -> bool:
        holders = self.training.holders
        one, other = holders.of(gradients), holders.of(weights)
        return (
            one is not None
            and other is not None
            and self.flattened_at.get(one) is self.flattened_at.get(other)
        )

    def compared(self, one: Expression, other: Expression) -> bool | None:
        for vectors in (self.aliases, self.flat_gradients):
            first, second = self._module_of(one, vectors), self._module_of(other, vectors)
            if first is not None and second is not None:
                return self.training.flow.same(first, second)
        return None

    def weights_of(self, node: Expression) -> Expression | None:
        return self._module_of(node, self.aliases) or self._asked_of(node)

    def gradients_of(self, node: Expression) -> Expression | None:
        return self._module_of(node, self.flat_gradients)

    def _asked_of(self, node: Expression) -> Expression | None:
        """The module of ``model:getParameters()`` in an expression, whose first result is used on the spot."""
        if not isinstance(node, Invoke) or node.method != "getParameters" or node.arguments:
            return None
        if self.t.kind(node.receiver) != "module" or self.t.types.function_called(node):
            return None
        statement = self.training.flow.statement(node)
        around = [s for s in self.t.surroundings.parents[statement] if isinstance(s, LOOPS)]
        first = around[0].span.start if around else statement.span.end
        in_function = self.t.surroundings.owner[statement].function is not None
        used = []
        apart = self._is_apart(node.receiver)
        for holder, assignment in self.flattened_at.items():
            if apart and not self.training.flow.same(self.module_of[assignment], node.receiver):
                continue
            later = assignment.span.start > statement.span.end and not self.t.surroundings.parents[assignment]
            anew = assignment.span.start if later and not around and not in_function else math.inf
            used += [n for n in self.training.holders.uses(holder) if n.span.start < anew]
        is_local_module = in_function and self._constructs_module(node)
        if not is_local_module and any(in_function or name.span.start > first for name in used):
            raise Problem(
                "T7-227", node.line, "getParameters, after which older vectors are no longer the module's"
            )
        return node.receiver

    def _is_apart(self, module: Expression) -> bool:
        """Whether a variable always has a whole copy of a module, which is no part of another one."""
        if not isinstance(module, Name):
            return False
        variable = self.t.scopes.of_name[module]
        copies = [value for _, value in self.training.assigned_to(variable)]
        if not copies or not all(
            isinstance(value, Invoke) and value.method == "clone" and not value.arguments for value in copies
        ):
            return False
        names = set(variable.reads)
        for node in tree.those(self.t.program, Call, Invoke, tree.Table):
            parts: list[Expression] = []
            if isinstance(node, tree.Table):
                parts = [item.value for item in node.fields]
            elif isinstance(node, (Call, Invoke)) and not self.t.types.function_called(node):
                parts = list(node.arguments)
            if not names.isdisjoint(parts):
                return False
        return True

    def _constructs_module(self, node: Invoke) -> bool:
        """Whether a function makes the module that it asks for its parameters, out of nothing from elsewhere."""
        scopes, owner = self.t.scopes, self.t.surroundings.owner[self.training.flow.statement(node)]
        if not isinstance(node.receiver, Name) or owner.function is None:
            return False
        variable = scopes.of_name[node.receiver]
        values = [value for _, value in self.training.assigned_to(variable)]
        if (
            len(values) != 1
            or not isinstance(values[0], Call)
            or not (self.t.path(values[0].callee) or "").startswith("nn.")
        ):
            return False
        here = {*tree.every(owner.function.body, Name), *owner.function.parameters}
        modules = [name for name in here if self.t.kind(name) in ("module", "any")]
        flattened = any(
            self.t.surroundings.owner[statement] is owner for statement in self.flattened_at.values()
        )
        return (
            variable.scope is owner
            and not flattened
            and all(scopes.of_name[n].scope is owner and n not in owner.function.parameters for n in modules)
        )

    def _module_of(self, node: Expression, vectors: dict[Holder, Expression]) -> Expression | None:
        holder = self.training.holders.of(node) if isinstance(node, (Name, Index)) else None
        module = None if holder is None else vectors.get(holder)
        if isinstance(node, Index) and isinstance(module, Index):
            return self.training.holders.field(node.base, module)
        return module

    def _flattened(self, value: Expression) -> Expression | None:
        """What ``getParameters``, or a function of the program that does the same for several modules, is asked of."""
        if isinstance(value, Invoke) and value.method == "getParameters":
            return value.receiver
        if not isinstance(value, Call) or not value.arguments:
            return None
        known = self.t.types.known
        if not any(known.get(f) == "flattens" for f in self.t.types.function_called(value)):
            return None
        if len(value.arguments) == 1:
            return value.arguments[0]
        fields = tuple(tree.Field(a.span, None, a, False, (), None) for a in value.arguments)
        return tree.Table(value.span, fields)

    def parameters(self, module: Expression) -> str:
        if self.t.kind(module) == "tensor":
            return f"[{self.t.value(module)}]"
        if module in self.lists:
            return self.lists[module]
        parts = self._modules(module)
        if parts != [module]:
            return (
                "[" + ", ".join(f"*{self.t.value(part).at(code.ATOM)}.parameters()" for part in parts) + "]"
            )
        return f"{self.t.value(module).at(code.ATOM)}.parameters()"

    def _modules(self, module: Expression) -> list[Expression]:
        """The modules that were put together only to flatten their parameters, or the one."""
        parts: list[Expression] = []
        node = module
        while isinstance(node, Invoke) and node.method == "add":
            parts.insert(0, node.arguments[0])
            node = node.receiver
        if isinstance(module, tree.Table):
            parts = [item.value for item in module.fields]
        return parts or [module]

    def counted(self, module: Expression) -> str:
        return initialization.counted(self.t, self.parameters(module))

    def moved(self, module: Expression) -> str:
        """The parameters that have gradients, where some may not."""
        if self._freezes():
            return f"[p for p in {self.parameters(module)} if p.requires_grad]"
        if self.run_parts.discards(module):
            return f"[p for p in {self.counted(module)} if p.grad is not None]"
        return self.counted(module)

    def _freezes(self) -> bool:
        """Whether the program has weights that stay."""
        return any(
            isinstance(n, tree.Assign)
            and any(isinstance(x, Index) and x.key_name == "accGradParameters" for x in n.targets)
            for n in tree.walk(self.t.program)
        )

    def decays(self, frozen: Expression) -> bool:
        from_the_start = self._is_before_steps(frozen)  # there are no earlier gradients that would go on
        for node in tree.walk(self.t.program):
            if isinstance(node, tree.Field) and isinstance(node.key, tree.String):
                never = isinstance(node.value, tree.Number) and node.value.value == 0
                if (node.key.value == "weightDecay" and not never) or (
                    node.key.value == "momentum" and not never and not from_the_start
                ):
                    return True
            elif isinstance(node, Invoke) and node.method == "add" and len(node.arguments) == 2:
                kept = self.gradients_of(node.receiver)
                if kept is not None:
                    return True
        return bool(self.flat)

    def _is_before_steps(self, node: Expression) -> bool:
        """Whether a place of the program is passed before the first step of an optimizer, and then no more."""
        training, t = self.training, self.t
        calls = [call for optimizer in training.optimizers for call in optimizer.calls]
        if not calls or any(call.span.start < node.span.start for call in calls):
            return False
        loops = [
            s
            for call in calls
            for s in t.surroundings.parents[training.flow.statement(call)]
            if isinstance(s, LOOPS)
        ]
        inside = any(s.span.start < node.span.start < s.span.end for s in loops)
        return t.scope is t.scopes.main and not inside

    def alias(self, node: Expression) -> Py | None:
        module = self.weights_of(node)
        if module is not None:
            return atom(f"torch.nn.utils.parameters_to_vector({self.counted(module)})")
        module = self.gradients_of(node)
        if module is not None:
            refuse_untouched(self.t, node)
            return atom(f"torch.nn.utils.parameters_to_vector([p.grad for p in {self.counted(module)}])")
        return None

    def list_parameters(self, node: Statement) -> None:
        """``params = [*a.parameters(), *b.parameters()]`` where those of several modules are put together."""
        if node not in self.training.dropped or not isinstance(node, tree.Assignment):
            return
        target = (node.targets)[0]
        module = self.aliases.get(self.t.scopes.of_name[target]) if isinstance(target, Name) else None
        if isinstance(module, tree.Table) and isinstance(target, Name):
            name = self.t.names.of(target)
            self.t.emit(f"{name} = {self.parameters(module)}")
            self.lists[module] = name

    def call(self, node: Invoke) -> Py | None:
        """A call on a flat vector, as a value."""
        if node.method == "getParameters":
            return self.alias(node)
        weights, gradients = self.weights_of(node.receiver), self.gradients_of(node.receiver)
        changes = node.method in in_place or node.method in ("copy", "fill", "zero")
        if changes and (weights is not None or gradients is not None):
            raise Problem("T7-227", node.line, f"{node.method} of a flat vector, as a value")
        if weights is not None and node.method in ("nElement", "numel", "size"):
            return atom(f"sum(p.numel() for p in {self.counted(weights)})")
        if weights is not None and node.method == "dot" and len(node.arguments) == 1:
            other = self.weights_of(node.arguments[0])
            if other is not None and same_expression(other, weights):
                return atom(f"sum(p.square().sum().item() for p in {self.counted(weights)})")
        if gradients is not None and node.method == "norm" and not node.arguments:
            self.t.imports.add("math")
            return atom(f"nn.utils.clip_grad_norm_({self.parameters(gradients)}, math.inf).item()")
        return None

    def on_gradients(self, node: Invoke, module: Expression) -> None:
        t = self.t
        arguments = [t.value(argument).text for argument in node.arguments]
        parameters = self.parameters(module)
        if node.method == "fill" and arguments != ["0"]:
            raise Problem("T7-227", node.line, "gradients filled with something else than 0")
        if node.method in ("zero", "fill"):
            if not parameters.endswith(".parameters()") or parameters.startswith("["):
                optimizer = next(
                    (o for o in self.training.optimizers if same_expression(o.module, module)), None
                )
                if optimizer is not None and optimizer.name and not optimizer.is_field:
                    t.emit(f"{optimizer.name}.zero_grad()")
                    return
                p = t.of_loop("p")
                t.emit(f"for {p} in {parameters}:")
                t.emit(f"    {p}.grad = None")
                return
            t.emit(f"{parameters.removesuffix('.parameters()')}.zero_grad()")
        elif node.method == "clamp" and arguments[0] == f"-{arguments[1]}":
            t.emit(f"nn.utils.clip_grad_value_({parameters}, {arguments[1]})")
        elif node.method in ("mul", "div") and len(arguments) == 1:
            factor = self._before_loop(arguments[0])
            p = t.of_loop("p")
            t.emit(f"for {p} in {self.moved(module)}:")
            t.emit(f"    {p}.grad.{node.method}_({factor})")
        elif node.method == "add" and len(arguments) == 2 and isinstance(node.arguments[1], (Name, Index)):
            if self.weights_of(node.arguments[1]) is None:
                raise Problem("T7-227", node.line, "something added to the flat gradients")
            scale = self._before_loop(arguments[0])
            p = t.of_loop("p")
            t.emit(f"for {p} in {self.counted(module)}:")
            t.emit(f"    {p}.grad.add_({p}.data, alpha={scale})")
        else:
            raise Problem("T7-227", node.line, f"{node.method} of the flat gradients")

    def _before_loop(self, text: str) -> str:
        """A number for all parameters, computed before the first of them changes."""
        if "(" not in text:
            return text
        name = self.t.fresh("scale")
        self.t.emit(f"{name} = {text}")
        return name

    def on_weights(self, node: Invoke, module: Expression) -> None:
        t = self.t
        parameters = self.counted(module)
        if node.method == "add" and len(node.arguments) == 2:
            other = node.arguments[1]
            if self.gradients_of(other) is not None:
                scale = self._before_loop(t.value(node.arguments[0]).text)
                p = t.of_loop("p")
                t.emit(f"for {p} in {self.moved(module)}:")
                t.emit(f"    {p}.data.add_({p}.grad, alpha={scale})")
                return
        if node.method == "copy" and len(node.arguments) == 1 and t.kind(node.arguments[0]) == "tensor":
            copied = f"{t.value(node.arguments[0]).at(code.ATOM)}.clone()"
            t.emit(f"nn.utils.vector_to_parameters({copied}, {parameters})")
            return
        if node.method not in initialization.ALIKE:
            raise Problem("T7-227", node.line, f"{node.method} of the flat weights")
        arguments = ", ".join(self._before_loop(t.value(argument).text) for argument in node.arguments)
        p = t.of_loop("p")
        t.emit(f"for {p} in {parameters}:")
        t.emit(f"    {p}.data.{initialization.ALIKE[node.method]}({arguments})")
        if node.method not in ("zero", "mul") and t.kind(module) != "tensor":
            initialization.clear_masked_rows(t, [t.value(part).text for part in self._modules(module)])
