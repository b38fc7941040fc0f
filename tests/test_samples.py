"""The programs in lua_samples: what they print, on every Lua, and that it shows what it is there to show.

``golden/samples`` holds what each printed when it was written. That alone would prove nothing: here are what is
known of some outputs beforehand and the original's own losses, and in ``test_samples_in_pytorch.py`` the same
trainings in plain PyTorch.
"""

from __future__ import annotations

import importlib.util
import math
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests import python_process
from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.engine import ENGINES, engine_name

SAMPLES = Path(__file__).parents[1] / "lua_samples"
GOLDEN = Path(__file__).parent / "golden" / "samples"
NAMES = sorted(path.stem for path in SAMPLES.glob("*.lua"))

# These draw from math.random, which is LuaJIT's own: another stream on plain Lua.
NEED_LUAJIT = {"fastlstm", "recurrent", "sequencer_recurrent"}

# These insist on a GPU.
NEED_GPU = {"gpu_only"}

# These take seconds: one engine is enough for every day.
LONG = frozenset(
    "adversarial bidirectional char_rnn deep_q fastlstm gru_tagger rbf recurrent sequencer_recurrent two_branch".split()
)

# And these run below with more items, beside what the original lost.
BESIDE_THE_ORIGINAL = frozenset({"fastlstm", "recurrent", "sequencer_recurrent"})

needs_luajit = pytest.mark.skipif(engine_name() == "lua51", reason="draws from LuaJIT's math.random")

NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")

