"""Lua's libraries, and what Torch7 adds to them, on Python's standard library."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import torch7py.packages.index  # noqa: F401  (the packages there are)
from torch7py.nn.registry import layers
from torch7py.packages.registry import packages
from torch7py.translate import tree
from torch7py.translate.native import code, matching, protected, text
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Binary, Call, Expression, Index, Invoke, Name, String

if TYPE_CHECKING:
    from torch7py.translate.native.translator import Translator

__all__ = ["PACKAGES", "constants", "functions", "method_statements", "methods", "several", "statements"]

Rule: TypeAlias = "Callable[[Translator, Call], Py]"
Done: TypeAlias = "Callable[[Translator, Call], None]"

functions: dict[str, Rule] = {}
statements: dict[str, Done] = {}
methods: dict[tuple[str, str], Callable[[Translator, Invoke], Py]] = {}
method_statements: dict[tuple[str, str], Callable[[Translator, Invoke], None]] = {}
constants: dict[str, Callable[[Translator, str], Py]] = {}  # fields of packages that are no functions


def function(*paths: str) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        for path in paths:
            functions[path] = rule
        return rule

    return register


def statement(*paths: str) -> Callable[[Done], Done]:
    def register(rule: Done) -> Done:
        for path in paths:
            statements[path] = rule
        return rule

    return register


def _arguments(t: Translator, node: Call) -> str:
    return t.calls.arguments(node, [])


values: dict[str, str] = {}  # functions of Lua that Python has as well, as values


def _plain(lua: str, python: str, module: str = "") -> None:
    def rule(t: Translator, node: Call) -> Py:
        if module:
            t.imports.add(module)
        if lua.startswith("math.") and any(t.kind(argument) == "string" for argument in node.arguments):
            return atom(f"{python}({', '.join(str(t.expressions.number(a)) for a in node.arguments)})")
        return atom(f"{python}({_arguments(t, node)})")

    functions[lua] = rule
    values[lua] = python


for _name in "acos asin atan atan2 cos cosh exp fmod log10 sin sinh sqrt tan tanh log".split():
    _plain(f"math.{_name}", f"math.{_name}", "math")
_plain("math.abs", "abs")
_plain("math.max", "max")
_plain("math.min", "min")
_plain("math.deg", "math.degrees", "math")
_plain("math.rad", "math.radians", "math")
_plain("os.clock", "time.process_time", "time")
_plain("sys.clock", "time.time", "time")
_plain("os.getenv", "os.environ.get", "os")
_plain("paths.concat", "os.path.join", "os")
_plain("path.join", "os.path.join", "os")
_plain("paths.filep", "os.path.isfile", "os")
_plain("paths.dirp", "os.path.isdir", "os")
_plain("path.exists", "os.path.exists", "os")
_plain("paths.basename", "os.path.basename", "os")
_plain("sys.basename", "os.path.basename", "os")


@function("paths.dirname", "sys.dirname")
def directory_of(t: Translator, node: Call) -> Py:
    """In Lua that of a name alone is ``.``"""
    t.imports.add("os")
    return Py(f'os.path.dirname({t.value(node.arguments[0])}) or "."', code.OR)


@function("string.char")
def string_char(t: Translator, node: Call) -> Py:
    letters = [f"chr({t.expressions.whole_number(argument)})" for argument in node.arguments]
    return Py(" + ".join(letters), code.ADD) if len(letters) > 1 else atom(letters[0] if letters else '""')


@function("math.pow")
def power(t: Translator, node: Call) -> Py:
    base, exponent = node.arguments[0], node.arguments[1]
    return t.expressions.power(base, exponent)


@function("math.floor")
def floor(t: Translator, node: Call) -> Py:
    argument = node.arguments[0]
    while isinstance(argument, tree.Paren):
        argument = argument.inner
    if isinstance(argument, Binary) and argument.operator == "/" and t.intervals.nonzero(argument.right):
        left, right = argument.left, argument.right
        if t.whole(left) and t.whole(right):
            divisor = t.value(right).at(code.MULTIPLY + 1)
            return Py(f"{t.value(left).at(code.MULTIPLY)} // {divisor}", code.MULTIPLY)
    if not t.intervals.finite(argument):
        return atom(f"{t.need('lua_floor')}({t.expressions.number(argument)})")
    return atom(f"math.floor({t.expressions.number(argument)})")


values["math.floor"] = "math.floor"


@function("math.ceil")
def ceiling(t: Translator, node: Call) -> Py:
    argument = node.arguments[0]
    if not t.intervals.finite(argument):
        return atom(f"{t.need('lua_ceil')}({t.expressions.number(argument)})")
    return atom(f"math.ceil({t.expressions.number(argument)})")


values["math.ceil"] = "math.ceil"


@function("math.random")
def math_random(t: Translator, node: Call) -> Py:
    t.imports.add("random")
    if not node.arguments:
        return atom("random.random()")
    bounds = [str(t.expressions.whole_number(argument)) for argument in node.arguments]
    return atom(f"random.randint({', '.join(['1', *bounds][-2:])})")


@statement("math.randomseed")
def random_seed(t: Translator, node: Call) -> None:
    t.imports.add("random")
    t.emit(f"random.seed({_arguments(t, node)})")


@function("tostring")
def to_string(t: Translator, node: Call) -> Py:
    return text.text(t, node.arguments[0])


@function("tonumber")
def to_number(t: Translator, node: Call) -> Py:
    argument = node.arguments[0]
    if t.kind(argument) == "number":
        return t.value(argument)
    if len(node.arguments) > 1 or t.type(node).has("tested") or not _says_number(t, argument):
        return atom(f"{t.need('to_number')}({_arguments(t, node)})")
    return atom(f"float({t.value(argument)})")


def _says_number(t: Translator, node: Expression) -> bool:
    """Whether a text is surely a number: an argument of the program, or what was found as digits."""
    if isinstance(node, String):
        return node.value.isdigit()
    found, place = matching.matched(t, node), 0
    if isinstance(node, tree.Name):
        found, place = matching.origin(t, t.scopes.of_name[node])
    if found is not None and found[0] in ("match", "gmatch") and isinstance(found[2][0], String):
        return matching.only_digits(found[2][0].value, place)
    return any(isinstance(n, tree.Name) and t.scopes.is_global(n, "arg") for n in tree.walk(node))


@function("pcall")
def pcall(t: Translator, node: Call) -> Py:
    return atom(protected.value(t, node))


@statement("pcall")
def pcall_statement(t: Translator, node: Call) -> None:
    protected.statement(t, node)


@function("select")
def select(t: Translator, node: Call) -> Py:
    """``select('#', ...)``, ``select(n, ...)``, and ``select(n, f(x))``"""
    first = node.arguments[0]
    if len(node.arguments) == 2 and isinstance(node.arguments[1], (Call, Invoke)):
        return t.calls.one_of_several(node.arguments[1], first)
    if len(node.arguments) != 2 or not isinstance(node.arguments[1], tree.Vararg):
        raise Problem("T7-217", node.line, "select of something else than ...")
    rest = t.calls.rest()
    if isinstance(first, String):
        return atom(f"len({rest})")
    return atom(f"{rest}[{t.expressions.position(first)}]")


@function("string.format")
def string_format(t: Translator, node: Call) -> Py:
    return text.format(t, node.arguments[0], node.arguments[1:])


@function("type")
def lua_type(t: Translator, node: Call) -> Py:
    kind = t.kind(node.arguments[0])
    if kind in (None, "any") or (
        kind in ("number", "string", "boolean", "tensor") and t.type(node.arguments[0]).nil
    ):
        t.imports |= {"inspect", "torch"}
        return atom(f"{t.need('lua_type')}({t.conditions.maybe(node.arguments[0])})")
    names = {
        "number": "number",
        "string": "string",
        "boolean": "boolean",
        "table": "table",
        "function": "function",
    }
    names |= {"tensor": "userdata", "module": "table", "criterion": "table", "object": "table"}
    if kind not in names or t.type(node.arguments[0]).nil:
        raise Problem("T7-308", node.line, "type() of something of unknown kind")
    return atom(f'"{names[kind]}"')


@function("os.time")
def os_time(t: Translator, node: Call) -> Py:
    if node.arguments:
        raise Problem("T7-203", node.line, "os.time with a table")
    t.imports.add("time")
    return atom("int(time.time())")


@function("assert")
def asserted(t: Translator, node: Call) -> Py:
    first = node.arguments[0]
    if isinstance(first, Call) and t.path(first.callee) == "io.open":
        from torch7py.translate.native.files import opened

        return atom(opened(t, first))  # an error itself
    name = t.fresh("value")
    t.emit(f"{name} = {t.value(first)}")
    t.emit(f"assert {name}{'' if t.kind(first) == 'boolean' else ' is not None'}")
    return atom(name)


def _about_packages(t: Translator, node: Expression) -> bool:
    """Whether a condition is about what packages have, and of which version: ``nn.NCEModule.version >= 6``."""
    if isinstance(node, tree.Paren):
        return _about_packages(t, node.inner)
    if isinstance(node, Binary):
        sides = (node.left, node.right)
        known = [_about_packages(t, side) for side in sides if not isinstance(side, (tree.Number, String))]
        return bool(known) and all(known)
    path = t.path(node) if isinstance(node, tree.Index) else None
    if path is None or path in t.types.classes or path.partition(".")[0] not in PACKAGES:
        return False
    owner = path.removesuffix(".version")
    return owner in layers or (owner != path and owner in PACKAGES)


@statement("assert")
def assert_statement(t: Translator, node: Call) -> None:
    if node.arguments and _about_packages(t, node.arguments[0]):
        return  # PyTorch has them all
    condition = t.conditions.condition(node.arguments[0])
    message = f", {t.value(node.arguments[1])}" if len(node.arguments) > 1 else ""
    t.emit(f"assert {condition}{message}")


@statement("error")
def error(t: Translator, node: Call) -> None:
    if not protected.is_text(t, node):
        raise Problem("T7-203", node.line, "an error that is no text")
    t.emit(f"raise RuntimeError({t.value(node.arguments[0])})")


@statement("os.exit")
def os_exit(t: Translator, node: Call) -> None:
    t.imports.add("sys")
    status = node.arguments[0] if node.arguments else None
    if isinstance(status, tree.Boolean):
        t.emit(f"sys.exit({'' if status.value else '1'})")
    elif status is None or t.kind(status) == "number":
        t.emit(f"sys.exit({'' if status is None else t.expressions.whole_number(status)})")
    else:
        raise Problem("T7-203", node.line, "os.exit with something else than a number")


@statement("collectgarbage", "torch.setnumthreads", "xlua.progress", "torch.setheaptracking")
def dropped(t: Translator, node: Call) -> None:
    """Nothing to do in Python; a progress bar is left out."""
    if t.path(node.callee) == "torch.setnumthreads":
        t.emit(f"torch.set_num_threads({_arguments(t, node)})")


# Packages whose functions have their own native forms.
PACKAGES = set(
    "torch nn rnn optim nngraph dpnn paths sys xlua math string lfs pl nnx csvigo image cutorch cunn cudnn"
    " dataload".split()
)
OPENCL = {"cltorch", "clnn", "clnnx"}


def only_gives_names(package: str) -> bool:
    """Whether a page need not do anything where the program requires a package: each function that it uses says
    for itself whether it has a native form."""
    return package in PACKAGES or (package in packages and package != "pl.strict")


@statement("require")
def require(t: Translator, node: Call) -> None:
    name = node.arguments[0]
    if isinstance(name, String) and name.value in OPENCL:
        t.emit('raise RuntimeError("PyTorch has no OpenCL")')
        return
    if not isinstance(name, String) or not only_gives_names(name.value):
        raise Problem("T7-251", node.line, "require of a file or of a package without a native form")


# Text


# All results of a function of a library, as print writes them.
spreads: dict[str, Callable[[Translator, Call], str]] = {}


def _spread(t: Translator, argument: Expression) -> str | None:
    """All values of the last argument of print, where it has several."""
    if isinstance(argument, tree.Vararg) or t.calls.is_unpacked(argument):
        values = t.calls.rest() if isinstance(argument, tree.Vararg) else t.calls.unpacked(argument).text
        kind = t.kind(argument)
        if kind == "string":
            return f"*{values}"
        if kind != "number":
            raise Problem("T7-218", argument.line, "print of several values of unknown kind")
        return f'*(f"{{x:.14g}}" for x in {values})'
    if t.calls.count(argument) < 2:
        written = spreads.get(t.path(argument.callee) or "") if isinstance(argument, Call) else None
        if written is not None and isinstance(argument, Call):
            return written(t, argument)
        loss = _loss_and_count(t, argument)
        if loss is not None:
            return loss
        pair = t.calls.values_and_places(argument)
        if pair is not None:
            return pair
        if t.calls.gives_two(argument):
            raise Problem("T7-218", argument.line, "all values of a call at the end of a list")
        if isinstance(argument, (Call, Invoke)) and may_give_none(t, argument):
            raise Problem("T7-218", argument.line, "print of a call that may give no value at all")
        return None
    assert isinstance(argument, (Call, Invoke))
    kinds: set[str | None] = set()
    whole = True
    for made in t.types.function_called(argument):
        returns = t.types.returns[made]
        if len(returns.counts) != 1 or returns.falls_off or not t.calls.is_fixed(made):
            raise Problem("T7-218", argument.line, "a number of results that varies")
        for index in range(returns.count):
            kinds.add("any" if returns.at(index).nil else returns.at(index).kind)
            whole = whole and (returns.at(index).kind != "number" or t.wholes.returns_whole(made, index))
    if whole and kinds <= {"string", "number"}:
        return f"*{t.calls.all_values(argument)}"
    if kinds == {"number"}:
        return f'*(f"{{x:.14g}}" for x in {t.calls.all_values(argument)})'
    raise Problem("T7-218", argument.line, "print of all results of a call, numbers among them")


def _loss_and_count(t: Translator, node: Expression) -> str | None:
    """What ``ClassNLLCriterion:forward`` gives: beside the loss the sum of its classes' weights, here of ones."""
    if not isinstance(node, Invoke) or node.method != "forward" or len(node.arguments) != 2:
        return None
    layers = t.type(node.receiver).find().layers if t.kind(node.receiver) == "criterion" else []
    if not layers or any(one.name != "nn.ClassNLLCriterion" or one.call.arguments for one in layers):
        return None
    target = node.arguments[1]
    if t.kind(target) == "tensor" and isinstance(target, (Name, Index)):
        count = f"{t.value(target).at(code.ATOM)}.numel()"
    elif t.kind(target) == "number":
        count = "1"
    else:
        return None
    return f"{text.text(t, node).text}, {count}"


