"""What something of several kinds is where it is used, told by the use: numbers, booleans and tables have no methods.

``x:narrow(1, 1, n)`` of a number or a tensor is of a tensor, or an error in Lua as it is one in Python. The type of the
expression at that place is one of its own, so that what it gives is not of all that the variable is elsewhere.
"""

from __future__ import annotations

import functools

from torch7py.nn.registry import layers
from torch7py.translate import tree
from torch7py.translate.kinds import Type
from torch7py.translate.tree import Expression, Index, Invoke
from torch7py.translate.types import Types

__all__ = ["UseSiteTypes"]

_WITHOUT_METHODS = {"number", "boolean", "function"}
_OF_TEXT = set("byte find format gmatch gsub len lower match rep reverse sub upper char dump".split())


@functools.cache
def _of_modules() -> frozenset[str]:
    """The methods that modules have in Lua, some of them or all."""
    every = {cls for layer in layers.values() for cls in layer.__mro__}
    return frozenset(name for cls in every for name in vars(cls).get("lua_methods", ()))


def _is_hidden(type_: Type) -> bool:
    """Whether something may be a tensor of Torch7's that is none in a page: all weights as one, a node of a graph."""
    return any(type_.has(mark) for mark in ("flat weights", "flat gradients", "node"))


class UseSiteTypes:
    def __init__(self, types: Types) -> None:
        self.types = types
        self._seen: dict[Expression, Type] = {}

    def receiver(self, node: Invoke, receiver_type: Type) -> Type | None:
        """The receiver of a method as a tensor, where only that has methods of all that it may be."""
        kinds = receiver_type.find().kinds
        if (
            "tensor" not in kinds
            or len(kinds) < 2
            or self.types.function_called(node)
            or _is_hidden(receiver_type)
        ):
            return None
        others = kinds - _WITHOUT_METHODS - {"tensor"}
        if others & {"object", "table"}:
            fields = receiver_type.find().fields
            is_of_class = "object" not in others and receiver_type.find().classes
            if is_of_class or (node.method in fields and fields[node.method].kind != "number"):
                return None
            others -= {"object", "table"}
        if "string" in others and node.method not in _OF_TEXT:
            others -= {"string"}
        if not receiver_type.find().classes and node.method not in _of_modules():
            others -= {"module"}
        return None if others else self._as_tensor(node)

    def base(self, node: Index, base_type: Type) -> Type | None:
        """What is indexed as a tensor, where nothing else that it may be can be indexed so."""
        kinds = base_type.find().kinds
        if _is_hidden(base_type):
            return None
        if isinstance(node.key, tree.Table):  # x[{{}, 1}]: there is no table with such a key
            others = kinds - _WITHOUT_METHODS - {"table", "string", "module", "tensor"}
            return self._as_tensor(node) if kinds and kinds != {"tensor"} and not others else None
        if "tensor" not in kinds or len(kinds) < 2 or isinstance(node.key, tree.String):
            return None
        return None if kinds - _WITHOUT_METHODS - {"tensor"} else self._as_tensor(node)

    def _as_tensor(self, node: Expression) -> Type:
        tensor_type = self._seen.get(node)
        if tensor_type is None:
            tensor_type = self._seen[node] = Type("tensor")
        return tensor_type

    def settle(self) -> None:
        """Have the places of such uses be of what the use tells, once all is known."""
        for node in self._seen:
            if isinstance(node, Invoke):
                at = node.receiver
                inferred = self.receiver(node, self.types.of(at))
            else:
                assert isinstance(node, Index)
                at = node.base
                inferred = self.base(node, self.types.of(at))
            if inferred is not None:
                self.types.by_node[at] = inferred
