"""The instructions of containers and of graphs (see ``step_lines.py``)."""

from __future__ import annotations

from typing import Any

import torch

from torch7py.nn import step_lines as lines
from torch7py.nn.base import Module
from torch7py.nn.container import ConcatTable, ParallelTable, Sequential
from torch7py.nn.gmodule import GModule
from torch7py.nn.step_program import DTYPES, Leaf, StepProgram, Table, Unfit, Value

__all__ = []


def _children(p: StepProgram, m: Any) -> list[Any]:
    children = list(m._modules.values())
    for key, child in m._modules.items():
        p.keep(m._modules, key, child)
    if not children:
        raise Unfit
    p.listed_keys(m._modules)
    return children


def _sequence(p: StepProgram, m: Any, x: Value) -> Value:
    for child in _children(p, m):
        x = lines.forward(p, child, x)
    return p.passed(m, "output", x)


def _sequence_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    for child in reversed(m._modules.values()):
        p.note_gradient(child, g)
        g = lines.backward(p, child, p.input_of(child), g)
    return p.passed(m, "gradInput", g)


def _sequence_gradients(p: StepProgram, m: Any, x: Value, g: Value) -> None:
    for child in reversed(m._modules.values()):
        lines.gradients(p, child, p.input_of(child), p.gradient_of(child))


def _branches(p: StepProgram, m: Any, x: Value) -> Value:
    return p.passed(m, "output", [lines.forward(p, child, x) for child in _children(p, m)], copies=True)


def _branches_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    children = list(m._modules.values())
    if not isinstance(g, list) or len(g) != len(children):
        raise Unfit
    gradients = []
    for child, part in zip(children, g, strict=True):
        p.note_gradient(child, part)
        gradients.append(lines.backward(p, child, x, part))
    if len(gradients) == 1:
        if not isinstance(gradients[0], Leaf):
            raise Unfit
        o = p.room(m, "gradInput", gradients[0].tensor.shape)
        lines.copy(p, o, gradients[0])
        return o
    if not all(isinstance(part, Leaf) for part in gradients):
        raise Unfit
    o = p.room(m, "gradInput", gradients[0].tensor.shape)
    lines.add_up(p, o, gradients)
    return o


def _entries(p: StepProgram, m: Any, x: Value) -> Value:
    children = _children(p, m)
    if not isinstance(x, list) or len(x) != len(children):
        raise Unfit
    outputs = [lines.forward(p, child, item) for child, item in zip(children, x, strict=True)]
    return p.passed(m, "output", outputs, copies=True)


def _entries_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    children = list(m._modules.values())
    if not isinstance(g, list) or len(g) != len(children):
        raise Unfit
    gradients = []
    for child, item, part in zip(children, x, g, strict=True):
        p.note_gradient(child, part)
        gradients.append(lines.backward(p, child, item, part))
    return p.passed(m, "gradInput", gradients, copies=True)


def _all_gradients(p: StepProgram, m: Any, x: Value, g: Value) -> None:
    for child in m._modules.values():
        lines.gradients(p, child, p.input_of(child), p.gradient_of(child))


def _graph(p: StepProgram, m: Any, x: Value) -> Value:
    nodes = m.ordered_nodes
    p.keep(m.__dict__, "ordered_nodes", nodes)
    p.keeps_input = p.keeps_input or m is p.module
    start, held = m.start, m.__dict__["node_inputs"]
    values: list[Value] = []
    if m.nInputs > 1 and (not isinstance(x, list) or len(x) != m.nInputs):
        raise Unfit
    for number, node in enumerate(nodes):
        p.keep(node.__dict__, "module", node.module)
        if len(node.sources) == 1:
            taken = [values[node.sources[0]]]
        elif number == start:
            taken = [x] if m.nInputs <= 1 else list(x)
        else:
            taken = Table([values[source] for source in node.sources], held[number])
        its_input = taken[0] if len(taken) == 1 else taken
        p.values.append((held[number], taken))
        if node.module is not None and _is_script(node.module):
            value = _called(p, m, node.module, number, its_input, list(values))
        elif node.module is not None:
            value = lines.forward(p, node.module, its_input)
        elif node.select is None:
            value = its_input
        elif isinstance(its_input, list) and node.select < len(its_input):
            value = its_input[node.select]
        else:
            raise Unfit
        if node.splits is not None and (not isinstance(value, list) or len(value) != node.splits):
            raise Unfit
        values.append(value)
        result = its_input
    return p.passed(m, "output", result)


