"""The functions of optim, on a vector and the function that is to become small at it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from torch7py.translate.page_library.values import call_all, index, store


def settings(config: Any, state: Any, **usual: Any) -> tuple[Any, ...]:
    """The tables of an optimizer, where either may be missing, and its settings: those in the table, or the usual."""
    config = {} if config is None else config
    chosen = [value if index(config, name) is None else index(config, name) for name, value in usual.items()]
    return config, config if state is None else state, *chosen


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
    value, gradient, *_ = call_all(function, x)
    gradient = gradient if gradient.shape == x.shape else gradient.view(x.shape)
    if decay:
        gradient.add_(x, alpha=decay)
    return value.item() if isinstance(value, torch.Tensor) else value, gradient


def sgd(function: Any, x: torch.Tensor, config: Any = None, state: Any = None) -> tuple[Any, ...]:
    """``optim.sgd``"""
    config, state, rate, falls, decay, decays, momentum, nesterov, rates, damping = settings(
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
    config, state, rate, falls, decay, momentum, rates = settings(
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
    config, state, rate, falls, beta1, beta2, epsilon, decay = settings(
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
    config, state, rate, beta1, beta2, epsilon, decay = settings(
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
    config, state, rate, falls, decay = settings(
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
    config, state, rho, epsilon, decay = settings(config, state, rho=0.9, eps=1e-6, weightDecay=0)
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
    config, state, rate, alpha, epsilon, decay, initial = settings(
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
    config, state, first, grow, shrink, longest, shortest, count = settings(
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
    config, state, first, decay, alpha, start = settings(
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


def on_vectors(minimize: Callable[..., tuple[Any, ...]]) -> Callable[..., tuple[Any, ...]]:
    """An optimizer of vectors, which takes the elements of any tensor as one."""

    def on_elements(function: Any, x: torch.Tensor, *tables: Any) -> tuple[Any, ...]:
        if x.dim() == 1:
            return minimize(function, x, *tables)

        def of_elements(_: torch.Tensor) -> tuple[Any, torch.Tensor]:
            value, gradient = call_all(function, x)[:2]
            return value, gradient.reshape(-1)

        return x, *minimize(of_elements, x.view(-1), *tables)[1:]

    return on_elements


@on_vectors
def lbfgs(function: Any, x: torch.Tensor, config: Any = None, state: Any = None) -> tuple[Any, ...]:
    """``optim.lbfgs``, with a line search of the program's own or none."""
    config, state, most, flat, still, memory, rate, search = settings(
        config, state, maxIter=20, tolFun=1e-5, tolX=1e-9, nCorrection=100, learningRate=1, lineSearch=None
    )
    most_calls, options = settings(config, state, maxEval=most * 1.25, lineSearchOptions=None)[2:]
    value, gradient = evaluated(function, x)
    values, calls = [value], 1
    store(state, "funcEval", (index(state, "funcEval") or 0) + 1)
    if gradient.abs().sum().item() <= flat:
        return x, values
    steps, changes, scale, direction, step, before = (
        index(state, name) for name in ("old_dirs", "old_stps", "Hdiag", "d", "t", "g_old")
    )
    steps, changes = steps or [], changes or []
    for turn in range(1, int(most) + 1):
        done = (index(state, "nIter") or 0) + 1
        store(state, "nIter", done)
        if done == 1:
            direction, steps, changes, scale = -gradient, [], [], 1
        else:
            change, moved = gradient - before, direction * step
            curvature = change.dot(moved).item()
            if curvature > 1e-10:
                if len(steps) == memory:
                    del steps[0], changes[0]
                steps.append(moved)
                changes.append(change)
                scale = curvature / change.dot(change).item()
            # the inverse Hessian times the gradient, by the two loops
            direction, weights = -gradient, []
            for s, y in zip(reversed(steps), reversed(changes), strict=True):
                weights.append(s.dot(direction).item() * (1 / y.dot(s).item()))
                direction.add_(y, alpha=-weights[-1])
            direction *= scale
            for s, y, weight in zip(steps, changes, reversed(weights), strict=True):
                direction.add_(s, alpha=weight - y.dot(direction).item() * (1 / y.dot(s).item()))
        before, value_before = gradient.clone(), value
        slope = gradient.dot(direction).item()
        if slope > -still:
            break
        step = min(1, 1 / gradient.abs().sum().item()) * rate if done == 1 else rate
        searched = 1
        if search is not None:
            search_args = (function, x, step, direction, value, gradient, slope, options)
            value, gradient, x, step, searched = call_all(search, *search_args)
        else:
            x.add_(direction, alpha=step)
            if turn == most:
                break
            value, gradient = evaluated(function, x)
        values.append(value)
        calls += searched
        store(state, "funcEval", index(state, "funcEval") + searched)
        if turn == most:
            break
        moved_by = (direction * step).abs().sum().item()
        small = gradient.abs().sum().item() <= flat or moved_by <= still
        if calls >= most_calls or small or abs(value - value_before) < still:
            break
    names = ("old_dirs", "old_stps", "Hdiag", "d", "t", "g_old", "f_old")
    for name, item in zip(names, (steps, changes, scale, direction, step, before, value), strict=True):
        store(state, name, item)
    return x, values, calls


