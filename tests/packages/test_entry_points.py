"""Packages in wheels of their own: the guide's package, and entry points that are broken."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime
from torch7py.packages import discovery
from torch7py.packages.registry import packages

GUIDE = Path(__file__).parents[2] / "docs" / "adding_a_package.md"
ROOT = GUIDE.parents[1]


def write_guide(folder: Path) -> None:
    """The files of the guide; each names itself in its first line."""
    for text in re.findall(r"^```\w+\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL):
        name = re.match(r"(?:#|--) ([\w/.]+)\n", text)
        assert name, text
        path = folder / name.group(1)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def call(cwd: Path, *command: str) -> str:
    result = subprocess.run([sys.executable, *command], cwd=cwd, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture
def fresh() -> Iterator[None]:
    """What a test registers is forgotten behind it."""
    before = set(packages)
    discovery.installed.cache_clear()
    yield
    for name in set(packages) - before:
        packages.remove(name)
    discovery.installed.cache_clear()


@pytest.mark.one_lua
def test_the_guides_package_in_a_wheel(
    tmp_path: Path,
    fresh: None,
    runtime: Runtime,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """It is built and installed as the guide says; a program and its translation print the same with it."""
    write_guide(tmp_path)
    call(tmp_path, "-m", "hatchling", "build", "-t", "wheel")
    (wheel,) = tmp_path.joinpath("dist").glob("torch7py_running-*.whl")
    site = tmp_path / "site"
    call(
        tmp_path,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        str(site),
        str(wheel),
    )
    monkeypatch.syspath_prepend(site)
    program = tmp_path / "program.lua"
    runtime.run(program)
    assert capfd.readouterr().out == "2\t4\t\n"


Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, fresh: None, monkeypatch: pytest.MonkeyPatch) -> Install:
    """A function that installs a distribution of one module with one entry point."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(name: str, point: str, module: str, source: str) -> None:
        tmp_path.joinpath(f"{module}.py").write_text(source)
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        info.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        info.joinpath("entry_points.txt").write_text(f"[{discovery.GROUP}]\n{point} = {module}\n")
        discovery.installed.cache_clear()
        monkeypatch.delitem(sys.modules, module, raising=False)

    return install


REGISTERS = "from torch7py.packages.registry import package\npackage({name!r}, __name__{more})\n"


def test_one_module_for_several_names(install: Install, runtime: Runtime) -> None:
    install(
        "one",
        "my-thing",
        "my_thing",
        "".join(REGISTERS.format(name=n, more="") for n in ("my-thing", "my-thing.part")),
    )
    assert runtime.execute("return type(require 'my-thing'), type(require 'my-thing.part')") == (
        "table",
        "table",
    )
    with pytest.raises(LuaError, match=r"module 'my-thing\.other' not found"):
        runtime.execute("require 'my-thing.other'")


FIRST = "the_module of the distribution first"
BUILT_IN = "torch7py.packages.optim"
BROKEN = {
    "import": (
        "broken",
        "import no_such_library",
        f"the entry point of package 'broken' is broken: importing {FIRST} raises ModuleNotFoundError",
    ),
    "nothing": ("broken", "", "package 'broken' in the distribution first registers no such package"),
    "taken": (
        "broken",
        REGISTERS.format(name="optim", more=""),
        f"importing {FIRST} raises ValueError: package 'optim' is registered twice: by {BUILT_IN} and by the_module",
    ),
    "requires": (
        "broken",
        REGISTERS.format(name="broken", more=", requires=('absent',)"),
        "package 'broken' requires 'absent', which is not there",
    ),
    "built in": (
        "optim",
        "",
        f"package 'optim' is registered twice: by {BUILT_IN} of torch7py and by {FIRST}",
    ),
}


@pytest.mark.parametrize(("point", "source", "message"), BROKEN.values(), ids=BROKEN)
def test_broken_entry_points_are_errors_where_they_are_required(
    install: Install, runtime: Runtime, point: str, source: str, message: str
) -> None:
    install("first", point, "the_module", source)
    runtime.execute("require 'nn'")
    with pytest.raises(LuaError, match=rf"^test\.lua:2: .*{re.escape(message)}"):
        runtime.execute("\nrequire 'broken'", "@test.lua")


def test_two_distributions_of_one_name(install: Install, runtime: Runtime) -> None:
    install("first", "same", "one_module", REGISTERS.format(name="same", more=""))
    install("second", "same", "another", REGISTERS.format(name="same", more=""))
    with pytest.raises(LuaError, match="package 'same' is registered twice: by ") as caught:
        runtime.execute("require 'same'")
    assert {"one_module", "first", "another", "second"} <= set(re.findall(r"\w+", str(caught.value)))


def test_entry_points_are_not_read_for_built_in_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    def read() -> None:
        raise AssertionError("read")

    monkeypatch.setattr(discovery, "installed", read)
    with Runtime() as runtime:
        runtime.execute("require 'nn' require 'optim' require 'pl.List' require 'csvigo'")
