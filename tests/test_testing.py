"""``torch7py.testing``: modules that are the same, and what is said of those that are not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional as F

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py import nn, rnn
from torch7py.testing import assert_same


class Port(torch.nn.Module):
    def __init__(self, eps: float = 1e-5, p: float = 0.3, momentum: float = 0.1) -> None:
        super().__init__()
        self.a = torch.nn.Linear(4, 5)
        self.norm = torch.nn.BatchNorm1d(5, eps=eps, momentum=momentum)
        self.drop = torch.nn.Dropout(p)
        self.b = torch.nn.Linear(5, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.b(torch.relu(self.drop(self.norm(self.a(x)))))  # type: ignore[no-any-return]


class Steps(torch.nn.Module):
    """A sequence of steps in one tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = torch.nn.LSTM(4, 3)
        with torch.no_grad():
            torch.nn.init.zeros_(self.lstm.bias_hh_l0).requires_grad_(False)  # type: ignore[arg-type]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.lstm(x)[0]  # type: ignore[no-any-return]


class Function(torch.nn.Module):
    def __init__(self, function: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.functions = [function]

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.functions[0](*inputs)


@pytest.fixture
def original() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Linear(4, 5), nn.BatchNormalization(5), nn.Dropout(0.3), nn.ReLU(), nn.Linear(5, 2)
    )


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def test_a_port_in_double_and_in_single(original: nn.Module, x: torch.Tensor) -> None:
    assert_same(original, Port().double(), x, copy_weights=True)
    assert_same(original, Port(), x, copy_weights=True)
    with pytest.raises(AssertionError, match=r"a\.weight .* differs at \[\d, \d\] by "):
        assert_same(original, Port(), x, copy_weights=True, tolerance=1e-13)


def test_a_gradient_that_is_only_rounding_is_the_same_in_single_precision(original: nn.Module) -> None:
    """That of the bias before the batch normalization is 0 in exact arithmetic. Another one that is off is found."""
    for seed in range(40):
        x = torch.randn(6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        assert_same(original, Port(), x, copy_weights=True)

    class Off(Port):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x) + (self.b.bias - self.b.bias.detach()) / 100

    with pytest.raises(AssertionError, match=r"gradient of \w+\.b\.bias .* differs"):
        assert_same(original, Off(), x, copy_weights=True)


def test_both_stay_as_they_are(original: nn.Module, x: torch.Tensor) -> None:
    port = Port().double()
    before = {name: value.clone() for name, value in port.state_dict().items()}
    output, theirs = original.torch7_forward(x).clone(), [p.clone() for p in original.parameters()]
    assert_same(original, port, x, copy_weights=True)
    assert all(torch.equal(value, port.state_dict()[name]) for name, value in before.items())
    assert all(torch.equal(a, b) for a, b in zip(theirs, original.parameters(), strict=True))
    assert torch.equal(original.output, output)
    assert port.training


def test_weights_are_compared_unless_they_are_copied(original: nn.Module, x: torch.Tensor) -> None:
    with pytest.raises(
        AssertionError, match=r"a\.weight \(nn\.Linear\.1\.weight\) differs .*copy_weights=True lets"
    ):
        assert_same(original, Port().double(), x)
    port = Port().double()
    own, given = list(port.parameters()), list(original.parameters())
    with torch.no_grad():
        for mine, theirs in zip(own, given, strict=True):
            mine.copy_(theirs)
    assert_same(original, port, x)
    with torch.no_grad():
        port.b.bias[1] += 0.25
    with pytest.raises(AssertionError, match=r"b\.bias \(nn\.Linear\.2\.bias\) differs at \[1\] by 0\.25: "):
        assert_same(original, port, x)


@pytest.mark.parametrize(
    ("port", "said"),
    [
        (
            lambda: Port(eps=1e-2),
            r"evaluation: output differs at \[\d, \d\] by \S+: \S+, the original has \S+ ",
        ),
        (
            lambda: Port(momentum=0.2),
            r"training: Port\.norm\.running_\w+ \(nn\.BatchNormalization\.1\.running_",
        ),
        (
            lambda: Port(p=0.5),
            r"training: torch_module draws a mask of \(6, 5\) where the original draws none",
        ),
    ],
)
def test_a_setting_that_differs(
    original: nn.Module, x: torch.Tensor, port: Callable[[], Port], said: str
) -> None:
    with pytest.raises(AssertionError, match=said):
        assert_same(original, port().double(), x, copy_weights=True)


class Detached(Port):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.b(torch.relu(self.drop(self.norm(self.a(x)).detach())))  # type: ignore[no-any-return]


class Scaled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, x: torch.Tensor) -> torch.Tensor:
        return x.tanh()

    @staticmethod
    def backward(ctx: object, *gradients: torch.Tensor) -> torch.Tensor:
        return gradients[0]


