"""Each package is one folder that registers it, and lies where the number of its users puts it."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from torch7py.packages import discovery
from torch7py.packages.registry import came_with_torch, packages

CONTRIB = "torch7py.packages.contrib."
MODULES = sorted(discovery.built_in_modules())
FEW = 6


def root(name: str) -> str:
    return name.partition(".")[0]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.removeprefix("torch7py.packages."))
def test_a_folder_registers_packages_of_its_name(module: str) -> None:
    registered = [package for package in packages.values() if package.module == module]
    assert registered
    assert {discovery.built_in_module(root(package.name)) for package in registered} == {module}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.removeprefix("torch7py.packages."))
def test_every_lua_file_of_a_folder_is_used(module: str) -> None:
    """By the register, or by another Lua file."""
    folder = Path(importlib.import_module(module).__path__[0])
    files = {file.name for file in folder.rglob("*.lua")}
    registered = {package.lua for package in packages.values() if package.module == module}
    texts = "".join(file.read_text() for file in folder.parent.rglob("*.lua"))
    named = set(re.findall(r"'(?:[\w.]+/)?(\w+\.lua)'", texts)) | _of_lists(texts)
    assert files <= registered | named | {"cmdline.lua", "tester.lua"}  # those two by the bridge itself
    assert registered - {None} <= files


def _of_lists(text: str) -> set[str]:
    """The files that ``for _, name in ipairs {...} do chunk(name .. '.lua')`` loads."""
    loops = re.findall(r"ipairs ?\{([^}]*)\} do\s+chunk\(\w+ \.\. '\.lua'\)", text)
    return {f"{name}.lua" for names in loops for name in re.findall(r"'(\w+)'", names)}


def test_packages_of_few_projects_are_in_contrib() -> None:
    """But for those that other packages need, and for torch7py's own ``pytorch``, which no old program can use."""
    needed = {
        root(name) for p in packages.values() if not p.module.startswith(CONTRIB) for name in p.requires
    }
    for package in packages.values():
        if package.name == root(package.name) != "pytorch":
            few = (package.projects or 0) <= FEW and package.name not in needed
            assert package.module.startswith(CONTRIB) == few, package.name
    assert not any(packages[name].module.startswith(CONTRIB) for name in needed)


def test_what_came_with_torch() -> None:
    assert came_with_torch("optim")
    assert came_with_torch("pl.List")
    assert not came_with_torch("class")
    assert not came_with_torch("hdf5")
    assert not came_with_torch("fb.debugger")
    assert not came_with_torch("no such package")


def test_the_tests_stand_in_the_same_tree() -> None:
    here = Path(__file__).parent
    homes = {here, here / "contrib"}
    folders = {file.parent.relative_to(here) for file in here.rglob("test_*.py") if file.parent not in homes}
    packages_folder = Path(discovery.__file__).parent
    assert folders
    assert folders <= {
        file.parent.relative_to(packages_folder) for file in packages_folder.rglob("__init__.py")
    }
