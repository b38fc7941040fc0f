"""Help on operations, classes, functions of packages and of the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch7py.console.engine import Console
from torch7py.console.help import HERE
from torch7py.nn.registry import layers, package_of


def test_an_operation(console: Console) -> None:
    console.evaluate("x = torch.Tensor(3)", "stdin")
    text = console.help("torch.cat")
    assert text is not None
    assert text.startswith("torch.cat([out,] a, b[, dim])\nx:cat(b[, dim])\n")
    assert "Tensors one after the other along a dimension" in text
    assert console.help("x:cat") == console.help("torch.Tensor:cat") == text


def test_a_class_and_its_methods(console: Console) -> None:
    text = console.help("nn.Linear")
    assert text is not None
    assert text.startswith("nn.Linear(inputSize, outputSize[, bias]): y = W x + b.")
    console.evaluate("require 'nn' m = nn.Linear(2, 3)", "stdin")
    assert console.help("m") == f"m: nn.Linear\n\n{text}"
    assert console.help("m:reset") == "m:reset([stdv]): draw the parameters with this standard deviation."
    assert (console.help("m:forward") or "").startswith("m:forward(input)")


def test_every_layer_has_help(console: Console) -> None:
    names = [name for name in layers if "@" not in name and package_of[name] in ("nn", "rnn", "dpnn")]
    assert len(names) > 200
    assert [name for name in names if not console.help(name)] == []


def test_functions_of_packages_required_or_not(console: Console) -> None:
    assert (console.help("optim.sgd") or "").startswith("x, {f} = optim.sgd(opfunc, x[, config[, state]])")
    assert (console.help("optim.Logger") or "").startswith("optim.Logger([name[, timestamp]])")
    assert "Restricted: needs Pillow" in (console.help("image.save") or "")
    assert (console.help("paths.dirname") or "").startswith("paths.dirname(name)")


def test_a_package(console: Console) -> None:
    text = console.help("optim")
    assert text is not None
    assert text.startswith("optim: optimizers")
    assert {"optim.adam,", "optim.Logger,"} <= set(text.split())
    assert "optim.knows" not in text  # what only the package's own files call
    assert {"gnuplot.plot,", "gnuplot.title,"} <= set((console.help("gnuplot") or "").split())
    assert "nn.LSTM," in (console.help("nn") or "").split()  # which rnn brings
    assert console.runtime.evaluate(
        "return optim == nil and gnuplot == nil"
    )  # the program has not required them
    torch = console.help("torch") or ""
    assert {"torch.add,", "torch.Timer,", "torch.zeros"} <= set(torch.split())
    assert "__" not in torch


def test_a_function_of_the_programs(console: Console, tmp_path: Path) -> None:
    file = tmp_path / "mine.lua"
    file.write_text("local x\n\n-- Adds one\n-- to a number.\nfunction mine(a)\n   return a + 1\nend\n")
    console.runtime.run(file)
    assert console.help("mine") == f"Adds one\nto a number.\nfunction mine(a)  ({file}:5)"


def test_what_has_none(console: Console) -> None:
    for topic in ("nothing.at.all", "1 + 1", "nn.NoSuch", "??", "torch.Tensor.nosuch", "x y"):
        assert console.help(topic) is None


def test_it_is_printed(shown) -> None:
    assert shown("? torch.cat").startswith("torch.cat(")
    assert shown("?").startswith("x = torch.randn(3)")
    assert shown("?nothing") == "there is no help on nothing\n"
    assert shown("?torch.zeross") == "there is no help on torch.zeross; did you mean ?torch.zeros?\n"
    assert (
        shown("?nn.Liner") == "there is no help on nn.Liner; did you mean ?nn.Linear?\n"
    )  # nn is not required
    assert shown("?tirch") == "there is no help on tirch; did you mean ?torch?\n"


def test_lines_are_no_longer_than_the_terminal(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    for width in (40, 300):
        monkeypatch.setenv("COLUMNS", str(width))
        help_on_addcmul = console.help("torch.addcmul")
        assert help_on_addcmul is not None
        assert max(map(len, help_on_addcmul.splitlines())) <= min(width, 78)
    assert max(map(len, HERE.splitlines())) < 80
