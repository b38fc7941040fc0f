"""pl.path, by the name ``path`` that a program finds."""

from __future__ import annotations

import os

from tests.inner_runtime import InnerRuntime as Runtime


def test_penlights_path_is_there(runtime: Runtime) -> None:
    assert runtime.execute("return path.join('a', 'b.t7'), path.splitext('x/y.t7')") == (
        "a/b.t7",
        "x/y",
        ".t7",
    )
    assert runtime.execute(
        "return path.exists('/nowhere'), path.basename('/a/b.c'), path.dirname('/a/b.c')"
    ) == (
        False,
        "b.c",
        "/a",
    )
    assert runtime.execute("return path.isdir('/'), path.currentdir()") == (True, os.getcwd())
