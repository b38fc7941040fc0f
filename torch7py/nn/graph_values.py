"""The values between the nodes of a graph: the tables that scripts read, their entries and their sums."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from torch7py.nn.container import Container
from torch7py.nn.copying import TensorMap
from torch7py.nn.graph import OrderedNode
from torch7py.nn.graph_plan import Plan
from torch7py.ops.errors import TorchError

__all__ = ["NODE_VALUES", "GraphContainer", "add_up", "check_splits", "entry"]

# Where a node's values can be read and changed: what it takes, the gradients to be summed, and their sum.
NODE_VALUES = ("input", "gradOutput", "gradOutputBuffer")


class GraphContainer(Container):
    """A container with a graph of nodes, and the tables that show what each node was given.

    A plan leaves these tables as they are; they are brought up to date when somebody reads them.
    """

    ordered_nodes: list[OrderedNode]  # in the order of the forward
    backward_order: list[int]
    nInputs: int
    node_buffers: list[Any]  # the tensors that sums of gradients are written to

    @property
    def start(self) -> int:
        """The node that takes the input, from 0."""
        number: int = self._start
        return number

    def show(self) -> None:
        """Update the tables of the nodes with the plan's last run."""
        plan: Plan | None = self.__dict__.get("_plan")
        if plan is not None and plan.due:
            plan.show()

    def show_watched(self) -> None:
        """``show`` at the end of a run, if a script has read such a table: it may still hold it."""
        if "_watched" in self.__dict__:
            self.show()

    @property
    def node_inputs(self) -> list[list[Any]]:
        """The inputs of each node."""
        self.show()
        inputs: list[list[Any]] = self.__dict__["node_inputs"]
        return inputs

    @property
    def node_gradients(self) -> list[list[Any]]:
        """The gradients that reach each node, one for each of its uses."""
        self.show()
        gradients: list[list[Any]] = self.__dict__["node_gradients"]
        return gradients

    @property
    def node_totals(self) -> list[Any]:
        """The sums of the gradients of each node."""
        self.show()
        totals: list[Any] = self.__dict__["node_totals"]
        return totals

    def _convert_tensors(self, convert: TensorMap) -> None:
        self.show()
        super()._convert_tensors(convert)

    def __deepcopy__(self, memo: dict[Any, Any]) -> Any:
        self.show()
        return super().__deepcopy__(memo)

    def __getstate__(self) -> dict[str, Any]:
        self.show()
        return super().__getstate__()

    def forget_run(self) -> None:
        """Invalidate the plan's last forward: something else ran, or its values have changed."""
        plan: Plan | None = self.__dict__.get("_plan")
        if plan is not None:
            plan.ran = None

    # -- what a script sees of a node ---------------------------------------------------------------------

    def node_value(self, number: int, name: str) -> Any:
        """``input``, ``gradOutput`` or ``gradOutputBuffer`` of a node; None where there is none yet."""
        self.__dict__["_watched"] = True
        value = (
            self.node_buffers[number]
            if name == "gradOutputBuffer"
            else (self.node_inputs if name == "input" else self.node_gradients)[number]
        )
        return None if isinstance(value, list) and not value else value

    def set_node_value(self, number: int, name: str, value: Any) -> None:
        """Let a script replace one of these values."""
        self.forget_run()
        if name == "gradOutputBuffer":
            self.node_buffers[number] = value
            return
        values = [] if value is None else value
        if not isinstance(values, list):
            raise TorchError(f"nn.gModule: the {name} of a node must be a table")
        (self.node_inputs if name == "input" else self.node_gradients)[number][:] = values


def check_splits(node: OrderedNode, value: Any) -> None:
    if node.splits is not None and count(value) != node.splits:
        raise TorchError(f"split({node.splits}) cannot split {count(value)} outputs")


def entry(value: Any, key: int) -> Any:
    """An entry, counted from 0, of a table that a node is split into."""
    if isinstance(value, Mapping):
        return value.get(key + 1)
    if not isinstance(value, list):
        raise TorchError("nn.gModule: the input for a split should be a table")
    return value[key] if key < len(value) else None


def count(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(isinstance(key, (int, float)) for key in value)
    return len(value) if isinstance(value, (list, torch.Tensor)) else 0


def add_up(parts: list[Any], held: Any) -> Any:
    """The sum of gradients in the nesting of the first one; tensors in ``held`` are reused for the result."""
    first = parts[0]
    if isinstance(first, list):
        old = held if isinstance(held, list) else []
        for part in parts[1:]:
            if not isinstance(part, list) or len(part) < len(first):
                raise TorchError("nn.gModule: the gradients of a node's uses have different nestings")
        sums = [
            add_up([part[i] for part in parts], old[i] if i < len(old) else None) for i in range(len(first))
        ]
        if isinstance(held, list):
            held[:] = sums
            return held
        return sums
    for part in parts[1:]:
        if not isinstance(part, torch.Tensor) or part.numel() != first.numel():
            raise TorchError("nn.gModule: the gradients of a node's uses have different sizes")
    second = parts[1] if parts[1].shape == first.shape else parts[1].reshape(first.shape)
    if (
        held.__class__ is torch.Tensor
        and held.dtype is first.dtype is second.dtype
        and held.shape == first.shape
        and held.device == first.device
    ):
        total = torch.add(first, second, out=held)
    else:
        total = torch.add(first, second)
        if isinstance(held, torch.Tensor) and held.dtype == total.dtype and held.device == total.device:
            held.data = total
            total = held
    for part in parts[2:]:
        total.add_(part if part.shape == first.shape else part.reshape(first.shape))
    return total
