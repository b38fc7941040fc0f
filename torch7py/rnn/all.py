"""Importing this registers the layers of the rnn package and the methods it adds to all modules."""

from __future__ import annotations

from torch7py.nn.registry import extend
from torch7py.nn.stepping import RNN_METHODS
from torch7py.rnn import (  # noqa: F401
    bidirectional,
    criterion,
    dropout,
    fast_lstm,
    gru,
    linear,
    lstm,
    recurrent,
    reverse,
    sequencer,
)

extend("nn.Module", RNN_METHODS, package="rnn")