def test_gradients_that_differ(original: nn.Module, x: torch.Tensor) -> None:
    with pytest.raises(
        AssertionError, match=r"training: gradInput differs at \[\d, \d\] by \S+: 0, the original"
    ):
        assert_same(original, Detached().double(), x, copy_weights=True)
    with pytest.raises(AssertionError, match=r"training: gradInput differs"):
        assert_same(nn.Tanh(), Function(Scaled.apply), x)

    class FirstDetached(torch.nn.Linear):
        def forward(self, input: torch.Tensor) -> torch.Tensor:
            return F.linear(input, self.weight.detach(), self.bias)

    with pytest.raises(
        AssertionError, match=r"training: gradient of FirstDetached\.weight \(nn\.Linear\.1\.weight\) differs"
    ):
        assert_same(nn.Linear(4, 2), FirstDetached(4, 2).double(), x, copy_weights=True)


def test_tables_are_arguments_or_lists(x: torch.Tensor) -> None:
    assert_same(nn.CAddTable(), Function(lambda a, b: a + b), (x, x * 2))
    assert_same(nn.JoinTable(2), Function(lambda table: torch.cat(table, 1)), [x, x * 2])
    with pytest.raises(AssertionError, match="evaluation: output has the shape"):
        assert_same(nn.JoinTable(2), Function(lambda table: torch.cat(table, 0)), [x, x * 2])
    with pytest.raises(AssertionError, match=r"training: gradInput 2 differs at"):
        assert_same(nn.CAddTable(), Function(lambda a, b: a + b.detach()), (x, x * 2))


def test_other_inputs_for_the_port(x: torch.Tensor) -> None:
    words = torch.tensor([[1, 2], [5, 1]])
    table, port = nn.LookupTable(5, 3), torch.nn.Embedding(5, 3)
    assert_same(table, port, words, torch_inputs=words - 1, copy_weights=True)
    steps = x.view(3, 2, 4)
    sequence = rnn.Sequencer(rnn.FastLSTM(4, 3))
    assert_same(sequence, Steps(), list(steps), torch_inputs=steps, copy_weights=True)


def test_a_mapping(x: torch.Tensor) -> None:
    class Matrix(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = torch.nn.Parameter(torch.randn(4, 4, dtype=torch.float64))
            self.c = torch.nn.Parameter(torch.randn(4, dtype=torch.float64))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x @ self.w + self.c

    linear = nn.Linear(4, 4)
    with pytest.raises(AssertionError, match="evaluation: output differs"):
        assert_same(linear, Matrix(), x, copy_weights=True)
    mapping = {"w": {"name": "nn.Linear.1.weight", "transposed": True}, "Matrix.c": "nn.Linear.1.bias"}
    assert_same(linear, Matrix(), x, copy_weights=True, mapping=mapping)
    with pytest.raises(
        ValueError, match=r"the original has no weights 'weight'; it has nn\.Linear\.1\.weight"
    ):
        assert_same(linear, Matrix(), x, mapping={"w": "weight"})


def test_weights_without_a_partner(x: torch.Tensor) -> None:
    with pytest.raises(
        AssertionError, match=r"weights without a partner: nn\.Linear\.1\.bias of the original$"
    ):
        assert_same(nn.Linear(4, 2), torch.nn.Linear(4, 2, bias=False), x, copy_weights=True)
    with pytest.raises(
        AssertionError, match=r"weights without a partner: Linear\.weight, Linear\.bias of the port"
    ):
        assert_same(nn.Identity(), torch.nn.Linear(4, 4), x, copy_weights=True)


def test_a_layer_of_a_program(x: torch.Tensor) -> None:
    with Runtime() as runtime:
        runtime.execute("""
            require 'nn'
            local Scale, parent = torch.class('nn.Scale', 'nn.Module')
            function Scale:__init(n)
               parent.__init(self)
               self.weight, self.gradWeight = torch.rand(n), torch.zeros(n)
            end
            function Scale:updateOutput(input)
               self.output = torch.cmul(input, self.weight:view(1, -1):expandAs(input))
               return self.output
            end
            function Scale:updateGradInput(input, gradOutput)
               self.gradInput = torch.cmul(gradOutput, self.weight:view(1, -1):expandAs(input))
               return self.gradInput
            end
            function Scale:accGradParameters(input, gradOutput, scale)
               self.gradWeight:add(scale or 1, torch.cmul(input, gradOutput):sum(1):view(-1))
            end
            model = nn.Sequential():add(nn.Scale(4)):add(nn.Tanh())""")
        model = runtime.globals["model"]

        class Scale(torch.nn.Module):
            def __init__(self, power: int = 1) -> None:
                super().__init__()
                self.s = torch.nn.Parameter(torch.ones(4, dtype=torch.float64))
                self.power = power

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return torch.tanh(x * self.s**self.power)

        assert_same(model, Scale(), x, copy_weights=True)
        with pytest.raises(AssertionError, match="evaluation: output differs"):
            assert_same(model, Scale(2), x, copy_weights=True)


def test_what_is_no_module(x: torch.Tensor) -> None:
    with pytest.raises(TypeError, match="lua_module is a Linear, not a module of torch7py"):
        assert_same(torch.nn.Linear(4, 2), torch.nn.Linear(4, 2), x)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"torch_module is a \w+, not a torch\.nn\.Module"):
        assert_same(nn.Linear(4, 2), torch.relu, x)  # type: ignore[arg-type]
