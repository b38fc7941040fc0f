"""Whose methods are called: a script's in a class, above it or in an object take effect where Lua's lookup finds them.

What the original did stands in golden files: the calls of every method for an object of every class
(``override_counts.lua``) and what random programs of classes and overrides printed (``random_overrides.lua``).
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.every_class import new_runtime
from tests.golden_cases import GOLDEN
from torch7py.bridge.runtime import Runtime
from torch7py.nn.binding import all_exports, parent_of
from torch7py.nn.original_methods import original_methods
from torch7py.nn.registry import layers

HERE = Path(__file__).parent

# Cases that say most about who calls whom, for every run of the tests; all others are among the slow ones.
QUICK = frozenset(
    """nn.Linear nn.Tanh nn.Sequential nn.Concat nn.ConcatTable nn.ParallelTable nn.Parallel nn.MapTable nn.Bottle
    nn.Decorator nn.CReLU nn.CAdd nn.CMul nn.Identity nn.Dropout nn.SpatialConvolution nn.BatchNormalization nn.JoinTable
    nn.MSECriterion nn.ClassNLLCriterion nn.Maxout nn.LayerNormalization nn.Serial nn.ReLU""".split()
)


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    made = new_runtime()
    yield made
    made.close()


def test_methods_stand_in_the_classes_in_which_the_original_has_them(runtime: Runtime) -> None:
    wrong = []
    has_own = runtime.execute("return function(c, m) return rawget(torch.getmetatable(c), m) ~= nil end")
    for name, methods in original_methods().items():
        cls = layers[name]
        known = set(methods)
        at = parent_of(cls)
        while at is not None:
            known |= original_methods().get(at.registered_as, frozenset())
            at = parent_of(at)
        for method in known & set(all_exports(cls)):
            if bool(has_own(cls.torch7_name, method)) != (method in methods):
                wrong.append((name, method))
    assert wrong == []


def counts_of(text: str) -> dict[tuple[str, str, str], list[str]]:
    found = {}
    for line in text.splitlines():
        number, place, method, counts = line.split("\t")
        found[number, place, method] = counts.split()
    return found


def recorded() -> dict[str, Any]:
    with gzip.open(GOLDEN / "override_counts.json.gz", "rt") as file:
        data: dict[str, Any] = json.load(file)
    return data


def lua_text(value: str | None) -> str:
    return "false" if value is None else f"[==[{value}]==]"


def differences(cases: list[dict[str, Any]], folder: Path) -> list[str]:
    """Runs cases in one process, and says what was called more or less often than in the original."""
    lines = [
        f"{{{lua_text(c['expr'])}, {lua_text(c['input'])}, {lua_text(c['target'])}, {c['seed']}}},"
        for c in cases
    ]
    (folder / "cases.lua").write_text("\n".join(["return {", *lines, "}"]))
    made = Runtime()
    made.run(HERE / "override_counts.lua", [str(folder / "cases.lua"), str(folder / "counts")])
    made.close()
    ours = counts_of((folder / "counts").read_text())
    known = {(name, method, step) for name, method, *steps in recorded()["known"] for step in steps}
    steps = recorded()["steps"]
    found = []
    for (number, place, method), counts in ours.items():
        case = cases[int(number) - 1]
        theirs = case["counts"].get(f"{place} {method}")
        for step, (i, count) in zip(
            steps["criterion" if case["target"] else "module"], enumerate(counts), strict=True
        ):
            wanted = theirs[i] if theirs is not None else 0
            is_known = {(case["class"], method, step), ("*", method, step)} & known
            if wanted is not None and count != str(wanted) and not is_known:
                found.append(f"{case['expr']}: {method} at {place}, {step}: {wanted} calls, here {count}")
    return found


def test_methods_are_called_as_often_as_in_the_original(tmp_path: Path) -> None:
    cases = [case for case in recorded()["cases"] if case["class"] in QUICK]
    assert len(cases) == len(QUICK)
    assert differences(cases, tmp_path) == []


@pytest.mark.slow
def test_methods_of_all_classes_are_called_as_often_as_in_the_original(tmp_path: Path) -> None:
    assert differences(recorded()["cases"], tmp_path) == []


def test_random_programs_call_what_they_called_in_the_original(capfd: pytest.CaptureFixture[str]) -> None:
    made = Runtime()
    made.run(HERE / "random_overrides.lua", ["1", "300"])
    made.close()
    printed = [line.rstrip() for line in capfd.readouterr().out.splitlines()]
    with gzip.open(GOLDEN / "random_overrides.txt.gz", "rt") as file:
        expected = file.read().splitlines()
    assert printed == expected
