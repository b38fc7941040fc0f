"""cudnn's recurrent layers against torch.nn.LSTM and its kin, whose weights are packed here by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import torch

import torch7py
import torch7py.files
from tests.inner_runtime import InnerRuntime as Runtime
from torch7py import T7Error, T7Object, Table
from torch7py.bridge.errors import LuaError
from torch7py.nn.registry import layers
from torch7py.ops import types
from torch7py.ops.errors import TorchError

torch7py.files.register_layers()

KINDS: dict[str, Any] = {
    "LSTM": torch.nn.LSTM,
    "BLSTM": torch.nn.LSTM,
    "GRU": torch.nn.GRU,
    "BGRU": torch.nn.GRU,
    "RNN": lambda *a, **k: torch.nn.RNN(*a, nonlinearity="relu", **k),
    "RNNReLU": lambda *a, **k: torch.nn.RNN(*a, nonlinearity="relu", **k),
    "RNNTanh": torch.nn.RNN,
}
SIZES = (4, 5, 2)


def port_of(name: str) -> Any:
    torch.manual_seed(7)
    return KINDS[name](*SIZES, bidirectional=name.startswith("B"))


def packed(port: Any) -> torch.Tensor:
    """All matrices, then all vectors, in cuDNN's order."""
    weights = [p for n, p in port.named_parameters() if n.startswith("weight")]
    biases = [p for n, p in port.named_parameters() if n.startswith("bias")]
    return torch.cat([p.detach().reshape(-1) for p in (*weights, *biases)])


def layer_of(name: str, port: Any, **options: Any) -> Any:
    made: Any = cast(Any, layers[f"cudnn.{name}"])(*SIZES, **options)
    with torch.no_grad():
        made.weight.copy_(packed(port))
    return made


@pytest.mark.parametrize("name", KINDS)
def test_outputs_states_and_gradients(name: str) -> None:
    port = port_of(name)
    made = layer_of(name, port)
    assert made.weight.numel() == sum(p.numel() for p in port.parameters())
    x: Any = torch.randn(6, 3, 4, requires_grad=True)
    wanted, states = port(x)
    gradient = torch.randn(wanted.shape)
    wanted.backward(gradient)
    made.zeroGradParameters()
    assert torch.allclose(made.torch7_forward(x.detach()), wanted, atol=1e-6)
    hidden = states[0] if isinstance(states, tuple) else states
    assert torch.allclose(made.hiddenOutput, hidden, atol=1e-6)
    if isinstance(states, tuple):
        assert torch.allclose(made.cellOutput, states[1], atol=1e-6)
    made.backward(x.detach(), gradient, 2)
    assert torch.allclose(made.gradInput, x.grad, atol=1e-5)
    weights = [p for n, p in port.named_parameters() if n.startswith("weight")]
    biases = [p for n, p in port.named_parameters() if n.startswith("bias")]
    of_weight = torch.cat([p.grad.reshape(-1) for p in (*weights, *biases)])
    assert torch.allclose(made.gradient("weight"), 2 * of_weight, atol=1e-5)
    assert torch.allclose(made(x), wanted, atol=1e-6)  # and as a layer of PyTorch
    made.eval()
    assert torch.allclose(made.torch7_forward(x.detach()), wanted, atol=1e-6)
    with pytest.raises(TorchError, match="a backward needs training mode"):
        made.backward(x.detach(), gradient)


