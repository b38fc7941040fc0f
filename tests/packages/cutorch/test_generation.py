"""cutorch as of 2015, whose indices and masks are CudaTensors, and what tells a program of that time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError
from torch7py.bridge.generation import cutorch_generation_of

PRELUDE = """
    require 'cutorch'
    x = torch.CudaTensor{{1, 3, 2}, {9, 7, 8}}
    target = torch.CudaTensor{2, 3}
"""
RESULTS = """
    local types = {}
    local function note(...) for i = 1, select('#', ...) do types[#types + 1] = torch.type((select(i, ...))) end end
    note(x:max(2)) note(torch.min(x, 1)) note(x:sort(2)) note(x:topk(1)) note(x:gt(2)) note(torch.eq(x, x))
    return table.concat(types, ' ')
"""


def test_results_of_both_generations() -> None:
    for year, index, mask in ((2015, "CudaTensor", "CudaTensor"), (2016, "CudaLongTensor", "CudaByteTensor")):
        with Runtime(cuda_as="cpu", cutorch_api=year) as runtime:
            runtime.execute(PRELUDE)
            kinds = [*["CudaTensor", index] * 4, mask, mask]
            assert runtime.execute(RESULTS) == " ".join(f"torch.{kind}" for kind in kinds)
            # what a script makes of the other types keeps these
            assert runtime.execute("return torch.type(x:long():max(1))") == "torch.LongTensor"


def test_indices_go_back_in() -> None:
    """As masks and as indices of the functions that take them."""
    with Runtime(cuda_as="cpu", cutorch_api=2015) as runtime:
        runtime.execute(PRELUDE)
        assert runtime.execute("local _, i = x:max(2) return i:view(-1):eq(target):sum()") == 1
        assert runtime.execute("local _, i = x:max(2) return x:gather(2, i):sum()") == 12
        assert runtime.execute("return x[x:gt(2)]:sum(), x:maskedSelect(x:lt(3)):sum()") == (27, 3)
        assert runtime.execute("local _, i = x:max(1) return x:index(2, i[1]):size(2)") == 3


def test_the_later_generation_says_what_to_do() -> None:
    with Runtime(cuda_as="cpu") as runtime:
        runtime.execute(PRELUDE)
        with pytest.raises(LuaError, match=r"^python:1: .*CudaLongTensor.*--cutorch-api 2015"):
            runtime.execute("local _, i = x:max(2) right = i:eq(target)")


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("local _, index = output:max(2) right = right + index:eq(target):sum()", 2015),
        ("local _, index = torch.max(output, 2) right = torch.eq(index, batch.target):sum()", 2015),
        ("_, index = output:topk(5, true) right = target:eq(index):sum()", 2015),
        ("local _, index = output:max(2) print(index:squeeze():eq(target):sum())", 2015),
        ("local _, index = output:max(2) print(index:cuda():eq(target):sum())", 2016),
        ("local _, index = output:max(2) print(index:typeAs(target):eq(target):sum())", 2016),
        ("local _, index = output:max(2) print(index:eq(1):sum())", 2016),
        ("local _, index = output:max(2) print(index[1])", 2016),
        ("local best = output:max(2) print(best:eq(target))", 2016),
        ("local _, index = output:max(2) index:eq(target) target = torch.CudaLongTensor()", 2016),
        ("local _, index = output:max(2) index:eq(target:cudaLong())", 2016),
    ],
)
def test_judged_by_the_program(tmp_path: Path, text: str, year: int) -> None:
    script = tmp_path / "script.lua"
    script.write_text(text)
    assert cutorch_generation_of(script) == year


def test_a_program_of_2015_runs_and_says_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "script.lua"
    script.write_text(PRELUDE + "local _, index = x:max(2) print(index:view(-1):eq(target):sum())")
    with Runtime(cuda_as="cpu") as runtime:
        assert runtime.run(script) == 0
    printed = capfd.readouterr()
    assert printed.out.split() == ["1"]
    assert "cutorch as of 2015; --cutorch-api 2016 gives it a later one" in printed.err


def test_a_year_there_is_none_of() -> None:
    with pytest.raises(Exception, match="cutorch_api must be 2015 or 2016, not 2014"):
        Runtime(cutorch_api=2014)
