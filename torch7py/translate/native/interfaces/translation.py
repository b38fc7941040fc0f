"""What the parts of the writer of pages share: the program as it is known, the page as it grows, and each other."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from torch7py.translate import tree
from torch7py.translate.native.analysis.integers import Integers
from torch7py.translate.native.analysis.intervals import Intervals
from torch7py.translate.native.analysis.list_bounds import ListBounds
from torch7py.translate.native.analysis.program_facts import PROVED, Known, PlainForms
from torch7py.translate.native.analysis.tables import Tables
from torch7py.translate.native.code import INDENT, Py
from torch7py.translate.native.comments import comment_lines
from torch7py.translate.native.interfaces.classes import Classes
from torch7py.translate.native.interfaces.expressions import (
    Assignments,
    Calls,
    Conditions,
    Expressions,
    Functions,
    PlainLayers,
    Reshapes,
    Unpacking,
    UserPasses,
    ValueCounts,
)
from torch7py.translate.native.interfaces.models import Graphs, Models
from torch7py.translate.native.interfaces.modules import Modules
from torch7py.translate.native.interfaces.training import Training
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.project import Project
from torch7py.translate.patching import altered
from torch7py.translate.scopes import Scope, Scopes, Variable
from torch7py.translate.tree import Block, Comment, Expression, Name, Statement
from torch7py.translate.types import Types

__all__ = ["Translation"]

# What statements need of the page around them: helpers, classes, and lines at the module's level.


class Translation(Known):
    """A program's pages while they are written. ``lines`` is the code of the function being written.

    What a part of the writer asks of another, it asks of these members, whose types are interfaces. ``Translator``
    makes the parts.
    """

    assignments: Assignments
    calls: Calls
    classes: Classes
    conditions: Conditions
    counts: ValueCounts
    expressions: Expressions
    functions: Functions
    graphs: Graphs
    intervals: Intervals
    models: Models
    modules: Modules
    user_passes: UserPasses
    list_bounds: ListBounds
    plain_layers: PlainLayers
    reshapes: Reshapes
    tables: Tables
    training: Training
    unpacking: Unpacking
    integers: Integers
    counted: set[Expression]
    looked_for: set[Expression]

    def __init__(
        self, project: Project, scopes: Scopes, types: Types, one_row: bool, plainly: PlainForms = PROVED
    ) -> None:
        super().__init__(project, scopes, types, one_row, plainly)
        self.imports: set[str] = set()
        self.lines: list[str] = []
        self.statement_at = 0  # where the lines of the statement begin that is being written
        self.depth = 0
        self.scope: Scope = scopes.main
        self.shifts: dict[Variable, int] = {}  # loop variables written less this much
        self.counting: set[Variable] = set()  # loop variables that the page reads though the program does not
        self.graph_variables: set[Variable] = set()
        self.raw_elements: set[Expression] = set()  # elements of tensors that may stay 0-dimensional tensors
        self.list_indices: set[Name] | None = (
            None  # the names that are places in lists, when they were asked for
        )
        self.labels: list[str | None] = []  # of the loops around: where their `continue` goes
        self.around: list[Scope] = []  # the functions that are being written, outermost first
        self.in_main = False  # whether they are inside the page's `main`
        self.present: set[Expression] = set()  # what cannot be nil where it stands, or Lua ends there
        self.gpus = False  # whether the program has anything to do with GPUs
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
        self.plainly = False  # whether the statement at hand may be written with plain calls
        self.mixed = False  # whether the statement at hand has one
        self.top: list[list[str]] = []  # classes and functions of the module
        self.module_lines: list[str] = []  # statements after the constants
        self.needed_lines: dict[str, None] = {}  # before them
        self.needed_classes: dict[str, None] = {}
        self.helpers_needed: set[str] = set()  # on any page
        self.module_level: set[Variable] = set()
        self.helpers: dict[str, None] = {}  # which this page needs

    def need_class(self, name: str) -> None:
        """Have one of the written-out optimizers in the page."""
        self.needed_classes[name] = None

    def checkpoint(self) -> Callable[[], None]:
        """A function that takes back all that is written from here on, and what that needs of the page."""
        lines, top = len(self.lines), len(self.top)
        problems, failed = len(self.problems), len(self.failed)
        scope, labels = self.scope, list(self.labels)
        needs = dict(self.helpers), dict(self.needed_classes), dict(self.needed_lines)

        def put_back() -> None:
            del self.lines[lines:], self.top[top:], self.problems[problems:], self.failed[failed:]
            self.scope, self.labels = scope, list(labels)
            self.helpers, self.needed_classes, self.needed_lines = map(dict, needs)

        return put_back

    def need(self, name: str) -> str:
        """Have one of the helpers in the page; its name."""
        self.helpers[name] = None
        self.helpers_needed.add(name)
        return name

    def fresh(self, base: str) -> str:
        return self.names.fresh(base, self.scope)

    def of_loop(self, base: str) -> str:
        """The variable of loops that a function has in the page alone."""
        return self.names.of_loop(base, self.scope)

    def value(self, node: Expression) -> Py:
        return self.expressions.value(node)

    def target(self, node: Expression) -> str:
        """What is assigned to, as text."""
        return self.assignments.target(node)

    def rest(self) -> str:
        """What ``...`` stands for, as a tuple or list."""
        if self.scope.function is None:
            self.imports.add("sys")
            return "sys.argv[1:]"
        return self.names.rest(self.scope)

    # Lines

    def emit(self, text: str) -> None:
        self.lines.append(INDENT * self.depth + text if text else "")
        self.note_origin(text)

    def note_origin(self, text: str) -> None:
        """Remember for what a line was written, for who shows both side by side."""
        if self.current is not None and text:
            self.origins.append((text, self.current))

    def writing(self, node: tree.Node) -> AbstractContextManager[None]:
        """While a statement or function is written."""
        return altered(self, current=node)

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

    # Blocks and statements

    @abstractmethod
    def statements(self, nodes: Sequence[Statement]) -> None:
        """Write statements that follow each other, some of which may be one in Python."""

    @abstractmethod
    def write(self, node: Statement) -> None:
        """Write one statement, without its comments."""

    @abstractmethod
    def loop_body(self, block: Block) -> None:
        """The body of a loop: a label at its end is where `continue` goes."""

    @abstractmethod
    def block(self, block: Block) -> None:
        """Write the statements and comments of a block."""

    def body(self, block: Block) -> None:
        with self.indented():
            self.block(block)
