"""Layers side by side and other shapes in a sequence as one piece: every module shows what it would step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.rnn.test_fused_sequence import SIZE, assert_same, step_by_step, tensors
from torch7py.nn.activation import Identity, Sigmoid, Tanh
from torch7py.nn.container import ConcatTable, ParallelTable, Sequential
from torch7py.nn.linear import Linear, LookupTable
from torch7py.nn.shape import Reshape, Unsqueeze, View
from torch7py.nn.table import JoinTable
from torch7py.nn.table_math import CAddTable, CMulTable
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.rnn import fused_sequence
from torch7py.rnn.abstract import AbstractRecurrent
from torch7py.rnn.dropout import LazyDropout
from torch7py.rnn.fast_lstm import FastLSTM
from torch7py.rnn.gru import GRU
from torch7py.rnn.masking import MaskZero, TrimZero
from torch7py.rnn.recurrent import Recursor
from torch7py.rnn.sequencer import Sequencer

STEPS, ROWS = 3, 4
Steps = list[Any]


def highway() -> Sequential:
    gate = Sequential(Linear(SIZE, SIZE), Sigmoid())
    return Sequential(ConcatTable(gate, Sequential(Linear(SIZE, SIZE), Tanh())), CMulTable(), Linear(SIZE, 2))


def residual(inner: Any) -> Sequential:
    return Sequential(ConcatTable(Identity(), inner), CAddTable())


ROWS_ALONE: dict[str, Callable[[], Any]] = {
    "a highway": highway,
    "a residual between networks": lambda: Sequential(
        FastLSTM(SIZE, SIZE), residual(Linear(SIZE, SIZE)), FastLSTM(SIZE, 2)
    ),
    "one in the other": lambda: Sequential(
        residual(residual(Sequential(Linear(SIZE, SIZE), Tanh()))), Linear(SIZE, 2)
    ),
    "a residual around a network": lambda: Sequential(residual(FastLSTM(SIZE, SIZE)), Linear(SIZE, 2)),
    "residuals around networks": lambda: Sequential(
        residual(Sequential(FastLSTM(SIZE, 2), Linear(2, SIZE))), Tanh(), residual(GRU(SIZE, SIZE))
    ),
    "networks side by side": lambda: Sequential(
        ConcatTable(
            FastLSTM(SIZE, 2), Sequential(Linear(SIZE, 2), Recursor(residual(Linear(2, 2))), GRU(2, 1))
        ),
        JoinTable(2),
        FastLSTM(3, 2),
    ),
    "in a mask": lambda: MaskZero(Sequential(residual(Linear(SIZE, SIZE)), Linear(SIZE, 2)), 1),
    "in a trim": lambda: TrimZero(Sequential(residual(Linear(SIZE, SIZE)), Linear(SIZE, 2)), 1, True),
    "a trim alone": lambda: TrimZero(Linear(SIZE, 2), 1, True),
    "a mask in it": lambda: residual(MaskZero(Linear(SIZE, SIZE), 1)),
    "shapes": lambda: Sequential(Reshape(SIZE, 1), Tanh(), View(-1, SIZE), Linear(SIZE, 2)),
    "a shape first and last": lambda: Sequential(View(-1, SIZE), Linear(SIZE, 2), Unsqueeze(1)),
}


def numbers() -> Steps:
    steps = torch.randn(STEPS, ROWS, SIZE, dtype=torch.float64)
    steps[:, 1] = 0  # as many rows in each step, for the masks
    return list(steps)


def words() -> Steps:
    return [
        [torch.randint(1, 6, (ROWS,)).double(), torch.randint(1, 4, (ROWS,)).double()] for _ in range(STEPS)
    ]


def pairs() -> Steps:
    return [list(torch.randn(2, ROWS, SIZE).double()) for _ in range(STEPS)]


OF_TABLES: dict[str, tuple[Callable[[], Any], Callable[[], Steps]]] = {
    "words and what they are": (
        lambda: Sequential(
            ParallelTable(LookupTable(5, 2), LookupTable(3, 2)), JoinTable(2), FastLSTM(4, SIZE)
        ),
        words,
    ),
    "a layer each": (
        lambda: Sequential(ParallelTable(Sequential(Linear(SIZE, 2), Tanh()), Linear(SIZE, 2)), CAddTable()),
        pairs,
    ),
    "a network each": (
        lambda: Sequential(
            ParallelTable(
                Sequential(LookupTable(5, 2), FastLSTM(2, 2)), Sequential(LookupTable(3, 2), GRU(2, 1))
            ),
            *(JoinTable(2), Linear(3, 2)),
        ),
        words,
    ),
    "networks alone": (
        lambda: Sequential(ParallelTable(FastLSTM(SIZE, 2), GRU(SIZE, 2)), CAddTable()),
        pairs,
    ),
    "as they are": (
        lambda: Sequential(Identity(), ParallelTable(Identity(), Linear(SIZE, 1)), JoinTable(2)),
        pairs,
    ),
}

ALL = {name: (make, numbers) for name, make in ROWS_ALONE.items()} | OF_TABLES


def shown(model: Any) -> list[torch.Tensor]:
    """The outputs and gradients of all modules inside that have no steps of their own, and of all branches."""
    all_modules = list(model.stepper.step_module.modules())
    inside = {
        part for module in all_modules if isinstance(module, AbstractRecurrent) for part in module.modules()
    }
    branches = (ConcatTable, ParallelTable)
    plain = [
        module
        for module in all_modules
        if inside.isdisjoint(module.modules()) or (isinstance(module, branches) and module not in inside)
    ]
    return [part for module in plain for part in tensors([module.output, module.gradInput])]


@pytest.mark.parametrize("name", ALL)
def test_as_step_by_step(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make, inputs = ALL[name]
    model = Sequencer(make())
    twin, sequences = model.clone(), [inputs() for _ in range(2)]

    def look(model: Any, at_once: bool) -> list[torch.Tensor]:
        found: list[torch.Tensor] = []
        model.zeroGradParameters()
        for x in sequences:
            outputs = model.torch7_forward(x)
            assert (model.__dict__["_run"] is not None) is at_once
            gradient = [torch.cos(2 * output) for output in outputs]
            found += tensors(outputs) + tensors(model.backward(x, gradient)) + shown(model)
            model.updateParameters(0.1)
            model.set_evaluate()
            found += tensors(model.torch7_forward(x))
            model.set_training()
        return found + tensors(list(model.torch7_parameters()[1]))

    assert_same(look(model, True), step_by_step(lambda: look(twin, False), monkeypatch))


@pytest.mark.parametrize("name", ["a residual around a network", "networks side by side"])
def test_what_is_inside_the_steps(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables of the networks by step, and the clones of the steps, are there for who looks at them."""
    model = Sequencer(ROWS_ALONE[name]())
    twin, x = model.clone(), numbers()

    def look(model: Any) -> list[torch.Tensor]:
        model.zeroGradParameters()
        outputs = model.torch7_forward(x)
        model.backward(x, [torch.cos(output) for output in outputs])
        found: list[torch.Tensor] = []
        networks = [
            part for part in model.stepper.step_module.modules() if isinstance(part, AbstractRecurrent)
        ]
        for network in networks:
            found += tensors([network.output, network.gradInput])
            by_step = network.get_field("gradInputs")
            found += tensors([by_step[step] for step in range(1, STEPS + 1)])
        clones = model.stepper.get_field("sharedClones")
        for step in range(1, STEPS + 1):
            found += [
                part
                for m in clones[step].modules()
                if type(m) is Linear
                for part in tensors([m.get_field("output")])
            ]
        model.torch7_forward(x)
        model.torch7_forward(x)
        return found + tensors(model.output)

    assert_same(look(model), step_by_step(lambda: look(twin), monkeypatch))


