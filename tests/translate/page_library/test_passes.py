"""Passes of modules in the library of pages: what they take, keep and refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from torch7py.translate.page_library.layers import backward, forward, keep_output
from torch7py.translate.page_library.methods import module_method, module_method_all
from torch7py.translate.page_library.values import NotInPage

X, G = torch.tensor([[1.0, 2.0]]), torch.ones(1, 3)


class Both(nn.Module):
    """A module of a page, which takes what it is given as it is."""

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x.sum() * y[0]


def difference(prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (prediction - target).abs().mean()


def test_a_module_keeps_its_call_and_writes_over_its_output() -> None:
    net = nn.Linear(2, 3)
    first = forward(net, X)
    again = forward(net, X * 2)
    assert again is first
    torch.testing.assert_close(backward(net, X * 2, G), G @ net.weight)
    assert net.weight.grad is not None
    torch.testing.assert_close(net.weight.grad, G.t() @ (X * 2))
    again.add_(1)
    with pytest.raises(NotInPage, match="output of the Linear has been changed since"):
        backward(net, X * 2, G)
    with pytest.raises(ValueError, match="has not been called"):
        backward(nn.Linear(2, 3), X, G)


class Factors(nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return x * y * z


@pytest.mark.parametrize("module", [nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 3), nn.Tanh())])
def test_a_way_back_reads_the_input_that_it_is_given(module: nn.Linear | nn.Sequential) -> None:
    """What computes with its input goes by the numbers that are there by then, and what has results by those."""
    linear = module if isinstance(module, nn.Linear) else module[0]
    assert isinstance(linear, nn.Linear)
    output = forward(module, X)
    slope = torch.ones_like(output) if module is linear else 1 - output**2
    torch.testing.assert_close(backward(module, X + 3, torch.ones_like(output)), slope @ linear.weight)
    torch.testing.assert_close(linear.weight.grad, slope.t() @ (X + 3))


def test_three_factors_do_not_tell_which_are_results() -> None:
    product = Factors()
    forward(product, [X, X, X])
    with pytest.raises(NotInPage, match="called with another input since"):
        backward(product, [X + 1, X, X], X)


def test_a_part_of_a_model_that_is_called_writes_over_its_output() -> None:
    part = nn.Linear(2, 3)
    model = nn.Sequential(part, nn.Tanh())
    kept = forward(part, X)
    forward(model, X * 3)
    torch.testing.assert_close(kept, part(X * 3).detach())


@pytest.mark.parametrize("criterion", [nn.L1Loss(), difference])
def test_a_target_of_another_shape_is_taken_in_its_order(criterion: object) -> None:
    prediction, target = torch.arange(6.0).view(6, 1), torch.arange(6.0) + 2
    assert forward(criterion, prediction, target) == 2
    torch.testing.assert_close(backward(criterion, prediction, target), torch.full((6, 1), -1 / 6))


def test_a_module_of_the_page_takes_two_tensors_as_they_are() -> None:
    torch.testing.assert_close(forward(Both(), torch.ones(6, 1), torch.ones(2, 3)), torch.full((3,), 6.0))


def test_what_is_no_module_has_a_method_of_that_name() -> None:
    class Loader:
        def forward(self, x: int, y: int) -> tuple[int, int]:
            return y, x

        def backward(self, *args: int) -> int:
            return len(args)

    assert module_method_all(Loader(), "forward", 1, 2) == (2, 1)
    assert module_method(Loader(), "backward", 1, 2, 3, 4) == 4
    assert module_method({"forward": lambda _, x: x + 1}, "forward", 4) == 5
    net = nn.Linear(2, 3)
    (output,) = module_method_all(net, "updateOutput", X)
    torch.testing.assert_close(output, net(X).detach())
    torch.testing.assert_close(module_method(net, "updateGradInput", X, G), G @ net.weight)
    assert net.weight.grad is None


def test_no_call_loses_its_graph_within_another_one() -> None:
    class Inner(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Linear(2, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = forward(self.net, x)
            return result

    with pytest.raises(NotInPage, match="without its graph"):
        forward(Inner(), X)


def test_an_output_of_another_size_after_a_file_is_another_tensor(tmp_path: Path) -> None:
    net = nn.Linear(2, 3)
    net.register_forward_hook(keep_output)
    net(X)
    torch.save(net, tmp_path / "net.pt")
    loaded = torch.load(tmp_path / "net.pt", weights_only=False)
    before = loaded.output
    loaded(X.expand(4, 2))
    assert (before.shape, loaded.output.shape) == ((1, 3), (4, 3))
