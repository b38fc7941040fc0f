"""Layers that are treated alike for what no single fact of theirs says."""

# Those that take a whole sequence as one tensor.
from __future__ import annotations

SEQUENCES = frozenset(("nn.SeqLSTM", "nn.SeqLSTMP", "nn.SeqGRU"))
# Those whose state is an output and a cell, and an output alone.
WITH_CELL = frozenset(("nn.SeqLSTM", "nn.LSTM", "nn.FastLSTM"))
WITHOUT_CELL = frozenset(("nn.SeqGRU", "nn.GRU"))
# Those that give a part of a table, whose other gradients are zeros.
LEAVING_OUT = frozenset(("nn.SelectTable", "nn.NarrowTable"))
# The layer for noise contrastive estimation.
ESTIMATING = "nn.NCEModule"
# Those whose first weights are drawn as PyTorch draws them.
DRAWN_ALIKE = frozenset(
    f"nn.{name}"
    for name in "Linear SpatialConvolution SpatialConvolutionMM TemporalConvolution VolumetricConvolution"
    " LookupTable NCEModule".split()
)
# Those of them that draw from what ``reset`` is given.
DRAWN_BY_DEVIATION = DRAWN_ALIKE - {ESTIMATING}
# Those that put all that they are given into another shape or order.
KEEPING_ITEMS = frozenset(
    f"nn.{name}" for name in "Transpose Identity Contiguous Copy View Reshape Squeeze Unsqueeze".split()
)
# Those that compute without a bias where it is None.
BIAS_APART = frozenset(
    f"nn.{name}"
    for name in "Linear SpatialConvolution SpatialConvolutionMM SpatialFullConvolution VolumetricConvolution".split()
)
# Those whose weights have the rows of PyTorch's, in whatever order.
ROWS_ALIKE = frozenset(
    f"nn.{name}"
    for name in "Linear LookupTable FastLSTM LSTM GRU Recurrent Recurrence Recursor Add NCEModule".split()
)
# Those whose weights' columns are the rows of PyTorch's.
COLUMNS_ALIKE = frozenset(("nn.SeqLSTM",))
# Those whose gates see the cell, which PyTorch's do not, and those with gates as PyTorch's.
WITH_PEEPHOLES = frozenset(("nn.LSTM",))
WITHOUT_PEEPHOLES = frozenset(("nn.FastLSTM",))
# Fields of a layer that change what it computes, with what they are at first.
FLAGS = {ESTIMATING: {"batchnoise": "True", "normalized": "False", "logsoftmax": "False"}}
# The container that applies one after the other, and the one that shares out batches.
CHAIN = "nn.Sequential"
PARALLEL = "nn.DataParallelTable"
# Criterions that add the weights of the classes up, beside their value.
SUMMING_WEIGHTS = frozenset(("nn.ClassNLLCriterion", "nn.SpatialClassNLLCriterion"))
# Those that hold layers, and layers written in Lua: their weights are those of what they hold.
HOLDING = frozenset(
    f"nn.{name}"
    for name in "Module Container Recurrent Sequencer Recursor BiSequencer BiSequencerLM Repeater".split()
)
