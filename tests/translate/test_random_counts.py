"""Random programs whose functions give none, one or several values, handed on by others in every way that Lua has."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.translate.running import assert_same, same_or_error
from torch7py.translate.native.program import translate_script

HEAD = """local function take(a, b) print('taken', a, b) return b end
local function count(...) print('counted', select('#', ...), ...) return select('#', ...) end
local list, M = {}, {}
"""
VALUES = ("", "1", "nil", "'a', 2", "3, nil", "nil, nil", "'b', 4, 5", "true", "8, 7")
# What a function has as its body: {v} are values, {w} others, {f} and {g} functions that were there before.
BODIES = (
    "return {v}",
    "if x == 1 then return {v} end return {w}",
    "if x == 1 then return {v} end",
    "if x == 1 then return {v} else return {f}(x) end",
    "if x == 1 then return {f}(x) end return {g}(x)",
    "return {f}(x)",
    "return 'x', {f}(x)",
    "return ({f}(x))",
    "return {f}(x), 'y'",
    "local p, q = {f}(x) return p, q",
    "local h = {f} if x == 2 then h = {g} end return h(x)",
    "local h = x == 1 and {f} or {g} return h(x)",
    "return pcall({f}, x)",
    "return unpack({{ {v} }})",
    "return select(2, 'z', {f}(x))",
    "for i = 1, x do if i == 2 then return {f}(i) end end",
    "M.last = {f}(x)",
)
# How a function is made.
MAKERS = (
    "local function {n}(x) {b} end",
    "local {n} = function(x) {b} end",
    "function {n}(x) {b} end",
    "local {n} = setmetatable({{}}, {{__call = function(self, x) {b} end}})",
    "local {n} = setmetatable({{}}, {{__call = function(self, ...) local x = ... {b} end}})",
    "function M.{n}(x) {b} end local {n} = M.{n}",
    "local {n} do local inner = function(x) {b} end {n} = function(...) return inner(...) end end",
    "local {n} do local inner = function(x) {b} end {n} = function(x) return inner(x) end end",
    "local {n} do local kept = {{f = function(x) {b} end}} {n} = function(x) return kept.f(x) end end",
    "local {n} do local kept = {{function(x) {b} end}} {n} = function(x) return kept[1](x) end end",
    "local {n} do local o = {{}} function o:run(x) {b} end {n} = function(x) return o:run(x) end end",
    "local C = torch.class('{c}') function C:run(x) {b} end local o = {c}() function {n}(x) return o:run(x) end",
    "local {n} do local make = function(f) return function(x) return f(x) end end {n} = make(function(x) {b} end) end",
)
USES = (
    "print({c})",
    "print('p', {c})",
    "print({c}, 'q')",
    "print(({c}))",
    "local p, q = {c} print(p, q)",
    "local p, q, r = 0, {c} print(p, q, r)",
    "print(select('#', {c}, 1), select('#', 1, {c}), select('#', {c}), select('#', ({c})))",
    "do local t = {{ {c} }} print(t[1], t[2]) end",
    "do local t = {{ 'z', {c} }} print(t[1], t[2], t[3]) end",
    "take({c})",
    "take('y', {c})",
    "take({c}, 'y')",
    "print('gave', take(0, {c}))",
    "count({c})",
    "count('y', {c})",
    "count({c}, {c})",
    "list[#list + 1] = {c} or 'none' print(#list)",
    "if {c} then print('yes') else print('no') end",
    "print({c} == nil, {c} ~= nil)",
    "print(pcall(count, {c}))",
    "print(({{ {c} }})[1])",
    "M.kept = {c} print(M.kept)",
    "local s = {c} print(s)",
    "for k, f in pairs({{ {f} }}) do print(k, f({x})) end",
    "for p, q in {f}, {x} do print('turn', p, q) break end",
    "local o = setmetatable({{}}, {{__index = function(_, k) return {f}(k) end}}) print(o[1], o[2], o[1] == nil)",
    "local o = setmetatable({{}}, {{__index = function(_, k) if k == 2 then return 'i' end end}}) print(o[1], o[2])",
    "local co = coroutine.wrap(function(v) return {f}(v) end) print(co({x}))",
    "local co = coroutine.wrap(function(v) {f}(v) end) print('co', co({x}))",
    "local l = {{3, 1, 2}} table.sort(l, function(a, b) {f}(1) if a < b then return true end end) print(l[1], l[3])",
    "print((('ab'):gsub('%a', function(w) if w == 'b' then return type(({c})) end end)))",
    "for _, f in ipairs({{ {f}, {f} }}) do count(f({x})) end",
)


def program(draw: Random) -> str:
    names: list[str] = []
    lines: list[str] = []
    for number in range(draw.randint(2, 5)):
        bodies = BODIES if names else BODIES[:3]
        body = draw.choice(bodies).format(
            v=draw.choice(VALUES),
            w=draw.choice(VALUES),
            f=draw.choice(names or ["none"]),
            g=draw.choice(names or ["none"]),
        )
        names.append(f"f{number}")
        lines.append(draw.choice(MAKERS).format(n=names[-1], b=body, c=f"C{draw.getrandbits(60)}"))
    for _ in range(draw.randint(3, 6)):
        f, x = draw.choice(names), draw.randint(1, 2)
        lines.append(f"do {draw.choice(USES).format(c=f'{f}({x})', f=f, x=x)} end")
    return HEAD + "\n".join(lines) + "\n"


@pytest.mark.parametrize("seed", range(24))
def test_same_output(seed: int) -> None:
    assert_same(program(Random(seed)))


@pytest.mark.slow
def test_never_another_output(tmp_path: Path) -> None:
    """Of what a table's metatable calls, kinds are not known: some such pages end in an error."""
    paths = [tmp_path / f"{seed}.lua" for seed in range(24, 1000)]
    for path in paths:
        path.write_text(program(Random(int(path.stem))))
    folder = tmp_path / "pages"
    folder.mkdir()
    assert same_or_error(paths, translate_script, folder) > 0.98 * len(paths)
