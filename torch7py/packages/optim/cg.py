"""Conjugate gradients with a line search, after Rasmussen's ``minimize``."""

from __future__ import annotations

import math
from typing import Any

import torch

from torch7py.ops.dot import dot
from torch7py.packages.optim.common import (
    Objective,
    divide,
    evaluate,
    fitting,
    settings,
    square_root,
    tables,
)
from torch7py.packages.registry import Fields, function

__all__ = ["cg"]


def _finite(value: float) -> bool:
    return value == value and abs(value) != math.inf


@function("optim.cg")
@torch.no_grad()
def cg(
    opfunc: Objective, x: torch.Tensor, config: Fields | None = None, state: Fields | None = None
) -> tuple[torch.Tensor, list[Any], int]:
    """``x, {f, ...}, evaluations = optim.cg(opfunc, x[, config[, state]])``: minimize by conjugate gradients.

    Settings: ``maxIter`` (20, steps in one line search), ``maxEval`` (1.25 maxIter, evaluations), ``rho`` (0.01)
    and ``sig`` (0.5) of the Wolfe-Powell conditions, ``int`` (0.1) and ``ext`` (3.0), how near to the ends of an
    interval and how far beyond it a step may go, ``ratio`` (100, the largest growth of a first step). State:
    ``df0`` to ``df3``, ``x0``, ``s``, buffers alone: every call starts along the gradient. The values are those
    at the start and after each line search that succeeded; the first that fails is undone and ends the call.
    """
    config, state = tables(config, state)
    rho, sig, inner, outer, steps, ratio = settings(
        config, rho=0.01, sig=0.5, int=0.1, ext=3.0, maxIter=20, ratio=100
    )
    (limit_of_calls,) = settings(config, maxEval=steps * 1.25)
    calls = 0

    def buffer_of(name: str) -> torch.Tensor:
        kept = state.get(name)
        return torch.empty_like(x) if kept is None or kept.numel() == 0 else fitting(kept, name, x)

    start_gradient, gradient1, gradient2, spare, direction, start = map(
        buffer_of, ("df0", "df1", "df2", "df3", "s", "x0")
    )

    def move(step: float) -> tuple[float, float]:
        """Move along the direction; the value there, and its slope."""
        nonlocal calls
        x.add_(direction, alpha=step)
        value, gradient = evaluate(opfunc, x, computed=True)
        calls += 1
        gradient2.copy_(gradient)
        return value, dot(gradient2, direction)

    def steepest() -> float:
        """Turn to where the function falls most; the slope there."""
        torch.neg(gradient1, out=direction)
        return -dot(direction, direction)

    def too_far() -> bool:
        """The function has not fallen enough, or climbs again."""
        return bool(value2 > value1 + step1 * rho * slope1 or slope2 > -sig * slope1)

    value1, first_gradient = evaluate(opfunc, x, computed=True)
    gradient1.copy_(first_gradient)
    calls = 1
    values = [value1]
    slope1 = steepest()
    step1 = divide(1, 1 - slope1)

    while calls < abs(limit_of_calls):
        start.copy_(x)
        start_gradient.copy_(gradient1)
        value2, slope2 = move(step1)
        value3, slope3, step3 = value1, slope1, -step1  # the third point is where the search began
        left = min(steps, limit_of_calls - calls)
        success, bound = False, -1.0
        while True:
            while too_far() and left > 0:
                bound = step1
                if value2 > value1:  # the parabola through the values and one slope
                    step2 = step3 - divide(0.5 * slope3 * step3 * step3, slope3 * step3 + value2 - value3)
                else:  # the cubic
                    a = divide(6 * (value2 - value3), step3) + 3 * (slope2 + slope3)
                    b = 3 * (value3 - value2) - step3 * (slope3 + 2 * slope2)
                    step2 = divide(square_root(b * b - a * slope2 * step3 * step3) - b, a)
                if not _finite(step2):
                    step2 = step3 / 2
                step2 = max(min(step2, inner * step3), (1 - inner) * step3)
                step1 += step2
                value2, slope2 = move(step2)
                left -= 1
                step3 -= step2
            if too_far():
                break
            if slope2 > sig * slope1:
                success = True
                break
            if left == 0:
                break
            a = divide(6 * (value2 - value3), step3) + 3 * (slope2 + slope3)
            b = 3 * (value3 - value2) - step3 * (slope3 + 2 * slope2)
            step2 = divide(-slope2 * step3 * step3, b + square_root(b * b - a * slope2 * step3 * step3))
            if not _finite(step2) or step2 < 0:
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
        turn = divide(dot(gradient2, gradient2) - dot(gradient2, gradient1), dot(gradient1, gradient1))
        direction.mul_(turn).sub_(gradient2)
        spare_copy = gradient1.clone()
        gradient1.copy_(gradient2)
        gradient2.copy_(spare_copy)
        slope2 = dot(gradient1, direction)
        if slope2 > 0:
            slope2 = steepest()
        step1 *= min(ratio, divide(slope1, slope2 - 1e-320))
        slope1 = slope2

    kept = zip(
        ("df0", "df1", "df2", "df3", "x0", "s"),
        (start_gradient, gradient1, gradient2, spare, start, direction),
        strict=True,
    )
    for name, tensor in kept:
        state[name] = tensor
    return x, values, calls
