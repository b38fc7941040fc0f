"""Importing this registers the layers of the dpnn package and what it adds to all modules and criterions."""

from __future__ import annotations

from torch7py.nn.dpnn_methods import BATCHING_METHODS, TRAINING_METHODS
from torch7py.nn.registry import extend
from torch7py.nn.sequence_methods import DPNN_METHODS
from torch7py.rnn import reverse  # noqa: F401
from torch7py.rnn.dpnn import (  # noqa: F401
    binary_convolution,
    choice,
    color,
    dictionary,
    dropout,
    glimpse,
    inception,
    logistic,
    nce,
    reinforce,
    reward,
    serial,
)

extend("nn.Module", DPNN_METHODS | TRAINING_METHODS, package="dpnn")
extend("nn.Criterion", BATCHING_METHODS, package="dpnn")
