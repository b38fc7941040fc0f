"""How rules are put into registers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

__all__ = ["registering"]

_Rule = TypeVar("_Rule")


def registering(register: dict[str, _Rule]) -> Callable[..., Callable[[_Rule], _Rule]]:
    """A decorator that puts what it stands on into a register, by the names that it is given."""

    def decorator(*names: str) -> Callable[[_Rule], _Rule]:
        def put(rule: _Rule) -> _Rule:
            register.update(dict.fromkeys(names, rule))
            return rule

        return put

    return decorator