def may_give_none(t: Translator, node: Call | Invoke) -> bool:
    """Whether a function of the program may end without a value: print writes nothing then, and not nil."""
    known = [t.types.returns[f] for f in t.types.function_called(node) if f in t.types.returns]
    return any(returns.falls_off or not returns.counts or 0 in returns.counts for returns in known)


@statement("print")
def print_statement(t: Translator, node: Call) -> None:
    texts, spread = [], None
    for argument in node.arguments:
        kind = t.kind(argument)
        spread = _spread(t, argument) if argument is node.arguments[-1] else None
        if spread is not None:
            texts.append(spread)
        elif (
            kind in (None, "boolean")
            or (kind == "number" and not text.written_plain(t, argument))
            or text.may_be_nil(t, argument)
        ):
            texts.append(text.text(t, argument).text)
        else:
            texts.append(t.value(argument).text)
    several = len(texts) > 1 or spread is not None
    separator = ', sep="\\t"' if several else ""
    t.emit(f"print({', '.join(texts)}{separator})")


@statement("io.flush", "io.stdout.flush")
def io_flush(t: Translator, node: Call) -> None:
    t.imports.add("sys")
    t.emit("sys.stdout.flush()")


# Tables


@statement("table.insert")
def table_insert(t: Translator, node: Call) -> None:
    table, rest = node.arguments[0], node.arguments[1:]
    if t.kind(table) != "table" or t.representation(table) != "list":
        raise Problem("T7-306", node.line, "table.insert into a table that is no list")
    base = t.value(table).at(code.ATOM)
    if len(rest) == 1:
        value = t.training.carried.cut(table, rest[0], t.value(rest[0]))
        t.emit(f"{base}.append({value})")
    else:
        t.emit(f"{base}.insert({t.expressions.position(rest[0])}, {t.value(rest[1])})")


