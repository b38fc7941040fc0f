"""fbnn and fbcunn, beside sums by hand and differences; upstream's own tests run by tools/upstream.py."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError
from torch7py.packages.contrib.fbnn.hierarchical import HSM, ClassHierarchicalNLLCriterion
from torch7py.packages.contrib.fbnn.normalization import CrossMapNormalization, DifferenceOfGaussian
from torch7py.packages.contrib.fbnn.pooling import GroupKMaxPooling, KMaxPooling, TemporalKMaxPooling

DOUBLE = torch.float64


def lua(text: str, **options) -> object:
    with Runtime(**options) as runtime:
        runtime.execute("torch.manualSeed(2) require 'fbnn'")
        return runtime.execute(text)


def test_k_largest_stay_in_their_order():
    x = torch.tensor([[3.0, 1], [9, 2], [4, 8], [1, 5]], dtype=DOUBLE)
    for made in (KMaxPooling(2), TemporalKMaxPooling(1, 0.4)):  # ceil(0.4 * 4) = 2
        layer = made.double()
        assert layer.updateOutput(x).tolist() == [[9, 8], [4, 5]]
        g = torch.tensor([[1.0, 2], [3, 4]], dtype=DOUBLE)
        assert layer.updateGradInput(x, g).tolist() == [[0, 0], [1, 0], [3, 2], [0, 4]]
    rows = GroupKMaxPooling(2)
    assert rows.updateOutput(x).tolist() == [[9, 2], [4, 8]]
    assert rows.updateGradInput(x, g).tolist() == [[0, 0], [1, 2], [3, 4], [0, 0]]
    short = KMaxPooling(3).updateOutput(x, {"length": torch.tensor([2])})
    assert short["output"].tolist() == [[3, 1], [9, 2], [0, 0]]
    assert short["info"]["length"].tolist() == [2]


def two_levels(x, mapping, weights, target):
    """Minus the log-probability of the cluster and of the class in it."""
    cluster_w, cluster_b, class_w, class_b = (w.detach().numpy() for w in weights)
    cluster, place = mapping[target]
    rows = [i for i, (c, _) in enumerate(mapping) if c == cluster]  # in the order of their numbers here

    def loss(scores, which):
        return np.log(np.exp(scores).sum()) - scores[which]

    return loss(cluster_w @ x + cluster_b, cluster - 1) + loss(class_w[rows] @ x + class_b[rows], place - 1)


def test_softmax_in_two_levels():
    mapping = [[1, 1], [1, 2], [2, 1], [2, 2], [2, 3]]
    x, target = torch.randn(3, 4, dtype=DOUBLE), torch.tensor([1, 5, 3])
    hsm = HSM(mapping, 4)
    weights = [hsm.get_field(name) for name in hsm.names_of]
    wanted = [two_levels(x[i].numpy(), mapping, weights, int(target[i]) - 1) for i in range(3)]
    assert hsm.updateOutput(x, target) == (pytest.approx(sum(wanted), rel=1e-13), 3)
    one = ClassHierarchicalNLLCriterion(torch.tensor(mapping).double(), torch.tensor([2.0, 3]), 4)
    for name, weight in zip(one.names_of, weights, strict=True):
        one.get_field(name).data.copy_(weight)
    assert one.updateOutput(x[1], 5) == pytest.approx(wanted[1], rel=1e-13)
    assert (one.clusterID, one.classID, one.startCluster, one.numClasses) == (2, 3, 3, 3)


def test_gradients_of_both_levels():
    """By differences, of the input and of all parameters; and a step that goes into the parameters at once."""
    assert (
        lua("""
        local hsm = nn.HSM(torch.LongTensor {{2, 1}, {1, 1}, {1, 2}, {2, 2}}, 3)
        local x, t = torch.randn(4, 3), torch.LongTensor {1, 4, 2, 3}
        local w, dw = hsm:getParameters()
        hsm:zeroGradParameters()
        hsm:forward(x, t)
        local gradient = hsm:backward(x, t, 2):clone()
        local function check(values, slopes)
           local flat = values:view(-1)
           for i = 1, flat:size(1) do
              local old = flat[i]
              flat[i] = old + 1e-6
              local high = hsm:forward(x, t)
              flat[i] = old - 1e-6
              assert(math.abs((high - hsm:forward(x, t)) / 2e-6 - slopes:view(-1)[i]) < 1e-7)
              flat[i] = old
           end
        end
        check(x, gradient)
        check(w, dw / 2)
        local before = w:clone()
        hsm:updateGradInput(x, t)
        hsm:accGradParameters(x, t, -0.1, true)
        assert((before - w - dw * 0.05):abs():max() < 1e-14)
        hsm:zeroGradParametersClass(x, torch.LongTensor {2})
        assert(hsm.class_grad_weight:narrow(1, 1, 2):abs():max() == 0 and hsm.class_grad_weight:abs():max() > 0)
        local copy = torch.deserialize(torch.serialize(hsm))
        return copy.cluster_grad_bias:size(1) + copy.n_max_class_in_cluster
    """)
        == 4
    )


def test_layers_beside_others():
    """Those that are a known layer in another form give what that gives; gradients by differences."""
    lua("""
        local function near(a, b) assert(a:isSameSizeAs(b) and (a - b):abs():max() < 1e-13) end
        local x = torch.randn(2, 5, 3)
        local conv, unfolded = nn.TemporalConvolution(3, 4, 2), nn.UnfoldedTemporalConvolution(3, 4, 2, 1, 1)
        unfolded.weight:copy(conv.weight) unfolded.bias:copy(conv.bias)
        near(unfolded:forward(x):narrow(2, 2, 4), conv:forward(x))
        local ref, here = nn.SpatialConvolutionLocal(2, 3, 5, 4, 2, 2), nn.LocallyConnected(2, 5, 4, 3, 2, 2)
        here.weight:copy(ref.weight:permute(3, 1, 2, 4, 5, 6)) here.bias:copy(ref.bias)
        local image = torch.randn(2, 2, 4, 5)
        near(here:forward(image), ref:forward(image))
        near(nn.Upsample(3):forward(image), nn.SpatialUpSamplingNearest(3):forward(image))
        near(fbnn.L2Normalize():forward(x[1]), nn.Normalize(2, 0):forward(x[1]))
        local linear = nn.LinearNoBackprop(3, 2)
        assert(linear:backward(x[1], torch.randn(5, 2)):abs():max() == 0 and linear.gradWeight:abs():max() > 0)
        local unit = fbnn.NormalizedLinearNoBias(3, 4)
        unit:forward(x[1]) assert(math.abs(unit.weight:norm() - 2) > 1e-3)
        unit:training() unit:forward(x[1]) assert(math.abs(unit.weight:norm() - 2) < 1e-12)
        local project = fbnn.ProjectiveGradientNormalization()
        local g = project:updateGradInput(x, torch.randn(2, 5, 3))
        assert(math.abs(g:dot(x)) < 1e-12)
        for _, layer in ipairs {nn.CrossMapNormalization(3, 0.5, 0.75), nn.LaplacianOfGaussian(2, 0.5), here, ref} do
           assert(nn.Jacobian.testJacobian(layer, torch.randn(2, 4, 5)) < 1e-7)
        end
        local weighted = nn.WeightedLookupTable(4, 2)
        local rows = torch.cat(weighted.weight[2] * 0.5, -weighted.weight[3], 2):t()
        near(weighted:forward(torch.Tensor {{2, 0.5}, {3, -1}}), rows)
        local soft = nn.SoftPlusLSECriterion()
        assert(math.abs(soft:forward(x[1]) - torch.exp(x[1]):sum(2):add(1):log():sum()) < 1e-12)
    """)


def test_sparse_inputs():
    lua("""
        local function near(a, b) assert((a - b):abs():max() < 1e-13) end
        local keys, values = torch.LongTensor {{1, 3}, {2, 3}}, torch.randn(2, 2)
        local dense = torch.zeros(2, 4):scatter(2, keys, values)
        local sparse = fbnn.SparseLinear(4, 3, true, true)
        near(sparse:forward {keys, values}, dense * sparse.weight:t() + torch.repeatTensor(sparse.bias, 2, 1))
        local g, before = torch.randn(2, 3), sparse.weight:clone()
        sparse:zeroGradParameters()
        sparse:backward({keys, values}, g)
        sparse:updateParameters(0.5)
        near(sparse.weight, before - g:t() * dense * 0.5)
        assert(not pcall(sparse.backward, sparse, {keys, values}, g))
        local seg = fbnn.SegSparseLinear(4, 3, false, 2)
        local input = {torch.LongTensor {1, 1, 2, 2}, keys:view(-1), values:view(-1)}
        near(seg:forward(input), dense * seg.weight + torch.repeatTensor(seg.bias, 2, 1))
        before = seg.weight:clone()
        seg:accGradParameters(input, g, 1)
        seg:updateParameters(0.25)
        near(seg.weight, before - dense:t() * g * 0.5)
        assert(seg.gradWeight:abs():max() == 0)
        local counted = nn.FasterLookup(4, 2, false, true)
        counted:zeroGradParameters()
        before = counted.weight:clone()
        counted:accGradParameters(torch.IntTensor {2, 2, 3}, torch.ones(3, 2), 1)
        counted:updateParameters(1)
        assert(before[2][1] - counted.weight[2][1] == 1 and before[3][1] - counted.weight[3][1] == 1)
        near(nn.SparseThreshold(0, 0):forward(torch.Tensor {{2, -1}, {4, 3}}), torch.Tensor {{2, 0}, {4, 3}})
    """)


def test_criterions():
    lua("""
        local scores = torch.log(torch.Tensor {{0.2, 0.8}, {0.5, 0.5}, {0.9, 0.1}})
        local unk = nn.ClassNLLCriterionWithUNK(2)
        local loss, n = unk:forward(scores, torch.LongTensor {2, 1, 1})
        assert(n == 2 and math.abs(loss + math.log(0.45)) < 1e-14)
        local g = unk:backward(scores, torch.LongTensor {2, 1, 1})
        assert(g[1]:abs():max() == 0 and g[2][1] == -1 and g[3][1] == -1)
        loss, n = unk:forward(scores, torch.LongTensor {1, 1, 1})
        assert(n == 3 and math.abs(loss + math.log(0.09) / 3) < 1e-14)
        assert(math.abs(nn.TrueNLLCriterion():forward(torch.exp(scores), torch.LongTensor {1, 1, 1})
                        + math.log(0.09) / 3) < 1e-7)
        local sparse = nn.SparseNLLCriterion(2)
        local target = {torch.Tensor {{0.3, 0.7}}, torch.LongTensor {{2, 1}}}
        loss = sparse:forward(scores:narrow(1, 1, 1), target)[1]
        assert(math.abs(loss + 0.3 * math.log(0.8) + 0.7 * math.log(0.2)) < 1e-14)
        assert(sparse:backward(scores:narrow(1, 1, 1), target)[1][2] == -0.3)
        local net = nn.Linear(2, 3)
        local both, x = nn.SequentialCriterion(net, nn.MSECriterion()), torch.randn(4, 2)
        local y = torch.randn(4, 3)
        both:zeroGradParameters()
        assert(both:forward(x, y) == nn.MSECriterion():forward(net:forward(x), y))
        both:backward(x, y)
        both:accGradParameters(x, y, 1)
        assert((both:getParameters()):nElement() == 9 and net.gradWeight:abs():max() > 0)
    """)


def test_normalization_and_filters():
    x = torch.rand(1, 4, 2, 2, dtype=DOUBLE)
    planes = x.numpy()[0]
    squares = np.stack([(planes[max(0, i - 1) : i + 2] ** 2).sum(0) for i in range(4)])
    wanted = planes / (1 + 0.3 / 3 * squares) ** 0.75
    assert np.allclose(CrossMapNormalization(3, 0.3, 0.75)(x)[0].numpy(), wanted, atol=1e-14)
    octaves = DifferenceOfGaussian(1, 2, 3)(torch.ones(1, 16, 16, dtype=DOUBLE))
    assert [tuple(octave.shape) for octave in octaves] == [(3, 16, 16), (3, 8, 8)]
    assert (
        octaves[0][:, 4:12, 4:12].abs().max() < 1e-14
    )  # of a plain image nothing is left, away from its edge


def test_dropout_that_is_nested():
    """What is kept is a beginning of each row, divided by the share of the rows that keep so much."""
    lua("""
        local layer, x = fbnn.NestedDropout(0.3), torch.ones(2000, 4)
        local y = layer:forward(x)
        for i = 1, 50 do
           for j = 2, 4 do assert(y[i][j] == 0 or y[i][j - 1] ~= 0) end
        end
        for j = 1, 4 do
           local left = math.pow(0.7, j)
           assert(math.abs(y:select(2, j):max() - 1 / left) < 1e-12)
        end
        local each = fbnn.IndividualDropout(torch.Tensor {0, 0.5, 0.9, 0})
        y = each:forward(x)
        assert(y:select(2, 1):min() == 1 and y:select(2, 3):max() > 9.99)
        assert(math.abs(y:select(2, 2):mean() - 1) < 0.1)
        each:evaluate()
        return each:forward(x):equal(x)
    """)


def test_a_cache_of_rows_and_a_state_for_each_parameter():
    lua("""
        require 'optim'
        local behind = nn.LookupTable(30, 2)
        local alone, cache = behind:clone(), nn.CachingLookupTable(behind, 8)
        for _ = 1, 20 do
           local rows, g = torch.LongTensor(10):random(30), torch.randn(10, 2)
           cache:accUpdateGradParameters(rows, g, 0.5)
           alone:accUpdateGradParameters(rows, g, 0.5)
           assert((cache:forward(rows) - alone:forward(rows)):abs():max() < 1e-12)
        end
        cache:flush()
        assert((behind.weight - alone.weight):abs():max() < 1e-12)
        local net = nn.Sequential():add(nn.Linear(2, 2)):add(nn.Tanh())
        local plain, o = net:clone(), nn.Optim(net, {learningRate = 0.1, weightDecay = 0.01})
        local x, y = torch.randn(3, 2), torch.randn(3, 2)
        o:optimize(optim.sgd, x, y, nn.MSECriterion())
        plain:zeroGradParameters()
        plain:backward(x, nn.MSECriterion():backward(plain:forward(x), y))
        local layer = plain:get(1)
        layer.weight:add(-0.1, layer.gradWeight + layer.weight * 0.01)
        layer.bias:add(-0.1, layer.gradBias)
        assert((layer.weight - net:get(1).weight):abs():max() < 1e-14 and layer.bias:equal(net:get(1).bias))
    """)


def test_fbcunn():
    """On the CPU in the GPU's stead: rows with the features first, parts of a batch, what was rounded."""
    lua(
        """
        require 'fbcunn'
        local rows = nn.LookupTableGPU(5, 3, true):cuda()
        local y = rows:forward(torch.CudaTensor {{1, 4}, {2, 2}})
        assert(y:size(2) == 3 and y[1][2][2] == rows.weight[4][2])
        rows.unk_index = 2
        assert(rows:forward(torch.CudaTensor {{1, 4}, {2, 2}})[2]:abs():max() == 0)
        local one = nn.Linear(3, 2):cuda()
        local split, x = nn.DataParallel(1):add(one):add(one:clone()):cuda(), torch.randn(4, 3):cuda()
        assert((split:forward(x) - one:clone():forward(x)):abs():max() < 1e-6)
        split:zeroGradParameters()
        split:backward(x, torch.ones(4, 2):cuda())
        assert((split:get(1).gradWeight - split:get(2).gradWeight):abs():max() == 0)
        assert((split:get(1).gradWeight[1] - x:sum(1):view(-1)):abs():max() < 1e-5)
        local hsm = nn.HSM({{1, 1}, {1, 2}, {2, 1}}, 3):cuda()
        local loss, n = hsm:forward(x, torch.CudaTensor {1, 2, 3, 1})
        assert(torch.type(loss) == 'torch.CudaTensor' and n == 4 and loss[1] > 0)
        assert(nn.HalfPrecision():cuda():forward(torch.CudaTensor {1 / 3})[1] == 0.333251953125)
        local norm = fbnn.BatchNormalization(3)
        assert(torch.type(norm.weight) == 'torch.CudaTensor')
        norm:forward(x)
        local flat = nn.Sequential():add(one):getParametersByDevice()
        return norm.running_std:nElement() + flat[1]:nElement()
        """,
        cuda_as="cpu",
    )


