"""In float on the CPU a whole LSTM is one call of oneDNN: against torch.nn.LSTM in double, against the steps one by one
in float and in double, and where it does not apply."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rnn.test_fused_sequence import passes, step_by_step, tensors
from torch7py.bridge.runtime import Runtime
from torch7py.nn.container import Sequential
from torch7py.nn.linear import Linear
from torch7py.ops.errors import TorchError
from torch7py.rnn import onednn
from torch7py.rnn.fast_lstm import FastLSTM
from torch7py.rnn.gru import GRU
from torch7py.rnn.lstm import LSTM
from torch7py.rnn.seq_lstm import SeqLSTM
from torch7py.rnn.sequencer import Sequencer

pytestmark = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason="this PyTorch is built without oneDNN"
)

SIZE = 3
LAYERS: dict[str, Callable[[int, int], Any]] = {
    "FastLSTM": lambda n, m: FastLSTM(n, m),
    "LSTM without peepholes": lambda n, m: LSTM(n, m, None, False),
    "FastLSTM, masked": lambda n, m: FastLSTM(n, m).maskZero(1),
    "FastLSTM, trimmed": lambda n, m: FastLSTM(n, m).trimZero(1),
    "Linear": lambda n, m: Linear(n, m),
}
LSTMS = ("FastLSTM", "LSTM without peepholes")


def assert_near(ours: list[torch.Tensor], reference: list[torch.Tensor], tolerance: float = 1e-5) -> None:
    """Equal to 1e-5 of the tensor's largest, or of 1 where that is less."""
    assert len(ours) == len(reference)
    for a, b in zip(ours, reference, strict=True):
        assert a.shape == b.shape
        scale = max(1.0, float(b.detach().abs().max())) if b.numel() else 1.0
        torch.testing.assert_close(a.double(), b.detach().double(), rtol=0, atol=tolerance * scale)


@pytest.fixture(autouse=True)
def steps_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lua runs no list of instructions in the place of what is tested here."""
    monkeypatch.setenv("TORCH7PY_SMALL_STEPS", "0")


class Counter:
    """How many sequences the kernel has done, forward and back."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.forward = self.backward = 0
        counter = self

        class Counted(onednn.LSTM):
            def __init__(self, *arguments: Any) -> None:
                counter.forward += 1
                super().__init__(*arguments)

            def backward(self, *arguments: Any) -> Any:
                counter.backward += 1
                return super().backward(*arguments)

        patch.setattr(onednn, "LSTM", Counted)


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Counter:
    return Counter(monkeypatch)


def single(module: Any) -> Any:
    module.torch7_float()
    return module


def without_kernel(run: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """What ``run`` gives when the kernel is not there."""
    with monkeypatch.context() as patch:
        patch.setattr(onednn, "fits", lambda *given: False)
        return run()


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float32)


def test_the_kernel_is_torch_nn_lstm_in_double() -> None:
    torch.manual_seed(1)
    reference = torch.nn.LSTM(4, 5).double()
    x, first = random(6, 3, 4), [random(3, 5), random(3, 5)]
    gradient, of_last = random(6, 3, 5), [random(3, 5), random(3, 5)]
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    of_input, of_output, one, other = (reference.get_parameter(name).data.float() for name in names)
    parameters = [of_input, of_output, one + other]
    ours = onednn.LSTM(x, first, parameters, True)
    leaves = [part.double().requires_grad_() for part in (x, *first)]
    output, last = reference(leaves[0], (leaves[1].unsqueeze(0), leaves[2].unsqueeze(0)))
    assert_near([ours.output, ours.last, ours.cell], [output, last[0][0], last[1][0]], 1e-6)
    torch.autograd.backward(
        [output, *last], [gradient.double(), *(part.double().unsqueeze(0) for part in of_last)]
    )
    of_x, of_first, of_parameters = ours.backward(x, gradient, of_last, parameters)
    wanted = [leaf.grad for leaf in leaves] + [reference.get_parameter(name).grad for name in names[:3]]
    assert_near([of_x, *of_first, *of_parameters], [part for part in wanted if part is not None], 1e-6)


SETTINGS = st.fixed_dictionaries(
    {
        "layers": st.lists(st.sampled_from(list(LAYERS)), min_size=1, max_size=2),
        "sizes": st.lists(st.integers(1, 5), min_size=3, max_size=3),
        "lengths": st.lists(st.integers(2, 5), min_size=1, max_size=3),
        "batch": st.sampled_from([None, 1, 4]),
        "as_table": st.booleans(),
        "zeros": st.sampled_from([0, 0, 0.4]),
        "remember": st.sampled_from(["neither", "both", "train", "eval"]),
        "seed": st.integers(0, 1000),
    }
)


