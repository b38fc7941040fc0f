"""A Lua program that does something to a module of every class, and what it printed on the original."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.golden_cases import GOLDEN, modules_of_every_class
from torch7py.bridge.runtime import Runtime

__all__ = ["Compared", "compare"]

HERE = Path(__file__).parent


@dataclass
class Compared:
    """What a variant of the program printed of a module, here (empty if nothing) and originally."""

    cls: str
    expr: str
    variant: str
    ours: str
    theirs: str


def _lua_text(value: str) -> str:
    return f"[==[{value}]==]"


def _lines(printed: str) -> dict[tuple[str, str], str]:
    """By the number of the module and the variant."""
    split = [line.rstrip().split(" ", 2) for line in printed.splitlines() if line[:1].isdigit()]
    return {(number, variant): text for number, variant, text in split}


def compare(name: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> list[Compared]:
    """Run ``programs/NAME.lua`` on all modules, and compare with ``golden/NAME.txt.gz``."""
    modules = modules_of_every_class()
    lines = [f"{{{_lua_text(m['expr'])}, {_lua_text(m['input'])}, {m['seed']}}}," for m in modules]
    (folder / "cases.lua").write_text("\n".join(["return {", *lines, "}"]))
    with Runtime() as runtime:
        runtime.run(HERE / "programs" / f"{name}.lua", [str(folder / "cases.lua")])
    ours = _lines(capfd.readouterr().out)
    theirs = _lines(gzip.decompress((GOLDEN / f"{name}.txt.gz").read_bytes()).decode())
    return [
        Compared(
            modules[int(number) - 1]["class"],
            modules[int(number) - 1]["expr"],
            variant,
            ours.get((number, variant), ""),
            text,
        )
        for (number, variant), text in theirs.items()
    ]
