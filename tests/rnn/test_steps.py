"""The steps of a sequence as one tensor."""

from __future__ import annotations

import torch

from torch7py.rnn.steps import joined


def test_joined_views_are_not_copied() -> None:
    whole = torch.randn(4, 2, 3)
    assert joined(list(whole)).data_ptr() == whole.data_ptr()
    assert torch.equal(joined(list(whole)), whole)
    turned = [whole[t] for t in (1, 0, 2, 3)]
    assert torch.equal(joined(turned), whole[[1, 0, 2, 3]])
    strided = [whole[t].t() for t in range(4)]
    assert torch.equal(joined(strided), whole.transpose(1, 2))
    apart = [torch.randn(2, 3), torch.randn(2, 3)]
    assert torch.equal(joined(apart), torch.stack(apart))
