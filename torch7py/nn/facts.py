"""What is known of a class of layers or criterions without making one.

Each class states its facts where it is registered: ``@layer("nn.Dropout")``. What
a class does not state is as with the class that it derives from, and at last as in ``PLAIN``. The tests measure the
facts over the whole register, so that one which is left out is found.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

__all__ = [
    "GIVES",
    "KEEPS",
    "PARTS",
    "PLAIN",
    "TAKES",
    "TARGETS",
    "Facts",
    "Parameter",
    "facts_of_class",
    "parsed",
    "stated",
]

TAKES = frozenset("tensor sequence table steps any parts nothing".split())
GIVES = frozenset("tensor table steps same any parts number".split())
KEEPS = frozenset("nothing always remembered".split())
PARTS = frozenset("none chain branches entries slices each one replicas steps built fixed graph".split())
TARGETS = frozenset("none class values shares sign truths parts steps other".split())


@dataclass(frozen=True)
class Parameter:
    """A parameter of the layer itself, not of its parts.

    ``rank`` is None where the constructor's arguments decide it. ``law`` is the distribution of its elements in a new
    layer: ``uniform`` from a number to another, ``normal`` around 0 with a standard deviation, ``constant``, or
    ``computed`` from what else is drawn or given. Its ``arguments`` are in terms of the constructor's, and of
    ``elements``, the number of elements.
    """

    name: str
    rank: int | None
    law: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Facts:
    """The facts of a class; those of a container are about itself, its parts apart.

    - ``parameters``: what it may have and learns itself, a text for ``parsed``;
    - ``draws``: whether a forward in training may draw random numbers;
    - ``differs_in_training``: whether training and evaluation may give different outputs;
    - ``begins_training``: whether a new one is in training, before anybody says in which mode it is;
    - ``keeps``: whether a forward depends on those before it: in ``nothing``, ``always``, or after ``remember`` only;
    - ``over_batch``: whether in training the output for an example depends on the others of its batch;
    - ``takes``: a ``tensor``, one that holds a ``sequence``, with time in front, a ``table``, a table of the ``steps``
      of a sequence, ``any`` of them, what its ``parts`` take, or ``nothing`` of its input;
    - ``gives``: the same; ``same`` as its input; a ``number``;
    - ``keeps_rank``: whether a tensor always has as many dimensions afterwards;
    - ``shares_memory``: whether its output may lie in its input's memory, though it does not work in place;
    - ``gradient_reads_output``: whether its gradient is computed with its output, as that is in memory by then;
    - ``parts``: what it does with modules in it. ``none`` are there; a ``chain``, one after the other; ``branches``,
      of which each is given the input; ``entries``, of which each is given one of the input; ``slices``, the same of
      a tensor; ``each``, one that is given all entries or steps in turn; ``one``, around which it does something;
      ``replicas``, one that is copied to several devices; ``steps``, a network applied at each step; ``built``, it
      makes them itself, or ``fixed``, without parameters; a ``graph``;
    - ``example``: the axes of an example, names of constructor's arguments and letters for others, or ``any``;
    - ``items``: the constructor's argument that is the largest of the whole numbers that it takes;
    - ``target``: of a criterion. ``none``; a ``class``, counted from 1; ``values`` like the input; ``shares``
      that add up to 1, of which the input has logarithms; a ``sign``, 1 or -1; ``truths``, 0 or 1, or between; what its
      ``parts`` take; a table of that, one for each of the ``steps``; ``other``.
    """

    parameters: str
    draws: bool
    differs_in_training: bool
    begins_training: bool
    keeps: str
    over_batch: bool
    takes: str
    gives: str
    keeps_rank: bool
    shares_memory: bool
    gradient_reads_output: bool
    parts: str
    example: str
    items: str
    target: str


# A layer without parameters, a function of one tensor that is the same at all times.
PLAIN: dict[str, Any] = {
    "parameters": "",
    "draws": False,
    "differs_in_training": False,
    "begins_training": False,
    "keeps": "nothing",
    "over_batch": False,
    "takes": "tensor",
    "gives": "tensor",
    "keeps_rank": False,
    "shares_memory": False,
    "gradient_reads_output": False,
    "parts": "none",
    "example": "any",
    "items": "",
    "target": "none",
}
_NAMES = frozenset(field.name for field in fields(Facts))
_PARAMETER = re.compile(r"(\w+):(\d|\*)~(\w+)\((.*)\)")


def stated(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts that a registration states; ValueError for names and words that do not exist."""
    if not facts.keys() <= _NAMES:
        raise ValueError(f"no facts of layers: {', '.join(sorted(facts.keys() - _NAMES))}")
    words = {"takes": TAKES, "gives": GIVES, "keeps": KEEPS, "parts": PARTS, "target": TARGETS}
    for name, known in words.items():
        if name in facts and facts[name] not in known:
            raise ValueError(f"{name}={facts[name]!r} is none of {', '.join(sorted(known))}")
    return dict(facts)


_of_class: dict[type[Any], Facts] = {}


def facts_of_class(cls: type[Any]) -> Facts:
    """The facts of a registered class."""
    if cls not in _of_class:
        stated: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            stated |= vars(base).get("stated_facts", {})
        _of_class[cls] = Facts(**stated)
    return _of_class[cls]


@cache
def parsed(parameters: str) -> tuple[Parameter, ...]:
    """Parameters as they are stated: ``"weight:2~uniform(1/sqrt(inputSize)) bias:1~constant(0)"``.

    The number is the rank, ``*`` where it varies. ``uniform(s)`` is from ``-s`` to ``s``.
    """
    described = []
    for text in parameters.split():
        match = _PARAMETER.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} describes no parameter")
        name, rank, law, inside = match.groups()
        arguments = tuple(inside.split(",")) if inside else ()
        if law == "uniform" and len(arguments) == 1:
            arguments = (f"-({inside})", inside)
        if (law, len(arguments)) not in {("uniform", 2), ("normal", 1), ("constant", 1), ("computed", 0)}:
            raise ValueError(f"{law!r} is no distribution of {len(arguments)} arguments")
        described.append(Parameter(name, None if rank == "*" else int(rank), law, arguments))
    return tuple(described)
