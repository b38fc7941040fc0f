"""Modules as objects of the pages' library, where nothing of them is proved: they have Torch7's methods and fields."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

import torch7py
from tests.every_class import registry
from tests.translate.running import same_or_error
from torch7py.translate import api
from torch7py.translate.native import program
from torch7py.translate.native.analysis.program_facts import NOTHING_KNOWN, PROVED, PlainForms
from torch7py.translate.verify import Different
from torch7py.translate.verify_script import TOLERANCE, verify_script

PROGRAMS = Path(__file__).with_name("plain_modules.lua").read_text().split("\n---\n")
OBJECTS = PlainForms(passes=True, vectors=True, modules=True)
FOLDER = Path(__file__).parent / "programs"
WITH_MODULES = [path for path in sorted(FOLDER.glob("*.lua")) if b"nn." in path.read_bytes()]


# What is proved of these is an error when the page runs, and the next form is taken.
OTHERWISE_PROVED = {
    "a class that derives from a layer, at nodes that share its weights, which are drawn as one vector",
    "what is emptied by its name, before it is saved",
}


@pytest.mark.parametrize("source", PROGRAMS, ids=[source.split("\n")[0][3:] for source in PROGRAMS])
def test_modules_are_objects_where_their_use_is_not_proved(source: str, tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(source)
    page = program.translate_script(source.encode(), "p.lua")
    assert [str(problem) for problem in page.problems] == []
    assert page.reasons
    name = source.split("\n")[0][3:]
    if name in OTHERWISE_PROVED:
        with pytest.raises(Different):
            verify_script(page, path)
        *_, page, _ = program.in_plain_forms(page)
    assert "lua_compat.Built(" in page.code
    comparison = verify_script(page, path)
    assert comparison.lines >= 3
    assert comparison.largest < TOLERANCE


@pytest.mark.parametrize(
    "source",
    [
        # a setting that the module inside has otherwise
        "local m = nn.Threshold(0.5, 0) m.mine = 1 m.threshold = 1 print(m.mine, m:forward(x):sum())",
        # a field that the layer of Torch7 has, and the page does not know
        "local m = nn.Dropout() m.mine = 1 print(m.p, m.mine)",
        # weights in another form than Torch7's
        "local m = nn.TemporalRowConvolution(2, 1) m.mine = 1 m:reset(0.1) print(m.mine)",
    ],
)
def test_what_an_object_does_not_know_is_an_error(source: str, tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(f"require 'nn'\nlocal x = torch.ones(2, 2)\n{source}\n")
    page = program.in_one_form(path.read_bytes(), path.name, plainly=OBJECTS)
    with pytest.raises(Different, match="the translation fails: NotInPage"):
        verify_script(page, path)


def test_tensors_of_unknown_sizes_go_element_by_element(tmp_path: Path) -> None:
    """One function is given tensors of several numbers of dimensions: its results fit as Torch7 takes them."""
    path = tmp_path / "p.lua"
    path.write_text(
        """require 'torch'
        local function largest(x, dim) return (x:max(dim)) end
        local x, y = torch.range(1, 9):resize(3, 3), torch.zeros(3, 3)
        y[1]:copy(largest(x, 1)):add(x[1])
        y[2]:copy(largest(x, 2))
        y[3] = largest(x, 2)
        y[3]:add(largest(x, 1)):cmul(largest(x, 2))
        print(largest(x[1], 1)[1], y[1][2], y[2][2], y[3][2], y[3][3])
        """
    )
    page = program.in_one_form(path.read_bytes(), path.name, plainly=OBJECTS)
    assert page.problems == []
    assert verify_script(page, path).largest == 0


SEQUENCES = """require 'rnn'
torch.manualSeed(7)
local net = nn.Sequential()
net:add(nn.SplitTable(2))
net:add(nn.Sequencer(nn.Sequential():add(nn.FastLSTM(3, 4)):add(nn.Linear(4, 4))))
net:add(nn.SelectTable(-1))
local crit = nn.MSECriterion()
local x, y = torch.randn(2, 5, 3), torch.randn(2, 4)
for i = 1, 3 do
   net:zeroGradParameters()
   local out = net:forward(x)
   print(i, crit:forward(out, y))
   print(net:backward(x, crit:backward(out, y)):sum())
   net:updateParameters(0.1)
