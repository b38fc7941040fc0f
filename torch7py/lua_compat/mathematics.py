"""The math library, with LuaJIT's random numbers."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any

from torch7py.lua_compat.arguments import MISSING, a_number, bad_argument
from torch7py.lua_compat.numbers import EXACT, power
from torch7py.lua_compat.values import Library

__all__ = ["mathematics"]

_MASK = (1 << 64) - 1


class Random:
    """LuaJIT's generator: a combined Tausworthe generator of period 2^223."""

    STEPS = ((63, 31, 18), (58, 19, 28), (55, 24, 7), (47, 21, 8))

    def __init__(self) -> None:
        self.state = [0xA0D277570A345B8C, 0x764A296C5D4AA64F, 0x51220704070ADEAA, 0x2A2717B5A7B7B927]

    def seed(self, value: float) -> None:
        for i, bits in enumerate((1, 6, 9, 17)):
            value = value * 3.14159265358979323846 + 2.7182818284590452354
            word = struct.unpack("<Q", struct.pack("<d", value))[0]
            if word < 1 << bits:
                word += 1 << bits
            self.state[i] = word
        for _ in range(10):
            self.step()

    def step(self) -> int:
        result = 0
        for i, (k, q, s) in enumerate(self.STEPS):
            z = self.state[i]
            z = ((((z << q) & _MASK) ^ z) >> (k - s)) ^ (((z & (_MASK << (64 - k) & _MASK)) << s) & _MASK)
            result ^= z
            self.state[i] = z
        return result

    def uniform(self) -> float:
        """In [0, 1)."""
        word = (self.step() & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000
        value: float = struct.unpack("<d", struct.pack("<Q", word))[0]
        return value - 1.0


_random = Random()


def reset() -> None:
    """The generator as a program finds it."""
    _random.__init__()  # type: ignore[misc]


def _whole(value: float) -> int | float:
    """A number without a fraction, as an int where that holds it."""
    if math.isfinite(value) and -EXACT <= value <= EXACT and (value or math.copysign(1.0, value) > 0):
        return int(value)
    return value


def floor(x: Any = MISSING, *_: Any) -> int | float:
    if type(x) is int:
        return x
    value = a_number(x, 1, "floor")
    if not math.isfinite(value) or not value:
        return value
    return _whole(math.floor(value))


def ceil(x: Any = MISSING, *_: Any) -> int | float:
    value = a_number(x, 1, "ceil")
    if not math.isfinite(value) or not value:
        return value
    whole = math.ceil(value)
    return whole if whole or value > 0 else -0.0


def fabs(x: Any = MISSING, *_: Any) -> int | float:
    return abs(a_number(x, 1, "abs"))


def _function(name: str, function: Callable[[float], float]) -> Callable[..., float]:
    """A function of one number, with C's results where Python raises."""

    def compute(x: Any = MISSING, *_: Any) -> float:
        value = float(a_number(x, 1, name))
        try:
            return function(value)
        except OverflowError:
            return -math.inf if name == "sinh" and value < 0 else math.inf
        except ValueError:
            return -math.inf if name in ("log", "log10") and value == 0 else math.nan

    compute.__name__ = name
    return compute


def log(x: Any = MISSING, base: Any = None, *_: Any) -> float:
    natural = _function("log", math.log)
    if base is None:
        return natural(x)
    value, b = a_number(x, 1, "log"), a_number(base, 2, "log")
    # LuaJIT divides logarithms to the base 2
    two = _function("log", math.log2)
    bottom = two(b)
    return two(value) / bottom if bottom else math.copysign(math.inf, two(value))


def atan2(y: Any = MISSING, x: Any = MISSING, *_: Any) -> float:
    return math.atan2(a_number(y, 1, "atan2"), a_number(x, 2, "atan2"))


def fmod(x: Any = MISSING, y: Any = MISSING, *_: Any) -> float:
    a, b = a_number(x, 1, "fmod"), a_number(y, 2, "fmod")
    try:
        return math.fmod(a, b)
    except ValueError:
        return math.nan


def maximum(*values: Any) -> int | float:
    return _extreme("max", values, lambda a, b: a if a > b else b)  # of a NaN or two zeros the second


def minimum(*values: Any) -> int | float:
    return _extreme("min", values, lambda a, b: a if a < b else b)


def _extreme(
    name: str, values: tuple[Any, ...], better: Callable[[int | float, int | float], int | float]
) -> int | float:
    result = a_number(values[0] if values else MISSING, 1, name)
    for i, value in enumerate(values[1:]):
        result = better(result, a_number(value, i + 2, name))
    return result


def modf(x: Any = MISSING, *_: Any) -> tuple[float, float]:
    value = a_number(x, 1, "modf")
    if math.isinf(value):
        return value, math.copysign(0.0, value)
    fraction, whole = math.modf(value)
    return _whole(whole), fraction


def frexp(x: Any = MISSING, *_: Any) -> tuple[float, int]:
    return math.frexp(a_number(x, 1, "frexp"))


def ldexp(x: Any = MISSING, e: Any = MISSING, *_: Any) -> float:
    factor, exponent = a_number(x, 1, "ldexp"), a_number(e, 2, "ldexp")
    if exponent != exponent or factor != factor:
        return math.nan
    if math.isinf(exponent):
        return (
            math.nan
            if (not factor if exponent > 0 else math.isinf(factor))
            else factor * (1e999 if exponent > 0 else 0.0)
        )
    try:
        return math.ldexp(factor, int(max(min(exponent, 1 << 20), -(1 << 20))))
    except OverflowError:
        return math.copysign(math.inf, factor)


def raised(x: Any = MISSING, y: Any = MISSING, *_: Any) -> float:
    return power(a_number(x, 1, "pow"), a_number(y, 2, "pow"))


def random(m: Any = MISSING, n: Any = MISSING, *_: Any) -> int | float:
    uniform = _random.uniform()
    if m is MISSING:
        return uniform
    low = float(a_number(m, 1, "random"))
    if n is MISSING:
        low, high = 1.0, low
    else:
        high = float(a_number(n, 2, "random"))
        if low > high:
            raise bad_argument(2, "random", "interval is empty")
    return _whole(float(math.floor(uniform * (high - low + 1.0))) + low)


def randomseed(x: Any = MISSING, *_: Any) -> tuple[()]:
    _random.seed(float(a_number(x, 1, "randomseed")))
    return ()


def deg(x: Any = MISSING, *_: Any) -> float:
    return a_number(x, 1, "deg") * (180.0 / math.pi)


def rad(x: Any = MISSING, *_: Any) -> float:
    return a_number(x, 1, "rad") * (math.pi / 180.0)


_NAMES = "acos asin atan cos cosh exp log10 sin sinh sqrt tan tanh".split()
FUNCTIONS: dict[str, Any] = {
    **{name: _function(name, getattr(math, name)) for name in _NAMES},
    "abs": fabs,
    "atan2": atan2,
    "ceil": ceil,
    "deg": deg,
    "floor": floor,
    "fmod": fmod,
    "frexp": frexp,
    "huge": math.inf,
    "ldexp": ldexp,
    "log": log,
    "max": maximum,
    "min": minimum,
    "mod": fmod,
    "modf": modf,
    "pi": math.pi,
    "pow": raised,
    "rad": rad,
    "random": random,
    "randomseed": randomseed,
}
mathematics = Library(FUNCTIONS)
