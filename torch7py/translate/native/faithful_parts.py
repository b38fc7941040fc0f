"""Statements without a native form, written in the faithful style between native ones.

A value may pass from one style to the other where both have it as the same object: numbers, text, truth values and
tensors. What else a statement uses must be its own, or be read natively where it stands: a field of a table, its
length, a setting, what a function of the program gives. The statement then counts as faithful, and the report says
why; where something else would pass, it stays untranslated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch7py.ops.registry import operations
from torch7py.translate import tree
from torch7py.translate.errors import NotTranslated
from torch7py.translate.faithful.expressions import Expressions
from torch7py.translate.faithful.functions import FunctionWriter
from torch7py.translate.faithful.names import Names
from torch7py.translate.faithful.page import Writer
from torch7py.translate.faithful.statements import WRITERS
from torch7py.translate.kinds import Type
from torch7py.translate.library import TENSOR_TYPES
from torch7py.translate.native import code
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.whole_tensors import elements
from torch7py.translate.native.wholes import returns_of
from torch7py.translate.scopes import Scope, Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement

if TYPE_CHECKING:
    from torch7py.translate.native.translator import Translator

__all__ = ["Parts"]

EXCHANGED = {"number", "string", "boolean", "tensor"}
# Functions of Lua's that depend on their arguments alone, or change nothing but what they are given.
LIBRARIES = {"string", "math", "table", "bit", "coroutine", "torch"}
FUNCTIONS = set(
    """assert error ipairs getmetatable next pairs pcall print rawequal rawget rawset select setmetatable tonumber
    tostring type unpack""".split()
)
# What draws from Torch7's random stream, of which a native page has none, or is about the program as a whole.
EXCLUDED = set(
    """math.random math.randomseed torch.manualSeed torch.seed torch.initialSeed torch.getRNGState torch.setRNGState
    torch.random torch.uniform torch.normal torch.bernoulli torch.exponential torch.cauchy torch.geometric
    torch.logNormal torch.rand torch.randn torch.randperm torch.multinomial torch.load torch.save torch.class
    torch.setdefaulttensortype torch.setnumthreads torch.CmdLine torch.Timer torch.DiskFile torch.MemoryFile
    torch.PipeFile torch.Generator torch.tic torch.toc torch.include torch.serialize torch.deserialize
    torch.data torch.pointer torch.pushudata torch.factory torch.getmetatable""".split()
)
DRAWING = set(
    "random uniform normal bernoulli exponential cauchy geometric logNormal randperm rand randn multinomial".split()
)


def is_exchanged(t: Translator, node: Expression) -> bool:
    """Whether a value is the same object in both styles, and of the kind that it is taken for."""
    while isinstance(node, tree.Paren):
        node = node.inner
    if isinstance(node, tree.Binary) and node.operator in ("and", "or"):
        # false and 1 is false, and no number
        false = node.operator == "and" and t.kind(node.left) == "boolean" and t.kind(node.right) != "boolean"
        sides = [node.right] if node.operator == "and" else [_second(node.left), node.right]
        return not false and all(is_exchanged(t, side) for side in sides)
    return t.kind(node) in EXCHANGED or isinstance(node, tree.Nil)


def _second(node: Expression) -> Expression:
    """b of ``a and b``, which is what ``a and b or c`` gives first."""
    while isinstance(node, tree.Paren):
        node = node.inner
    return node.right if isinstance(node, tree.Binary) and node.operator == "and" else node


def _is_used(t: Translator, name: Name) -> bool:
    variable = t.scopes.of_name[name]
    return bool(variable.reads or variable.writes)


class Refused(Exception):
    """Something would pass between the styles that each has in its own way."""


class Parts:
    """Writes statements of a native page in the faithful style."""

    def __init__(self, translator: Translator) -> None:
        self.t = translator
        self._spans: dict[Type, tuple[int, int]] | None = None
        self._possible: bool | None = None
        self._has_layers: bool | None = None

    def write(self, node: Statement) -> bool:
        """Write a statement; whether that was done."""
        if not self._fits_program() or not self._is_closed(node):
            return False
        t = self.t
        before, depth = len(t.lines), t.depth
        helpers, classes = dict(t.models.helpers), dict(t.needed_classes)
        try:
            lines = _Part(self, node).lines()
        except (Refused, Problem, NotTranslated):
            del t.lines[before:]
            t.depth, t.models.helpers, t.needed_classes = depth, helpers, classes
            return False
        del t.lines[before:]
        for indent, text in lines:
            t.lines.append("    " * (depth + indent) + text if text else "")
        return True

    def write_instead(self, node: Statement, before: int, problems: int, failed: int) -> None:
        """Write a statement in which others were not translated, from a line on, wholly in the faithful style."""
        t = self.t
        lines = t.lines[before:]
        del t.lines[before:]
        if not self.write(node):
            t.lines[before:] = lines
            return
        self.note(node, t.problems[problems:])
        del t.problems[problems:], t.failed[failed:]

    def note(self, node: Statement, problems: list[Problem]) -> None:
        """All in a statement is faithful, for these reasons."""
        self.t.faithful += [inner for inner in tree.walk(node) if isinstance(inner, Statement)]
        self.t.reasons += problems

    def _fits_program(self) -> bool:
        """Whether text is of the same letters in both styles, and new tensors are of the same type."""
        if self._possible is None:
            t = self.t
            self._possible = not t.wide_text and not any(
                isinstance(node, Call)
                and t.path(node.callee)
                in ("torch.setdefaulttensortype", "torch.include", "setfenv", "module")
                for node in tree.walk(t.program)
            )
        return self._possible

    def _is_closed(self, node: Statement) -> bool:
        """Whether nothing leaves the statement but by its end, or by its return."""
        if isinstance(node, (tree.Break, tree.Goto, tree.Label)):
            return False
        labels = {inner.name for inner in tree.walk(node) if isinstance(inner, tree.Label)}
        stack: list[tuple[tree.Node | tree.Block, bool]] = [(node, False)]
        while stack:
            current, in_loop = stack.pop()
            if isinstance(current, tree.Goto) and current.label not in labels:
                return False
            if isinstance(current, tree.Break) and not in_loop:
                return False
            if isinstance(current, tree.Function):
                in_loop = False
            in_loop = in_loop or isinstance(
                current, (tree.NumericFor, tree.GenericFor, tree.While, tree.Repeat)
            )
            stack.extend((child, in_loop) for child in tree.children(current))
        return True

    def span(self, found: Type) -> tuple[int, int]:
        """From where to where the expressions of a type stand."""
        if self._spans is None:
            self._spans = {}
            for node, known in self.t.types.by_node.items():
                root = known.find()
                first, last = self._spans.get(root, (node.place.start, node.place.end))
                self._spans[root] = (min(first, node.place.start), max(last, node.place.end))
        return self._spans.get(found.find(), (0, 0))

    def may_have_graph(self, node: Expression, seen: frozenset[Variable] = frozenset()) -> bool:
        """Whether a tensor may be what a layer computes, or a part of its weights: gradients would end here."""
        if self._has_layers is None:
            types = self.t.types
            self._has_layers = any(made.parent is not None for made in types.classes.values()) or any(
                found.kind in ("module", "criterion") for found in types.by_node.values()
            )
        if not self._has_layers:
            return False
        for part in tree.walk(node):
            if not isinstance(part, Expression) or self.t.kind(part) not in (
                "tensor",
                "module",
                "criterion",
                None,
            ):
                continue
            if self.t.kind(part) in ("module", "criterion"):
                return True
            if isinstance(part, Index) and self.t.kind(part.base) != "tensor" and self.t.path(part) is None:
                return True  # from a table: it is not followed
            if isinstance(part, Name):
                variable = self.t.scopes.of_name[part]
                sources = self.t.wholes.sources(variable)
                if variable.is_global and not variable.writes:
                    continue  # a library
                if variable in seen:
                    continue
                if not sources or any(
                    isinstance(source, bool) or self.may_have_graph(source, seen | {variable})
                    for source in sources
                ):
                    return True
        return False


class _Part(Writer):
    """One statement."""

    def __init__(self, parts: Parts, node: Statement) -> None:
        self.parts, self.t, self.node = parts, parts.t, node
        super().__init__(tree.Block((node,), None, ()), parts.t.file, parts.t.scopes)
        self.made = self._made()  # variables that the statement gives functions, by which others call them
        self.functions = {v: f for v, f in self.functions.items() if self.is_own(v) or v in self.made}
        self.writers = {
            **WRITERS,
            tree.Run: _run,
            tree.Return: _return,
            tree.Assign: _assign,
            tree.Local: _local,
            tree.FunctionStatement: _function_statement,
        }

    def _made(self) -> dict[Variable, tree.Function]:
        node, found = self.node, {}
        if isinstance(node, tree.LocalFunction):
            found[self.t.scopes.of_name[node.name]] = node.function
        elif isinstance(node, tree.FunctionStatement) and isinstance(node.target, Name):
            found[self.t.scopes.of_name[node.target]] = node.function
        elif isinstance(node, tree.Local) and len(node.names) == len(node.values) == 1:
            value = node.values[0]
            if isinstance(value, tree.Function):
                found[self.t.scopes.of_name[node.names[0]]] = value
        for variable, function in found.items():
            if not self._is_callable(variable, function):
                raise Refused
        return found

    def _is_callable(self, variable: Variable, function: tree.Function) -> bool:
        """Whether native statements can call a faithful function: it takes and gives what both styles have."""
        t = self.t
        returns = t.types.returns[function]
        if len(variable.writes) > (1 if variable.is_global else 0) or function.vararg:
            return False
        if len(returns.counts) > 1 or returns.falls_off or t.classes.is_part(self.node):
            return False
        scope = t.scopes.of_function[function]
        if scope in t.training.steps or function in t.training.losses.graph_functions:
            return False
        if function in t.training.closures or any(
            t.training.is_weights(function, p) for p in function.parameters
        ):
            return False
        if any(
            t.kind(parameter) not in EXCHANGED for parameter in function.parameters if _is_used(t, parameter)
        ):
            return False
        for node in returns_of(function):
            if any(not is_exchanged(t, value) or elements(t, value) == "mask" for value in node.values):
                return False
            last = node.values[-1] if node.values else None
            if isinstance(last, (Call, Invoke)) and (t.calls.gives_two(last) or t.calls.count(last) > 1):
                return False
        return True

    def lines(self) -> list[tuple[int, str]]:
        self._check_names()
        t = self.t
        if any(
            t.kind(node) == "tensor" or (t.path(node) or "").startswith("torch.")
            for node in tree.walk(self.node)
            if isinstance(node, Expression)
        ):
            t.page_needs("lua.use_torch()")
        writer = _PartWriter(self, self.t.scope, None)
        writer.line = self.node.line
        self.writers[type(self.node)](writer, self.node)
        found = []
        for line in writer.code.lines:
            if line.blank:
                found.append((0, ""))
            found.append((line.depth, f"{line.text}  {line.comment}" if line.comment else line.text))
        return found

    def names_for(self, scope: Scope, outer: FunctionWriter | None) -> Names:
        return _PartNames(self.t, scope)

    def expressions_for(self, writer: FunctionWriter) -> Expressions:
        return _PartExpressions(self, writer)

    def is_within(self, start: int, end: int) -> bool:
        return self.node.place.start <= start and end <= self.node.place.end

    def is_own(self, variable: Variable) -> bool:
        """Whether a variable is declared in the statement and used nowhere else."""
        names = [*variable.reads, *variable.writes]
        if variable.declaration is None:
            return False
        return all(self.is_within(n.place.start, n.place.end) for n in (variable.declaration, *names))

    def is_own_type(self, node: Expression) -> bool:
        """Whether what is of an expression's type stands in the statement alone."""
        return self.is_within(*self.parts.span(self.t.type(node)))

    def _check_names(self) -> None:
        """Refuse names that cannot be had in both styles."""
        t = self.t
        for node in tree.walk(self.node):
            if isinstance(node, tree.Vararg):
                raise Refused
            if isinstance(node, Invoke) and node.method in DRAWING:
                raise Refused
            if isinstance(node, tree.Function) and t.scopes.of_function[node].upvalues:
                self._check_function(node)
            if not isinstance(node, Name):
                continue
            variable = t.scopes.of_name[node]
            if variable.is_global and not variable.writes:
                continue  # judged where it is used
            if self.is_own(variable) or variable in self.made:
                continue
            if t.training.is_dropped(variable) or variable in t.graph_variables or variable in t.scales:
                raise Refused
            assigned = node is variable.declaration or node in variable.writes
            if assigned and (t.kind(node) not in EXCHANGED or elements(t, node) == "mask"):
                raise Refused

    def _check_function(self, node: tree.Function) -> None:
        """Refuse a function that keeps another one's variable of a turn, or assigns one of the module's."""
        scope = self.t.scopes.of_function[node]
        for variable in scope.upvalues:
            if self.is_own(variable):
                continue
            if variable.in_loop and not variable.constant and not self._is_called_at_once(node):
                raise Refused
            if scope in variable.writers and self.t.modules.at_module_level(variable):
                raise Refused
        if scope.globals_written:
            raise Refused

    def _is_called_at_once(self, node: tree.Function) -> bool:
        """Whether a function is an argument of a method or of a library's function, which do not keep it."""
        for call in tree.walk(self.node):
            if isinstance(call, (Call, Invoke)) and node in call.arguments:
                return not self.t.types.function_called(call)
        return False


