"""Statements and the state of one program's translation to plain PyTorch."""

from __future__ import annotations

from collections.abc import Sequence

from torch7py.translate import tree
from torch7py.translate.layout import WIDTH
from torch7py.translate.native import (
    clamping,
    command_line,
    comprehensions,
    devices,
    files,
    ranges,
    table_comments,
)
from torch7py.translate.native.analysis import tables
from torch7py.translate.native.analysis.integers import Integers
from torch7py.translate.native.analysis.intervals import Intervals
from torch7py.translate.native.analysis.list_bounds import ListBounds
from torch7py.translate.native.analysis.missing_keys import looked_for
from torch7py.translate.native.analysis.program_facts import PROVED, PlainForms
from torch7py.translate.native.assignments import Assignments
from torch7py.translate.native.calls import Calls
from torch7py.translate.native.classes import Classes
from torch7py.translate.native.code import INDENT
from torch7py.translate.native.comments import comment_lines
from torch7py.translate.native.conditions import Conditions
from torch7py.translate.native.expressions import Expressions
from torch7py.translate.native.functions import Functions
from torch7py.translate.native.graphs import Graphs
from torch7py.translate.native.integer_tensors import counted_comparisons
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.models.methods import Models
from torch7py.translate.native.modules import Modules
from torch7py.translate.native.names import walk_function
from torch7py.translate.native.outputs import overwritten
from torch7py.translate.native.plain_layers import PlainLayers
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.native.project import Project
from torch7py.translate.native.source_files import SourceFile
from torch7py.translate.native.tensors.reshaping import Reshapes
from torch7py.translate.native.training.steps import Training
from torch7py.translate.native.unpacking import Unpacking
from torch7py.translate.native.user_passes import UserPasses
from torch7py.translate.native.value_counts import ValueCounts
from torch7py.translate.patching import altered
from torch7py.translate.quoting import comment as comment_of
from torch7py.translate.quoting import quoted
from torch7py.translate.scopes import Scopes
from torch7py.translate.tree import Block, Name, Statement
from torch7py.translate.types import Types

__all__ = ["Translator"]


# What is refused because of what values are, or of how many there are: in plain calls they are asked that themselves.
_OF_VALUES = {
    f"T7-{code}"
    for code in (201, 202, 203, 211, 212, 213, 217, 231, 233, 271, 301, 302, 303, 304, 305, 306, 307)
}


