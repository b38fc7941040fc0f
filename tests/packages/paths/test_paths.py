"""paths, lfs and sys: names and files, from Lua; what needs a file of the program that calls."""

from __future__ import annotations

import os
import posixpath
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError
from torch7py.ops.errors import ArgumentError
from torch7py.packages.paths import filesystem as paths

NAMES = st.text("ab./", max_size=8)

unix = pytest.mark.skipif(os.name == "nt", reason="names as a Unix has them")


class TestNames:
    @unix
    @given(st.lists(NAMES, max_size=4))
    def test_concat_is_a_walk_from_the_working_directory(self, names):
        expected = os.getcwd()
        for name in names:
            expected = posixpath.normpath(posixpath.join(expected, name or "."))
        assert paths.concat(*names) == "/" + expected.lstrip("/")

    # How the original's C code cuts these.
    @pytest.mark.parametrize(
        ("name", "base", "directory", "extension"),
        [
            ("a/b.lua", "b.lua", "a", "lua"),
            ("/a", "a", "/", ()),
            ("a", "a", ".", ()),
            ("/a/b/", "b", "/a", ()),
            ("a//b", "b", "a/", ()),
            ("/", "", "/", ()),
            ("", "", ".", ()),
            ("a.b/c", "c", "a.b", "b/c"),
            ("x.tar.gz", "x.tar.gz", ".", "gz"),
            ("x.", "x.", ".", ""),
        ],
    )
    def test_parts(self, name, base, directory, extension):
        assert paths.basename(name) == base
        assert paths.dirname(name) == directory
        assert paths.extname(name) == extension

    @pytest.mark.parametrize(
        ("name", "suffix", "expected"),
        [
            ("a/b.lua", "lua", "b"),
            ("a/b.lua", ".lua", "b"),
            ("b.lua", "ua", "b.lua"),
            (".lua", "lua", ""),
            ("b.lua", ".", "b.lua"),
            ("lua", "lua", "lua"),
        ],
    )
    def test_basename_without_suffix(self, name, suffix, expected):
        assert paths.basename(name, suffix) == expected

    def test_numbers_are_names(self, runtime, folder):
        assert runtime.execute("return paths.basename(paths.concat('run', 3)), paths.concat(0.5)") == (
            "3",
            paths.concat("0.5"),
        )

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            ("paths.concat('a', nil)", r"bad argument #2 to 'concat' \(string expected, got nil\)"),
            ("paths.concat({})", "bad argument #1 to 'concat'"),
            ("paths.filep()", r"argument #1 \('name'\) is missing"),
            ("paths.dirp(true)", "string expected, got boolean"),
            ("paths.files('.', 3)", "expects a function or a pattern, not a number"),
            ("paths.getregistryvalue('a', 'b', 'c')", "registry of Windows is not supported"),
            ("sys.split('abc', 'x*')", "matches nothing at all"),
            ("lfs.dir('/nowhere')", "cannot open /nowhere: No such file or directory"),
            ("lfs.attributes('.', 'colour')", "invalid attribute name 'colour'"),
        ],
    )
    def test_bad_input(self, runtime, call, message):
        with pytest.raises(LuaError, match=message) as raised:
            runtime.execute(f"require 'lfs'\n{call}")
        assert raised.value.message.startswith("python:2: ")


