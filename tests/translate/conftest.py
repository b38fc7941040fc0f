"""The translator's tests run in an empty folder: what a program writes there is compared with what its page writes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def _empty_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("empty")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(_empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A comparison looks at all files there, of the repository thousands."""
    monkeypatch.chdir(_empty_folder)
    yield
    for entry in os.scandir(_empty_folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)
