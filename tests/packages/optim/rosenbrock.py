"""The Rosenbrock function, in the order of operations in which the golden numbers of optim were made."""

from __future__ import annotations

import itertools

import torch

LUA = """
function rosenbrock(x)
   local f, g = 0, torch.zeros(x:size(1))
   for i = 1, x:size(1) - 1 do
      f = f + 100 * (x[i + 1] - x[i] ^ 2) ^ 2 + (1 - x[i]) ^ 2
      g[i] = g[i] - 400 * x[i] * (x[i + 1] - x[i] ^ 2) - 2 * (1 - x[i])
      g[i + 1] = g[i + 1] + 200 * (x[i + 1] - x[i] ^ 2)
   end
   return f, g
end
"""


def rosenbrock(x: torch.Tensor) -> tuple[float, torch.Tensor]:
    """Value and gradient."""
    f, g = 0.0, [0.0] * len(x)
    for i, (a, b) in enumerate(itertools.pairwise(x.tolist())):
        f = f + 100 * (b - a**2) ** 2 + (1 - a) ** 2
        g[i] = g[i] - 400 * a * (b - a**2) - 2 * (1 - a)
        g[i + 1] = g[i + 1] + 200 * (b - a**2)
    return f, torch.tensor(g, dtype=torch.float64)
