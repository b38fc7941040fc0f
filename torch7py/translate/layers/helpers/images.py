"""Layers over images and sequences of frames: convolutions, pooling, padding, cropping."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn


def pad_inside(x, dim, at, count, value):
    """Put entries of a value in front of an entry along a dimension; below 0 it is counted from the end."""
    before, after = x.tensor_split([at if at > 0 else x.shape[dim] + at], dim)
    shape = list(x.shape)
    shape[dim] = count
    return torch.cat((before, x.new_full(shape, value), after), dim)


def depth_concat(parts, dim):
    """Join tensors along a dimension; in the others a smaller one lies in the middle, with zeros around it."""
    sizes = [max(part.shape[d] for part in parts) for d in range(parts[0].dim())]
    padded = []
    for part in parts:
        margins = []
        for d in reversed(range(part.dim())):
            missing = 0 if d == dim else sizes[d] - part.shape[d]
            margins += [missing // 2, missing - missing // 2]
        padded.append(F.pad(part, margins))
    return torch.cat(padded, dim)


class MappedConvolution(nn.Module):
    """A convolution between chosen planes: each connection (from, to) has a window of its own."""

    def __init__(self, connections, kernel, stride=1, transposed=False):
        super().__init__()
        kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
        self.register_buffer("connections", connections - 1)
        self.inputs, self.outputs = connections.amax(0).tolist()
        self.weight = nn.Parameter(torch.empty(len(connections), *kernel))
        self.bias = nn.Parameter(torch.empty(self.outputs))
        outputs = connections[:, 1] - 1
        bounds = (outputs.bincount(minlength=self.outputs) * kernel[0] * kernel[1]) ** -0.5
        with torch.no_grad():
            self.weight.uniform_(-1, 1).mul_(bounds[outputs].view(-1, 1, 1))
            self.bias.uniform_(-1, 1).mul_(bounds)
        self.stride, self.transposed = stride, transposed

    def forward(self, x):
        start, end = self.connections.unbind(1)
        if self.transposed:
            whole = self.weight.new_zeros(self.inputs, self.outputs, *self.weight.shape[1:])
            whole = whole.index_put((start, end), self.weight, accumulate=True)
            return F.conv_transpose2d(x, whole, self.bias, stride=self.stride)
        whole = self.weight.new_zeros(self.outputs, self.inputs, *self.weight.shape[1:])
        whole = whole.index_put((end, start), self.weight, accumulate=True)
        return F.conv2d(x, whole, self.bias, stride=self.stride)


class LocalConvolution(nn.Module):
    """A convolution with a window of its own for every place of an image."""

    def __init__(self, inputs, outputs, size, kernel, stride=1, padding=0):
        super().__init__()
        size, kernel, stride, padding = (
            (n, n) if isinstance(n, int) else n for n in (size, kernel, stride, padding)
        )
        places = [(s + 2 * p - k) // d + 1 for s, k, d, p in zip(size, kernel, stride, padding, strict=True)]
        bound = 1 / (kernel[0] * kernel[1] * inputs) ** 0.5
        self.weight = nn.Parameter(torch.empty(*places, outputs, inputs, *kernel).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(outputs, *places).uniform_(-bound, bound))
        self.kernel, self.stride, self.padding = kernel, stride, padding

    def forward(self, x):
        columns = F.unfold(x, self.kernel, padding=self.padding, stride=self.stride)
        weight = self.weight.flatten(0, 1).flatten(2)  # (place, output, window)
        y = torch.einsum("pow,...wp->...op", weight, columns)
        return y.unflatten(-1, self.bias.shape[1:]) + self.bias


def feature_lp_pool(x, width, stride, power, dim):
    """The p-norm of every window of planes."""
    return x.unfold(dim, width, stride).pow(power).sum(-1).pow(1 / power)


def k_max_pool(x, least, factor):
    """The k largest frames of every feature, in their order; k is a part of the frames, and at least a number."""
    k = max(least, math.ceil(factor * x.shape[-2]))
    return x.gather(-2, x.topk(k, dim=-2).indices.sort(-2).values)


class SubSampling(nn.Module):
    """The sum of each window, times a learned weight of the plane, plus a bias."""

    def __init__(self, planes, kernel, stride=1):
        super().__init__()
        self.kernel, self.stride = kernel, stride
        bound = (kernel**2 if isinstance(kernel, int) else math.prod(kernel)) ** -0.5
        self.weight = nn.Parameter(torch.empty(planes).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(planes).uniform_(-bound, bound))

    def forward(self, x):
        sums = F.avg_pool2d(x, self.kernel, self.stride, divisor_override=1)
        return sums * self.weight.view(-1, 1, 1) + self.bias.view(-1, 1, 1)


class TemporalSubSampling(nn.Module):
    """The sum of every few frames, times a learned weight of the feature, plus a bias."""

    def __init__(self, features, kernel, stride=1):
        super().__init__()
        self.kernel, self.stride = kernel, stride
        bound = kernel**-0.5
        self.weight = nn.Parameter(torch.empty(features).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(features).uniform_(-bound, bound))

    def forward(self, x):
        return x.unfold(-2, self.kernel, self.stride).sum(-1) * self.weight + self.bias


def center_crop(x, size):
    """The middle of images, of a smaller size."""
    (height, width), (tall, wide) = x.shape[-2:], size
    top, left = (height - tall) // 2, (width - wide) // 2
    return x[..., top : top + tall, left : left + wide]


def scale_image(x, width, height):
    """An image of another size: interpolated where it grows, and the mean of what lies beneath where it shrinks."""
    for length in (width, height):
        old = x.shape[-1]
        if length != old:
            pixels = torch.arange(old, dtype=x.dtype)
            if length > old:
                at = torch.arange(length, dtype=x.dtype) * (old - 1) / (length - 1)
                weights = (1 - (at[:, None] - pixels).abs()).clamp(min=0)
            else:
                ends = torch.arange(length + 1, dtype=x.dtype) * old / length
                covered = torch.minimum(ends[1:, None], pixels + 1) - torch.maximum(ends[:-1, None], pixels)
                weights = covered.clamp(min=0) * length / old
            x = x @ weights.T
        x = x.transpose(-1, -2)
    return x.clone(memory_format=torch.contiguous_format)
