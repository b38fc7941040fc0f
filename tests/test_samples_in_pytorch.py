"""Samples beside the same training in plain PyTorch, from the same initial weights and data: the same losses.

A sample that is told to make no iterations leaves its untrained model and its data in its globals. Everything that
happens next is written here a second time, with nothing of torch7py, and must give the losses that the sample
prints (``golden/samples``, to which ``test_samples.py`` holds it).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from tests.inner_runtime import InnerRuntime as Runtime

SAMPLES = Path(__file__).parents[1] / "lua_samples"
GOLDEN = Path(__file__).parent / "golden" / "samples"

Globals = Callable[..., list[Any]]
Losses = dict[int, float]


@pytest.fixture
def untrained(capfd: pytest.CaptureFixture[str]) -> Iterator[Globals]:
    """Runs a sample for no iterations and gives what it has in the named globals."""
    runtime = Runtime()

    def start(name: str, *wanted: str) -> list[Any]:
        runtime.run(SAMPLES / f"{name}.lua", ["0"])
        return [runtime.globals[key] for key in wanted]

    yield start
    runtime.close()
    capfd.readouterr()


def printed(name: str) -> Losses:
    """Iteration -> loss, as the sample prints them."""
    lines = re.findall(r"^\w+ (\d+): loss (\S+)", (GOLDEN / f"{name}.txt").read_text(), re.MULTILINE)
    assert len(lines) >= 4
    return {int(iteration): float(loss) for iteration, loss in lines}


def assert_printed(name: str, losses: list[float]) -> None:
    """The losses of iterations 1, 2, ... are the ones that the sample prints of some of them."""
    expected = printed(name)
    assert {i: losses[i - 1] for i in expected} == pytest.approx(expected, rel=1e-9)


def with_weights_of(model: nn.Module, *layers: nn.Module) -> Any:
    """Plain layers, in double, with the values of the model's parameters in order."""
    own = [p for layer in layers for p in layer.double().parameters()]
    given = list(model.parameters())
    with torch.no_grad():
        for mine, theirs in zip(own, given, strict=True):
            mine.copy_(theirs)
    return layers[0] if len(layers) == 1 else layers


def test_mlp_sgd(untrained):
    model, points, classes, batch = untrained("mlp_sgd", "model", "points", "classes", "batchSize")
    net = with_weights_of(model, nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2)))
    # Torch7's dampening is by default the momentum.
    sgd = torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.9, dampening=0.9, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.LambdaLR(sgd, lambda step: 1 / (1 + 1e-3 * step))
    losses = []
    for _ in range(50):
        total = 0.0
        for x, y in zip(points.split(batch), (classes.long() - 1).split(batch), strict=True):
            sgd.zero_grad()
            loss = functional.cross_entropy(net(x), y)
            torch.autograd.backward(loss)
            sgd.step()
            schedule.step()
            total += loss.item() * batch
        losses.append(total / len(points))
    assert_printed("mlp_sgd", losses)


def test_char_rnn(untrained):
    cell, decoder, text, rows, steps = untrained("char_rnn", "cell", "decoder", "text", "rows", "steps")
    letters = list(dict.fromkeys(text))
    numbers = torch.tensor([letters.index(letter) for letter in text])
    table, feedback = with_weights_of(cell, nn.Embedding(len(letters), 32), nn.Linear(32, 32))
    out = with_weights_of(decoder, nn.Linear(32, len(letters)))
    weights = [p for layer in (table, feedback, out) for p in layer.parameters()]
    rmsprop = torch.optim.RMSprop(weights, lr=0.01, alpha=0.95, eps=1e-8)

    def batch(position: int) -> torch.Tensor:
        starts = torch.arange(1, rows + 1) * len(text) // rows
        return numbers[(position + starts) % len(text)]

    h, losses = torch.zeros(rows, 32, dtype=torch.float64), []
    for position in range(0, 90 * steps, steps):
        total, h = torch.zeros((), dtype=torch.float64), h.detach()
        for t in range(position, position + steps):
            h = torch.tanh(table(batch(t)) + feedback(h))
            total = total + functional.cross_entropy(out(h), batch(t + 1))
        rmsprop.zero_grad()
        torch.autograd.backward(total)
        nn.utils.clip_grad_value_(weights, 5)
        rmsprop.step()
        losses.append(total.item() / steps)
    assert_printed("char_rnn", losses)


