"""The two faces of a layer agree: PyTorch's autograd over ``forward`` and Torch7's protocol.

Every layer that has a golden case is taken, on that case's input. ``forward`` must be differentiable as autograd
says (gradcheck), give what ``updateOutput`` gives, and leave in ``.grad`` what ``accGradParameters`` accumulates.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.golden_cases import Case, identify, supported, value
from torch7py.bridge.runtime import Runtime
from torch7py.nn.trace import leaves_of

# Layers whose gradient in Torch7 is not the derivative of their output, with the reason, by class name.
pytestmark = [pytest.mark.one_lua, pytest.mark.sampled(4)]

QUIRKS = {
    "nn.Copy": "it goes through another number type",
    "nn.GradientReversal": "the gradient is reversed on purpose",
    "nn.ZeroGrad": "the gradient is dropped on purpose",
    "nn.Clip": "the gradient passes beyond the bounds on purpose",
    "nn.CategoricalEntropy": "the entropy shows in the gradient alone",
    "nn.L1Penalty": "the penalty shows in the gradient alone",
}

# Layers that jump where a row of the input is all zeros, as in these cases: such a row is masked.
JUMPS = ("nn.MaskZero(", "m.maskzero=true")

# Layers whose parameters have a gradient in Torch7 that is not the derivative.
PARAMETER_QUIRKS = {"nn.MaskZero": "masked rows of gradOutput reach the layer inside"}

# Layers that Torch7 keeps from dividing by zero with a small number in the gradient: how far off that may be.
ROUGH = {"nn.Euclidean": 1e-6, "nn.WeightedEuclidean": 1e-6}

# Cases without a derivative to check: random outputs, or inputs that are indices.
RANDOM = ("Dropout", "RReLU", "WhiteNoise", "FractionalMaxPooling", "9999,0.25")


def _input(case: dict[str, Any]) -> Any:
    return value(case["input"])


def cases() -> list[dict[str, Any]]:
    found = supported("nn_modules") + supported("rnn_modules")
    return [
        case
        for case in found
        if not any(word in case["expr"] for word in RANDOM)
        and "maskZero" not in case["expr"]
        and "gradOutput" in case
        and "SparseLinear" not in case["expr"]  # its input is a list of indices and values
    ]


def make(runtime: Runtime, recorded: dict[str, Any]) -> tuple[Case, Any]:
    case = Case(runtime, recorded)
    case.make()
    return case, runtime.globals["m"]


def rebuild(structure: Any, tensors: list[torch.Tensor]) -> Any:
    if isinstance(structure, list):
        return [rebuild(item, tensors) for item in structure]
    return tensors.pop(0)


def differentiable() -> list[dict[str, Any]]:
    return [
        case
        for case in cases()
        if case["type"] not in QUIRKS and not any(word in case["expr"] for word in JUMPS)
    ]


@pytest.mark.one_runtime
@pytest.mark.parametrize("recorded", differentiable(), ids=identify)
def test_forward_is_differentiable(runtime: Runtime, recorded: dict[str, Any]) -> None:
    _, module = make(runtime, recorded)
    structure = _input(recorded)
    leaves = list(leaves_of(structure))
    floating = [leaf.requires_grad_() if leaf.is_floating_point() else leaf for leaf in leaves]
    takes_indices = recorded["input_expr"].startswith(("I(", "{I("))
    if (
        takes_indices or recorded["type"] == "nn.LookupTableMaskZero"
    ):  # indices: the parameters' gradients are checked below
        floating = [leaf.detach() for leaf in floating]
        assert all(torch.isfinite(out).all() for out in leaves_of(module(rebuild(structure, list(floating)))))
        return

    def function(*tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(leaves_of(module(rebuild(structure, list(tensors)))))

    assert torch.autograd.gradcheck(function, tuple(floating), eps=1e-6, atol=1e-6, rtol=1e-4)


@pytest.mark.one_runtime
@pytest.mark.parametrize("recorded", cases(), ids=identify)
def test_both_faces_give_the_same(runtime: Runtime, recorded: dict[str, Any]) -> None:
    case, module = make(runtime, recorded)
    given = _input(recorded)
    gradient = value(recorded["gradOutput"])
    case.give(input=_input(recorded), g=value(recorded["gradOutput"]))  # in-place layers write into these
    case.runtime.execute("m:zeroGradParameters() output = m:forward(input)")
    protocol_output = [t.clone() for t in leaves_of(runtime.globals["output"])]
    case.runtime.execute("m:backward(input, g)")
    parameters = list(module.parameters())
    protocol = [p.grad.clone() for p in parameters]

    for p in parameters:
        p.grad = None
    if case.get("m.forget ~= nil"):
        case.runtime.execute("m:forget()")
    outputs = list(leaves_of(module(given)))
    assert len(outputs) == len(protocol_output)
    for ours, theirs in zip(outputs, protocol_output, strict=True):
        torch.testing.assert_close(ours.detach(), theirs, rtol=1e-12, atol=1e-14)
    if parameters and recorded["type"] not in PARAMETER_QUIRKS:
        pairs = [(o, g) for o, g in zip(outputs, leaves_of(gradient), strict=True) if o.requires_grad]
        torch.autograd.backward([o for o, _ in pairs], [g for _, g in pairs])
        for p, expected in zip(parameters, protocol, strict=True):
            found = torch.zeros_like(p) if p.grad is None else p.grad
            rtol = ROUGH.get(recorded["type"], 1e-10)
            torch.testing.assert_close(found, expected, rtol=rtol, atol=rtol / 100)


def test_a_step_with_second_derivatives_enabled(runtime: Runtime) -> None:
    """``parameters()`` then has a third result, which is no factor of the learning rate."""
    runtime.execute(
        """
        require 'nn'
        nn.hessian.enable()
        m = nn.Linear(2, 1)
        m.weight:fill(1) m.gradWeight:fill(2) m.bias:fill(0) m.gradBias:fill(4)
        m:initDiagHessianParameters()
        m:updateParameters(0.25)
        """
    )
    assert runtime.execute("return m.weight[1][1], m.weight[1][2], m.bias[1]") == (0.5, 0.5, -1)
