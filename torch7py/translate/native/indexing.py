"""Indexing, with positions counted from 0, and tables."""

from __future__ import annotations

import keyword
import re

from torch7py.ops.registry import operations
from torch7py.translate import page_library, tree
from torch7py.translate.kinds import LuaClass
from torch7py.translate.native import (
    code,
    confusion_matrix,
    flat_parameters,
    library_rules,
    memory,
    metatables,
    plain_calls,
    timers_and_paths,
)
from torch7py.translate.native.analysis.unknown_values import described, is_open, undecided
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.integer_tensors import elements
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.optimizers import settings, writing
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.native.text import may_be_no_entry
from torch7py.translate.tree import Expression, Index, Invoke, Name, Number, String, Unary
from torch7py.translate.tree_queries import same_expression

__all__ = [
    "index",
    "is_attribute",
    "is_item",
    "item",
    "key",
    "list_position",
    "may_be_missing",
    "table",
    "tensor_index",
]


def key(t: Translation, node: Index) -> Py:
    """The key of a dict."""
    return t.value(node.key)


def index(t: Translation, node: Index) -> Py:
    path = t.path(node)
    if path is not None:
        named = t.classes.uses.named(node)
        if named is not None:
            return named
        if path in library_rules.values:
            t.imports.add(library_rules.values[path].partition(".")[0])
            return atom(library_rules.values[path])
        known = _constant(t, path)
        if known is not None:
            return known
    t.present.add(node.base)  # nil has no fields
    if t.is_object(node.base):
        t.models.refuse_unknown(node)
        raise Undecided("T7-225", node.line, "a field of a module that is an object")
    entry = t.classes.uses.entry(node)
    if entry is not None:
        return entry
    setting = settings.settings_field(t, node)
    if setting is not None:
        return atom(setting)
    vector = (
        settings.value_of_field(t, node)
        or t.training.vectors.alias(node)
        or t.training.parameter_lists.item(node)
    )
    if vector is not None:
        return vector
    of_graph = None if t.objects else t.graphs.of_field(node) or t.graphs.of_node(node)
    special = of_graph or t.modules.field(node) or t.models.field(node)
    if special is not None:
        return special
    if isinstance(node.base, Name) and t.classes.torch_class_tables(t.scopes.of_name[node.base]):
        held = t.classes.uses.named(node)  # a class that torch.class put there
        if held is not None:
            return held
    lua_class = t.types.class_named(node)
    if lua_class is not None and lua_class.holder is not None:
        named_so = node.key_name == lua_class.name.rpartition(".")[2]
        if named_so and t.type(lua_class.holder).find() is t.type(node.base).find():
            return t.modules.class_name(lua_class, node.line)
    fact = timers_and_paths.index(t, node)
    if fact is not None:
        return fact
    kind = t.kind(node.base)
    if (
        isinstance(node.base, Name)
        and node.base.name == "arg"
        and path is None
        and t.scopes.is_global(node.base, "arg")
    ):
        t.imports.add("sys")
        argument = atom(f"sys.argv[{t.expressions.whole_number(node.key)}]")
        if node not in t.looked_for or not isinstance(node.key, Number) or node.key.value < 1:
            return argument
        return Py(f"{argument} if len(sys.argv) > {int(node.key.value)} else None", code.TERNARY)
    if kind == "tensor":
        return tensor_index(t, node)
    if is_attribute(t, node) and isinstance(node.key, String):
        name = node.key.value
        # C.new, which makes objects as C does.
        if name == "new" and kind == "class" and t.kind(node) == "class":
            return t.value(node.base)
        classes = t.type(node.base).find().classes
        of_class = kind == "object" and all(_is_static(lua_class, name) for lua_class in classes)
        if kind != "class" and not of_class and any(lua_class.everywhere(name) for lua_class in classes):
            raise Undecided("T7-241", node.line, f"the method {name} as a value")
        return t.classes.uses.field(node)
    if kind == "table":
        base = t.value(node.base).at(code.ATOM)
        representation = t.representation(node.base)
        if representation == "several":
            raise Undecided(
                "T7-303", node.line, f"indexing {described(t, node.base)}, now a list and now another"
            )
        if writing.holds_loss(t, node.base):
            return atom(f"{base}.item()")
        if representation == "options" and isinstance(node.key, String):
            name = node.key.value
            if name not in t.options and _is_never_assigned(t, node):
                return atom(f"getattr({base}, {code.quoted(name)}, None)")
            if code.attribute_name(name) != name:
                return atom(f"getattr({base}, {code.quoted(name)})")
            return atom(f"{base}.{name}")
        if representation == "options":
            return atom(f"vars({t.value(node.base)}).get({option_name(t, node)})")
        if representation == "list" and t.kind(node.key) == "string":
            raise Undecided("T7-303", node.line, "a field of a list")
        if representation == "list":
            if may_be_missing(t, node):
                return item(t, node)
            position = list_position(t, node)
            if str(position) == "0" and isinstance(node.base, Invoke) and " for " in base and base[0] == "[":
                return atom(f"next({base[1:-1]})")  # the first of those that a comprehension finds
            return atom(f"{base}[{position}]")
        if may_be_missing(t, node):
            return atom(f"{base}.get({key(t, node)})")
        return atom(f"{base}[{key(t, node)}]")
    if kind == "confusion":
        return confusion_matrix.field(t, node)
    if kind == "pointer":
        return memory.element(t, node)
    if kind == "storage":
        return atom(f"{t.value(node.base).at(code.ATOM)}[{t.expressions.position(node.key)}]")
    path = t.path(node)
    if path == "cudnn.version":
        return atom("torch.backends.cudnn.version()")
    if plain_calls.minimizes(path) or (path is None and t.path(node.base) == "optim"):
        reason = f"{path or 'a function of optim'}, which is called otherwise than by its name"
        raise (Undecided if t.plain_vectors else Problem)("T7-228", node.line, reason)
    if plain_calls.is_function_value(path):
        raise Undecided("T7-201", node.line, f"{path} as a value")
    reason = f"indexing {described(t, node.base)}"
    raise (
        Undecided("T7-303", node.line, reason)
        if t.objects
        else undecided(t, node.base, "T7-303", node.line, reason)
    )