@function("table.remove")
def table_remove(t: Translator, node: Call) -> Py:
    if t.kind(node.arguments[0]) != "table" or t.representation(node.arguments[0]) != "list":
        raise Problem("T7-306", node.line, "table.remove from a table that is no list")
    base = t.value(node.arguments[0]).at(code.ATOM)
    if t.type(node).nil or t.type(node).has("tested"):
        place = "" if len(node.arguments) == 1 else t.expressions.position(node.arguments[1]).text
        return Py(f"{base}.pop({place}) if {base} else None", code.TERNARY)
    if len(node.arguments) == 1:
        return atom(f"{base}.pop()")
    return atom(f"{base}.pop({t.expressions.position(node.arguments[1])})")


@function("table.getn")
def table_getn(t: Translator, node: Call) -> Py:
    return t.expressions.length(tree.Unary(node.place, "#", node.arguments[0]))


@function("table.concat")
def table_concat(t: Translator, node: Call) -> Py:
    """``table.concat(t, separator, first, last)``"""
    table, part = node.arguments[0], node.arguments[2:]
    separator = text.text(t, node.arguments[1], nil=False).at(code.ATOM) if len(node.arguments) > 1 else '""'
    representation = t.representation(table)
    if representation not in ("list", "dict") or (part and representation == "dict"):
        raise Problem("T7-306", node.line, "table.concat of a part, or of a table that is no list")
    element = t.type(table).of_elements().kind
    items, each = t.value(table).text, "x"
    if part:
        first = t.expressions.position(part[0]).text
        last = t.expressions.whole_number(part[1]).text if len(part) > 1 else ""
        items = f"{t.value(table).at(code.ATOM)}[{code.stretch(first, last)}]"
    if representation == "dict":
        items, each = f"{t.need('numbered')}({items})", "_, x"
    if element == "string":
        return atom(f"{separator}.join({items if each == 'x' else f'x for {each} in {items}'})")
    if element == "number":
        whole = t.tables.holds_whole(tree.Index(node.place, table, tree.Number(node.place, 1, "1"), False))
        item = "str(x)" if whole else 'f"{x:.14g}"'
        return atom(f"{separator}.join({item} for {each} in {items})")
    raise Problem("T7-306", node.line, "table.concat of something of unknown kind")


