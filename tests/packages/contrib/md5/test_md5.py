"""md5, beside Python's hashlib."""

from __future__ import annotations

import hashlib

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError


@pytest.fixture(scope="module")
def run():
    with Runtime() as runtime:
        runtime.execute("md5 = require 'md5'")
        yield runtime.execute


def test_md5(run):
    assert run("return md5.sumhexa('message digest')") == hashlib.md5(b"message digest").hexdigest()
    assert run("return md5.sum('\\255\\0')") == hashlib.md5(b"\xff\0").digest().decode("latin1")
    assert run("return md5.exor('ab', '\\1\\2')") == "``"
    with pytest.raises(LuaError, match="lengths must be equal"):
        run("md5.exor('a', 'bc')")
    with pytest.raises(LuaError, match="a string expected"):
        run("md5.sum(nil)")
