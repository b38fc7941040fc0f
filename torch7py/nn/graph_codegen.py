"""Generates the two functions of a graph's plan from the values of a run.

A function visits the nodes in the order of ``GModule``. Updates of the tables that scripts read are deferred; if the
function ends early, they are written up to that node.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch

from torch7py.nn.activation import Identity, Sigmoid, Tanh
from torch7py.nn.base import Module
from torch7py.nn.code_builder import NAME, Code, Known, Listed, Other, Shown, Value, observe
from torch7py.nn.graph_module_code import BACKWARD_LINES, FORWARD_LINES, accumulate_linear
from torch7py.nn.graph_plan import Plan
from torch7py.nn.graph_values import GraphContainer
from torch7py.nn.linear import Linear
from torch7py.nn.table import SplitTable
from torch7py.nn.table_math import CMulTable
from torch7py.ops.hyperbolic import tanh

__all__ = ["accumulate", "one_pass", "plan_backward", "plan_of"]

TAKE_TABLES = frozenset({Identity, SplitTable})  # of those with lines of their own

KEPT = 256  # sources whose compiled code is kept
TOTAL = "gradInput"  # for the line that writes the sum of the gradients of the first node, which is the graph's own
STOP = Shown("", "")  # where a function may end early: what has been put off is written
# The modules that neither write into gradOutput nor pass it on.
READERS = frozenset({Sigmoid, Tanh, CMulTable, Linear})
ENOUGH = 3  # nodes with lines of their own that a function must have to be worth its checks
MOST = 30_000  # names and lines in all its early ends: compiling them takes half a second
NOTHING = Module.accGradParameters  # of a module without gradient buffers

NAMES: dict[str, Any] = {
    "Tensor": torch.Tensor,
    "add": torch.add,
    "addmm": torch.addmm,
    "addmv": torch.addmv,
    "log_softmax": torch.log_softmax,
    "mm": torch.mm,
    "mul": torch.mul,
    "mv": torch.mv,
    "of_log_softmax": torch.ops.aten._log_softmax_backward_data.out,
    "of_sigmoid": torch.ops.aten.sigmoid_backward.grad_input,
    "of_softmax": torch.ops.aten._softmax_backward_data.out,
    "of_tanh": torch.ops.aten.tanh_backward.grad_input,
    "sigmoid": torch.sigmoid,
    "softmax": torch.softmax,
    "stack": torch.stack,
    "tanh": tanh,
}


class _TooLong(Exception):
    """The function would take longer to compile than it saves."""


@lru_cache(KEPT)
def _compiled(source: str) -> Callable[..., Any]:
    space = dict(NAMES)
    exec(compile(source, "<graph>", "exec"), space)
    bind: Callable[..., Any] = space["bind"]
    return bind


class _Writer:
    """What both directions share."""

    def __init__(self, graph: GraphContainer) -> None:
        self.graph = graph
        self.code = Code()
        self.first: list[str] = []  # lines before the checks
        self.shared: dict[str, str] = {}  # what has been made of a gradient, for the next to use
        self.written = 0
        self.ends = 0  # names and lines in early ends
        modules = [id(node.module) for node in graph.ordered_nodes if node.module is not None]
        self.repeated = {module for module in modules if modules.count(module) > 1}
        # of tables that are split, and of those that are made of several nodes
        nodes = graph.ordered_nodes
        self.lengths = {node.splits for node in nodes} | {len(node.sources) for node in nodes} - {0, 1}

    def lines_for(self, table: dict[type, Any], number: int, *arguments: Any) -> Any:
        """Generate the lines for a node of a common module; None for any other."""
        module = self.graph.ordered_nodes[number].module
        write = table.get(type(module))
        if write is None or id(module) in self.repeated:
            return None
        code = self.code
        before = dict(code.checks)
        if code.unmarked(number, module):
            result = write(code, number, module, *arguments)
            if result is not None:
                self.written += type(module).__name__ != "Identity"
                return result
        code.checks = before
        return None

    def _end(self, size: int) -> None:
        """Count the names and lines of an early end. Each has everything before it, so they grow with the square."""
        self.ends += size
        if self.ends > MOST:
            raise _TooLong

    def _observed(self, name: str, value: Any) -> Value:
        """A value from outside, with the condition that it stays of the same kind.

        Of a table that nodes may split the entries are looked at, any other stays one value, of any length.
        """
        if value.__class__ is list and len(value) in self.lengths:
            names = [f"{name}_{position}" for position in range(len(value))]
            self.first.append(f"if {name}.__class__ is not list or len({name}) != {len(value)}: return None")
            self.first.append(f"{', '.join(names)}, = {name}")
            self.code.locals += names
            return Listed(name, [self._observed(part, item) for part, item in zip(names, value, strict=True)])
        observed = observe(name, value)
        if isinstance(observed, Known):
            self.code.check(f"{name}.__class__ is Tensor", self.code.tensor(name, value, observed.contiguous))
        return observed

    def function(self, head: str, wanted: set[str]) -> Callable[..., Any] | None:
        """The compiled function with this head. Tables of the names ``wanted`` are updated at once."""
        if self.written < ENOUGH:
            return None
        code = self.code
        at_once = self._at_once(wanted)
        names = sorted(code.objects)
        later, body = list[str](), list[str]()
        for line in code.lines:
            if line is STOP:
                body += [f"    {text}" for text in ("plan.show()", *later)]
            elif isinstance(line, Shown):
                (body if line.table in at_once else later).append(line.text)
            else:
                body.append(line)
        assigned = {text.partition(" = ")[0] for text in later}
        known = dict.fromkeys(name for text in later for name in NAME.findall(text))
        needed = "".join(
            f"{name}, " for name in known if name not in code.objects.keys() | assigned | {"None"}
        )
        name = head.partition("(")[0]
        lines = [f"def bind({', '.join(names)}):"]
        lines += ["    def show(known):", *([f"        {needed}= known"] if needed else [])]
        lines += [f"        {text}" for text in later or ["pass"]]
        lines += [f"    def {head}:", *(f"        {line}" for line in self.first)]
        lines.append(f"        if not ({' and '.join(code.checks) or 'True'}): return None")
        lines += ["        at = 0", "        try:"]
        lines += [f"            {line}" for line in body]
        lines += [
            "        except BaseException:",
            "            graph['_failed'] = at",
            "            plan.show()",
        ]
        # as far as it came: the next line names what is not there
        lines += ["            try:", *(f"                {text}" for text in later or ["pass"])]
        lines += ["            except NameError: pass", "            raise"]
        lines += ["        plan.hits += 1"]
        if later:
            lines.append(f"        plan.due['{name}'] = show, ({needed})")
        lines += ["        return True", f"    return {name}"]
        function: Callable[..., Any] = _compiled("\n".join(lines))(*(code.objects[name] for name in names))
        return function

    def _at_once(self, wanted: set[str]) -> set[str]:
        """The names of the tables that lines name, those included that are in such tables."""
        shown = [line for line in self.code.lines if isinstance(line, Shown)]
        needed, before = wanted | self.code.names(), set[str]()
        while needed != before:
            before = needed
            lines = [line for line in shown if line.table in needed]
            needed = needed | {name for line in lines for name in NAME.findall(line.text)}
        return needed


class _Forward(_Writer):
    def write(self, values: list[Any]) -> Callable[..., Any] | None:
        try:
            return self._write(values)
        except _TooLong:
            return None

    def _write(self, values: list[Any]) -> Callable[..., Any] | None:
        graph, code = self.graph, self.code
        self.values: list[Value] = []
        for number, node in enumerate(graph.ordered_nodes):
            held = code.bind(f"h{number}", graph.node_inputs[number])
            if len(node.sources) == 1:
                x = self.values[node.sources[0]]
                code.show(held, f"{held}[:] = ({x.object},)")
            elif number == graph.start:
                x = self._input(held, graph.node_inputs[number])
            else:
                items = [self.values[source] for source in node.sources]
                code.show(held, f"{held}[:] = ({''.join(item.object + ', ' for item in items)})")
                x = Listed(held, items)
            value = self._node(number, x, values[number])
            if value is None:
                return None
            if node.splits is not None and (not isinstance(value, Listed) or len(value.items) != node.splits):
                return None
            self.values.append(value)
        code.line(f"plan.ran = ({''.join(name + ', ' for name in code.locals)})")
        return self.function("forward(plan, graph, input)", {f"h{len(graph.ordered_nodes) - 1}"})

    def _input(self, held: str, inputs: list[Any]) -> Value:
        code, count = self.code, self.graph.nInputs
        if count <= 1:
            code.check("input is not None")
            value = self._observed("input", inputs[0])
            code.show(held, f"{held}[:] = (input,)")
            code.locals.append("input")
            return value
        names = [f"i{position}" for position in range(count)]
        self.first.append(f"if input.__class__ is not list or len(input) != {count}: return None")
        self.first.append(f"{', '.join(names)} = input")
        code.show(held, f"{held}[:] = ({', '.join(names)})")
        code.locals += names
        return Listed(held, [self._observed(name, item) for name, item in zip(names, inputs, strict=True)])

    def _node(self, number: int, x: Value, seen: Any) -> Value | None:
        code, node = self.code, self.graph.ordered_nodes[number]
        module = node.module
        if node.select is not None:
            return x.items[node.select] if isinstance(x, Listed) and node.select < len(x.items) else None
        if module is None:
            return x
        result: Value | None = self.lines_for(FORWARD_LINES, number, x)
        if result is not None:
            return result
        name = f"v{number}"
        code.line(f"at = {number}")
        code.line(f"{name} = {code.bind(f'm{number}', module)}.updateOutput({x.object})")
        code.locals.append(name)
        value = observe(name, seen)
        splits = self._splits_of(number)
        if splits is not None:
            if seen.__class__ is not list or len(seen) != splits:
                return None
            self._else_stop(number, f"{name}.__class__ is list and len({name}) == {splits}")
            items = []
            for position, item in enumerate(seen):
                part = f"{name}_{position}"
                code.line(f"{part} = {name}[{position}]")
                code.locals.append(part)
                items.append(self._sorted_out(number, part, item))
            return Listed(name, items)
        return self._sorted_out(number, name, seen) if isinstance(value, Known) else value

    def _splits_of(self, number: int) -> int | None:
        """Into how many entries the table that a node gives is split, right there or by a node that takes it."""
        nodes = self.graph.ordered_nodes
        if nodes[number].splits is not None:
            return nodes[number].splits
        for node in nodes:
            if node.sources == [number] and node.module is None and node.splits is not None:
                return node.splits
        return None

    def _sorted_out(self, number: int, name: str, seen: Any) -> Value:
        value = observe(name, seen)
        if isinstance(value, Known):
            like = self.code.tensor(name, seen, value.contiguous)
            self._else_stop(number, f"{name}.__class__ is Tensor and {like}", value)
        return value

    def _else_stop(self, number: int, condition: str, value: Value | None = None) -> None:
        self._end(len(self.values))
        so_far = "".join(item.object + ", " for item in self.values) + f"v{number}"
        self.code.line(f"if not ({condition}): return [{so_far}]")


class _Backward(_Writer):
    """The gradients of all nodes, then those of the parameters, in the order in which ``GModule`` goes."""

    def __init__(self, graph: GraphContainer, plan: Plan) -> None:
        super().__init__(graph)
        self.plan = plan

    def write(self, gradOutput: Any, results: list[Any]) -> Callable[..., Any] | None:
        try:
            return self._write(gradOutput, results)
        except _TooLong:
            return None

    def _write(self, gradOutput: Any, results: list[Any]) -> Callable[..., Any] | None:
        graph, code, plan = self.graph, self.code, self.plan
        code.objects = plan.objects | code.objects
        count = len(graph.ordered_nodes)
        self.contributions: list[list[Value]] = [[] for _ in range(count)]
        self.parts: dict[int, list[Value]] = {}
        self.totals: list[Value] = [Other("None")] * count
        self.opaque: list[int] = []
        for name in ("node_totals", "node_buffers"):
            code.check(f"graph['{name}'] is {code.bind(name, graph.__dict__[name])}")
        self.first += ["ran = plan.ran", "if ran is None: return None"]
        if plan.locals:
            self.first.append(f"{''.join(name + ', ' for name in plan.locals)} = ran")
        self.contributions[-1].append(self._gradient(gradOutput))
        for number in graph.backward_order:
            if not self._node(number, results[number]):
                return None
        for number in graph.backward_order:
            self._accumulate(number)
        if not code.names().isdisjoint(f"h{number}" for number in range(count)):
            self.first.append("plan.show()")
        return self.function("backward(plan, graph, gradOutput, scale)", {TOTAL})

    def _gradient(self, gradOutput: Any) -> Value:
        count = len(self.graph.ordered_nodes[-1].sources)
        if count <= 1:
            return self._observed("gradOutput", gradOutput)
        names = [f"e{position}" for position in range(count)]
        self.first.append(f"if gradOutput.__class__ is not list or len(gradOutput) != {count}: return None")
        self.first.append(f"{', '.join(names)} = gradOutput")
        items = [self._observed(name, item) for name, item in zip(names, gradOutput, strict=True)]
        return Listed("gradOutput", items)

    def _total(self, number: int) -> Value | None:
        """The sum of the gradients of a node's uses."""
        code, gradients, parts = self.code, self.contributions[number], self.parts.get(number)
        if parts is not None:
            if gradients:
                return None
            name = f"c{number}"
            code.show(name, f"{name} = [{', '.join(part.object for part in parts)}]")
            gradients.append(Listed(name, parts))
        held = code.bind(f"l{number}", self.graph.node_gradients[number])
        code.show("", f"{held}[:] = ({''.join(part.object + ', ' for part in gradients)})")
        if not gradients:
            return Other("None")
        first = gradients[0]
        if len(gradients) == 1:
            return first
        buffer = self.graph.node_buffers[number]
        for part in gradients:
            if not isinstance(part, Known) or not isinstance(first, Known):
                return None
            if part.shape != first.shape or part.dtype is not first.dtype:
                return None
        assert isinstance(first, Known)
        if (
            buffer.__class__ is not torch.Tensor
            or buffer.shape != first.shape
            or buffer.dtype is not first.dtype
        ):
            return None
        name = code.bind(f"b{number}", buffer)
        code.check(f"node_buffers[{number}] is {name}")
        code.shape(name, buffer)
        names = [part.name for part in gradients if isinstance(part, Known)]
        code.line(f"add({names[0]}, {names[1]}, out={name})")
        for other in names[2:]:
            code.line(f"{name}.add_({other})")
        return Known(name, first.shape, first.dtype, buffer.is_contiguous())

    def _node(self, number: int, seen: Any) -> bool:
        code, node = self.code, self.graph.ordered_nodes[number]
        total = self._total(number)
        if total is None:
            return False
        self.totals[number] = total
        code.show(TOTAL if number == self.graph.start else "", f"node_totals[{number}] = {total.object}")
        if node.select is not None:
            source = node.sources[0]
            parts = self.parts.setdefault(
                source, [Other("None")] * (self.graph.ordered_nodes[source].splits or 0)
            )
            parts[node.select] = total
            return True
        result: Value | None = total
        if node.module is not None:
            result = self._module(number, total, seen)
        return result is not None and self._hand_on(number, result)

    def _hand_on(self, number: int, result: Value) -> bool:
        sources = self.graph.ordered_nodes[number].sources
        if len(sources) == 1:
            if result.object != "None":
                self.contributions[sources[0]].append(result)
        elif sources:
            if not isinstance(result, Listed) or len(result.items) != len(sources):
                return False
            for source, part in zip(sources, result.items, strict=True):
                if part.object != "None":
                    self.contributions[source].append(part)
        return True

    def _input_of(self, number: int) -> Value:
        sources = self.graph.ordered_nodes[number].sources
        if len(sources) == 1:
            return self.plan.values[sources[0]]
        return Listed(
            self.code.bind(f"h{number}", self.graph.node_inputs[number]),
            [self.plan.values[source] for source in sources],
        )

    def _module(self, number: int, total: Value, seen: Any) -> Value | None:
        code, module = self.code, self.graph.ordered_nodes[number].module
        if total.object == "None":
            return None
        x = self._input_of(number)
        if isinstance(total, Known) or type(module) in TAKE_TABLES:
            reading = self._only_read(number)
            result: Value | None = self.lines_for(BACKWARD_LINES, number, x, total, reading)
            if result is not None:
                return result
        self.opaque.append(number)
        name, done = f"k{number}", f"done{number}"
        code.line(f"at = {number}")
        code.bind(f"m{number}", module)
        code.line(f"{name}, {done} = back(m{number}, {x.object}, {total.object}, scale)")
        if seen is None:
            self._else_stop(number, f"{name} is None")
            return Other("None")
        sources = self.graph.ordered_nodes[number].sources
        if len(sources) == 1:
            return self._sorted_out(number, name, seen)
        if seen.__class__ is not list or len(seen) != len(sources):
            return None
        self._else_stop(number, f"{name}.__class__ is list and len({name}) == {len(sources)}")
        items: list[Value] = []
        for position, item in enumerate(seen):
            part = f"{name}_{position}"
            code.line(f"{part} = {name}[{position}]")
            if item is None:
                self._else_stop(number, f"{part} is None")
                items.append(Other("None"))
            else:
                items.append(self._sorted_out(number, part, item))
        return Listed(name, items)

    def _sorted_out(self, number: int, name: str, seen: Any) -> Value:
        value = observe(name, seen)
        if isinstance(value, Known):
            like = self.code.tensor(name, seen)
            self._else_stop(number, f"{name}.__class__ is Tensor and {like}")
        else:
            self._else_stop(number, f"{name} is not None")
        return value

    def _else_stop(self, number: int, condition: str) -> None:
        """End here with a result of another sort: what the nodes after it have been given so far goes along."""
        shown = [line.table for line in self.code.lines if isinstance(line, Shown)]
        self._end(len(shown) + len(self.opaque))
        waiting, written = [], set(shown)
        for node, gradients in enumerate(self.contributions):
            parts = self.parts.get(node)
            if parts is not None and f"c{node}" not in written:
                waiting.append(f"({node}, ([{', '.join(part.object for part in parts)}],))")
            elif gradients:
                waiting.append(f"({node}, ({''.join(part.object + ', ' for part in gradients)}))")
        done = "".join(f"({node}, done{node}), " for node in self.opaque)
        text = "".join(item + ", " for item in waiting)
        self.code.line(f"if not ({condition}):")
        self.code.lines.append(STOP)
        self.code.line(f"    return {number}, k{number}, ({text}), ({done})")

    def _only_read(self, number: int) -> bool:
        """Whether the modules that a gradient goes to only read it."""
        nodes, code = self.graph.ordered_nodes, self.code
        sources = [(source, nodes[source].module) for source in nodes[number].sources]
        if any(type(module) not in READERS or "_marked" in module.__dict__ for _, module in sources):
            return False
        return all(code.unmarked(source, module) for source, module in sources)

    def _accumulate(self, number: int) -> None:
        module = self.graph.ordered_nodes[number].module
        if module is None:
            return
        code, x, total = self.code, self._input_of(number), self.totals[number]
        if number in self.opaque:
            code.line(f"at = {number}")
            code.line(f"if not done{number}: accumulate(m{number}, {x.object}, {total.object}, scale)")
        elif type(module) is Linear and isinstance(x, Known) and isinstance(total, Known):
            accumulate_linear(code, number, module, x, total, self.shared)


