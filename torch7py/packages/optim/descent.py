"""Gradient descent: sgd, Nesterov's nag, the averaging asgd."""

from __future__ import annotations

import math
from typing import Any

import torch

from torch7py.ops import memory
from torch7py.ops.errors import TorchError
from torch7py.packages.optim.calling import Objective, buffer, evaluate, fitting, settings, tables
from torch7py.packages.registry import Fields, function

__all__ = ["asgd", "nag", "sgd"]


@function("optim.sgd")
@torch.no_grad()
def sgd(
    opfunc: Objective, x: torch.Tensor, config: Fields | None = None, state: Fields | None = None
) -> tuple[torch.Tensor, list[Any]]:
    """``x, {f} = optim.sgd(opfunc, x[, config[, state]])``: one step of stochastic gradient descent.

    Settings: ``learningRate`` (1e-3), ``learningRateDecay`` (0: the rate is divided by 1 + decay * calls so
    far), ``momentum`` (0), ``dampening`` (by default the momentum), ``nesterov``, ``weightDecay`` (0) or a
    vector ``weightDecays``, a vector ``learningRates`` that multiplies the gradient. State: ``evalCounter``,
    ``dfdx`` (the velocity; the first call sets it to the gradient, undamped). Weight decay and Nesterov's
    momentum are added to the gradient tensor that ``opfunc`` returned.
    """
    config, state = tables(config, state)
    rate, decay, weight_decay, momentum, nesterov, dampening, rates, weight_decays = settings(
        config,
        learningRate=1e-3,
        learningRateDecay=0,
        weightDecay=0,
        momentum=0,
        nesterov=False,
        dampening=None,
        learningRates=None,
        weightDecays=None,
    )
    if dampening is None:
        dampening = momentum
    calls = state.setdefault("evalCounter", 0)
    if nesterov and not (momentum > 0 and dampening == 0):
        raise TorchError("optim.sgd: nesterov needs a momentum above 0 and dampening = 0")
    value, gradient = evaluate(opfunc, x)
    if weight_decay != 0:
        gradient.add_(x, alpha=weight_decay)
    elif weight_decays is not None:
        pull = buffer(state, "decayParameters", torch.empty_like, gradient)
        gradient.add_(memory.copy(pull, weight_decays).mul_(x))
    if momentum != 0:
        velocity = state.get("dfdx")
        if velocity is None:
            velocity = state["dfdx"] = gradient.clone()
        else:
            velocity = fitting(velocity, "dfdx", gradient)
            velocity.mul_(momentum).add_(gradient, alpha=1 - dampening)
        gradient = gradient.add_(velocity, alpha=momentum) if nesterov else velocity
    step = rate / (1 + calls * decay)
    if rates is not None:
        scaled = buffer(state, "deltaParameters", torch.empty_like, gradient)
        gradient = memory.copy(scaled, rates).mul_(gradient)
    x.add_(gradient, alpha=-step)
    state["evalCounter"] = state["evalCounter"] + 1
    return x, [value]


@function("optim.nag")
@torch.no_grad()
def nag(
    opfunc: Objective, x: torch.Tensor, config: Fields | None = None, state: Fields | None = None
) -> tuple[torch.Tensor, list[Any]]:
    """``x, {f} = optim.nag(opfunc, x[, config[, state]])``: Nesterov's accelerated gradient.

    x first moves on by the momentum times the last movement, then the gradient is taken there. Settings as for
    ``sgd``, ``momentum`` 0.9 and above 0; the state's ``dfdx`` is the movement.
    """
    config, state = tables(config, state)
    rate, decay, weight_decay, momentum, rates = settings(
        config, learningRate=1e-3, learningRateDecay=0, weightDecay=0, momentum=0.9, learningRates=None
    )
    calls = state.setdefault("evalCounter", 0)
    if momentum <= 0:
        raise TorchError("optim.nag: the momentum must be above 0")
    moved = state.get("dfdx") is not None
    if moved:
        x.add_(buffer(state, "dfdx", torch.zeros_like, x), alpha=momentum)
    value, gradient = evaluate(opfunc, x)
    if weight_decay != 0:
        gradient.add_(x, alpha=weight_decay)
    step = rate / (1 + calls * decay)
    movement = buffer(state, "dfdx", torch.zeros_like, gradient)
    if moved:
        movement.mul_(momentum)
    if rates is not None:
        scaled = buffer(state, "deltaParameters", torch.empty_like, gradient)
        gradient = memory.copy(scaled, rates).mul_(gradient)
    x.add_(gradient, alpha=-step)
    movement.add_(gradient, alpha=-step)
    state["evalCounter"] = state["evalCounter"] + 1
    return x, [value]


@function("optim.asgd")
@torch.no_grad()
def asgd(
    opfunc: Objective, x: torch.Tensor, config: Fields | None = None, state: Fields | None = None
) -> tuple[torch.Tensor, list[Any], torch.Tensor]:
    """``x, {f}, average = optim.asgd(opfunc, x[, config[, state]])``: descent that averages its points.

    Settings, written back to ``config``: ``eta0`` (1e-4), ``lambda`` (1e-4), ``alpha`` (0.75), ``t0`` (1e6, the
    step at which averaging starts). x becomes (1 - lambda * eta_t) x - eta_t df/dx with
    eta_t = eta0 / (1 + lambda * eta0 * t)^alpha, and the average moves to x by 1 / max(1, t - t0).
    """
    config, state = tables(config, state)
    start, shrink, power, t0 = settings(config, eta0=1e-4, **{"lambda": 1e-4}, alpha=0.75, t0=1e6)
    for name, setting in (("eta0", start), ("lambda", shrink), ("alpha", power), ("t0", t0)):
        config[name] = setting
    for name, initial in (("eta_t", start), ("mu_t", 1), ("t", 0)):
        state.setdefault(name, initial)
    value, gradient = evaluate(opfunc, x)
    eta, mu, t = settings(state, eta_t=start, mu_t=1, t=0)
    x.mul_(1 - shrink * eta).add_(gradient, alpha=-eta)
    average = buffer(state, "ax", torch.zeros_like, x)
    difference = buffer(state, "tmp", torch.empty_like, x)
    if mu == 1:
        average.copy_(x)
    else:
        average.add_(difference.copy_(x).sub_(average).mul_(mu))
    t += 1
    state["t"] = t
    state["eta_t"] = start / math.pow(1 + shrink * start * t, power)
    state["mu_t"] = 1 / max(1, t - t0)
    return x, [value], average
