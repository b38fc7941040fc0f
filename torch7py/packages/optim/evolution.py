"""Minimizers that ask for no gradient: differential evolution and CMA-ES."""

from __future__ import annotations

import math
from typing import Any

import torch

from torch7py.ops import types
from torch7py.ops.errors import ArgumentError
from torch7py.ops.mersenne import Generator
from torch7py.ops.printing import number_to_string
from torch7py.ops.program_output import say
from torch7py.ops.random import fill, scalar
from torch7py.ops.rounding import format_number
from torch7py.ops.state import current
from torch7py.ops.support import restricted
from torch7py.packages.optim.common import Objective, settings, tables
from torch7py.packages.registry import Fields, function

__all__ = ["cmaes", "de"]


def _value(opfunc: Objective, x: torch.Tensor) -> Any:
    result = opfunc(x)
    return result[0] if isinstance(result, tuple) else result


@function("optim.de")
@torch.no_grad()
def de(
    opfunc: Objective, x: torch.Tensor, config: Fields | None = None, state: Fields | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """``best, values = optim.de(opfunc, x, config)``: minimize by differential evolution.

    Settings: ``maxFEs`` (evaluations, a multiple of ``popsize``), ``scaleFactor``, ``crossoverRate``, ``popsize`` (10
    times the number of variables), ``minRegion`` (-30) and ``maxRegion`` (30), between which the population
    starts. x gives the number of variables and the type alone; the random numbers are always those of the seed
    1. The values are those of all evaluations in order.
    """
    config, _ = tables(config, state)
    n = x.numel()
    count, scale, rate, most, low, high = settings(
        config,
        popsize=10 * n,
        scaleFactor=None,
        crossoverRate=None,
        maxFEs=None,
        minRegion=-30,
        maxRegion=30,
    )
    for name, setting in (("scaleFactor", scale), ("crossoverRate", rate), ("maxFEs", most)):
        if setting is None:
            raise ArgumentError(f"optim.de: config.{name} is missing")
    count, most = int(count), int(float(most))
    if count < 3 or most % count:
        raise ArgumentError("optim.de: popsize must be at least 3, and maxFEs a multiple of it")
    generator = Generator()
    generator.manual_seed(1)

    def evaluate(points: torch.Tensor) -> list[float]:
        into = points.new_tensor([float(_value(opfunc, point)) for point in points])
        values.append(into)
        return into.tolist()

    values: list[torch.Tensor] = []
    population = fill.uniform(generator, x.new_empty((count, n)), low, high)
    fitness = evaluate(population)
    best = max(range(count), key=fitness.__getitem__)  # the original begins with the worst
    lowest, solution = fitness[best], population[best].clone()
    while len(values) * count < most:
        parents, leader = population.tolist(), solution.tolist()
        children = []
        for i in range(1, count + 1):
            one = two = i
            while one == i:
                one = scalar.random(generator, 1, count)
            while two in (i, one):
                two = scalar.random(generator, 1, count)
            forced = scalar.random(generator, 1, n)
            child = []
            for j in range(n):
                # The original compares the wrong index here: a child of number `forced` is all new.
                if scalar.uniform(generator) < rate or i == forced:
                    child.append(leader[j] + scale * (parents[one - 1][j] - parents[two - 1][j]))
                else:
                    child.append(parents[i - 1][j])
            children.append(child)
        offspring = x.new_tensor(children)
        for i, value in enumerate(evaluate(offspring)):
            if value <= fitness[i]:
                population[i] = offspring[i]
                fitness[i] = value
                if value < lowest:
                    lowest = value
                    solution.copy_(offspring[i])
    return solution, torch.cat(values)


@function("optim.cmaes")
@torch.no_grad()
def cmaes(
    opfunc: Objective, x: torch.Tensor, config: Fields | None = None, state: Fields | None = None
) -> tuple[torch.Tensor, list[Any], int]:
    """``best, {f, ...}, evaluations = optim.cmaes(opfunc, x, config)``: minimize by CMA-ES.

    Covariance matrix adaptation, after Hansen's barecmaes2. Settings, of the state where that is another table:
    ``sigma`` (the first step size), ``maxEval`` (1000 times the square of the number of variables), ``ftarget``
    (the value to stop below), ``popsize`` (4 + 3 log n), ``min_iterations`` (1), ``verb_disp`` (0; a report every so
    many generations). Random numbers are those of ``torch.manualSeed``. The values are f(x), the best of each
    generation and the best of all.

    The points of a generation depend on the eigenvectors of a covariance matrix. At first that is a multiple of
    the identity but for half a population of directions, so that in more dimensions several of its eigenvalues are
    equal, and their eigenvectors any that LAPACK's rounding makes: points differ from the original's from the
    generation of the first decomposition on.
    """
    _, state = tables(config, state)
    n = x.numel()
    sigma, target, most, report, least, size = settings(
        state,
        sigma=None,
        ftarget=None,
        maxEval=1e3 * n**2,
        verb_disp=0,
        min_iterations=1,
        popsize=4 + math.floor(3 * math.log(n)),
    )
    if not isinstance(sigma, (int, float)):
        raise ArgumentError("optim.cmaes: sigma, the first step size, is missing")
    if x.dtype not in (torch.float32, torch.float64):
        raise ArgumentError(f"optim.cmaes works on a FloatTensor or DoubleTensor, not a {types.of(x).tensor}")
    strategy = _Strategy(x, int(size), float(sigma))
    history = [_value(opfunc, x)]
    generation = 0
    while generation < least or not strategy.reasons(float(most), target):
        generation += 1
        points = strategy.ask()
        fitness = points.new_tensor([float(_value(opfunc, point.view_as(x))) for point in points])
        strategy.tell(points, fitness.double())
        history.append(strategy.fitness[0])
        if report:
            strategy.report(report)
    if report > 0:
        for name, value in strategy.reasons(float(most), target).items():
            say("termination by", name, "=", value)
        say("best f-value =", strategy.best_value)
        say("solution = ")
        say(strategy.best)
        say(
            "best found at iteration: ", strategy.best_at / strategy.size, " , total iterations: ", generation
        )
    history.append(strategy.best_value)
    return strategy.best, history, strategy.evaluations


class _Strategy:
    """The distribution from which CMA-ES draws, and how it learns."""

    def __init__(self, x: torch.Tensor, size: int, sigma: float) -> None:
        n = x.numel()
        self.mean = x.reshape(-1).clone()
        self.size, self.sigma, self.n = size, sigma, n
        half = size / 2
        weights = [math.log(half + 0.5) - math.log(i + 1) for i in range(int(half))]
        total = sum(weights)
        weights = [w / total for w in weights]
        effective = sum(weights) ** 2 / sum(w**2 for w in weights)
        self.weights = x.new_tensor(weights)
        self.cc = (4 + effective / n) / (n + 4 + 2 * effective / n)
        self.cs = (effective + 2) / (n + effective + 5)
        self.c1 = 2 / ((n + 1.3) ** 2 + effective)
        self.cmu = min(1 - self.c1, 2 * (effective - 2 + 1 / effective) / ((n + 2) ** 2 + effective))
        self.damping = 2 * effective / size + 0.3 + self.cs
        self.effective = effective
        self.path, self.sigma_path = torch.zeros_like(self.mean), torch.zeros_like(self.mean)
        self.axes = torch.eye(n, dtype=x.dtype, device=x.device)
        self.covariance, self.whitening = self.axes.clone(), self.axes.clone()
        self.scales = torch.ones_like(self.mean)
        self.evaluations, self.decomposed_at = 0, 0
        self.fitness: list[float] = []
        self.best, self.best_value, self.best_at = self.mean, math.inf, 0

    def ask(self) -> torch.Tensor:
        """The points to evaluate next."""
        if self.evaluations - self.decomposed_at > self.size / (self.c1 + self.cmu) / self.n / 10:
            self.decomposed_at = self.evaluations
            upper = torch.triu(self.covariance)
            self.covariance = upper + torch.triu(self.covariance, 1).t()
            squares, self.axes = torch.linalg.eigh(self.covariance, UPLO="U")
            self.scales = squares.sqrt()
            self.whitening = self.axes @ torch.diag(1 / self.scales) @ self.axes.t()
        points = []
        for _ in range(self.size):
            z = fill.normal(current().generator, torch.empty_like(self.scales)).mul_(self.scales)
            points.append(self.mean + (self.axes @ z) * self.sigma)
        return torch.stack(points)

    def tell(self, points: torch.Tensor, fitness: torch.Tensor) -> None:
        """Learn from the values at these points."""
        n, sigma, old = self.n, self.sigma, self.mean
        self.evaluations += self.size
        ordered, order = torch.sort(fitness, stable=True)
        self.fitness = ordered.tolist()
        chosen = points[order[: len(self.weights)]]
        if self.fitness[0] < self.best_value:
            self.best, self.best_value = chosen[0].clone(), self.fitness[0]
            self.best_at = self.evaluations
        self.mean = torch.mv(chosen.t(), self.weights)
        y = self.mean - old
        z = torch.mv(self.whitening, y)
        c = (self.cs * (2 - self.cs) * self.effective) ** 0.5 / sigma
        self.sigma_path = self.sigma_path - self.sigma_path * self.cs + z * c
        squared = self.sigma_path.pow(2).sum().item()
        decay = 1 - (1 - self.cs) ** (2 * self.evaluations / self.size)
        slow = 1.0 if squared / decay / n < 2 + 4.0 / (n + 1) else 0.0
        c = (self.cc * (2 - self.cc) * self.effective) ** 0.5 / sigma
        self.path = self.path - self.path * self.cc + y * c * slow
        c1a = self.c1 - (1 - slow**2) * self.c1 * self.cc * (2 - self.cc)
        spread = torch.zeros_like(self.covariance)
        for weight, step in zip(self.weights.tolist(), chosen - old, strict=True):
            spread += (weight * step).unsqueeze(1) * step.unsqueeze(0)
        rank_one = (self.c1 * self.path).unsqueeze(1) * self.path.unsqueeze(0)
        change = self.covariance * (-c1a - self.cmu) + rank_one + self.cmu * (spread / sigma**2)
        self.covariance = self.covariance + change
        self.sigma = sigma * math.exp(min(0.6, (self.cs / self.damping) * (squared / n - 1) / 2))

    def reasons(self, most: float, target: float | None) -> dict[str, float]:
        """Why to stop, and by which limit."""
        if not self.evaluations:
            return {}
        widest, narrowest = self.scales.max().item(), self.scales.min().item()
        criteria = {
            "evals": (self.evaluations >= most, most),
            "ftarget": (target is not None and self.fitness[0] <= target, target or 0.0),
            "condition": (widest > 1e7 * narrowest, 1e7),
            "tolfun": (self.size > 1 and self.fitness[-1] - self.fitness[0] < 1e-12, 1e-12),
            "tolx": (self.sigma * widest < 1e-11, 1e-11),
        }
        return {name: limit for name, (reached, limit) in criteria.items() if reached}

    def report(self, every: int) -> None:
        """A line about this generation, for some of them."""
        generation = self.evaluations / self.size
        if generation == 1 or generation % (10 * every) == 0:
            say("evals:\t ax-ratio max(std)   f-value")
        if generation <= 2 or generation % every == 0:
            ratio = self.scales.max().item() / self.scales.min().item()
            deviation = self.sigma * math.sqrt(self.covariance.diagonal().max().item())
            numbers = format_number("%6.1f", ratio), format_number("%8.1e", deviation)
            say(f"{self.evaluations}:  {' '.join(numbers)} {number_to_string(self.fitness[0])}")


restricted("optim.cmaes", "equal eigenvalues: the points of later generations are those of PyTorch's LAPACK")
