"""Objects of the pages' library: files of numbers and of objects, and pools of threads, whose methods are Python's."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch7py.translate.native.program import translate_script
from torch7py.translate.verify_script import verify_script

CLASS = "local C = torch.class('C') function C:readObject(x, y) return x end "
PROGRAM = """local function write(file, n)
   for i = 1, n do file:writeInt(i * i) end
   file:writeDouble(0.5)
end
local f = torch.DiskFile('numbers.bin', 'w'):binary()
write(f, 4)
f:close()
f = torch.DiskFile('numbers.bin', 'r')
f:binary()
f:seekEnd()
local length = f:position() - 1
print(length, length / 4)
f:seek(1)
local t = torch.IntTensor(4)
for i = 1, 4 do t[i] = f:readInt() end
print(t:sum(), f:readDouble(), f:hasError())
f:close()
local memory = torch.MemoryFile('w'):binary()
memory:writeObject({a = 1, b = {2, 3}})
local reader = torch.MemoryFile(memory:storage(), 'r'):binary()
print(reader:readObject().a)
reader:close()
local threads = require 'threads'
local pool = threads.Threads(2, function(id) number = id end)
local sum, count = 0, 0
for i = 1, 3 do
   if pool:acceptsjob() then
      pool:addjob(function(x, n) return x * 2, n / 2 end, function(x, n)
         sum = sum + x:sum()
         count = count + n
      end, torch.ones(3):mul(i), i)
   end
end
while pool:hasjob() do pool:dojob() end
pool:terminate()
print(sum, count)
os.remove('numbers.bin')
"""


def test_their_methods_are_called_by_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "p.lua"
    path.write_text(PROGRAM)
    page = translate_script(PROGRAM.encode(), "p.lua")
    assert page.problems == []
    for line in (
        "t[i] = f.readInt()",
        "memory.writeObject(",
        "while pool.hasjob():",
        "sum_ += x.sum().item()",
    ):
        assert line in page.code
    assert page.plain_calls == 5  # which make the objects
    assert verify_script(page, path).lines == 4


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        (
            "local f = torch.DiskFile(arg[1], 'r') f:seek(1, 2) print(f:readInt())",
            '"seek"',
        ),  # Lua drops the 2
        (CLASS + "function first(file) return file:readObject(1) end", '"readObject"'),
        ("function first(file) return file:position() end", '"position"'),  # as others may have
    ],
)
def test_others_are_looked_at_when_the_page_runs(source: str, plain: str) -> None:
    assert f", {plain}" in translate_script(source.encode(), "p.lua").code


def test_a_file_of_text_is_one_of_pythons() -> None:
    source = "local f = torch.DiskFile(arg[1], 'r') print(f:readString('*l')) f:close()"
    assert "open(" in translate_script(source.encode(), "p.lua").code


def test_what_nobody_calls_takes_a_file_where_it_reads_numbers() -> None:
    source = "function first(file) local n = file:readInt() file:seek(n) return file:readDouble() end"
    assert "lua_compat" not in translate_script(source.encode(), "p.lua").code
