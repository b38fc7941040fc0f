"""Kmeans: clusters that move towards the examples nearest to them."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import check_type, number
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.ops import row_sort, state
from torch7py.ops.errors import TorchError
from torch7py.ops.random import scalar, uniform_

__all__ = ["Kmeans"]


@layer("nn.Kmeans", parameters="weight:2~uniform(1)")
class Kmeans(Module):
    """``nn.Kmeans(k, dim[, scale])``: the number, from 1 on, of the nearest of k centers.

    Shapes: ``(batch, dim)`` -> ``(batch)``. The centers are the weight, drawn from ``uniform(-1, 1)``; ``initRandom``
    and ``initKmeansPlus`` put them on examples. After a forward the field ``loss`` is the sum of the squared distances.
    The backward needs no gradient: it adds, for each center, ``-scale`` (1) times the mean of what its examples differ
    from it, so that ``weight - gradWeight`` is the next step. gradInput is zeros.
    """

    traced = False
    cleared_by_type = True
    fields: ClassVar[tuple[str, ...]] = ("k", "dim", "scale", "loss", "clusterSampleCount", "p")
    lua_methods = names("initRandom initKmeansPlus")

    def __init__(self, k: int, dim: int, scale: float | None = None) -> None:
        super().__init__()
        for what, value in (("k", k), ("dim", dim)):
            if not number("nn.Kmeans", what, value) > 0:
                raise TorchError(f"nn.Kmeans: {what} must be above 0")
        self.k, self.dim, self.scale = int(k), int(dim), scale
        self.add_parameter("weight", self.new(self.k, self.dim))
        self.loss = 0.0
        self.__dict__["clusterSampleCount"] = self.new(self.k)
        self.reset()

    def reset(self, stdv: float | None = None) -> None:
        """``m:reset([bound])``: draw the centers from ``uniform(-bound, bound)``, 1 by default."""
        bound = 1 if stdv is None else stdv
        uniform_(self.weight.data, -bound, bound)

    def clearState(self) -> Module:
        self.__dict__.pop("_numbers", None)
        return self  # the results stay, as in the original

    def _check(self, input: Any) -> torch.Tensor:
        if not isinstance(input, torch.Tensor) or input.dim() != 2 or input.shape[1] != self.dim:
            sizes = size_text(input) if isinstance(input, torch.Tensor) else "no tensor"
            raise TorchError(
                f"{self.class_name}: the input must be a matrix of {self.dim} columns, not {sizes}"
            )
        check_type(self, "the input", input, self.weight)
        return input

    def initRandom(self, input: torch.Tensor) -> None:
        """``m:initRandom(input)``: centers on examples drawn at random; two may be the same."""
        count = len(self._check(input))
        if count < self.k:
            raise TorchError(f"{self.class_name}: {count} examples for {self.k} centers")
        generator = state.current().generator
        chosen = [int(scalar.random(generator, 1, count)) - 1 for _ in range(self.k)]
        self.weight.data.copy_(input[chosen])

    def initKmeansPlus(self, input: torch.Tensor, p: float | None = None) -> None:
        """``m:initKmeansPlus(input[, p])``: each center on an example far from those before (kmeans++).

        It is drawn from the share ``1 - p`` (p is 0.95) of the examples that are farthest from all centers so far.
        """
        count = len(self._check(input))
        kept = self.__dict__.get("p")
        self.p = p if p is not None else 0.95 if kept is None else kept
        if not 0 <= self.p <= 1:
            raise TorchError(f"{self.class_name}: p must be from 0 to 1")
        generator = state.current().generator
        far = max(math.ceil((1 - self.p) * count), 1)
        centers = self.weight.data
        centers[0] = input[int(scalar.random(generator, count)) - 1]
        distances = torch.full_like(input[:, 0], math.inf)
        for number_of_center in range(1, self.k):
            distances = torch.minimum(distances, (input - centers[number_of_center - 1]).norm(2, 1).square())
            order = row_sort.sort(distances.cpu()[None], descending=True)[0]
            centers[number_of_center] = input[int(order[int(scalar.random(generator, far)) - 1])]

    def _nearest(self, input: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """For each example the squared distance of the nearest center and the center's number, 0-based."""
        differences = self._check(input).unsqueeze(0) - self.weight.unsqueeze(1)
        nearest = differences.detach().norm(2, 2).square().min(0)
        return nearest.values, nearest.indices

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        distances, numbers = self._nearest(input)
        if self.noting:
            self.loss = 0.0 if distances.is_meta else float(distances.sum())
            self.__dict__["_numbers"] = numbers
        return (numbers + 1).to(input.dtype)

    def grad_input(self, input: torch.Tensor, gradOutput: Any) -> torch.Tensor:
        return torch.zeros_like(self._check(input))

    def updateGradInput(self, input: torch.Tensor, gradOutput: Any = None) -> Any:
        return super().updateGradInput(input, gradOutput)

    def accGradParameters(self, input: torch.Tensor, gradOutput: Any = None, scale: float = 1) -> None:
        scale = scale if self.scale is None else self.scale
        if not scale > 0:
            raise TorchError(f"{self.class_name}: the scale must be above 0")
        buffer = self.gradient("weight")
        if buffer is None:
            return
        numbers = self.__dict__.get("_numbers")  # those of the last forward, whatever has moved since
        if numbers is None or len(numbers) != len(self._check(input)):
            numbers = self._nearest(input)[1]
        counts = self.clusterSampleCount.data.zero_().index_add_(0, numbers, torch.ones_like(input[:, 0]))
        steps = (input - self.weight.data[numbers]).mul_(-scale)
        total = torch.zeros_like(self.weight.data).index_add_(0, numbers, steps)
        buffer.add_(total.div_((counts + 1e-7).unsqueeze(1)))

    def backward(self, input: torch.Tensor, gradOutput: Any = None, scale: float = 1) -> Any:
        return super().backward(input, gradOutput, scale)
