"""``translate --ddp``: a finished page that several processes run, each its part of every batch.

Two calls of a training step are changed, those of the model and of the criterion, and the loop around it, whose rounds
can be gone on with. What they call is ``data_parallel.py``, which is put beside the page and does nothing in one
process. A page in which these places cannot be found, or where a batch would be divided wrongly, is refused with the
reason.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from importlib import resources

from torch7py.ops.errors import TorchError
from torch7py.translate.layout import lay_out
from torch7py.translate.quoting import quoted

__all__ = ["HELPER", "NotDivided", "divided", "helper"]

HELPER = "data_parallel.py"
NAME = "processes"
_RECURRENT = re.compile(r"\bnn\.(?:LSTM|GRU|RNN)\(|\bbatch_first\b")
_FUNCTIONS = (ast.FunctionDef, ast.Lambda)


class NotDivided(TorchError):
    """A page that several processes cannot share, and why."""


def helper() -> str:
    """The text of the file beside the page."""
    return resources.files(__name__).joinpath(HELPER).read_text(encoding="utf-8")


def divided(code: str, name: str) -> str:
    """The page with its training steps divided. Raises NotDivided."""
    return _Page(code, name).written()


@dataclass
class _Edits:
    """Changes of a text, by places of its syntax tree."""

    lines: list[bytes]
    changes: list[tuple[int, int, int, bytes]] = field(default_factory=list)  # start, end, order, new text

    def at(self, line: int, column: int) -> int:
        return sum(map(len, self.lines[: line - 1])) + column

    def replace(self, node: ast.expr | ast.stmt, text: str) -> None:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start, end = self.at(node.lineno, node.col_offset), self.at(node.end_lineno, node.end_col_offset)
        self.changes.append((start, end, len(self.changes), text.encode()))

    def insert(self, line: int, text: str) -> None:
        """Put whole lines before a line."""
        start = self.at(line, 0)
        self.changes.append((start, start, len(self.changes), text.encode()))

    def text(self) -> str:
        data = b"".join(self.lines)
        for start, end, _, new in sorted(self.changes, reverse=True):
            data = data[:start] + new + data[end:]
        return data.decode()


class _Page:
    def __init__(self, code: str, name: str) -> None:
        self.code, self.name = code, name
        self.tree = ast.parse(code)
        self.edits = _Edits(code.encode().splitlines(keepends=True))
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    def written(self) -> str:
        steps = self._steps()
        for step in steps:
            self._divide(*step)
        self._save_once()
        for loop in dict.fromkeys(self._loop(node) for _, node in steps):
            if loop is not None:
                self._keep(loop)
        self._import()
        return lay_out(self.edits.text())

    def _refuse(self, node: ast.AST, why: str) -> NotDivided:
        line = getattr(node, "lineno", 1)
        shown = self.code.splitlines()[line - 1].strip()
        return NotDivided(f"{self.name}:{line}: --ddp: {why}, in the page's line `{shown}`")

    def _source(self, node: ast.AST) -> str:
        return ast.get_source_segment(self.code, node) or ast.unparse(node)

    # -- the steps of a training ------------------------------------------------------------------------------

    def _steps(self) -> list[tuple[list[ast.stmt], ast.Call]]:
        """The statements of each step, and its call of ``backward``."""
        steps = []
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            if called in ("torch.autograd.grad", "torch.autograd.backward"):
                raise self._refuse(node, f"{called} takes gradients, which are not those of a batch's loss")
            if isinstance(node.func, ast.Attribute) and node.func.attr == "backward":
                if node.args or node.keywords:
                    raise self._refuse(
                        node, "backward is given a gradient of its own, not that of a batch's loss"
                    )
                steps.append((self._block(node), node))
        if not steps:
            raise NotDivided(
                f"{self.name}: --ddp: the page calls no backward(): there is no training to divide"
            )
        return steps

    def _block(self, node: ast.AST) -> list[ast.stmt]:
        """The list of statements in which a node stands."""
        while not isinstance(node, ast.stmt):
            node = self.parents[node]
        parent = self.parents[node]
        for part in ("body", "orelse", "finalbody"):
            block = getattr(parent, part, None)
            if isinstance(block, list) and node in block:
                return block
        raise AssertionError("a statement stands in a block")

    def _function(self, node: ast.AST) -> ast.AST:
        while node in self.parents and not isinstance(node, _FUNCTIONS):
            node = self.parents[node]
        return node

    def _assigned(self, name: str, block: list[ast.stmt], before: int) -> ast.expr | None:
        """The value that a name was given last before a line, in the same block."""
        value = None
        for statement in block:
            if statement.lineno >= before or not isinstance(statement, ast.Assign):
                continue
            if [ast.unparse(target) for target in statement.targets] == [name]:
                value = statement.value
        return value

    def _divide(self, block: list[ast.stmt], backward: ast.Call) -> None:
        assert isinstance(backward.func, ast.Attribute)
        loss = backward.func.value
        if isinstance(loss, ast.Name):
            value = self._assigned(loss.id, block, backward.lineno)
            if value is None:
                raise self._refuse(backward, f"`{loss.id}` is not computed beside its backward()")
            loss = value
        criterions = [
            (call, model)
            for call in ast.walk(loss)
            if isinstance(call, ast.Call) and len(call.args) == 2 and not call.keywords
            if (model := self._model_call(call.args[0], block, call.lineno)) is not None
        ]
        if len(criterions) != 1:
            raise self._refuse(
                loss,
                "the loss is not that of one model's outputs and their targets, as loss = criterion(model(x), y)",
            )
        call, model = criterions[0]
        self._check_inputs(model, block)
        axis = self._axis(model, block)
        arguments = ", ".join([self._source(model.func), *map(self._source, model.args), *axis])
        outputs = call.args[0]
        new_model = f"{NAME}.forward({arguments})"
        shown = new_model if outputs is model else self._source(outputs)
        if outputs is not model:
            self.edits.replace(model, new_model)
        self.edits.replace(
            call, f"{NAME}.loss({self._source(call.func)}, {shown}, {self._source(call.args[1])})"
        )
        if isinstance(outputs, ast.Name):
            for node in ast.walk(self._function(call)):
                if isinstance(node, ast.Name) and node.id == outputs.id and isinstance(node.ctx, ast.Load):
                    inside = call.lineno <= node.lineno <= (call.end_lineno or call.lineno)
                    if node.lineno > model.lineno and not inside:
                        self.edits.replace(node, f"{NAME}.whole({outputs.id})")

    def _model_call(self, value: ast.expr, block: list[ast.stmt], line: int) -> ast.Call | None:
        """The call of a model that gives these outputs."""
        expression: ast.expr | None = value
        if isinstance(value, ast.Name):
            expression = self._assigned(value.id, block, line)
        if (
            isinstance(expression, ast.Call)
            and expression.args
            and not expression.keywords
            and self._is_model(expression.func)
        ):
            return expression
        return None

    def _is_model(self, value: ast.expr) -> bool:
        return isinstance(value, (ast.Name, ast.Attribute, ast.Subscript)) and not re.match(
            r"(torch|F|nn|math)\.", ast.unparse(value)
        )

    def _check_inputs(self, model: ast.Call, block: list[ast.stmt]) -> None:
        """Inputs that another model gives are a part of a batch already."""
        trained = {
            ast.unparse(node.func.value)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "parameters"
        }
        for argument in model.args:
            for node in ast.walk(argument):
                value = self._assigned(node.id, block, model.lineno) if isinstance(node, ast.Name) else None
                for inner in [node, *(ast.walk(value) if value is not None else [])]:
                    if isinstance(inner, ast.Call) and ast.unparse(inner.func) in trained:
                        raise self._refuse(
                            model,
                            f"`{self._source(model.func)}` is given what `{self._source(inner.func)}` gives: a step of "
                            "several models is not divided",
                        )

    def _axis(self, model: ast.Call, block: list[ast.stmt]) -> list[str]:
        """The argument that says which dimension has the examples: the second where steps were stacked."""
        stacked = []
        for argument in model.args:
            value: ast.AST | None = argument
            if isinstance(argument, ast.Name):
                value = self._assigned(argument.id, block, model.lineno)
            stacked.append(value is not None and "torch.stack(" in ast.unparse(value))
        if all(stacked):
            return ["axis=1"]
        if any(stacked) or _RECURRENT.search(self.code):
            raise self._refuse(
                model, "which dimension of the input has the examples, and which the time, is not known"
            )
        return []

    # -- files ------------------------------------------------------------------------------------------------

    def _save_once(self) -> None:
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            if called == "torch.save":
                self.edits.replace(node.func, f"{NAME}.save")
            elif called == "open" and len(node.args) > 1 and re.search("[wax+]", ast.unparse(node.args[1])):
                raise self._refuse(node, "the page writes a file, which every process would write")
            elif called.startswith("subprocess."):
                raise self._refuse(node, "the page runs a command, which every process would run")

    # -- the loop of a training -------------------------------------------------------------------------------

    def _loop(self, node: ast.AST) -> ast.For | None:
        """The outermost loop around a step, or around the call of the function that has it."""
        function = self._function(node)
        outermost = None
        while node is not function:
            node = self.parents[node]
            if isinstance(node, ast.For):
                outermost = node
        if outermost is not None or not isinstance(function, ast.FunctionDef):
            return outermost
        for user in ast.walk(self.tree):
            if isinstance(user, ast.Name) and user.id == function.name and isinstance(user.ctx, ast.Load):
                loop = self._loop(user) if self._function(user) is not function else None
                if loop is not None:
                    return loop
        return None

    def _keep(self, loop: ast.For) -> None:
        """Let the rounds of a loop be saved and gone on with."""
        function = self._function(loop)
        if any(
            isinstance(node, (ast.Continue, ast.Break)) and self._inner(node) is loop
            for node in ast.walk(loop)
        ):
            raise self._refuse(
                loop, "the training's loop is left or goes on in the middle of a round (break, continue)"
            )
        before = self._names_before(loop, function)
        bound = {
            node.id
            for node in _nodes_outside_functions(loop.body)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        for node in ast.walk(function):
            if isinstance(node, ast.Nonlocal):
                bound |= set(node.names)
        kept = [name for name in before if name in bound]
        used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
        held = [
            name for name, constant in before.items() if name in used and name not in kept and not constant
        ]
        indent = " " * loop.col_offset
        lines = "".join(f"{indent}{name} = {NAME}.kept({quoted(name)}, {name})\n" for name in kept)
        if lines:
            self.edits.insert(loop.lineno, lines)
            inner = " " * loop.body[0].col_offset
            assert loop.end_lineno is not None
            self.edits.insert(
                loop.end_lineno + 1, f"{inner}{NAME}.keep({', '.join(f'{name}={name}' for name in kept)})\n"
            )
        arguments = ", ".join([self._source(loop.iter), *(f"{name}={name}" for name in held)])
        self.edits.replace(loop.iter, f"{NAME}.rest({arguments})")

    def _inner(self, node: ast.AST) -> ast.AST:
        while not isinstance(node, (ast.For, ast.While)):
            node = self.parents[node]
        return node

    def _names_before(self, loop: ast.For, function: ast.AST) -> dict[str, bool]:
        """The names that a function has before a loop, and whether each is a constant."""
        names: dict[str, bool] = {}
        if isinstance(function, ast.FunctionDef):
            names |= dict.fromkeys((argument.arg for argument in function.args.args), False)
        nodes = _nodes_outside_functions(
            function.body if isinstance(function, (ast.FunctionDef, ast.Module)) else []
        )
        assignments = [node for node in nodes if isinstance(node, ast.Assign)]
        for node in sorted(assignments, key=lambda node: node.lineno):
            if node.lineno < loop.lineno:
                for target in node.targets:
                    for name in ast.walk(target):
                        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):
                            names[name.id] = isinstance(node.value, ast.Constant)
        return names

    # -- the head ---------------------------------------------------------------------------------------------

    def _import(self) -> None:
        """``from data_parallel import processes`` behind the imports; the page says how it is run."""
        imports = [node for node in self.tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
        last = max((node.end_lineno or node.lineno for node in imports), default=0)
        self.edits.insert(last + 1, f"\nfrom data_parallel import {NAME}\n")


def _nodes_outside_functions(body: list[ast.stmt]) -> list[ast.AST]:
    """The nodes of statements, without those of functions in them."""
    nodes: list[ast.AST] = []
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        nodes.append(node)
        if not isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            waiting += ast.iter_child_nodes(node)
    return nodes
