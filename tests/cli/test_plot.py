"""``torch7py plot``: curves in logs, and the pictures of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from tests.inner_runtime import lua
from torch7py.cli import plot as _  # noqa: F401  (the module: its name in the package is the command's, too)
from torch7py.cli.logs import Curve, curves_in
from torch7py.cli.main import main

LOGGER = """
    local log = optim.Logger([[{}]])
    log:setNames {{'% train', '% test'}}
    for i = 1, 4 do log:add {{i / 4, 1 / i}} end
"""


def run(*arguments: str | Path):
    return CliRunner().invoke(main, ["plot", *map(str, arguments)])


class TestCurves:
    def test_a_file_of_optim_logger(self, tmp_path: Path) -> None:
        path = tmp_path / "train.log"
        lua(f"require 'optim' {LOGGER.format(path)}")
        first, second = curves_in(path.read_text())
        assert first == Curve("% train", [1, 2, 3, 4], [0.25, 0.5, 0.75, 1])
        assert second == Curve("% test", [1, 2, 3, 4], [1, 0.5, 0.33333, 0.25])

    def test_a_logger_without_names_and_with_texts(self, tmp_path: Path) -> None:
        path = tmp_path / "log"
        lua(
            f"require 'optim' local log = optim.Logger([[{path}]]) for i = 1, 2 do log:add {{i, 'text', -i}} end"
        )
        assert curves_in(path.read_text()) == [Curve("1", [1, 2], [1, 2]), Curve("3", [1, 2], [-1, -2])]

    @pytest.mark.parametrize("text", ["1 2\n3 4\n", "1,2\n3,4\n", "1\t2\t\n3\t4\t\n", "  1.0;2\n3;4"])
    def test_columns_without_headings(self, text: str) -> None:
        assert curves_in(text) == [Curve("1", [1, 2], [1, 3]), Curve("2", [1, 2], [2, 4])]

    def test_what_is_no_number_is_a_gap(self) -> None:
        (curve,) = curves_in("loss\n1\nnan\n-inf\n2e-3\n")
        assert curve.name == "loss"
        assert [str(y) for y in curve.y] == ["1.0", "nan", "-inf", "0.002"]

    def test_lines_that_a_program_prints(self) -> None:
        text = "<trainer>\nerror for iteration 1 is 4.5\t\nother words\nerror for iteration 100 is 3.25\t\n"
        assert curves_in(text) == [Curve("error for iteration", [1, 100], [4.5, 3.25])]

    def test_several_numbers_in_a_line(self) -> None:
        """Those with fractions, over the one that counts; not the times of day."""
        text = "".join(
            f"12:30:0{n} epoch {n} of 9, train loss {1 / n:.3f}, accuracy {n / 10}%\n" for n in (1, 2, 4)
        )
        assert curves_in(text) == [
            Curve("train loss", [1, 2, 4], [1, 0.5, 0.25]),
            Curve("accuracy", [1, 2, 4], [0.1, 0.2, 0.4]),
        ]

    def test_units_belong_to_numbers_and_epochs_go_with_iterations(self) -> None:
        losses = [4.1, 3.6, 3.4, 3.3, 3.35, 3.2]
        lines = [
            f"{n}/6 (epoch {n / 22:.3f}), train_loss = {loss:.8f}, norm = {n % 4:.4e}, time = {0.16 + n % 3:.4f}s, "
            f"rate: {1 / n}it/s, used 1{n * n}MB\n"
            for n, loss in enumerate(losses, 1)
        ]
        curves = {curve.name: curve for curve in curves_in("".join(lines))}
        assert list(curves) == ["train_loss", "norm", "time", "rate"]
        assert curves["train_loss"] == Curve("train_loss", [1, 2, 3, 4, 5, 6], losses)
        assert curves["time"].y == [1.16, 2.16, 0.16, 1.16, 2.16, 0.16]

    def test_numbers_that_are_filled_up_and_those_within_names(self) -> None:
        lines = [
            f"| Epoch: [1][{n:4d}/12]    Time {n % 3:.3f}  top1 {100 / n:7.3f}\n Style 1 loss: {n * n:.1f}\n"
            for n in range(1, 13)
        ]
        curves = curves_in("".join(lines))
        assert [(curve.name, len(curve.y)) for curve in curves] == [
            ("Time", 12),
            ("top1", 12),
            ("Style loss", 12),
        ]

    @pytest.mark.parametrize("name", ["model_{}.25_3.5.t7", "v1.{}.3", "3x{}", "1{}epochs", "x{}.5", "{}ab7"])
    def test_what_is_within_a_name_is_no_number(self, name: str) -> None:
        assert curves_in("".join(f"saved {name.format(n)}\n" for n in range(1, 5))) == []

    @pytest.mark.parametrize("text", ["", "\n\n", "no numbers\nat all\n", "one 1 number\n", "\x00\xff\x01"])
    def test_none(self, text: str) -> None:
        assert curves_in(text) == []


class TestPictures:
    @pytest.fixture
    def log(self, tmp_path: Path) -> Path:
        path = tmp_path / "train.log"
        path.write_text("loss\taccuracy\t\n 1.0\t0.1\t\n 0.5\t0.7\t\n")
        return path

    def test_a_picture(self, log: Path, tmp_path: Path) -> None:
        out = tmp_path / "out.png"
        found = run(log, "-o", out)
        assert (found.exit_code, found.output) == (0, f"{out}: 2 curves, 2 points\n")
        with Image.open(out) as picture:
            assert picture.size == (960, 600)

    def test_columns_and_formats(self, log: Path, tmp_path: Path) -> None:
        out = tmp_path / "out.svg"
        found = run(log, log, "-o", out, "--column", "LOSS", "--log")
        assert found.output == f"{out}: 2 curves, 2 points\n"
        assert run(log, "-o", out, "--column", "loss").output == f"{out}: 1 curve, 2 points\n"
        run(log, log, "-o", out, "--column", "LOSS", "--log")
        assert "train.log: loss" in out.read_text()
        assert "accuracy" not in out.read_text()

    def test_what_cannot_be_drawn(self, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        empty = tmp_path / "empty.log"
        empty.write_text("nothing yet\n")
        found = run(log, empty, "-o", tmp_path / "x.png")
        assert (found.exit_code, found.output) == (
            1,
            f"torch7py: {empty}: there are no numbers in it that could be drawn\n",
        )
        assert run(empty).output == found.output  # before it is said that there is no screen for a window
        found = run(log, "-o", tmp_path / "x.txt")
        assert found.exit_code == 2
        assert "a picture is one of " in found.output
        found = run(log, "-o", tmp_path / "x.png", "--column", "none")
        assert found.exit_code == 2
        assert "no column is called none, but loss, accuracy" in found.output
        monkeypatch.setenv("MPLBACKEND", "agg")
        found = run(log)
        assert found.exit_code == 2
        assert "-o FILE.png makes a picture" in found.output

    def test_a_log_that_grows(self, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """It may begin without numbers; Ctrl-C ends."""
        import sys

        module = sys.modules["torch7py.cli.plot"]
        out, looks = tmp_path / "out.svg", []
        log.write_text("")

        def grow(seconds: float) -> None:
            looks.append(out.read_text().count("<path") if out.exists() else 0)
            if len(looks) == 4:
                raise KeyboardInterrupt
            if len(looks) != 2:
                with log.open("a") as file:
                    file.write("loss\n1\n" if len(looks) == 1 else "2\n")

        monkeypatch.setattr(module.time, "sleep", grow)
        found = run(log, "-o", out, "--live")
        assert found.exit_code == 130
        assert looks[0] == 0
        assert 0 < looks[1] == looks[2] < looks[3]


def test_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    log = tmp_path / "x.log"
    log.write_text("1\n2\n")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    found = run(log, "-o", tmp_path / "x.png")
    assert found.exit_code == 1
    assert "plots need matplotlib: " in found.output
