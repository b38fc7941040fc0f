"""Rows of zeros as padding: MaskZero, TrimZero, MaskZeroCriterion, LookupTableMaskZero.

A batch of sequences of different lengths is filled up with zeros. A masked module gives zeros for an input of zeros,
so a recurrent module that is masked forgets its state there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import size_text
from torch7py.nn.base import Criterion, Module
from torch7py.nn.copying import TensorMap
from torch7py.nn.decorator import Decorator
from torch7py.nn.linear import LookupTable
from torch7py.nn.object import TorchObject
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError
from torch7py.ops.program_output import say
from torch7py.rnn.abstract import AbstractRecurrent

__all__ = ["LookupTableMaskZero", "MaskZero", "MaskZeroCriterion", "TrimZero", "is_zero"]


def first_tensor(owner: TorchObject, value: Any) -> torch.Tensor:
    """The first tensor of a nesting of tables."""
    while isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, torch.Tensor):
        raise TorchError(f"{owner.class_name}: the input must be a tensor or a table that begins with one")
    return value


def map_tensors_of(value: Any, function: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """A nesting with what a function makes of each of its tensors."""
    if isinstance(value, list):
        return [map_tensors_of(item, function) for item in value]
    return function(value.data)


def is_zero(rows: torch.Tensor) -> torch.Tensor:
    """Which rows have the norm 0, of ``(..., size)``."""
    return (rows * rows).sum(-1) == 0


def mask_of(owner: Any, input: Any) -> tuple[bool, torch.Tensor]:
    """Whether the input is a batch, and which of its rows are zeros: one for each row, or one alone."""
    first = first_tensor(owner, input).detach()
    if first.dim() == owner.nInputDim:
        return False, is_zero(first.reshape(1, -1))
    if first.dim() == owner.nInputDim + 1:
        return True, is_zero(first.reshape(len(first), -1))
    raise TorchError(
        f"{owner.class_name}: the input has {first.dim()} dimensions, not nInputDim = {owner.nInputDim} or, as a "
        "batch, one more"
    )


def zeroed(tensor: torch.Tensor, batch: bool, mask: torch.Tensor) -> torch.Tensor:
    """A copy with zeros in the rows of the mask, whatever they held."""
    if not batch:
        return torch.zeros_like(tensor) if mask.item() else tensor.clone()
    return tensor.masked_fill(mask.view(-1, *[1] * (tensor.dim() - 1)), 0)


@layer("nn.MaskZero", package="rnn")
class MaskZero(Decorator):
    """``nn.MaskZero(module, nInputDim[, silent])``: a module that gives zeros where its input is zeros.

    ``nInputDim`` is the number of dimensions of an input (of a table: of its first tensor, to which the mask goes by)
    without the batch. Rows of outputs become 0 where the input's are, and so do rows of gradOutput before they go
    back; the parameters of the module itself accumulate with gradOutput as it is given, as in the original.

    Shapes: the module's. A recurrent module is masked from inside, by its ``maskZero``.
    """

    fields: ClassVar[tuple[str, ...]] = ("nInputDim", "batchmode", "zeroMask", "_zeroMask", "gradOutput")

    nInputDim: int

    def __init__(self, module: Module, nInputDim: int, silent: bool = False) -> None:
        if not isinstance(module, Module):
            raise TorchError(f"{self.torch7_name} expects a module")
        if isinstance(nInputDim, bool) or not isinstance(nInputDim, (int, float)):
            raise TorchError(f"{self.torch7_name} expects nInputDim, a number, as argument 2")
        super().__init__(module)
        self.nInputDim = int(nInputDim)
        if isinstance(module, AbstractRecurrent) and not silent:
            name = self.torch7_name.removeprefix("nn.")
            field = name[0].lower() + name[1:]
            say(
                f"Warning: {name} around a {module.class_name} masks what it gives, not its state: "
                f"{module.class_name}:{field}({self.nInputDim}) does"
            )

    def _remember_mask(self, input: Any) -> None:
        self.show_mask(*mask_of(self, input))

    def show_mask(self, batch: bool, mask: torch.Tensor) -> None:
        """Keep which rows of the input are zeros, also where scripts look for it."""
        shown = mask.view(-1, 1) if batch else mask
        self.__dict__.update(batchmode=batch, _mask=mask, zeroMask=shown.to(torch.uint8))

    def _known_mask(self) -> tuple[bool, torch.Tensor]:
        mask = self.__dict__.get("_mask")
        if mask is None:
            raise TorchError(f"{self.class_name}: backward without a forward")
        return self.__dict__["batchmode"], mask

    def forward(self, input: Any) -> Any:
        batch, mask = mask_of(self, input)

        def masked(value: Any) -> Any:
            return [masked(item) for item in value] if isinstance(value, list) else zeroed(value, batch, mask)

        return masked(self.inner_module(input))

    def _masked(self, value: Any) -> Any:
        batch, mask = self._known_mask()
        return map_tensors_of(value, lambda tensor: zeroed(tensor, batch, mask))

    def updateOutput(self, input: Any) -> Any:
        self._remember_mask(input)
        output = self.inner_module.updateOutput(input)
        return self.keep_output(self._masked(output), output)

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        gradient = self._masked(gradOutput)
        self.__dict__["gradOutput"] = gradient
        return self.set_grad_input(self.inner_module.updateGradInput(input, gradient))

    def convert(self, convert: TensorMap, type_name: str | None, seen: set[int] | None = None) -> None:
        self.__dict__.update(_mask=None, zeroMask=None, _zeroMask=None)
        super().convert(convert, type_name, seen)


@layer("nn.TrimZero", package="rnn")
class TrimZero(MaskZero):
    """``nn.TrimZero(module, nInputDim[, silent])``: as MaskZero, but the module gets only the rows that are not zeros.

    Shapes: those of MaskZero. A batch of zeros alone goes to the module as one row of zeros. A recurrent module with
    dropout needs one mask for all examples (``mono``), for rows change their places.
    """

    fields = ("temp", "gradTemp", "_maskindices")
    spare: ClassVar[dict[str, Any]] = {"temp": (), "gradTemp": ()}

    def __init__(self, module: Module, nInputDim: int, silent: bool = False) -> None:
        super().__init__(module, nInputDim, silent)
        drops = getattr(module, "torch7_name", "") in ("nn.GRU", "nn.LSTM", "nn.FastLSTM") and module.p != 0
        if drops and not module.mono:
            raise TorchError(f"{self.torch7_name}: a {module.torch7_name} with dropout must be mono")

    def _trim(self, tensor: torch.Tensor, batch: bool, mask: torch.Tensor) -> torch.Tensor:
        """The rows that are not masked; where all are, one row of zeros."""
        if not batch:
            return zeroed(tensor, batch, mask)
        return tensor[~mask] if not mask.all() else torch.zeros_like(tensor[:1])

    def _trimmed(self, value: Any) -> Any:
        batch, mask = self._known_mask()
        return map_tensors_of(value, lambda tensor: self._trim(tensor, batch, mask))

    def _spread(self, tensor: torch.Tensor, batch: bool, mask: torch.Tensor) -> torch.Tensor:
        """The rows back in their places, zeros in the others."""
        if not batch:
            return zeroed(tensor, batch, mask)
        spread = tensor.new_zeros((len(mask), *tensor.shape[1:]))
        if not mask.all():
            spread[~mask] = tensor
        return spread

    def _full(self, value: Any) -> Any:
        batch, mask = self._known_mask()
        return map_tensors_of(value, lambda tensor: self._spread(tensor, batch, mask))

    def forward(self, input: Any) -> Any:
        batch, mask = mask_of(self, input)

        def map_tensors(value: Any, function: Any) -> Any:
            if isinstance(value, list):
                return [map_tensors(item, function) for item in value]
            return function(value, batch, mask)

        return map_tensors(self.inner_module(map_tensors(input, self._trim)), self._spread)

    def updateOutput(self, input: Any) -> Any:
        self._remember_mask(input)
        self.__dict__["temp"] = self._trimmed(input)
        output = self.inner_module.updateOutput(self.temp)
        return self.keep_output(self._full(output), output)

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        self.__dict__.update(temp=self._trimmed(input), gradTemp=self._trimmed(gradOutput))
        gradient = self.inner_module.updateGradInput(self.temp, self.gradTemp)
        return self.keep_grad_input(self._full(gradient), gradient)

    def _of_rows(self, gradOutput: Any) -> Any:
        """gradOutput for the parameters: as it is where the module saw all rows, as in MaskZero."""
        batch, mask = self._known_mask()
        return self._trimmed(gradOutput) if batch and len(mask) > 1 else gradOutput

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        self.__dict__["temp"] = self._trimmed(input)
        self.inner_module.accGradParameters(self.temp, self._of_rows(gradOutput), scale)

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        self.__dict__["temp"] = self._trimmed(input)
        self.inner_module.accUpdateGradParameters(self.temp, self._of_rows(gradOutput), lr)


@layer("nn.LookupTableMaskZero", package="rnn", parameters="weight:2~computed()")
class LookupTableMaskZero(LookupTable):
    """``nn.LookupTableMaskZero(nIndex, nOutput)``: a LookupTable that gives zeros for index 0.

    Shapes: those of ``nn.LookupTable``, with indices from 0 to nIndex. The table has a row more, the first; every
    forward makes it zero again. Its gradient is accumulated as that of any row.
    """

    fields = ("__input",)

    def __init__(self, nIndex: int, nOutput: int) -> None:
        super().__init__(nIndex + 1, nOutput)

    def _rows(self, input: torch.Tensor) -> torch.Tensor:
        return super()._rows(input + 1)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        self.weight.data[0].zero_()
        return super().forward(input)


@layer("nn.MaskZeroCriterion", package="rnn", parts="one", target="parts", takes="parts")
class MaskZeroCriterion(Criterion):
    """``nn.MaskZeroCriterion(criterion, nInputDim)``: the criterion over the rows of a batch that are not zeros.

    Shapes: those of the criterion, in batches; ``nInputDim`` is the number of dimensions of one input (of a table: of
    its first tensor). Without such a row the loss is 0.
    """

    fields = ("nInputDim", "zeroMask", "_zeroMask", "input", "target", "_gradInput")
    links = ("criterion",)

    nInputDim: int

    def __init__(self, criterion: Criterion, nInputDim: int) -> None:
        if not isinstance(criterion, Criterion):
            raise TorchError(f"{self.torch7_name} expects a criterion")
        if isinstance(nInputDim, bool) or not isinstance(nInputDim, (int, float)):
            raise TorchError(f"{self.torch7_name} expects nInputDim, a number, as argument 2")
        super().__init__()
        self._modules["criterion"] = criterion
        self.nInputDim = int(nInputDim)

    def _kept(self, input: Any) -> torch.Tensor:
        """The numbers of the rows that are not zeros."""
        batch, mask = mask_of(self, input)
        if not batch:
            raise TorchError(f"{self.class_name} takes batches only")
        return (~mask).nonzero().flatten()

    def forward(self, input: Any, target: Any) -> Any:
        kept = self._kept(input)
        if not len(kept):
            return first_tensor(self, input).sum() * 0

        count = len(first_tensor(self, input))
        chosen = [self._chosen(value, kept, count) for value in (input, target)]
        return self._modules["criterion"](*chosen)  # type: ignore[misc]

    def _chosen(self, value: Any, kept: torch.Tensor, count: int) -> Any:
        """These rows of each tensor, which must be a batch of this many."""
        if isinstance(value, list):
            return [self._chosen(item, kept, count) for item in value]
        if not isinstance(value, torch.Tensor) or value.dim() == 0 or len(value) != count:
            sizes = size_text(value) if isinstance(value, torch.Tensor) else "no tensor"
            raise TorchError(f"{self.class_name}: input and target must be batches of {count}, not {sizes}")
        return value[kept]

    def updateOutput(self, input: Any, target: Any) -> Any:
        kept = self._kept(input)
        self.__dict__.update(_rows=kept, _count=len(first_tensor(self, input)), zeroMask=kept + 1)
        if not len(kept):
            self.__dict__["output"] = 0
            return 0
        chosen = [self._chosen(value, kept, self.__dict__["_count"]) for value in (input, target)]
        self.__dict__.update(input=chosen[0], target=chosen[1])
        criterion: Any = self._modules["criterion"]
        loss = criterion.updateOutput(*chosen)
        self.__dict__["output"] = loss[0] if isinstance(loss, tuple) else loss
        return self.output

    def updateGradInput(self, input: Any, target: Any) -> Any:
        rows = self.__dict__.get("_rows")
        if rows is None:
            raise TorchError(f"{self.class_name}: backward without a forward")
        if len(first_tensor(self, input)) != self.__dict__["_count"]:
            raise TorchError(f"{self.class_name}: the last forward had a batch of {self.__dict__['_count']}")
        result = None
        if len(rows):
            criterion: Any = self._modules["criterion"]
            result = self.__dict__["_gradInput"] = criterion.updateGradInput(self.input, self.target)
        gradient = self._spread(input, result, rows)
        if isinstance(gradient, list):
            return self.keep_list("gradInput", gradient)
        return self.keep("gradInput", gradient)

    def _spread(self, input: Any, gradient: Any, rows: torch.Tensor) -> Any:
        """The gradients of the rows in their places, zeros in the others, in the nesting of the input."""
        if isinstance(input, list) and isinstance(gradient, torch.Tensor):
            raise TorchError(f"{self.class_name}: the input of the last forward was no table")
        if isinstance(input, list):
            parts = gradient if isinstance(gradient, list) else [gradient] * len(input)
            return [self._spread(item, part, rows) for item, part in zip(input, parts, strict=False)]
        spread = torch.zeros_like(input.data)
        if gradient is not None:
            spread[rows] = gradient
        return spread

    def convert(self, convert: TensorMap, type_name: str | None, seen: set[int] | None = None) -> None:
        cleared = ("_rows", "zeroMask", "_zeroMask", "input", "target", "_gradInput")
        self.__dict__.update(dict.fromkeys(cleared))
        super().convert(convert, type_name, seen)
