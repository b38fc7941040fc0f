"""Plain calls: what is written where nothing has been proved of the values that a statement uses.

``t[k]`` of a value of unknown kind becomes ``lua_compat.index(t, k)``: a function of the pages' library, which looks at
the value when the page runs and takes every kind that a page has. Such a call costs the page beauty at that place and
nothing else.

A statement is written so only where its idiomatic form is undecided (``problem.Undecided``): the program does not tell
of what kind a value is, or how many values a call gives. Other problems say that a page could not do what the program
does, whatever the values are.
"""

from __future__ import annotations

from functools import cache

from torch import nn

from torch7py.nn.original_methods import original_methods
from torch7py.translate import library, literals, page_library, tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.facts.layers import BACKWARD, FORWARD
from torch7py.translate.facts.methods import DRAWING
from torch7py.translate.kinds import Type
from torch7py.translate.native import code, layer_classes, library_rules
from torch7py.translate.native.analysis import memory_calls
from torch7py.translate.native.analysis.unknown_values import AS_OBJECTS
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.page_packages import only_gives_names
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Binary, Call, Expression, Index, Invoke, Name, String, Unary
from torch7py.translate.usage import required

__all__ = [
    "all_values",
    "arguments",
    "gives_all",
    "goes_through_modules",
    "has_function",
    "has_method",
    "is_first",
    "is_function_value",
    "library_call",
    "loop_head",
    "may_be_of_program",
    "minimizes",
    "new_table",
    "note_result",
    "several",
    "sole",
    "statement",
    "store",
    "value",
]

_ARITHMETIC = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "modulo", "^": "power"}

_TYPES = frozenset({"nil", "number", "string", "boolean", "table", "function"})
# Of values whose kind is known the library has some methods.
_FAMILIES = {
    "tensor": "tensor",
    "module": "module",
    "criterion": "module",
    "string": "text",
    "storage": "storage",
}
# Functions of Lua and Torch7 of which the library has one for values of any kind. Those with several values are tuples.
_FUNCTIONS = {
    "cjson.decode": "from_json",
    "cutorch.getDeviceProperties": "device_properties",
    "cjson.encode": "to_json",
    "error": "error",
    "getmetatable": "getmetatable",
    "io.write": "write_values",
    "ipairs": "ipairs",
    "pairs": "pairs",
    "print": "print_values",
    "rawget": "raw_get",
    "rawset": "raw_set",
    "setmetatable": "setmetatable",
    "table.concat": "concatenate",
    "table.getn": "length",
    "table.insert": "insert",
    "table.remove": "remove",
    "string.char": "char",
    "tonumber": "to_number",
    "torch.DiskFile": "DiskFile",
    "torch.MemoryFile": "MemoryFile",
    "torch.isStorage": "is_storage",
    "torch.isTypeOf": "is_type_of",
    "torch.pointer": "pointer",
    "torch.type": "torch_type",
    "torch.layers_of_caffemodel": "layers_of",  # in the page of the package loadcaffe
    "torch.typename": "name_of_type",
    "tostring": "text_of",
    "type": "type_of",
}
# Those that a page has otherwise where their arguments are proved.
_OTHERS = {
    "bit.tohex": "hexadecimal",
    "collectgarbage": "collect_garbage",
    "io.lines": "lines_of_file",
    "io.tmpfile": "temporary_file",
    "io.type": "kind_of_file",
    "os.date": "date",
    "os.difftime": "difference_of_times",
    "os.getenv": "variable_of_process",
    "os.time": "seconds_of",
    "rawequal": "raw_equal",
    "rawlen": "length",
    "table.maxn": "largest_key",
    "table.pack": "packed",
    "nn.utils.addSingletonDimension": "with_dimension",
    "nn.utils.clear": "clear_fields",
    "threads.Mutex": "Mutex",
    "threads.safe": "safe",
    "torch.LongStorage": "new_sizes",
}
# Functions of optim that give more than what they move and the values on the way.
_LONGER = {"optim.asgd", "optim.cg", "optim.checkgrad", "optim.lbfgs"}
# Passes of modules in plain calls: the tables that they give are lists.
_OF_PASSES = tuple(f"{page_library.MODULE}.{name}(" for name in ("forward", "forward_step", "backward"))
# What makes a pool of threads.
_POOLS = {"threads", "threads.Threads"}
# Functions with several values, or with none, a tuple each.
_SEVERAL = {
    "assert": "asserted",
    "cutorch.getMemoryUsage": "memory_usage",
    "cutorch.withDevice": "with_device",
    "io.open": "open_file",
    "next": "next_entry",
    "os.execute": "executed",
    "os.remove": "remove_file",
    "os.rename": "rename_file",
    "pcall": "pcall",
    "table.foreach": "for_each_entry",
    "table.foreachi": "for_each_item",
    "table.unpack": "unpack",
    "unpack": "unpack",
    "xpcall": "protected",
}
# Libraries of Lua's, and the functions of each that the library has by their names.
_LIBRARIES = {
    "bit": "BITS",
    "coroutine": "OF_COROUTINES",
    "display": "DISPLAYED",
    "image": "IMAGE_FUNCTIONS",
    "math": "OF_NUMBERS",
    "string": "TEXT_METHODS",
}
# Of some of these one function of the library is given the name of another.
_BY_NAME = {"bit": "bit_function", "display": "pane", "image": "image_function"}


