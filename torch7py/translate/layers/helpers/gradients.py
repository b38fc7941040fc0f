"""Values that change the gradient on its way back, noise, and terms of losses."""

from __future__ import annotations

import torch
from torch import nn


class WhiteNoise(nn.Module):
    """Adds normal noise in training, and its mean in evaluation."""

    def __init__(self, mean, std):
        super().__init__()
        self.mean, self.std = mean, std

    def forward(self, x):
        return x + self.mean + (self.std * torch.randn_like(x) if self.training else 0)


def scale_gradient(x, factor):
    """x, whose gradient is multiplied by a factor on its way back."""
    return x.detach() + factor * (x - x.detach())


class L1Penalty(torch.autograd.Function):
    """x, whose gradient gains that of weight * |x|; unless it passes the gradient on, it is that alone."""

    @staticmethod
    def forward(ctx, x, weight, passes=True):
        ctx.save_for_backward(x)
        ctx.weight, ctx.passes = weight, passes
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        penalty = ctx.weight * x.sign()
        return (gradient + penalty if ctx.passes else penalty), None, None


class AddGradient(torch.autograd.Function):
    """x, whose gradient gains another."""

    @staticmethod
    def forward(ctx, x, gradient):
        ctx.save_for_backward(gradient)
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient):
        return gradient + ctx.saved_tensors[0], None


def with_penalty(x, penalty):
    """x, whose gradient gains that of a penalty, which is not in any loss."""
    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(penalty(leaf), leaf)
    return AddGradient.apply(x, gradient)


def mean_entropy(x):
    """The entropy of the mean of distributions, the rows of x."""
    p = x.sum(0) / x.sum().detach()
    return -(p * torch.log(p + 1e-6)).sum()


def simplex(classes):
    """The corners of a regular simplex around the origin, at distance 1 from it, one a row; a last column of 0."""
    n = classes - 1
    corners = torch.zeros(classes, classes, dtype=torch.float64)
    for k in range(n):
        corners[k, k] = height = (1 - corners[k].square().sum()).sqrt()
        corners[k + 1 :, k] = (height * height - 1 - 1 / n) / height
    return corners


def criterion_gradient(criterion, x, target):
    """The gradient of a criterion's value with respect to its input."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        return torch.autograd.grad(criterion(x, target), x)[0]


def input_gradient(module, x, gradient, owner=None):
    """The gradient of a module's input, from that of its output; those of weights inside stay as they are.

    owner: whose weights these are, where the module is a method or a function.
    """
    owner = module if owner is None else owner
    weights = list(owner.parameters()) if isinstance(owner, nn.Module) else []
    before = [weight.grad for weight in weights]
    for weight in weights:
        weight.grad = None  # to which layers inside may add as they go back
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        result = torch.autograd.grad(module(x), x, gradient)[0]
    for weight, kept in zip(weights, before, strict=True):
        weight.grad = kept
    return result


def module_gradient(module, x, gradient):
    """The gradient of a module's input, from that of its output; those of its weights are added to theirs."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        module(x).backward(gradient)
        return x.grad


def weight_gradients(module, x, gradient):
    """Add the gradients of a module's weights to theirs, from that of its output."""
    with torch.enable_grad():
        output = module(x.detach())
    if output.requires_grad:
        output.backward(gradient)


class RunAgain(nn.Module):
    """A module that leaves the running means of its batch normalizations as they are."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        normalizations = [m for m in self.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        for each in normalizations:
            each.track_running_stats = False
        try:
            return self.module(x)
        finally:
            for each in normalizations:
                each.track_running_stats = True
