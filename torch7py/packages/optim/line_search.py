"""A line search for lbfgs: lswolfe, and the polynomial interpolation under it."""

from __future__ import annotations

import math
from typing import Any

import torch

from torch7py.ops.dot import dot
from torch7py.ops.errors import TorchError
from torch7py.ops.program_output import say
from torch7py.packages.optim.common import Objective, default_square_root, divide, evaluate, settings
from torch7py.packages.registry import Fields, function

__all__ = ["lswolfe", "polyinterp"]

TINY = 1e-12  # coefficients below it count as 0


@function("optim.polyinterp")
@torch.no_grad()
def polyinterp(
    points: torch.Tensor, xminBound: float | None = None, xmaxBound: float | None = None
) -> tuple[float, ...] | float:
    """``x[, f] = optim.polyinterp(points[, xmin, xmax])``: where a polynomial through points is least.

    ``points`` has a row (x, f(x), f'(x)) for each of n points. The polynomial has the degree 2n - 1; x is looked
    for between the bounds, by default the least and largest x given. Two points without bounds are the cubic in
    closed form, which returns x alone.
    """
    if points.dim() != 2 or points.shape[1] != 3:
        raise TorchError("optim.polyinterp expects a row (x, f, df/dx) for each point")
    if len(points) == 2 and xminBound is None and xmaxBound is None:
        return _cubic(*(tuple(row) for row in points.tolist()))
    xs = points[:, 0]
    low = xs.min().item() if xminBound is None else xminBound
    high = xs.max().item() if xmaxBound is None else xmaxBound

    order = 2 * len(points) - 1
    rows, targets = [], []
    for x, f, _ in points.tolist():
        rows.append([x**power for power in range(order, -1, -1)])
        targets.append(f)
    for x, _, slope in points.tolist():
        rows.append([power * x ** (power - 1) for power in range(order, 0, -1)] + [0.0])
        targets.append(slope)
    matrix = torch.tensor(rows, dtype=points.dtype)
    right = torch.tensor(targets, dtype=points.dtype).unsqueeze(1)
    coefficients = [
        0.0 if abs(c) <= TINY else c
        for c in torch.linalg.lstsq(matrix, right, driver="gels").solution[:, 0].tolist()
    ]
    derivative = [c * power for c, power in zip(coefficients, range(order, 0, -1), strict=False)]

    candidates = [low, high, *xs.tolist()]
    if all(c == c and c != math.inf for c in derivative):
        candidates += _real_roots(derivative, points.dtype)
    best, least = (low + high) / 2, math.inf
    for x in candidates:
        if low <= x <= high:
            f = sum(c * x**power for c, power in zip(coefficients, range(order, -1, -1), strict=True))
            if f < least:
                best, least = x, f
    return best, least


def _cubic(one: tuple[float, ...], two: tuple[float, ...]) -> float:
    """The minimum of the cubic through two points with their slopes, between them."""
    (x1, f1, g1), (x2, f2, g2) = (one, two) if one[0] <= two[0] else (two, one)
    d1 = g1 + g2 - 3 * divide(f1 - f2, x1 - x2)
    d2 = default_square_root(d1**2 - g1 * g2)
    if d2 != d2:
        return (one[0] + two[0]) / 2
    at = x2 - (x2 - x1) * divide(g2 + d2 - d1, g2 - g1 + 2 * d2)
    return min(max(at, x1), x2)


def _real_roots(coefficients: list[float], dtype: torch.dtype) -> list[float]:
    """The real roots of a polynomial, highest power first."""
    c = [0.0 if abs(value) < TINY else value for value in coefficients]
    while c and c[0] == 0:
        del c[0]
    zeros = 0
    while c and c[-1] == 0:
        del c[-1]
        zeros += 1
    if len(c) < 2:
        return [0.0] * zeros
    if len(c) == 2:
        return [-c[1] / c[0]] + [0.0] * zeros
    companion = torch.diag(torch.ones(len(c) - 2, dtype=dtype), -1)
    companion[0] = -torch.tensor(c[1:], dtype=dtype) / c[0]
    roots = torch.linalg.eigvals(companion)
    return [root.real for root in roots.tolist() if root.imag == 0] + [0.0] * zeros


