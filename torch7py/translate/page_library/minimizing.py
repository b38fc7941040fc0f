"""The functions of optim, on a vector and the function that is to become small at it."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import torch

from torch7py.packages.optim.cg import cg
from torch7py.packages.optim.lbfgs import lbfgs
from torch7py.translate.page_library.values import call_all, index, store


class TorchError(ValueError):
    """What a function of Torch7's refuses."""


def settings(config: Any, /, **usual: Any) -> tuple[Any, ...]:
    """Settings: those in a table, or the usual. A function among them gives all of its values."""
    chosen = [value if index(config, name) is None else index(config, name) for name, value in usual.items()]
    return tuple(functools.partial(call_all, value) if callable(value) else value for value in chosen)


def tables(config: Any, state: Any) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """The tables of an optimizer, of which either may be missing; the options of a program are one, too."""
    config = {} if config is None else config
    state = config if state is None else state
    return config if isinstance(config, dict) else vars(config), state if isinstance(state, dict) else vars(
        state
    )


def fitting(kept: Any, name: str, like: torch.Tensor) -> torch.Tensor:
    """A tensor of the state, refused where it belongs to other parameters."""
    if not isinstance(kept, torch.Tensor) or kept.dtype != like.dtype or kept.numel() != like.numel():
        raise TorchError(f"optim: the state's {name} belongs to other parameters")
    return kept if kept.shape == like.shape else kept.view(like.shape)


def tables_and_settings(config: Any, state: Any, **usual: Any) -> tuple[Any, ...]:
    """The tables of an optimizer, where either may be missing, and its settings."""
    config = {} if config is None else config
    return config, config if state is None else state, *settings(config, **usual)


def kept(state: Any, name: str, like: torch.Tensor, value: float = 0) -> torch.Tensor:
    """A tensor that an optimizer keeps from step to step."""
    if index(state, name) is None:
        store(state, name, torch.full_like(like, value))
    result: torch.Tensor = index(state, name)
    return result


def steps_before(state: Any, name: str) -> Any:
    """How many steps came before this one, which is counted."""
    before = index(state, name) or 0
    store(state, name, before + 1)
    return before


def evaluated(function: Any, x: torch.Tensor, decay: float = 0) -> tuple[float, torch.Tensor]:
    """The value of a function, and its gradient, to which a weight decay is added."""
    value, gradient = evaluate_as_given(function, x)
    gradient = gradient if gradient.shape == x.shape else gradient.view(x.shape)
    if decay:
        gradient.add_(x, alpha=decay)
    return value, gradient


def evaluate_as_given(function: Any, x: torch.Tensor, computed: bool = True) -> tuple[float, torch.Tensor]:
    """The same, with the gradient in the shape that the function gives it."""
    value, gradient, *_ = call_all(function, x)
    return value.item() if isinstance(value, torch.Tensor) else value, gradient


def evaluate(function: Any, x: torch.Tensor, computed: bool = True) -> tuple[float, torch.Tensor]:
    """What the line search asks for, which computes with the value."""
    return evaluated(function, x)


def dot(x: torch.Tensor, y: torch.Tensor) -> float:
    return float(x.flatten().dot(y.flatten()).item())


def say(*texts: str) -> None:
    print(*texts, sep="")


def sgd(function: Any, x: torch.Tensor, config: Any = None, state: Any = None) -> tuple[Any, ...]:
    """``optim.sgd``"""
    config, state, rate, falls, decay, decays, momentum, nesterov, rates, damping = tables_and_settings(
        config, state, learningRate=1e-3, learningRateDecay=0, weightDecay=0, weightDecays=None, momentum=0,
        nesterov=False, learningRates=None, dampening=None,
    )  # fmt: skip
    if nesterov and (momentum <= 0 or damping != 0):
        raise ValueError("nesterov needs a momentum above 0 and dampening = 0")
    value, gradient = evaluated(function, x, decay)
    if not decay and decays is not None:
        gradient.add_(decays * x)
    if momentum:
        if index(state, "dfdx") is None:
            store(state, "dfdx", gradient.clone())
        else:
            damping = momentum if damping is None else damping
            index(state, "dfdx").mul_(momentum).add_(gradient, alpha=1 - damping)
        velocity = index(state, "dfdx")
        gradient = gradient.add_(velocity, alpha=momentum) if nesterov else velocity
    step = rate / (1 + steps_before(state, "evalCounter") * falls)
    x.add_(gradient if rates is None else rates * gradient, alpha=-step)
    return x, [value]


