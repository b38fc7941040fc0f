"""Modules that take a whole sequence: Sequencer runs a module over it, Repeater over one input again and again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import torch

from torch7py.nn.base import Module
from torch7py.nn.container import Container
from torch7py.nn.copying import TensorMap
from torch7py.nn.object import TorchObject, names
from torch7py.nn.registry import layer
from torch7py.nn.sequence_methods import other_generation
from torch7py.nn.trace import same_memory
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.rnn import fused_sequence, generation
from torch7py.rnn.abstract import AbstractRecurrent, add_gradients, unroll
from torch7py.rnn.recurrent import Recursor
from torch7py.rnn.steps import alike, rebound, together, unstack_steps

__all__ = ["AbstractSequencer", "Repeater", "Sequencer", "copied", "steps_of"]

MODES = ("both", "train", "eval", "neither")


def copied(value: Any) -> Any:
    """Copies of the tensors of a value, in its nesting."""
    return [copied(item) for item in value] if isinstance(value, list) else value.data.clone()


def steps_of(input: Any, other: Any, owner: TorchObject, equal: bool = True) -> int:
    """The number of steps of two sequences that belong together (tables, or tensors along dimension 1).

    Unless ``equal``, the other may be longer.
    """
    if input.__class__ is list and other.__class__ is list and len(input) == len(other):
        return len(input)
    for sequence in (input, other):
        if not isinstance(sequence, (torch.Tensor, list)):
            raise TorchError(f"{owner.class_name}: a sequence is a table or a tensor")
    if isinstance(input, torch.Tensor) != isinstance(other, torch.Tensor):
        raise TorchError(f"{owner.class_name}: one of the two sequences is a tensor, the other a table")
    if len(input) != len(other) and (equal or len(input) > len(other)):
        raise TorchError(f"{owner.class_name}: sequences of {len(input)} and {len(other)} steps")
    return len(input)


@layer("nn.AbstractSequencer", package="rnn")
class AbstractSequencer(Container):
    """``nn.AbstractSequencer()``: the base of modules that take a whole sequence."""

    fields: ClassVar[tuple[str, ...]] = ("_remember",)
    nil_as: ClassVar[dict[str, Any]] = {"_remember": "neither"}
    lua_methods = names("hasMemory")

    def __init__(self) -> None:
        super().__init__()
        self.__dict__["_remember"] = "neither"

    def prepare_blank(self) -> None:
        super().prepare_blank()
        self.__dict__["_remember"] = "neither"

    def remember(self, remember: str | None = None) -> Any:
        """``m:remember([mode])``: keep the memory between calls: 'both' (the default here), 'train', 'eval' or
        'neither'."""
        mode = "both" if remember is None else remember
        if mode not in MODES:
            raise TorchError(f"remember: '{mode}' is none of {', '.join(MODES)}")
        self.__dict__["_remember"] = mode
        return self

    def hasMemory(self) -> bool:
        """``m:hasMemory()``: whether the memory is kept between calls in the present mode."""
        return self._remember in ("both", "train" if self.training else "eval")

    def maxBPTTstep(self, rho: int) -> None:
        pass

    def sharedClone(
        self, shareParams: bool = True, shareGradParams: bool = True, stepClone: bool = False
    ) -> Any:
        return super().sharedClone(shareParams, shareGradParams)  # for another step, too

    def backwardThroughTime(self) -> Any:
        """``m:backwardThroughTime()``, of 2015: nothing, the backward of a sequence has gone through time."""
        if state.current().generation != 2015:
            raise other_generation("backwardThroughTime", 2015)

    def give(self, name: str, input: Any, steps: list[Any]) -> Any:
        """Make the results of the steps the content of a field: a table, or a tensor where the input is one.

        The table is a new one each time, but for outputs in evaluation.
        """
        if isinstance(input, torch.Tensor):
            return self.keep(name, torch.stack(steps), is_result=True)
        if self.training or name != "output":
            self.__dict__[name] = None
            if name == "output" and "_given" in self.__dict__:  # the last evaluation's table is left alone
                self.__dict__["_given"].pop(name, None)
        return self.keep_list(name, steps)

    def give_joined(self, name: str, input: Any, steps: torch.Tensor | list[torch.Tensor]) -> Any:
        """The same for the results of all steps in one tensor; where they are tables, in one for each place."""
        if isinstance(steps, list):
            return self.give(name, input, unstack_steps(steps))
        if isinstance(input, torch.Tensor):
            return self.keep(name, steps)
        known: list[torch.Tensor] = self.__dict__.setdefault("_given", {}).setdefault(name, [])
        return self.give(name, input, rebound(known, steps))

    def clearState(self) -> Module:
        # The entries of a table are those of the modules inside: let go of them.
        for name in ("output", "gradInput"):
            if isinstance(self.__dict__[name], list):
                self.__dict__[name].clear()
            else:
                self.clear(name)
        for child in self.children_of():
            child.clearState()
        return self


@layer("nn.Sequencer", package="rnn", keeps="remembered", takes="steps", gives="steps", parts="each")
class Sequencer(AbstractSequencer):
    """``nn.Sequencer(module)``: the module applied to each step of a sequence.

    Shapes: a table of the module's inputs -> a table of its outputs; or a tensor ``(steps, ...)`` ->
    ``(steps, ...)``. A module without steps of its own becomes a Recursor; in the package of 2015 it does not, and
    must have no recurrent module inside. The memory is forgotten before each call unless ``remember`` says
    otherwise.

    The sequence is computed as one piece where that can be done (fused_sequence.py), else step by step.
    """

    links = ("module",)
    transient = (*AbstractSequencer.transient, "_run", "_given", "_went_back_for", "_first_half")
    spare: ClassVar[dict[str, Any]] = {
        "_remember": "neither",
        "_output": [],
        "tableoutput": [],
        "tablegradInput": [],
        "dpnn_mediumEmpty": ["output", "gradInput", "momGradParams", "dpnn_input", "_output"],
    }

    def __init__(self, module: Module) -> None:
        if not isinstance(module, Module):
            raise TorchError("nn.Sequencer expects a module")
        super().__init__()
        if not isinstance(module, AbstractRecurrent):
            if generation.current().wraps_plain_modules:
                module = Recursor(module)
            else:
                self._refuse_recurrent(module)
        else:
            module.__dict__.update(copyInputs=False, copyGradOutputs=False)
        self.set_child_list([module])
        self.__dict__["output"] = []

    @staticmethod
    def _refuse_recurrent(module: Module) -> None:
        inner = next((part for part in module.modules() if isinstance(part, AbstractRecurrent)), None)
        if inner is not None:
            raise TorchError(
                f"nn.Sequencer: in the rnn package of 2015 a {module.class_name} in a Sequencer cannot hold a "
                f"{inner.class_name}: give each its own Sequencer, or run with --rnn-api 2016"
            )

    def set_child_list(self, children: list[Any]) -> None:
        if len(children) != 1:
            raise TorchError(f"{self.class_name} holds one module, not {len(children)}")
        self._set_module(children[0])

    def set_field(self, name: str, value: Any) -> Any:
        if name == "module":
            self._set_module(value)
            return value
        return super().set_field(name, value)

    def _set_module(self, module: Any) -> None:
        """The module that scripts see; where it has no steps of its own, a hidden Recursor gives it some."""
        if self._modules.get("module") is module:
            return
        self._modules["module"] = module
        stepper = module
        if not isinstance(module, AbstractRecurrent):
            stepper = Recursor(module)
            stepper.__dict__["_generation"] = generation.LATEST
            if not self.training:
                stepper.set_evaluate()
        self.__dict__["_stepper"] = stepper

    @property
    def stepper(self) -> Any:
        return self.__dict__["_stepper"]

    def inner(self) -> Iterator[TorchObject]:
        yield from super().inner()
        yield self.stepper

    def forward(self, input: Any) -> Any:
        """From Python: a list of steps or ``(steps, batch, ...)``, from a forgotten memory."""
        outputs = unroll(self.stepper, list(input))
        return torch.stack(outputs) if isinstance(input, torch.Tensor) else outputs

    def updateOutput(self, input: Any) -> Any:
        if not isinstance(input, (torch.Tensor, list)):
            raise TorchError(f"{self.class_name}: the input must be a table or a tensor of steps")
        if len(input) == 0:
            raise TorchError(f"{self.class_name}: a sequence without steps")
        module = self.stepper
        last: fused_sequence.FusedSequence | None = self.__dict__.pop("_run", None)
        module.maxBPTTstep(len(input))
        if not self.hasMemory():
            if last is not None:
                last.drop()
            module.forget()
        self.__dict__["_run"] = last = None  # its memory is free for the next results
        begun = fused_sequence.start(module, input)
        if begun is not None:
            self.__dict__["_run"], joined = begun
            if isinstance(input, torch.Tensor) or not self.training:
                # Here the steps' own outputs are copied: a script may write to these.
                return self.give_joined("output", input, joined.clone())
            first = module.step - len(joined)
            return self.give("output", input, [module.outputs[step] for step in range(first, module.step)])
        if self.training:
            outputs = [module.updateOutput(step) for step in input]
        else:  # every step has the same output tensor
            outputs = [copied(module.updateOutput(step)) for step in input]
        return self.give("output", input, outputs)

    def _step_by_step(self, input: Any) -> None:
        """Do the steps of the last forward once more, one by one, for a backward that cannot be one piece."""
        run = self.__dict__["_run"]
        self.__dict__["_run"] = None
        run.undo()
        with run.masks.again():
            for step in input:
                self.stepper.updateOutput(step)
        run.join_states()

    def _back_at_once(self, input: Any, gradOutput: Any) -> Any:
        """The gradient of the input by the run of the last forward; None when it must go step by step."""
        run = self.__dict__.get("_run")
        if run is None:
            return None
        if run.went_back and self.stepper.generation.goes_back_once:
            raise TorchError(f"{self.stepper.class_name}: backward without a forward of its step")
        if self.training and run.steps == len(input):
            inputs, gradients = together(input), alike(gradOutput)
            if run.fits(inputs, gradients):
                self.__dict__["_went_back_for"] = input
                return run.grad_input(inputs, gradients)
        self._step_by_step(input)
        return None

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        steps_of(input, gradOutput, self)
        gradients = self._back_at_once(input, gradOutput)
        module = self.stepper
        if gradients is not None:
            if isinstance(gradients, list) or isinstance(input, torch.Tensor):
                return self.give_joined("gradInput", input, gradients)
            return self.give("gradInput", input, module.last_steps("gradInputs", gradients.unbind()))
        return self.give("gradInput", input, module.generation.sequence_grad_input(module, input, gradOutput))

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        steps_of(input, gradOutput, self)
        run = self.__dict__.get("_run")
        # Unless it follows the first half in a ``backward``, it may have been given something else.
        first_half = self.__dict__.get("_first_half", (None, None))
        backward = first_half[0] is input and first_half[1] is gradOutput
        if run is not None and run.went_back:
            if run.accumulated and self.stepper.generation.goes_back_once:
                raise TorchError(
                    f"{self.stepper.class_name}: accGradParameters without the updateGradInput of its step"
                )
            if not backward and same_memory(self.__dict__.get("_went_back_for"), input):
                run.take(together(input))  # as they are by then
            if backward or run.went_back_with(together(input), alike(gradOutput)):
                run.acc_grad(scale)
                run.accumulated = True
                return
            steps, gradients = unstack_steps(run.inputs[0]), unstack_steps(run.gradients[-1])
            self._step_by_step(steps)
            self.stepper.generation.sequence_grad_input(self.stepper, steps, gradients)
        self.stepper.generation.sequence_acc_grad(self.stepper, input, gradOutput, scale)

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        self.updateGradInput(input, gradOutput)
        self.__dict__["_first_half"] = input, gradOutput
        try:
            self.accGradParameters(input, gradOutput, scale)  # which may be a script's
        finally:
            self.__dict__["_first_half"] = None, None
        return self.gradInput

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        raise TorchError(f"{self.class_name} has no accUpdateGradParameters")

    def set_training(self) -> None:
        if not self.training:
            self.forget()
        super().set_training()
        self.stepper.set_training()

    def set_evaluate(self) -> None:
        if self.training:
            self.forget()
        super().set_evaluate()
        self.stepper.set_evaluate()

    def forget(self) -> Any:
        self.__dict__["_run"] = None
        self.stepper.forget()
        return self

    def convert(self, convert: TensorMap, type_name: str | None, seen: set[int] | None = None) -> None:
        self.__dict__["_run"] = None
        super().convert(convert, type_name, seen)

    def clearState(self) -> Module:
        self.__dict__["_run"] = None
        super().clearState()
        self.stepper.clearState()
        return self

    def describe(self) -> str:
        return f"{self.class_name} @ {self._modules['module'].describe()}"  # type: ignore[union-attr,operator]


@layer("nn.Repeater", package="rnn", takes="any", gives="steps", parts="each")
class Repeater(AbstractSequencer):
    """``nn.Repeater(module, rho)``: the same input for rho steps.

    Shapes: the module's input -> a table of rho outputs. A module without steps of its own becomes a Recursor; in
    the package of 2015 it must have steps.
    """

    links = ("module",)
    fields = ("rho", "nStep", "rnn")
    unsaved = ("nStep", "rnn")  # other names of two fields

    def __init__(self, module: Module, rho: int) -> None:
        if not isinstance(module, Module):
            raise TorchError("nn.Repeater expects a module")
        if isinstance(rho, bool) or not isinstance(rho, (int, float)) or rho < 1:
            raise TorchError("nn.Repeater expects a number of steps, at least 1")
        super().__init__()
        if not isinstance(module, AbstractRecurrent):
            if not generation.current().wraps_plain_modules:
                raise TorchError("nn.Repeater expects a module with steps in the rnn package of 2015")
            module = Recursor(module)
        self.__dict__["rho"] = int(rho)
        if generation.current().wraps_plain_modules:
            module.maxBPTTstep(int(rho))
        self._modules["module"] = module
        self.__dict__["output"] = []

    @property
    def stepper(self) -> Any:
        return self._modules["module"]

    def get_field(self, name: str) -> Any:
        if name == "nStep":
            return self.rho
        return self.stepper if name == "rnn" else super().get_field(name)

    def set_child_list(self, children: list[Any]) -> None:
        if len(children) != 1:
            raise TorchError(f"{self.class_name} holds one module, not {len(children)}")
        self._modules["module"] = children[0]

    def maxBPTTstep(self, rho: int) -> None:
        self.__dict__["rho"] = int(rho)
        self.stepper.maxBPTTstep(int(rho))

    def forward(self, input: Any) -> list[Any]:
        return unroll(self.stepper, [input] * self.rho)

    def updateOutput(self, input: Any) -> Any:
        self.stepper.forget()
        return self.keep_results(
            "output", [copied(self.stepper.updateOutput(input)) for _ in range(self.rho)]
        )

    def _check(self, gradOutput: Any) -> None:
        if not isinstance(gradOutput, list) or len(gradOutput) != self.rho:
            raise TorchError(f"{self.class_name}: gradOutput must be a table of {self.rho} gradients")
        if self.stepper.step - 1 != self.rho:
            raise TorchError(
                f"{self.class_name}: the module has done {self.stepper.step - 1} steps, not {self.rho}"
            )

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        self._check(gradOutput)
        module = self.stepper
        gradients = module.generation.sequence_grad_input(module, [input] * self.rho, gradOutput)
        total = copied(gradients[-1])
        for gradient in reversed(gradients[:-1]):
            total = add_gradients(self, total, gradient)
        return self.keep_grad_input(total, gradients)

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        self._check(gradOutput)
        self.stepper.generation.sequence_acc_grad(self.stepper, [input] * self.rho, gradOutput, scale)

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        self.updateGradInput(input, gradOutput)
        self.accGradParameters(input, gradOutput, scale)
        return self.gradInput

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        self._check(gradOutput)
        for gradient in reversed(gradOutput):
            self.stepper.accUpdateGradParameters(input, gradient, lr)

    def describe(self) -> str:
        inner = self.stepper.describe().replace("\n", "\n  ")
        arrows = "       V         V             V     "
        return "\n".join(
            [
                f"{self.class_name} {{",
                "  [  input,    input,  ...,  input  ]",
                arrows,
                f"  {inner}",
                arrows,
                f"  [output(1),output(2),...,output({self.rho})]",
                "}",
            ]
        )
