"""A Lua program that does something to a module of every class, and what it printed on the original."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.golden_cases import GOLDEN, load, modules_of_every_class
from torch7py.bridge.runtime import Runtime

__all__ = ["Compared", "compare", "unexplained"]

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


def _further(modules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The recorded modules that are not among these."""
    known = {(module["expr"], module["input"]) for module in modules}
    further = []
    for case in [*load("nn_modules"), *load("rnn_modules")]:
        key = case["expr"], case["input_expr"]
        if key not in known:
            known.add(key)
            names = re.findall(r"nn\.\w+", case["expr"])
            classes = [name for name in names if name != "nn.Sequencer"] or names
            further.append(
                {"class": classes[0], "expr": key[0], "input": key[1], "seed": case["seed"], "target": ""}
            )
    return further


def compare(
    name: str,
    folder: Path,
    capfd: pytest.CaptureFixture[str],
    criterions: bool = False,
    step: int = 1,
    further: bool = False,
) -> list[Compared]:
    """Run ``programs/NAME.lua`` on all modules, and compare with ``golden/NAME.txt.gz``.

    The program's first argument is a file with the cases, the second one with the variants that the original had. Only
    every ``step``-th of these is compared. ``further``: on modules with other arguments and inputs, too.
    """
    recorded: Any = load("override_counts")
    modules = recorded["cases"] if criterions else modules_of_every_class()
    modules += _further(modules) if further else []
    theirs = _lines(gzip.decompress((GOLDEN / f"{name}.txt.gz").read_bytes()).decode())
    theirs = dict([*theirs.items()][::step])
    lines = []
    for module in modules:
        texts = [_lua_text(module["expr"]), _lua_text(module["input"]), str(module["seed"])]
        lines.append("{" + ", ".join(texts + [_lua_text(module["target"])] * bool(module["target"])) + "},")
    (folder / "cases.lua").write_text("\n".join(["return {", *lines, "}"]))
    variants: dict[str, list[str]] = {}
    for number, variant in theirs:
        variants.setdefault(number, []).append(_lua_text(variant))
    lines = [f"[{number}] = {{{', '.join(names)}}}," for number, names in variants.items()]
    (folder / "variants.lua").write_text("\n".join(["return {", *lines, "}"]))
    with Runtime() as runtime:
        files = [str(folder / "cases.lua"), str(folder / "variants.lua")]
        runtime.run(HERE / "programs" / f"{name}.lua", files)
    ours = _lines(capfd.readouterr().out)
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


def unexplained(
    compared: Iterable[Compared], known: Mapping[str, str], same: Callable[[str, str], bool]
) -> list[str]:
    """What differs and is not known to. ``known``: classes of nn and the variants of each, as words.

    Where the original ended in an error that was a fault of its own.
    """
    pairs = {
        (f"nn.{name}", variant)
        for names, variants in known.items()
        for name in names.split()
        for variant in variants.split()
    }
    return [
        f"{case.expr}, {case.variant}: {case.ours}, originally {case.theirs}"
        for case in compared
        if (case.cls, case.variant) not in pairs
        and case.theirs != "error"
        and not same(case.ours, case.theirs)
    ]
