"""Every layer there is can be measured and drawn, and gives the same afterwards as before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from tests.every_class import Use, identify, layer_uses, new_runtime
from tests.html.pages import checked_page
from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.ops import state
from torch7py.show.drawing import model_drawing
from torch7py.show.measure import measure, sizes_of
from torch7py.show.picture import Shown, model_page
from torch7py.show.structure import model_of


@pytest.fixture(scope="module")
def shared() -> Iterator[Runtime]:
    runtime = new_runtime()
    yield runtime
    runtime.close()


@pytest.mark.sampled(6)
@pytest.mark.parametrize("use", layer_uses(), ids=identify)
def test_a_layer(shared: Runtime, use: Use) -> None:
    module = use.make(shared)
    input = use.input(shared)
    parameters = {(p.data_ptr(), p.shape): p.numel() for p in module.parameters()}
    model = model_of(module)
    assert model.root.parameters >= sum(parameters.values())
    with state.use(shared.state):
        measured = measure(model, input)
        assert measured.error == ""
        assert measured.outputs[model.root.number] == sizes_of(module.get_field("output"))
        assert measured.inputs[model.root.number] == sizes_of(input)
        assert measured.times[model.root.number].calls == 1
        root = checked_page(model_page("a file", [Shown(model, measured)]))
    assert use.name.rpartition(".")[2] in root.one(class_="picture").text
    assert model_drawing(model, measured).endswith("</svg>\n")
    assert torch.is_grad_enabled()
