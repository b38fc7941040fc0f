"""Lists with the one output of a graph: ``nn.gModule(inputs, outputs)`` is given the node itself."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Block, Call, Expression, Index, Name, Statement, String

__all__ = ["SingleOutputs"]


class SingleOutputs(Rewriting):
    """``local outputs = {} table.insert(outputs, x) nn.gModule(inputs, outputs)`` has ``{x}`` for its outputs."""

    def written(self) -> bytes:
        graphs = {
            argument: call
            for call in tree.every(self.program, Call)
            if _path(call.callee) == "nn.gModule" and len(call.arguments) == 2
            for argument in call.arguments[1:]
            if isinstance(argument, Name)
        }
        for block in self.blocks() if graphs else ():
            for at, statement in enumerate(block.statements):
                if isinstance(statement, tree.Local) and len(statement.names) == len(statement.values) == 1:
                    self._list(statement, Block(block.statements[at + 1 :], None, ()), graphs)
        self.edited(self.edits)
        return self.source

    def _list(self, statement: tree.Local, rest: Block, graphs: dict[Name, Call]) -> None:
        """Write a list out that is nothing but the outputs of one graph behind it, and has one item."""
        (name,), (table,) = statement.names, statement.values
        variable = self.scopes.of_name[name]
        outputs = [read for read in variable.reads if read in graphs]
        if not isinstance(table, tree.Table) or variable.writes or len(outputs) != 1:
            return
        inside = {node for node in tree.walk(rest) if isinstance(node, Name)}
        if outputs[0] not in inside:
            return
        edit = (outputs[0].span.start, outputs[0].span.end, f"{{{name.name}}}")
        items = [field.value for field in table.fields if field.key is None and isinstance(field.value, Name)]
        if len(items) == len(table.fields) == 1 and len(variable.reads) == 1:
            self.edits += [(table.span.start, table.span.end, self.text(items[0])), edit]
        elif not table.fields and len(variable.reads) == 2:
            insertion = next((s for s in rest.statements if self._inserted(s, variable) is not None), None)
            if insertion is not None and insertion.span.end < outputs[0].span.start:
                node = self._inserted(insertion, variable)
                assert node is not None
                end = statement.span.end
                end += len(self.source[end:]) - len(self.source[end:].lstrip(b" ;"))
                self.edits.append((statement.span.start, end, ""))
                text = f"local {name.name} = {self.text(node)}"
                self.edits += [(insertion.span.start, insertion.span.end, text), edit]

    def _inserted(self, statement: Statement, variable: Variable) -> Expression | None:
        """The node that a statement puts into a list: a variable, or a layer that is called, which is one value."""
        call = statement.call if isinstance(statement, tree.Run) else None
        if not isinstance(call, Call) or _path(call.callee) != "table.insert" or len(call.arguments) != 2:
            return None
        table, node = call.arguments
        if not isinstance(table, Name) or self.scopes.of_name[table] is not variable:
            return None
        makes = node.callee if isinstance(node, Call) else None
        is_called = isinstance(makes, Call) and (_path(makes.callee) or "").startswith("nn.")
        return node if isinstance(node, Name) or is_called else None


def _path(node: Expression) -> str | None:
    """``nn.gModule``, of a name and a dot."""
    if isinstance(node, Index) and isinstance(node.base, Name) and isinstance(node.key, String):
        return f"{node.base.name}.{node.key.value}"
    return None
