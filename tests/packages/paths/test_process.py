"""paths: the folders of the process that runs."""

from __future__ import annotations

import os
from pathlib import Path

from tests.inner_runtime import InnerRuntime as Runtime


def test_paths_of_this_process(runtime: Runtime) -> None:
    assert runtime.execute("require 'paths' return paths.cwd(), paths.home") == (
        os.getcwd(),
        str(Path.home()),
    )
    assert runtime.execute("return paths.execdir() ~= nil and paths.dirp(paths.execdir())") is True
