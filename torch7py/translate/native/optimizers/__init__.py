"""optim as torch.optim: the same update where there is one, a small class where there is not.

``methods.py`` is the table of methods, ``finding.py`` finds a program's optimizers, ``writing.py`` writes them,
``settings.py`` what the program does to their settings while they run, and ``classes.py`` holds the classes that
torch.optim does not have.
"""

from __future__ import annotations
