"""A sequence as one piece gives what its steps one by one give: the step loop is the reference."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError
from torch7py.nn.activation import Identity, Sigmoid, Tanh
from torch7py.nn.arithmetic import Add, AddConstant
from torch7py.nn.container import ConcatTable, ParallelTable, Sequential
from torch7py.nn.dropout import Dropout
from torch7py.nn.gradient import GradientReversal
from torch7py.nn.linear import Linear, LookupTable
from torch7py.nn.normalization import BatchNormalization, Normalize
from torch7py.nn.rectifier import PReLU, ReLU
from torch7py.nn.shape import Collapse, Contiguous, Reshape, Squeeze, Unsqueeze, View
from torch7py.nn.softmax import LogSoftMax
from torch7py.nn.table import JoinTable
from torch7py.nn.table_math import CAddTable, CMulTable
from torch7py.ops.errors import TorchError
from torch7py.rnn import fused_sequence
from torch7py.rnn.bidirectional import BiSequencer, BiSequencerLM
from torch7py.rnn.dropout import LazyDropout
from torch7py.rnn.fast_lstm import FastLSTM
from torch7py.rnn.gru import GRU
from torch7py.rnn.lstm import LSTM
from torch7py.rnn.masking import MaskZero, TrimZero
from torch7py.rnn.recurrence import Recurrence
from torch7py.rnn.recurrent import Recurrent
from torch7py.rnn.sequencer import Sequencer

SIZE = 3


@pytest.fixture(autouse=True)
def steps_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lua runs no list of instructions in the place of what is tested here."""
    monkeypatch.setenv("TORCH7PY_SMALL_STEPS", "0")


def recurrence(first: Any, size: int) -> Recurrence:
    both = ParallelTable(first, Linear(size, size))
    return Recurrence(Sequential(both, CAddTable(), Tanh()), size, 1)


def chain(before: int, after: int) -> Sequential:
    return Sequential(Linear(before, 2), Tanh(), Linear(2, after))


def joined(before: int, after: int, *layers: Any, bias: bool = True) -> Recurrence:
    whole = Sequential(JoinTable(1, 1), Linear(before + after, after, bias), *layers)
    return Recurrence(whole, after, 1)


