"""Functions of the torch package."""

from __future__ import annotations

from collections.abc import Sequence

from torch7py.translate import library, tree
from torch7py.translate.facts.methods import is_like_method, writes_first_argument
from torch7py.translate.kinds import ANY_LAYER, LuaClass, Type
from torch7py.translate.native import code, library_rules
from torch7py.translate.native.analysis.unknown_values import is_open
from torch7py.translate.native.code import Py, atom, quoted
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.native.tensors.calls import apply, into_result, value_of
from torch7py.translate.native.tensors.names_of_types import name_of_type, type_of_memory
from torch7py.translate.native.tensors.rules import (
    DTYPES,
    dimension,
    in_place,
    maker,
    makers,
    sizes,
)
from torch7py.translate.native.tensors.updates import into_two, new_tensor
from torch7py.translate.native.timers_and_paths import saved
from torch7py.translate.quoting import f_string
from torch7py.translate.tree import Call, Expression, Number

_STORAGES = ("memory", "storage")  # of whole numbers, which are sizes, and of others


def torch_function(t: Translation, name: str, node: Call) -> Py | None:
    """``torch.f(...)`` as a value; None where there is no form."""
    maker = makers.get(name)
    if writes_first_argument(name, [t.kind(argument) for argument in node.arguments]):
        into = into_result(t, node.arguments[0], name, node.arguments[1:], node)
        return value_of(t, into, name, node.arguments[1:])
    if _fills(t, name, node):
        return in_place[name](t, node.arguments[0], node.arguments[1:])
    if maker is not None:
        return maker(t, node)
    if f"torch.{name}" in library.TENSOR_TYPES:
        kind = "FloatTensor" if name == "CudaTensor" else name.removeprefix("Cuda")
        tensor = _constructor(t, f"torch.{kind}", node)
        return atom(f"{tensor.at(code.ATOM)}.cuda()") if name.startswith("Cuda") else tensor
    arguments = node.arguments
    if not arguments:
        return None
    written = new_tensor(t, name, arguments)
    if written is not None or t.kind(arguments[0]) != "tensor":
        return written
    if is_like_method(name):
        return value_of(t, apply(t, arguments[0], name, arguments[1:], node), name, arguments[1:])
    return None


def _creator(name: str) -> None:
    def write(t: Translation, node: Call) -> Py:
        return atom(f"torch.{name}({sizes(t, node.arguments)})")

    makers[name] = write


for _lua in ("zeros", "ones", "rand", "randn", "eye"):
    _creator(_lua)


@maker("randperm")
def randperm(t: Translation, node: Call) -> Py:
    return Py(f"torch.randperm({t.expressions.whole_number(node.arguments[0])}) + 1", code.ADD)


@maker("range")
def torch_range(t: Translation, node: Call) -> Py:
    start, stop = node.arguments[:2]
    if len(node.arguments) == 2 and t.whole(stop) and t.whole(start):
        end = t.expressions.whole_number(stop, 1)
        return atom(f"torch.arange({t.value(start)}, {end}, dtype=torch.get_default_dtype())")
    step = node.arguments[2] if len(node.arguments) > 2 else tree.Number(node.span, 1, "1")
    sign = _sign(step)
    if sign and all(t.whole(a) for a in node.arguments):
        end = t.expressions.whole_number(stop, sign)
        return atom(
            f"torch.arange({t.value(start)}, {end}, {t.value(step)}, dtype=torch.get_default_dtype())"
        )
    # As many steps as there is room for. PyTorch's arange may have one more or less, by its rounding.
    t.imports.add("math")
    size, low = t.value(step), t.value(start)
    count = f"math.floor(({t.value(stop)} - {low.at(code.ADD + 1)}) / {size.at(code.MULTIPLY + 1)}) + 1"
    numbers = f"torch.arange({count}, dtype=torch.get_default_dtype())"
    steps = numbers if size.text == "1" else f"{size.at(code.MULTIPLY)} * {numbers}"
    return Py(f"{low.at(code.ADD)} + {steps}", code.ADD)


def _sign(step: Expression) -> int:
    """1 or -1 as a number written out counts up or down, 0 for another."""
    if isinstance(step, Number):
        return 1
    return -1 if isinstance(step, tree.Unary) and isinstance(step.operand, Number) else 0


def _spaced(name: str) -> None:
    @maker(name)
    def write(t: Translation, node: Call) -> Py:
        count = t.expressions.whole_number(node.arguments[2]).text if len(node.arguments) > 2 else "100"
        return atom(f"torch.{name}({t.value(node.arguments[0])}, {t.value(node.arguments[1])}, {count})")


_spaced("linspace")
_spaced("logspace")