def option_name(t: Translation, node: Index) -> Py:
    """The name of an option that is not written out."""
    if t.kind(node.key) != "string":
        raise Problem("T7-303", node.line, "an option by a name that is not written out")
    return t.value(node.key)


def _is_never_assigned(t: Translation, node: Index) -> bool:
    """Whether a table never gets a field of this name."""
    base_type = t.type(node.base)
    if not isinstance(node.key, String) or base_type.find().classes or base_type.kind != "table":
        return False
    return t.tables.is_never_assigned(base_type, node.key.value)


def is_item(t: Translation, node: Index) -> bool:
    """Whether an expression is an item of a list."""
    if t.kind(node.base) != "table" or t.path(node) is not None or writing.holds_loss(t, node.base):
        return False
    return t.representation(node.base) == "list"


def item(t: Translation, node: Index) -> Py:
    """An item of a list, or None where it has none at that place."""
    return atom(f"{t.need('lua_item')}({t.value(node.base)}, {t.value(node.key)})")


def _is_static(lua_class: LuaClass, name: str) -> bool:
    """Whether a field of a class is a function that takes no object, here and in all that derive from it."""
    family = [lua_class]
    for member in family:
        family += member.derived
    return all(member.find(name) is not None and not _takes_object(member, name) for member in family)


def _takes_object(lua_class: LuaClass, name: str) -> bool:
    owner: LuaClass | None = lua_class
    while owner is not None and name not in owner.statics:
        if name in owner.methods or name in owner.makers or name in owner.aliases:
            return True
        owner = owner.base
    return owner is None


def may_be_missing(t: Translation, node: Index) -> bool:
    """Whether what a program takes out of a list or a dict is read as None where it has nothing at that place."""
    representation = t.representation(node.base)
    if node in t.present:
        return False
    if representation == "list":
        return _may_lack_item(t, node) or t.list_bounds.may_be_nil(node) or t.counts.may_lack(node)
    entry_type = t.type(node)
    by_name = isinstance(node.key, String)
    may_lack = entry_type.nil or (by_name and entry_type.has("tested")) or node in t.looked_for
    may_lack = may_lack and not ((by_name or not entry_type.nil) and t.tables.has_key(node))
    of_json = representation == "dict" and t.type(node.base).has("json")
    return may_lack or of_json or _is_never_assigned(t, node)


