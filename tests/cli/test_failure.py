"""Whatever happens in a command, it ends with a line and an exit code; a traceback is shown when asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

from torch7py.bridge.runtime import Runtime
from torch7py.cli.main import main


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def assert_one_line(result: Result, code: int) -> None:
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code
    # Below it there may be the line of a program.
    assert len([line for line in result.stderr.splitlines() if not re.match(r" +(\d+ )?\| ", line)]) == 1
    assert "Traceback" not in result.output


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that are .t7, with something in them that nobody expects."""
    folder = tmp_path_factory.mktemp("saved")
    with Runtime() as runtime:
        runtime.globals["folder"] = str(folder)
        runtime.execute("""
            require 'nn'
            local container = nn.Sequential():add(nn.Linear(2, 2))
            container:add(container)
            torch.save(folder .. '/within_itself.t7', container)
            local layer = nn.Linear(2, 2)
            layer.odd = {[layer] = 1, [1.5] = function() end, x = {}}
            layer.modules, layer._type = 5, true
            torch.save(folder .. '/odd_fields.t7', layer)
            torch.save(folder .. '/plain.t7', nn.Linear(2, 2))""")
    return folder


@pytest.mark.parametrize("kind", ["pt", "npz", "safetensors", "py"])
def test_a_module_that_contains_itself(saved: Path, tmp_path: Path, kind: str) -> None:
    result = invoke("convert", saved / "within_itself.t7", tmp_path / f"out.{kind}")
    assert_one_line(result, 1)
    assert "within_itself.t7: nested too deeply, or within itself" in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["pt", "npz", "safetensors"])
def test_odd_fields(saved: Path, tmp_path: Path, kind: str) -> None:
    assert invoke("convert", saved / "odd_fields.t7", tmp_path / f"out.{kind}").exit_code == 0


def test_a_directory_is_gone_through_to_its_end(saved: Path, tmp_path: Path) -> None:
    result = invoke("convert", "--to", "npz", saved, tmp_path)
    assert result.exit_code == 1
    assert "2 converted, 1 failed" in result.stdout
    assert result.stderr.splitlines() == ["  within_itself.t7: nested too deeply, or within itself"]


def test_an_error_of_our_own(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*arguments: object) -> None:
        raise ZeroDivisionError("nobody\nthought of it")

    monkeypatch.setattr("torch7py.t7.outline.outline", wrong)
    result = invoke("inspect", saved / "plain.t7")
    assert_one_line(result, 70)
    assert "plain.t7: an error in torch7py itself: ZeroDivisionError: nobody (--traceback" in result.stderr
    shown = invoke("inspect", "--traceback", saved / "plain.t7")
    assert shown.exit_code == 70
    assert "Traceback" in shown.stderr
    assert "thought of it" in shown.stderr


def refused() -> RuntimeError:
    """PyTorch's error where there is no memory."""
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    return caught.value


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (MemoryError(), 1, "plain.t7: out of memory"),
        (refused(), 1, "plain.t7: out of memory"),
        (OSError(28, "No space left on device", "/x"), 1, "No space left on device"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_of_the_machine(
    saved: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    def wrong(*arguments: object) -> None:
        raise error

    monkeypatch.setattr("torch7py.t7.outline.outline", wrong)
    result = invoke("inspect", saved / "plain.t7")
    assert_one_line(result, code)
    assert said in result.stderr


@pytest.mark.parametrize("command", ["check", "translate"])
@pytest.mark.parametrize(
    "source",
    [
        b"x = 1\n\0y = 2\n",
        b"\xff\xfe\0bad",
        b"x = " + b"(" * 3000 + b"1" + b")" * 3000,
        b"do " * 2000 + b"end " * 2000,
    ],
    ids=["NUL", "UTF-16", "parentheses", "blocks"],
)
def test_sources_that_are_no_programs(command: str, source: bytes, tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_bytes(source)
    result = invoke(command, path)
    assert_one_line(result, 1)
    assert "p.lua" in result.stderr
    assert not tmp_path.joinpath("p.py").exists()


@pytest.mark.parametrize(
    "program",
    [
        "error(setmetatable({}, {__tostring = function() error('again') end}))",
        "error(setmetatable({}, {__tostring = function() return {} end}))",
        "error(setmetatable({}, {__tostring = function() return nil end, __metatable = false}))",
        "error()",
        "error({})",
        "error(coroutine.create(print))",
        "error(io.stdout)",
        "tostring = nil error({})",
        "debug.traceback = nil error('x')",
        "table.concat, string.find, string.gmatch = nil error('x')",
        "return coroutine.create(print)",
        "local t = nil; t.x = 1",
        "string.rep('x', -1)()",
    ],
)
def test_programs_that_fail(program: str, tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(program)
    result = invoke("run", path)
    if program.startswith("return"):
        assert (result.exit_code, result.output) == (0, "")
        return
    assert_one_line(result, 1)
    assert "p.lua:1: " in result.stderr


def test_exit_codes_are_explained() -> None:
    told = invoke("--help").stdout
    for code in ("0", "1", "2", "70", "130"):
        assert f" {code}, " in told.replace("\n", " ")
