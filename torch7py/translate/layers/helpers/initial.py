"""First weights that are drawn as Torch7 draws them, where PyTorch draws others."""

from __future__ import annotations

from torch7py.translate.layers.helpers.register import helper

for _cls in ("Conv1d", "Conv2d", "ConvTranspose2d", "ConvTranspose3d"):
    helper(
        _cls,
        f'''
class {_cls}(nn.{_cls}):
    """Its first weights are drawn by the number of all inputs, as Torch7 does."""

    def reset_parameters(self):
        bound = (self.in_channels * math.prod(self.kernel_size)) ** -0.5
        for p in self.parameters():
            nn.init.uniform_(p, -bound, bound)
''',
        derives=True,
    )

helper(
    "TemporalConvolution",
    '''
class TemporalConvolution(nn.Conv1d):
    """A convolution of (frames, features), with a batch before them or without."""

    def forward(self, x):
        return super().forward(x.mT).mT
''',
    derives=True,
)

_SCALES = """
    def reset_parameters(self):
        super().reset_parameters()
        if self.affine:
            nn.init.uniform_(self.weight)
"""

for _cls in ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d"):
    helper(
        _cls,
        f'''
class {_cls}(nn.{_cls}):
    """Its weights begin between 0 and 1, as in Torch7."""
{_SCALES}''',
        derives=True,
    )
    helper(
        f"Single{_cls}",
        f'''
class Single{_cls}(nn.{_cls}):
    """A batch of one example is normalized by the running statistics in training too, as in Torch7."""
{_SCALES}
    def forward(self, x):
        if len(x) > 1:
            return super().forward(x)
        return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
''',
        derives=True,
    )

helper(
    "Embedding",
    '''
class Embedding(nn.Embedding):
    """The row of the padding begins as the others do, as in Torch7."""

    def reset_parameters(self):
        nn.init.normal_(self.weight)
''',
    derives=True,
)

helper(
    "PartialLinear",
    '''
class PartialLinear(nn.Linear):
    """Its first weights are normal, and its biases 0, as in Torch7."""

    def reset_parameters(self):
        nn.init.normal_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)
''',
    derives=True,
)

helper(
    "weight_normed",
    '''
def weight_normed(layer):
    """A layer that learns the length and the direction of its weights, from those that nn.WeightNorm draws."""
    nn.init.normal_(layer.weight, std=(2 / layer.weight[0].numel()) ** 0.5)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return nn.utils.parametrizations.weight_norm(layer)
''',
    draws=True,
)

helper(
    "init_seq_lstm",
    '''
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
''',
    draws=True,
)

helper(
    "init_seq_gru",
    '''
def init_seq_gru(gru):
    """Draw normal weights, and let the gates keep the state at first, as nn.SeqGRU does."""
    for name, p in gru.named_parameters():
        if "weight" in name:
            nn.init.normal_(p, std=(gru.from_input.in_features + gru.size) ** -0.5)
        else:
            nn.init.zeros_(p)
    nn.init.ones_(gru.gates_from_input.bias.data[gru.size :])
''',
    draws=True,
)

helper(
    "draw_weights",
    '''
def draw_weights(model, deviation):
    """Draw all weights of a model anew, with a standard deviation."""
    bound = deviation * math.sqrt(3)
    for layer in model.modules():
        for p in layer.parameters(recurse=False):
            if isinstance(layer, nn.Embedding):
                nn.init.normal_(p, 0, deviation)
            else:
                nn.init.uniform_(p, -bound, bound)
''',
)