def has_method(kind: str | None, method: str) -> bool:
    """Whether the library has a method for what is known to be of a kind.

    It can add a layer to a module of which nothing is known; of another one the rest of the page would not know.
    """
    family = _FAMILIES.get(kind or "")
    return (
        family is not None and page_library.has_method(family, method) and (kind, method) != ("module", "add")
    )


def may_be_of_program(t: Translation, node: Invoke) -> bool:
    """Whether a module of which nothing is known, as a file gives it, may be of a class that has the method."""
    type_ = t.type(node.receiver).find()
    if type_.kind != "module" or type_.layers or type_.classes:
        return False
    return any(node.method in c.methods for c in t.classes.all if c.instance.kind == "module")


# Methods of all modules that go through those inside, and tell them by their classes.
_THROUGH_MODULES = {"apply", "applyToModules", *library.MODULE_LISTS}


def goes_through_modules(t: Translation, node: Invoke) -> bool:
    """Whether this is a method of all modules for which the library must know what Torch7 calls those of a page."""
    if t.kind(node.receiver) != "module" or (
        t.types.function_called(node) and not _of_all_modules(t, node.method)
    ):
        return False
    return node.method in _THROUGH_MODULES or _of_all_modules(t, node.method)


@cache
def is_new_method(name: str | None) -> bool:
    """Whether no class of Torch7's layers has a method of this name, so that one that all are given is everywhere."""
    named = {method for methods in original_methods().values() for method in methods}
    return name is not None and name.isidentifier() and name not in named and not hasattr(nn.Module, name)


def _of_all_modules(t: Translation, method: str) -> bool:
    """Whether the program gives the class of all modules a method."""
    return any(
        isinstance(s.target, Index) and s.target.key_name == method and facts.is_module(t.path(s.target.base))
        for s in tree.every(t.program, tree.FunctionStatement)
    )


def _is_of_program(t: Translation, node: Invoke) -> bool:
    """Whether this is a method that only the program's own class of modules has, by the same name in a page."""
    if t.kind(node.receiver) != "module" or not t.types.function_called(node):
        return False
    if node.method in {*FORWARD, *BACKWARD}:
        return False
    return (
        node.method.isidentifier() and not hasattr(nn.Module, node.method) and not node.method.startswith("_")
    )


def has_function(path: str) -> bool:
    """Whether the library has a function of Lua's for values of every kind."""
    owner, _, last = path.rpartition(".")
    return (
        path in _FUNCTIONS
        or path in _OTHERS
        or path == "table.sort"
        or _of_penlight(path) is not None
        or path in _POOLS
        or path == "torch.factory"
        or page_library.of_package(path) is not None
        or path in library.STORAGES
        or path in _SEVERAL
        or minimizes(path)
        or (owner in _LIBRARIES and last in page_library.entries(_LIBRARIES[owner]))
    )


# The functions that take the names of the others, which give all values of these.
_NAMED = {
    "bit": "bit_function",
    "coroutine": "coroutine_function_all",
    "math": "math_function_all",
    "string": "text_function_all",
}
# Functions whose plain calls are others than those of a value, and those that give nothing.
_AS_VALUES = {"select": "values_from", **_FUNCTIONS, **_OTHERS, **_SEVERAL}
_WITHOUT_RESULTS = {"print", "table.insert"}
# Those with at least one.
_ALWAYS_SOME = {"io.open", "next", "os.execute", "os.remove", "os.rename", "pcall", "xpcall"}
# Functions that give nil as well.
_OR_NIL = {"getmetatable", "io.type", "os.getenv", "rawget", "table.remove", "tonumber", "torch.typename"}
# Functions that tell what class a value is of, which a module of PyTorch's does not.
_OF_CLASSES = {"torch.isTypeOf", "torch.typename"}
# Functions that look at one value, however many a call gives.
_OF_ONE = {"getmetatable", "torch.isTensor", "torch.type", "tostring", "type"} & _FUNCTIONS.keys()


