"""Importing this registers the layers of the dpnn package and what it adds to all modules."""

from __future__ import annotations

from torch7py.nn.registry import extend
from torch7py.nn.stepping import DPNN_METHODS
from torch7py.rnn import reverse  # noqa: F401

extend("nn.Module", DPNN_METHODS, package="dpnn")
