"""The calls that explicit_backward.py speaks of: forwards, and backward calls of modules and of criterions."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch7py.translate.tree import Call, Expression, Invoke

__all__ = ["CriterionBackward", "Forward", "Pass"]


@dataclass(eq=False)
class Forward:
    """A call of a module whose gradients are asked for."""

    node: Call | Invoke
    module: Expression
    input: Expression
    output: str = ""  # what the page calls its output
    named: bool = False  # whether the program itself gives the output that name
    leaf: str = ""  # what the page calls its input, where the gradient of that is wanted
    needs_leaf: bool = False
    kept: bool = False  # in the module
    voids: bool = False  # with another input than that which a backward pass in another function goes back to
    passes: list[Pass] = field(default_factory=list)


@dataclass(eq=False)
class Pass:
    """A call of backward, updateGradInput or accGradParameters on a module."""

    node: Invoke
    forward: Forward | None = None  # None: whichever was the last one
    kept: list[Forward] = field(default_factory=list)
    used: bool = False  # whether the gradient of the input is
    name: str = ""  # that it is given, where a statement leaves it to be read from the module
    loss: str = ""  # whose backward pass this is, where its gradient is that of a criterion as it is
    again: bool = False  # whether there may be another pass through the same graph
    refused: str = ""


@dataclass(eq=False)
class CriterionBackward:
    """A call of backward on a criterion."""

    node: Invoke
    loss: Call | Invoke | None = None  # the forward that it belongs to
    fused: bool = False  # it is part of a module's pass
    refused: str = ""
    holder: str = ""  # what the page calls the loss
    name: str = ""
    again: bool = False