def is_function_value(path: str | None) -> bool:
    """Whether the library has a function of Lua's as a value."""
    owner, _, last = (path or "").rpartition(".")
    named = owner in _NAMED and last in page_library.entries(_LIBRARIES[owner])
    named |= owner == "torch" and _is_function_of_torch(last)
    return named or path in _AS_VALUES or path == "table.sort" or page_library.of_package(path) is not None


def _is_function_of_torch(name: str) -> bool:
    """Whether the library has a function of torch's by its name, of tensors or a constructor of these."""
    path = f"torch.{name}"
    makes = path in library.STORAGES or (path in library.TENSOR_TYPES and "Cuda" not in path)
    names = page_library.functions_of_tensors() | page_library.entries("NEW_ELEMENTS")
    return makes or name in names - DRAWING - library.DRAWS


def _makes_layers(t: Translation) -> bool:
    """Whether the program calls functions of nn's, which make its layers most of the time."""
    return any((t.path(call.callee) or "").startswith("nn.") for call in tree.every(t.program, Call))


def _function_value(t: Translation, path: str) -> Py:
    """A function of Lua's as a value."""
    owner, _, last = path.rpartition(".")
    if path == "table.sort":
        sort = library_call(t, "named", [f"{page_library.MODULE}.sort_table", t.need("lua_sort")])
        return library_call(t, "without_results", [sort.text])
    of_package = page_library.of_package(path)
    if of_package is not None:
        return library_attribute(t, of_package)
    if path in _AS_VALUES:
        function = library_attribute(t, _AS_VALUES[path])
        if path in _WITHOUT_RESULTS:
            return library_call(t, "without_results", [function.text])
        return library_call(t, "as_value", [function.text]) if path in _SEVERAL.keys() | _OR_NIL else function
    if owner == "torch":
        of_type = path in library.TENSOR_TYPES or path in library.STORAGES
        by_name = "tensor_of_type" if of_type else "function_all"
        return library_call(t, "named", [f"{page_library.MODULE}.{by_name}", code.quoted(last)])
    return library_call(t, "named", [f"{page_library.MODULE}.{_NAMED[owner]}", code.quoted(last)])


def _of_penlight(path: str) -> str | None:
    """The name of a function of Penlight's that the library has."""
    name = path.removeprefix("pl.")
    of_lists = name.startswith("List.") and name.removeprefix("List.") in page_library.entries("LIST_METHODS")
    known = of_lists or name in page_library.entries("PENLIGHT")
    return name if path.startswith("pl.") and known else None


def minimizes(path: str | None) -> bool:
    """Whether a function is one of optim's that the library has."""
    owner, _, last = (path or "").rpartition(".")
    return owner == "optim" and (last == "checkgrad" or last in page_library.entries("OPTIMIZERS"))


def _is_line_search(path: str | None) -> bool:
    return path in ("optim.lswolfe", "optim.polyinterp")


def gives_all(t: Translation, node: Expression) -> bool:
    """Whether the library gives all values of a call: of Lua's libraries, a node's, several or unknown functions."""
    if isinstance(node, Invoke) and t.graphs.is_node(node.receiver):
        return True
    if isinstance(node, (Call, Invoke)) and (
        t.calls.varies(node) or t.counts.is_unknown(node) or t.counts.is_exact_call(node)
    ):
        return True
    if isinstance(node, Invoke):
        return t.kind(node.receiver) == "string" and node.method in page_library.methods_of("text")
    owner, _, last = (t.path(node.callee) or "").rpartition(".") if isinstance(node, Call) else ("", "", "")
    of_library = owner in ("coroutine", "math", "string") and last in page_library.entries(_LIBRARIES[owner])
    return of_library or (
        bool(last) and ".".join(filter(None, (owner, last))) in {"select", "table.sort", *_SEVERAL}
    )


