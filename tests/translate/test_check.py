"""What a program uses of packages, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch7py.translate.check import check_files, check_program, lua_files
from torch7py.translate.native.program import translate_script
from torch7py.translate.native.project import gather
from torch7py.translate.report import Report, percent, summary
from torch7py.translate.usage import Usage, usage_of


def usage(source: str) -> Usage:
    translator = translate_script(source.encode(), "p.lua").translator
    assert translator is not None
    return usage_of(translator.program, translator.types, translator.project.added)


def check(tmp_path: Path, **files: str) -> dict[str, Report]:
    for name, source in files.items():
        path = tmp_path / (name.replace("__", "/") + ".lua")
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
    reports = check_files(lua_files(tmp_path))
    return {Path(report.file).stem: report for report in reports}


def states(report: Report) -> dict[str, str]:
    return {use.name: use.state for use in report.names}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("if nn.oldSeed then torch.ones(1) end", {"torch.ones": [1]}),
        ("local x = nn.a or 1 while not (nn.b) do end return nn.c ~= nil and nn.c(1)", {"nn.c": [1]}),
        ("require 'nn'\nx = nn.Linear(2, 3)\ny = nn.Linear", {"nn.Linear": [2, 3]}),
        ("local l = require 'nn'\nx = l.Linear(2, 3)", {"nn.Linear": [2]}),
        ("l = require 'nn'\nx = l['Linear'](2, 3)", {"nn.Linear": [2]}),
        ("local nn = {}\nnn.Linear = 1\nprint(nn.Linear)", {}),
        ("require 'pl'\nprint(pl.path.join('a', 'b'))", {"pl.path.join": [2]}),
        ("print(string.format('%d', 1), math.pi, io.read())", {}),
        ("local x = torch.zeros(2)\nx:add(1)", {"torch.zeros": [1], "torch.Tensor:add": [2]}),
        (
            "require 'nn'\nlocal m = nn.Sequential()\nm:add(nn.Tanh())",
            {"nn.Sequential": [2], "nn.Sequential:add": [3], "nn.Tanh": [3]},
        ),
        (
            "require 'nn'\nlocal m = nn.SplitTable(1)\nif arg then m = nn.Sequential():add(nn.Copy()):add(m) end",
            {"nn.SplitTable": [2], "nn.Sequential": [3], "nn.Sequential:add": [3], "nn.Copy": [3]},
        ),
        ("local s = 'a'\nprint(s:upper())", {}),
    ],
)
def test_names(source: str, names: dict[str, list[int]]) -> None:
    assert usage(source).names == names


def test_what_a_program_adds_to_packages_is_its_own() -> None:
    found = usage(
        "local C, parent = torch.class('nn.Mine', 'nn.Module')\nfunction C:updateOutput(x) return x end\n"
        "function nn.helper() end\nnn.Module.shout = function(self) end\nfunction nn.Linear:twice() end"
    )
    assert found.defined == {"nn.Mine", "nn.helper", "nn.Module.shout", "nn.Linear:twice"}


def test_methods_of_what_is_not_known_are_told_apart() -> None:
    found = usage("local function f(a) return a:foo() end\nprint(f)")
    assert (found.names, found.open) == ({}, {"foo": [1]})


def test_support_of_names(tmp_path: Path) -> None:
    report = check(
        tmp_path,
        p="require 'nn'\nrequire 'nosuchthing'\nlocal camera = require 'camera'\n"
        "local m = nn.Linear(2, 3)\nm:forward(torch.zeros(2))\nm:fly()\ncamera.image(1)\nnn.NoLayer()\n"
        "local x = torch.nodeal(3)\nlocal mine = {}\nmine.other = 1\nprint(opt.size, mine.other)",
    )["p"]
    found = states(report)
    assert found["nn"] == found["nn.Linear"] == found["nn.Linear:forward"] == found["torch.zeros"] == "yes"
    for name in ("nosuchthing", "camera", "camera.image", "nn.Linear:fly", "nn.NoLayer", "torch.nodeal"):
        assert found[name] == "no"
    assert not {"opt.size", "mine.other"} & set(found)
    assert not report.complete
    (use,) = (use for use in report.names if use.name == "camera.image")
    assert use.places == [f"{tmp_path}/p.lua:7"]
    assert use.note == "there is no package camera"
    assert str(use) == f"camera.image: not supported: there is no package camera ({tmp_path}/p.lua:7)"


def test_restricted_names_say_how(tmp_path: Path) -> None:
    report = check(tmp_path, p="local x = torch.zeros(2)\nprint(torch.data(x))")["p"]
    (use,) = (use for use in report.names if use.name == "torch.data")
    assert use.state == "restricted"
    assert "LuaJIT" in use.note


def test_layers_without_a_native_form_say_why(tmp_path: Path) -> None:
    report = check(tmp_path, p="require 'nn'\nlocal m, l = nn.Kmeans(2, 3), nn.Linear(2, 3)\nprint(m, l)")[
        "p"
    ]
    found = {use.name: use.native for use in report.names}
    assert found["nn.Kmeans"] == "it learns by clustering, not from a gradient"
    assert found["nn.Linear"] == ""


def test_files_of_a_project_know_each_other(tmp_path: Path) -> None:
    reports = check(
        tmp_path,
        main="require 'nn'\nrequire 'layers.mine'\nlocal m = nn.Mine()\nm:forward(1)",
        layers__mine="local C = torch.class('nn.Mine', 'nn.Module')\nfunction C:updateOutput(x) return x end",
    )
    assert states(reports["main"])["layers.mine"] == "own"
    assert states(reports["main"])["nn.Mine"] == "own"


def test_what_is_no_lua_is_named(tmp_path: Path) -> None:
    reports = check(tmp_path, bad="x = = 1\n", good="print(1)\n")
    assert reports["bad"].error == f"{tmp_path}/bad.lua:1: syntax error near '=' (this is no Lua)"
    assert reports["good"].complete
    assert not reports["bad"].complete


def test_each_file_is_told_of_once(tmp_path: Path) -> None:
    for name, text in {"main": "require 'part'", "part": "return 1", "bad": "x y"}.items():
        tmp_path.joinpath(f"{name}.lua").write_text(text)
    files, begun = lua_files(tmp_path), list[Path]()
    assert [Path(report.file) for report in check_files(files, begun.append)] == files
    assert sorted(begun) == files


def test_hidden_directories_are_left_out(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "a.lua").write_text("")
    (tmp_path / "b.lua").write_text("")
    assert lua_files(tmp_path) == [tmp_path / "b.lua"]


def test_the_shares_of_a_report() -> None:
    report = Report("p.lua", statements=300, native=299, plain_calls=1)
    assert report.shares() == "299 of 300 statements native (99 %), 1 in plain calls (0 %)"
    assert Report("p.lua", statements=4, native=2, plain_calls=1).not_translated == 1
    assert (percent(0, 0), percent(299, 300), percent(1, 2)) == ("100", "99", "50")
    both = summary([report, Report("q.lua", statements=2, native=2)])
    assert (both.file, both.statements, both.native, both.plain_calls) == ("2 files", 302, 301, 1)


def test_a_required_file_is_judged_as_a_part_of_its_program(tmp_path: Path) -> None:
    """Alone, nothing is known of what ``f`` is given."""
    files = {
        "a": "local M = {}\nfunction M.f(x) return x[1] end\nreturn M\n",
        "b": "local a = require 'a'\nprint(a.f(torch.ones(2)))\n",
    }
    alone = check(tmp_path, a=files["a"])["a"]
    assert alone.reasons
    reports = check(tmp_path, **files)
    assert (reports["a"].statements, reports["a"].native, reports["a"].problems) == (4, 4, [])
    assert reports["b"].statements == reports["b"].native == 2
    assert {use.name: use.places for use in reports["b"].names}["torch.ones"] == [f"{tmp_path}/b.lua:2"]


def test_a_program_is_judged_with_its_files(tmp_path: Path) -> None:
    (tmp_path / "a.lua").write_text("require 'nn'\nlocal M = {}\nM.m = nn.NoLayer\nreturn M\n")
    path = tmp_path / "b.lua"
    path.write_text("local a = require 'a'\nprint(a.m)\n")
    report = check_program(path)
    assert (report.file, report.statements) == (str(path), 6)
    (use,) = report.missing
    assert (use.name, use.places) == ("nn.NoLayer", [f"{tmp_path}/a.lua:3"])
    assert [entry.place for entry in report.problems] == [f"{tmp_path}/a.lua:3"]


def test_a_package_that_greets_leaves_the_report_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    check(tmp_path, a="require 'env'\nprint(1)")
    assert capfd.readouterr().out == ""


def test_a_package_that_makes_globals_strict_leaves_the_questions_alone(tmp_path: Path) -> None:
    found = check(tmp_path, a="require 'pl.strict'\nrequire 'hdf5'\nprint(gnuplot.plot, itorch.image)")
    assert states(found["a"])["pl.strict"] == "yes"


def test_a_function_that_a_package_says_it_has_not_is_missing(tmp_path: Path) -> None:
    report = check(tmp_path, p="local _ = require 'moses'\nprint(_.size({1}), _.nosuch({1}))")["p"]
    found = states(report)
    assert (found["moses.size"], found["moses.nosuch"]) == ("yes", "no")


def test_a_method_of_one_of_several_layers_is_not_missing(tmp_path: Path) -> None:
    source = """
        require 'nn'
        local function stacked(net, layer) net:add(layer) return net end
        local net = stacked(nn.Sequential(), nn.Tanh())
        net = stacked(stacked(net, net), nn.Linear(2, 2))
    """
    assert check(tmp_path, p=source)["p"].missing == []


def test_a_package_comes_before_a_file_of_its_name(tmp_path: Path) -> None:
    reports = check(
        tmp_path,
        main="require 'util'\nrequire 'nn'\nprint(nn.Linear(2, 3))",
        util="x = 1",
        nn__init="error('not this one')",
    )
    assert [len(report.problems) for report in reports.values()] == [0, 0, 0]
    project = gather((tmp_path / "main.lua").read_bytes(), str(tmp_path / "main.lua"))
    assert [file.name for file in project.files] == ["util.lua"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (
            "local function f(v) return v(3) end",
            "a call of v, a parameter of a function that nothing here calls",
        ),
        ("require 'some.file'", "require 'some.file', of which no file is found"),
        (
            "local m = require('my.file') function m:go() end",
            "m, the result of require 'my.file', of which no file",
        ),
        ("require(arg[1])", "require of a name that is not written out"),
        (
            "local net = torch.load('a.t7') net.modules[1]:fly()",
            "net.modules[1], where net is the result of torch.load",
        ),
        ("local s = 'a' print(s.x.y)", "indexing s, a string"),
        ("for _, v in pairs(stuff()) do v:go() end", "a global that no file of the program sets"),
        ("local w = torch.ones(2) w:foo()", "the tensor method foo"),
        ("debug.sethook(print)", "debug.sethook has no native form"),
    ],
)
def test_reasons_name_what_is_not_known_and_why(line: str, reason: str) -> None:
    page = translate_script(line.encode(), "p.lua")
    reasons = [problem.reason for problem in (*page.problems, *page.reasons)]
    assert any(reason in found for found in reasons), reasons
    assert all(len(found) < 120 for found in reasons)
