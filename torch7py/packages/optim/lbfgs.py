"""Limited-memory BFGS."""

from __future__ import annotations

from typing import Any

import torch

from torch7py.ops.dot import dot
from torch7py.ops.program_output import say
from torch7py.packages.optim.common import (
    Objective,
    default_zeros,
    divide,
    evaluate,
    evaluate_as_given,
    fitting,
    settings,
    tables,
)
from torch7py.packages.registry import Fields, function

__all__ = ["lbfgs"]


@function("optim.lbfgs")
@torch.no_grad()
def lbfgs(
    opfunc: Objective, x: torch.Tensor, config: Fields | None = None, state: Fields | None = None
) -> tuple[Any, ...]:
    """``x, {f, ...}, evaluations = optim.lbfgs(opfunc, x[, config[, state]])``: minimize by L-BFGS.

    Settings: ``maxIter`` (20), ``maxEval`` (1.25 maxIter), ``tolFun`` (1e-5, the sum of the gradient's absolute
    values below which x is optimal), ``tolX`` (1e-9, the least progress in x and in f), ``nCorrection`` (100, the
    steps remembered), ``learningRate`` (1, the length of a step), ``lineSearch`` (a function like
    ``optim.lswolfe``, which then chooses it) with ``lineSearchOptions``, ``verbose``. The state carries the
    steps remembered to the next call. Without a line search the last step of a call is not evaluated. When x is
    optimal from the start the number of evaluations is not returned.
    """
    config, state = tables(config, state)
    most_steps, tol_fun, tol_x, memory, search, options, rate, verbose = settings(
        config,
        maxIter=20,
        tolFun=1e-5,
        tolX=1e-9,
        nCorrection=100,
        lineSearch=None,
        lineSearchOptions=None,
        learningRate=1,
        verbose=False,
    )
    most_steps = float(most_steps)
    (most_calls,) = settings(config, maxEval=most_steps * 1.25)
    most_calls = float(most_calls)
    memory = int(memory)

    def report(text: str) -> None:
        if verbose:
            say("<optim.lbfgs> ", text)

    state.setdefault("funcEval", 0)
    state.setdefault("nIter", 0)
    f, given = evaluate_as_given(opfunc, x, computed=True)
    g = given.view(x.shape)
    values = [f]
    calls = 1
    state["funcEval"] = state["funcEval"] + 1

    scratch = state.get("tmp1")
    if scratch is None:
        scratch = state["tmp1"] = torch.empty_like(g)
    scratch = fitting(scratch, "tmp1", g)
    if scratch.copy_(g).abs_().sum().item() <= tol_fun:
        report("optimality condition below tolFun")
        return x, values

    if state.get("dir_bufs") is None:
        report("creating recyclable direction/step/history buffers")
        for name in ("dir_bufs", "stp_bufs"):
            state[name] = _buffers(g, memory + 1, len(given))
    free_y, free_s = state["dir_bufs"], state["stp_bufs"]
    (steps, changes, d, t, diagonal, g_old, f_old, done) = settings(
        state, old_dirs=None, old_stps=None, d=None, t=None, Hdiag=None, g_old=None, f_old=None, nIter=0
    )

    count = 0
    while count < most_steps:
        count += 1
        done += 1
        state["nIter"] = done
        if done == 1:
            d = torch.neg(g)
            steps, changes, diagonal = [], [], 1
        else:
            y, s = free_y.pop(), free_s.pop()
            torch.sub(g, g_old, out=y)
            torch.mul(d, t, out=s)
            ys = dot(y, s)
            if ys > 1e-10:
                if len(steps) == memory:
                    free_y.append(steps.pop(0))
                    free_s.append(changes.pop(0))
                steps.append(s)
                changes.append(y)
                diagonal = ys / dot(y, y)
            else:
                free_y.append(y)
                free_s.append(s)
            # the inverse Hessian times -g, by the two loops
            ro, al = (_factors(state, name, memory) for name in ("ro", "al"))
            weights = [0.0] * len(steps)
            inverse = [_in_type(divide(1, dot(y, s)), ro.dtype) for s, y in zip(steps, changes, strict=True)]
            q = torch.neg(g, out=scratch)
            for i in range(len(steps) - 1, -1, -1):
                weights[i] = _in_type(dot(steps[i], q) * inverse[i], al.dtype)
                q.add_(changes[i], alpha=-weights[i])
            for vector, factors in ((ro, inverse), (al, weights)):
                vector[: len(steps)] = torch.tensor(factors, dtype=vector.dtype)
            torch.mul(q, diagonal, out=d)
            for i, (s, y) in enumerate(zip(steps, changes, strict=True)):
                d.add_(s, alpha=weights[i] - dot(y, d) * inverse[i])
        g_old = g.clone() if g_old is None else g_old.copy_(g)
        f_old = f

        slope = dot(g, d)
        if slope > -tol_x:
            break
        t = rate
        if done == 1:
            t = min(1, 1 / scratch.copy_(g).abs_().sum().item()) * rate
        searched = 0
        if callable(search):
            f, g, x, t, searched = search(opfunc, x, t, d, f, g, slope, options)
            values.append(f)
        else:
            x.add_(d, alpha=t)
            if count != most_steps:
                f, g = evaluate(opfunc, x, computed=True)
                searched = 1
                values.append(f)
        calls += searched
        state["funcEval"] = state["funcEval"] + searched

        if count == most_steps:
            report("reached max number of iterations")
            break
        if calls >= most_calls:
            report("max nb of function evals")
            break
        if scratch.copy_(g).abs_().sum().item() <= tol_fun:
            report("optimality condition below tolFun")
            break
        if torch.mul(d, t, out=scratch).abs_().sum().item() <= tol_x:
            report("step size below tolX")
            break
        if abs(f - f_old) < tol_x:
            report("function value changing less than tolX")
            break

    state["dir_bufs"], state["stp_bufs"] = free_y, free_s
    kept = zip(
        ("old_dirs", "old_stps", "Hdiag", "g_old", "f_old", "t", "d"),
        (steps, changes, diagonal, g_old, f_old, t, d),
        strict=True,
    )
    for name, value in kept:
        state[name] = value
    return x, values, calls


def _buffers(like: torch.Tensor, count: int, rows: int) -> list[torch.Tensor]:
    """Tensors for the changes of points and gradients, one behind the other in one storage.

    The original gives each as many elements as the gradient has ``rows``. Those of a matrix reach into what is behind
    them, and its steps depend on that; of a vector none does.
    """
    strides = torch.empty(like.shape, device="meta").stride()
    whole = like.new_zeros((count - 1) * rows + like.numel())
    return [whole.as_strided(like.shape, strides, number * rows) for number in range(count)]


def _factors(state: Fields, name: str, count: int) -> torch.Tensor:
    """A vector of the state for numbers, which then have the digits of the default type."""
    if state.get(name) is None:
        state[name] = default_zeros(count)
    vector: torch.Tensor = state[name]
    return vector


def _in_type(value: float, dtype: torch.dtype) -> float:
    return value if dtype == torch.float64 else torch.tensor(value, dtype=dtype).item()
