"""nccl: its collective operations on one device."""

from __future__ import annotations

from tests.inner_runtime import InnerRuntime as Runtime


def test_nccl():
    assert Runtime(cuda_as="cpu").execute("""
        local nccl = require 'nccl'
        local function t(...) return torch.CudaTensor {...} end
        local a, b, all, parts = t(1, 2), t(10, 20), {t(0, 0, 0, 0), t(0, 0, 0, 0)}, {t(0, 0), t(0, 0)}
        nccl.allGather({a, b}, all)
        nccl.reduceScatter(all, parts)
        nccl.allReduce({a, b})
        local sums = a:sum() .. ' ' .. b:sum()
        b:fill(1)
        nccl.bcast({a, b}, true, 2)
        nccl.reduce({a, b}, nil, true)
        return sums, a:sum(), b:sum(), all[2]:sum(), parts[2]:sum(), pcall(nccl.bcast, {a, t(1)})
    """)[:6] == ("33 33", 4, 2, 33, 60, False)