@maker("cat")
def cat(t: Translation, node: Call) -> Py:
    arguments = node.arguments
    if t.kind(arguments[0]) == "table":
        ranks = [t.type(arguments[0]).of_elements().rank]
        parts, along = t.value(arguments[0]).text, arguments[1:2]
    else:
        ranks = [t.type(part).rank for part in arguments[:2]]
        parts, along = f"[{t.value(arguments[0])}, {t.value(arguments[1])}]", arguments[2:3]
    dim = dimension(t, along[0]) if along else "-1"
    if along and isinstance(along[0], Number) and along[0].value > 1:
        known = [rank for rank in ranks if rank is not None]
        if not known and t.plain_tensors:
            return atom(f"{t.need('join_along')}({parts}, {dim})")
        if known and max(known) < along[0].value:  # a dimension that they do not have becomes a new one
            return atom(f"torch.stack({parts}, {dim})")
    return atom(f"torch.cat({parts}, {dim})")


@maker("uniform")
def uniform(t: Translation, node: Call) -> Py:
    t.imports.add("random")
    if not node.arguments:
        return atom("random.random()")
    low, high = (["0", *[t.value(a).text for a in node.arguments]])[-2:]
    return atom(f"random.uniform({low}, {high})")


@maker("normal")
def normal(t: Translation, node: Call) -> Py:
    t.imports.add("random")
    args = [t.value(a).text for a in node.arguments]
    return atom(f"random.gauss({', '.join(args + ['0.0', '1.0'][len(args) :])})")


@maker("random")
def random(t: Translation, node: Call) -> Py:
    t.imports.add("random")
    bounds = [str(t.expressions.whole_number(argument)) for argument in node.arguments]
    if not bounds:
        return atom("random.getrandbits(32)")
    return atom(f"random.randint({', '.join(['1', *bounds][-2:])})")


@maker("bernoulli")
def bernoulli(t: Translation, node: Call) -> Py:
    t.imports.add("random")
    p = t.value(node.arguments[0]).at(code.ADD) if node.arguments else "0.5"
    return atom(f"int(random.random() < {p})")


@maker("isTensor")
def is_tensor(t: Translation, node: Call) -> Py:
    if t.kind(node.arguments[0]) in _STORAGES:
        return atom("False")
    return atom(f"torch.is_tensor({t.value(node.arguments[0])})")


@maker("isStorage")
def is_storage(t: Translation, node: Call) -> Py:
    kind = t.kind(node.arguments[0])
    if kind not in (*_STORAGES, "number", "string", "boolean", "function", "tensor", "module", "criterion"):
        raise Undecided("T7-308", node.line, "torch.isStorage of something of which nothing is known")
    return atom(str(kind in _STORAGES))


@maker("LongStorage")
def long_storage(t: Translation, node: Call) -> Py:
    """A list of sizes, as ``x:size()`` gives; one that is changed later is a list in Python too."""
    argument = node.arguments[0] if len(node.arguments) == 1 else None
    stored = t.type(node).has("stored")
    if argument is not None and t.kind(argument) == "number":
        return Py(f"[0] * {t.expressions.whole_number(argument).at(code.MULTIPLY + 1)}", code.MULTIPLY)
    is_list = isinstance(argument, tree.Table) and not any(item.key is not None for item in argument.fields)
    if argument is not None and not is_list:
        if t.kind(argument) != "table" or t.representation(argument) != "list":
            raise Undecided("T7-271", node.line, "a storage that is no list of sizes")
        return atom(f"{'list' if stored else 'torch.Size'}({t.value(argument)})")
    if not isinstance(argument, tree.Table):
        if node.arguments:
            raise Problem("T7-271", node.line, "a storage that is no list of sizes")
        return atom("[]" if stored else "torch.Size([])")
    items = sizes(t, tuple(item.value for item in argument.fields))
    return atom(f"[{items}]" if stored else f"torch.Size([{items}])")