class _PartNames(Names):
    """The names that the native page has for variables."""

    def __init__(self, t: Translator, scope: Scope) -> None:
        super().__init__(scope, None)
        self.t = t

    def lookup(self, variable: Variable) -> str | None:
        return self.t.names.of_variable(variable)

    def declare(self, variable: Variable) -> str:
        return self.t.names.of_variable(variable)

    def take(self, wanted: str, for_good: bool = False) -> str:
        return self.t.names.fresh(code.python_name(wanted), self.scope)


class _PartWriter(FunctionWriter):
    page: _Part

    def read(self, variable: Variable) -> str:
        if variable.is_global and not variable.writes:
            return super().read(variable)
        name = self.page.t.names.of_variable(variable)
        return f"{name}.value" if self.is_cell(variable) else name

    @property
    def is_native(self) -> bool:
        """Whether what is written belongs to a function of the native page, and not to one in the statement."""
        return self.outer is None


class _PartExpressions(Expressions):
    globals = "lua.G"

    def __init__(self, part: _Part, writer: FunctionWriter) -> None:
        super().__init__(writer)
        self.part, self.t = part, part.t

    def value(self, node: Expression) -> str:
        while isinstance(node, tree.Paren):
            node = node.inner
        native = self._native(node)
        if native is not None:
            return native
        self._check(node)
        return super().value(node)

    def call(self, node: Call | Invoke) -> str:
        if self._is_of_program(node):
            return self._text(node, several=True)
        self._check(node)
        return super().call(node)

    def is_single(self, node: Call | Invoke) -> bool:
        if self._is_of_program(node):
            return self.t.calls.count(node) == 1
        return super().is_single(node)

    def is_primary(self, node: Expression, text: str) -> bool:
        while isinstance(node, tree.Paren):
            node = node.inner
        return self._native(node) is not None or super().is_primary(node, text)

    # What is native

    def _native(self, node: Expression) -> str | None:
        """What must be read as the native page reads it; None for what is not the page's."""
        if isinstance(node, Name):
            return self._name(node)
        if isinstance(node, Index):
            return self._text(node) if self._is_of_page(node.base) else None
        if isinstance(node, tree.Unary) and node.operator == "#" and self._is_of_page(node.operand):
            return self._text(node)
        if isinstance(node, (Call, Invoke)) and self._is_of_program(node):
            return self._text(node)
        return None

    def _name(self, node: Name) -> str | None:
        t = self.t
        variable = t.scopes.of_name[node]
        known = self.part.is_own(variable) or variable in self.part.made
        return None if known or (variable.is_global and not variable.writes) else self._text(node)

    def _text(self, node: Expression, several: bool = False) -> str:
        """An expression as the native page has it: a value that both styles have."""
        t = self.t
        if not several and t.kind(node) not in EXCHANGED:
            raise Refused
        for name in tree.walk(node):
            variable = t.scopes.of_name[name] if isinstance(name, Name) else None
            if variable is None or not self.part.is_own(variable):
                continue
            may_be_float = t.kind(name) == "number" and variable.kind not in ("loop", "parameter")  # type: ignore[arg-type]
            if self.writer.is_cell(variable) or may_be_float:
                raise Refused
        before, outer = len(t.lines), t.scope
        t.scope = self.writer.scope
        try:
            if several:
                written = t.calls.all_values(node)
            else:
                written = t.expressions.maybe(node) if isinstance(node, Index) else t.value(node)
        finally:
            t.scope = outer
        if len(t.lines) > before:
            raise Refused
        text = written.at(code.ATOM)
        if t.kind(node) == "tensor" and not several:
            if self.part.parts.may_have_graph(node):
                raise Refused
            if elements(t, node) == "mask":
                text += ".byte()"
        return text

    def _is_of_page(self, node: Expression) -> bool:
        """Whether something is a table, an object or the like of the native page."""
        kind = self.t.kind(node)
        if kind in ("tensor", "string") or self.t.path(node) is not None:
            return False
        if isinstance(node, Name) and self.part.is_own(self.t.scopes.of_name[node]):
            return not self.part.is_own_type(node) if kind is not None else False
        return not (kind == "table" and self.part.is_own_type(node)) and kind is not None

    def _is_of_program(self, node: Call | Invoke) -> bool:
        """Whether a call reaches a function that the native page has."""
        functions = self.t.types.function_called(node)
        return any(not self.part.is_within(f.place.start, f.place.end) for f in functions)

    def _check(self, node: Expression) -> None:
        """Refuse what a faithful expression cannot be or use here."""
        t = self.t
        if isinstance(node, tree.Table) and not self.part.is_own_type(node):
            raise Refused
        if isinstance(node, (Name, Index)):
            path = t.path(node)
            if path is not None and not _is_allowed(path):
                raise Refused
            if path is None and isinstance(node, Name) and t.scopes.of_name[node].is_global:
                raise Refused
        if isinstance(node, Call):
            path = t.path(node.callee)
            if path is not None and not _is_allowed(path):
                raise Refused
            if path is None and not t.types.function_called(node):
                raise Refused  # something unknown
        if (
            isinstance(node, Invoke)
            and t.kind(node.receiver) not in ("tensor", "string")
            and not self._is_tensors(node.receiver)
        ):
            raise Refused

    def _is_tensors(self, node: Expression) -> bool:
        """Whether something is what a method of a tensor, or a function of torch, gave."""
        while isinstance(node, tree.Paren):
            node = node.inner
        if isinstance(node, Invoke):
            return self.t.kind(node.receiver) == "tensor" or self._is_tensors(node.receiver)
        return isinstance(node, Call) and (self.t.path(node.callee) or "").startswith("torch.")


