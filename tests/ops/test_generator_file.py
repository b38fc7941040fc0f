"""torch.Generator, tensors and storages written to files by their own methods, and generators as objects."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import torch7py
from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import failure, lua
from torch7py.ops.mersenne import STATE_SIZE, Generator


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


def test_a_generator_goes_on_where_it_was(rt: Runtime) -> None:
    source = """
        local g = torch.Generator()
        torch.manualSeed(g, 5)
        torch.normal(g)
        local h = torch.deserialize(torch.serialize(g))
        return torch.type(h), torch.normal(g) == torch.normal(h), torch.random(g) == torch.random(h)"""
    assert lua(rt, source) == ("torch.Generator", True, True)


def test_its_bytes_are_its_state(rt: Runtime) -> None:
    source = """
        local g, f = torch.Generator(), torch.MemoryFile()
        f:binary()
        g:write(f)
        local bytes = f:storage()
        local state = torch.getRNGState(g)
        local n = state:size(1)
        local same = torch.ByteTensor(n)
        f:seek(1)
        local read = f:readByte(n)
        for i = 1, n do same[i] = read[i] end
        return n, same:eq(state):all()"""
    assert lua(rt, source) == (STATE_SIZE, True)


def test_in_python(rt: Runtime, tmp_path) -> None:
    path, again = tmp_path / "g.t7", tmp_path / "again.t7"
    lua(rt, f"g = torch.Generator() torch.manualSeed(g, 7) torch.save('{path}', {{g, g, 3}})")
    table = torch7py.load(path)
    assert isinstance(table[1], Generator)
    assert table[1] is table[2]
    assert table[1].copy().word() == lua(rt, "return torch.random(g)")
    torch7py.save(table, again)
    assert again.read_bytes() == path.read_bytes()


def test_a_generator_cut_short(rt: Runtime) -> None:
    assert "takes 5048 bytes, and the file has 3 left" in failure(
        rt,
        "local f = torch.MemoryFile() f:binary() f:quiet() for i = 1, 3 do f:writeByte(i) end f:seek(1) "
        "torch.Generator():read(f)",
    )
    assert "expected a torch.Generator and a torch.File" in failure(
        rt, "local g = torch.Generator() g:write(g)"
    )


def test_tensors_and_storages_without_their_heads(rt: Runtime) -> None:
    source = """
        local f, x = torch.MemoryFile(), torch.Tensor{{1, 2}, {3, 4}}:t()
        f:binary()
        x:write(f)
        torch.LongStorage{7, 8, 9}:write(f)
        f:seek(1)
        local y, s = torch.Tensor(), torch.LongStorage(1)
        y:read(f)
        s:read(f)
        return y:equal(x), y:stride(1), s:size(), s[3]"""
    assert lua(rt, source) == (True, 1, 3, 9)
    assert "a torch.File expected, got number" in failure(rt, "torch.Tensor():read(3)")
