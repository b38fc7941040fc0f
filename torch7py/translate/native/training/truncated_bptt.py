"""Values that a training step leaves for the next one: they are cut off from their graph."""

from __future__ import annotations

from torch7py.translate import tree, tree_queries
from torch7py.translate.facts import layers as facts
from torch7py.translate.kinds import Description, Type, all_parts
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.training import Training
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.training.explicit_backward import Explicit
from torch7py.translate.scopes import Scope, Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement
from torch7py.translate.tree_queries import LOOPS, base_name

__all__ = ["Carried"]


class Carried:
    def __init__(self, t: Translation, training: Training, explicit: Explicit) -> None:
        self.training, self.t, self.explicit = training, t, explicit
        self.graph_values: dict[Scope, set[Variable]] = {}

    def find(self, scope: Scope, statements: list[Statement]) -> None:
        """The variables of a step that hold values with a graph, or tables of them."""
        variables: set[Variable] = set()
        of_name = self.t.scopes.of_name
        news = True
        while news:
            news = False
            for statement in statements:
                targets: tuple[Expression, ...]
                if isinstance(statement, tree.Assignment):
                    targets = statement.targets
                    values = statement.values
                elif isinstance(statement, tree.Run) and isinstance(statement.call, Call):
                    if self.t.path(statement.call.callee) != "table.insert":
                        continue
                    targets, values = statement.call.arguments[:1], statement.call.arguments[-1:]
                else:
                    continue
                if not any(self.has_graph(value, variables) for value in values):
                    continue
                for target in targets:
                    name = base_name(target)
                    if name is not None and of_name[name] not in variables:
                        variables.add(of_name[name])
                        news = True
        self.graph_values[scope] = variables

    def has_graph(self, value: Expression, variables: set[Variable]) -> bool:
        if self.t.user_passes.is_backward(value):
            return False
        for node in tree.direct_nodes(value):
            if (
                isinstance(node, Invoke)
                and node.method == "forward"
                and self.t.kind(node.receiver) == "module"
            ):
                return True
            if isinstance(node, Name) and self.t.scopes.of_name[node] in variables:
                return True
        return False

    def kept_states(self, backward_statement: Statement) -> list[Expression]:
        """The modules of the backward pass at a statement whose layers keep a state for the next training step.

        Torch7's backward calls go back to the first step since the last ones, as does a graph that is cut off there.
        None where the program forgets the states in each step.
        """
        places, training = self.t.surroundings, self.training
        around = places.parents[backward_statement]
        statements = training.steps.get(places.owner[backward_statement], [])
        if training.steps_by_hand or any(
            places.parents[s] == around
            and any(isinstance(n, Invoke) and n.method == "forget" for n in tree.direct_nodes(s))
            for s in statements
        ):
            return []
        modules: list[Expression] = []
        for statement in statements:
            for node in tree.direct_nodes(statement) if statement in training.dropped else ():
                if (
                    isinstance(node, Invoke)
                    and self.t.user_passes.is_backward(node)
                    and self.keeps_states(node.receiver)
                    and not any(isinstance(n, Index) and not n.dotted for n in tree.walk(node.receiver))
                    and not any(tree_queries.same_expression(node.receiver, other) for other in modules)
                ):
                    modules.append(node.receiver)
        return modules

    def keeps_states(self, module: Expression) -> bool:

        def inside(layer: Description) -> list[Type]:
            # It is given a sequence whole, and cuts off what is left itself.
            if facts.gives(layer.name) == "steps":
                return []
            return [*layer.children, *layer.slots]

        if self.t.kind(module) != "module":
            return False
        parts = all_parts(self.t.type(module), inside)
        return any(facts.carries(layer.name) for part in parts for layer in part.layers)

    def cut(self, target: Expression, value: Expression, written: Py) -> Py:
        scope = self.t.scope
        if scope not in self.training.steps or not isinstance(target, Name) or self.t.graphs.is_node(value):
            return written
        variable = self.t.scopes.of_name[target]
        kind = self.t.kind(value)
        if variable in self.t.graph_variables or kind not in ("tensor", "table"):
            return written
        if kind == "table" and self.t.type(value).of_elements().kind != "tensor":
            return written
        explicit = self.explicit
        if value in explicit.forwards and explicit.forwards[value].passes:
            return written  # those who take it cut it off
        if not self.has_graph(value, self.graph_values.get(scope, set())) and not (
            scope in explicit.scopes and explicit.reach.has_graph(value)
        ):
            return written
        if self._only_judged(variable, scope):
            return written  # its loss goes back through it
        if self.outlives(variable, scope):
            text = written.at(code.ATOM)
            if kind == "table":
                return atom(f"[s.detach() for s in {written}]")
            if text.endswith(".clone()"):
                return atom(f"{text[: -len('.clone()')]}.detach().clone()")
            return atom(f"{text}.detach()")
        return written

    def _only_judged(self, variable: Variable, scope: Scope) -> bool:
        """Whether a step's criterion is given a variable, and no module is."""
        of_name, judged = self.t.scopes.of_name, False
        for statement in self.t.surroundings.statements_of(scope):
            for node in tree.direct_nodes(statement):
                if not isinstance(node, Invoke) or node.method not in ("forward", "updateOutput"):
                    continue
                named = any(
                    isinstance(n, Name) and of_name[n] is variable
                    for a in node.arguments
                    for n in tree.walk(a)
                )
                if named and self.t.kind(node.receiver) == "module":
                    return False
                judged |= named and self.t.kind(node.receiver) == "criterion"
        return judged

    def outlives(self, variable: Variable, scope: Scope) -> bool:
        """Whether a variable is there before and after a training step."""
        return (variable.scope or self.t.scopes.main) is not scope or self._declared_outside(variable, scope)

    def _declared_outside(self, variable: Variable, scope: Scope) -> bool:
        """Whether a variable was declared before the loop around the backward pass."""
        loops = [
            s
            for at in (*self.training.losses.backward_at, *self.explicit.places())
            for s in self.t.surroundings.parents[at]
            if self.t.surroundings.owner[at] is scope and isinstance(s, LOOPS)
        ]
        if not loops:
            return False
        declared = variable.declaration.span.start if variable.declaration else -1
        uses = [name.span.start for name in (*variable.reads, *variable.writes)]
        around = [s.span for s in loops if any(s.span.start <= use <= s.span.end for use in uses)]
        if around and all(span.start <= declared <= span.end for span in around):
            return False  # each of the loops that see it has its own
        return declared < loops[-1].span.start

    def uncopied(self) -> bool:
        """Whether a training step leaves tensors of its graph, as they are, in a variable that outlives it."""
        for scope, statements in self.training.steps.items():
            for statement in statements:
                if not isinstance(statement, tree.Assign) or statement in self.training.dropped:
                    continue
                for target, value in zip(statement.targets, statement.values, strict=False):
                    if not isinstance(target, Name) or self.t.kind(value) not in ("tensor", "table"):
                        continue
                    variable = self.t.scopes.of_name[target]
                    if variable in self.t.graph_variables or not self.outlives(variable, scope):
                        continue
                    kept = self.has_graph(value, self.graph_values[scope])
                    if kept and not _copies(self.t, value):
                        return True
        return False


def _copies(t: Translation, value: Expression) -> bool:
    """Whether an expression gives a tensor, or tensors, of its own."""
    if isinstance(value, Invoke) and value.method == "clone":
        return True
    if not isinstance(value, Call):
        return False
    functions = t.types.function_called(value)
    return bool(functions) and all(
        any(isinstance(node, Invoke) and node.method == "clone" for node in tree.walk(function.body))
        for function in functions
    )
