"""rex_pcre: what a program prints with lrexlib (tests/golden/README.md)."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime

GOLDEN = Path(__file__).parents[3] / "golden"


def test_what_the_original_printed(runtime: Runtime, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    pytest.importorskip("pcre2")
    runtime.run(GOLDEN / "rex_pcre.lua")
    printed = capfdbinary.readouterr().out.split(b"\n")
    expected = gzip.decompress((GOLDEN / "rex_pcre.txt.gz").read_bytes()).split(b"\n")
    assert len(expected) > 40
    for number, (line, wanted) in enumerate(zip(printed, expected, strict=True), 1):
        assert line.rstrip() == wanted, number


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("rex.new('(')", "rex_pcre: .*"),
        ("rex.new('a', 'q')", "rex_pcre: there is no compile flag 'q'"),
        ("rex.new('a', 0x10)", "rex_pcre: compile flags 0x10 are not supported"),
        ("rex.find({}, 'a')", "rex_pcre: a subject is a string, not a table"),
        ("rex.find('a', {})", "rex_pcre: a pattern is a string, not a table"),
        ("rex.gsub('a', 'a', '%1%2')", "rex_pcre: the pattern has no capture 2"),
        ("rex.gsub('a', 'a', true)", "rex_pcre.gsub: the replacement is .* not a boolean"),
    ],
)
def test_bad_input(runtime: Runtime, code: str, message: str) -> None:
    pytest.importorskip("pcre2")
    with pytest.raises(LuaError, match=rf"^test.lua:1: {message}"):
        runtime.execute(f"local rex = require 'rex_pcre' {code}", "@test.lua")
