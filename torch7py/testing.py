"""For tests of ports: whether a PyTorch module computes what a Torch7 module does.

::

    from torch7py.testing import assert_same

    def test_my_port():
        original = torch7py.load("model.t7")
        assert_same(original, MyNet(), torch.randn(4, 3), copy_weights=True)

A whole training is compared by ``torch7py compare``.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from torch7py.nn.base import Module
from torch7py.translate.comparison.masks import Masks, recorded_masks
from torch7py.translate.patching import patched
from torch7py.translate.ports.history import History, Moment
from torch7py.translate.ports.original import Watch
from torch7py.translate.ports.weights import PortWeights, WrongMap
from torch7py.translate.verify import ROUNDING, Different, like, relative_errors, require_gradients

__all__ = ["assert_same"]

Tensors = torch.Tensor | Sequence[Any]

_START = Moment("", 0)
_LEAST = 0.1  # the part of the largest element from which on an element's error is relative to itself
_DOUBLE, _SINGLE = 1e-6, 1e-3


def assert_same(
    lua_module: Module,
    torch_module: torch.nn.Module,
    inputs: Tensors,
    *,
    torch_inputs: Tensors | None = None,
    tolerance: float | None = None,
    mapping: Mapping[str, Any] | None = None,
    copy_weights: bool = False,
) -> None:
    """Fail unless both modules compute the same of ``inputs``, in evaluation and in training.

    Compared are the weights, the outputs in both modes, and in training the gradients of the inputs and of the weights
    from a random gradient of the output, and what is left of running statistics. Dropout drops the same elements on
    both sides. Both modules stay as they are.

    ``inputs`` is what ``lua_module`` takes: a tensor, or a list or tuple of tensors for a table. ``torch_module`` is
    given ``torch_inputs``, by default the same (in its own precision): a tuple as several arguments, else as one. Of a
    table of steps a port may take, and give, the one tensor with the steps in front.

    Weights go by the class of layers, order and shape; ``mapping`` says otherwise, from names of ``torch_module`` to
    names of the original, such as ``{"fc.weight": "nn.Linear.1.weight"}``, or to ``{"name": ..., "transposed": True}``.
    With ``copy_weights`` the port is compared with the original's weights in place of its own.

    ``tolerance`` is how far apart two numbers may be, relatively: by default 1e-6, with a module in single precision
    1e-3. Numbers below a tenth of the largest of their tensor are compared on its scale.

    Raises:
        AssertionError: they differ. The message says what does (``output``, ``gradInput``, the gradient of a weight, a
            weight), in which mode, at which index, and by how much.
        TypeError: one of the two is no such module.
        ValueError: ``mapping`` names what is not there.
    """
    if not isinstance(lua_module, Module):
        raise TypeError(f"lua_module is a {type(lua_module).__name__}, not a module of torch7py")
    if not isinstance(torch_module, torch.nn.Module):
        raise TypeError(f"torch_module is a {type(torch_module).__name__}, not a torch.nn.Module")
    theirs, ours = lua_module.clone(), copy.deepcopy(torch_module)
    comparison = _Comparison(theirs, ours, tolerance, mapping or {}, copy_weights)
    comparison.weights_at_first(copy_weights)
    torch_arguments = inputs if torch_inputs is None else torch_inputs
    for training in (False, True):
        comparison.run(inputs, torch_arguments, training)


class _Comparison:
    def __init__(
        self,
        theirs: Any,
        ours: torch.nn.Module,
        tolerance: float | None,
        mapping: Mapping[str, Any],
        copy_weights: bool,
    ) -> None:
        self.theirs, self.ours = theirs, ours
        self.watch = Watch()
        self.watch.add(theirs, _START)
        try:
            self.weights = PortWeights(self.watch.parts, mapping, History(), begins=copy_weights)
            self.weights.of_module(ours, lambda: _START)
            self.weights.check()
        except WrongMap as error:
            raise ValueError(str(error)) from None
        kinds = {p.dtype for module in (theirs, ours) for p in module.parameters()}
        self.single = bool(kinds & {torch.float32, torch.float16, torch.bfloat16})
        self.tolerance = (_SINGLE if self.single else _DOUBLE) if tolerance is None else tolerance

    def weights_at_first(self, copied: bool) -> None:
        missing, alone = self.weights.missing, self.weights.alone
        if missing or alone:
            left = [f"{', '.join(missing)} of the original" if missing else ""]
            left.append(f"{', '.join(alone)} of the port" if alone else "")
            raise AssertionError(f"weights without a partner: {'; '.join(filter(None, left))}")
        for pair in self.weights.pairs:
            hint = "" if copied else "; copy_weights=True lets the port begin with the original's weights"
            self.check(f"{pair.name} ({pair.theirs})", pair.value(), pair.part.seen[pair.entry], hint)
        for name, buffer, part, entry in self.weights.buffers:
            self.check(f"{name} ({part.name}.{entry})", buffer, part.first_buffers[entry], hint)

    def run(self, inputs: Any, torch_arguments: Any, training: bool) -> None:
        mode = "training" if training else "evaluation"
        theirs, ours = self.theirs, self.ours
        for module in (theirs, ours):
            module.train(training)
        forget = getattr(theirs, "forget", None)
        if forget is not None:
            forget()
        taken = _as_table(inputs)
        with recorded_masks() as factors:
            expected = theirs.torch7_forward(_copied(taken))
        mine = require_gradients(_as_tuples(_cast(torch_arguments, self.dtype(torch_arguments))))
        arguments = mine if isinstance(torch_arguments, tuple) else (mine,)
        arguments = (
            tuple(_as_lists(x) for x in arguments) if not isinstance(torch_arguments, tuple) else arguments
        )
        with patched(Masks(factors, "torch_module").changes()):
            try:
                output = ours(*arguments)
            except Different as difference:
                raise AssertionError(f"{mode}: {difference}") from None
        shown = _as_tuples(output)
        self.check_all(f"{mode}: output", shown, like(shown, expected))
        if not training:
            return
        gradOutput = _random_like(expected)
        theirs.zeroGradParameters()
        gradInput = theirs.backward(_copied(taken), _copied(gradOutput))
        ours.zero_grad()
        pairs = zip(_leaves(shown), _leaves(like(shown, gradOutput)), strict=True)
        wanted = [(o, g.reshape(o.shape).to(o)) for o, g in pairs if o.requires_grad]
        if wanted:
            torch.autograd.backward([o for o, _ in wanted], [g for _, g in wanted])
        input_gradients = _gradients(mine)
        if gradInput is not None and not (isinstance(gradInput, list) and not gradInput):
            self.check_all(
                f"{mode}: gradInput", input_gradients, like(input_gradients, gradInput), _leaves(mine)
            )
        self.parameters(mode)

    def parameters(self, mode: str) -> None:
        expected = {
            (id(part), entry): read()
            for part in self.watch.parts
            for entry, read in part.tracked.read_gradient.items()
        }
        finite = [g.abs().max() for g in expected.values() if g is not None and g.numel()]
        floor = (
            max(map(float, finite), default=0.0) * ROUNDING[self.single]
        )  # below it a gradient may be rounding
        for pair in self.weights.pairs:
            theirs = expected[id(pair.part), pair.entry]
            mine = pair.gradient()
            if theirs is not None:
                name = f"{mode}: gradient of {pair.name} ({pair.theirs})"
                self.check(name, torch.zeros_like(theirs) if mine is None else mine, theirs, floor=floor)
        for name, buffer, part, entry in self.weights.buffers:
            self.check(f"{mode}: {name} ({part.name}.{entry})", buffer, part.buffers[entry]())

    def dtype(self, arguments: Any) -> torch.dtype | None:
        """That of the port's weights."""
        dtypes = (p.dtype for p in self.ours.parameters() if p.is_floating_point())
        return next(dtypes, None)

    def check_all(self, what: str, ours: Any, theirs: Any, only: list[torch.Tensor] | None = None) -> None:
        mine, wanted = _leaves(ours), _leaves(_as_tuples(theirs))
        if len(mine) != len(wanted):
            raise AssertionError(f"{what} has {len(mine)} tensors, the original's {len(wanted)}")
        for number, (a, b) in enumerate(zip(mine, wanted, strict=True)):
            if only is None or only[number].is_floating_point():
                self.check(f"{what}{f' {number + 1}' if len(mine) > 1 else ''}", a, b)

    def check(
        self, what: str, ours: torch.Tensor, theirs: torch.Tensor, hint: str = "", floor: float = 0.0
    ) -> None:
        if (
            theirs.dim() == 1 and theirs.numel() == ours.numel() == 1
        ):  # Torch7 has no tensors without dimensions
            theirs = theirs.reshape(ours.shape)
        errors = relative_errors(ours, theirs, _LEAST, floor)
        if errors is None:
            shapes = f"{tuple(ours.shape)}, the original's {tuple(theirs.shape)}"
            raise AssertionError(f"{what} has the shape {shapes}{hint}")
        if errors.numel() and not float(errors.max()) <= self.tolerance:
            at = int(errors.argmax())
            index = [int(i) for i in torch.unravel_index(torch.tensor(at), errors.shape)]
            a, b = float(ours.detach().flatten()[at]), float(theirs.detach().flatten()[at])
            count = int((errors > self.tolerance).sum())
            raise AssertionError(
                f"{what} differs at {index} by {abs(a - b):.3g}: {a:.9g}, the original has {b:.9g} "
                f"({count} of {errors.numel()} elements differ, by up to {float(errors.max()):.1e} relatively){hint}"
            )


