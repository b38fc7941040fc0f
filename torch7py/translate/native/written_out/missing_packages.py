"""Packages that PyTorch's users cannot have: a program that asks whether one is there is told that it is not."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.written_out.rewriting import Rewriting
from torch7py.translate.tree import Assign, Call, Expression, Local, Name, Statement, String

__all__ = ["MISSING", "MissingPackages"]

MISSING = ("fbcunn", "fbnn", "fbtorch")  # Facebook's own; a program that asks has another way


class MissingPackages(Rewriting):
    """``local ok, p = pcall(require, 'fbcunn')``, and what a branch on ``ok`` behind it does."""

    def written(self) -> bytes:
        edits: list[tuple[int, int, str]] = []
        for block in self.blocks():
            for asked, after in zip(block.statements, [*block.statements[1:], None], strict=False):
                ok = self._asked(asked)
                if ok is None:
                    continue
                assert isinstance(asked, (Local, Assign))
                targets = asked.names if isinstance(asked, Local) else asked.targets
                nothing = ", ".join(["false", *["nil"] * (len(targets) - 1)])
                edits.append((asked.values[0].place.start, asked.values[0].place.end, nothing))
                wanted = None if after is None else self._branch(after, ok)
                if wanted is not None and after is not None:
                    edits += self._only(after, wanted)
        self.edited(edits)
        return self.source

    def _asked(self, node: Statement) -> Name | None:
        """The variable that tells whether a package is there, of one that never is."""
        if not isinstance(node, (Local, Assign)) or len(node.values) != 1:
            return None
        call = node.values[0]
        if not (isinstance(call, Call) and isinstance(call.callee, Name) and call.callee.name == "pcall"):
            return None
        targets: tuple[Expression, ...] = node.names if isinstance(node, Local) else node.targets
        function, name = call.arguments if len(call.arguments) == 2 else (None, None)
        named = isinstance(name, String) and name.value in MISSING
        required = isinstance(function, Name) and function.name == "require"
        if not named or not required or self.scopes.of_name[call.callee].scope is not None:
            return None
        return targets[0] if isinstance(targets[0], Name) else None

    def _branch(self, node: Statement, ok: Name) -> tree.Block | None:
        """What is done where ``ok`` is false, of a choice between two."""
        if not isinstance(node, tree.If) or len(node.branches) != 1 or node.otherwise is None:
            return None
        condition, block = node.branches[0]
        negated = isinstance(condition, tree.Unary) and condition.operator == "not"
        tested = condition.operand if isinstance(condition, tree.Unary) and negated else condition
        if not isinstance(tested, Name) or self.scopes.of_name[tested] is not self.scopes.of_name[ok]:
            return None
        return block if negated else node.otherwise

    def _only(self, node: Statement, wanted: tree.Block) -> list[tuple[int, int, str]]:
        """Leave only one branch of a choice, as a block of its own where it has variables."""
        if not wanted.statements:
            return [(node.place.start, node.place.end, "")]
        start, end = wanted.statements[0].place.start, wanted.statements[-1].place.end
        local = any(isinstance(s, (Local, tree.LocalFunction)) for s in wanted.statements)
        same_line = b"\n" not in self.source[node.place.start : start]
        return [
            (node.place.start, start, ("do " if same_line else "do") if local else ""),
            (end, node.place.end, " end" if local else ""),
        ]
