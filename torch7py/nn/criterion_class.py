"""Losses of scores or log-probabilities of classes against class numbers, which count from 1."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import size_text
from torch7py.nn.base import Criterion
from torch7py.nn.checks import any_true, as_rows, check_type, number, truthy, weights_of
from torch7py.nn.criterion import MSECriterion
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.nn.softmax import LogSoftMax
from torch7py.ops import class_loss
from torch7py.ops.errors import TorchError
from torch7py.ops.quirks import older

__all__ = [
    "ClassNLLCriterion",
    "ClassSimplexCriterion",
    "CrossEntropyCriterion",
    "MultiLabelMarginCriterion",
    "MultiMarginCriterion",
    "SpatialClassNLLCriterion",
]

ONE = torch.Size((1,))


def _class_numbers(criterion: Criterion, target: Any, like: torch.Tensor) -> torch.Tensor:
    """A target, a number or a tensor of any type, as whole numbers counted from 0."""
    if isinstance(target, torch.Tensor):
        return target.to(device=like.device, dtype=torch.int64) - 1
    if isinstance(target, bool) or not isinstance(target, (int, float)):
        raise TorchError(f"{criterion.class_name}: the target must be a number or a tensor")
    return torch.tensor([int(target) - 1], device=like.device)


def _check_classes(criterion: Criterion, classes: torch.Tensor, count: int) -> None:
    wrong = (classes < 0) | (classes >= count)
    if any_true(wrong):
        value = int(classes[wrong][0]) + 1
        raise TorchError(f"{criterion.class_name}: target {value} out of range 1 to {count}")


def _one_a_row(criterion: Criterion, input: torch.Tensor, target: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """The input as rows, and a 0-based class, not yet checked, for each."""
    if not 1 <= input.dim() <= 2 or input.numel() == 0:
        raise TorchError(f"{criterion.class_name}: the input must be a vector or a matrix")
    classes = _class_numbers(criterion, target, input)
    if classes.dim() > 1:
        raise TorchError(f"{criterion.class_name}: several targets per example are not supported")
    if input.dim() == 1:
        return input.unsqueeze(0), classes[:1]
    if classes.numel() != input.shape[0]:
        raise TorchError(f"{criterion.class_name}: {classes.numel()} targets for a batch of {input.shape[0]}")
    return input, classes


class _NLLCriterion(Criterion):
    """Minus the score of the target, weighted; the classes lie along dimension 1 of a batch."""

    fields: ClassVar[tuple[str, ...]] = (
        "sizeAverage",
        "weights",
        "output_tensor",
        "total_weight_tensor",
        "target",
    )
    lua_methods = names(__len__="weight_sizes")

    def __init__(self, weights: torch.Tensor | None = None, sizeAverage: bool = True) -> None:
        super().__init__()
        self.sizeAverage = sizeAverage
        self.__dict__["weights"] = weights_of(self.torch7_name, weights)
        self.keep("output_tensor", self.new(1))
        self.keep("total_weight_tensor", self.new(1) + 1)
        self.keep("target", torch.zeros(1, dtype=torch.int64, device=self.output_tensor.device))

    def batch(self, input: torch.Tensor, target: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Input and 0-based classes of a batch, checked; -1 where the target is to be ignored."""
        raise NotImplementedError

    def _weights(self, classes: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """The weight of each target."""
        kept = classes >= 0
        if self.weights is None:
            return kept.to(scores.dtype)
        if self.weights.numel() != scores.shape[1]:
            raise TorchError(
                f"{self.class_name}: {self.weights.numel()} weights for {scores.shape[1]} classes"
            )
        check_type(self, "weights", self.weights, scores)
        return self.weights[classes.clamp(min=0)] * kept

    def forward(self, input: torch.Tensor, target: Any) -> torch.Tensor:
        return self._loss(input, target)[0]

    def _loss(self, input: torch.Tensor, target: Any) -> tuple[torch.Tensor, torch.Tensor]:
        scores, classes = self.batch(input, target)
        weights = self._weights(classes, scores)
        chosen = scores.gather(1, classes.clamp(min=0).unsqueeze(1)).squeeze(1)
        total = weights.sum()
        # A score of minus infinity counts nothing where its weight is 0.
        loss = -(torch.where(weights != 0, chosen, 0) * weights).sum()
        if truthy(self.sizeAverage):
            loss = loss / torch.where(total != 0, total, 1)
        return loss, total

    def updateOutput(self, input: torch.Tensor, target: Any) -> Any:
        loss, total = self._loss(input.data, target)
        self.__dict__["output"] = loss.item()
        self.keep("output_tensor", loss.view(1))
        self.keep("total_weight_tensor", total.view(1))
        return self.output, total.item()

    def updateGradInput(self, input: torch.Tensor, target: Any) -> torch.Tensor:
        """One element per target is not zero: a graph would be a waste."""
        scores, classes = self.batch(input.data, target)
        weights = self._weights(classes, scores)
        total = self.total_weight(weights)
        values = -weights / total if truthy(self.sizeAverage) else -weights
        gradient = torch.zeros_like(scores, memory_format=torch.contiguous_format)
        gradient.scatter_(
            1, classes.clamp(min=0).unsqueeze(1), torch.where(total > 0, values, 0).unsqueeze(1)
        )
        return self.keep("gradInput", gradient.view(input.shape), is_result=True)

    def total_weight(self, weights: torch.Tensor) -> torch.Tensor:
        """What the gradient of a mean is divided by: the total weight of the last forward, whatever the target now."""
        return self.total_weight_tensor.to(weights)

    def weight_sizes(self) -> int:
        return 0 if self.weights is None else len(self.weights)


@layer("nn.ClassNLLCriterion", target="class")
class ClassNLLCriterion(_NLLCriterion):
    """``nn.ClassNLLCriterion([weights, sizeAverage, ignoreIndex])``: minus the log-probability of the target.

    Shapes: ``(classes)`` with a number or a tensor of one element, or ``(batch, classes)`` with ``(batch)``;
    targets count from 1. The mean is over the weights of the targets; a target of ``ignoreIndex`` counts nothing.
    ``forward`` in Lua returns the loss and the total weight.
    """

    fields: ClassVar[tuple[str, ...]] = ("ignoreIndex",)
    ignoreIndex: int = -100  # where a file of an old version does not say

    def __init__(
        self, weights: torch.Tensor | None = None, sizeAverage: bool = True, ignoreIndex: int = -100
    ) -> None:
        super().__init__(weights, sizeAverage)
        self.ignoreIndex = ignoreIndex

    @property
    def rows_alone(self) -> bool:  # type: ignore[override]
        """Weights count in the mean; so do ignored targets, which are not expected."""
        return self.weights is None

    def batch(self, input: torch.Tensor, target: Any) -> tuple[torch.Tensor, torch.Tensor]:
        rows, classes = _one_a_row(self, input, target)
        ignored = classes == self.ignoreIndex - 1
        _check_classes(self, classes.masked_fill(ignored, 0), rows.shape[1])
        return rows, classes.masked_fill(ignored, -1)

    def total_weight(self, weights: torch.Tensor) -> torch.Tensor:
        # For a single example the original divides by its own weight.
        return super().total_weight(weights) if weights.numel() > 1 else weights.sum()

    # Without weights and ignored targets both halves are a loop, or a few operations: a tenth or a third of the general
    # way's time.

    def _is_plain(self, input: Any, target: Any) -> bool:
        """Whether this is a batch in which all count alike."""
        if self.weights is not None or not isinstance(target, torch.Tensor):
            return False
        shape = input.shape
        if len(shape) != 2 or target.shape != shape[:1] or shape[0] < 2 or target.is_meta:
            return False
        return not 1 <= self.ignoreIndex <= shape[1]

    def _classes(self, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor | None:
        """The 0-based classes of such a batch as a column.

        On the CPU they need not be valid: ``gather`` and ``scatter`` look.
        """
        if target.dtype is not torch.int64 or target.device != input.device:
            target = target.to(device=input.device, dtype=torch.int64)
        classes = torch.sub(target, 1).unsqueeze(1)
        if not classes.is_cpu:
            low, high = torch.aminmax(classes)
            if not 0 <= low.item() <= high.item() < input.shape[1]:
                return None
        return classes

    def _single_class(self, input: Any, target: Any) -> int | None:
        """The 0-based class of a single example; None where weights, an ignored target or an error are to be looked at.

        The loss of such an example is its score, whether it is a mean or a sum, and takes no more than a look at it.
        """
        if self.weights is not None or not isinstance(input, torch.Tensor) or input.is_meta:
            return None
        shape = input.shape
        if len(shape) != 1 and (len(shape) != 2 or shape[0] != 1):
            return None
        if isinstance(target, torch.Tensor):
            if target.dim() > 1 or target.numel() != 1 or target.is_meta:
                return None
            target = target.item()
        if (
            isinstance(target, bool)
            or not isinstance(target, (int, float))
            or not 1 <= target < shape[-1] + 1
        ):
            return None
        label = int(target)
        return None if label == self.ignoreIndex else label - 1

    def updateOutput(self, input: torch.Tensor, target: Any) -> Any:
        label = self._single_class(input, target)
        if label is not None:
            row = input.data if input.dim() == 1 else input.data[0]
            loss = -row[label].item()
            self._single("output_tensor", input).fill_(loss)
            self._single("total_weight_tensor", input).fill_(1)
            self.__dict__["output"] = loss
            return loss, 1.0
        losses = self.losses_of_groups(input, target, 1)
        if losses is None:
            return super().updateOutput(input, target)
        self.__dict__["output"] = losses[0]
        return losses[0], float(len(target))

    def losses_of_groups(self, input: torch.Tensor, target: Any, groups: int) -> list[float] | None:
        """The losses of so many groups of rows of one size, to the bit what each alone would have. ``updateGradInput``
        of all then gives the gradient of their sum. None where weights or ignored targets are to be looked at."""
        if not self._is_plain(input, target):
            return None
        mean = truthy(self.sizeAverage)
        if class_loss.fits(input, target):
            losses = input.data.new_empty(groups) if groups > 1 else self._single("output_tensor", input)
            weight = self._single("total_weight_tensor", input)
            last = class_loss.add_up(input, target, mean, losses, weight)
            if last is None or groups == 1:
                return None if last is None else [last]
            self.keep("output_tensor", losses[-1:])
            return losses.tolist()
        classes = self._classes(input, target)
        if classes is None:
            return None
        count = len(classes) // groups
        try:
            chosen = input.data.gather(1, classes)
        except RuntimeError:  # a class that is out of range, or ignored
            return None
        losses = chosen.view(groups, count).sum(1)
        losses.div_(-count if mean else -1)
        self.keep("output_tensor", losses if groups == 1 else losses[-1:])
        self.keep("total_weight_tensor", losses.new_full((1,), count))
        values: list[float] = losses.tolist()
        return values

    def _single(self, name: str, like: torch.Tensor) -> torch.Tensor:
        """This tensor of one number, of the type of ``like``, to be written to."""
        attributes = self.__dict__
        held: torch.Tensor | None = attributes[name]  # None in files of old versions
        is_internal_buffer = held is attributes["_own"].get(name)
        if (
            is_internal_buffer
            and held is not None
            and held.dtype is like.dtype
            and held.shape == ONE
            and held.device == like.device
        ):
            return held
        return self.keep(name, like.data.new_empty(1))

    def _gradient_to_write(self, input: torch.Tensor) -> torch.Tensor:
        """gradInput, if it fits this input, else a new tensor; its elements are to be written."""
        held: torch.Tensor = self.__dict__["gradInput"]
        if (
            held is self.__dict__["_own"].get("gradInput")
            and held.shape == input.shape
            and held.dtype is input.dtype
            and held.device == input.device
            and held.is_contiguous()
        ):
            return held
        return torch.empty_like(input.data, memory_format=torch.contiguous_format)

    def updateGradInput(self, input: torch.Tensor, target: Any) -> torch.Tensor:
        label = self._single_class(input, target)
        if label is not None:
            gradient = self._gradient_to_write(input).zero_()
            (gradient if gradient.dim() == 1 else gradient[0])[label] = -1
            return gradient if gradient is self.__dict__["gradInput"] else self.keep("gradInput", gradient)
        if not self._is_plain(input, target):
            return super().updateGradInput(input, target)
        total = self.total_weight_tensor if truthy(self.sizeAverage) else None
        gradient = self._gradient_to_write(input)
        if class_loss.fits(gradient, target) and (
            total is None or (total.dtype is input.dtype and total.is_cpu and total.shape == ONE)
        ):
            done = class_loss.spread(gradient, target, total)
        else:
            classes = self._classes(input, target)
            share = 1 if total is None else total.item()
            done = classes is not None
            try:
                if classes is not None:
                    gradient.zero_().scatter_(1, classes, -1 / share if share > 0 else 0)
            except RuntimeError:  # a class that is out of range, or ignored
                done = False
        if not done:
            return super().updateGradInput(input, target)
        return gradient if gradient is self.__dict__["gradInput"] else self.keep("gradInput", gradient)


@layer("nn.SpatialClassNLLCriterion", target="class")
class SpatialClassNLLCriterion(_NLLCriterion):
    """``nn.SpatialClassNLLCriterion([weights, sizeAverage])``: minus the log-probability of the target of each place.

    Shapes: ``(batch, classes, h, w)`` with targets ``(batch, h, w)``. ``forward`` in Lua returns the loss, a mean
    over the weights of the targets or a sum, and the total weight.
    """

    def batch(self, input: torch.Tensor, target: Any) -> tuple[torch.Tensor, torch.Tensor]:
        classes = _class_numbers(self, target, input)
        if input.dim() != 4 or classes.shape != (input.shape[0], *input.shape[2:]):
            raise TorchError(
                f"{self.class_name}: targets of {size_text(classes)} do not fit an input of {size_text(input)}"
            )
        _check_classes(self, classes, input.shape[1])
        return input, classes


def _squeeze(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor without its dimensions of size 1; at least one is left."""
    squeezed = tensor.squeeze()
    return squeezed if squeezed.dim() else squeezed.view(1)


@layer("nn.CrossEntropyCriterion", target="class")
class CrossEntropyCriterion(Criterion):
    """``nn.CrossEntropyCriterion([weights, sizeAverage])``: ``nn.LogSoftMax``, then ``nn.ClassNLLCriterion``.

    Shapes: as for ``nn.ClassNLLCriterion``, with dimensions of size 1 anywhere. The two are the fields ``lsm`` and
    ``nll``.
    """

    fields: ClassVar[tuple[str, ...]] = ("sizeAverage", "oldSizeAverage")
    links: ClassVar[tuple[str, ...]] = ("lsm", "nll")

    def __init__(self, weights: torch.Tensor | None = None, sizeAverage: bool = True) -> None:
        super().__init__()
        self._modules["lsm"] = LogSoftMax()
        self._modules["nll"] = ClassNLLCriterion(weights, sizeAverage)
        self.sizeAverage = self.oldSizeAverage = sizeAverage

    def _squeezed(self, input: torch.Tensor, target: Any) -> tuple[torch.Tensor, Any]:
        # A script may set sizeAverage here or in nll: only a change here is passed on.
        if self.sizeAverage != self.oldSizeAverage:
            self.nll.sizeAverage = self.oldSizeAverage = self.sizeAverage
        if isinstance(target, torch.Tensor):
            target = _squeeze(target)
        return _squeeze(input), target

    def forward(self, input: torch.Tensor, target: Any) -> torch.Tensor:
        input, target = self._squeezed(input, target)
        loss: torch.Tensor = self.nll(self.lsm(input), target)
        return loss

    def updateOutput(self, input: torch.Tensor, target: Any) -> Any:
        input, target = self._squeezed(input.data, target)
        self.nll.updateOutput(self.lsm.updateOutput(input), target)
        self.__dict__["output"] = self.nll.output
        return self.output

    def updateGradInput(self, input: torch.Tensor, target: Any) -> Any:
        squeezed, target = self._squeezed(input.data, target)
        if self.lsm.output.numel() != input.numel():
            raise TorchError(f"{self.class_name}: a backward without a forward of this input")
        gradient = self.lsm.updateGradInput(squeezed, self.nll.updateGradInput(self.lsm.output, target))
        return self.keep("gradInput", gradient.view(input.shape))


@layer("nn.MultiMarginCriterion", target="class")
class MultiMarginCriterion(Criterion):
    """``nn.MultiMarginCriterion([p, weights, margin])``: ``sum_i max(0, margin - x_t + x_i)^p / classes``, i not t.

    Shapes: ``(classes)`` with a number or a tensor of one element, ``(batch, classes)`` with ``(batch)``. p is 1 or
    2, the margin 1. Weights, one for each class, multiply the losses by their target's. The mean over the batch, or
    the sum with the field ``sizeAverage`` false.
    """

    fields: ClassVar[tuple[str, ...]] = (
        "sizeAverage",
        "p",
        "weights",
        "margin",
        "output_tensor",
        "target_tensor",
    )

    p: float = 1

    def __init__(
        self, p: float | None = None, weights: torch.Tensor | None = None, margin: float = 1
    ) -> None:
        super().__init__()
        if p not in (None, 1, 2):
            raise TorchError("nn.MultiMarginCriterion: p must be 1 or 2")
        self.p = 1 if p is None else p
        self.margin = number("nn.MultiMarginCriterion", "the margin", margin)
        self.__dict__["weights"] = weights_of("nn.MultiMarginCriterion", weights)
        self.sizeAverage = True

    def forward(self, input: torch.Tensor, target: Any) -> torch.Tensor:
        rows, classes = _one_a_row(self, input, target)
        _check_classes(self, classes, rows.shape[1])
        column = classes.unsqueeze(1)
        excess = (self.margin - rows.gather(1, column) + rows).clamp(min=0)
        losses = (excess if self.p == 1 else excess.square()).scatter(1, column, 0)
        if self.weights is not None:
            if self.weights.numel() != rows.shape[1]:
                raise TorchError(
                    f"{self.class_name}: {self.weights.numel()} weights for {rows.shape[1]} classes"
                )
            check_type(self, "weights", self.weights, input)
            losses = losses * self.weights[column]
        if older("MultiMarginCriterion average"):
            return losses.sum() / rows.shape[1] if truthy(self.sizeAverage) else losses.sum()
        total = losses.sum() / rows.shape[1]
        return total / rows.shape[0] if truthy(self.sizeAverage) else total


@layer("nn.MultiLabelMarginCriterion", target="other")
class MultiLabelMarginCriterion(Criterion):
    """``nn.MultiLabelMarginCriterion()``: ``sum max(0, 1 - x_t + x_i) / classes`` over targets t and other classes i.

    Shapes: ``(classes)`` or ``(batch, classes)``, and a target of the same shape: class numbers, of which those from
    the first 0 on do not count. The mean over the batch, or the sum with the field ``sizeAverage`` false.
    """

    fields: ClassVar[tuple[str, ...]] = ("sizeAverage", "isTarget", "output_tensor")

    def __init__(self) -> None:
        super().__init__()
        self.sizeAverage = True
        self.keep("isTarget", self.new())

    def forward(self, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        if not 1 <= input.dim() <= 2 or input.numel() == 0 or target.shape != input.shape:
            raise TorchError(
                f"{self.class_name}: targets of {size_text(target)} do not fit an input of {size_text(input)}"
            )
        rows = as_rows(input)
        numbers = as_rows(_class_numbers(self, target, input))
        _check_classes(self, numbers.clamp(min=0) if not any_true(numbers < -1) else numbers, rows.shape[1])
        listed = (numbers >= 0).cumprod(1)
        classes = numbers.clamp(min=0)
        is_target = torch.zeros_like(rows.data).scatter_reduce(1, classes, listed.to(rows.dtype), "amax")
        self.note("isTarget", is_target.view(input.shape))
        # One excess for each listed target and each other class.
        excess = (1 - rows.gather(1, classes).unsqueeze(2) + rows.unsqueeze(1)).clamp(min=0)
        total = (excess * listed.unsqueeze(2) * (1 - is_target).unsqueeze(1)).sum() / rows.shape[1]
        return total / rows.shape[0] if truthy(self.sizeAverage) else total


@layer("nn.ClassSimplexCriterion", target="class")
class ClassSimplexCriterion(MSECriterion):
    """``nn.ClassSimplexCriterion(nClasses)``: ``nn.MSECriterion`` against the class's corner of a simplex.

    Shapes: ``(nClasses)`` with a number, ``(batch, nClasses)`` with ``(batch)``. The corners, at distance 1 from the
    origin and as far as can be from each other, are the rows of the field ``simplex``. (arXiv:1506.08230.)
    """

    rows_alone = False

    fields: ClassVar[tuple[str, ...]] = ("nClasses", "simplex", "_target")
    lua_methods = names("getPredictions getTopPrediction")

    def __init__(self, nClasses: int) -> None:
        super().__init__()
        if not isinstance(nClasses, (int, float)) or nClasses != int(nClasses) or nClasses < 2:
            raise TorchError("nn.ClassSimplexCriterion: the number of classes must be an integer above 1")
        self.nClasses = int(nClasses)
        corners = simplex(self.nClasses - 1)
        self.keep("simplex", self.new(self.nClasses, self.nClasses))
        self.simplex[:, :-1].copy_(corners)
        self.keep("_target", self.new(self.nClasses))

    def prepare(self, input: torch.Tensor, target: Any) -> torch.Tensor:
        classes = _class_numbers(self, target, input)
        if classes.dim() != 1:
            raise TorchError(f"{self.class_name}: the target must be a number or a vector")
        _check_classes(self, classes, self.nClasses)
        corners = self.simplex[classes]
        self.note("_target", corners if isinstance(target, torch.Tensor) else corners[0])
        return super().prepare(input, corners)

    def getPredictions(self, input: torch.Tensor) -> torch.Tensor:
        """``c:getPredictions(input)``: how much each example points to each class, ``(batch, nClasses)``."""
        return as_rows(input) @ self.simplex.t()

    def getTopPrediction(self, input: torch.Tensor) -> torch.Tensor:
        """``c:getTopPrediction(input)``: the class number for each example."""
        return self.getPredictions(input).argmax(1) + 1


def simplex(n: int) -> torch.Tensor:
    """The n + 1 corners, as rows, of a regular simplex in n dimensions around the origin, at distance 1 from it.

    Corner k is 0 beyond its k-th coordinate. All corners after it have the same k-th coordinate, such that the
    product of any two different corners is ``-1 / n``.
    """
    corners = torch.zeros(n + 1, n, dtype=torch.float64)
    for k in range(n):
        height = math.sqrt(1 - float(corners[k].square().sum()))
        corners[k, k] = height
        corners[k + 1 :, k] = (height * height - 1 - 1 / n) / height
    return corners
