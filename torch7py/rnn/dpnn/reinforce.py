"""Layers that draw samples and learn by the REINFORCE rule (Williams, 1992).

The output is a sample of a distribution with the input as its parameters. A criterion calls ``reinforce(reward)``,
one reward for each example, and the gradient of the input is ``-reward`` times the derivative of the sample's log
probability: going against it makes rewarded samples likelier. What gradOutput holds does not matter.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch

from torch7py.nn.arguments import size_text, tensors
from torch7py.nn.base import Module
from torch7py.nn.checks import check_shape, check_type, truthy
from torch7py.nn.object import names
from torch7py.nn.once_differentiable import once
from torch7py.nn.registry import layer
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.ops.random import choose, normal_, uniform_
from torch7py.ops.support import restricted

__all__ = [
    "Reinforce",
    "ReinforceBernoulli",
    "ReinforceCategorical",
    "ReinforceGamma",
    "ReinforceNormal",
]

EPSILON = 1e-8  # keeps divisors away from 0


class _Sampled(torch.autograd.Function):
    """A sample; its gradient is what the layer makes of the reward."""

    @staticmethod
    def forward(ctx: Any, layer: Reinforce, is_table: bool, *inputs: torch.Tensor) -> torch.Tensor:
        ctx.owner = ctx.layer = layer
        ctx.is_table = is_table
        with torch.no_grad():
            sample = layer.sample(list(inputs) if is_table else inputs[0])
        ctx.save_for_backward(sample, *inputs)
        return sample

    @staticmethod
    @once
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        sample, *inputs = ctx.saved_tensors
        gradient = ctx.layer.estimate(inputs if ctx.is_table else inputs[0], sample)
        return None, None, *(gradient if ctx.is_table else [gradient])


@layer("nn.Reinforce", package="dpnn", keeps_rank=True)
class Reinforce(Module):
    """``nn.Reinforce([stochastic])``: the base of layers that REINFORCE teaches; alone it passes its input on.

    Shapes: any; the output is the input, the gradient the reward. With ``stochastic`` the subclasses draw samples in
    evaluation too. ``m:reinforce(reward)`` gives a reward, a vector with a number for each example.
    """

    traced = False
    fields: ClassVar[tuple[str, ...]] = ("stochastic", "reward")
    lua_methods = names("rewardAs reinforce")
    reward: torch.Tensor | None = None

    def __init__(self, stochastic: bool | None = None) -> None:
        super().__init__()
        self.stochastic = stochastic

    def reinforce(self, reward: Any) -> None:
        """``m:reinforce(reward)``: the rewards of the last forward's examples."""
        super().reinforce(reward)
        self.__dict__["reward"] = reward

    def rewardAs(self, input: torch.Tensor) -> torch.Tensor:
        """``m:rewardAs(input)``: the reward of each element's example, in the shape of a batch of inputs."""
        reward = self.reward
        if not isinstance(reward, torch.Tensor) or reward.dim() != 1:
            raise TorchError(f"{self.class_name}: a backward needs a reward, a vector, by reinforce(reward)")
        check_type(self, "the reward", reward, input)
        if reward.shape == input.shape:
            return reward
        batch = input if reward.shape[0] == input.shape[0] else input.unsqueeze(0)
        if reward.shape[0] != batch.shape[0]:
            raise TorchError(
                f"{self.class_name}: there are {reward.shape[0]} rewards for {input.shape[0]} examples"
            )
        return reward.view(-1, *[1] * (batch.dim() - 1)).expand(batch.shape)

    @property
    def draws(self) -> bool:
        """Whether a forward draws a sample."""
        return self.training or truthy(self.stochastic)

    def sample(self, input: Any) -> torch.Tensor:
        """What a forward gives: a sample, or the likeliest value where none is drawn."""
        return input.clone()

    def slopes(self, input: Any, sample: torch.Tensor) -> Any:
        """The derivative of the sample's log probability by the input, a list of them where that is a table."""
        return -torch.ones_like(input)

    def estimate(self, input: Any, sample: torch.Tensor) -> Any:
        """The gradient of the input."""
        slopes = self.slopes(input, sample)
        if isinstance(slopes, list):
            return [-slope * self.rewardAs(slope).reshape(slope.shape) for slope in slopes]
        return -slopes * self.rewardAs(slopes).reshape(slopes.shape)

    def forward(self, input: Any) -> torch.Tensor:
        is_table = isinstance(input, list)
        return _Sampled.apply(self, is_table, *(input if is_table else [input]))

    def updateOutput(self, input: Any) -> Any:
        return self.keep_output(self.sample(input), input)

    def grad_input(self, input: Any, gradOutput: Any) -> Any:
        return self.estimate(input, self.output)


@layer("nn.ReinforceBernoulli", package="dpnn", draws=True, differs_in_training=True)
class ReinforceBernoulli(Reinforce):
    """``nn.ReinforceBernoulli([stochastic])``: each element is 1 with the probability that the input says, else 0.

    Any shape. In evaluation the output is the input.
    """

    def sample(self, input: torch.Tensor) -> torch.Tensor:
        if not self.draws:
            return input.clone()
        drawn = uniform_(torch.empty(input.shape, dtype=input.dtype, device=input.device))
        return (drawn < input).to(input.dtype)

    def slopes(self, input: torch.Tensor, sample: torch.Tensor) -> torch.Tensor:
        return (sample - input) / ((1 - input) * input)


