"""What says how memory, GPUs and cudnn are used, and no number depends on: it goes, or is a setting of PyTorch's.

Gradients of layers that lie in each other's memory, the worker threads of ``nn.DataParallelTable``, ways of cudnn to
compute (``m:setMode(1, 1, 1)``: the deterministic ones), what is done for a cudnn or cutorch that is older than any of
PyTorch's, memory that GPUs read fast, and empty tensors of a type that is looked up by its name.
"""

from __future__ import annotations

import re

from torch7py.translate import library, tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.quoting import lua_quoted
from torch7py.translate.scopes import Variable
from torch7py.translate.templates import Template
from torch7py.translate.tree import Call, Expression, Index, Invoke, Local, Name, Number, Statement, String
from torch7py.translate.tree_queries import bare, dotted

__all__ = ["Machinery"]

_OLDEST = 5000  # cudnn's version; Torch7's last binding is for 5.1, PyTorch's cudnn is newer
_PINNED = re.compile(r"cutorch\.createCudaHost(|Double|Half)Tensor")
_GPU_TYPE = re.compile(r"torch\.Cuda\w+Tensor")
_FLAGS = {"cudnn.fastest", "cudnn.benchmark", "cudnn.verbose"}
_LOOKED_THROUGH = ("apply", *library.MODULE_LISTS)
_VERSIONS = [Template(f"return cudnn.version {operator} VERSION") for operator in (">=", ">")]
_MODES = Template("NET:apply(function(M) if M.setMode then M:setMode(OUTPUT, INPUT, WEIGHT) end end)")
_LOOKED_UP = Template("return torch[TYPE:match(PATTERN)]()")
_MEMORY = [Template(f"assert(X:storage() == Y:storage(){more})") for more in ("", ", MESSAGE")]


