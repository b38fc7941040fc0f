"""Layers that are treated alike for what no single fact of theirs says."""

# Those that take a whole sequence as one tensor.
from __future__ import annotations

SEQUENCES = frozenset(("nn.SeqLSTM", "nn.SeqLSTMP", "nn.SeqGRU"))
# Those whose state is an output and a cell, and an output alone.
WITH_CELL = frozenset(("nn.SeqLSTM", "nn.LSTM", "nn.FastLSTM"))
WITHOUT_CELL = frozenset(("nn.SeqGRU", "nn.GRU"))
# Those that give a part of a table, whose other gradients are zeros.
LEAVING_OUT = frozenset(("nn.SelectTable", "nn.NarrowTable"))
# Those whose first weights are drawn as PyTorch draws them.
DRAWN_ALIKE = frozenset(
    f"nn.{name}"
    for name in "Linear SpatialConvolution SpatialConvolutionMM TemporalConvolution VolumetricConvolution"
    " LookupTable NCEModule".split()
)
# Those whose weights have the rows of PyTorch's, in whatever order.
ROWS_ALIKE = frozenset(
    f"nn.{name}"
    for name in "Linear LookupTable FastLSTM LSTM GRU Recurrent Recurrence Recursor Add NCEModule".split()
)
# Criterions that add the weights of the classes up, beside their value.
SUMMING_WEIGHTS = frozenset(("nn.ClassNLLCriterion", "nn.SpatialClassNLLCriterion"))
# Those that hold layers, and layers written in Lua: their weights are those of what they hold.
HOLDING = frozenset(
    f"nn.{name}"
    for name in "Module Container Recurrent Sequencer Recursor BiSequencer BiSequencerLM Repeater".split()
)
