"""Pages of programs that are less tidy than a linter wants: names that nothing uses, empty comments, gaps."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from torch7py.translate.native.program import translate_script

PROGRAMS = {
    "unused": "local function f(x)\n  local n, m = x:size(1), x:size(2)\n  local l = 2 * m\n  return l\nend\n"
    "print(f(torch.ones(2, 3)))\n",
    "unfinished": "function f(x)\n  local kept = 1\n  g = nowhere.x\n  return nowhere.y + kept\nend\nf(1)\n",
    "comments": "-- what it is\n\n\n--\n-- and no more\n\n--\n",
    "announced": "local f\n--\nlocal x = 1 --\nf = function(y) return x + y end\n\nprint(f(2))\nprint('')\n",
    "unequal": "local v = #arg\nif not (v == 7) then print(v) end\nif not (v ~= 7) then print(v) end\n",
}


def test_nothing_for_a_linter_or_a_formatter_to_say(tmp_path: Path) -> None:
    tmp_path.joinpath("ruff.toml").write_text("line-length = 110\n")
    pages = {name: translate_script(text.encode(), f"{name}.lua").code for name, text in PROGRAMS.items()}
    for name, page in pages.items():
        compile(page, name, "exec")
        tmp_path.joinpath(f"{name}.py").write_text(page)
    for command in (["check", "--output-format", "concise", "-q"], ["format", "--diff", "-q"]):
        command = [sys.executable, "-m", "ruff", *command, "."]
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (result.stdout, result.returncode) == ("", 0)
    assert "    _n, m = x.shape[0], x.shape[1]\n    l_ = 2 * m\n" in pages["unused"]
    assert "if v != 7:" in pages["unequal"]
    assert "if v == 7:" in pages["unequal"]
