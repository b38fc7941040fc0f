"""The steps of LSTM, FastLSTM and GRU: equations, kernels, and the modules that they stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.nn.container import Sequential
from torch7py.ops.errors import TorchError
from torch7py.rnn.cell import Cell
from torch7py.rnn.fast_lstm import FastLSTM
from torch7py.rnn.gru import GRU
from torch7py.rnn.lstm import LSTM

INPUTS, OUTPUTS, BATCH = 3, 4, 5

KINDS: dict[str, Callable[[], Any]] = {
    "LSTM": lambda: LSTM(INPUTS, OUTPUTS),
    "LSTM without peepholes": lambda: LSTM(INPUTS, OUTPUTS, None, False),
    "FastLSTM": lambda: FastLSTM(INPUTS, OUTPUTS),
    "GRU": lambda: GRU(INPUTS, OUTPUTS),
}


def cell_of(kind: str) -> Cell:
    cell = KINDS[kind]().step_module
    assert isinstance(cell, Cell)
    return cell


def random_inputs(kind: str, *batch: int) -> list[torch.Tensor]:
    states = 1 if kind == "GRU" else 2
    sizes = [INPUTS] + [OUTPUTS] * states
    generator = torch.Generator().manual_seed(7)
    return [torch.randn(*batch, size, dtype=torch.float64, generator=generator) for size in sizes]


def as_list(value: Any) -> list[torch.Tensor]:
    return list(value) if isinstance(value, list) else [value]


def like(kind: str, values: list[torch.Tensor]) -> Any:
    return values[0] if kind == "GRU" else values


def protocol(module: Any, inputs: list[torch.Tensor], kind: str, scale: float = 1) -> list[torch.Tensor]:
    """Outputs, gradients of the inputs, gradients of the parameters by Torch7's protocol."""
    module.zeroGradParameters()
    outputs = as_list(module.updateOutput(inputs))
    gradients = [torch.full_like(output, 0.5 + n) for n, output in enumerate(outputs)]
    of_inputs = module.backward(inputs, like(kind, gradients), scale)
    return [t.clone() for t in [*outputs, *of_inputs, *module.torch7_parameters()[1]]]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch", [(), (BATCH,)], ids=["single", "batch"])
