"""Functions that end with what reads a file: what each call of them gave is known by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from torch7py.files import save
from torch7py.translate.api import to_pytorch

PROGRAM = """
READER
local a = read('a.t7')
print(a.labels[2], a.names[1])
local b = read('b.t7')
print(b[3], #b)
print(read('c.t7'):sum())
"""


@pytest.mark.parametrize(
    "reader",
    [
        "local function read(path) return torch.load(path) end",
    ],
)
def test_what_is_loaded_by_a_function(reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save({"labels": torch.arange(1.0, 4), "names": ["x", "y"]}, "a.t7")
    save([4, 5, 6], "b.t7")
    save(torch.ones(2, 3), "c.t7")
    program = tmp_path / "program.lua"
    program.write_text(PROGRAM.replace("READER", reader))
    found = to_pytorch(program)
    assert found.report.verified is not None
    assert found.report.verified.equal
    assert found.report.plain_calls == 0, found.code


JSON = """
local cjson = require 'cjson'
local function read(path)
   local file = io.open(path)
   local text = file:read('*a')
   file:close()
   return cjson.decode(text)
end
local a, b = read('a.json'), nil
b = read('b.json')
print(a.x.y + 1, a.names[2], b[1] + b[3])
local none = 0
for i, v in ipairs(a.some) do if v == cjson.null then none = none + 1 end end
print(none, a.x.z == cjson.null, a.missing == cjson.null, type(a.x.z), cjson.encode({a.x.z}))
"""


def test_nulls_and_readers_of_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("a.json").write_text(
        '{"x": {"y": 2, "z": null}, "names": ["p", "q"], "some": [1, null, 3, null]}'
    )
    tmp_path.joinpath("b.json").write_text("[1, 2, 3]")
    program = tmp_path / "program.lua"
    program.write_text(JSON)
    found = to_pytorch(program)
    assert found.report.verified is not None
    assert found.report.verified.equal, found.report.verified
    assert found.comparison is not None
    assert found.comparison.lines == 2
    assert "a['x']['y'] + 1" in found.code or 'a["x"]["y"] + 1' in found.code
