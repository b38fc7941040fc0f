"""Files and commands of programs in several processes, for which threads stand: done once, and seen by all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.fake_group import FakeGroup, in_processes
from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.ops.atomic_file import NewFile
from torch7py.ops.files import DiskFile, PipeFile
from torch7py.ops.one_writer import agreed, by_one, open_for_writing


def test_a_function_runs_in_one_process_and_all_get_its_result() -> None:
    calls: list[int] = []

    def run(group: FakeGroup) -> Any:
        @by_one
        def act(number: int) -> int:
            calls.append(group.rank)
            inner()
            return number + group.rank

        @by_one
        def inner() -> None:
            calls.append(10 + group.rank)

        return act(5), agreed("a number", group.rank)

    assert in_processes(3, run) == [(5, 0)] * 3
    assert calls == [0, 10]


def test_an_error_is_that_of_all() -> None:
    def run(group: FakeGroup) -> str:
        @by_one
        def act() -> None:
            raise FileNotFoundError(2, "not there", "x")

        with pytest.raises(FileNotFoundError, match="not there"):
            act()
        with pytest.raises(FileNotFoundError):
            open_for_writing("/nowhere/file", lambda path: Path(path).write_bytes(b""))
        return "raised"

    assert in_processes(2, run) == ["raised"] * 2


@pytest.mark.parametrize("kind", [DiskFile, NewFile])
def test_a_file_is_written_once_and_then_read_by_all(kind: Any, tmp_path: Path) -> None:
    name = tmp_path / "file"

    def run(group: FakeGroup) -> tuple[bytes, int]:
        file = kind(name) if kind is NewFile else kind(name, "w")
        file.put(b"from %d" % group.rank)
        at = file.position()
        file.close()
        return name.read_bytes(), at

    assert in_processes(2, run) == [(b"from 0", 6)] * 2
    assert list(tmp_path.iterdir()) == [name]


def test_a_file_for_both_begins_with_what_is_in_it(tmp_path: Path) -> None:
    name = tmp_path / "file"
    name.write_bytes(b"1234")

    def run(group: FakeGroup) -> bytes:
        file = DiskFile(name, "rw")
        file.seek_end()
        file.put(b"56")
        file.seek(0)
        content = file.take(6)
        file.close()
        return content + name.read_bytes()

    assert in_processes(2, run) == [b"123456" * 2] * 2


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    def run(group: FakeGroup) -> bool:
        file = PipeFile(f"echo x >> {tmp_path}/commands")
        file.close()
        file = PipeFile(f"cat >> {tmp_path}/written", "w")
        file.put(b"y")
        file.close()
        return True

    assert all(in_processes(2, run))
    assert (tmp_path / "commands").read_text() == "x\n"
    assert (tmp_path / "written").read_text() == "y"


PROGRAM = """
local folder = ...
local results = {}
local function note(...)
   local values = {...}
   for i = 1, select('#', ...) do values[i] = tostring(values[i]) end
   results[#results + 1] = table.concat(values, ' ')
end
note(paths.mkdir(folder .. '/a/b'))
note(paths.mkdir(folder .. '/a/b'))
local file = io.open(folder .. '/a/text', 'w')
file:write('one\\n', 2, '\\n')
note(file:seek('cur'))
note(file:close())
note(io.open(folder .. '/a/text'):read('*a'))
file = io.open(folder .. '/a/text', 'a+')
file:write('three')
file:seek('set')
note(file:read('*a'))
io.close(file)
note(io.open(folder .. '/none/text', 'w'))
note(os.rename(folder .. '/a/text', folder .. '/a/moved'), os.remove(folder .. '/a/none'))
note(os.execute('echo x >> ' .. folder .. '/commands; exit 3'))
local popen, pipe = pcall(io.popen, 'echo y >> ' .. folder .. '/commands; echo printed')
note(popen and pipe:read('*l'))
if popen then
   pipe = io.popen('cat >> ' .. folder .. '/piped', 'w')
   pipe:write('z')
   pipe:close()
end
note(pcall(os.rename))
torch.save(folder .. '/saved.t7', {torch.seed() > 0, os.time(), 7})
note(torch.load(folder .. '/saved.t7')[3])
note(torch.uniform(), os.time() > 1e9, os.tmpname())
return table.concat(results, ';')
"""


def test_a_lua_program_sees_the_same_files_in_all_processes(tmp_path: Path) -> None:
    def run(group: FakeGroup) -> str:
        with Runtime(group=group) as runtime:
            runtime.globals["folder"] = str(tmp_path)
            return str(runtime.execute(f"return (function(...) {PROGRAM} end)(folder)"))

    first, second = in_processes(2, run)
    assert first == second
    said = first.split(";")
    assert said[0] == "true"
    assert said[1].startswith("nil ")
    assert said[2:6] == ["6", "true", "one\n2\n", "one\n2\nthree"]
    assert said[6].startswith("nil ")
    assert said[6].endswith("2")
    assert said[7].startswith("true nil ")
    has_popen = said[9] != "false"  # plain Lua may be built without
    assert said[8:10] == ["nil exit 3", "printed" if has_popen else "false"]
    assert said[10].startswith("false ")
    assert "bad argument #1 to " in said[10]
    assert said[11] == "7"
    assert (tmp_path / "commands").read_text() == ("x\ny\n" if has_popen else "x\n")
    assert not has_popen or (tmp_path / "piped").read_text() == "z"
    assert (tmp_path / "a/moved").read_text() == "one\n2\nthree"
