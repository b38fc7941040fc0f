"""A program beside a port of it that somebody, or something else, has written.

The same comparison as of a translation with its original (``translate/comparison``), without what only the translator
knows of its own pages: weights are matched by the class of a layer, order and shape (``weights.py``), random numbers go
by what kind they are (``draws.py``), and both runs keep a history of losses, gradients and weights (``history.py``), so
that it can be told where they part first (``outcome.py``).
"""
