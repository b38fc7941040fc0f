"""Torch7's cudnn: the layers of NVIDIA's library under names of their own.

They are the layers of nn, with cuDNN's arguments and defaults where these differ. A cudnn layer exists where its nn
twin does (see ``twins.py``).
"""
