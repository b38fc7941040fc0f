"""Random programs that fill tables: from 0 on, backwards, with gaps, through other tables, in functions."""

from __future__ import annotations

from random import Random

import pytest

from tests.translate.running import assert_same, in_page, in_runtime
from torch7py.translate.native.program import translate_script

HEAD = "local N, start, M = 4, 1, {}\n"
# How a table comes to be: {t} is its name.
MAKERS = (
    "local {t} = {{}}",
    "local {t} = {{[0] = {v}}}",
    "local {t} = {{{v}}}",
    "local {t} = {{{v}, {v}, {v}}}",
    "local {t} = {{[0] = {v}, {v}}}",
    "local {t} {t} = {{}} {t}[0] = {v}",
    "local {t} = {{}} M.{t} = {t}",
    "{t} = {{}}",
    "local function make{t}() local made = {{}} made[{n}] = {v} return made end local {t} = make{t}()",
    "local function make{t}() local m = {{}} for i = 1, N do m[i] = {v} end return m end local {t} = make{t}()",
)
# What is done to it: {i} is a place, {v} a value, {u} another table.
FILLERS = (
    "{t}[0] = {v}",
    "{t}[{n}] = {v}",
    "{t}[N] = {v}",
    "{t}[start] = {v}",
    "{t}[#{t} + 1] = {v}",
    "table.insert({t}, {v})",
    "for i = 1, N do {t}[i] = {v} end",
    "for i = 1, N do {t}[i] = {v} {t}[i] = {v} + i end",
    "for i = 0, N do {t}[i] = {v} end",
    "for i = 0, N do {t}[i + 1] = {v} end",
    "for i = 1, N do {t}[i - 1] = {v} end",
    "for i = 1, N do {t}[i + 1] = {v} end",
    "for i = 2, N do {t}[i] = {v} end",
    "for i = start, N do {t}[i] = {v} end",
    "for i = N, 1, -1 do {t}[i] = {v} end",
    "for i = N, 0, -1 do {t}[i] = {v} end",
    "for i = 1, N, 2 do {t}[i] = {v} end",
    "for i = 1, N do if i ~= 2 then {t}[i] = {v} end end",
    "for i = 1, N do if i > 2 then {t}[i] = {v} else {t}[i] = i end end",
    "for i = 1, N do {t}[i] = ({t}[i - 1] or {v}) + 1 end",
    "for i = 1, N do if {t}[i] == nil then {t}[i] = {v} end end",
    "for i = 1, N do {t}[i] = {t}[i] or {v} end",
    "for k = 1, 2 do for i = 1, N do {t}[i] = {v} + k end end",
    "for i = 1, 2 do for j = 1, 2 do {t}[(i - 1) * 2 + j] = {v} end end",
    "for i = 1, N do {t}[i * 2] = {v} end",
    "local j = 0 while j < N do j = j + 1 {t}[j] = {v} end",
    "local j = 0 while j < N do {t}[j] = {v} j = j + 1 end",
    "local j = N repeat {t}[j] = {v} j = j - 1 until j == 0",
    "local function fill(i, v) {t}[i] = v end fill(1, {v}) fill(2, {v})",
    "local function fill(i) {t}[i] = {v} end for i = 0, 2 do fill(i) end",
    "local function fill(to) for i = 1, N do to[i] = {v} end end fill({t})",
    "local function fill(to) to[0] = {v} end fill({t})",
    "for i, v in ipairs({u}) do {t}[i] = v end",
    "for k, v in pairs({u}) do {t}[k] = v end",
    "{t}[{n}] = nil",
    "{t}[#{t}] = nil",
    "table.remove({t})",
    "table.remove({t}, 1)",
)
READERS = (
    "print({t}[0])",
    "print({t}[{n}])",
    "print({t}[1], {t}[2], {t}[N])",
    "print({t}[{n}] == nil, {t}[0] ~= nil)",
    "for i = 0, N do print(i, {t}[i]) end",
    "for i = N, 1, -1 do print({t}[i], {t}[i - 1]) end",
    "for i = 1, #{t} do print({t}[i]) end",
    "for i, v in ipairs({t}) do print(i, v) end",
    "local sum, count = 0, 0 for k, v in pairs({t}) do sum, count = sum + v * (k + 1), count + 1 end print(sum, count)",
    "local function at(i) return {t}[i - 1] end print(at(1), at(2))",
    "local rows = {{[0] = {t}}} print(rows[0][1], rows[0][0])",
    "print(next({t}) == nil)",
    "if {t}[0] then print('zero') end",
    "if {t}[1] then print('one') end",
    "local last = 0 while {t}[last + 1] do last = last + 1 end print('to', last)",
)
# What needs a table without gaps, of which Lua's manual says how long it is.
OF_SEQUENCES = (
    "print(#{t})",
    "print({t}[#{t}])",
    "print(unpack({t}))",
    "print(table.concat({t}, ','))",
    "for i, v in ipairs({t}) do print(i, v, #{t}) end",
)
# A table of tables, of which one is filled.
NESTED = (
    "local {t} = {{[0] = {{}}}}",
    "local {t} = {{}} {t}[0] = {{}}",
    "local {t} = {{}} for i = 1, N do {t}[i] = {{}} end {t}[0] = {{}}",
    "local {t} = {{[0] = {{[0] = {v}}}}}",
)