LAYERS: dict[str, Callable[[int, int], Any]] = {
    "Linear": lambda n, m: Linear(n, m),
    "Tanh": lambda n, m: Tanh(),
    "ReLU": lambda n, m: ReLU(),
    "LogSoftMax": lambda n, m: LogSoftMax(),
    "AddConstant": lambda n, m: AddConstant(0.5),
    "FastLSTM": lambda n, m: FastLSTM(n, m),
    "LSTM": lambda n, m: LSTM(n, m),
    "LSTM without peepholes": lambda n, m: LSTM(n, m, None, False),
    "GRU": lambda n, m: GRU(n, m),
    "Recurrent": lambda n, m: Recurrent(m, Linear(n, m), Linear(m, m), Tanh()),
    "Recurrence": lambda n, m: recurrence(Linear(n, m), m),
    "Recurrence of its input": lambda n, m: Sequential(Linear(n, m), recurrence(Identity(), m)),
    "Recurrence of joined": lambda n, m: joined(n, m, Tanh()),
    "Recurrence of joined, then layers": lambda n, m: joined(n, m, ReLU(), chain(m, m), bias=False),
    "Recurrence of chains": lambda n, m: Recurrence(
        Sequential(ParallelTable(chain(n, m), chain(m, m)), CAddTable(), chain(m, m), Sigmoid()), m, 1
    ),
    "Recurrence of a sum": lambda n, m: Recurrence(
        Sequential(ParallelTable(Linear(n, m), Identity()), CAddTable()), m, 1
    ),
    "Recurrent of chains": lambda n, m: Recurrent(m, chain(n, m), chain(m, m), chain(m, m)),
    "FastLSTM, masked": lambda n, m: FastLSTM(n, m).maskZero(1),
    "LSTM, masked": lambda n, m: LSTM(n, m).maskZero(1),
    "GRU, masked": lambda n, m: GRU(n, m).maskZero(1),
    "FastLSTM, trimmed": lambda n, m: FastLSTM(n, m).trimZero(1),
    "LSTM, trimmed": lambda n, m: LSTM(n, m).trimZero(1),
    "GRU, trimmed": lambda n, m: GRU(n, m).trimZero(1),
    "Linear in a mask": lambda n, m: MaskZero(Linear(n, m), 1),
    "layers in a mask": lambda n, m: MaskZero(Sequential(Linear(n, 2), Tanh(), Linear(2, m)), 1),
    "Linear in a trim": lambda n, m: TrimZero(Linear(n, m), 1),
    "layers in a trim": lambda n, m: TrimZero(Sequential(Linear(n, 2), Tanh(), Linear(2, m)), 1),
    "LSTM in a mask": lambda n, m: MaskZero(Sequential(Linear(n, 2), LSTM(2, m)), 1),
    "Recurrent in a mask": lambda n, m: MaskZero(LAYERS["Recurrent"](n, m), 1, True),
    "layers side by side": lambda n, m: Sequential(
        ConcatTable(Sequential(Linear(n, 2), Identity()), Linear(n, 2), Sequential(Identity(), Linear(n, 2))),
        CMulTable(),
        Linear(2, m),
    ),
    "a residual": lambda n, m: Sequential(
        Linear(n, m),
        ConcatTable(Identity(), Sequential(Linear(m, 2), PReLU(), Linear(2, m))),
        CAddTable(),
        Add(m),
    ),
    "a residual around a network": lambda n, m: Sequential(
        Linear(n, m), ConcatTable(Sequential(FastLSTM(m, m), Linear(m, m)), Identity()), CAddTable()
    ),
    "networks side by side": lambda n, m: Sequential(
        ConcatTable(GRU(n, 2), recurrence(Linear(n, 1), 1)), JoinTable(1, 1), Linear(3, m)
    ),
    "tables through tables": lambda n, m: Sequential(
        ConcatTable(Linear(n, 2), Linear(n, 3)),
        Identity(),
        ParallelTable(Sequential(Tanh(), Linear(2, 1)), Linear(3, 2)),
        JoinTable(1, 1),
        Linear(3, m),
    ),
    "other shapes": lambda n, m: Sequential(
        *(Linear(n, 2 * m), Reshape(2, m), Tanh(), View(2 * m).setNumInputDims(2), Unsqueeze(1, 1)),
        *(Squeeze(1, 2), Unsqueeze(2, 1), Collapse(2), Contiguous(), Linear(2 * m, m)),
    ),
    "Normalize": lambda n, m: Sequential(Linear(n, m), Normalize(2), GradientReversal(0.5)),
    "Recurrent of Sigmoid": lambda n, m: Recurrent(Linear(m, m), Linear(n, m), Linear(m, m)),
}
SAME_SIZE = {"Tanh", "ReLU", "LogSoftMax", "AddConstant"}


def step_by_step(run: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """What ``run`` gives when no sequence is done as one piece."""
    with monkeypatch.context() as patch:
        patch.setattr(fused_sequence, "start", lambda *_: None)
        return run()


def tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, list):
        return [t for item in value for t in tensors(item)]
    return [value.clone()]


def passes(model: Any, sequences: list[Any], gradients: list[Any], expect_fused: bool) -> list[torch.Tensor]:
    """All numbers of some passes over sequences, one after the other."""
    found: list[torch.Tensor] = []
    model.zeroGradParameters()
    for scale, (sequence, gradient) in enumerate(zip(sequences, gradients, strict=True), 1):
        found += tensors(model.torch7_forward(sequence))
        assert (model.__dict__.get("_run") is not None) is expect_fused
        found += tensors(model.backward(sequence, gradient, scale))
        if (model.torch7_parameters() or [[]])[0] and scale % 2:
            model.updateParameters(0.1)
    found += tensors(list((model.torch7_parameters() or [[], []])[1]))
    return found


def assert_same(ours: list[torch.Tensor], reference: list[torch.Tensor], tolerance: float = 1e-12) -> None:
    assert len(ours) == len(reference)
    for a, b in zip(ours, reference, strict=True):
        assert a.shape == b.shape
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


SETTINGS = st.fixed_dictionaries(
    {
        "layers": st.lists(st.sampled_from(list(LAYERS)), min_size=1, max_size=3),
        "sizes": st.lists(st.integers(1, 4), min_size=4, max_size=4),
        "lengths": st.lists(st.integers(2, 5), min_size=1, max_size=3),
        "batch": st.sampled_from([None, 1, 4]),
        "as_table": st.booleans(),
        "zeros": st.sampled_from([0, 0.4, 1]),
        "remember": st.sampled_from(["neither", "both", "train", "eval"]),
        "seed": st.integers(0, 1000),
    }
)


