"""Training steps: hand-written backward passes become ``loss.backward()``, optim becomes torch.optim.

Torch7 calls ``backward`` on the criterion and then on each module. Those calls, and everything that only serves them
(gradients passed on, added up, carried back through time), are one ``loss.backward()`` in PyTorch. What is taken for
such a statement: it stores, changes or passes on nothing but results of backward calls. The loss is what the program
stored of the criterion's forward.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.native import code, flat, initialization, optimizers, reuse
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.gradients import Gradients, base_name
from torch7py.translate.native.problem import Problem
from torch7py.translate.scopes import Scope, Variable
from torch7py.translate.tree import Block, Call, Expression, Index, Invoke, Name, Statement, same_expression

if TYPE_CHECKING:
    from torch7py.translate.native.translator import Translator

__all__ = ["Training"]

# Layers that keep something from one call for the next.
_STATE = re.compile("BatchNorm|LSTM|GRU|Recurr|Recurs|Sequencer|Repeater|Mufuru|NormStabilizer")
_BACKWARD = {"backward", "updateGradInput", "accGradParameters"}


_LOOPS = (tree.NumericFor, tree.GenericFor, tree.While, tree.Repeat)


@dataclass(eq=False)
class Group:
    """Statements next to each other that only compute gradients, and the loss that they are of."""

    statements: list[Statement]
    losses: list[str] = field(default_factory=list)
    emits: bool = False


@dataclass(eq=False)
class Step:
    """What is known of the training step in one function."""

    scope: Scope
    body: Block
    dropped: set[Statement] = field(default_factory=set)
    gradients: set[Variable] = field(default_factory=set)


class Training:
    def __init__(self, translator: Translator) -> None:
        self.t = translator
        self.aliases: dict[Variable, Expression] = {}  # flat weights -> the module they are of
        self.flat_gradients: dict[Variable, Expression] = {}
        self.filled: set[Variable] = set()  # each of all parameters of a module, in loops
        self.flat: dict[Statement, Expression] = {}  # getParameters whose vectors the parameters are views of
        self.graph_functions: set[tree.Function] = set()
        self.closures: set[tree.Function] = set()
        self.loss_calls: set[Expression] = set()
        self.hoisted: dict[
            Expression, str
        ] = {}  # losses in expressions, and the names that they are given before
        self.lists: dict[Expression, str] = {}  # modules, and the page's list of their parameters
        self.hoisted_at: dict[Statement, list[Expression]] = {}
        self.named_losses: dict[Statement, str] = {}
        self.backward_at: dict[Statement, list[Variable | str]] = {}
        self.unknown_losses: set[Statement] = set()
        self.objections: dict[Statement, str] = {}  # why a statement is no part of the loss's backward pass
        self.dropped: set[Statement] = set()
        self.dropped_variables: set[Variable] = set()
        self.graph_values: dict[Scope, set[Variable]] = {}
        self.steps: dict[Scope, list[Statement]] = {}
        self.optimizers: dict[Variable, optimizers.Optimizer] = {}
        self.made_at: dict[Statement, list[optimizers.Optimizer]] = {}
        self._parents: dict[Statement, tuple[Statement, ...]] = {}
        self._owner: dict[Statement, Scope] = {}
        self._pending = ""
        self.steps_by_hand = any(
            isinstance(node, Invoke) and node.method == "backwardThroughTime"
            for node in tree.walk(translator.program)
        )
        self._place(translator.program, translator.scopes.main, ())
        self._find_flat()
        optimizers.find(self)
        for scope, body in self._bodies():
            self._analyse(scope, body)

    # Where statements are

    def _place(self, block: Block, scope: Scope, around: tuple[Statement, ...]) -> None:
        for statement in block.statements:
            self._parents[statement] = around
            self._owner[statement] = scope
            self._descend(statement, scope, (*around, statement))

    def _descend(self, node: tree.Node | Block, scope: Scope, around: tuple[Statement, ...]) -> None:
        for child in tree.children(node):
            if isinstance(child, Block):
                self._place(child, scope, around)
            elif isinstance(child, tree.Function):
                self._place(child.body, self.t.scopes.of_function[child], ())
            else:
                self._descend(child, scope, around)

    def _bodies(self) -> list[tuple[Scope, Block]]:
        scopes = self.t.scopes
        return [(scope, function.body) for function, scope in scopes.of_function.items()] + [
            (scopes.main, self.t.program)
        ]

    def all_statements(self) -> list[Statement]:
        return list(self._owner)

    def statements_of(self, scope: Scope) -> list[Statement]:
        return [statement for statement, owner in self._owner.items() if owner is scope]

    def own_nodes(self, statement: tree.Node | Block) -> list[tree.Node | Block]:
        """The nodes of a statement without inner functions and inner blocks."""
        found: list[tree.Node | Block] = [statement]
        stack = list(tree.children(statement))
        while stack:
            node = stack.pop()
            if isinstance(node, (Block, tree.Function)):
                continue
            found.append(node)
            stack.extend(tree.children(node))
        return sorted(found, key=lambda n: n.place.start if isinstance(n, tree.Node) else 0)

    # Flat parameters

    def _find_flat(self) -> None:
        for statement in self._owner:
            if not isinstance(statement, (tree.Local, tree.Assign)) or len(statement.values) != 1:
                continue
            modules = self._flattened(statement.values[0])
            if modules is not None:
                targets = statement.names if isinstance(statement, tree.Local) else statement.targets
                if flat.changed_in_part(self.t, targets):
                    self.flat[statement] = modules
                    continue
                for target, where in zip(targets, (self.aliases, self.flat_gradients), strict=False):
                    if isinstance(target, Name):
                        where[self.t.scopes.of_name[target]] = modules
                self.dropped.add(statement)

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
        fields = tuple(tree.Field(a.place, None, a, False, (), None) for a in value.arguments)
        return tree.Table(value.place, fields)

    def known_function(self, name: str, function: tree.Function) -> bool:
        """Write a function that is known by what it does; whether this is one."""
        t = self.t
        known = t.types.known.get(function)
        if known is None:
            return False
        if known == "clones":
            self._refuse_state(function)
            module, number = (t.names.of(parameter) for parameter in function.parameters[:2])
            if t.lines and t.lines[-1] and not t.lines[-1].lstrip().startswith("#"):
                t.emit("")
            t.emit(f"def {name}({module}, {number}):")
            if reuse.carried_uncopied(self):
                t.need_class("copy")
                t.emit(
                    '    """The module for every step: with the same parameters, and outputs of their own."""'
                )
                t.emit(f"    if not any(True for _ in {module}.parameters()):")
                t.emit(f"        return [{module}] * {number}")
                t.emit(f"    return [StepCopy({module}) for _ in range({number})]")
            else:
                t.emit(
                    '    """The module for every step: copies with the same parameters compute the same."""'
                )
                t.emit(f"    return [{module}] * {number}")
            t.emit("")
        return True

    def _refuse_state(self, function: tree.Function) -> None:
        """Copies of layers that keep something between calls are not one layer."""
        for node in tree.walk(self.t.program):
            if not isinstance(node, Index) or not isinstance(node.key, tree.String):
                continue
            if _STATE.search(node.key.value) and self.t.path(node) == f"nn.{node.key.value}":
                raise Problem("T7-222", function.line, f"copies of a module with nn.{node.key.value}")

    def parameters(self, module: Expression) -> str:
        """The parameters of a module, or of several that were put together only to flatten them."""
        parts: list[Expression] = []
        node = module
        while isinstance(node, Invoke) and node.method == "add":
            parts.insert(0, node.arguments[0])
            node = node.receiver
        if module in self.lists:
            return self.lists[module]
        if isinstance(module, tree.Table):
            parts = [item.value for item in module.fields]
        if parts:
            return (
                "[" + ", ".join(f"*{self.t.value(part).at(code.ATOM)}.parameters()" for part in parts) + "]"
            )
        return f"{self.t.value(module).at(code.ATOM)}.parameters()"

    def counted(self, module: Expression) -> str:
        """The parameters that the original has as well."""
        return initialization.counted(self.t, self.parameters(module))

    def alias(self, node: Name) -> Py | None:
        """A flat vector that is read as a whole."""
        variable = self.t.scopes.of_name[node]
        module = self.aliases.get(variable)
        if module is not None:
            return atom(f"torch.nn.utils.parameters_to_vector({self.counted(module)})")
        module = self.flat_gradients.get(variable)
        if module is not None:
            return atom(f"torch.nn.utils.parameters_to_vector([p.grad for p in {self.counted(module)}])")
        return None

    def is_dropped(self, variable: Variable) -> bool:
        return (
            variable in self.aliases or variable in self.flat_gradients or variable in self.dropped_variables
        )

    # Gradient statements

    def is_backward(self, node: tree.Node | Block) -> bool:
        if not (isinstance(node, Invoke) and node.method in _BACKWARD):
            return False
        kind = self.t.kind(node.receiver)
        return kind in ("module", "criterion")

    def _analyse(self, scope: Scope, body: Block) -> None:
        own = sorted(self.statements_of(scope), key=lambda s: s.place.start)
        if not any(self.is_backward(node) for s in own for node in self.own_nodes(s)):
            return
        self.steps[scope] = own
        gradients: set[Variable] = set()
        dropped: set[Statement] = set()
        while self._grow(own, gradients, dropped):
            pass
        self._check_escapes(own, gradients, dropped)
        passed = Gradients(self, dropped)
        for statement in dropped:
            for objection in passed.objections(statement):
                self.objections.setdefault(self._outermost(statement, dropped), objection)
        self.dropped |= dropped
        self.dropped_variables |= gradients
        self._graph_values(scope, own)
        self._place_backward(scope, own, dropped)

    def _grow(self, own: list[Statement], gradients: set[Variable], dropped: set[Statement]) -> bool:
        news = False
        of_name = self.t.scopes.of_name
        for statement in own:
            if statement in dropped:
                continue
            if isinstance(statement, tree.Run):
                if self._runs_on_gradients(statement.call, gradients):
                    dropped.add(statement)
                    news = True
            elif isinstance(statement, (tree.Local, tree.Assign)):
                targets = statement.names if isinstance(statement, tree.Local) else statement.targets
                variables = [of_name[name] for t in targets if (name := base_name(t)) is not None]
                if not variables or len(variables) != len(targets):
                    continue
                if any(v in self.flat_gradients for v in variables):
                    continue
                if (
                    statement.values and all(self.is_gradient(v, gradients) for v in statement.values)
                ) or all(v in gradients for v in variables):
                    pass
                elif not self._serves(variables, statement, own, dropped):
                    continue
                dropped.add(statement)
                gradients.update(variables)
                news = True
            elif isinstance(statement, (tree.NumericFor, tree.GenericFor, tree.While, tree.If, tree.Do)):
                if isinstance(statement, tree.GenericFor) and self.is_gradient(
                    statement.values[0], gradients
                ):
                    found = {of_name[name] for name in statement.names} - gradients
                    gradients |= found
                    news = news or bool(found)
                inside = [s for s in own if statement in self._parents[s]]
                if inside and all(s in dropped for s in inside):
                    dropped.add(statement)
                    news = True
        return news

    def _runs_on_gradients(self, call: Call | Invoke, gradients: set[Variable]) -> bool:
        """Whether a call as a statement only computes, keeps or checks gradients."""
        if self.is_backward(call):
            return True
        if isinstance(call, Invoke):
            return self._base(call.receiver, gradients) is not None
        path = self.t.path(call.callee)
        if path == "table.insert" and call.arguments and self.is_gradient(call.arguments[-1], gradients):
            name = base_name(call.arguments[0])
            if name is not None:
                gradients.add(self.t.scopes.of_name[name])
                return True
        if path == "assert":
            names = [n for n in tree.walk(call.arguments[0]) if isinstance(n, Name)]
            of_name = self.t.scopes.of_name
            return any(of_name[n] in gradients for n in names) and all(
                of_name[n] in gradients or of_name[n].kind == "loop" for n in names
            )
        return False

    def _base(self, node: Expression, gradients: set[Variable]) -> Variable | None:
        name = base_name(node)
        if name is None:
            return None
        variable = self.t.scopes.of_name[name]
        return variable if variable in gradients else None

    def is_gradient(self, value: tree.Node | Block, gradients: set[Variable]) -> bool:
        for node in self.own_nodes(value):
            if self.is_backward(node):
                return True
            if isinstance(node, Name) and self.t.scopes.of_name[node] in gradients:
                return True
            if (
                isinstance(node, Index)
                and isinstance(node.key, tree.String)
                and node.key.value == "gradInput"
            ):
                return True
        return False

    def _serves(
        self, variables: list[Variable], statement: Statement, own: list[Statement], dropped: set[Statement]
    ) -> bool:
        """Whether variables are read, and read only by statements that compute gradients."""
        if not isinstance(statement, tree.Local):
            return False
        for variable in variables:
            if variable.captured or not variable.reads:
                return False
            for name in [*variable.reads, *variable.writes]:
                home = next((s for s in own if any(n is name for n in self.own_nodes(s))), None)
                if home is None or (home not in dropped and home is not statement):
                    return False
        return True

    def _check_escapes(self, own: list[Statement], gradients: set[Variable], dropped: set[Statement]) -> None:
        for statement in own:
            if statement in dropped:
                continue
            for node in self.own_nodes(statement):
                if isinstance(node, Name) and self.t.scopes.of_name[node] in gradients:
                    for other in list(dropped):
                        if any(self.is_backward(n) for n in self.own_nodes(other)):
                            dropped.discard(other)
                    gradients.clear()
                    return

    # Losses

    def _place_backward(self, scope: Scope, own: list[Statement], dropped: set[Statement]) -> None:
        waiting: list[Invoke] = []
        for statement in own:
            if statement not in dropped:
                continue
            calls = [n for n in self.own_nodes(statement) if self.is_backward(n)]
            criterions = [
                c for c in calls if isinstance(c, Invoke) and self.t.kind(c.receiver) == "criterion"
            ]
            modules = [c for c in calls if isinstance(c, Invoke) and self.t.kind(c.receiver) == "module"]
            waiting += [c for c in criterions if c not in waiting]
            if modules and waiting:
                losses: list[Variable | str] = []
                try:
                    for call in waiting:
                        loss = self._loss_of(call, scope, own)
                        if loss not in losses:
                            losses.append(loss)
                except _NoLoss:
                    self.unknown_losses.add(self._outermost(statement, dropped))
                waiting = []
                outermost = self._outermost(statement, dropped)
                for loss in losses:
                    at = self._first_change(loss, outermost, own, dropped)
                    given = self.backward_at.setdefault(at, [])
                    given += [loss] if loss not in given else []
                self.backward_at.setdefault(outermost, [])

    def _first_change(
        self, loss: Variable | str, backward: Statement, own: list[Statement], dropped: set[Statement]
    ) -> Statement:
        """The first statement that changes a loss before its backward pass (divides it for printing), or that."""
        if isinstance(loss, str):
            return backward
        of_name = self.t.scopes.of_name
        around = self._parents[backward]
        changes = [
            s
            for s in own
            if isinstance(s, tree.Assign)
            and s not in dropped
            and self._parents[s] == around
            and s.place.start < backward.place.start
            and any(isinstance(t, Name) and of_name[t] is loss for t in s.targets)
            and not any(self._is_criterion_forward(n) for n in self.own_nodes(s))
        ]
        if not changes:
            return backward
        first = changes[0]
        between = [s for s in own if first.place.start < s.place.start < backward.place.start]
        for statement in between:
            for node in self.own_nodes(statement) if statement not in dropped else ():
                if isinstance(node, Invoke) and self._changes_model(node):
                    self.unknown_losses.add(backward)
        return first

    def _is_criterion_forward(self, node: tree.Node | Block) -> bool:
        if not isinstance(node, Invoke) or node.method not in ("forward", "updateOutput"):
            return False
        return self.t.kind(node.receiver) == "criterion"

    def _changes_model(self, node: Invoke) -> bool:
        """Whether a call may change weights or gradients."""
        if self.t.kind(node.receiver) == "module":
            return node.method not in ("forward", "training", "evaluate")
        name = base_name(node.receiver)
        variable = None if name is None else self.t.scopes.of_name[name]
        return variable in self.aliases or variable in self.flat_gradients

    def _outermost(self, statement: Statement, dropped: set[Statement]) -> Statement:
        for around in self._parents[statement]:
            if around in dropped:
                return around
        return statement

    def _loss_of(self, backward: Invoke, scope: Scope, own: list[Statement]) -> Variable | str:
        """The variable that holds the loss a criterion's backward belongs to; a name where there is none."""
        before = [s for s in own if s.place.start <= backward.place.start]
        after = [s for s in own if s.place.start > backward.place.start]
        for statement in [*reversed(before), *reversed(after)]:
            for node in self.own_nodes(statement):
                if self._is_forward_of(node, backward):
                    assert isinstance(node, (Invoke, Call))
                    return self._holds(statement, node, scope)
        # The forward may be in a function that gives the loss.
        for statement in reversed(own):
            if statement.place.start > backward.place.start:
                continue
            for node in self.own_nodes(statement):
                if isinstance(node, (Call, Invoke)):
                    for function in self.t.types.function_called(node):
                        inner = [n for n in tree.walk(function.body) if self._is_forward_of(n, backward)]
                        if inner:
                            self.loss_calls.update(n for n in inner if isinstance(n, Expression))
                            self.graph_functions.add(function)
                            self._mark_returned(function, inner)
                            return self._holds(statement, node, scope)
        raise _NoLoss

    def _mark_returned(self, function: tree.Function, inner: list[tree.Node | Block]) -> None:
        for node in tree.walk(function.body):
            if (
                isinstance(node, tree.Local)
                and len(node.names) == len(node.values) == 1
                and any(node.values[0] is n for n in inner)
            ):
                self.t.graph_variables.add(self.t.scopes.of_name[node.names[0]])

    def _is_forward_of(self, node: tree.Node | Block, backward: Invoke) -> bool:
        return (
            isinstance(node, Invoke)
            and node.method in ("forward", "updateOutput")
            and self.t.kind(node.receiver) == "criterion"
            and same_expression(node.receiver, backward.receiver)
        )

    def _holds(self, statement: Statement, node: Call | Invoke, scope: Scope) -> Variable | str:
        self.loss_calls.add(node)
        of_name = self.t.scopes.of_name
        if isinstance(statement, tree.Local) and node in statement.values:
            at = statement.values.index(node)
            variable = of_name[statement.names[at]]
            self.t.graph_variables.add(variable)
            return variable
        if isinstance(statement, tree.Assign) and len(statement.targets) == 1:
            target, value = statement.targets[0], statement.values[0]
            if isinstance(target, Name) and value is node:
                variable = of_name[target]
                self.t.graph_variables.add(variable)
                return variable
            if isinstance(target, Name) and self._adds_to(value, target, node):
                variable = of_name[target]
                each_turn = self._added_each_turn(statement, variable)
                if not each_turn or self._is_result(variable, scope):
                    self.t.graph_variables.add(variable)
                if not each_turn:
                    return variable
        if isinstance(statement, tree.Run) and statement.call is node:
            name = self.named_losses.get(statement)
            if name is None:
                name = self.named_losses[statement] = self.t.names.fresh("loss", scope)
            return name
        return self._hoist(statement, node, scope)

    def _hoist(self, statement: Statement, node: Call | Invoke, scope: Scope) -> str:
        """Give the loss in an expression a name of its own, in a statement before."""
        if isinstance(statement, (tree.While, tree.Repeat, tree.NumericFor, tree.GenericFor, tree.If)):
            raise _NoLoss
        for outer in self.own_nodes(statement):
            logical = isinstance(outer, tree.Binary) and outer.operator in ("and", "or")
            if logical and any(n is node for n in tree.walk(outer)):
                raise _NoLoss
        name = self.hoisted.get(node)
        if name is None:
            name = self.hoisted[node] = self.t.names.fresh("loss", scope)
            self.hoisted_at.setdefault(statement, []).append(node)
        return name

    def _added_each_turn(self, statement: Statement, total: Variable) -> bool:
        """Whether losses are added up over the turns of a loop in which each has its own backward pass."""
        loops = [s for s in self._parents[statement] if isinstance(s, _LOOPS)]
        if not loops or self._declared_in(total, loops[-1]):
            return False
        inside = {s for s in self._owner if loops[-1] in self._parents[s]}
        return any(
            self.is_backward(n) for s in inside for n in self.own_nodes(s) if self._is_module_backward(n)
        )

    def _is_result(self, variable: Variable, scope: Scope) -> bool:
        """Whether the function for an optimizer gives this variable as the loss."""
        if scope.function not in self.closures:
            return False
        returns = [s for s in self.statements_of(scope) if isinstance(s, tree.Return) and s.values]
        names = [n for s in returns for n in tree.walk(s.values[0]) if isinstance(n, Name)]
        return any(self.t.scopes.of_name[n] is variable for n in names)

    def _is_module_backward(self, node: tree.Node | Block) -> bool:
        return isinstance(node, Invoke) and self.t.kind(node.receiver) == "module"

    def _declared_in(self, variable: Variable, loop: Statement) -> bool:
        place = variable.declaration.place.start if variable.declaration else -1
        return loop.place.start <= place < loop.place.end

    def _adds_to(self, value: Expression, target: Name, node: Expression) -> bool:
        return (
            isinstance(value, tree.Binary)
            and value.operator == "+"
            and same_expression(value.left, target)
            and value.right is node
        )

    def is_loss_call(self, node: Expression) -> bool:
        """Every criterion's forward gives a tensor in PyTorch."""
        if isinstance(node, Invoke):
            return node.method in ("forward", "updateOutput") and self.t.kind(node.receiver) == "criterion"
        return isinstance(node, Call) and self.t.kind(node.callee) == "criterion"

    # Carried state

    def _graph_values(self, scope: Scope, own: list[Statement]) -> None:
        """The variables of a step that hold values with a graph, or tables of them."""
        found: set[Variable] = set()
        of_name = self.t.scopes.of_name
        news = True
        while news:
            news = False
            for statement in own:
                targets: tuple[Expression, ...]
                if isinstance(statement, (tree.Local, tree.Assign)):
                    targets = statement.names if isinstance(statement, tree.Local) else statement.targets
                    values = statement.values
                elif isinstance(statement, tree.Run) and isinstance(statement.call, Call):
                    if self.t.path(statement.call.callee) != "table.insert":
                        continue
                    targets, values = statement.call.arguments[:1], statement.call.arguments[-1:]
                else:
                    continue
                if not any(self.has_graph(value, found) for value in values):
                    continue
                for target in targets:
                    name = base_name(target)
                    if name is not None and of_name[name] not in found:
                        found.add(of_name[name])
                        news = True
        self.graph_values[scope] = found

    def has_graph(self, value: Expression, found: set[Variable]) -> bool:
        for node in self.own_nodes(value):
            if (
                isinstance(node, Invoke)
                and node.method == "forward"
                and self.t.kind(node.receiver) == "module"
            ):
                return True
            if isinstance(node, Name) and self.t.scopes.of_name[node] in found:
                return True
        return False

    def carried(self, target: Expression, value: Expression, written: Py) -> Py:
        """A value stored where it outlives the training step is cut off from the graph."""
        scope = self.t.scope
        if scope not in self.steps or not isinstance(target, Name):
            return written
        variable = self.t.scopes.of_name[target]
        kind = self.t.kind(value)
        if variable in self.t.graph_variables or kind not in ("tensor", "table"):
            return written
        if kind == "table" and self.t.type(value).of_elements().kind != "tensor":
            return written
        if not self.has_graph(value, self.graph_values.get(scope, set())):
            return written
        if self.outlives(variable, scope):
            text = written.at(code.ATOM)
            if kind == "table":
                return atom(f"[s.detach() for s in {written}]")
            if text.endswith(".clone()"):
                return atom(f"{text[: -len('.clone()')]}.detach().clone()")
            return atom(f"{text}.detach()")
        return written

    def outlives(self, variable: Variable, scope: Scope) -> bool:
        """Whether a variable is there before and after a training step."""
        return (variable.scope or self.t.scopes.main) is not scope or self._declared_outside(variable, scope)

    def _declared_outside(self, variable: Variable, scope: Scope) -> bool:
        """Whether a variable was declared before the loop around the backward pass."""
        loops = [
            s
            for at in self.backward_at
            for s in self._parents[at]
            if self._owner[at] is scope
            and isinstance(s, (tree.NumericFor, tree.GenericFor, tree.While, tree.Repeat))
        ]
        if not loops:
            return False
        start = loops[-1].place.start
        declared = variable.declaration.place.start if variable.declaration else -1
        return declared < start

    def only_evaluates(self, function: tree.Function) -> bool:
        """Whether a function puts a model into evaluation, and nothing goes back through what it computes."""
        scope = self.t.scopes.of_function[function]
        if scope in self.steps or function in self.graph_functions or function in self.closures:
            return False
        nodes = [n for s in self.statements_of(scope) for n in self.own_nodes(s) if isinstance(n, Invoke)]
        modules = [n for n in nodes if self.t.kind(n.receiver) == "module"]
        methods = {n.method for n in modules}
        return "evaluate" in methods and "forward" in methods and not methods & _BACKWARD

    # Writing

    def is_handled(self, *nodes: Statement) -> bool:
        """Whether one of these statements is written as part of a training step."""
        return any(n in self.dropped or n in self.backward_at or n in self.made_at for n in nodes)

    def handles(self, node: Statement) -> bool:
        t = self.t
        for optimizer in self.made_at.get(node, []):
            optimizers.write(t, optimizer)
        if node in self.objections:
            raise Problem("T7-226", node.line, self.objections[node])
        if node in self.unknown_losses:
            raise Problem("T7-226", node.line, "a backward pass whose loss is in no variable")
        if node in self.flat:
            flat.write(t, node, self.flat[node])
            return True
        self._list_parameters(node)
        for expression in self.hoisted_at.get(node, []):
            t.emit(f"{self.hoisted[expression]} = {t.calls.loss(expression)}")
        losses = self.backward_at.get(node)
        if losses:
            names = [loss if isinstance(loss, str) else t.names.of_variable(loss) for loss in losses]
            text = names[0] if len(names) == 1 else f"({' + '.join(names)})"
            if self.steps_by_hand:
                # The rnn of 2015: each step's backward only took notes.
                t.emit(f"{self.pending()}.append({text})")
            else:
                t.emit(f"{text}.backward()")
        if node in self.dropped:
            return True
        if isinstance(node, tree.Run) and node in self.named_losses:
            t.emit(f"{self.named_losses[node]} = {t.expressions.graph(node.call)}")
            return True
        return self._is_guard(node)

    def _list_parameters(self, node: Statement) -> None:
        """``params = [*a.parameters(), *b.parameters()]`` where those of several modules are put together."""
        if node not in self.dropped or not isinstance(node, (tree.Local, tree.Assign)):
            return
        target = (node.names if isinstance(node, tree.Local) else node.targets)[0]
        module = self.aliases.get(self.t.scopes.of_name[target]) if isinstance(target, Name) else None
        if isinstance(module, tree.Table) and isinstance(target, Name):
            name = self.t.names.of(target)
            self.t.emit(f"{name} = {self.parameters(module)}")
            self.lists[module] = name

    def pending(self) -> str:
        """The list of losses whose backward pass is still to come."""
        if not self._pending:
            self._pending = self.t.names.fresh("pending", self.t.scopes.main)
            self.t.module_lines.append(
                f"{self._pending} = []  # losses of the steps since the last backward pass"
            )
        return self._pending

    def _is_guard(self, node: Statement) -> bool:
        """``if x ~= params then params:copy(x) end`` in the function given to optim."""
        if (
            not isinstance(node, tree.If)
            or len(node.branches) != 1
            or self.t.scope.function not in self.closures
        ):
            return False
        condition, body = node.branches[0]
        if not isinstance(condition, tree.Binary) or condition.operator not in ("~=", "=="):
            return False
        names = [n for n in (condition.left, condition.right) if isinstance(n, Name)]
        return any(self.t.scopes.of_name[n] in self.aliases for n in names) and len(body.statements) == 1

    def is_weights(self, function: tree.Function, parameter: Name) -> bool:
        """Whether this is the flat vector that optim hands to its function."""
        return function in self.closures and parameter is function.parameters[0]

    def may_be_missing(self, function: tree.Function, parameter: Name) -> bool:
        if parameter not in function.parameters:
            return False
        at = function.parameters.index(parameter)
        for call in self.t.types.calls_of.get(function, []):
            given = len(call.arguments)
            constructs = self.t.kind(call.callee) == "class" if isinstance(call, Call) else False
            if isinstance(call, Invoke) or constructs:
                given += 1
            last = call.arguments[-1] if call.arguments else None
            if given <= at and not isinstance(last, (Call, Invoke, tree.Vararg)):
                return True
        return False

    def call(self, node: Call | Invoke) -> Py | None:
        """Calls on the flat vectors, and of optim, as values."""
        t = self.t
        if isinstance(node, Call):
            return None
        if self.is_backward(node):
            raise Problem(
                "T7-226", node.line, "a gradient that is used for something else than a backward pass"
            )
        if not isinstance(node.receiver, Name):
            return None
        variable = t.scopes.of_name[node.receiver]
        if variable in self.aliases:
            module = self.aliases[variable]
            if node.method in ("nElement", "numel", "size"):
                return atom(f"sum(p.numel() for p in {self.counted(module)})")
        if variable in self.flat_gradients and node.method == "norm" and not node.arguments:
            t.imports.add("math")
            given = self.parameters(self.flat_gradients[variable])
            return atom(f"nn.utils.clip_grad_norm_({given}, math.inf).item()")
        return None

    def statement(self, node: Call | Invoke) -> bool:
        t = self.t
        if isinstance(node, Call):
            found = optimizers.of_call(self, node)
            if found is None:
                return False
            optimizers.step(self, found, node, None)
            return True
        if node.method == "copy" and len(node.arguments) == 1 and isinstance(node.receiver, Name):
            (value,) = node.arguments
            written = t.value(value)
            kept = self.carried(node.receiver, value, written)
            if kept is not written:
                t.emit(f"{t.value(node.receiver)}.copy_({kept})")
                return True
        if node.method == "backwardThroughTime":
            losses = self.pending()
            t.emit(f"sum({losses}).backward()")
            t.emit(f"{losses}.clear()")
            t.emit(f"{t.value(node.receiver)}.detach()")
            return True
        if not isinstance(node.receiver, Name):
            return False
        variable = t.scopes.of_name[node.receiver]
        if variable in self.flat_gradients:
            self._on_gradients(node, self.flat_gradients[variable])
            return True
        if variable in self.aliases:
            self._on_weights(node, self.aliases[variable])
            return True
        if variable in self.filled:
            initialization.fill(t, node)
            return True
        return False

    def _on_gradients(self, node: Invoke, module: Expression) -> None:
        t = self.t
        given = [t.value(argument).text for argument in node.arguments]
        parameters = self.parameters(module)
        if node.method in ("zero", "fill"):
            if not parameters.endswith(".parameters()") or parameters.startswith("["):
                optimizer = next(
                    (o for o in self.optimizers.values() if same_expression(o.module, module)), None
                )
                if optimizer is not None and optimizer.name:
                    t.emit(f"{optimizer.name}.zero_grad()")
                    return
                t.emit(f"for p in {parameters}:")
                t.emit("    p.grad = None")
                return
            t.emit(f"{parameters.removesuffix('.parameters()')}.zero_grad()")
        elif node.method == "clamp" and given[0] == f"-{given[1]}":
            t.emit(f"nn.utils.clip_grad_value_({parameters}, {given[1]})")
        elif node.method in ("mul", "div") and len(given) == 1:
            t.emit(f"for p in {self.counted(module)}:")
            t.emit(f"    p.grad.{node.method}_({given[0]})")
        elif node.method == "add" and len(given) == 2 and isinstance(node.arguments[1], Name):
            if self.aliases.get(t.scopes.of_name[node.arguments[1]]) is None:
                raise Problem("T7-227", node.line, "something added to the flat gradients")
            t.emit(f"for p in {self.counted(module)}:")
            t.emit(f"    p.grad.add_(p.data, alpha={given[0]})")
        else:
            raise Problem("T7-227", node.line, f"{node.method} of the flat gradients")

    def _on_weights(self, node: Invoke, module: Expression) -> None:
        t = self.t
        given = ", ".join(t.value(argument).text for argument in node.arguments)
        parameters = self.counted(module)
        if node.method == "add" and len(node.arguments) == 2:
            other = node.arguments[1]
            if isinstance(other, Name) and t.scopes.of_name[other] in self.flat_gradients:
                t.emit(f"for p in {parameters}:")
                t.emit(f"    p.data.add_(p.grad, alpha={t.value(node.arguments[0])})")
                return
        if node.method not in initialization.ALIKE:
            raise Problem("T7-227", node.line, f"{node.method} of the flat weights")
        initialization.refuse_masked_rows(t, node.method, node.line)
        t.emit(f"for p in {parameters}:")
        t.emit(f"    p.data.{initialization.ALIKE[node.method]}({given})")

    def several(self, node: Call | Invoke, targets: tuple[Expression, ...]) -> bool:
        if not isinstance(node, Call):
            return False
        found = optimizers.of_call(self, node)
        if found is None:
            return False
        optimizers.step(self, found, node, targets)
        return True

    def returns(self, node: tree.Return) -> bool:
        """The closure of an optimizer gives the loss alone."""
        if self.t.scope.function in self.closures:
            loss = self.t.expressions.graph(node.values[0])
            is_tensor = self.t.expressions.is_graph(node.values[0])
            self.t.emit(f"return {loss}" if is_tensor else f"return torch.tensor({loss})")
            return True
        return False


class _NoLoss(Exception):
    """The loss of a backward pass is not in a variable."""
