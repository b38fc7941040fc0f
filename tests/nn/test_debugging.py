"""NaN, Profile and PrintSize."""

from __future__ import annotations

import re

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from tests.nn.faces import assert_faces_agree, values
from torch7py.bridge.errors import LuaError
from torch7py.nn.debugging import NaN, PrintSize, Profile
from torch7py.nn.linear import Linear


@pytest.mark.parametrize("make", [lambda: NaN(Linear(3, 2)), lambda: Profile(Linear(3, 2)), PrintSize])
def test_they_change_nothing(make) -> None:
    assert_faces_agree(make(), values(4, 3))


@pytest.mark.parametrize(
    ("code", "where"),
    [
        ("m:forward(torch.Tensor{0/0, 1})", "input"),
        ("m:get(1).weight:fill(0/0) m:forward(x)", "parameters"),
        ("l:forward(torch.Tensor{-1})", "output"),
        ("m:forward(x) m:backward(x, torch.Tensor{0/0})", "gradOutput"),
        ("m:forward(x) m:get(1).weight:fill(0/0) m:backward(x, torch.ones(1))", "gradInput"),
        ("m:forward(x) m:get(1).gradBias:fill(0/0) m:backward(x, torch.ones(1))", "gradParameters"),
    ],
)
def test_the_first_nan_is_an_error(runtime: Runtime, code: str, where: str) -> None:
    runtime.execute(
        "require 'nn' x = torch.ones(2) m = nn.NaN(nn.Linear(2, 1), 'a') l = nn.NaN(nn.Log(), 'a')"
    )
    module = "nn.Log" if code.startswith("l:") else "nn.Linear(2 -> 1)"
    with pytest.raises(
        LuaError, match=re.escape(f"test.lua:2: NaN found in {where} of nn.NaN(a) @ {module}")
    ):
        runtime.execute(f"\n{code}", "@test.lua")


def test_ids_count_in_each_runtime() -> None:
    for _ in range(2):
        with Runtime() as runtime:
            assert runtime.execute(
                "require 'nn' return nn.NaN(nn.Tanh()).id, nn.NaN(nn.Tanh(), 9).id, nn.NaN(nn.Tanh()).id"
            ) == (1, 9, 2)


def test_profile_prints_every_so_many_passes(runtime: Runtime, capfd: pytest.CaptureFixture[str]) -> None:
    counts = runtime.execute(
        """
        require 'nn'
        local m, x = nn.Profile(nn.Tanh(), 2), torch.ones(2)
        for i = 1, 3 do m:backward(x, m:forward(x)) end
        return m.numFwds, m.numBwds, torch.type(m.module), m.name
        """
    )
    assert counts == (1, 1, "nn.Tanh", "nn.Tanh")
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == 2
    for line, what in zip(lines, ("forward", "backward"), strict=True):
        assert re.fullmatch(rf"nn\.Tanh took 0\.\d{{3}} seconds for 2 {what} passes\t", line)


def test_print_size(runtime: Runtime, capfd: pytest.CaptureFixture[str]) -> None:
    assert all(
        runtime.execute(
            """
            require 'nn'
            local m, x, t = nn.PrintSize('here'), torch.ones(2, 3), {torch.ones(1), torch.ones(1)}
            return rawequal(m:forward(x), x), rawequal(m:backward(x, x), x), rawequal(m:forward(t), t)
            """
        )
    )
    printed = capfd.readouterr().out
    runtime.execute(
        """
        local x, t = torch.ones(2, 3), {torch.ones(1), torch.ones(1)}
        print('here:input\\n', x:size())
        print('here:gradOutput\\n', x:size())
        print('here:input\\n', t)
        """
    )
    assert printed == capfd.readouterr().out
    assert "here:input\n\t 2\n 3\n[torch.LongStorage of size 2]\n" in printed


PRINTING = """require 'rnn' require 'nnx'
said = {}
function print(...) said[#said + 1] = table.concat({tostring((...)), select('#', ...)}, ' ') end
local x = torch.ones(2, 3)
nn.PrintSize('p'):forward(x)
nn.Profile(nn.Tanh(), 1, 'tanh'):forward(x)
nn.MaskZero(nn.LSTM(2, 2), 1)
nn.Sequential():backwardOnline()
nn.FireModule(2, 5, 1, 1)
nn.SoftMaxTree(3, {torch.IntTensor{2, 3}}, 1, false, true, true)
local nce = nn.NCEModule(3, 4, 2, torch.ones(4))
nce:evaluate()
nce.normalized = false
nce:forward{x, torch.LongTensor{1, 2}}
return unpack(said)"""


def test_layers_print_by_the_programs_print(runtime: Runtime, capfd: pytest.CaptureFixture[str]) -> None:
    said = runtime.execute(PRINTING)
    assert capfd.readouterr().out == ""
    starts = ["p:input\n 2", "tanh took", "Warning: MaskZero", "backwardOnline", "Warning: <FireModule>"]
    assert len(said) >= len(starts) + 5
    for text, start in zip(said, starts, strict=False):
        assert text.startswith(start)
