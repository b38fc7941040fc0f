"""Descent with a step size for each parameter: adam, adamax, adagrad, adadelta, rmsprop, rprop."""

from __future__ import annotations

import math
from typing import Any

import torch

from torch7py.ops.pointwise import add_product_
from torch7py.packages.optim.calling import Objective, buffer, evaluate, say, settings, tables
from torch7py.packages.registry import Fields, function

__all__ = ["adadelta", "adagrad", "adam", "adamax", "rmsprop", "rprop"]


@function("optim.adam")
@torch.no_grad()
def adam(
    opfunc: Objective, x: torch.Tensor, config: Fields | None = None, state: Fields | None = None
) -> tuple[torch.Tensor, list[Any]]:
    """``x, {f} = optim.adam(opfunc, x[, config[, state]])``: https://arxiv.org/abs/1412.6980.

    Settings: ``learningRate`` (1e-3), ``learningRateDecay`` (0), ``beta1`` (0.9), ``beta2`` (0.999), ``epsilon``
    (1e-8), ``weightDecay`` (0, added to the gradient). State: ``t``, ``m``, ``v``, ``denom``. Epsilon is added
    to the root of ``v`` before the bias is corrected, PyTorch's after.
    """
    config, state = tables(config, state)
    rate, decay, beta1, beta2, epsilon, weight_decay = settings(
        config,
        "optim.adam",
        learningRate=1e-3,
        learningRateDecay=0,
        beta1=0.9,
        beta2=0.999,
        epsilon=1e-8,
        weightDecay=0,
    )
    value, gradient = evaluate(opfunc, x)
    if weight_decay != 0:
        gradient.add_(x, alpha=weight_decay)
    (t,) = settings(state, t=0)
    mean = buffer(state, "m", torch.zeros_like, gradient)
    square = buffer(state, "v", torch.zeros_like, gradient)
    root = buffer(state, "denom", torch.zeros_like, gradient)
    step = rate / (1 + t * decay)
    t += 1
    state["t"] = t
    mean.mul_(beta1).add_(gradient, alpha=1 - beta1)
    add_product_(square.mul_(beta2), 1 - beta2, gradient, gradient)
    torch.sqrt(square, out=root).add_(epsilon)
    step = step * math.sqrt(1 - beta2**t) / (1 - beta1**t)
    x.addcdiv_(mean, root, value=-step)
    return x, [value]


@function("optim.adamax")
@torch.no_grad()
def adamax(
    opfunc: Objective, x: torch.Tensor, config: Fields | None = None, state: Fields | None = None
) -> tuple[torch.Tensor, list[Any]]:
    """``x, {f} = optim.adamax(opfunc, x[, config[, state]])``: adam by the largest gradient, from the same paper.

    Settings: ``learningRate`` (2e-3), ``beta1`` (0.9), ``beta2`` (0.999), ``epsilon`` (1e-38), ``weightDecay``
    (0). State: ``t``, ``m``, ``u``, ``max``.
    """
    config, state = tables(config, state)
    rate, beta1, beta2, epsilon, weight_decay = settings(
        config, "optim.adamax", learningRate=2e-3, beta1=0.9, beta2=0.999, epsilon=1e-38, weightDecay=0
    )
    value, gradient = evaluate(opfunc, x)
    if weight_decay != 0:
        gradient.add_(x, alpha=weight_decay)
    (t,) = settings(state, t=0)
    mean = buffer(state, "m", torch.zeros_like, gradient)
    largest = buffer(state, "u", torch.zeros_like, gradient)
    pair = state.get("max")
    if pair is None:
        pair = state["max"] = gradient.new_zeros((2, *gradient.shape))
    t += 1
    state["t"] = t
    mean.mul_(beta1).add_(gradient, alpha=1 - beta1)
    pair[0].copy_(largest).mul_(beta2)
    pair[1].copy_(gradient).abs_().add_(epsilon)
    torch.amax(pair, 0, out=largest)
    x.addcdiv_(mean, largest, value=-(rate / (1 - beta1**t)))
    return x, [value]


@function("optim.adagrad")
@torch.no_grad()
def adagrad(
    opfunc: Objective, x: torch.Tensor, config: Fields | None = None, state: Fields | None = None
) -> tuple[torch.Tensor, list[Any]]:
    """``x, {f} = optim.adagrad(opfunc, x[, config[, state]])``: steps by the root of all squared gradients so far.

    Settings: ``learningRate`` (1e-3), ``learningRateDecay`` (0), ``weightDecay`` (0). State: ``evalCounter``,
    ``paramVariance``, ``paramStd`` (with 1e-10 added).
    """
    if config is None and state is None:
        say("no state table, ADAGRAD initializing\t")
    config, state = tables(config, state)
    rate, decay, weight_decay = settings(
        config, "optim.adagrad", learningRate=1e-3, learningRateDecay=0, weightDecay=0
    )
    calls = state.setdefault("evalCounter", 0)
    value, gradient = evaluate(opfunc, x)
    if weight_decay != 0:
        gradient.add_(x, alpha=weight_decay)
    step = rate / (1 + calls * decay)
    variance = buffer(state, "paramVariance", torch.zeros_like, gradient)
    root = buffer(state, "paramStd", torch.empty_like, gradient)
    add_product_(variance, 1, gradient, gradient)
    torch.sqrt(variance, out=root).add_(1e-10)
    x.addcdiv_(gradient, root, value=-step)
    state["evalCounter"] = state["evalCounter"] + 1
    return x, [value]


