"""Recurrent layers other than PyTorch's own."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class PeepholeLSTM(nn.Module):
    """An LSTM whose gates also see the cell, each unit its own (Graves, 2013)."""

    def __init__(self, inputs, size):
        super().__init__()
        self.size = size
        self.from_input = nn.Linear(inputs, 4 * size)
        self.from_output = nn.Linear(size, 4 * size, bias=False)
        self.peepholes = nn.Parameter(torch.empty(3, size).uniform_(-(size**-0.5), size**-0.5))

    def forward(self, x, state=None):
        zeros = x.new_zeros(*x.shape[1:-1], self.size)
        h, c = (zeros, zeros) if state is None else (s[0] for s in state)
        to_input, to_forget, to_output = self.peepholes
        outputs = []
        for gates in self.from_input(x):
            i, f, z, o = (gates + self.from_output(h)).chunk(4, -1)
            i, f = torch.sigmoid(i + to_input * c), torch.sigmoid(f + to_forget * c)
            c = f * c + i * torch.tanh(z)
            h = torch.sigmoid(o + to_output * c) * torch.tanh(c)
            outputs.append(h)
        return torch.stack(outputs), (h[None], c[None])


class GRU(nn.Module):
    """A gated recurrent unit that resets its output before the product, where nn.GRU resets the product."""

    def __init__(self, inputs, size, batch_first=False):
        super().__init__()
        self.size, self.batch_first = size, batch_first
        self.gates_from_input = nn.Linear(inputs, 2 * size)
        self.gates_from_output = nn.Linear(size, 2 * size, bias=False)
        self.from_input = nn.Linear(inputs, size)
        self.from_kept = nn.Linear(size, size, bias=False)

    def forward(self, x, h=None):
        x = x.transpose(0, 1) if self.batch_first else x
        h = x.new_zeros(*x.shape[1:-1], self.size) if h is None else h
        outputs = []
        for gates, new in zip(self.gates_from_input(x), self.from_input(x), strict=True):
            r, z = torch.sigmoid(gates + self.gates_from_output(h)).chunk(2, -1)
            h = z * h + (1 - z) * torch.tanh(new + self.from_kept(r * h))
            outputs.append(h)
        return torch.stack(outputs, 1 if self.batch_first else 0), h


class MaskedGRU(GRU):
    """A GRU whose output becomes 0 where a step's input is 0."""

    def forward(self, x, h=None):
        outputs = []
        for step in x:
            mask = (step == 0).all(-1, keepdim=True)
            h = super().forward(step.unsqueeze(0), h)[1].masked_fill(mask, 0)
            outputs.append(h)
        return torch.stack(outputs), h


class DropoutGRU(nn.Module):
    """A GRU whose gates each drop out their input and output by masks of their own.

    Each step draws some, but as in rnn a step that training has not seen before takes those of the first step.
    """

    def __init__(self, inputs, size, p):
        super().__init__()
        self.size, self.p, self.known = size, p, 0
        self.reset_from_input, self.update_from_input = nn.Linear(inputs, size), nn.Linear(inputs, size)
        self.reset_from_output = nn.Linear(size, size, bias=False)
        self.update_from_output = nn.Linear(size, size, bias=False)
        self.from_input, self.from_kept = nn.Linear(inputs, size), nn.Linear(size, size, bias=False)

    def forward(self, x, h=None):
        h = x.new_zeros(*x.shape[1:-1], self.size) if h is None else h
        outputs, first = [], None
        for number, step in enumerate(x):
            if number == 0 or number < self.known:
                ones = [torch.ones_like(part) for part in (step, step, h, h, step, h)]
                drop = [F.dropout(part, self.p, self.training) for part in ones]
                first = first or drop
            else:
                drop = first
            r = torch.sigmoid(self.reset_from_input(step * drop[0]) + self.reset_from_output(h * drop[2]))
            z = torch.sigmoid(self.update_from_input(step * drop[1]) + self.update_from_output(h * drop[3]))
            new = torch.tanh(self.from_input(step * drop[4]) + self.from_kept(r * h * drop[5]))
            h = z * h + (1 - z) * new
            outputs.append(h)
        if self.training:
            self.known = max(self.known, len(x))
        return torch.stack(outputs), h


