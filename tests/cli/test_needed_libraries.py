"""``run`` says before a program begins which optional libraries it will need and are missing."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from torch7py.cli import needed_libraries
from torch7py.cli.main import main
from torch7py.cli.needed_libraries import missing_libraries
from torch7py.packages.optional_libraries import LIBRARIES


@pytest.fixture(autouse=True)
def _nothing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needed_libraries, "is_installed", lambda module: False)


def needed(source: str, file: Path = Path("main.lua")) -> list[tuple[str, str]]:
    """Of each library that is said to be missing: where, and what needs it."""
    found = []
    for line in missing_libraries(file, source.encode()):
        match = re.fullmatch(
            r"torch7py: (\S+:\d+): (\S+) needs \w+, which is missing: .* -m pip install '.*'", line
        )
        assert match, line
        found.append((match[1], match[2]))
    return found


@pytest.mark.parametrize(
    "library", [each for each in LIBRARIES.values() if each.packages], ids=lambda each: each.module
)
def test_a_package_that_is_required(library) -> None:
    for package in library.packages:
        for call in (f"require '{package}'", f'local x = require("{package}")'):
            assert needed(f"require 'nn'\n{call}") == [("main.lua:2", package)]


def test_a_function_that_is_called() -> None:
    assert needed("require 'image'\n\nimage.save('x.png', y)") == [("main.lua:3", "image.save")]
    assert needed("require 'image'\nlocal load = image.load") == [("main.lua:2", "image.load")]
    assert needed("local pictures = require 'image'\npictures.save(x)") == [("main.lua:2", "image.save")]
    assert needed("local log = optim.Logger('x')\nlog:plot()") == [("main.lua:2", "optim.Logger:plot")]


@pytest.mark.parametrize(
    "source",
    [
        "require 'image' image.scale(x, 2)",
        "image.save('x.ppm', y)",
        "image.save(folder .. '/x.pgm', y)",
        "-- image.save('x.png', y)",
        "--[[ require 'hdf5'\n require 'cephes' ]]",
        "pcall(require, 'hdf5')",
        "my.image.save('x.png')",
        "image.saved = true",
        "graph:plot()",
    ],
)
def test_what_needs_none(source: str) -> None:
    assert needed(source) == []


def test_the_files_of_a_program(tmp_path: Path) -> None:
    """However they are loaded, by whichever of them."""
    tmp_path.joinpath("util").mkdir()
    for name, text in {
        "main.lua": "require 'util.first'\ndofile 'second.lua'",
        "util/first.lua": "require './beside'",
        "util/beside.lua": "\nrequire 'hdf5' require 'main'",
        "second.lua": "require 'nowhere'\nimage.load('x.jpg')",
    }.items():
        tmp_path.joinpath(name).write_text(text)
    main_file = tmp_path / "main.lua"
    assert needed(main_file.read_text(), main_file) == [
        (f"{tmp_path}/second.lua:2", "image.load"),
        (f"{tmp_path}/util/beside.lua:2", "hdf5"),
    ]


def test_it_is_quick(tmp_path: Path) -> None:
    """Of a program of 20 files, with 500 lines each."""
    lines = "".join(
        f"local x{n % 50} = nn.Linear(opt.size, {n}):forward(data.x) -- and so on\n" for n in range(500)
    )
    for number in range(20):
        tmp_path.joinpath(f"part{number}.lua").write_text(f"require 'part{number + 1}'\n{lines}")
    main_file = tmp_path / "part0.lua"
    source = main_file.read_bytes()
    begun = time.process_time()
    assert missing_libraries(main_file, source) == []
    assert time.process_time() - begun < 0.1


def test_it_is_said_before_the_program_begins(tmp_path: Path) -> None:
    file = tmp_path / "main.lua"
    file.write_text("print 'begun' if false then require 'hdf5' end")
    found = CliRunner().invoke(main, ["run", str(file)])
    assert found.exit_code == 0
    assert found.stderr.startswith(f"torch7py: {file}:1: hdf5 needs h5py, which is missing: ")


def test_nothing_is_read_where_nothing_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needed_libraries, "is_installed", lambda module: True)
    assert missing_libraries(tmp_path / "no_such_file.lua", b"require 'hdf5'") == []
