"""The weights that a page begins with are distributed as those of the program's layers.

Each layer with weights is made many times, by this project's runtime, whose numbers are the original's, and by the
class of its page; for every element the two samples have the same spread, the same mean, and the same kind of
distribution, and what is a constant is the same one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from tests.golden_cases import Case, value
from tests.inner_runtime import InnerRuntime as Runtime
from tests.translate.test_golden_models import CASES, WITHOUT
from torch7py.translate.layers.registry import NotNative
from torch7py.translate.layers.shapes import walk
from torch7py.translate.model import ClassSource, layer_of, taken, translate_model
from torch7py.translate.verify import load

TIMES = 150
# Of sizes that differ where a formula might take one for the other.
MORE = [
    "nn.SpatialFullConvolution(5,2,3,2)",
    "nn.VolumetricFullConvolution(5,2,3,2,2)",
    "nn.SpatialConvolution(5,2,3,2)",
    "nn.SpatialConvolutionLocal(2,3,4,5,3,2)",
    "nn.VolumetricConvolution(5,2,3,2,2)",
    "nn.TemporalConvolution(5,2,3)",
    "nn.TemporalRowConvolution(5,3)",
    "nn.SpatialDepthWiseConvolution(5,2,3,2)",
    "nn.Linear(7,2)",
    "nn.LinearNoBias(7,2)",
    "nn.Bilinear(7,3,2)",
    "nn.Sequencer(nn.FastLSTM(7,2))",
    "nn.Sequencer(nn.LSTM(7,2))",
    "nn.Sequencer(nn.LSTM(7,2,9999,false))",
    "nn.Sequencer(nn.GRU(7,2))",
    "nn.Sequencer(nn.GRU(7,2,9999,0.25))",
    "nn.Sequencer(nn.MuFuRu(7,2))",
    "nn.Sequencer(nn.FastLSTM(7,2):maskZero(1))",
    "nn.Sequencer(nn.LSTM(7,2):maskZero(1))",
    "nn.Sequencer(nn.GRU(7,2):maskZero(1))",
    "nn.SeqLSTM(7,2)",
    "(function() local m = nn.SeqLSTM(7,2) m.maskzero = true return m end)()",
    "nn.SeqLSTMP(7,4,2)",
    "nn.SeqGRU(7,2)",
    "nn.BatchNormalization(3)",
    "nn.LookupTable(6,3)",
    "nn.LookupTable(6,3,2)",
    "nn.LookupTableMaskZero(6,3)",
    "nn.MaskZero(nn.Linear(7,2),1)",
    "nn.WeightNorm(nn.Linear(7,2))",
    "nn.LinearWeightNorm(7,2)",
    "nn.WeightNorm(nn.SpatialConvolution(5,2,3,2))",
    "nn.PReLU(3)",
    "nn.CMul(2,5)",
    "nn.CAdd(2,5)",
    "nn.Add(7)",
    "nn.Mul()",
    "nn.Euclidean(7,2)",
    "nn.WeightedEuclidean(7,2)",
    "nn.Cosine(7,2)",
    "nn.PartialLinear(7,2)",
    "nn.SparseLinear(7,2)",
    "nn.Maxout(7,2,3)",
]


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    shared = Runtime()
    shared.execute("require 'rnn' require 'nngraph'")
    yield shared
    shared.close()


def drawn(cls: ClassSource, fresh: Any) -> dict[str, torch.Tensor]:
    """What a page takes of another model of the same kind."""
    pairs = zip(walk(cls.layer), walk(layer_of(fresh)), strict=True)
    others = {id(a.module): b.module for a, b in pairs}
    return {
        entry: taken(take, others[id(child.layer.module)]).double() for entry, take, child, _ in cls.entries()
    }


def difference(theirs: torch.Tensor, ours: torch.Tensor) -> str:
    """How two samples of a tensor differ that would not by chance; empty where they do not."""
    constant = (theirs == theirs[0]).all(0)
    if not torch.equal(constant, (ours == ours[0]).all(0)):
        return f"one is constant: {theirs[0].flatten()[:3].tolist()}, {ours[0].flatten()[:3].tolist()}"
    if not torch.allclose(theirs[0][constant], ours[0][constant]):
        return f"constants {theirs[0][constant][:3].tolist()} and {ours[0][constant][:3].tolist()}"
    if constant.all():
        return ""
    a, b = theirs[:, ~constant], ours[:, ~constant]
    n = len(a) * a.shape[1]
    each, whole = a.std(0) / b.std(0), float(a.std() / b.std())
    if abs(whole - 1) > 0.02 + 5 / n**0.5 or each.max() > 1.6 or each.min() < 1 / 1.6:
        return f"spreads: {whole:.2f}, of elements {float(each.min()):.2f} to {float(each.max()):.2f}"
    off = (a.mean(0) - b.mean(0)).abs() / (a.std(0) * (2 / len(a)) ** 0.5)
    if off.max() > 6:
        return f"means: {a.mean(0).flatten()[:3].tolist()}, {b.mean(0).flatten()[:3].tolist()}"
    # 1.8 of numbers from an interval, 3 of normal ones
    kinds = [float((((x - x.mean(0)) / x.std(0)) ** 4).mean()) for x in (a, b)]
    return f"kinds: {kinds}" if (kinds[0] < 2.3) != (kinds[1] < 2.3) else ""


def compare(runtime: Runtime, made: str, example: Any = None) -> dict[str, str]:
    """The entries of a page's state_dict that begin otherwise."""
    model = runtime.execute(f"return {made}")
    source = translate_model(model, example=example)
    cls = source.classes[0]
    if not any(kind == "weights" for *_, kind in cls.entries()):
        return {}
    kind = load(source.code, cls.name)
    torch.manual_seed(3)
    runtime.execute("torch.manualSeed(3)")
    theirs = [drawn(cls, runtime.execute(f"return {made}")) for _ in range(TIMES)]
    ours = [{name: tensor.double() for name, tensor in kind().state_dict().items()} for _ in range(TIMES)]
    found = {
        name: difference(
            torch.stack([each[name] for each in theirs]), torch.stack([each[name] for each in ours])
        )
        for name in theirs[0]
    }
    return {name: what for name, what in found.items() if what}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("made", MORE)
def test_a_page_begins_as_the_program_does(runtime: Runtime, made: str) -> None:
    assert compare(runtime, made) == {}


RECORDED = list({case["expr"]: case for case in CASES if case["expr"] not in WITHOUT}.values())


@pytest.mark.slow
@pytest.mark.parametrize("recorded", RECORDED, ids=lambda case: case["expr"])
def test_every_layer_begins_as_the_original_does(runtime: Runtime, recorded: dict[str, Any]) -> None:
    Case(runtime, recorded).make()
    try:
        assert compare(runtime, recorded["expr"], value(recorded["input"])) == {}
    except NotNative:
        pytest.skip("no native form with these arguments")
