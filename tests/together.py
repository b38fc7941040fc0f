"""Many small cases as one test, where pytest's own part of each would take longer than the case.

``@together`` is written as ``@pytest.mark.parametrize`` is. The test it makes runs every case and names all that fail,
with the traceback of the first. Each begins with the same random numbers, as a test does. What a case leaves in a
fixture the next one finds there. Of a hundred cases and more every third one runs each time, the others with the
slow tests.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from tests.draws import same_draws

__all__ = ["CASES_IN_FULL", "EVERY", "THIRD", "together"]

# On plain Lua a test with so many cases has all of them run, and of one with more, one in so many.
CASES_IN_FULL = 16
EVERY = 12


THIRD = 3  # an odd step: where cases of two kinds take turns, both are among the chosen
MANY = 100  # of which every third runs each time
PART = "part_of_the_cases"
PARTS = [
    pytest.param(slice(0, None, THIRD), id="every third"),
    *(
        pytest.param(slice(first, None, THIRD), id=f"the others from {first}", marks=pytest.mark.slow)
        for first in range(1, THIRD)
    ),
]

on_plain_lua = False  # set by conftest.py


def together(
    names: str | tuple[str, ...],
    cases: Iterable[Any],
    ids: Callable[[Any], Any] | Iterable[Any] | None = None,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    words = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    named = [_named(words, case) for case in cases]
    if callable(ids):
        texts = [",".join(str(ids(value)) for value in case.values()) for case in named]
    else:
        texts = [repr(list(case.values())) for case in named] if ids is None else [str(text) for text in ids]

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(function)
        parameters = list(signature.parameters.values())
        divided = len(named) >= MANY and PART not in signature.parameters
        if divided:
            parameters.append(inspect.Parameter(PART, inspect.Parameter.KEYWORD_ONLY))

        @functools.wraps(function)
        def run(*instance: Any, **fixtures: Any) -> None:
            part = fixtures.pop(PART) if divided else slice(None)
            sampled = on_plain_lua and len(named) > CASES_IN_FULL
            failures: list[tuple[str, BaseException]] = []
            for case, text in list(zip(named, texts, strict=True))[part][:: EVERY if sampled else 1]:
                same_draws()
                try:
                    function(*instance, **fixtures, **case)
                except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001  (told below, with the others)
                    failures.append((text, error))
            if failures:
                shown = "".join(f"\n  {text[:200]}: {str(error)[:400]}" for text, error in failures[:20])
                raise AssertionError(f"{len(failures)} of {len(named)} cases:{shown}") from failures[0][1]

        left = [p for p in parameters if p.name not in words]
        assert len(left) == len(parameters) - len(words), f"{function.__name__} takes no {words}"
        run.__signature__ = signature.replace(parameters=left)  # type: ignore[attr-defined]
        del run.__wrapped__  # whose arguments pytest would ask for
        return pytest.mark.parametrize(PART, PARTS)(run) if divided else run

    return decorate


def _named(words: list[str], case: Any) -> dict[str, Any]:
    values = case.values if isinstance(case, type(pytest.param())) else [case] if len(words) == 1 else case
    return dict(zip(words, values, strict=True))
