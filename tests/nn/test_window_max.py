"""The largest of windows: the same of a batch in portions as of all images at once."""

from __future__ import annotations

import pytest
import torch

from tests.nn.scripts import lua
from torch7py.bridge.runtime import Runtime
from torch7py.nn import window_max
from torch7py.nn.window import Window


@pytest.mark.parametrize(
    ("sizes", "window", "grid"),
    [
        ((9, 12), Window((2, 3), (2, 2), (0, 1), (1, 1)), (4, 6)),
        ((7, 7), Window((2, 2), (2, 2), (0, 0), (1, 1)), (4, 4)),  # the last windows reach over the edge
        ((7, 9), Window((2, 2), (2, 2), (0, 0), (1, 1)), (4, 4)),  # in one dimension only
        ((30,), Window((3,), (2,), (1,), (2,)), (14,)),
        ((5, 6, 7), Window((2, 2, 2), (2, 2, 2), (0, 0, 0), (1, 1, 1)), (2, 3, 3)),
    ],
)
@pytest.mark.parametrize("planes", [3, 9])
def test_portions(
    monkeypatch: pytest.MonkeyPatch,
    sizes: tuple[int, ...],
    window: Window,
    grid: tuple[int, ...],
    planes: int,
) -> None:
    batch = torch.randint(0, 5, (7, planes, *sizes)).double()
    values, places = window_max.largest(batch, window, grid)
    assert values.shape == places.shape == (7, planes, *grid)
    assert torch.equal(batch.flatten(2).gather(2, places.flatten(2) - 1), values.flatten(2))
    monkeypatch.setattr(window_max, "LARGE", 0)
    monkeypatch.setattr(window_max, "CACHED", 2 * batch[0].nbytes // torch.get_num_threads())
    in_portions = window_max.largest(batch, window, grid)
    for found, expected in zip(in_portions, (values, places), strict=True):
        assert torch.equal(found, expected)
        assert found.is_contiguous()
        assert found.dtype is expected.dtype


@pytest.mark.parametrize(("layer", "sizes"), [("Spatial", "2, 5, 6"), ("Volumetric", "2, 3, 5, 5, 6")])
def test_samples_of_fractional_pooling_can_be_drawn_before(runtime: Runtime, layer: str, sizes: str) -> None:
    """As upstream's tests do, to have two layers with the same windows."""
    shape, drawn, first, second = lua(
        runtime,
        f"""
        local x = torch.randn({sizes})
        local m = nn.{layer}FractionalMaxPooling({"2, 2, 2, 2" if layer == "Spatial" else "2, 2, 2, 2, 2, 2"})
        torch.manualSeed(1)
        m:initSampleBuffer_(x)
        local drawn = m.randomSamples:clone()
        local other = m:clone()
        return m:getBufferSize_(x), drawn, m:fixPoolingRegions():forward(x), other:fixPoolingRegions():forward(x)
        """,
    )
    assert shape.sizes() == drawn.shape
    assert drawn.shape[-1] == (2 if layer == "Spatial" else 3)
    assert torch.equal(first, second)