class TwoBranch(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(3, 8), nn.Embedding(4, 8)
        self.inner, self.last = nn.Linear(16, 16), nn.Linear(16, 1)

    def forward(self, measurements: torch.Tensor, categories: torch.Tensor) -> torch.Tensor:
        joined = torch.cat([self.left(measurements).tanh(), self.right(categories)], dim=1)
        result: torch.Tensor = self.last(joined + self.inner(joined).tanh())
        return result


def test_two_branch(untrained):
    model, measurements, categories, y = untrained("two_branch", "model", "measurements", "categories", "y")
    net = with_weights_of(model, TwoBranch())
    sgd = torch.optim.SGD(net.parameters(), lr=0.05)
    losses = []
    for _ in range(1200):
        sgd.zero_grad()
        loss = functional.mse_loss(net(measurements, categories.long() - 1), y)
        torch.autograd.backward(loss)
        sgd.step()
        losses.append(loss.item())
    assert_printed("two_branch", losses)


def test_adam_autoencoder(untrained):
    model, patterns = untrained("adam_autoencoder", "model", "patterns")
    net = with_weights_of(model, nn.Sequential(nn.Linear(8, 3), nn.Sigmoid(), nn.Linear(3, 8), nn.Sigmoid()))
    # Adam by its formulas: Torch7 adds its epsilon before the bias of v is corrected, torch.optim.Adam after.
    weights = list(net.parameters())
    m, v = [torch.zeros_like(p) for p in weights], [torch.zeros_like(p) for p in weights]
    losses = []
    for t in range(1, 501):
        output = net(patterns)
        # The original keeps the logarithms finite in this way.
        loss = -((output + 1e-12).log() * patterns + (1 - output + 1e-12).log() * (1 - patterns)).mean()
        gradients = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            for p, g, first, second in zip(weights, gradients, m, v, strict=True):
                first.mul_(0.9).add_(0.1 * g)
                second.mul_(0.999).add_(0.001 * g * g)
                rate = 0.1 * (1 - 0.999**t) ** 0.5 / (1 - 0.9**t)
                p -= rate * first / (second.sqrt() + 1e-8)
        losses.append(loss.item())
    assert_printed("adam_autoencoder", losses)


def test_batchnorm_classifier(untrained):
    model, x, classes, check, checked, n, batch = untrained(
        "batchnorm_classifier", "model", "x", "classes", "checkX", "checkClasses", "n", "batchSize"
    )
    net = with_weights_of(
        model,
        nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 10), nn.BatchNorm1d(10), nn.ReLU(), nn.Linear(10, 3)),
    )
    sgd = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    losses = []
    for _ in range(20):
        total = 0.0
        for inputs, targets in zip(x.split(batch), (classes.long() - 1).split(batch), strict=True):
            sgd.zero_grad()
            loss = functional.cross_entropy(net(inputs), targets)
            torch.autograd.backward(loss)
            sgd.step()
            total += loss.item() * batch / n
        losses.append(total)
    assert_printed("batchnorm_classifier", losses)

    net.eval()
    counts = torch.zeros(3, 3, dtype=torch.int64)
    for target, guess in zip(checked.long() - 1, net(check).argmax(1), strict=True):
        counts[target, guess] += 1
    rows = re.findall(r"\[+ +(\d+) +(\d+) +(\d+)\]+ ", (GOLDEN / "batchnorm_classifier.txt").read_text())
    assert [[int(count) for count in row] for row in rows] == counts.tolist()


def test_lua_layer(untrained):
    model, x, y = untrained("lua_layer", "model", "x", "y")
    first, last = nn.Linear(2, 6).double(), nn.Linear(6, 1).double()
    slope = torch.ones(6, dtype=torch.float64, requires_grad=True)
    with torch.no_grad():
        for mine, theirs in ((first, model[0]), (last, model[2])):
            mine.weight.copy_(theirs.weight)
            mine.bias.copy_(theirs.bias)
    weights = [*first.parameters(), slope, *last.parameters()]
    sgd = torch.optim.SGD(weights, lr=0.1)
    losses = []
    for _ in range(300):
        inner = first(x)
        loss = functional.mse_loss(last(inner * torch.sigmoid(slope * inner)), y)
        sgd.zero_grad()
        torch.autograd.backward(loss)
        sgd.step()
        losses.append(loss.item())
    assert_printed("lua_layer", losses)