@maker("type", "typename")
def torch_type(t: Translation, node: Call) -> Py:
    if t.kind(node.arguments[0]) == "tensor":
        return name_of_type(t, node.arguments[0])
    given = t.type(node.arguments[0]).find()
    is_table = given.kinds == {"table"} and given.has("steps") and not given.nil
    if is_table and t.path(node.callee) == "torch.type":
        return atom(quoted("table"))  # which the page may have as one tensor
    if t.kind(node.arguments[0]) == "storage":
        return atom(quoted("torch.LongStorage"))
    if t.kind(node.arguments[0]) == "memory":
        return type_of_memory(t, node.arguments[0])
    classes = t.type(node.arguments[0]).find().classes
    only = (
        t.types.self_of.get(t.scopes.of_name[node.arguments[0]])
        if isinstance(node.arguments[0], tree.Name)
        else None
    )
    if only is not None and not only.derived:
        classes = (only,)
    does_more = t.types.calls_program(node.arguments[0])  # a name that is known would leave that out
    layers = {layer.name for layer in t.type(node.arguments[0]).find().layers}
    is_any = does_more or (
        only is None and (t.type(node.arguments[0]).has(ANY_LAYER) or (classes and layers))
    )
    if len(classes) == 1 and not is_any:
        return atom(quoted("table" if classes[0].by_metatable else classes[0].name))
    kind = t.kind(node.arguments[0])
    if kind == "object" and classes and (begin := _common_package(t, classes)) is not None:
        name = f"type({t.value(node.arguments[0])}).__name__"
        return atom(f_string([begin, (name, "")]) if begin else name)
    if kind in ("module", "criterion") and len(layers) == 1 and not classes and not is_any:
        return atom(quoted(layers.pop()))
    reason = "torch.type of something else than a tensor"
    if kind == "module":
        raise t.of_each_module("T7-308", node.line, reason)
    refuse = Problem if kind in ("criterion", "object") and not does_more else Undecided
    raise refuse("T7-308", node.line, reason)


def _common_package(t: Translation, classes: Sequence[LuaClass]) -> str | None:
    """What the names of classes, and of those that derive from them, begin with before their names in the page."""
    begins = set()
    for lua_class in {one for cls in classes for one in t.classes.family(cls)}:
        begin, dot, last = lua_class.name.rpartition(".")
        if lua_class.by_metatable or last != t.classes.names.get(lua_class):
            return None
        begins.add(begin + dot)
    return begins.pop() if len(begins) == 1 else None


def _constructor(t: Translation, path: str, node: Call) -> Py:
    kind = library.TENSOR_TYPES[path]
    dtype = DTYPES.get(kind or "")
    if path == "torch.Tensor":
        dtype = None
    arguments = node.arguments
    extra = f", dtype={dtype}" if dtype else ""
    if not arguments:
        return atom(f"torch.empty(0{extra})")
    first = arguments[0]
    if len(arguments) == 1 and t.kind(first) == "table":
        return _from_table(t, first, dtype, kind)
    if len(arguments) == 1 and t.kind(first) == "tensor":
        return t.value(first)
    on_memory = len(arguments) > 1 and any(t.kind(a) in ("memory", "storage", "table") for a in arguments)
    if on_memory or t.kind(first) in ("tensor", "memory") or (len(arguments) == 1 and is_open(t, first)):
        raise Undecided("T7-271", node.line, f"{path} of what may be no sizes")
    return atom(f"torch.empty({sizes(t, arguments)}{extra})")


def _from_table(t: Translation, first: Expression, dtype: str | None, kind: str | None) -> Py:
    whole_type = kind in ("Long", "Int", "Short", "Byte", "Char")
    if isinstance(first, tree.Table):
        numbers = list(_leaves(first))
        literal = all(isinstance(n, Number) for n in numbers)
        has_strings = any(_texts_within(t, n) is not None for n in numbers)
        text = _numeric_table(t, first) if has_strings else t.value(first).text
        if kind == "Long" and all(t.whole(n) for n in numbers):
            return atom(f"torch.tensor({text})")
        if not dtype and literal and numbers and isinstance(numbers[0], Number):
            return atom(f"torch.tensor({_real_literal(t, first)})")
        return atom(f"torch.tensor({text}, dtype={dtype or 'torch.get_default_dtype()'})")
    value = _as_lists(t, t.value(first), t.type(first), first.line)
    depth = _texts_within(t, first)
    if depth:
        value = atom(_from_texts(value, depth))
    if kind == "Long":
        probe = tree.Index(first.span, first, tree.Number(first.span, 1, "1"), False)
        if t.tables.holds_whole(probe):
            return atom(f"torch.tensor({value})")
    del whole_type
    return atom(f"torch.tensor({value}, dtype={dtype or 'torch.get_default_dtype()'})")


def _as_lists(t: Translation, value: Py, table_type: Type, line: int) -> Py:
    """A table of numbers, or of tables of them, as lists: some of it may be dicts with the keys 1, 2, ..."""
    forms = [t.tables.representation(inner) for inner in _tables_within(table_type)]
    if "dict" not in forms:
        return value
    if not {"list", "dict"}.issuperset(forms):
        raise Undecided("T7-271", line, "a tensor of tables that are no lists")
    if forms[0] == "dict":
        n = t.fresh("n")
        item, over = atom(f"{value.at(code.ATOM)}[{n}]"), f"{n} in range(1, len({value}) + 1)"
    else:
        item = atom(t.fresh("row"))
        over = f"{item} in {value}"
    inner = item if len(forms) == 1 else _as_lists(t, item, table_type.of_elements(), line)
    return atom(f"[{inner} for {over}]")


