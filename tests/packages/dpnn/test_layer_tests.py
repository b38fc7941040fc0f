"""``rnn.test`` and ``dpnn.test``: what they print, and that a layer with a wrong gradient fails."""

from __future__ import annotations

import pytest

from torch7py.bridge.runtime import Runtime


@pytest.mark.parametrize(
    ("call", "asserts"), [("rnn.test('SeqBRNN')", 2), ("rnn.test{'Recursor'}", 2), ("dpnn.test('Serial')", 2)]
)
def test_layers_pass(runtime: Runtime, capfd: pytest.CaptureFixture[str], call: str, asserts: int) -> None:
    runtime.execute(f"require 'rnn' {call}")
    assert f"Completed {asserts} asserts in 1 test with 0 failures and 0 errors" in capfd.readouterr().out


def test_a_wrong_gradient_fails(runtime: Runtime, capfd: pytest.CaptureFixture[str]) -> None:
    runtime.execute("""
    require 'rnn'
    local right = nn.Clip.updateGradInput
    nn.Clip.updateGradInput = function(self, ...) return right(self, ...):mul(2) end
    torch.setdefaulttensortype('torch.FloatTensor')
    ok = pcall(dpnn.test, 'Clip')
    """)
    assert "with 1 failure and 0 errors" in capfd.readouterr().out
    assert runtime.execute("return torch.getdefaulttensortype()") == "torch.FloatTensor"


def test_all_others(runtime: Runtime, capfd: pytest.CaptureFixture[str]) -> None:
    slow = "{'Inception', 'FireModule', 'SpatialGlimpse', 'ReverseTable'}"
    runtime.execute(f"require 'dpnn' dpnn.test({slow}, true)")
    assert "in 3 tests with 0 failures and 0 errors" in capfd.readouterr().out
