"""Which names of which packages a program uses, and where."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from torch7py.nn.base import Criterion, Module
from torch7py.packages.registry import packages
from torch7py.translate import tree
from torch7py.translate.kinds import Type
from torch7py.translate.library import PENLIGHT
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Block, Call, Expression, Index, Invoke, Name
from torch7py.translate.types import Types

__all__ = ["LUA", "Usage", "is_unset", "loaded", "required", "usage_of"]

# What is Lua's own, with the FFI and the bit operations of LuaJIT.
LUA = frozenset(
    "_G _VERSION arg assert bit collectgarbage coroutine debug dofile error ffi getfenv getmetatable include io"
    " ipairs jit load loadfile loadstring math module newproxy next os package pairs pcall print rawequal rawget"
    " rawlen rawset require select setfenv setmetatable string table tonumber tostring type unpack xpcall".split()
)
# What the interpreter of Torch7 sets besides, with the packages that it loads.
_INTERPRETER = frozenset(
    "_PROMPT _PROMPT2 browse dok exit gcinfo help import lapp monitor_G noColors paths pl print_new print_old repl"
    " setprintlevel sys torch warn who xerror xlua xprint xrequire".split()
)
# What may set any global: other code, or the table of all globals where it is changed or handed on.
_RUNS_CODE = frozenset("dofile include load loadfile loadstring".split())
_ALL_GLOBALS = frozenset("_G getfenv setfenv".split())
_STRICT = frozenset({"pl.strict", "strict"})
# What Penlight adds to the globals when all of it is loaded.
_ALL_OF_PENLIGHT = PENLIGHT | frozenset(
    "Date List Map MultiMap OrderedMap Set app array2d class comprehension config data func import_into input lapp"
    " lexer lfs luabalanced operator permute seq sip stringio test types url xml".split()
)
# Kinds of values, and the class whose methods they have.
_OWNERS = {
    "tensor": "torch.Tensor",
    "storage": "torch.Storage",
    "module": Module.torch7_name,
    "criterion": Criterion.torch7_name,
    "cmdline": "torch.CmdLine",
    "timer": "torch.Timer",
}
_CLASS_MAKERS = frozenset({"torch.class", "class", "nn.class", "torch.TestSuite"})


@dataclass
class Usage:
    """The names that a program takes from packages, and the lines that they stand in.

    ``names``: ``nn.Linear``; ``torch.Tensor:add`` for a method of a tensor, ``nn.Linear:forward`` for one of a
    layer whose class is known, else ``nn.Module:forward``. ``required`` is what ``require`` is given, ``defined``
    what the program itself adds to packages, ``open`` methods of something of unknown kind.
    """

    names: dict[str, list[int]] = field(default_factory=dict)
    required: dict[str, list[int]] = field(default_factory=dict)
    defined: set[str] = field(default_factory=set)
    open: dict[str, list[int]] = field(default_factory=dict)


def required(node: Expression) -> str | None:
    """The name of the package or file that a call of ``require`` loads."""
    if not isinstance(node, Call) or not isinstance(node.callee, Name) or node.callee.name != "require":
        return None
    name = node.arguments[0] if len(node.arguments) == 1 else None
    return name.value if isinstance(name, tree.String) else None


def is_unset(
    program: Block, name: str, own_files: Collection[Call] = (), runs_no_other_code: bool = False
) -> bool:
    """Whether nothing sets a global that the program itself assigns nowhere: Lua, or a package that it may load.

    ``own_files`` are the calls that run files which are parts of the program, ``runs_no_other_code`` whether no page
    of the program runs any other.
    """
    if name in LUA | _INTERPRETER | PENLIGHT or _may_set_any(program, own_files, runs_no_other_code):
        return False
    packages_loaded = loaded(program)
    return name not in packages_loaded and not ("pl" in packages_loaded and name in _ALL_OF_PENLIGHT)


def _may_set_any(program: Block, own_files: Collection[Call], runs_no_other_code: bool) -> bool:
    """Whether a program runs code that is not known, or changes globals by names that are not written out.

    Where a global that nothing has set may be an error, it is none that is known to be nil either.
    """
    if any(node.value in _STRICT for node in tree.every(program, tree.String)):
        return True
    stored = {target for node in tree.every(program, tree.Assign) for target in node.targets}
    if runs_no_other_code:  # nor has a page the table of all globals as a value
        changed = {target.base for target in stored if isinstance(target, Index)}
        return any(
            node.name in _ALL_GLOBALS and (node.name != "_G" or node in changed)
            for node in tree.every(program, Name)
        )
    names = [node for node in tree.every(program, Name) if node.name in _RUNS_CODE | _ALL_GLOBALS]
    if not names:
        return False
    harmless: set[Expression] = {call.callee for call in own_files}
    harmless |= {
        node.base for node in tree.every(program, Index) if node not in stored and _is_table(node.base)
    }
    for call in tree.every(program, Call):
        if isinstance(call.callee, Name) and call.callee.name in ("pairs", "rawget"):
            harmless.update(filter(_is_table, call.arguments[:1]))
    return not harmless.issuperset(names)


def _is_table(node: Expression) -> bool:
    """Whether an expression is the table of all globals, by its name."""
    return isinstance(node, Name) and node.name == "_G"


def loaded(program: Block) -> set[str]:
    """The packages that a program may load: those that it names in any text, and those that these require."""
    names: set[str] = set()
    texts = {node.value for node in tree.every(program, tree.String)}
    waiting = {*texts, *(text.partition(".")[0] for text in texts)} & packages.keys()
    while waiting:
        names |= waiting
        waiting = {other for package in waiting for other in packages[package].requires} - names
    return names


def usage_of(program: Block, types: Types, added: Iterable[str] = ()) -> Usage:
    """What a program uses of the packages around it; ``added`` are functions that it is known to put into them."""
    usage = _Reader(program, types).read()
    usage.defined.update(added)
    return usage


class _Reader:
    def __init__(self, program: Block, types: Types) -> None:
        self.program, self.types = program, types
        self.usage = Usage()
        self.aliases = dict(self._local_packages())
        self.parts: set[Expression] = set()  # inner parts of names that are noted as a whole

    def _local_packages(self) -> Iterator[tuple[Variable, str]]:
        """``local nn = require 'nn'``, and the same with a global."""
        for node in tree.walk(self.program):
            if not isinstance(node, tree.Assignment):
                continue
            for name, value in zip(node.targets, node.values, strict=False):
                package = required(value)
                if package is None or not isinstance(name, Name):
                    continue
                variable = self.types.scopes.of_name[name]
                if len(variable.writes) == (1 if variable.is_global else 0):
                    yield variable, package

    def read(self) -> Usage:
        for node in tree.walk(self.program):
            if isinstance(node, tree.FunctionStatement):
                self._definition(node.target, ":" if node.method else ".")
            elif isinstance(node, tree.Assign):
                for target in node.targets:
                    self._definition(target, ".")
            elif isinstance(node, Call):
                self._call(node)
            elif isinstance(node, Invoke):
                self._method(node)
            elif isinstance(node, Index):
                self._name(node)
            else:
                self.parts.update(filter(None, map(_asked, _tests(node))))
        return self.usage

    def path(self, node: Expression) -> list[str] | None:
        """``nn``, ``Linear`` for that expression: the package's own name first, whatever it is called here."""
        if isinstance(node, Index) and isinstance(node.key, tree.String):
            base = self.path(node.base)
            return None if base is None else [*base, node.key.value]
        if isinstance(node, Name):
            variable = self.types.scopes.of_name[node]
            if variable in self.aliases:
                return [self.aliases[variable]]
            if variable.is_global and not variable.writes and node.name not in LUA:
                return [node.name]
        return None

    def _definition(self, target: Expression, mark: str) -> None:
        path = self.path(target) if isinstance(target, Index) else None
        if path is not None:
            self.usage.defined.add(".".join(path[:-1]) + mark + path[-1])
        while isinstance(target, Index):
            self.parts.add(target)
            target = target.base

    def _name(self, node: Index) -> None:
        if node in self.parts:
            return
        path = self.path(node)
        base: Expression = node.base
        while path is not None and isinstance(base, Index):
            self.parts.add(base)
            base = base.base
        if path is not None:
            inner = ".".join(path[:2]) in packages  # nn.utils, pl.path
            _note(self.usage.names, ".".join(path[: 3 if inner else 2]), node.line)

    def _call(self, node: Call) -> None:
        name = required(node)
        if name is not None:
            _note(self.usage.required, name, node.line)
        path = self.path(node.callee)
        if node.arguments and (".".join(path or ()) in _CLASS_MAKERS or _is_class(node.callee)):
            first = node.arguments[0]
            if isinstance(first, tree.String):
                self.usage.defined.add(first.value)

    def _method(self, node: Invoke) -> None:
        receiver = self.types.of(node.receiver)
        for owner in self._owners(node, receiver):
            _note(self.usage.names, f"{owner}:{node.method}", node.method_span.line)
        if receiver.kind is None and self.path(node.receiver) is None:
            _note(self.usage.open, node.method, node.method_span.line)

    def _owners(self, node: Invoke, receiver: Type) -> list[str]:
        if receiver.classes:
            return []
        owner = _OWNERS.get(receiver.kind or "")
        expression: Expression = node.receiver
        while isinstance(expression, Invoke) and expression.method == "add":  # which gives the container
            expression = expression.receiver
        path = self.path(expression.callee) if isinstance(expression, Call) else None
        if receiver.kind in ("module", "criterion") and path is not None and path[0] in ("nn", "rnn"):
            return [".".join(["nn", *path[1:]])]  # whatever else the variable may hold that takes it
        if receiver.kind in ("module", "criterion") and receiver.layers:
            names = {layer.name for layer in receiver.layers}
            if len(names) == 1:
                return [names.pop()]  # one of several may be another one than is called here
        return [] if owner is None else [owner]


def _tests(node: tree.Node | Block) -> Iterator[Expression]:
    """The expressions of which a statement or an operator asks only whether they are true, or nil."""
    match node:
        case tree.If():
            yield from (condition for condition, _ in node.branches)
        case tree.While() | tree.Repeat():
            yield node.condition
        case tree.Unary(operator="not"):
            yield node.operand
        case tree.Binary(operator="and" | "or"):
            yield node.left
        case tree.Binary(operator="==" | "~="):
            if isinstance(node.left, tree.Nil) or isinstance(node.right, tree.Nil):
                yield from (node.left, node.right)


def _asked(test: Expression) -> Expression | None:
    """The entry that a test asks for: a program that does so does not need what it asks for to be there."""
    while isinstance(test, tree.Paren):
        test = test.inner
    return test if isinstance(test, Index) else None


def _is_class(callee: Expression) -> bool:
    return isinstance(callee, Name) and callee.name == "class"


def _note(where: dict[str, list[int]], name: str, line: int) -> None:
    lines = where.setdefault(name, [])
    if not lines or lines[-1] != line:
        lines.append(line)
