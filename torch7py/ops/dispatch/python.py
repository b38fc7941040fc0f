"""Python functions called by a script: defaults for nil, surplus arguments dropped."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary

from torch7py.ops.errors import ArgumentError, TorchError

__all__ = ["adapt", "defaults_to_number", "fields_of", "gives_nothing"]


# Reading a signature takes longer than most calls. The keys are weak references.
_read: WeakKeyDictionary[Callable[..., Any], tuple[inspect.Parameter, ...]] = WeakKeyDictionary()


def adapt(
    function: Callable[..., Any], label: str, bound: int = 0, unchecked: bool = False
) -> Callable[[list[Any]], Any]:
    """A Python function with a script's calling convention: nil takes the default, surplus arguments are dropped.

    A constructor takes the default of a number for false, too, as ``x or default`` in Lua does.
    ``bound`` arguments at the front belong to the caller (a method's object). An ``unchecked`` function may pass its
    arguments on to the program's own methods, which may do without some: one that is missing is None, and an error
    only if the call fails.
    """
    parameters = _parameters(function)
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    takes_more = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    defaults = [p.default for p in positional]
    required = sum(p.default is p.empty for p in positional)
    numbers = {
        n for n, p in enumerate(positional) if function.__name__ == "__init__" and defaults_to_number(p)
    }

    def call(arguments: list[Any]) -> Any:
        if not takes_more and len(arguments) > len(positional):
            del arguments[len(positional) :]
        while required < len(arguments) <= len(positional) and arguments[-1] is None:
            arguments.pop()
        for number, value in enumerate(arguments):
            if (value is None or (value is False and number in numbers)) and required <= number < len(
                positional
            ):
                arguments[number] = defaults[number]
        if len(arguments) < required:
            missing = positional[len(arguments)]
            error = ArgumentError(
                f"{label}: argument #{len(arguments) - bound + 1} ('{missing.name}') is missing"
            )
            if not unchecked:
                raise error
            arguments += [None] * (required - len(arguments))
            try:
                return function(*arguments)
            except (TypeError, AttributeError, TorchError) as reason:
                raise error from reason
        return function(*arguments)

    return call


def gives_nothing(function: Callable[..., Any]) -> bool:
    """Whether a function says that it has no result: from Lua it then gives none, not a nil."""
    annotations = getattr(function, "__annotations__", {})
    return "return" in annotations and annotations["return"] in (None, "None")


def defaults_to_number(parameter: inspect.Parameter) -> bool:
    """Whether a parameter with a default is a number, and nothing that may be false."""
    if parameter.default is None:
        return set(map(str.strip, str(parameter.annotation).split("|"))) <= {"int", "float", "None"}
    return type(parameter.default) in (int, float)


def fields_of(function: Callable[..., Any]) -> list[int]:
    """The numbers of the parameters, from 1 on, that are tables to be read and written in Lua.

    Their annotation is ``Fields`` or ``Fields | None``. It is compared as text, because its other names may be imported
    for type checkers only.
    """
    return [
        n
        for n, p in enumerate(_parameters(function), 1)
        if "Fields" in map(str.strip, str(p.annotation).split("|"))
    ]


def _parameters(function: Callable[..., Any]) -> tuple[inspect.Parameter, ...]:
    if not isinstance(function, FunctionType):  # objects of C types may take no weak reference
        return tuple(inspect.signature(function).parameters.values())
    parameters = _read.get(function)
    if parameters is None:
        parameters = _read[function] = tuple(inspect.signature(function).parameters.values())
    return parameters
