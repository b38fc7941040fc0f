"""Lua programs with random graphs of objects: tables, layers, functions with variables, tensors on shared memory.

Each graph is printed together with its copies (``object_graphs.lua``), so that the original's output for the same
program says what is right.
"""

from __future__ import annotations

import random
from pathlib import Path

__all__ = ["program"]

PRELUDE = Path(__file__).with_suffix(".lua").read_text("ascii")

SCALARS = ["1", "-2.5", "0", "2^40", "1/0", "true", "false", "'text'", "'\\0\\1\\255'", "''", "nil"]
KEYS = ["1", "2", "3", "'k'", "'name'", "2.5", "true", "-1", "'weight'"]
TENSORS = [
    "torch.range(1, 6):view(2, 3)",
    "torch.Tensor()",
    "torch.FloatTensor{{1, 2}, {3, 4}}",
    "torch.LongTensor{7, 8, 9}",
    "torch.ByteTensor{1, 0}",
    "torch.Tensor{5}:expand(3)",
    "torch.LongStorage{3, 4}",
    "torch.DoubleStorage{1.5, 2.5, 3.5}",
    "torch.Tensor(torch.DoubleStorage{1, 2, 3, 4, 5}, 2, torch.LongStorage{2}, torch.LongStorage{2})",
]
VIEWS = ["{0}:narrow(1, 1, 1)", "{0}:select(1, 1)", "{0}:t()", "{0}:view(-1)", "{0}:storage()"]
LAYERS = ["zeroed(nn.Linear(2, 2))", "nn.Tanh()", "nn.Dropout(0.5)", "nn.View(-1)", "graphs.Layer()", "graphs.Bare()",
          "zeroed(graphs.Cached(2, 2))", "nn.Identity()"]  # fmt: skip
CONTAINERS = ["nn.Sequential()", "nn.ConcatTable()", "nn.ParallelTable()", "nn.Concat(1)", "graphs.Box()"]
LOSSES = ["nn.MSECriterion()", "nn.ParallelCriterion()", "graphs.Loss()"]
OBJECTS = ["graphs.Plain()", "graphs.Own()"]
METHODS = ["nn.Linear.reset", "nn.Linear.updateOutput", "nn.Module.forward", "nn.Sequential.add"]
UNWRITABLE = ["math.floor", "torch.add", "coroutine.create(print)", "io.stdout"]
FIELDS = ["u_a", "u_b", "u_c", "u_cache"]


