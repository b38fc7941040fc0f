"""What is known of a program before it is written: its variables, its jumps, and which functions give one value."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.errors import NotTranslated
from torch7py.translate.faithful.code import comment_lines
from torch7py.translate.scopes import Scope, Scopes, Variable, resolve
from torch7py.translate.tree import Block, Comment

__all__ = ["Survey"]


class Survey:
    """What is known of the file being written."""

    def __init__(self, program: Block, file: str, scopes: Scopes | None = None) -> None:
        self.program = program
        self.file = file
        self.scopes: Scopes = resolve(program) if scopes is None else scopes
        self.kinds: dict[Variable, str] = {}
        self.functions: dict[Variable, tree.Function] = {}  # variables that always hold this function
        self._gives_one: dict[tree.Function, bool] = {}
        self._order: dict[Variable, int] = {}
        self._aims: set[str] = set()
        self._backward: set[Scope] = set()
        self.statements = 0
        self.failures: list[NotTranslated] = []
        self._survey()

    def _survey(self) -> None:
        for node in tree.walk(self.program):
            if not isinstance(node, tree.Statement):
                continue
            self.statements += 1
            if isinstance(node, tree.LocalFunction):
                variable = self.scopes.variable(node.name)
                if variable.constant:
                    self.functions[variable] = node.function
            elif isinstance(node, tree.Local) and len(node.names) == len(node.values):
                for name, value in zip(node.names, node.values, strict=True):
                    if isinstance(value, tree.Function) and self.scopes.variable(name).constant:
                        self.functions[self.scopes.variable(name)] = value
            elif isinstance(node, tree.Goto):
                self._aims.add(node.label)
        if self._aims:
            self._find_backward(self.program, self.scopes.main)
            for function, scope in self.scopes.of_function.items():
                self._find_backward(function.body, scope)

    def _find_backward(self, block: Block, scope: Scope) -> None:
        """Note the functions in which a goto comes after its label: what lies between is a loop."""
        seen: set[str] = set()
        stack: list[tree.Node | Block] = [block]
        while stack:
            node = stack.pop()
            if isinstance(node, tree.Function):
                continue
            if isinstance(node, tree.Label):
                seen.add(node.name)
            elif isinstance(node, tree.Goto) and node.label in seen:
                self._backward.add(scope)
                return
            stack.extend(reversed(list(tree.children(node))))

    # Questions

    def is_aim(self, label: tree.Label) -> bool:
        return label.name in self._aims

    def has_backward_goto(self, scope: Scope) -> bool:
        return scope in self._backward

    def order(self, variable: Variable) -> int:
        return self._order.setdefault(variable, len(self._order))

    def reads_itself(self, variable: Variable) -> bool:
        """Whether the function that a local function's variable holds uses that variable."""
        return variable.kind == "function"

    def note_kind(self, variable: Variable, kind: str) -> None:
        if kind and variable.constant:
            self.kinds[variable] = kind

    def gives_one(self, function: tree.Function) -> bool:
        """Whether a function always returns exactly one value."""
        known = self._gives_one.get(function)
        if known is None:
            self._gives_one[function] = False  # while it is being found out: recursion
            known = self._gives_one[function] = self.ends(function.body) and all(
                len(node.values) == 1
                and not isinstance(node.values[0], tree.Vararg | tree.Call | tree.Invoke)
                for node in _returns(function.body)
            )
        return known

    def ends(self, block: Block) -> bool:
        """Whether what follows the block in its function is never reached."""
        if any(isinstance(s, tree.Label) for s in block.statements):
            return False
        last = block.statements[-1] if block.statements else None
        if isinstance(last, tree.Return):
            return True
        if isinstance(last, tree.Do):
            return self.ends(last.body)
        if isinstance(last, tree.If):
            return last.otherwise is not None and all(
                self.ends(body) for body in (*(body for _, body in last.branches), last.otherwise)
            )
        return False

    # Text

    def trailing(self, comment: Comment | None) -> str:
        return "" if comment is None else " ".join(comment_lines(comment))

    def height(self, comments: tuple[Comment, ...]) -> int:
        return sum(len(comment_lines(comment)) for comment in comments)

    def cannot(self, code: str, node: tree.Node, reason: str) -> NotTranslated:
        return NotTranslated(reason, code, f"{self.file}:{node.line}")


def _returns(block: Block) -> list[tree.Return]:
    found: list[tree.Return] = []
    stack: list[tree.Node | Block] = [block]
    while stack:
        node = stack.pop()
        if isinstance(node, tree.Return):
            found.append(node)
        elif not isinstance(node, tree.Function):
            stack.extend(tree.children(node))
    return found