def _is_allowed(path: str) -> bool:
    library, _, name = path.partition(".")
    if not name:
        return path in FUNCTIONS or path in LIBRARIES
    if library == "torch" and name not in operations and path not in TENSOR_TYPES:
        return False  # it is not there: not translated, rather than an error of a page that counts as whole
    return library in LIBRARIES and path not in EXCLUDED


# Statements that are written otherwise than in a faithful page


def _function_statement(writer: Any, node: tree.FunctionStatement) -> None:
    if not isinstance(node.target, Name):
        raise Refused
    writer.write_function(writer.page.t.names.of(node.target), node.function, node.line)


def _local(writer: Any, node: tree.Local) -> None:
    _check_values(writer, node.names, node.values)
    WRITERS[tree.Local](writer, node)
    _make_whole(writer, node.names, node.values)
    if any(writer.page.t.names.of(name) == "_" for name in node.names) and not node.values:
        raise Refused


def _check_values(writer: Any, targets: tuple[Expression, ...], values: tuple[Expression, ...]) -> None:
    """Refuse to give variables of the native page what is not of their kind."""
    t = writer.page.t
    for target, value in zip(targets, values, strict=False):
        outside = isinstance(target, Name) and not writer.page.is_own(t.scopes.of_name[target])
        function = (
            isinstance(value, tree.Function) and outside and t.scopes.of_name[target] in writer.page.made
        )
        if outside and not function and not is_exchanged(t, value):
            raise Refused


