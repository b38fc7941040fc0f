"""The program of the post (programs/post.lua) against the same training written for PyTorch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from bench.measure import Result, Target, alternate
from torch7py.bridge.runtime import Runtime

__all__ = ["results"]

PROGRAM = Path(__file__).parent / "programs" / "post.lua"
TARGET = Target(1.6)
ROWS = 5, 1e-9  # what the losses of the two may differ by, relative
AGREE = {"float64": 1e-9, "float32": 1e-3}  # how far apart, relative, the losses of the two may lie
STEPS = 5
LEARNING_RATE = 0.1


class Port(nn.Module):
    """The post's model as one would write it today, with the weights of the original."""

    def __init__(self, items: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(items, hidden)
        self.lstm = nn.LSTM(hidden, hidden)
        self.output = nn.Linear(hidden, items)
        # FastLSTM has one bias where nn.LSTM adds two.
        nn.init.zeros_(self.lstm.bias_hh_l0).requires_grad_(False)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        hidden, _ = self.lstm(self.embedding(inputs))
        return F.log_softmax(self.output(hidden), dim=-1)