@function("optim.adadelta")
@torch.no_grad()
def adadelta(
    opfunc: Objective, x: torch.Tensor, config: Fields | None = None, state: Fields | None = None
) -> tuple[torch.Tensor, list[Any]]:
    """``x, {f} = optim.adadelta(opfunc, x[, config[, state]])``: https://arxiv.org/abs/1212.5701.

    Settings: ``rho`` (0.9), ``eps`` (1e-6), ``weightDecay`` (0). State: ``evalCounter``, ``paramVariance``,
    ``paramStd``, ``delta``, ``accDelta``.
    """
    if config is None and state is None:
        say("no state table, ADADELTA initializing\t")
    config, state = tables(config, state)
    rho, epsilon, weight_decay = settings(config, "optim.adadelta", rho=0.9, eps=1e-6, weightDecay=0)
    state.setdefault("evalCounter", 0)
    value, gradient = evaluate(opfunc, x)
    if weight_decay != 0:
        gradient.add_(x, alpha=weight_decay)
    variance, root, delta, moved = (
        buffer(state, name, torch.zeros_like, gradient)
        for name in ("paramVariance", "paramStd", "delta", "accDelta")
    )
    add_product_(variance.mul_(rho), 1 - rho, gradient, gradient)
    root.copy_(variance).add_(epsilon).sqrt_()
    delta.copy_(moved).add_(epsilon).sqrt_().div_(root).mul_(gradient)
    x.sub_(delta)
    add_product_(moved.mul_(rho), 1 - rho, delta, delta)
    state["evalCounter"] = state["evalCounter"] + 1
    return x, [value]


@function("optim.rmsprop")
@torch.no_grad()
def rmsprop(
    opfunc: Objective, x: torch.Tensor, config: Fields | None = None, state: Fields | None = None
) -> tuple[torch.Tensor, list[Any]]:
    """``x, {f} = optim.rmsprop(opfunc, x[, config[, state]])``: steps by the root of a running mean of squares.

    Settings: ``learningRate`` (1e-2), ``alpha`` (0.99), ``epsilon`` (1e-8), ``weightDecay`` (0), ``initialMean``
    (0, the mean before the first call). State: ``m``, ``tmp``.
    """
    config, state = tables(config, state)
    rate, alpha, epsilon, weight_decay, initial = settings(
        config, "optim.rmsprop", learningRate=1e-2, alpha=0.99, epsilon=1e-8, weightDecay=0, initialMean=0
    )
    value, gradient = evaluate(opfunc, x)
    if weight_decay != 0:
        gradient.add_(x, alpha=weight_decay)
    mean = buffer(state, "m", lambda g: torch.full_like(g, initial), gradient)
    root = buffer(state, "tmp", torch.empty_like, gradient)
    add_product_(mean.mul_(alpha), 1 - alpha, gradient, gradient)
    torch.sqrt(mean, out=root).add_(epsilon)
    x.addcdiv_(gradient, root, value=-rate)
    return x, [value]


@function("optim.rprop")
@torch.no_grad()
def rprop(
    opfunc: Objective, x: torch.Tensor, config: Fields | None = None, state: Fields | None = None
) -> tuple[torch.Tensor, list[Any]]:
    """``x, {f, ...} = optim.rprop(opfunc, x[, config[, state]])``: steps that know the gradient's sign alone.

    A parameter's step grows while the sign of its derivative stays and shrinks when it turns, in which case the
    derivative counts as 0 (in ``opfunc``'s tensor too). Settings: ``stepsize`` (0.1, the first), ``etaplus``
    (1.2), ``etaminus`` (0.5), ``stepsizemax`` (50), ``stepsizemin`` (1e-6), ``niter`` (1, evaluations in one
    call). State: ``delta`` (the last derivative), ``stepsize``, and buffers. With one table for both, a second
    call finds its ``stepsize`` tensor where the setting was, as in the original.
    """
    if config is None and state is None:
        say("no state table RPROP initializing\t")
    config, state = tables(config, state)
    first, grow, shrink, longest, shortest, count = settings(
        config, stepsize=0.1, etaplus=1.2, etaminus=0.5, stepsizemax=50.0, stepsizemin=1e-6, niter=1
    )
    values = []
    for _ in range(int(count)):
        value, gradient = evaluate(opfunc, x)
        if state.get("delta") is None:
            state["delta"] = torch.zeros_like(gradient)
            state["stepsize"] = torch.full_like(gradient, first)
            state["sign"] = torch.empty_like(gradient)
            for name in ("psign", "nsign", "zsign", "dminmax"):
                state[name] = torch.empty_like(gradient, dtype=torch.uint8)
        last, size, sign = (
            buffer(state, name, torch.empty_like, gradient) for name in ("delta", "stepsize", "sign")
        )
        sign.copy_(gradient).mul_(last).sign_()
        masks = (sign > 0, sign < 0, sign == 0)
        for name, mask in zip(("psign", "nsign", "zsign"), masks, strict=True):
            state[name].copy_(mask)
        for mask, factor in zip(masks, (grow, shrink, 1), strict=True):
            sign.masked_fill_(mask, factor)
        size.mul_(sign)
        size.masked_fill_(size > longest, longest)
        too_short = size < shortest
        size.masked_fill_(too_short, shortest)
        state["dminmax"].copy_(too_short)
        gradient.masked_fill_(masks[1], 0)
        torch.sign(gradient, out=sign)
        x.addcmul_(sign, size, value=-1)
        last.copy_(gradient)
        values.append(value)
    return x, values
