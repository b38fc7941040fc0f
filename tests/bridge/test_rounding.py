"""``string.format`` and ``tostring`` of numbers in Lua: the original's texts."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.inner_runtime import InnerRuntime as Runtime

CASES = json.loads(gzip.decompress((Path(__file__).parents[1] / "golden/formats.json.gz").read_bytes()))


@pytest.fixture(scope="module")
def runtime():
    with Runtime() as made:
        yield made


def test_numbers_are_formatted_as_by_the_original(runtime):
    form = runtime.execute("return function(directive, x) return string.format(directive, x) end")
    assert [form(directive, float.fromhex(x)) for directive, x, _ in CASES] == [text for *_, text in CASES]


def test_numbers_stand_among_other_arguments(runtime):
    script = "return string.format('%s|%5.1f|%%|%d|%-6.2e|%q', 'a', 0.25, 3, '0.0625', 'b')"
    assert runtime.execute(script) == 'a|  0.3|%|3|6.25e-02|"b"'


def test_fourteen_digits(runtime):
    script = (
        "return tostring(2 ^ -21), tostring(-123456789012345), tostring(0.1), tostring(7), tostring(1e300)"
    )
    expected = ("4.7683715820313e-07", "-1.2345678901235e+14", "0.1", "7", "1e+300")
    assert runtime.execute(script) == expected


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("string.format('%.1f', {})", "bad argument #2 to 'format' (number expected, got table)"),
        ("string.format('%.1f %d', 0.25, {})", "bad argument #3 to 'format' (number expected, got table)"),
        ("string.format('%y', 0.25)", "invalid option '%y' to 'format'"),
    ],
)
def test_errors_name_the_line_of_the_call(runtime, call, message):
    ok, error = runtime.execute(f"return pcall(function()\nlocal text = {call}\nreturn text end)")
    assert (ok, error) == (False, f"python:2: {message}")