class Machinery(Rewriting):
    def rewrite(self) -> None:
        self.gone: set[Statement] = set()
        self._sharers()
        self._versions()
        self._modes()
        self._threads()
        self._tensors()
        self._optimized()
        statements = [statement for block in self.blocks() for statement in block.statements]
        for statement in statements:
            if statement in self.gone or self._is_empty(statement):
                self.put(statement, "")
        self.keep_outermost()

    def _is_empty(self, statement: Statement) -> bool:
        """Whether a statement is a branch around nothing but what goes."""
        if (
            not isinstance(statement, tree.If)
            or statement.otherwise is not None
            or len(statement.branches) != 1
        ):
            return False
        condition, body = statement.branches[0]
        return (
            bool(body.statements)
            and self.gone.issuperset(body.statements)
            and not any(isinstance(n, (Call, Invoke)) for n in tree.walk(condition))
        )

    # Memory that layers share

    def _sharers(self) -> None:
        """Functions that only lay gradients into each other's memory, and their calls."""
        for statement in tree.those(self.program, tree.FunctionStatement, tree.LocalFunction):
            assert isinstance(statement, (tree.FunctionStatement, tree.LocalFunction))
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

    def _only_shares(self, function: tree.Function) -> bool:
        local_variables: set[Variable] = set()  # what it makes itself: variables, and tables
        tables: set[Variable] = set()
        for local in tree.every(function.body, Local):
            local_variables |= {self.scopes.of_name[name] for name in local.names}
            pairs = zip(local.names, local.values, strict=False)
            tables |= {self.scopes.of_name[name] for name, value in pairs if isinstance(value, tree.Table)}
        shares = False
        for node in tree.walk(function.body):
            if isinstance(node, tree.Assign):
                for target, value in zip(node.targets, node.values, strict=False):
                    root = _root(target)
                    if isinstance(target, Index) and target.key_name == "gradInput" and _is_memory(value):
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

    def _versions(self) -> None:
        """``if cudnn.version >= 4000 then a else b end`` is ``a``."""
        for node in tree.every(self.program, tree.If):
            condition, body = node.branches[0]
            if len(node.branches) != 1 or not _is_new_enough(condition) or not body.statements:
                continue
            has_variables = any(isinstance(s, (Local, tree.LocalFunction)) for s in body.statements)
            start, end = body.statements[0].span.start, body.statements[-1].span.end
            self.put_between(node.span.start, start, "do " if has_variables else "")
            self.put_between(end, node.span.end, " end" if has_variables else "")

    def _modes(self) -> None:
        """``net:apply(function(m) if m.setMode then m:setMode(1, 1, 1) end end)``"""
        for node in tree.every(self.program, tree.Run):
            parts = _MODES.match(node)
            if parts is not None and isinstance(parts["NET"], (Name, Index)):
                modes = [parts[of] for of in ("OUTPUT", "INPUT", "WEIGHT")]
                if all(isinstance(mode, Number) and mode.value == 1 for mode in modes):
                    self.put(node, "cudnn.deterministic = true")
                else:
                    self.gone.add(node)

    # Memory

    def _tensors(self) -> None:
        for node in tree.every(self.program, Call):
            pinned = _PINNED.fullmatch(dotted(node.callee) or "")
            if pinned is not None:  # ``cutorch.createCudaHostTensor()``
                args = ", ".join(map(self.text, node.arguments))
                half = f"torch.FloatTensor({args}):type({lua_quoted('torch.HalfTensor')})"
                self.put(node, half if pinned[1] == "Half" else f"torch.{pinned[1] or 'Float'}Tensor({args})")
            found = _LOOKED_UP.match(node)  # ``torch[name:match('torch.(%a+)')]()``
            if found is not None and dotted(found["TYPE"]) is not None:
                pattern = found["PATTERN"]
                if isinstance(pattern, String) and pattern.value in ("torch.(%a+)", "torch%.(%a+)"):
                    self.put(node, f"torch.FloatTensor():type({self.text(found['TYPE'])})")
        for choice in tree.every(self.program, tree.Binary):
            if choice.operator == "and" and _GPU_TYPE.fullmatch(dotted(choice.left) or ""):
                self.put_between(choice.left.span.start, choice.right.span.start, "")
        for run in tree.every(self.program, tree.Run):
            if any(template.match(run) is not None for template in _MEMORY):
                self.gone.add(run)

    def _optimized(self) -> None:
        """``optnet.optimizeMemory(net, x)``: two passes over the example, by which it sees what may share memory."""
        calls = {run: run.call for run in tree.every(self.program, tree.Run) if isinstance(run.call, Call)}
        calls = {r: call for r, call in calls.items() if dotted(call.callee) == "optnet.optimizeMemory"}
        nets = [self.text(call.arguments[0]) for call in calls.values() if call.arguments]
        reads = any(node.key_name == "output" for node in tree.every(self.program, Index))
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
            self.put(run, f"for pass = 1, 2 do {passes} end")

    # GPUs

    def _threads(self) -> None:
        """``nn.DataParallelTable(1):add(net, gpus):threads(function() ... end)``"""
        for node in tree.every(self.program, Invoke):
            if node.method != "threads" or len(node.arguments) > 1 or not _is_parallel(node.receiver):
                continue
            if node.arguments and not self._only_prepares(node.arguments[0]):
                continue
            self.put_between(node.receiver.span.end, node.span.end, "")
            inside = {n for n in tree.walk(node) if isinstance(n, Name)} if node.arguments else set()
            self._flags_read_by(inside)

    def _only_prepares(self, node: Expression) -> bool:
        """A function that requires packages and sets flags of cudnn, as each thread must."""
        if not isinstance(node, tree.Function):
            return False
        for statement in node.body.statements:
            if isinstance(statement, Local):
                good = all(_is_required(value) for value in statement.values)
            elif isinstance(statement, tree.Assign):
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
    named = node.named_values if isinstance(node, tree.Table) else {}
    return named if isinstance(node, tree.Table) and len(named) == len(node.fields) else None


def _root(node: Expression) -> Name | None:
    while isinstance(node, Index):
        node = node.base
    return node if isinstance(node, Name) else None


def _same(node: tree.Node | tree.Block, target: Expression) -> bool:
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
    versions = [found["VERSION"] for template in _VERSIONS if (found := template.match(node)) is not None]
    return any(isinstance(version, Number) and version.value <= _OLDEST for version in versions)


def _is_parallel(node: Expression) -> bool:
    while isinstance(node, Invoke) and node.method == "add":
        node = node.receiver
    return isinstance(node, Call) and facts.is_parallel(dotted(node.callee))


def _is_required(node: Expression) -> bool:
    return isinstance(node, Call) and dotted(node.callee) == "require"