def test_kernel_computes_what_the_modules_compute(kind: str, batch: tuple[int, ...]) -> None:
    cell, inputs = cell_of(kind), random_inputs(kind, *batch)
    tree = Sequential(*cell.clone().child_list())
    by_kernel, by_modules = protocol(cell, inputs, kind, 0.3), protocol(tree, inputs, kind, 0.3)
    assert len(by_kernel) == len(by_modules)
    for one, other in zip(by_kernel, by_modules, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_kernel_is_the_derivative_of_forward(kind: str) -> None:
    cell, inputs = cell_of(kind), random_inputs(kind, BATCH)
    found = protocol(cell, inputs, kind)
    leaves = [t.clone().requires_grad_() for t in inputs]
    outputs = as_list(cell.forward(leaves))
    total = torch.stack([(output * (0.5 + n)).sum() for n, output in enumerate(outputs)]).sum()
    parameters = cell.torch7_parameters()[0]
    expected = torch.autograd.grad(total, [*leaves, *parameters])
    for one, other in zip(found, [*outputs, *expected], strict=True):
        torch.testing.assert_close(one, other.detach(), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_forward_has_a_gradient_of_its_own(kind: str) -> None:
    cell = cell_of(kind)
    leaves = [t.requires_grad_() for t in random_inputs(kind, 2)]
    assert torch.autograd.gradcheck(lambda *x: tuple(as_list(cell(list(x)))), leaves)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + numpy.exp(-x))


def test_lstm_is_the_equations_of_the_post() -> None:
    """(1) to (6) with numpy, from the parameters by their place in parameters(): forget, input, hidden, output."""
    lstm, (x, h, c) = LSTM(INPUTS, OUTPUTS), random_inputs("LSTM", BATCH)
    p = [t.detach().numpy() for t in lstm.torch7_parameters()[0]]
    assert [t.shape for t in p] == [
        *[(4, 3), (4,), (4, 4), (4,)] * 2,
        *[(4, 3), (4,), (4, 4)],
        *[(4, 3), (4,), (4, 4), (4,)],
    ]
    xn, hn, cn = x.numpy(), h.numpy(), c.numpy()
    f = sigmoid(xn @ p[0].T + p[1] + hn @ p[2].T + cn * p[3])
    i = sigmoid(xn @ p[4].T + p[5] + hn @ p[6].T + cn * p[7])
    z = numpy.tanh(xn @ p[8].T + p[9] + hn @ p[10].T)
    cell = f * cn + i * z
    o = sigmoid(xn @ p[11].T + p[12] + hn @ p[13].T + cell * p[14])
    output, new_cell = lstm.step_module.updateOutput([x, h, c])
    numpy.testing.assert_allclose(new_cell.numpy(), cell, rtol=1e-12)
    numpy.testing.assert_allclose(output.numpy(), o * numpy.tanh(cell), rtol=1e-12)


def test_gru_is_its_equations() -> None:
    gru, (x, h) = GRU(INPUTS, OUTPUTS), random_inputs("GRU", BATCH)
    p = [t.detach().numpy() for t in gru.torch7_parameters()[0]]
    xn, hn = x.numpy(), h.numpy()
    gates = sigmoid(xn @ p[0].T + p[1] + hn @ p[2].T)
    r, z = gates[:, :OUTPUTS], gates[:, OUTPUTS:]
    n = numpy.tanh(xn @ p[3].T + p[4] + (r * hn) @ p[5].T)
    output = gru.step_module.updateOutput([x, h])
    numpy.testing.assert_allclose(output.numpy(), (1 - z) * n + z * hn, rtol=1e-12)


def test_fast_lstm_is_pytorchs_with_its_gates_in_another_order() -> None:
    ours, theirs = FastLSTM(INPUTS, OUTPUTS), torch.nn.LSTM(INPUTS, OUTPUTS, dtype=torch.float64)

    def reordered(t: torch.Tensor) -> torch.Tensor:
        i, g, f, o = t.chunk(4)
        return torch.cat([i, f, g, o])

    w, b, u = (reordered(t.detach()) for t in ours.torch7_parameters()[0])
    theirs.load_state_dict(
        {"weight_ih_l0": w, "weight_hh_l0": u, "bias_ih_l0": b, "bias_hh_l0": torch.zeros_like(b)}
    )
    x = torch.randn(6, BATCH, INPUTS, dtype=torch.float64)
    torch.testing.assert_close(ours(x), theirs(x)[0], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", ["LSTM", "FastLSTM", "GRU"])
def test_a_changed_module_computes_in_place_of_the_kernel(kind: str) -> None:
    """The last gate's squashing function becomes one that gives zeros; a Sequential of the same modules tells
    what comes of that."""
    state = "torch.zeros(2, 4)" if kind == "GRU" else "torch.zeros(2, 4), torch.zeros(2, 4)"
    with Runtime() as runtime:
        runtime.execute(f"""
            require 'rnn'
            m = nn.{kind}({INPUTS}, {OUTPUTS})
            x = torch.randn(2, {INPUTS})
            before = m:forward(x):clone()
            local gates = m:findModules('nn.Sigmoid')
            m:replace(function(module)
               return module == gates[#gates] and nn.Sequential():add(nn.MulConstant(0)) or module
            end)
            m:forget()
            after = m:forward(x):clone()
            local plain = nn.Sequential()
            for k = 1, m.recurrentModule:size() do plain:add(m.recurrentModule:get(k)) end
            local o = plain:forward{{x, {state}}}
            expected = torch.isTensor(o) and o or o[1]
        """)
        before, after, expected = (runtime.globals[name] for name in ("before", "after", "expected"))
        assert not torch.equal(before, after)
        torch.testing.assert_close(after, expected, rtol=0, atol=0)


@pytest.mark.parametrize("method", ["backward", "updateGradInput"])
def test_a_change_between_the_passes_is_seen_by_the_second(method: str) -> None:
    with Runtime() as runtime:
        runtime.execute(f"""
            require 'rnn'
            m = nn.LSTM({INPUTS}, {OUTPUTS})
            x, g = torch.randn(2, {INPUTS}), torch.ones(2, {OUTPUTS})
            m:forward(x)
            local gate = m.outputGate
            gate:remove(3)
            gate:add(nn.MulConstant(0))
            gi = m:{method}(x, g)
        """)
        # With the output gate shut nothing depends on the input.
        assert runtime.execute("return gi:abs():sum()") == 0


def test_a_frozen_product_gets_no_gradient() -> None:
    with Runtime() as runtime:
        runtime.execute(f"""
            require 'rnn'
            m = nn.FastLSTM({INPUTS}, {OUTPUTS})
            x, g = torch.randn(2, {INPUTS}), torch.ones(2, {OUTPUTS})
            function train() m:zeroGradParameters() m:forget() m:forward(x) m:backward(x, g) end
            m.i2g.accGradParameters = function() end
            train()
        """)
        assert runtime.execute("return m.i2g.gradWeight:norm()") == 0
        assert runtime.execute("m.i2g.accGradParameters = nil train() return m.i2g.gradWeight:norm()") > 0


@pytest.mark.parametrize("kind", ["LSTM", "FastLSTM", "GRU"])
def test_dropout_of_the_gates(kind: str) -> None:
    """A sequence has its own masks; in evaluation nothing drops out, as when every p is set to 0."""
    arguments = {"LSTM": "9, true, 0.5", "FastLSTM": "9, nil, nil, true, 0.5", "GRU": "9, 0.5"}[kind]
    with Runtime() as runtime:
        runtime.execute(f"""
            require 'rnn'
            m = nn.{kind}({INPUTS}, {OUTPUTS}, {arguments})
            x = torch.randn(2, {INPUTS})
            a = m:forward(x):clone()
            m:backward(x, torch.ones(2, {OUTPUTS}))
            m:forget()
            b = m:forward(x):clone()
            drops = m:findModules('nn.Dropout')
            for _, drop in ipairs(drops) do drop.p = 0 end
            m:forget() c = m:forward(x):clone()
            m:evaluate() m:forget() d = m:forward(x):clone()
        """)
        a, b, c, d = (runtime.globals[name] for name in "abcd")
        assert not torch.equal(a, b)
        torch.testing.assert_close(c, d, rtol=1e-12, atol=1e-14)


def test_dropout_set_later_drops_out() -> None:
    """LSTM's gates hold Dropout(0): with another p they are no longer what the kernel computes."""
    with Runtime(seed=3) as runtime:
        runtime.execute(f"""
            require 'rnn'
            m = nn.LSTM({INPUTS}, {OUTPUTS})
            x = torch.randn(2, {INPUTS})
            a = m:forward(x):clone()
            for _, drop in ipairs(m:findModules('nn.Dropout')) do drop.p = 0.9 end
            m:forget() b = m:forward(x):clone()
        """)
        assert not torch.equal(runtime.globals["a"], runtime.globals["b"])


def test_clones_of_steps_share_parameters_and_keep_results_apart() -> None:
    lstm = FastLSTM(INPUTS, OUTPUTS)
    one, other = lstm.getStepModule(1), lstm.getStepModule(2)
    assert [
        a is b for a, b in zip(one.torch7_parameters()[0], other.torch7_parameters()[0], strict=True)
    ] == [True] * 3
    x, h, c = random_inputs("LSTM", BATCH)
    first = one.updateOutput([x, h, c])[0].clone()
    other.updateOutput([-x, h, c])
    torch.testing.assert_close(one.output[0], first, rtol=0, atol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_straight_into_the_parameters(kind: str) -> None:
    cell, inputs = cell_of(kind), random_inputs(kind, BATCH)
    found = protocol(cell, inputs, kind)
    parameters, buffers = cell.torch7_parameters()
    gradients = found[-len(parameters) :]
    expected = [p.detach() - 0.1 * g for p, g in zip(parameters, gradients, strict=True)]
    cell.zeroGradParameters()
    gradient = like(kind, [torch.full_like(o, 0.5 + n) for n, o in enumerate(as_list(cell.output))])
    cell.updateGradInput(inputs, gradient)
    cell.accUpdateGradParameters(inputs, gradient, 0.1)
    for parameter, wanted, buffer in zip(parameters, expected, buffers, strict=True):
        torch.testing.assert_close(parameter.detach(), wanted, rtol=1e-12, atol=1e-14)
        assert not buffer.any()


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_gradients_are_errors(kind: str) -> None:
    cell, inputs = cell_of(kind), random_inputs(kind, BATCH)
    outputs = as_list(cell.updateOutput(inputs))
    wrong = [torch.ones(BATCH + 1, OUTPUTS, dtype=torch.float64)] * len(outputs)
    with pytest.raises(TorchError, match="a gradOutput of 6x4 for an output of 5x4"):
        cell.updateGradInput(inputs, like(kind, wrong))
    with pytest.raises(TorchError, match="comes after updateGradInput"):
        cell.accGradParameters(inputs, like(kind, outputs))


@pytest.mark.parametrize("layer", ["nn.LSTM(3, 4)", "nn.FastLSTM(3, 4)", "nn.GRU(3, 4)"])
def test_a_cell_that_was_saved_is_one_when_it_is_read(runtime: Runtime, layer: str) -> None:
    """A file has its tree alone. Reading draws no random numbers, and steps are the same to the last bit."""
    runtime.execute(f"""
        require 'rnn'
        torch.manualSeed(3)
        m = nn.Sequencer({layer})
        x = {{torch.randn(2, 3), torch.randn(2, 3), torch.randn(2, 3)}}
        m:forward(x)
        local text = torch.serialize(m)
        torch.manualSeed(5)
        read = torch.deserialize(text)
        drawn = torch.uniform()
        torch.manualSeed(5)
        wanted = torch.uniform()
        function steps(m)
           local g = {{}}
           for i, y in ipairs(m:forward(x)) do g[i] = y:clone():mul(2) end
           m:zeroGradParameters()
           m:backward(x, g)
           local _, gradients = m:parameters()
           return gradients
        end
        a, b = steps(m), steps(read)
    """)
    assert runtime.globals["drawn"] == runtime.globals["wanted"]
    stepped: Any = runtime.globals["read"].module
    assert isinstance(stepped.step_module, Cell)
    assert stepped.step_module.intact()
    pairs = list(zip(runtime.globals["a"], runtime.globals["b"], strict=True))
    assert len(pairs) >= 3
    for one, other in pairs:
        assert torch.equal(one, other)


def test_another_tree_in_a_file_is_no_cell(runtime: Runtime) -> None:
    runtime.execute("""
        require 'rnn'
        m = nn.FastLSTM(3, 4)
        m.recurrentModule:get(1):get(1):get(6).modules[1] = nn.Tanh()
        read = torch.deserialize(torch.serialize(m))
        x = torch.randn(2, 3)
        same = (read:forward(x) - m:forward(x)):abs():max()
    """)
    assert not isinstance(runtime.globals["read"].step_module, Cell)
    assert runtime.globals["same"] == 0
