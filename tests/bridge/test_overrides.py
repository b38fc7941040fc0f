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
from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime
from torch7py.nn.binding import all_exports, parent_of
from torch7py.nn.object import BESIDE_PASSES
from torch7py.nn.original_methods import original_methods
from torch7py.nn.registry import layers
from torch7py.nn.step_lines import roots

HERE = Path(__file__).parent

# Cases that say most about who calls whom, for every run of the tests; all others are among the slow ones.
QUICK = frozenset(
    """nn.Linear nn.Tanh nn.Sequential nn.Concat nn.ConcatTable nn.ParallelTable nn.Parallel nn.MapTable nn.Bottle
    nn.Decorator nn.CReLU nn.CAdd nn.CMul nn.Identity nn.Dropout nn.SpatialConvolution nn.BatchNormalization
    nn.JoinTable nn.MSECriterion nn.ClassNLLCriterion nn.Maxout nn.LayerNormalization nn.Serial nn.ReLU nn.Sequencer
    nn.SequencerCriterion""".split()
)

# Where a method is called, but another number of times: the original goes to a part by each field that it is in. The
# methods, and the classes.
OTHER_NUMBERS = """
accGradParameters rethrowErrors: nn.Recurrent nn.Repeater
applyToModules clearState: nn.BiSequencer nn.BiSequencerLM nn.FastLSTM nn.LSTM nn.Recurrence nn.RecurrentAttention
applyToModules clearState: nn.Recurrent nn.Repeater nn.Sequencer nn.MuFuRu
applyToModules: nn.GRU
clearState: nn.Recursor nn.SeqBRNN nn.SpatialClassifier nn.SpatialDivisiveNormalization
clearState: nn.SpatialSubtractiveNormalization
clearState forward: nn.SpatialContrastiveNormalization
evaluate reinforce training: nn.BiSequencer nn.BiSequencerLM nn.FastLSTM nn.GRU nn.LSTM nn.MuFuRu nn.NormStabilizer
evaluate reinforce training: nn.Recurrence nn.Recurrent nn.RecurrentAttention nn.Recursor nn.Repeater
evaluate reinforce training: nn.Sequencer nn.SpatialBinaryConvolution
forget: nn.BiSequencer nn.BiSequencerLM nn.RecurrentAttention nn.Recursor nn.Sequencer
maxBPTTstep: nn.BiSequencer nn.BiSequencerLM nn.Recursor nn.Sequencer
clone share: nn.MuFuRu
type: nn.BiSequencer nn.BiSequencerLM nn.CategoricalEntropy nn.Convert nn.DontCast nn.FastLSTM nn.FireModule
type: nn.FlattenTable nn.GRU nn.Inception nn.LSTM nn.MapTable nn.ModuleCriterion nn.MuFuRu nn.MultiCriterion
type: nn.NormStabilizer nn.Profile nn.Recurrence nn.Recurrent nn.RecurrentAttention nn.Recursor nn.Repeater
type: nn.RepeaterCriterion nn.SeqBRNN
type: nn.Sequencer nn.SequencerCriterion nn.SpatialClassifier nn.SpatialColorTransform nn.SpatialGlimpse
type: nn.gModule
"""
# Where one of the two does not call a method that the other calls: some layers are made of other parts here, or none.
NOT_ALIKE = """
accGradParameters: nn.Recurrent
accGradParameters backward parameters: nn.SpatialGlimpse
applyToModules: nn.WeightNorm
backward clone forward updateGradInput updateOutput: nn.RepeaterCriterion
clearState: nn.FlattenTable nn.GRU
clone: nn.BiSequencer nn.BiSequencerLM nn.RecurrentAttention nn.Sequencer nn.SequencerCriterion
clone sharedClone stepClone: nn.Repeater
defaultAccUpdateGradParameters updateOutput: nn.WeightedEuclidean
listModules: nn.gModule
parameters sparseParameters updateParameters: nn.SoftMaxTree nn.SpatialLinear
type: nn.IndexLinear
"""
# A clone that shares its parameters is not made by clone(), nor are the parameters of a model gathered in a container.
KNOWN_STEPS = {("clone", "stepClone"), ("clone", "sharedClone"), ("parameters", "getParameters")}


