"""A neural Turing machine (programs/turing_machine.lua) against the same training written for PyTorch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from bench.char_rnn import reorder
from bench.measure import Result, Target
from bench.training import program_beside_port
from torch7py.nn.gmodule import GModule

__all__ = ["results"]

PROGRAM = Path(__file__).parent / "programs" / "turing_machine.lua"
DATA = ("step", "start", "sequences")
SHIFTS = 3
State = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Sizes:
    rows: int = 20
    columns: int = 8
    hidden: int = 30
    bits: int = 6
    length: int = 5


class Head(nn.Module):
    """Where the machine looks: by content, by a shift, or where it looked before."""

    def __init__(self, hidden: int, columns: int) -> None:
        super().__init__()
        self.key = nn.Linear(hidden, columns)
        self.strength, self.gate, self.power = (nn.Linear(hidden, 1) for _ in range(3))
        self.shift = nn.Linear(hidden, SHIFTS)

    def forward(self, h: torch.Tensor, memory: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        key = torch.tanh(self.key(h))
        alike = (memory @ key) / (memory.norm(dim=1) * key.norm() + 1e-6)
        by_content = F.softmax(alike * F.softplus(self.strength(h)), dim=0)
        gate = torch.sigmoid(self.gate(h))
        mixed = by_content * gate + before * (1 - gate)
        shift = F.softmax(self.shift(h), dim=0)
        turned = shift @ torch.stack([mixed.roll(by) for by in (-1, 0, 1)])
        sharp = turned ** (1 + F.softplus(self.power(h)))
        return sharp / sharp.sum()


class Machine(nn.Module):
    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        rows, columns, hidden, bits, _ = astuple(sizes)
        self.sizes = sizes
        self.cell = nn.LSTMCell(bits + 2 + columns, hidden)
        self.read, self.write = Head(hidden, columns), Head(hidden, columns)
        self.erase, self.add = nn.Linear(hidden, columns), nn.Linear(hidden, columns)
        self.output = nn.Linear(hidden + columns, bits)
        lengths = (rows * columns, rows, rows, columns, hidden, hidden)
        self.start = nn.ParameterList(nn.Parameter(torch.zeros(length)) for length in lengths)

    def first(self) -> State:
        memory, reading, writing, read, c, h = self.start
        return (
            torch.tanh(memory).view(self.sizes.rows, self.sizes.columns),
            F.softmax(reading, dim=0),
            F.softmax(writing, dim=0),
            torch.tanh(read),
            c,
            torch.tanh(h),
        )

    def forward(self, x: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        memory, reading, writing, read, c, h = state
        h, c = self.cell(torch.cat([x, read]), (h, c))
        reading = self.read(h, memory, reading)
        writing = self.write(h, memory, writing)
        read = reading @ memory
        left = 1 - torch.outer(writing, torch.sigmoid(self.erase(h)))
        memory = memory * left + torch.outer(writing, torch.tanh(self.add(h)))
        output = torch.sigmoid(self.output(torch.cat([h, read])))
        return output, (memory, reading, writing, read, c, h)


class Port:
    """The training on PyTorch, from the weights and the sequences of the Lua program before it trains."""

    def __init__(self, sizes: Sizes, step: GModule, start: nn.Module, sequences: torch.Tensor) -> None:
        self.sizes = sizes
        self.machine = Machine(sizes).double()
        state = {}
        for node in step.ordered_nodes:
            name = node.annotations.get("name", "")
            if name in ("ih", "hh"):
                state[f"cell.weight_{name}"] = reorder(node.module.weight)
                state[f"cell.bias_{name}"] = reorder(node.module.bias)
            elif name:
                state[f"{name.replace('_', '.')}.weight"] = node.module.weight
                state[f"{name.replace('_', '.')}.bias"] = node.module.bias
        biases = list(start.parameters())[1::2]
        state |= {f"start.{i}": bias for i, bias in enumerate(biases)}
        self.machine.load_state_dict(state)
        self.optimizer = torch.optim.RMSprop(self.machine.parameters(), lr=1e-3, alpha=0.95)
        self.sequences = sequences
        self.made = 0

    def train(self, steps: int) -> float:
        """Train on; returns the last loss, of before its step."""
        loss = math.nan
        for _ in range(steps):
            loss = self._step()
        return loss

    def _step(self) -> float:
        bits, length = self.sizes.bits, self.sizes.length
        sequence = self.sequences[self.made % len(self.sequences)]
        self.made += 1
        inputs = sequence.new_zeros(2 * length + 2, bits + 2)
        inputs[0, bits] = 1
        inputs[1 : length + 1, :bits] = sequence
        inputs[length + 1, bits + 1] = 1
        self.optimizer.zero_grad()
        state = self.machine.first()
        outputs = []
        for x in inputs:
            output, state = self.machine(x, state)
            outputs.append(output)
        loss = F.binary_cross_entropy(torch.stack(outputs[length + 2 :]), sequence) * length
        loss.backward()
        nn.utils.clip_grad_value_(self.machine.parameters(), 10)
        self.optimizer.step()
        return loss.item() / length


def results(quick: bool) -> Iterator[Result]:
    sizes = Sizes(4, 3, 3, 2, 2) if quick else Sizes()
    steps, rounds = (1, 1) if quick else (10, 7)
    yield program_beside_port(
        PROGRAM,
        "a sequence",
        astuple(sizes),
        DATA,
        lambda *data: Port(sizes, *data).train,
        steps=steps,
        rounds=rounds,
        target=Target(1.5),
        unit="ms",
    )
