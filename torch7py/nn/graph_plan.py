"""A graph that has run, as straight-line Python.

``GModule`` runs its graph node by node. What it meets there hardly changes from call to call, so after a run it has
two functions written for it (``graph_codegen.py``): one line for each of the commonest modules, a call for every other,
and at the start all that must be as it was (which modules, tensors, sizes, types; no method of a script's). Where that
does not hold, the function does nothing and says so, and the graph runs node by node. The source depends on the graph
alone: copies of it share the compiled code, each with its own tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch7py.nn.code_builder import Value

__all__ = ["Plan"]


class Plan:
    """The functions of one graph.

    ``forward(plan, graph, input)`` and ``backward(plan, graph, gradOutput, scale)``, with the graph's attributes (the
    functions hold no graph: it must go when nobody else holds it), return True when they have run, None when something
    is not as it was and nothing has been done. A call in the middle that gives another sort of result than before ends
    the function: it returns what to go on from, the values up to there (forward), or the number of the node, its
    result, the gradients that later nodes have been given, and which of the calls have also done their parameters'
    half.

    ``ran`` holds what the last forward met, for the backward; None when that was not this plan's.

    What the graph's tables show of the nodes (``node_inputs``, ``node_gradients``, ``node_totals``) is written when
    somebody looks: ``due`` has the functions that do it, each with what it needs to know.
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
        """Write what is due."""
        while self.due:
            write, known = self.due.pop(next(iter(self.due)))
            write(known)

    def wants_backward(self) -> bool:
        """Whether to write a backward now: less and less often, if those written did not fit for long."""
        self.wait -= 1
        if self.wait > 0:
            return False
        self.wait = self.patience = min(2 * self.patience, 256)
        return True
