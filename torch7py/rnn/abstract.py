"""AbstractRecurrent: what every module with a step has.

Each step of a sequence in training has its own clone of ``recurrentModule`` with the same parameters, so that all
of them can go back. How a backward is asked for depends on the generation of the package (generation.py); how one
step goes back does not, and is here, in three questions that a module answers:

- ``step_input``: what does the clone of a step take?
- ``step_gradient``: what is the gradient of all it gives, with what the next step adds?
- ``hand_back``: which part of its gradient is the input's, and which goes to the step before?
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import given_text
from torch7py.nn.base import Module
from torch7py.nn.container import Container, Sequential
from torch7py.nn.copying import TensorMap
from torch7py.nn.object import TorchObject, names
from torch7py.nn.registry import layer, layers
from torch7py.ops.errors import TorchError
from torch7py.rnn.generation import GENERATIONS, Generation, current_year

__all__ = ["AbstractRecurrent", "add_gradients", "unroll"]


def add_gradients(owner: TorchObject, one: Any, other: Any) -> Any:
    """The sum of two gradients of the same nesting and sizes, new."""
    if isinstance(one, list):
        if not isinstance(other, list) or len(one) != len(other):
            raise TorchError(f"{owner.class_name}: gradOutput is not a table like the output")
        return [add_gradients(owner, a, b) for a, b in zip(one, other, strict=True)]
    if not isinstance(other, torch.Tensor) or one.numel() != other.numel():
        raise TorchError(
            f"{owner.class_name}: gradOutput is {given_text(other)}, the output {given_text(one)}"
        )
    return one + (other if one.shape == other.shape else other.reshape(one.shape))


def unroll(module: Any, inputs: list[Any]) -> list[Any]:
    """Any module on each step of a sequence, differentiable, from a forgotten memory."""
    if isinstance(module, AbstractRecurrent):
        return module.unroll(inputs)
    if type(module) is Sequential:
        for child in module.child_list():
            inputs = unroll(child, inputs)
        return inputs
    if any(isinstance(part, AbstractRecurrent) for part in module.modules()):
        raise TorchError(
            f"from Python a recurrent module inside {module.class_name} cannot be run over a sequence"
        )
    return [module(input) for input in inputs]


@layer("nn.AbstractRecurrent", package="rnn")
class AbstractRecurrent(Container):
    """``nn.AbstractRecurrent([rho])``: the base of modules with a step.

    ``rho`` bounds the steps that can be gone back through; ``step`` is the number of the next step, from 1.
    ``outputs`` and ``gradInputs`` hold those of past steps by number, ``sharedClones`` the clones.
    """

    keeps_steps = True
    structural = Container.structural | {"maskZero", "trimZero"}
    transient = (*Container.transient, "_run")
    # The tables by step number, which Lua hands back as arrays.
    by_step: ClassVar[frozenset[str]] = frozenset(
        "outputs gradInputs gradOutputs _gradOutputs inputs scales sharedClones cells gradCells".split()
    )
    fields: ClassVar[tuple[str, ...]] = (
        "rho",
        "step",
        "recurrentModule",
        "sharedClones",
        "nSharedClone",
        "outputs",
        "gradInputs",
        "gradOutputs",
        "_gradOutputs",
        "updateGradInputStep",
        "accGradParametersStep",
        "inputs",
        "scales",
        "fastBackward",
        "copyInputs",
        "copyGradOutputs",
        "gradParametersAccumulated",
    )
    nil_as: ClassVar[dict[str, Any]] = {"copyInputs": False, "copyGradOutputs": False, "nSharedClone": 1}
    lua_methods = names(
        "getStepModule recycle maskZero trimZero _updateGradInput _accGradParameters updateGradInputThroughTime "
        "accGradParametersThroughTime accUpdateGradParametersThroughTime backwardUpdateThroughTime "
        "includingSharedClones"
    )

    virtual = (
        *Container.virtual,
        *"""getStepModule recycle _updateGradInput _accGradParameters backwardThroughTime
        updateGradInputThroughTime accGradParametersThroughTime accUpdateGradParametersThroughTime
        backwardUpdateThroughTime buildModel buildGate buildInputGate buildForgetGate buildHidden buildCell
        buildOutputGate buildInitialModule buildRecurrentModule""".split(),
    )

    # Tables that are not filled after a sequence that was computed as one piece, until somebody looks.
    of_gradients: ClassVar[frozenset[str]] = frozenset(
        "gradInputs gradOutputs _gradOutputs gradCells inputs".split()
    )
    first_clone: ClassVar[int] = 1  # the first step that a clone of recurrentModule serves
    marks_fast_backward: ClassVar[bool] = (
        True  # 2015: backwardThroughTime says that the gradients are in their buffers
    )

    rho: int
    step: int
    outputs: dict[int, Any]
    gradInputs: dict[int, Any]
    gradOutputs: dict[int, Any]
    sharedClones: dict[int, Any]
    inputs: dict[int, Any]
    scales: dict[int, float]
    gradParametersAccumulated: bool

    def __init__(self, rho: int | None = None) -> None:
        super().__init__()
        self._start_memory(99999 if rho is None else int(rho))

    def prepare_blank(self) -> None:
        super().prepare_blank()
        self._start_memory(99999)

    def _start_memory(self, rho: int) -> None:
        attributes = self.__dict__
        attributes["_generation"] = current_year()
        attributes.update(rho=rho, step=1, sharedClones={}, _gradOutputs={})
        self.generation.start(self)
        self._clear_steps()

    @property
    def generation(self) -> Generation:
        return GENERATIONS[self.__dict__["_generation"]]

    def _clear_steps(self) -> None:
        self.__dict__.update(
            outputs={},
            gradInputs={},
            gradOutputs={},
            _totals={},
            updateGradInputStep=None,
            accGradParametersStep=None,
        )
        self.generation.clear(self)

    # -- PyTorch's face -----------------------------------------------------------------------------------

    def unroll(self, inputs: list[Any]) -> list[Any]:
        """All steps of a sequence from a forgotten memory, differentiable."""
        raise TorchError(f"{self.class_name} has no forward of a sequence")

    def forward(self, input: Any) -> Any:
        """From Python: a list of steps gives a list; else one step, from a forgotten memory."""
        return self.unroll(input) if isinstance(input, list) else self.unroll([input])[0]

    # -- the module of a step -----------------------------------------------------------------------------

    def set_step_module(self, module: Any) -> None:
        """The module of one step; it serves the first step that there are clones for."""
        self.__dict__["recurrentModule"] = module
        self._modules.clear()
        self._modules["recurrentModule"] = module
        self.__dict__["sharedClones"] = {self.first_clone: module}

    @property
    def step_module(self) -> Any:
        module = self.__dict__.get("recurrentModule")
        if module is None:
            raise TorchError(f"{self.class_name} has no recurrentModule")
        return module

    def set_child_list(self, children: list[Any]) -> None:
        if len(children) == 1:
            self.set_step_module(children[0])
        else:
            super().set_child_list(children)

    def set_field(self, name: str, value: Any) -> Any:
        if name in self.by_step and isinstance(value, list):
            value = {step: item for step, item in enumerate(value, 1) if item is not None}
        if name == "recurrentModule":
            self.__dict__[name] = value
            return value
        return super().set_field(name, value)

    def get_field(self, name: str) -> Any:
        if name == "nSharedClone":
            return len(self.sharedClones)
        if name == "sharedClones":
            self.look_into_steps()
        elif name in self.of_gradients:
            self.look_at_gradients()
            if name == "_gradOutputs":
                totals = self.__dict__.get("_totals")
                if totals or "_gradOutputs" not in self.__dict__:  # else a file has put a table there
                    return {step: self.of_output(total) for step, total in (totals or {}).items()}
        return super().get_field(name)

    def field_to_save(self, name: str) -> Any:
        """Clones for steps are saved as they are, like a copy's: what was inside the steps of the last sequence may not
        be known any more, and whoever reads the file begins with a forward."""
        return super().get_field(name) if name == "sharedClones" else super().field_to_save(name)

    def of_output(self, total: Any) -> Any:
        """The part that belongs to the output of the gradient of all that a step gives."""
        return total

    def look_at_gradients(self) -> None:
        """Have the tables by step hold the gradients of the last sequence (see ``fused.Run``)."""
        run = self.__dict__.get("_run")
        if run is not None:
            run.fill()

    def look_into_steps(self) -> None:
        """Have the clones for the steps of the last sequence hold what they would (see ``fused.Run``)."""
        run = self.__dict__.get("_run")
        if run is not None:
            run.replay()

    def inner(self) -> Iterator[TorchObject]:
        yield from super().inner()
        found = self.__dict__.get("recurrentModule")
        if found is not None:
            yield found
        yield from self.sharedClones.values()

    def getStepModule(self, step: int) -> Any:
        """``m:getStepModule(step)``: the clone that serves a step, made when there is none."""
        if step < self.step:
            self.look_into_steps()
        clone = self.sharedClones.get(step)
        if clone is None:
            clone = self.sharedClones[int(step)] = self.step_module.stepClone()
        return clone

    def maskZero(self, nInputDim: int) -> AbstractRecurrent:
        """``m:maskZero(nInputDim)``: output and state become 0 where a step's input is 0 (see ``nn.MaskZero``)."""
        return self._wrap_step("nn.MaskZero", nInputDim)

    def trimZero(self, nInputDim: int) -> AbstractRecurrent:
        """``m:trimZero(nInputDim)``: the same, computed only for inputs that are not 0 (see ``nn.TrimZero``)."""
        if self.torch7_name == "nn.GRU" and self.__dict__.get("p") and not self.__dict__.get("mono"):
            raise TorchError(f"{self.class_name}:trimZero needs mono where there is dropout")
        return self._wrap_step("nn.TrimZero", nInputDim)

    def _wrap_step(self, decorator: str, nInputDim: int) -> AbstractRecurrent:
        made: Any = layers[decorator]
        self.set_step_module(made(self.step_module, nInputDim, True))
        return self

    def past_module(self, step: int) -> Any:
        """The clone that has served a step; an error when none has, or when it serves another step by now."""
        self.look_into_steps()
        clone = self.sharedClones.get(step)
        if clone is None or step not in self.outputs:
            raise TorchError(
                f"{self.class_name}: step {step} is not kept (it is more than rho = {self.rho} steps ago, "
                "or was done in evaluation)"
            )
        return clone

    def recycle(self, offset: int = 0) -> AbstractRecurrent:
        """``m:recycle()``: let the clone of a step more than rho steps ago serve the next one."""
        clones, step = self.sharedClones, self.step
        old = step - max(self.rho + 1, len(clones))
        if step not in clones and old in clones:
            clones[step] = clones.pop(old)
        self.outputs.pop(old - 1, None)
        self.gradInputs.pop(old - 1, None)
        return self

    def module_forward(self) -> Any:
        """The module for the step at hand: a clone in training, always the same one in evaluation."""
        if self.training:
            self.recycle()
            return self.getStepModule(self.step)
        return self.step_module

    def advance(self, input: Any, output: Any) -> Any:
        """One step is done."""
        self.look_into_steps()
        attributes = self.__dict__
        step = attributes["step"]
        attributes["outputs"][step] = output
        self.generation.after_forward(self, input)
        attributes["step"] = step + 1
        attributes["updateGradInputStep"] = attributes["accGradParametersStep"] = None
        return self.set_output(output)

    def keep_steps(self, states: list[list[Any]]) -> None:
        """Several steps are done at once (fused.py): their outputs, each with what else the state has."""
        attributes = self.__dict__
        step = attributes["step"]
        for state in states:
            attributes["outputs"][step] = state[0]
            step += 1
        attributes.update(
            step=step, updateGradInputStep=None, accGradParametersStep=None, gradParametersAccumulated=False
        )
        for table in (attributes["outputs"], attributes["gradInputs"]):
            self.drop_before(table, step - self.rho - 2)
        self.set_output(states[-1][0])

    @staticmethod
    def drop_before(table: dict[int, Any], step: int) -> None:
        """Let go of what was kept of steps before this one."""
        for old in [number for number in table if number < step]:
            del table[old]

    def went_back(self, steps: int) -> None:
        """The last so many steps have gone back at once."""
        first = self.__dict__["step"] - steps
        self.__dict__.update(updateGradInputStep=first, accGradParametersStep=first)

    def next_back(self) -> int:
        """The number after that of the step that goes back next."""
        step: int | None = self.__dict__.get("updateGradInputStep")
        return self.step if step is None else step

    # -- one step back ------------------------------------------------------------------------------------

    def step_input(self, step: int, input: Any) -> Any:
        """What the clone of a step takes."""
        return input

    def step_gradient(self, step: int, gradOutput: Any) -> Any:
        """The gradient of what the clone of a step gives."""
        return gradOutput

    def hand_back(self, step: int, gradient: Any) -> Any:
        """Keep for the step before what is its; returns the gradient of the input."""
        return gradient

    def step_grad_input(self, step: int, input: Any, gradOutput: Any) -> Any:
        """The gradient of one step with respect to its input."""
        module = self.past_module(step)
        total = self.__dict__["_totals"][step] = self.step_gradient(step, gradOutput)
        return self.hand_back(step, module.updateGradInput(self.step_input(step, input), total))

    def step_acc_grad(self, step: int, input: Any, gradOutput: Any, scale: float) -> None:
        """Accumulate the parameters' gradients of one step, after its ``step_grad_input``."""
        total = self._total(step)
        self.past_module(step).accGradParameters(self.step_input(step, input), total, scale)

    def step_acc_update(self, step: int, input: Any, gradOutput: Any, learning_rate: float) -> None:
        """The same straight into the parameters."""
        total = self._total(step)
        self.past_module(step).accUpdateGradParameters(self.step_input(step, input), total, learning_rate)

    def _total(self, step: int) -> Any:
        if step not in self.__dict__["_totals"]:
            raise TorchError(f"{self.class_name}: accGradParameters without the updateGradInput of its step")
        return self.__dict__["_totals"][step]

    def _updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        """``m:_updateGradInput(input, gradOutput)``: go back step ``updateGradInputStep - 1``."""
        return self.step_grad_input(self.updateGradInputStep - 1, input, gradOutput)

    def _accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        """``m:_accGradParameters(input, gradOutput, scale)``: accumulate step ``accGradParametersStep - 1``."""
        self.step_acc_grad(self.accGradParametersStep - 1, input, gradOutput, scale)

    # -- the protocol, as the generation has it -----------------------------------------------------------

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        return self.generation.update_grad_input(self, input, gradOutput)

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        self.generation.acc_grad_parameters(self, input, gradOutput, scale)

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        self.updateGradInput(input, gradOutput)
        self.accGradParameters(input, gradOutput, scale)
        return self.gradInput

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        self.accGradParameters(input, gradOutput, -lr)

    def updateParameters(self, learningRate: float) -> None:
        self.generation.update_parameters(self, learningRate)

    def update_children(self, learningRate: float) -> None:
        super().updateParameters(learningRate)

    def backwardThroughTime(self, step: int | None = None, rho: int | None = None) -> Any:
        """``m:backwardThroughTime()``, of 2015: go back through the last rho steps; returns the gradient of the
        oldest one's input."""
        return self.generation.backward_through_time(self, step, rho)

    def updateGradInputThroughTime(self, step: int | None = None, rho: int | None = None) -> Any:
        """``m:updateGradInputThroughTime()``, of 2015: the gradients of the inputs of the last rho steps."""
        return self.generation.grad_input_through_time(self, step, rho)

    def accGradParametersThroughTime(self, step: int | None = None, rho: int | None = None) -> None:
        """``m:accGradParametersThroughTime()``, of 2015: accumulate the gradients of the last rho steps."""
        self.generation.acc_through_time(self, step, rho)

    def accUpdateGradParametersThroughTime(
        self, lr: float, step: int | None = None, rho: int | None = None
    ) -> None:
        """``m:accUpdateGradParametersThroughTime(lr)``, of 2015: the same straight into the parameters."""
        self.generation.update_through_time(self, lr, step, rho)

    def backwardUpdateThroughTime(self, learningRate: float) -> Any:
        """``m:backwardUpdateThroughTime(lr)``, of 2015: go back and move the parameters."""
        result = self.updateGradInputThroughTime()
        self.accUpdateGradParametersThroughTime(learningRate)
        return result

    # -- memory -------------------------------------------------------------------------------------------

    def forget(self) -> Any:
        self.__dict__.pop("_run", None)
        super().forget()
        if self.training:
            outputs = self.outputs
            self._clear_steps()
            if self.generation.keeps_outputs:
                kept = [outputs[step] for step in sorted(outputs) if step > 0]
                self.__dict__["outputs"] = dict(enumerate(kept, 1))
            clones = self.sharedClones
            self.__dict__["sharedClones"] = dict(
                enumerate((clones[step] for step in sorted(clones)), self.first_clone)
            )
        self.__dict__["step"] = 1
        return self

    def maxBPTTstep(self, rho: int) -> None:
        self.__dict__["rho"] = int(rho)

    def setOutputStep(self, step: int) -> None:
        if step not in self.outputs:
            raise TorchError(f"{self.class_name} has no output of step {step}")
        self.set_output(self.outputs[step])
        self.set_grad_input(self.gradInputs.get(step))

    def clearState(self) -> Module:
        self.forget()
        self._clear_steps()
        for clone in self._clones():
            clone.clearState()
        # The output and gradInput are those of a clone: let go of them.
        self.__dict__["output"], self.__dict__["gradInput"] = self.new(), self.new()
        for child in self.children_of():
            child.clearState()
        return self

    def _clones(self) -> list[Any]:
        """The clones that are not children themselves."""
        children = self._modules.values()
        return [c for c in self.sharedClones.values() if not any(c is child for child in children)]

    def includingSharedClones(self, f: Callable[[], Any]) -> Any:
        """``m:includingSharedClones(f)``: what f gives, called while the clones of the steps are children too."""
        children = dict(self._modules)
        self._modules.update((f"clone {number}", clone) for number, clone in enumerate(self._clones()))
        try:
            return f()
        finally:
            self._modules.clear()
            self._modules.update(children)

    def reinforce(self, reward: Any) -> None:
        """``m:reinforce(reward)``: a reward for all steps; or, as a table or a tensor ``(steps, batch)``, one for each
        of the last steps."""
        steps = self.step_rewards(reward)
        if steps is None:
            super().reinforce(reward)
            for clone in self._clones():
                clone.reinforce(reward)
            return
        if self.step <= len(steps):
            raise TorchError(f"{self.class_name}: {len(steps)} rewards for {self.step - 1} steps")
        for step, one in enumerate(steps, self.step - len(steps)):
            self.getStepModule(step).reinforce(one)

    def step_rewards(self, reward: Any) -> list[Any] | None:
        """The rewards of steps, None where one is for all."""
        if isinstance(reward, torch.Tensor) and reward.dim() >= 2:
            return list(reward)
        return reward if isinstance(reward, list) else None

    def set_training(self) -> None:
        super().set_training()
        for clone in self._clones():
            clone.set_training()

    def set_evaluate(self) -> None:
        super().set_evaluate()
        for clone in self._clones():
            clone.set_evaluate()

    def convert(self, convert: TensorMap, type_name: str | None, seen: set[int] | None = None) -> None:
        self.__dict__["_totals"].clear()
        self.__dict__.pop("_gradOutputs", None)
        self.__dict__.pop("_run", None)
        super().convert(convert, type_name, seen)

    def describe(self) -> str:
        inputs, outputs = self.__dict__.get("inputSize"), self.__dict__.get("outputSize")
        if inputs is not None and outputs is not None and self.generation.text_has_sizes:
            return f"{self.class_name}({inputs} -> {outputs})"
        return super().describe()
