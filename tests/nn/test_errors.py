"""Bad input: every layer refuses it, and the message names the layer, its place in the model and the line.

What fits no layer is tried on all of them; the messages are those of a few models that nest in every way.
"""

from __future__ import annotations

import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError
from torch7py.nn.container import Sequential
from torch7py.nn.error_location import explain
from torch7py.nn.linear import Linear
from torch7py.ops.errors import ArgumentError, TorchError

MODELS = {
    "a layer": (
        "nn.Linear(3, 4)",
        "torch.ones(2, 5)",
        "nn.Linear: the input has 5 columns, not 3",
    ),
    "in a chain": (
        "nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(5, 2))",
        "torch.ones(2, 3)",
        "nn.Linear: the input has 4 columns, not 5 (at Sequential[3].Linear)",
    ),
    "in a branch": (
        "nn.Sequential():add(nn.ConcatTable():add(nn.Identity()):add(nn.Sequential():add(nn.Linear(2, 2))))",
        "torch.ones(2, 3)",
        "nn.Linear: the input has 3 columns, not 2 (at Sequential[1].ConcatTable[2].Sequential[1].Linear)",
    ),
    "of a table": (
        "nn.ParallelTable():add(nn.Linear(2, 2)):add(nn.Linear(2, 2))",
        "{torch.ones(2), torch.ones(3)}",
        "nn.Linear: the input has 3 columns, not 2 (at ParallelTable[2].Linear)",
    ),
    "a table where there is none": (
        "nn.Sequential():add(nn.JoinTable(1))",
        "torch.ones(2)",
        "nn.JoinTable: the input must be a table (at Sequential[1].JoinTable)",
    ),
    "joined": (
        "nn.Sequential():add(nn.JoinTable(1))",
        "{torch.ones(2, 3), torch.ones(2, 4)}",
        "nn.JoinTable: part 2 is 2x4, the first 2x3, joined along dimension 1 (at Sequential[1].JoinTable)",
    ),
    "in a decorator": (
        "nn.Sequential():add(nn.Bottle(nn.Linear(4, 2)))",
        "torch.ones(2, 3, 5)",
        "nn.Linear: the input has 5 columns, not 4 (at Sequential[1].Bottle[1].Linear)",
    ),
    "in a step of a sequence": (
        "nn.Sequencer(nn.Sequential():add(nn.Linear(3, 4)):add(nn.LSTM(4, 4)))",
        "{torch.ones(2, 3), torch.ones(2, 4)}",
        "nn.Linear: the input has 4 columns, not 3 (at Sequencer[1].Recursor[step 2].Sequential[1].Linear)",
    ),
    "an index": (
        "nn.Sequential():add(nn.LookupTable(5, 2))",
        "torch.LongTensor{1, 6}",
        "nn.LookupTable: index 6 out of range 1 to 5 (at Sequential[1].LookupTable)",
    ),
    "another type": (
        "nn.Sequential():add(nn.Linear(3, 4))",
        "torch.FloatTensor(2, 3)",
        "nn.Linear: the input is a torch.FloatTensor, not a torch.DoubleTensor (at Sequential[1].Linear)",
    ),
    "no tensor": (
        "nn.Sequential():add(nn.Linear(3, 4))",
        "'text'",
        "nn.Linear: input is a string (at Sequential[1].Linear)",
    ),
    "features of a batch": (
        "nn.Sequential():add(nn.BatchNormalization(3))",
        "torch.ones(2, 4)",
        "nn.BatchNormalization: the input of 2x4 has 4 features, not 3 (at Sequential[1].BatchNormalization)",
    ),
    "a shape": (
        "nn.Sequential():add(nn.View(-1, 5))",
        "torch.ones(2, 4)",
        "nn.View: cannot view 2x4 as -1x5 (at Sequential[1].View)",
    ),
}


@pytest.mark.one_runtime
@pytest.mark.parametrize(("model", "input", "message"), MODELS.values(), ids=MODELS)
def test_a_wrong_input(runtime: Runtime, model: str, input: str, message: str) -> None:
    runtime.execute(f"require 'rnn' m = {model}")
    with pytest.raises(LuaError) as caught:
        runtime.execute(f"\nm:forward({input})", "=train.lua")
    assert caught.value.message == f"train.lua:2: {message}"


GRADIENTS = {
    "in a chain": (
        "nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh())",
        "torch.ones(2, 3)",
        "torch.ones(2, 5)",
        "nn.Tanh: gradOutput has 10 elements (2x5), not 8 (2x4) (at Sequential[2].Tanh)",
    ),
    "of the last": (
        "nn.Sequential():add(nn.Linear(3, 4)):add(nn.Linear(4, 2))",
        "torch.ones(2, 3)",
        "torch.ones(2, 4)",
        "nn.Linear: gradOutput is 2x4, the output 2x2 (at Sequential[2].Linear)",
    ),
    "of a layer without a kernel of its own": (
        "nn.Sequential():add(nn.Linear(3, 4)):add(nn.CAdd(4))",
        "torch.ones(2, 3)",
        "torch.ones(2, 3)",
        "nn.CAdd: gradOutput is 2x3, the output 2x4 (at Sequential[2].CAdd)",
    ),
    "of a branch": (
        "nn.ConcatTable():add(nn.Linear(3, 4)):add(nn.Linear(3, 2))",
        "torch.ones(2, 3)",
        "{torch.ones(2, 4), torch.ones(2, 3)}",
        "nn.Linear: gradOutput is 2x3, the output 2x2 (at ConcatTable[2].Linear)",
    ),
    "too few": (
        "nn.ConcatTable():add(nn.Linear(3, 4)):add(nn.Linear(3, 2))",
        "torch.ones(2, 3)",
        "{torch.ones(2, 4)}",
        "nn.ConcatTable expects a table of 2 gradients",
    ),
    "of a mask": (
        "nn.Dropout()",
        "torch.ones(2, 3)",
        "torch.ones(1, 3)",
        "nn.Dropout: gradOutput has 3 elements (1x3), not 6 (2x3)",
    ),
    "of a step": (
        "nn.Sequencer(nn.LSTM(3, 4))",
        "{torch.ones(2, 3), torch.ones(2, 3)}",
        "{torch.ones(2, 4)}",
        "nn.Sequencer: sequences of 2 and 1 steps",
    ),
}


