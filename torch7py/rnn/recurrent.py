"""Recurrent, the simple recurrent network of given modules; Recursor, any module as one with steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from torch7py.nn.activation import Sigmoid
from torch7py.nn.arithmetic import Add
from torch7py.nn.container import ParallelTable, Sequential
from torch7py.nn.object import TorchObject, names
from torch7py.nn.registry import layer
from torch7py.nn.sequence_methods import shared_clone
from torch7py.nn.table_math import CAddTable
from torch7py.nn.trace import same_memory
from torch7py.ops import types
from torch7py.ops.errors import TorchError
from torch7py.ops.memory import Storage
from torch7py.rnn import generation
from torch7py.rnn.abstract import AbstractRecurrent, add_gradients, unroll

__all__ = ["Recurrent", "Recursor"]


def start_module(start: Any) -> Any:
    """The module of the first step: given, or a learned vector of a size."""
    if isinstance(start, bool) or not isinstance(start, (torch.nn.Module, int, float, Storage, list)):
        raise TorchError(
            "nn.Recurrent expects a module, a number, a LongStorage or a table of sizes as start"
        )
    if isinstance(start, list):
        start = Storage.of_values(types.LONG, torch.tensor(start))
    return start if isinstance(start, torch.nn.Module) else Add(start)


@layer(
    "nn.Recurrent", package="rnn", keeps="always", parts="steps", keeps_rank=True, gradient_reads_output=True
)
class Recurrent(AbstractRecurrent):
    """``nn.Recurrent(start, input, feedback[, transfer, rho, merge])``: a simple recurrent network.

    Step 1 is ``h1 = transfer(start(input(x1)))``, a later one ``ht = transfer(merge{input(xt), feedback(ht-1)})``.
    start is a module, or the size of an ``nn.Add``; transfer is ``nn.Sigmoid`` and merge ``nn.CAddTable`` unless
    given. rho is 99999 by default, in the package of 2015 it is 5.

    Shapes: a step's input is what ``input`` takes, its output what ``transfer`` gives.
    """

    fields = (
        "startModule",
        "inputModule",
        "feedbackModule",
        "transferModule",
        "mergeModule",
        "initialModule",
    )
    lua_methods = names("buildInitialModule buildRecurrentModule")

    answering = AbstractRecurrent.answering | {"reinforce"}
    first_clone = 2
    handed_back = "_gradHidden"  # no script sees it
    parts = fields[:5]

    def __init__(
        self,
        start: Any,
        input: Any,
        feedback: Any,
        transfer: Any = None,
        rho: int | None = None,
        merge: Any = None,
    ) -> None:
        super().__init__(generation.current().recurrent_rho if rho is None else rho)
        start = start_module(start)
        transfer = Sigmoid() if transfer is None else transfer
        merge = CAddTable() if merge is None else merge
        for name, module in zip(self.parts, (start, input, feedback, transfer, merge), strict=True):
            if not isinstance(module, torch.nn.Module):
                raise TorchError(f"nn.Recurrent expects a module as {name.removesuffix('Module')}")
            self._modules[name] = module
        self.buildInitialModule()
        self.buildRecurrentModule()
        self.__dict__["sharedClones"] = {self.first_clone: self.step_module}

    def buildInitialModule(self) -> None:
        """``m:buildInitialModule()``: the module of the first step."""
        parts: Any = self._modules
        first = Sequential()
        first.add(shared_clone(parts["inputModule"], companion=True))
        first.add(parts["startModule"])
        first.add(shared_clone(parts["transferModule"], companion=True))
        self.__dict__["initialModule"] = first
        self._note_first_parts()

    def buildRecurrentModule(self) -> None:
        """``m:buildRecurrentModule()``: the module of the other steps."""
        parts: Any = self._modules
        both = ParallelTable()
        both.add(parts["inputModule"]).add(parts["feedbackModule"])
        self.__dict__["recurrentModule"] = (
            Sequential().add(both).add(parts["mergeModule"]).add(parts["transferModule"])
        )

    def _wrap_step(self, decorator: str, nInputDim: int) -> AbstractRecurrent:
        raise TorchError(
            f"{self.class_name} cannot be masked, for its first step has a module of its own: use nn.Recurrence"
        )

    def set_child_list(self, children: list[Any]) -> None:
        if len(children) != len(self.parts):
            raise TorchError(f"{self.class_name} holds {len(self.parts)} modules, not {len(children)}")
        self._modules.update(zip(self.parts, children, strict=True))

    def set_field(self, name: str, value: Any) -> Any:
        if name == "initialModule":
            self.__dict__[name] = value
            return value
        return super().set_field(name, value)

    def get_field(self, name: str) -> Any:
        value = super().get_field(name)
        if name == "initialModule" and isinstance(value, torch.nn.Module):
            for part in value.modules():
                part.__dict__["_inside"] = self
        return value

    def inner(self) -> Iterator[TorchObject]:
        yield from super().inner()
        yield self.initialModule

    def existing_clones(self) -> list[Any]:
        others = [clone for clone in super().existing_clones() if clone is not self.step_module]
        return [self.initialModule, self.step_module, *others]

    # -- steps --------------------------------------------------------------------------------------------

    def unroll(self, inputs: list[Any]) -> list[Any]:
        outputs: list[Any] = []
        for input in inputs:
            outputs.append(self.step_module([input, outputs[-1]]) if outputs else self._first_step(input))
        return outputs

    def _first_step(self, input: Any) -> Any:
        """The first step, by the module's own parts where no script has put others into ``initialModule``."""
        first = self.initialModule
        children = tuple(first._modules.values())
        if children != self.__dict__.get("_first_parts") or any(
            "_marked" in c.__dict__ for c in (first, *children)
        ):
            return first(input)
        for name in ("inputModule", "startModule", "transferModule"):
            input = self._modules[name](input)  # type: ignore[misc]
        return input

    def _note_first_parts(self) -> None:
        """Remember what ``initialModule`` is made of where that computes the same as the module's own parts."""
        first: Any = self.__dict__.get("initialModule")
        parts: Any = self._modules
        children: tuple[Any, ...] = tuple(first._modules.values()) if type(first) is Sequential else ()
        if len(children) == 3 and children[1] is parts.get("startModule"):
            pairs = [(children[0], parts["inputModule"]), (children[2], parts["transferModule"])]
            if all(
                [type(p) for p in one.modules()] == [type(p) for p in other.modules()]
                and same_memory(list(one.parameters()), list(other.parameters()))
                for one, other in pairs
            ):
                self.__dict__["_first_parts"] = children

    def restored(self) -> None:
        super().restored()
        self._note_first_parts()

    def updateOutput(self, input: Any) -> Any:
        self.look_into_steps()
        module = self.initialModule if self.step == 1 else self.module_forward()
        return self.advance(input, module.updateOutput(self.step_input(self.step, input)))

    def past_module(self, step: int) -> Any:
        if step == 1:
            self.look_into_steps()
            self._check_known(step)
            return self.initialModule
        return super().past_module(step)

    def step_input(self, step: int, input: Any) -> Any:
        if step == 1:
            return input
        if step - 1 not in self.outputs:
            raise TorchError(
                f"{self.class_name}: the output of step {step - 1} is not kept (rho is {self.rho})"
            )
        return [input, self.outputs[step - 1]]

    def step_gradient(self, step: int, gradOutput: Any) -> Any:
        later = self.__dict__[self.handed_back].get(step)
        return gradOutput if later is None else add_gradients(self, later, gradOutput)

    def step_acc_grad(self, step: int, input: Any, gradOutput: Any, scale: float) -> None:
        total = gradOutput if step == self.step - 1 else self.total_of(step)
        self.past_module(step).accGradParameters(self.step_input(step, input), total, scale)

    def hand_back(self, step: int, gradient: Any) -> Any:
        if step == 1:
            return gradient
        of_input, self.__dict__[self.handed_back][step - 1] = gradient
        return of_input

    def describe(self) -> str:
        start, input, feedback, transfer, merge = (m.describe() for m in self.child_list())

        def indented(text: str, by: str) -> str:
            return text.replace("\n", "\n" + by)

        return "\n".join(
            [
                f"{self.class_name} {{",
                "  [{input(t), output(t-1)} -> (1) -> (2) -> (3) -> output(t)]",
                "  (1):  {",
                "    input(t)",
                "      |`-> (t==0): " + indented(start, "    |    "),
                "      |`-> (t~=0): " + indented(input, "    |    "),
                "    output(t-1)",
                "      |`-> " + indented(feedback, "      |    "),
                "  }",
                "  (2): " + indented(merge, "  "),
                "  (3): " + indented(transfer, "  "),
                "}",
            ]
        )