def _graph_back(p: StepProgram, m: Any, x: Value, g: Value) -> Value:
    nodes = m.ordered_nodes
    wanted = len(nodes[-1].sources)
    if wanted > 1 and (not isinstance(g, list) or len(g) != wanted):
        raise Unfit
    contributions_to: list[list[Value]] = [[] for _ in nodes]
    contributions_to[-1].append(g)
    totals: list[Value] = [None] * len(nodes)
    for number in m.backward_order:
        node = nodes[number]
        total = totals[number] = _total(p, m, number, contributions_to[number])
        if node.select is not None:
            source = node.sources[0]
            if not contributions_to[source]:
                contributions_to[source].append([None] * nodes[source].splits)
            contributions_to[source][0][node.select] = total
            continue
        if node.module is not None:
            if total is None:
                raise Unfit
            p.note_gradient(node.module, total)
            if _has_plain_grad_input(node.module):
                total = _plain_grad_input(p, node.module)
            elif _is_script(node.module):
                rest = ([list(contributions) for contributions in contributions_to], list(totals))
                taken = p.input_of(node.module)
                like = p.objects(taken)
                total = p.called(node.module, "updateGradInput", number, [taken, total], like, rest)
            else:
                total = lines.backward(p, node.module, p.input_of(node.module), total)
        if len(node.sources) == 1:
            if total is not None:
                contributions_to[node.sources[0]].append(total)
        elif node.sources:
            if not isinstance(total, list) or len(total) != len(node.sources):
                raise Unfit
            for source, part in zip(node.sources, total, strict=True):
                if part is not None:
                    contributions_to[source].append(part)
    for held, contributions in zip(m.__dict__["node_gradients"], contributions_to, strict=True):
        p.values.append((held, contributions))
    p.values.append((m.__dict__["node_totals"], totals))
    p.listed(m.node_buffers)
    if totals[m.start] is None:
        raise Unfit
    return p.passed(m, "gradInput", totals[m.start])


def _is_script(module: Any) -> bool:
    return "_passes_marked" in module.__dict__


def _has_plain_grad_input(module: Any) -> bool:
    """Whether a script's layer has no ``updateGradInput``, so that it gives its ``gradInput`` as it is."""
    return type(module) is Module and {"updateGradInput", "_above"}.isdisjoint(
        module.__dict__.get("_marked", ())
    )


def _plain_grad_input(p: StepProgram, module: Any) -> Value:
    """``gradInput`` of such a layer, which is empty unless the script has put something there."""
    attributes = module.__dict__
    held = attributes["gradInput"]
    if held.__class__ is not torch.Tensor or not held.is_cpu or held.dtype not in DTYPES:
        raise Unfit
    p.settings(module, "_marked", "gradInput")
    return p.static(held)


def _called(p: StepProgram, m: Any, module: Any, number: int, x: Value, before: list[Value]) -> Value:
    """A call of a script's layer, whose last output shows what it gives."""
    if m is not p.module or any(module is call.module for call in p.calls):
        raise Unfit
    value = p.called(module, "updateOutput", number, [x], module.__dict__["output"], before)
    return p.note(module, x, value)


def _total(p: StepProgram, m: Any, number: int, contributions: list[Value]) -> Value:
    """The sum of the gradients of a node's uses."""
    if len(contributions) < 2:
        return contributions[0] if contributions else None
    total, buffer = p.nested_buffer(contributions[0], m.node_buffers[number])
    if not p.is_survey:
        m.node_buffers[number] = buffer
    lines.add_up(p, total, contributions)
    return total


def _graph_gradients(p: StepProgram, m: Any, x: Value, g: Value) -> None:
    for number in m.backward_order:
        module = m.ordered_nodes[number].module
        if module is not None and _is_script(module):
            attributes = module.__dict__
            if attributes["_gradients"] or {"accGradParameters", "_above"} & set(attributes["_marked"]):
                arguments = [p.input_of(module), p.gradient_of(module)]
                p.called(module, "accGradParameters", number, arguments, None, None)
        elif module is not None:
            lines.gradients(p, module, p.input_of(module), p.gradient_of(module))


lines.FORWARD |= {
    ConcatTable: _branches,
    ParallelTable: _entries,
    Sequential: _sequence,
    GModule: _graph,
}
lines.BACKWARD |= {
    ConcatTable: _branches_back,
    ParallelTable: _entries_back,
    Sequential: _sequence_back,
    GModule: _graph_back,
}
lines.GRADIENTS |= {
    Sequential: _sequence_gradients,
    ConcatTable: _all_gradients,
    ParallelTable: _all_gradients,
    GModule: _graph_gradients,
}
