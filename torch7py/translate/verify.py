"""Runs a translated model beside its original: same weights, same input, both modes, and compares."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from torch7py.nn.base import Module
from torch7py.nn.dropout import Dropout
from torch7py.nn.object import TorchObject
from torch7py.nn.trace import leaves_of
from torch7py.translate.checked_code import run_page
from torch7py.translate.model import ClassSource, FunctionSource, ModelSource, translate_model

__all__ = [
    "ROUNDING",
    "Comparison",
    "Different",
    "Gradients",
    "compare_gradients",
    "compare_model",
    "like",
    "load",
    "native_input",
    "quiet",
    "relative_error",
    "relative_errors",
    "require_gradients",
    "run_criterion",
    "run_native",
    "verify_class",
    "verify_criterion",
    "verify_model",
]


# The part of a model's largest gradient below which a gradient may be rounding, in double and in single precision: a
# gradient that is 0 in exact arithmetic, as of a bias before a batch normalization, is a few units in the last place of
# what it is the sum of. Times the tolerance for single precision, 1e-3, it is eight of these.
ROUNDING = {False: 1e-4, True: 1e-3}


class Different(Exception):
    """The translation does not compute what the original does; the message says where they part.

    ``comparison`` is what was compared until then, where somebody may want to see it.
    """

    comparison: Any = None


@dataclass
class Comparison:
    """The largest relative error of each thing compared; of a gradient, by entry of the state_dict."""

    errors: dict[str, float] = field(default_factory=dict)

    @property
    def largest(self) -> float:
        return max(self.errors.values(), default=0.0)

    def refuse_above(self, tolerance: float) -> None:
        """Raise Different where something is farther apart."""
        worst = max(self.errors, key=lambda key: self.errors[key])
        if not self.errors[worst] <= tolerance:
            different = Different(f"{worst}: off by {self.errors[worst]:.3g}")
            different.comparison = self
            raise different


def relative_error(ours: Any, theirs: Any, least: float = 1e-3, floor: float = 0.0) -> float:
    """The largest difference of an element, relative to it; small elements relative to ``least`` of the largest.

    Elements below ``floor`` are taken relative to that: they may be nothing but rounding.

    Infinite where shapes differ or one of the two alone is NaN.
    """
    if isinstance(ours, (list, tuple)):
        if not isinstance(theirs, (list, tuple)) or len(ours) != len(theirs):
            return float("inf")
        pairs = zip(ours, theirs, strict=True)
        return max((relative_error(a, b, least, floor) for a, b in pairs), default=0.0)
    ours, theirs = (torch.as_tensor(x, dtype=torch.float64) for x in (ours, theirs))
    if ours.numel() == 0 and theirs.numel() == 0:
        return 0.0
    errors = relative_errors(ours, theirs, least, floor)
    return float("inf") if errors is None else float(errors.max())


def relative_errors(
    ours: torch.Tensor, theirs: torch.Tensor, least: float = 1e-3, floor: float = 0.0
) -> torch.Tensor | None:
    """``relative_error`` of each element; None where shapes differ."""
    if ours.shape != theirs.shape:
        return None
    a, b = ours.detach().double(), theirs.detach().double()
    alone = a.isnan() != b.isnan()
    a, b = a.nan_to_num(nan=0), b.nan_to_num(nan=0)
    same = a == b  # infinities among them
    relative_floor = max(b[~b.isinf()].abs().max().item() if (~b.isinf()).any() else 0.0, 1e-300) * least
    errors = ((a - b).abs() / b.abs().clamp(min=max(relative_floor, floor))).masked_fill(same, 0)
    return errors.masked_fill(alone, float("inf"))


def native_input(form: Any, value: Any) -> Any:
    """A Torch7 input as the page takes it: tables as tuples, tables of steps as one tensor, items as int64."""
    if isinstance(form, list):
        return tuple(native_input(part, item) for part, item in zip(form, value, strict=True))
    if isinstance(form, str) and "steps" in form and isinstance(value, list):
        value = torch.stack([torch.as_tensor(item) for item in value])
    if isinstance(form, str) and "whole" in form:
        return value.long()
    if isinstance(value, list):
        return tuple(native_input("tensor", item) for item in value)
    return value


def like(native: Any, theirs: Any) -> Any:
    """A Torch7 result in the nesting of a native one."""
    if isinstance(native, torch.Tensor):
        if isinstance(theirs, list):
            parts = [like(part, item) for part, item in zip(native, theirs, strict=False)]
            return torch.stack(parts) if len(parts) == len(theirs) and parts else theirs
        if theirs.shape != native.shape and theirs.numel() == native.numel() == 1:
            return theirs.reshape(native.shape)
        return theirs
    if isinstance(native, tuple) and isinstance(theirs, list):
        if len(native) == len(theirs):
            return [like(part, item) for part, item in zip(native, theirs, strict=True)]
        return [like(part, [step[i] for step in theirs]) for i, part in enumerate(native)]
    return theirs


def load(code: str, name: str) -> Any:
    """The class of a page."""
    namespace: dict[str, Any] = {"__name__": "translated"}
    run_page(code, "<translated>", namespace)
    return namespace[name]


class Gradients:
    """A module's parameters' gradients under the parameters' names."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def torch7_parameters(self) -> Any:
        gradients = self._module.torch7_parameters()[1]
        return gradients, gradients

    def child_list(self) -> list[Gradients]:
        return [Gradients(child) for child in self._module.child_list()]

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._module, name)
        if isinstance(value, torch.nn.Module):
            return Gradients(value)
        if isinstance(value, (list, dict)):
            return [Gradients(item) for item in value]
        if isinstance(value, torch.Tensor):
            gradient = self._module.gradient(name)
            return torch.zeros_like(value) if gradient is None else gradient
        return value


