"""Every benchmark runs, and prints and writes a line for each thing that it measures."""

from __future__ import annotations

import json
import math
import subprocess
from pathlib import Path

import pytest

from bench import large_tensors, operations, optimizers, pairs, recorded, small_calls
from bench.__main__ import BENCHMARKS
from bench.measure import Result, Target, alternate
from bench.post import PROGRAM, Port
from bench.report import row
from tests import python_process
from tests.inner_runtime import InnerRuntime as Runtime
from tests.programs.recorded_runs import UPSTREAM, records

ROOT = Path(__file__).parents[1]


def bench(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return python_process.run(
        ["-m", "bench", *arguments], cwd=ROOT, timeout=600
    )  # all of them, on a busy machine


DTYPES = ("float64", "float32")
LINES = {
    "post": {"an iteration, float64", "an iteration, float32"},
    "char_rnn": {"a training step, float64", "a training step, float32"},
    "programs": {"median", "worst", *(r["name"] for r in records() if r["seconds"] <= recorded.SHORT)}
    if UPSTREAM
    else set(),
    "sequences": {
        *(f"{kind}, an iteration, {dtype}" for kind in ("Recurrent", "FastLSTM") for dtype in DTYPES),
        "LSTM, beside FastLSTM, float64",
    },
    "lenet": {"a step, float64", "a step, float32"},
    "one_example": {"a step"},
    "value_learning": {"a step"},
    "attention": {"an iteration"},
    "turing_machine": {"a sequence"},
    "policy": {"a game"},
    "pools": {f"a batch and a step, {name} (in turn)" for name in ("processes", "threads")},
    "optimizers": {
        f"{method}, {count} numbers" for method in optimizers.METHODS for count in optimizers.COUNTS
    },
    "many_modules": {"building", "a step"},
    "element_loop": {"x[i] = x[i]*2+1"},
    "loading": {
        *(f"load 1 GB, {how} (np.fromfile)" for how in ("mapped", "copied")),
        *(f"memory, {how} (its size)" for how in ("mapped", "copied") if Path("/proc/self/status").exists()),
        "inspect 2 GB",
    },
    "large_tensors": set(large_tensors.CALLS),
    "operations": {f"{kind}: {call}" for kind in operations.TYPES for call in operations.calls(kind)},
    "pairs": {f"{what} (Lua's own)" for what in pairs.TABLES},
    "small_calls": {
        *small_calls.IN_PLACE,
        *small_calls.RETURNING,
        *(call + suffix for call in small_calls.IN_PLACE for suffix, _, _ in small_calls.OTHERS),
        *(f"{call} ({small_calls.ADDITION})" for call in small_calls.OF_AN_ADDITION),
    },
    "start_up": {"--help (python -c pass)", "run empty.lua (import torch)"},
    "translate": {"a line of the samples", "a line of the tests"},
}


@pytest.mark.parametrize(
    "names",
    [["post", "element_loop"], pytest.param(list(BENCHMARKS), marks=pytest.mark.slow)],
    ids=["two", "all"],
)
def test_benchmarks_run_at_their_smallest(tmp_path, names):
    path = tmp_path / "figures.json"
    result = bench("--quick", "--json", path, *names)
    assert (result.returncode, result.stderr) == (0, "")
    written = json.loads(path.read_text())
    assert written["surroundings"]["threads"] == 1
    found: dict[str, set[str]] = {}
    for entry in written["results"]:
        found.setdefault(entry["benchmark"], set()).add(entry["what"])
        assert f"{entry['what']}, {entry['unit']}" in result.stdout
        assert entry["ours"] > 0
        if entry["plain"] is None:
            assert entry["ratio"] is None
        else:
            assert entry["ratio"] == pytest.approx(entry["ours"] / entry["plain"])
    assert found == {name: LINES[name] for name in names if LINES[name]}
    assert set(LINES) == set(BENCHMARKS)


def test_names_select():
    result = bench("element_loop", "--quick")
    assert result.returncode == 0
    assert "x[i] = x[i]*2+1" in result.stdout
    assert "x:add(1)" not in result.stdout


def test_only_what_misses_its_target():
    """All lines of ``pairs`` have one; the last line says how many are met."""
    found = bench("pairs", "--quick", "--missed").stdout.splitlines()
    lines = [line for line in found if "<=" in line]
    met, of, total = found[-1].split()[:3]
    assert (of, int(total)) == ("of", len(LINES["pairs"]))
    assert len(lines) == int(total) - int(met)
    assert all(line.endswith("NO") for line in lines)


def test_an_unknown_name_is_an_error():
    result = bench("element_lop")
    assert result.returncode == 2
    assert "element_lop" in result.stderr
    assert "Traceback" not in result.stderr


def test_programs_take_turns():
    calls = []
    alternate(lambda: calls.append("A"), lambda: calls.append("B"), rounds=3)
    assert "".join(calls) == "AB" * 4


@pytest.mark.parametrize(
    ("target", "met", "words"),
    [
        (Target(1.5), True, "<= 1.5x yes"),
        (Target(1.4), False, "<= 1.4x NO"),
        (Target(310, "figure"), True, "<= 310 ns yes"),
        (Target(290, "figure"), False, "<= 290 ns NO"),
        (None, None, ""),
    ],
)
def test_a_target_is_for_the_ratio_or_for_the_figure(target, met, words):
    result = Result("name", "what", "ns", 300, 200, target)
    assert result.ratio == 1.5
    assert result.met is met
    assert row(result).split() == ["what,", "ns", "300", "200", "1.50", *words.split()]


def test_figures_for_scale_stand_in_brackets():
    printed = row(Result("name", "what", "s", 3.0, 2.0, for_scale=True))
    assert printed.split() == ["what,", "s", "3.00", "(2.00)", "(1.50)"]


def test_a_target_for_a_missing_ratio_is_an_error():
    with pytest.raises(ValueError, match="what"):
        _ = Result("name", "what", "s", 3.0, None, Target(1.5)).met


def test_the_port_computes_what_the_program_does():
    """The losses of the first iterations, of the Lua program and of the port with the same weights."""
    with Runtime() as runtime:
        train = runtime.execute(PROGRAM.read_text())
        port = Port(*(runtime.globals[name] for name in ("model", "dataset", "offsets")))
        first = port.train(1)
        assert math.isclose(first, 45.955342174326, rel_tol=1e-9)  # as the original printed it
        assert math.isclose(train(1), first, rel_tol=1e-12)
        assert math.isclose(train(2), port.train(2), rel_tol=1e-12)