def quotient(a: float, b: float) -> float:
    """a / b where b may be 0, as Lua divides."""
    if b:
        return a / b
    return math.nan if a == 0 or a != a else math.copysign(math.inf, a) * math.copysign(1.0, b)


def root_of(a: float) -> float:
    return math.sqrt(a) if a >= 0 else math.nan


@on_vectors
def cg(function: Any, x: torch.Tensor, config: Any = None, state: Any = None) -> tuple[Any, ...]:
    """``optim.cg``: conjugate gradients, with a line search by parabolas and cubics."""
    config, state, rho, sig, inner, outer, most, ratio = settings(
        config, state, rho=0.01, sig=0.5, int=0.1, ext=3.0, maxIter=20, ratio=100
    )
    most_calls = settings(config, state, maxEval=most * 1.25)[2]
    calls = 1
    value1, gradient1 = evaluated(function, x)
    gradient1 = gradient1.clone()
    gradient2 = gradient1.clone()
    values = [value1]
    direction = -gradient1
    slope1 = -direction.dot(direction).item()
    step1 = quotient(1, 1 - slope1)

    def move(step: float) -> tuple[float, float]:
        """Move along the direction: the value there, and its slope."""
        nonlocal calls
        x.add_(direction, alpha=step)
        value, gradient = evaluated(function, x)
        calls += 1
        gradient2.copy_(gradient)
        return value, gradient2.dot(direction).item()

    def too_far() -> bool:
        """Whether the function has not fallen enough, or climbs again."""
        return bool(value2 > value1 + step1 * rho * slope1 or slope2 > -sig * slope1)

    while calls < abs(most_calls):
        start, start_gradient = x.clone(), gradient1.clone()
        value2, slope2 = move(step1)
        value3, slope3, step3 = value1, slope1, -step1
        left = min(most, most_calls - calls)
        success, bound = False, -1.0
        while True:
            while too_far() and left > 0:
                bound = step1
                if value2 > value1:
                    step2 = step3 - quotient(0.5 * slope3 * step3 * step3, slope3 * step3 + value2 - value3)
                else:
                    a = quotient(6 * (value2 - value3), step3) + 3 * (slope2 + slope3)
                    b = 3 * (value3 - value2) - step3 * (slope3 + 2 * slope2)
                    step2 = quotient(root_of(b * b - a * slope2 * step3 * step3) - b, a)
                step2 = step2 if math.isfinite(step2) else step3 / 2
                step2 = max(min(step2, inner * step3), (1 - inner) * step3)
                step1 += step2
                value2, slope2 = move(step2)
                left -= 1
                step3 -= step2
            success = not too_far() and slope2 > sig * slope1
            if success or too_far() or left == 0:
                break
            a = quotient(6 * (value2 - value3), step3) + 3 * (slope2 + slope3)
            b = 3 * (value3 - value2) - step3 * (slope3 + 2 * slope2)
            step2 = quotient(-slope2 * step3 * step3, b + root_of(b * b - a * slope2 * step3 * step3))
            if not math.isfinite(step2) or step2 < 0:
                step2 = step1 * (outer - 1) if bound < -0.5 else (bound - step1) / 2
            elif bound > -0.5 and step2 + step1 > bound:
                step2 = (bound - step1) / 2
            elif bound < -0.5 and step2 + step1 > step1 * outer:
                step2 = step1 * (outer - 1)
            elif step2 < -step3 * inner:
                step2 = -step3 * inner
            elif bound > -0.5 and step2 < (bound - step1) * (1 - inner):
                step2 = (bound - step1) * (1 - inner)
            value3, slope3, step3 = value2, slope2, -step2
            step1 += step2
            value2, slope2 = move(step2)
            left -= 1
        if not success:
            x.copy_(start)
            gradient1.copy_(start_gradient)
            break
        value1 = value2
        values.append(value1)
        turn = quotient(
            gradient2.dot(gradient2).item() - gradient2.dot(gradient1).item(), gradient1.dot(gradient1).item()
        )
        direction.mul_(turn).sub_(gradient2)
        gradient1, gradient2 = gradient2.clone(), gradient1.clone()
        slope2 = gradient1.dot(direction).item()
        if slope2 > 0:
            direction = -gradient1
            slope2 = -direction.dot(direction).item()
        step1 *= min(ratio, quotient(slope1, slope2 - 1e-320))
        slope1 = slope2
    return x, values, calls


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
