"""nn.Dictionary beside nn.LookupTable: the same numbers, in the rows that were used."""

from __future__ import annotations

import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError
from torch7py.nn.container import Sequential
from torch7py.nn.linear import Linear, LookupTable
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.rnn.dpnn.dictionary import Dictionary

ROWS, SIZE = 6, 3


@pytest.fixture
def dictionary() -> Dictionary:
    state.current().generation = 2015
    return Dictionary(ROWS, SIZE)


def test_rows_used_are_moved_as_in_a_lookup_table(dictionary: Dictionary) -> None:
    table = LookupTable(ROWS, SIZE)
    table.weight.data.copy_(dictionary.weight.data)
    for module in (dictionary, table):
        module.zeroGradParameters()
        for rows in ([2.0, 5.0, 2.0], [5.0]):
            x = torch.tensor(rows, dtype=torch.float64)
            module.updateOutput(x)
            module.backward(x, torch.ones(len(rows), SIZE, dtype=torch.float64))
        module.updateParameters(0.5)
    assert torch.equal(dictionary.weight.data, table.weight.data)
    assert dictionary.inputs == {2: 2, 5: 2}
    assert dictionary.nBackward == 4
    parameters, gradients, factors, count = dictionary.sparseParameters()
    assert list(parameters) == list(gradients) == [2, 5]
    assert factors == {2: 1, 5: 1}
    assert count == ROWS
    dictionary.zeroGradParameters()
    assert dictionary.inputs == {}
    assert dictionary.nBackward == 0
    buffer = dictionary.gradient("weight")
    assert buffer is not None
    assert not buffer.any()


def test_what_a_container_gives_and_a_clone_that_shares(dictionary: Dictionary) -> None:
    model = Sequential(Linear(2, 2), dictionary, Linear(SIZE, 2))
    clone = dictionary.sharedClone()
    x = torch.tensor([4.0], dtype=torch.float64)
    clone.updateOutput(x)
    clone.backward(x, torch.ones(1, SIZE, dtype=torch.float64))
    assert dictionary.inputs == {4: 1}
    parameters, gradients, _, count = model.sparseParameters()
    assert list(parameters) == [1, 2, 2 + 4, 2 + ROWS + 1, 2 + ROWS + 2]
    assert torch.equal(gradients[6], torch.ones(SIZE, dtype=torch.float64))
    assert count == 2 + ROWS + 2
    assert dictionary.clone().inputs is not dictionary.inputs


def test_norms_and_without_gradients(dictionary: Dictionary) -> None:
    x = torch.tensor([3.0], dtype=torch.float64)
    dictionary.weight.data.fill_(2)
    dictionary.updateOutput(x)
    dictionary.backward(x, torch.ones(1, SIZE, dtype=torch.float64))
    dictionary.maxParamNorm(1)
    rows = torch.full((ROWS, SIZE), 2.0, dtype=torch.float64)
    rows[2] = 1
    torch.testing.assert_close(dictionary.weight.data, rows, rtol=1e-6, atol=0)
    with pytest.raises(TorchError, match="momentum"):
        dictionary.updateGradParameters(0.9)
    alone = Dictionary(ROWS, SIZE, True)
    assert alone.gradient("weight") is None
    before = alone.weight.data.clone()
    alone.updateOutput(x)
    alone.accUpdateGradParameters(x, torch.ones(1, SIZE, dtype=torch.float64), 0.5)
    before[2] -= 0.5
    assert torch.equal(alone.weight.data, before)
    alone.updateParameters(0.5)
    assert torch.equal(alone.weight.data, before)


def test_it_is_of_2015() -> None:
    with Runtime(rnn_api=2015) as runtime:
        found = runtime.execute(
            """
            require 'rnn'
            local d = nn.Dictionary(5, 2)
            d:forward(torch.Tensor{3, 3})
            d:backward(torch.Tensor{3, 3}, torch.ones(2, 2))
            return d.inputs[3], torch.type(d)
            """
        )
    assert found == (2, "nn.Dictionary")
    with Runtime(rnn_api=2016) as runtime, pytest.raises(LuaError, match="2015"):
        runtime.execute("require 'rnn' nn.Dictionary(5, 2)")