def _make_whole(writer: Any, targets: tuple[Expression, ...], values: tuple[Expression, ...]) -> None:
    """Let variables be ints that the native page has as ints: Lua's arithmetic gives floats."""
    t = writer.page.t
    for target, value in zip(targets, values, strict=False):
        if not isinstance(target, Name) or writer.page.is_own(t.scopes.of_name[target]):
            continue
        if t.kind(value) == "number" and t.whole(value) and _computes(value):
            name = writer.page.t.names.of(target)
            writer.add(f"{name} = int({name})")


def _computes(node: Expression) -> bool:
    """Whether there is arithmetic in an expression."""
    return any(isinstance(n, tree.Binary) and n.operator in "+-*/%^" for n in tree.walk(node))


def _whole(writer: Any, node: Expression) -> str:
    """A value for the native page, an int where it has one."""
    t, text = writer.page.t, str(writer.expressions.value(node))
    whole = t.kind(node) == "number" and t.whole(node) and _computes(node)
    return f"int({text})" if whole else text


def _run(writer: Any, node: tree.Run) -> None:
    call, t = node.call, writer.page.t
    if not (isinstance(call, Call) and t.path(call.callee) == "print"):
        writer.add(writer.expressions.call(call))
        return
    texts = [_printed(writer, argument, argument is call.arguments[-1]) for argument in call.arguments]
    separator = ', sep="\\t"' if len(texts) > 1 or any(text.startswith("*") for text in texts) else ""
    writer.add(f"print({', '.join(texts)}{separator})")


