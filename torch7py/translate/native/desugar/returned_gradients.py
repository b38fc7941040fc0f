"""The gradients that a function for optim gives, where a program calls it: ``local _, g = feval(w)``.

A page's function gives the loss alone. Where what else it returns is a variable that is seen from the call as well, the
call is for the loss, and the variable is read there: ``local _, g = feval(w), gradients``.
"""

from __future__ import annotations

from torch7py.translate import tree, tree_queries
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Block, Call, Name

__all__ = ["ReturnedGradients"]


class ReturnedGradients(Rewriting):
    def rewrite(self) -> None:
        returned = self._returned()
        for block in self.blocks() if returned else ():
            for statement in block.statements:
                call = tree_queries.only_value(statement) if _has_two(statement) else None
                variable = self.variable(call.callee) if isinstance(call, Call) else None
                gradients = returned.get(variable) if variable is not None else None
                if isinstance(call, Call) and gradients is not None and self._is_seen(gradients, call):
                    self.put_between(call.span.end, call.span.end, f", {gradients.name}")

    def _returned(self) -> dict[Variable, Variable]:
        """What the functions that optim is given return behind the loss."""
        handed = [
            call.arguments[0]
            for call in tree.every(self.program, Call)
            if (tree_queries.dotted(call.callee) or "").startswith("optim.") and call.arguments
        ]
        variables = {self.scopes.of_name[name] for name in handed if isinstance(name, Name)}
        functions = [(name, function) for _, name, function in tree_queries.named_functions(self.program)]
        for statement in tree_queries.statements(self.program):
            pairs = zip(tree_queries.targets(statement), tree_queries.values(statement), strict=False)
            functions += [(t, v) for t, v in pairs if isinstance(t, Name) and isinstance(v, tree.Function)]
        result = {}
        for name, function in functions:
            variable, returns = self.scopes.of_name[name], tree_queries.returns_of(function)
            if variable in variables and len(variable.writes) <= variable.is_global:
                given = {self._second(r) for r in returns}
                (gradients,) = given if len(given) == 1 else (None,)
                if gradients is not None:
                    result[variable] = gradients
        return result

    def _second(self, statement: tree.Return) -> Variable | None:
        """The variable behind the loss that a function returns."""
        return self.variable(statement.values[1]) if len(statement.values) == 2 else None

    def _is_seen(self, variable: Variable, call: Call) -> bool:
        """Whether its name stands for a variable at a call, too."""
        declared = {v for v in self.scopes.of_name.values() if v.name == variable.name}
        if declared != {variable}:
            return False
        if variable.is_global:
            return True
        home = next((block for block in self.blocks() if _declares(block, variable)), None)
        return home is not None and any(node is call for node in tree.walk(home))


def _has_two(statement: tree.Statement) -> bool:
    return isinstance(statement, (tree.Local, tree.Assign)) and len(tree_queries.targets(statement)) == 2


def _declares(block: Block, variable: Variable) -> bool:
    names = [name for s in block.statements if isinstance(s, tree.Local) for name in s.names]
    return any(name is variable.declaration for name in names)
