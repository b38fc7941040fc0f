"""The layers of dpnn, those of rnn that add to the loss, and the reasons why some layers have no native form."""

from __future__ import annotations

from typing import Any

from torch7py.nn.checks import truthy
from torch7py.translate.layers.container import transparent
from torch7py.translate.layers.criterion import summed
from torch7py.translate.layers.groups import ESTIMATING, FLAGS
from torch7py.translate.layers.registry import (
    Args,
    Expr,
    Layer,
    Native,
    NotNative,
    Use,
    Value,
    criterion,
    fields,
    native,
    structure,
    unsupported,
)
from torch7py.translate.layers.writer import Writer


@native("nn.Clip", live=fields("minval", "maxval"))
def clip(args: Args) -> Native:
    return Native(
        call=f"{{x}} + ({{x}}.clamp({args.minval}, {args.maxval}) - {{x}}).detach()",
        binds="+",
        over_time=True,
        comment="the gradient passes as if nothing were clipped",
    )


@native("nn.ArgMax", live=fields("dim", "nInputDim", "asLong"))
def arg_max(args: Args) -> Native:
    dim, dims = args.value("dim", 1), args.value("nInputDim", 9999)

    def call(use: Use) -> Expr:
        x = use.tensor
        batch = use.ndim is not None and use.ndim > dims
        keep = ", keepdim=True" if use.ndim == 1 else ""
        text = f"{x.operand}.argmax({use.axis(dim + batch)}{keep})"
        if args.get("asLong", "True") == "False":
            return Expr(f"{text}.to({use.writer.named(x)}) + 1", binds="+")
        return Expr(f"{text} + 1", binds="+")

    return Native(call=call, over_time=True, ndim=-1, comment="counted from 1")


def _inner(module: Any) -> dict[str, Any]:
    return {"module": module.child_list()[0]}


@structure("nn.Inception", "nn.FireModule", live=_inner)
def composed(layer: Layer, x: Value, w: Writer) -> Value:
    if not layer.slots and not layer.children:
        raise NotNative(f"{layer.name} by its options: write out its convolutions")
    return transparent(layer, x, w)


# -- additions to the loss -------------------------------------------------------------------------------------------


def penalty(w: Writer, x: Expr, h: Expr, text: str) -> Expr:
    """x with the gradient of a penalty, a text with a value h, which does not count in the output."""
    w.helpers["AddGradient"] = None
    w.helpers["with_penalty"] = None
    return Expr(f"with_penalty({x}, lambda {h}: {text})", x.ndim, x.lead, x.heavy)


@structure("nn.CategoricalEntropy", live=fields("scale", "minEntropy", "sizeAverage"))
def categorical_entropy(layer: Layer, x: Value, w: Writer) -> Value:
    """-scale times the entropy of the mean distribution of a batch."""
    args = layer.args
    if "minEntropy" in args or w.depth or isinstance(x, tuple):
        raise NotNative("nn.CategoricalEntropy with a least entropy, or in a Sequencer")
    w.helpers["mean_entropy"] = None
    h = w.fresh("h")
    average = "" if args.get("sizeAverage", "True") == "False" else f" / len({h})"
    return penalty(w, x, h, f"-{args.get('scale', '1')} * mean_entropy({h}){average}")


@structure("nn.NormStabilizer", live=fields("beta"))
def norm_stabilizer(layer: Layer, x: Value, w: Writer) -> Value:
    """beta times the squares of the changes of the norm from step to step."""
    if w.depth != 1 or isinstance(x, tuple):
        raise NotNative("nn.NormStabilizer outside a Sequencer")
    if w.remembers not in ("", "eval"):
        raise NotNative("nn.NormStabilizer in a sequence that goes on where the last one ended")
    h = w.fresh("h")
    return penalty(
        w, x, h, f"{layer.args.get('beta', '1')} * {h}.norm(dim=-1).diff(dim=0).square().sum() / {h}.shape[1]"
    )


# -- criterions ------------------------------------------------------------------------------------------------------


@criterion("nn.BinaryLogisticRegression", live=fields("sizeAverage"))
def logistic(layer: Layer, x: Value, y: Value, w: Writer) -> Expr:
    a, b = w.as_expr(x), w.as_expr(y)
    return Expr(f"F.soft_margin_loss({a}, {b}{summed(layer.args)})")