def nag(function: Any, x: torch.Tensor, config: Any = None, state: Any = None) -> tuple[Any, ...]:
    """``optim.nag``"""
    config, state, rate, falls, decay, momentum, rates = tables_and_settings(
        config, state, learningRate=1e-3, learningRateDecay=0, weightDecay=0, momentum=0.9, learningRates=None
    )
    movement = kept(state, "dfdx", x)
    x.add_(movement, alpha=momentum)
    value, gradient = evaluated(function, x, decay)
    step = rate / (1 + steps_before(state, "evalCounter") * falls)
    gradient = gradient if rates is None else rates * gradient
    x.add_(gradient, alpha=-step)
    movement.mul_(momentum).add_(gradient, alpha=-step)
    return x, [value]


def adam(function: Any, x: torch.Tensor, config: Any = None, state: Any = None) -> tuple[Any, ...]:
    """``optim.adam``"""
    config, state, rate, falls, beta1, beta2, epsilon, decay = tables_and_settings(
        config,
        state,
        learningRate=1e-3,
        learningRateDecay=0,
        beta1=0.9,
        beta2=0.999,
        epsilon=1e-8,
        weightDecay=0,
    )
    value, gradient = evaluated(function, x, decay)
    mean, square, root = (kept(state, name, gradient) for name in ("m", "v", "denom"))
    before = steps_before(state, "t")
    mean.mul_(beta1).add_(gradient, alpha=1 - beta1)
    square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
    root.copy_(square).sqrt_().add_(epsilon)
    step = rate / (1 + before * falls) * math.sqrt(1 - beta2 ** (before + 1)) / (1 - beta1 ** (before + 1))
    x.addcdiv_(mean, root, value=-step)
    return x, [value]


def adamax(function: Any, x: torch.Tensor, config: Any = None, state: Any = None) -> tuple[Any, ...]:
    """``optim.adamax``"""
    config, state, rate, beta1, beta2, epsilon, decay = tables_and_settings(
        config, state, learningRate=2e-3, beta1=0.9, beta2=0.999, epsilon=1e-38, weightDecay=0
    )
    value, gradient = evaluated(function, x, decay)
    mean, largest = kept(state, "m", gradient), kept(state, "u", gradient)
    before = steps_before(state, "t")
    mean.mul_(beta1).add_(gradient, alpha=1 - beta1)
    largest.copy_(torch.maximum(beta2 * largest, gradient.abs() + epsilon))
    x.addcdiv_(mean, largest, value=-rate / (1 - beta1 ** (before + 1)))
    return x, [value]


def adagrad(function: Any, x: torch.Tensor, config: Any = None, state: Any = None) -> tuple[Any, ...]:
    """``optim.adagrad``"""
    config, state, rate, falls, decay = tables_and_settings(
        config, state, learningRate=1e-3, learningRateDecay=0, weightDecay=0
    )
    value, gradient = evaluated(function, x, decay)
    variance, root = kept(state, "paramVariance", gradient), kept(state, "paramStd", gradient)
    variance.addcmul_(gradient, gradient)
    root.copy_(variance).sqrt_().add_(1e-10)
    x.addcdiv_(gradient, root, value=-rate / (1 + steps_before(state, "evalCounter") * falls))
    return x, [value]


def adadelta(function: Any, x: torch.Tensor, config: Any = None, state: Any = None) -> tuple[Any, ...]:
    """``optim.adadelta``"""
    config, state, rho, epsilon, decay = tables_and_settings(config, state, rho=0.9, eps=1e-6, weightDecay=0)
    value, gradient = evaluated(function, x, decay)
    variance, root, delta, moved = (
        kept(state, name, gradient) for name in ("paramVariance", "paramStd", "delta", "accDelta")
    )
    variance.mul_(rho).addcmul_(gradient, gradient, value=1 - rho)
    root.copy_(variance).add_(epsilon).sqrt_()
    delta.copy_(moved).add_(epsilon).sqrt_().div_(root).mul_(gradient)
    x.sub_(delta)
    moved.mul_(rho).addcmul_(delta, delta, value=1 - rho)
    steps_before(state, "evalCounter")
    return x, [value]


