"""gModule: a graph of modules as one module."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import numbered
from torch7py.nn.base import Module
from torch7py.nn.container import Container
from torch7py.nn.graph import Node, OrderedNode, ordered_nodes
from torch7py.nn.graph_codegen import accumulate, one_pass, plan_backward, plan_of
from torch7py.nn.graph_plan import Plan
from torch7py.nn.graph_values import GraphContainer, add_up, check_splits, entry
from torch7py.nn.object import TorchObject, names
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError

__all__ = ["GModule"]

USED, LONGEST_WAIT = (
    4,
    256,
)  # calls that make a plan worth another; the most runs between two plans that were not


@layer("nn.gModule", package="nngraph", parts="graph")
class GModule(GraphContainer):
    """``nn.gModule(inputs, outputs)``: the graph of modules between these nodes, run in sorted order.

    Shapes: with one input node its input, with several a table of as many; likewise the output. A node may be used
    any number of times: the gradients of its uses are added up, in nested tables too. From Python the nodes are
    ``torch7py.nn.graph.Node``. ``name`` is what ``tostring`` shows in place of the class.

    Errors: a cycle, an input that leads nowhere, a table with another number of entries than there are inputs,
    outputs or nodes of a split.
    """

    fields: ClassVar[tuple[str, ...]] = ("nInputs", "name")
    virtual: ClassVar[tuple[str, ...]] = (*Container.virtual, "runForwardFunction")
    converted_first = ("output", "gradInput")
    transient: ClassVar[tuple[str, ...]] = (
        *Container.transient,
        "_reporter",
        "_failed",
        "_plan",
        "_waiting",
        "_watched",
        "_runs",
    )
    lua_methods = names("map runForwardFunction")

    name: str | None

    def __init__(self, inputs: Sequence[Node] = (), outputs: Sequence[Node] = ()) -> None:
        super().__init__()
        self.__dict__.update(output=None, gradInput=None, name=None)
        if inputs or outputs:
            nodes, backward = ordered_nodes(inputs, outputs)
            self.set_graph(nodes, backward, len(inputs))
            self.set_child_list([node.module for node in nodes if node.module is not None])
        else:
            self.set_graph([], [], 0)

    def prepare_blank(self) -> None:
        super().prepare_blank()
        self.set_graph([], [], 0)

    @classmethod
    def matches(cls, names: Collection[str]) -> bool:
        return "forwardnodes" in names or super().matches(names)  # the first versions did not count inputs

    def set_graph(self, nodes: list[OrderedNode], backward: list[int], inputs: int) -> None:
        """Set the graph, in running order; the list of modules stays as it is."""
        count = len(nodes)
        start = [number for number, node in enumerate(nodes) if not node.sources]
        if count and len(start) != 1:
            roots = [node for node in nodes if not node.sources and node.module is not None]
            start = [n for n in start if nodes[n].module is None]
            if len(start) != 1 or any(r.module.class_name != "nnop.Parameters" for r in roots):
                raise TorchError("nn.gModule: a node that takes nothing must be an input or nnop.Parameters")
        # The graph of a copy comes once more from the program's nodes: what the copied nodes hold stays theirs.
        known = self.__dict__.get("ordered_nodes", ())
        if not count or [node.sources for node in known] != [node.sources for node in nodes]:
            self.__dict__.update(
                node_inputs=[[] for _ in nodes],
                node_gradients=[[] for _ in nodes],
                node_buffers=[None] * count,
                node_totals=[None] * count,
            )
        self.__dict__.update(ordered_nodes=nodes, backward_order=backward, nInputs=inputs)
        self.__dict__["_start"] = start[0] if start else 0
        self.forget_plan()
        if count and len(nodes[-1].sources) > 1 and self.__dict__.get("output") is None:
            self.__dict__["output"] = self.node_inputs[-1]  # what the last node takes, before any forward too

    @property
    def failed(self) -> int | None:
        """The number of the node whose module raised the last error, from 0."""
        return self.__dict__.get("_failed")

    # -- forward ------------------------------------------------------------------------------------------

    def forward(self, input: Any) -> Any:
        return self._result(self._run(input, lambda module, x: module(x), [[] for _ in self.ordered_nodes]))

    def updateOutput(self, input: Any) -> Any:
        return self.runForwardFunction("updateOutput", input)

    def runForwardFunction(self, function: Any, input: Any) -> Any:
        """``m:runForwardFunction(f, input)``: the forward with f, a method's name or a function of module and input,
        in the place of ``updateOutput``."""
        if function == "updateOutput":
            call: Callable[[Any, Any], Any] | None = None
        elif isinstance(function, str):
            call = self._method(function)
        else:
            call = function
        if torch.is_grad_enabled():
            with torch.no_grad():
                return self.runForwardFunction(function, input)
        self.__dict__["_runs"] = self.__dict__.get("_runs", 0) + 1
        if call is not None or not self._run_plan(input):
            self.forget_run()
            self._run(input, call, self.node_inputs)
        self.show_watched()
        inputs = self.__dict__["node_inputs"]
        return self.set_output(self._result(inputs[-1] if inputs else []))

    @staticmethod
    def _method(name: str) -> Callable[[Any, Any], Any]:
        def call(module: Any, input: Any) -> Any:
            attribute = type(module).exports().get(name)
            if attribute is None:
                raise TorchError(f"{module.class_name} has no method {name}")
            return getattr(module, attribute)(input)

        return call

    def _result(self, outputs: list[Any]) -> Any:
        return outputs if len(outputs) != 1 else outputs[0]

    def _inputs(self, input: Any) -> list[Any]:
        """The input as a list with an entry for each input node."""
        if self.nInputs <= 1:
            inputs = [] if input is None else [input]
        elif isinstance(input, (list, Mapping)):
            inputs = list(numbered(input))
        else:
            raise TorchError(f"nn.gModule: expecting table of {self.nInputs} inputs")
        if len(inputs) != self.nInputs:
            raise TorchError(f"nn.gModule: Got {len(inputs)} inputs instead of {self.nInputs}")
        return inputs

    def _run(
        self,
        input: Any,
        call: Callable[[Any, Any], Any] | None,
        inputs: list[list[Any]],
        before: Sequence[Any] = (),
    ) -> list[Any]:
        """Run the graph node by node; returns the inputs of the last node.

        ``call`` stands for ``updateOutput``; ``inputs`` is filled with the inputs of each node; ``before`` has the
        values of nodes that have run already.
        """
        nodes = self.ordered_nodes
        values: list[Any] = [*before, *[None] * (len(nodes) - len(before))]
        start, report = self._start, self.__dict__.get("_reporter")
        taken = self._inputs(input)
        number = len(before) - 1
        try:
            if before:
                check_splits(nodes[number], values[number])
            for number, node in enumerate(nodes):
                held, sources, module = inputs[number], node.sources, node.module
                if len(sources) == 1:
                    x = values[sources[0]]
                    held[:] = (x,)
                else:
                    held[:] = taken if number == start else [values[source] for source in sources]
                    x = held[0] if len(held) == 1 else held
                if number < len(before):
                    continue
                if module is None:
                    value = x if node.select is None else entry(x, node.select)
                elif call is not None:
                    value = call(module, x)
                else:
                    value = module.updateOutput(x)
                if node.splits is not None:
                    check_splits(node, value)
                values[number] = value
                if report is not None:
                    report(self, number + 1)
        except BaseException:
            self.__dict__["_failed"] = number
            raise
        if call is None and report is None and inputs is self.node_inputs:
            self._learn(values)
        return inputs[-1] if inputs else []

    def resume(self, before: Sequence[Any], input: Any) -> Any:
        """Go on with a forward that has come to the node after these values."""
        self._run(input, None, self.node_inputs, before=before)
        inputs = self.__dict__["node_inputs"]
        return self.set_output(self._result(inputs[-1] if inputs else []))

    # -- the plan: the graph as one function, see graph_plan.py -------------------------------------------------

    def forget_plan(self) -> None:
        """Drop the plan: the modules of the graph have changed."""
        self.show()
        self.__dict__["_plan"] = None
        self.__dict__.pop("_waiting", None)

    def _learn(self, values: list[Any]) -> None:
        """Generate a plan from the second run of its kind on; less often if plans do not fit for long."""
        attributes = self.__dict__
        waiting = attributes.setdefault("_waiting", [2, 1])
        waiting[0] -= 1
        if waiting[0] <= 0:
            plan: Plan | None = attributes.get("_plan")
            waiting[1] = 1 if plan is not None and plan.hits >= USED else min(2 * waiting[1], LONGEST_WAIT)
            waiting[0] = waiting[1]
            attributes["_plan"] = plan_of(self, values)

    def _run_plan(self, input: Any) -> bool:
        """Run the forward by the plan; False if none fits."""
        plan: Plan | None = self.__dict__.get("_plan")
        if plan is None or self.__dict__.get("_reporter") is not None:
            return False
        plan.ran = None
        outcome = plan.forward(plan, self.__dict__, input)
        if outcome is None:
            return False
        if outcome is not True:
            self._run(input, None, self.node_inputs, before=outcome)
        return True

    def _back_plan(self, gradOutput: Any, scale: float) -> bool:
        """Run the backward by the plan; False if none fits."""
        plan: Plan | None = self.__dict__.get("_plan")
        if plan is None or plan.backward is None or self.__dict__.get("_reporter") is not None:
            return False
        outcome = plan.backward(plan, self.__dict__, gradOutput, scale)
        if outcome is None:
            return False
        if outcome is not True:
            number, result, later_gradients, flags = outcome
            position = self.backward_order.index(number) + 1
            for later in self.backward_order[position:]:
                self.node_gradients[later].clear()
            for node, gradients in later_gradients:
                self.node_gradients[node][:] = gradients
            self.resume_back(number, result, scale, {node for node, flag in flags if flag})
        return True

    def resume_back(self, number: int, result: Any, scale: float | None, done: set[int] | None = None) -> Any:
        """Go on with a backward after a node whose module has given this; returns the gradient of the input.

        Without a scale no gradients of parameters are added. ``done``: the nodes whose modules have added theirs.
        """
        self._hand_back(self.ordered_nodes[number], result)
        position = self.backward_order.index(number) + 1
        done = set() if done is None and scale is not None else done
        self._back_from(position, done, 1 if scale is None else scale)
        if scale is not None and done is not None:
            self._accumulate_all(scale, done)
        return self.set_grad_input(self.__dict__["node_totals"][self._start])

    # -- backward -----------------------------------------------------------------------------------------

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        with torch.no_grad():
            return self.set_grad_input(self._back(gradOutput, None, 1))

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        if "_marked" in self.__dict__:
            return super().backward(input, gradOutput, scale)
        if torch.is_grad_enabled():
            with torch.no_grad():
                return self.backward(input, gradOutput, scale)
        if self._back_plan(gradOutput, scale):
            self.show_watched()
            return self.set_grad_input(self.__dict__["node_totals"][self._start])
        done: set[int] = set()
        self.set_grad_input(self._back(gradOutput, done, scale))
        self._accumulate_all(scale, done)
        return self.gradInput

    def _default_backward(self) -> bool:
        return "_marked" not in self.__dict__

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        if self.node_totals and self.node_totals[-1] is None:
            self.updateGradInput(input, gradOutput)
        self._check_gradients(gradOutput)
        with torch.no_grad():
            self._accumulate_all(scale, set())

    def _accumulate_all(self, scale: float, done: set[int]) -> None:
        """Accumulate the parameters' gradients of all modules except those at the nodes ``done``."""
        report, nodes, inputs, totals = (
            self.__dict__.get("_reporter"),
            self.ordered_nodes,
            self.node_inputs,
            self.node_totals,
        )
        number = 0
        try:
            for number in self.backward_order:
                module = nodes[number].module
                if module is not None and number not in done:
                    held = inputs[number]
                    x = held[0] if len(held) == 1 else held
                    accumulate(module, x, totals[number], scale)
                if report is not None:
                    report(self, number + 1)
        except BaseException:
            self.__dict__["_failed"] = number
            raise

    def _check_gradients(self, gradOutput: Any) -> None:
        wanted = len(self.ordered_nodes[-1].sources) if self.ordered_nodes else 0
        if wanted > 1 and (not isinstance(gradOutput, list) or len(gradOutput) != wanted):
            count = len(gradOutput) if isinstance(gradOutput, list) else 1
            raise TorchError(f"nn.gModule: Got {count} gradOutputs instead of {wanted}")

    def _back(self, gradOutput: Any, done: set[int] | None, scale: float) -> Any:
        """Propagate a gradient back through the graph; returns the gradient of the input.

        With a set ``done``, modules that compute both halves of their backward at once accumulate here, and their
        nodes are added to the set.
        """
        if not self.node_inputs or not self.node_inputs[-1]:
            raise TorchError("nn.gModule: a backward without a forward")
        self._check_gradients(gradOutput)
        for contributions in self.node_gradients:
            contributions.clear()
        self.node_gradients[-1].append(gradOutput)
        results = self._back_from(0, done, scale)
        plan: Plan | None = self.__dict__.get("_plan")
        if done is not None and plan is not None and plan.ran is not None and plan.wants_backward():
            plan_backward(self, plan, gradOutput, results)
        return self.node_totals[self._start]

    def _back_from(self, position: int, done: set[int] | None, scale: float) -> list[Any]:
        """Continue at this position of the backward order; returns what each node's module returned."""
        nodes, inputs, totals = self.ordered_nodes, self.node_inputs, self.node_totals
        gradients, report = self.node_gradients, self.__dict__.get("_reporter")
        results: list[Any] = [None] * len(nodes)
        number = 0
        try:
            for number in self.backward_order[position:]:
                node, contributions = nodes[number], gradients[number]
                if len(contributions) == 1:
                    total = contributions[0]
                else:
                    total = self._total(number, contributions) if contributions else None
                totals[number] = total
                sources, module = node.sources, node.module
                if node.select is not None:
                    self._put(node, total)
                else:
                    if module is not None:
                        held = inputs[number]
                        x = held[0] if len(held) == 1 else held
                        module.__dict__.pop("_lent", None)  # what a plan had put into gradInput
                        if done is not None and one_pass(module):
                            total = module.backward(x, total, scale)
                            done.add(number)
                        else:
                            total = module.updateGradInput(x, total)
                        results[number] = total
                    if len(sources) == 1:
                        if total is not None:
                            gradients[sources[0]].append(total)
                    else:
                        self._share_out(node, total)
                if report is not None:
                    report(self, number + 1)
        except BaseException:
            self.__dict__["_failed"] = number
            raise
        return results

    def _hand_back(self, node: OrderedNode, gradient: Any) -> None:
        """Pass the gradient of a node's input on to its sources."""
        if len(node.sources) != 1:
            self._share_out(node, gradient)
        elif gradient is not None:
            self.node_gradients[node.sources[0]].append(gradient)

    def _put(self, node: OrderedNode, gradient: Any) -> None:
        """Put the gradient of one entry of a split into the table of all of them."""
        source = node.sources[0]
        table = self.node_gradients[source]
        if not table:
            table.append([None] * (self.ordered_nodes[source].splits or 0))
        table[0][node.select] = gradient

    def _share_out(self, node: OrderedNode, gradient: Any) -> None:
        """Pass the gradient of a table of several inputs on to their sources."""
        sources = node.sources
        if not sources:
            return
        if not isinstance(gradient, list):
            who = node.module.class_name if node.module is not None else "the output"
            raise TorchError(f"nn.gModule: the gradInput of {who} must be a table of {len(sources)}")
        gradients = self.node_gradients
        # Lua's tables end at a nil: what is missing is an input without a gradient, lengths of sentences say.
        for source, part in zip(sources, gradient, strict=False):
            if part is not None:
                gradients[source].append(part)

    def _total(self, number: int, contributions: list[Any]) -> Any:
        """The sum of the gradients of a node's uses. Its tensors stay the same objects from call to call."""
        total = self.node_buffers[number] = add_up(contributions, self.node_buffers[number])
        return total

    # -- the tree -----------------------------------------------------------------------------------------

    def inner(self) -> Iterator[TorchObject]:
        yield from super().inner()
        listed = set(map(id, self._modules.values()))
        for node in self.ordered_nodes:
            if isinstance(node.module, TorchObject) and id(node.module) not in listed:
                yield node.module

    def replace(self, callback: Callable[[Any], Any]) -> Any:
        """``m:replace(f)``: put f(module) in the place of each module of the graph; this one last."""
        result = callback(self)
        replaced: dict[int, Any] = {}
        for node in self.ordered_nodes:
            module = node.module
            if module is not None:
                if id(module) not in replaced:
                    replaced[id(module)] = module, module.replace(callback)
                node.module = replaced[id(module)][1]
        self.forget_plan()
        children = [replaced.get(id(m), (m, m))[1] for m in self.child_list()]
        self.set_child_list(children)
        return result

    def map(self, other: GModule, function: Callable[[Any, Any], Any]) -> None:
        """``m:map(other, f)``: call f with the modules at the same nodes of two graphs."""
        if not isinstance(other, GModule) or [p.sources for p in self.ordered_nodes] != [
            p.sources for p in other.ordered_nodes
        ]:
            raise TorchError("trying to map another gModule with a different structure")
        for mine, theirs in zip(self.ordered_nodes, other.ordered_nodes, strict=True):
            if (mine.module is None) != (theirs.module is None):
                raise TorchError("trying to map another gModule with a different structure")
            if mine.module is not None:
                function(mine.module, theirs.module)

    def clearState(self) -> Module:
        for child in self.children_of():
            child.clearState()
        self.forget_run()
        count = len(self.ordered_nodes)
        for values in (*self.node_inputs, *self.node_gradients):
            values.clear()
        self.__dict__.update(node_buffers=[None] * count, node_totals=[None] * count)
        self.let_go_of_results()
        return self

    def describe(self) -> str:
        return self.name or self.class_name
