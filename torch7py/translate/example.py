"""An input that a model takes, found by what its first layers say about sizes.

From the last layer to the first: each says what its input must be like, given what the next one takes. Sides of
images are not said by any layer; they are tried.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import torch

from torch7py.ops.errors import TorchError
from torch7py.translate.layers.registry import Layer, NotNative

__all__ = ["Shape", "Sizes", "criterion_example", "example_of", "make", "parse_size", "wanted"]


@dataclass(frozen=True)
class Shape:
    """A tensor's sizes; ``whole`` says that it holds whole numbers, from 1 to that."""

    sizes: tuple[int, ...]
    whole: int = 0


# What a layer takes: a tensor, a table of such, or None for anything.
Wanted: TypeAlias = "Shape | list[Wanted] | None"


@dataclass(frozen=True)
class Sizes:
    """What no layer says: examples in a batch, steps of a sequence, and the side of an image."""

    batch: int = 3
    steps: int = 5
    side: int = 32


Rule: TypeAlias = "Callable[[Layer, Wanted, Sizes], Wanted]"

_RULES: dict[str, Rule] = {}

# Sides to try, the usual ones first.
SIDES = (
    32,
    28,
    16,
    8,
    64,
    20,
    24,
    48,
    40,
    36,
    60,
    96,
    100,
    128,
    224,
    227,
    231,
    256,
    299,
    12,
    10,
    6,
    4,
    84,
    512,
)


def rule(*names: str) -> Callable[[Rule], Rule]:
    def register(function: Rule) -> Rule:
        for name in names:
            _RULES[name] = function
        return function

    return register


def wanted(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    """What a layer takes, when its output goes to something that takes ``after``. By default the same."""
    found = _RULES.get(layer.name)
    if found is None and re.match(r"\w+\.(Spatial|Volumetric)", layer.name):
        return _pooled(layer, after, sizes)
    return after if found is None else found(layer, after, sizes)


def example_of(model: Any, layer: Layer, sizes: Sizes | None = None) -> Any:
    """An input that the model runs with, as nested lists of tensors; None where none was found.

    A batch is tried first, then one example; the shape of a saved ``gradInput``, which is the input's, before both.
    """
    sizes = sizes or Sizes()
    dtype = dtype_of(model)
    options = list(_options(layer, sizes))
    saved = _saved(model.get_field("gradInput"), options[0] if options else None)
    batch = _first_that_runs(model, [*([] if saved is None else [saved]), *options], dtype)
    return batch if batch is not None else _first_that_runs(model, map(_without_batch, options), dtype)


def _first_that_runs(model: Any, options: Iterable[Wanted], dtype: torch.dtype) -> Any:
    """The first input that the model takes and gives as many examples for, or else one that it takes at all."""
    tried: list[Wanted] = []
    fallback = None
    for found in options:
        if found in tried:
            continue
        tried.append(found)
        input = make(found, dtype)
        output = _trial(model, input)
        if output is not None and _leading(output) == _leading(input):
            return input
        if output is not None and fallback is None:  # a view of -1 rows takes any size that can be divided
            fallback = input
    return fallback


def _leading(value: Any) -> int:
    """The first size of a value's first tensor; 0 for a single number."""
    while isinstance(value, (list, tuple)) and value:
        value = value[0]
    return int(value.shape[0]) if isinstance(value, torch.Tensor) and value.dim() else 0


def _options(layer: Layer, sizes: Sizes) -> Iterator[Wanted]:
    """What the layers say, for each side that an image may have."""
    for side in SIDES:
        try:
            found = wanted(layer, None, replace(sizes, side=side))
        except NotNative:  # an argument that is not known
            return
        yield Shape((sizes.batch, 7)) if found is None else found


def _without_batch(found: Wanted) -> Wanted:
    if isinstance(found, list):
        return [_without_batch(part) for part in found]
    if found is None or len(found.sizes) < 2:
        return found
    return replace(found, sizes=found.sizes[1:])


def _saved(gradient: Any, like: Wanted) -> Wanted:
    """The shape of a saved gradient; None where there is none, or where the input is of another kind."""
    if isinstance(gradient, torch.Tensor):
        whole = like.whole if isinstance(like, Shape) else 0
        return None if isinstance(like, list) or not gradient.numel() else Shape(tuple(gradient.shape), whole)
    if isinstance(gradient, (list, tuple)) and isinstance(like, list) and len(gradient) == len(like):
        parts = [_saved(item, part) for item, part in zip(gradient, like, strict=True)]
        return None if None in parts else parts
    return None


def dtype_of(model: Any) -> torch.dtype:
    """Of a model's weights; Torch7's default where it has none."""
    for parameter in model.parameters():
        if parameter.is_floating_point():
            found: torch.dtype = parameter.dtype
            return found
    return torch.float64


def runs(model: Any, input: Any) -> bool:
    """Whether a model takes an input. The model stays as it is."""
    return _trial(model, input) is not None


def _trial(model: Any, input: Any) -> Any:
    """What a copy of a model gives in evaluation; None where it does not take the input."""
    trial = model.clone()
    trial.set_evaluate()
    if hasattr(trial, "forget"):
        trial.forget()
    try:
        with torch.no_grad():
            return trial.torch7_forward(input)
    except (TorchError, RuntimeError, ValueError, IndexError):
        return None


def make(found: Wanted, dtype: torch.dtype, seed: int = 1) -> Any:
    """Tensors of these sizes."""
    generator = torch.Generator().manual_seed(seed)

    def one(part: Wanted) -> Any:
        if isinstance(part, list):
            return [one(item) for item in part]
        if part is None:
            part = Shape((Sizes.batch, 7))
        if part.whole:
            return torch.randint(1, part.whole + 1, part.sizes, generator=generator).to(dtype)
        return torch.randn(part.sizes, generator=generator, dtype=torch.float64).to(dtype)

    return one(found)


_SIZE = re.compile(r"(\d+(?:x\d+)*)(?::(\d+))?")


def parse_size(text: str) -> Wanted:
    """``20x3x32x32``; ``20x5:100`` for whole numbers from 1 to 100; ``3x10,3x4`` for a table. ValueError."""
    parts: list[Wanted] = []
    for part in text.split(","):
        match = _SIZE.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"{part!r} is no size like 20x3x32x32")
        parts.append(Shape(tuple(int(n) for n in match[1].split("x")), int(match[2] or 0)))
    return parts if len(parts) > 1 else parts[0]