@settings(max_examples=30)
@given(setting=SETTINGS)
def test_random_models(setting: dict[str, Any]) -> None:
    layers, size = [], setting["sizes"][0]
    for name, wanted in zip(setting["layers"], setting["sizes"][1:], strict=False):
        layers.append(LAYERS[name](size, wanted))
        size = wanted
    model = Sequencer(Sequential(*layers))
    model.remember(setting["remember"])
    twin, double = single(model.clone()), model.clone()
    for one, other in zip(twin.torch7_parameters()[0], double.torch7_parameters()[0], strict=True):
        other.data.copy_(one.data)
    single(model)
    draw = torch.Generator().manual_seed(setting["seed"])
    batch = () if setting["batch"] is None else (setting["batch"],)

    def sequences(shape: tuple[int, ...]) -> list[torch.Tensor]:
        made = [torch.randn(length, *shape, generator=draw) for length in setting["lengths"]]
        for sequence in made:
            sequence[torch.rand(sequence.shape[:-1], generator=draw) < setting["zeros"]] = 0
        return made

    def given_as(sequences: list[torch.Tensor]) -> list[Any]:
        return [list(sequence) for sequence in sequences] if setting["as_table"] else list(sequences)

    inputs, gradients = sequences((*batch, setting["sizes"][0])), sequences((*batch, size))
    with pytest.MonkeyPatch.context() as monkeypatch:
        reference = step_by_step(
            lambda: passes(twin, given_as(inputs), given_as(gradients), False), monkeypatch
        )
    wide, back = (given_as([part.double() for part in parts]) for parts in (inputs, gradients))
    exact = passes(double, wide, back, True)
    with pytest.MonkeyPatch.context() as monkeypatch:
        counter = Counter(monkeypatch)
        ours = passes(model, given_as(inputs), given_as(gradients), True)
    whole = sum(name in LSTMS for name in setting["layers"]) * len(inputs)
    assert min(counter.forward, counter.backward) >= whole
    assert_near(ours, reference)
    assert_near(ours, exact)


def look(model: Any, x: Any, change: Callable[[Any], None] | None = None) -> list[torch.Tensor]:
    """Outputs, gradients, and what the module shows of the steps inside."""
    model.zeroGradParameters()
    found = tensors(model.torch7_forward(x))
    if change is not None:
        change(model)
    found += tensors(model.backward(x, x))
    inner = model.stepper
    found += tensors([g for g in model.torch7_parameters()[1] if g is not None])
    found += tensors(
        [inner.getHiddenState(2), inner.getHiddenState(inner.step - 1), inner.getGradHiddenState(0)]
    )
    for name in ("cells", "gradCells", "gradInputs"):
        found += by_step(inner, name)
    return found


def by_step(module: Any, name: str) -> list[torch.Tensor]:
    return [tensor.clone() for _, tensor in sorted(module.get_field(name).items())]


def scale_weights(model: Any) -> None:
    for parameter in model.torch7_parameters()[0]:
        parameter.data.mul_(1.5)


def write_to_outputs(model: Any) -> None:
    model.output[1].mul_(2)


