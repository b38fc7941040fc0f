"""randomkit: the distributions of NumPy's random kit, by NumPy's legacy generator, whose streams are the same.

``f([result,] parameters...)`` takes numbers and tensors as parameters; without tensors it gives a number. The stream
is separate from torch's: ``torch.manualSeed(n)`` seeds it too, and then the draws are those of
``numpy.random.RandomState(n)``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from torch7py.ops import state
from torch7py.ops.errors import ArgumentError
from torch7py.packages.registry import function

__all__ = ["DRAWS", "draw", "stream"]

Draw = Callable[..., Any]
# Names, how many parameters, and which method of numpy's draws.
DRAWS: dict[str, tuple[int, str]] = {
    "double": (0, "random_sample"),
    "gauss": (0, "standard_normal"),
    "standard_exponential": (0, "standard_exponential"),
    "standard_cauchy": (0, "standard_cauchy"),
    **dict.fromkeys(
        (
            *("chisquare", "exponential", "geometric", "logseries", "pareto", "poisson", "power", "rayleigh"),
            *("standard_gamma", "standard_t", "weibull", "zipf"),
        ),
        (1, ""),
    ),
    **dict.fromkeys(
        (
            *("beta", "binomial", "f", "gamma", "gumbel", "laplace", "logistic", "lognormal"),
            *("negative_binomial", "noncentral_chisquare", "normal", "uniform", "vonmises", "wald"),
        ),
        (2, ""),
    ),
    **dict.fromkeys(("hypergeometric", "noncentral_f", "triangular"), (3, "")),
    "interval": (1, "interval"),
}
# Parameters that NumPy requires to be integers.
INTEGER_ARGUMENTS = {"binomial": (0,), "hypergeometric": (0, 1, 2)}


def stream() -> np.random.RandomState:
    """The program's stream; it begins from torch's seed."""
    current = state.current()
    generator: np.random.RandomState | None = current.packages.get("randomkit")
    if generator is None:
        generator = seeded(current.generator.initial_seed())
        current.packages["randomkit"] = generator
    return generator


def seeded(seed: float) -> np.random.RandomState:
    return np.random.RandomState(int(seed) & 0xFFFFFFFF)


@function("randomkit._seed")
def seed(number: float) -> None:
    """Start the stream anew, as ``torch.manualSeed`` does."""
    state.current().packages["randomkit"] = seeded(number)


_WORDS = 624  # of numpy's generator


@function("randomkit._state")
def save_state() -> torch.Tensor:
    """The state of the stream, as bytes."""
    _, key, position, has_gauss, gauss = stream().get_state(legacy=True)
    rest = np.array([position, has_gauss], dtype=np.int64).tobytes() + np.float64(gauss).tobytes()
    saved = bytearray(np.asarray(key, dtype=np.uint32).tobytes() + rest)
    return torch.frombuffer(saved, dtype=torch.uint8).clone()  # memory that can grow


@function("randomkit._set_state")
def set_state(state_bytes: torch.Tensor) -> None:
    """Go on from a state of before."""
    data = state_bytes.numpy().tobytes()
    position, has_gauss = np.frombuffer(data, np.int64, 2, 4 * _WORDS)
    gauss = np.frombuffer(data, np.float64, 1, 4 * _WORDS + 16)[0]
    key = np.frombuffer(data, np.uint32, _WORDS)
    stream().set_state(("MT19937", key, int(position), int(has_gauss), float(gauss)))


def draw(name: str, arguments: list[Any]) -> Any:
    """``randomkit.name(arguments)``."""
    count, method = DRAWS[name]
    result = None
    if len(arguments) == count + 1 and isinstance(arguments[0], torch.Tensor):
        result = arguments.pop(0)
    if len(arguments) != count or not all(
        isinstance(x, (torch.Tensor, int, float)) and not isinstance(x, bool) for x in arguments
    ):
        raise ArgumentError(
            f"randomkit.{name}: expected [a tensor for the result,] and {count} numbers or tensors"
        )
    tensors = [x for x in arguments if isinstance(x, torch.Tensor)]
    if any(x.numel() != tensors[0].numel() for x in tensors):
        raise ArgumentError(f"randomkit.{name}: the tensors have different numbers of elements")
    size = tensors[0].shape if tensors else None if result is None else result.shape
    values = [
        x.detach().to("cpu", torch.float64, copy=True).reshape(size or x.shape).numpy()
        if isinstance(x, torch.Tensor)
        else float(x)
        for x in arguments
    ]
    for index in INTEGER_ARGUMENTS.get(name, ()):
        values[index] = np.asarray(values[index]).astype(np.int64)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            numbers = _drawn(method or name, values, size)
    except ValueError as error:
        raise ArgumentError(f"randomkit.{name}: {error}") from None
    if size is None:
        return float(numbers)
    drawn = torch.from_numpy(np.asarray(numbers, dtype=np.float64))
    if result is None:
        return drawn.to(state.current().default_type.dtype, copy=True)  # numpy's own memory could not grow
    result.resize_(size).copy_(drawn)
    return result


def _drawn(method: str, values: list[Any], size: Any) -> Any:
    shape = None if size is None else tuple(size)
    if method == "interval":  # an integer from 0 to the parameter
        highest = np.broadcast_to(np.asarray(values[0], dtype=np.int64), shape or ())
        return stream().randint(0, highest + 1, shape)
    return getattr(stream(), method)(*values, size=shape)


def _register(name: str) -> None:
    @function(f"randomkit.{name}")
    def call(*arguments: Any) -> Any:
        return draw(name, list(arguments))


for _name in DRAWS:
    _register(_name)