class Graph:
    """The statements that build one graph, and what its nodes are."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.lines: list[str] = []
        self.kinds: list[str] = []

    def name(self, number: int) -> str:
        return f"n{number}"

    def any(self, kinds: str = "") -> str | None:
        """A node, of one of these kinds."""
        found = [i for i, kind in enumerate(self.kinds) if not kinds or kind in kinds.split()]
        return self.name(self.rng.choice(found)) if found else None

    def value(self) -> str:
        if self.rng.random() < 0.35:
            return self.rng.choice(SCALARS)
        return self.any() or "nil"

    def node(self) -> None:
        rng = self.rng
        kind = rng.choices(
            ["table", "meta", "object", "layer", "container", "loss", "tensor", "view", "function", "method"],
            [5, 1, 2, 4, 4, 2, 4, 3, 5, 1],
        )[0]
        source = self.any("tensor")
        if kind == "view" and source is None:
            kind = "tensor"
        if kind == "view":
            made = f"try(function() return {rng.choice(VIEWS).format(source)} end) or torch.Tensor()"
        else:
            made = {
                "table": lambda: "{}",
                "meta": lambda: "setmetatable({}, {__index = {hidden = 1}})",
                "object": lambda: rng.choice(OBJECTS),
                "layer": lambda: rng.choice(LAYERS),
                "container": lambda: rng.choice(CONTAINERS),
                "loss": lambda: rng.choice(LOSSES),
                "tensor": lambda: rng.choice(TENSORS),
                "function": lambda: f"function() return {self.variables()} end",
                "method": lambda: rng.choice(METHODS),
            }[kind]()
        number = len(self.kinds)
        self.kinds.append("tensor" if kind == "view" else kind)
        self.lines.append(f"{self.name(number)} = {made}")

    def variables(self) -> str:
        """What a function returns: nodes that are there and nodes that come later."""
        count = self.rng.randint(0, 3)
        return ", ".join(self.name(self.rng.randrange(self.size)) for _ in range(count)) or "1"

    def edges(self) -> None:
        rng = self.rng
        for number, kind in enumerate(list(self.kinds)):
            name = self.name(number)
            for _ in range(rng.randint(0, 3)):
                if kind in ("table", "meta"):
                    key = rng.choice(KEYS)
                    self.lines.append(f"{name}[{key}] = {self.value()}")
                elif kind in ("object", "layer", "container", "loss"):
                    self.lines.append(f"set({name}, '{rng.choice(FIELDS)}', {self.value()})")
            if kind in ("table", "meta") and rng.random() < 0.15:
                self.lines.append(f"{name}[{self.any('table object layer function') or 9}] = 'by object'")
            if kind == "container":
                self.children(number)
                if rng.random() < 0.1:
                    self.lines.append(f"set({name}, 'u_c', {name}.modules)")
            if kind in ("container", "loss") and rng.random() < 0.1:
                self.lines.append(
                    f"set({name}, 'u_a', {name}.{rng.choice(['output', 'gradInput', 'criterions'])})"
                )
            if kind == "loss" and rng.random() < 0.5:
                self.lines.append(f"if {name}.add then {name}:add(nn.MSECriterion()) end")
            if kind == "layer" and rng.random() < 0.3:
                self.engine_fields(name)

    def children(self, number: int) -> None:
        """Modules that come before the container, so that none contains itself; some in two of them."""
        inner = [i for i in range(number) if self.kinds[i] in ("layer", "container")]
        for child in self.rng.sample(inner, min(len(inner), self.rng.randint(0, 3))):
            self.lines.append(f"{self.name(number)}:add({self.name(child)})")

    def engine_fields(self, name: str) -> None:
        other, tensor = self.any("layer"), self.any("tensor")
        self.lines.append(
            self.rng.choice(
                [
                    f"if {other}.weight and {name}.weight then {name}.weight = {other}.weight end",
                    f"if {other}.weight and {name}.weight then {name}.weight:set({other}.weight) end",
                    f"{name}.bias = nil",
                    f"{name}.gradWeight = nil",
                    f"{name}.output = {{torch.Tensor{{1}}, {{torch.Tensor{{2}}, 3}}}}",
                    f"if {name}.weight then {name}.u_a = {name}.weight end",
                    f"if {name}.weight then {name}.u_b = {name}.weight:view(-1) end",
                    f"{name}:evaluate()",
                    f"if torch.isTensor({tensor}) then {name}.output = {tensor} end",
                    f"{name}.train = nil",
                ]
            )
        )

    def build(self, size: int) -> list[str]:
        self.size = size
        for _ in range(size):
            self.node()
        self.edges()
        if self.rng.random() < 0.06:
            holder = self.any("table object layer container loss")
            if holder:
                self.lines.append(f"set({holder}, 'u_c', {self.rng.choice(UNWRITABLE)})")
        roots = self.any("container layer loss") if self.rng.random() < 0.7 else None
        root = roots or self.any("table meta object container layer loss tensor function") or "{}"
        if self.rng.random() < 0.3:
            root = f"{{{root}, {self.any()}, {self.any()}}}"
        names = ", ".join(self.name(i) for i in range(size))
        return [f"local {names}", *self.lines, root]


def program(first: int, count: int) -> str:
    """A program of as many graphs, those of the seeds from ``first`` on."""
    lines = [PRELUDE, "local function try(f) local ok, x = pcall(f) return ok and x or nil end"]
    for seed in range(first, first + count):
        rng = random.Random(seed)
        *body, root = Graph(rng).build(rng.randint(2, 9))
        lines += [
            "do",
            f"torch.manualSeed({seed})",
            *body,
            f"check('{seed}', {root})",
            "collectgarbage()",
            "end",
        ]
    return "\n".join([*lines, "done()", ""])