def value(t: Translation, node: Expression) -> Py | None:
    """An expression as a plain call, None where there is none."""
    path = t.path(node) if isinstance(node, Index) else None
    if path is not None and (minimizes(path) or _is_line_search(path)):
        return optimizer(t, path)
    if isinstance(node, Index) and t.path(node.base) == "optim" and path is None:
        return library_call(t, "index", [f"{page_library.MODULE}.OPTIMIZERS", t.value(node.key).text])
    if isinstance(node, Index) and isinstance(node.base, Name) and t.scopes.is_global(node.base, "_G"):
        return _global_function(t, node)
    library_name = t.path(node.base) if isinstance(node, Index) and not node.dotted else None
    if isinstance(node, Index) and library_name in _NAMED:
        entry = [library_attribute(t, _LIBRARIES[library_name]).text, t.value(node.key).text]
        name = library_call(t, "name_of_function", entry)
        return library_call(t, "named", [f"{page_library.MODULE}.{_NAMED[library_name]}", name.text])
    function = t.path(node) if isinstance(node, (Index, Name)) else None
    if function in _OF_CLASSES and not t.plain_modules and _makes_layers(t):
        raise Problem("T7-308", node.line, f"{function} as a value, which may be asked for modules")
    if function is not None and is_function_value(function):
        return _function_value(t, function)
    if isinstance(node, Index) and path is None:
        of_objects = node.key_name in page_library.entries("OBJECT_METHODS")
        function = "field_or_method" if t.plain_modules and of_objects else "index"
        return library_call(t, function, [t.value(node.base).text, t.value(node.key).text])
    of_package = path is not None and facts.class_of(path) is not None and t.types.class_named(node) is None
    if isinstance(node, Index) and path is not None and t.plain_modules and of_package:
        return layer_classes.constructor(t, node, path)
    if isinstance(node, Unary) and node.operator == "#":
        return library_call(t, "length", [t.value(node.operand).text])
    if isinstance(node, Binary) and node.operator in ("==", "~="):
        return _type_test(t, node)
    if isinstance(node, Binary) and node.operator in _ARITHMETIC:
        return library_call(
            t, _ARITHMETIC[node.operator], [t.value(node.left).text, t.value(node.right).text]
        )
    of_class = layer_classes.field_of_class(t, node)
    if of_class is not None:
        return library_call(t, "class_field", of_class)
    if isinstance(node, (Call, Invoke)):
        return _call(t, node, "call", "method")
    if isinstance(node, tree.Table) and all(field.key is None for field in node.fields):
        return library_call(t, "table_of", arguments(t, tuple(field.value for field in node.fields)))
    return None


def _global_function(t: Translation, node: Index) -> Py:
    """``_G[name]``: a function of the program's by its name; that it is one is seen when the page runs."""
    made = {s.target for s in tree.every(t.program, tree.FunctionStatement)}
    functions = [v for v in t.scopes.globals.values() if v.writes and made.issuperset(v.writes)]
    entries = ", ".join(f"{code.quoted(v.name)}: {t.names.of_variable(v)}" for v in functions)
    return library_call(t, "global_function", [f"{{{entries}}}", t.value(node.key).text])


def is_first(t: Translation, node: Expression) -> bool:
    """Whether an expression is a plain call wherever nothing is taken for known: the library takes any value."""
    if not t.plain_values:
        return False
    if isinstance(node, Index):
        is_class = _is_in_table_of_classes(t, node)
        return not is_class and t.path(node) is None and _may_be_any(t, node.base)
    if isinstance(node, Unary):
        return node.operator == "#" and _may_be_any(t, node.operand)
    if isinstance(node, Binary):
        return node.operator in _ARITHMETIC and (_may_be_any(t, node.left) or _may_be_any(t, node.right))
    if isinstance(node, Invoke):
        if node.method in DRAWING:
            return False  # a comparison gives the page's own calls of PyTorch's the program's numbers
        return _may_be_any(t, node.receiver) and (
            any(page_library.has_method(family, node.method) for family in _FAMILIES.values())
            or node.method in page_library.object_methods()
            or bool(t.types.function_called(node))
        )
    path = t.path(node.callee) if isinstance(node, Call) else None
    if not isinstance(node, Call) or path is None:
        is_literal = literals.text_of(node) is not None
        return isinstance(node, Call) and not is_literal and not _is_of_parent(t, node.callee)
    owner, _, last = path.rpartition(".")
    of_tensors = owner == "torch" and last in page_library.functions_of_tensors() - DRAWING - library.DRAWS
    of_texts = owner == "string" and last in page_library.methods_of("text")
    return path in _FUNCTIONS or of_tensors or of_texts


def _is_of_parent(t: Translation, callee: Expression) -> bool:
    """Whether ``parent.method`` is called, of the class that a class of the program's derives from."""
    base = callee.base if isinstance(callee, Index) else None
    return isinstance(base, Name) and t.scopes.of_name[base] in t.types.parent_of_variable


def _is_in_table_of_classes(t: Translation, node: Index) -> bool:
    """Whether this is a class that ``torch.class`` puts into a table: it has a name of its own in pages."""
    lua_class = t.types.class_named(node)
    return lua_class is not None and lua_class.holder is not None


def _may_be_any(t: Translation, node: Expression) -> bool:
    return t.kind(node) in (None, "any", "object")


