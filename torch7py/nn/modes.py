"""Whether ``training`` and ``evaluate`` of a module would change anything.

Scripts say ``model:training()`` before every step. Where all in a model is in that mode, whoever calls the method may
leave it out, and need not think that it may have changed something.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from torch7py.nn.base import Module
from torch7py.nn.container import Container

__all__ = ["NEEDLESS"]

# What says which mode a module and those in it are to have, where it does that and nothing else.
PLAIN = frozenset({Module.set_training, Module.set_evaluate, Container.set_training, Container.set_evaluate})
OTHERWISE = frozenset(
    {"set_training", "set_evaluate", "apply_to_modules", "_above"}
)  # a script's own methods


@cache
def _has_plain_mode(cls: type) -> bool:
    methods: Any = cls
    return methods.set_training in PLAIN and methods.set_evaluate in PLAIN


def is_in_mode(module: Any, training: bool) -> bool:
    """Whether a module and all in it are in this mode, and only that can be said to them."""
    waiting = [module]
    for part in waiting:
        attributes = part.__dict__
        if attributes["training"] is not training or "_mode_set" not in attributes:
            return False
        if not _has_plain_mode(part.__class__):
            return False
        if "_marked" in attributes and not OTHERWISE.isdisjoint(attributes["_marked"]):
            return False
        if attributes["_modules"]:
            waiting += part.children_of()
    return True


# Methods of modules that take no arguments and often change nothing: Lua name -> whether that is so for a module.
NEEDLESS: dict[str, Callable[[Any], bool]] = {
    "training": partial(is_in_mode, training=True),
    "evaluate": partial(is_in_mode, training=False),
}
