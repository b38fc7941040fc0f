"""A valid use of every layer and criterion there is, for tests that go over the whole register.

Classes with golden cases are used as there. The others have their uses below, as Lua expressions.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import torch

from tests.golden_cases import load, value
from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.nn.object import TorchObject
from torch7py.nn.registry import layers
from torch7py.packages.registry import packages

__all__ = ["ABSTRACT", "Use", "criterion_uses", "identify", "layer_uses", "new_runtime", "registry", "uses"]

PACKAGES = ("rnn", "nnx", "stn", "tbc", "nngraph", "cunn", "cudnn", "fbcunn", "inn", "unsup", "ccn2")

# Classes that are never used themselves.
ABSTRACT = {
    "nn.AbstractParallel": "a base",
    "nn.AbstractRecurrent": "a base",
    "nn.AbstractSequencer": "a base",
    "nn.Container": "a base",
    "nn.Criterion": "a base",
    "nn.CTCCriterion": "its forward takes a third argument",
    "nn.Dictionary": "of 2015 alone",
    "nn.Module": "a base",
    "nn.PyTorch": "made in Python, of a layer of PyTorch's; see tests/nn/test_foreign.py",
    "cudnn._Pointwise": "a base",
    "cudnn._Pooling": "a base",
    "cudnn._Pooling3D": "a base",
    "torch.AliasMultinomial": "no layer",
}

PRELUDE = """
function R(...) torch.manualSeed(7) return torch.randn(...) end    -- of both signs
function U(...) torch.manualSeed(7) return torch.rand(...) end     -- positive
function L(t) return torch.LongTensor(t) end
function T(t) return torch.Tensor(t) end
function gradient(t)                                               -- for an output
   if type(t) == 'number' then return 1 end
   if torch.isTensor(t) then
      local values = torch.range(1, t:nElement()):mul(2.4):sin()
      return t:clone():copy(values:viewAs(t))
   end
   local g = {}
   for i, v in ipairs(t) do g[i] = gradient(v) end
   return g