# What a script does between forward and backward; whether it has tables; how often the kernel then goes back.
# An LSTM, in the original, has copies of its outputs.
CHANGES: dict[str, tuple[Callable[[Any], None] | None, bool, int]] = {
    "nothing": (None, True, 1),
    "weights": (scale_weights, False, 1),
    "outputs": (write_to_outputs, True, 0),
    "outputs that are copies": (write_to_outputs, False, 1),
    "a gradient of the last state": (
        lambda model: model.stepper.setGradHiddenState(4, [torch.ones(2, SIZE), torch.ones(2, SIZE)]),
        False,
        1,
    ),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", LSTMS)
def test_what_is_between_forward_and_backward(
    name: str, change: str, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, steps = single(Sequencer(LAYERS[name](SIZE, SIZE))), random(4, 2, SIZE)
    twin, (between, as_table, backward) = model.clone(), CHANGES[change]
    x = list(steps) if as_table else steps
    ours = look(model, x, between)
    assert (counter.forward, counter.backward) == (1, 1 if name.startswith("LSTM") else backward)
    assert_near(ours, step_by_step(lambda: look(twin, x, between), monkeypatch))


def test_an_input_that_was_written_to(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights' gradients are of the input as it is by then, with the gates as they were."""
    x = random(4, 2, SIZE)
    model, first = single(Sequencer(FastLSTM(SIZE, SIZE))), x.clone()
    twin = model.clone()

    def change(model: Any) -> None:
        x[2].add_(1)

    ours = look(model, x, change)
    x.copy_(first)
    assert (counter.forward, counter.backward) == (1, 0)
    assert_near(ours, step_by_step(lambda: look(twin, x, change), monkeypatch))


def test_cells_are_those_of_the_forward_after_everything_has_changed() -> None:
    model, x = single(Sequencer(FastLSTM(SIZE, SIZE))), random(4, 2, SIZE)
    twin, once = model.clone().double(), x.double()
    model.torch7_forward(x)
    twin.torch7_forward(once)
    model.backward(x, x)
    scale_weights(model)
    x.zero_()
    for one, other in ((model, twin), (model.clone(), twin.clone())):
        assert_near(by_step(one.stepper, "cells"), by_step(other.stepper, "cells"))


def test_gradients_inside_after_gradOutput_has_changed() -> None:
    model, x, gradient = single(Sequencer(FastLSTM(SIZE, SIZE))), random(4, 2, SIZE), random(4, 2, SIZE)
    for change, error in ((1, None), (2, "not known any more")):
        model.torch7_forward(x)
        model.backward(x, gradient)
        gradient.mul_(change)
        if error is None:
            assert len(model.stepper.get_field("gradCells")) == 4
        else:
            with pytest.raises(TorchError, match=error):
                model.stepper.get_field("gradCells")


def test_a_clone_has_the_cells(counter: Counter) -> None:
    model, x = single(Sequencer(FastLSTM(SIZE, SIZE))), random(4, 2, SIZE)
    model.torch7_forward(x)
    clone = model.clone()
    assert counter.forward == 1
    ours = list(clone.stepper.__dict__["cells"].values())
    assert_near(ours, by_step(model.stepper, "cells"), 0)
    assert len(ours) == 4


def test_a_state_that_goes_on(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """With remember the steps are counted on; the cells of the last sequence's end are still found."""
    model, sequences = single(Sequencer(FastLSTM(SIZE, SIZE))), [random(4, 2, SIZE) for _ in range(3)]
    model.remember("both")
    twin = model.clone()

    def run(model: Any) -> list[torch.Tensor]:
        found: list[torch.Tensor] = []
        for number, x in enumerate(sequences):
            found += tensors(model.torch7_forward(x))
            first = 4 * number
            found += tensors([model.stepper.getHiddenState(step) for step in (first + 1, first + 4)])
            found += tensors(model.backward(x, x))
            found += by_step(model.stepper, "cells")
        return found

    ours = run(model)
    assert counter.backward == 3
    assert_near(ours, step_by_step(lambda: run(twin), monkeypatch))


def test_a_state_of_the_script_and_a_cell_put_in(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    module = FastLSTM(SIZE, SIZE)
    for field in ("userPrevOutput", "userPrevCell"):
        module.set_field(field, torch.randn(2, SIZE, dtype=torch.float64))
    model, x, cell = single(Sequencer(module)), random(4, 2, SIZE), random(2, SIZE)
    twin = model.clone()

    def run(model: Any) -> list[torch.Tensor]:
        model.torch7_forward(x)
        model.stepper.setHiddenState(2, [cell, cell])
        found = tensors([model.stepper.getHiddenState(step) for step in (1, 2, 3)])
        return found + look(model, x)

    ours = run(model)
    assert counter.backward == 1
    assert_near(ours, step_by_step(lambda: run(twin), monkeypatch))


def test_evaluation(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = single(Sequencer(FastLSTM(SIZE, SIZE))), random(4, 2, SIZE)
    model.remember("both")
    model.set_evaluate()
    twin = model.clone()

    def run(model: Any) -> list[torch.Tensor]:
        found = tensors([model.torch7_forward(x), model.torch7_forward(x)])
        return found + tensors([model.stepper.getHiddenState(model.stepper.step - 1)])

    ours = run(model)
    assert counter.forward == 2
    assert_near(ours, step_by_step(lambda: run(twin), monkeypatch))


def test_halves_of_a_backward(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second with another gradient, which is not looked at again."""
    model, x, gradients = single(Sequencer(FastLSTM(SIZE, SIZE))), random(4, 2, SIZE), random(2, 4, 2, SIZE)
    twin = model.clone()

    def run(model: Any) -> list[torch.Tensor]:
        model.zeroGradParameters()
        model.torch7_forward(x)
        found = tensors(model.updateGradInput(x, gradients[0]))
        model.accGradParameters(x, gradients[1], 0.5)
        return found + tensors(model.torch7_parameters()[1])

    ours = run(model)
    assert counter.backward == 1
    assert_near(ours, without_kernel(lambda: run(twin), monkeypatch))


def test_a_part_of_a_sequence_goes_back_step_by_step(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last steps alone, called by the script on the module inside."""
    model, x = single(Sequencer(FastLSTM(SIZE, SIZE))), random(4, 2, SIZE)
    twin = model.clone()

    def run(model: Any) -> list[torch.Tensor]:
        model.zeroGradParameters()
        model.torch7_forward(x)
        found = [model.stepper.backward(x[step], x[step]).clone() for step in (3, 2)]
        return found + tensors(model.torch7_parameters()[1])

    ours = run(model)
    assert (counter.forward, counter.backward) == (1, 0)
    assert_near(ours, step_by_step(lambda: run(twin), monkeypatch))


def test_gradients_that_are_nil_are_not_accumulated(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = FastLSTM(SIZE, SIZE)
    module.get_field("i2g").set_field("gradWeight", None)
    model, x = single(Sequencer(module)), random(4, 2, SIZE)
    twin = model.clone()
    model.torch7_forward(x)
    model.backward(x, x)
    without_kernel(lambda: (twin.torch7_forward(x), twin.backward(x, x)), monkeypatch)
    assert counter.backward == 1
    buffers = [m.stepper.get_field("o2g").gradient("weight") for m in (model, twin)]
    assert model.stepper.get_field("i2g").gradient("weight") is None
    assert_near(buffers[:1], buffers[1:])


def test_a_script_that_looks_into_the_steps(runtime: Runtime, counter: Counter) -> None:
    runtime.execute(
        """
        require 'rnn'
        torch.manualSeed(5)
        m = nn.FastLSTM(3, 3):float()
        twin = m:clone()
        x, g = {}, {}
        for t = 1, 4 do x[t], g[t] = torch.randn(2, 3):float(), torch.randn(2, 3):float() end
        seq = nn.Sequencer(m)
        seq:forward(x) seq:backward(x, g)
        for t = 1, 4 do twin:forward(x[t]) end
        for t = 4, 1, -1 do twin:backward(x[t], g[t]) end
        """
    )
    assert counter.backward == 1
    inside = """
        local found = {}
        for step = 1, 4 do
            local clone = m.sharedClones[step]
            for _, part in ipairs{clone.output[1], clone.output[2], clone.gradInput[1], clone.gradInput[3],
                                  m.gradInputs[step], m.cells[step]} do
                found[#found + 1] = part
            end
        end
        return found
    """
    ours = runtime.execute(inside)
    assert_near(ours, runtime.execute(inside.replace("m.", "twin.")))


UNFIT: dict[str, Callable[[], tuple[Any, torch.Tensor]]] = {
    "double": lambda: (FastLSTM(SIZE, SIZE), torch.randn(3, 2, SIZE, dtype=torch.float64)),
    "peepholes": lambda: (single(LSTM(SIZE, SIZE)), random(3, 2, SIZE)),
    "another network": lambda: (single(GRU(SIZE, SIZE)), random(3, 2, SIZE)),
    "zeros in a mask": lambda: (single(FastLSTM(SIZE, SIZE).maskZero(1)), torch.zeros(3, 2, SIZE).float()),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_the_kernel_does_not_do(name: str, counter: Counter) -> None:
    module, x = UNFIT[name]()
    model = Sequencer(module)
    model.torch7_forward(x)
    assert model.__dict__["_run"] is not None
    assert counter.forward == 0


def test_a_pytorch_whose_onednn_is_off(counter: Counter) -> None:
    model, x = single(Sequencer(FastLSTM(SIZE, SIZE))), random(3, 2, SIZE)
    with torch.backends.mkldnn.flags(enabled=False, allow_tf32=None):
        ours = model.torch7_forward(x).clone()
    assert counter.forward == 0
    assert_near([model.torch7_forward(x)], [ours])
    assert counter.forward == 1


# -- SeqLSTM: a layer that takes the whole sequence -----------------------------------------------------------


SEQ_SETTINGS = st.fixed_dictionaries(
    {
        "sizes": st.tuples(st.integers(1, 5), st.integers(1, 5)),
        "lengths": st.lists(st.integers(1, 5), min_size=1, max_size=3),
        "batch": st.sampled_from([1, 4]),
        "batchfirst": st.booleans(),
        "zeros": st.sampled_from([0, 0, 0.4]),
        "states": st.integers(0, 2),
        "remember": st.sampled_from(["neither", "both", "train", "eval"]),
        "training": st.booleans(),
        "seed": st.integers(0, 1000),
    }
)


def sequence_passes(layer: Any, inputs: list[Any], gradients: list[torch.Tensor]) -> list[torch.Tensor]:
    """All numbers of some passes, one after the other, with what the layer shows of its steps."""
    found: list[torch.Tensor] = []
    layer.zeroGradParameters()
    for given_input, gradient in zip(inputs, gradients, strict=True):
        found += tensors(layer.torch7_forward(given_input))
        found += tensors(layer.backward(given_input, gradient))
        found += tensors([layer.get_field(name) for name in ("grad_h0", "grad_c0", "cell", "gates")])
        layer.updateParameters(0.1)
    return found + tensors(layer.torch7_parameters()[1])


@settings(max_examples=30)
@given(setting=SEQ_SETTINGS)
def test_random_sequence_layers(setting: dict[str, Any]) -> None:
    size, outputs = setting["sizes"]
    model, batch = SeqLSTM(size, outputs), setting["batch"]
    model.set_field("batchfirst", setting["batchfirst"])
    if setting["zeros"]:
        model.maskZero()
    model.remember(setting["remember"])
    if not setting["training"]:
        model.set_evaluate()
    single(model)
    twin, double = model.clone(), model.clone()
    double.torch7_double()
    draw = torch.Generator().manual_seed(setting["seed"])
    inputs, gradients = [], []
    for length in setting["lengths"]:
        x, gradient = (torch.randn(length, batch, width, generator=draw) for width in setting["sizes"])
        x[torch.rand(length, batch, generator=draw) < setting["zeros"]] = 0
        states = [torch.randn(batch, outputs, generator=draw) for _ in range(setting["states"])]
        if setting["batchfirst"]:
            x, gradient = (part.transpose(0, 1).contiguous() for part in (x, gradient))
        inputs.append([*states, x] if states else x)
        gradients.append(gradient)
    wide = [
        [part.double() for part in given] if isinstance(given, list) else given.double() for given in inputs
    ]
    exact = sequence_passes(double, wide, [gradient.double() for gradient in gradients])
    with pytest.MonkeyPatch.context() as monkeypatch:
        reference = without_kernel(lambda: sequence_passes(twin, inputs, gradients), monkeypatch)
    with pytest.MonkeyPatch.context() as monkeypatch:
        counter = Counter(monkeypatch)
        ours = sequence_passes(model, inputs, gradients)
    if not setting["zeros"]:
        assert counter.forward == len(inputs)
        assert counter.backward == (len(inputs) if setting["training"] else 0)
    assert_near(ours, reference)
    assert_near(ours, exact)


SEQ_CHANGES: dict[str, tuple[Callable[[Any, torch.Tensor], Any], int]] = {
    "outputs": (lambda layer, x: layer.output[1].mul_(2), 0),
    "the input": (lambda layer, x: x[2].add_(1), 0),
    "weights": (lambda layer, x: layer.weight.data.mul_(1.5), 1),
    "a gradient of the last cell": (lambda layer, x: layer.set_field("userNextGradCell", x[0] + 1), 1),
}


@pytest.mark.parametrize("change", SEQ_CHANGES)
def test_what_is_between_the_halves_of_a_sequence_layer(
    change: str, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, first = single(SeqLSTM(SIZE, SIZE)), random(4, 2, SIZE)
    twin, (between, backward) = model.clone(), SEQ_CHANGES[change]

    def run(model: Any) -> list[torch.Tensor]:
        x = first.clone()
        model.zeroGradParameters()
        model.torch7_forward(x)
        between(model, x)
        return tensors(model.backward(x, first)) + tensors(model.torch7_parameters()[1])

    ours = run(model)
    assert (counter.forward, counter.backward) == (1, backward)
    assert_near(ours, without_kernel(lambda: run(twin), monkeypatch))


def test_a_clone_of_a_sequence_layer_goes_back_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = single(SeqLSTM(SIZE, SIZE)), random(4, 2, SIZE)
    model.remember("both")
    model.zeroGradParameters()
    model.torch7_forward(x)
    clone, converted = model.clone(), model.clone()
    converted.torch7_double()
    ours = tensors(model.backward(x, x)) + tensors(model.torch7_parameters()[1])
    assert_near(tensors(clone.backward(x, x)) + tensors(clone.torch7_parameters()[1]), ours)
    after = tensors(model.torch7_forward(x))
    assert_near(tensors(clone.torch7_forward(x)), after)
    assert_near(tensors(converted.torch7_forward(x.double())), after)
