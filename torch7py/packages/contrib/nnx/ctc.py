"""CTCCriterion: the loss of a sequence of labels that is not aligned with the sequence of scores."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn.arguments import size_text
from torch7py.nn.base import Criterion
from torch7py.nn.checks import truthy
from torch7py.nn.registry import layer
from torch7py.ops.errors import ArgumentError, TorchError

__all__ = ["CTCCriterion"]


@layer("nn.CTCCriterion", package="nnx", target="other")
class CTCCriterion(Criterion):
    """``nn.CTCCriterion([batchFirst])``: connectionist temporal classification (Graves et al., Connectionist Temporal
    Classification, 2006): minus the log likelihood of a label sequence, over all alignments with the steps.

    ``forward(input, target, sizes)``: scores, not yet through a softmax, whose first class is the blank; a table of
    tables of labels, from 1 on; a tensor with how many steps of each example count. Returns the mean over the
    examples; ``output`` is their sum, and gradInput the gradient of that sum, as in the original, which lets
    warp-ctc compute it. An example with fewer steps than its labels need counts 0.

    Shapes: ``(steps, batch, classes)``, with batchFirst ``(batch, steps, classes)``, or ``(steps * batch, classes)``,
    step after step. As in the original all become the last, and the number of targets is that of examples. gradInput
    has the input's shape; on the CPU it is a FloatTensor, whatever the input is.
    """

    fields: ClassVar[tuple[str, ...]] = ("batchFirst", "sizes")
    batchFirst: bool

    def __init__(self, batchFirst: bool = False) -> None:
        super().__init__()
        self.batchFirst = truthy(batchFirst)

    def _scores(self, input: torch.Tensor, examples: int) -> torch.Tensor:
        """``(steps, batch, classes)``"""
        if not isinstance(input, torch.Tensor) or not 2 <= input.dim() <= 3:
            actual = size_text(input) if isinstance(input, torch.Tensor) else "not a tensor"
            raise TorchError(f"{self.class_name}: the input must have 2 or 3 dimensions, not {actual}")
        scores = input.transpose(0, 1) if input.dim() == 3 and self.batchFirst else input
        rows = scores.reshape(-1, input.shape[-1])
        if len(rows) % examples:
            raise TorchError(f"{self.class_name}: {len(rows)} rows for {examples} targets")
        return rows.view(-1, examples, input.shape[-1])

    def _costs(self, input: torch.Tensor, target: Any, sizes: Any) -> torch.Tensor:
        """The loss of each example."""
        if not isinstance(sizes, torch.Tensor):
            raise TorchError(
                f"{self.class_name} expects a tensor with the size of each sequence as argument 3"
            )
        if (
            not isinstance(target, list)
            or not all(isinstance(labels, list) for labels in target)
            or not target
        ):
            raise TorchError(
                f"{self.class_name}: the target must be a table with a table of labels an example"
            )
        scores = self._scores(input, len(target))
        steps, _, classes = scores.shape
        lengths = [int(size) for size in sizes.flatten().tolist()]
        if len(lengths) != len(target) or not all(1 <= length <= steps for length in lengths):
            raise TorchError(f"{self.class_name}: the sizes must be {len(target)} numbers from 1 to {steps}")
        labels = [int(label) for example in target for label in example]
        if not all(1 <= label < classes for label in labels):
            raise TorchError(f"{self.class_name}: the labels must be from 1 to {classes - 1}")
        return F.ctc_loss(
            scores.float().double().log_softmax(2),
            torch.tensor(labels, dtype=torch.int64, device=scores.device),
            torch.tensor(lengths, dtype=torch.int64),
            torch.tensor([len(example) for example in target], dtype=torch.int64),
            reduction="none",
            zero_infinity=True,
        )

    def forward(self, input: torch.Tensor, target: Any, sizes: Any = None) -> torch.Tensor:
        return self._costs(input, target, sizes).mean().to(input.dtype)

    def updateOutput(self, input: torch.Tensor, target: Any, sizes: Any = None) -> Any:
        leaf = input.data.requires_grad_() if isinstance(input, torch.Tensor) else input
        with torch.enable_grad():
            total = self._costs(leaf, target, sizes).sum()
            (gradient,) = torch.autograd.grad(total, leaf)
        self.__dict__.update(output=total.item(), sizes=[int(size) for size in sizes.flatten().tolist()])
        self.__dict__["_found"] = gradient.float()
        return total.item() / len(target)

    def torch7_forward(self, input: torch.Tensor, target: Any = None, sizes: Any = None) -> Any:
        """``c:forward(input, target, sizes)``"""
        if target is None:
            raise ArgumentError(f"{self.class_name}:forward: argument #2 ('target') is missing")
        return self.updateOutput(input, target, sizes)

    def updateGradInput(self, input: torch.Tensor, target: Any) -> Any:
        """``c:updateGradInput(input, target)``: of the last forward."""
        gradient = self.__dict__.get("_found")
        if gradient is None:
            raise TorchError(f"{self.class_name}: a backward without a forward")
        return self.keep("gradInput", gradient)

    def call(self, input: Any, target: Any = None) -> Any:
        raise TorchError(f"{self.class_name} needs the sizes: use forward and backward")