def _printed(writer: Any, node: Expression, last: bool) -> str:
    t, expressions = writer.page.t, writer.expressions
    inner = node
    while isinstance(inner, tree.Paren):
        inner = inner.inner
    if isinstance(inner, (Call, Invoke)) and last and node is inner and not expressions.is_single(inner):
        scalars = isinstance(inner, Call) and (t.path(inner.callee) or "").partition(".")[0] in LIBRARIES - {
            "torch"
        }
        if t.kind(inner) == "tensor" or not (scalars or t.kind(inner) in EXCHANGED):
            raise Refused
        return f"*map(lua.G.tostring, lua.multi({expressions.call(inner)}))"
    kind = t.kind(node)
    if kind == "tensor":
        return str(expressions.value(node))
    if kind not in EXCHANGED and not isinstance(inner, tree.Nil):
        raise Refused
    return f"lua.G.tostring({expressions.value(node)})"


def _return(writer: Any, node: tree.Return) -> None:
    if not writer.is_native:
        if writer.scope.function in writer.page.made.values() and len(node.values) == 1:
            writer.add(f"return {_whole(writer, node.values[0])}")
        else:
            WRITERS[tree.Return](writer, node)
        return
    t = writer.page.t
    function = t.scope.function
    if function is None or function in t.training.losses.graph_functions:
        raise Refused
    count = t.types.returns[function].count
    if any(not is_exchanged(t, value) for value in node.values) or function in [
        file.function for file in t.project.files
    ]:
        raise Refused
    last = node.values[-1] if node.values else None
    several = isinstance(last, (Call, Invoke)) and not writer.expressions.is_single(last)
    if several and (len(node.values) > 1 or t.calls.gives_two(last) or t.calls.count(last) > 1):
        raise Refused  # as many as there are
    texts = [_whole(writer, value) for value in node.values]
    texts += ["None"] * (count - len(texts))
    writer.add(f"return {', '.join(texts)}" if texts else "return")


def _assign(writer: Any, node: tree.Assign) -> None:
    t = writer.page.t
    places = [
        target
        for target in node.targets
        if isinstance(target, Index) and writer.expressions._is_of_page(target.base)
    ]
    _check_values(writer, node.targets, node.values)
    if not places:
        WRITERS[tree.Assign](writer, node)
        _make_whole(writer, node.targets, node.values)
        return
    if len(node.targets) != 1 or len(node.values) != 1 or not is_exchanged(t, node.values[0]):
        raise Refused
    target, value = places[0], _whole(writer, node.values[0])
    if elements(t, node.values[0]) == "mask" or isinstance(node.values[0], tree.Nil):
        raise Refused
    if t.tables.appends(target):
        writer.add(f"{t.value(target.base).at(code.ATOM)}.append({value})")
    else:
        writer.add(f"{t.target(target)} = {value}")
