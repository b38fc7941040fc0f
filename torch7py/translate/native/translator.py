"""Statements and the state of one program's translation to plain PyTorch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import NamedTuple

from torch7py.translate import tree
from torch7py.translate.kinds import Type
from torch7py.translate.layout import WIDTH
from torch7py.translate.native import (
    bounds,
    comprehensions,
    devices,
    files,
    optimizers,
    ranges,
    table_comments,
    tables,
)
from torch7py.translate.native.assignments import Assignments
from torch7py.translate.native.calls import Calls
from torch7py.translate.native.classes import Classes
from torch7py.translate.native.closures import Closures
from torch7py.translate.native.code import INDENT, Py
from torch7py.translate.native.comments import comment_lines
from torch7py.translate.native.conditions import Conditions
from torch7py.translate.native.expressions import Expressions
from torch7py.translate.native.functions import Functions
from torch7py.translate.native.graphs import Graphs
from torch7py.translate.native.intervals import Intervals
from torch7py.translate.native.missing import looked_for
from torch7py.translate.native.models import Models
from torch7py.translate.native.modules import Modules
from torch7py.translate.native.names import Names, walk_function
from torch7py.translate.native.outputs import overwritten
from torch7py.translate.native.own_passes import OwnPasses
from torch7py.translate.native.places import Places
from torch7py.translate.native.plain_layers import PlainLayers
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.native.project import Project, SourceFile
from torch7py.translate.native.surroundings import Surroundings
from torch7py.translate.native.tensors.reshaping import Reshapes
from torch7py.translate.native.training import Training
from torch7py.translate.native.unpacking import Unpacking
from torch7py.translate.native.value_counts import ValueCounts
from torch7py.translate.native.whole_tensors import counted_comparisons, elements
from torch7py.translate.native.wholes import Wholes
from torch7py.translate.quoting import comment as comment_of
from torch7py.translate.quoting import quoted
from torch7py.translate.scopes import Scope, Scopes, Variable
from torch7py.translate.tree import (
    Block,
    Call,
    Comment,
    Expression,
    Index,
    Invoke,
    Name,
    Statement,
)
from torch7py.translate.types import Types

__all__ = ["PROVED", "Needs", "PlainForms", "Translator"]

# What statements need of the page around them: helpers, classes, and lines at the module's level.
Needs = tuple[dict[str, None], dict[str, None], dict[str, None]]


class PlainForms(NamedTuple):
    """What is written in plain calls because a first attempt has shown that its idiomatic form cannot be proved.

    ``graphs``: where graphs are made that have no class. ``passes``: whether modules go there and back call by call,
    each keeping what it needs, and no loss goes back as a whole.
    """

    graphs: frozenset[int] = frozenset()
    passes: bool = False


PROVED = PlainForms()


class Translator:
    """Writes the statements of a program. ``lines`` is the code of the function being written."""

    def __init__(
        self,
        project: Project,
        scopes: Scopes,
        types: Types,
        one_row: bool,
        plainly: PlainForms = PROVED,
    ) -> None:
        self.project, self.program, self.scopes, self.types = project, project.program, scopes, types
        self.plain_graphs, self.plain_passes = plainly
        self.one_row = one_row  # whether a run has shown batches of one example
        self.names = Names(scopes)
        self.surroundings = Surroundings(project.program, scopes)
        self.imports: set[str] = set()
        self.lines: list[str] = []
        self.statement_at = 0  # where the lines of the statement begin that is being written
        self.depth = 0
        self.scope: Scope = scopes.main
        self.shifts: dict[Variable, int] = {}  # loop variables written less this much
        self.counting: set[Variable] = set()  # loop variables that the page reads though the program does not
        self.graph_variables: set[Variable] = set()
        self.raw_elements: set[Expression] = set()  # elements of tensors that may stay 0-dimensional tensors
        self.list_places: set[Name] | None = (
            None  # the names that are places in lists, when they were asked for
        )
        self.labels: list[str | None] = []  # of the loops around: where their `continue` goes
        self.around: list[Scope] = []  # the functions that are being written, outermost first
        self.in_main = False  # whether they are inside the page's `main`
        self.present: set[Expression] = set()  # what cannot be nil where it stands, or Lua ends there
        # Lua counts bytes: with letters beyond ASCII, places and lengths are not those of Python's text.
        self.wide_text = any(not node.value.isascii() for node in tree.every(self.program, tree.String))
        self.cards = devices.are_used(self.program)
        self.has_stopwatches: bool | None = None  # whether its timers stop and go on, when that was asked for
        self.follows_pointers: bool | None = (
            None  # whether all that it does with pointers has a form, if asked for
        )
        self.scales: set[Variable] = set()  # of accGradParameters: always 1
        self.current: tree.Node | None = None  # the statement or function that is being written
        self.origins: list[tuple[str, tree.Node]] = []  # lines as they were first written, and for what
        self.problems: list[Problem] = []
        self.failed: list[Statement] = []  # those with a problem, and all in them, are not translated
        self.plain_calls: list[Statement] = []  # those with plain calls
        self.reasons: list[Problem] = []  # why statements have plain calls
        self.opened: set[Type] = (
            set()
        )  # tables that plain calls gave, of which no other part of the program tells
        self.plainly = False  # whether the statement at hand may be written with plain calls
        self.mixed = False  # whether the statement at hand has one
        self.top: list[list[str]] = []  # classes and functions of the module
        self.module_lines: list[str] = []  # statements after the constants
        self.needed_lines: dict[str, None] = {}  # before them
        self.needed_classes: dict[str, None] = {}
        self.helpers_needed: set[str] = set()  # on any page
        self.module_level: set[Variable] = set()
        raw = Wholes(self)
        self.wholes = Wholes(self, raw)
        self.reshapes = Reshapes(self)
        self.intervals = Intervals(self, raw)
        self.counted = counted_comparisons(self)
        self.looked_for = looked_for(self)
        self.plain_layers = PlainLayers(self)
        self.classes = Classes(self)
        self.tables = tables.Tables(self)
        self.places = Places(self)
        self.unpacking = Unpacking(self)
        self.expressions = Expressions(self)
        self.conditions = Conditions(self)
        self.assignments = Assignments(self)
        self.calls = Calls(self)
        self.counts = ValueCounts(self)
        self.own_passes = OwnPasses(self)
        self.models = Models(self)
        self.training = Training(self)
        self.modules = Modules(self, project)
        self.graphs = Graphs(self)
        self.closures = Closures(self)
        self.functions = Functions(self)
        self.overwritten = overwritten(self)
        self.models.layer_tests.name_classes()

    @property
    def file(self) -> str:
        """The file whose page is being written."""
        return self.modules.current.name

    def start_page(self, file: SourceFile) -> None:
        """What is written from here on belongs to the page of a file."""
        self.lines, self.depth, self.top, self.module_lines = [], 0, [], []
        self.put_back_needs(({}, {}, {}))
        self.module_level = set()
        self.modules.start(file)

    # What is known

    def type(self, node: Expression) -> Type:
        return self.types.of(node)

    def kind(self, node: Expression) -> str | None:
        found = self.types.by_node.get(node)  # as types.kind, which is asked here a hundred thousand times
        if found is None:
            return None
        kinds = found.kinds if found.is_root else found.find().kinds
        if len(kinds) == 1 and not (self.opened and found.find() in self.opened):
            (only,) = kinds
            return only
        return "any" if kinds else None

    def path(self, node: Expression) -> str | None:
        return self.types.path(node)

    def whole(self, node: Expression) -> bool:
        return self.wholes.is_whole(node)

    def representation(self, node: Expression) -> str:
        found = self.type(node)
        return "several" if found.find() in self.opened else self.tables.representation(found)

    def representation_of(self, found: Type) -> str:
        return self.tables.representation(found)

    def is_mask(self, node: Expression) -> bool:
        """Whether a tensor used as an index is a mask and no list of positions."""
        if isinstance(node, Invoke):
            return node.method in ("eq", "ne", "lt", "gt", "le", "ge")
        if isinstance(node, Call):
            return (self.path(node.callee) or "") in {
                f"torch.{n}" for n in ("eq", "ne", "lt", "gt", "le", "ge")
            }
        return self.type(node).find().tensor_type == "Byte" or elements(self, node) == "mask"

    def layers_named(self, wanted: re.Pattern[str]) -> list[str]:
        """The layers of nn that the program names, of those that a pattern finds."""
        return [name for name in self.layer_names if wanted.search(name)]

    @cached_property
    def goes_back_plainly(self) -> bool:
        """Whether passes of modules of which not all is known go back call by call, by the pages' library."""
        return self.plain_passes or self.models.goes_back()

    @cached_property
    def layer_names(self) -> list[str]:
        """The layers of nn that the program names, in the order in which it does."""
        paths = (self.path(node) for node in tree.every(self.program, Index))
        return list(
            dict.fromkeys(path for path in paths if path is not None and re.fullmatch(r"nn\.\w+", path))
        )

    def need_class(self, name: str) -> None:
        """Have one of the written-out optimizers in the page."""
        self.needed_classes[name] = None

    def needs(self) -> Needs:
        """What the statements so far need of the page."""
        return dict(self.models.helpers), dict(self.needed_classes), dict(self.needed_lines)

    def put_back_needs(self, needs: Needs) -> None:
        """Forget what was needed since, for a statement that is not kept."""
        self.models.helpers, self.needed_classes, self.needed_lines = needs

    def need(self, name: str) -> str:
        """Have one of the helpers in the page; its name."""
        self.models.helpers[name] = None
        self.helpers_needed.add(name)
        return name

    def alias_of(self, node: Name) -> Py | None:
        optimizer = self.training.optimizer_of.get(self.scopes.of_name[node])
        if optimizer is not None:
            return optimizers.listed(self.training, optimizer, node)
        return self.training.parameter_lists.whole(node) or self.training.vectors.alias(node)

    def fresh(self, base: str) -> str:
        return self.names.fresh(base, self.scope)

    def value(self, node: Expression) -> Py:
        return self.expressions.value(node)

    def unread(self, node: Expression) -> str | None:
        """``_`` for a variable that nobody reads."""
        return "_" if isinstance(node, Name) and not self.scopes.of_name[node].reads else None

    def target(self, node: Expression) -> str:
        """What is assigned to, as text."""
        return self.assignments.target(node)

    # Lines

    def emit(self, text: str) -> None:
        self.lines.append(INDENT * self.depth + text if text else "")
        self.note_origin(text)

    def note_origin(self, text: str) -> None:
        """Remember for what a line was written, for who shows both side by side."""
        if self.current is not None and text:
            self.origins.append((text, self.current))

    @contextmanager
    def writing(self, node: tree.Node) -> Iterator[None]:
        """While a statement or function is written."""
        outer, self.current = self.current, node
        try:
            yield
        finally:
            self.current = outer

    def behind_error(self) -> bool:
        """Whether the last line raised an error of the program's: nothing that follows in the block is reached."""
        return bool(self.lines) and self.lines[-1].startswith(f"{INDENT * self.depth}raise RuntimeError(")

    @contextmanager
    def indented(self) -> Iterator[None]:
        self.depth += 1
        before = len(self.lines)
        try:
            yield
            if not any(line.strip() and not line.strip().startswith("#") for line in self.lines[before:]):
                self.emit("pass")
        finally:
            self.depth -= 1

    def gap(self) -> None:
        """An empty line before a definition and its comments, where there is none and it does not begin a block."""
        at = len(self.lines)
        while at and self.lines[at - 1].strip().startswith(("#", "@")):
            at -= 1
        last = self.lines[at - 1].strip() if at else ""
        opens = last.endswith(":") and last.startswith(("def ", "class "))
        if last and not opens:
            self.lines.insert(at, "")

    def comment(self, comment: Comment) -> None:
        if comment.blank and self.lines and self.lines[-1] and not self.lines[-1].rstrip().endswith(":"):
            self.emit("")
        for line in comment_lines(comment):
            self.emit(line)

    # Blocks and statements

    def block(self, block: Block) -> None:
        if block.opening is not None:
            self.note_on(len(self.lines) - 1, block.opening)
        self.statements(block.statements)
        for comment in block.closing if self.graphs.mode != "init" else ():
            self.comment(comment)

    def statements(self, nodes: Sequence[Statement]) -> None:
        if self.graphs.mode:
            for node in nodes:
                with self.writing(node):
                    self.graphs.statement(node)
            return
        skip = 0
        for index, node in enumerate(nodes):
            if skip:
                skip -= 1
                continue
            with self.writing(node):
                skip = self._together(nodes, index)
            if not skip:
                self.statement(node)
            else:
                skip -= 1

    def _together(self, nodes: Sequence[Statement], index: int) -> int:
        """Write statements that are one in Python; how many were."""
        if self.plain_layers.current is not None:
            return 0
        before, problems, failed = len(self.lines), len(self.problems), len(self.failed)
        scope, labels, needs = self.scope, list(self.labels), self.needs()
        try:
            return comprehensions.write(self, nodes, index) or files.write_with(self, nodes, index)
        except Problem:  # each by itself then, which says what is wrong with which
            del self.lines[before:], self.problems[problems:], self.failed[failed:]
            self.scope, self.labels = scope, labels
            self.put_back_needs(needs)
            return 0

    def statement(self, node: Statement) -> None:
        if self.classes.is_part(node) or node in self.training.absorbed:
            return
        with self.writing(node):
            self._with_comments(node)

    def _with_comments(self, node: Statement) -> None:
        around = node.around
        for comment in around.before:
            self.comment(comment)
        if around.blank and self.lines and self.lines[-1] and not self.lines[-1].endswith(":"):
            self.emit("")
        before, top = len(self.lines), len(self.top)
        outer, self.mixed = self.mixed, False
        outer_plainly, self.plainly = self.plainly, False
        scope, labels, needs = self.scope, list(self.labels), self.needs()
        problems, failed = len(self.problems), len(self.failed)
        try:
            # The library's modules write over their outputs as Torch7's do.
            if node in self.overwritten and self.plain_layers.current is None and not self.plain_passes:
                raise Problem("T7-230", node.line, self.overwritten[node])
            try:
                self.calls.refuse_spread(node)
                self.write(node)
            except Undecided as problem:
                if self.graphs.mode:
                    raise
                problem.file = self.file
                del self.lines[before:], self.problems[problems:], self.failed[failed:]
                self.scope, self.labels = scope, list(labels)
                self.put_back_needs(needs)
                self.plainly = True
                self.write(node)
                self.reasons.append(problem)
            self.training.after(node)
            self.models.hooks.after(node)
            if self.mixed:
                self.plain_calls.append(node)
        except Problem as problem:
            del self.lines[before:]
            problem.file = self.file
            self.scope, self.labels = scope, labels
            self.put_back_needs(needs)
            self.problems.append(problem)
            self.failed.append(node)
            self.not_translated(problem, node)
        finally:
            self.mixed, self.plainly = outer, outer_plainly
        table_comments.spread(self, node, before)
        made = [*self.lines[before:], *(line for lines in self.top[top:] for line in lines)]
        inside = [
            *self.models.builders.unused_comments(node, around, made),
            *table_comments.unwritten(self, node, made),
        ]
        short = len(inside) == 1 and len("".join(self.lines[before:]) + inside[0].text) < WIDTH - 4
        if short and len(self.lines) == before + 1 and self.models.builders.keeps_comments(node):
            self.note_on(before, inside.pop())
        self.lines[before:before] = [
            INDENT * self.depth + line for comment in inside for line in comment_lines(comment)
        ]
        if around.trailing is not None and not self.models.builders.keeps_comments(node):
            self.trail(before + len(inside), around.trailing)

    def trail(self, before: int, comment: Comment) -> None:
        """The comment of a statement's last line: behind its code, if that is one line, else before it."""
        written = [i for i in range(before, len(self.lines)) if self.lines[i].strip()]
        if len(written) == 1 and not comment.long:
            self.note_on(written[0], comment)
        else:
            at = written[0] if written else len(self.lines)
            self.lines[at:at] = [INDENT * self.depth + line for line in comment_lines(comment)]

    def note_on(self, at: int, comment: Comment) -> None:
        if at < 0 or "#" in self.lines[at] or not self.lines[at]:
            for line in comment_lines(comment):
                self.emit(line)
            return
        texts = comment_lines(comment)
        self.lines[at] += "  " + texts[0]
        self.lines[at + 1 : at + 1] = [INDENT * self.depth + text for text in texts[1:]]

    def not_translated(self, problem: Problem, node: Statement) -> None:
        where = f"{self.file}:{problem.line}"
        self.emit(comment_of(f"{where}: {problem.reason}"))
        for name in self._lost_names(node):  # functions inside may say `nonlocal`
            self.emit(f"{name} = None")
        self.emit(f"raise NotImplementedError({quoted(f'{problem.code}: {where}')})")

    def _lost_names(self, node: Statement) -> list[str]:
        """The variables that only a statement which is not translated would have made."""
        if isinstance(node, tree.Local):
            return [self.names.of(name) for name in node.names]
        if isinstance(node, tree.LocalFunction):
            return [self.names.of(node.name)]
        found: dict[str, None] = {}
        for part in walk_function(node):
            for name in part.targets if isinstance(part, tree.Assign) else ():
                if isinstance(name, Name):
                    variable = self.scopes.of_name[name]
                    users = variable.readers | variable.writers
                    here = variable.scope is self.scope or (
                        variable.is_global and self.scope is self.scopes.main
                    )
                    if here and users != {self.scope} and not self.training.is_dropped(variable):
                        found[self.names.of(name)] = None
        return [name for name in found if name.isidentifier() and name != "_"]

    def write(self, node: Statement) -> None:
        outer, self.statement_at = self.statement_at, len(self.lines)
        try:
            self._write(node)
        finally:
            self.statement_at = outer

    def _write(self, node: Statement) -> None:
        if self.plain_layers.current is not None:
            self.plain_layers.statement(node)
            return
        if self.classes.handles(node) or self.classes.statement(node):
            return
        if devices.handles(self, node) or devices.probed(self, node):
            return
        models = self.models
        for part in (
            models.coupling,
            self.training,
            self.graphs,
            models.making,
            models.layer_tests,
            self.modules,
        ):
            if part.handles(node):
                return
        if isinstance(node, tree.Local):
            self.assignments.write(node, node.names, node.values, True)
        elif isinstance(node, tree.Assign):
            self.assignments.write(node, node.targets, node.values, False)
        elif isinstance(node, tree.Run):
            self.calls.statement(node.call)
        elif isinstance(node, tree.If):
            self.if_statement(node)
        elif isinstance(node, tree.NumericFor):
            ranges.numeric_for(self, node)
        elif isinstance(node, tree.GenericFor):
            ranges.generic_for(self, node)
        elif isinstance(node, tree.While):
            before = len(self.lines)
            self.emit(f"while {self.conditions.condition(node.condition)}:")
            if len(self.lines) > before + 1:
                raise Problem("T7-299", node.line, "a condition that needs statements of its own")
            self.loop_body(node.body)
        elif isinstance(node, tree.Repeat):
            self.emit("while True:")
            with self.indented():
                self.labels.append(None)
                self.block(node.body)
                self.labels.pop()
                self.emit(f"if {self.conditions.condition(node.condition)}:")
                self.emit(f"{INDENT}break")
        elif isinstance(node, tree.Do):
            self.block(node.body)
        elif isinstance(node, tree.Break):
            self.emit("break")
        elif isinstance(node, tree.Return):
            self.functions.return_statement(node)
        elif isinstance(node, tree.LocalFunction):
            self.functions.define(self.names.of(node.name), node.function)
        elif isinstance(node, tree.FunctionStatement):
            self.functions.statement(node)
        elif isinstance(node, tree.Goto) and self.labels and node.label == self.labels[-1]:
            self.emit("continue")
        elif isinstance(node, tree.Label) and self.labels and node.name == self.labels[-1]:
            pass
        else:
            raise Problem("T7-298", node.line, f"{type(node).__name__.lower()}")

    def loop_body(self, block: Block) -> None:
        """The body of a loop: a label at its end is where `continue` goes."""
        last = block.statements[-1] if block.statements else None
        self.labels.append(last.name if isinstance(last, tree.Label) else None)
        self.body(block)
        self.labels.pop()

    def body(self, block: Block) -> None:
        with self.indented():
            self.block(block)

    def if_statement(self, node: tree.If) -> None:
        if bounds.write(self, node):
            return
        word = "if"
        for condition, body in node.branches:
            before = len(self.lines)
            written = self.conditions.condition(condition)
            if word == "elif" and len(self.lines) > before:
                raise Problem("T7-299", condition.line, "a condition that needs statements of its own")
            self.emit(f"{word} {written}:")
            self.body(body)
            word = "elif"
        if node.otherwise is not None and (node.otherwise.statements or node.otherwise.closing):
            self.emit("else:")
            self.body(node.otherwise)

    # Functions
