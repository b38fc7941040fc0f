"""A script and its translation, run one after the other from the same weights and random draws.

The original runs in a Runtime that notes what it prints and draws and the layers it makes (original.py). The
translation then runs with PyTorch's and Python's random functions replaced by ones that hand out the same numbers
(replay.py, page.py), and each layer that it makes is given the first weights of its counterpart (partners.py).
"""