# What says of each statement whether it does something that Lua defines: it fails nowhere, and a table whose length it
# needs has no gaps.
PROBE = """local function is_sequence(t)
   local n, last = 0, 0
   for k in pairs(t) do if k > 0 then n, last = n + 1, math.max(last, k) end end
   return n == last
end
local function try(number, t, f) if not ((t == nil or is_sequence(t)) and pcall(f)) then M[number] = true end end
"""


def program(draw: Random) -> str:
    """Statements of which none fails: those that do are found out by a run, and left out."""
    statements: list[tuple[str, str | None]] = []  # each with the table that must have no gaps
    names: list[str] = []

    def text(form: str, **names: str) -> str:
        value = draw.choice((str(draw.randint(1, 9)), "N", "N * 2", "0.5"))
        return form.format(v=value, n=draw.randint(1, 3), **names)

    for number in range(draw.randint(1, 3)):
        nested = draw.random() < 0.3
        makers = [text(draw.choice(NESTED if nested else MAKERS), t=f"t{number}")]
        names.append(f"t{number}[0]" if nested else f"t{number}")
        statements += [(maker, None) for maker in makers]
        for _ in range(draw.randint(1, 3)):
            filler = draw.choice(FILLERS)
            counts = "#" in filler or "table." in filler
            statement = text(filler, t=names[-1], u=draw.choice(names))
            statements.append((f"do {statement} end", names[-1] if counts else None))
    for name in names:
        for _ in range(draw.randint(1, 3)):
            reader = draw.choice(READERS + OF_SEQUENCES)
            counts = "#" in reader or reader in OF_SEQUENCES
            statements.append((f"do {text(reader, t=name)} end", name if counts else None))
    while True:
        probed = [
            f"try({number}, {table}, function() {statement} end)"
            if statement.startswith("do ")
            else statement
            for number, (statement, table) in enumerate(statements)
        ]
        failed = in_runtime(
            "\n".join(
                [
                    HEAD,
                    PROBE,
                    *probed,
                    "for k in pairs(M) do if type(k) == 'number' then print('failed', k) end end",
                ]
            )
        )
        wrong = {int(line.split("\t")[1]) for line in failed.split("\n") if line.startswith("failed")}
        if not wrong:
            return "\n".join([HEAD, *(statement for statement, _ in statements), ""])
        statements = [kept for number, kept in enumerate(statements) if number != min(wrong)]


def of_same_output(seeds: range) -> int:
    """How many pages print what their programs do. One that takes a table for a list where it is none is an error."""
    same = 0
    for seed in seeds:
        source = program(Random(seed))
        page = translate_script(source.encode(), "p.lua")
        assert not page.problems
        try:
            printed = in_page(page)
        except (IndexError, KeyError):
            continue
        assert printed == in_runtime(source), source
        same += 1
    return same


def test_same_output() -> None:
    assert of_same_output(range(100)) >= 90


@pytest.mark.slow
def test_same_output_at_length() -> None:
    assert of_same_output(range(100, 2000)) >= 0.9 * 1900


# With the first places that are read and written from 0 on, each is a dict.
STATES = """local steps, states, feed = 3, {[0] = {}}, {}
for i = 1, 2 do states[0][i] = i end
feed[0] = 10
local function before(t) return feed[t - 1] end
for t = 1, steps do
   local new = {}
   for i, state in ipairs(states[t - 1]) do new[i] = state * 2 + before(t) end
   states[t], feed[t] = new, before(t) + 1
end
for t = steps, 1, -1 do print(t, feed[t], feed[t - 1], states[t - 1][2], unpack(states[t])) end
print(#feed, #states, before(0), unpack(feed))
"""


def test_states_from_zero_on() -> None:
    page = assert_same(STATES)
    assert page is not None
    assert page.plain_calls == 0


# What fills a table, and whether it may be a list.
FILLED = {
    "local t = {} for i = 1, 3 do t[i] = i t[i] = i end": True,
    "local t = {} for i = 0, 2 do t[i + 1] = i end": True,
    "local n, t = 3, {} for i = 1, n do t[i] = i end for i = n, 1, -1 do t[i] = t[i] + 1 end": True,
    "local t = {1, 2, 3} for i = #t, 1, -1 do t[i] = t[i] + 1 end": True,
    "local t = {} for i = 3, 1, -1 do t[i] = i end": False,
    "local t = {7} for i = 3, 1, -1 do t[i] = i end": False,
    "local t = {7} t[#t + 1] = 8 for i = 3, 1, -1 do t[i] = i end": False,
    "local t = {} for i = 1, 3 do t[i] = i end for i = 1, 3 do t[i - 1] = i end": False,
    "local t, i = {1}, 0 while i < 3 do t[i] = i i = i + 1 end": False,
    "local n, t = 3, {1} t[n] = 2": False,
}


@pytest.mark.parametrize("filling", FILLED)
def test_what_is_a_list(filling: str) -> None:
    page = assert_same(f"{filling}\nprint(t[1], t[2])")
    assert page is not None
    assert ("t[0]" in page.code) == FILLED[filling], page.code  # the first place of a list