def test_random_masks_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are drawn in the order in which a step goes through the branches."""
    model = Sequencer(
        Sequential(
            ConcatTable(Sequential(LazyDropout(0.5), Linear(SIZE, 2)), LazyDropout(0.2)),
            *(JoinTable(2), LazyDropout(0.4)),
        )
    )
    twin, x = model.clone(), numbers()

    def look(model: Any) -> list[torch.Tensor]:
        state.current().generator.manual_seed(3)
        return [part for _ in range(3) for part in tensors(model.torch7_forward(x))]

    assert_same(look(model), step_by_step(lambda: look(twin), monkeypatch))
    assert model.__dict__["_run"] is not None


def test_against_autograd() -> None:
    model = Sequencer(highway())
    x = torch.randn(STEPS, ROWS, SIZE, dtype=torch.float64, requires_grad=True)
    with torch.enable_grad():
        wanted = model(x)
        gradient = torch.randn_like(wanted)
        of_x, *of_weights = torch.autograd.grad(wanted, [x, *model.parameters()], gradient)
    model.zeroGradParameters()
    torch.testing.assert_close(model.torch7_forward(x.detach()), wanted.detach())
    assert model.__dict__["_run"] is not None
    torch.testing.assert_close(model.backward(x.detach(), gradient), of_x)
    for ours, theirs in zip(model.torch7_parameters()[1], of_weights, strict=True):
        torch.testing.assert_close(ours, theirs)


STEP_BY_STEP: dict[str, tuple[Callable[[], Any], Callable[[], Steps]]] = {
    "a network in it, in a mask": (lambda: MaskZero(residual(FastLSTM(SIZE, SIZE)), 1), numbers),
    "random masks in it, in a trim": (lambda: TrimZero(residual(LazyDropout(0.5)), 1, True), numbers),
    "tables as outputs": (lambda: ConcatTable(Linear(SIZE, 2), Identity()), numbers),
    "only handed on": (lambda: Sequential(Identity(), Identity()), numbers),
    "a table in a mask": (
        lambda: MaskZero(Sequential(ParallelTable(Identity(), Linear(SIZE, SIZE)), CAddTable()), 1),
        pairs,
    ),
    "more entries than modules": (lambda: Sequential(ParallelTable(Linear(SIZE, 2)), JoinTable(2)), pairs),
}


@pytest.mark.parametrize("name", STEP_BY_STEP)
def test_what_is_done_step_by_step(name: str) -> None:
    make, inputs = STEP_BY_STEP[name]
    model = Sequencer(make())
    model.torch7_forward(inputs())
    assert model.__dict__["_run"] is None


def test_what_is_only_handed_on_is_the_input() -> None:
    x = numbers()
    outputs = Sequencer(Identity()).torch7_forward(x)
    assert all(output.data_ptr() == step.data_ptr() for output, step in zip(outputs, x, strict=True))


def test_a_step_of_another_shape_is_an_error() -> None:
    """The first step decides: all others have its size, or the sequence is not one piece."""
    model = Sequencer(View(2, 2))
    with pytest.raises(TorchError, match="cannot view"):
        model.torch7_forward([torch.zeros(3).double() for _ in range(STEPS)])
    assert fused_sequence.start(model.stepper, [torch.zeros(4).double(), torch.zeros(2, 4).double()]) is None
