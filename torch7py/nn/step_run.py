"""What a model shows of passes that ran as a list of instructions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from torch7py.nn.gmodule import GModule
from torch7py.nn.graph_plan import Plan
from torch7py.nn.step_program import StepProgram

__all__ = ["Run"]


class Run:
    """What the module of a program shows of a run that happened elsewhere."""

    def __init__(self, program: StepProgram) -> None:
        self.program = program
        self._graphs = [module for module in program.modules if isinstance(module, GModule)]
        for graph in self._graphs:
            graph.forget_plan()
        self._runs = self._count()

    def _count(self) -> int:
        return sum(graph.__dict__.get("_runs", 0) for graph in self._graphs)

    def by_python(self) -> bool:
        """Whether the module's own methods have run since this was asked last."""
        before, self._runs = self._runs, self._count()
        return before != self._runs

    def show(
        self,
        output: list[Any] | None,
        gradInput: list[Any] | None,
        passes: tuple[bool, bool, bool],
        tensors: Sequence[Any],
    ) -> bool:
        """Bring up to date what scripts may look at, for a run on these tensors from outside.

        ``output`` and ``gradInput`` are the module's where these are tables; ``passes``: whether there has been a
        backward at all, one since the last forward, and one with its second half. Returns whether other tensors have
        moved.
        """
        program = self.program
        has_gradients, has_gone_back, accumulated = passes
        given = zip(program.roots, program.root_shapes, tensors, strict=False)
        # Those that have got other sizes since the run are not its tensors any more.
        tensor_of: dict[int, Any] = {
            leaf.slot: tensor for leaf, shape, tensor in given if tensor is not None and tensor.shape == shape
        }
        moved = program.show(tensor_of, ("output", "gradInput") if has_gradients else ("output",))
        for sequence in program.sequences.values():
            sequence.show(tensor_of, has_gone_back, accumulated)
        for name, value in (("output", output), ("gradInput", gradInput)):
            if value is not None:
                program.module.__dict__[name] = value
        plan = Plan()
        plan.forward = _no_plan
        values = program.values if has_gradients else program.values[: program.of_forward]
        plan.due["values"] = (_write_lists, (program, tensor_of, values))
        for graph in self._graphs:
            graph.__dict__["_plan"] = plan
            graph.show_watched()
        return moved or bool(program.sequences)

    def resume(self, number: int, value: Any, tensors: Sequence[Any]) -> Any:
        """Go on with the forward where a call has given something else; returns the output."""
        program, call = self.program, self.program.calls[number]
        graph: Any = program.module
        tensor_of = {leaf.slot: tensor for leaf, tensor in zip(program.roots, tensors, strict=False)}
        program.show(tensor_of, ("output",))
        before = [program.objects(item, tensor_of) for item in call.rest]
        graph.forget_plan()
        _write_lists((program, tensor_of, program.values[: program.of_forward]))
        with torch.no_grad():
            return graph.resume([*before, value], program.objects(program.input, tensor_of))

    def resume_back(self, number: int, value: Any, scale: float | None, tensors: Sequence[Any]) -> Any:
        """The same of the backward, without the gradients of parameters if there is no scale; returns gradInput."""
        program, call = self.program, self.program.calls[number]
        graph: Any = program.module
        tensor_of = {leaf.slot: tensor for leaf, tensor in zip(program.roots, tensors, strict=False)}
        program.show(tensor_of, ("output", "gradInput"))
        graph.forget_plan()
        _write_lists((program, tensor_of, program.values[: program.of_forward]))
        contributions, totals = call.rest
        graph.node_totals[:] = program.objects(totals, tensor_of)
        for held, values in zip(graph.node_gradients, contributions, strict=True):
            held[:] = program.objects(values, tensor_of)
        with torch.no_grad():
            return graph.resume_back(call.number, value, scale)


def _no_plan(plan: Plan, graph: dict[str, Any], input: Any) -> None:
    return None


def _write_lists(known: tuple[Any, ...]) -> None:
    program, tensor_of, values = known
    outputs = [graph.__dict__.get("output") for graph in program.modules if isinstance(graph, GModule)]
    for held, value in values:
        if not any(held is output for output in outputs) and program.has_come_to(value, tensor_of):
            held[:] = program.objects(value, tensor_of)