def _may_lack_item(t: Translation, node: Index) -> bool:
    """Whether an item of a list is one that the program compares with nil, and may be none, or that ends a loop."""
    item_type = t.type(node)
    if item_type.has("node"):  # of a graph, which is there whenever it is used
        return False
    tested = (
        item_type.nil or node in t.looked_for or (item_type.has("tested") and item_type.kind != "boolean")
    )
    return tested and not t.tables.has_item(node)


def is_attribute(t: Translation, node: Index) -> bool:
    """Whether an expression is a field of an object, or of a class, of the program's own."""
    return isinstance(node.key, String) and t.types.is_of_classes(node.base)


def list_position(t: Translation, node: Index) -> Py:
    key = node.key
    if isinstance(key, Unary) and key.operator == "#" and same_expression(key.operand, node.base):
        return atom("-1")
    return t.expressions.position(key)


def tensor_index(t: Translation, node: Index, assigned: bool = False) -> Py:
    base, keys = node.base, [node.key]
    # x[i][j] is x[i, j]
    while (
        isinstance(base, Index)
        and t.kind(base) == "tensor"
        and t.kind(base.base) == "tensor"
        and not isinstance(base.key, tree.Table)
        and t.kind(base.key) == "number"
        and t.models.field(base) is None
    ):
        keys.insert(0, base.key)
        base = base.base
    texts: list[str] = []
    if isinstance(node.key, String) and node.key.value not in operations and t.type(node).has("tested"):
        # The program asks whether it has a table with a field of that name, or a tensor.
        raise Undecided("T7-304", node.line, "a tensor or a table with a field")
    for key in keys:
        texts += _tensor_keys(t, base, key)
    while len(texts) > 1 and texts[-1] == ":":
        texts.pop()
    text = f"{t.value(base).at(code.ATOM)}[{', '.join(texts)}]"
    if assigned or node in t.raw_elements:
        return atom(text)
    is_number = t.kind(node) == "number" or _is_element(t, node, base, keys)
    if is_number and not t.plain_tensors:
        return atom(f"{text}.item()")
    if is_number or _may_be_element(t, node, base, keys):
        return atom(f"{t.need('element')}({text})")  # a number or a tensor, as the tensor has dimensions
    return atom(text)


def _is_element(t: Translation, node: Index, base: Expression, keys: list[Expression]) -> bool:
    """Whether a part of a tensor that is kept where other things are is one element."""
    open_kind = t.kind(node) in (None, "any")
    return open_kind and t.type(base).rank == len(keys) and all(t.kind(key) == "number" for key in keys)


def _may_be_element(t: Translation, node: Index, base: Expression, keys: list[Expression]) -> bool:
    """Whether it is not known if a part of a tensor is one element."""
    rank = t.type(base).rank
    if t.kind(node) in (None, "any"):
        return rank is None or rank <= len(keys)
    ranks = t.type(base).find().ranks
    return len(ranks) > 1 and len(keys) in ranks and all(t.kind(key) == "number" for key in keys)


def _tensor_keys(t: Translation, base: Expression, key: Expression) -> list[str]:
    if isinstance(key, tree.Table):
        return [_slice(t, item.value) for item in key.fields] or [":"]
    kind = t.kind(key)
    if kind == "tensor":
        # Torch7 indexes with masks alone; positions are what index() takes.
        return [str(t.value(key)) if elements(t, key) == "mask" else f"{t.value(key).at(code.ATOM)}.bool()"]
    if kind not in ("number", None):
        by_table = kind == "table" or is_open(t, key) or is_open(t, base)
        raise (Undecided if by_table else Problem)("T7-304", key.line, f"a tensor indexed with a {kind}")
    return [str(t.expressions.position(key))]


def _slice(t: Translation, node: Expression) -> str:
    if not isinstance(node, tree.Table) and t.kind(node) == "table":
        return _named_slice(t, node)
    if not isinstance(node, tree.Table):
        return str(t.expressions.position(node))
    values = [item.value for item in node.fields]
    if not values:
        return ":"
    first = t.expressions.position(values[0])
    last = values[-1]
    if len(values) == 1:
        end = t.expressions.whole_number(last)
    elif isinstance(last, Unary) and isinstance(last.operand, Number):
        end = atom("") if last.operand.value == 1 else atom(f"-{int(last.operand.value) - 1}")
    else:
        end = t.expressions.whole_number(last)
    return code.stretch(first.text, str(end))


