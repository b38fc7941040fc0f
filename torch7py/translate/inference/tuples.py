"""Tables of a few values of different kinds: ``{sentence, label}``, ``{state, action, reward}``.

A table has one kind of element, unless its kinds were found to differ, it is made with the same number of values
everywhere, and it is only ever indexed with constants or unpacked. Then the program is looked at once more, with a
kind for each of its places; they are kept as fields named "1", "2", ...
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.kinds import Type
from torch7py.translate.tree import Block, Call, Index, Invoke
from torch7py.translate.types import Types

__all__ = ["MARK", "element_type", "mixed"]

MARK = "by place"
_LARGEST = 9
_KEEPING = ("unpack", "table.unpack", "table.insert", "assert")
_SEVERAL = frozenset(
    {"", "unpack", "table.unpack", "max", "min", "sort", "topk", "kthvalue", "mode", "median"}
) | {
    *("find", "gsub", "match", "string.find", "string.gsub", "string.match", "getParameters", "parameters"),
    *("torch.max", "torch.min", "torch.sort", "torch.topk", "pcall", "select"),
}


def element_type(base: Type, key: tree.Node) -> Type | None:
    """The type of one place of such a table."""
    if not base.has(MARK) or not isinstance(key, tree.Number) or not isinstance(key.value, int):
        return None
    return base.of_field(str(key.value))


def mixed(types: Types, program: Block) -> set[tree.Table]:
    """The constructors of such tables, when kinds are known."""
    constructors: dict[Type, list[tree.Table]] = {}
    for node in tree.every(program, tree.Table):
        type_ = types.of(node)
        if type_.kind == "table" and not type_.classes and node.fields:
            constructors.setdefault(type_, []).append(node)
    sizes = {
        type_: len(nodes[0].fields)
        for type_, nodes in constructors.items()
        if type_.element is not None
        and type_.of_elements().kind == "any"
        and not type_.fields
        and not type_.has("append")
        and all(_is_plain(node, len(nodes[0].fields)) for node in nodes)
    }
    if not sizes:
        return set()
    for index in tree.every(program, Index):
        type_ = types.of(index.base)
        if type_ in sizes and not (
            isinstance(index.key, tree.Number) and 1 <= index.key.value <= sizes[type_]
        ):
            del sizes[type_]
    calls: list[Call | Invoke] = [*tree.every(program, Call), *tree.every(program, Invoke)]
    for call in calls:
        path = types.path(call.callee) if isinstance(call, Call) else None
        if path not in _KEEPING and not types.function_called(call):
            for argument in call.arguments:
                sizes.pop(types.of(argument), None)
    return {
        table
        for type_ in sizes
        if all(_gives_one(types, table.fields[-1].value) for table in constructors[type_])
        for table in constructors[type_]
    }


def _is_plain(node: tree.Table, size: int) -> bool:
    return (
        len(node.fields) == size and 2 <= size <= _LARGEST and all(item.key is None for item in node.fields)
    )


def _gives_one(types: Types, node: tree.Expression) -> bool:
    """Whether the last expression of a constructor is one value for all that is known."""
    if isinstance(node, (Call, Invoke)):
        functions = types.function_called(node)
        if functions:
            return all(types.returns[f].count == 1 and not types.returns[f].open for f in functions)
        return (node.method if isinstance(node, Invoke) else types.path(node.callee) or "") not in _SEVERAL
    return not isinstance(node, tree.Vararg)
