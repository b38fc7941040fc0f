"""Drawing from many categories at once: torchx's torch.AliasMultinomial."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.copying import TensorMap
from torch7py.nn.object import TorchObject, names
from torch7py.nn.registry import layer
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.ops.random import fill

__all__ = ["AliasMultinomial"]


@layer("torch.AliasMultinomial", package="dpnn")
class AliasMultinomial(TorchObject):
    """``torch.AliasMultinomial(probs)``: draws of the categories 1 to n, by Walker's method of aliases.

    probs is a vector of n probabilities that sum to 1. A draw takes two numbers whatever n is: a category, kept with
    its probability in ``q``, or else the alias in ``J``.
    """

    fields: ClassVar[tuple[str, ...]] = ("J", "q", "dpnn_parameters")
    essential = ("J", "q")
    buffer_fields = ("J", "q")
    unsaved = ("output", "gradInput", "_type")
    lua_methods = names("setup batchdraw")

    def __init__(self, probs: torch.Tensor) -> None:
        super().__init__()
        for name, tensor in zip(("J", "q"), self.setup(probs), strict=True):
            self.set_field(name, tensor)

    def setup(self, probs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """``a:setup(probs)``: the aliases and the probabilities to keep a category."""
        if not isinstance(probs, torch.Tensor) or probs.dim() != 1 or not probs.is_floating_point():
            raise TorchError(f"{self.torch7_name}: the probabilities must be a vector of a floating type")
        count = len(probs)
        keep = (probs.double() * count).to(probs.dtype).cpu().numpy()  # each step is rounded to the type
        alias = [0] * count
        small = [i for i in range(count) if keep[i] < 1]
        large = [i for i in range(count) if not keep[i] < 1]
        while small and large:
            low, high = small.pop(), large.pop()
            alias[low] = high + 1
            keep[high] = float(keep[high]) - (1.0 - float(keep[low]))
            (small if keep[high] < 1 else large).append(high)
        q = torch.from_numpy(keep).clone()
        if not q.min() >= 0:
            raise TorchError(f"{self.torch7_name}: the probabilities must be 0 or more and sum to 1")
        if q.max() > 1:
            q /= q.max()
        aliases = torch.tensor(alias, dtype=torch.int64)
        q[aliases == 0] = 1  # what has no alias is kept
        device = probs.device
        return aliases.to(device), q.to(device)

    def batchdraw(self, output: torch.Tensor) -> torch.Tensor:
        """``a:batchdraw(output)``: fill a LongTensor with categories, and return it."""
        if not isinstance(output, torch.Tensor) or output.dtype != torch.int64 or not output.numel():
            raise TorchError(f"{self.torch7_name}: batchdraw fills a LongTensor with elements")
        generator = state.current().generator
        drawn = fill.random(
            generator, torch.empty_like(output, memory_format=torch.contiguous_format), 1, len(self.J)
        )
        kept = fill.bernoulli(generator, torch.empty_like(drawn), self.q[drawn.view(-1) - 1])
        return output.copy_(torch.where(kept == 1, drawn, self.J[drawn - 1]))

    def convert(self, convert: TensorMap, type_name: str | None, seen: set[int] | None = None) -> None:
        """``type()`` of what holds it leaves it as it is."""

    def forward(self, *arguments: Any) -> Any:
        raise TorchError(f"{self.torch7_name} is no layer")