def _named_slice(t: Translation, node: Expression) -> str:
    """``x[{rows, {}}]`` with ``rows = {first, last}``."""
    sources = t.integers.sources(t.scopes.of_name[node]) if isinstance(node, Name) else []
    if not sources or any(not isinstance(s, tree.Table) or len(s.fields) != 2 for s in sources):
        raise Undecided("T7-304", node.line, "a tensor indexed with a table that is not written out")
    first, last = (Index(node.span, node, Number(node.span, n, str(n)), False) for n in (1, 2))
    return code.stretch(str(t.expressions.position(first)), str(t.expressions.whole_number(last)))


# An entry that a table need not have, or a field of what may have any.
_MAY_LACK = re.compile(rf"^(\w+\.get\(\"\w+\"\)|{page_library.MODULE}\.index\([^()]*\))$")


def table(t: Translation, node: tree.Table) -> Py:
    if t.is_floor and node not in t.native_tables:
        return plain_calls.new_table(t, node)
    table_type = t.type(node)
    representation = t.tables.representation(table_type)
    if representation == "list":
        items = []
        for item in node.fields:
            if isinstance(item.value, tree.Nil) and not t.tables.only_by_places(table_type):
                raise Problem("T7-305", node.line, "nil in a list")
            last = item is node.fields[-1]
            if last and isinstance(item.value, tree.Vararg):
                items.append(f"*{t.rest()}")
            elif last and t.is_unpacked(item.value):
                values = t.calls.unpacked(item.value, in_list=True)
                is_part = isinstance(item.value, tree.Call) and len(item.value.arguments) > 1
                if len(node.fields) == 1 and is_part:  # a part of a list is a list of its own
                    return values
                items.append(f"*{values}")
            elif last and isinstance(item.value, Invoke) and item.value.method == "getParameters":
                items.append(f"*{flat_parameters.value(t, item.value)}")
            else:
                items.append(t.value(item.value).text)
                if _MAY_LACK.search(items[-1]) and not t.tables.only_by_places(table_type):
                    raise Undecided("T7-305", node.line, "a list with what may be nil")
        return atom(f"[{', '.join(items)}]")
    if representation == "options":
        return _options(t, node)
    entries = []
    position = 0
    for item in node.fields:
        if item in t.training.dropped_fields:
            continue
        if item.key is None:
            position += 1
            key = str(position)
            if item is node.fields[-1] and (isinstance(item.value, tree.Vararg) or t.is_unpacked(item.value)):
                every = t.rest() if isinstance(item.value, tree.Vararg) else t.calls.unpacked(item.value)
                numbered = f"enumerate({every}, {position})"
                entries.append(f"**{{key: item for key, item in {numbered} if item is not None}}")
                continue
        else:
            key = t.value(item.key).text
        entries.append(f"{key}: {t.value(item.value)}")
    written = f"{{{', '.join(entries)}}}"
    if any(may_be_no_entry(t, node, item.value) for item in node.fields if item.key is not None):
        written = f"{{key: value for key, value in {written}.items() if value is not None}}"
    return atom(metatables.with_metatable(t, table_type, written))


def _options(t: Translation, node: tree.Table) -> Py:
    """A table in the place of what a command line gives."""
    named, others = [], []
    for item in node.fields:
        if item.key_name is None:
            raise Undecided("T7-306", node.line, "a table with other keys than names in the place of options")
        value = t.value(item.value)
        if item.key_name.isidentifier() and not keyword.iskeyword(item.key_name):
            named.append(f"{item.key_name}={value}")
        else:
            others.append(f"{code.quoted(item.key_name)}: {value}")
    more = [f"**{{{', '.join(others)}}}"] if others else []
    t.imports.add("argparse")
    return atom(f"argparse.Namespace({', '.join([*named, *more])})")


_CONSTANTS = {
    "math.pi": ("math.pi", "math"),
    "math.huge": ("math.inf", "math"),
}


def _constant(t: Translation, path: str) -> Py | None:
    if path in _CONSTANTS:
        text, module = _CONSTANTS[path]
        t.imports.add(module)
        return atom(text)
    rule = library_rules.constants.get(path)
    return None if rule is None else rule(t, path)
