"""A batch that several processes compute together, for which threads stand; one computes it all beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from bench.scale import Step, fit
from tests.fake_group import FakeGroup, in_processes
from torch7py.nn import data_parallel
from torch7py.nn.activation import Tanh
from torch7py.nn.base import Module
from torch7py.nn.container import ConcatTable, ParallelTable, Sequential
from torch7py.nn.dropout import Dropout
from torch7py.nn.linear import Linear
from torch7py.nn.noise import WhiteNoise
from torch7py.nn.normalization import BatchNormalization
from torch7py.nn.table import JoinTable
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.ops.process_group import ROOM
from torch7py.ops.random import draw_for_batch, normal_, uniform_
from torch7py.packages.cunn.layers import DataParallelTable

T = torch.Tensor


def net() -> Module:
    return Sequential(Linear(4, 5), Tanh(), Linear(5, 3))


def table(model: Module, dimension: int = 1) -> DataParallelTable:
    parallel = DataParallelTable(dimension)
    parallel.typeStr = "torch.DoubleTensor"  # of the types that a program can have it with, the CPU's
    parallel._modules["0"] = model
    return parallel


def seeded(seed: int = 1) -> state.State:
    own = state.State()
    own.generator.manual_seed(seed)
    return own


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("total", [0, 1, 2, 5, 7, 12])
def test_parts_are_consecutive_and_the_first_ones_longer(total: int, count: int) -> None:
    ranges = [data_parallel._range(total, rank, count) for rank in range(count)]
    assert [i for start, length in ranges for i in range(start, start + length)] == list(range(total))
    lengths = [length for _, length in ranges]
    assert lengths == sorted(lengths, reverse=True)
    assert max(lengths) - min(lengths) <= 1


MODELS: dict[str, tuple[Callable[[], Module], Callable[[int], Any]]] = {
    "tensor": (net, lambda n: normal_(torch.empty(n, 4, dtype=torch.float64))),
    "table in": (
        lambda: Sequential(ParallelTable(Linear(4, 2), Linear(3, 2)), JoinTable(2)),
        lambda n: [normal_(torch.empty(n, 4).double()), normal_(torch.empty(n, 3).double())],
    ),
    "table out": (
        lambda: ConcatTable(Linear(4, 2), ConcatTable(Linear(4, 3), Tanh())),
        lambda n: normal_(torch.empty(n, 4).double()),
    ),
    "dropout": (
        lambda: Sequential(Dropout(0.4), Linear(4, 3), Dropout(0.2)),
        lambda n: normal_(torch.empty(n, 4).double()),
    ),
    "noise": (lambda: Sequential(WhiteNoise(), Linear(4, 3)), lambda n: normal_(torch.empty(n, 4).double())),
}


def like(value: Any) -> Any:
    return [like(item) for item in value] if isinstance(value, list) else value.sin()


def copied(value: Any) -> Any:
    return [copied(item) for item in value] if isinstance(value, list) else value.clone()


def steps(model: Module, inputs: Callable[[int], Any]) -> list[Any]:
    """What some steps of training give: batches of several sizes, the gradients of two added up."""
    found: list[Any] = []
    for number, n in enumerate((4, 5, 1, 3)):
        x = inputs(n)
        if number % 2 == 0:
            model.zeroGradParameters()
        output = copied(model.torch7_forward(x))
        found += [output, copied(model.backward(x, like(output), 0.5)), uniform_(torch.empty(1).double())]
        found += copied(model.parameter_pairs()[1])
        model.updateParameters(0.1)
    model.set_evaluate()
    return [*found, copied(model.torch7_forward(inputs(5))), *copied(model.parameter_pairs()[0])]


def assert_equal(one: Any, other: Any) -> None:
    assert type(one) is type(other) or isinstance(one, list)
    if isinstance(one, list):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_equal(a, b)
    else:
        assert one.shape == other.shape
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("name", MODELS)
def test_training_in_several_processes_is_that_of_one(name: str, size: int) -> None:
    make, inputs = MODELS[name]
    with state.use(seeded()):
        expected = steps(make(), inputs)

    def run(group: FakeGroup) -> list[Any]:
        return steps(table(make()), inputs)

    for found in in_processes(size, run):
        assert_equal(found, expected)


@pytest.mark.parametrize("flat", [False, True])
def test_gradients_are_summed_once(flat: bool) -> None:
    """All in one sum, tied ones once; what was in them before is there once too."""

    def run(group: FakeGroup) -> tuple[list[T], list[int]]:
        model = Sequential(Linear(3, 3), Linear(3, 3))
        if flat:
            model.getParameters()
        else:
            model[1].share(model[0], "weight", "gradWeight")
        gradients = model.parameter_pairs()[1]
        for gradient in gradients:
            gradient.fill_(1)
        data_parallel.sum_gradients(
            group, gradients, lambda: [g.add_(10) for g in {g.data_ptr(): g for g in gradients}.values()]
        )
        return copied(gradients), group.sums

    for gradients, sums in in_processes(2, run):
        assert sums == [24 if flat else 15]
        assert {gradient.unique().item() for gradient in gradients} == {21}


def test_each_part_has_its_own_batch_statistics_and_all_keep_the_first_ones() -> None:
    def run(group: FakeGroup) -> tuple[T, T]:
        model = table(BatchNormalization(2))
        x = torch.arange(8, dtype=torch.float64).view(4, 2).pow(2)
        return model.torch7_forward(x).clone(), model._module().running_mean.clone()

    x = torch.arange(8, dtype=torch.float64).view(4, 2).pow(2)
    for output, mean in in_processes(2, run):
        torch.testing.assert_close(mean, 0.1 * x[:2].mean(0))
        torch.testing.assert_close(
            output.view(2, 2, 2).mean(1), torch.zeros(2, 2).double(), atol=1e-12, rtol=0
        )


def test_the_batch_may_lie_along_another_dimension() -> None:
    def run(group: FakeGroup) -> T:
        output: T = table(Tanh(), 2).torch7_forward(torch.ones(3, 5).double().cumsum(1))
        return output.clone()

    for output in in_processes(2, run):
        torch.testing.assert_close(output, torch.ones(3, 5).double().cumsum(1).tanh())


def test_a_missing_dimension_is_named() -> None:
    with pytest.raises(TorchError, match="divided along dimension 3, which a tensor of 2 dimensions has not"):
        in_processes(2, lambda group: table(Tanh(), 3).torch7_forward(torch.ones(3, 5).double()))


@pytest.mark.parametrize(("shape", "axis"), [((2, 3), 0), ((8, 3), 0), ((7, 2), 1)])
def test_numbers_of_a_part_are_those_of_the_whole(shape: tuple[int, int], axis: int) -> None:
    """For rows, for rows merged with what follows them, and along the second dimension."""

    def draw(sizes: tuple[int, ...]) -> T:
        return torch.arange(torch.Size(sizes).numel()).view(sizes)

    def run(group: FakeGroup) -> T:
        with data_parallel.computing(torch.empty(4, 4), axis, group):
            return draw_for_batch(shape, draw)

    parts = in_processes(2, run)
    whole = torch.cat(parts, axis)
    assert whole.equal(draw(tuple(whole.shape)))


def test_generators_that_differ_go_on_as_the_first() -> None:
    def run(group: FakeGroup) -> T:
        if group.rank:
            uniform_(torch.empty(3))
        data_parallel.gather(group, "forward", torch.ones(1), 0, torch.empty(0))
        return uniform_(torch.empty(2))

    first, second = in_processes(2, run)
    assert first.equal(second)


def test_processes_that_do_not_do_the_same_are_told_so() -> None:
    with pytest.raises(TorchError, match=r"do not do the same: process . is at .*, process . at"):
        in_processes(2, lambda group: group.agree(f"step {group.rank}"))


def test_long_values_are_agreed_on() -> None:
    text = "x" * 5000
    assert in_processes(3, lambda group: group.agree("a text", text if group.acts else "")) == [text] * 3


@pytest.mark.parametrize("count", [2, 3])
def test_the_bytes_of_a_step_are_those_of_the_formula(count: int) -> None:
    """The sum moves the parameters, the gathers the whole output and gradInput."""

    def run(group: FakeGroup) -> tuple[int, int]:
        model = table(net())
        x = torch.ones(7, 4).double()
        model.backward(x, model.torch7_forward(x).clone())
        return group.summed, group.exchanged

    step = Step(parameters=8 * (25 + 18), output=8 * 7 * 3, grad_input=8 * 7 * 4)
    moved = in_processes(count, run)
    assert [summed for summed, _ in moved] == [step.parameters] * count
    assert sum(exchanged for _, exchanged in moved) == step.output + step.grad_input
    assert step.summed(count) == 2 * (count - 1) / count * step.parameters
    assert step.gathered(count) - 2 * (count - 1) * ROOM == pytest.approx(
        (count - 1) * (step.output + step.grad_input) / count
    )


def test_the_measured_times_of_sums_lie_near_a_line() -> None:
    """Those in docs/scale.md, of two processes: within a factor of 1.7 of what the model makes of two of them."""
    measured = {4096: 0.24e-3, 1 << 20: 0.59e-3, 1 << 22: 3.26e-3, 1 << 24: 11.24e-3}
    link = fit(measured, 2)
    for size, seconds in measured.items():
        assert 1 / 1.7 < (2 * link.latency + size / link.bandwidth) / seconds < 1.7
