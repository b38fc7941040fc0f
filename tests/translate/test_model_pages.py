"""What a translated model looks like: pages that a reader would have written, formatted and free of lint."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.golden_cases import Case, supported, value
from tests.inner_runtime import InnerRuntime as Runtime
from tests.translate import test_golden_criterions
from tests.translate.test_golden_models import CASES, WITHOUT
from torch7py.translate.model import translate_criterion, translate_model
from torch7py.translate.verify import Different, load, verify_model

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    shared = Runtime()
    shared.execute("require 'rnn' require 'nngraph'")
    yield shared
    shared.close()


def ruff(*arguments: str, cwd: Path) -> str:
    found = subprocess.run(
        [sys.executable, "-m", "ruff", *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )
    return found.stdout + found.stderr if found.returncode else ""


def test_pages_are_formatted_and_free_of_lint(runtime: Runtime, tmp_path: Path) -> None:
    for number, recorded in enumerate(CASES):
        if recorded["expr"] not in WITHOUT:
            case = Case(runtime, recorded)
            case.make()
            page = translate_model(case.get("m"), example=value(recorded["input"])).code
            tmp_path.joinpath(f"page{number}.py").write_text(page)
    for number, recorded in enumerate(supported("nn_criterions")):
        if recorded["expr"] not in test_golden_criterions.WITHOUT:
            case = Case(runtime, recorded)
            case.make()
            tmp_path.joinpath(f"criterion{number}.py").write_text(translate_criterion(case.get("m")).code)
    tmp_path.joinpath("ruff.toml").write_text("line-length = 110\n")
    assert ruff("check", "--output-format", "concise", ".", cwd=tmp_path) == ""
    assert ruff("format", "--diff", ".", cwd=tmp_path) == ""


LSTM_GRAPH = """
    local x = nn.Identity()():annotate{name='x'}
    local prev_h = nn.Identity()():annotate{name='prev_h'}
    local prev_c = nn.Identity()():annotate{name='prev_c'}
    local i2h = nn.Linear(3, 16)(x):annotate{name='i2h'}
    local h2h = nn.Linear(4, 16)(prev_h):annotate{name='h2h'}
    local sums = nn.Reshape(4, 4)(nn.CAddTable()({i2h, h2h}))
    local n1, n2, n3, n4 = nn.SplitTable(2)(sums):split(4)
    local in_gate, forget_gate, out_gate = nn.Sigmoid()(n1), nn.Sigmoid()(n2), nn.Sigmoid()(n3)
    local kept = nn.CMulTable()({forget_gate, prev_c})
    local next_c = nn.CAddTable()({kept, nn.CMulTable()({in_gate, nn.Tanh()(n4)})}):annotate{name='next_c'}
    local next_h = nn.CMulTable()({out_gate, nn.Tanh()(next_c)}):annotate{name='next_h'}
    local decoded = nn.Linear(4, 7)(nn.Dropout(0.5)(next_h)):annotate{name='decoder'}
    return nn.gModule({x, prev_h, prev_c}, {next_c, next_h, nn.LogSoftMax()(decoded)})
"""


GRAPH_FORWARD = """\
    def forward(self, inputs):
        x, prev_h, prev_c = inputs
        i2h = self.i2h(x)
        h2h = self.h2h(prev_h)
        x, h, y, z = (i2h + h2h).chunk(4, dim=1)
        next_c = torch.sigmoid(h) * prev_c + torch.sigmoid(x) * torch.tanh(z)
        next_h = torch.sigmoid(y) * torch.tanh(next_c)
        decoder = self.decoder(self.dropout(next_h))
        return next_c, next_h, F.log_softmax(decoder, dim=-1)
