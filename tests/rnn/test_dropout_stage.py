"""Dropout over a sequence as one piece: the masks that the steps one by one would draw, from the same stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.rnn.test_fused_sequence import SIZE, assert_same, step_by_step, tensors
from torch7py.nn.activation import Tanh
from torch7py.nn.container import Sequential
from torch7py.nn.dropout import Dropout
from torch7py.nn.linear import Linear
from torch7py.nn.shape import Reshape
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.rnn.dropout import LazyDropout
from torch7py.rnn.fast_lstm import FastLSTM
from torch7py.rnn.gru import GRU
from torch7py.rnn.masking import MaskZero
from torch7py.rnn.sequencer import Sequencer

STEPS = 4

# One that draws is done at once from the first sequence on, several from the second on.
MODELS: dict[str, tuple[int, Callable[[], Any]]] = {
    "alone": (0, lambda: LazyDropout(0.4)),
    "nn's own": (0, lambda: Sequential(Dropout(0.4), Tanh())),
    "between networks": (0, lambda: Sequential(FastLSTM(SIZE, 4), LazyDropout(0.3), GRU(4, SIZE))),
    "without a scale": (0, lambda: Sequential(Linear(SIZE, SIZE), LazyDropout(0.3, True))),
    "one for all examples": (0, lambda: LazyDropout(0.4, False, None, False, True)),
    "of nothing": (0, lambda: Sequential(LazyDropout(0), Linear(SIZE, SIZE))),
    "in evaluation too": (0, lambda: Dropout(0.4, False, None, True)),
    "in a mask": (0, lambda: MaskZero(Sequential(Linear(SIZE, SIZE), LazyDropout(0.5)), 1)),
    "two": (1, lambda: Sequential(LazyDropout(0.2), FastLSTM(SIZE, 4), LazyDropout(0.6), Linear(4, SIZE))),
    "three of two sorts": (
        1,
        lambda: Sequential(
            Dropout(0.2), LazyDropout(0.4, False, None, False, True), Linear(SIZE, 2), Dropout(0.7)
        ),
    ),
}


def sequences(batch: tuple[int, ...]) -> list[torch.Tensor]:
    made = torch.randn(3, STEPS, *batch, SIZE, dtype=torch.float64)
    made[:, 1] = 0
    if batch:
        made[:, 2, 0] = 0
    return list(made)


def seeded(look: Callable[[], list[torch.Tensor]]) -> tuple[list[torch.Tensor], bytes]:
    generator = state.current().generator
    generator.manual_seed(7)
    return look(), generator.get_state()


def noises(model: Any) -> list[torch.Tensor]:
    return [part.noise.clone() for part in model.modules() if isinstance(part, Dropout)]


@pytest.mark.parametrize("as_table", [True, False])
@pytest.mark.parametrize("batch", [(), (1,), (3,)])
@pytest.mark.parametrize("name", MODELS)
def test_as_step_by_step(
    name: str, batch: tuple[int, ...], as_table: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, make = MODELS[name]
    model = Sequencer(make())
    twin, inputs = model.clone(), sequences(batch)

    def look(model: Any, at_once: bool) -> list[torch.Tensor]:
        found: list[torch.Tensor] = []
        model.zeroGradParameters()
        for number, sequence in enumerate(inputs):
            x = list(sequence) if as_table else sequence
            if number == 1:
                model.set_evaluate()
                found += tensors(model.torch7_forward(x))
                assert (model.__dict__["_run"] is not None) is at_once
                model.set_training()
            outputs = model.torch7_forward(x)
            assert (model.__dict__["_run"] is not None) is (at_once and number >= first)
            found += tensors(outputs) + noises(model)
            gradient = [torch.sin(3 * output) for output in outputs]
            found += tensors(model.backward(x, gradient if as_table else torch.stack(gradient)))
            found += tensors([part.gradInput for part in model.modules() if isinstance(part, Dropout)])
        return found + tensors(list((model.torch7_parameters() or [[], []])[1]))

    reference, after = step_by_step(lambda: seeded(lambda: look(twin, False)), monkeypatch)
    found, drawn = seeded(lambda: look(model, True))
    assert_same(found, reference)
    assert drawn == after


def test_masks_are_kept_and_scaled() -> None:
    model = Sequencer(LazyDropout(0.25))
    x = torch.ones(STEPS, 50, 40, dtype=torch.float64)
    output = model.torch7_forward(x)
    assert model.__dict__["_run"] is not None
    kept = output != 0
    assert abs(float(kept.double().mean()) - 0.75) < 0.02
    torch.testing.assert_close(output[kept], torch.full_like(output[kept], 4 / 3))
    assert not torch.equal(kept[0], kept[1])
    torch.testing.assert_close(model.backward(x, torch.ones_like(x)), output)


def test_other_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A last batch that is smaller, and then inputs that have nothing to do with the last ones."""
    model = Sequencer(Sequential(LazyDropout(0.2), Tanh(), LazyDropout(0.5)))
    twin = model.clone()
    inputs = [
        torch.randn(STEPS, rows, size).double() for rows, size in ((5, SIZE), (2, SIZE), (2, 7), (4, 7))
    ]

    def look(model: Any) -> list[torch.Tensor]:
        return [part for x in inputs for part in [*tensors(model.torch7_forward(x)), *noises(model)]]

    reference = step_by_step(lambda: seeded(lambda: look(twin)), monkeypatch)
    found = seeded(lambda: look(model))
    assert_same(found[0], reference[0])
    assert found[1] == reference[1]
    assert model.__dict__["_run"] is not None


