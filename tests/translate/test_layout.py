"""Long sums and products are laid out as the formatter does it."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from torch7py.translate.layout import WIDTH, lay_out, lay_out_all

OPERANDS = [
    *(
        "loss",
        "prediction",
        "model.weight",
        "learning_rate",
        "0.5",
        "x.square().sum()",
        "self.from_output(h).sum()",
    ),
    *("values[index].item()", "torch.dot(first_parameters, second_parameters).item()", "-bias"),
]


def sums(seed: int) -> list[str]:
    draw = random.Random(seed)
    lines = []
    for _ in range(60):
        value = draw.choice(OPERANDS)
        for _ in range(draw.randint(1, 6)):
            value += f" {draw.choice('+-*/@')} {draw.choice(OPERANDS)}"
        start = draw.choice(["return ", "total = ", "total += ", "self.state = ", "h[t - 1] = ", "print("])
        lines.append(f"    {start}{value}" + (", loss)" if start == "print(" else ""))
    return lines


@pytest.mark.parametrize("seed", range(5))
def test_sums(seed: int, tmp_path: Path) -> None:
    lines = sums(seed)
    assert any(len(line) > WIDTH for line in lines)
    page = tmp_path / "page.py"
    page.write_text("def f():\n" + lay_out_all(lines))
    command = [
        sys.executable,
        "-m",
        "ruff",
        "format",
        "--diff",
        "-q",
        "--config",
        f"line-length={WIDTH}",
        str(page),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.stdout, result.returncode) == ("", 0)


def test_a_comment_stays_at_the_first_line() -> None:
    assert lay_out("x = first_value + second_value * third  # why", 30) == [
        "x = (  # why",
        "    first_value",
        "    + second_value * third",
        ")",
    ]


def test_comprehensions() -> None:
    assert lay_out("x = join(value for _, value in numbered(words) if value)", 40) == [
        "x = join(",
        "    value",
        "    for _, value in numbered(words)",
        "    if value",
        ")",
    ]
    assert lay_out("x = call('one for all, in two', second, third)", 40) == [
        "x = call(",
        "    'one for all, in two', second, third",
        ")",
    ]