def one_pass(module: Any) -> bool:
    """Whether one pass over a layer's own graph gives both halves of its backward."""
    default = getattr(module, "_default_backward", None)
    return default is not None and module.gradInput is not None and default()


def back(module: Any, input: Any, gradOutput: Any, scale: float) -> tuple[Any, bool]:
    """A module's gradInput, and whether the gradients of its parameters have been added."""
    if one_pass(module):
        return module.backward(input, gradOutput, scale), True
    return module.updateGradInput(input, gradOutput), False


def accumulate(module: Any, input: Any, gradOutput: Any, scale: float) -> None:
    """Add the gradients of a module's parameters, if it has any."""
    attributes = module.__dict__
    if "_marked" in attributes or attributes["_gradients"] or type(module).accGradParameters is not NOTHING:
        module.accGradParameters(input, gradOutput, scale)


NAMES |= {"accumulate": accumulate, "back": back}


def plan_of(graph: GraphContainer, values: list[Any]) -> Plan | None:
    """The plan of a graph whose nodes have just returned these values; None if it would gain nothing."""
    plan = Plan()
    writer = _Forward(graph)
    function = writer.write(values)
    if function is None:
        return None
    plan.forward, plan.values = function, writer.values
    plan.locals, plan.objects = writer.code.locals, writer.code.objects
    return plan


def plan_backward(graph: GraphContainer, plan: Plan, gradOutput: Any, results: list[Any]) -> bool:
    """Generate the backward of a plan that ran the last forward; ``results`` are what the nodes' modules returned."""
    plan.backward = _Backward(graph, plan).write(gradOutput, results)
    return plan.backward is not None
