"""torch.size(x) and its like are the tensor's methods."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch7py.translate.native.desugar import written_out
from torch7py.translate.native.program import translate_script
from torch7py.translate.verify_script import verify_script


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("a = torch.size(torch.view(x, 2,\n 3), 1) -- rows", "a = x:view(2,\n 3):size(1) -- rows"),
        ("torch.zero(x)", "x:zero()"),
        ("f(torch.nDimension(x - y))", "f((x - y):nDimension())"),
        ("y = 1\ntorch.zero(x + 1)", None),  # (x + 1) would be the arguments of 1
        ("torch.size(...)", None),
        ("torch.add(x, 1)", None),  # a new tensor
        ("torch.size = f\nprint(torch.size(x))", None),
        ("local torch = f\nprint(torch.size(x))", None),
    ],
)
def test_written_as_methods(source: str, found: str | None) -> None:
    assert written_out(source.encode(), "a.lua").decode() == (source if found is None else found)


PROGRAM = """require 'torch'
local x = torch.range(1, 12):view(3, 4)
local function sizes_of(t) return torch.nDimension(t), torch.size(t)[1], torch.numel(t) end
print(sizes_of(x))
print(torch.dim(x), torch.nElement(x), torch.size(x, 2), torch.isContiguous(torch.t(x)), torch.isSameSizeAs(x, x))
print(torch.select(x, 1, 2):sum(), torch.narrow(x, 2, 2, 2):sum(), torch.transpose(x, 1, 2)[4][1])
print(torch.permute(torch.view(x, 1, 3, 4), 3, 1, 2):size(1), torch.squeeze(torch.view(x, 1, 12), 1)[5])
print(torch.expand(torch.narrow(x, 1, 1, 1), 3, 4):sum(), torch.expandAs(torch.narrow(x, 2, 1, 1), x):sum())
print(torch.repeatTensor(x, 2, 1):sum(), torch.contiguous(x):sum(), torch.viewAs(torch.clone(x), x)[3][4])
local y = torch.clone(x)
torch.fill(y, 2)
torch.copy(torch.select(y, 1, 1), torch.select(x, 1, 3))
print(y:sum(), torch.typeAs(y, x):max(), torch.totable(torch.select(y, 2, 1))[2], torch.stride(x, 1))
print(torch.zero(y):sum())
"""


def test_a_program(tmp_path: Path) -> None:
    path = tmp_path / "a.lua"
    path.write_text(PROGRAM)
    page = translate_script(PROGRAM.encode(), str(path))
    assert [str(problem) for problem in page.problems] == []
    assert page.native == page.statements
    assert verify_script(page, path).largest == 0


LAST = """require 'torch'
local x = torch.Tensor{{4, 1, 2}, {1, 3, 0.5}, {2, 0.5, 5}}
local mask, row, r = torch.eye(3):byte(), torch.LongTensor{2}, torch.Tensor()
local y = torch.ones(1, 3)
local z = x:indexCopy(1, row, y)
z:mul(3)
local n = x:maskedFill(mask, 2)
print(y:sum(), x:sum(), n + 1)
local i = r:index(x, 1, row)
print(i:size(1), r:sum())
local m = r:maskedSelect(x, mask)
print(m:size(1), r:size(1))
print(x:indexAdd(1, row, torch.ones(1, 3)):sum())
local function filled(t, k) return t:indexFill(1, row, k * 2) end
print(filled(x, 3), x:sum())
local function cleared(t, k) return t:maskedFill(mask, k - 3) end
print(cleared(x, 3), x:sum())
"""


def test_calls_that_give_their_last_argument(tmp_path: Path) -> None:
    path = tmp_path / "a.lua"
    path.write_text(LAST)
    page = translate_script(LAST.encode(), str(path))
    assert [str(problem) for problem in page.problems] == []
    assert verify_script(page, path).largest == 0
