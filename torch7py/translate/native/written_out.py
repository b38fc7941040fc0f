"""Lua that is written out in simpler Lua before anything else looks at a program.

``nn.StochasticGradient`` is a loop over a data set, a data set whose ``__index`` is a function is a table beside a
function, a function that empties the buffers of a network's layers is ``clearState``, and copies of a model for each
card are added at once. What comes out is Lua on the same lines, with the same results, so that all that is known of
loops, losses and calls is known of it. A use that is more than that stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from torch7py.translate import tree
from torch7py.translate.parse import parse
from torch7py.translate.scopes import Scopes, Variable, resolve
from torch7py.translate.tree import (
    Assign,
    Block,
    Call,
    Expression,
    Index,
    Invoke,
    Local,
    Name,
    Statement,
    String,
)

__all__ = ["written_out"]

# What a trainer has where the program does not say otherwise.
_DEFAULTS = {"learningRate": "0.01", "learningRateDecay": "0", "maxIteration": "25"}
_FLAGS = {"shuffleIndices", "verbose"}
_HOOKS = {"hookIteration": 2, "hookExample": 1}  # with the number of arguments besides the trainer


def written_out(source: bytes, file: str) -> bytes:
    """The source of a file with both written out; lines stay. Raises LuaSyntaxError."""
    if b"StochasticGradient" in source:
        source = _Trainers(source, file).written()
    if b"gradInput" in source and b"pairs" in source:
        source = _Cleaners(source, file).written()
    if b"DataParallelTable" in source:
        source = _Copies(source, file).written()
    if b"setmetatable" in source and b"__index" in source:
        source = _Indexed(source, file).written()
    return source


class _Leave(Exception):
    """Something is used in a way that has no simpler form."""


class _Rewriting:
    def __init__(self, source: bytes, file: str) -> None:
        self.source = source
        self.program = parse(source, file)
        self.scopes: Scopes = resolve(self.program)
        self.names = {node.name for node in tree.every(self.program, Name)}
        self.edits: list[tuple[int, int, str]] = []

    def text(self, node: tree.Node) -> str:
        return self.source[node.place.start : node.place.end].decode("latin1")

    def fresh(self, name: str) -> str:
        """A name that is not used where it is put."""
        while name in self.names:
            name += "_"
        self.names.add(name)
        return name

    def edited(self, edits: list[tuple[int, int, str]]) -> None:
        """Put texts in the place of parts; a part that spans lines keeps them."""
        for start, end, text in sorted(edits, reverse=True):
            lines = self.source.count(b"\n", start, end) - text.count("\n")
            self.source = self.source[:start] + text.encode("latin1") + b"\n" * lines + self.source[end:]

    def blocks(self) -> list[Block]:
        return [node for node in tree.walk(self.program) if isinstance(node, Block)]


# nn.StochasticGradient


@dataclass
class _Trainer:
    """``trainer = nn.StochasticGradient(module, criterion)``, and what the program does with it."""

    made: Statement
    module: str
    criterion: str
    values: dict[str, str] = field(default_factory=dict)  # settings, as texts
    said: dict[str, Statement] = field(default_factory=dict)  # where the program says them


class _Trainers(_Rewriting):
    def written(self) -> bytes:
        edits: list[tuple[int, int, str]] = []
        for block in self.blocks():
            for statement in block.statements:
                target = _is_made(statement)
                if target is None:
                    continue
                try:
                    edits += self._of(block, statement, target)
                except _Leave:
                    return self.source
        self.edited(edits)
        return self.source

    def _of(self, block: Block, made: Statement, target: Name) -> list[tuple[int, int, str]]:
        assert isinstance(made, (Local, Assign))
        variable = self.scopes.of_name[target]
        inside = {node for node in tree.walk(block) if isinstance(node, Name)}
        below = {self.scopes.of_function[f] for f in tree.walk(block) if isinstance(f, tree.Function)}
        here = {name for name in inside if self.scopes.of_name[name].scope not in below}
        self.names = {name.name for name in here} | {"print", "torch"}
        if len(variable.writes) != variable.is_global or not inside.issuperset(variable.reads):
            raise _Leave
        call = made.values[0]
        assert isinstance(call, Call)
        module, criterion = call.arguments
        edits: list[tuple[int, int, str]] = []
        before = [
            self._kept(each, made, name, edits)
            for each, name in ((module, "module"), (criterion, "criterion"))
        ]
        trainer = _Trainer(made, before[0], before[1])
        uses = self._uses(block, variable)
        for use in uses:
            if isinstance(use, Index) and use not in self.targets:
                continue
            edits += (
                self._said(trainer, block, use) if isinstance(use, (Assign, tree.FunctionStatement)) else []
            )
        for use in uses:
            if isinstance(use, Index) and use not in self.targets:
                edits.append((use.place.start, use.place.end, self._read(trainer, use)))
            elif isinstance(use, tree.Run):
                edits.append((use.place.start, use.place.end, self._loop(trainer, use)))
        start = made.place.start
        if not any(edit[0] == start for edit in edits):
            edits.append((start, made.place.end, ""))
        return edits

    def _kept(self, node: Expression, made: Statement, name: str, edits: list[tuple[int, int, str]]) -> str:
        """The name of the module or criterion, which is given one where it has none."""
        if isinstance(node, Name):
            later = [w for w in self.scopes.of_name[node].writes if w.place.start > made.place.start]
            if later:
                raise _Leave
            return node.name
        name = self.fresh(name)
        if edits:
            raise _Leave
        edits.append((made.place.start, made.place.end, f"local {name} = {self.text(node)}"))
        return name

    def _uses(self, block: Block, variable: Variable) -> list[tree.Node]:
        """The statements and fields in which a trainer is used; more than that is left."""
        found: list[tree.Node] = []
        left = set(variable.reads)
        self.targets: set[Index] = set()
        for node in tree.walk(block):
            if isinstance(node, Assign) and len(node.targets) == len(node.values) == 1:
                use = node.targets[0]
            elif isinstance(node, tree.FunctionStatement):
                use = node.target
            elif isinstance(node, tree.Run) and isinstance(node.call, Invoke):
                use = node.call.receiver
                if use in left and node.call.method == "train" and len(node.call.arguments) == 1:
                    left.discard(use)
                    found.append(node)
                continue
            elif isinstance(node, Index):
                if node.base in left and isinstance(node.key, String) and node not in self.targets:
                    left.discard(node.base)
                    found.append(node)
                continue
            else:
                continue
            if isinstance(use, Index) and use.base in left and isinstance(use.key, String):
                left.discard(use.base)
                self.targets.add(use)
                found.append(node)
        if left:
            raise _Leave
        return found

    def _said(
        self, trainer: _Trainer, block: Block, node: Assign | tree.FunctionStatement
    ) -> list[tuple[int, int, str]]:
        """``trainer.learningRate = 0.1`` becomes a variable."""
        target = node.targets[0] if isinstance(node, Assign) else node.target
        assert isinstance(target, Index)
        assert isinstance(target.key, String)
        name = target.key.value
        if (
            name in trainer.said
            or node not in block.statements
            or node.place.start < trainer.made.place.start
        ):
            raise _Leave
        trainer.said[name] = node
        if name in _HOOKS:
            return self._hook(trainer, name, node)
        if not isinstance(node, Assign):
            raise _Leave
        value = node.values[0]
        if name in _FLAGS:
            if not isinstance(value, tree.Boolean):
                raise _Leave
            trainer.values[name] = self.text(value)
            return [(node.place.start, node.place.end, "")]
        if name not in _DEFAULTS:
            raise _Leave
        if isinstance(value, tree.Number):
            trainer.values[name] = self.text(value)
        variable = self.fresh(name)
        trainer.values.setdefault(name, variable)
        trainer.values[f"{name} as a variable"] = variable
        return [(node.place.start, target.place.end, f"local {variable}")]

    def _hook(
        self, trainer: _Trainer, name: str, node: Assign | tree.FunctionStatement
    ) -> list[tuple[int, int, str]]:
        function = node.values[0] if isinstance(node, Assign) else node.function
        if not isinstance(function, tree.Function) or function.vararg or not function.parameters:
            raise _Leave
        first, *rest = function.parameters
        if self.scopes.of_name[first].reads or len(rest) > _HOOKS[name]:
            raise _Leave
        opening = self.source.index(b"(", function.place.start)
        closing = self.source.index(b")", opening)
        trainer.values[name] = self.fresh(name)
        head = f"local function {trainer.values[name]}({', '.join(p.name for p in rest)})"
        return [(node.place.start, closing + 1, head)]

    def _read(self, trainer: _Trainer, node: Index) -> str:
        assert isinstance(node.key, String)
        name = node.key.value
        if name in ("module", "criterion"):
            return trainer.module if name == "module" else trainer.criterion
        said = trainer.said.get(name)
        if name in _DEFAULTS and (said is None or said.place.start < node.place.start):
            return trainer.values.get(f"{name} as a variable", _DEFAULTS[name])
        raise _Leave

    def _loop(self, trainer: _Trainer, node: tree.Run) -> str:
        """What ``train`` does."""
        assert isinstance(node.call, Invoke)
        if any(statement.place.start > node.place.start for statement in trainer.said.values()):
            raise _Leave
        given = node.call.arguments[0]
        parts = []
        data = given.name if isinstance(given, Name) else self.fresh("dataset")
        if not isinstance(given, Name):
            parts.append(f"local {data} = {self.text(given)}")
        values = {name: trainer.values.get(f"{name} as a variable", text) for name, text in _DEFAULTS.items()}
        most = trainer.values.get("maxIteration", "25")
        counted = most.isdigit() and int(most) > 0
        t, example, input_, target, error, iteration = map(
            self.fresh, ("t", "example", "input", "target", "currentError", "iteration")
        )
        place = t
        if trainer.values.get("shuffleIndices") != "false":
            order = self.fresh("shuffledIndices")
            parts.append(f"local {order} = torch.randperm({data}:size())")
            place = f"{order}[{t}]"
        parts.append('print("# StochasticGradient: training")')
        rate = values["learningRate"]
        falls = "learningRateDecay" in trainer.said
        if falls:
            rate = self.fresh("currentLearningRate")
            parts.append(f"local {rate} = {values['learningRate']}")
        parts.append(f"local {error}" if counted else f"local {iteration}, {error} = 1, 0")
        parts.append(f"for {iteration} = 1, {values['maxIteration']} do" if counted else "while true do")
        m, c = trainer.module, trainer.criterion
        output = self.fresh("output")
        parts += [
            f"{error} = 0",
            f"for {t} = 1, {data}:size() do",
            f"local {example} = {data}[{place}]",
            f"local {input_}, {target} = {example}[1], {example}[2]",
            f"local {output} = {m}:forward({input_})",
            f"{error} = {error} + {c}:forward({output}, {target})",
            f"{m}:zeroGradParameters()",
            f"{m}:backward({input_}, {c}:backward({output}, {target}))",
            f"{m}:updateParameters({rate})",
        ]
        if "hookExample" in trainer.said:
            parts.append(f"{trainer.values['hookExample']}({example})")
        parts += ["end", f"{error} = {error} / {data}:size()"]
        if "hookIteration" in trainer.said:
            parts.append(f"{trainer.values['hookIteration']}({iteration}, {error})")
        if trainer.values.get("verbose") != "false":
            parts.append(f'print("# current error = " .. {error})')
        if falls:
            next_one = f"({iteration} + 1)" if counted else iteration
            if not counted:
                parts.append(f"{iteration} = {iteration} + 1")
            parts.append(
                f"{rate} = {values['learningRate']} / (1 + {next_one} * {values['learningRateDecay']})"
            )
        elif not counted:
            parts.append(f"{iteration} = {iteration} + 1")
        if not counted:
            parts.append(
                f"if {values['maxIteration']} > 0 and {iteration} > {values['maxIteration']} then break end"
            )
        parts.append("end")
        parts.append('print("# StochasticGradient: you have reached the maximum number of iterations")')
        parts.append(f'print("# training error = " .. {error})')
        return " ".join(parts)


def _is_made(statement: Statement) -> Name | None:
    """The variable of ``local trainer = nn.StochasticGradient(module, criterion)``"""
    if not isinstance(statement, (Local, Assign)) or len(statement.values) != 1:
        return None
    targets = statement.names if isinstance(statement, Local) else statement.targets
    value = statement.values[0]
    callee = value.callee if isinstance(value, Call) and len(value.arguments) == 2 else None
    if not (isinstance(callee, Index) and isinstance(callee.base, Name) and callee.base.name == "nn"):
        return None
    named = isinstance(callee.key, String) and callee.key.value == "StochasticGradient"
    return targets[0] if named and len(targets) == 1 and isinstance(targets[0], Name) else None


# Functions that make models smaller before they are saved

# What layers compute anew: a page's layers do not keep it.
_BUFFERS = set(
    "output gradInput buffer buffer2 indices noise mask finput fgradInput normalized centered std copiedInput"
    " homeGradBuffers input_gpu gradOutput_gpu gradInput_gpu gradWeight_gpu".split()
)


class _Cleaners(_Rewriting):
    """``for name, field in pairs(layer) do if name == 'output' then layer[name] = field.new() end end``"""

    def written(self) -> bytes:
        edits: list[tuple[int, int, str]] = []
        for statement in tree.those(self.program, tree.FunctionStatement, tree.LocalFunction):
            name = statement.name if isinstance(statement, tree.LocalFunction) else None
            if isinstance(statement, tree.FunctionStatement) and isinstance(statement.target, Name):
                name = statement.target
            function = statement.function  # type: ignore[attr-defined]
            if name is None or len(function.parameters) != 1 or not _only_cleans(function):
                continue
            calls = {
                node.call.callee: node
                for node in tree.every(self.program, tree.Run)
                if isinstance(node.call, Call) and len(node.call.arguments) == 1
            }
            reads = self.scopes.of_name[name].reads
            if reads and set(calls) >= set(reads):
                edits.append((statement.place.start, statement.place.end, ""))
                for read in reads:
                    given = self.text(calls[read].call.arguments[0])
                    edits.append((calls[read].place.start, calls[read].place.end, f"{given}:clearState()"))
            else:
                body = function.body.statements
                text = f"{function.parameters[0].name}:clearState()"
                if isinstance(body[-1], tree.Return) and body[-1].values:
                    text = f"return {text}"
                edits.append((body[0].place.start, body[-1].place.end, text))
        self.edited(edits)
        return self.source


def _only_cleans(function: tree.Function) -> bool:
    """Whether a function does nothing but to empty buffers of layers."""
    cleaned = False
    parameter = function.parameters[0].name
    keys: set[str] = set()  # the variables that are names of fields
    for node in tree.walk(function.body):
        if isinstance(node, tree.GenericFor) and len(node.names) == 2:
            keys.add(node.names[0].name)
        elif isinstance(node, tree.If):
            names = [_named_in(condition) for condition, _ in node.branches]
            stores = [any(isinstance(n, Assign) for n in tree.walk(body)) for _, body in node.branches]
            if node.otherwise is not None or any(s and not n for n, s in zip(names, stores, strict=True)):
                return False
        elif isinstance(node, Assign):
            (target, *more) = node.targets
            if more or not isinstance(target, Index) or not all(map(_is_empty, node.values)):
                return False
            named = isinstance(target.key, String) and target.key.value in _BUFFERS
            if not named and not (isinstance(target.key, Name) and target.key.name in keys):
                return False
            cleaned = True
        elif isinstance(node, tree.Return):
            if any(not isinstance(v, Name) or v.name != parameter for v in node.values):
                return False
        elif isinstance(node, Statement) and not isinstance(node, (Local, tree.NumericFor, tree.GenericFor)):
            return False
    return cleaned


def _named_in(node: Expression) -> bool:
    """Whether a condition is about the name of a buffer, or a field that no translation has."""
    while isinstance(node, tree.Paren):
        node = node.inner
    if not isinstance(node, tree.Binary):
        return False
    if node.operator in ("and", "or"):
        sides = [_named_in(node.left), _named_in(node.right)]
        return all(sides) if node.operator == "or" else any(sides)
    literal = node.right.value if isinstance(node.right, String) else ""
    return node.operator == "==" and (literal in _BUFFERS or literal.startswith("_") or literal == "cdata")


def _is_empty(node: Expression) -> bool:
    """``nil``, ``{}``, ``field.new()``, ``torch.Tensor()``"""
    if isinstance(node, (Call, Invoke)):
        made = node.method if isinstance(node, Invoke) else ""
        if isinstance(node, Call) and isinstance(node.callee, Index) and isinstance(node.callee.key, String):
            made = node.callee.key.value
        return not node.arguments and (made == "new" or made.endswith("Tensor"))
    return isinstance(node, tree.Nil) or (isinstance(node, tree.Table) and not node.fields)


# Copies of a model for each card


class _Copies(_Rewriting):
    """``p = nn.DataParallelTable(1)`` and ``for i = 1, n do p:add(net:clone():cuda(), i) end``"""

    def written(self) -> bytes:
        edits: list[tuple[int, int, str]] = []
        for block in self.blocks():
            for made, loop in zip(block.statements, block.statements[1:], strict=False):
                added = _added_in(loop)
                target = _is_parallel(made)
                if added is None or target is None or not isinstance(loop, tree.NumericFor):
                    continue
                table, copied = added
                same = self.scopes.of_name[table] is self.scopes.of_name[target]
                if not same or self.scopes.of_name[copied] is self.scopes.of_name[target]:
                    continue
                cards = f"torch.range(1, {self.text(loop.stop)}):totable()"
                edits.append((made.place.end, made.place.end, f":add({copied.name}, {cards})"))
                edits.append((loop.place.start, loop.place.end, ""))
        self.edited(edits)
        return self.source


def _is_parallel(statement: Statement) -> Name | None:
    """The variable of ``p = nn.DataParallelTable(1)``"""
    if not isinstance(statement, (Local, Assign)) or len(statement.values) != 1:
        return None
    targets = statement.names if isinstance(statement, Local) else statement.targets
    value = statement.values[0]
    callee = value.callee if isinstance(value, Call) else None
    named = (
        isinstance(callee, Index)
        and isinstance(callee.key, String)
        and callee.key.value == "DataParallelTable"
    )
    return targets[0] if named and len(targets) == 1 and isinstance(targets[0], Name) else None


def _added_in(loop: Statement) -> tuple[Name, Name] | None:
    """What a loop over cards adds to, and the model that it adds copies of."""
    if not isinstance(loop, tree.NumericFor) or loop.step is not None:
        return None
    if not isinstance(loop.start, tree.Number) or loop.start.value != 1:
        return None
    found = None
    for statement in loop.body.statements:
        call = statement.call if isinstance(statement, tree.Run) else None
        if isinstance(call, Call) and isinstance(call.callee, Index) and isinstance(call.callee.key, String):
            if call.callee.key.value != "setDevice":
                return None
        elif isinstance(call, Invoke) and call.method == "add" and len(call.arguments) == 2 and found is None:
            copy, card = call.arguments
            while isinstance(copy, Invoke) and copy.method in ("clone", "cuda") and not copy.arguments:
                copy = copy.receiver
            by_turn = isinstance(card, Name) and card.name == loop.variable.name
            if not by_turn or not isinstance(copy, Name) or not isinstance(call.receiver, Name):
                return None
            found = call.receiver, copy
        else:
            return None
    return found


# Tables with a function for what they do not have


class _Indexed(_Rewriting):
    def written(self) -> bytes:
        edits: list[tuple[int, int, str]] = []
        for block in self.blocks():
            for statement in block.statements:
                found = _is_indexed(statement)
                if found is not None:
                    edits += self._of(block, statement, *found)
        self.edited(edits)
        return self.source

    def _of(
        self, block: Block, statement: Statement, table: Name, function: tree.Function
    ) -> list[tuple[int, int, str]]:
        """``data[i]`` as a call of the function."""
        variable = self.scopes.of_name[table]
        nodes = list(tree.walk(self.program))
        items = [
            node
            for node in nodes
            if isinstance(node, Index) and isinstance(node.base, Name) and not isinstance(node.key, String)
            if self.scopes.of_name[node.base] is variable
        ]
        stored = {x for node in nodes if isinstance(node, Assign) for x in node.targets}
        known: set[Expression] = {table}
        for node in nodes:
            if isinstance(node, Index) and node not in items:
                known.add(node.base)
            elif isinstance(node, Invoke):
                known.add(node.receiver)
        inside = {node for node in tree.walk(block) if isinstance(node, Name)}
        reads = set(variable.reads) - self._looped_over_before(statement)
        late = all(item.place.start > statement.place.end for item in items)
        if not items or stored & set(items) or reads - known - {item.base for item in items} or not late:
            return []
        if not inside.issuperset({item.base for item in items}):
            return []
        name = self.fresh(f"{table.name}_item")
        opening = self.source.index(b"(", function.place.start)
        kind = "function" if variable.is_global else "local function"
        edits = [
            (statement.place.start, opening, f"{kind} {name}"),
            (function.place.end, statement.place.end, ""),
        ]
        edits += [
            (item.place.start, item.place.end, f"{name}({table.name}, {self.text(item.key)})")
            for item in items
        ]
        return edits

    def _looped_over_before(self, statement: Statement) -> set[Name]:
        """The tables of ``for _, set in ipairs{train, test} do ... end``, where that comes before a statement."""
        found: set[Name] = set()
        for loop in tree.every(self.program, tree.GenericFor):
            call = loop.values[0]
            listed = call.arguments[0] if isinstance(call, Call) and len(call.arguments) == 1 else None
            if isinstance(listed, tree.Table) and loop.place.end < statement.place.start:
                found |= {item.value for item in listed.fields if isinstance(item.value, Name)}
        return found


def _is_indexed(statement: Statement) -> tuple[Name, tree.Function] | None:
    """``setmetatable(data, {__index = function(t, i) ... end})``"""
    call = statement.call if isinstance(statement, tree.Run) else None
    if not isinstance(call, Call) or not isinstance(call.callee, Name) or call.callee.name != "setmetatable":
        return None
    if len(call.arguments) != 2:
        return None
    table, metatable = call.arguments
    if not isinstance(table, Name) or not isinstance(metatable, tree.Table) or len(metatable.fields) != 1:
        return None
    (only,) = metatable.fields
    value = only.value
    named = isinstance(only.key, String) and only.key.value == "__index"
    if not named or not isinstance(value, tree.Function) or len(value.parameters) != 2 or value.vararg:
        return None
    return table, value
