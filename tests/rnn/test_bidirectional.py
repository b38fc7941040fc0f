"""BiSequencer, BiSequencerLM, SeqBRNN: both directions beside the modules they are made of."""

from __future__ import annotations

import torch

from torch7py.rnn.bidirectional import SeqBRNN

STEPS, BATCH, INPUTS, OUTPUTS = 6, 3, 4, 5


def draw(*size: int, seed: int = 5) -> torch.Tensor:
    return torch.randn(*size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def close(one: torch.Tensor, other: torch.Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


def test_a_bidirectional_network_is_the_sum_of_both():
    module = SeqBRNN(INPUTS, OUTPUTS)
    x = draw(STEPS, BATCH, INPUTS)
    first, last = module.forwardModule, module.backwardModule
    wanted = first(x) + last(x.flip(0)).flip(0)
    close(module.updateOutput(x), wanted.detach())
    close(module(x).detach(), wanted.detach())
    batch_first = SeqBRNN(INPUTS, OUTPUTS, True, None)
    for target, source in zip(batch_first.torch7_parameters()[0], module.torch7_parameters()[0], strict=True):
        target.data.copy_(source)
    close(batch_first.updateOutput(x.transpose(0, 1)), wanted.detach().transpose(0, 1))