def rmsprop(function: Any, x: torch.Tensor, config: Any = None, state: Any = None) -> tuple[Any, ...]:
    """``optim.rmsprop``"""
    config, state, rate, alpha, epsilon, decay, initial = tables_and_settings(
        config, state, learningRate=1e-2, alpha=0.99, epsilon=1e-8, weightDecay=0, initialMean=0
    )
    value, gradient = evaluated(function, x, decay)
    mean, root = kept(state, "m", gradient, initial), kept(state, "tmp", gradient)
    mean.mul_(alpha).addcmul_(gradient, gradient, value=1 - alpha)
    root.copy_(mean).sqrt_().add_(epsilon)
    x.addcdiv_(gradient, root, value=-rate)
    return x, [value]


def rprop(function: Any, x: torch.Tensor, config: Any = None, state: Any = None) -> tuple[Any, ...]:
    """``optim.rprop``"""
    config, state, first, grow, shrink, longest, shortest, count = tables_and_settings(
        config, state, stepsize=0.1, etaplus=1.2, etaminus=0.5, stepsizemax=50, stepsizemin=1e-6, niter=1
    )
    values = []
    for _ in range(int(count)):
        value, gradient = evaluated(function, x)
        if index(state, "delta") is None:
            store(state, "delta", torch.zeros_like(gradient))
            store(state, "stepsize", torch.full_like(gradient, first))
        last, size = index(state, "delta"), index(state, "stepsize")
        turned = gradient * last
        factor = torch.ones_like(size)
        size.mul_(factor.masked_fill_(turned > 0, grow).masked_fill_(turned < 0, shrink))
        size.clamp_(shortest, longest)
        gradient.masked_fill_(turned < 0, 0)
        x.addcmul_(gradient.sign(), size, value=-1)
        last.copy_(gradient)
        values.append(value)
    return x, values


def asgd(function: Any, x: torch.Tensor, config: Any = None, state: Any = None) -> tuple[Any, ...]:
    """``optim.asgd``, which gives the average of its points as well."""
    config, state, first, decay, alpha, start = tables_and_settings(
        config, state, eta0=1e-4, **{"lambda": 1e-4}, alpha=0.75, t0=1e6
    )
    rate, weight = index(state, "eta_t") or first, index(state, "mu_t") or 1
    value, gradient = evaluated(function, x)
    x.mul_(1 - decay * rate).add_(gradient, alpha=-rate)
    average = kept(state, "ax", x)
    average.add_(x - average, alpha=weight) if weight != 1 else average.copy_(x)
    count = (index(state, "t") or 0) + 1
    store(state, "t", count)
    store(state, "eta_t", first / (1 + decay * first * count) ** alpha)
    store(state, "mu_t", 1 / max(1, count - start))
    return x, [value], average


def square_root(a: float) -> float:
    return math.sqrt(a) if a >= 0 else math.nan


def default_zeros(count: int) -> torch.Tensor:
    return torch.zeros(count)


def default_square_root(a: float) -> float:
    return torch.tensor(a).sqrt().item()


def checkgrad(function: Any, x: torch.Tensor, step: float = 1e-7) -> tuple[Any, ...]:
    """``optim.checkgrad``: how far a gradient is from differences, the gradient, and these."""
    gradient = evaluated(function, x)[1]
    estimate = torch.empty_like(gradient)
    for i in range(len(x)):
        before = x[i].item()
        x[i] = before + step
        above = evaluated(function, x)[0]
        x[i] = x[i].item() - 2 * step
        below = evaluated(function, x)[0]
        x[i] = before
        estimate[i] = (above - below) / (2 * step)
    error = torch.linalg.vector_norm(gradient - estimate) / torch.linalg.vector_norm(gradient + estimate)
    return error.item(), gradient, estimate


OPTIMIZERS: dict[str, Callable[..., tuple[Any, ...]]] = {
    "adadelta": adadelta,
    "adagrad": adagrad,
    "adam": adam,
    "adamax": adamax,
    "asgd": asgd,
    "cg": cg,
    "lbfgs": lbfgs,
    "nag": nag,
    "rmsprop": rmsprop,
    "rprop": rprop,
    "sgd": sgd,
}
