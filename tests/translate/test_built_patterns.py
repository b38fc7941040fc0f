"""Patterns that are built of a separator, and gsub as a loop over what it finds."""

from __future__ import annotations

import pytest

from tests.translate.running import assert_same

SPLITS = [
    """local function split(s, sep)
  local fields = {}
  for piece in string.gmatch(s, '([^' .. sep .. ']+)') do table.insert(fields, piece) end
  return fields
end""",
    """local function split(s, separator)
  local sep, fields = separator or ',', {}
  local pattern = string.format('([^%s]+)', sep)
  s:gsub(pattern, function(c) fields[#fields + 1] = c end)
  return fields
end""",
    """local function split(s, sep)
  local fields = {}
  for piece in (s .. sep):gmatch('(.-)' .. sep) do fields[#fields + 1] = piece end
  return fields
end""",
]


@pytest.mark.parametrize("split", SPLITS)
def test_a_text_is_split_at_separators_that_are_written_out(split: str) -> None:
    page = assert_same(
        f"""{split}
print(table.concat(split('a,b,,c', ','), '|'), #split('x y z', ' '), split('k\\tv', '\\t')[2], #split('{{a}}', '{{'))
"""
    )
    assert page is not None
    assert page.plain_calls == 0, page.code
    assert "re.escape(" in page.code


@pytest.mark.parametrize("separator", ["%s", "-", "%s,", "."])
@pytest.mark.parametrize("pattern", ["'([^' .. sep .. ']+)'", "('([^%s]+)'):format(sep)"])
def test_a_text_is_split_at_the_one_pattern_that_there_is(pattern: str, separator: str) -> None:
    split = SPLITS[0].replace("'([^' .. sep .. ']+)'", pattern)
    page = assert_same(f"{split}\nprint(table.concat(split('a b-c, d.e', '{separator}'), '|'))")
    assert page is not None
    assert page.plain_calls == 0, page.code


@pytest.mark.parametrize(
    "calls",
    [
        "print(#split('a.b', '.'), #split('a,b', ','))",  # a letter that means something in a pattern
        "local f = split print(#f('a.b', '.'))",  # called by another name
        "local t = {',', '%'} print(#split('a,b', t[1]))",
        "local function g(s, sep) return #split(s, sep) end print(g('a^b', '^'), g('ab', 'x'))",
    ],
)
def test_other_separators_are_looked_at_when_the_page_runs(calls: str) -> None:
    page = assert_same(f"{SPLITS[0]}\n{calls}")
    assert page is not None
    assert page.plain_calls > 0
    assert "re.escape(" not in page.code


@pytest.mark.parametrize(
    ("program", "loop"),
    [
        (
            "local t, c = {}, 1 ('a b'):gsub('%a', function(c) t[c] = 1 end) print(t.a, t.b, c)",
            "for c2 in re.findall(",
        ),
        (
            "local t = {} string.gsub('k=v', '(%w)=(%w)', function(k) t[#t + 1] = k end) print(#t)",
            "for k, _ in ",
        ),
        (
            "local n = {0} ('aXbX'):gsub('X', function() n[1] = n[1] + 1 end) print(n[1])",
            "for _ in re.findall(",
        ),
        # what it gives is asked for, or it does more
        ("print((('ab'):gsub('a', function(c) return c .. c end)))", ""),
        ("local n = 0 ('aXbX'):gsub('X', function() n = n + 1 end) print(n)", ""),
        ("local t = {} ('ab'):gsub('%a', function(c) t[#t + 1] = c end, 1) print(#t)", ""),
        ("local t = {} ('ab'):gsub('(a)', function(c, d) t[#t + 1] = c .. tostring(d) end) print(t[1])", ""),
        ("print((('a(b'):gsub('%((b)', function(c, d) return c .. tostring(d) end)))", ""),
    ],
)
def test_gsub_that_only_does_something_with_each_match(program: str, loop: str) -> None:
    page = assert_same(program)
    assert page is not None
    assert loop in page.code
    assert loop or "for" not in page.code.partition("def main")[2]