class TestFiles:
    def test_tests(self, runtime, folder):
        (folder / "d").mkdir()
        (folder / "f").touch()
        assert runtime.execute(
            """return paths.filep('f'), paths.filep('d'), paths.filep('no'),
            paths.dirp('d'), paths.dirp('f'), paths.dirp('no')"""
        ) == (True, False, False, True, False, False)

    def test_mkdir_makes_what_is_above(self, runtime, folder):
        assert runtime.execute("return paths.mkdir('a/b/c')") is True
        assert (folder / "a/b/c").is_dir()
        assert runtime.execute("return paths.mkdir('a')") == (None, "a: File exists", 17)

    def test_removal(self, runtime, folder):
        (folder / "a/b").mkdir(parents=True)
        (folder / "a/f").touch()
        (folder / "out").mkdir()
        (folder / "out/kept").touch()
        (folder / "a/link").symlink_to(folder / "out")
        assert runtime.execute("return paths.rmdir('a')") == (None, f"a: {os.strerror(39)}", 39)
        assert runtime.execute("return paths.rmall('a')") == (None, "missing second argument ('yes')")
        assert runtime.execute("return paths.rmall('a', 'yes')") is True
        assert not (folder / "a").exists()
        assert (folder / "out/kept").exists()
        assert runtime.execute("return paths.rmall('a', 'yes')") == (None, "not a file or directory", "a")

    def test_listings(self, runtime, folder):
        for name in ("b", "a", "c.lua"):
            (folder / name).touch()
        (folder / "d").mkdir()
        assert runtime.execute("return paths.dir('.')") == [".", "..", "a", "b", "c.lua", "d"]
        assert runtime.execute("return paths.dir('nowhere')") is None
        collect = "local t = {{}} for f in {} do t[#t + 1] = f end return table.concat(t, ' ')"
        for call, expected in (
            ("paths.files('.')", ". .. a b c.lua d"),
            ("paths.files('.', '%.lua$')", "c.lua"),
            ("paths.files('.', function(f) return f > 'b' end)", "c.lua d"),
            ("paths.iterfiles('.')", "a b c.lua"),
            ("paths.iterdirs('.')", "d"),
            ("paths.files('nowhere')", ""),
            ("require('lfs').dir('.')", ". .. a b c.lua d"),
        ):
            assert runtime.execute(collect.format(call)) == expected

    @unix
    def test_names_are_bytes(self, runtime, folder):
        runtime.execute("paths.mkdir('\\195\\188') paths.mkdir('\\255')")
        assert sorted(os.listdir(os.fsencode(folder))) == [b"\xc3\xbc", b"\xff"]
        assert runtime.execute("return #paths.dir('.')[3], paths.dirp('\\255'), #paths.dir('.')") == (
            2,
            True,
            4,
        )

    def test_temporary_names(self, runtime):
        one, other = runtime.execute("return paths.tmpname(), paths.tmpname()")
        assert one != other
        assert not Path(one).exists()

    def test_lfs(self, runtime, folder):
        (folder / "f").write_bytes(b"12345")
        os.utime(folder / "f", (1000, 2000))
        assert runtime.execute(
            """require 'lfs' local a = lfs.attributes('f')
            return a.mode, a.size, a.access, a.modification, lfs.attributes('.', 'mode'), lfs.attributes('f', 'size')"""
        ) == ("file", 5, 1000, 2000, "directory", 5)
        assert runtime.execute("return lfs.attributes('no')") == (
            None,
            "cannot obtain information from file 'no': No such file or directory",
            2,
        )
        assert runtime.execute("return lfs.mkdir('d')") is True
        assert runtime.execute("return lfs.mkdir('d')") == (None, "File exists", 17)
        assert runtime.execute("return lfs.chdir('d'), lfs.currentdir()") == (True, str(folder / "d"))
        assert runtime.execute("return lfs.chdir('..'), lfs.rmdir('d')") == (True, True)
        assert runtime.execute("lfs.touch('f', 7, 8) return lfs.attributes('f').modification") == 8
        assert (
            runtime.execute("local n, d = lfs.dir('.') local first = d:next() d:close() return first") == "."
        )


class TestTheFileThatCalls:
    def test_thisfile_and_dofile(self, folder):
        (folder / "sub").mkdir()
        (folder / "sub/inner.lua").write_text("return paths.thisfile(), paths.thisfile('x'), sys.fpath()")
        (folder / "sub/outer.lua").write_text(
            "this = paths.thisfile() function load_it() return paths.dofile('inner.lua') end a, b, c, d = load_it()"
        )
        (folder / "main.lua").write_text("paths.dofile('sub/outer.lua')")
        with Runtime() as runtime:
            runtime.run("main.lua")
            sub = str(folder / "sub")
            assert runtime.globals["this"] == f"{sub}/outer.lua"
            assert [runtime.globals[name] for name in "abcd"] == [
                f"{sub}/inner.lua",
                f"{sub}/x",
                sub,
                "inner.lua",
            ]

    def test_outside_a_file(self, runtime, folder):
        (folder / "x.lua").write_text("return 5")
        assert runtime.execute("return paths.dofile('x.lua')") == 5
        assert runtime.execute("return paths.thisfile(), paths.thisfile('x')") == (None, "x")
        with pytest.raises(LuaError, match="what calls is not in a file"):
            runtime.execute("sys.fpath()")

    @pytest.mark.parametrize("depth", ["0/0", "1e300", "-1e15", "-1/0", "1e6"])
    def test_no_file_at_a_depth_that_is_no_level(self, runtime, depth):
        assert runtime.execute(f"return paths.thisfile('x', {depth})") == "x"


class TestSystem:
    def test_who_am_i(self, runtime):
        system, host, machine = paths.uname()
        assert runtime.execute("return paths.uname()") == (system, host, machine)
        name = {"Linux": "linux", "Darwin": "macos", "Windows": "windows"}[system]
        assert runtime.execute("return sys.uname(), sys.OS") == (name, name)
        assert runtime.execute("return paths.is_win() ~= nil, paths.is_mac() ~= nil") == (
            name == "windows",
            name == "macos",
        )

    @unix
    def test_programs(self, runtime):
        assert paths.filep(runtime.execute("return paths.findprogram('no such program', 'sh')"))
        assert runtime.execute("return paths.findprogram('no such program')") is None

    def test_stopwatch(self, runtime):
        before = time.time()
        assert before <= runtime.execute("return sys.clock()") <= time.time()
        assert 0.01 <= runtime.execute("sys.tic() sys.sleep(0.01) return sys.toc()") < 5
        with Runtime() as fresh, pytest.raises(LuaError, match=r"sys\.toc before sys\.tic"):
            fresh.execute("sys.toc()")

    def test_missing_arguments_in_python(self):
        with pytest.raises(ArgumentError, match="string expected, got nil"):
            paths.concat("a", None)
