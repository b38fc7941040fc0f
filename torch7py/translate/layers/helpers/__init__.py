"""What PyTorch has no plain equivalent for, written out into pages: functions and classes, one family a file.

The files of this folder are read as texts, of which a page gets those definitions that it uses. They say nothing of
types, as pages do not.
"""

from __future__ import annotations

import ast
from importlib import resources

__all__ = ["DERIVED", "DRAWING", "HELPERS"]

# Functions that draw the first weights of what they are given.
DRAWING = frozenset({"init_seq_gru", "init_seq_lstm", "weight_normed"})

# Modules of PyTorch's from which classes derive that are not used as these.
_OTHERS = {"nn.LSTMCell", "nn.Module", "nn.ModuleList"}
_CONVOLUTION = '''
class {0}(nn.{0}):
    """Its first weights are drawn by the number of all inputs, as Torch7 does."""

    def reset_parameters(self):
        bound = (self.in_channels * math.prod(self.kernel_size)) ** -0.5
        for p in self.parameters():
            nn.init.uniform_(p, -bound, bound)
'''
_NORMALIZATION = '''
class {0}(nn.{0}):
    """Its weights begin between 0 and 1, as in Torch7."""

    def reset_parameters(self):
        super().reset_parameters()
        if self.affine:
            nn.init.uniform_(self.weight)
'''
_OF_SINGLE_EXAMPLES = '''
class Single{0}(nn.{0}):
    """A batch of one example is normalized by the running statistics in training too, as in Torch7."""

    def reset_parameters(self):
        super().reset_parameters()
        if self.affine:
            nn.init.uniform_(self.weight)

    def forward(self, x):
        if len(x) > 1:
            return super().forward(x)
        return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
'''
_VARIANTS = {
    _CONVOLUTION: ("Conv1d", "Conv2d", "ConvTranspose2d", "ConvTranspose3d"),
    _NORMALIZATION: ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d"),
    _OF_SINGLE_EXAMPLES: ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d"),
}


def _read() -> tuple[dict[str, str], dict[str, str]]:
    """The texts by the names that they define, and the modules of PyTorch's of which a class is used as one."""
    files = [file for file in resources.files(__name__).iterdir() if file.name.endswith(".py")]
    codes = [file.read_text(encoding="utf-8") for file in files if file.name != "__init__.py"]
    codes += [text.format(name) for text, names in _VARIANTS.items() for name in names]
    texts: dict[str, str] = {}
    derived: dict[str, str] = {}
    for code in codes:
        for node in ast.parse(code).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                if node.name in texts:
                    raise ValueError(f"two helpers are called {node.name}")
                texts[node.name] = ast.get_source_segment(code, node) or ""
            if isinstance(node, ast.ClassDef) and node.bases:
                base = ast.unparse(node.bases[0])
                if base.startswith("nn.") and base not in _OTHERS:
                    derived[node.name] = base
    return texts, derived


HELPERS, DERIVED = _read()
