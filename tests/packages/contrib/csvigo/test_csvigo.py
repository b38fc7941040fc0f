"""csvigo, beside Python's csv module."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError

SHOES = '"num",name,age\r\n"1","a ""b"", c",3\r\n2,,4.5\r\n2,d,3\r\n'
COLUMNS = {"num": ["1", "2", "2"], "name": ['a "b", c', "", "d"], "age": ["3", "4.5", "3"]}
START = (
    "local csvigo = require 'csvigo'\n"
    "local function load(t) t.path, t.verbose = t.path or 'shoes.csv', false return csvigo.load(t) end\n"
    "local function joined(t) return table.concat(t, '|') end\n"
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shoes.csv").write_bytes(SHOES.encode())
    return tmp_path


def lua(text: str) -> Any:
    return Runtime().execute(START + text)


class TestLoad:
    def test_columns_by_name_all_of_them_strings(self, place):
        for name, values in COLUMNS.items():
            assert lua(f"return joined(load{{}}.{name})") == "|".join(values)
        assert lua("return joined((load{column_order = true}))") == "num|name|age"

    def test_columns_without_names_are_numbered(self, place):
        Path("shoes.csv").write_text("1,2\n3,4\n")
        assert lua("local t = load{} return joined(t.var_1) .. joined(t.var_2)") == "1|32|4"
        assert lua("local t = load{header = true} return joined(t['1'])") == "3"
        assert lua("local t = load{header = true, skip = 1} return #t['3']") == 0
        assert lua("local t = load{skip = 1} return joined(t.var_2)") == "4"

    def test_records(self, place):
        rows = list(csv.reader(SHOES.splitlines()))
        for mode in ("raw", "large"):
            made = f"local t = load{{mode = '{mode}'}} local s = {{}} for i, r in ipairs(t) do s[i] = joined(r) end "
            assert lua(made + "return table.concat(s, '/')") == "/".join("|".join(row) for row in rows)
            assert lua(f"local t = load{{mode = '{mode}'}} return #t .. t[2][2]") == '4a "b", c'

    def test_rows_of_a_large_file_are_not_changed_and_not_beyond_it(self, place):
        with pytest.raises(LuaError, match="cannot be changed"):
            lua("load{mode = 'large'}[9] = {}")
        with pytest.raises(LuaError, match="no row 5"):
            lua("return load{mode = 'large'}[5]")

    def test_queries(self, place):
        start = "local q = load{mode = 'query'} "
        assert lua(start + "return joined(q('union', {num = 1, name = 'd'}).num)") == "1|2"
        assert lua(start + "return joined(q('inter', {num = {1, 2}, age = 3}).num)") == "1|2"
        assert lua(start + "return joined(q('inter', {num = 2, age = '3'}).name)") == "d"
        assert lua(start + "return #q('inter', {num = 7}).name") == 0
        assert lua(start + "return joined(q().num) .. joined(q('all').age)") == "1|2|23|4.5|3"
        assert lua(start + "local v = q('vars') table.sort(v) return joined(v)") == "age|name|num"
        with pytest.raises(LuaError, match="no column 'size'"):
            lua(start + "q('union', {size = 1})")

    def test_several_spaces_are_one_separator(self, place):
        Path("shoes.csv").write_text("a   b c\n")
        assert lua("return joined(load{mode = 'raw', separator = ' '}[1])") == "a|b|c"
        Path("shoes.csv").write_text("a..b\n")
        assert lua("return joined(load{mode = 'raw', separator = '.'}[1])") == "a||b"

    def test_what_it_says(self, place, capfd):
        lua("csvigo.load('shoes.csv')")
        said = ("parsing file: shoes.csv", "tidying up entries", "returning tidy table")
        assert capfd.readouterr().out == "".join(f"<csv>\t{line}\t\n" for line in said)

    @pytest.mark.parametrize(
        ("text", "message"),
        [('a,"b\n', "quote without its end"), ("a\n1,2\n", "more fields"), ("", "no line 1")],
    )
    def test_broken_files(self, place, text, message):
        Path("shoes.csv").write_text(text)
        with pytest.raises(LuaError, match=message):
            lua("load{}")

    def test_no_file_and_no_such_mode(self, place):
        with pytest.raises(LuaError, match="No such file"):
            lua("load{path = 'none.csv'}")
        with pytest.raises(LuaError, match="unknown mode 'neat'"):
            lua("load{mode = 'neat'}")


@pytest.fixture(scope="class")
def of_all() -> Iterator[Runtime]:
    """One runtime for all examples: to start one takes longer than a file."""
    runtime = Runtime()
    yield runtime
    runtime.close()


class TestSave:
    @given(
        rows=st.lists(
            st.lists(st.text("ab,\"' ", min_size=1), min_size=2, max_size=2), min_size=1, max_size=4
        )
    )
    def test_python_reads_what_was_written(self, tmp_path_factory, of_all, rows):
        path = tmp_path_factory.mktemp("csv") / "rows.csv"
        runtime = of_all
        made = ", ".join("{" + ", ".join(f"[==[{x}]==]" for x in row) + "}" for row in rows)
        runtime.execute(f"require('csvigo').save{{path = '{path}', data = {{{made}}}, verbose = false}}")
        with open(path, newline="") as file:
            assert list(csv.reader(file)) == rows
        back = f"local t = require('csvigo').load{{path = '{path}', mode = 'raw', verbose = false}}"
        for i, row in enumerate(rows, 1):
            assert runtime.execute(f"{back} return table.concat(t[{i}], '\\1')") == "\1".join(row)

    def test_columns(self, place):
        lua("csvigo.save{path = 'out.csv', data = load{}, column_order = {'age', 'name'}, verbose = false}")
        assert Path("out.csv").read_text() == 'age,name\n3,"a ""b"", c"\n4.5,\n3,d\n'
        lua(
            "csvigo.save{path = 'out.csv', data = load{}, column_order = {'num'}, header = false, verbose = false}"
        )
        assert Path("out.csv").read_text() == "1\n2\n2\n"
        lua("csvigo.save{path = 'out.csv', data = load{mode = 'query'}, verbose = false}")
        assert sorted(Path("out.csv").read_text().splitlines()[0].split(",")) == ["age", "name", "num"]
        with pytest.raises(LuaError, match="no column 'size'"):
            lua("csvigo.save{path = 'out.csv', data = load{}, column_order = {'size'}, verbose = false}")

    def test_missing_values(self, place):
        lua(
            "csvigo.save{path = 'out.csv', data = {{1, 0/0}, {2, 3}}, nan_as_missing = true, verbose = false}"
        )
        assert Path("out.csv").read_text() == "1,\n2,3\n"

    def test_a_file_record_by_record(self, place):
        text = "local f = csvigo.File('f.csv', 'w', '|') f:write{'a', 'b'} f:writeall{{1, 2}, {11, 12}} f:close()"
        lua(text)
        assert Path("f.csv").read_text() == "a|b\n1|2\n11|12\n"
        read = "local f = csvigo.File('f.csv', 'r', '|') local r = f:read() local n = #f:readall() "
        assert lua(read + "return joined(r) .. n .. tostring(f:read())") == "a|b2nil"
