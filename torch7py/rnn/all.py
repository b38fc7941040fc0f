"""Importing this registers the layers of the rnn package and the methods it adds to all modules."""

from __future__ import annotations

from torch7py.nn.registry import extend
from torch7py.nn.sequence_methods import RNN_METHODS
from torch7py.ops.support import restricted, unsupported
from torch7py.rnn import (  # noqa: F401
    attention,
    bidirectional,
    criterion,
    dropout,
    fast_lstm,
    gru,
    linear,
    lstm,
    masking,
    mufuru,
    recurrence,
    recurrent,
    reverse,
    seq_gru,
    seq_lstm,
    sequence_lines,
    sequencer,
    stabilizer,
)
from torch7py.rnn.dpnn import all as _dpnn  # noqa: F401

extend("nn.Module", RNN_METHODS, package="rnn")

unsupported("nn.ExpandAs", "a file of the repository that the package neither installs nor loads")
unsupported("rnn.rnn", "the package's table is the global rnn, and nn.rnn")
unsupported("rnn.AbstractRecurrent", "the class is nn.AbstractRecurrent")
for _name in ("adapter", "gradAdapter"):
    restricted(
        f"rnn:{_name}", "SeqLSTM's does nothing, and a definition of a script's own is an error when called"
    )
for _name in ("recursiveMask", "_prepare_size"):
    unsupported(f"rnn:{_name}", "what masks and checks is not a method of its own")
