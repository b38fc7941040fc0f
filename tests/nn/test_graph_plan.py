"""Graphs as one function: what they compute is what autograd says, whatever happens between two calls."""

from __future__ import annotations

import copy
import gc
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from torch7py.nn import all as layers  # noqa: F401  (all layers are there)
from torch7py.nn.activation import Identity, Sigmoid, Tanh
from torch7py.nn.elementary import Square
from torch7py.nn.gmodule import GModule
from torch7py.nn.graph import Node
from torch7py.nn.linear import Linear, MulConstant
from torch7py.nn.rectifier import ReLU
from torch7py.nn.shape import Reshape
from torch7py.nn.softmax import LogSoftMax, SoftMax
from torch7py.nn.table import JoinTable, SplitTable
from torch7py.nn.table_math import CAddTable, CMulTable, CSubTable
from torch7py.ops.errors import TorchError

WIDTH = 4

Tensor = torch.Tensor


def lstm(x: Node, c: Node, h: Node) -> tuple[Node, Node]:
    """A step of an LSTM as the programs of 2015 wrote it."""
    sums = Node(CAddTable(), Node(Linear(WIDTH, 4 * WIDTH), x), Node(Linear(WIDTH, 4 * WIDTH), h))
    i, f, o, g = Node(SplitTable(2), Node(Reshape(4, WIDTH), sums)).split(4)
    kept = Node(CMulTable(), Node(Sigmoid(), f), c)
    c = Node(CAddTable(), kept, Node(CMulTable(), Node(Sigmoid(), i), Node(Tanh(), g)))
    return c, Node(CMulTable(), Node(Sigmoid(), o), Node(Tanh(), c))


def step(nested: bool = False) -> GModule:
    x, c, h = Node(Identity()), Node(Identity()), Node(Identity())
    if nested:
        inner = [Node(Identity()) for _ in range(3)]
        new_c, new_h = Node(GModule(inner, lstm(*inner)), x, c, h).split(2)
    else:
        new_c, new_h = lstm(x, c, h)
    return GModule([x, c, h], [new_c, new_h, Node(LogSoftMax(), Node(Linear(WIDTH, 3), new_h))])


ONE: dict[str, Callable[[], Any]] = {
    "linear": lambda: Linear(WIDTH, WIDTH),
    "linear without bias": lambda: Linear(WIDTH, WIDTH, False),
    "tanh": Tanh,
    "sigmoid": Sigmoid,
    "identity": Identity,
    "log softmax": LogSoftMax,
    "softmax": SoftMax,
    "relu": ReLU,
    "relu in node": lambda: ReLU(True),
    "times": lambda: MulConstant(3.0),
}
TWO: dict[str, Callable[[], Any]] = {
    "add": CAddTable,
    "mul": CMulTable,
    "sub": CSubTable,
    "join": lambda: joined(),
    "of two": lambda: of_two(),
}


def joined() -> GModule:
    a, b = Node(Identity()), Node(Identity())
    return GModule([a, b], [Node(Linear(2 * WIDTH, WIDTH), Node(JoinTable(2), a, b))])


def of_two() -> GModule:
    a, b = Node(Identity()), Node(Identity())
    return GModule([a, b], [Node(Tanh(), Node(CAddTable(), a, b, a))])


VECTORS = (*ONE, "add", "mul", "sub", "of two")  # what takes vectors too