@pytest.mark.parametrize("mode", ["CUDNN_RNN_RELU", "CUDNN_RNN_TANH", "CUDNN_GRU", "CUDNN_LSTM"])
def test_a_layer_made_over_takes_its_input_as_it_is_in_both_directions(mode: str) -> None:
    """Beside PyTorch's layer with identities for the input's matrices."""
    made: Any = cast("Any", layers["cudnn.RNN"])(5, 5, 2)
    settings = {"mode": mode, "inputMode": "CUDNN_SKIP_INPUT", "bidirectional": "CUDNN_BIDIRECTIONAL"}
    made.__dict__.update(settings, numDirections=2)
    with pytest.raises(TorchError, match=r"reset\(\) gives it its size"):
        made.torch7_forward(torch.randn(4, 3, 5))
    before = made.weight
    made.reset()
    kind = {"GRU": torch.nn.GRU, "LSTM": torch.nn.LSTM}.get(mode[6:])
    nonlinearity = {} if kind else {"nonlinearity": mode[-4:].lower()}
    port = (kind or torch.nn.RNN)(5, 5, 2, bidirectional=True, **nonlinearity)
    gates = len(port.weight_ih_l0) // 5
    with torch.no_grad():
        for weight in (port.weight_ih_l0, port.weight_ih_l0_reverse):
            weight.copy_(torch.eye(5).repeat(gates, 1))
    named = dict(port.named_parameters())
    skipped = ("weight_ih_l0", "weight_ih_l0_reverse")
    order = [n for n in named if n.startswith("weight") and n not in skipped]
    order += [n for n in named if n.startswith("bias")]
    assert made.weight is before
    assert made.weight.numel() == made.gradient("weight").numel() == sum(named[n].numel() for n in order)
    made.weight.data.copy_(torch.cat([named[n].data.reshape(-1) for n in order]))
    x: Any = torch.randn(4, 3, 5, requires_grad=True)
    wanted, _ = port(x)
    gradient = torch.randn(wanted.shape)
    wanted.backward(gradient)
    assert torch.allclose(made.torch7_forward(x.detach()), wanted, atol=1e-6)
    made.backward(x.detach(), gradient)
    assert torch.allclose(made.gradInput, x.grad, atol=1e-5)
    of_weight = torch.cat([cast("Any", named[n].grad).reshape(-1) for n in order])
    assert torch.allclose(made.gradient("weight"), of_weight, atol=1e-5)
    made.__dict__["hiddenSize"] = 4
    with pytest.raises(TorchError, match="is for inputs of the hidden size 4, not of 5"):
        made.reset()


@pytest.mark.parametrize("name", ["LSTM", "BGRU"])
def test_the_batch_first_and_sequences_of_several_lengths(name: str) -> None:
    port = port_of(name)
    x, lengths = torch.randn(6, 3, 4), [6, 4, 1]
    made = layer_of(name, port, batchFirst=True)
    assert torch.allclose(made.torch7_forward(x.transpose(0, 1)), port(x)[0].transpose(0, 1), atol=1e-6)
    gradient = torch.randn(3, 6, made.output.shape[2])
    assert made.updateGradInput(x.transpose(0, 1), gradient).shape == (3, 6, 4)
    pack = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths))
    wanted, _ = port(pack)
    given = made.packPaddedSequence(x, [float(length) for length in lengths])
    assert torch.equal(given[0], pack.data)
    assert given[1] == pack.batch_sizes.tolist()
    output = made.torch7_forward(given)
    assert torch.allclose(output, wanted.data, atol=1e-6)
    leaf: Any = pack.data.clone().requires_grad_()
    port(torch.nn.utils.rnn.PackedSequence(leaf, pack.batch_sizes))[0].data.square().sum().backward()
    assert torch.allclose(made.updateGradInput(given, 2 * output), leaf.grad, atol=1e-5)
    padded, counts = made.padPackedSequence([output, given[1]])
    assert counts == lengths
    assert torch.allclose(padded, torch.nn.utils.rnn.pad_packed_sequence(wanted)[0], atol=1e-6)


def test_packed_sequences_keep_their_type() -> None:
    with Runtime(cuda_as="cpu") as runtime:
        found = runtime.execute(
            """
            require 'cudnn'
            local x, first = torch.CudaIntTensor(3, 2, 1):fill(4), {}
            for _, batch_first in ipairs{false, true} do
               local packed = cudnn.RNN:packPaddedSequence(x, batch_first and {2, 2, 1} or {3, 1}, batch_first)
               local padded = cudnn.RNN:padPackedSequence(packed, batch_first)
               first[#first + 1] = torch.type(packed[1]) .. ' ' .. torch.type(padded)
            end
            return first[1], first[2], cudnn.LSTM(2, 3, 1, false, false).dropout
            """
        )
    assert found == (*["torch.CudaIntTensor torch.CudaIntTensor"] * 2, 0)


