"""What says how memory, cards and cudnn are used, and no number depends on: it goes, or is a setting of PyTorch's.

Gradients of layers that lie in each other's memory, the worker threads of ``nn.DataParallelTable``, ways of cudnn to
compute (``m:setMode(1, 1, 1)``: the deterministic ones), what is done for a cudnn or cutorch that is older than any of
PyTorch's, memory that cards read fast, and empty tensors of a type that is looked up by its name.
"""

from __future__ import annotations

import re

from torch7py.translate import tree
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.quoting import lua_quoted
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import (
    Assign,
    Binary,
    Block,
    Call,
    Expression,
    Function,
    Index,
    Invoke,
    Local,
    Name,
    Number,
    Statement,
    String,
)
from torch7py.translate.tree_queries import bare, dotted

__all__ = ["Machinery"]

_OLDEST = 5000  # cudnn's version; Torch7's last binding is for 5.1, PyTorch's cudnn is newer
_PINNED = re.compile(r"cutorch\.createCudaHost(|Double|Half)Tensor")
_CARD_TYPE = re.compile(r"torch\.Cuda\w+Tensor")
_FLAGS = {"cudnn.fastest", "cudnn.benchmark", "cudnn.verbose"}
_LOOKED_THROUGH = ("apply", "findModules", "listModules")


