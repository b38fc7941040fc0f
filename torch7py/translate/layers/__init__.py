"""The native equivalent of every layer and criterion, one family a file.

A rule is one registration and a few lines::

    @native("nn.Linear", live=_sizes)
    def linear(args: Args) -> Native:
        plain = args.value("bias", True)
        return Native(
            make=f"nn.Linear({args.inputSize}, {args.outputSize}{'' if plain else ', bias=False'})",
            weights={"weight": "weight", "bias": "bias"} if plain else {"weight": "weight"},
            ...
        )

It is given the constructor's arguments as Python source texts by name (``Args``), so a script's variables keep
their names and a live module gives literals. What it says is described at ``Native``. There are three kinds:

- ``@native(name)``: a layer that is a child, a function, or both: ``(args) -> Native``;
- ``@structure(name)``: a layer that is written by writing others (containers, sequencers, graphs):
  ``(layer, x, writer) -> value``;
- ``@criterion(name)``: ``(layer, prediction, target, writer) -> Expr``, the loss.

``unsupported(name, reason)`` says why a class has none; a rule that cannot serve certain arguments raises
``NotNative`` with the reason.

To write a model, make a tree of ``Layer`` objects (from a script's constructor calls: ``bind(name, texts)`` makes the
``Args``; modules among the arguments go into ``slots`` by parameter name, what is added to a container into
``children``) and give it to ``torch7py.translate.model.write_model(layer, name)``. A live module is turned into such
a tree by ``layer_of(module)``. A criterion becomes a function by ``write_criterion(layer, name)``.

Methods that change how a layer was constructed are arguments of its own: ``bias`` for ``noBias()``, ``ceil_mode`` for
``ceil()``, ``count_include_pad`` for ``setCountExcludePad()``, ``numInputDims`` for ``setNumInputDims(n)``,
``remember`` for ``remember(mode)``; ``modify(layer, method, texts)`` sets them.

Values in a page: a Torch7 table of known size is a tuple; a table of steps (the input of a Sequencer, what
``SplitTable(1)`` gives it) is one tensor with time as its first dimension; everything else is a tensor.
"""

from __future__ import annotations

from torch7py.translate.layers import (
    activation,
    container,
    convolution,
    directions,
    dpnn,
    gradient,
    linear,
    masks,
    normalization,
    pooling,
    recurrence,
    recurrent,
    sequence,
    shape,
    spatial_transformer,
    table,
)
from torch7py.translate.layers import criterion as criterion_rules
from torch7py.translate.layers.registry import (
    SETTINGS,
    Args,
    Expr,
    Layer,
    Native,
    NotNative,
    Use,
    Value,
    bind,
    criterion,
    criterions,
    modify,
    native,
    natives,
    reasons,
    structure,
    structures,
    unsupported,
)

__all__ = [
    "SETTINGS",
    "Args",
    "Expr",
    "Layer",
    "Native",
    "NotNative",
    "Use",
    "Value",
    "activation",
    "bind",
    "container",
    "convolution",
    "criterion",
    "criterion_rules",
    "criterions",
    "directions",
    "dpnn",
    "gradient",
    "linear",
    "masks",
    "modify",
    "native",
    "natives",
    "normalization",
    "pooling",
    "reasons",
    "recurrence",
    "recurrent",
    "sequence",
    "shape",
    "spatial_transformer",
    "structure",
    "structures",
    "table",
    "unsupported",
]
