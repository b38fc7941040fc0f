"""Which input plane leads to which output plane, for ``nn.SpatialConvolutionMap`` and its kin.

A table of connections is a tensor with a row ``{input plane, output plane}`` for each, counted from 1.
"""

from __future__ import annotations

import torch

from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.ops.random import choose

__all__ = ["full", "one_to_one", "random"]


def full(nin: int, nout: int) -> torch.Tensor:
    """``nn.tables.full(nin, nout)``: every input plane to every output plane."""
    return _table([(i, o) for o in range(1, int(nout) + 1) for i in range(1, int(nin) + 1)])


def one_to_one(nfeat: int) -> torch.Tensor:
    """``nn.tables.oneToOne(nfeat)``: each plane to the output plane of its number."""
    return _table([(i, i) for i in range(1, int(nfeat) + 1)])


def random(nin: int, nout: int, nto: int) -> torch.Tensor:
    """``nn.tables.random(nin, nout, nto)``: nto input planes, drawn at random, to every output plane.

    A permutation of the input planes is dealt out in hands of nto; what does not fill a hand is left out, and a new
    permutation follows.
    """
    inputs, hand = int(nin), int(nto)
    if not 1 <= hand <= inputs:
        raise TorchError(f"nn.tables.random: cannot choose {hand} of {inputs} planes")
    generator = state.current().generator
    deck = choose.randperm(generator, inputs).tolist()
    pairs = []
    dealt = 0
    for output in range(1, int(nout) + 1):
        pairs += [(int(i), output) for i in deck[dealt * hand : (dealt + 1) * hand]]
        dealt += 1
        if dealt == inputs // hand:
            deck, dealt = choose.randperm(generator, inputs).tolist(), 0
    return _table(pairs)


def _table(pairs: list[tuple[int, int]]) -> torch.Tensor:
    # on the CPU, where whoever makes a layer of it reads it
    return torch.tensor(pairs, dtype=state.current().default_type.dtype, device="cpu").reshape(-1, 2)