def _type_test(t: Translation, node: Binary) -> Py | None:
    """``torch.type(x) == 'table'``"""
    for call, name in ((node.left, node.right), (node.right, node.left)):
        asked = isinstance(call, Call) and len(call.arguments) == 1 and t.path(call.callee) == "torch.type"
        if asked and isinstance(call, Call) and isinstance(name, String) and name.value in _TYPES:
            test = library_call(t, "is_a", [t.value(call.arguments[0]).text, code.quoted(name.value)])
            return test if node.operator == "==" else Py(f"not {test}", code.NOT)
    return None


def statement(t: Translation, node: Call | Invoke) -> Py | None:
    """A call whose values nobody asks for."""
    minimizing = isinstance(node, Call) and minimizes(t.path(node.callee))
    if isinstance(node, Call) and t.path(node.callee) == "require":
        return _required(t, node, as_value=False)
    return all_values(t, node) if minimizing else value(t, node)


def all_values(t: Translation, node: Call | Invoke) -> Py | None:
    """All values that a call gives, as a tuple; None where there is no plain call."""
    if not t.plain_values and t.counts.drops(node):
        raise Problem("T7-218", node.line, "the values of a call that a function has at its end")
    of_criterion = isinstance(node, Invoke) and t.types.kind(node.receiver) == "criterion"
    if of_criterion and not t.plain_modules and t.calls.gives_two(node):
        raise Problem("T7-218", node.line, "what a criterion over classes gives beside its value")
    return _call(t, node, "call_all", "method_all")


def sole(t: Translation, node: Call | Invoke) -> Py | None:
    """A call at the end of a list, where a page takes one value: that it gives one is seen when the page runs."""
    values = all_values(t, node) if t.calls.count(node) < 2 else None
    return None if values is None else library_call(t, "sole", [values.text])


def note_result(t: Translation, target: Expression, value: Py) -> None:
    """Note that a variable is given what a plain call gives: what form a table has then, its uses do not tell."""
    if isinstance(target, Name) and value.text.startswith(f"{page_library.MODULE}."):
        type_ = t.type(target).find()
        is_known = type_.has("seen") or type_.has("losses") or bool(t.tables.uses.constructors.get(type_))
        is_known |= value.text.startswith(_OF_PASSES) and _is_list_of_tensors(type_)
        if "table" in type_.kinds and not type_.sources and not is_known:
            t.opened.add(type_)


def _is_list_of_tensors(type_: Type) -> bool:
    """Whether all that may be known of a table says that it is a list of tensors, as modules give them."""
    is_list = type_.kinds == {"table"} and type_.has("array") and not type_.find().fields
    is_list = is_list and not any(type_.has(mark) for mark in ("dict", "record", "sparse", "removed"))
    return is_list and type_.element is not None and type_.of_elements().kind == "tensor"


def several(t: Translation, values: tuple[Expression, ...], targets: tuple[Expression, ...]) -> bool:
    """Write ``a, b, c = x, f()``, the last value of which is a call; whether that was done."""
    last = values[-1]
    of_tables = [target for target in targets if isinstance(target, Index)]
    if not isinstance(last, (Call, Invoke)) or any(t.path(target) is not None for target in of_tables):
        return False
    last_values = all_values(t, last)
    if last_values is None:
        return False
    first = [t.value(expression).text for expression in values[:-1]]
    items = f"({', '.join(first)}, *{last_values})" if first else last_values.text
    path = t.path(last.callee) if isinstance(last, Call) else None
    exact = minimizes(path) and path not in _LONGER and not first and len(targets) == 2
    written = last_values if exact else library_call(t, "first_of", [items, str(len(targets))])
    # Where a value goes is found before any is assigned.
    assigned = {target.name for target in targets if isinstance(target, Name)}
    places = {target: [t.value(target.base).text, t.value(target.key).text] for target in of_tables}
    if any(isinstance(n, Name) and n.name in assigned for target in of_tables for n in tree.walk(target)):
        for texts in places.values():
            kept = [t.fresh("place"), t.fresh("place")]
            t.emit(f"{', '.join(kept)} = {', '.join(texts)}")
            texts[:] = kept
    names = {target: t.fresh("value") for target in of_tables}
    lefts = [
        names[target] if isinstance(target, Index) else t.unread(target) or t.target(target)
        for target in targets
    ]
    t.emit(f"{', '.join(lefts)} = {written}")
    for indexed, name in names.items():
        t.emit(library_call(t, "store", [*places[indexed], name]).text)
    for target in targets[len(first) :] if not minimizes(path) else ():  # of which is known what they give
        note_result(t, target, written)
    return True


