"""Every layer and everything that PyTorch's own layers can do: what a layer cannot is in the table, with the reason."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.every_class import Use, identify, layer_uses, new_runtime
from tests.inner_runtime import InnerRuntime as Runtime
from tests.pytorch_matrix import CELLS, LACKS, LUA_ONLY, page_table, reason
from tests.together import together
from torch7py.nn.object import TorchObject
from torch7py.nn.trace import leaves_of
from torch7py.ops import state

USES = list({use.name: use for use in reversed(layer_uses()) if use.name != LUA_ONLY}.values())
QUICK = [name for name in CELLS if name not in ("second derivative",)]


@pytest.fixture(scope="module")
def shared() -> Iterator[Runtime]:
    runtime = new_runtime()
    yield runtime
    runtime.close()


def check(shared: Runtime, use: Use, columns: list[str], training: bool) -> None:
    def start(module: TorchObject) -> None:
        if hasattr(module, "forget"):
            module.forget()
        shared.state.generator.manual_seed(3)

    wrong = []
    for column in columns:
        module, input = use.make(shared).train(training), use.input(shared)
        why = reason(column, use.name, training)
        try:
            with state.use(shared.state), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # PyTorch's, about what is slow or gets no hook
                CELLS[column](module, input, start)
        except Exception as error:  # noqa: BLE001 - whatever it is, the cell does not hold
            if why is None:
                wrong.append(f"{column}: {type(error).__name__}: {str(error)[:300]}")
        else:
            if why is not None:
                wrong.append(f"{column}: it works, though '{why}'")
    assert wrong == []


@together("use", USES, identify)
def test_in_evaluation(shared: Runtime, use: Use) -> None:
    check(shared, use, QUICK, training=False)


@together("use", USES, identify)
def test_in_training_nothing_is_kept(shared: Runtime, use: Use) -> None:
    check(shared, use, ["nothing is kept"], training=True)


@pytest.mark.slow
@pytest.mark.parametrize("use", USES, ids=identify)
def test_in_training(shared: Runtime, use: Use) -> None:
    check(shared, use, QUICK, training=True)


@together("use", USES, identify)
def test_second_derivatives(shared: Runtime, use: Use) -> None:
    check(shared, use, ["second derivative"], training=False)


def test_the_table_names_classes() -> None:
    known = {use.name for use in USES}
    assert {name.removesuffix(" in training") for lacks in LACKS.values() for name in lacks} <= known
    assert LACKS.keys() == CELLS.keys()


def test_the_page_has_the_table() -> None:
    page = Path(__file__).parents[1] / "docs" / "pytorch.md"
    assert page_table() in page.read_text()


# Its noise is Torch7's stream, which PyTorch does not trace; unpooling looks into another layer, and says so.
NOT_COMPILED = ("nn.NCEModule", "nn.SpatialMaxUnpooling", "nn.VolumetricMaxUnpooling")
COMPILED = [use for use in USES if use.name.startswith("nn.") and use.name not in NOT_COMPILED]


@pytest.mark.slow
@pytest.mark.parametrize("use", COMPILED, ids=identify)
def test_compiled(shared: Runtime, use: Use) -> None:
    """In evaluation, by what ``torch.compile`` traces, without a compiler behind it."""
    compiled(shared, use)


SAMPLE = ("nn.Linear", "nn.SpatialMaxPooling", "nn.BatchNormalization", "nn.GRU")


@pytest.mark.parametrize("use", [use for use in USES if use.name in SAMPLE], ids=identify)
def test_some_compiled(shared: Runtime, use: Use) -> None:
    compiled(shared, use)


def compiled(shared: Runtime, use: Use) -> None:
    module, input = use.make(shared).eval(), use.input(shared)
    with state.use(shared.state), torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, about what it cannot trace and runs as it is
        shared.state.generator.manual_seed(3)
        expected = [t.clone() for t in leaves_of(module(copy.deepcopy(input)))]
        shared.state.generator.manual_seed(3)
        torch._dynamo.reset()
        found = list(leaves_of(torch.compile(module, backend="eager")(copy.deepcopy(input))))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, equal_nan=True)


def test_after_a_transform_a_layer_is_as_it_was() -> None:
    with Runtime(seed=1) as runtime:
        layer = runtime.execute("require 'nn' return nn.BatchNormalization(4)")
    x = torch.linspace(-1, 2, 24, dtype=torch.float64).view(6, 4)
    stacked = {name: torch.stack([p.detach()] * 2) for name, p in layer.named_parameters()}
    torch.func.vmap(lambda held: torch.func.functional_call(layer, held, (x,)))(stacked)
    by_rows = torch.func.jacrev(layer)(x)
    torch.testing.assert_close(by_rows, torch.autograd.functional.jacobian(layer, x))
    layer.updateOutput(x)
    assert layer.save_mean.tolist() == pytest.approx(x.mean(0).tolist())


def test_no_method_within_a_transform() -> None:
    with Runtime(seed=1) as runtime:
        layer = runtime.execute("require 'nn' return nn.Linear(2, 2)")
    with pytest.raises(Exception, match="within a function transform a layer is called"):
        torch.func.jacrev(layer.updateOutput)(torch.ones(1, 2, dtype=torch.float64))
    assert torch.equal(layer(torch.zeros(1, 2, dtype=torch.float64))[0], layer.bias)


def test_the_second_derivative_of_a_lua_layer_is_an_error() -> None:
    with Runtime(seed=1) as runtime:
        model = runtime.execute(
            """
            require 'nn'
            local Square = torch.class('nn.OwnSquare', 'nn.Module')
            function Square:updateOutput(x) self.output = torch.cmul(x, x) return self.output end
            function Square:updateGradInput(x, g) self.gradInput = torch.cmul(g, x) * 2 return self.gradInput end
            return nn.Sequential():add(nn.Tanh()):add(nn.OwnSquare())
            """
        )
        x = torch.full((1, 1), 0.5, dtype=torch.float64, requires_grad=True)
        (first,) = torch.autograd.grad(model(x).sum(), x, create_graph=True)
        assert first.item() == pytest.approx((2 * x.tanh() * (1 - x.tanh() ** 2)).item())
        with pytest.raises(Exception, match=r"nn\.OwnSquare: a second derivative through it is not known"):
            torch.autograd.grad(first.sum(), x)
