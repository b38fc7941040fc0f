"""Tensors: Torch7's functions and methods as PyTorch's, with dimensions and positions counted from 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from torch7py.translate import library, tree
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Expression, Invoke, Name, Number

if TYPE_CHECKING:
    from torch7py.translate.native.translator import Translator

__all__ = ["method", "several", "statement", "torch_function", "torch_statement"]

Arguments: TypeAlias = tuple[Expression, ...]
Rule: TypeAlias = "Callable[[Translator, Expression, Arguments], Py]"

rules: dict[str, Rule] = {}  # x:f(...) as a value that changes nothing
in_place: dict[str, Rule] = {}  # x:f(...) that changes x: the call that does, and gives x

_TYPES = {
    "double": "torch.float64",
    "float": "torch.float32",
    "long": "torch.int64",
    "int": "torch.int32",
    "short": "torch.int16",
    "byte": "torch.uint8",
    "char": "torch.int8",
}
_BY_TYPE = {
    "Double": "torch.float64",
    "Float": "torch.float32",
    "Long": "torch.int64",
    "Int": "torch.int32",
    "Short": "torch.int16",
    "Byte": "torch.uint8",
    "Char": "torch.int8",
}
_COMPARE = {"eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">="}
_CHANGES = set("add mul div cmul cdiv csub pow clamp addcmul addcdiv addmm addmv addr addbmm baddbmm".split())
_RANDOM = set("uniform normal bernoulli random geometric exponential cauchy logNormal".split())


def rule(*names: str) -> Callable[[Rule], Rule]:
    def register(function: Rule) -> Rule:
        for name in names:
            rules[name] = function
        return function

    return register


def changing(*names: str) -> Callable[[Rule], Rule]:
    def register(function: Rule) -> Rule:
        for name in names:
            in_place[name] = function
        return function

    return register


def dimension(t: Translator, node: Expression) -> str:
    return str(t.expressions.position(node))


def _receiver(t: Translator, node: Expression) -> str:
    return t.value(node).at(code.ATOM)


def _sizes(t: Translator, arguments: Arguments) -> str:
    texts = []
    for argument in arguments:
        if t.kind(argument) == "storage" or isinstance(argument, tree.Unary) or t.kind(argument) != "number":
            texts.append(t.value(argument).text)
        else:
            texts.append(str(t.expressions.whole_number(argument)))
    return ", ".join(texts)


# Methods


def method(t: Translator, node: Invoke) -> Py:
    """``x:f(...)`` as a value."""
    return apply(t, node.receiver, node.method, node.arguments, node)


def apply(t: Translator, receiver: Expression, name: str, arguments: Arguments, node: Expression) -> Py:
    if name in in_place:
        return in_place[name](t, receiver, arguments)
    found = rules.get(name)
    if found is None:
        if name in library.ELEMENTWISE:
            if arguments:
                raise Problem("T7-271", node.line, f"{name} into a result")
            return atom(f"{_receiver(t, receiver)}.{name}_()")
        raise Problem("T7-271", node.line, f"the tensor method {name}")
    text = found(t, receiver, arguments)
    if t.kind(node) == "number" and name in _REDUCTIONS and node not in t.raw_elements:
        return atom(f"{text.at(code.ATOM)}.item()")
    return text


_REDUCTIONS = set("sum mean std var max min norm prod dot dist trace".split())


def statement(t: Translator, node: Invoke) -> bool:
    """``x:f(...)`` as a statement; True where it was written."""
    name, receiver = node.method, node.receiver
    if (
        name in ("add", "mul", "div", "csub", "cmul", "cdiv")
        and len(node.arguments) == 1
        and isinstance(receiver, Name)
        and t.alias_of(receiver) is None
    ):
        variable = t.scopes.of_name[receiver]
        if (variable.scope or t.scopes.main) is t.scope:
            operator = {"add": "+", "csub": "-", "mul": "*", "cmul": "*", "div": "/", "cdiv": "/"}[name]
            t.emit(f"{t.names.of(receiver)} {operator}= {t.value(node.arguments[0])}")
            return True
    if name in ("copy",) and len(node.arguments) == 1:
        base = t.value(receiver)
        if base.text.endswith("]"):
            t.emit(f"{base} = {t.value(node.arguments[0])}")
            return True
    if name in ("fill", "zero"):
        base = t.value(receiver)
        if base.text.endswith("]"):
            t.emit(f"{base} = {t.value(node.arguments[0]) if node.arguments else 0}")
            return True
    if name in ("resize", "resizeAs", "set"):
        raise Problem("T7-272", node.line, f"{name} as a statement")
    t.emit(apply(t, receiver, name, node.arguments, node).text)
    return True


def _changing(name: str, python: str) -> None:
    def write(t: Translator, receiver: Expression, arguments: Arguments) -> Py:
        given = ", ".join(t.value(argument).text for argument in arguments)
        return atom(f"{_receiver(t, receiver)}.{python}({given})")

    in_place[name] = write


for _lua, _python in {"fill": "fill_", "zero": "zero_", "pow": "pow_", "neg": "neg_"}.items():
    _changing(_lua, _python)


@changing("copy")
def copy(t: Translator, receiver: Expression, arguments: Arguments) -> Py:
    return atom(f"{_receiver(t, receiver)}.copy_({t.value(arguments[0])})")


@changing("add", "csub")
def add(t: Translator, receiver: Expression, arguments: Arguments, name: str = "add_") -> Py:
    """``x:add(v)``, ``x:add(y)``, ``x:add(v, y)``, ``x:add(y, z)``, ``x:add(y, v, z)``: the last two overwrite x."""
    kinds = [t.kind(argument) for argument in arguments]
    base = _receiver(t, receiver)
    texts = [t.value(argument).text for argument in arguments]
    if len(arguments) == 1:
        return atom(f"{base}.add_({texts[0]})")
    if kinds == ["number", "tensor"]:
        return atom(f"{base}.add_({texts[1]}, alpha={texts[0]})")
    if kinds[0] == "tensor" and len(arguments) == 2:
        return atom(f"{base}.copy_({texts[0]} + {texts[1]})")
    if kinds == ["tensor", "number", "tensor"]:
        return atom(f"{base}.copy_({texts[0]} + {texts[1]} * {texts[2]})")
    raise Problem("T7-271", receiver.line, "add with these arguments")


in_place["csub"] = lambda t, receiver, arguments: atom(
    f"{_receiver(t, receiver)}.sub_({', '.join(t.value(a).text for a in arguments)})"
)


def _multiply(python: str, operator: str) -> Rule:
    def write(t: Translator, receiver: Expression, arguments: Arguments) -> Py:
        base = _receiver(t, receiver)
        if len(arguments) == 1:
            return atom(f"{base}.{python}({t.value(arguments[0])})")
        left, right = (t.value(argument).at(code.MULTIPLY + 1) for argument in arguments)
        return atom(f"{base}.copy_({left} {operator} {right})")

    return write


for _lua in ("mul", "cmul"):
    in_place[_lua] = _multiply("mul_", "*")
for _lua in ("div", "cdiv"):
    in_place[_lua] = _multiply("div_", "/")


@changing("clamp")
def clamp(t: Translator, receiver: Expression, arguments: Arguments) -> Py:
    low, high = (t.value(argument).text for argument in arguments)
    return atom(f"{_receiver(t, receiver)}.clamp_({low}, {high})")


@changing("addcmul", "addcdiv")
def addcmul(t: Translator, receiver: Expression, arguments: Arguments) -> Py:
    raise Problem("T7-271", receiver.line, "addcmul or addcdiv")


def _random(name: str) -> Rule:
    def write(t: Translator, receiver: Expression, arguments: Arguments) -> Py:
        base = _receiver(t, receiver)
        given = [t.value(argument).text for argument in arguments]
        if name == "random":
            low, high = ("1", given[0]) if len(given) == 1 else (given[0], given[1])
            end = t.expressions.whole_number(arguments[-1], 1)
            del high
            return atom(f"{base}.random_({low}, {end})")
        return atom(f"{base}.{name}_({', '.join(given)})")

    return write


for _lua in ("uniform", "normal", "bernoulli", "random", "geometric", "exponential", "cauchy"):
    in_place[_lua] = _random(_lua)
in_place["logNormal"] = lambda t, receiver, arguments: atom(
    f"{_receiver(t, receiver)}.log_normal_({', '.join(t.value(a).text for a in arguments)})"
)


# Shapes and views


@rule("size")
def size(t: Translator, receiver: Expression, arguments: Arguments) -> Py:
    base = _receiver(t, receiver)
    if not arguments:
        return atom(f"{base}.shape")
    return atom(f"{base}.shape[{dimension(t, arguments[0])}]")


@rule("stride")
def stride(t: Translator, receiver: Expression, arguments: Arguments) -> Py:
    inside = dimension(t, arguments[0]) if arguments else ""
    return atom(f"{_receiver(t, receiver)}.stride({inside})")


for _lua, _python in {
    "dim": "dim()",
    "nDimension": "dim()",
    "nElement": "numel()",
    "numel": "numel()",
    "clone": "clone()",
    "t": "t()",
    "contiguous": "contiguous()",
    "isContiguous": "is_contiguous()",
    "storageOffset": "storage_offset()",
}.items():
    rules[_lua] = lambda t, receiver, arguments, _python=_python: atom(f"{_receiver(t, receiver)}.{_python}")  # type: ignore[misc]


def _by_sizes(python: str) -> Rule:
    return lambda t, receiver, arguments: atom(f"{_receiver(t, receiver)}.{python}({_sizes(t, arguments)})")


for _lua, _python in {
    "view": "view",
    "reshape": "reshape",
    "expand": "expand",
    "repeatTensor": "repeat",
}.items():
    rules[_lua] = _by_sizes(_python)


def _as(python: str) -> Rule:
    return lambda t, receiver, arguments: atom(f"{_receiver(t, receiver)}.{python}({t.value(arguments[0])})")


rules["viewAs"], rules["expandAs"] = _as("view_as"), _as("expand_as")


@rule("typeAs")
def type_as(t: Translator, receiver: Expression, arguments: Arguments) -> Py:
    return atom(f"{_receiver(t, receiver)}.to({t.value(arguments[0])}.dtype)")


def _to(name: str) -> Rule:
    return lambda t, receiver, arguments: atom(f"{_receiver(t, receiver)}.{name}()")


for _lua in ("double", "float", "long", "int", "short", "byte", "char"):
    rules[_lua] = _to({"byte": "byte", "char": "char"}.get(_lua, _lua))


@rule("transpose")
def transpose(t: Translator, receiver: Expression, arguments: Arguments) -> Py:
    return atom(f"{_receiver(t, receiver)}.transpose({', '.join(dimension(t, a) for a in arguments)})")


@rule("select")
def select(t: Translator, receiver: Expression, arguments: Arguments) -> Py:
    dim, place = dimension(t, arguments[0]), t.expressions.position(arguments[1])
    text = f"[{place}]" if dim == "0" else f".select({dim}, {place})"
    text = _receiver(t, receiver) + text
    return atom(text)


@rule("narrow")
def narrow(t: Translator, receiver: Expression, arguments: Arguments) -> Py:
    dim, first = dimension(t, arguments[0]), t.expressions.position(arguments[1])
    length = t.expressions.whole_number(arguments[2])
    base = _receiver(t, receiver)
    if dim == "0":
        end = _sum(t, arguments[1], arguments[2])
        start = "" if first.text == "0" else first.text
        colon = ":" if _plain(start) and _plain(end) else " : "
        return atom(f"{base}[{start}{colon if start else ':'}{end}]")
    return atom(f"{base}.narrow({dim}, {first}, {length})")


def _sum(t: Translator, first: Expression, length: Expression) -> str:
    """Where a stretch ends: its 0-based start plus its length."""
    from torch7py.translate.native.expressions import add_constant

    term, constant = t.expressions.linear(first)
    more, add = t.expressions.linear(length)
    terms = [part.at(code.ADD) for part in (term, more) if part is not None]
    joined = Py(" + ".join(terms), code.ADD if len(terms) > 1 else code.ATOM) if terms else None
    return str(add_constant(joined, constant - 1 + add))


def _plain(text: str) -> bool:
    return text.replace("_", "").replace(".", "").isalnum() or text == ""


@rule("index")
def index(t: Translator, receiver: Expression, arguments: Arguments) -> Py:
    dim = dimension(t, arguments[0])
    place = t.expressions.minus_one(arguments[1])
    if dim == "0":
        return atom(f"{_receiver(t, receiver)}[{place}]")
    return atom(f"{_receiver(t, receiver)}.index_select({dim}, {place})")


@rule("gather")
def gather(t: Translator, receiver: Expression, arguments: Arguments) -> Py:
    dim, place = dimension(t, arguments[0]), t.expressions.minus_one(arguments[1])
    return atom(f"{_receiver(t, receiver)}.gather({dim}, {place})")


@changing("scatter")
def scatter_(t: Translator, receiver: Expression, arguments: Arguments) -> Py:
    dim, place = dimension(t, arguments[0]), t.expressions.minus_one(arguments[1])
    return atom(f"{_receiver(t, receiver)}.scatter_({dim}, {place}, {t.value(arguments[2])})")


@rule("squeeze", "unsqueeze")
def squeeze(t: Translator, receiver: Expression, arguments: Arguments) -> Py:
    inside = dimension(t, arguments[0]) if arguments else ""
    return atom(f"{_receiver(t, receiver)}.squeeze({inside})")


@rule("unfold")
def unfold(t: Translator, receiver: Expression, arguments: Arguments) -> Py:
    rest = ", ".join(t.value(argument).text for argument in arguments[1:])
    return atom(f"{_receiver(t, receiver)}.unfold({dimension(t, arguments[0])}, {rest})")


# Reductions


def _reduction(name: str) -> Rule:
    def write(t: Translator, receiver: Expression, arguments: Arguments) -> Py:
        base = _receiver(t, receiver)
        if not arguments:
            return atom(f"{base}.{name}()")
        if len(arguments) > 1:
            raise Problem("T7-271", receiver.line, f"{name} with a flag")
        return atom(f"{base}.{name}({dimension(t, arguments[0])}, keepdim=True)")

    return write


for _lua in ("sum", "mean", "prod", "std", "var"):
    rules[_lua] = _reduction(_lua)


def _extreme(name: str) -> Rule:
    def write(t: Translator, receiver: Expression, arguments: Arguments) -> Py:
        base = _receiver(t, receiver)
        if not arguments:
            return atom(f"{base}.{name}()")
        return atom(f"{base}.a{name}({dimension(t, arguments[0])}, keepdim=True)")

    return write


rules["max"], rules["min"] = _extreme("max"), _extreme("min")


@rule("norm")
def norm(t: Translator, receiver: Expression, arguments: Arguments) -> Py:
    base = _receiver(t, receiver)
    if len(arguments) > 1:
        return atom(f"{base}.norm({t.value(arguments[0])}, {dimension(t, arguments[1])}, keepdim=True)")
    return atom(f"{base}.norm({', '.join(t.value(argument).text for argument in arguments)})")


rules["dot"] = lambda t, r, a: atom(f"torch.dot({t.value(r)}.flatten(), {t.value(a[0])}.flatten())")
rules["dist"] = lambda t, r, a: atom(f"torch.dist({t.value(r)}, {t.value(a[0])})")
rules["trace"] = lambda t, r, a: atom(f"{_receiver(t, r)}.trace()")
rules["equal"] = lambda t, r, a: atom(f"torch.equal({t.value(r)}, {t.value(a[0])})")


def _over_dimension(name: str) -> Rule:
    return lambda t, r, a: atom(f"{_receiver(t, r)}.{name}({dimension(t, a[0]) if a else 0})")


rules["cumsum"], rules["cumprod"] = _over_dimension("cumsum"), _over_dimension("cumprod")


def _comparison(operator: str) -> Rule:
    def write(t: Translator, receiver: Expression, arguments: Arguments) -> Py:
        left, right = t.value(receiver).at(code.ADD), t.value(arguments[0]).at(code.ADD)
        return Py(f"{left} {operator} {right}", code.COMPARE)

    return write


for _lua, _operator in _COMPARE.items():
    rules[_lua] = _comparison(_operator)


# Functions of the torch package


def torch_function(t: Translator, name: str, node: Call) -> Py | None:
    """``torch.f(...)`` as a value; None where there is no form."""
    maker = makers.get(name)
    if maker is not None:
        return maker(t, node)
    if f"torch.{name}" in library.TENSOR_TYPES:
        return _constructor(t, f"torch.{name}", node)
    arguments = node.arguments
    if not arguments or t.kind(arguments[0]) != "tensor":
        return None
    if name in library.ELEMENTWISE and len(arguments) == 1:
        return atom(f"torch.{name}({t.value(arguments[0])})")
    if name in ("add", "mul", "div", "cmul", "cdiv", "csub") and len(arguments) == 2:
        operator = {"add": "+", "csub": "-", "mul": "*", "cmul": "*", "div": "/", "cdiv": "/"}[name]
        level = code.ADD if operator in "+-" else code.MULTIPLY
        left, right = t.value(arguments[0]).at(level), t.value(arguments[1]).at(level + 1)
        return Py(f"{left} {operator} {right}", level)
    if name in ("mm", "mv") and len(arguments) == 2:
        left, right = t.value(arguments[0]).at(code.MULTIPLY), t.value(arguments[1]).at(code.MULTIPLY + 1)
        return Py(f"{left} @ {right}", code.MULTIPLY)
    if name in ("pow",) and len(arguments) == 2:
        left, right = t.value(arguments[0]).at(code.ATOM), t.value(arguments[1]).at(code.NEGATE)
        return Py(f"{left} ** {right}", code.POWER)
    if name in ("clamp",) and len(arguments) == 3:
        return atom(f"torch.clamp({', '.join(t.value(a).text for a in arguments)})")
    if name in ("bmm", "ger") and len(arguments) == 2:
        python = {"ger": "outer"}.get(name, name)
        return atom(f"torch.{python}({t.value(arguments[0])}, {t.value(arguments[1])})")
    if name in rules:
        return apply(t, arguments[0], name, arguments[1:], node)
    return None


makers: dict[str, Callable[[Translator, Call], Py]] = {}


def maker(*names: str) -> Callable[[Callable[[Translator, Call], Py]], Callable[[Translator, Call], Py]]:
    def register(function: Callable[[Translator, Call], Py]) -> Callable[[Translator, Call], Py]:
        for name in names:
            makers[name] = function
        return function

    return register


def _creator(name: str) -> None:
    def write(t: Translator, node: Call) -> Py:
        return atom(f"torch.{name}({_sizes(t, node.arguments)})")

    makers[name] = write


for _lua in ("zeros", "ones", "rand", "randn", "eye"):
    _creator(_lua)


@maker("randperm")
def randperm(t: Translator, node: Call) -> Py:
    return Py(f"torch.randperm({t.expressions.whole_number(node.arguments[0])}) + 1", code.ADD)


@maker("range")
def torch_range(t: Translator, node: Call) -> Py:
    start, stop = node.arguments[:2]
    if len(node.arguments) == 2 and t.whole(stop) and t.whole(start):
        end = t.expressions.whole_number(stop, 1)
        return atom(f"torch.arange({t.value(start)}, {end}, dtype=torch.get_default_dtype())")
    if len(node.arguments) == 3 and all(t.whole(a) for a in node.arguments):
        end = t.expressions.whole_number(stop, 1)
        step = t.value(node.arguments[2])
        return atom(f"torch.arange({t.value(start)}, {end}, {step}, dtype=torch.get_default_dtype())")
    raise Problem("T7-271", node.line, "torch.range over numbers that are not whole")


@maker("linspace")
def linspace(t: Translator, node: Call) -> Py:
    count = t.expressions.whole_number(node.arguments[2]).text if len(node.arguments) > 2 else "100"
    return atom(f"torch.linspace({t.value(node.arguments[0])}, {t.value(node.arguments[1])}, {count})")


@maker("cat")
def cat(t: Translator, node: Call) -> Py:
    arguments = node.arguments
    if t.kind(arguments[0]) == "table":
        dim = dimension(t, arguments[1]) if len(arguments) > 1 else "-1"
        return atom(f"torch.cat({t.value(arguments[0])}, {dim})")
    dim = dimension(t, arguments[2]) if len(arguments) > 2 else "-1"
    return atom(f"torch.cat([{t.value(arguments[0])}, {t.value(arguments[1])}], {dim})")


@maker("uniform")
def uniform(t: Translator, node: Call) -> Py:
    t.imports.add("random")
    if not node.arguments:
        return atom("random.random()")
    low, high = (["0", *[t.value(a).text for a in node.arguments]])[-2:]
    return atom(f"random.uniform({low}, {high})")


@maker("normal")
def normal(t: Translator, node: Call) -> Py:
    t.imports.add("random")
    given = [t.value(a).text for a in node.arguments]
    return atom(f"random.gauss({', '.join(given + ['0.0', '1.0'][len(given) :])})")


@maker("random")
def random(t: Translator, node: Call) -> Py:
    t.imports.add("random")
    bounds = [str(t.expressions.whole_number(argument)) for argument in node.arguments]
    if not bounds:
        return atom("random.getrandbits(32)")
    return atom(f"random.randint({', '.join(['1', *bounds][-2:])})")


@maker("bernoulli")
def bernoulli(t: Translator, node: Call) -> Py:
    t.imports.add("random")
    p = t.value(node.arguments[0]).at(code.ADD) if node.arguments else "0.5"
    return atom(f"int(random.random() < {p})")


@maker("type")
def torch_type(t: Translator, node: Call) -> Py:
    if t.kind(node.arguments[0]) == "tensor":
        raise Problem("T7-308", node.line, "the type of a tensor as text")
    raise Problem("T7-308", node.line, "torch.type of something else than a tensor")


def _constructor(t: Translator, path: str, node: Call) -> Py:
    kind = library.TENSOR_TYPES[path]
    dtype = _BY_TYPE.get(kind or "")
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
    return atom(f"torch.empty({_sizes(t, arguments)}{extra})")


def _from_table(t: Translator, first: Expression, dtype: str | None, kind: str | None) -> Py:
    whole_type = kind in ("Long", "Int", "Short", "Byte", "Char")
    if isinstance(first, tree.Table):
        numbers = list(_leaves(first))
        literal = all(isinstance(n, Number) for n in numbers)
        text = t.value(first).text
        if kind == "Long" and all(t.whole(n) for n in numbers):
            return atom(f"torch.tensor({text})")
        if not dtype and literal and numbers and isinstance(numbers[0], Number):
            return atom(f"torch.tensor({_real_literal(t, first)})")
        return atom(f"torch.tensor({text}, dtype={dtype or 'torch.get_default_dtype()'})")
    value = t.value(first)
    if kind == "Long":
        probe = tree.Index(first.place, first, tree.Number(first.place, 1, "1"), False)
        if t.tables.holds_whole(probe):
            return atom(f"torch.tensor({value})")
    del whole_type
    return atom(f"torch.tensor({value}, dtype={dtype or 'torch.get_default_dtype()'})")


def _leaves(node: tree.Table) -> list[Expression]:
    found: list[Expression] = []
    for item in node.fields:
        value = item.value
        found += _leaves(value) if isinstance(value, tree.Table) else [value]
    return found


def _real_literal(t: Translator, node: tree.Table) -> str:
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


def torch_statement(t: Translator, node: Call, name: str) -> bool:
    """``torch.f(...)`` as a statement; True where it was written."""
    arguments = node.arguments
    if name == "manualSeed":
        t.emit(f"torch.manual_seed({t.value(arguments[0])})")
        return True
    if name == "setdefaulttensortype":
        if isinstance(arguments[0], tree.String) and arguments[0].value in library.TENSOR_TYPES:
            dtype = _BY_TYPE.get(library.TENSOR_TYPES[arguments[0].value] or "Double")
            t.emit(f"torch.set_default_dtype({dtype})")
            return True
        raise Problem("T7-271", node.line, "a default tensor type that is not a literal")
    if name == "save":
        t.emit(f"torch.save({t.value(arguments[1])}, {t.value(arguments[0])})")
        return True
    if arguments and t.kind(arguments[0]) == "tensor" and len(arguments) > 1:
        result = t.value(arguments[0]).at(code.ATOM)
        inner = torch_function(t, name, Call(node.place, node.callee, arguments[1:]))
        if inner is not None:
            t.emit(f"{result}.copy_({inner})")
            return True
    return False


def several(
    t: Translator,
    node: Expression,
    receiver: Expression,
    name: str,
    arguments: Arguments,
    targets: tuple[Expression, ...],
) -> bool:
    """``values, places = x:max(2)`` and its like."""
    if name not in ("max", "min", "sort", "topk", "median", "mode", "kthvalue") or len(targets) != 2:
        return False
    base = _receiver(t, receiver)
    places = t.target(targets[1])
    unused_values = isinstance(targets[0], Name) and not t.scopes.of_name[targets[0]].reads
    if name in ("max", "min"):
        dim = dimension(t, arguments[0])
        if unused_values:
            t.emit(f"{places} = {base}.arg{name}({dim}, keepdim=True) + 1")
            return True
        t.emit(f"{t.target(targets[0])}, {places} = {base}.{name}({dim}, keepdim=True)")
    elif name == "sort":
        dim = "-1"
        descending = False
        for argument in arguments:
            if isinstance(argument, tree.Boolean):
                descending = argument.value
            else:
                dim = dimension(t, argument)
        extra = ", descending=True" if descending else ""
        if unused_values:
            t.emit(f"{places} = {base}.argsort({dim}{extra}) + 1")
            return True
        t.emit(f"{t.target(targets[0])}, {places} = {base}.sort({dim}{extra})")
    else:
        raise Problem("T7-271", node.line, f"{name} with two results")
    if not (isinstance(targets[1], Name) and not t.scopes.of_name[targets[1]].reads):
        t.emit(f"{places} = {places} + 1")
    return True