def test_states_go_in_and_come_out_with_their_gradients() -> None:
    port = port_of("LSTM")
    made = layer_of("LSTM", port)
    x = torch.randn(6, 3, 4)
    h: Any = torch.randn(2, 3, 5, requires_grad=True)
    c: Any = torch.randn(2, 3, 5, requires_grad=True)
    y, (last_h, last_c) = port(x, (h, c))
    of_y, of_h, of_c = torch.randn(y.shape), torch.randn(h.shape), torch.randn(c.shape)
    torch.autograd.backward([y, last_h, last_c], [of_y, of_h, of_c])
    made.__dict__.update(
        hiddenInput=h.detach(), cellInput=c.detach(), gradHiddenOutput=of_h, gradCellOutput=of_c
    )
    assert torch.allclose(made.torch7_forward(x), y, atol=1e-6)
    made.updateGradInput(x, of_y)
    assert torch.allclose(made.gradHiddenInput, h.grad, atol=1e-5)
    assert torch.allclose(made.gradCellInput, c.grad, atol=1e-5)
    made.__dict__["hiddenInput"] = torch.zeros(1, 3, 5)
    with pytest.raises(TorchError, match="hiddenInput is 1x3x5, not 2x3x5"):
        made.torch7_forward(x)


def test_states_are_remembered_until_they_are_reset() -> None:
    port = port_of("GRU")
    made = layer_of("GRU", port, rememberStates=True)
    x = torch.randn(6, 3, 4)
    wanted = port(x)[0]
    halves = [made.torch7_forward(part).clone() for part in (x[:2], x[2:])]
    assert torch.allclose(torch.cat(halves), wanted, atol=1e-6)
    made.resetStates()
    assert torch.allclose(made.torch7_forward(x[:2]), wanted[:2], atol=1e-6)


def test_dropout_lies_between_the_layers_and_a_backward_sees_the_same() -> None:
    port = port_of("LSTM")
    made = layer_of("LSTM", port, dropout=0.5)
    x = torch.randn(6, 3, 4)
    first = made.torch7_forward(x).clone()
    assert not torch.allclose(first, made.torch7_forward(x))
    first = made.output.clone()
    gradient = torch.ones_like(first)
    of_x = made.updateGradInput(x, gradient).clone()
    other = x.clone()  # other memory: the graph is made anew, with the same masks
    assert torch.allclose(made.updateGradInput(other, gradient), of_x)
    made.eval()
    assert torch.allclose(made.torch7_forward(x), port(x)[0], atol=1e-6)


