"""Optional libraries: a package that needs one says so at ``require``, with a command that installs it."""

from __future__ import annotations

import importlib
import re
import shlex
import sys

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError
from torch7py.ops.errors import TorchError
from torch7py.packages.optional_libraries import import_library, install_command

LIBRARIES = {"cephes": "scipy", "matio": "scipy", "hdf5": "h5py"}


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


@pytest.mark.parametrize(("package", "library"), LIBRARIES.items())
def test_a_package_fails_at_require(package: str, library: str, without) -> None:
    without(library)
    with Runtime() as runtime:
        found = runtime.execute(f"local ok, why = pcall(require, '{package}') return ok, why")
        assert found[0] is False
        assert "-m pip install" in found[1]
        with pytest.raises(LuaError, match=r"^python:1: .* need \w+: "):
            runtime.execute(f"require '{package}'")


@pytest.mark.parametrize(("package", "library"), LIBRARIES.items())
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
