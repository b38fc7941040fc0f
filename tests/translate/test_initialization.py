"""All weights of a module given new values: by the flat vector, or parameter by parameter."""

from __future__ import annotations

import pytest

from torch7py.translate.native.program import Native, translate_script
from torch7py.translate.verify_script import verify_script

MODEL = """require 'rnn'
torch.manualSeed(1)
local model = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 2))
"""
LSTM = """require 'rnn'
torch.manualSeed(1)
local model = nn.Sequential():add(nn.Sequencer(nn.FastLSTM(3, 4))):add(nn.Sequencer(nn.Linear(4, 2)))
local x = {torch.randn(2, 3), torch.randn(2, 3)}
"""


def page(source: str) -> Native:
    return translate_script(source.encode(), "p.lua")


def verified(source: str, tmp_path) -> str:
    found = page(source)
    assert [str(problem) for problem in found.problems] == []
    assert found.native == found.statements
    tmp_path.joinpath("p.lua").write_text(source)
    comparison = verify_script(found, tmp_path / "p.lua")
    assert comparison.lines > 0
    assert comparison.layers > 0
    assert comparison.largest < 1e-9
    return found.code


def test_each_parameter_in_a_loop(tmp_path):
    source = f"""{MODEL}local width = 0.1
for k, param in ipairs(model:parameters()) do
   if width > 0 then
      param:uniform(-width, width) -- small
   end
   param:mul(2)
end
print(model:forward(torch.randn(5, 3)):sum())
"""
    code = verified(source, tmp_path)
    assert "    for param in model.parameters():\n        if width > 0:\n" in code
    assert "            param.data.uniform_(-width, width)  # small\n        param.data.mul_(2)\n" in code


@pytest.mark.parametrize(
    "what",
    [
        "for i, p in ipairs(model:parameters()) do p:fill(i) end",
        "for _, p in ipairs(model:parameters()) do p[1] = 0 end",
        "for _, p in ipairs(model:parameters()) do if p:dim() > 1 then p:zero() end end",
        "local all = model:parameters()\nfor i = 1, #all do all[i]:add(i) end",
    ],
)
def test_what_looks_into_a_parameter(what, tmp_path):
    verified(f"{MODEL}{what}\nprint(model:forward(torch.randn(5, 3)):sum())\n", tmp_path)


@pytest.mark.usefixtures("without_objects")
@pytest.mark.parametrize(
    "what",
    [
        "local w = nn.Sequential():add(nn.LookupTableMaskZero(3, 2)):parameters()\nw[1]:fill(1)",
        "local w = model:parameters()\nw[1]:fill(2)\nw[1] = torch.zeros(4, 3)",  # another tensor in the table alone
        "local w, g, more = model:parameters()\nprint(more)",
    ],
)
def test_parameters_that_are_refused(what):
    assert page(f"{MODEL}{what}\n").problems


@pytest.mark.parametrize(
    "change",
    [
        "local w, g = model:getParameters()\nw:uniform(-0.5, 0.5)\nprint(w:nElement())\nprint(w:mean())",
        "for _, p in ipairs(model:parameters()) do p:fill(0.25) end",
    ],
)
def test_the_second_bias_of_an_lstm_stays_zero(tmp_path, change):
    code = verified(f"{LSTM}{change}\nprint(model:forward(x)[2]:sum())\n", tmp_path)
    assert "in [p for p in model.parameters() if p.requires_grad]:" in code


def test_the_row_of_zeros_of_a_masked_table_is_not_filled(tmp_path):
    source = """require 'rnn'
local model = nn.Sequential():add(nn.LookupTableMaskZero(5, 3))
for _, p in ipairs(model:parameters()) do p:uniform(-1, 1) end
print(model:forward(torch.Tensor{0, 1, 5}))
"""
    assert "clear_padding(model)" in verified(source, tmp_path)


def test_functions_of_torch_take_numbers(tmp_path):
    source = f"""{MODEL}local n = model:forward(torch.randn(2, 3)):sum()
print(torch.exp(n), torch.sqrt(n * n), torch.abs(-n), torch.floor(n), torch.ceil(n))
print(torch.zeros(torch.floor(7 / 2)):size(1))
"""
    code = verified(source, tmp_path)
    assert "math.exp(n)" in code
    assert "torch.zeros(7 // 2)" in code
