"""``nn.StochasticGradient`` as a loop over a data set."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch7py.translate import tree
from torch7py.translate.native.desugar.rewriting import Leave, Rewriting
from torch7py.translate.scopes import Variable
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

__all__ = ["WEIGHTS_ONCE", "Trainers"]

# What a trainer has where the program does not say otherwise.
_DEFAULTS = {"learningRate": "0.01", "learningRateDecay": "0", "maxIteration": "25"}
# Behind the rate of updateParameters: a trainer moves shared weights once, each part of the network by itself.
WEIGHTS_ONCE = "shared weights once"
_FLAGS = {"shuffleIndices", "verbose"}
_HOOKS = {"hookIteration": 2, "hookExample": 1}  # with the number of arguments besides the trainer


@dataclass
class _Trainer:
    """``trainer = nn.StochasticGradient(module, criterion)``, and what the program does with it."""

    construction: Statement
    module: str
    criterion: str
    values: dict[str, str] = field(default_factory=dict)  # settings, as texts
    said: dict[str, Statement] = field(default_factory=dict)  # where the program says them


class Trainers(Rewriting):
    def written(self) -> bytes:
        edits: list[tuple[int, int, str]] = []
        for block in self.blocks():
            for statement in block.statements:
                target = _trainer_variable(statement)
                if target is None:
                    continue
                try:
                    edits += self._of(block, statement, target)
                except Leave:
                    return self.source
        self.edited(edits)
        return self.source

    def _of(self, block: Block, construction: Statement, target: Name) -> list[tuple[int, int, str]]:
        assert isinstance(construction, (Local, Assign))
        variable = self.scopes.of_name[target]
        inside = {node for node in tree.walk(block) if isinstance(node, Name)}
        below = {self.scopes.of_function[f] for f in tree.walk(block) if isinstance(f, tree.Function)}
        here = {name for name in inside if self.scopes.of_name[name].scope not in below}
        self.names = {name.name for name in here} | {"print", "torch"}
        if len(variable.writes) != variable.is_global or not inside.issuperset(variable.reads):
            raise Leave
        call = construction.values[0]
        assert isinstance(call, Call)
        module, criterion = call.arguments
        edits: list[tuple[int, int, str]] = []
        uses = self._uses(block, variable)
        before = [
            self._kept(argument, construction, name, variable, edits)
            for argument, name in ((module, "module"), (criterion, "criterion"))
        ]
        trainer = _Trainer(construction, before[0], before[1])
        for use in uses:
            if isinstance(use, Index) and use not in self.targets:
                continue
            edits += (
                self._said(trainer, block, use) if isinstance(use, (Assign, tree.FunctionStatement)) else []
            )
        for use in uses:
            if isinstance(use, Index) and use not in self.targets:
                edits.append((use.span.start, use.span.end, self._read(trainer, use)))
            elif isinstance(use, tree.Run):
                edits.append((use.span.start, use.span.end, self._loop(trainer, use)))
        start = construction.span.start
        if not any(edit[0] == start for edit in edits):
            edits.append((start, construction.span.end, ""))
        return edits

    def _kept(
        self,
        node: Expression,
        construction: Statement,
        name: str,
        trainer: Variable,
        edits: list[tuple[int, int, str]],
    ) -> str:
        """The name of the module or criterion, which is given one where it has none."""
        if isinstance(node, Name):
            kept = self.scopes.of_name[node]
            last = max([construction.span.end, *(use.span.end for use in trainer.reads)])
            here = kept.writers <= {trainer.scope, *trainer.writers}  # which no function writes in between
            if any(
                w.span.start > construction.span.start and (w.span.start < last or not here)
                for w in kept.writes
            ):
                raise Leave
            return node.name
        name = self.fresh(name)
        if edits:
            raise Leave
        edits.append((construction.span.start, construction.span.end, f"local {name} = {self.text(node)}"))
        return name

    def _uses(self, block: Block, variable: Variable) -> list[tree.Node]:
        """The statements and fields in which a trainer is used; more than that is left."""
        uses: list[tree.Node] = []
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
                    uses.append(node)
                continue
            elif isinstance(node, Index):
                if node.base in left and isinstance(node.key, String) and node not in self.targets:
                    left.discard(node.base)
                    uses.append(node)
                continue
            else:
                continue
            if isinstance(use, Index) and use.base in left and isinstance(use.key, String):
                left.discard(use.base)
                self.targets.add(use)
                uses.append(node)
        if left:
            raise Leave
        return uses

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
            or node.span.start < trainer.construction.span.start
        ):
            raise Leave
        trainer.said[name] = node
        if name in _HOOKS:
            return self._hook(trainer, name, node)
        if not isinstance(node, Assign):
            raise Leave
        value = node.values[0]
        if name in _FLAGS:
            if not isinstance(value, tree.Boolean):
                raise Leave
            trainer.values[name] = self.text(value)
            return [(node.span.start, node.span.end, "")]
        if name not in _DEFAULTS:
            raise Leave
        if isinstance(value, tree.Number):
            trainer.values[name] = self.text(value)
        variable = self.fresh(name)
        trainer.values.setdefault(name, variable)
        trainer.values[f"{name} as a variable"] = variable
        return [(node.span.start, target.span.end, f"local {variable}")]

    def _hook(
        self, trainer: _Trainer, name: str, node: Assign | tree.FunctionStatement
    ) -> list[tuple[int, int, str]]:
        function = node.values[0] if isinstance(node, Assign) else node.function
        if not isinstance(function, tree.Function) or function.vararg or not function.parameters:
            raise Leave
        first, *rest = function.parameters
        if self.scopes.of_name[first].reads or len(rest) > _HOOKS[name]:
            raise Leave
        opening = self.source.index(b"(", function.span.start)
        closing = self.source.index(b")", opening)
        trainer.values[name] = self.fresh(name)
        head = f"local function {trainer.values[name]}({', '.join(p.name for p in rest)})"
        return [(node.span.start, closing + 1, head)]

    def _read(self, trainer: _Trainer, node: Index) -> str:
        assert isinstance(node.key, String)
        name = node.key.value
        if name in ("module", "criterion"):
            return trainer.module if name == "module" else trainer.criterion
        said = trainer.said.get(name)
        if name in _DEFAULTS and (said is None or said.span.start < node.span.start):
            return trainer.values.get(f"{name} as a variable", _DEFAULTS[name])
        raise Leave

    def _loop(self, trainer: _Trainer, node: tree.Run) -> str:
        """What ``train`` does."""
        assert isinstance(node.call, Invoke)
        if any(statement.span.start > node.span.start for statement in trainer.said.values()):
            raise Leave
        argument = node.call.arguments[0]
        parts = []
        data = argument.name if isinstance(argument, Name) else self.fresh("dataset")
        if not isinstance(argument, Name):
            parts.append(f"local {data} = {self.text(argument)}")
        values = {name: trainer.values.get(f"{name} as a variable", text) for name, text in _DEFAULTS.items()}
        most = trainer.values.get("maxIteration", "25")
        counted = most.isdigit() and int(most) > 0
        t, example, input_, target, error, iteration = map(
            self.fresh, ("t", "example", "input", "target", "currentError", "iteration")
        )
        index = t
        if trainer.values.get("shuffleIndices") != "false":
            order = self.fresh("shuffledIndices")
            parts.append(f"local {order} = torch.randperm({data}:size())")
            index = f"{order}[{t}]"
        elif b"randperm" in self.source or self.source.count(b"StochasticGradient") > 1:
            parts.append(f"torch.randperm({data}:size())")  # which Torch7 draws here, too
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
            f"local {example} = {data}[{index}]",
            f"local {input_}, {target} = {example}[1], {example}[2]",
            f"local {output} = {m}:forward({input_})",
            f"{error} = {error} + {c}:forward({output}, {target})",
            f"{m}:zeroGradParameters()",
            f"{m}:backward({input_}, {c}:backward({output}, {target}))",
            f"{m}:updateParameters({rate}, {WEIGHTS_ONCE!r})",
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


def _trainer_variable(statement: Statement) -> Name | None:
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