def loop_head(t: Translation, node: tree.GenericFor, names: list[str]) -> bool:
    """The line of a loop over something of unknown kind; whether it was written."""
    values = [t.value(expression).text for expression in node.values[:-1]]
    last = node.values[-1]
    if isinstance(last, Call) and t.path(last.callee) in ("pairs", "ipairs"):
        values.append(str(value(t, last)))
    else:
        last_values = all_values(t, last) if isinstance(last, (Call, Invoke)) and not values else None
        values.append(f"*{last_values}" if last_values is not None else t.value(last).text)
    head = library_call(t, "iterate", [*values[:3], f"names={len(names)}"])
    t.emit(f"for {', '.join(names)} in {head}:")
    for name in node.names:
        note_result(t, name, head)
    return True


def store(t: Translation, target: Index, value: Py) -> str:
    """The statement that puts a value into a table, a tensor or an object of unknown kind."""
    return library_call(t, "store", [t.value(target.base).text, t.value(target.key).text, value.text]).text


def library_call(t: Translation, name: str, args: list[str]) -> Py:
    """A call of one of the library's functions."""
    t.mixed = True
    return atom(f"{page_library.MODULE}.{name}({', '.join(args)})")


def _only_text(node: Call) -> str:
    """The text that is all that a call is given; empty where it is given anything else."""
    only = node.arguments[0] if len(node.arguments) == 1 else None
    return only.value if isinstance(only, String) else ""


def _required(t: Translation, node: Call, as_value: bool) -> Py | None:
    """``require(name)`` of a name that the program computes: a package whose name it has as a text elsewhere."""
    if len(node.arguments) != 1 or not isinstance(node.arguments[0], (Index, Name)):
        return None
    named = {n.arguments[0] for n in tree.every(t.program, Call) if required(n) is not None}
    texts = {text.value for text in tree.every(t.program, String) if text not in named}
    of_layers = [name for name in layer_classes.PACKAGES_OF_LAYERS if name in texts]
    if as_value and of_layers and not t.plain_modules and not t.apart:
        raise t.of_each_module("T7-308", node.line, "a package of layers as a value")
    if as_value:
        given = {name: layer_classes.package(t, node, name).text for name in of_layers}
    else:
        given = {name: "None" for name in sorted(texts) if only_gives_names(name)}
    entries = [f"{code.quoted(name)}: {value}" for name, value in given.items()]
    args = [t.value(node.arguments[0]).text, f"{{{', '.join(entries)}}}"]
    return library_call(t, "required", args) if entries else None


def _package(t: Translation, node: Call) -> Py:
    """What ``require`` gives, as an object with the functions that the library has."""
    name = required(node) or ""
    if name == "pl.List":
        return library_attribute(t, "LIST")
    if name.startswith("pl."):
        return library_call(t, "penlight_module", [code.quoted(name.removeprefix("pl."))])
    return library_attribute(t, "DISPLAY")


def library_attribute(t: Translation, name: str) -> Py:
    """Something of the library's as a value."""
    t.mixed = True
    return atom(f"{page_library.MODULE}.{name}")


def new_table(t: Translation, node: tree.Table) -> Py:
    """A table of the library's, with all values of a call at its end. Its fields are computed in their order."""
    if all(field.key is None for field in node.fields):
        items = arguments(t, tuple(field.value for field in node.fields))
        return library_call(t, "new_table", ["{}", *items] if items else [])
    entries: list[str] = []
    position = 0
    for field in node.fields:
        if field.key is not None:
            entries.append(f"{t.value(field.key)}: {t.value(field.value)}")
            continue
        position += 1
        (value,) = arguments(t, (field.value,)) if field is node.fields[-1] else (t.value(field.value).text,)
        if value.startswith("*"):
            entries.append(f"**dict(enumerate({value[1:]}, {position}))")
        else:
            entries.append(f"{position}: {value}")
    return library_call(t, "new_table", [f"{{{', '.join(entries)}}}"])


def optimizer(t: Translation, path: str) -> Py:
    """A function of optim's."""
    return library_attribute(t, path.rpartition(".")[2])


def _alone(value: Py, every: bool) -> Py:
    """A value, or as ``every`` one of a call a tuple of it."""
    return atom(f"({value},)") if every else value


