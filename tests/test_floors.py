"""The layers of docs/architecture.md, by what each folder imports."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "torch7py"

# Each floor, and the floors below it.
BELOW = {
    "kernels": set(),
    "ops": {"kernels"},
    "nn": {"ops"},
    "rnn": {"ops", "nn"},
    "t7": {"ops", "nn", "rnn"},
    "packages": {"ops", "nn", "rnn", "t7"},
    "lua_compat": {"ops", "nn", "rnn", "t7", "packages"},
    "bridge": {"ops", "nn", "rnn", "t7", "packages"},
    "translate": {
        "ops",
        "nn",
        "rnn",
        "t7",
        "packages",
        "lua_compat",
        "bridge",
        "files",
    },  # files.py: load and save
}
MODULES = sorted(path for floor in BELOW for path in PACKAGE.joinpath(floor).rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Full names of everything that a file imports, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_floor_knows_only_the_floors_below(path):
    floor = path.relative_to(PACKAGE).parts[0]
    names = [name.split(".") for name in imports(path)]
    ours = {parts[1] for parts in names if parts[0] == "torch7py" and len(parts) > 1}
    assert ours <= BELOW[floor] | {floor}
    if floor == "kernels":
        assert not {parts[0] for parts in names} & {"torch", "numpy"}
    if floor not in ("bridge", "kernels"):
        assert "lupa" not in {parts[0] for parts in names}