@pytest.mark.parametrize("name", KINDS)
def test_a_saved_one_comes_alive(tmp_path: Path, name: str) -> None:
    """The fields that cudnn.torch writes, with the types of a GPU."""
    port = port_of(name)
    cuda = types.BY_NAME["Cuda"]
    weight = types.label(packed(port), cuda)
    both = name.startswith("B")
    mode = {"GRU": "CUDNN_GRU", "LST": "CUDNN_LSTM"}.get(name.lstrip("B")[:3], "CUDNN_RNN_RELU")
    fields = {
        "_type": "torch.CudaTensor",
        "datatype": "CUDNN_DATA_FLOAT",
        "inputSize": 4,
        "hiddenSize": 5,
        "numLayers": 2,
        "seqLength": 1,
        "miniBatch": 1,
        "bidirectional": "CUDNN_BIDIRECTIONAL" if both else "CUDNN_UNIDIRECTIONAL",
        "numDirections": 2 if both else 1,
        "inputMode": "CUDNN_LINEAR_INPUT",
        "mode": "CUDNN_RNN_TANH" if name == "RNNTanh" else mode,
        "dropout": 0,
        "dropoutStatesSize": 128,
        "seed": 0x01234567,
        "batchFirst": False,
        "rememberStates": False,
        "sync": True,
        "inputPacked": False,
        "train": False,
        "weight": weight,
        "gradWeight": types.label(torch.zeros_like(weight), cuda),
        "reserve": types.label(torch.empty(0), cuda),
        "output": types.label(torch.empty(0), cuda),
        "gradInput": types.label(torch.empty(0), cuda),
        "hiddenOutput": types.label(torch.empty(0), cuda),
        "cellOutput": types.label(torch.empty(0), cuda),
    }
    path = tmp_path / "a.t7"
    torch7py.save(T7Object(f"cudnn.{name}", [Table(fields)]), path)
    made = torch7py.load(path)
    torch7py.save(made, tmp_path / "again.t7")
    assert (tmp_path / "again.t7").read_bytes() == path.read_bytes()
    x = torch.randn(6, 3, 4)
    assert torch.allclose(made(x), port(x)[0], atol=1e-6)
    del fields["weight"]
    torch7py.save(T7Object(f"cudnn.{name}", [Table(fields)]), path)
    with pytest.raises(T7Error, match="a weight of 0 elements"):
        torch7py.load(path)
    for claim, message in (
        ({"numLayers": 10**9}, "does not fit the sizes"),
        ({"hiddenSize": 0.5}, "its sizes are"),
        ({"hiddenSize": "x"}, "its sizes are"),
        ({"numDirections": 3}, "its sizes are"),
        ({"mode": "CUDNN_OTHER"}, "the mode 'CUDNN_OTHER'"),
        ({"weight": torch.zeros(1).expand(10**9), "numLayers": 10**9}, "is not one piece of memory"),
    ):
        torch7py.save(T7Object(f"cudnn.{name}", [Table({**fields, "weight": weight, **claim})]), path)
        with pytest.raises(T7Error, match=message):
            torch7py.load(path)


@pytest.fixture(scope="module")
def cuda() -> Iterator[Runtime]:
    runtime = Runtime(cuda_as="cpu", seed=1)
    runtime.execute("require 'cunn' require 'cudnn'")
    yield runtime
    runtime.close()


def test_in_a_script(cuda: Runtime) -> None:
    cuda.execute("""
        m = cudnn.LSTM(4, 5, 2, true)
        x = torch.CudaTensor(3, 6, 4):uniform(-1, 1)
        y = m:forward(x)
        g = m:backward(x, y:clone():fill(1))
        parts, biases = m:weights(), m:biases()
    """)
    assert cuda.execute("return torch.type(m.weight), torch.type(y)") == ("torch.CudaTensor",) * 2
    assert cuda.execute("return #parts, #parts[1], #biases[2], parts[1][1]:size(1)") == (2, 8, 8, 20)
    port = torch.nn.LSTM(4, 5, 2, batch_first=True)
    weight, at = cuda.globals["m"].weight.detach(), 0
    names = [n for n, _ in port.named_parameters()]
    for wanted in ("weight", "bias"):
        for name in (n for n in names if n.startswith(wanted)):
            target = port.get_parameter(name)
            target.data.copy_(weight[at : at + target.numel()].view_as(target))
            at += target.numel()
    assert torch.allclose(cuda.globals["y"], port(cuda.globals["x"])[0], atol=1e-6)
    cuda.execute("m2 = torch.deserialize(torch.serialize(m)) same = m2:forward(x):equal(y)")
    assert cuda.globals["same"] is True
    with pytest.raises(LuaError, match=r"t\.lua:1: cudnn\.GRU: .*3 dimensions"):
        cuda.execute("cudnn.GRU(4, 5, 1):forward(torch.CudaTensor(3, 4))", "=t.lua")
    with pytest.raises(LuaError, match="hiddenSize"):
        cuda.execute("cudnn.GRU(4, 0, 1)")