def require_gradients(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(require_gradients(item) for item in value)
    value = value.detach().clone()
    return value.requires_grad_() if value.is_floating_point() else value


def gradients_of(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(gradients_of(item) for item in value)
    return torch.zeros_like(value) if value.grad is None else value.grad


def _outputs(value: Any) -> list[torch.Tensor]:
    if isinstance(value, tuple):
        return [leaf for item in value for leaf in _outputs(item)]
    return [value]


def quiet(native: torch.nn.Module, cls: ClassSource) -> None:
    """Put layers that draw random numbers into evaluation, in which they draw none, on both sides."""
    for path, child in cls.leaves():
        if child.native.random and (child.timed or child.native.drawn is None):
            native.get_submodule(path).eval()
            theirs = child.layer.module
            inside = [part for part in theirs.modules() if isinstance(part, Dropout)]
            for part in inside or [theirs]:  # a recurrent layer itself goes on keeping its steps
                part.set_evaluate()


def take_drawn(native: torch.nn.Module, cls: ClassSource) -> None:
    """Let the other layers that draw random numbers take those that the original has drawn."""
    for path, child in cls.leaves():
        draws = child.native.random == "always" or child.layer.module.training
        if child.native.drawn is not None and not child.timed and draws:
            mine: Any = native.get_submodule(path)
            mine.forward = child.native.drawn(mine, child.layer.module)


def run_native(
    cls: ClassSource, native: torch.nn.Module, input: Any, gradOutput: Any = None
) -> tuple[Any, Any]:
    """Run a page on a Torch7 input, and back from a Torch7 gradient; gives its output, and its input with gradients."""
    mine = require_gradients(native_input(cls.inputs, input))
    output = native(mine)
    if gradOutput is not None:
        pairs = zip(_outputs(output), _outputs(_as_tuple(like(output, gradOutput))), strict=True)
        wanted = [(o, g.reshape(o.shape)) for o, g in pairs if o.requires_grad]
        if wanted:
            torch.autograd.backward([o for o, _ in wanted], [g for _, g in wanted])
    return output, mine


def compare_gradients(
    cls: ClassSource, native: torch.nn.Module, mine: Any, gradInput: Any, comparison: Comparison
) -> None:
    """The gradients of a page's input and parameters beside a Torch7 gradInput and what the live modules hold."""
    gradients = gradients_of(mine)
    pairs: list[tuple[str, Any, Any]] = []
    if gradInput is not None and not (isinstance(gradInput, list) and not gradInput):
        theirs = _outputs(_as_tuple(like(gradients, gradInput)))
        for number, (a, b, leaf) in enumerate(
            zip(_outputs(gradients), theirs, _outputs(mine), strict=True), 1
        ):
            none = leaf.numel() and not b.numel() and not a.any()  # neither gives one, as of positions
            if leaf.is_floating_point() and not none:
                pairs.append((f"gradient of input {number}", a, b))
    parameters = dict(native.named_parameters())
    for entry, take, child, kind in cls.entries():
        if kind == "weights" and entry in parameters:
            source = Gradients(child.layer.module)
            expected = getattr(source, take) if isinstance(take, str) else take(source)
            actual = parameters[entry].grad
            if actual is None:
                actual = torch.zeros_like(parameters[entry])
            pairs.append((f"gradient of {entry}", actual, expected))
    # That of a bias before a batch normalization is 0, and what is computed of it is the rounding of larger numbers.
    finite = [theirs[theirs.isfinite()].abs() for _, _, theirs in pairs]
    largest = max((float(values.max()) for values in finite if values.numel()), default=0.0)
    for name, actual, expected in pairs:
        comparison.errors[name] = relative_error(actual, expected, _least(cls), largest * ROUNDING[False])


def compare_model(
    model: TorchObject,
    cls: ClassSource,
    native: torch.nn.Module,
    input: Any,
    gradOutput: Any = None,
    training: bool = True,
) -> Comparison:
    """One forward, in training also a backward, of both."""
    comparison = Comparison()
    assert isinstance(model, Module)
    if training:
        model.set_training()
        native.train()
    else:
        model.set_evaluate()
        native.eval()
    quiet(native, cls)
    for one in (model, native):
        forget: Callable[[], Any] | None = getattr(one, "forget", None)
        if forget is not None:
            forget()
    theirs = model.torch7_forward(_copied(input))
    if training and gradOutput is None:
        gradOutput = _random_like(theirs)
    take_drawn(native, cls)
    output, mine = run_native(cls, native, input, gradOutput if training else None)
    mode = "training" if training else "evaluation"
    comparison.errors[f"output in {mode}"] = relative_error(output, like(output, theirs), _least(cls))
    if training:
        model.zeroGradParameters()
        gradInput = model.backward(input, _copied(gradOutput))
        compare_gradients(cls, native, mine, gradInput, comparison)
    return comparison


def _least(cls: ClassSource) -> float:
    """From which part of the largest on an element's error is relative to it: where forms are only near, their
    errors are of the tensor's scale."""
    return 0.1 if cls.writer.approximate else 1e-3


def _as_tuple(value: Any) -> Any:
    return tuple(_as_tuple(item) for item in value) if isinstance(value, (list, tuple)) else value


def _random_like(value: Any) -> Any:
    if isinstance(value, list):
        return [_random_like(item) for item in value]
    generator = torch.Generator().manual_seed(1)
    return torch.randn(value.shape, generator=generator, dtype=torch.float64).to(value.dtype)


def verify_model(
    module: TorchObject, source: ModelSource, input: Any, tolerance: float = 1e-10, gradOutput: Any = None
) -> Comparison:
    """Compare a page's only class with the model it was made of, on an input; the model stays as it is.

    Errors: ``Different`` where outputs or gradients are farther apart than the tolerance.
    """
    (cls,) = source.classes
    return verify_class(module, source.code, cls, input, tolerance, gradOutput)


def verify_class(
    module: TorchObject,
    code: str,
    cls: ClassSource,
    input: Any,
    tolerance: float = 1e-10,
    gradOutput: Any = None,
) -> Comparison:
    """Compare one class of a page with the model it was made of (see ``verify_model``)."""
    model: Any = module.clone()
    same = translate_model(model, cls.name, example=cls.layer.shape_in and _copied(input)).classes[0]
    comparison = Comparison()
    with _default(_dtype(model, input)):
        native = load(code, cls.name)().to(_dtype(model, input))
        native.load_state_dict(same.state_dict(), strict=True)
        try:
            for training in (False, True):
                comparison.errors |= compare_model(
                    model, same, native, _copied(input), gradOutput, training
                ).errors
        except (RuntimeError, IndexError, TypeError, ValueError) as error:
            raise Different(f"one of the two fails: {type(error).__name__}: {error}") from error
    tolerance = max([tolerance, *same.writer.approximate.values()])
    comparison.refuse_above(tolerance)
    return comparison


@contextlib.contextmanager
def _default(dtype: torch.dtype) -> Iterator[None]:
    """Let tensors that a page makes as it runs be of the type of its weights."""
    before = torch.get_default_dtype()
    if dtype.is_floating_point:
        torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def verify_criterion(
    criterion: TorchObject, source: ModelSource, input: Any, target: Any, tolerance: float = 1e-10
) -> Comparison:
    """Compare a page's only function with the criterion it was made of; the criterion stays as it is."""
    original: Any = criterion.clone()
    (function,) = source.functions
    loss, gradients = run_criterion(source.code, function, input, target)
    result = original.torch7_forward(_copied(input), target)
    theirs = result[0] if isinstance(result, tuple) else result
    comparison = Comparison({"loss": relative_error(loss, torch.as_tensor(theirs, dtype=torch.float64))})
    gradInput = original.backward(_copied(input), target)
    comparison.errors["gradient"] = relative_error(
        _outputs(gradients), _outputs(_as_tuple(like(gradients, gradInput)))
    )
    comparison.refuse_above(tolerance)
    return comparison


def run_criterion(code: str, function: FunctionSource, input: Any, target: Any) -> tuple[Any, Any]:
    """A page's criterion on Torch7's input and target: the loss and the gradient of the input."""
    prediction, wanted = function.forms
    mine = require_gradients(native_input(prediction, input))
    if isinstance(target, (int, float)):
        target = torch.tensor(target)
    goal = None if target is None else native_input(wanted, target)
    loss = load(code, function.name)(mine, goal)
    loss.backward()
    return loss.detach(), gradients_of(mine)


def _copied(value: Any) -> Any:
    return [_copied(item) for item in value] if isinstance(value, list) else value.clone()


def _dtype(module: Any, input: Any) -> torch.dtype:
    for parameter in module.parameters():
        if parameter.is_floating_point():
            dtype: torch.dtype = parameter.dtype
            return dtype
    for leaf in leaves_of(input):
        if leaf.is_floating_point():
            return leaf.dtype
    return torch.float64