@function("optim.lswolfe")
@torch.no_grad()
def lswolfe(
    opfunc: Objective,
    x: torch.Tensor,
    t: float,
    d: torch.Tensor,
    f: float,
    g: torch.Tensor,
    gtd: float,
    options: Fields | None = None,
) -> tuple[Any, ...]:
    """``f, g, x, t, evaluations = optim.lswolfe(opfunc, x, t, d, f, g, gtd[, options])``: a step along ``d``.

    Finds a t for which x + t d satisfies the strong Wolfe conditions and moves x there. ``f``, ``g`` and ``gtd``
    are the value, the gradient and its product with ``d`` at x. Options: ``c1`` (1e-4, sufficient decrease),
    ``c2`` (0.9, curvature), ``tolX`` (1e-9, the least progress), ``maxIter`` (20).
    """
    c1, c2, tolerance, most, verbose = settings(
        {} if options is None else options, c1=1e-4, c2=0.9, tolX=1e-9, maxIter=20, verbose=False
    )
    origin = x.clone()
    calls = 0

    def go(step: float) -> tuple[float, torch.Tensor, float]:
        """Value, gradient and slope at x + step * d."""
        nonlocal calls
        if calls:
            x.copy_(origin)
        x.add_(d, alpha=step)
        value, gradient = evaluate(opfunc, x, computed=True)
        calls += 1
        return value, gradient, dot(gradient, d)

    def rounded(value: float) -> float:
        """A number as a tensor of x's type would hold it."""
        return x.new_tensor(value).item()

    # Bracket a step that satisfies the conditions. A side is [t, f, g], its g a copy.
    first_gradient = g
    value, gradient, slope = go(t)
    rounds, last_t = 0, 0.0
    last: list[Any] = [0.0, f, g.clone(), gtd]
    bracket: list[list[Any]] = []
    done = False
    while rounds < most:
        here = [t, value, gradient.clone(), slope]
        if value > f + c1 * t * gtd or (rounds > 1 and value >= last[1]):
            bracket = [last, here]
            break
        if abs(slope) <= -c2 * gtd:
            bracket = [here]
            done = True
            break
        if slope >= 0:
            bracket = [last, here]
            break
        points = x.new_tensor([[last_t, last[1], last[3]], [t, value, slope]])
        next_t = _first(polyinterp(points, t + 0.01 * (t - last_t), t * 10))
        last_t, last = t, here
        t = next_t
        value, gradient, slope = go(t)
        rounds += 1
    if rounds == most:
        bracket = [[0.0, f, first_gradient.clone(), gtd], [t, value, gradient.clone(), slope]]
    for side in bracket:
        side[0], side[1] = rounded(side[0]), rounded(side[1])

    # Narrow it.
    stuck = False
    while not done and rounds < most:
        low = 0 if len(bracket) == 1 or bracket[0][1] <= bracket[1][1] else 1
        high = 1 - low
        points = x.new_tensor([[side[0], side[1], dot(side[2], d)] for side in bracket])
        t = _first(polyinterp(points))
        left, right = sorted(side[0] for side in bracket)
        if divide(min(right - t, t - left), right - left) < 0.1:
            if stuck or t >= right or t <= left:
                step = 0.1 * (right - left)
                t = right - step if abs(t - right) < abs(t - left) else left + step
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        lowest = bracket[low][1]
        value, gradient, slope = go(t)
        rounds += 1
        here = [rounded(t), rounded(value), gradient.clone(), slope]
        if value > f + c1 * t * gtd or value >= lowest:
            bracket[high] = here
        else:
            if abs(slope) <= -c2 * gtd:
                done = True
            elif slope * (bracket[high][0] - bracket[low][0]) >= 0:
                bracket[high] = bracket[low]
            bracket[low] = here
        if not done and abs((bracket[0][0] - bracket[1][0]) * slope) < tolerance:
            break
    if rounds == most and verbose:
        say("<optim.lswolfe> ", "reached max number of iterations")

    best = min(bracket, key=lambda side: side[1])
    x.copy_(origin).add_(d, alpha=best[0])
    return best[1], best[2], x, best[0], calls


def _first(result: Any) -> float:
    """The x that ``polyinterp`` returns."""
    return float(result[0] if isinstance(result, tuple) else result)
