"""Convolutions by products of matrices against PyTorch's own, in every way their columns are laid out."""

from __future__ import annotations

import copy

import pytest
import torch

from tests.nn.faces import values
from torch7py.nn import convolution_gemm as gemm
from torch7py.nn.convolution import SpatialConvolution
from torch7py.nn.convolution_full import SpatialFullConvolution
from torch7py.nn.pooling_max import SpatialMaxPooling
from torch7py.nn.window import Window

# images, planes, sizes, outputs, kernel, step, padding, dilation
CASES = {
    "few, rows copied": (1, 2, (9, 12), 3, (3, 3), (1, 1), (0, 0), (1, 1)),
    "few, looked up": (3, 2, (9, 9), 3, (3, 2), (2, 3), (1, 0), (1, 1)),
    "few, one output": (2, 2, (6, 6), 1, (3, 3), (1, 1), (0, 0), (1, 1)),
    "plain": (3, 4, (5, 5), 3, (1, 1), (1, 1), (0, 0), (1, 1)),
    "dilated": (2, 2, (11, 11), 3, (3, 3), (1, 2), (2, 2), (2, 1)),
    "tall": (20, 32, (6, 6), 4, (5, 5), (1, 1), (0, 0), (1, 1)),
    "tall, padded": (20, 32, (6, 6), 4, (5, 5), (2, 2), (2, 2), (1, 1)),
    "tall, dilated": (20, 24, (9, 10), 3, (4, 3), (1, 2), (1, 0), (2, 3)),
    "tall volume": (12, 16, (4, 5, 8), 3, (2, 3, 4), (1, 2, 1), (0, 1, 0), (1, 1, 2)),
    "tall, one place": (40, 30, (4, 4), 5, (4, 4), (1, 1), (0, 0), (1, 1)),
    "many places, products added up": (6, 3, (40, 40), 2, (4, 4), (3, 3), (0, 0), (1, 1)),
    "many places, one after the other": (6, 16, (20, 20), 40, (3, 3), (1, 1), (1, 1), (1, 1)),
    "several portions": (40, 6, (20, 20), 5, (3, 3), (2, 2), (0, 0), (1, 1)),
    "joined": (40, 4, (9, 9), 5, (3, 3), (2, 2), (0, 0), (1, 1)),
    "joined, plain": (40, 40, (7, 7), 5, (1, 1), (1, 1), (0, 0), (1, 1)),
    "volume": (2, 2, (7, 8, 9), 3, (2, 3, 4), (2, 2, 3), (1, 1, 2), (1, 1, 1)),
    "sequence": (2, 3, (30,), 3, (4,), (2,), (1,), (1,)),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("laid_out", ["contiguous", "with gaps"])
def test_products_are_convolutions(case: str, laid_out: str) -> None:
    images, planes, sizes, outputs, kernel, step, pad, dilation = CASES[case]
    window = Window(kernel, step, pad, dilation)
    x, w, bias = (
        values(images, planes, *sizes),
        values(outputs, planes, *kernel, start=3),
        values(outputs, start=5),
    )
    if laid_out == "with gaps":
        x = torch.stack([x, x], -1)[..., 0]
    x, w = x.requires_grad_(), w.requires_grad_()
    geometry = (step, pad, dilation, False, (0,) * len(sizes), 1)
    wanted = torch.convolution(x, w, bias, *geometry)
    gradient = values(*wanted.shape, start=7)
    of_input, of_weight = torch.autograd.grad(wanted, [x, w], gradient)
    grid = tuple(wanted.shape[2:])
    for _ in range(2):  # the second time with what the window remembers
        with torch.no_grad():
            torch.testing.assert_close(gemm.correlate(x, w, bias, window, grid), wanted, rtol=0, atol=1e-11)
            found = gemm.spread(gradient, w, window, sizes)
            torch.testing.assert_close(found, of_input, rtol=0, atol=1e-11)
            buffer = torch.ones(outputs, w[0].numel(), dtype=torch.float64)
            gemm.add_kernel_gradient(buffer, x, gradient, window, 0.5)
            torch.testing.assert_close(buffer, 1 + 0.5 * of_weight.view_as(buffer), rtol=0, atol=1e-10)


class TestWhatALayerRemembers:
    """It holds while sizes and settings are the same, and no longer."""

    @pytest.mark.parametrize("layer", [SpatialConvolution, SpatialFullConvolution])
    def test_settings_and_sizes_may_change(self, layer):
        kept = layer(2, 3, 3, 3)
        changes = [{}, {"padW": 1, "padH": 1}, {"dW": 2, "dH": 2}, {"padH": 0}]
        for settings in changes:
            for name, value in settings.items():
                setattr(kept, name, value)
            for x in (values(2, 7, 7), values(2, 2, 7, 7), values(2, 9, 8)):
                fresh = layer(2, 3, 3, 3, *(int(getattr(kept, n)) for n in ("dW", "dH", "padW", "padH")))
                fresh.weight.data.copy_(kept.weight.data)
                fresh.bias.data.copy_(kept.bias.data)
                output = kept.updateOutput(x)
                assert torch.equal(output, fresh.updateOutput(x))
                gradient = values(*output.shape)
                kept.zeroGradParameters()
                for ours, wanted in zip(
                    (kept.updateGradInput(x, gradient), self.weight_gradient(kept, x, gradient)),
                    (fresh.updateGradInput(x, gradient), self.weight_gradient(fresh, x, gradient)),
                    strict=True,
                ):
                    assert torch.equal(ours, wanted)

    @staticmethod
    def weight_gradient(layer, x, gradient):
        layer.accGradParameters(x, gradient)
        return layer.gradient("weight").clone()

    def test_the_type_may_change(self):
        layer = SpatialConvolution(2, 3, 3, 3)
        x = values(2, 7, 7)
        double = layer.updateOutput(x).clone()
        layer.torch7_float()
        assert layer.updateOutput(x.float()).dtype is torch.float32
        layer.torch7_double()
        torch.testing.assert_close(layer.updateOutput(x), double, rtol=1e-5, atol=1e-6)

    def test_a_copy_has_its_own(self) -> None:
        layer = SpatialConvolution(2, 3, 3, 3)
        layer.updateOutput(values(2, 7, 7))
        other = copy.deepcopy(layer)
        other.padW, other.padH = 1.0, 1.0
        assert other.updateOutput(values(2, 7, 7)).shape == (3, 7, 7)
        assert layer.updateOutput(values(2, 7, 7)).shape == (3, 5, 5)

    def test_windows_are_counted_anew(self):
        layer = SpatialMaxPooling(2, 2)
        assert layer.updateOutput(values(1, 5, 5)).shape == (1, 2, 2)
        layer.ceil()
        assert layer.updateOutput(values(1, 5, 5)).shape == (1, 3, 3)
        assert layer.updateOutput(values(1, 8, 6)).shape == (1, 4, 3)
        layer.floor()
        for name in ("kW", "kH"):
            layer.set_field(name, 3)
        assert layer.updateOutput(values(1, 5, 5)).shape == (1, 2, 2)
