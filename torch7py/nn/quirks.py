"""What nn did otherwise in October 2015: its lines of the table of quirks (see ``ops/quirks.py``).

Most differences are arguments that constructors did not take yet; these have a table of their own and need no line in
the layer.

Not imitated: the polynomial in place of ``exp`` in the softmax layers (until 2 May 2016, off by up to 5e-5 of the
largest element), ``Criterion:type`` tearing apart tables that shared tensors (the gradInput of a ``CriterionTable``
was never filled afterwards), a ``MarginRankingCriterion`` that gave a tensor for a batch, and the want of methods and
classes that came later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch7py.ops import state
from torch7py.ops.quirks import OLDER, QUIRKS, Quirk, disregard

__all__ = ["ARGUMENTS", "Arguments", "taken"]


@dataclass(frozen=True)
class Arguments:
    """A constructor that took ``count`` arguments and disregarded more, until the day that brought ``added``."""

    count: int
    added: str
    until: str
    commit: str


QUIRKS |= {
    "gradients of any shape": Quirk(
        "2016-09-27", "19d3289", "a gradOutput of another shape with as many elements is taken by every layer"
    ),
    "BatchNormalization running_std": Quirk(
        "2016-02-25",
        "c327f5b",
        "1 / standard deviation (biased) is what runs along, in running_std; evaluation multiplies by it; "
        "one example is a batch; no backward in evaluation",
    ),
    "BatchNormalization text": Quirk("2016-11-03", "0d6c538", "the text is the class name"),
    "BCECriterion gradient": Quirk(
        "2016-07-17", "f63298e", "the slope is divided by x (1 + eps - x) + eps, not (x + eps) (1 - x + eps)"
    ),
    "Dropout evaluation": Quirk("2016-02-05", "720ef42", "no backward in evaluation"),
    "Dropout of 0": Quirk("2016-01-07", "cd5924b", "a mask is drawn even with p = 0"),
    "Index gradient": Quirk("2016-08-03", "1248424", "gradInput has no entry for the indices"),
    "LookupTable gradInput": Quirk("2016-04-16", "6bba6f9", "gradInput stays empty"),
    "MultiMarginCriterion average": Quirk("2016-02-19", "774cbfc", "no division by the size of the batch"),
    "Normalize infinite": Quirk(
        "2015-11-16", "84b9248", "p = math.huge goes through the formula of the others: y = x, a NaN gradient"
    ),
    "Normalize zero": Quirk(
        "2015-10-24",
        "08195f3",
        "with p below 2 the gradient at 0 divides by 0: nothing keeps its base from 0",
    ),
    "SelectTable text": Quirk("2016-04-27", "4438ec9", "the text is the class name"),
    "SparseLinear gradInput": Quirk(
        "2016-03-11", "497e8cd", "gradInput has the columns of the input and their gradients"
    ),
    "SparseLinear update": Quirk(
        "2016-03-11",
        "497e8cd",
        "updateParameters goes over the columns of the last input, however many backwards there were, and over a "
        "repeated one as often; so does weightDecay, which counts the bias too; zeroGradParameters goes over all",
    ),
    "SpatialFullConvolution text": Quirk("2015-12-01", "6249756", "the text is the class name"),
    "padding text": Quirk(
        "2016-03-01", "fadfadb", "the text of SpatialZeroPadding has no blanks after commas"
    ),
    "volumetric text": Quirk(
        "2016-02-25", "1f8258a", "the text of convolution and pooling over volumes is the class name"
    ),
    "pooling text": Quirk(
        "2016-03-01",
        "fadfadb",
        "the text of pooling over images has commas alone: nn.SpatialMaxPooling(2,2,2,2)",
    ),
    "View text": Quirk("2016-01-31", "f147738", "the text is the class name"),
    "last branch": Quirk(
        "2016-09-21", "cbf6ccd", "the last branch of a container is drawn as the others are"
    ),
}

ARGUMENTS: dict[str, Arguments] = {
    "nn.AbsCriterion": Arguments(0, "sizeAverage", "2015-11-26", "41d2b1d"),
    "nn.CAddTable": Arguments(0, "inplace", "2016-01-11", "8a98606"),
    "nn.ClassNLLCriterion": Arguments(2, "ignoreIndex", "2017-05-12", "a6088d4"),
    "nn.CrossEntropyCriterion": Arguments(1, "sizeAverage", "2017-01-14", "199ba85"),
    "nn.Dropout": Arguments(3, "stochasticInference", "2016-09-02", "40d3a23"),
    "nn.GradientReversal": Arguments(0, "lambda", "2016-04-22", "1d846b4"),
    "nn.HardTanh": Arguments(2, "inplace", "2016-06-18", "ac74eef"),
    "nn.Linear": Arguments(2, "bias", "2016-01-25", "4ef742f"),
    "nn.LookupTable": Arguments(2, "paddingValue", "2016-02-19", "81e8890"),
    "nn.MSECriterion": Arguments(0, "sizeAverage", "2015-11-26", "41d2b1d"),
    "nn.Max": Arguments(1, "nInputDims", "2015-11-10", "beb3ba0"),
    "nn.Mean": Arguments(1, "nInputDims", "2015-11-10", "beb3ba0"),
    "nn.Min": Arguments(1, "nInputDims", "2015-11-10", "beb3ba0"),
    "nn.MultiMarginCriterion": Arguments(1, "weights", "2016-02-19", "d1f57af"),
    "nn.Padding": Arguments(4, "index", "2016-02-26", "8ce8556"),
    "nn.SmoothL1Criterion": Arguments(0, "sizeAverage", "2015-11-26", "41d2b1d"),
    "nn.SparseLinear": Arguments(2, "doGradInput", "2016-03-11", "497e8cd"),
    "nn.SpatialDropout": Arguments(1, "stochasticInference", "2016-09-02", "40d3a23"),
    "nn.SpatialAveragePooling": Arguments(4, "padW", "2015-12-15", "738057e"),
    "nn.SpatialFullConvolution": Arguments(6, "padW", "2015-12-01", "6249756"),
    "nn.Sum": Arguments(1, "nInputDims", "2015-11-09", "11bc9db"),
    "nn.VolumetricConvolution": Arguments(8, "padT", "2015-11-26", "f679de0"),
    "nn.VolumetricMaxPooling": Arguments(6, "padT", "2016-01-28", "db0eac0"),
}


# Containers whose constructors in Lua disregard what they are given; in Python they take their modules.
_TAKING_NONE = {"nn.Container", "nn.Sequential", "nn.ConcatTable", "nn.ParallelTable"}


def taken(name: str, arguments: list[Any]) -> list[Any]:
    """Of the arguments for a class's constructor those that it takes in the program's generation."""
    if name in _TAKING_NONE:
        return []
    known = ARGUMENTS.get(name)
    if known is None or len(arguments) <= known.count or state.current().generation != OLDER:
        return arguments
    if any(argument is not None for argument in arguments[known.count :]):
        disregard(f"argument {known.count + 1} ({known.added}) of {name}", known.until)
    return arguments[: known.count]