class Machinery(Rewriting):
    def written(self) -> bytes:
        self.gone: set[Statement] = set()
        edits = self._sharers() + self._versions() + self._modes() + self._threads() + self._tensors()
        edits += self._optimized()
        edits += [(s.span.start, s.span.end, "") for s in self._with_around()]
        outer = [e for e in edits if not any(o[0] <= e[0] and e[1] <= o[1] and o != e for o in edits)]
        self.edited(sorted(set(outer)))
        return self.source

    def _with_around(self) -> list[Statement]:
        """The statements that go, or the branch around them that has no others."""
        statements = (statement for block in self.blocks() for statement in block.statements)
        return [s for s in statements if s in self.gone or self._is_empty(s)]

    def _is_empty(self, statement: Statement) -> bool:
        if (
            not isinstance(statement, tree.If)
            or statement.otherwise is not None
            or len(statement.branches) != 1
        ):
            return False
        condition, body = statement.branches[0]
        return (
            bool(body.statements)
            and all(s in self.gone for s in body.statements)
            and not any(isinstance(n, (Call, Invoke)) for n in tree.walk(condition))
        )

    # Memory that layers share

    def _sharers(self) -> list[tuple[int, int, str]]:
        """Functions that only lay gradients into each other's memory, and their calls."""
        for statement in tree.those(self.program, tree.FunctionStatement, tree.LocalFunction):
            if not isinstance(statement, (tree.FunctionStatement, tree.LocalFunction)):
                continue
            target = statement.name if isinstance(statement, tree.LocalFunction) else statement.target
            is_method = isinstance(statement, tree.FunctionStatement) and statement.method
            if is_method or not self._only_shares(statement.function):
                continue
            uses = [n for n in tree.walk(self.program) if _same(n, target) and n is not target]
            runs = {
                node.call.callee: node
                for node in tree.every(self.program, tree.Run)
                if isinstance(node.call, Call)
                and not any(isinstance(a, (Call, Invoke)) for a in node.call.arguments)
            }
            if all(use in runs for use in uses):
                self.gone |= {statement, *(runs[use] for use in uses if isinstance(use, (Name, Index)))}
        return []

    def _only_shares(self, function: Function) -> bool:
        local_variables: set[Variable] = set()  # what it makes itself: variables, and tables
        tables: set[Variable] = set()
        for local in tree.every(function.body, Local):
            local_variables |= {self.scopes.of_name[name] for name in local.names}
            pairs = zip(local.names, local.values, strict=False)
            tables |= {self.scopes.of_name[name] for name, value in pairs if isinstance(value, tree.Table)}
        shares = False
        for node in tree.walk(function.body):
            if isinstance(node, Assign):
                for target, value in zip(node.targets, node.values, strict=False):
                    root = _root(target)
                    if isinstance(target, Index) and _named(target, "gradInput") and _is_memory(value):
                        shares = True
                    elif root is None or self.scopes.of_name[root] not in (
                        local_variables if root is target else tables
                    ):
                        return False
            elif isinstance(node, tree.Run):
                call = node.call
                if not (isinstance(call, Invoke) and call.method in _LOOKED_THROUGH):
                    return False
            elif isinstance(node, tree.FunctionStatement):
                return False
        return shares

    # cudnn

    def _versions(self) -> list[tuple[int, int, str]]:
        """``if cudnn.version >= 4000 then a else b end`` is ``a``."""
        edits = []
        for node in tree.every(self.program, tree.If):
            condition, body = node.branches[0]
            if len(node.branches) != 1 or not _is_new_enough(condition):
                continue
            if any(isinstance(s, (Local, tree.LocalFunction)) for s in body.statements):
                edits += [(node.span.start, body.statements[0].span.start, "do ")]
            elif body.statements:
                edits += [(node.span.start, body.statements[0].span.start, "")]
            else:
                continue
            last = body.statements[-1].span.end
            edits += [(last, node.span.end, " end" if edits[-1][2] else "")]
        return edits

    def _modes(self) -> list[tuple[int, int, str]]:
        """``net:apply(function(m) if m.setMode then m:setMode(1, 1, 1) end end)``"""
        edits = []
        for node in tree.every(self.program, tree.Run):
            call = node.call
            if not isinstance(call, Invoke) or call.method != "apply" or len(call.arguments) != 1:
                continue
            modes = _sets_mode(call.arguments[0])
            if modes is None or not isinstance(bare(call.receiver), (Name, Index)):
                continue
            if all(isinstance(mode, Number) and mode.value == 1 for mode in modes):
                edits.append((node.span.start, node.span.end, "cudnn.deterministic = true"))
            else:
                self.gone.add(node)
        return edits

    # Memory

    def _tensors(self) -> list[tuple[int, int, str]]:
        edits = []
        for node in tree.every(self.program, Call):
            path = dotted(node.callee) or ""
            pinned = _PINNED.fullmatch(path)
            if pinned is not None:  # ``cutorch.createCudaHostTensor()``
                args = ", ".join(map(self.text, node.arguments))
                replacement = f"torch.FloatTensor({args}):type({lua_quoted(f'torch.{pinned[1]}Tensor')})"
                if pinned[1] != "Half":
                    replacement = f"torch.{pinned[1] or 'Float'}Tensor({args})"
                edits.append((node.span.start, node.span.end, replacement))
            name = _looked_up(node.callee)
            if name is not None and not node.arguments:  # ``torch[name:match('torch.(%a+)')]()``
                edits.append((node.span.start, node.span.end, f"torch.FloatTensor():type({self.text(name)})"))
        edits += [
            (choice.left.span.start, choice.right.span.start, "")
            for choice in tree.every(self.program, Binary)
            if choice.operator == "and" and _CARD_TYPE.fullmatch(dotted(choice.left) or "")
        ]
        for run in tree.every(self.program, tree.Run):
            call = run.call
            if (
                isinstance(call, Call)
                and dotted(call.callee) == "assert"
                and _is_about_memory(call.arguments[:1])
            ):
                self.gone.add(run)
        return edits

    def _optimized(self) -> list[tuple[int, int, str]]:
        """``optnet.optimizeMemory(net, x)``: two passes over the example, by which it sees what may share memory."""
        runs = [run for run in tree.every(self.program, tree.Run) if isinstance(run.call, Call)]
        calls = {r: r.call for r in runs if isinstance(r.call, Call)}
        calls = {r: call for r, call in calls.items() if dotted(call.callee) == "optnet.optimizeMemory"}
        nets = [self.text(call.arguments[0]) for call in calls.values() if call.arguments]
        reads = any(_named(node, "output") for node in tree.every(self.program, Index))
        edits = []
        for run, call in calls.items():
            settings = _options(call.arguments[2]) if len(call.arguments) == 3 else {}
            if len(call.arguments) not in (2, 3) or settings is None:
                continue
            in_place = settings.get("inplace")
            keeps = isinstance(in_place, tree.Boolean) and not in_place.value
            mode = settings.get("mode", String(run.span, "inference"))
            once = nets.count(self.text(call.arguments[0])) == 1  # it does not do so twice
            plain = all(dotted(argument) is not None for argument in call.arguments[:2])
            if not isinstance(mode, String) or not once or not plain or (reads and not keeps):
                continue
            net, x = map(self.text, call.arguments[:2])
            passes = f"{net}:forward({x})"
            if mode.value == "training":
                passes = f"{net}:backward({x}, {passes}:clone())"
            edits.append((run.span.start, run.span.end, f"for pass = 1, 2 do {passes} end"))
        return edits

    # Cards

    def _threads(self) -> list[tuple[int, int, str]]:
        """``nn.DataParallelTable(1):add(net, cards):threads(function() ... end)``"""
        edits = []
        for node in tree.every(self.program, Invoke):
            if node.method != "threads" or len(node.arguments) > 1 or not _is_parallel(node.receiver):
                continue
            if node.arguments and not self._only_prepares(node.arguments[0]):
                continue
            edits.append((node.receiver.span.end, node.span.end, ""))
            inside = {n for n in tree.walk(node) if isinstance(n, Name)} if node.arguments else set()
            self._flags_read_by(inside)
        return edits

    def _only_prepares(self, node: Expression) -> bool:
        """A function that requires packages and sets flags of cudnn, as each thread must."""
        if not isinstance(node, Function):
            return False
        for statement in node.body.statements:
            if isinstance(statement, Local):
                good = all(_is_required(value) for value in statement.values)
            elif isinstance(statement, Assign):
                good = all(dotted(target) in _FLAGS for target in statement.targets)
            else:
                good = isinstance(statement, tree.Run) and _is_required(statement.call)
            if not good:
                return False
        return True

    def _flags_read_by(self, inside: set[Name]) -> None:
        """``local fastest = cudnn.fastest``, which only the threads read."""
        for node in tree.every(self.program, Local):
            flags = bool(node.values) and all(dotted(value) in _FLAGS for value in node.values)
            reads = [read for name in node.names for read in self.scopes.of_name[name].reads]
            if flags and inside.issuperset(reads):
                self.gone.add(node)