end
local split = nn.SplitTable(1)
print(#split:forward(y), split:forward(y)[2]:sum(), split:backward(y, {y[2], y[1]}):sum(1)[1]:norm())
"""


def test_objects_give_tables_and_may_have_names_of_containers(tmp_path: Path) -> None:
    """``SplitTable`` gives a table also where one tensor of it is computed, and a page's class is called Sequential."""
    path = tmp_path / "p.lua"
    path.write_text(SEQUENCES)
    page = program.in_one_form(path.read_bytes(), path.name, plainly=OBJECTS)
    assert page.problems == []
    assert "class Sequential(nn.Module)" in page.code
    assert "lua_compat.Sequential()" in page.code
    assert verify_script(page, path).largest < TOLERANCE


def test_an_object_goes_back_through_its_last_step_alone(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(
        """require 'rnn'
        local m, x, y = nn.LSTM(2, 2), torch.ones(1, 2), torch.zeros(1, 2)
        m:forward(x) m:forward(y) m:backward(y, y)
        print(m:backward(x, x):sum())
        """
    )
    page = program.in_one_form(path.read_bytes(), path.name, plainly=OBJECTS)
    with pytest.raises(Different, match="the way back of an earlier call of nn"):
        verify_script(page, path)


def test_a_page_that_is_not_the_same_is_written_in_plain_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verification is asked before anybody has a page: what was proved wrongly is not used."""
    path = tmp_path / "p.lua"
    path.write_text(
        "require 'nn'\ntorch.manualSeed(1)\nlocal m = nn.Linear(3, 2)\nprint(m:forward(torch.ones(3)):sum())\n"
    )
    right = program.translate_script(path.read_bytes(), "p.lua")
    wrong = replace(right, code=right.code.replace(".sum()", ".mean()"))
    monkeypatch.setattr(api, "translate_script", lambda *_, **__: wrong)
    result = torch7py.to_pytorch(path)
    assert result.report.verified is not None
    assert result.report.verified.equal
    assert "lua_compat." in result.code
    assert any(
        note.startswith("in plain calls, as what was proved is not the same: they part")
        for note in result.report.notes
    )


def test_what_is_proved_stays_as_it_is_where_objects_do_not_help() -> None:
    source = "require 'nn'\nlocal m = nn.Linear(2, 2)\nprint(m.mine)\nm.mine = 1\ndebug.sethook()\n"
    page = program.translate_script(source.encode(), "p.lua")
    assert page.problems
    assert "lua_compat.Built(" not in page.code


@pytest.mark.parametrize(("step", "least"), [(32, 2), pytest.param(1, 60, marks=pytest.mark.slow)])
def test_programs_whose_modules_are_objects_never_learn_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, least: int
) -> None:
    """As if nothing had been proved of any module: an error is allowed, another number never."""
    monkeypatch.chdir(tmp_path)  # where some write files
    assert (
        same_or_error(
            WITH_MODULES[::step],
            partial(program.in_one_form, plainly=OBJECTS),
            tmp_path,
        )
        >= least
    )


def test_what_a_criterion_is_given_is_worked_out_when_it_is_made(tmp_path: Path) -> None:
    path = Path(__file__).with_name("programs") / "made_once.lua"
    page = program.in_one_form(path.read_bytes(), path.name, plainly=OBJECTS)
    assert page.problems == []
    assert verify_script(page, path).largest < TOLERANCE


def test_a_layer_of_which_an_argument_is_not_known_is_refused() -> None:
    source = "require 'nn'\nlocal m = nn.LookupTable(torch.ones(3, 2):size())\nm.mine = 1\nprint(m.mine)\n"
    page = program.in_one_form(source.encode(), "p.lua", plainly=OBJECTS)
    assert [problem.line for problem in page.problems] == [2]


@pytest.mark.parametrize(
    "forms", [PROVED, OBJECTS, NOTHING_KNOWN], ids=["proved", "objects", "nothing known"]
)
def test_each_class_is_translated_or_refused(forms: PlainForms) -> None:
    """None of the register's, made of whatever there is, ends the translation."""
    names = [name for name in sorted(registry()) if name.startswith(("nn.", "cudnn."))]
    assert len(names) > 300
    lines = [
        "require 'nn'",
        "require 'cudnn'",
        *(f"print({name}({n}))" for name in names for n in ("", "2, 3")),
    ]
    page = program.in_one_form("\n".join(lines).encode(), "p.lua", forms)
    assert page.statements == len(lines)


def test_what_is_an_error_in_lua_too_does_not_keep_modules_from_being_objects() -> None:
    source = """require 'nn'
local first = nn.Linear(2, 2)
local net = nn.Sequential():add(first):add(nn.Linear(2, 2):share(first, 'weight', 'bias'))
assert(first.updateOutput)
local function never() return unset.field end
for i = 1, 3 do print(i) end
print(net:forward(torch.ones(2)):sum() == net:get(2).output:sum())
"""
    page = program.translate_script(source.encode(), "p.lua")
    assert [problem.line for problem in page.problems] == [5]
    assert "lua_compat.Built(" in page.code
    assert "for i in range(1, 4):" in page.code  # and all else is known as before
