"""Elementwise arithmetic: what is done to every element by itself, and the operators of Lua."""

from __future__ import annotations

import torch

from torch7py.ops.registry import Form, operation

__all__: list[str] = []

T = torch.Tensor

# -- with a number, or with the elements of another tensor ----------------------------------------------------

operation("add", "src:T value:real", Form.UPDATE, inplace=T.add_)(torch.add)
operation("add", "src:T other:like", inplace=T.add_)(torch.add)


@operation("add", "src:T scale:real other:like", inplace=lambda src, scale, other: src.add_(other, alpha=scale))
def _add_scaled(src: T, scale: float, other: T) -> T:
    """``src + scale * other``"""
    return torch.add(src, other, alpha=scale)


# -- operators ------------------------------------------------------------------------------------------------

operation("__add", "a:T b:real", Form.FUNCTION)(torch.add)
operation("__add", "a:T b:like")(torch.add)
operation("__add", "a:real b:T")(lambda a, b: torch.add(b, a))
