"""Lua's libraries, and what Torch7 adds to them, on Python's standard library."""

from __future__ import annotations

from torch7py.nn.registry import layers
from torch7py.translate import tree
from torch7py.translate.kinds import Type
from torch7py.translate.native import code, files, json_texts, matching, patterns, protected_calls, text
from torch7py.translate.native.analysis import pattern_calls
from torch7py.translate.native.analysis.unknown_values import described, of_require
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.library_rules import function, functions, statement, values
from torch7py.translate.native.page_packages import (
    OPENCL,
    PACKAGES,
    is_there,
    only_gives_names,
    probed_package,
)
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.quoting import comments, decoded
from torch7py.translate.tree import Binary, Call, Expression, Invoke, String
from torch7py.translate.tree_queries import bare

__all__ = ["PACKAGES", "several"]


def _arguments(t: Translation, node: Call) -> str:
    return t.calls.arguments(node, [])


def _plain(lua: str, python: str, module: str = "") -> None:
    def rule(t: Translation, node: Call) -> Py:
        if module:
            t.imports.add(module)
        if lua.startswith("math.") and any(t.kind(argument) == "string" for argument in node.arguments):
            return atom(f"{python}({', '.join(str(t.expressions.number(a)) for a in node.arguments)})")
        if lua in ("math.max", "math.min") and _may_be_nan(t, node):
            second, first = node.arguments
            return atom(f"{python}({t.value(first)}, {t.value(second)})")
        return atom(f"{python}({_arguments(t, node)})")

    functions[lua] = rule
    values[lua] = python


def _may_be_nan(t: Translation, node: Call) -> bool:
    """Whether one of two numbers may be no number: LuaJIT gives the second then, Python the first.

    Those that functions of the program give stay in their order.
    """
    if len(node.arguments) != 2 or all(t.whole(a) or t.intervals.finite(a) for a in node.arguments):
        return False
    return not any(
        isinstance(n, (Call, Invoke)) and t.types.function_called(n)
        for argument in node.arguments
        for n in tree.walk(argument)
    )


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
_plain("paths.cwd", "os.getcwd", "os")
_plain("lfs.currentdir", "os.getcwd", "os")
_plain("lfs.chdir", "os.chdir", "os")
_plain("io.popen", "os.popen", "os")
_plain("torch.seed", "torch.seed")
_plain("torch.initialSeed", "torch.initial_seed")
_plain("sys.sleep", "time.sleep", "time")


@function("paths.basename", "sys.basename")
def last_part(t: Translation, node: Call) -> Py:
    """``paths.basename(path[, suffix])``"""
    t.imports.add("os")
    path, suffix = node.arguments[0], node.arguments[1:]
    if not suffix:
        return atom(f"os.path.basename({t.value(path)})")
    if isinstance(suffix[0], String) and suffix[0].value.strip("."):
        ending = code.quoted("." + suffix[0].value.removeprefix("."))
        return atom(f"os.path.basename({t.value(path)}).removesuffix({ending})")
    return atom(f"{t.need('base_name')}({t.value(path)}, {t.value(suffix[0])})")


@function("string.char")
def string_char(t: Translation, node: Call) -> Py:
    letters = [f"chr({t.expressions.whole_number(argument)})" for argument in node.arguments]
    return Py(" + ".join(letters), code.ADD) if len(letters) > 1 else atom(letters[0] if letters else '""')


@function("math.pow")
def power(t: Translation, node: Call) -> Py:
    base, exponent = node.arguments[0], node.arguments[1]
    return t.expressions.power(base, exponent)


@function("math.floor")
def floor(t: Translation, node: Call) -> Py:
    argument = bare(node.arguments[0])
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
def ceiling(t: Translation, node: Call) -> Py:
    argument = node.arguments[0]
    if not t.intervals.finite(argument):
        return atom(f"{t.need('lua_ceil')}({t.expressions.number(argument)})")
    return atom(f"math.ceil({t.expressions.number(argument)})")


values["math.ceil"] = "math.ceil"


def _has_modules(table_type: Type) -> bool:
    """Whether a table has a module in it, at any depth."""
    seen: set[Type] = set()
    waiting = [table_type.find()]
    while waiting:
        type_ = waiting.pop()
        if type_ in seen:
            continue
        seen.add(type_)
        if type_.kinds & {"module", "criterion"}:
            return True
        waiting += [inner.find() for inner in (type_.element, *type_.fields.values()) if inner is not None]
    return False


