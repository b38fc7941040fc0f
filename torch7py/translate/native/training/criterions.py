"""The gradients of criterions: the losses that they are of, and the passes of modules that they are passed on to."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.analysis.explicit_calls import CriterionBackward, Forward, Pass
from torch7py.translate.native.analysis.flow import passed_integers
from torch7py.translate.native.interfaces.training import Explicit
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.training.forwards import Forwards
from torch7py.translate.native.training.losses import Losses
from torch7py.translate.scopes import Scope, Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement
from torch7py.translate.tree_queries import bare

__all__ = ["Criterions"]


class Criterions:
    def __init__(self, t: Translation, explicit: Explicit, forwards: Forwards, losses: Losses) -> None:
        self.explicit, self.t, self.calls, self.losses = explicit, t, forwards, losses
        self.flow = forwards.flow

    def forward_of(
        self, criterion_backward: CriterionBackward, scope: Scope, statements: list[Statement]
    ) -> None:
        """The forward of the criterion that a backward call of it belongs to."""
        node = criterion_backward.node
        if len(node.arguments) < 2:
            return
        if self.calls.overwrites(node, statements):
            criterion_backward.refused = "a gradient that another call has overwritten when it is read"
            return
        before = [
            n
            for s in statements
            for n in tree.direct_nodes(s)
            if isinstance(n, (Call, Invoke))
            and self.losses.is_loss_call(n)
            and self.flow.same(self.calls.module(n), node.receiver)
            and n.span.end <= node.span.start
        ]
        if not before:
            return
        last = max(before, key=lambda n: n.span.start)
        same = len(last.arguments) == 2 and all(
            self.calls.alike(a, b) for a, b in zip(last.arguments, node.arguments, strict=False)
        )
        if not same or not self.flow.precedes(self.flow.statement(last), self.flow.statement(node)):
            return
        if any(self.flow.changed(a, last, node) for a in last.arguments):
            return
        if self._is_output(node.arguments[0], node) is None and not self._is_kept_output(node.arguments[0]):
            return
        for other in self.explicit.criterion_calls.values():
            if other.loss is last:
                other.again = True
        criterion_backward.again = self.flow.repeats(self.flow.statement(last), self.flow.statement(node))
        criterion_backward.loss = last

    def _is_output(self, value: Expression, location: tree.Node) -> Forward | None:
        """The forward whose output an expression is, at some place."""
        if isinstance(value, Index):
            source = self.explicit.read.get(value)
            return source if isinstance(source, Forward) else None
        if not isinstance(value, Name):
            return None
        variable = self.t.scopes.of_name[value]
        for forward in reversed(list(self.explicit.forwards.values())):
            statement = self.flow.statement(forward.node)
            target = passed_integers(statement, forward.node)
            if target is None or self.t.scopes.of_name[target] is not variable:
                continue
            if not self.flow.precedes(statement, self.flow.statement(location)):
                continue
            if forward.node.span.end <= location.span.start and not self.flow.assigned(
                value, forward.node, location
            ):
                return forward
        return None

    def pass_on(self, backward_pass: Pass, scope: Scope, statements: list[Statement]) -> None:
        """Where a gradient is a criterion's, passed on at once, the pass is that of the loss."""
        gradient = bare(backward_pass.node.arguments[1])
        criterion_backward, statement = self._criterion_of(gradient, backward_pass, statements)
        if criterion_backward is None or criterion_backward.loss is None:
            return
        predicted = criterion_backward.node.arguments[0]
        if backward_pass.forward is not None:
            if self._is_output(predicted, criterion_backward.node) is not backward_pass.forward:
                return
        elif not self._is_kept_output(predicted):
            return
        holder = self.holder(criterion_backward, scope)
        if not holder:
            return
        backward_pass.loss = holder
        criterion_backward.fused = True
        if criterion_backward.again:
            backward_pass.again = True
        if statement is not None:
            self.explicit.left_out.add(statement)

    def _is_kept_output(self, value: Expression) -> bool:
        """Whether an expression is ``module.output``, or a variable that holds it."""
        if isinstance(value, Index):
            return value in self.explicit.kept_fields
        if not isinstance(value, Name):
            return False
        sources = self.t.integers.sources(self.t.scopes.of_name[value])
        return len(sources) == 1 and isinstance(sources[0], Index) and sources[0] in self.explicit.kept_fields

    def _criterion_of(
        self, gradient: Expression, backward_pass: Pass, statements: list[Statement]
    ) -> tuple[CriterionBackward | None, Statement | None]:
        """The criterion's call that gives a gradient, used for nothing else, and the statement that has only that."""
        if gradient in self.explicit.criterion_calls:
            return self.explicit.criterion_calls[gradient], None
        if isinstance(gradient, Index):
            source = self.explicit.read.get(gradient)
            if isinstance(source, CriterionBackward):
                of_it = [r for r in self.explicit.read.values() if r is source]
                statement = self.flow.statement(source.node)
                alone = isinstance(statement, tree.Run) and statement.call is source.node
                if (
                    len(of_it) == 1
                    and alone
                    and not self.flow.repeats(statement, self.flow.statement(backward_pass.node))
                ):
                    return source, statement
            return None, None
        if not isinstance(gradient, Name):
            return None, None
        variable = self.t.scopes.of_name[gradient]
        assignments = [
            s
            for s in statements
            if isinstance(s, tree.Assignment)
            and len(s.values) == 1
            and passed_integers(s, s.values[0]) is not None
            and self.t.scopes.of_name[passed_integers(s, s.values[0]) or gradient] is variable
        ]
        writes = len(variable.writes) + (0 if variable.is_global else 1)
        before = [s for s in assignments if s.span.end <= gradient.span.start]
        if variable.captured or not before or len(assignments) < writes - self._empty_declarations(variable):
            return None, None
        statement = before[-1]
        source = self.explicit.criterion_calls.get(statement.values[0])
        after = [s for s in assignments if s.span.start > statement.span.start]
        end = after[0].span.start if after else None
        reads = [
            r
            for r in variable.reads
            if r.span.start > statement.span.start and (end is None or r.span.start < end)
        ]
        if source is None or reads != [gradient]:
            return None, None
        if self.flow.block_of[statement] is not self.flow.block_of[self.flow.statement(gradient)]:
            return None, None
        return source, statement

    def _empty_declarations(self, variable: Variable) -> int:
        """1 for ``local x`` without a value."""
        if variable.declaration is None:
            return 0
        statement = self.flow.statement_of.get(variable.declaration)
        return 1 if isinstance(statement, tree.Local) and not statement.values else 0

    def holder(self, criterion_backward: CriterionBackward, scope: Scope) -> str:
        """What the page calls the loss that a criterion's forward gave; nothing where it has no name."""
        loss = criterion_backward.loss
        if loss is None:
            return ""
        statement = self.flow.statement(loss)
        target = passed_integers(statement, loss)
        losses = self.losses
        if target is not None:
            variable = self.t.scopes.of_name[target]
            writes = (
                len(variable.writes) + (0 if variable.is_global else 1) - self._empty_declarations(variable)
            )
            if writes == 1 and variable.kind != "parameter":
                losses.calls.add(loss)
                self.t.graph_variables.add(variable)
                return self.t.names.of_variable(variable)
        return losses.name_for(statement, loss, scope)
