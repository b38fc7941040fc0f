"""Optional libraries: a package that needs one says so at ``require``, with a command that installs it."""

from __future__ import annotations

import importlib
import re
import shlex
import sys
from pathlib import Path

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError
from torch7py.ops.errors import TorchError
from torch7py.packages.optional_libraries import LIBRARIES, import_library, install_command
from torch7py.packages.registry import packages

ROOT = Path(__file__).parents[2]
NEEDED_AT_REQUIRE = {"cephes": "scipy", "matio": "scipy", "hdf5": "h5py"}


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch):
    """Pretend that a library is not installed."""

    def pretend(name: str) -> None:
        for module in [m for m in sys.modules if m == name or m.startswith(f"{name}.")]:
            monkeypatch.delitem(sys.modules, module)

        class Missing:
            def find_spec(self, module: str, *_: object) -> None:
                if module.partition(".")[0] == name:
                    raise ModuleNotFoundError(f"No module named {module!r}", name=module)

        monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])

    return pretend


@pytest.mark.parametrize(("package", "library"), NEEDED_AT_REQUIRE.items())
def test_a_package_fails_at_require(package: str, library: str, without) -> None:
    without(library)
    with Runtime() as runtime:
        found = runtime.execute(f"local ok, why = pcall(require, '{package}') return ok, why")
        assert found[0] is False
        assert "-m pip install" in found[1]
        with pytest.raises(LuaError, match=r"^python:1: .* need \w+: "):
            runtime.execute(f"require '{package}'")


@pytest.mark.parametrize(("package", "library"), NEEDED_AT_REQUIRE.items())
def test_a_package_with_its_library_is_there(runtime: Runtime, package: str, library: str) -> None:
    pytest.importorskip(library)
    assert runtime.execute(f"return type(require '{package}')") == "table"


def test_the_command_names_what_the_extras_ask_for() -> None:
    command = shlex.split(install_command("scipy", "PIL"))
    assert command[:4] == [sys.executable, "-m", "pip", "install"]
    assert [re.split(r"[<>=~]", text)[0] for text in command[4:]] == ["scipy", "pillow"]


def test_a_library_that_lacks_something_itself_is_not_called_missing(monkeypatch, tmp_path) -> None:
    (tmp_path / "halfway.py").write_text("import there_is_no_such_module\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    with pytest.raises(ModuleNotFoundError, match="there_is_no_such_module"):
        import_library("halfway", "tests")
    with pytest.raises(TorchError, match=r"^tests need nowhere_at_all: "):
        import_library("nowhere_at_all", "tests")


def test_the_register_has_all_that_is_imported() -> None:
    """Which libraries the packages import, and the packages that do so."""
    imported: dict[str, set[str]] = {}
    for file in (ROOT / "torch7py" / "packages").rglob("*.py"):
        for module in re.findall(r"import_library\(\"(\w+)", file.read_text()):
            imported.setdefault(module, set()).add(file.parent.name)
    assert len(imported) > 4
    for module, folders in imported.items():
        library = LIBRARIES[module]
        concerned = {*library.packages, *(name.partition(".")[0] for name in library.functions)}
        assert folders - {"matio"} <= concerned, module  # of matio only files of one version need h5py


def test_the_functions_of_the_register_are_there(runtime: Runtime) -> None:
    for library in LIBRARIES.values():
        for name in library.functions:
            package, mark, _ = re.split(r"([.])", name, maxsplit=1)
            assert mark
            path = name.replace(":", ".")
            assert runtime.execute(f"require '{package}' return {path} ~= nil"), name
        for package in library.packages:
            assert package in packages


def test_the_extras_are_those_of_the_register() -> None:
    """Each extra installs libraries of the register, and ``all`` is all of them."""
    tomllib = pytest.importorskip("tomllib", reason="Python has it from 3.11 on")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    extras: dict[str, set[str]] = {}
    for library in LIBRARIES.values():
        for extra in library.extras:
            extras.setdefault(extra, set()).add(library.distribution)
    everything = project.pop("all")
    for extra, libraries in extras.items():
        assert {re.split(r"[<>=~]", text)[0] for text in project[extra]} == libraries
    named = set(re.findall(r"[\w-]+", everything[0])) - {"torch7py"}
    assert set(extras) <= named <= set(project) - {"dev"}