@st.composite
def graphs(draw: st.DrawFn, kinds: Sequence[str] = (*ONE, *TWO, "gates")) -> GModule:
    """Any graph on matrices of one width, with inputs that all lead somewhere; some are tables of two, as states."""
    inputs = [Node(Identity()) for _ in range(draw(st.integers(1, 3)))]
    tables = [draw(st.booleans()) for _ in inputs]
    free = []
    for node, is_table in zip(inputs, tables, strict=True):
        free += node.split(2) if is_table else [node]
    nodes = list(free)
    for _ in range(draw(st.integers(3, 12))):
        first = draw(st.sampled_from(nodes))
        kind = draw(st.sampled_from(kinds))
        if kind == "gates":
            whole = Node(Reshape(2, WIDTH), Node(Linear(WIDTH, 2 * WIDTH), first))
            made = Node(SplitTable(2), whole).split(2)
        elif kind in ONE:
            # what changes its input in node must be alone with it
            source = Node(Linear(WIDTH, WIDTH), first) if kind == "relu in node" else first
            made = [Node(ONE[kind](), source)]
        else:
            second = draw(st.sampled_from(nodes))
            made = [Node(TWO[kind](), first, second)]
            free = [node for node in free if node is not second]
        free = [node for node in free if node is not first] + made
        nodes += made
    if len(free) > 1 and draw(st.booleans()):
        free = [Node(Identity(), *free[:2]), *free[2:]]
    graph = GModule(inputs, free)
    graph.__dict__["tables"] = tables
    return graph


def inputs_for(graph: GModule, rows: int, dtype: torch.dtype = torch.float64) -> Any:
    tables = graph.__dict__.get("tables") or [False] * graph.nInputs

    def one() -> Tensor:
        return torch.randn(rows, WIDTH, dtype=dtype) if rows else torch.randn(WIDTH, dtype=dtype)

    made = [[one(), one()] if is_table else one() for is_table in tables]
    return made if len(made) > 1 else made[0]


def leaves(value: Any) -> list[Tensor]:
    return [value] if isinstance(value, Tensor) else [leaf for item in value for leaf in leaves(item)]


def nested_as(value: Any, parts: list[Tensor]) -> Any:
    """The parts in the nesting of a value; takes them from the list."""
    return parts.pop(0) if isinstance(value, Tensor) else [nested_as(item, parts) for item in value]


def check(graph: GModule, input: Any, scale: float = 1, tolerance: float = 1e-12) -> None:
    """Forward, both halves of the backward and a second one, against autograd over ``forward``."""
    given = [leaf.clone().requires_grad_() for leaf in leaves(input)]
    output = graph.forward(nested_as(input, list(given)))
    wanted = leaves(output)
    gradOutput = [torch.randn_like(leaf) for leaf in wanted]
    parameters: list[Tensor] = [p for p in graph.parameters() if p.requires_grad]
    expected = torch.autograd.grad(wanted, given + parameters, gradOutput, allow_unused=True)

    def close(ours: Tensor, theirs: Tensor | None, times: float = 1) -> None:
        theirs = torch.zeros_like(ours) if theirs is None else theirs
        torch.testing.assert_close(ours.data, theirs.data * times, rtol=tolerance, atol=tolerance)

    graph.zeroGradParameters()
    found = leaves(graph.torch7_forward(input))
    assert len(found) == len(wanted)
    for ours, theirs in zip(found, wanted, strict=True):
        close(ours, theirs)
    for times in (1, 2):
        handed = nested_as(output, [leaf.clone() for leaf in gradOutput])
        back = graph.backward(input, handed, scale)
        for ours, theirs in zip(leaves(back), expected, strict=False):
            close(ours, theirs)
        buffers = [p.grad for p in parameters]
        for buffer, theirs in zip(buffers, expected[len(given) :], strict=True):
            assert buffer is not None
            close(buffer, theirs, times * scale)


def planned(graph: GModule) -> bool:
    plan = graph.__dict__["_plan"]
    return plan is not None and plan.ran is not None and plan.backward is not None


@settings(max_examples=60, deadline=None)
@given(graphs(), st.integers(2, 5), st.integers(2, 5), st.integers(0, 2**31))
def test_any_graph(graph: GModule, rows: int, others: int, seed: int) -> None:
    torch.manual_seed(seed)
    for size in (rows, rows, rows, rows, others, others, others, others, rows):
        check(graph, inputs_for(graph, size), scale=0.5)


@settings(max_examples=30, deadline=None)
@given(graphs(VECTORS), st.integers(0, 2**31))
def test_any_graph_on_vectors(graph: GModule, seed: int) -> None:
    """Also after matrices, and before them."""
    torch.manual_seed(seed)
    for size in (0, 0, 0, 0, 2, 2, 2, 2, 0):
        check(graph, inputs_for(graph, size), scale=0.5)


