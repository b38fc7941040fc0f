"""optim as torch.optim: the same update where there is one, a small class where there is not.

``methods.py`` is the table of methods, ``finding.py`` finds a program's optimizers, ``writing.py`` writes them,
``settings.py`` what the program does to their settings while they run, and ``classes.py`` holds the classes that
torch.optim does not have.
"""

from __future__ import annotations

from torch7py.translate.native.optimizers.classes import CLASSES
from torch7py.translate.native.optimizers.finding import find
from torch7py.translate.native.optimizers.methods import Definition, Optimizer
from torch7py.translate.native.optimizers.settings import listed, settings_field, value_of_field
from torch7py.translate.native.optimizers.writing import give_gradient, holds_loss, of_call, step, write

__all__ = [
    "CLASSES",
    "Definition",
    "Optimizer",
    "find",
    "give_gradient",
    "holds_loss",
    "listed",
    "of_call",
    "settings_field",
    "step",
    "value_of_field",
    "write",
]
