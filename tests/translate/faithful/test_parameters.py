"""Parameters of one name: the last of them is the one that a function sees."""

from __future__ import annotations

from pathlib import Path

from torch7py.translate.api import to_pytorch


def test_parameters_of_one_name(tmp_path: Path) -> None:
    program = tmp_path / "p.lua"
    program.write_text(
        "local f = function(_, a, _, b) return a, _, b end\nprint(f(1, 2, 3, 4))\n"
        "local function g(x, x) return function() x = x + 1 return x end end\nprint(g(1, 5)())\n"
    )
    verified = to_pytorch(program, style="faithful").report.verified
    assert verified is not None
    assert verified.equal
