"""The cross entropy over images and volumes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar, cast

import torch
import torch.nn.functional as F

from torch7py.nn.arguments import rows, size_text
from torch7py.nn.base import Criterion
from torch7py.nn.checks import weights_of
from torch7py.nn.criterion_class import SpatialClassNLLCriterion
from torch7py.nn.registry import layer, layers
from torch7py.nn.saved_form import SavedForm
from torch7py.ops.errors import TorchError

__all__ = ["SpatialCrossEntropyCriterion", "VolumetricCrossEntropyCriterion"]


class _CrossEntropy(Criterion):
    """The negative log of the softmax over the channels, at the target's class for each pixel."""

    dims: ClassVar[int] = 4
    fields: ClassVar[tuple[str, ...]] = ("sizeAverage", "weights")
    unsaved: ClassVar[tuple[str, ...]] = (*Criterion.unsaved, "weights")
    holder: ClassVar[str] = "nll"  # of the weights in a file

    def __init__(self, weights: torch.Tensor | None = None) -> None:
        super().__init__()
        self.weights = weights_of(self.torch7_name, weights)
        self.sizeAverage = True

    @classmethod
    def matches(cls, names: Collection[str]) -> bool:
        return cls.holder in names or super().matches(names)

    def restored(self) -> None:
        """A file has the weights in a criterion inside."""
        form: SavedForm = self.__dict__["_saved_form"]
        inner = form.extras.get(self.holder)
        if isinstance(inner, Criterion):
            self.weights = inner.get_field("weights")
            if "sizeAverage" not in form.order and inner.get_field("sizeAverage") is not None:
                self.sizeAverage = form.absent["sizeAverage"] = inner.get_field("sizeAverage")
            form.absent["weights"] = self.weights

    def forward(self, input: Any, target: Any) -> torch.Tensor:
        if not isinstance(input, torch.Tensor) or input.dim() != self.dims:
            raise TorchError(f"{self.class_name}: the input must be a batch of {self.dims} dimensions")
        expected = (input.shape[0], *input.shape[2:])
        if not isinstance(target, torch.Tensor) or tuple(target.shape) != expected:
            actual = size_text(target) if isinstance(target, torch.Tensor) else "not a tensor"
            raise TorchError(f"{self.class_name}: the target is {actual}, not {'x'.join(map(str, expected))}")
        classes = rows(self, target, input.shape[1])
        return F.cross_entropy(
            input, classes, self.weights, reduction="mean" if self.sizeAverage is not False else "sum"
        )


@layer("cudnn.SpatialCrossEntropyCriterion", target="class")
class SpatialCrossEntropyCriterion(_CrossEntropy):
    """``cudnn.SpatialCrossEntropyCriterion([weights])``: input ``(batch, classes, h, w)``, target ``(batch, h, w)``
    of classes from 1. The loss is the mean over pixels, weighted by the classes' weights; with the field sizeAverage
    false the sum."""

    spare: ClassVar[dict[str, Any]] = {
        "slsm": lambda _: layers["cudnn.SpatialLogSoftMax"](),
        "nll": lambda self: cast(Any, SpatialClassNLLCriterion)(self.weights),
    }


@layer("cudnn.VolumetricCrossEntropyCriterion", target="class")
class VolumetricCrossEntropyCriterion(_CrossEntropy):
    """``cudnn.VolumetricCrossEntropyCriterion([weights])``: the same for ``(batch, classes, t, h, w)``."""

    dims = 5
    holder = "scec"
    unsaved = (*_CrossEntropy.unsaved, "sizeAverage")
    spare: ClassVar[dict[str, Any]] = {"scec": lambda self: self.as_images()}

    def as_images(self) -> SpatialCrossEntropyCriterion:
        criterion = SpatialCrossEntropyCriterion(self.weights)
        criterion.sizeAverage = self.sizeAverage
        return criterion
