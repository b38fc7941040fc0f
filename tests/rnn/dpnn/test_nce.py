"""Noise contrastive estimation against formulas of its own in PyTorch, with dense weights."""

from __future__ import annotations

import math

import pytest
import torch

from tests.nn.faces import values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.rnn.dpnn.alias import AliasMultinomial
from torch7py.rnn.dpnn.nce import NCECriterion, NCEModule

CLASSES, K, EPS = 12, 5, 1e-7
X = values(4, 3)
TARGET = torch.tensor([3, 12, 1, 3])


def module(batchnoise: bool, z: float | None = 2.5) -> NCEModule:
    layer = NCEModule(3, CLASSES, K, torch.arange(1, CLASSES + 1, dtype=torch.float64), z)
    layer.weight.data.copy_(values(CLASSES, 3, start=1.7))
    layer.batchnoise = batchnoise
    return layer


def classes_of(layer: NCEModule) -> tuple[torch.Tensor, torch.Tensor]:
    """The noise that the last forward drew, a row for each example, and the targets."""
    drawn: torch.Tensor = layer.sampleidx
    if layer.batchnoise:
        return drawn[:K].expand(len(X), K), drawn[K:]
    return drawn[:, 1:], drawn[:, 0]


def scores(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, noise: torch.Tensor
) -> list[torch.Tensor]:
    """exp(W x + b) of the targets and of the noise, out of those of all classes."""
    every = (x @ weight.T + bias).exp()
    return [every.gather(1, TARGET[:, None] - 1).squeeze(1), every.gather(1, noise - 1)]


def loss_of(probabilities: list[torch.Tensor]) -> torch.Tensor:
    p, s, q, r = probabilities
    total = torch.zeros(())
    for i in range(len(p)):
        total = total + torch.log(p[i] / (p[i] + K * q[i] + EPS))
    total = total + sum(
        torch.log(K * r[i, j] / (s[i, j] + K * r[i, j] + EPS)) for i in range(len(p)) for j in range(K)
    )
    return -total / len(p)