@layer("nn.Recursor", package="rnn", parts="one")
class Recursor(AbstractRecurrent):
    """``nn.Recursor(module[, rho])``: any module as one with steps.

    Shapes: the module's, one step a call. Recurrent modules inside step along.
    """

    fields = ("module",)

    def __init__(self, module: Any, rho: int | None = None) -> None:
        if not isinstance(module, torch.nn.Module):
            raise TorchError("nn.Recursor expects a module")
        super().__init__(9999999 if rho is None else rho)
        self.set_step_module(module)

    def get_field(self, name: str) -> Any:
        return self.step_module if name == "module" else super().get_field(name)

    def set_field(self, name: str, value: Any) -> Any:
        if name == "module":
            self.set_step_module(value)
            return value
        return super().set_field(name, value)

    def unroll(self, inputs: list[Any]) -> list[Any]:
        return unroll(self.step_module, inputs)

    def updateOutput(self, input: Any) -> Any:
        return self.advance(input, self.module_forward().updateOutput(input))

    def past_module(self, step: int) -> Any:
        module = super().past_module(step)
        module.setOutputStep(step)
        return module

    def step_acc_grad(self, step: int, input: Any, gradOutput: Any, scale: float) -> None:
        self.past_module(step).accGradParameters(input, gradOutput, scale)

    def maxBPTTstep(self, rho: int) -> None:
        super().maxBPTTstep(rho)
        self.step_module.maxBPTTstep(rho)

    def getHiddenState(self, step: int | None = None, input: Any = None) -> Any:
        return self.step_module.getHiddenState(step, input)

    def setHiddenState(self, step: int | None, hiddenState: Any = None) -> None:
        self.step_module.setHiddenState(step, hiddenState)

    def getGradHiddenState(self, step: int | None = None) -> Any:
        return self.step_module.getGradHiddenState(step)

    def setGradHiddenState(self, step: int | None, gradHiddenState: Any = None) -> None:
        self.step_module.setGradHiddenState(step, gradHiddenState)

    def describe(self) -> str:
        return f"{self.class_name} @ {self.step_module.describe()}"