class MuFuRu(nn.Module):
    """A unit that mixes functions of its old and its new state (Weissenborn and Rocktaeschel, 2016)."""

    def __init__(self, inputs, size, functions=None):
        super().__init__()
        self.size = size
        every = ["keep", "replace", "mul", "diff", "forget", "sqrt_diff", "max", "min"]
        self.functions = functions or every
        self.reset_from_input, self.reset_from_output = nn.Linear(inputs, size), nn.Linear(size, size)
        self.new = nn.Linear(inputs + size, size)
        self.shares = nn.Linear(inputs + size, len(self.functions) * size)

    def forward(self, x, h=None):
        h = x.new_zeros(*x.shape[1:-1], self.size) if h is None else h
        outputs = []
        for step in x:
            r = torch.sigmoid(self.reset_from_input(step) + self.reset_from_output(h))
            v = torch.sigmoid(self.new(torch.cat((step, r * h), dim=-1)))
            shares = self.shares(torch.cat((step, h), dim=-1)).unflatten(-1, (-1, self.size)).softmax(-2)
            h = (shares * torch.stack([self.mixed(name, h, v) for name in self.functions], -2)).sum(-2)
            outputs.append(h)
        return torch.stack(outputs), h

    @staticmethod
    def mixed(name, h, v):
        if name in ("keep", "replace"):
            return h if name == "keep" else v
        if name in ("max", "min"):
            return torch.where(v > h if name == "max" else v < h, v, h)
        if name == "sqrt_diff":
            return 0.25 * (h - v).abs().sqrt()
        return {"mul": h * v, "diff": h - v, "forget": h * 0}[name]


def detach_states(model):
    """What recurrent layers keep for the next step is cut off from its graph."""
    for part in model.modules():
        for name in [name for name in vars(part) if name.startswith("state")]:
            state = getattr(part, name)
            if isinstance(state, tuple):
                setattr(part, name, tuple(s.detach() for s in state))
            elif state is not None:
                setattr(part, name, state.detach())


class MaskedLSTM(nn.LSTMCell):
    """An LSTM whose output and state become 0 where a step's input is 0."""

    def __init__(self, inputs, size, batch_first=False):
        super().__init__(inputs, size)
        self.batch_first = batch_first

    def forward(self, x, state=None):
        x = x.transpose(0, 1) if self.batch_first else x
        zeros = x.new_zeros(*x.shape[1:-1], self.hidden_size)
        h, c = (zeros, zeros) if state is None else (s[0] for s in state)
        outputs = []
        for step in x:
            mask = (step == 0).all(-1, keepdim=True)
            h, c = (s.masked_fill(mask, 0) for s in super().forward(step, (h, c)))
            outputs.append(h)
        return torch.stack(outputs, 1 if self.batch_first else 0), (h[None], c[None])


def forget(model):
    """Start the next sequence of every recurrent layer in a model from a state of 0."""
    for module in model.modules():
        if hasattr(module, "forget"):
            module.forget()


def state_after(layer, step):
    """The state in which a layer was after a step of its last sequence, which must be the last one."""
    if step != layer.steps:
        raise ValueError(f"the state after step {step} of {layer.steps}")
    return layer.end


class MaskedPeepholeLSTM(PeepholeLSTM):
    """An LSTM with peepholes whose output and state become 0 where a step's input is 0."""

    def forward(self, x, state=None):
        outputs = []
        for step in x:
            mask = (step == 0).all(-1, keepdim=True)
            _, state = super().forward(step.unsqueeze(0), state)
            state = tuple(s.masked_fill(mask, 0) for s in state)
            outputs.append(state[0][0])
        return torch.stack(outputs), state