@settings(max_examples=60)
@given(setting=SETTINGS)
def test_random_models(setting: dict[str, Any]) -> None:
    layers, size = [], setting["sizes"][0]
    for name, wanted in zip(setting["layers"], setting["sizes"][1:], strict=False):
        before, size = size, size if name in SAME_SIZE else wanted
        layers.append(LAYERS[name](before, size))
    model = Sequencer(Sequential(*layers))
    model.remember(setting["remember"])
    twin = model.clone()
    draw = torch.Generator().manual_seed(setting["seed"])
    batch = () if setting["batch"] is None else (setting["batch"],)

    def sequences(shape: tuple[int, ...]) -> list[Any]:
        made = [
            torch.randn(length, *shape, generator=draw, dtype=torch.float64) for length in setting["lengths"]
        ]
        for sequence in made:
            sequence[torch.rand(sequence.shape[:-1], generator=draw) < setting["zeros"]] = 0
        return [list(sequence) for sequence in made] if setting["as_table"] else made

    inputs, gradients = sequences((*batch, setting["sizes"][0])), sequences((*batch, size))
    with pytest.MonkeyPatch.context() as monkeypatch:
        reference = step_by_step(lambda: passes(twin, inputs, gradients, False), monkeypatch)
    assert_same(passes(model, inputs, gradients, True), reference)


MERGES: dict[str, Callable[[], Any]] = {
    "JoinTable": lambda: JoinTable(1, 1),
    "JoinTable from the end": lambda: JoinTable(-1),
    "CAddTable": lambda: CAddTable(),
    "CMulTable": lambda: CMulTable(),
    "layers": lambda: Sequential(JoinTable(1, 1), Linear(2 * SIZE, SIZE), Tanh()),
    "a network": lambda: Sequential(JoinTable(1, 1), FastLSTM(2 * SIZE, SIZE)),
}


