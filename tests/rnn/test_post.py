"""Whole trainings of recurrent networks, in both interfaces of rnn, beside the losses of the original Torch7.

The programs are in ``programs``. The original ran the same trainings, after ``torch.manualSeed(1)`` and in double
precision, under rnn as of 2015-10-20 and as of 2016.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError

PROGRAMS = Path(__file__).parent / "programs"

# Iteration -> loss, as the original printed it.
REFERENCE = {
    "fastlstm": {
        1: 45.955342174326,
        2: 45.735044140014,
        3: 45.559418867759,
        10: 45.648117905082,
        100: 45.722850198224,
        200: 45.259719401994,
        300: 45.669776041613,
    },
    "sequencer_recurrent": {
        1: 46.695845135453,
        2: 44.115093961009,
        3: 44.243723193537,
        10: 44.498174654412,
        100: 44.909904464389,
        300: 45.760933484565,
    },
    "recurrent_2016": {
        1: 9.3342009548217,
        2: 9.3179150329395,
        6: 8.6096603963324,
        10: 9.0078732864514,
        100: 9.3383239042289,
        300: 9.0237908395028,
    },
    "recurrent_2015": {1: 9.3342068682111, 2: 9.3179220876663, 6: 8.6014968955967, 300: 9.052168514421},
    "recurrent_2015 forget": {
        1: 9.3342068682111,
        2: 9.3179220876663,
        6: 8.6096856843856,
        300: 9.0240896643865,
    },
}
OLDER = {"recurrent_2015", "recurrent_2015 forget"}

# LogSoftMax of 2015 had a polynomial for exp, which was replaced in 2016 and is not imitated.
TOLERANCE = {name: 1e-4 if name in OLDER else 1e-9 for name in REFERENCE}

ENGINES = [
    pytest.param(
        engine,
        marks=pytest.mark.skipif(
            not importlib.util.find_spec(f"lupa.{engine}"), reason=f"this lupa has no {engine}"
        ),
    )
    for engine in ("luajit21", "luajit20")
]

Train = Callable[[str, int], list[float]]


@pytest.fixture
def train(lua_name: str, capfd: pytest.CaptureFixture[str]) -> Train:
    """Runs a program for some iterations and gives its losses.

    The interface of rnn is chosen by the program's text, and said, once, only where it is that of 2015.
    """
    if lua_name == "lua51":
        pytest.skip("draws from LuaJIT's math.random")

    def losses(name: str, iterations: int) -> list[float]:
        program, *options = name.split()
        with Runtime() as runtime:
            assert runtime.run(PROGRAMS / f"{program}.lua", [str(iterations), *options]) == 0
            found: list[float] = runtime.globals["losses"]
            assert runtime.state.generation == (2015 if name in OLDER else 2016)
        errors = capfd.readouterr().err
        assert errors.count("\n") == errors.count("rnn as of 2015") == (name in OLDER)
        assert len(found) == iterations
        return found

    return losses


def reference(name: str, iterations: int) -> dict[int, float]:
    return {i: loss for i, loss in REFERENCE[name].items() if i <= iterations}


def assert_losses(name: str, losses: list[float]) -> None:
    expected = reference(name, len(losses))
    assert len(expected) >= 3
    assert {i: losses[i - 1] for i in expected} == pytest.approx(expected, rel=TOLERANCE[name], abs=0)


@pytest.mark.parametrize("name", REFERENCE)
@pytest.mark.parametrize("engine", ENGINES)
def test_first_losses(train: Train, monkeypatch: pytest.MonkeyPatch, engine: str, name: str):
    monkeypatch.setenv("TORCH7PY_LUA", engine)
    assert_losses(name, train(name, 10))


@pytest.mark.slow
@pytest.mark.parametrize("name", REFERENCE)
def test_all_losses(train: Train, name: str):
    losses = train(name, 300)
    assert_losses(name, losses)
    assert 300 in reference(name, len(losses))


def test_forgetting_makes_the_two_interfaces_agree(train: Train):
    """With forget after each update BPTT sees the same steps, so only the order of sums may differ."""
    assert train("recurrent_2015 forget", 30) == pytest.approx(train("recurrent_2016", 30), rel=1e-12)


def test_without_forgetting_the_first_steps_drop_out(train: Train):
    """BPTT then never reaches the start again: from the second update on the weights are others."""
    kept, forgotten = train("recurrent_2015", 6), train("recurrent_2015 forget", 6)
    assert kept[:5] == forgotten[:5]
    assert kept[5] != pytest.approx(forgotten[5], rel=1e-6)


def test_a_program_of_2015_does_not_run_as_of_2016(train: Train):
    with Runtime(rnn_api=2016) as runtime, pytest.raises(LuaError, match="--rnn-api 2015"):
        runtime.run(PROGRAMS / "recurrent_2015.lua", ["10"])