# -- containers --------------------------------------------------------------------------------------------------------


@rule("nn.Sequential")
def _sequential(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    for child in reversed(layer.children):
        after = wanted(child, after, sizes)
    return after


@rule("nn.ConcatTable")
def _concat_table(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    parts = after if isinstance(after, list) else []
    return _known(
        wanted(child, parts[n] if n < len(parts) else None, sizes) for n, child in enumerate(layer.children)
    )


@rule("nn.Concat", "nn.DepthConcat")
def _concat(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    return _known(wanted(child, None, sizes) for child in layer.children)


@rule("nn.ParallelTable")
def _parallel_table(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    parts = after if isinstance(after, list) else []
    return [
        wanted(child, parts[n] if n < len(parts) else None, sizes) for n, child in enumerate(layer.children)
    ]


@rule("nn.Parallel")
def _parallel(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    part = _known(wanted(child, None, sizes) for child in layer.children)
    if not isinstance(part, Shape):
        return None
    at = layer.args.value("inputDimension", 1) - 1
    if not 0 <= at <= len(part.sizes):
        return None
    return Shape((*part.sizes[:at], len(layer.children), *part.sizes[at:]), part.whole)


@rule("nn.MapTable")
def _map_table(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    inner = layer.slots.get("module") or layer.child(0)
    return [wanted(inner, None, sizes)] * 2


def _known(options: Iterator[Wanted]) -> Wanted:
    """The one of several wishes for the same value that says most."""
    best: Wanted = None
    for option in options:
        if best is None or (isinstance(option, list) and not isinstance(best, list)):
            best = option
    return best


def _pooled(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    """Images of as many planes as are wanted of them."""
    dims = 3 if "Volumetric" in layer.name else 2
    planes = after.sizes[1] if isinstance(after, Shape) and len(after.sizes) == dims + 2 else 4
    return Shape((sizes.batch, planes, *[sizes.side] * dims))


def _inner(layer: Layer) -> Layer:
    return layer.slots["module"] if "module" in layer.slots else layer.child(0)


@rule(
    "nn.Decorator",
    "nn.DontCast",
    "nn.GPU",
    "nn.NaN",
    "nn.Profile",
    "nn.Serial",
    "nn.Bottle",
    "nn.MaskZero",
    "nn.TrimZero",
    "nn.WeightNorm",
    "nn.Inception",
    "nn.FireModule",
)
def _wrapper(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    return wanted(_inner(layer), after, sizes)


@rule("nn.gModule")
def _graph(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    """What the graph's first node takes, from its last to its first."""
    nodes = layer.nodes
    users: list[list[int]] = [[] for _ in nodes]
    for number, node in enumerate(nodes):
        for source in node.sources:
            users[source].append(number)

    takes: dict[int, Wanted] = {}  # what the layer of a node takes

    def output(number: int) -> Wanted:
        """What becomes of a node's value."""
        wishes: list[Wanted] = []
        parts: dict[int, Wanted] = {}
        for user in users[number]:
            node = nodes[user]
            found = takes[user]
            if node.layer is None and node.select is not None:
                parts[node.select] = found
            elif len(node.sources) > 1:
                at = node.sources.index(number)
                wishes.append(found[at] if isinstance(found, list) and at < len(found) else None)
            else:
                wishes.append(found)
        if parts:
            return [parts.get(n) for n in range(max(parts) + 1)]
        return _known(iter(wishes))

    for number in reversed(range(len(nodes))):
        node = nodes[number]
        after_it = output(number) if users[number] else after
        takes[number] = after_it if node.layer is None else wanted(node.layer, after_it, sizes)
    return takes[0]


# -- layers with sizes of their own ------------------------------------------------------------------------------------


def _number(layer: Layer, argument: str) -> int | None:
    """A size that the layer says; None where it does not."""
    text = layer.args.texts.get(argument, "")
    return int(text) if text.isdigit() and int(text) > 0 else None


def _rows(argument: str) -> Rule:
    def rows(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
        size = _number(layer, argument)
        return after if size is None else Shape((sizes.batch, size))

    return rows


for _names, _argument in (
    (
        "Linear LinearNoBias PartialLinear LinearWeightNorm SparseLinear Maxout Euclidean Cosine WeightedEuclidean",
        "inputSize",
    ),
    ("HighWay Highway FastLSTM LSTM GRU Mufuru", "inputSize"),
    ("BatchNormalization LayerNormalization", "nOutput"),
    ("Add", "inputSize"),
    ("PReLU", "nOutputPlane"),
):
    for _name in _names.split():
        rule(f"nn.{_name}")(_rows(_argument))


def _images(argument: str, dims: int) -> Rule:
    def images(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
        planes = _number(layer, argument)
        return after if planes is None else Shape((sizes.batch, planes, *[sizes.side] * dims))

    return images


for _names, _argument, _dims in (
    (
        "SpatialConvolution SpatialConvolutionMM SpatialDilatedConvolution SpatialFullConvolution",
        "nInputPlane",
        2,
    ),
    (
        "SpatialSubtractiveNormalization SpatialDivisiveNormalization SpatialContrastiveNormalization",
        "nInputPlane",
        2,
    ),
    ("SpatialDepthWiseConvolution", "nInputPlane", 2),
    ("VolumetricConvolution VolumetricDilatedConvolution VolumetricFullConvolution", "nInputPlane", 3),
    ("SpatialBatchNormalization", "nOutput", 2),
    ("VolumetricBatchNormalization", "nOutput", 3),
):
    for _name in _names.split():
        rule(f"nn.{_name}", f"cudnn.{_name}")(_images(_argument, _dims))


@rule("nn.SpatialConvolutionLocal")
def _local(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    found = [_number(layer, name) for name in ("nInputPlane", "iH", "iW")]
    return Shape((sizes.batch, *(size for size in found if size is not None)))


@rule("nn.TemporalConvolution", "nn.TemporalSubSampling", "nn.TemporalRowConvolution")
def _frames(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    frame = _number(layer, "inputFrameSize")
    return after if frame is None else Shape((sizes.batch, sizes.side, frame))


@rule("nn.LookupTable", "nn.LookupTableMaskZero")
def _items(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    leading: tuple[int, ...] = (sizes.batch, sizes.steps)
    if isinstance(after, Shape) and len(after.sizes) > 1:
        leading = after.sizes[:-1]
    elif isinstance(after, list):  # of steps, taken of one tensor
        leading = (sizes.steps, sizes.batch)
    return Shape(leading, _number(layer, "nIndex") or 1)


@rule("nn.OneHot")
def _classes(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    return Shape((sizes.batch,), _number(layer, "outputSize") or 1)


@rule("nn.Bilinear")
def _bilinear(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    return [Shape((sizes.batch, _number(layer, name) or 1)) for name in ("inputSize1", "inputSize2")]


@rule("nn.CReLU")
def _doubled(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    dims = _number(layer, "nInputDims") or 1
    rank = len(after.sizes) if isinstance(after, Shape) else 0
    return after if rank == dims + 1 else Shape((sizes.batch, 4, *[sizes.side] * (dims - 1)))


@rule("nn.SpatialConvolutionMap", "nn.SpatialFullConvolutionMap")
def _mapped(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    starts = [int(text) for text in re.findall(r"\[(\d+), \d+\]", layer.args.get("conMatrix", ""))]
    return Shape((sizes.batch, max(starts, default=1), sizes.side, sizes.side))


@rule("nn.CAdd", "nn.CMul")
def _by_place(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    """Weights of these sizes, repeated along those that are 1."""
    own = [int(size) for size in re.findall(r"\d+", layer.args.get("sizes", ""))]
    if len(own) == 1:
        return Shape((sizes.batch, own[0]))
    free = [sizes.batch] + [sizes.side] * len(own)
    return Shape(tuple(size if size > 1 else free[n] for n, size in enumerate(own)))


# -- sequences ---------------------------------------------------------------------------------------------------------


@rule("nn.Sequencer", "nn.BiSequencer", "nn.BiSequencerLM")
def _steps(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    inner = layer.slots.get("module") or layer.slots.get("forward")
    step = wanted(inner if inner is not None else layer.child(0), None, sizes)
    if isinstance(step, Shape) and step.whole:  # an item of each sequence at each step
        step = Shape((sizes.batch,), step.whole)
    return [step] * sizes.steps


@rule("nn.SeqLSTM", "nn.SeqLSTMP", "nn.SeqGRU", "nn.SeqBRNN")
def _sequences(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    size = layer.args.texts.get("inputSize") or layer.args.texts.get("inputsize")
    if size is None or not size.isdigit():
        return None
    return Shape((sizes.steps, sizes.batch, int(size)))


@rule("nn.Recursor", "nn.Repeater")
def _stepper(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    return wanted(_inner(layer), None, sizes)


@rule("nn.Recurrent")
def _recurrent(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    return wanted(layer.slots["input"], None, sizes) if "input" in layer.slots else None


@rule("nn.Recurrence")
def _recurrence(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    """The module takes the input and its last output."""
    found = wanted(_inner(layer), None, sizes)
    return found[0] if isinstance(found, list) and found else None


# -- shapes ------------------------------------------------------------------------------------------------------------


@rule("nn.View", "nn.Reshape")
def _reshape(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    """As many elements for each example, in one row: what a batch is viewed as may be any shape."""
    count = 1
    for size in re.findall(r"-?\d+", layer.args.get("sizes", "")):
        count *= int(size) if int(size) > 0 else 1
    if isinstance(after, Shape) and len(after.sizes) > 1:
        count = 1
        for size in after.sizes[1:]:
            count *= size
        return Shape((after.sizes[0], count), after.whole)
    return Shape((sizes.batch, count)) if count > 1 else after


@rule("nn.Transpose")
def _transpose(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    if not isinstance(after, Shape):
        return after
    shape = list(after.sizes)
    for a, b in reversed(layer.args.value("permutations", [])):
        if max(a, b) > len(shape):
            return None
        shape[a - 1], shape[b - 1] = shape[b - 1], shape[a - 1]
    return Shape(tuple(shape), after.whole)


@rule("nn.SplitTable")
def _split(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    if not isinstance(after, list) or not after or not isinstance(after[0], Shape):
        return None
    part = after[0]
    at = layer.args.value("dimension", 1)
    inner = layer.args.texts.get("nInputDims")
    at = at - 1 if at > 0 else len(part.sizes) + 1 + at
    if inner is not None and inner.isdigit() and len(part.sizes) == int(inner):
        at += 1
    if not 0 <= at <= len(part.sizes):
        return None
    return Shape((*part.sizes[:at], len(after), *part.sizes[at:]), part.whole)


@rule("nn.Unsqueeze")
def _unsqueeze(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    at = layer.args.value("pos", 1) - 1
    if not isinstance(after, Shape) or not 0 <= at < len(after.sizes):
        return None
    return Shape(after.sizes[:at] + after.sizes[at + 1 :], after.whole)


# -- tables ------------------------------------------------------------------------------------------------------------


@rule("nn.JoinTable")
def _join(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    """Two parts that make up what is wanted."""
    if not isinstance(after, Shape):
        return [None, None]
    at = layer.args.value("dimension", 1)
    inner = layer.args.texts.get("nInputDims")
    at = at - 1 if at > 0 else len(after.sizes) + at
    if inner is not None and inner.isdigit() and len(after.sizes) == int(inner) + 1:
        at += 1
    if not 0 <= at < len(after.sizes) or after.sizes[at] < 2:
        return None
    first = after.sizes[at] // 2
    return [
        Shape((*after.sizes[:at], part, *after.sizes[at + 1 :]), after.whole)
        for part in (first, after.sizes[at] - first)
    ]


@rule(
    "nn.CAddTable",
    "nn.CSubTable",
    "nn.CMulTable",
    "nn.CDivTable",
    "nn.CMaxTable",
    "nn.CMinTable",
    "nn.DotProduct",
    "nn.CosineDistance",
    "nn.PairwiseDistance",
)
def _pair(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    part = after if isinstance(after, Shape) and len(after.sizes) > 1 else None
    return [part, part]


@rule("nn.SelectTable")
def _select_table(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    at = layer.args.texts.get("index", "")
    if not re.fullmatch(r"-?[1-9]\d*", at):
        return None
    count = max(abs(int(at)), 2)
    parts: list[Wanted] = [None] * count
    parts[int(at) - 1 if int(at) > 0 else int(at)] = after
    return parts


@rule("nn.MixtureTable")
def _mixture(layer: Layer, after: Wanted, sizes: Sizes) -> Wanted:
    experts = after if isinstance(after, Shape) else None
    return [Shape((sizes.batch, 2)), [experts, experts]]


# -- criterions --------------------------------------------------------------------------------------------------------

_OF_LABELS = {"nn.ClassNLLCriterion", "nn.CrossEntropyCriterion", "nn.MultiMarginCriterion"}
_OF_NUMBERS = {"nn.MSECriterion", "nn.AbsCriterion", "nn.SmoothL1Criterion"}
_OF_STEPS = {"nn.SequencerCriterion", "nn.RepeaterCriterion"}


def criterion_example(criterion: Any, layer: Layer) -> tuple[Any, Any] | None:
    """A prediction and a target for a criterion, in double; None where its kind of target is not known here."""
    sizes = Sizes()
    if layer.name in _OF_STEPS:
        inner = layer.slots.get("criterion") or (layer.children[0] if layer.children else None)
        found = None if inner is None else criterion_example(inner.module, inner)
        if found is None:
            return None
        x, y = found
        scales = [1 + n / 10 for n in range(sizes.steps)]
        return [x * s for s in scales], [y] * sizes.steps if layer.name == "nn.SequencerCriterion" else y
    weights = criterion.get_field("weights") if layer.name in _OF_LABELS else None
    classes = 7 if weights is None else weights.numel()
    x = make(Shape((sizes.batch, classes)), torch.float64)
    if layer.name in _OF_LABELS:
        return x, make(Shape((sizes.batch,), classes), torch.float64)
    if layer.name in _OF_NUMBERS:
        return x, make(Shape((sizes.batch, classes)), torch.float64, seed=2)
    if layer.name == "nn.BCECriterion":
        return x.sigmoid(), (make(Shape((sizes.batch, classes)), torch.float64, seed=2) > 0).double()
    if layer.name == "nn.DistKLDivCriterion":
        goal = make(Shape((sizes.batch, classes)), torch.float64, seed=2)
        return x.log_softmax(-1), goal.softmax(-1)
    return None