@statement("table.sort")
def table_sort(t: Translator, node: Call) -> None:
    if t.representation(node.arguments[0]) != "list":
        raise Problem("T7-306", node.line, "table.sort of a table that is no list")
    table = t.value(node.arguments[0]).at(code.ATOM)
    plain = t.type(node.arguments[0]).of_elements().kind in ("number", "string")
    if len(node.arguments) == 1:
        if plain:
            t.emit(f"{table}.sort()")
        else:  # equal objects can be told apart
            t.emit(f"{t.need('lua_sort')}({table}, lambda a, b: a < b)")
        return
    order = node.arguments[1]
    direction = _direction(order) if plain else None
    if direction is not None:
        t.emit(f"{table}.sort({'reverse=True' if direction == '>' else ''})")
        return
    written = t.expressions.value(order)
    t.emit(f"{t.need('lua_sort')}({table}, {written})")


def _direction(order: Expression) -> str | None:
    """``<`` or ``>`` of a function that compares the items themselves, the first with the second."""
    if not isinstance(order, tree.Function) or len(order.parameters) != 2 or len(order.body.statements) != 1:
        return None
    only = order.body.statements[0]
    if not isinstance(only, tree.Return) or len(only.values) != 1 or not isinstance(only.values[0], Binary):
        return None
    compared, names = only.values[0], [parameter.name for parameter in order.parameters]
    sides = [side.name for side in (compared.left, compared.right) if isinstance(side, tree.Name)]
    if compared.operator not in ("<", ">") or names[0] == names[1] or sorted(sides) != sorted(names):
        return None
    return compared.operator if sides == names else {"<": ">", ">": "<"}[compared.operator]


