"""Storages: constructors, elements, methods."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import failure, lua, plain
from torch7py.ops import types


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


@pytest.mark.parametrize("number_type", types.NUMBER_TYPES, ids=lambda t: t.name)
class TestEveryType:
    def test_constructors(self, rt: Runtime, number_type: types.NumberType) -> None:
        source = f"""
            local new = {number_type.storage}
            return new():size(), new(3):size(), new{{1, 2, 3}}, #new{{4, 5}}, new{{}}:size(), torch.typename(new(1))"""
        assert plain(lua(rt, source)) == (0, 3, [1, 2, 3], 2, 0, number_type.storage)

    def test_view_of_another(self, rt: Runtime, number_type: types.NumberType) -> None:
        source = f"""
            local new = {number_type.storage}
            local s = new{{1, 2, 3, 4, 5}}
            local part = new(s, 2, 3)
            part:fill(7)
            return s, part, new(s, 4), new(s)"""
        assert plain(lua(rt, source)) == ([1, 7, 7, 7, 5], [7, 7, 7], [7, 5], [1, 7, 7, 7, 5])

    def test_elements(self, rt: Runtime, number_type: types.NumberType) -> None:
        source = f"""
            local s = {number_type.storage}(3):fill(1)
            s[2] = 5
            s[3] = s[2] + 1
            return s[1], s[2], s[3], s:totable(), s:elementSize()"""
        assert plain(lua(rt, source)) == (1, 5, 6, [1, 5, 6], number_type.size)

    def test_an_empty_storage_is_one(self, rt: Runtime, number_type: types.NumberType) -> None:
        """torchnet's meters grow the storage of a tensor that was made on an empty one."""
        source = f"""
            local x = {number_type.tensor}({number_type.storage}())
            local before = x:storage():size()
            x:storage():resize(4)
            local after = x:storage():size()
            x:resize(3)
            local y = {number_type.tensor}():set({number_type.storage}())
            return before, after, x:storage():size(), y:storage():size(), {number_type.tensor}():storage()"""
        assert plain(lua(rt, source)) == (0, 4, 4, 0, None)

    def test_the_size_of_an_element_needs_no_object(self, rt: Runtime, number_type: types.NumberType) -> None:
        source = f"return {number_type.storage}.elementSize(), {number_type.tensor}.elementSize()"
        assert lua(rt, source) == (number_type.size, number_type.size)

    def test_resize(self, rt: Runtime, number_type: types.NumberType) -> None:
        source = f"""
            local s = {number_type.storage}{{1, 2, 3}}
            local same = rawequal(s, s:resize(5))
            return same, s:size(), s[3], s:resize(2)"""
        assert plain(lua(rt, source)) == (True, 5, 3, [1, 2])

    def test_copy_and_fill_return_the_storage(self, rt: Runtime, number_type: types.NumberType) -> None:
        source = f"""
            local s = {number_type.storage}(2)
            return rawequal(s, s:fill(3)), rawequal(s, s:copy(torch.DoubleStorage{{1.75, 2}})), s[1]"""
        assert lua(rt, source) == (True, True, 1.75 if number_type.is_floating else 1)

    def test_conversions(self, rt: Runtime, number_type: types.NumberType) -> None:
        name = number_type.name.lower()
        source = f"""
            local s = torch.DoubleStorage{{1.5, 2}}
            local t = s:{name}()
            return t:type(), t:size(), rawequal(t, t:{name}()), torch.typename(s:type('{number_type.storage}')),
                   torch.typename(s:typeAs(t)), t:totable()"""
        assert lua(rt, source) == (
            number_type.storage,
            2,
            True,
            number_type.storage,
            number_type.storage,
            [1.5 if number_type.is_floating else 1, 2],
        )


def test_the_default_type(rt: Runtime) -> None:
    assert lua(rt, "return torch.typename(torch.Storage(2)), torch.Storage{1}:real():type()") == (
        "torch.DoubleStorage",
        "torch.DoubleStorage",
    )


def test_numbers_are_cast(rt: Runtime) -> None:
    source = (
        "local s = torch.ByteStorage(3) s[1] = 300 s[2] = -1 s[3] = 2.9 return s:totable(), s:fill(257)[1]"
    )
    assert lua(rt, source) == ([44, 255, 2], 1)


def test_equality_is_of_memory(rt: Runtime) -> None:
    source = """
        local x = torch.Tensor(4)
        local a, b, c = x:storage(), x:narrow(1, 2, 2):storage(), x:clone():storage()
        return a == b, a == c, torch.pointer(a) == torch.pointer(b), torch.pointer(a) == torch.pointer(c)"""
    assert lua(rt, source) == (True, False, True, False)


@pytest.mark.parametrize("name", ["Byte", "Char"])
def test_strings(rt: Runtime, name: str) -> None:
    source = f"""
        local s = torch.{name}Storage():string('a\\0b\\255')
        return s:size(), s:string(), s:string() == 'a\\0b\\255', s:string('xy'):size(), s:string(''):size()"""
    assert lua(rt, source) == (4, "a\0b\xff", True, 2, 0)


def test_tostring(rt: Runtime) -> None:
    assert lua(rt, "return tostring(torch.IntStorage{1, 20})") == "  1\n 20\n[torch.IntStorage of size 2]\n"
    assert lua(rt, "return tostring(torch.FloatStorage())") == "[torch.FloatStorage of size 0]\n"


