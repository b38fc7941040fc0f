"""Bad input, on every class there is: an error that names layer, place and line, or the right numbers.

A right input is broken in every way that fits its kind (tests/bad_input.py). What a layer takes nonetheless must give
what it gives for each element or each example of the right one; layers for which this is not so are listed, with what
they take and why.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from tests.bad_input import broken, broken_targets, expected, labelled
from tests.every_class import Use, criterion_uses, identify, layer_uses, new_runtime
from tests.golden_cases import assert_close
from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError

# Layers that hand on their input, or the entries of a table, whatever these are.
HAND_ON = """nn.CopyGrad nn.FlattenTable nn.Identity nn.NarrowTable nn.PrintSize nn.ReverseTable nn.SelectTable
nn.ZipTable nn.ZipTableOneToMany nngraph.JustElement nngraph.JustTable""".split()

IMAGES = re.compile(
    r"(nn|cudnn|inn)\.(Spatial(?!SoftMax|LogSoftMax).*|Volumetric.*|UpSampling|PixelShuffle|Inception|FireModule"
    r"|DepthConcat|Upsample|LaplacianOfGaussian|DifferenceOfGaussian|ConstAffine|ROIPooling)"
)
SOFT_MAX = re.compile(r"(nn|cudnn)\.\w*Soft(Max|Min)")

# What the others take, by what is broken: layers whose numbers depend on the whole of it, or on its dimensions.
TAKES: dict[str, str] = {
    "a column more": """fbnn.Constant fbnn.L2Normalize nn.ArgMax
        nn.BilinearSamplerBHWD nn.Collapse nn.Constant nn.Convert nn.JoinTable
        nn.FasterLookup nn.GroupKMaxPooling nn.LookupTable nn.LookupTableGPU nn.LookupTableMaskZero
        nn.Max nn.Mean nn.Min nn.Index nn.MM nn.MV nn.Narrow nn.Normalize nn.OneHot nn.Padding
        nn.ParallelTable nn.Select nn.Sequential nn.Sequencer nn.SplitTable nn.Squeeze nn.Sum
        nn.Transpose nn.View""",
    "a dimension less": """fbnn.Constant nn.LookupTableGPU
        nn.Convert nn.DepthConcat nn.FeatureLPPooling nn.FireModule nn.Index nn.LayerNormalization
        nn.MapTable nn.Max nn.Mean nn.Min nn.MixtureTable nn.Padding nn.ParallelTable
        nn.SeqReverseSequence nn.Sequencer nn.Sequential nn.SpatialFractionalMaxPooling
        nn.SplitTable nn.Squeeze nn.Sum nn.Unsqueeze nn.View""",
    "a dimension more": """fbnn.Constant nn.ArgMax nn.CReLU nn.Collapse nn.Constant nn.Max nn.Mean nn.Min nn.Padding
        nn.ParallelTable
        nn.Replicate nn.Select nn.SeqReverseSequence nn.Sequencer nn.SpatialPadding nn.SplitTable
        nn.Squeeze nn.Sum nn.Transpose nn.Unsqueeze nn.UpSampling nn.View""",
    "empty": "nn.Constant nn.Index nn.ParallelTable nn.Sequencer nn.Unsqueeze nn.Replicate",
    "an entry less": """nn.BiSequencer nn.BiSequencerLM nn.CAddTable nn.CAddTensorTable nn.CMaxTable nn.CMinTable
        nn.CMulTable nn.JoinTable nn.SparseLinear""",
    "an index too high": "fbnn.SegSparseLinear",
    "an entry more": """nn.BiSequencer nn.BiSequencerLM nn.CAddTable nn.CAddTensorTable nn.CMaxTable nn.CMinTable
        nn.CMulTable nn.JoinTable nn.MapTable nn.ParallelTable nn.Sequencer nn.Sequential
        nn.SparseLinear nn.SpatialGlimpse""",
    "a tensor": """nn.CDivTable nn.CSubTable nn.CosineDistance nn.DotProduct nn.MixtureTable nn.PairwiseDistance
        nn.Sequencer nn.Sequential""",
    "in a table": "nn.Sequencer nn.SparseLinear",
    "in tables": "nn.Sequencer",
    "a number": "nn.OneHot nn.Sequencer",
    "a text": "nn.Sequencer",
    "an empty table": "nn.SparseLinear fbnn.SparseLinear",
    "float": "nn.Copy nn.Sequencer",
}


def takes(use: Use, what: str) -> bool:
    """Whether the layer may take this input, and give numbers that need not be the right one's."""
    kind = what.split(" at ")[0]
    if use.name in HAND_ON or use.name in TAKES.get(kind, "").split():
        return True
    if kind == "a column more" and IMAGES.fullmatch(use.name):
        return True
    return kind in ("a column more", "a dimension less", "a dimension more") and bool(
        SOFT_MAX.fullmatch(use.name)
    )