@layer("nn.ReinforceCategorical", package="dpnn", draws=True, differs_in_training=True)
class ReinforceCategorical(Reinforce):
    """``nn.ReinforceCategorical([stochastic])``: one category of each row, drawn by its probabilities, as a 1 among 0.

    Shapes: ``(batch, categories)``, rows of probabilities. In evaluation the output is the input.
    """

    def sample(self, input: torch.Tensor) -> torch.Tensor:
        if not self.draws:
            return input.clone()
        if input.dim() != 2:
            raise TorchError(f"{self.class_name}: the input must be a matrix, not {size_text(input)}")
        if input.is_meta:
            return torch.zeros_like(input)
        chances = input.float() if input.dtype == torch.float16 else input
        index = choose.multinomial(state.current().generator, chances, 1, False) - 1
        return torch.zeros_like(input).scatter_(1, index.to(input.device), 1)

    def slopes(self, input: torch.Tensor, sample: torch.Tensor) -> torch.Tensor:
        return sample / (input + EPSILON)


class _TwoParameters(Reinforce):
    """A distribution of two parameters. The second is the constructor's or the second entry of the input.

    ``second`` is the field that holds the constructor's: a number, a tensor in the shape of the first parameter, or
    one with a number for each element of an example.
    """

    second: ClassVar[str]

    def take_second(self, value: Any, stochastic: bool | None) -> None:
        Reinforce.__init__(self, stochastic)
        self.__dict__[self.second] = value
        if value is None:
            self.__dict__["gradInput"] = [self.new(), self.new()]

    def parameters_of(self, input: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Both, in one shape."""
        first, second = input, self.__dict__[self.second]
        if isinstance(input, list):
            first, second = tensors(self, input, 2)
        if second is None:
            raise TorchError(
                f"{self.class_name}: there is no {self.second}, for the constructor or in the input"
            )
        if not isinstance(second, torch.Tensor):
            return first, torch.full_like(first, second)
        check_type(self, f"the {self.second}", second, first)
        if second.dim() == first.dim() - 1:
            second = second.unsqueeze(0).expand(first.shape[0], *second.shape)
        check_shape(self, f"the {self.second}", second, first)
        return first, second

    def slopes(self, input: Any, sample: torch.Tensor) -> Any:
        first, second = self.parameters_of(input)
        if isinstance(input, list):
            check_shape(self, f"the {self.second}", input[1], first)
            return [self.first_slope(first, second, sample), self.second_slope(first, second, sample)]
        return self.first_slope(first, second, sample)

    def first_slope(self, first: torch.Tensor, second: torch.Tensor, sample: torch.Tensor) -> torch.Tensor:
        """The derivative of the sample's log probability by the first parameter."""
        raise NotImplementedError

    def second_slope(self, first: torch.Tensor, second: torch.Tensor, sample: torch.Tensor) -> torch.Tensor:
        """The same by the second."""
        raise NotImplementedError


@layer("nn.ReinforceNormal", package="dpnn", draws=True, differs_in_training=True)
class ReinforceNormal(_TwoParameters):
    """``nn.ReinforceNormal([stdev, stochastic])``: normal numbers around the input.

    Shapes: means of any shape; stdev is a number, a tensor of that shape, or one with a number for each element of an
    example. Without stdev the input is a table of means and deviations, of one shape. In evaluation the output is the
    means.
    """

    second = "stdev"
    fields: ClassVar[tuple[str, ...]] = ("stdev",)

    def __init__(self, stdev: float | torch.Tensor | None = None, stochastic: bool | None = None) -> None:
        self.take_second(stdev, stochastic)

    def sample(self, input: Any) -> torch.Tensor:
        mean, stdev = self.parameters_of(input)
        if not self.draws:
            return mean.clone()
        return normal_(torch.empty(mean.shape, dtype=mean.dtype, device=mean.device)).mul_(stdev).add_(mean)

    def first_slope(self, mean: torch.Tensor, stdev: torch.Tensor, sample: torch.Tensor) -> torch.Tensor:
        return (sample - mean) / stdev / stdev

    def second_slope(self, mean: torch.Tensor, stdev: torch.Tensor, sample: torch.Tensor) -> torch.Tensor:
        square = stdev * stdev
        return ((sample - mean).square() - square) / (square * stdev + EPSILON)


@layer("nn.ReinforceGamma", package="dpnn", draws=True, differs_in_training=True)
class ReinforceGamma(_TwoParameters):
    """``nn.ReinforceGamma([scale, stochastic])``: numbers of gamma distributions whose shape parameter is the input.

    Shapes: as for ``nn.ReinforceNormal``, with the distribution's shape and scale. In evaluation the output is shape
    times scale, the mean.
    """

    second = "scale"
    fields: ClassVar[tuple[str, ...]] = ("scale",)

    def __init__(self, scale: float | torch.Tensor | None = None, stochastic: bool | None = None) -> None:
        self.take_second(scale, stochastic)

    def sample(self, input: Any) -> torch.Tensor:
        shape, scale = self.parameters_of(input)
        if not self.draws:
            return shape * scale
        if shape.is_meta:
            return torch.zeros_like(shape) * scale
        words = state.current().generator.words(4)
        drawn = np.random.RandomState(words.astype(np.uint32)).standard_gamma(
            shape.to("cpu", torch.float64, copy=True).numpy()
        )
        return torch.as_tensor(drawn).to(shape) * scale

    def first_slope(self, shape: torch.Tensor, scale: torch.Tensor, sample: torch.Tensor) -> torch.Tensor:
        return sample.log() - torch.digamma(shape) - scale.log()

    def second_slope(self, shape: torch.Tensor, scale: torch.Tensor, sample: torch.Tensor) -> torch.Tensor:
        return sample / scale.square() - shape / scale


restricted(
    "nn.ReinforceGamma",
    "torch's generator seeds the samples, whose numbers are others than those of the original's package randomkit",
)
