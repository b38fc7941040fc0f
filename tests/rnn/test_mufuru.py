"""MuFuRu beside its equations."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.inner_runtime import InnerRuntime as Runtime
from tests.rnn.test_fused_sequence import assert_same, passes, step_by_step
from torch7py.nn.container import Sequential
from torch7py.ops.errors import TorchError
from torch7py.rnn.mufuru import OPERATIONS, MuFuRu, MuFuRuCell
from torch7py.rnn.sequencer import Sequencer

BATCH, INPUTS, OUTPUTS = 3, 4, 5


def draw(*size: int, seed: int = 5) -> torch.Tensor:
    return torch.randn(*size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def close(one: Any, other: Any) -> None:
    torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("ops", [None, ["keep", "replace"]])
def test_mufuru_is_its_equations(ops: list[str] | None):
    module = MuFuRu(INPUTS, OUTPUTS, ops)
    wr, br, ur, bur, wv, bv, wp, bp = (p.detach() for p in module.torch7_parameters()[0])
    x, h = draw(BATCH, INPUTS), draw(BATCH, OUTPUTS, seed=7)
    r = torch.sigmoid(x @ wr.t() + br + h @ ur.t() + bur)
    v = torch.sigmoid(torch.cat([x, r * h], 1) @ wv.t() + bv)
    values = {
        "keep": h,
        "replace": v,
        "mul": h * v,
        "diff": h - v,
        "forget": h * 0,
        "sqrt_diff": (h - v).abs().sqrt() * 0.25,
        "max": torch.maximum(h, v),
        "min": torch.minimum(h, v),
    }
    weights = torch.softmax((torch.cat([x, h], 1) @ wp.t() + bp).view(BATCH, len(module.ops), OUTPUTS), 1)
    wanted = sum(weights[:, n] * values[name] for n, name in enumerate(module.ops))
    module.set_field("userPrevOutput", h)
    close(module.updateOutput(x), wanted)
    assert module.describe() == f"nn.MuFuRu(4 -> 5) {{ {''.join(f'{name} ' for name in module.ops)}}}"
    with pytest.raises(TorchError, match="none of"):
        MuFuRu(2, 2, ["add"])


OPS = st.lists(st.sampled_from(list(OPERATIONS)), min_size=1, max_size=8)


def numbers(module: Any, x: torch.Tensor, h: torch.Tensor, gradient: torch.Tensor) -> list[torch.Tensor]:
    module.zeroGradParameters()
    found = [module.updateOutput([x, h]), *module.backward([x, h], gradient, 0.3)]
    return [t.clone() for t in [*found, *module.torch7_parameters()[1]]]


@settings(max_examples=40)
@given(ops=OPS, batch=st.integers(1, 4))
def test_the_kernel_is_its_modules_and_the_derivative_of_forward(ops: list[str], batch: int) -> None:
    cell = MuFuRu(INPUTS, OUTPUTS, ops).step_module
    assert isinstance(cell, MuFuRuCell)
    tree = Sequential(*cell.clone().child_list())
    x, h, gradient = draw(batch, INPUTS), draw(batch, OUTPUTS, seed=7), draw(batch, OUTPUTS, seed=9)
    found = numbers(cell, x, h, gradient)
    assert_same(found, numbers(tree, x, h, gradient))
    leaves = [x.requires_grad_(), h.requires_grad_()]
    output = cell.forward(leaves)
    wanted = [*leaves, *cell.torch7_parameters()[0]]
    expected = torch.autograd.grad(
        (output * gradient).sum(), wanted, allow_unused=True, materialize_grads=True
    )
    assert_same(found, [output.detach(), *expected[:2], *(0.3 * part for part in expected[2:])])


def test_the_first_step_of_a_root_and_of_equal_states() -> None:
    """Where both states are the same the root has no slope, and the greater is the first."""
    ops = ["sqrt_diff", "max", "min"]
    cell = MuFuRu(2, 1, ops).step_module
    tree = Sequential(*cell.clone().child_list())
    for module in (cell, tree):  # sigmoid(0) = 0.5, whatever the input
        parameters = module.torch7_parameters()[0]
        parameters[4].data.zero_(), parameters[5].data.zero_()
    x, h, gradient = draw(3, 2), torch.full((3, 1), 0.5).double(), draw(3, 1, seed=9)
    found = numbers(cell, x, h, gradient)
    assert_same(found, numbers(tree, x, h, gradient))
    assert torch.isfinite(torch.cat([t.flatten() for t in found])).all()


@pytest.mark.one_lua
@settings(max_examples=40)
@given(
    ops=OPS,
    lengths=st.lists(st.integers(2, 5), min_size=1, max_size=3),
    batch=st.integers(1, 4),
    remember=st.sampled_from(["neither", "both"]),
    masked=st.sampled_from(["", "maskZero", "trimZero"]),
    seed=st.integers(0, 1000),
)
def test_sequences_as_one_piece(
    ops: list[str], lengths: list[int], batch: int, remember: str, masked: str, seed: int
) -> None:
    module = MuFuRu(INPUTS, OUTPUTS, ops)
    if masked:
        getattr(module, masked)(1)
    model = Sequencer(module)
    model.remember(remember)
    twin = model.clone()
    inputs = [draw(length, batch, INPUTS, seed=seed + n) for n, length in enumerate(lengths)]
    for sequence in inputs:
        sequence[draw(*sequence.shape[:2], seed=seed) > 0.5] = 0
    gradients = [draw(length, batch, OUTPUTS, seed=seed + 50 + n) for n, length in enumerate(lengths)]
    with pytest.MonkeyPatch.context() as monkeypatch:
        reference = step_by_step(lambda: passes(twin, inputs, gradients, False), monkeypatch)
    assert_same(passes(model, inputs, gradients, True), reference)


def test_single_examples_are_refused_in_a_sequence_too() -> None:
    module = MuFuRu(INPUTS, OUTPUTS)
    with pytest.raises(TorchError) as alone:
        module.updateOutput(draw(INPUTS))
    with pytest.raises(TorchError) as in_sequence:
        Sequencer(module).updateOutput(draw(3, INPUTS))
    assert str(alone.value) == str(in_sequence.value)


def test_after_a_forward_its_tree_has_the_clones_that_one_makes(runtime: Runtime) -> None:
    """Each MapTable has a module for every entry then; a clearState takes them away. The counts are the original's."""
    counts = runtime.execute("""
        require "rnn"
        local counts, x = {}, torch.ones(2, 3)
        local function count(m) counts[#counts + 1] = #m:listModules() end
        local m = nn.MuFuRu(3, 4)
        count(m) m:forward(x) count(m) m:backward(x, torch.ones(2, 4)) count(m) m:clearState() count(m)
        m:forward(x) count(m:clone()) m:forget() m:forward(x) count(m)
        local s = nn.Sequencer(nn.MuFuRu(3, 4)) s:forward({x, x}) count(s)
        return counts""")
    assert counts == [62, 71, 71, 62, 71, 71, 72]


def test_its_kernel_goes_on_when_the_tree_was_looked_at() -> None:
    module = MuFuRu(3, 4)
    cell = module.step_module
    x, state = torch.ones(2, 3), torch.ones(2, 4)
    cell.updateOutput([x.double(), state.double()])
    cell.child_list()
    assert cell.intact()
    cell.clearState()
    assert cell.intact()


def test_a_script_sees_the_modules_that_a_step_has_after_clear_state(runtime: Runtime):
    """The containers inside were made by Python: the lists that the script has seen are shown anew all the same."""
    counts = runtime.execute("""
        require 'rnn'
        local m = nn.MuFuRu(2, 2)
        m:forward(torch.ones(3, 2))
        m = m:clone()
        local counts = {}
        local function count()
           for _, part in ipairs(m:listModules()) do
              if torch.type(part) == 'nn.MapTable' then counts[#counts + 1] = #part.modules end
           end
        end
        count()
        m:clearState()
        count()
        m:clone()
        return counts
    """)
    assert counts == [2, 2, 8, 1, 1, 1]