def test_steps_that_are_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clones of the steps have the masks that were used, and the stream goes on as if nobody had looked."""
    model = Sequencer(Sequential(FastLSTM(SIZE, SIZE), LazyDropout(0.5)))
    twin, x = model.clone(), torch.randn(STEPS, 2, SIZE).double()

    def look(model: Any) -> list[torch.Tensor]:
        found = tensors(model.torch7_forward(x))
        clones = model.stepper.get_field("sharedClones")
        for step in range(1, STEPS + 1):
            found += tensors(clones[step].get_field("output")) + noises(clones[step])
        return found + tensors(model.torch7_forward(x))

    reference = step_by_step(lambda: seeded(lambda: look(twin)), monkeypatch)
    found = seeded(lambda: look(model))
    assert_same(found[0], reference[0])
    assert found[1] == reference[1]


def test_a_backward_that_must_go_step_by_step() -> None:
    """With a gradient that does not fit as one piece: the masks are the forward's."""
    model = Sequencer(Sequential(Linear(SIZE, 2), LazyDropout(0.5), Reshape(2)))
    generator = state.current().generator
    x = torch.randn(STEPS, 2, SIZE).double()
    outputs = [output.clone() for output in model.torch7_forward(list(x))]
    before = generator.get_state()
    model.backward(
        list(x), [torch.ones(2, 2).double().t() if n else torch.ones(4).double() for n in range(STEPS)]
    )
    assert model.__dict__["_run"] is None
    assert generator.get_state() == before
    weight = model.torch7_parameters()[0][0]
    for step, output in zip(model.gradInput, outputs, strict=True):
        mask = (output != 0) * 2.0
        torch.testing.assert_close(step, mask.to(weight.dtype) @ weight.data)


def test_an_error_in_a_later_layer() -> None:
    """What cannot be done at once after all is done with the same stream."""
    model, wrong = Sequencer(LazyDropout(0.5)), Sequencer(Sequential(LazyDropout(0.5), Linear(SIZE + 1, 2)))
    x = torch.randn(STEPS, 2, SIZE).double()
    with pytest.raises(TorchError, match="Linear"):
        wrong.torch7_forward(x)
    found, _ = seeded(lambda: tensors(model.torch7_forward(x)))
    again, _ = seeded(lambda: tensors(model.torch7_forward(x)))
    assert_same(found, again, 0)