# Time


@function("torch.Timer")
def timer(t: Translator, node: Call) -> Py:
    t.imports.add("time")
    return atom("time.perf_counter()")


@function("torch.tic")
def tic(t: Translator, node: Call) -> Py:
    t.imports.add("time")
    return atom("time.time()")


@function("torch.toc")
def toc(t: Translator, node: Call) -> Py:
    t.imports.add("time")
    return Py(f"time.time() - {t.value(node.arguments[0]).at(code.MULTIPLY)}", code.ADD)


def several(t: Translator, node: Call | Invoke, path: str | None, targets: tuple[Expression, ...]) -> bool:
    """Library calls with several results."""
    if path in ("unpack", "table.unpack"):
        given = t.calls.unpacked(node).text
        assert isinstance(node, Call)
        if t.tables.length(t.type(node.arguments[0])) not in (None, len(targets)):
            given = f"({', '.join([f'*{given}', *['None'] * len(targets)])})[:{len(targets)}]"
        t.emit(f"{', '.join(t.target(target) for target in targets)} = {given}")
        return True
    found = matching.matched(t, node)
    if found is not None:
        return matching.several(t, found, targets, node.line)
    if path == "pcall" and isinstance(node, Call):
        return protected.several(t, node, targets)
    if path == "io.open":
        from torch7py.translate.native import files

        return isinstance(node, Call) and files.several(t, node, targets)
    return False
