"""unsup and mattorch, beside numpy and SciPy; upstream's tests of whitening run by tools/upstream.py."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.io
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError


@pytest.fixture
def runtime():
    with Runtime(seed=3) as made:
        made.execute("require 'unsup'")
        yield made


def test_components_and_whitening(runtime):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(40, 4, dtype=torch.float64, generator=generator)
    x = 10 * x @ (torch.eye(4) + 0.3).double()
    runtime.globals["x"] = x
    values, vectors, other = runtime.execute(
        "local a, b = unsup.pcacov(x) local c, d = unsup.pca(x) return a, b * b:t() - d * d:t(), c"
    )
    wanted = np.linalg.eigvalsh(np.cov(x.numpy().T))
    assert np.allclose(values.numpy(), wanted)
    assert np.allclose(other.numpy(), wanted[::-1])
    assert np.allclose(vectors.numpy(), 0, atol=1e-12)
    white, means, P, back = runtime.execute("local w, m, P, invP = unsup.zca_whiten(x) return w, m, P, invP")
    assert np.allclose(np.cov(white.numpy().T), np.eye(4), atol=1e-3)
    assert np.allclose(means.numpy(), x.mean(0).numpy())
    assert np.allclose((P @ back).numpy(), np.eye(4))
    assert np.allclose(P.numpy(), P.numpy().T)


def test_k_means(runtime):
    """One turn of it, from the centers that the callback tells of."""
    x = torch.randn(30, 3, dtype=torch.float64)
    runtime.globals["x"] = x
    start, centers, counts, turns = runtime.execute("""
        local start, turns
        local centers, counts = unsup.kmeans(x, 4, 5, 7, function(i, c)
           start, turns = start or c:clone(), i
           return i == 1
        end)
        return start, centers, counts, turns
    """)
    assert turns == 1
    assert np.allclose(start.norm(dim=1).numpy(), 1)
    labels = ((x.unsqueeze(1) - start) ** 2).sum(2).argmin(1)
    for i in range(4):
        mine = x[labels == i]
        assert counts[i] == len(mine)
        assert np.allclose(centers[i].numpy(), (mine.mean(0) if len(mine) else start[i]).numpy())


@pytest.mark.one_lua
def test_costs_fall(runtime):
    """What learns without targets learns; and the codes of FISTA are the least that there is."""
    runtime.execute("""
        nn.hessian.enable()
        local examples = {}
        local x = torch.randn(20, 4)
        for i = 1, 80 do examples[i] = {x[(i - 1) % 20 + 1], x[(i - 1) % 20 + 1]} end
        local function fell(module, hessian)
           module:initDiagHessianParameters()
           local losses, shown = {}, print
           local trainer = unsup.UnsupTrainer(module, examples)
           function trainer.hookSample(_, age, _, result)
              local k = math.ceil(age / 20)
              losses[k] = (losses[k] or 0) + result[1]
           end
           print = function() end
           trainer:train {eta = 0.02, maxiter = 60, hessian = hessian, hessiansamples = 10, hessianinterval = 30}
           print = shown
           assert(losses[3] < losses[1], losses[1] .. ' ' .. losses[3])
        end
        local function encoder() return nn.Sequential():add(nn.Linear(4, 3)):add(nn.Tanh()):add(nn.Diag(3)) end
        fell(unsup.AutoEncoder(encoder(), nn.Linear(3, 4), 1), true)
        local sparse = unsup.SparseAutoEncoder(encoder(), nn.Linear(3, 4), 1, 0.1)
        function sparse:normalize() end       -- which the class leaves to programs
        fell(sparse)
        local psd = unsup.LinearPSD(4, 5, 0.1, 1, {encoderType = 'tanh_shrink'})
        fell(psd, true)
        -- D is normalized; at the least cost the slope is lambda, with the sign of the code, where the code is not 0
        local fista = psd.decoder
        assert(math.abs(fista.D.weight:select(2, 1):norm() - 1) < 1e-9)
        fista.params.maxiter, fista.params.errthres = 300, 1e-10
        fista:updateOutput(x[1])
        local off = fista.Fcost:updateGradInput(fista.D:forward(fista.code), x[1])
        local slope = fista.D:updateGradInput(fista.code, off)
        for i = 1, 5 do
           local c = fista.code[i]
           local wanted = c == 0 and math.max(-0.1, math.min(0.1, -slope[i])) or c > 0 and 0.1 or -0.1
           assert(math.abs(slope[i] + wanted) < 1e-3)
        end
        local read = torch.deserialize(torch.serialize(psd))
        assert(read:updateOutput(x[2]) == psd:updateOutput(x[2]))
        local conv = unsup.ConvPSD(nn.tables.full(1, 3), 3, 3, 6, 6, 0.1, 1)
        local image = torch.randn(1, 6, 6)
        local before = conv:updateOutput(image)
        for _ = 1, 5 do
           conv:zeroGradParameters()
           conv:updateGradInput(image)
           conv:accGradParameters(image)
           conv:updateParameters {0.01, 0.01}
           conv:normalize()
           conv:updateOutput(image)
        end
        assert((conv:updateOutput(image)) < before and conv.decoder.code:size(3) == 4)
        assert(math.abs(conv.decoder.D.weight[1]:norm() - 1) < 1e-9)
        assert(torch.Tensor {-3, -1, 0.5, 2}:shrinkage(1):equal(torch.Tensor {-2, 0, 0, 1}))
    """)


def test_layers_by_differences(runtime):
    runtime.execute("""
        local layer = nn.Diag(3)
        layer.weight:copy(torch.randn(3))
        local x = torch.randn(3, 2)
        assert(nn.Jacobian.testJacobian(layer, x) < 1e-8)
        assert(nn.Jacobian.testJacobianParameters(layer, x, layer.weight, layer.gradWeight) < 1e-8)
        local net = unsup.AutoEncoder(nn.Linear(3, 2), nn.Linear(2, 3), 0.5, nil, 0.3, nn.L1Cost())
        local input, target = torch.randn(3), torch.randn(3)
        net:updateOutput(input, target)
        local gradient = net:updateGradInput(input, target):clone()
        for i = 1, 3 do
           local old = input[i]
           input[i] = old + 1e-6
           local high = net:updateOutput(input, target)
           input[i] = old - 1e-6
           assert(math.abs((high - net:updateOutput(input, target)) / 2e-6 - gradient[i]) < 1e-6)
           input[i] = old
        end
    """)
    with pytest.raises(LuaError, match="there is no encoder sigmoid"):
        runtime.execute("unsup.LinearPSD(4, 5, 0.1, 1, {encoderType = 'sigmoid'})")


def test_matlab_turned_round(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cube = np.arange(24.0).reshape(2, 3, 4)
    scipy.io.savemat("a.mat", {"cube": cube, "bytes": np.array([[1, 2, 200]], np.uint8)})
    with Runtime() as runtime:
        runtime.execute("""
            require 'mattorch'
            local all = mattorch.load 'a.mat'
            assert(all.cube:size(1) == 4 and all.cube:size(3) == 2 and all.cube[4][2][1] == 7)
            assert(all.bytes:type() == 'torch.ByteTensor' and all.bytes:size(1) == 3 and all.bytes[3][1] == 200)
            mattorch.save('b.mat', {m = torch.range(1, 6):view(2, 3)})
            mattorch.saveAscii('c.txt', torch.Tensor {{1, 2}, {3, 4.5}})
            assert(io.open('c.txt'):read '*a' == '1 2\\n3 4.5\\n')
        """)
    assert np.array_equal(scipy.io.loadmat("b.mat")["m"], np.arange(1, 7).reshape(2, 3).T)
