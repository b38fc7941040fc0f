"""Layers that change the gradient, and distances whose gradient is not quite the derivative."""

from __future__ import annotations

from torch7py.translate.layers.registry import Args, Expr, Native, NotNative, Use, fields, native


@native("nn.GradientReversal", live=fields(lambda_="lambda"))
def gradient_reversal(args: Args) -> Native:
    factor = args.get("lambda_", "1")
    return Native(call=f"scale_gradient({{x}}, -{factor})", helpers=("scale_gradient",), over_time=True)


@native("nn.ZeroGrad")
def zero_grad(args: Args) -> Native:
    return Native(call="{(x)}.detach()", over_time=True)


@native("nn.L1Penalty", live=fields("l1weight", "sizeAverage", "provideOutput"))
def l1_penalty(args: Args) -> Native:
    more = ""
    if args.get("sizeAverage", "False") == "True":
        more += " / {x}.numel()"
    if args.get("provideOutput", "True") == "False":
        more += ", False"
    return Native(call=f"L1Penalty.apply({{x}}, {args.l1weight}{more})", helpers=("L1Penalty",))


# -- distances -------------------------------------------------------------------------------------------------------


@native("nn.Euclidean", live=lambda m: {"inputSize": m.weight.shape[0], "outputSize": m.weight.shape[1]})
def euclidean(args: Args) -> Native:
    return Native(
        make=f"Euclidean({args.inputSize}, {args.outputSize})",
        weights={"weight": "weight"},
        helpers=("distance", "Euclidean"),
        over_time=True,
        heavy=True,
        name="euclidean",
    )


@native(
    "nn.WeightedEuclidean", live=lambda m: {"inputSize": m.weight.shape[0], "outputSize": m.weight.shape[1]}
)
def weighted_euclidean(args: Args) -> Native:
    return Native(
        make=f"WeightedEuclidean({args.inputSize}, {args.outputSize})",
        weights={"weight": "weight", "scale": "diagCov"},
        helpers=("distance", "WeightedEuclidean"),
        over_time=True,
        heavy=True,
        name="euclidean",
    )


@native("nn.Cosine", live=lambda m: {"inputSize": m.weight.shape[1], "outputSize": m.weight.shape[0]})
def cosine(args: Args) -> Native:
    return Native(
        make=f"Cosine({args.inputSize}, {args.outputSize})",
        weights={"weight": "weight"},
        helpers=("Cosine",),
        over_time=True,
        heavy=True,
        name="cosine",
    )


def _pair(use: Use) -> tuple[Expr, Expr]:
    a, b = (use.writer.as_expr(part) for part in use.entries(2))
    return a, b


@native("nn.CosineDistance")
def cosine_distance(args: Args) -> Native:
    def call(use: Use) -> str:
        a, b = _pair(use)
        return use.numbers(f"cosine_similarity({a}, {b})")

    return Native(call=call, helpers=("cosine_similarity",), over_time=True, ndim=1)


@native("nn.PairwiseDistance", live=fields(p="norm"))
def pairwise_distance(args: Args) -> Native:
    p = args.get("p", "2")
    if args.is_literal("p") and args.value("p", 2) < 2 and p != "1":
        raise NotNative(f"nn.PairwiseDistance({p}): its gradient in Torch7 is not that of the distance")

    def call(use: Use) -> str:
        a, b = _pair(use)
        if p == "1":
            return use.numbers(f"({a.operand} - {b.operand}).abs().sum(-1)")
        return use.numbers(f"distance({a.operand} - {b.operand}, {p}, eps=1e-6)")

    return Native(call=call, helpers=() if p == "1" else ("distance",), over_time=True, ndim=1)
