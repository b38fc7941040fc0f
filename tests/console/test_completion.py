"""The names that may follow: globals, fields, methods, files and packages."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from torch7py.console.engine import Console


@pytest.fixture(autouse=True)
def _variables(console: Console) -> None:
    console.evaluate(
        "require 'nn' m = nn.Linear(2, 3) x = torch.Tensor(3) t = {m, name = {inner = 1}} text = 'a'",
        "stdin",
    )


def test_globals_and_keywords(console: Console) -> None:
    assert console.complete("tor") == (0, ["torch"])
    assert console.complete("y = fun", 7) == (4, ["function"])
    assert console.complete("y = torch", 7).names == console.complete("tor").names


def test_the_cursor_may_be_in_the_middle(console: Console) -> None:
    assert console.complete("y = nn.Lin(2)", 10) == (7, ["Linear", "LinearWeightNorm"])


def test_fields_and_methods_of_layers(console: Console) -> None:
    methods = console.complete("m:").names
    assert {"forward", "updateOutput", "reset", "noBias"} <= set(methods)
    assert "weight" not in methods
    assert {"weight", "bias", "forward"} <= set(console.complete("y = m.").names)
    assert "add" in console.complete("m.weight:").names


def test_methods_of_tensors_and_strings(console: Console) -> None:
    assert console.complete("x:addc").names == ["addcdiv", "addcmul"]
    assert "upper" in console.complete("text:").names


def test_what_an_index_leads_to(console: Console) -> None:
    assert console.complete("t[1].wei") == (5, ["weight"])
    assert console.complete("t.name.").names == ["inner"]
    assert console.complete("t['name'].").names == ["inner"]


def test_nothing_is_called(console: Console) -> None:
    assert console.complete("os.exit().").names == []
    assert console.complete("nothing.").names == []
    assert console.complete("nothing.at.all:").names == []


def test_an_index_that_fails(console: Console) -> None:
    console.evaluate("strict = setmetatable({}, {__index = function(_, k) error('no ' .. k) end})", "stdin")
    assert console.complete("strict.a.").names == []


def test_comments_and_closed_strings(console: Console) -> None:
    assert console.complete("-- tor").names == []
    assert console.complete("'tor'").names == []
    assert console.complete("--[[ a 'quote ]] tor").names == ["torch"]
    assert console.complete("'it''s' .. tor").names == ["torch"]
    assert console.complete("'don\\'t' .. tor").names == ["torch"]


def test_files_in_a_string(console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.t7").touch()
    Path("models").mkdir()
    Path("models", "one.lua").touch()
    assert console.complete("torch.load('mod") == (12, ["model.t7", "models/"])
    assert console.complete('dofile "models/') == (8, ["models/one.lua"])
    assert console.complete("require 'opti").names == ["optim"]
    assert console.complete("f('nowhere/").names == []


def test_topics_of_help(console: Console) -> None:
    assert console.complete("?torch.addc") == (7, ["addcdiv", "addcmul"])


def test_hidden_names_are_asked_for(console: Console) -> None:
    assert not any(name.startswith("_") for name in console.complete("").names)
    assert "_VERSION" in console.complete("_V").names


def test_it_is_quick(console: Console) -> None:
    begun = time.perf_counter()
    assert len(console.complete("nn.").names) > 150
    assert time.perf_counter() - begun < 0.05
