"""Inputs that are told from a model's layers, and pages verified on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import torch7py
from tests.golden_cases import Case, identify
from tests.inner_runtime import InnerRuntime as Runtime
from tests.translate.test_golden_models import CASES, WITHOUT
from torch7py.ops.errors import TorchError
from torch7py.translate.example_input import criterion_example, example_of
from torch7py.translate.files import translate_file, verify_file
from torch7py.translate.input_sizes import Shape, make
from torch7py.translate.layers.shapes import shape_of
from torch7py.translate.model import layer_of, translate_criterion, translate_model
from torch7py.translate.verify import Different, verify_class, verify_criterion, verify_model


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    shared = Runtime()
    shared.execute("require 'rnn' require 'nngraph'")
    yield shared
    shared.close()


CONVOLUTION = "nn.Sequential():add(nn.SpatialConvolution(1, 6, 5, 5))"


def shape(runtime: Runtime, source: str) -> Any:
    model = runtime.execute(f"return {source}")
    return shape_of(example_of(model, layer_of(model)))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("nn.Linear(4, 3)", (3, 4)),
        ("nn.Sequential():add(nn.Tanh()):add(nn.Dropout()):add(nn.Linear(4, 3))", (3, 4)),
        ("nn.Sequential():add(nn.Reshape(12)):add(nn.Linear(12, 3))", (3, 12)),
        ("nn.ParallelTable():add(nn.Linear(4, 3)):add(nn.Linear(5, 3))", [(3, 4), (3, 5)]),
        (
            "nn.Sequential():add(nn.ConcatTable():add(nn.Identity()):add(nn.Linear(4, 3))):add(nn.JoinTable(2))",
            (3, 4),
        ),
        ("nn.Sequential():add(nn.JoinTable(2)):add(nn.Linear(5, 3))", [(3, 2), (3, 3)]),
        ("nn.Sequential():add(nn.CAddTable()):add(nn.Linear(5, 3))", [(3, 5), (3, 5)]),
        ("nn.Sequential():add(nn.SelectTable(2)):add(nn.Linear(5, 3))", [(3, 7), (3, 5)]),
        ("nn.Sequencer(nn.Linear(4, 3))", [(3, 4)] * 5),
        ("nn.Sequencer(nn.LookupTable(9, 3))", [(3,)] * 5),
        ("nn.SeqLSTM(4, 3)", (5, 3, 4)),
        ("nn.Sequential():add(nn.SplitTable(1)):add(nn.Sequencer(nn.LSTM(4, 3)))", (5, 3, 4)),
        (
            "nn.Sequential():add(nn.LookupTable(9, 4)):add(nn.SplitTable(1)):add(nn.Sequencer(nn.LSTM(4, 3)))",
            (5, 3),
        ),
        (
            f"{CONVOLUTION}:add(nn.SpatialMaxPooling(2, 2)):add(nn.View(6 * 12 * 12)):add(nn.Linear(864, 10))",
            (3, 1, 28, 28),
        ),
        (
            f"{CONVOLUTION}:add(nn.View(-1, 6 * 16 * 16)):add(nn.Linear(1536, 10))",
            (3, 1, 20, 20),
        ),
        ("nn.Sequential():add(nn.Linear(4, 3)):add(nn.View(5)):add(nn.Linear(5, 10))", None),
        ("nn.Sequential():add(nn.Transpose({1, 2})):add(nn.Linear(4, 3))", (4, 3)),
        ("nn.Concat(1):add(nn.Linear(4, 3)):add(nn.Linear(4, 3))", (3, 4)),
        ("nn.Linear(4, 3):float()", (3, 4)),
    ],
)
def test_inputs_told_from_layers(runtime: Runtime, source: str, expected: Any) -> None:
    assert shape(runtime, source) == expected


def test_inputs_of_a_graph(runtime: Runtime) -> None:
    graph = """(function()
        local x, h, c = nn.Identity()(), nn.Identity()(), nn.Identity()()
        local sum = nn.CAddTable()({nn.Linear(5, 7)(x), nn.Linear(4, 7)(h)})
        local next_c = nn.CMulTable()({nn.Sigmoid()(sum), nn.Linear(3, 7)(c)})
        return nn.gModule({x, h, c}, {next_c, nn.Linear(7, 2)(next_c)})
    end)()"""
    assert shape(runtime, graph) == [(3, 5), (3, 4), (3, 3)]


def test_items_are_whole_numbers_in_range(runtime: Runtime) -> None:
    model = runtime.execute("return nn.LookupTable(4, 3)")
    x = example_of(model, layer_of(model))
    assert set(x.flatten().tolist()) <= {1, 2, 3, 4}


def test_a_saved_gradient_tells_the_size(runtime: Runtime) -> None:
    assert shape(
        runtime,
        """(function()
            local m = nn.Sequential():add(nn.SpatialConvolution(1, 2, 3, 3))
            m:add(nn.View(2 * 5 * 7)):add(nn.Linear(70, 2))
            local x = torch.randn(2, 1, 7, 9)
            m:backward(x, m:forward(x))
            return m
        end)()""",
    ) == (2, 1, 7, 9)


TELLING = [case for case in CASES if case["expr"] not in WITHOUT]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("recorded", TELLING, ids=identify)
def test_every_layer_is_the_same_on_what_it_tells(runtime: Runtime, recorded: dict[str, Any]) -> None:
    """Other inputs than the recorded ones: in batches, of other sizes."""
    case = Case(runtime, recorded)
    case.make()
    module = case.get("m")
    x = example_of(module, layer_of(module))
    if x is None:
        assert recorded["expr"].startswith(SILENT), "its input could be told once"
    else:
        verify_model(module, translate_model(module, example=x), x)


SILENT = (
    "nn.NCEModule",
    "nn.PartialLinear",
    "nn.SparseLinear",
    "nn.Transpose",
    "nn.PixelShuffle",
    "nn.UpSampling",
    "nn.Index(",
    "nn.MaskedSelect",
    "nn.GatedLinearUnit",
    "nn.CAddTensorTable",
    "nn.NarrowTable",
    "nn.FlattenTable",
    "nn.MM",
    "nn.MV",
    "nn.ZipTable",
    "nn.Parallel(",
    "nn.ReverseTable",
)


def test_a_wrong_page_is_seen(runtime: Runtime) -> None:
    model = runtime.execute("return nn.Sequential():add(nn.Linear(4, 3)):add(nn.Tanh()):add(nn.Linear(3, 2))")
    source = translate_model(model)
    (cls,) = source.classes
    x = example_of(model, layer_of(model))
    assert verify_class(model, source.code, cls, x).largest < 1e-12
    for wrong in ("torch.sigmoid", "torch.tan"):
        with pytest.raises(Different, match="off by"):
            verify_class(model, source.code.replace("torch.tanh", wrong), cls, x)
    detached = source.code.replace("torch.tanh(self.linear1(x))", "torch.tanh(self.linear1(x)).detach()")
    assert detached != source.code
    with pytest.raises(Different, match=r"gradient of"):
        verify_class(model, detached, cls, x)
    with pytest.raises(Different, match="one of the two fails: TypeError"):
        verify_class(model, source.code.replace("torch.tanh(", "torch.cat("), cls, x)


@pytest.mark.parametrize(
    "source",
    [
        "nn.ClassNLLCriterion()",
        "nn.ClassNLLCriterion(torch.Tensor{1, 2, 3})",
        "nn.CrossEntropyCriterion()",
        "nn.MSECriterion()",
        "nn.BCECriterion()",
        "nn.DistKLDivCriterion()",
        "nn.SequencerCriterion(nn.ClassNLLCriterion())",
        "nn.RepeaterCriterion(nn.MSECriterion())",
        "nn.RepeaterCriterion(nn.BCECriterion())",
        "nn.ClassSimplexCriterion(7)",
        "nn.MultiLabelSoftMarginCriterion()",
        "nn.WeightedMSECriterion(torch.range(1, 7))",
    ],
)
def test_criterions(runtime: Runtime, source: str) -> None:
    criterion = runtime.execute(f"return {source}")
    found = criterion_example(criterion, layer_of(criterion))
    assert found is not None
    assert verify_criterion(criterion, translate_criterion(criterion), *found).largest < 1e-10


def test_a_file_of_several_models(runtime: Runtime, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.t7"
    model, other, criterion = runtime.execute(
        "return nn.Linear(4, 3):float(), nn.Sequential():add(nn.FlattenTable()):add(nn.JoinTable(1)), nn.MSECriterion()"
    )
    torch7py.save({"model": model, "other": other, "criterion": criterion}, path)
    source = translate_file(path)
    found = verify_file(source)
    assert set(found) == {"Model", "Other", "criterion"}
    assert max(comparison.largest for comparison in found.values()) < 1e-12
    source = translate_file(path, {"Model": Shape((2, 4))})
    (cls,) = (cls for cls in source.classes if cls.name == "Model")
    assert cls.example.shape == (2, 4)
    assert cls.example.dtype == torch.float32
    with pytest.raises(TorchError, match="the model Model does not run on an input of the size given"):
        translate_file(path, {"Model": Shape((2, 5))})
    assert make(Shape((2, 2)), torch.float64).equal(make(Shape((2, 2)), torch.float64))


LENET = '''\
class Model(nn.Module):
    """Translated from Torch7.

    Takes (batch, 1, 28, 28), gives (batch, 10).
    """

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 6, 5)  # nn.SpatialConvolution
        self.linear = nn.Linear(864, 10)

    def forward(self, x):
        x = F.max_pool2d(torch.tanh(self.conv(x)), 2).flatten(1)  # (batch, 864)
        return F.log_softmax(self.linear(x), dim=-1)
'''


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("nn.Linear(4, 3)", "(batch, 4), gives (batch, 3)"),
        ("nn.Sequencer(nn.Linear(4, 3))", "(time, batch, 4), gives (time, batch, 3)"),
        ("nn.Sequencer(nn.LookupTable(9, 3))", "(time, batch), gives (time, batch, 3)"),
        ("nn.SeqLSTM(4, 3)", "(time, batch, 4), gives (time, batch, 3)"),
        (
            "nn.ParallelTable():add(nn.Linear(4, 3)):add(nn.Linear(5, 2))",
            "((batch, 4), (batch, 5)), gives ((batch, 3), (batch, 2))",
        ),
        ("nn.Sequential():add(nn.Linear(4, 3)):add(nn.View(-1))", "(batch, 4), gives (3*batch,)"),
        ("nn.Sequential():add(nn.Linear(4, 3)):add(nn.Sum(1))", "(batch, 4), gives (3,)"),
    ],
)
def test_shapes_in_the_docstring(runtime: Runtime, tmp_path: Path, source: str, expected: str) -> None:
    path = tmp_path / "model.t7"
    torch7py.save(runtime.execute(f"return {source}"), path)
    assert f"\n    Takes {expected}.\n" in translate_file(path).code


def test_shapes_where_they_change(runtime: Runtime, tmp_path: Path) -> None:
    path = tmp_path / "model.t7"
    model = runtime.execute(
        f"return {CONVOLUTION}:add(nn.Tanh()):add(nn.SpatialMaxPooling(2, 2)):add(nn.View(864))"
        ":add(nn.Linear(864, 10)):add(nn.LogSoftMax())"
    )
    torch7py.save(model, path)
    source = translate_file(path)
    assert source.code.endswith(LENET)
    given = translate_file(path, {"Model": Shape((2, 1, 28, 28))})
    assert "Takes" not in given.code, "of a size that was given nothing is known to be free"
