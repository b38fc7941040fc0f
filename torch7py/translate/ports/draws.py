"""Random numbers for a port: those that the original drew, kind by kind, in their order.

Uniform numbers are handed out from 0 to 1, normal ones with mean 0 and deviation 1, whole ones from 0, and the port's
own call scales them; permutations and the results of ``multinomial`` count from 0. What PyTorch draws for the first
weights of layers, and a port for parameters, is left as it is: they are replaced by the original's weights.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch.utils.data import RandomSampler

from torch7py.translate.comparison.replay import Draws

__all__ = ["PortDraws", "within_constructor"]

_PYTORCH = os.path.dirname(torch.__file__) + os.sep
_FOR_ITSELF = tuple(_PYTORCH + folder + os.sep for folder in ("nn", "utils"))
UNIT, STANDARD, OFFSET = "unit", "standard", "offset"  # families of record.lua


def within_constructor(frame: Any) -> bool:
    """Whether a module is being made, by the frames of the interpreter."""
    while frame is not None:
        code = frame.f_code
        first = code.co_varnames[0] if code.co_name == "__init__" and code.co_argcount else ""
        if first and isinstance(frame.f_locals.get(first), torch.nn.Module):
            return True
        frame = frame.f_back
    return False


class PortDraws:
    """Replaces what Python, PyTorch and numpy draw with.

    ``is_weight`` says whether a tensor holds weights, ``drawn`` is called with one of those that was filled.
    """

    def __init__(
        self,
        draws: dict[str, list[Any]],
        is_weight: Callable[[torch.Tensor], bool],
        drawn: Callable[[torch.Tensor], None],
    ) -> None:
        self.draws = Draws(draws, "the port")
        self.is_weight, self.drawn = is_weight, drawn

    def left(self) -> dict[str, int]:
        """How many numbers of each kind the original drew and the port did not."""
        kinds = (UNIT, STANDARD, OFFSET, "permutation", "multinomial", "bernoulli", "exponential")
        counts = {kind: sum(1 for _ in self.draws.draws.get(kind, ())) for kind in kinds}
        return {Draws.KINDS.get(kind, kind): count for kind, count in counts.items() if count}

    def changes(self) -> list[tuple[Any, str, Any]]:
        """What is replaced by what."""
        changes: list[tuple[Any, str, Any]] = [
            (torch, "rand", self._factory(torch.rand, UNIT)),
            (torch, "randn", self._factory(torch.randn, STANDARD)),
            (torch, "rand_like", self._like_factory(torch.rand_like, UNIT)),
            (torch, "randn_like", self._like_factory(torch.randn_like, STANDARD)),
            (torch, "randint", self._randint),
            (torch, "randperm", self._randperm),
            (torch, "multinomial", self._multinomial),
            (torch, "normal", self._normal),
            (torch, "bernoulli", self._bernoulli),
            (torch.Tensor, "uniform_", self._filled("uniform_", self._uniform)),
            (torch.Tensor, "normal_", self._filled("normal_", self._normal_)),
            (torch.Tensor, "random_", self._filled("random_", self._random_)),
            (torch.Tensor, "bernoulli_", self._filled("bernoulli_", self._bernoulli_)),
            (torch.Tensor, "exponential_", self._filled("exponential_", self._exponential)),
            (torch.Tensor, "multinomial", self._multinomial),
            (torch.Tensor, "bernoulli", self._bernoulli),
            (random, "random", self._one(random.random, lambda: self._numbers(UNIT, 1)[0])),
            (random, "uniform", lambda a, b: a + (b - a) * self._numbers(UNIT, 1)[0]),
            (random, "gauss", lambda mu=0.0, sigma=1.0: mu + sigma * self._numbers(STANDARD, 1)[0]),
            (random, "normalvariate", lambda mu=0.0, sigma=1.0: mu + sigma * self._numbers(STANDARD, 1)[0]),
            (random, "randint", lambda a, b: a + int(self._numbers(OFFSET, 1)[0])),
            (random, "randrange", self._randrange),
            (random, "choice", lambda items: items[int(self._numbers(OFFSET, 1)[0])]),
            (random, "shuffle", self._shuffle),
            (RandomSampler, "__iter__", self._sampled(RandomSampler.__iter__)),
        ]
        numpy = _Numpy(self)
        changes += [(np.random, name, getattr(numpy, name)) for name in _Numpy.NAMES]
        changes += [(np.random, name, lambda *_, **__: numpy) for name in ("default_rng", "RandomState")]
        return changes

    def _numbers(self, kind: str, count: int) -> list[Any]:
        return self.draws.take(kind, count)

    def _is_internal_draw(self) -> bool:
        """Whether PyTorch draws for itself, or a model draws what it begins with."""
        frame: Any = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename == __file__:
            frame = frame.f_back
        if frame is not None and frame.f_code.co_filename.startswith(_FOR_ITSELF):
            return True
        return within_constructor(frame)

    def _one(self, original: Callable[[], float], take: Callable[[], float]) -> Callable[[], float]:
        return lambda: original() if self._is_internal_draw() else take()

    def _factory(self, original: Callable[..., torch.Tensor], kind: str) -> Callable[..., torch.Tensor]:
        def make(*size: Any, generator: Any = None, out: Any = None, **options: Any) -> torch.Tensor:
            if self._is_internal_draw() or options.get("requires_grad"):  # a parameter
                return original(*size, **options)
            if "size" in options:
                size = tuple(options.pop("size"))
            if len(size) == 1 and isinstance(size[0], (tuple, list, torch.Size)):
                size = tuple(size[0])
            tensor = torch.empty(*size, **options) if out is None else out.resize_(*size)
            return self._fill(tensor, self._numbers(kind, tensor.numel()))

        return make

    def _like_factory(self, original: Callable[..., torch.Tensor], kind: str) -> Callable[..., torch.Tensor]:
        def make(like: torch.Tensor, **options: Any) -> torch.Tensor:
            if self._is_internal_draw():
                return original(like, **options)
            return self._fill(torch.empty_like(like, **options), self._numbers(kind, like.numel()))

        return make

    def _fill(self, tensor: torch.Tensor, values: list[Any]) -> torch.Tensor:
        with torch.no_grad():
            return tensor.copy_(torch.tensor(values, dtype=torch.float64).view(tensor.shape))

    def _filled(self, method: str, fill: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
        original = getattr(torch.Tensor, method)

        def filled(tensor: torch.Tensor, *arguments: Any, **options: Any) -> torch.Tensor:
            weight = self.is_weight(tensor)
            if weight or self._is_internal_draw():
                result: torch.Tensor = original(tensor, *arguments, **options)
                if weight:
                    self.drawn(tensor)
                return result
            options.pop("generator", None)
            return fill(tensor, *arguments, **options)

        return filled

    def _uniform(self, tensor: torch.Tensor, a: float = 0, b: float = 1, **named: float) -> torch.Tensor:
        a, b = named.get("from", a), named.get("to", b)
        return self._fill(tensor, [a + (b - a) * x for x in self._numbers(UNIT, tensor.numel())])

    def _normal_(self, tensor: torch.Tensor, mean: float = 0, std: float = 1) -> torch.Tensor:
        return self._fill(tensor, [mean + std * x for x in self._numbers(STANDARD, tensor.numel())])

    def _random_(self, tensor: torch.Tensor, *bounds: int) -> torch.Tensor:
        low = bounds[0] if len(bounds) == 2 else 0
        return self._fill(tensor, [low + x for x in self._numbers(OFFSET, tensor.numel())])

    def _bernoulli_(self, tensor: torch.Tensor, p: Any = 0.5) -> torch.Tensor:
        return self._fill(tensor, self._numbers("bernoulli", tensor.numel()))

    def _exponential(self, tensor: torch.Tensor, lambd: float = 1) -> torch.Tensor:
        return self._fill(tensor, self._numbers("exponential", tensor.numel()))

    def _bernoulli(self, p: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        return self._fill(torch.empty_like(p), self._numbers("bernoulli", p.numel()))

    def _randint(self, *arguments: Any, low: int = 0, **options: Any) -> torch.Tensor:
        size = options.pop("size", None)
        high = options.pop("high", None)
        bounds = [x for x in arguments if isinstance(x, int)]
        size = next((x for x in arguments if not isinstance(x, int)), size)
        if len(bounds) == 2 or (bounds and high is not None):
            low = bounds[0]
        options.pop("generator", None)
        tensor = torch.empty(tuple(size), **{"dtype": torch.int64, **options})
        return self._fill(tensor, [low + x for x in self._numbers(OFFSET, tensor.numel())])

    def _randperm(self, n: int, *, generator: Any = None, **options: Any) -> torch.Tensor:
        return torch.tensor(
            [x - 1 for x in self._numbers("permutation", n)], **{"dtype": torch.int64, **options}
        )

    def _sampled(self, original: Callable[..., Iterator[int]]) -> Callable[..., Iterator[int]]:
        """What a data loader goes by that shuffles."""

        def sample(sampler: RandomSampler) -> Iterator[int]:
            count = len(sampler.data_source)
            if sampler.replacement or sampler.num_samples != count:
                return original(sampler)
            return iter(self._randperm(count).tolist())

        return sample

    def _multinomial(
        self, p: torch.Tensor, num_samples: int, replacement: bool = False, **_: Any
    ) -> torch.Tensor:
        return self.draws.categories(p, num_samples)

    def _normal(self, mean: Any = 0.0, std: Any = 1.0, size: Any = None, **options: Any) -> torch.Tensor:
        options.pop("generator", None)
        if size is None:
            size = torch.broadcast_shapes(*(x.shape for x in (mean, std) if isinstance(x, torch.Tensor)))
        tensor = torch.empty(tuple(size), **options)
        drawn: torch.Tensor = self._fill(tensor, self._numbers(STANDARD, tensor.numel())) * std + mean
        return drawn

    def _randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        return (0 if stop is None else start) + step * int(self._numbers(OFFSET, 1)[0])

    def _shuffle(self, items: Any) -> None:
        items[:] = [items[int(x) - 1] for x in self._numbers("permutation", len(items))]


class _Numpy:
    """The functions of ``numpy.random``, and the methods of its generators."""

    NAMES = tuple(
        "rand randn random random_sample uniform normal standard_normal randint permutation shuffle".split()
    )

    def __init__(self, draws: PortDraws) -> None:
        self._draws = draws

    def _array(self, kind: str, size: Any) -> Any:
        if size is None:
            return self._draws._numbers(kind, 1)[0]
        shape = (size,) if isinstance(size, (int, np.integer)) else tuple(size)
        return np.array(self._draws._numbers(kind, int(np.prod(shape))), dtype=np.float64).reshape(shape)

    def rand(self, *size: int) -> Any:
        return self._array(UNIT, size or None)

    def randn(self, *size: int) -> Any:
        return self._array(STANDARD, size or None)

    def random(self, size: Any = None) -> Any:
        return self._array(UNIT, size)

    random_sample = random

    def uniform(self, low: float = 0.0, high: float = 1.0, size: Any = None) -> Any:
        return low + (high - low) * self._array(UNIT, size)

    def normal(self, loc: float = 0.0, scale: float = 1.0, size: Any = None) -> Any:
        return loc + scale * self._array(STANDARD, size)

    def standard_normal(self, size: Any = None) -> Any:
        return self._array(STANDARD, size)

    def randint(self, low: int, high: int | None = None, size: Any = None, dtype: Any = int) -> Any:
        result = (0 if high is None else low) + self._array(OFFSET, size)
        return int(result) if size is None else result.astype(dtype)

    integers = randint

    def permutation(self, x: Any) -> Any:
        count = x if isinstance(x, (int, np.integer)) else len(x)
        order = np.array(self._draws._numbers("permutation", int(count)), dtype=np.int64) - 1
        return order if isinstance(x, (int, np.integer)) else np.asarray(x)[order]

    def shuffle(self, x: Any) -> None:
        x[:] = (
            self.permutation(x) if isinstance(x, np.ndarray) else list(self.permutation(np.array(x, object)))
        )

    def seed(self, *_: Any) -> None:
        """Whatever it is, the numbers are the original's."""