# Errors about sizes say what was given and what was expected.
SIZES = ("a column more", "a dimension less", "a dimension more")
SAYS_OTHERWISE = ("nn.SpatialReSamplingEx",)

MESSAGE = re.compile(r"bad\.lua:1: [^\n]*\b(nn|cudnn|nngraph|fbnn|inn|ccn2)\.\w+:? [^\n]+")
PYTHONS_OWN = re.compile(r"Error: |dtype|Expected|aten::|object has no attribute")


def assert_told(error: LuaError, place: str | None = None) -> None:
    """The message names the line and the layer, in this project's words, and the place in the model."""
    assert MESSAGE.fullmatch(error.message), error.message
    assert not PYTHONS_OWN.search(error.message), error.message
    assert place is None or place in error.message, error.message


def assert_sizes_told(error: LuaError) -> None:
    """What was given and what was expected, in numbers or words."""
    said = re.sub(r"(nn|cudnn|fbnn|inn|ccn2)\.\w+|\(at .*|bad\.lua:\d+", "", error.message)
    sizes = re.findall(r"\d+(?:x\d+)*|empty|vector|matri|batch|table|small|rows", said)
    assert len(sizes) >= 2, error.message


@pytest.fixture(scope="module")
def shared() -> Iterator[Runtime]:
    runtime = new_runtime()
    yield runtime
    runtime.close()


def in_evaluation(runtime: Runtime, use: Use, input: Any) -> Any:
    use.make(runtime)
    runtime.globals["x"] = input
    return copy.deepcopy(runtime.execute("m:evaluate() local y = m:forward(x) return y"))


def is_single(output: Any) -> bool:
    """Whether a layer computes in single precision: a matrix's row and a vector may then part in the last digits."""
    if isinstance(output, list):
        return any(is_single(part) for part in output)
    return isinstance(output, torch.Tensor) and output.dtype == torch.float32


@pytest.mark.sampled(8)
@pytest.mark.parametrize("use", layer_uses(), ids=identify)
def test_a_layer(shared: Runtime, use: Use, capfd: pytest.CaptureFixture[str]) -> None:
    place = f"(at Sequential[1].{use.name.partition('.')[2]}"
    right: Any = None
    for what, input in broken(use.input(shared)):
        use.make(shared)
        shared.execute("q = nn.Sequential():add(m)")
        shared.globals["x"] = copy.deepcopy(input)
        try:
            shared.execute("y = q:forward(x)", "=bad.lua")
        except LuaError as error:
            assert_told(error, place)
            if what.split(" at ")[0] in SIZES and use.name not in SAYS_OTHERWISE:
                assert_sizes_told(error)
            continue
        if takes(use, what):
            continue
        if right is None:
            right = in_evaluation(shared, use, use.input(shared))
        wanted = expected(what, right)
        assert wanted is not None, f"{what}: taken"
        single = what.startswith("float") or is_single(right)
        assert_close(in_evaluation(shared, use, input), wanted, 1e-5 if single else 1e-11, what, 1)


@pytest.mark.slow
def test_the_lists_are_of_use(shared: Runtime) -> None:
    """Each layer in the lists above does take what it is listed for."""
    taken: dict[str, set[str]] = {what: set() for what in TAKES}
    for use in layer_uses():
        left = {kind for kind, names in TAKES.items() if use.name in names.split()}
        left -= {kind for kind in left if use.name in taken[kind]}
        for what, input in broken(use.input(shared)) if left else ():
            kind = what.split(" at ")[0]
            if kind in left and use.name not in taken[kind]:
                use.make(shared)
                shared.globals["x"] = input
                if shared.execute("local ok = pcall(m.forward, m, x) return ok"):
                    taken[kind].add(use.name)
    assert taken == {what: set(names.split()) for what, names in TAKES.items()}


NO_TARGET = (
    "nn.SoftPlusLSECriterion",
    "nn.SoftPlusLSEMinusLSECriterion",
    "nn.L1Cost",
    "nn.DistanceRatioCriterion",
    "nn.NCECriterion",
    "nn.TreeNLLCriterion",
)