@pytest.mark.parametrize("batchnoise", [True, False])
def test_probabilities_loss_and_gradients(batchnoise: bool) -> None:
    layer, criterion = module(batchnoise), NCECriterion()
    output = layer.updateOutput([X, TARGET])
    noise, targets = classes_of(layer)
    assert torch.equal(targets, TARGET)
    assert noise.min() >= 1
    assert noise.max() <= CLASSES

    unigrams = torch.arange(1, CLASSES + 1, dtype=torch.float64) / 78
    leaves = [t.detach().clone().requires_grad_() for t in (X, layer.weight, layer.bias)]
    expected = [score / 2.5 for score in scores(leaves[0], leaves[1], leaves[2], noise)]
    expected += [unigrams[TARGET - 1], unigrams[noise - 1]]
    for ours, theirs in zip(output, expected, strict=True):
        torch.testing.assert_close(ours, theirs.detach(), rtol=1e-12, atol=0)

    loss = loss_of(expected)
    assert criterion.updateOutput(output, None) == pytest.approx(loss.item(), rel=1e-12)
    wanted = torch.autograd.grad(loss, leaves)
    layer.zeroGradParameters()
    found = layer.backward([X, TARGET], criterion.backward(output), 0.5)
    # The small number in the original's divisors is worth 1e-7 of a probability.
    torch.testing.assert_close(found[0], wanted[0], rtol=1e-5, atol=1e-6)
    assert torch.equal(found[1], torch.zeros(4, dtype=torch.float64))
    torch.testing.assert_close(layer.gradient("weight"), 0.5 * wanted[1], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(layer.gradient("bias"), 0.5 * wanted[2], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("batchnoise", [True, False])
def test_both_faces_agree(batchnoise: bool) -> None:
    layer = module(batchnoise)
    gradients = [values(4, start=2), values(4, K, start=3), torch.zeros(4), torch.zeros(4, K)]
    fixed = torch.tensor([[2, 5, 5, 9, 12], [1, 1, 3, 4, 6], [7, 8, 9, 10, 11], [12, 11, 2, 3, 4]])
    layer.__dict__["noiseSample"] = lambda idx, rows, k: idx.resize_(rows, k).copy_(fixed[:rows])
    layer.updateOutput([X, TARGET])
    layer.zeroGradParameters()
    protocol = [layer.backward([X, TARGET], gradients)[0]]
    protocol += [layer.get_field(name).clone() for name in ("gradWeight", "gradBias")]
    x = X.clone().requires_grad_()
    output = layer([x, TARGET])
    leaves = (x, layer.weight, layer.bias)
    for ours, theirs in zip(protocol, torch.autograd.grad(output[:2], leaves, gradients[:2]), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-14)


def test_the_criterion_is_the_derivative_of_its_loss() -> None:
    parts = [
        values(4).abs() + 0.1,
        values(4, K).abs() + 0.1,
        values(4, start=2).abs(),
        values(4, K, start=3).abs(),
    ]
    leaves = [parts[0].requires_grad_(), parts[1].requires_grad_()]
    criterion = NCECriterion()
    wanted = torch.autograd.grad(criterion([*leaves, *parts[2:]], None), leaves)
    found = criterion.backward([p.detach() for p in parts])
    for ours, theirs in zip(found, wanted, strict=False):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
    criterion.sizeAverage = False
    assert criterion.updateOutput(parts, None) == pytest.approx(4 * loss_of(parts).item(), rel=1e-12)


def test_z_is_estimated_once(runtime: Runtime, capsys: pytest.CaptureFixture[str]) -> None:
    layer = module(True, None)
    output = layer.updateOutput([X, TARGET])
    noise, _ = classes_of(layer)
    raw = scores(X, layer.weight.data, layer.bias.data, noise)
    z = raw[1].mean().item() * CLASSES
    assert capsys.readouterr().out == f"normalization constant Z approximated to {z:.14g}\n"
    torch.testing.assert_close(output[1], raw[1] / z, rtol=1e-12, atol=0)
    layer.updateOutput([X, TARGET])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("logarithm", [False, True])
def test_all_classes_in_evaluation(logarithm: bool) -> None:
    layer = module(True)
    layer.normalized, layer.logsoftmax = True, logarithm
    assert isinstance(layer.updateOutput([X, TARGET]), list)
    layer.set_evaluate()
    expected = (X @ layer.weight.data.T + layer.bias.data).softmax(1)
    output = layer.updateOutput([X, TARGET])
    torch.testing.assert_close(output, expected.log() if logarithm else expected, rtol=1e-12, atol=1e-14)


def test_initial_parameters_and_reset() -> None:
    layer = NCEModule(4, 20, 2, torch.ones(20, dtype=torch.float64))
    assert layer.weight.abs().max() < 0.5
    assert layer.bias.tolist() == [-math.log(20)] * 20
    layer.reset(0.01)
    assert layer.weight.abs().max() <= 0.01
    assert 0 < layer.bias.abs().max() <= 0.01


PROBABILITIES = torch.tensor([0.05, 0.4, 0.1, 0.25, 0.2], dtype=torch.float64)


def test_aliases_carry_exactly_the_probabilities() -> None:
    """Each category is kept by a chance q of its own column and gets 1 - q of those it is the alias of."""
    table = AliasMultinomial(PROBABILITIES)
    found = table.q / 5
    for column, (alias, keep) in enumerate(zip(table.J.tolist(), table.q.tolist(), strict=True)):
        if alias:
            found[alias - 1] += (1 - keep) / 5
        else:
            assert keep == 1, column
    torch.testing.assert_close(found, PROBABILITIES, rtol=1e-14, atol=0)


def test_the_draws_of_aliases(runtime: Runtime) -> None:
    ours, uniform, kept, j = lua(
        runtime,
        """
        require 'dpnn'
        local a = torch.AliasMultinomial(torch.Tensor{0.05, 0.4, 0.1, 0.25, 0.2})
        torch.manualSeed(3)
        local ours = a:batchdraw(torch.LongTensor(50))
        torch.manualSeed(3)
        local k = torch.LongTensor(50):random(1, 5)
        return ours, k, torch.LongTensor(50):bernoulli(a.q:index(1, k)), a.J
        """,
    )
    expected = torch.where(kept == 1, uniform, j[uniform - 1])
    assert torch.equal(ours, expected)
    assert set(ours.tolist()) <= {1, 2, 3, 4, 5}


def test_a_script_s_noise(runtime: Runtime) -> None:
    noise, own, drawn = lua(
        runtime,
        """
        require 'dpnn'
        local m = nn.NCEModule(2, 6, 3, torch.ones(6), 1)
        function m:noiseSample(idx, batch, k) idx:resize(batch, k):fill(4) return idx end
        m:forward{torch.ones(2, 2), torch.LongTensor{1, 2}}
        local idx = torch.LongTensor()
        local n = nn.NCEModule(2, 6, 3, torch.ones(6), 1)
        n:noiseSample(idx, 2, 3)
        return m.sampleidx, n:noiseProb(torch.Tensor(), idx), idx
        """,
    )
    assert noise.tolist() == [4, 4, 4, 1, 2]
    assert own.shape == drawn.shape == (2, 3)
    torch.testing.assert_close(own, torch.full((2, 3), 1 / 6, dtype=torch.float64))


def test_types_clones_and_shared_clones(runtime: Runtime) -> None:
    found = lua(
        runtime,
        """
        require 'dpnn'
        local m = nn.NCEModule(2, 6, 3, torch.ones(6), 1)
        local c, s = m:clone(), m:sharedClone()
        m.Z[1] = 7
        m:float()
        local x, t = torch.FloatTensor(2, 2):fill(1), torch.LongTensor{1, 2}
        local out = m:forward{x, t}
        m:backward({x, t}, {out[1], out[2]})
        return torch.type(m.unigrams), torch.type(m.aliasmultinomial.q), torch.type(m.weight), torch.type(out[3]),
               c.Z[1], s.Z[1], torch.type(m.gradInput[1])
        """,
    )
    assert found == (
        "torch.DoubleTensor",
        "torch.DoubleTensor",
        "torch.FloatTensor",
        "torch.FloatTensor",
        1,
        7,
        "torch.FloatTensor",
    )


ERRORS = {
    "nn.NCEModule(2, 6, 3, torch.ones(5))": "nn.NCEModule: unigrams must be a tensor of 6 numbers",
    "m:forward{torch.ones(2, 2), torch.ones(2)}": "nn.NCEModule: the target must be a LongTensor",
    "m:forward{torch.ones(2, 3), torch.LongTensor(2)}": (
        "nn.NCEModule: an input of 2x3 and a target of 2; expected (batch, 2) and (batch)"
    ),
    "m:forward{torch.ones(1, 2), torch.LongTensor{9}}": "nn.NCEModule: index 9 out of range 1 to 6",
    "m:backward({torch.ones(1, 2), torch.LongTensor{1}}, {torch.ones(1), torch.ones(1, 3)})": (
        "nn.NCEModule: a backward needs a forward with noise before it"
    ),
    "m:multicuda(1, 2)": "nn.NCEModule: weights on more than one GPU are not supported",
    "nn.NCECriterion():forward({torch.ones(2), torch.ones(3, 2), torch.ones(2), torch.ones(2, 2)})": (
        "nn.NCECriterion: expected (batch), (batch, k), (batch), (batch, k), not 2, 3x2, 2, 2x2"
    ),
    "torch.AliasMultinomial(torch.ones(2, 2))": (
        "torch.AliasMultinomial: the probabilities must be a vector of a floating type"
    ),
}


@pytest.mark.parametrize("code", ERRORS)
def test_errors(runtime: Runtime, code: str) -> None:
    runtime.execute("require 'dpnn' m = nn.NCEModule(2, 6, 3, torch.ones(6), 1)")
    assert lua_error(runtime, code) == ERRORS[code]