"""

WORDS = '''\
"""Words of words.t7 in PyTorch, translated by torch7py."""

import torch.nn.functional as F
from torch import nn


class Words(nn.Module):
    """Translated from Torch7."""

    def __init__(self):
        super().__init__()
        self.lookup = nn.Embedding(20, 4)  # nn.LookupTable: items count from 1
        self.lstm = nn.LSTM(4, 5)  # nn.FastLSTM
        self.lstm.bias_hh_l0.requires_grad_(False).zero_()  # nn.FastLSTM has one bias
        for p in (self.lstm.weight_ih_l0, self.lstm.bias_ih_l0):
            nn.init.uniform_(p, -(4**-0.5), 4**-0.5)
        self.linear = nn.Linear(5, 20)

    def forward(self, x):
        x = self.lookup(x - 1)
        x, _ = self.lstm(x)
        return F.log_softmax(self.linear(x), dim=-1)
'''


def test_a_graph_becomes_straight_code_under_its_nodes_names(runtime: Runtime) -> None:
    model = runtime.execute(LSTM_GRAPH)
    x = [torch.rand(2, size, dtype=torch.float64) for size in (3, 4, 4)]
    source = translate_model(model, example=x)
    assert verify_model(model, source, x).largest < 1e-12
    assert source.code[source.code.index("    def forward") :] == GRAPH_FORWARD


def test_a_sequencer_becomes_a_time_axis(runtime: Runtime) -> None:
    model = runtime.execute(
        """return nn.Sequential():add(nn.Sequencer(nn.LookupTable(20, 4))):add(nn.Sequencer(nn.FastLSTM(4, 5)))
            :add(nn.Sequencer(nn.Linear(5, 20))):add(nn.Sequencer(nn.LogSoftMax()))"""
    )
    source = translate_model(model, "Words", "words.t7")
    x = [torch.randint(1, 21, (3,)).double() for _ in range(4)]
    assert verify_model(model, source, x).largest < 1e-10
    assert source.code == WORDS


def test_what_a_sequencer_remembers_is_kept_until_it_forgets(runtime: Runtime) -> None:
    model = runtime.execute("return nn.Sequencer(nn.FastLSTM(3, 2)):remember('both')")
    first, second = ([torch.rand(2, 3, dtype=torch.float64) for _ in range(4)] for _ in range(2))
    source = translate_model(model)
    native = load(source.code, "Model")().double()
    native.load_state_dict(source.weights)
    for sequence in (first, second):
        expected = torch.stack(model.torch7_forward(sequence))
        torch.testing.assert_close(native(torch.stack(sequence)), expected, rtol=1e-12, atol=0)
    model.forget()
    native.forget()
    again = torch.stack(model.torch7_forward(second))
    torch.testing.assert_close(native(torch.stack(second)), again, rtol=1e-12, atol=0)
    assert not torch.allclose(again, expected)


@pytest.mark.parametrize("mode", ["both", "train", "eval"])
def test_what_is_remembered_is_so_until_the_mode_changes(mode: str, runtime: Runtime) -> None:
    model = runtime.execute(f"return nn.Sequencer(nn.FastLSTM(3, 2)):remember('{mode}')")
    x = [torch.rand(2, 3, dtype=torch.float64) for _ in range(4)]
    source = translate_model(model)
    native = load(source.code, "Model")().double()
    native.load_state_dict(source.weights)
    for training in (True, False, True):
        if training:
            model.set_training()
        else:
            model.set_evaluate()
        native.train(training)
        results = []
        for _ in range(2):
            results.append(torch.stack(model.torch7_forward(x)).clone())
            torch.testing.assert_close(native(torch.stack(x)), results[-1], rtol=1e-12, atol=0)
        keeps = mode in ("both", "train" if training else "eval")
        assert torch.equal(*results) is not keeps


def test_gradients_of_an_embedding_scaled_by_frequency(runtime: Runtime) -> None:
    model = runtime.execute("return nn.LookupTable(5, 2):scaleGradByFreq()")
    source = translate_model(model)
    assert verify_model(model, source, torch.tensor([1, 3, 3, 5])).largest < 1e-12


def test_what_is_not_equal_is_an_error(runtime: Runtime) -> None:
    model = runtime.execute("return nn.Sequential():add(nn.Linear(3, 2)):add(nn.Tanh())")
    source = translate_model(model)
    source.code = source.code.replace("torch.tanh", "torch.sigmoid")
    with pytest.raises(Different, match=": off by"):
        verify_model(model, source, torch.rand(4, 3, dtype=torch.float64))