@function("torch.deserialize")
def deserialized(t: Translation, node: Call) -> Py:
    """``torch.deserialize(torch.serialize(x))``, a copy of all that is in x."""
    inner = node.arguments[0] if len(node.arguments) == 1 else None
    if not isinstance(inner, Call) or t.path(inner.callee) != "torch.serialize" or len(inner.arguments) != 1:
        raise Problem("T7-201", node.line, "torch.deserialize of what something else has serialized")
    if t.kind(inner.arguments[0]) not in ("table", "tensor"):
        raise Problem("T7-307", node.line, "a copy of something of unknown kind")
    if _has_modules(t.type(inner.arguments[0])):
        raise Problem("T7-222", node.line, "a copy of a table with modules")
    t.imports.add("copy")
    return atom(f"copy.deepcopy({t.value(inner.arguments[0])})")


@function("math.random")
def math_random(t: Translation, node: Call) -> Py:
    t.imports.add("random")
    if not node.arguments:
        return atom("random.random()")
    bounds = [str(t.expressions.whole_number(argument)) for argument in node.arguments]
    return atom(f"random.randint({', '.join(['1', *bounds][-2:])})")


@function("tostring")
def to_string(t: Translation, node: Call) -> Py:
    written = text.text(t, node.arguments[0])
    is_open = t.kind(node.arguments[0]) not in ("number", "string", "boolean")  # may say itself what it is
    return atom(f"str({written})") if is_open and written.text.startswith("lua_text(") else written


@function("tonumber")
def to_number(t: Translation, node: Call) -> Py:
    argument = node.arguments[0]
    # Arguments of the program are texts: ``arg[1] or n`` is no number for having one of its kinds.
    given = any(isinstance(n, tree.Name) and t.scopes.is_global(n, "arg") for n in tree.walk(argument))
    if t.kind(argument) == "number" and not given:
        return t.value(argument)
    if patterns.may_be_no_number(t, node):
        return atom(f"{t.need('to_number')}({_arguments(t, node)})")
    return atom(f"float({t.value(argument)})")


@function("string.gmatch")
def gmatch(t: Translation, node: Call) -> Py:
    subject, arguments = node.arguments[0], node.arguments[1:]
    return matching.value(t, "gmatch", subject, tuple(arguments), node.line)


@function("pcall")
def pcall(t: Translation, node: Call) -> Py:
    package = probed_package(t, node)
    if package is not None:
        return atom(is_there(t, package, node.line).partition("  #")[0])
    return atom(protected_calls.value(t, node))


@statement("pcall")
def pcall_statement(t: Translation, node: Call) -> None:
    package = probed_package(t, node)
    if package is not None:
        is_there(t, package, node.line)
        return  # the functions of a package are looked at where they are called
    protected_calls.statement(t, node)


@function("select")
def select(t: Translation, node: Call) -> Py:
    """``select('#', ...)``, ``select(n, ...)``, and ``select(n, f(x))``"""
    first = node.arguments[0]
    if len(node.arguments) == 2 and isinstance(node.arguments[1], (Call, Invoke)):
        return t.calls.one_of_several(node.arguments[1], first)
    if len(node.arguments) != 2 or not isinstance(node.arguments[1], tree.Vararg):
        raise Undecided("T7-217", node.line, "select of something else than ...")
    rest = t.rest()
    if isinstance(first, String):
        return atom(f"len({rest})")
    return atom(f"{rest}[{t.expressions.position(first)}]")


@function("string.format")
def string_format(t: Translation, node: Call) -> Py:
    return text.format(t, node.arguments[0], node.arguments[1:])


@function("type")
def lua_type(t: Translation, node: Call) -> Py:
    kind = t.kind(node.arguments[0])
    if t.type(node.arguments[0]).has("message"):
        protected_calls.refuse_other_errors(t, node.line)
    if (
        kind in (None, "any")
        or node.arguments[0] in t.types.guessed
        or (kind in ("number", "string", "boolean", "tensor") and t.type(node.arguments[0]).nil)
        or text.may_be_nil(t, node.arguments[0])
        or t.types.calls_program(node.arguments[0])
    ):
        t.imports |= {"inspect", "torch"}
        if json_texts.asks_for_nulls(t):  # which are userdata
            raise Undecided("T7-203", node.line, "the type of what may be a null of a text in JSON")
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
        of = described(t, node.arguments[0])
        raise Undecided("T7-308", node.line, f"type() of {of}")
    return atom(code.quoted(names[kind]))


@function("os.time")
def os_time(t: Translation, node: Call) -> Py:
    if node.arguments:
        raise Undecided("T7-203", node.line, "os.time with a table")
    t.imports.add("time")
    return atom("int(time.time())")


@function("os.difftime")
def difference(t: Translation, node: Call) -> Py:
    later, earlier = node.arguments
    return Py(f"{t.value(later).at(code.ADD)} - {t.value(earlier).at(code.ADD + 1)}", code.ADD)


