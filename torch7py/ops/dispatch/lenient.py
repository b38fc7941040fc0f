"""Calls that fit no form as they stand, but did in Torch7: numbers as strings, the type of a result by name, and
arguments that nobody looked at.

Lua's own functions take ``"3"`` for 3, and so did Torch7's. Its functions also took the name of a tensor type as a
last argument, for results of that type: ``torch.zeros(2, 3, "torch.FloatTensor")``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any, Protocol

from torch7py.ops import state, types
from torch7py.ops.dispatch.kinds import Kind, is_tensor
from torch7py.ops.errors import ArgumentError

__all__ = ["Found", "lenient", "lua_number", "without_surplus"]

# Torch7's functions that were written in C by hand, which never looked at what came behind their arguments: a
# LongStorage of sizes, say, is asked for ``sizes:size(1)`` as a tensor would be. Its other functions counted.
_NOT_COUNTING = frozenset(
    """contiguous size stride dim nDimension nElement storage storageOffset clone resizeAs narrow select transpose t
    unfold isContiguous isSize isSameSizeAs isSetTo data cdata retain free""".split()
)

MOST = 4  # strings in one call that are tried as numbers
_NUMBER = re.compile(
    r"\s*[-+]?(0[xX][0-9a-fA-F]+|(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|inf|nan)\s*", re.IGNORECASE
)


class Found(Protocol):
    """An adapter, as the dispatcher makes it."""

    @property
    def function(self) -> Callable[..., Any]: ...

    @property
    def mode(self) -> int: ...


def lua_number(text: str) -> float | None:
    """The number that Lua sees in a string, as lupa would hand it over; None when it sees none."""
    if not _NUMBER.fullmatch(text):
        return None
    text = text.strip()
    number = float(int(text, 16)) if "x" in text.lower() else float(text)
    return int(number) if number.is_integer() else number


def lenient(
    find: Callable[[Sequence[int]], Found | None],
    kinds: Sequence[int],
    is_method: bool,
    refusal: ArgumentError,
    find_cuda: Callable[[Sequence[int]], Found | None],
) -> tuple[Callable[..., Any], int] | None:
    """A function for a call with strings among its arguments, and its mode; None when no reading of it fits.

    Whether a string is a number shows at the call: when it is none, ``refusal`` is raised. ``find_cuda``: what makes
    results of a CUDA type, None while there are none.
    """
    strings = [at for at, kind in enumerate(kinds) if kind == Kind.STRING]
    if not strings or len(strings) > MOST:
        return None
    readings: list[tuple[tuple[int, ...], bool, Callable[..., Any]]] = []
    mode: int | None = None
    for count in range(len(strings), -1, -1):
        for numbers in combinations(strings, count):
            for by_name in (False, True):
                if by_name and not _may_name_type(kinds, numbers, is_method):
                    continue
                read = [Kind.NUMBER if at in numbers else kind for at, kind in enumerate(kinds)]
                found = find(read[:-1] if by_name else read) if numbers or by_name else None
                if found is not None and mode in (None, found.mode):
                    mode = found.mode
                    readings.append((numbers, by_name, found.function))
    if mode is None:
        return None

    def call(*arguments: Any) -> Any:
        for numbers, by_name, function in readings:
            given = list(arguments)
            for at in numbers:
                given[at] = lua_number(arguments[at])
            if any(given[at] is None for at in numbers):
                continue
            if not by_name:
                return function(*given)
            number_type = next((t for t in types.BY_CODE.values() if t.tensor == given[-1]), None)
            if number_type is not None and number_type.is_cuda:
                read = [Kind.NUMBER if at in numbers else kind for at, kind in enumerate(kinds)]
                on_card = find_cuda(read[:-1])
                if on_card is None:
                    break
                function = on_card.function
            if number_type is not None:
                return _with_type(number_type.host, function, given[:-1])
        raise refusal

    return call, mode


def without_surplus(
    find: Callable[[Sequence[int]], Found | None], name: str, kinds: Sequence[int]
) -> tuple[Callable[..., Any], int] | None:
    """A function for a call with more arguments than its forms have, and its mode; None if that was an error."""
    if name not in _NOT_COUNTING and not name.startswith("Storage."):
        return None
    for count in range(len(kinds) - 1, 0, -1):
        found = find(kinds[:count])
        if found is not None:
            return _first(found.function, count), found.mode
    return None


def _first(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    return lambda *arguments: function(*arguments[:count])


def _may_name_type(kinds: Sequence[int], numbers: Sequence[int], is_method: bool) -> bool:
    """Whether the last argument may be the name of a type: a string, where no tensor comes first or second."""
    last = len(kinds) - 1
    return (
        not is_method
        and kinds[last] == Kind.STRING
        and last not in numbers
        and not any(map(is_tensor, kinds[:2]))
    )


def _with_type(number_type: types.NumberType, function: Callable[..., Any], arguments: list[Any]) -> Any:
    current = state.current()
    before, current.default_type = current.default_type, number_type
    try:
        return function(*arguments)
    finally:
        current.default_type = before