def _call(t: Translation, node: Call | Invoke, function: str, method: str) -> Py | None:
    moved_by = t.project.moves.by_function.get(node.receiver) if isinstance(node, Invoke) else None
    if isinstance(node, Invoke) and moved_by is not None:  # which is called as it is
        return library_call(t, function, [t.value(moved_by).text, t.value(node.receiver).text])
    if isinstance(node, Invoke):
        kind = t.kind(node.receiver)
        if t.goes_back_plainly and node.method in {*FORWARD, *BACKWARD} and not t.plain_modules:
            if kind not in ("module", "criterion"):
                return t.models.open_pass(node, every=method == "method_all")
            return _alone(t.models.plain_pass(node), method == "method_all")
        is_known = has_method(kind, node.method) or may_be_of_program(t, node) or _is_of_program(t, node)
        is_known = is_known or t.graphs.is_node(node.receiver)
        if goes_through_modules(t, node) and not t.plain_modules:
            if not t.apart:
                raise t.of_each_module("T7-202", node.line, f"the method {node.method} of a module")
            is_known = True
            t.models.layer_names.need(of_classes=node.method == "findModules")
        of_others = any(page_library.has_method(family, node.method) for family in _FAMILIES.values())
        if kind in _FAMILIES and not is_known and not of_others:
            return None  # where it has a method of others, it is one of those
        return library_call(
            t, method, [t.value(node.receiver).text, code.quoted(node.method), *arguments(t, node.arguments)]
        )
    path = t.path(node.callee)
    maker = node.callee
    if t.plain_values and isinstance(maker, Index) and isinstance(maker.key, String) and path is None:
        key = maker.key.value
        if key == "new" or key in page_library.methods_of("tensor"):  # a tensor's, or the program's own
            field = "call_field_all" if function == "call_all" else "call_field"
            base = t.value(maker.base).text
            return library_call(t, field, [base, code.quoted(key), *arguments(t, node.arguments)])
    made_by_name = t.types.classes.get(_only_text(node)) if path == "torch.factory" else None
    is_of_module = made_by_name is not None and made_by_name.instance.kind == "module"
    if made_by_name is not None and (t.is_floor or (is_of_module and t.plain_modules)):
        made = library_call(t, "factory", [t.modules.class_name(made_by_name, node.line).text])
        return _alone(made, function == "call_all")
    if path == "require" and required(node) is None:
        value_required = _required(t, node, as_value=True)
        return None if value_required is None else _alone(value_required, function == "call_all")
    if required(node) in AS_OBJECTS:
        return _alone(_package(t, node), function == "call_all")
    if path in library.STORAGES:
        made = library_call(
            t, "new_storage", [code.quoted(library.STORAGES[path]), *arguments(t, node.arguments)]
        )
        return _alone(made, function == "call_all")
    if path in library.TENSOR_TYPES and "Cuda" not in path:
        kind = library.TENSOR_TYPES[path] or ""
        made = library_call(t, "new_tensor", [code.quoted(kind), *arguments(t, node.arguments)])
        return _alone(made, function == "call_all")
    if t.graphs.makes_graph(node) and len(node.arguments) == 2:
        graph = "BuiltGraph" if t.plain_modules else "Graph"
        return _alone(library_call(t, graph, arguments(t, node.arguments)), function == "call_all")
    if path is None and t.type(node).has("node"):
        return _alone(t.models.plain_node(node), function == "call_all" and t.plain_values)
    if path is None and t.plain_passes and t.kind(node.callee) in ("module", "criterion"):
        return _alone(t.models.plain_pass(node), function == "call_all")
    if path is None and isinstance(node.callee, Index) and t.path(node.callee.base) == "torch":
        made = library_call(
            t, "tensor_of_type", [t.value(node.callee.key).text, *arguments(t, node.arguments)]
        )
        return _alone(made, function == "call_all")
    if path is None and function == "call" and isinstance(node.callee, Index) and _is_new(node.callee):
        base = t.value(node.callee.base).text
        return library_call(t, "new_like", [base, *arguments(t, node.arguments)])
    if path is None:
        called = t.types.function_called(node)
        # Else a value too many is None to it, and dropped.
        counts = not called or any(f.vararg for f in called)
        args = arguments(t, node.arguments, counted=counts)
        return library_call(t, function, [t.value(node.callee).text, *args])
    tensor = memory_calls.first_tensor(t, node)
    if tensor is not None:
        args = [t.value(tensor).text, *arguments(t, node.arguments[1:])]
        return _alone(library_call(t, memory_calls.CALLS[path], args), function == "call_all")
    if isinstance(maker, Index) and t.objects and facts.is_module(t.path(maker.base)):
        if maker.key_name not in page_library.entries("OBJECT_METHODS"):
            return None
        args = [code.quoted(maker.key_name or ""), *arguments(t, node.arguments)]
        values = library_call(t, "of_all_modules", args)
        return values if function == "call_all" else atom(f"(*{values}, None)[0]")
    if path in page_library.entries("LAYER_MODULES") and not t.plain_modules:
        return _alone(
            library_call(t, "layer", [code.quoted(path), *arguments(t, node.arguments)]),
            function == "call_all",
        )
    of_class = layer_classes.field_of_class(t, node.callee)
    if of_class is not None:
        method_of_class = library_call(t, "class_field", of_class)
        return library_call(t, function, [method_of_class.text, *arguments(t, node.arguments)])
    name = _of_penlight(path)
    if name is not None:
        every = "penlight_all" if function == "call_all" else "penlight"
        return library_call(t, every, [code.quoted(name), *arguments(t, node.arguments)])
    owner, _, last = path.rpartition(".")
    taken = owner == "torch" and last in page_library.functions_of_tensors() and path not in _FUNCTIONS
    if taken and node.arguments:
        every = "function_all" if function == "call_all" else "function"
        return library_call(t, every, [code.quoted(last), *arguments(t, node.arguments)])
    if minimizes(path):
        call = atom(f"{optimizer(t, path)}({', '.join(arguments(t, node.arguments))})")
        return call if function == "call_all" else atom(f"{call}[0]")
    if path in _POOLS:
        call = library_call(t, "threads", arguments(t, node.arguments))
        return call if function == "call_all" else atom(f"{call}[0]")
    if path == "select":
        several = "values_from" if function == "call_all" else "value_from"
        return library_call(t, several, arguments(t, node.arguments))
    if path in _SEVERAL:
        values = library_call(t, _SEVERAL[path], arguments(t, node.arguments))
        if function != "call_all":
            some = values if path in _ALWAYS_SOME else library_call(t, "first_of", [values.text, "1"])
            return atom(f"{some}[0]")
        return values
    if owner == "string" and last in page_library.entries("TEXT_METHODS") and node.arguments:
        every = "text_function_all" if function == "call_all" else "text_function"
        return library_call(t, every, [code.quoted(last), *arguments(t, node.arguments)])
    if owner in ("coroutine", "math") and last in page_library.entries(_LIBRARIES[owner]):
        every = f"{owner}_function_all" if function == "call_all" else f"{owner}_function"
        return library_call(t, every, [code.quoted(last), *arguments(t, node.arguments)])
    other = _OTHERS.get(path) or page_library.of_package(path)
    if other is not None:
        return _alone(library_call(t, other, arguments(t, node.arguments)), function == "call_all")
    if path == "table.sort":
        nothing = atom(f"{_function_value(t, path)}({', '.join(arguments(t, node.arguments))})")
        return nothing if function == "call_all" else atom(f"({nothing} or None)")
    if function == "call_all":
        return None  # the others give one value
    if owner in _BY_NAME and last in page_library.entries(_LIBRARIES[owner]):
        return library_call(t, _BY_NAME[owner], [code.quoted(last), *arguments(t, node.arguments)])
    if path in ("torch.type", "torch.typename") and t.apart and node.arguments:
        t.models.layer_names.need(of_classes=True)
    if path in _OF_ONE and node.arguments:
        return library_call(t, _FUNCTIONS[path], [t.value(node.arguments[0]).text])
    if path == "torch.DiskFile" and not t.plain_values and t.types.kind(node) == "file":
        return library_rules.functions[path](t, node)  # whose methods are those of Python's files
    if path in _FUNCTIONS:
        return library_call(t, _FUNCTIONS[path], arguments(t, node.arguments))
    return None  # a page has no other function of that library


