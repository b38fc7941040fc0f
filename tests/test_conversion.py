"""What is in a ``.t7`` file, in the formats of others, each read back by the library whose format it is."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

import torch7py
from tests.t7.golden_files import described, unpack
from torch7py import T7Object, Table, nn
from torch7py.conversion import contents, entry, model_in, parse_input, to_npz, to_onnx, to_pt, to_safetensors
from torch7py.nn.gmodule import GModule
from torch7py.nn.graph import Node
from torch7py.ops.errors import TorchError


def golden(name: str, *path: str) -> torch.Tensor:
    """A tensor of a golden file, from its description."""
    value = described()[name]
    for key in path:
        value = {k: v for k, v in value["items"] if not isinstance(k, dict)}[key]
    return torch.tensor(value["data"], dtype=torch.float64).reshape(value["size"])


def read_safetensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118


def test_a_layer(tmp_path: Path) -> None:
    layer = torch7py.load(unpack(tmp_path, "nn_linear.binary.t7"))
    weight, bias = golden("nn_linear", "weight"), golden("nn_linear", "bias")
    to_safetensors(layer, tmp_path / "a.safetensors", ())
    tensors, metadata = read_safetensors(tmp_path / "a.safetensors")
    assert tensors.keys() == {"weight", "bias"}
    assert torch.equal(tensors["weight"], weight)
    assert json.loads(metadata["classes"]) == {"": "nn.Linear"}
    to_pt(layer, tmp_path / "a.pt", ())
    state = torch.load(tmp_path / "a.pt", weights_only=True)
    port = torch.nn.Linear(3, 2, dtype=torch.float64)
    port.load_state_dict(state)
    assert torch.equal(port.bias, bias)
    to_npz(layer, tmp_path / "a.npz", ())
    with np.load(tmp_path / "a.npz") as arrays:
        assert set(arrays) == {"weight", "bias"}
        assert np.array_equal(arrays["weight"], weight.numpy())


def test_tied_weights_are_aliases(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3))
    model[2].share(model[0], "weight")
    to_safetensors(model, tmp_path / "a.safetensors", ())
    tensors, metadata = read_safetensors(tmp_path / "a.safetensors")
    assert tensors.keys() == {"0.weight", "0.bias", "2.bias"}
    assert json.loads(metadata["aliases"]) == {"2.weight": "0.weight"}
    to_npz(model, tmp_path / "a.npz", ())
    with np.load(tmp_path / "a.npz") as arrays:
        assert np.array_equal(arrays["2.weight"], arrays["0.weight"])


def test_a_model_on_several_gpus_has_the_names_of_its_module(tmp_path: Path) -> None:
    """Alone, and inside and around others."""

    def parallel(inner: Any) -> T7Object:
        fields = {"_type": "torch.CudaTensor", "typeStr": "torch.CudaTensor", "dimension": 1}
        listed = Table({**fields, "gpuAssignments": Table.of([1, 2]), "modules": Table.of([inner])})
        return T7Object("nn.DataParallelTable", [Table.of([1, 2]), listed], 3)

    inner = T7Object("nn.Sequential", [Table({"modules": Table.of([parallel(nn.Linear(2, 3)), nn.Tanh()])})])
    outer = T7Object("nn.Sequential", [Table({"modules": Table.of([parallel(inner), nn.Linear(3, 1)])})])
    for model, names, classes in (
        (parallel(nn.Linear(2, 3)), {"weight", "bias"}, {"": "nn.Linear"}),
        (
            outer,
            {"0.0.weight", "0.0.bias", "1.weight", "1.bias"},
            {
                "": "nn.Sequential",
                "0": "nn.Sequential",
                "0.0": "nn.Linear",
                "0.1": "nn.Tanh",
                "1": "nn.Linear",
            },
        ),
    ):
        torch7py.save(model, tmp_path / "a.t7")
        loaded = torch7py.load(tmp_path / "a.t7")
        to_safetensors(loaded, tmp_path / "a.safetensors", ())
        tensors, metadata = read_safetensors(tmp_path / "a.safetensors")
        assert tensors.keys() == names
        assert json.loads(metadata["classes"]) == classes
        to_pt(loaded, tmp_path / "a.pt", ())
        assert torch.load(tmp_path / "a.pt", weights_only=True).keys() == names


def test_weights_in_one_flat_tensor_are_tensors_of_their_own(tmp_path: Path) -> None:
    checkpoint = torch7py.load(unpack(tmp_path, "nn_flattened.binary.t7"))
    to_safetensors(checkpoint, tmp_path / "a.safetensors", ())
    tensors, _ = read_safetensors(tmp_path / "a.safetensors")
    flat = tensors["p"]
    parts = [tensors[f"model.{n}.{kind}"].flatten() for n in (0, 2) for kind in ("weight", "bias")]
    assert torch.equal(torch.cat(parts), flat)


def test_a_checkpoint_keeps_its_numbers_and_strings(tmp_path: Path) -> None:
    checkpoint = torch7py.load(unpack(tmp_path, "checkpoint_charrnn_like.binary.t7"))
    to_safetensors(checkpoint, tmp_path / "a.safetensors", ())
    tensors, metadata = read_safetensors(tmp_path / "a.safetensors")
    assert {"protos.rnn.0.weight", "protos.rnn.0.bias"} <= tensors.keys()
    values = json.loads(metadata["values"])
    assert values["opt.rnn_size"] == 4
    assert values["val_losses.1000"] == 2.5
    to_pt(checkpoint, tmp_path / "a.pt", ())
    found = torch.load(tmp_path / "a.pt", weights_only=True)
    assert found["opt"]["rnn_size"] == 4
    assert found["train_losses"] == [3.1, 2.2]
    assert torch.equal(found["protos"]["rnn"]["0.weight"], tensors["protos.rnn.0.weight"])


def test_what_has_no_place_is_named(tmp_path: Path) -> None:
    found = contents(torch7py.load(unpack(tmp_path, "function_in_table.binary.t7")))
    assert any("Function" in text for text in found.left_out)
    with pytest.raises(TorchError, match="no tensor"):
        to_safetensors(torch7py.Table({"a": 1}), tmp_path / "a.safetensors", ())
    assert not (tmp_path / "a.safetensors").exists()


def test_a_table_that_is_deeper_than_a_pickle_can_be_is_refused(tmp_path: Path) -> None:
    root = inner = torch7py.Table()
    for _ in range(5000):
        inner["x"] = torch7py.Table()
        inner = inner["x"]
    inner["weight"] = torch.ones(2)
    with pytest.raises(TorchError, match="inside each other"):
        to_pt(root, tmp_path / "a.pt", ())
    assert contents(root).tensors.keys() == {".".join(["x"] * 5000 + ["weight"])}


def test_names_that_only_a_zip_takes(tmp_path: Path) -> None:
    to_npz(torch7py.Table({"file": torch.ones(1), "allow_pickle": torch.zeros(1)}), tmp_path / "a.npz", ())
    with np.load(tmp_path / "a.npz") as arrays:
        assert set(arrays) == {"file", "allow_pickle"}


def test_entries_and_models_are_found() -> None:
    model = nn.Sequential(nn.Linear(2, 2))
    root = torch7py.Table({"a": torch7py.Table.of([model, nn.MSECriterion()]), "n": 1})
    assert entry(root, "a.1") is model
    assert entry(root, "") is root
    assert model_in(root) is model
    with pytest.raises(TorchError, match="'b'"):
        entry(root, "a.b")
    root["b"] = nn.Tanh()
    with pytest.raises(TorchError, match=r"2 models in the file \(a.1, b\)"):
        model_in(root)
    with pytest.raises(TorchError, match="no model"):
        model_in(torch7py.Table())


def test_inputs_are_written_as_sizes() -> None:
    assert parse_input("1x3x4").shape == (1, 3, 4)
    assert parse_input("5x3:long").dtype == torch.int64
    for wrong in ("", "3x", "axb", "3:quad"):
        with pytest.raises(TorchError, match="is no input"):
            parse_input(wrong)


def test_a_failed_conversion_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(b"old")
    with pytest.raises(TorchError):
        to_pt(torch7py.T7Function(b"", None), tmp_path / "a.pt", ())
    assert (tmp_path / "a.pt").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.pt"]


needs_onnx = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxscript", "onnxruntime")),
    reason="the extra onnx, and onnxruntime, are not installed",
)


@pytest.mark.skipif(importlib.util.find_spec("onnx") is not None, reason="onnx is installed")
def test_without_onnx_the_error_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(TorchError, match=r"-m pip install .*onnx"):
        to_onnx(nn.Linear(2, 2), tmp_path / "a.onnx", ["1x2"])


@needs_onnx
def test_onnx_gives_what_the_model_gives(tmp_path: Path) -> None:
    import onnxruntime  # type: ignore[import-not-found, unused-ignore]

    convolutions = nn.Sequential(
        nn.SpatialConvolution(1, 4, 3, 3),
        nn.SpatialBatchNormalization(4),
        nn.ReLU(),
        nn.SpatialMaxPooling(2, 2),
        nn.View(4 * 3 * 3),
        nn.Linear(36, 5),
        nn.LogSoftMax(),
    )
    a, b = Node(nn.Linear(4, 3)), Node(nn.Linear(4, 3))
    graph = GModule([a, b], [Node(nn.CAddTable(), a, b)])
    models: tuple[tuple[Any, list[str]], ...] = ((convolutions, ["2x1x8x8"]), (graph, ["2x4", "2x4"]))
    for model, sizes in models:
        to_onnx(model, tmp_path / "a.onnx", sizes)
        session = onnxruntime.InferenceSession(tmp_path / "a.onnx")
        inputs = [torch.randn(tuple(map(int, size.split("x")))) for size in sizes]
        given = {put.name: value.numpy() for put, value in zip(session.get_inputs(), inputs, strict=True)}
        wanted = model(inputs if len(inputs) > 1 else inputs[0])
        assert torch.allclose(torch.from_numpy(session.run(None, given)[0]), wanted, atol=1e-5)


@needs_onnx
def test_a_step_of_a_recurrent_layer_is_its_first(tmp_path: Path) -> None:
    import onnxruntime  # type: ignore[import-not-found, unused-ignore]

    model: Any = torch7py.load(unpack(tmp_path, "nn_lstm_fwd.binary.t7"))["model"].float()
    to_onnx(model, tmp_path / "a.onnx", ["2x4"])
    x = torch.randn(2, 4)
    session = onnxruntime.InferenceSession(tmp_path / "a.onnx")
    found = session.run(None, {session.get_inputs()[0].name: x.numpy()})[0]
    model.forget()
    assert torch.allclose(torch.from_numpy(found), model(x), atol=1e-6)