Run = Callable[..., str]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs a sample with arguments and gives what it printed; only recurrent.lua may have anything said of it."""

    def program(name: str, *arguments: object, cuda_as: str | None = None) -> str:
        with Runtime(cuda_as="cpu" if name in NEED_GPU else cuda_as) as runtime:
            assert runtime.run(SAMPLES / f"{name}.lua", [str(argument) for argument in arguments]) == 0
            runtime.execute("io.stdout:flush()")
        output, errors = capfd.readouterr()
        assert errors.count("\n") == errors.count("rnn as of 2015") == (name == "recurrent"), errors
        return output

    return program


def losses(output: str, word: str = "loss ") -> list[float]:
    """The numbers that follow a word."""
    return [float(number) for number in re.findall(re.escape(word) + f"({NUMBER.pattern})", output)]


def golden(name: str) -> str:
    return GOLDEN.joinpath(f"{name}.txt").read_text()


def assert_same_output(actual: str, expected: str) -> None:
    """The same text, and the same numbers but for what another order of summation may do."""
    assert NUMBER.sub("#", actual) == NUMBER.sub("#", expected)
    for mine, theirs in zip(NUMBER.findall(actual), NUMBER.findall(expected), strict=True):
        assert math.isclose(float(mine), float(theirs), rel_tol=1e-9), (mine, theirs)


def test_every_sample_is_listed():
    listed = re.findall(r"\]\(([\w.]+\.lua)\)", SAMPLES.joinpath("README.md").read_text())
    assert sorted(listed) == [f"{name}.lua" for name in NAMES]


def test_every_sample_has_its_output():
    assert sorted(path.stem for path in GOLDEN.glob("*.txt")) == NAMES


def is_slow(engine: str, name: str) -> bool:
    """Whether a sample takes long there; on the second Lua every third of the others runs."""
    if engine == ENGINES[0]:
        return name in BESIDE_THE_ORIGINAL
    return name in LONG or NAMES.index(name) % 3 > 0


@pytest.mark.parametrize(
    ("engine", "name"),
    [
        pytest.param(
            engine,
            name,
            marks=pytest.mark.slow if is_slow(engine, name) else (),
        )
        for engine in ENGINES
        for name in NAMES
    ],
)
def test_output(run: Run, monkeypatch: pytest.MonkeyPatch, engine: str, name: str):
    if not importlib.util.find_spec(f"lupa.{engine}"):
        pytest.skip(f"this lupa has no {engine}")
    if engine == "lua51" and name in NEED_LUAJIT:
        pytest.skip("draws from LuaJIT's math.random")
    monkeypatch.setenv("TORCH7PY_LUA", engine)
    assert_same_output(run(name), golden(name))


def test_the_command_runs_a_sample():
    options = "-noise 0 -iterations 200 -quiet".split()
    result = python_process.run(["-m", "torch7py", "run", SAMPLES / "options.lua", *options])
    assert (result.returncode, result.stderr) == (0, "")
    # without noise the line is found
    assert "last: y = 3.000000 x + -1.000000" in result.stdout


@needs_luajit
@pytest.mark.parametrize(
    ("name", "arguments", "reference"),
    [
        ("fastlstm", (100, 10000), {1: 45.955342174326 / 5, 100: 45.722850198224 / 5}),
        ("sequencer_recurrent", (100, 10000), {1: 46.695845135453 / 5, 100: 44.909904464389 / 5}),
    ],
)
def test_losses_of_the_original(run: Run, name: str, arguments: tuple[int, ...], reference: dict[int, float]):
    """With 10000 items, what the original Torch7 computed from the same seed."""
    assert losses(run(name, *arguments), " is ") == pytest.approx(list(reference.values()), rel=1e-9)


@needs_luajit
def test_losses_of_the_original_recurrent(run: Run):
    """The original of 2015 had a polynomial for exp in LogSoftMax, hence the wider bound."""
    found = losses(run("recurrent", 300, 10000), " is ")
    assert len(found) == 4
    assert found[0] == pytest.approx(9.3342068682111, rel=1e-4)
    assert found[3] == pytest.approx(9.052168514421, rel=1e-4)


@pytest.mark.parametrize("name", ["fastlstm", "sequencer_recurrent"])
def test_next_item_is_learnt(name: str):
    found = losses(golden(name), " is ")
    assert len(found) == 5
    # It starts at chance and every line that follows is lower than the one before.
    assert found[0] == pytest.approx(math.log(100), abs=0.1)
    assert found == sorted(found, reverse=True)
    assert found[-1] < 1


def test_recurrent_learns():
    found = losses(golden("recurrent"), " is ")
    assert found[0] == pytest.approx(math.log(100), abs=0.2)
    assert found[-1] < 0.6 * found[0]


def test_mlp_learns():
    found = losses(golden("mlp_sgd"))
    assert found[0] == pytest.approx(math.log(2), abs=0.15)
    assert found[-1] < 0.2
    assert losses(golden("mlp_sgd"), ": loss ") == found
    assert int(re.findall(r"(\d+) of 200", golden("mlp_sgd"))[0]) > 190


def test_char_rnn_says_its_text(run: Run):
    assert golden("char_rnn").splitlines()[-1].rstrip("\t") == (
        "it says: the quick brown fox jumps over the lazy dog. "
    )
    # untrained, it does not
    assert "brown fox jumps over" not in run("char_rnn", 0)


def test_gru_tags_longer_sequences():
    assert "400 of 400 tags right in sequences of 40" in golden("gru_tagger")


def test_one_direction_cannot_know_what_follows():
    """Of six steps, five have a neighbour to come that may be 0 or 1."""
    best = 5 / 6 * math.log(2)
    one, both = (
        losses(golden("bidirectional"), "one way ")[-1],
        losses(golden("bidirectional"), "both ways ")[-1],
    )
    assert losses(golden("bidirectional"), "at best: ") == pytest.approx([best], rel=1e-12)
    assert one > best
    assert both < 0.1


def test_derivatives_of_a_layer_in_lua():
    assert "31 derivatives, all within 1e-8 of finite differences: true" in golden("lua_layer")


def test_autoencoder_reads_every_code():
    read = re.findall(r"pattern (\d): code ([\d. ]+), read as (\d)", golden("adam_autoencoder"))
    assert [(number, number) for number, _, _ in read] == [(first, last) for first, _, last in read]
    assert len({code for _, code, _ in read}) == 8


def test_confusion_matrix_counts_every_row():
    rows = re.findall(r"\[+ +(\d+) +(\d+) +(\d+)\]+ +(\d+\.\d+)%", golden("batchnorm_classifier"))
    assert len(rows) == 3
    for index, row in enumerate(rows):
        counts = [int(count) for count in row[:3]]
        assert sum(counts) == 50
        assert float(row[3]) == counts[index] / 50 * 100


def test_options_finds_the_least_squares_line(capfd: pytest.CaptureFixture[str]):
    with Runtime() as runtime:
        runtime.run(SAMPLES / "options.lua", ["-iterations", "300", "-quiet"])
        x, y, model = (runtime.globals[name] for name in ("x", "y", "model"))
        solution = torch.linalg.lstsq(torch.cat([x, torch.ones_like(x)], 1), y).solution.flatten()
        assert [model.weight.item(), model.bias.item()] == pytest.approx(solution.tolist(), rel=1e-9)
    capfd.readouterr()


def test_options_are_said_and_obeyed(run: Run):
    output = run("options", "-lr", "0.5", "-type", "float", "-iterations", 50)
    assert "run: line,iterations=50,lr=0.5,type=float\t\n" in output
    assert len(losses(output)) == 3  # every 13th of 50


def test_a_program_takes_the_gpu_that_is_there(run: Run):
    """The guarded program goes both ways, to the same losses; the CUDA tensors are floats as well."""
    without, with_one = golden("gpu_if_there").splitlines(), run("gpu_if_there", cuda_as="cpu").splitlines()
    assert without[0].startswith("cunn and cutorch are not there")
    assert without[1] == "weights: torch.FloatTensor, loss: torch.FloatTensor\t"
    assert with_one[0] == "weights: torch.CudaTensor, loss: torch.CudaTensor\t"
    assert with_one[1:] == without[2:]
    assert losses(golden("gpu_if_there"))[0] < math.log(5) / 5
    assert "16 of 16 rows counted right" in without[-1]


def test_a_program_that_insists_on_a_gpu_is_told_how():
    result = python_process.run(["-m", "torch7py", "run", SAMPLES / "gpu_only.lua"])
    assert (result.returncode, result.stdout) == (1, "")
    assert re.fullmatch(
        r"\S+gpu_only\.lua:6: .*--device cuda.*--cuda-as cpu.*\n *6 \| require 'cunn'\n", result.stderr
    )


def test_rings_are_told_apart_on_both():
    output = golden("gpu_only")
    assert losses(output)[-1] < 0.25 * math.log(2)
    assert int(re.findall(r"(\d+) of 200 points", output)[0]) > 190
    assert "the same on the CPU: true" in output


def test_a_bank_computes_with_cents():
    output = golden("bank")
    ann, bob, cy = 10050 + 50025, 200000 - 50025, 999
    for _ in range(3):
        bob += math.floor(bob * 3 / 100 + 0.5)
        cy += math.floor(cy * 5 / 100 + 0.5)
    for cents in (ann, bob, cy, ann + bob + cy):
        assert f" {cents // 100}.{cents % 100:02d}" in output
    assert "refused cy ann 10.00" in output
    assert "from the richest: bob, ann, cy" in output


def test_words_are_counted():
    source = SAMPLES.joinpath("word_count.lua").read_text()
    lines = source.partition("[[\n")[2].partition("]]")[0].splitlines()
    counted = Counter(
        word
        for line in lines
        if line[0] != "#" and " = " not in line
        for word in re.findall("[a-z']+", line.lower())
    )
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:5]
    for rank, (word, count) in enumerate(ranked, 1):
        assert f"{rank}. {word:<10} {count:3d} {'*' * count}" in golden("word_count")
    lengths = {len(word) for word in counted}
    assert f"{max(lengths)}: tortoise" in golden("word_count")
    assert f"{len(lengths) - 1} more lines" in golden("word_count")


def test_stripes_are_told_apart():
    output = golden("convnet")
    assert losses(output)[0] == pytest.approx(math.log(3), abs=0.15)
    assert "100.0 % of the others right" in output
    assert f"{4 * 9 + 4 + 3 * 36 + 3} weights" in output


def test_the_way_through_the_maze_is_the_shortest():
    rows = re.findall(r"'([#.SG]{9})'", SAMPLES.joinpath("maze.lua").read_text())
    places = {(r, c): letter for r, row in enumerate(rows) for c, letter in enumerate(row) if letter != "#"}
    reached = {place for place, letter in places.items() if letter == "S"}
    steps = 0
    while not any(places[place] == "G" for place in reached):
        around = {(r + a, c + b) for r, c in reached for a, b in ((0, 1), (1, 0), (0, -1), (-1, 0))}
        reached |= around & set(places)
        steps += 1
    output = golden("maze")
    assert f"shortest: {steps}\t" in output
    assert output.partition("shortest")[2].count("*") == steps - 1


def test_two_networks_end_undecided():
    """At the balance the discriminator loses 2 log 2, the generator log 2, and the points lie on the ring."""
    output = golden("adversarial")
    assert losses(output, "discriminator ")[-1] == pytest.approx(2 * math.log(2), abs=0.05)
    assert losses(output, "generator ")[-1] == pytest.approx(math.log(2), abs=0.05)
    assert losses(output, "radius ") == pytest.approx([1], abs=0.05)


def test_the_walker_goes_straight_to_its_pay():
    assert "path: 1 2 3 4 5 6 7 8 9 10\t" in golden("deep_q")


def test_larger_changes_fool_more():
    right = losses(golden("fooled"), "right, all inputs changed by 0.1: ") + [
        number
        for change in ("0.5", "1")
        for number in losses(golden("fooled"), f"right, all inputs changed by {change}: ")
    ]
    assert right == sorted(right, reverse=True)
    assert right[0] == 60 > right[-1]


def test_means_come_closer():
    output = golden("k_means")
    within = losses(output, "within ")
    assert within == sorted(within, reverse=True)
    assert sum(int(n) for n in re.findall(r"(\d+) points\t", output)) == 60
    found = [tuple(map(float, pair)) for pair in re.findall(r"\((\S+), (\S+)\)", output)]
    for place in ((0, 0), (4, 0), (0, 4)):
        assert min(math.dist(place, centre) for centre in found) < 0.6


def test_names_are_made_of_what_was_seen():
    source = SAMPLES.joinpath("markov.lua").read_text()
    names = re.findall(r"'([a-z]+)'", source.partition("local names = {")[2].partition("}")[0])
    seen = {padded[i : i + 3] for name in names for padded in [f"^^{name}$"] for i in range(len(padded) - 2)}
    output = golden("markov")
    assert f"{len({triple[:2] for triple in seen})} pairs" in output
    made = re.findall(r"(?m)^(\w+) +ends in", output)
    assert len(made) == 8
    for name in made:
        padded = f"^^{name.lower()}$"
        assert {padded[i : i + 3] for i in range(len(padded) - 3)} <= seen
    assert output.count("(known)") == sum(name.lower() in names for name in made)


def test_radial_functions_learn_and_leave_the_outlier():
    found = losses(golden("rbf"))
    assert found == sorted(found, reverse=True)
    half, worst = map(float, re.findall(r"within (\S+), the worst is off by (\S+)\t", golden("rbf"))[0])
    assert half < 0.1
    assert worst > 4.5


def test_a_graph_learns_sum_and_product():
    found = losses(golden("graph"))
    assert found == sorted(found, reverse=True)
    total, product = map(float, re.findall(r"sum (\S+), product (\S+)\t", golden("graph"))[0])
    assert total == pytest.approx(0, abs=0.01)
    assert product == pytest.approx(-0.25, abs=0.1)


def test_tensors_by_hand():
    """What can be computed without a machine."""
    output = golden("tensors")
    for known in (
        "torch.DoubleTensor\t2\t2\t3\t6",
        "offset 3, stride 3",
        "transposed is contiguous: false",
        "the same again: true",
        "  5   5   4\n  9  10   4\n",  # {{0, 0, -1}, {4, 5, -1}} + 6 - 1
        "  1   1\n  1  42\n",  # the products of its rows
        " 0.8000\n 1.4000\n",  # 2x + y = 3, x + 3y = 5
    ):
        assert known in output
    norm = losses(output, "7\t1.1666666666667\t5\t")
    assert norm == pytest.approx([math.sqrt(1 + 16 + 25 + 1)], rel=1e-13)