def _is_new(node: Index) -> bool:
    return node.dotted and node.key_name == "new"


def arguments(t: Translation, args: tuple[Expression, ...], counted: bool = True) -> list[str]:
    """Arguments as text; of the last one all values. ``counted``: whether it matters how many they are."""
    texts = [t.value(argument).text for argument in args[:-1]]
    for last in args[-1:]:
        if isinstance(last, tree.Vararg):
            texts.append(f"*{t.rest()}")
        elif t.is_unpacked(last):
            texts.append(f"*{t.calls.unpacked(last)}")
        elif counted and t.counts.may_lack_value(last):
            texts.append(f"*{t.need('without_none')}({t.value(last)})")
        elif counted and isinstance(last, (Call, Invoke)) and t.counts.of(last) == (0, 0):
            texts.append(f"*{library_call(t, 'no_values', [t.value(last).text])}")
        elif isinstance(last, (Call, Invoke)) and not (
            t.calls.is_one(last) and (not counted or not t.counts.is_exact_call(last))
        ):
            if counted and not t.plain_values and t.calls.is_filled_up(last):
                raise Problem("T7-216", last.line, "functions with different numbers of results")
            values = all_values(t, last)
            count_range = t.counts.of(last)
            if values is None and count_range is not None and count_range[1] > 1:
                raise Problem("T7-218", last.line, "all values of a call at the end of a list")
            texts.append(t.value(last).text if values is None else f"*{values}")
        else:
            texts.append(t.value(last).text)
    return texts