@function("assert")
def asserted(t: Translation, node: Call) -> Py:
    first = node.arguments[0]
    if isinstance(first, Call) and t.path(first.callee) == "io.open":
        return atom(files.opened(t, first))  # an error itself
    _refuse_message_in_values(t, node)
    name = t.fresh("value")
    t.emit(f"{name} = {t.value(first)}")
    condition = name if t.kind(first) == "boolean" else f"{name} is not None"
    if t.kind(first) in (None, "any"):
        condition = f"{t.need('lua_true')}({name})"
    t.emit(f"assert {condition}{_message(t, node)}")
    return atom(name)


def _refuse_message_in_values(t: Translation, node: Call) -> None:
    """``assert(os.remove(path))``: what the error says comes with nil, and the program may read it."""
    last = node.arguments[-1]
    is_spread = isinstance(last, (Call, Invoke)) and len(node.arguments) == 1 and not t.calls.is_one(last)
    if is_spread and protected_calls.reads_errors(t):
        raise Undecided("T7-218", node.line, "all values of a call at the end of a list")


def _message(t: Translation, node: Call) -> str:
    """What an assertion says where it fails. Lua's own words are written where the program may read them."""
    if len(node.arguments) > 1:
        return f", {t.value(node.arguments[1])}"
    return ', "assertion failed!"' if protected_calls.reads_errors(t) else ""


def _about_packages(t: Translation, node: Expression) -> bool:
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
def assert_statement(t: Translation, node: Call) -> None:
    if node.arguments and _about_packages(t, node.arguments[0]):
        return  # PyTorch has them all
    _refuse_message_in_values(t, node)
    condition = t.conditions.condition(node.arguments[0])
    t.emit(f"assert {condition}{_message(t, node)}")


@statement("error")
def error(t: Translation, node: Call) -> None:
    if not protected_calls.is_text(t, node):
        raise Undecided("T7-203", node.line, "an error that is no text")
    t.emit(f"raise RuntimeError({t.value(node.arguments[0])})")


@function("error")
def error_as_value(t: Translation, node: Call) -> Py:
    """``known[name] or error('unknown ' .. name)``"""
    if not protected_calls.is_text(t, node):
        raise Undecided("T7-203", node.line, "an error that is no text")
    return atom(f"{t.need('fail')}({t.value(node.arguments[0])})")


@statement("os.exit")
def os_exit(t: Translation, node: Call) -> None:
    t.imports.add("sys")
    status = node.arguments[0] if node.arguments else None
    if isinstance(status, tree.Boolean):
        t.emit(f"sys.exit({'' if status.value else '1'})")
    elif status is None or t.kind(status) == "number":
        t.emit(f"sys.exit({'' if status is None else t.expressions.whole_number(status)})")
    else:
        raise Problem("T7-203", node.line, "os.exit with something else than a number")


@statement(
    "collectgarbage",
    "nngraph.setDebug",
    "xlua.progress",
    "torch.setheaptracking",
    "threads.serialization",
    "threads.Threads.serialization",
)
def dropped(t: Translation, node: Call) -> None:
    """Nothing to do in Python, where jobs share what they use; progress bars and drawings of errors are left out."""


@statement("require")
def require(t: Translation, node: Call) -> None:
    name = node.arguments[0]
    if isinstance(name, String) and name.value in OPENCL:
        t.emit('raise RuntimeError("PyTorch has no OpenCL")')
        return
    if not isinstance(name, String):
        raise Undecided("T7-251", node.line, of_require(node))
    if not only_gives_names(name.value):
        raise Problem("T7-251", node.line, of_require(node))


@statement("argcheck.doc")
def documentation(t: Translation, node: Call) -> None:
    """What a file says of itself, in Markdown."""
    for argument in node.arguments:
        if not isinstance(argument, tree.String):
            raise Problem("T7-203", node.line, "a text for argcheck.doc that is not written out")
        for line in comments(decoded(argument.value.strip())):
            t.emit(line)


def several(t: Translation, node: Call | Invoke, path: str | None, targets: tuple[Expression, ...]) -> bool:
    """Library calls with several results."""
    if path in ("unpack", "table.unpack"):
        assert isinstance(node, Call)
        items = t.unpacking.items(t.calls.unpacked(node).text, [node.arguments[0]], targets)
        t.emit(f"{', '.join(t.target(target) for target in targets)} = {items}")
        return True
    string_call = pattern_calls.matched(t, node)
    if string_call is not None:
        return matching.several(t, string_call, targets, node.line)
    if path == "pcall" and isinstance(node, Call):
        return protected_calls.several(t, node, targets)
    if path == "io.open":
        return isinstance(node, Call) and files.several(t, node, targets)
    return False