# Where a method gets other numbers of arguments: DepthConcat hands on the scale that it is given, and a tensor cache
# goes to fewer or more parts or classes. The methods, and the classes.
OTHER_ARGUMENTS = """
backward: nn.DepthConcat
updateGradInput: nn.LayerNormalization
type: nn.ArgMax nn.BinaryLogisticRegression nn.DistanceRatioCriterion nn.DontCast nn.FlattenTable
type: nn.ModuleCriterion nn.ParallelCriterion
"""


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
        wrong += [
            (name, method)
            for method in known & set(all_exports(cls))
            if bool(has_own(cls.torch7_name, method)) != (method in methods)
        ]
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


def pairs_of(table: str) -> set[tuple[str, str]]:
    """Classes and methods of a table with lines ``methods: classes``."""
    lines = [line.split(": ") for line in table.strip().splitlines()]
    return {
        (name, method) for methods, names in lines for name in names.split() for method in methods.split()
    }


def counted_here(
    cases: list[dict[str, Any]], folder: Path, *what: str
) -> dict[tuple[str, str, str], list[str]]:
    """Runs cases in one process: for each number, place and method what was noted in each step."""
    lines = [
        f"{{{lua_text(c['expr'])}, {lua_text(c['input'])}, {lua_text(c['target'])}, {c['seed']}}},"
        for c in cases
    ]
    (folder / "cases.lua").write_text("\n".join(["return {", *lines, "}"]))
    made = Runtime()
    made.run(HERE / "override_counts.lua", [str(folder / "cases.lua"), str(folder / "counts"), *what])
    made.close()
    return counts_of((folder / "counts").read_text())


def differences(cases: list[dict[str, Any]], folder: Path) -> list[str]:
    """What was called more or less often than in the original."""
    ours = counted_here(cases, folder)
    other_numbers, not_alike = pairs_of(OTHER_NUMBERS), pairs_of(NOT_ALIKE)
    steps = recorded()["steps"]
    found = []
    # Of a method that is never called there is no record: it is called in no step, but for those that are errors.
    errors = {
        str(number): [None if None in step else 0 for step in zip(*case["counts"].values(), strict=True)]
        for number, case in enumerate(cases, 1)
    }
    for (number, place, method), counts in ours.items():
        case = cases[int(number) - 1]
        pair = (case["class"], method)
        if pair in not_alike:
            continue
        theirs = case["counts"].get(f"{place} {method}", errors[number])
        for step, (i, count) in zip(
            steps["criterion" if case["target"] else "module"], enumerate(counts), strict=True
        ):
            wanted = theirs[i]
            if wanted is None or (method, step) in KNOWN_STEPS:
                continue
            if (count == "0") != (wanted == 0) if pair in other_numbers else count != str(wanted):
                found.append(f"{case['expr']}: {method} at {place}, {step}: {wanted} calls, here {count}")
    return found


def test_methods_are_called_as_often_as_in_the_original(tmp_path: Path) -> None:
    cases = [case for case in recorded()["cases"] if case["class"] in QUICK]
    assert len(cases) == len(QUICK)
    assert differences(cases, tmp_path) == []


@pytest.mark.slow
def test_methods_of_all_classes_are_called_as_often_as_in_the_original(tmp_path: Path) -> None:
    assert differences(recorded()["cases"], tmp_path) == []


def other_arguments(cases: list[dict[str, Any]], folder: Path) -> list[str]:
    """Which methods that both call get other numbers of arguments than in the original.

    ``rethrowErrors`` is left out: it is given, and passes on, also what its caller left out.
    """
    ours = counted_here(cases, folder, "arguments")
    known, steps = pairs_of(OTHER_ARGUMENTS), recorded()["steps"]
    return [
        f"{case['expr']}: {method} at {place}, {step}: {wanted} arguments, here {here}"
        for number, case in enumerate(cases, 1)
        for places, method, theirs in case["arguments"]
        if (case["class"], method) not in known and method != "rethrowErrors"
        for place in places.split()
        for step, wanted, here in zip(
            steps["criterion" if case["target"] else "module"],
            theirs.split(),
            ours[str(number), place, method],
            strict=True,
        )
        if wanted != "-" and here.lstrip("!") not in ("-", wanted)
    ]


def test_methods_get_as_many_arguments_as_in_the_original(tmp_path: Path) -> None:
    cases = [case for case in recorded()["cases"] if case["class"] in QUICK and "arguments" in case]
    assert other_arguments(cases, tmp_path) == []


@pytest.mark.slow
def test_methods_of_all_classes_get_as_many_arguments_as_in_the_original(tmp_path: Path) -> None:
    assert other_arguments([case for case in recorded()["cases"] if "arguments" in case], tmp_path) == []


