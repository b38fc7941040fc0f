"""Bidirectional networks: BiSequencer, BiSequencerLM whose outputs do not see their own step's input, SeqBRNN."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.base import Module
from torch7py.nn.checks import truthy
from torch7py.nn.container import ConcatTable, Container, Sequential
from torch7py.nn.part_names import PartNames
from torch7py.nn.registry import layer
from torch7py.nn.shape import Transpose
from torch7py.nn.table import JoinTable, ZipTable
from torch7py.nn.table_math import CAddTable
from torch7py.ops.errors import TorchError
from torch7py.rnn.abstract import AbstractRecurrent, add_gradients
from torch7py.rnn.reverse import ReverseTable, SeqReverseSequence
from torch7py.rnn.seq_lstm import SeqLSTM
from torch7py.rnn.sequencer import AbstractSequencer, Sequencer

__all__ = ["BiSequencer", "BiSequencerLM", "SeqBRNN"]


class Bidirectional(PartNames, AbstractSequencer):
    """The base: a module for each direction and one that merges their outputs of a step."""

    fields: ClassVar[tuple[str, ...]] = (
        "forwardModule",
        "backwardModule",
        "mergeModule",
        "fwdSeq",
        "bwdSeq",
        "mergeSeq",
    )

    def _take(self, forward: Any, backward: Any, merge: Any) -> None:
        """The three modules as given: backward is by default forward drawn anew, merge joins the outputs."""
        if not isinstance(forward, Module) or not isinstance(backward, (Module, type(None))):
            raise TorchError(f"{self.torch7_name} expects a module for each direction")
        if backward is None:
            backward = forward.clone()
            backward.reset()
        if merge is None or (isinstance(merge, (int, float)) and not isinstance(merge, bool)):
            merge = JoinTable(1, 1 if merge is None else int(merge))
        if not isinstance(merge, Module):
            raise TorchError(f"{self.torch7_name} expects a module or a number to merge with")
        AbstractSequencer.__init__(self)
        self.__dict__.update(forwardModule=forward, backwardModule=backward, mergeModule=merge)
        self.__dict__.update(output=[], gradInput=[])


@layer("nn.BiSequencer", package="rnn", takes="steps", gives="steps", parts="each")
class BiSequencer(Bidirectional):
    """``nn.BiSequencer(forward[, backward, merge])``: one module from the first step on, one from the last.

    Shapes: a table of inputs -> a table of as many outputs, ``merge{forward's, backward's}`` of the step. merge is
    a module, or the number of dimensions of a step's output without the batch (1) to join the two.
    """

    fields = ("module",)

    def __init__(self, forward: Module, backward: Module | None = None, merge: Any = None) -> None:
        self._take(forward, backward, merge)
        fwd, bwd = Sequencer(self.forwardModule), Sequencer(self.backwardModule)
        merged = Sequencer(self.mergeModule)
        self.__dict__.update(fwdSeq=fwd, bwdSeq=bwd, mergeSeq=merged)
        both = ConcatTable(fwd, Sequential(ReverseTable(), bwd, ReverseTable()))
        self._modules["module"] = Sequential(both, ZipTable(), merged)

    def part_names(self) -> dict[str, Any]:
        return {
            name: self.__dict__[name] for name in ("fwdSeq", "bwdSeq", "mergeSeq") if name in self.__dict__
        }

    @property
    def whole(self) -> Any:
        return self._modules["module"]

    def set_child_list(self, children: list[Any]) -> None:
        if len(children) != 1:
            raise TorchError(f"{self.class_name} holds one module, not {len(children)}")
        self._modules["module"] = children[0]

    def forward(self, input: Any) -> Any:
        return self.whole(input)

    def updateOutput(self, input: Any) -> Any:
        return self.set_output(self.whole.updateOutput(input))

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        return self.set_grad_input(self.whole.updateGradInput(input, gradOutput))

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        self.whole.accGradParameters(input, gradOutput, scale)

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        self.whole.accUpdateGradParameters(input, gradOutput, lr)

    def clearState(self) -> Module:
        self.whole.clearState()
        self.__dict__.update(output=[], gradInput=[])
        return self

    def describe(self) -> str:
        return f"{self.class_name} @ {self.whole.describe()}"


@layer("nn.BiSequencerLM", package="rnn", takes="steps", gives="steps", parts="each")
class BiSequencerLM(Bidirectional):
    """``nn.BiSequencerLM(forward[, backward, merge])``: for language models, each output from the other steps alone.

    Shapes: a table of n > 1 inputs -> a table of n outputs. Output t merges what forward gives of inputs 1 to t-1
    with what backward gives of inputs n to t+1; zeros stand for what would come before the first and after the
    last. The modules may be sequencers, or have steps.
    """

    parts = ("_fwd", "_bwd", "_merge")
    fields = parts

    def part_names(self) -> dict[str, Any]:
        return {name[1:]: module for name in self.parts if (module := self._modules.get(name)) is not None}

    def __init__(self, forward: Module, backward: Module | None = None, merge: Any = None) -> None:
        self._take(forward, backward, merge)
        fwd, bwd = (
            Sequencer(module) if isinstance(module, AbstractRecurrent) else module
            for module in (self.forwardModule, self.backwardModule)
        )
        merged = Sequencer(self.mergeModule)
        self.__dict__.update(fwdSeq=fwd, bwdSeq=bwd, mergeSeq=merged)
        self._modules["_fwd"] = fwd
        self._modules["_bwd"] = Sequential(ReverseTable(), bwd, ReverseTable())
        self._modules["_merge"] = Sequential(ZipTable(), merged)

    def set_child_list(self, children: list[Any]) -> None:
        if len(children) != len(self.parts):
            raise TorchError(f"{self.class_name} holds {len(self.parts)} modules, not {len(children)}")
        self._modules.update(zip(self.parts, children, strict=True))

    def _padded(self, forward: list[Any], backward: list[Any]) -> list[Any]:
        return [[zeros_like(forward[0]), *forward], [*backward, zeros_like(backward[0])]]

    def _check(self, input: Any) -> None:
        if not isinstance(input, list) or len(input) < 2:
            raise TorchError(f"{self.class_name} expects a table of at least 2 steps")

    def forward(self, input: Any) -> Any:
        self._check(input)
        fwd, bwd, merge = self.child_list()
        return merge(self._padded(fwd(input[:-1]), bwd(input[1:])))

    def updateOutput(self, input: Any) -> Any:
        self._check(input)
        fwd, bwd, merge = self.children_of()
        self.__dict__["_merge_input"] = self._padded(
            fwd.updateOutput(input[:-1]), bwd.updateOutput(input[1:])
        )
        return self.set_output(merge.updateOutput(self.__dict__["_merge_input"]))

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        self._check(input)
        fwd, bwd, merge = self.children_of()
        of_merge = merge.updateGradInput(self._merged(), gradOutput)
        first = fwd.updateGradInput(input[:-1], of_merge[0][1:])
        last = bwd.updateGradInput(input[1:], of_merge[1][:-1])
        between = [add_gradients(self, a, b) for a, b in zip(first[1:], last[:-1], strict=True)]
        return self.keep_results("gradInput", [first[0], *between, last[-1]], [first[0], last[-1]])

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        self._check(input)
        fwd, bwd, merge = self.children_of()
        merge.accGradParameters(self._merged(), gradOutput, scale)
        of_merge = merge.gradInput
        fwd.accGradParameters(input[:-1], of_merge[0][1:], scale)
        bwd.accGradParameters(input[1:], of_merge[1][:-1], scale)

    def _merged(self) -> Any:
        if self.__dict__.get("_merge_input") is None:
            raise TorchError(f"{self.class_name}: backward without a forward")
        return self.__dict__["_merge_input"]

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        self.updateGradInput(input, gradOutput)
        self.accGradParameters(input, gradOutput, scale)
        return self.gradInput

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        self._check(input)
        fwd, bwd, merge = self.children_of()
        merge.accUpdateGradParameters(self._merged(), gradOutput, lr)
        of_merge = merge.gradInput
        fwd.accUpdateGradParameters(input[:-1], of_merge[0][1:], lr)
        bwd.accUpdateGradParameters(input[1:], of_merge[1][:-1], lr)

    def clearState(self) -> Module:
        self.__dict__.update(_merge_input=None)
        super().clearState()
        self.__dict__.update(output=[], gradInput=[])
        return self

    def describe(self) -> str:
        labels = ("  fwd  ", "  bwd  ", " merge ")
        lines = [f"{self.class_name} {{"]
        for label, child in zip(labels, self.children_of(), strict=True):
            lines.append(f"  ({label}): " + child.describe().replace("\n", "\n    |    "))
        return "\n".join([*lines, "}"])


@layer(
    "nn.SeqBRNN",
    package="rnn",
    keeps_rank=True,
    parts="built",
    gives="tensor",
    example="inputDim",
    takes="sequence",
)
class SeqBRNN(PartNames, Container):
    """``nn.SeqBRNN(inputDim, hiddenDim[, batchFirst, merge])``: a SeqLSTM from the first step on and one from the last.

    Shapes: ``(steps, batch, inputDim)`` -> ``(steps, batch, hiddenDim)``, with batchFirst the batch first. The outputs
    of both are merged by the module merge, by default ``nn.CAddTable()``.
    """

    fields: ClassVar[tuple[str, ...]] = ("module", "forwardModule", "backwardModule", "merge", "dim")

    def __init__(self, inputDim: int, hiddenDim: int, batchFirst: bool = False, merge: Any = None) -> None:
        first, last = SeqLSTM(inputDim, hiddenDim), SeqLSTM(inputDim, hiddenDim)
        merge = CAddTable() if merge is None else merge
        if not isinstance(merge, Module):
            raise TorchError("nn.SeqBRNN expects a module to merge with")
        super().__init__()
        self.__dict__.update(forwardModule=first, backwardModule=last, merge=merge, dim=1)
        both = ConcatTable(first, Sequential(SeqReverseSequence(1), last, SeqReverseSequence(1)))
        parts: list[Module] = [both, merge]
        if truthy(batchFirst):
            parts = [Transpose([1, 2]), *parts, Transpose([1, 2])]
        self.add(Sequential(*parts))

    def part_names(self) -> dict[str, Any]:
        held = self.__dict__
        return {name: held[name] for name in ("forwardModule", "backwardModule", "merge") if name in held}

    def get_field(self, name: str) -> Any:
        return self.whole if name == "module" else super().get_field(name)

    @property
    def whole(self) -> Any:
        return self.child_list()[0]

    def forward(self, input: Any) -> Any:
        return self.whole(input)

    def updateOutput(self, input: Any) -> Any:
        return self.set_output(self.whole.updateOutput(input))

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        return self.set_grad_input(self.whole.updateGradInput(input, gradOutput))

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        self.whole.accGradParameters(input, gradOutput, scale)

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        self.whole.accUpdateGradParameters(input, gradOutput, lr)

    def sharedAccUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        self.whole.sharedAccUpdateGradParameters(input, gradOutput, lr)

    def describe(self) -> str:
        return f"{self.class_name} @ {self.whole.describe()}"


def zeros_like(value: Any) -> Any:
    return [zeros_like(item) for item in value] if isinstance(value, list) else torch.zeros_like(value)