def test_memory_at_an_address(rt: Runtime) -> None:
    x = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    source = f"local s = torch.DoubleStorage(2, {x.data_ptr() + 8}) s[1] = 9 return s"
    assert plain(lua(rt, source)) == [9, 3]
    assert x.tolist() == [1, 9, 3]


class TestFiles:
    def test_private(self, rt: Runtime, tmp_path: Path) -> None:
        path = tmp_path / "hello.txt"
        path.write_bytes(b"Hello World\n")
        source = (
            f"local s = torch.CharStorage('{path}') local text = s:string() s:fill(42) return s:size(), text"
        )
        assert lua(rt, source) == (12, "Hello World\n")
        assert path.read_bytes() == b"Hello World\n"

    def test_shared(self, rt: Runtime, tmp_path: Path) -> None:
        path = tmp_path / "hello.txt"
        path.write_bytes(b"Hello World\n")
        lua(rt, f"torch.CharStorage('{path}', true):fill(42)")
        assert path.read_bytes() == b"*" * 12

    def test_of_a_size(self, rt: Runtime, tmp_path: Path) -> None:
        path = tmp_path / "numbers"
        lua(rt, f"local s = torch.IntStorage('{path}', true, 3) s[1], s[2], s[3] = 1, 2, 3")
        assert path.read_bytes() == b"\1\0\0\0\2\0\0\0\3\0\0\0"
        assert plain(lua(rt, f"return torch.IntStorage('{path}', false, 2)")) == [1, 2]

    def test_errors(self, rt: Runtime, tmp_path: Path) -> None:
        path = tmp_path / "few"
        path.write_bytes(b"abcd")
        assert "unable to open file" in failure(rt, f"torch.ByteStorage('{tmp_path}/none')")
        assert "has 1 elements, not 2" in failure(rt, f"torch.IntStorage('{path}', false, 2)")
        assert "cannot have the name" in failure(rt, f"torch.IntStorage('{path}', true, 2, true)")


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="there is no /dev/shm here")
class TestSharedMemory:
    def test_two_storages_on_one_block(self, rt: Runtime, tmp_path: Path) -> None:
        name = f"torch7py-{tmp_path.name}-{os.getpid()}"
        source = f"""
            local a = torch.FloatStorage('{name}', true, 4, true):fill(2)
            local b = torch.FloatStorage('/dev/shm/{name}', true, 4)
            b[2] = 5
            return a"""
        assert plain(lua(rt, source)) == [2, 5, 2, 2]

    def test_the_name_goes_with_the_storage(self, rt: Runtime, tmp_path: Path) -> None:
        name = f"torch7py-{tmp_path.name}-{os.getpid()}"
        lua(rt, f"block = torch.ByteStorage('{name}', true, 8, true)")
        assert (Path("/dev/shm") / name).stat().st_size == 8
        lua(rt, "block = nil collectgarbage()")
        assert not (Path("/dev/shm") / name).exists()

    def test_a_new_block_needs_a_size(self, rt: Runtime, tmp_path: Path) -> None:
        name = f"torch7py-{tmp_path.name}-{os.getpid()}"
        assert "needs a size" in failure(rt, f"torch.ByteStorage('{name}', true, 0, true)")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("local v = s[4]", "index 4 out of bounds of a storage of size 3"),
        ("local v = s[0]", "index 0 out of bounds of a storage of size 3"),
        ("s[-1] = 2", "index -1 out of bounds of a storage of size 3"),
        ("s[1] = 'a'", "invalid arguments for storage[...] = ..."),
        ("torch.Storage(-1)", "a storage cannot have -1 elements"),
        ("torch.Storage{{1}, {2}}", "a storage is made of a table of numbers"),
        ("torch.Storage(torch.FloatStorage(2))", "expecting torch.DoubleStorage, got torch.FloatStorage"),
        ("torch.Storage(s, 4)", "offset 4 out of bounds"),
        ("torch.Storage(s, 2, 3)", "size 3 out of bounds: 2 elements from offset 2"),
        ("s:copy(torch.Storage(2))", "size mismatch: 2 elements copied to a storage of 3"),
        ("s:string()", "only ByteStorage and CharStorage have it, not torch.DoubleStorage"),
        ("s:resize(-2)", "a storage cannot have -2 elements"),
        ("s:type('torch.Storage')", "'torch.Storage' is not a storage type"),
        ("torch.ByteStorage(2, 7)", "the process has no memory for 2 elements at address 7"),
        ("torch.Storage(2^50, 2^20)", "the process has no memory for"),
    ],
)
def test_errors(rt: Runtime, source: str, message: str) -> None:
    assert message in failure(rt, f"local s = torch.Storage{{1, 2, 3}} {source}")


def test_a_method_that_is_not_there(rt: Runtime) -> None:
    value: Any = lua(rt, "return torch.Storage(1).narrow")
    assert value is None


def test_resize_takes_a_flag_that_says_nothing(rt: Runtime) -> None:
    """Layers of the original pass it."""
    source = "local s = torch.DoubleStorage(2):fill(3) s:resize(3, true) return s[1], s[2], s:size()"
    assert lua(rt, source) == (3, 3, 3)
