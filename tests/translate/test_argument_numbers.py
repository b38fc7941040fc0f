"""Numbers among a program's arguments, given and left out. What is printed is what the original prints."""

from __future__ import annotations

import subprocess
import sys

import pytest

from torch7py.translate.native.program import translate_script

PROGRAM = """
local default = 7
local n = tonumber(arg[1] or 2)
local m = tonumber(arg[2]) or 3
local k = tonumber(arg[3] or '4')
local d = tonumber(arg[1] or default)
local opt = {n = tonumber(arg[1] or 5)}
print(n + 1, m * 2, k - 1, d + 1)
for i = 1, opt.n do io.write(i, ' ') end
print(n == 3)
local rows = {{}, {}}
for i = 1, n do rows[1][i] = i * 2 rows[2][i] = i end
print(#rows[1], rows[2][1])
local states = {[0] = {}}
for i = 1, 2 * n do states[0][i] = i * 2 end
states[1] = {}
for i = 1, #states[0] do states[1][i] = states[0][i] + 1 end
print(#states[0], states[1][2 * n])
"""
PRINTED = {
    (): "3\t6\t3\t8\n1 2 3 4 5 false\n2\t1\n4\t9\n",
    ("3", "4", "5"): "4\t8\t4\t4\n1 2 3 true\n3\t1\n6\t13\n",
}


@pytest.mark.parametrize("arguments", PRINTED)
def test_as_the_original(arguments: tuple[str, ...], tmp_path) -> None:
    page = translate_script(PROGRAM.encode(), "program.lua")
    assert (page.problems, page.plain_calls) == ([], 0)
    path = tmp_path / "page.py"
    path.write_text(page.code)
    command = [sys.executable, path, *arguments]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
    assert found.stdout == PRINTED[arguments]