def test_passes_with_instructions_call_no_method_that_is_beside_passes(runtime: Runtime) -> None:
    """What lists of instructions may leave out of account, by the original's counts: but for the call itself."""
    data, wrong = recorded(), []
    listed = {key for key, _ in roots()}
    passes = {"forward", "backward", "gradInput", "acc", "zero", "update", "output", "grad"}
    cases = [case for case in data["cases"] if case["class"] in listed]
    for case in cases:
        steps = data["steps"]["criterion" if case["target"] else "module"]
        for key, counts in case["counts"].items():
            _, method = key.split()
            if method not in BESIDE_PASSES - set(layers[case["class"]].calls_in_passes):
                continue
            for step, count in zip(steps, counts, strict=True):
                direct = method == "forward" and step in {"forward", "gradInput"}
                if step in passes and count is not None and count > direct:
                    wrong.append((case["expr"], key, step, count))
    assert len({case["class"] for case in cases}) > 25
    assert wrong == []


def test_random_programs_call_what_they_called_in_the_original(capfd: pytest.CaptureFixture[str]) -> None:
    made = Runtime()
    made.run(HERE / "random_overrides.lua", ["1", "300"])
    made.close()
    printed = [line.rstrip() for line in capfd.readouterr().out.splitlines()]
    with gzip.open(GOLDEN / "random_overrides.txt.gz", "rt") as file:
        expected = file.read().splitlines()
    assert printed == expected


def test_an_override_stands_for_the_classes_that_inherit_the_method_and_for_no_others(
    runtime: Runtime,
) -> None:
    counted = runtime.execute("""
        local n, old = 0, nn.Module.updateOutput
        nn.Module.updateOutput = function(self, input) n = n + 1 return old(self, input) end
        nn.Sequential():add(nn.Linear(2, 2)):add(nn.Tanh()):add(nn.View(-1)):forward(torch.ones(2))
        nn.Module.updateOutput = old
        return n""")
    assert counted == 0


@pytest.mark.parametrize(
    ("method", "calls"), [("training", 3), ("evaluate", 3), ("clearState", 2), ("type", 3)]
)
def test_a_parents_method_is_called_where_it_is_the_scripts(
    runtime: Runtime, method: str, calls: int
) -> None:
    counted = runtime.execute(f"""
        local n, old = 0, nn.Module.{method}
        nn.Module.{method} = function(...) n = n + 1 return old(...) end
        local m = nn.Sequential():add(nn.Linear(2, 2)):add(nn.Tanh())
        m:{method}({"'torch.FloatTensor'" if method == "type" else ""})
        nn.Module.{method} = old
        return n""")
    assert counted == calls


def test_a_constructor_of_a_base_class_is_called_for_heirs(runtime: Runtime) -> None:
    made = runtime.execute("""
        local old = nn.Module.__init
        nn.Module.__init = function(self, ...) old(self, ...) self.mark = 'seen' end
        local m = nn.Linear(2, 2)
        nn.Module.__init = old
        return m.mark, m:forward(torch.ones(2)):dim()""")
    assert made == ("seen", 1)


def test_a_programs_own_layer_may_do_without_what_it_is_not_given(runtime: Runtime) -> None:
    runtime.execute("""
        local M = torch.class('nn.NeedsNothing', 'nn.Module')
        function M:updateOutput(x) self.output = torch.ones(2) return self.output end
        function M:updateGradInput(x, g) self.gradInput = torch.ones(2) return self.gradInput end
        function M:accGradParameters(x, g, scale) self.given = {g, scale} end
        local m = nn.NeedsNothing()
        m:backward(m:forward())
        assert(m.given[1] == nil and m.given[2] == 1)
        local s = nn.Sequential():add(nn.NeedsNothing()):add(nn.NeedsNothing())
        assert(s:forward():sum() == 2 and s:backward(torch.ones(2)):sum() == 2)""")


def test_a_built_in_layer_says_what_is_missing(runtime: Runtime) -> None:
    with pytest.raises(LuaError, match="argument #2 \\('gradOutput'\\) is missing"):
        runtime.execute("local m = nn.Linear(2, 2) m:forward(torch.ones(2)) m:backward(torch.ones(2))")


def test_a_containers_clear_state_leaves_the_input_alone(runtime: Runtime) -> None:
    left = runtime.execute("""
        local m, x = nn.Sequential():add(nn.Identity()), torch.ones(3)
        m:forward(x)
        m:clearState()
        return x:nElement(), m.output:nElement()""")
    assert left == (3, 0)
