"""Noise contrastive estimation, as Torch7's dpnn has it."""

from __future__ import annotations

import math
import sys

import torch
import torch.nn.functional as F
from torch import nn


class NCE(nn.Module):
    """Of (x, classes from 1): probabilities of the classes and of others drawn as noise, by the model and by the noise.

    For noise contrastive estimation (Gutmann and Hyvarinen, 2010). With steps in front, a list of these four for each.
    In evaluation, if ``normalized``, the softmax over all classes, or its logarithm if ``logsoftmax``.
    """

    def __init__(self, inputs, classes, noise, frequencies, z=-1):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(classes, inputs))
        self.bias = nn.Parameter(torch.empty(classes))
        self.reset_parameters()
        self.noise, self.z = noise, z
        self.batchnoise, self.normalized, self.logsoftmax = True, False, False
        self.register_buffer("frequencies", frequencies.div_(frequencies.sum()))  # in place, as in Torch7

    def reset_parameters(self):
        nn.init.uniform_(self.weight, -(self.weight.shape[1] ** -0.5), self.weight.shape[1] ** -0.5)
        nn.init.constant_(self.bias, -math.log(len(self.bias)))

    def draw(self, count):
        """Classes of noise, from 0."""
        return torch.multinomial(self.frequencies, count, replacement=True)

    def step(self, x, target):
        target = target.long() - 1
        of_target = torch.exp((x * self.weight[target]).sum(1) + self.bias[target])
        if self.batchnoise:  # the same for all examples
            noise = self.draw(self.noise)
            of_noise = torch.exp(F.linear(x, self.weight[noise], self.bias[noise]))
            average = of_noise.mean()
        else:
            noise = self.draw(len(x) * self.noise).view(len(x), self.noise)
            of_noise = torch.exp((self.weight[noise] @ x[:, :, None]).squeeze(2) + self.bias[noise])
            average = torch.cat((of_target[:, None], of_noise), 1).mean()
        if self.z <= 0:
            self.z = average.item() * len(self.weight)
            sys.stdout.write(f"normalization constant Z approximated to {self.z:.14g}\n")
        known = self.frequencies.to(x.dtype)
        return of_target / self.z, of_noise / self.z, known[target], known[noise].expand_as(of_noise)

    def forward(self, inputs):
        x, target = inputs
        if self.normalized and not self.training:
            scores = F.linear(x, self.weight, self.bias)
            return scores.log_softmax(-1) if self.logsoftmax else scores.softmax(-1)
        if x.dim() == 2:
            return self.step(x, target)
        return [self.step(*both) for both in zip(x, target, strict=True)]


class NoiseContrast(torch.autograd.Function):
    """How badly targets are told from noise: the sum of -log of the shares of the model and of the noise.

    Its gradient is that of Torch7, where 1e-7 keeps all divisors from 0.
    """

    @staticmethod
    def forward(ctx, p, s, q, r):
        k = s.shape[1]
        of_target, of_noise = p + k * q + 1e-7, s + k * r + 1e-7
        ctx.save_for_backward(p, s, q, of_target, of_noise)
        return -((p / of_target).log().sum() + (k * r / of_noise).log().sum())

    @staticmethod
    def backward(ctx, gradient):
        p, s, q, of_target, of_noise = ctx.saved_tensors
        of_p = -s.shape[1] * q / of_target / (p + 1e-7)
        return gradient * of_p, gradient * (s / of_noise / (s + 1e-7)), None, None
