"""Lists with the one output of a graph: ``nn.gModule(inputs, outputs)`` is given the node itself."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.scopes import Variable
from torch7py.translate.templates import Template
from torch7py.translate.tree import Block, Call, Expression, Name, Statement
from torch7py.translate.tree_queries import dotted

__all__ = ["SingleOutputs"]


_GRAPH = Template("return nn.gModule(INPUTS, OUTPUTS)")
_INSERTION = Template("table.insert(LIST, NODE)")


class SingleOutputs(Rewriting):
    """``local outputs = {} table.insert(outputs, x) nn.gModule(inputs, outputs)`` has ``{x}`` for its outputs."""

    def rewrite(self) -> None:
        graphs = [_GRAPH.match(call) for call in tree.every(self.program, Call)]
        outputs = {graph["OUTPUTS"] for graph in graphs if graph is not None}
        for block in self.blocks() if outputs else ():
            for at, statement in enumerate(block.statements):
                if isinstance(statement, tree.Local) and len(statement.names) == len(statement.values) == 1:
                    self._list(statement, Block(block.statements[at + 1 :], None, ()), outputs)

    def _list(self, statement: tree.Local, rest: Block, outputs: set[Expression]) -> None:
        """Write a list out that is nothing but the outputs of one graph behind it, and has one item."""
        (name,), (table,) = statement.names, statement.values
        variable = self.scopes.of_name[name]
        of_graph = outputs.intersection(variable.reads)
        if not isinstance(table, tree.Table) or variable.writes or len(of_graph) != 1:
            return
        (output,) = of_graph
        if not any(node is output for node in tree.walk(rest)):
            return
        items = [field.value for field in table.fields if field.key is None and isinstance(field.value, Name)]
        if len(items) == len(table.fields) == 1 and len(variable.reads) == 1:
            self.put(table, self.text(items[0]))
            self.put(output, f"{{{name.name}}}")
        elif not table.fields and len(variable.reads) == 2:
            insertions = [
                (s, node) for s in rest.statements if (node := self._inserted(s, variable)) is not None
            ]
            if insertions and insertions[0][0].span.end < output.span.start:
                insertion, node = insertions[0]
                end = statement.span.end
                end += len(self.source[end:]) - len(self.source[end:].lstrip(b" ;"))
                self.put_between(statement.span.start, end, "")
                self.put(insertion, f"local {name.name} = {self.text(node)}")
                self.put(output, f"{{{name.name}}}")

    def _inserted(self, statement: Statement, variable: Variable) -> Expression | None:
        """The node that a statement puts into a list: a variable, or a layer that is called, which is one value."""
        parts = _INSERTION.match(statement)
        if parts is None or self.variable(parts["LIST"]) is not variable:
            return None
        node = parts["NODE"]
        makes = node.callee if isinstance(node, Call) else None
        is_called = isinstance(makes, Call) and (dotted(makes.callee) or "").startswith("nn.")
        return node if isinstance(node, Name) or is_called else None