def _tables_within(table_type: Type) -> list[Type]:
    """The type of a table, that of the tables in it, and so on: few, as a type may hold itself."""
    tables: list[Type] = []
    while table_type.kind == "table" and len(tables) < 8:
        tables.append(table_type)
        table_type = table_type.of_elements()
    return tables


def _texts_within(t: Translation, node: Expression) -> int | None:
    """How many tables deep there are numbers as text; 0 of a text itself, None where there are none."""
    type_, depth = t.type(node), 0
    while type_.kind == "table" and depth < 3:
        type_, depth = type_.of_elements(), depth + 1
    return depth if type_.kind == "string" else None


def _from_texts(value: Py | str, depth: int) -> str:
    """A list of the numbers that texts say, which lie so many tables deep."""
    if depth == 1:
        return f"[float(x) for x in {value}]"
    name = "row" if depth == 2 else "rows"
    return f"[{_from_texts(name, depth - 1)} for {name} in {value}]"


def _numeric_table(t: Translation, node: Expression) -> str:
    """A table of numbers, some of which are text."""
    if isinstance(node, tree.Table):
        return f"[{', '.join(_numeric_table(t, item.value) for item in node.fields)}]"
    depth = _texts_within(t, node)
    return _from_texts(t.value(node), depth) if depth else t.expressions.number(node).text


def _leaves(node: tree.Table) -> list[Expression]:
    leaves: list[Expression] = []
    for item in node.fields:
        value = item.value
        leaves += _leaves(value) if isinstance(value, tree.Table) else [value]
    return leaves


def _real_literal(t: Translation, node: tree.Table) -> str:
    """A nested list of numbers, the whole ones with a point so that the tensor is of the default type."""
    parts = []
    for item in node.fields:
        value = item.value
        if isinstance(value, tree.Table):
            parts.append(_real_literal(t, value))
        else:
            assert isinstance(value, Number)
            parts.append(repr(float(value.value)))
    return f"[{', '.join(parts)}]"


def _fills(t: Translation, name: str, node: Call) -> bool:
    """Whether a function fills a tensor that it is given with random numbers."""
    return name in library.DRAWS and bool(node.arguments) and t.kind(node.arguments[0]) == "tensor"


# What draws one number, in a page by Python's own generator.
_ONE_NUMBER = frozenset("math.random torch.bernoulli torch.normal torch.random torch.uniform".split())


def _draws_numbers(t: Translation) -> bool:
    return any(t.path(call.callee) in _ONE_NUMBER for call in tree.every(t.program, Call))


@library_rules.function("torch.getRNGState")
def generator_state(t: Translation, node: Call) -> Py:
    if not _draws_numbers(t):
        return atom("torch.get_rng_state()")
    t.imports.add("random")
    return atom(f"{t.need('generator_state')}()")


@library_rules.statement("torch.setRNGState")
def set_generator_state(t: Translation, node: Call) -> None:
    both = _draws_numbers(t)
    if both:
        t.imports.add("random")
    t.emit(
        f"{t.need('set_generator_state') if both else 'torch.set_rng_state'}({t.value(node.arguments[0])})"
    )


def torch_statement(t: Translation, node: Call, name: str) -> bool:
    """``torch.f(...)`` as a statement; True where it was written."""
    arguments = node.arguments
    if _fills(t, name, node):
        with t.models.changed(arguments[0]):
            t.emit(in_place[name](t, arguments[0], arguments[1:]).text)
        return True
    if name == "manualSeed":
        seed = t.value(arguments[0])
        t.emit(f"torch.manual_seed({seed})")
        if _draws_numbers(t):
            t.imports.add("random")
            t.emit(f"random.seed({seed})")
        return True
    if name == "setdefaulttensortype":
        if isinstance(arguments[0], tree.String) and arguments[0].value in library.TENSOR_TYPES:
            dtype = DTYPES.get(library.TENSOR_TYPES[arguments[0].value] or "Double")
            t.emit(f"torch.set_default_dtype({dtype})")
        else:
            names = ", ".join(
                f"{quoted(f'torch.{kind}Tensor')}: {DTYPES[kind]}" for kind in ("Double", "Float")
            )
            t.emit(f"torch.set_default_dtype({{{names}}}[{t.value(arguments[0])}])")
        return True
    if name == "save":
        t.emit(f"torch.save({saved(t, arguments[1])}, {t.value(arguments[0])})")
        return True
    three = [t.kind(argument) for argument in arguments[:3]] == ["tensor"] * 3
    if three and into_two(t, name, arguments[0], arguments[1], arguments[2:]):
        return True
    if writes_first_argument(name, [t.kind(argument) for argument in arguments]):
        with t.models.changed(arguments[0]):
            t.emit(into_result(t, arguments[0], name, arguments[1:], node).text)
        return True
    return False
