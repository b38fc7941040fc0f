"""Normalizations, distances, and linear layers on sparse vectors."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn


class LayerNormalization(nn.Module):
    """Layer normalization as Torch7 has it: of a batch, the k-th element in memory loses the mean of example
    k % batch, which for one example is its own."""

    def __init__(self, size, eps=1e-10, affine=True):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(size)) if affine else None
        self.bias = nn.Parameter(torch.zeros(size)) if affine else None

    def forward(self, x):
        size = x.shape[-1]
        x = x - x.mean(-1).expand(size, *x.shape[:-1]).reshape(x.shape)
        x = x / (x.square().sum(-1, keepdim=True) + self.eps).sqrt() * size**0.5
        return x if self.weight is None else x * self.weight + self.bias


def viewed(x, *sizes):
    """A tensor in other sizes; a multiple of the elements is a batch."""
    return x.reshape(sizes if x.numel() == math.prod(sizes) else (-1, *sizes))


class ResizedView(nn.Module):
    """Its input in sizes that are set anew for each one; a multiple of the elements is a batch."""

    def __init__(self, *sizes, dims=None):
        super().__init__()
        self.sizes, self.dims = sizes, dims

    def forward(self, x):
        lead = 0 if self.dims is None else max(x.dim() - self.dims, 0)
        batch = math.prod(x.shape[:lead])
        if -1 not in self.sizes:
            batch *= math.prod(x.shape[lead:]) // math.prod(self.sizes)
        return x.reshape(self.sizes if batch == 1 and not lead else (batch, *self.sizes))


class LocalMean(nn.Module):
    """The mean around each pixel, over all planes, weighted by a kernel; at the border over what is inside."""

    def __init__(self, planes, kernel):
        super().__init__()
        kernel = torch.outer(kernel, kernel) if kernel.dim() == 1 else kernel
        kernel = kernel.to(torch.get_default_dtype())
        self.register_buffer("kernel", (kernel / (kernel.sum() * planes)).repeat(1, planes, 1, 1))

    def around(self, x):
        return F.conv2d(x, self.kernel, padding=tuple(n // 2 for n in self.kernel.shape[2:]))

    def share(self, x):
        """How much of the kernel lies inside the image."""
        return self.around(torch.ones_like(x))


class SubtractiveNormalization(LocalMean):
    """Subtracts the mean around each pixel."""

    def forward(self, x):
        return x - self.around(x) / self.share(x)


class DivisiveNormalization(LocalMean):
    """Divides by the root of the mean square around each pixel, where that is above a threshold."""

    def __init__(self, planes, kernel, threshold=1e-4, value=1e-4):
        super().__init__(planes, kernel)
        self.threshold, self.value = threshold, value

    def forward(self, x):
        deviation = torch.sqrt(self.around(x.square())) / self.share(x)
        return x / F.threshold(deviation, self.threshold, self.value)


def normalize(x, p, eps=1e-10):
    """x divided by its p-norm, with Torch7's gradient, in which eps keeps powers from 0."""
    size = x.detach().abs()
    if p == math.inf:
        norm = size.amax(-1, keepdim=True) + eps
        largest = size.argmax(-1, keepdim=True)
        slope = torch.zeros_like(x).scatter(-1, largest, (x.detach() / norm).gather(-1, largest))
    else:
        power = size.pow(p).sum(-1, keepdim=True) + eps
        norm = power ** (1 / p)
        slope = (size + (eps if p < 2 else 0)).pow(p - 2) * x.detach() * norm / power
    return x / (norm + (slope * (x - x.detach())).sum(-1, keepdim=True))


def distance(difference, p=2, eps=1e-7, dim=-1, keepdim=False):
    """The p-norm of differences, with Torch7's gradient: that of the norm with eps added to it."""
    norm = torch.linalg.vector_norm(difference, p, dim=dim, keepdim=keepdim)
    factor = (norm / (norm + eps)).detach() ** (p - 1)
    return norm.detach() + factor * (norm - norm.detach())


class Euclidean(nn.Module):
    """The distances of the input to the columns of the weight."""

    def __init__(self, inputs, outputs):
        super().__init__()
        bound = 1 / inputs**0.5
        self.weight = nn.Parameter(torch.empty(inputs, outputs).uniform_(-bound, bound))

    def forward(self, x):
        return distance(x.unsqueeze(-1) - self.weight, dim=-2)


class WeightedEuclidean(nn.Module):
    """The distances of the input to the columns of the weight, each coordinate scaled."""

    def __init__(self, inputs, outputs):
        super().__init__()
        bound = 1 / inputs**0.5
        self.weight = nn.Parameter(torch.empty(inputs, outputs).uniform_(-bound, bound))
        self.scale = nn.Parameter(torch.ones(inputs, outputs))

    def forward(self, x):
        return distance(self.scale * (x.unsqueeze(-1) - self.weight), dim=-2)


class Cosine(nn.Module):
    """The cosines of the angles between the input and the rows of the weight."""

    def __init__(self, inputs, outputs):
        super().__init__()
        bound = 1 / outputs**0.5
        self.weight = nn.Parameter(torch.empty(outputs, inputs).uniform_(-bound, bound))

    def forward(self, x):
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True) + 1e-12
        return x @ self.weight.t() / (torch.linalg.vector_norm(self.weight, dim=1) + 1e-12) / length


def cosine_similarity(a, b):
    """The cosine of the angle between vectors."""
    return (a * b).sum(-1) / ((a.square().sum(-1) + 1e-12) * (b.square().sum(-1) + 1e-12)).sqrt()


class SparseLinear(nn.Module):
    """A linear layer on sparse vectors: an example is rows of an index (from 1) and a value; a batch is a tuple."""

    def __init__(self, inputs, outputs):
        super().__init__()
        bound = 1 / inputs**0.5
        self.weight = nn.Parameter(torch.empty(outputs, inputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(outputs).uniform_(-bound, bound) * 1e-6)

    def forward(self, x):
        if isinstance(x, torch.Tensor) and x.dim() == 2:
            return self.weight[:, x[:, 0].long() - 1] @ x[:, 1] + self.bias
        return torch.stack([self(example) for example in x])
