"""Where ``require``, ``include`` and their like find files, what runs, and how they fail."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.bridge.chunks import Engine, engines
from torch7py.bridge.source import patch
from torch7py.packages.missing_packages import ELSEWHERE, advice
from torch7py.packages.registry import came_with_torch, packages


class Project:
    """A directory of Lua files, which is the working directory, and an engine with a package ``known``."""

    def __init__(self, name: str, directory: Path) -> None:
        self.directory = directory
        self.engine = Engine(name)
        self.engine.chunk("compat.lua")
        functions = self.engine.run("return {}")
        core = self.engine.chunk("core.lua", functions)
        self.engine.chunk("values.lua", core, functions)
        self.engine.chunk("calls.lua", core)
        host = {
            "patch": patch,
            "working_directory": os.getcwd,
            "came_with_torch": came_with_torch,
            "advice": advice,
        }
        self.host = self.engine.lua.table_from(host)
        packages = self.engine.run(
            "return {load = function(n) if n == 'known' or n == 'optim' then return {name = n} end end}"
        )
        self.sources = self.engine.chunk("require.lua", core, self.host, packages)

    def write(self, /, **files: str) -> None:
        """Files by path, `__` for a slash; `.lua` is added."""
        for name, text in files.items():
            self.file(name.replace("__", "/") + ".lua", text)

    def file(self, path: str, text: str | bytes) -> Path:
        target = self.directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode("latin1") if isinstance(text, str) else text)
        return target

    def run(self, source: str) -> Any:
        return self.engine.run(source)

    def message(self, source: str) -> str:
        """The error that a script `main.lua` ends with."""
        self.write(main=source)
        ok, message = self.run("return pcall(dofile, 'main.lua')")
        assert not ok
        return str(message)


@pytest.fixture(params=engines)
def project(request, tmp_path, monkeypatch) -> Project:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LUA_PATH", raising=False)
    return Project(request.param, tmp_path)


NAME_AND_COUNT = "count = (count or 0) + 1 return {name = ..., count = count}"


class TestModules:
    @pytest.mark.parametrize("name", ["a", "d.a", "d/a", "d.e.a", "p", "d/p"])
    def test_a_file_runs_once_for_each_name(self, project, name):
        project.write(a=NAME_AND_COUNT, d__a=NAME_AND_COUNT, d__e__a=NAME_AND_COUNT)
        project.write(p__init=NAME_AND_COUNT, d__p__init=NAME_AND_COUNT)
        assert project.run(
            f"local m = require '{name}' return m.name, m.count, require '{name}' == m, package.loaded['{name}'] == m"
        ) == (name, 1, True, True)

    def test_libraries_for_ffi_are_found_and_no_modules_of_c(self, project):
        project.file("libsums.so", "no library")
        assert project.run("return package.searchpath('libsums', package.cpath)") == "./libsums.so"
        assert "module 'libsums' not found" in project.run("return select(2, pcall(require, 'libsums'))")

    def test_two_names_of_one_file_are_two_modules(self, project):
        project.write(d__a=NAME_AND_COUNT)
        assert project.run("return require('d.a').count, require('d/a').count, require('d.a').count") == (
            1,
            2,
            1,
        )

    def test_results(self, project):
        project.write(none="", false_="return false", set="package.loaded[...] = 'own'", two="return 1, 2")
        assert project.run("return require 'none', package.loaded.none") == (True, True)
        assert project.run("return require 'false_', require 'set', select('#', require 'two')") == (
            False,
            "own",
            1,
        )

    @pytest.mark.parametrize("name", ["math", "os", "string", "io", "table", "debug", "coroutine", "_G"])
    def test_standard_libraries(self, project, name):
        assert project.run(f"return rawequal(require '{name}', {name})")

    def test_parts_of_luajit(self, project):
        if project.engine.jit:
            assert project.run("return require('bit').band(12, 10), type(require('ffi').new)") == (
                8,
                "function",
            )
        else:
            assert "\n\t'ffi' needs LuaJIT" in project.message("require 'ffi'")

    def test_preloads_come_before_packages(self, project):
        assert project.run("return require('known').name") == "known"
        project.run("package.loaded.known = nil package.preload.known = function(n) return 'own ' .. n end")
        assert project.run("return require 'known'") == "own known"

    @pytest.mark.parametrize("name", ["known", "optim"])
    @pytest.mark.parametrize(
        ("path", "wins"),
        [
            ("'lib/?.lua;' .. package.path", "known optim"),
            ("'lib/?/init.lua;' .. package.path", "known optim"),
            ("package.path .. ';lib/?.lua'", "known"),
            ("package.path .. ';lib/?/init.lua'", "known"),
            ("package.path .. ';other/?.lua'", ""),
        ],
    )
    def test_files_of_the_program_before_packages(self, project, name, path, wins):
        """Torch's own packages stood on package.path before a program's files, those of others behind."""
        project.write(lib__known="return {name = 'own'}", lib__optim="return {name = 'own'}")
        project.write(lib__known__init="return {name = 'own'}", lib__optim__init="return {name = 'own'}")
        project.run(f"package.path = {path}")
        assert project.run(f"return require('{name}').name") == ("own" if name in wins else name)

    def test_a_folder_of_the_working_directory_is_no_package(self, project):
        """Torch's own path had no ``./?/init.lua``: a checkout of a package beside the program is not meant."""
        project.write(known__init="return {name = 'own'}")
        assert project.run("return require('known').name") == "known"

    def test_a_file_of_the_program_is_meant_where_the_package_did_not_come_with_torch(self, project):
        """Not by that file itself, while it runs."""
        project.write(known="if inside then return require('known').name end return 'own'")
        assert project.run("inside = true return dofile 'known.lua'") == "known"
        assert project.run("inside = false package.loaded.known = nil return require 'known'") == "own"

    def test_searchers_of_the_program(self, project):
        assert (
            project.run("""
            table.insert(package.loaders, 1, function(name)
               if name == 'made' then return function(n) return n .. ' up' end end
            end)
            return require 'made'
        """)
            == "made up"
        )

    def test_package_path(self, project):
        project.write(lib__a="return 'found'")
        assert project.run("package.path = package.path .. ';lib/?.lua' return require 'a'") == "found"

    def test_lua_path_of_the_environment(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("LUA_PATH", "lib/?.lua")
        name = next(p.values[0] for p in engines if not any(m.args[0] for m in p.marks))
        project = Project(str(name), tmp_path)
        project.write(lib__a="return 'found'", lib__known="return 'own'", lib__optim="return 'own'")
        assert project.run("return require 'a', package.path") == ("found", "lib/?.lua")
        assert project.run("return require 'known', require('optim').name") == ("own", "optim")

    def test_beside_the_script(self, project):
        project.write(scripts__m="return 'module'", scripts__p__init="return 'package'")
        project.file("scripts/n.json", "")
        project.sources.set_script("scripts/main.lua")
        assert project.run("return require 'm', require 'p', require 'm.lua'") == (
            "module",
            "package",
            "module",
        )

    def test_the_working_directory_comes_first(self, project):
        project.write(scripts__m="return 'script'", m="return 'cwd'")
        project.sources.set_script("scripts/main.lua")
        assert project.run("return require 'm'") == "cwd"


class TestFilesForRequire:
    """Names with an extension, and names that begin with a dot: th runs the file each time."""

    def test_extension(self, project):
        project.write(a=NAME_AND_COUNT, d__b="return 'b'")
        assert project.run("return require('a.lua').count, require('a.lua').count, require 'd/b.lua'") == (
            1,
            2,
            "b",
        )

    @pytest.mark.parametrize("name", ["./x", "./x.lua", "../lib/x", "./../lib/x.lua", "./y/../x"])
    def test_relative_to_the_file_that_requires(self, project, name):
        project.write(
            lib__x="return 'lib/x'", x="return 'x'", lib__main=f"local v = require '{name}' return v"
        )
        assert project.run("return dofile 'lib/main.lua'") == "lib/x"

    def test_every_time(self, project):
        project.write(x=NAME_AND_COUNT)
        project.write(main="return require('./x').count, require('./x').count, require('./x').name")
        assert project.run("return dofile 'main.lua'") == (1, 2, None)
        assert project.run("return package.loaded['./x']") is None

    def test_all_results(self, project):
        project.write(x="return 1, nil, 3")
        assert project.run("return require './x'") == (1, None, 3)

    @pytest.mark.parametrize("name", ["./p", "./p/init", "./p/init.lua"])
    def test_directory(self, project, name):
        project.write(p__init="return require './inner'", p__inner="return 'inner'")
        assert project.run(f"return require '{name}'") == "inner"

    def test_parent(self, project):
        project.write(init="return 'parent'", lib__main="local v = require '..' return v")
        assert project.run("return dofile 'lib/main.lua'") == "parent"

    def test_a_file_comes_before_a_directory(self, project):
        project.write(p="return 'file'", p__init="return 'directory'")
        assert project.run("return require './p'") == "file"

    @pytest.mark.parametrize("call", ["return require './x'", "return select(2, pcall(require, './x'))"])
    def test_when_the_callers_frame_is_hidden(self, project, call):
        """A tail call, or pcall: th saw no file and looked in the working directory; its caller is next."""
        project.write(lib__x="return 'lib/x'", lib__main=call)
        assert project.run("return dofile 'lib/main.lua'") == "lib/x"
        assert project.run("return require 'lib.main'") == "lib/x"
        project.write(x="return 'x'")
        assert project.run("return dofile 'lib/main.lua'") == "x"

    def test_from_a_string(self, project):
        project.write(x="return 'x'")
        assert project.run("return assert(loadstring(\"local v = require './x' return v\"))()") == "x"

    def test_other_kinds_of_files(self, project):
        project.run("""
            torch = {load = function(path) return 'saved ' .. path end}
            package.preload.nn = function() nn = 'loaded' end
            package.preload.cjson = function() return {decode = function(text) return 'decoded ' .. text end} end
            package.preload.csv = function() return {load = function(path) return 'csv ' .. path end} end
        """)
        for path in ("a.th", "b.net", "c.json", "d.csv"):
            project.file(path, "{}")
        for suffixes in (["", "", "", ""], [".th", ".net", ".json", ".csv"]):
            names = [f"require './{stem}{suffix}'" for stem, suffix in zip("abcd", suffixes, strict=True)]
            assert project.run(f"return {', '.join(names)}") == (
                "saved a.th",
                "saved b.net",
                "decoded {}",
                "csv d.csv",
            )
        assert project.run("return nn, require 'c'") == ("loaded", "decoded {}")


class TestInclude:
    def test_beside_the_caller(self, project):
        project.write(lib__main="include 'a.lua' include 'b/c.lua' return found")
        project.write(lib__a="found = {'a'}", lib__b__c="include('../d.lua')", lib__d="found[2] = 'd'")
        assert project.run("return unpack(dofile 'lib/main.lua')") == ("a", "d")

    def test_results(self, project):
        project.write(a="return 1, nil")
        assert project.run("return select('#', include 'a.lua')") == 2

    def test_the_absolute_name(self, project):
        """learning_to_execute tests its data when `data.lua` is run, and not when it is included."""
        project.write(data="return debug.getinfo(1, 'S').source", main="return include 'data.lua'")
        assert project.run("return dofile 'main.lua'") == f"@{project.directory}/data.lua"
        project.write(lib__main="local source = include '../data.lua' return source")
        assert project.run("return dofile 'lib/main.lua'") == f"@{project.directory}/data.lua"

    def test_on_behalf_of_a_caller(self, project):
        project.write(tools="function load_beside(name) local v = include(name, 1) return v end")
        project.write(
            lib__main="local v = load_beside 'a.lua' return v", lib__a="return 'lib/a'", a="return 'a'"
        )
        assert project.run("dofile 'tools.lua' return dofile 'lib/main.lua'") == "lib/a"


class TestLoading:
    def test_dofile_and_loadfile(self, project):
        project.write(a="return 'a', ..., debug.getinfo(1, 'S').source")
        assert project.run("return dofile './a.lua'") == ("a", None, "@./a.lua")
        assert project.run("return loadfile('a.lua')('x')") == ("a", "x", "@a.lua")

    def test_header_and_bytes(self, project):
        project.file(
            "a.lua",
            b"\xef\xbb\xbf#!/usr/bin/env th\nreturn '\xff\x00\xe9', #{1}, debug.getinfo(1, 'l').currentline",
        )
        assert project.run("return dofile 'a.lua'") == ("\xff\x00\xe9", 1, 2)

    def test_sources_are_patched(self, project):
        project.write(
            a="return #setmetatable({}, {__len = function() return 7 end})",
            b="local f = tostring\nreturn f\n(1)",
        )
        assert project.run("return require 'a', dofile 'b.lua', loadstring(\"return '\\\\x41'\")()") == (
            7,
            "1",
            "A",
        )

    def test_sources_without_need_are_not_handed_to_python(self, project):
        project.host["patch"] = None
        project.write(a="return 1")
        assert project.run("return require 'a'") == 1

    @pytest.mark.parametrize("function", ["load", "loadstring"])
    def test_strings(self, project, function):
        assert project.run(f"return {function}('return ..., 2')(1)") == (1, 2)
        assert project.run(f"return {function}('return debug.getinfo(1).short_src', '=name')()") == "name"
        assert project.run(f"return {function}('return x', 'n', 't', {{x = 5}})()") == 5
        assert project.run(f"return {function}('return #x', 'n', 't', {{x = {{1, 2}}}})()") == 2
        assert project.run(f"return {function}('return 1', 'n', 'b')") == (
            None,
            "attempt to load chunk with wrong mode",
        )
        assert project.run(f"return {function}('return )', '=name')") == (
            None,
            "name:1: unexpected symbol near ')'",
        )

    def test_other_globals(self, project):
        """The function behind the length operator is not among a sandbox's globals."""
        project.write(
            a="n = #{1, 2}",
            b="module('m') n = #{1, 2, 3}",
            c="local s = #{1} setfenv(1, {}) return #{1, 2} + s",
        )
        assert project.run("local t = {} setfenv(loadfile('a.lua'), t)() return t.n, next(t, next(t))") == (
            2,
            None,
        )
        assert project.run("local t = {} setfenv(loadstring('n = #{1}'), t)() return t.n") == 1
        assert project.run("require 'b' return m.n, dofile 'c.lua'") == (3, 3)

    def test_goto_is_no_name(self, project):
        """What programs ask to find out about Lua 5.2."""
        assert project.run(
            "return loadstring('local goto = 1') == nil, loadstring('local go = 1') == nil"
        ) == (True, False)
        if project.engine.jit:
            assert project.run("return loadstring('goto done do return 1 end ::done:: return 2')()") == 2

    def test_pieces(self, project):
        assert project.run("""
            local pieces = {'return ', '1 + ', '1', '', ' never'}
            local i = 0
            return load(function() i = i + 1 return pieces[i] end)(), (load(function() end)())
        """) == (2, None)
        assert (
            project.run("return load(function() return {} end)")[1] == "reader function must return a string"
        )

    def test_dumped_functions(self, project):
        assert project.run("return loadstring(string.dump(function(a) return a .. '#' end))('x')") == "x#"
        assert project.run("return loadstring(string.dump(function() end), 'n', 't')") == (
            None,
            "attempt to load chunk with wrong mode",
        )

    def test_what_only_the_parser_rejects(self, project):
        """Should the two ever disagree on what is Lua, nothing runs unpatched."""
        project.host["patch"] = lambda text, escapes: None
        assert project.run("return loadstring('return #x', '@a.lua')") == (
            None,
            "a.lua: this source is not what Torch took for Lua",
        )


class TestErrors:
    def test_an_unknown_module(self, project):
        assert project.message("\nlocal m = require 'no.such'") == (
            "main.lua:2: module 'no.such' not found:"
            "\n\tno field package.preload['no.such']"
            "\n\tno package 'no.such' in torch7py"
            "\n\tno file './no/such.lua'"
            "\n\tno file './no/such/init.lua'"
            "\n\tno file 'no.such'"
            "\n\tit is neither a package that torch7py knows nor a Lua file of this program"
            "\n\ta package written in Lua is found in the program's folder and in those of LUA_PATH"
        )

    def test_a_package_that_is_known_not_to_be_here(self, project):
        assert project.message("require 'alewrap'").endswith(
            "\n\talewrap is not a part of torch7py: Atari games, over the emulator Xitari in C++. "
            "Play the games by ale-py in a Python program that runs the Lua one by torch7py.Runtime."
        )
        assert "torchnet is not a part" not in project.message("require 'torchnet_of_mine'")

    def test_no_package_is_both_here_and_elsewhere(self):
        assert "nn" in packages
        assert not set(packages) & set(ELSEWHERE)

    def test_an_unknown_file(self, project):
        assert project.message("local m = require './no'") == (
            "main.lua:1: module './no' not found:"
            "\n\tno file 'no.lua'"
            "\n\tno file 'no'"
            "\n\tno file 'no/init.lua'"
            "\n\ta name that begins with a dot is a file beside the one that requires it"
        )

    def test_the_line_is_there_through_pcall(self, project):
        project.write(main="\n\nlocal ok, e = pcall(require, 'no') return e")
        assert project.run("return dofile 'main.lua'").startswith("main.lua:3: module 'no' not found")

    def test_a_syntax_error(self, project):
        project.write(bad="x = 1\nx = )")
        assert project.message("require 'bad'") == (
            "main.lua:1: error loading module 'bad' from file './bad.lua':\n\t./bad.lua:2: unexpected symbol near ')'"
        )
        assert project.message("require './bad'") == "bad.lua:2: unexpected symbol near ')'"
        assert project.message("include 'bad.lua'").endswith("/bad.lua:2: unexpected symbol near ')'")

    def test_a_syntax_error_beside_what_is_patched(self, project):
        """The engine's message about the source as it was written."""
        assert project.run("return loadstring('local n = #x\\nlocal y = #', '=a')")[1].startswith(
            "a:2: unexpected symbol"
        )
        assert project.run("return loadstring('f\\n(#x) end', '=a')")[1].startswith("a:2: ")

    def test_an_error_in_a_module(self, project):
        project.write(fails="\nerror('message')", table="error({code = 3})")
        assert project.message("require 'fails'") == "./fails.lua:2: message"
        assert (
            project.message("require 'fails'") == "main.lua:1: loop or previous error loading module 'fails'"
        )
        assert (
            project.run(
                "local ok, e = pcall(require, 'table_') ok, e = pcall(require, './table') return e.code"
            )
            == 3
        )

    def test_modules_that_require_each_other(self, project):
        project.write(a="require 'b'", b="require 'a'")
        assert project.message("require 'a'") == "./b.lua:1: loop or previous error loading module 'a'"

    def test_a_missing_file(self, project):
        assert (
            project.message("\ndofile 'no.lua'")
            == "main.lua:2: cannot open no.lua: No such file or directory"
        )
        message = f"main.lua:2: cannot open {project.directory}/no.lua: No such file or directory"
        assert project.message("\ninclude 'no.lua'") == message

    def test_a_directory_for_a_file(self, project):
        (project.directory / "d").mkdir()
        assert project.message("dofile 'd'") == "main.lua:1: cannot read d: Is a directory"
        assert project.run("return loadfile 'd'") == (None, "cannot read d: Is a directory")
        assert project.run("return loadfile 'no'") == (None, "cannot open no: No such file or directory")

    @pytest.mark.parametrize("function", ["require", "include", "loadstring", "load"])
    def test_a_wrong_argument(self, project, function):
        assert project.message(f"\nlocal x = {function}(nil)") == (
            f"main.lua:2: bad argument #1 to '{function}' (string expected, got nil)"
        )


class TestPaths:
    @pytest.mark.parametrize(
        ("directory", "name", "path"),
        [
            (".", "x", "x"),
            (".", "./x", "x"),
            (".", "../x", "../x"),
            ("a/b", "../x", "a/x"),
            ("a", "../../x", "../x"),
            ("../a", "../x", "../x"),
            ("/a", "../../x", "/x"),
            ("/", "x", "/x"),
            ("a", "/x", "/x"),
            ("a", ".", "a"),
            ("a", "..", "."),
        ],
    )
    def test_join(self, project, directory, name, path):
        assert project.sources.join(directory, name) == path

    @pytest.mark.parametrize(
        ("path", "directory"), [("a/b.lua", "a"), ("b.lua", "."), ("/b.lua", "/"), ("/a/b", "/a")]
    )
    def test_directory(self, project, path, directory):
        assert project.sources.directory(path) == directory

    def test_is_file(self, project):
        project.file("empty", "")
        (project.directory / "d").mkdir()
        assert [project.sources.is_file(p) for p in ("empty", "d", "no")] == [True, False, False]

    def test_here(self, project):
        project.engine.lua.globals().here = project.sources.here
        project.write(
            lib__a="local function f() local p = here(2) return p end local p, q = here(1), f() return p, q"
        )
        assert project.run("return dofile 'lib/a.lua'") == ("lib/a.lua", "lib/a.lua")