end
function joined(n, m) return nn.Sequential():add(nn.JoinTable(1, 1)):add(nn.Linear(n, m)) end
function pooled(p, x) p:forward(x) return p end
"""

MODULES = """
nn.Abs() | R(2,3)
nn.AffineGridGeneratorBHWD(3,4) | R(2,2,3)
nn.AffineTransformMatrixGenerator(true,true,true) | R(2,4)
nn.BilinearSamplerBHWD() | {R(2,4,5,3), U(2,3,4,2):mul(1.7):add(-0.8)}
nn.CDivTable() | {R(2,3), U(2,3):add(1)}
nn.ConcatTable():add(nn.Linear(3,2)):add(nn.Tanh()) | R(2,3)
nn.CopyGrad() | R(2,3)
nn.Cosine(3,2) | R(2,3)
nn.CosineDistance() | {R(2,3), U(2,3)}
nn.DataParallelTable(1):add(nn.Linear(3,2),1):cuda() | R(2,3):cuda()
nn.Decorator(nn.Linear(3,2)) | R(2,3)
nn.DepthConcat(2):add(nn.SpatialConvolution(2,3,3,3)):add(nn.SpatialConvolution(2,2,1,1)) | R(2,2,5,5)
nn.DotProduct() | {R(2,3), U(2,3)}
nn.Exp() | R(2,3)
nn.FireModule(2,3,2,2) | R(2,2,4,4)
nn.GPU(nn.Linear(3,2),1) | R(2,3)
nn.IndexLinear(6,3) | {{L{1,3}, L{2,5,6}}, {R(2), R(3)}}
nn.Kmeans(3,4) | R(5,4)
nn.LSTM(4,5) | R(3,4)
nn.LinearWeightNorm(4,3) | R(2,4)
nn.ModuleFromCriterion(nn.MSECriterion()) | {R(2,3), U(2,3)}
nn.MuFuRu(4,5) | R(2,4)
nn.MultiSoftMax() | R(2,3,4)
nn.NaN(nn.Linear(3,2),'here') | R(2,3)
nn.NormStabilizer(1) | R(2,3)
nn.OneHot(5) | L{1,5,2}
nn.PCAColorTransform(3,torch.eye(3),torch.ones(3)) | R(2,3,4,4)
nn.Probe('p') | R(2,3)
nn.Profile(nn.Linear(3,2),1000,'p') | R(2,3)
nn.RReLU() | R(2,3)
nn.Recurrence(joined(7,3),3,1) | R(2,4)
nn.RecurrentAttention(nn.Recursor(joined(7,3)), nn.Recursor(nn.Linear(3,3)), 2, {3}) | R(2,4)
nn.Recursor(nn.Linear(3,2)) | R(2,3)
nn.Reinforce() | R(2,3)
nn.ReinforceCategorical() | U(2,3):add(0.1)
nn.ReinforceGamma(0.5) | U(2,3):add(0.5)
nn.SAdd(2,true) | R(2,3)
nn.SeqBRNN(4,3) | R(5,2,4)
nn.SimpleColorTransform(3,T{0.1,0.2,0.3}) | R(2,3,4,4)
nn.SpatialBinaryConvolution(2,3,3,3) | R(2,2,5,5)
nn.SoftMaxTree(3, {torch.IntTensor{2,3}, torch.IntTensor{4,5}}, 1) | {R(2,3), torch.IntTensor{4,3}}
nn.SpatialClassifier(nn.Linear(3,2)) | R(3,4,5)
nn.SpatialConvolutionLocal(2,3,5,4,2,2) | R(2,2,4,5)
nn.SpatialFeatNormalization(T{0.1,0.2},T{1,2}) | R(2,2,4,4)
nn.SpatialGlimpse(3,2,2) | {R(2,2,8,8), U(2,2)}
nn.SpatialColorTransform('rgb2yuv') | R(3,4,5)
nn.SpatialLinear(3,2) | R(3,4,5)
nn.Minus() | R(2,3)
nn.SpatialReSamplingEx{owidth=3, oheight=2, mode='average'} | R(2,4,6)
nn.SpatialMaxUnpooling(pooled(nn.SpatialMaxPooling(2,2,2,2),R(2,3,4,6))) | R(2,3,2,3)
nn.SpatialPadding(1,2,0,1) | R(2,4,5)
nn.SpatialReSampling{owidth=7,oheight=5} | R(2,3,4,4)
nn.SpatialRegionDropout(0.3) | R(2,3,4,4)
nn.SpatialReplicationPadding(1,2,1,0) | R(2,3,4,4)
nn.SpatialSubSampling(2,2,2,2,2) | R(2,2,4,6)
nn.SpatialUniformCrop(3,2) | R(2,3,5,5)
nn.SpatialUpSamplingNearest(2) | R(2,3,3,4)
nn.Square() | R(2,3)
nn.TanhShrink() | R(2,3)
nn.TotalDropout(0.3) | R(2,3)
nn.TrimZero(nn.Linear(4,3),1) | R(2,4)
nn.VolumetricFractionalMaxPooling(2,2,2,2,2,2) | R(1,2,6,6,6)
nn.VolumetricMaxUnpooling(pooled(nn.VolumetricMaxPooling(2,2,2),R(1,2,4,4,4))) | R(1,2,2,2,2)
nn.WeightNorm(nn.Linear(4,3)) | R(2,4)
(function() local i=nn.Identity()() local a=nn.Linear(3,4)(i) return nn.gModule({i},{nn.Tanh()(a), a}) end)() | R(2,3)
nngraph.JustElement() | {R(2,3)}
nngraph.JustTable() | R(2,3)
cudnn.BatchNormalization(3):cuda() | R(4,3):cuda()
cudnn.ClippedReLU(1):cuda() | R(2,3):cuda()
cudnn.LogSoftMax():cuda() | R(2,3):cuda()
cudnn.ReLU():cuda() | R(2,3):cuda()
cudnn.Sigmoid():cuda() | R(2,3):cuda()
cudnn.SoftMax():cuda() | R(2,3):cuda()
cudnn.RNN(3,4,2) | R(5,2,3):cuda()
cudnn.RNNReLU(3,4,1) | R(5,2,3):cuda()
cudnn.RNNTanh(3,4,2,true) | R(2,5,3):cuda()
cudnn.LSTM(3,4,2) | R(5,2,3):cuda()
cudnn.GRU(3,4,1) | R(5,2,3):cuda()
cudnn.BLSTM(3,4,1) | R(5,2,3):cuda()
cudnn.BGRU(3,4,2) | R(5,2,3):cuda()
cudnn.SpatialAveragePooling(2,2,2,2):cuda() | R(2,3,4,4):cuda()
cudnn.SpatialBatchNormalization(3):cuda() | R(2,3,4,4):cuda()
cudnn.SpatialConvolution(4,2,3,3,1,1,1,1,2):cuda() | R(2,4,5,5):cuda()
cudnn.SpatialCrossMapLRN(3):cuda() | R(2,4,3,3):cuda()
cudnn.SpatialFullConvolution(2,3,3,3):cuda() | R(2,2,4,4):cuda()
cudnn.SpatialLogSoftMax():cuda() | R(2,3,4,4):cuda()
cudnn.SpatialMaxPooling(2,2,2,2):cuda() | R(2,3,4,4):cuda()
cudnn.SpatialSoftMax():cuda() | R(2,3,4,4):cuda()
cudnn.Tanh():cuda() | R(2,3):cuda()
nn.TemporalConvolutionTBC(3,4,2,1) | R(5,2,3)
cudnn.TemporalConvolution(3,4,2,1,1):cuda() | R(2,5,3):cuda()
cudnn.VolumetricAveragePooling(2,2,2,2,2,2):cuda() | R(1,2,4,4,4):cuda()
cudnn.VolumetricBatchNormalization(2):cuda() | R(2,2,3,3,3):cuda()
cudnn.VolumetricConvolution(2,3,2,2,2):cuda() | R(1,2,3,4,4):cuda()
cudnn.VolumetricFullConvolution(2,3,2,2,2):cuda() | R(1,2,2,3,3):cuda()
cudnn.VolumetricLogSoftMax():cuda() | R(1,3,2,3,3):cuda()
cudnn.VolumetricMaxPooling(2,2,2,2,2,2):cuda() | R(1,2,4,4,4):cuda()
cudnn.VolumetricSoftMax():cuda() | R(1,3,2,3,3):cuda()
nn.LinearNB(4,3) | R(2,4)
nn.LinearNoBackprop(4,3) | R(2,4)
fbnn.NormalizedLinearNoBias(4,3) | R(2,4)
fbnn.LeakyReLU(0.2) | R(2,3)
fbnn.Constant(2) | R(2,3)
fbnn.L2Normalize() | R(2,3)
fbnn.ProjectiveGradientNormalization() | R(2,3)
nn.KMaxPooling(2) | R(5,3)
nn.GroupKMaxPooling(2,0.5) | R(2,6,3)
nn.TemporalKMaxPooling(2):double() | R(2,5,3)
nn.LocallyConnected(2,5,4,3,2,2) | R(2,2,4,5)
nn.UnfoldedTemporalConvolution(3,4,2,1,1) | R(2,5,3)
nn.Upsample(2) | R(2,3,4)
fbnn.Dropout(0.3) | R(2,3)
fbnn.IndividualDropout(T{0.1,0.5,0}) | R(4,3)
fbnn.NestedDropout(0.3) | R(4,3)
nn.CrossMapNormalization(3,0.1,0.75) | R(2,4,3,3)
nn.LaplacianOfGaussian(2,0.5) | R(2,2,6,6)
nn.DifferenceOfGaussian(2,2,3) | R(2,2,6,6)
nn.WeightedLookupTable(5,3) | T{{1,0.5},{4,-1}}
nn.FasterLookup(5,3) | torch.IntTensor{{1,4},{2,2}}
fbnn.SparseLinear(6,3,false,true) | {L{{1,3},{2,5}}, R(2,2)}
fbnn.SegSparseLinear(6,3) | {L{1,2,2}, L{1,4,6}, R(3)}
nn.SparseThreshold() | T{{1,0.5},{3,-2}}
nn.LookupTableGPU(5,3,true) | L{{1,4},{2,2}}
nn.TemporalConvolutionFB(3,4,2) | R(2,5,3)
fbnn.BatchNormalization(3):double() | R(4,3)
fbnn.SpatialBatchNormalization(3):double() | R(2,3,4,4)
nn.HalfPrecision() | R(2,3)
nn.DataParallel(1):add(nn.Linear(3,2)):add(nn.Linear(3,2)) | R(4,3)
nn.ModelParallel(2):add(nn.Linear(3,2)):add(nn.Linear(3,1)) | R(4,3)
inn.SpatialMaxPooling(2,2) | R(2,3,5,5)
inn.SpatialAveragePooling(2,2,2,2) | R(2,3,5,5)
inn.SpatialCrossResponseNormalization(3) | R(2,4,3,3)
inn.MeanSubtraction(R(3,4,4)) | R(2,3,4,4)
inn.ConstAffine(3) | R(2,3,4,4)
inn.SpatialPyramidPooling({2,2},{1,1}) | R(2,3,5,5)
inn.SpatialSameResponseNormalization() | R(2,3,4,4)
inn.SpatialStochasticPooling(2,2,2,2):double() | U(2,3,5,5)
inn.ROIPooling(2,2) | {R(2,3,6,6), T{{1,1,1,4,5},{2,2,3,6,6}}}
nn.Diag(3) | R(3,4)
ccn2.SpatialConvolution(3,16,3,2,1) | R(3,6,6,2)
ccn2.SpatialConvolutionLocal(3,16,6,3,2,1) | R(3,6,6,2)
ccn2.SpatialMaxPooling(3,2) | R(2,6,6,3)
ccn2.SpatialAvgPooling(3,2) | R(2,6,6,3)
ccn2.SpatialCrossMaxPooling(2) | R(5,4,4,3)
ccn2.SpatialCrossResponseNormalization(3) | R(4,3,3,2)
"""

CRITERIONS = """
nn.BinaryClassReward(nn.ReinforceBernoulli()) | {U(3), R(3,1)} | T{1,0,1}
nn.CosineEmbeddingCriterion(0.1) | {R(2,3), U(2,3)} | T{1,-1}
nn.HingeEmbeddingCriterion() | U(4) | T{1,-1,-1,1}
nn.MarginRankingCriterion(0.5) | {R(3), U(3)} | T{1,-1,1}
nn.MultiLabelMarginCriterion() | R(2,4) | T{{2,1,0,0},{3,0,0,0}}
nn.MultiLabelSoftMarginCriterion() | R(2,3) | T{{1,0,1},{0,1,0}}
nn.NCECriterion() | {U(2), U(2,3), U(2), U(2,3)} | T{}
nn.SpatialBinaryLogisticRegression() | R(2,1,3,3) | R(2,1,3,3):sign()
nn.TreeNLLCriterion() | R(4) | T{}
nn.VRClassReward(nn.ReinforceCategorical()) | {U(3,4), R(3,1)} | T{1,4,2}
nn.WeightedMSECriterion(T{1,2,3}) | R(2,3) | U(2,3)
nn.TrueNLLCriterion() | U(2,4) | L{2,4}
nn.ClassNLLCriterionWithUNK(2) | R(3,4) | L{2,4,1}
nn.SoftPlusLSECriterion() | R(3,4) | T{}
nn.SoftPlusLSEMinusLSECriterion() | R(3,4) | T{}
nn.SequentialCriterion(nn.Linear(3,2), nn.MSECriterion()) | R(4,3) | U(4,2)
nn.SparseNLLCriterion(2) | R(2,4) | {T{{0.3,0.7},{1,0}}, L{{1,3},{2,4}}}
nn.HSM({{1,1},{1,2},{2,1},{2,2},{2,3}},4) | R(3,4) | L{1,5,3}
nn.ClassHierarchicalNLLCriterion(T{{1,1},{2,1},{1,2}}, T{2,1}, 4) | R(4) | 3
cudnn.SpatialCrossEntropyCriterion():cuda() | R(2,3,2,2):cuda() | torch.ones(2,2,2):cuda()
cudnn.VolumetricCrossEntropyCriterion():cuda() | R(1,3,2,2,2):cuda() | torch.ones(1,2,2,2):cuda()
"""


@functools.cache
def registry() -> dict[str, type[TorchObject]]:
    """All classes of all packages, by the name they are registered under."""
    for name in "nn rnn dpnn nnx stn nngraph cudnn cunn tbc fbnn fbcunn inn unsup ccn2".split():
        packages[name].load()
    return layers


@dataclass(frozen=True, eq=False)
class Use:
    """One way to make an object, and what it takes: Lua expressions, or recorded values."""

    name: str  # the class
    expr: str
    input_expr: str
    target_expr: str | None = None
    recorded: Any = None
    seed: int = 1

    def seeded(self, runtime: Runtime, code: str) -> Any:
        runtime.execute(f"torch.manualSeed({self.seed}) math.randomseed({self.seed})")
        return runtime.execute(code)

    def make(self, runtime: Runtime) -> Any:
        """The object, as the global ``m`` and as it is in Python."""
        return self.seeded(runtime, f"m = {self.expr} return m")

    def input(self, runtime: Runtime) -> Any:
        """A fresh input."""
        if self.recorded is not None:
            return value(self.recorded["input"])
        return runtime.execute(f"return {self.input_expr}")

    def target(self, runtime: Runtime) -> Any:
        """A fresh target, of a criterion."""
        if self.recorded is not None:
            return value(self.recorded.get("target"))
        return runtime.execute(f"return {self.target_expr}")

    @property
    def is_criterion(self) -> bool:
        return self.target_expr is not None


def identify(use: Use) -> str:
    return f"{use.expr} on {use.input_expr}"


@functools.cache
def uses() -> list[Use]:
    """All uses: of each class at least one."""
    found = []
    for file in ("nn_modules", "rnn_modules", "nn_criterions"):
        for case in load(file):
            if "maskZero" not in case["expr"]:  # of 2015 alone
                target = None if case["type"] == "nn.CriterionTable" else case.get("target_expr")
                found.append(Use(case["type"], case["expr"], case["input_expr"], target, case, case["seed"]))
    for line in (MODULES + CRITERIONS).strip().splitlines():
        if line:
            expr, input_expr, *target_expr = line.split(" | ")
            name = "nn.gModule" if expr.startswith("(function") else expr.split("(")[0].split("{")[0]
            found.append(Use(name, expr, input_expr, target_expr[0] if target_expr else None))
    return found


def layer_uses() -> list[Use]:
    return [use for use in uses() if not use.is_criterion]


def criterion_uses() -> list[Use]:
    return [use for use in uses() if use.is_criterion]


def new_runtime(**options: Any) -> Runtime:
    """A runtime with all packages, on the CPU where a program asks for a GPU, or on ``meta``."""
    runtime = Runtime(**{"cuda_as": None if "device" in options else "cpu", **options})
    if "device" in options:
        runtime.state.gpu = torch.device(options["device"])
    for package in PACKAGES:
        runtime.execute(f"require '{package}'")
    runtime.execute(PRELUDE)
    return runtime
