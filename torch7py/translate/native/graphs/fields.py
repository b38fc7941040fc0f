"""Fields of the object whose method makes a graph: the graph's class is given those that it needs."""

from __future__ import annotations

from collections.abc import Sequence

from torch7py.translate import tree
from torch7py.translate.native.code import python_name
from torch7py.translate.native.graphs.parts import GraphClass
from torch7py.translate.native.graphs.sites import Sites
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Index, Name, String

__all__ = ["Fields"]


class Fields(Sites):
    def fields_in(self, nodes: Sequence[tree.Node | tree.Block]) -> list[Index]:
        """Where statements look at fields of the object, in the order of the source."""
        every = (n for root in nodes for n in tree.walk(root))
        fields = [
            n for n in every if isinstance(n, Index) and isinstance(n.key, String) and self.is_self(n.base)
        ]
        return sorted(fields, key=lambda n: n.span.start)

    def fields_of_object(self, function: tree.Function) -> list[Index]:
        """Where a function in a method, and those that it calls for nodes, look at fields of the method's object."""
        if any(self.is_self(parameter) for parameter in function.parameters):
            return []
        fields, nodes = self.fields_in([function.body]), list(tree.walk(function.body))
        bases: set[tree.Node] = {node.base for node in fields}
        bases -= {
            x.base for n in nodes if isinstance(n, tree.Assign) for x in n.targets if isinstance(x, Index)
        }
        for node in nodes:
            if isinstance(node, Name) and self.is_self(node) and node not in bases:
                raise Problem("T7-221", node.line, "a graph made of the fields of an object")
            for other in self.t.types.function_called(node) if isinstance(node, Call) else ():
                if other is not function and self.gives_nodes(other):
                    fields += self.fields_of_object(other)
        return fields

    def take_fields(self, cls: GraphClass, fields: Sequence[Index]) -> list[str]:
        """Have a class be given what it needs of the object whose method makes it; what it is given."""
        texts = []
        taken = {self.t.names.of_variable(v) for v in {*cls.scope.variables, *self.outer(cls.scope)}}
        for node in fields:
            assert isinstance(node.key, String)
            if node.key.value not in cls.fields:
                text = self.t.value(node).text
                name = text.rpartition(".")[2]
                if not name.isidentifier():  # an entry of a table
                    name = python_name(node.key.value)
                while name in taken or name in cls.fields.values():
                    name += "_"
                cls.fields[node.key.value] = name
                texts.append(text)
        return texts