@pytest.mark.parametrize("nested", [False, True])
def test_a_step_runs_as_one_function(nested: bool) -> None:
    graph = step(nested)
    for _ in range(6):
        check(graph, inputs_for(graph, 3))
    assert planned(graph) != nested
    inner = [node.module for node in graph.ordered_nodes if isinstance(node.module, GModule)]
    assert all(planned(part) for part in inner)


def test_a_step_whose_state_is_a_table_runs_as_one_function() -> None:
    """What ran last comes as a table and goes as one; a table of another length goes node by node."""
    x, state = Node(Identity()), Node(Identity())
    c, h = lstm(x, *state.split(2))
    graph = GModule([x, state], [Node(Identity(), c, h), Node(Tanh(), h)])
    graph.__dict__["tables"] = [False, True]
    for rows in (3, 3, 3, 3, 2, 2, 2, 2):
        check(graph, inputs_for(graph, rows))
    assert planned(graph)
    one, pair = inputs_for(graph, 2)
    with pytest.raises(TorchError):
        graph.torch7_forward([one, [*pair, one]])
    check(graph, inputs_for(graph, 2))


def warm(dtype: torch.dtype = torch.float64) -> GModule:
    graph = step()
    if dtype is torch.float32:
        graph.torch7_float()
    for _ in range(5):
        check(graph, inputs_for(graph, 3, dtype), tolerance=1e-5 if dtype is torch.float32 else 1e-12)
    assert planned(graph)
    return graph


def of_class(graph: GModule, kind: type) -> Any:
    return next(node.module for node in graph.ordered_nodes if type(node.module) is kind)


def other_weight(graph: GModule) -> None:
    of_class(graph, Linear).set_field("weight", torch.randn(4 * WIDTH, WIDTH, dtype=torch.float64))


def weight_in_place(graph: GModule) -> None:
    of_class(graph, Linear).weight.data.mul_(2)


def other_memory(graph: GModule) -> None:
    weight = of_class(graph, Linear).weight
    weight.data = weight.data.t().contiguous().t() * 3


def other_gradient(graph: GModule) -> None:
    of_class(graph, Linear).set_field("gradWeight", torch.zeros(4 * WIDTH, WIDTH, dtype=torch.float64))


def no_gradient(graph: GModule) -> None:
    torch.optim.SGD(graph.parameters(), lr=0.1).zero_grad()


def flat(graph: GModule) -> None:
    graph.getParameters()[0].uniform_(-1, 1)


def other_output(graph: GModule) -> None:
    of_class(graph, Sigmoid).set_field("output", torch.zeros(1, dtype=torch.float64))


def resized_output(graph: GModule) -> None:
    of_class(graph, CMulTable).output.data = torch.zeros(2, 2, dtype=torch.float64)


def resized_gradient(graph: GModule) -> None:
    of_class(graph, Tanh).gradInput.data = torch.zeros(7, dtype=torch.float64)


def other_reshape(graph: GModule) -> None:
    of_class(graph, Reshape).batchMode = True


def emptied(graph: GModule) -> None:
    graph.clearState()


def other_module(graph: GModule) -> None:
    graph.replace(lambda module: Sigmoid() if type(module) is Tanh else module)


