"""Training steps: hand-written backward passes become ``loss.backward()``, optim becomes torch.optim.

Torch7 calls ``backward`` on the criterion and then on each module. Those calls, and everything that only serves them
(gradients passed on, added up, carried back through time), are one ``loss.backward()`` in PyTorch. What is taken for
such a statement: it stores, changes or passes on nothing but results of backward calls (backward.py). The loss is
what the program stored of the criterion's forward (losses.py).
"""

from __future__ import annotations
