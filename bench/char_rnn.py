"""A character model of copied graphs (programs/char_rnn.lua) against the same training written for PyTorch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from bench.device import clock, graphed, new_runtime, on_gpu, target, tolerance
from bench.measure import Result, alternate
from torch7py.bridge.runtime import Runtime
from torch7py.nn.gmodule import GModule

__all__ = ["Port", "Sizes", "program", "reorder", "results"]

PROGRAM = Path(__file__).parent / "programs" / "char_rnn.lua"
AGREE = {"float64": 1e-9, "float32": 1e-4}  # how far apart, relative, the last losses of the two may lie
LIMITS = {"float64": 1.2, "float32": 1.6}


@dataclass(frozen=True)
class Sizes:
    vocabulary: int = 65
    hidden: int = 128
    layers: int = 2
    steps: int = 50
    batch: int = 50


def program(runtime: Runtime, sizes: Sizes) -> Callable[[int], float]:
    """The Lua program's function that trains."""
    runtime.globals["sizes"] = list(astuple(sizes))
    train: Callable[[int], float] = runtime.execute(PROGRAM.read_text(), f"@{PROGRAM.name}")
    return train


class Model(nn.Module):
    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.vocabulary = sizes.vocabulary
        self.lstm = nn.LSTM(sizes.vocabulary, sizes.hidden, sizes.layers)
        self.output = nn.Linear(sizes.hidden, sizes.vocabulary)

    def forward(self, text: torch.Tensor) -> torch.Tensor:
        hidden, _ = self.lstm(F.one_hot(text, self.vocabulary).to(self.output.weight.dtype))
        return F.log_softmax(self.output(hidden), dim=-1)


class Port:
    """The training on PyTorch, from the weights and the text of the Lua program before it trains."""

    def __init__(self, sizes: Sizes, step: GModule, text: torch.Tensor) -> None:
        state = {}
        for node in step.ordered_nodes:
            name = node.annotations.get("name", "")
            for kind in ("weight", "bias") if name else ():
                value = getattr(node.module, kind).detach()
                if name == "output":
                    state[f"output.{kind}"] = value
                else:
                    state[f"lstm.{kind}_{name}"] = reorder(value)
        self.model = Model(sizes).to(state["output.weight"])
        self.model.load_state_dict(state)
        self.optimizer = torch.optim.RMSprop(self.model.parameters(), lr=2e-3, alpha=0.95)
        self.text = text.t() - 1

    def train(self, iterations: int) -> float:
        """Train on; returns the last loss, of before its step."""
        loss = math.nan
        for _ in range(iterations):
            self.optimizer.zero_grad()
            prediction = self.model(self.text[:-1])
            wanted = self.text[1:]
            found = F.nll_loss(prediction.flatten(0, 1), wanted.flatten(), reduction="sum") / wanted.shape[1]
            found.backward()
            nn.utils.clip_grad_value_(self.model.parameters(), 5)
            self.optimizer.step()
            loss = found.item() / len(wanted)  # a step's; the gradient is the sum's, as in the program
        return loss


def reorder(gates: torch.Tensor) -> torch.Tensor:
    """From the order of the gates (input, forget, output, new) to nn.LSTM's, whose new comes third."""
    i, f, o, g = gates.chunk(4)
    return torch.cat([i, f, g, o])


def results(quick: bool) -> Iterator[Result]:
    sizes = Sizes(7, 5, 2, 3, 2) if quick else Sizes()
    # Several steps a call: a program does not return to Python between its steps.
    rounds, steps = (1, 1) if quick else (7, 5)
    for dtype, agree in AGREE.items():
        with new_runtime(dtype=dtype) as runtime:
            train = program(runtime, sizes)
            port = Port(sizes, runtime.globals["step"], runtime.globals["text"])
            ours, plain = _measure(train, port.train, rounds, steps)
            # Both have come as far; what they do next must be the same, or the times are not comparable.
            losses = train(1), port.train(1)
            if on_gpu():
                port.model = graphed(port.model, port.text[:-1])
                graphs, _ = _measure(port.train, train, rounds, steps)
        if not math.isclose(*losses, rel_tol=tolerance(agree)):
            raise RuntimeError(f"char_rnn, {dtype}: the two programs have different losses, {losses}")
        yield Result("char_rnn", f"a training step, {dtype}", "ms", ours, plain, target(LIMITS[dtype]))
        if on_gpu():
            yield Result(
                "char_rnn", f"a training step, {dtype} (CUDA graphs)", "ms", ours, graphs, for_scale=True
            )


def _measure(
    ours: Callable[[int], float], plain: Callable[[int], float], rounds: int, steps: int
) -> tuple[float, float]:
    return alternate(partial(ours, steps), partial(plain, steps), rounds, unit=1e-3 * steps, clock=clock)
