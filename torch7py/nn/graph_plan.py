"""A graph that has run, as straight-line Python.

``GModule`` runs its graph node by node. What it meets hardly changes from call to call, so after a run two functions
are generated (``graph_codegen.py``): a line for each of the commonest modules, a call for every other, and conditions
at the start (modules, tensors, sizes, types, no method of a script's). If a condition does not hold, the function
does nothing and returns None, and the graph runs node by node. The source depends on the graph alone: copies of the
graph share the compiled code, each with its own tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch7py.nn.code_builder import Value

__all__ = ["Plan"]


class Plan:
    """The two functions of a graph.

    ``forward(plan, graph, input)`` and ``backward(plan, graph, gradOutput, scale)`` take the graph's attributes, not
    the graph, which must be freed when nobody else refers to it. They return True when they have run, and None when a
    condition does not hold and nothing has been done. If a call in the middle returns another kind of result than
    before, the function ends and returns what is needed to continue node by node: the values so far (forward); or the
    number of the node, its result, the gradients of later nodes, and which calls have accumulated parameters'
    gradients (backward).

    ``ran`` holds the values of the last forward for the backward; None if the plan did not run it.

    The tables of the nodes that scripts can read (``node_inputs``, ``node_gradients``, ``node_totals``) are updated
    when they are read: ``due`` has the functions that do so, each with its values.
    """

    __slots__ = (
        "backward",
        "due",
        "forward",
        "hits",
        "locals",
        "objects",
        "patience",
        "ran",
        "values",
        "wait",
    )

    forward: Callable[..., Any]
    backward: Callable[..., Any] | None
    values: list[Value]  # what is known of the nodes' values
    locals: list[str]  # the names of those in `ran`
    objects: dict[str, Any]  # the other names that the forward has for things
    due: dict[str, tuple[Callable[[tuple[Any, ...]], None], tuple[Any, ...]]]

    def __init__(self) -> None:
        self.backward = None
        self.due = {}
        self.hits = 0
        self.ran: tuple[Any, ...] | None = None
        self.wait, self.patience = 0, 1

    def show(self) -> None:
        """Update the tables."""
        while self.due:
            write, known = self.due.pop(next(iter(self.due)))
            write(known)

    def wants_backward(self) -> bool:
        """Whether to generate a backward now. The interval doubles each time, in case the plans do not fit for long."""
        self.wait -= 1
        if self.wait > 0:
            return False
        self.wait = self.patience = min(2 * self.patience, 256)
        return True