@pytest.mark.parametrize("remember", ["neither", "both"])
@pytest.mark.parametrize("batch", [(), (1,), (3,)])
@pytest.mark.parametrize("name", MERGES)
def test_steps_that_are_tables(
    name: str, batch: tuple[int, ...], remember: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As BiSequencer merges its two directions."""
    model = Sequencer(MERGES[name]())
    model.remember(remember)
    twin = model.clone()
    inputs = [[list(torch.randn(2, *batch, SIZE).double()) for _ in range(4)] for _ in range(2)]

    def look(model: Any) -> list[torch.Tensor]:
        found: list[torch.Tensor] = []
        for x in inputs:
            found += tensors(model.torch7_forward(x))
            gradient = [torch.sin(3 * output) for output in model.output]
            found += tensors(model.backward(x, gradient))
            inner = model.stepper
            found += tensors([inner.output, inner.gradInput])
            if remember == "neither":  # else another clone serves the first step
                found += tensors([inner.step_module.output, inner.step_module.gradInput])
            by_step = inner.get_field("gradInputs")
            found += tensors([by_step[step] for step in range(inner.step - 4, inner.step)])
        found += tensors(list((model.torch7_parameters() or [[], []])[1]))
        model.set_evaluate()
        return found + tensors(model.torch7_forward(inputs[0]))

    ours = look(model)
    assert model.__dict__["_run"] is not None
    assert_same(ours, step_by_step(lambda: look(twin), monkeypatch))


UNFIT_TABLES: dict[str, Callable[[], list[Any]]] = {
    "other lengths": lambda: [[torch.ones(2, 3).double()] * 2, [torch.ones(2, 3).double()] * 3],
    "other sizes": lambda: [[torch.ones(2, n).double(), torch.ones(2, n).double()] for n in (3, 4)],
    "tables in tables": lambda: [[torch.ones(2, 3).double(), [torch.ones(2, 3).double()]] for _ in range(2)],
}


@pytest.mark.parametrize("name", UNFIT_TABLES)
def test_tables_that_are_not_alike(name: str) -> None:
    assert fused_sequence.start(Sequencer(JoinTable(2)).stepper, UNFIT_TABLES[name]()) is None


def test_a_table_for_a_module_that_takes_tensors() -> None:
    steps = [[torch.ones(2, 3).double()] * 2] * 2
    assert fused_sequence.start(Sequencer(Tanh()).stepper, steps) is None
    assert fused_sequence.start(Sequencer(CAddTable()).stepper, torch.ones(2, 2, 3).double()) is None


@pytest.mark.parametrize("name", ["Linear in a trim", "layers in a trim", "Linear in a mask"])
@pytest.mark.parametrize("batch", [(), (1,), (3,)])
def test_rows_of_zeros(name: str, batch: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of a step, all of a step, none; and what the modules show afterwards, in training and evaluation."""
    model = Sequencer(LAYERS[name](SIZE, SIZE))
    x, gradient = (torch.randn(4, *batch, SIZE, dtype=torch.float64) for _ in range(2))
    x[1] = 0
    if len(batch):
        x[0][-1] = x[3][0] = 0
    twin = model.clone()

    def look(model: Any) -> list[torch.Tensor]:
        model.zeroGradParameters()
        found = tensors([model.torch7_forward(x), model.backward(x, gradient)])
        inner = model.stepper.step_module.inner_module
        parts = [inner] if name.startswith("Linear") else inner.child_list()
        found += tensors([field for part in parts for field in (part.output, part.gradInput)])
        fields = ("temp", "gradTemp") if name.endswith("trim") else ("gradOutput",)
        found += tensors([model.stepper.step_module.get_field(field) for field in fields])
        found += tensors(model.torch7_parameters()[1])
        model.set_evaluate()
        return found + tensors([model.torch7_forward(x), parts[0].output])

    ours = look(model)
    assert model.__dict__["_run"] is not None
    assert_same(ours, step_by_step(lambda: look(twin), monkeypatch))


@pytest.mark.parametrize(
    "name", ["FastLSTM", "LSTM", "GRU", "Recurrent", "Recurrence", "LSTM, masked", "GRU, trimmed"]
)
def test_what_the_modules_show_afterwards(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Step, outputs, hidden states and their gradients of the modules inside."""
    module = LAYERS[name](SIZE, SIZE)
    model, inputs = Sequencer(module), list(torch.randn(4, 2, SIZE, dtype=torch.float64))
    inputs[0][1].zero_()
    inputs[3].zero_()
    twin = model.clone()

    def look(model: Any) -> list[Any]:
        model.torch7_forward(inputs)
        model.backward(inputs, inputs)
        inner: Any = model.stepper
        found: list[Any] = [inner.output, inner.gradInput, [inner.outputs[t] for t in (1, 2, 3, 4)]]
        if isinstance(inner.step_module, MaskZero):
            found.append(inner.step_module.zeroMask)
        if name == "Recurrence":
            found += [inner.getHiddenState(2)[0], inner.getGradHiddenState(0)[0]]
        elif name != "Recurrent":
            found += [
                inner.getHiddenState(2),
                inner.getHiddenState(inner.step - 1),
                inner.getGradHiddenState(0),
            ]
        assert inner.step == 5
        assert inner.updateGradInputStep == 1
        return tensors(found)

    assert_same(look(model), step_by_step(lambda: look(twin), monkeypatch))


def test_layers_inside_show_their_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Sequencer(Sequential(Linear(SIZE, SIZE), Tanh()))
    twin, inputs = model.clone(), list(torch.randn(3, 2, SIZE, dtype=torch.float64))

    def look(model: Any) -> list[torch.Tensor]:
        model.torch7_forward(inputs)
        model.backward(inputs, inputs)
        inner = model.get_field("module").step_module
        linear = inner.child_list()[0]
        return tensors([inner.output, linear.output, linear.gradInput])

    assert_same(look(model), step_by_step(lambda: look(twin), monkeypatch))


def test_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Sequencer(Sequential(FastLSTM(SIZE, 4), Linear(4, 2)))
    model.remember("both")
    model.set_evaluate()
    twin, inputs = model.clone(), list(torch.randn(3, 2, SIZE, dtype=torch.float64))

    def look(model: Any) -> list[torch.Tensor]:
        return tensors([model.torch7_forward(inputs), model.torch7_forward(inputs)])

    assert_same(look(model), step_by_step(lambda: look(twin), monkeypatch))
    assert model.__dict__["_run"] is not None


def test_a_lookup_table_and_an_index_out_of_range() -> None:
    model = Sequencer(Sequential(LookupTable(5, SIZE), Sigmoid()))
    model.torch7_forward([torch.tensor([1.0, 5.0]), torch.tensor([2.0, 2.0])])
    assert model.__dict__["_run"] is not None
    with pytest.raises(TorchError, match="6"):
        model.torch7_forward([torch.tensor([1.0, 5.0]), torch.tensor([2.0, 6.0])])


UNFIT: dict[str, Callable[[], Any]] = {
    "batch statistics": lambda: BatchNormalization(SIZE),
    "random masks for some of the steps": lambda: LazyDropout(0.5, False, None, True),
    "random masks of what is trimmed": lambda: TrimZero(Sequential(Linear(SIZE, SIZE), LazyDropout(0.5)), 1),
    "two random masks, the first time": lambda: Sequential(LazyDropout(0.5), Dropout(0.5)),
    "in place": lambda: ReLU(True),
    "dropout in the gates": lambda: FastLSTM(SIZE, SIZE, None, None, None, True, 0.5),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_is_done_step_by_step(name: str) -> None:
    model = Sequencer(UNFIT[name]())
    model.torch7_forward(list(torch.randn(3, 2, SIZE, dtype=torch.float64)))
    assert model.__dict__["_run"] is None


def test_steps_of_different_sizes() -> None:
    model = Sequencer(FastLSTM(SIZE, SIZE))
    with pytest.raises(RuntimeError, match="size"):
        model.torch7_forward([torch.zeros(2, SIZE).double(), torch.zeros(3, SIZE).double()])
    plain = Sequencer(Linear(SIZE, SIZE))
    a, b = plain.torch7_forward([torch.zeros(2, SIZE).double(), torch.zeros(3, SIZE).double()])
    assert a.shape == (2, SIZE)
    assert b.shape == (3, SIZE)


def test_a_gradient_with_other_strides(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gradient need not be contiguous."""
    model = Sequencer(Sequential(GRU(SIZE, SIZE), Linear(SIZE, SIZE)))
    twin = model.clone()
    inputs = list(torch.randn(3, 2, SIZE, dtype=torch.float64))
    flat = [g.reshape(-1) for g in torch.randn(3, 2, SIZE, dtype=torch.float64)]
    with_shape = [g.view(2, SIZE) for g in flat]

    def look(model: Any, gradients: Any) -> list[torch.Tensor]:
        model.zeroGradParameters()
        model.torch7_forward(inputs)
        return tensors(model.backward(inputs, gradients)) + tensors(model.torch7_parameters()[1])

    reference = step_by_step(lambda: look(twin, with_shape), monkeypatch)
    assert_same(look(model, with_shape), reference)
    strange = [gradient.t().contiguous().t() for gradient in with_shape]
    assert_same(look(model, strange), reference)


def test_a_method_in_lua_has_its_sequence_done_step_by_step() -> None:
    with Runtime() as runtime:
        calls, same = runtime.execute(
            """
            require 'rnn'
            local linear = nn.Linear(2, 2)
            local model = nn.Sequencer(nn.Sequential():add(linear):add(nn.Tanh()))
            local x = {torch.randn(3, 2), torch.randn(3, 2)}
            local before = model:forward(x)[2]:clone()
            local calls = 0
            local Tanh = nn.Tanh.updateOutput
            nn.Tanh.updateOutput = function(self, input) calls = calls + 1 return Tanh(self, input) end
            local after = model:forward(x)[2]
            nn.Tanh.updateOutput = Tanh
            return calls, (before - after):abs():max()
            """
        )
    assert calls == 2
    assert same < 1e-15


def test_changed_weights_between_forward_and_backward(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Sequencer(Sequential(FastLSTM(SIZE, SIZE), Linear(SIZE, SIZE)))
    twin, inputs = model.clone(), list(torch.randn(3, 2, SIZE, dtype=torch.float64))

    def look(model: Any) -> list[torch.Tensor]:
        model.zeroGradParameters()
        model.torch7_forward(inputs)
        for parameter in model.torch7_parameters()[0]:
            parameter.data.mul_(1.5)
        return tensors(model.backward(inputs, inputs)) + tensors(model.torch7_parameters()[1])

    assert_same(look(model), step_by_step(lambda: look(twin), monkeypatch))


def test_flat_parameters_and_conversion(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Sequencer(Sequential(LSTM(SIZE, SIZE), Linear(SIZE, SIZE)))
    twin, inputs = model.clone(), list(torch.randn(3, 2, SIZE, dtype=torch.float64))

    def look(model: Any) -> list[torch.Tensor]:
        model.torch7_forward(inputs)
        weights, gradients = model.getParameters()
        gradients.zero_()
        model.torch7_forward(inputs)
        model.backward(inputs, inputs)
        weights.add_(gradients, alpha=-0.1)
        found = tensors([model.torch7_forward(inputs), gradients])
        model.torch7_float()
        single = [x.float() for x in inputs]
        return found + [t.double() for t in tensors(model.torch7_forward(single))]

    assert_same(look(model), step_by_step(lambda: look(twin), monkeypatch), 1e-6)


# -- looking inside -------------------------------------------------------------------------------------------

LOOK = """
    local found = {}
    for step = 1, 4 do
        local clone = m.sharedClones[step]
        found[#found + 1] = clone.output[1] or clone.output
        found[#found + 1] = clone.gradInput[1]
        found[#found + 1] = clone.gradInput[2]
        found[#found + 1] = m:getStepModule(step).output[1]
        found[#found + 1] = m.gradInputs[step]
        local given = m:getGradHiddenState(step - 1)
        found[#found + 1] = torch.type(given) == 'table' and given[2] or given
    end
    return found, #m.sharedClones, m.nSharedClone
"""


@pytest.mark.parametrize("name", ["FastLSTM", "LSTM", "GRU"])
def test_a_script_that_looks_inside_the_steps_finds_them_done(name: str, runtime: Runtime) -> None:
    """Also after the gradients were accumulated, and it does not change them."""
    runtime.execute(f"require 'rnn' torch.manualSeed(5) m = nn.{name}(3, 3) seq = nn.Sequencer(m)")
    runtime.execute("x, g = {}, {} for t = 1, 4 do x[t], g[t] = torch.randn(2, 3), torch.randn(2, 3) end")
    runtime.execute("twin = m:clone() seq:zeroGradParameters() seq:forward(x) seq:backward(x, g)")
    _, gradients = runtime.globals["seq"].torch7_parameters()
    before = [gradient.clone() for gradient in gradients]
    ours = runtime.execute(LOOK)
    assert all(map(torch.equal, gradients, before))
    runtime.execute(
        "for t = 1, 4 do twin:forward(x[t]) end for t = 4, 1, -1 do twin:backward(x[t], g[t]) end m = twin"
    )
    reference = runtime.execute(LOOK)
    assert ours[1:] == reference[1:] == (4, 4)
    assert_same(ours[0], reference[0])


def test_a_script_goes_back_itself_through_a_sequence_done_at_once(runtime: Runtime) -> None:
    runtime.execute(
        """
        require 'rnn'
        m = nn.FastLSTM(3, 3)
        seq = nn.Sequencer(m)
        x, g = torch.randn(4, 2, 3), torch.randn(4, 2, 3)
        seq:forward(x)
        at_once = seq:backward(x, g):clone()
        seq:forward(x)
        one_by_one = torch.Tensor(4, 2, 3)
        for t = 4, 1, -1 do one_by_one[t] = m:backward(x[t], g[t]) end
        """
    )
    assert_same([runtime.globals["one_by_one"]], [runtime.globals["at_once"]])


def test_after_the_parameters_have_changed_clones_show_their_results(runtime: Runtime) -> None:
    """Nothing is known of what is inside them, and so no step goes back any more."""
    runtime.execute(
        """
        require 'rnn'
        m = nn.FastLSTM(3, 3)
        seq = nn.Sequencer(m)
        x = torch.randn(4, 2, 3)
        seq:forward(x)
        seq:zeroGradParameters()
        gradient = seq:backward(x, x):clone()
        output = seq.output:clone()
        seq:updateParameters(1)
        shown, back = torch.Tensor(4, 2, 3), torch.Tensor(4, 2, 3)
        for t = 1, 4 do
            shown[t] = m.sharedClones[t].output[1]
            back[t] = m.sharedClones[t].gradInput[1]
        end
        """
    )
    assert runtime.execute("return #m.sharedClones, #m.gradCells, #m.cells") == (4, 3, 4)
    for ours, reference in (("shown", "output"), ("back", "gradient")):
        assert_same([runtime.globals[ours]], [runtime.globals[reference]])
    with pytest.raises(LuaError, match="not known any more"):
        runtime.execute("m:getStepModule(4) m.updateGradInputStep = nil m:backward(x[4], x[4])")


@pytest.mark.parametrize("name", ["FastLSTM", "LSTM", "GRU"])
def test_a_gradient_of_the_last_state_from_outside(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a decoder hands back to its encoder, between the encoder's forward and backward."""
    module = LAYERS[name](SIZE, SIZE)
    model, x = Sequencer(module), torch.randn(4, 2, SIZE, dtype=torch.float64)
    twin = model.clone()
    given = [torch.randn(2, SIZE, dtype=torch.float64) for _ in range(2)]

    def both(model: Any) -> list[torch.Tensor]:
        model.zeroGradParameters()
        model.updateOutput(x)
        module = model.stepper
        module.setGradHiddenState(4, given[0] if name == "GRU" else given)
        return [*tensors(model.backward(x, x)), *tensors(model.torch7_parameters()[1])]

    ours = both(model)
    assert model.__dict__["_run"] is not None
    assert_same(ours, step_by_step(lambda: both(twin), monkeypatch))
    model.zeroGradParameters()
    model.updateOutput(x)
    assert not torch.equal(model.backward(x, x), ours[0])


@pytest.mark.parametrize("name", ["FastLSTM", "LSTM", "GRU"])
def test_a_state_from_outside(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = LAYERS[name](SIZE, SIZE)
    for field in ("userPrevOutput", "userPrevCell"):
        if field in module.all_fields():
            module.set_field(field, torch.randn(2, SIZE, dtype=torch.float64))
    model, x = Sequencer(module), torch.randn(4, 2, SIZE, dtype=torch.float64)
    twin = model.clone()

    def both(model: Any) -> list[torch.Tensor]:
        found = tensors(model.updateOutput(x)) + tensors(model.backward(x, x))
        return [*found, model.stepper.get_field("userGradPrevOutput").clone()]

    ours = both(model)
    assert model.__dict__["_run"] is not None
    assert_same(ours, step_by_step(lambda: both(twin), monkeypatch))


@pytest.mark.parametrize("kind", [BiSequencer, BiSequencerLM])
@pytest.mark.parametrize("name", ["FastLSTM", "GRU, masked", "Recurrent"])
def test_both_directions_are_done_as_one_piece(kind: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = kind(LAYERS[name](SIZE, SIZE), LAYERS[name](SIZE, SIZE))
    twin, inputs = module.clone(), list(torch.randn(4, 2, SIZE, dtype=torch.float64))
    gradients = list(torch.randn(4, 2, 2 * SIZE, dtype=torch.float64))
    inputs[1][0].zero_()

    def look(module: Any) -> list[torch.Tensor]:
        module.zeroGradParameters()
        found = tensors(module.torch7_forward(inputs)) + tensors(module.backward(inputs, gradients))
        return found + tensors(module.torch7_parameters()[1])

    assert_same(look(module), step_by_step(lambda: look(twin), monkeypatch))
    for sequencer in (module.fwdSeq, module.bwdSeq):
        assert sequencer.__dict__["_run"] is not None


def classifier() -> Any:
    return Sequencer(Sequential(Linear(4, 4), LogSoftMax()))


def test_a_memory_that_is_kept_has_one_clone_more_than_steps() -> None:
    """So each sequence but for its last step takes the place of the one before."""
    torch.manual_seed(0)
    model, x = classifier(), torch.randn(3, 2, 4).double()
    kept = model.remember("both").updateOutput(list(x))
    then = torch.stack(kept).clone()
    new = model.updateOutput(list(x + 1))
    assert [part is other for part, other in zip(kept[:2], new[1:], strict=True)] == [True, True]
    assert torch.equal(kept[2], then[2])


@pytest.mark.parametrize("as_table", [True, False])
def test_results_as_the_next_input(as_table: bool) -> None:
    """A sequence's output, and its gradient, may be the next one's input: it must stay until the backward is done."""
    torch.manual_seed(0)
    model, x, g = classifier(), torch.randn(3, 2, 4).double(), torch.randn(3, 2, 4).double()

    def shaped(steps: torch.Tensor) -> Any:
        return list(steps) if as_table else steps

    def whole(steps: Any) -> torch.Tensor:
        return (torch.stack(steps) if isinstance(steps, list) else steps).clone()

    def numbers(input: Any, gradient: Any) -> list[torch.Tensor]:
        model.zeroGradParameters()
        found = [whole(model.updateOutput(input)), whole(model.backward(input, gradient))]
        return found + [gradient.clone() for gradient in model.torch7_parameters()[1]]

    numbers(shaped(x), shaped(g))
    output, gradient = whole(model.output), whole(model.gradInput)
    expected = numbers(shaped(output), shaped(gradient)), numbers(shaped(gradient), shaped(output))

    def aliases(steps: Any) -> Any:
        """The same memory: the tensors themselves take over that of the next results."""
        return [step.data for step in steps] if as_table else steps.data

    numbers(shaped(x), shaped(g))
    assert_same(numbers(aliases(model.output), aliases(model.gradInput)), expected[0])
    numbers(shaped(x), shaped(g))
    assert_same(numbers(aliases(model.gradInput), shaped(output)), expected[1])


@pytest.mark.parametrize("name", [name for name in LAYERS if name.startswith("Recurrence of")])
def test_every_recurrence(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each shape, with what the clones of the steps show and with weights that the script replaces on the way."""
    torch.manual_seed(1)
    model = Sequencer(LAYERS[name](3, 4))
    twin = model.clone()
    x, g = torch.randn(4, 2, 3).double(), torch.randn(4, 2, 4).double()

    def look(model: Any, expect_fused: bool) -> list[torch.Tensor]:
        found = passes(model, [list(x), list(x + 1)], [list(g), list(-g)], expect_fused)
        steps = model.stepper.get_field("sharedClones")
        return found + [t for number in sorted(steps) for t in tensors([steps[number].get_field("output")])]

    reference = step_by_step(lambda: look(twin, False), monkeypatch)
    assert_same(look(model, True), reference)


@pytest.mark.parametrize(
    "module",
    [
        Sequential(JoinTable(1), Linear(7, 4)),
        Sequential(JoinTable(1, 1), Tanh(), Linear(7, 4)),
        Sequential(JoinTable(1, 1), Linear(7, 4), Dropout(0.5)),
        Sequential(ParallelTable(Linear(3, 4), Linear(4, 4)), CMulTable()),
        Sequential(ParallelTable(Linear(3, 4), Dropout(0.5)), CAddTable()),
    ],
    ids=["joined elsewhere", "no Linear", "dropout", "a product", "dropout of the state"],
)
def test_recurrences_that_are_no_one_piece(module: Any) -> None:
    model = Sequencer(Recurrence(module, 4, 1))
    assert fused_sequence.start(model.stepper, torch.randn(3, 2, 3).double()) is None


TRIMMED: dict[str, Callable[[], Any]] = {
    "LSTM": lambda: LSTM(SIZE, SIZE),
    "FastLSTM": lambda: FastLSTM(SIZE, SIZE),
    "Recurrent": lambda: LAYERS["Recurrent"](SIZE, SIZE),
    "layers": lambda: Sequential(Linear(SIZE, 2), GRU(2, SIZE), Tanh()),
}


@pytest.mark.one_lua
@settings(max_examples=40)
@given(
    name=st.sampled_from(list(TRIMMED)),
    steps=st.integers(2, 4),
    batch=st.integers(1, 4),
    kept=st.integers(0, 4),
    remember=st.sampled_from(["neither", "both"]),
    seed=st.integers(0, 1000),
)
def test_trimmed_networks(name: str, steps: int, batch: int, kept: int, remember: str, seed: int) -> None:
    """TrimZero around a network: a step must leave as many rows as the others, in whatever places."""
    draw = torch.Generator().manual_seed(seed)
    model = Sequencer(TrimZero(TRIMMED[name](), 1, True))
    model.remember(remember)
    twin = model.clone()
    x = torch.randn(2, steps, batch, SIZE, generator=draw, dtype=torch.float64)
    for step in x.flatten(0, 1):
        step[torch.randperm(batch, generator=draw)[kept:]] = 0
    gradients = list(torch.randn(2, steps, batch, SIZE, generator=draw, dtype=torch.float64))
    with pytest.MonkeyPatch.context() as monkeypatch:
        reference = step_by_step(lambda: passes(twin, list(x), gradients, False), monkeypatch)
    assert_same(passes(model, list(x), gradients, True), reference)


def test_trimmed_networks_of_other_numbers_of_rows_go_step_by_step() -> None:
    x = torch.ones(2, 3, SIZE).double()
    x[1, 0] = 0
    assert fused_sequence.start(Sequencer(TrimZero(LSTM(SIZE, SIZE), 1, True)).stepper, x) is None


@pytest.mark.parametrize("cell", ["LSTM", "FastLSTM", "GRU"])
def test_saved_after_the_weights_have_moved(runtime: Runtime, cell: str, tmp_path: Path) -> None:
    """The original's clones for steps have outputs of the last sequence, which no forward after a load looks at."""
    path = tmp_path / "m.t7"
    found = runtime.execute(
        f"""
        require 'rnn'
        local x = torch.randn(2, 4, 5)
        local m = nn.Sequential():add(nn.SplitTable(2)):add(nn.Sequencer(nn.{cell}(5, 6)):remember('both'))
        m:add(nn.SelectTable(-1))
        m:forward(x)
        m:backward(x, m:forward(x))
        m:updateParameters(0.1)
        torch.save('{path}', m)
        local loaded = torch.load('{path}')
        return (loaded:forward(x) - m:forward(x)):abs():max(), m.output:norm()
        """
    )
    assert found[0] < 1e-14
    assert found[1] > 0
