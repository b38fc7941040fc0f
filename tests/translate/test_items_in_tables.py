"""Numbers of items in tensors of any type, which lookup tables take in whatever containers they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.translate.running import in_runtime
from torch7py.translate.native.program import translate_script
from torch7py.translate.verify_script import verify_script

USERS = "require 'nn' torch.manualSeed(1)\nlocal users = nn.LookupTable(4, 3)\n"
PAIR = "nn.ParallelTable():add(users):add(nn.LookupTable(5, 3))"
BATCH = """
local function batch(n)
   local u, i = torch.Tensor(n), torch.Tensor(n)
   for k = 1, n do u[k], i[k] = k, 5 - k end
   return {u, i}, n
end
local x = batch(2)
"""


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "program",
    [
        f"local m = nn.Sequential():add({PAIR}):add(nn.DotProduct()) print(m:forward(PLAIN):sum())",
        f"{BATCH} local m = nn.Sequential():add({PAIR}):add(nn.DotProduct()) print(m:forward(x):sum())",
        f"""{BATCH}
local b = nn.Sequential():add(nn.SelectTable(1)):add(users):add(nn.View(-1))
local a = nn.Sequential():add({PAIR.replace("users", "nn.LookupTable(4, 3)")}):add(nn.JoinTable(1)):add(nn.View(-1))
local m = nn.Sequential():add(nn.ConcatTable():add(a):add(b)):add(nn.JoinTable(1))
print(m:forward(x):sum())""",
        """
local m = nn.Sequential():add(nn.ConcatTable():add(users):add(nn.LookupTable(4, 2))):add(nn.JoinTable(2))
print(m:forward(torch.Tensor{1, 2}):sum())""",
        f"""
local m = nn.Sequential():add(nn.SplitTable(2)):add({PAIR}):add(nn.JoinTable(2))
print(m:forward(torch.Tensor{{{{1, 2}}, {{4, 5}}, {{2, 1}}}}):sum())""",
    ],
)
def test_items_are_looked_up(program: str, tmp_path: Path) -> None:
    program = program.replace("PLAIN", "{torch.Tensor{1, 2}, torch.Tensor{5, 1}}")
    source = f"{USERS}{program}\nprint(users.weight:sum())"
    page = translate_script(source.encode(), "p.lua")
    assert [str(problem) for problem in page.problems] == []
    assert page.plain_calls == 0
    path = tmp_path / "p.lua"
    path.write_text(source)
    assert verify_script(page, path).lines == 2


def test_items_of_a_whole_type_are_taken_as_they_are() -> None:
    program = f"{USERS}local m = nn.Sequential():add({PAIR}):add(nn.DotProduct())"
    program += " print(m:forward({torch.LongTensor{1, 2}, torch.LongTensor{5, 1}}):sum())"
    assert in_runtime(program)
    assert "long()" not in translate_script(program.encode(), "p.lua").code
