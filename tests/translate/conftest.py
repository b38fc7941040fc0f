"""The translator's tests run in an empty folder: what a program writes there is compared with what its page writes.

They lay out pages by a formatter that is started once (formatter.py).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.translate.formatter import Formatter
from torch7py.translate import layout
from torch7py.translate.native import program, translator
from torch7py.translate.native.analysis.program_facts import Known
from torch7py.translate.native.problem import Problem


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


@pytest.fixture(scope="session")
def formatter() -> Iterator[Formatter]:
    started = Formatter()
    yield started
    started.close()


@pytest.fixture(autouse=True)
def _one_formatter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.node.get_closest_marker("own_formatter") is None:
        formatter = request.getfixturevalue("formatter")
        for module in (layout, program):
            monkeypatch.setattr(module, "lay_out_all", formatter.lay_out_all)


@pytest.fixture
def without_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not proved is refused: modules do not become objects, and no page takes nothing for known."""
    monkeypatch.setattr(program, "_OF_MODULES", frozenset())
    monkeypatch.setattr(program, "_avoidable", lambda _: [])
    monkeypatch.setattr(translator, "_OF_VALUES", frozenset())
    monkeypatch.setattr(Known, "of_each_module", lambda _, *said: Problem(*said))