CHANGES = [
    other_weight,
    weight_in_place,
    other_memory,
    other_gradient,
    no_gradient,
    flat,
    other_output,
    resized_output,
    resized_gradient,
    other_reshape,
    emptied,
    other_module,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_between_two_calls_is_seen(change: Any) -> None:
    graph = warm()
    change(graph)
    for _ in range(6):
        check(graph, inputs_for(graph, 3))
    assert planned(graph)


def test_a_change_between_forward_and_backward_is_seen() -> None:
    graph = warm()
    input = inputs_for(graph, 3)
    gradOutput = [torch.ones(3, WIDTH), torch.ones(3, WIDTH), torch.ones(3, 3)]
    gradOutput = [leaf.double() for leaf in gradOutput]
    graph.zeroGradParameters()
    graph.torch7_forward(input)
    graph.set_node_value(graph.start, "input", [leaf * 2 for leaf in input])
    node = next(n for n, p in enumerate(graph.ordered_nodes) if type(p.module) is Linear)
    graph.set_node_value(node, "input", [input[0] * 2])
    graph.backward(input, gradOutput)
    doubled = of_class(graph, Linear).gradient("weight").clone()
    graph.zeroGradParameters()
    graph.torch7_forward(input)
    graph.backward(input, gradOutput)
    torch.testing.assert_close(doubled, of_class(graph, Linear).gradient("weight") * 2)


def test_types_and_copies() -> None:
    graph = warm()
    copied = copy.deepcopy(graph)
    shared = graph.clone("weight", "bias", "gradWeight", "gradBias")
    graph.torch7_float()
    for _ in range(4):
        check(graph, inputs_for(graph, 3, torch.float32), tolerance=1e-5)
        check(copied, inputs_for(graph, 3))
    assert planned(graph)
    assert planned(copied)
    assert of_class(shared, Linear).weight.dtype is torch.float64
    for _ in range(4):
        check(shared, inputs_for(graph, 3))


def test_a_graph_goes_at_once() -> None:
    """No cycle holds a graph and the memory of its results until Python's collector looks."""
    graph = warm()
    weak = weakref.ref(graph)
    gc.disable()
    try:
        del graph
        assert weak() is None
    finally:
        gc.enable()


def test_strided_and_shared_tensors() -> None:
    graph = warm()
    one = torch.randn(WIDTH, 3, dtype=torch.float64).t()
    for _ in range(4):
        check(graph, [one, one, one])
        check(graph, [one[:, :WIDTH], one.contiguous(), one])
    assert planned(graph)


def test_no_gradient_for_the_input_of_a_layer() -> None:
    graph = warm()
    of_class(graph, Linear).set_field("gradInput", None)
    for _ in range(6):
        input = inputs_for(graph, 3)
        graph.torch7_forward(input)
        found = graph.backward(input, [torch.ones_like(leaf) for leaf in graph.output])
        assert found[0] is None
        assert found[1].shape == (3, WIDTH)


class Alternating(Tanh):
    """A layer that gives a table one time and a tensor another."""

    def updateOutput(self, input: Any) -> Any:
        self.turn = not self.__dict__.get("turn", False)
        self.__dict__["output"] = torch.tanh(input) if self.turn else torch.tanh(input).repeat(1, 2)
        return self.output

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        self.__dict__["gradInput"] = gradOutput[:, :WIDTH] * (1 - torch.tanh(input) ** 2)
        return self.gradInput


def test_a_layer_whose_results_change_their_size() -> None:
    x = Node(Identity())
    hidden = Node(Tanh(), Node(Sigmoid(), Node(Linear(WIDTH, WIDTH), x)))
    graph = GModule([x], [Node(Sigmoid(), Node(Tanh(), Node(Alternating(), hidden)))])
    for turn in range(12):
        input = torch.randn(3, WIDTH, dtype=torch.float64)
        inner = torch.tanh(torch.tanh(torch.sigmoid(of_class(graph, Linear)(input))))
        expected = torch.sigmoid(torch.tanh(inner)).repeat(1, 1 if turn % 2 == 0 else 2)
        torch.testing.assert_close(graph.torch7_forward(input), expected.data, rtol=1e-12, atol=0)
        assert graph.backward(input, torch.ones_like(expected)).shape == input.shape


class Failing(Tanh):
    broken = False

    def updateOutput(self, input: Any) -> Any:
        if self.broken:
            raise ValueError("broken")
        return super().updateOutput(input)

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        if self.broken:
            raise ValueError("broken")
        return super().updateGradInput(input, gradOutput)


def test_the_place_of_an_error() -> None:
    x = Node(Identity())
    hidden = Node(Tanh(), Node(Sigmoid(), Node(Linear(WIDTH, WIDTH), x)))
    graph = GModule([x], [Node(Sigmoid(), Node(Failing(), hidden))])
    for _ in range(5):
        check(graph, inputs_for(graph, 3))
    assert planned(graph)
    where = next(n for n, p in enumerate(graph.ordered_nodes) if type(p.module) is Failing)
    graph.torch7_forward(inputs_for(graph, 3))
    of_class(graph, Failing).broken = True
    for call in (
        graph.torch7_forward,
        lambda x: graph.backward(x, torch.ones(3, WIDTH, dtype=torch.float64)),
    ):
        graph.__dict__["_failed"] = None
        with pytest.raises(ValueError, match="broken"):
            call(inputs_for(graph, 3))
        assert graph.failed == where
        of_class(graph, Failing).broken = False
        graph.torch7_forward(inputs_for(graph, 3))
        of_class(graph, Failing).broken = True


def met(graph: GModule) -> tuple[Any, ...]:
    """What the graph's tables show of a run."""
    return graph.node_inputs, graph.node_gradients, graph.node_totals


def same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return isinstance(other, Tensor) and torch.equal(one, other)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return one is other


@settings(max_examples=30, deadline=None)
@given(graphs(), st.integers(0, 2**31))
def test_what_passed_between_the_places_is_there_when_it_is_looked_at(graph: GModule, seed: int) -> None:
    torch.manual_seed(seed)
    graph.double()
    other = copy.deepcopy(graph)
    for _ in range(4):  # the last runs by the plan
        input = inputs_for(graph, 3)
        output = graph.torch7_forward(input)
        gradOutput = nested_as(output, [torch.randn_like(leaf) for leaf in leaves(output)])
        graph.backward(input, gradOutput)
    other.forget_plan()
    other.torch7_forward(input)
    other.backward(input, gradOutput)
    assert same(met(graph), met(other))


def test_a_copy_and_a_table_that_was_kept_show_it_too() -> None:
    graph = step()
    graph.double()
    for _ in range(4):
        input = inputs_for(graph, 3)
        outputs = graph.torch7_forward(input)
        graph.backward(input, [torch.ones_like(output) for output in outputs])
    assert planned(graph)
    assert same(copy.deepcopy(graph).node_inputs, graph.node_inputs)
    kept = graph.node_value(graph.start, "input")
    again = inputs_for(graph, 3)
    graph.torch7_forward(again)
    assert all(one is other for one, other in zip(kept, again, strict=True))


def test_an_error_shows_how_far_it_came() -> None:
    x = Node(Identity())
    before = Node(Tanh(), Node(Linear(WIDTH, WIDTH), x))
    graph = GModule([x], [Node(Sigmoid(), Node(Failing(), Node(CMulTable(), before, x)))])
    for _ in range(5):
        check(graph, inputs_for(graph, 3))
    assert planned(graph)
    of_class(graph, Failing).broken = True
    input = inputs_for(graph, 3)
    with pytest.raises(ValueError, match="broken"):
        graph.torch7_forward(input)
    assert graph.node_inputs[graph.start] == [input]
    product, tanh = of_class(graph, CMulTable), of_class(graph, Tanh)
    at = next(n for n, node in enumerate(graph.ordered_nodes) if node.module is product)
    assert graph.node_inputs[at][0] is tanh.output
    assert graph.node_inputs[at][1] is input
    assert graph.node_inputs[at + 1][0] is product.output


@pytest.mark.parametrize(("length", "written"), [(20, True), (400, False)])
def test_a_long_graph_of_other_layers_is_not_worth_a_function(length: int, written: bool) -> None:
    """Each call of a layer without lines of its own may end the function early, with all that came before: the
    source grows by the square of them."""
    last = first = Node(Identity())
    for number in range(length):
        last = Node(Square() if number % 5 else Tanh(), last)
    graph = GModule([first], [last])
    input = inputs_for(graph, 2)
    for _ in range(3):
        check(graph, input)
    assert planned(graph) is written
