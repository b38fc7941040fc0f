"""FISTA: a smooth function plus one that is not, by proximal gradient steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from torch7py.ops.dot import dot
from torch7py.ops.program_output import say
from torch7py.ops.rounding import format_number
from torch7py.packages.optim.common import settings
from torch7py.packages.registry import Fields, function

__all__ = ["FistaLS"]


def _value(result: Any) -> Any:
    return result[0] if isinstance(result, tuple) else result


@function("optim.FistaLS")
@torch.no_grad()
def FistaLS(
    f: Callable[..., Any],
    g: Callable[..., Any],
    pl: Callable[..., Any],
    xinit: torch.Tensor,
    params: Fields | None = None,
) -> tuple[torch.Tensor, list[dict[str, Any]]]:
    """``x, history = optim.FistaLS(f, g, pl, xinit[, params])``: minimize f + g from zero.

    ``f(x, 'dx')`` returns the smooth function's value and gradient, ``f(x)`` and ``g(x)`` values, and ``pl(x, L)``
    moves x to the minimum of g plus L/2 times the squared distance from x. Parameters: ``L`` (0.1, the curvature,
    multiplied by ``Lstep``, 1.5, until the step is safe; the last one is written back), ``maxiter`` (50),
    ``maxline`` (20), ``errthres`` (1e-4, the change of the sum that ends it), ``doFistaUpdate`` (the momentum of
    FISTA; without it, as by default, plain ISTA), ``verbose``. The result is in ``xinit`` too.
    """
    if params is None:
        params = {}
    curvature, factor, most, most_lines, threshold, momentum, verbose = settings(
        params,
        L=0.1,
        Lstep=1.5,
        maxiter=50,
        maxline=20,
        errthres=1e-4,
        doFistaUpdate=False,
        verbose=False,
    )
    x = xinit
    previous, y, candidate = (torch.zeros_like(x) for _ in range(3))
    for name, tensor in (("xkm", previous), ("y", y), ("ply", candidate)):
        params[name] = tensor
    history: list[dict[str, Any]] = []
    t, next_t = 1.0, 0.0
    g(y)
    total = math.inf
    while True:
        value_y, gradient = f(y, "dx")[:2]
        lines = 0
        while True:
            candidate.copy_(y).add_(gradient, alpha=-1 / curvature)
            pl(candidate, curvature)
            x.copy_(candidate)
            value = _value(f(candidate))
            candidate.sub_(y)
            linear = dot(gradient, candidate)
            square = curvature / 2 * dot(candidate, candidate)
            bound = value_y + linear + square
            if verbose:
                say(
                    f"nline={lines} L={_short(curvature)} fply={_short(value)} Q={_short(bound)} fy={_short(value_y)} "
                    f"Q2={_short(linear)} Q3={_short(square)}"
                )
            lines += 1
            if value <= bound:
                break
            if lines > most_lines:
                x.copy_(previous)
                break
            curvature *= factor
        if momentum:
            next_t = (1 + math.sqrt(1 + 4 * t * t)) / 2
            previous.sub_(x)
            y.copy_(x).add_(previous, alpha=(1 - t) / next_t)
            previous.copy_(x)
        else:
            y.copy_(x)
        t = next_t
        smooth, rest = _value(f(y)), _value(g(y))
        if verbose:
            say(f"iter={len(history)} eold={_short(total)} enew={_short(smooth + rest)}")
        total = smooth + rest
        params["L"] = curvature
        step = {"nline": lines, "L": curvature, "F": total, "Fply": smooth, "Gply": rest, "Q": bound}
        if verbose:
            step |= {"xk": x.clone(), "y": y.clone()}
        history.append(step)
        settled = len(history) > 1 and abs(total - history[-2]["F"]) <= threshold
        if settled or len(history) >= most:
            xinit.copy_(y)
            return y, history


def _short(number: float) -> str:
    return format_number("%g", number)
