"""Calls that fit no form but were valid in Torch7: numbers as strings, the type of a result by name, and surplus
arguments.

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

__all__ = ["Adapter", "lenient", "lua_number", "without_surplus"]

# Functions that Torch7 wrote in C by hand, which ignored surplus arguments: programs call ``sizes:size(1)`` on a
# LongStorage as if it were a tensor. Its other functions counted their arguments.
_NOT_COUNTING = frozenset(
    """contiguous size stride dim nDimension nElement storage storageOffset clone resizeAs narrow select transpose t
    unfold isContiguous isSize isSameSizeAs isSetTo data cdata retain free""".split()
)

MOST = 4  # strings in one call that may be read as numbers
_NUMBER = re.compile(
    r"\s*[-+]?(0[xX][0-9a-fA-F]+|(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|inf|nan)\s*", re.IGNORECASE
)


class Adapter(Protocol):
    """An adapter of the dispatcher."""

    @property
    def function(self) -> Callable[..., Any]: ...

    @property
    def mode(self) -> int: ...


def lua_number(text: str) -> float | None:
    """The number that Lua reads from a string, as lupa would pass it; None when it is not one."""
    if not _NUMBER.fullmatch(text):
        return None
    text = text.strip()
    number = float(int(text, 16)) if "x" in text.lower() else float(text)
    return int(number) if number.is_integer() else number


def lenient(
    find: Callable[[Sequence[int]], Adapter | None],
    kinds: Sequence[int],
    is_method: bool,
    refusal: ArgumentError,
    find_cuda: Callable[[Sequence[int]], Adapter | None],
) -> tuple[Callable[..., Any], int] | None:
    """A function for a call with strings among its arguments, and its mode; None when no reading of it fits.

    Whether a string is a number is known when the function is called; ``refusal`` is raised when it is not.
    ``find_cuda`` returns the adapter for a result of a CUDA type, None while there are no such types.
    """
    strings = [index for index, kind in enumerate(kinds) if kind == Kind.STRING]
    if not strings or len(strings) > MOST:
        return None
    readings: list[tuple[tuple[int, ...], bool, Callable[..., Any]]] = []
    mode: int | None = None
    for count in range(len(strings), -1, -1):
        for numbers in combinations(strings, count):
            for by_name in (False, True):
                if by_name and not _may_name_type(kinds, numbers, is_method):
                    continue
                read = [Kind.NUMBER if index in numbers else kind for index, kind in enumerate(kinds)]
                adapter = find(read[:-1] if by_name else read) if numbers or by_name else None
                if adapter is not None and mode in (None, adapter.mode):
                    mode = adapter.mode
                    readings.append((numbers, by_name, adapter.function))
    if mode is None:
        return None

    def call(*arguments: Any) -> Any:
        for numbers, by_name, function in readings:
            values = list(arguments)
            for index in numbers:
                values[index] = lua_number(arguments[index])
            if any(values[index] is None for index in numbers):
                continue
            if not by_name:
                return function(*values)
            number_type = next((t for t in types.BY_CODE.values() if t.tensor == values[-1]), None)
            if number_type is not None and number_type.is_cuda:
                read = [Kind.NUMBER if index in numbers else kind for index, kind in enumerate(kinds)]
                cuda_adapter = find_cuda(read[:-1])
                if cuda_adapter is None:
                    break
                function = cuda_adapter.function
            if number_type is not None:
                return _with_type(number_type.host, function, values[:-1])
        raise refusal

    return call, mode


def without_surplus(
    find: Callable[[Sequence[int]], Adapter | None], name: str, kinds: Sequence[int]
) -> tuple[Callable[..., Any], int] | None:
    """A function for a call with more arguments than its forms have, and its mode; None if that was an error."""
    if name not in _NOT_COUNTING and not name.startswith("Storage."):
        return None
    for count in range(len(kinds) - 1, 0, -1):
        adapter = find(kinds[:count])
        if adapter is not None:
            return _first(adapter.function, count), adapter.mode
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
