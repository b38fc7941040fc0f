"""First weights that are drawn as Torch7 draws them, where PyTorch draws others."""

from __future__ import annotations

import math

from torch import nn


class TemporalConvolution(nn.Conv1d):
    """A convolution of (frames, features), with a batch before them or without."""

    def forward(self, x):
        return super().forward(x.mT).mT


class Embedding(nn.Embedding):
    """The row of the padding begins as the others do, as in Torch7."""

    def reset_parameters(self):
        nn.init.normal_(self.weight)


class PartialLinear(nn.Linear):
    """Its first weights are normal, and its biases 0, as in Torch7."""

    def reset_parameters(self):
        nn.init.normal_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


def weight_normed(layer):
    """A layer that learns the length and the direction of its weights, from those that nn.WeightNorm draws."""
    nn.init.normal_(layer.weight, std=(2 / layer.weight[0].numel()) ** 0.5)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return nn.utils.parametrizations.weight_norm(layer)


def init_seq_lstm(lstm):
    """Draw normal weights, and let the gates keep the cells at first, as nn.SeqLSTM does."""
    size = getattr(lstm, "proj_size", 0) or lstm.hidden_size
    for name, p in lstm.named_parameters():
        if "weight_hr" in name:
            nn.init.normal_(p, std=sum(p.shape) ** -0.5)
        elif "weight" in name:
            nn.init.normal_(p, std=(lstm.input_size + lstm.hidden_size) ** -0.5)
        else:
            nn.init.zeros_(p)
            if "_ih" in name:
                nn.init.ones_(p.data[size : 2 * size])


def init_seq_gru(gru):
    """Draw normal weights, and let the gates keep the state at first, as nn.SeqGRU does."""
    for name, p in gru.named_parameters():
        if "weight" in name:
            nn.init.normal_(p, std=(gru.from_input.in_features + gru.size) ** -0.5)
        else:
            nn.init.zeros_(p)
    nn.init.ones_(gru.gates_from_input.bias.data[gru.size :])


def draw_weights(model, deviation):
    """Draw all weights of a model anew, with a standard deviation."""
    bound = deviation * math.sqrt(3)
    for layer in model.modules():
        for p in layer.parameters(recurse=False):
            if isinstance(layer, nn.Embedding):
                nn.init.normal_(p, 0, deviation)
            else:
                nn.init.uniform_(p, -bound, bound)