@pytest.mark.one_runtime
@pytest.mark.parametrize(("model", "input", "gradient", "message"), GRADIENTS.values(), ids=GRADIENTS)
def test_a_wrong_gradient(runtime: Runtime, model: str, input: str, gradient: str, message: str) -> None:
    runtime.execute(f"require 'rnn' m = {model} x = {input} m:forward(x)")
    with pytest.raises(LuaError) as caught:
        runtime.execute(f"m:backward(x, {gradient})", "=train.lua")
    assert caught.value.message == f"train.lua:1: {message}"


CRITERIONS = {
    "a class": (
        "nn.ClassNLLCriterion():forward(torch.ones(2, 3), torch.Tensor{1, 4})",
        "nn.ClassNLLCriterion: target 4 out of range 1 to 3",
    ),
    "class 0": (
        "nn.ClassNLLCriterion():forward(torch.ones(3), 0)",
        "nn.ClassNLLCriterion: target 0 out of range 1 to 3",
    ),
    "a class of a backward": (
        "nn.ClassNLLCriterion():backward(torch.ones(2, 3), torch.Tensor{1, 4})",
        "nn.ClassNLLCriterion: target 4 out of range 1 to 3",
    ),
    "inside another": (
        "nn.CrossEntropyCriterion():forward(torch.ones(2, 3), torch.Tensor{1, 4})",
        "nn.ClassNLLCriterion: target 4 out of range 1 to 3 (at CrossEntropyCriterion[nll].ClassNLLCriterion)",
    ),
    "of several": (
        (
            "nn.ParallelCriterion():add(nn.MSECriterion()):add(nn.ClassNLLCriterion())"
            ":forward({torch.ones(2), torch.ones(3)}, {torch.ones(2), 5})"
        ),
        "nn.ClassNLLCriterion: target 5 out of range 1 to 3 (at ParallelCriterion[2].ClassNLLCriterion)",
    ),
    "of a step": (
        "nn.SequencerCriterion(nn.ClassNLLCriterion()):forward({torch.ones(3), torch.ones(3)}, {1, 4})",
        "nn.ClassNLLCriterion: target 4 out of range 1 to 3 (at SequencerCriterion[2].ClassNLLCriterion)",
    ),
}


@pytest.mark.parametrize(("code", "message"), CRITERIONS.values(), ids=CRITERIONS)
def test_a_class_out_of_range(runtime: Runtime, code: str, message: str) -> None:
    runtime.execute("require 'rnn'")
    with pytest.raises(LuaError) as caught:
        runtime.execute(code, "=train.lua")
    assert caught.value.message == f"train.lua:1: {message}"


@pytest.mark.parametrize("api", [2015, 2016])
def test_back_through_time_without_a_forward(api: int) -> None:
    runtime = Runtime(rnn_api=api)
    runtime.execute("require 'rnn' r = nn.Recurrent(4, nn.Linear(3, 4), nn.Linear(4, 4), nn.Tanh(), 5)")
    for call in ("r:backward(torch.ones(3), torch.ones(4))", "r:backwardThroughTime()"):
        with pytest.raises(LuaError, match=r"^t\.lua:1: nn\.Recurrent: "):
            runtime.execute(call, "=t.lua")
    runtime.close()


def test_a_failing_backward_changes_nothing(runtime: Runtime) -> None:
    runtime.execute(
        """
        require 'nn'
        m = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Linear(4, 2))
        x = torch.ones(2, 3)
        before = m:forward(x):clone()
        p, g = m:getParameters()
        g:fill(7)
        ok = pcall(m.backward, m, x, torch.ones(2, 4))
        also = pcall(m.accGradParameters, m, x, torch.ones(3, 2))
        same = g:eq(7):all() and m.output:equal(before)
        m:zeroGradParameters()
        m:backward(x, torch.ones(2, 2))
        """
    )
    assert runtime.execute("return ok, also, same, m:get(2).gradBias[1]") == (False, False, True, 2)


def test_what_lua_throws_inside_stays_what_it_was(runtime: Runtime) -> None:
    runtime.execute(
        """
        require 'nn'
        local L, parent = torch.class('nn.Throws', 'nn.Module')
        function L:updateOutput(input) error({code = 7}) end
        m = nn.Sequential():add(nn.Throws())
        ok, thrown = pcall(m.forward, m, torch.ones(2))
        """
    )
    assert runtime.execute("return ok, thrown.code") == (False, 7)


def test_a_place_from_python() -> None:
    model = Sequential(Linear(3, 4), Sequential(Linear(5, 2)))
    with pytest.raises(TorchError) as caught:
        model.updateOutput(torch.ones(2, 3, dtype=torch.float64))
    told = explain(caught.value, model)
    assert str(told) == "nn.Linear: the input has 4 columns, not 5 (at Sequential[2].Sequential[1].Linear)"
    assert isinstance(explain(ArgumentError("x"), model), ArgumentError)
    assert str(explain(KeyError("x"), model)) == "nn.Sequential: KeyError: 'x'"
