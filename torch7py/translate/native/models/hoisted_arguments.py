"""Constructor arguments that are worked out once, where a page would write them into what is called again and again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import torch

from torch7py.translate.layers import Layer
from torch7py.translate.layers.shapes import walk

__all__ = ["changes_or_draws", "set_apart"]

_CALL = re.compile(r"([\w.]*\w)\(|\)\.(\w+)\(")
_DRAW = re.compile(r"rand|normal|bernoulli|multinomial|exponential")
_PLAIN = set(
    "abs bool float int len list max min range round sorted str sum tuple get items keys values".split()
)


def changes_or_draws(text: str) -> bool:
    """Whether an expression of a page may give or do something else each time: it draws, or calls the program."""
    return any(not _is_pure(match[1] or match[2]) for match in _CALL.finditer(text))


def _is_pure(name: str) -> bool:
    if _DRAW.search(name):
        return False
    first, last = name.partition(".")[0], name.rpartition(".")[2]
    if last in _PLAIN or first in ("torch", "math", "nn", "F"):
        return True
    return "." in name and hasattr(torch.Tensor, last) and not last.endswith("_")


def set_apart(
    layer: Layer, wanted: Callable[[str], bool], fresh: Callable[[str], str]
) -> Iterator[tuple[str, str]]:
    """Put a name in place of each argument that is ``wanted`` so; the names, with the arguments."""
    for part in walk(layer):
        for argument, text in part.args.texts.items():
            if wanted(text):
                name = part.args.texts[argument] = fresh(argument)
                yield name, text