def _as_table(value: Any) -> Any:
    return [_as_table(item) for item in value] if isinstance(value, (list, tuple)) else value


def _as_tuples(value: Any) -> Any:
    return tuple(_as_tuples(item) for item in value) if isinstance(value, (list, tuple)) else value


def _as_lists(value: Any) -> Any:
    return [_as_lists(item) for item in value] if isinstance(value, tuple) else value


def _copied(value: Any) -> Any:
    return [_copied(item) for item in value] if isinstance(value, list) else value.detach().clone()


def _cast(value: Any, dtype: torch.dtype | None) -> Any:
    if isinstance(value, (list, tuple)):
        return [_cast(item, dtype) for item in value]
    return value.to(dtype) if dtype is not None and value.is_floating_point() else value


def _random_like(value: Any) -> Any:
    if isinstance(value, list):
        return [_random_like(item) for item in value]
    generator = torch.Generator().manual_seed(1)
    return torch.randn(value.shape, generator=generator, dtype=torch.float64).to(value.dtype)


def _gradients(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_gradients(item) for item in value)
    return torch.zeros_like(value) if value.grad is None else value.grad


def _leaves(value: Any) -> list[torch.Tensor]:
    def walk(item: Any) -> Iterator[torch.Tensor]:
        if isinstance(item, (list, tuple)):
            for part in item:
                yield from walk(part)
        else:
            yield item

    return list(walk(value))