def test_a_debugger_that_is_not_entered():
    assert (
        lua("local ok, text = pcall(require('fb.debugger').enter) return text:match('no debugger')")
        == "no debugger"
    )


def test_vectors_outside_lua(lua_name: str):
    if not lua_name.startswith("luajit"):
        pytest.skip("plain Lua has no ffi")
    assert (
        lua("""
        local ffivector = require 'fb.ffivector'
        local lines, bytes = ffivector.new_string(), ffivector.new_uint8_t(4)
        lines[1] = 'a' lines[2] = 'b\\0c' bytes:resize(2) bytes[1] = 257
        assert(#lines == 2 and #lines[2] == 3 and bytes[1] == 1 and bytes[2] == 0)
        local seen = ''
        for i, line in ipairs(lines) do seen = seen .. i .. line end
        assert(not pcall(function() return lines[3] end) and not pcall(function() lines[4] = 'x' end))
        return seen
    """)
        == "1a2b\0c"
    )


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("nn.HSM({{1, 1}, {1, 1}}, 3)", "the numbers in cluster 1 do not count from 1"),
        ("nn.HSM({{1, 1}, {3, 1}}, 3)", "cluster 2 has no class"),
        (
            "nn.HSM({{1, 1}}, 3, 1):forward(torch.randn(1, 3), torch.LongTensor {1})",
            "an unk_index is not supported",
        ),
        ("nn.CrossMapNormalization(4, 1, 1)", "size must be odd"),
        ("nn.KMaxPooling(2):forward(torch.randn(3))", "must have 2 dimensions"),
        ("fbnn.NestedDropout(1)", "above 0 and below 1"),
        ("nn.CachingLookupTable(nn.LookupTable(3, 2), 4)", "4 rows of a table of 3"),
        ("nn.UnfoldedTemporalConvolution(1, 1, 1, 2)", "dW must be 1"),
        (  # as the original has them on a GPU: (oH, oW, kH, kW, out, in), of the same number of elements
            (
                "local m = nn.LocallyConnected(1, 4, 4, 3, 2, 2) m.weight = torch.ones(3, 3, 2, 2, 3, 1) "
                "m.bias = torch.ones(3, 3, 3) m:forward(torch.ones(1, 4, 4))"
            ),
            "not 3x3x3x1x2x2",
        ),
    ],
)
def test_errors(program, message):
    with pytest.raises(LuaError, match=message):
        lua(program)