# Criterions whose targets are the numbers of classes.
CLASSES = re.compile(
    r"nn\.(ClassNLL|CrossEntropy|SpatialClassNLL|ClassSimplex|MultiMargin|VRClassReward|SequencerCriterion)|cudnn"
    r"|nn\.MaskZeroCriterion\(nn\.ClassNLL"
)


# Criterions that compare the target with numbers say what they do with one that is none of them; the others compute
# with it, so that NaN gives NaN.
@pytest.mark.parametrize("use", criterion_uses(), ids=identify)
def test_a_criterion(shared: Runtime, use: Use) -> None:
    tries = [(f"input: {what}", value, use.target(shared)) for what, value in broken(use.input(shared))]
    tries += [(what, use.input(shared), value) for what, value in broken_targets(use.target(shared))]
    for what, input, target in tries:
        use.make(shared)
        shared.globals["x"], shared.globals["t"] = input, target
        try:
            loss = shared.execute("local y = m:forward(x, t) return y", "=bad.lua")
        except LuaError as error:
            assert_told(error)
            continue
        if what == "NaN":
            assert loss != loss, f"{what}: {loss}"
        about_target = not what.startswith("input") and use.name not in NO_TARGET
        assert not (about_target and re.search("table|text|nil", what)), f"{what}: taken"
        assert not (what.startswith("an index") and CLASSES.match(use.expr)), f"{what}: taken"


# Layers that hand gradients on as they are, to layers that look at them, and those whose gradInput is the same
# whatever gradOutput is. The original's do not look at it either.
NO_LOOK = """nn.Identity nn.PrintSize nn.NarrowTable nn.FlattenTable nn.ZipTable nn.ZipTableOneToMany
nn.ReverseTable nn.Constant fbnn.Constant inn.MeanSubtraction nn.ZeroGrad nn.ArgMax nn.Kmeans nn.Probe nn.CriterionTable
nngraph.JustElement nngraph.JustTable""".split()


def wrong_gradients(right: Any, at: int = -1) -> Iterator[Any]:
    """Gradients of other sizes than the right one: too long, too short, one number, none, and no tensor at all."""
    if isinstance(right, list):
        yield right[:at] if at else []
        for wrong in wrong_gradients(right[at]):
            yield [*right[:at], wrong, *(right[at + 1 :] if at >= 0 else [])]
        return
    shape = list(right.shape)
    yield torch.ones([*shape[:-1], shape[-1] + 1], dtype=right.dtype)
    if right.numel() > 1:
        yield torch.ones([1] * len(shape), dtype=right.dtype)
        yield torch.ones(1, dtype=right.dtype)
    if len(shape) > 1 and shape[0] > 1:
        yield torch.ones([1, *shape[1:]], dtype=right.dtype)
    yield torch.empty(0, dtype=right.dtype)
    yield "gradient"


def tensors_of(runtime: Runtime) -> list[torch.Tensor]:
    """The gradients of the parameters; nn.IndexLinear has a table for one."""
    gradients = runtime.execute("return select(2, m:parameters()) or {}")
    return [gradient for gradient in gradients if isinstance(gradient, torch.Tensor)]


@pytest.mark.sampled(8)
@pytest.mark.parametrize("use", [u for u in layer_uses() if u.name not in NO_LOOK], ids=identify)
def test_a_gradient_of_the_wrong_size(shared: Runtime, use: Use) -> None:
    use.make(shared)
    shared.globals["x"] = use.input(shared)
    right = shared.execute("y = m:forward(x) return gradient(y)")
    first_alone = use.name == "nn.NCEModule"  # whose gradients of the noise's probabilities are not used
    for wrong in wrong_gradients(right, 0 if first_alone else -1):
        use.make(shared)
        shared.globals["x"], shared.globals["g"] = use.input(shared), labelled(wrong, right)
        shared.execute("m:zeroGradParameters() m:forward(x)")
        before = [g.clone() for g in tensors_of(shared)]
        with pytest.raises(LuaError) as caught:
            shared.execute("m:backward(x, g)", "=bad.lua")
        assert_told(caught.value)
        if not isinstance(wrong, list):  # of a table some entries are right, and their layers come first
            gradients = tensors_of(shared)
            assert len(gradients) == len(before)
            assert all(map(torch.equal, gradients, before)), "a failing backward left a gradient"
