"""Stochastic pooling: one random element of each window, with probability proportional to its value."""

from __future__ import annotations

import torch

from torch7py.nn.checks import check_shape
from torch7py.nn.pooling_max import SpatialMaxPooling
from torch7py.nn.registry import layer
from torch7py.nn.window_max import put_back, whole_indices
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.ops.random import uniform_

__all__ = ["SpatialStochasticPooling"]

TINY = torch.finfo(torch.float32).tiny  # the original adds this to a sum before dividing by it


@layer("inn.SpatialStochasticPooling", draws=True, differs_in_training=True, begins_training=True)
class SpatialStochasticPooling(SpatialMaxPooling):
    """``inn.SpatialStochasticPooling(kW, kH[, dW, dH])``: of each window one element at random (Zeiler and Fergus,
    2013).

    Shapes are those of ``nn.SpatialMaxPooling`` after ``m:ceil()``, a last window may reach beyond the image. In
    training an element's probability is its share of the window's sum, for elements of at least 0; in evaluation the
    output is ``sum x^2 / sum x``, and there is no backward. ``indices`` has the positions of the chosen elements in
    their planes, from 1.

    The original has it on the GPU only, and its constructor moves it there; here it is moved where there is a GPU.
    Random numbers come from torch's stream.
    """

    def __init__(self, kW: int, kH: int, dW: int | None = None, dH: int | None = None) -> None:
        super().__init__(kW, kH, dW, dH)
        self.ceil_mode = True
        self.set_training()
        if state.current().gpu is not None:
            self.torch7_cuda()

    def _windows(self, batch: torch.Tensor) -> torch.Tensor:
        """``(batch, planes, oh, ow, kH, kW)``: the windows, with zeros where one reaches beyond the image."""
        window, grid = self.window(), self.windows_of(batch)
        reach = [
            max(0, step * (n - 1) + kernel - size)
            for step, n, kernel, size in zip(window.step, grid, window.kernel, batch.shape[2:], strict=True)
        ]
        padded = torch.nn.functional.pad(batch, (0, reach[1], 0, reach[0]))
        rows = padded.unfold(2, window.kernel[0], window.step[0])
        return rows.unfold(3, window.kernel[1], window.step[1])

    def pool(self, input: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        self.ceil_mode = True
        batch = self.as_batch(input)
        elements = self._windows(batch).flatten(4)
        if not self.training:
            sums = elements.sum(-1) + TINY
            return batch, elements.square().sum(-1) / sums, torch.empty(0)
        sums = elements.detach().cumsum(-1)
        threshold = uniform_(elements.new_empty(elements.shape[:-1])) * sums[..., -1]
        number_of = (sums >= threshold.unsqueeze(-1)).to(torch.uint8).argmax(-1)  # the first that reaches it
        indices = self._indices(number_of, batch)
        self.note("indices", self.like_input(indices, input))
        return batch, elements.gather(-1, number_of.unsqueeze(-1)).squeeze(-1), indices

    def _indices(self, number_of: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
        """The positions in their planes, from 1, of elements numbered within their windows."""
        window = self.window()
        rows = torch.arange(number_of.shape[2], device=batch.device).view(-1, 1) * window.step[0]
        columns = torch.arange(number_of.shape[3], device=batch.device) * window.step[1]
        down = rows + number_of // window.kernel[1]
        return down * batch.shape[3] + columns + number_of % window.kernel[1] + 1

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return self.like_input(self.pool(input)[1], input)

    def updateOutput(self, input: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = self.keep_output(self.noted(self.forward, input.data))
        return output

    def grad_input(self, input: torch.Tensor, gradOutput: torch.Tensor) -> torch.Tensor:
        if not self.training:
            raise TorchError(f"{self.class_name}: there is no backward in evaluation")
        batch = self.as_batch(input)
        indices = whole_indices(self)
        gradient = self.gradient_batch(gradOutput, input, (*batch.shape[:2], *self.windows_of(batch)))
        check_shape(self, "gradOutput", self.like_input(gradient, input), indices)
        return self.like_input(put_back(gradient, indices.view(gradient.shape), batch.shape[2:]), input)