def _options(node: Expression) -> dict[str, Expression] | None:
    """The entries of a table that is written out, by their names."""
    if not isinstance(node, tree.Table):
        return None
    names = [field.key_name or "" for field in node.fields]
    return dict(zip(names, (field.value for field in node.fields), strict=True)) if all(names) else None


def _named(node: Index, name: str) -> bool:
    return node.key_name == name


def _root(node: Expression) -> Name | None:
    while isinstance(node, Index):
        node = node.base
    return node if isinstance(node, Name) else None


def _same(node: tree.Node | Block, target: Expression) -> bool:
    return isinstance(node, (Name, Index)) and dotted(node) is not None and dotted(node) == dotted(target)


def _is_memory(node: Expression) -> bool:
    """A tensor without numbers: ``torch.Tensor()``, or at the start of a storage, ``torch.Tensor(cache[key], 1, 0)``"""
    node = bare(node)
    if not isinstance(node, Call):
        return False
    root, args = _root(bare(node.callee)), node.arguments
    empty = len(args) == 3 and [n.value for n in args[1:] if isinstance(n, Number)] == [1, 0]
    return root is not None and root.name == "torch" and (empty or not args)


def _is_new_enough(node: Expression) -> bool:
    node = bare(node)
    return (
        isinstance(node, Binary)
        and node.operator in (">=", ">")
        and dotted(node.left) == "cudnn.version"
        and isinstance(node.right, Number)
        and node.right.value <= _OLDEST
    )


def _sets_mode(node: Expression) -> tuple[Expression, ...] | None:
    """What a function that only sets the modes of convolutions sets them to."""
    if not isinstance(node, Function) or len(node.parameters) != 1 or len(node.body.statements) != 1:
        return None
    statement, name = node.body.statements[0], node.parameters[0].name
    if not isinstance(statement, tree.If) or statement.otherwise is not None or len(statement.branches) != 1:
        return None
    condition, body = statement.branches[0]
    run = body.statements[0] if len(body.statements) == 1 else None
    call = run.call if isinstance(run, tree.Run) else None
    if (
        dotted(bare(condition)) != f"{name}.setMode"
        or not isinstance(call, Invoke)
        or call.method != "setMode"
    ):
        return None
    return call.arguments if dotted(call.receiver) == name else None


def _is_parallel(node: Expression) -> bool:
    while isinstance(node, Invoke) and node.method == "add":
        node = node.receiver
    return isinstance(node, Call) and dotted(node.callee) == "nn.DataParallelTable"


def _is_required(node: Expression) -> bool:
    return isinstance(node, Call) and dotted(node.callee) == "require"


def _looked_up(node: Expression) -> Expression | None:
    """The name of a type that ``torch[name:match('torch.(%a+)')]`` looks up."""
    if not isinstance(node, Index) or dotted(node.base) != "torch" or not isinstance(node.key, Invoke):
        return None
    call = node.key
    pattern = call.arguments[0] if call.method == "match" and len(call.arguments) == 1 else None
    known = isinstance(pattern, String) and pattern.value in ("torch.(%a+)", "torch%.(%a+)")
    return call.receiver if known and dotted(call.receiver) is not None else None


def _is_about_memory(args: tuple[Expression, ...]) -> bool:
    """``x:storage() == y:storage()``"""
    compared = bare(args[0]) if args else None
    if not isinstance(compared, Binary) or compared.operator != "==":
        return False
    return all(
        isinstance(side, Invoke) and side.method == "storage" and not side.arguments
        for side in (compared.left, compared.right)
    )
