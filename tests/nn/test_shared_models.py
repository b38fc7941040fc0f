"""Models whose batches are shared without the program saying so: which are, and what is said of the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.fake_group import FakeGroup, in_processes
from tests.nn.test_data_parallel import MODELS, assert_equal, copied, like, seeded
from torch7py.nn.activation import Tanh
from torch7py.nn.base import Module
from torch7py.nn.container import Sequential
from torch7py.nn.linear import Linear
from torch7py.nn.normalization import BatchNormalization
from torch7py.nn.reduce import Sum
from torch7py.nn.shared_models import SharedModels
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.ops.random import normal_
from torch7py.rnn.seq_lstm import SeqLSTM

T = torch.Tensor
METHODS = {"forward": "torch7_forward"}


class Caller:
    """Calls a model as a program does, through ``SharedModels`` where there is a group."""

    def __init__(self, group: FakeGroup | None) -> None:
        self.told: list[str] = []
        self.shared = None if group is None else SharedModels(group, self.told.append)
        self.seen: list[int] = []

    def __call__(self, name: str, module: Module, *arguments: Any) -> Any:
        def plain(values: list[Any]) -> Any:
            first = values[0]
            while isinstance(first, list):
                first = first[0]
            self.seen.append(first.shape[0])
            return getattr(module, METHODS.get(name, name))(*values)

        if self.shared is None:
            return plain(list(arguments))
        return self.shared.call(name, module, list(arguments), plain)


def steps(call: Caller, model: Module, inputs: Callable[[int], Any]) -> list[Any]:
    found: list[Any] = []
    for n in (4, 5, 1, 3):
        x = inputs(n)
        model.zeroGradParameters()
        output = copied(call("forward", model, x))
        found += [output, copied(call("backward", model, x, like(output)))]
        found += copied(model.parameter_pairs()[1])
        model.updateParameters(0.1)
    return found


SEQUENCE: tuple[Callable[[], Module], Callable[[int], Any]] = (
    lambda: Sequential(SeqLSTM(3, 4), Tanh()),
    lambda n: normal_(torch.empty(3, n, 3).double()),
)


@pytest.mark.parametrize("name", [*MODELS, "sequence"])
def test_a_model_of_examples_is_shared(name: str) -> None:
    """Along the first dimension, or the second one where the first is time."""
    make, inputs = MODELS.get(name, SEQUENCE)
    with state.use(seeded()):
        expected = steps(Caller(None), make(), inputs)

    def run(group: FakeGroup) -> tuple[list[Any], Caller]:
        call = Caller(group)
        return steps(call, make(), inputs), call

    for found, call in in_processes(2, run):
        assert_equal(found, expected)
        assert call.told == []


@pytest.mark.parametrize(
    ("make", "input", "reason"),
    [
        (lambda: BatchNormalization(3), torch.ones(4, 3).double().cumsum(0), "depends on the others"),
        (lambda: Sum(1), torch.ones(4, 3).double(), "no dimension 1 that goes by its input's"),
        (lambda: Linear(4, 2), torch.ones(4).double(), "does not take a part of its input"),
        (lambda: Sequential(Tanh()), [torch.ones(2).double(), 3], "no tensor or table of tensors"),
    ],
)
def test_a_model_that_is_not_says_why(make: Callable[[], Module], input: Any, reason: str) -> None:
    def run(group: FakeGroup) -> list[str]:
        call = Caller(group)
        model = make()
        for _ in range(2):
            if "no tensor" not in reason:
                assert_equal(copied(call("forward", model, input)), copied(model.clone().updateOutput(input)))
        if "no tensor" in reason:
            assert call.shared is not None
            assert call.shared._axis(model, input) is None
        return call.told

    for (told,) in in_processes(2, run):
        assert reason in told
        assert "every process computes the whole nn." in told


def test_methods_that_move_parameters_at_once_are_refused() -> None:
    def run(group: FakeGroup) -> None:
        Caller(group)("accUpdateGradParameters", Linear(2, 2), torch.ones(4, 2), torch.ones(4, 2), 0.1)

    with pytest.raises(TorchError, match=r"do not share accUpdateGradParameters \(--data-parallel\)"):
        in_processes(2, run)