@criterion("nn.SpatialBinaryLogisticRegression", live=fields("sizeAverage"))
def spatial_logistic(layer: Layer, x: Value, y: Value, w: Writer) -> Expr:
    a, b = w.as_expr(x), w.as_expr(y)
    if summed(layer.args):
        raise NotNative("nn.SpatialBinaryLogisticRegression of sums")
    return Expr(f"F.soft_margin_loss({a}, {b}) / 2", binds="/")


@criterion("nn.NCECriterion", live=fields("sizeAverage"))
def noise_contrastive(layer: Layer, x: Value, y: Value, w: Writer) -> Expr:
    """Of probabilities of the model and of the noise, for targets and for noise."""
    p, s, q, r = (w.named(w.as_expr(part)) for part in w.entries(x, 4, layer))
    w.helpers["NoiseContrast"] = None
    average = "" if summed(layer.args) else f" / len({p})"
    return Expr(f"NoiseContrast.apply({p}, {s}, {q}, {r}){average}", binds="/" if average else "")


def _noise(module: Any) -> dict[str, Any]:
    args = {"inputSize": module.weight.shape[1], "outputSize": module.weight.shape[0], "k": module.k}
    flags = {flag: truthy(module.get_field(flag)) for flag in _FLAGS}
    return args | {"unigrams": module.unigrams, "Z": module.Z.item(), **flags}


_FLAGS = FLAGS[ESTIMATING]


def _with_noise(child: Any, module: Any) -> Any:
    """The module with the classes of noise that the original drew last, and what it made of its first ones."""

    def run(x: Any) -> Any:
        drawn = module.sampleidx - 1
        noise = drawn[: int(module.k)] if truthy(module.batchnoise) else drawn[:, 1:]
        child.draw, child.z = lambda count: noise.flatten(), module.Z.item()
        return type(child).forward(child, x)

    return run


@native("nn.NCEModule", live=_noise)
def noise_contrastive_module(args: Args) -> Native:
    arguments = [args.inputSize, args.outputSize, args.k, args.unigrams]
    if "Z" in args:
        arguments.append(args.Z)
    flags = {flag: args.get(flag, usual) for flag, usual in _FLAGS.items()}
    return Native(
        make=f"NCE({', '.join(arguments)})",
        setup=tuple(f"{{self}}.{flag} = {text}" for flag, text in flags.items() if text != _FLAGS[flag]),
        drawn=_with_noise,
        call=lambda use: f"{use.me}({use.writer.as_expr(use.x)})",
        weights={"weight": "weight", "bias": "bias"},
        buffers={"frequencies": "unigrams"},
        helpers=("NCE",),
        over_time=True,
        heavy=True,
        name="nce",
        random="always",
        ndim=-1,
    )


# -- no native form ---------------------------------------------------------------------------------------------------

REWARD = "it learns from a reward, not from a gradient: use torch.distributions and the log-probabilities"
AUGMENT = "it changes images at random before training: use a transform of the data"
for name, reason in {
    "nn.Module": "an abstract class",
    "nn.Criterion": "an abstract class",
    "nn.Container": "an abstract class",
    "nn.AbstractRecurrent": "an abstract class",
    "nn.AbstractSequencer": "an abstract class",
    "nn.Reinforce": REWARD,
    "nn.ReinforceBernoulli": REWARD,
    "nn.ReinforceCategorical": REWARD,
    "nn.ReinforceNormal": REWARD,
    "nn.ReinforceGamma": REWARD,
    "nn.VRClassReward": REWARD,
    "nn.BinaryClassReward": REWARD,
    "nn.RecurrentAttention": REWARD,
    "nn.SimpleColorTransform": AUGMENT,
    "nn.PCAColorTransform": AUGMENT,
    "nn.SpatialUniformCrop": AUGMENT,
    "nn.SpatialRegionDropout": AUGMENT,
    "nn.SpatialGlimpse": "its crops come from a place that a reward teaches",
    "nn.SpatialFeatNormalization": "it only changes the data: subtract the mean and divide by the deviation there",
    "nn.SpatialReSampling": "its sampling is not torch's interpolation",
    "nn.SpatialBinaryConvolution": "its weights are binarized by rules that PyTorch has no layer for",
    "nn.TotalDropout": "it drops or keeps a whole tensor at random",
    "nn.Dictionary": "it counts the rows that it has used: use nn.Embedding with sparse=True",
    "nn.IndexLinear": "its input is a list of keys and values with running statistics",
    "nn.Kmeans": "it learns by clustering, not from a gradient",
    "torch.AliasMultinomial": "not a layer; torch.multinomial draws with replacement",
}.items():
    unsupported(name, reason)
