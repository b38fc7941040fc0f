"""AbstractRecurrent: what every module with a step has.

Each step of a sequence in training has its own clone of ``recurrentModule`` with the same parameters, so that all
of them can go back. How a backward is asked for depends on the generation of the package (generation.py); how one
step goes back does not, and is here, in three questions that a module answers:

- ``step_input``: what does the clone of a step take?
- ``step_gradient``: what is the gradient of all it gives, with what the next step adds?
- ``hand_back``: which part of its gradient is the input's, and which goes to the step before?
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import argument_text
from torch7py.nn.base import Module
from torch7py.nn.container import Sequential
from torch7py.nn.object import TorchObject, names
from torch7py.nn.registry import layer, layers
from torch7py.ops.errors import TorchError
from torch7py.rnn.step_memory import StepMemory

__all__ = ["AbstractRecurrent", "add_gradients", "unroll"]


def add_gradients(owner: TorchObject, one: Any, other: Any) -> Any:
    """The sum of two gradients of the same nesting and sizes, new."""
    if isinstance(one, list):
        if not isinstance(other, list) or len(one) != len(other):
            raise TorchError(f"{owner.class_name}: gradOutput is not a table like the output")
        return [add_gradients(owner, a, b) for a, b in zip(one, other, strict=True)]
    if not isinstance(other, torch.Tensor) or one.numel() != other.numel():
        raise TorchError(
            f"{owner.class_name}: gradOutput is {argument_text(other)}, the output {argument_text(one)}"
        )
    return one + (other if one.shape == other.shape else other.reshape(one.shape))


def unroll(module: Any, inputs: list[Any]) -> list[Any]:
    """Any module on each step of a sequence, differentiable, from a forgotten memory."""
    if isinstance(module, AbstractRecurrent):
        return module(inputs)
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
class AbstractRecurrent(StepMemory):
    """``nn.AbstractRecurrent([rho])``: the base of modules with a step.

    ``rho`` bounds the steps that can be gone back through; ``step`` is the number of the next step, from 1.
    ``outputs`` and ``gradInputs`` hold those of past steps by number, ``sharedClones`` the clones.
    """

    structural = StepMemory.structural | {"maskZero", "trimZero"}
    lua_methods = names(
        "getStepModule recycle maskZero trimZero _updateGradInput _accGradParameters updateGradInputThroughTime "
        "accGradParametersThroughTime accUpdateGradParametersThroughTime backwardUpdateThroughTime "
        "includingSharedClones"
    )

    virtual = (
        *StepMemory.virtual,
        *"""getStepModule recycle _updateGradInput _accGradParameters backwardThroughTime
        updateGradInputThroughTime accGradParametersThroughTime accUpdateGradParametersThroughTime
        backwardUpdateThroughTime buildModel buildGate buildInputGate buildForgetGate buildHidden buildCell
        buildOutputGate buildInitialModule buildRecurrentModule""".split(),
    )

    marks_fast_backward: ClassVar[bool] = (
        True  # 2015: backwardThroughTime says that the gradients are in their buffers
    )

    # -- PyTorch's face -----------------------------------------------------------------------------------

    def unroll(self, inputs: list[Any]) -> list[Any]:
        """All steps of a sequence from a forgotten memory, differentiable."""
        raise TorchError(f"{self.class_name} has no forward of a sequence")

    def forward(self, input: Any) -> Any:
        """From Python: a list of steps gives a list; else one step, from a forgotten memory."""
        return self.unroll(input) if isinstance(input, list) else self.unroll([input])[0]

    # -- the hidden state, which not all have -------------------------------------------------------------

    def _no_hidden_state(self) -> TorchError:
        return TorchError(f"{self.class_name} neither gives its hidden state nor takes one")

    def state_number(self, step: int | None) -> int:
        """The number of a step whose hidden state is set. Only an LSTM has a default, and counts back too."""
        if step is None:
            raise TorchError(f"{self.class_name}: a hidden state is set for a step, whose number is missing")
        return int(step)

    def getHiddenState(self, step: int | None = None, input: Any = None) -> Any:
        raise self._no_hidden_state()

    def setHiddenState(self, step: int | None, hiddenState: Any = None) -> None:
        raise self._no_hidden_state()

    def getGradHiddenState(self, step: int | None = None) -> Any:
        raise self._no_hidden_state()

    def setGradHiddenState(self, step: int | None, gradHiddenState: Any = None) -> None:
        raise self._no_hidden_state()

    # -- the module of a step -----------------------------------------------------------------------------

    def set_child_list(self, children: list[Any]) -> None:
        if len(children) == 1:
            self.set_step_module(children[0])
        else:
            super().set_child_list(children)

    def maskZero(self, nInputDim: int) -> AbstractRecurrent:
        """``m:maskZero(nInputDim)``: output and state become 0 where a step's input is 0 (see ``nn.MaskZero``)."""
        return self._wrap_step("nn.MaskZero", nInputDim)

    def trimZero(self, nInputDim: int) -> AbstractRecurrent:
        """``m:trimZero(nInputDim)``: the same, computed only for inputs that are not 0 (see ``nn.TrimZero``)."""
        if self.torch7_name == "nn.GRU" and self.__dict__.get("p") and not self.__dict__.get("mono"):
            raise TorchError(f"{self.class_name}:trimZero needs mono where there is dropout")
        return self._wrap_step("nn.TrimZero", nInputDim)

    def _wrap_step(self, decorator: str, nInputDim: int) -> AbstractRecurrent:
        wrapper: Any = layers[decorator]
        self.set_step_module(wrapper(self.step_module, nInputDim, True))
        return self

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
        total = self.step_gradient(step, gradOutput)
        self.keep_total(step, total, gradOutput)
        return self.hand_back(step, module.updateGradInput(self.step_input(step, input), total))

    def step_acc_grad(self, step: int, input: Any, gradOutput: Any, scale: float) -> None:
        """Accumulate the parameters' gradients of one step, after its ``step_grad_input``."""
        total = self.total_of(step)
        self.past_module(step).accGradParameters(self.step_input(step, input), total, scale)

    def step_acc_update(self, step: int, input: Any, gradOutput: Any, learning_rate: float) -> None:
        """The same straight into the parameters."""
        total = self.total_of(step)
        self.past_module(step).accUpdateGradParameters(self.step_input(step, input), total, learning_rate)

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

    def maxBPTTstep(self, rho: int) -> None:
        self.__dict__["rho"] = int(rho)

    def clearState(self) -> Module:
        self.forget()
        self._clear_steps()
        for clone in self.existing_clones():
            clone.clearState()
        self.__dict__.pop("_unseen", None)
        # The output and gradInput are those of a clone: let go of them.
        self.__dict__["output"], self.__dict__["gradInput"] = self.new(), self.new()
        for child in self.children_of():
            child.clearState()
        return self

    def includingSharedClones(self, f: Callable[[], Any]) -> Any:
        """``m:includingSharedClones(f)``: what f gives, called while the clones of the steps are children too."""
        children = dict(self._modules)
        self._show_clones()
        self._modules.update(
            (f"clone {number}", clone) for number, clone in enumerate(self.existing_clones())
        )
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
            self.look_into_steps()
            super().reinforce(reward)
            for clone in self.existing_clones():
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

    def describe(self) -> str:
        inputs, outputs = self.__dict__.get("inputSize"), self.__dict__.get("outputSize")
        if inputs is not None and outputs is not None and self.generation.text_has_sizes:
            return f"{self.class_name}({inputs} -> {outputs})"
        return super().describe()