class Translator(Translation):
    """Writes the statements of a program. ``lines`` is the code of the function being written."""

    classes: Classes
    modules: Modules
    models: Models
    graphs: Graphs
    plain_layers: PlainLayers
    functions: Functions
    calls: Calls
    training: Training

    def __init__(
        self,
        project: Project,
        scopes: Scopes,
        types: Types,
        one_row: bool,
        plainly: PlainForms = PROVED,
    ) -> None:
        super().__init__(project, scopes, types, one_row, plainly)
        self.options = command_line.options(self)
        self.gpus = devices.are_used(self.program)
        raw = Integers(self)
        self.integers = Integers(self, raw)
        self.reshapes = Reshapes(self)
        self.intervals = Intervals(self, raw)
        self.counted = counted_comparisons(self)
        self.looked_for = looked_for(self)
        self.plain_layers = PlainLayers(self)
        self.classes = Classes(self)
        self.classes.study()
        self.tables = tables.Tables(self)
        self.list_bounds = ListBounds(self, self.tables, self.intervals)
        self.unpacking = Unpacking(self)
        self.conditions = Conditions(self)
        self.expressions = Expressions(self, self.conditions)
        self.assignments = Assignments(self)
        self.calls = Calls(self)
        self.counts = ValueCounts(self)
        self.user_passes = UserPasses(self)
        self.models = Models(self)
        self.training = Training(self)
        self.training.analyse()
        self.modules = Modules(self)
        self.graphs = Graphs(self)
        self.functions = Functions(self)
        self.functions.closures.name_boxes()
        self.counts.note_missing()
        self.overwritten = overwritten(self)
        self.models.layer_tests.name_classes()

    def start_page(self, file: SourceFile) -> None:
        """What is written from here on belongs to the page of a file."""
        self.lines, self.depth, self.top, self.module_lines = [], 0, [], []
        self.helpers, self.needed_classes, self.needed_lines = {}, {}, {}
        self.module_level = set()
        self.file = file.name
        self.modules.start(file)

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
        for node in nodes:
            for box in self.functions.closures.boxes_of(node):
                self.emit(f"{box} = [None]")
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
        if self.plain_layers.current is not None or self.plain_values:
            return 0
        put_back = self.checkpoint()
        try:
            return comprehensions.write(self, nodes, index) or files.write_with(self, nodes, index)
        except Problem:  # each by itself then, which says what is wrong with which
            put_back()
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
        problems, failed, put_back = len(self.problems), len(self.failed), self.checkpoint()
        try:
            # The library's modules write over their outputs as Torch7's do.
            if node in self.overwritten and self.plain_layers.current is None and not self.plain_passes:
                raise Problem("T7-230", node.line, self.overwritten[node])
            try:
                self.calls.refuse_spread(node)
                self.write(node)
            except Problem as problem:
                if self.graphs.mode or not (self.plain_values or isinstance(problem, Undecided)):
                    raise
                problem.file = self.file
                put_back()
                self.plainly = True
                self._write_plainly(node)
                self.reasons.append(problem)
            self.training.after(node)
            self.models.hooks.after(node)
            if self.mixed:
                self.plain_calls.append(node)
        except Problem as problem:
            problem.file, problem.statement = self.file, node
            within = self.problems[problems:], self.failed[failed:]
            put_back()
            if self._written_doubting(node, problem):
                self.reasons.append(problem)
                if self.mixed:
                    self.plain_calls.append(node)
            else:
                put_back()
                self.problems += [*within[0], problem]
                self.failed += [*within[1], node]
                self.not_translated(problem, node)
        finally:
            self.mixed, self.plainly = outer, outer_plainly
        table_comments.spread(self, node, before)
        output_lines = [*self.lines[before:], *(line for lines in self.top[top:] for line in lines)]
        inside = [
            *self.models.builders.unused_comments(node, around, output_lines),
            *table_comments.unwritten(self, node, output_lines),
        ]
        short = len(inside) == 1 and len("".join(self.lines[before:]) + inside[0].text) < WIDTH - 4
        if short and len(self.lines) == before + 1 and self.models.builders.keeps_comments(node):
            self.note_on(before, inside.pop())
        self.lines[before:before] = [
            INDENT * self.depth + line for comment in inside for line in comment_lines(comment)
        ]
        if around.trailing is not None and not self.models.builders.keeps_comments(node):
            self.trail(before + len(inside), around.trailing)

    def _write_plainly(self, node: Statement) -> None:
        """A statement with plain calls, and where that is not enough with what is the same in all forms."""
        put_back = self.checkpoint()
        try:
            self.write(node)
        except Problem:
            if not self.doubts_what_is_the_same:
                raise
            put_back()
            with self.believing():
                self.write(node)

    def _written_doubting(self, node: Statement, problem: Problem) -> bool:
        """Write a statement with nothing taken for known, where it has no other form; whether it has this one."""
        if self.graphs.mode or self.plain_values or problem.code not in _OF_VALUES:
            return False
        self.plainly = True
        try:
            with self.doubting():
                self.write(node)
            self.training.after(node)
            self.models.hooks.after(node)
        except Problem:
            return False
        return True

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
        names: dict[str, None] = {}
        for part in walk_function(node):
            for name in part.targets if isinstance(part, tree.Assign) else ():
                if isinstance(name, Name):
                    variable = self.scopes.of_name[name]
                    users = variable.readers | variable.writers
                    here = variable.scope is self.scope or (
                        variable.is_global and self.scope is self.scopes.main
                    )
                    if here and users != {self.scope} and not self.training.is_dropped(variable):
                        names[self.names.of(name)] = None
        return [name for name in names if name.isidentifier() and name != "_"]

    def write(self, node: Statement) -> None:
        with altered(self, statement_at=len(self.lines)):
            self._write(node)

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
        last = block.statements[-1] if block.statements else None
        self.labels.append(last.name if isinstance(last, tree.Label) else None)
        self.body(block)
        self.labels.pop()

    def if_statement(self, node: tree.If) -> None:
        if clamping.write(self, node):
            return
        word = "if"
        start, put_back = len(self.lines), self.checkpoint()
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
        does_nothing = [line.strip() for line in self.lines[start + 1 :]] == ["pass"]
        if does_nothing and not any(
            isinstance(part, (tree.Call, tree.Invoke)) for part in tree.walk(node.branches[0][0])
        ):
            put_back()  # what it did has no counterpart
