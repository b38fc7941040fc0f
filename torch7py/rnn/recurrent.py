"""AbstractRecurrent: a module applied step after step, and Recursor, which makes one of any module.

The generation of 2016 and later (see docs/design.md): ``updateGradInput`` and ``accGradParameters`` go back one
step a call, in the reverse order of the forwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import torch

from torch7py.nn.base import Module
from torch7py.nn.container import Container
from torch7py.nn.object import TorchObject, names
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError

__all__ = ["AbstractRecurrent", "Recursor"]


@layer("nn.AbstractRecurrent", package="rnn")
class AbstractRecurrent(Container):
    """``nn.AbstractRecurrent([rho])``: the base of modules with a step.

    ``rho`` bounds the steps kept for going back; ``step`` is the number of the next step, from 1. Each step in
    training has its own clone of ``recurrentModule``, with the same parameters, so that all of them can go back.
    """

    fields: ClassVar[tuple[str, ...]] = ("rho", "step", "recurrentModule", "sharedClones", "outputs", "gradInputs")
    lua_methods = names("getStepModule recycle")

    outputs: dict[int, Any]
    gradInputs: dict[int, Any]

    def __init__(self, rho: int | None = None) -> None:
        super().__init__()
        self.__dict__["rho"] = 99999 if rho is None else int(rho)
        self.__dict__["step"] = 1
        self.__dict__["sharedClones"] = []
        self._forget_steps()

    def _forget_steps(self) -> None:
        self.__dict__.update(outputs={}, gradInputs={}, _grad_step=None, _acc_step=None)

    def set_step_module(self, module: Module) -> None:
        """The module of one step; it serves the first step itself."""
        self._modules["recurrentModule"] = module
        self.__dict__["sharedClones"] = [module]

    @property
    def step_module(self) -> Any:
        return self._modules["recurrentModule"]

    def child_list(self) -> list[TorchObject]:
        return [self._modules["recurrentModule"]] if "recurrentModule" in self._modules else []  # type: ignore[list-item]

    def set_child_list(self, children: list[Any]) -> None:
        if len(children) != 1:
            raise TorchError(f"{self.class_name} holds one module, not {len(children)}")
        self.set_step_module(children[0])

    def inner(self) -> Iterator[TorchObject]:
        yield from super().inner()
        yield from self.__dict__["sharedClones"][1:]

    def getStepModule(self, step: int) -> Any:
        """``m:getStepModule(step)``: the clone that serves a step.

        Beyond ``rho`` steps the oldest clone serves again: its step can no longer be gone back to.
        """
        clones: list[Any] = self.__dict__["sharedClones"]
        position = int(step) - 1
        limit = max(self.rho + 1, len(clones))
        position %= limit
        while len(clones) <= position:
            clones.append(self.step_module.stepClone())
        return clones[position]

    def recycle(self, offset: int = 0) -> AbstractRecurrent:
        """``m:recycle()``: forget what is more than rho steps ago."""
        oldest = self.step - max(self.rho + 1, len(self.__dict__["sharedClones"])) - 1
        self.outputs.pop(oldest, None)
        self.gradInputs.pop(oldest, None)
        return self

    # -- backward -----------------------------------------------------------------------------------------

    def step_grad_input(self, step: int, input: Any, gradOutput: Any) -> Any:
        """The gradient of one step with respect to its input."""
        raise TorchError(f"{self.class_name} cannot go back a step")

    def step_acc_grad(self, step: int, input: Any, gradOutput: Any, scale: float) -> None:
        """Accumulate the parameters' gradients of one step."""
        raise TorchError(f"{self.class_name} cannot go back a step")

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        step = (self.step if self._grad_step is None else self._grad_step) - 1
        if step < 1:
            raise TorchError(f"{self.class_name}: backward was called more often than forward")
        result = self.step_grad_input(step, input, gradOutput)
        self.__dict__["_grad_step"] = step
        self.gradInputs[step] = result
        return self.set_grad_input(result)

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        if self._grad_step is None:
            raise TorchError(f"{self.class_name}: accGradParameters comes after updateGradInput")
        step = (self.step if self._acc_step is None else self._acc_step) - 1
        if step < 1:
            raise TorchError(f"{self.class_name}: backward was called more often than forward")
        self.step_acc_grad(step, input, gradOutput, scale)
        self.__dict__["_acc_step"] = step

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        self.updateGradInput(input, gradOutput)
        self.accGradParameters(input, gradOutput, scale)
        return self.gradInput

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        self.defaultAccUpdateGradParameters(input, gradOutput, lr)

    def _advance(self, output: Any) -> Any:
        """One step done."""
        attributes = self.__dict__
        attributes["outputs"][self.step] = output
        attributes["step"] = self.step + 1
        attributes["_grad_step"] = attributes["_acc_step"] = None
        return self.set_output(output)

    # -- memory -------------------------------------------------------------------------------------------

    def forget(self) -> Any:
        for clone in self.__dict__["sharedClones"]:
            clone.forget()
        if self.training:
            self._forget_steps()
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
        self._forget_steps()
        for clone in self.__dict__["sharedClones"][1:]:
            clone.clearState()
        return super().clearState()

    def set_training(self) -> None:
        super().set_training()
        for clone in self.__dict__["sharedClones"][1:]:
            clone.set_training()

    def set_evaluate(self) -> None:
        super().set_evaluate()
        for clone in self.__dict__["sharedClones"][1:]:
            clone.set_evaluate()

    def describe(self) -> str:
        inputs, outputs = self.__dict__.get("inputSize"), self.__dict__.get("outputSize")
        if inputs is not None and outputs is not None:
            return f"{self.class_name}({inputs} -> {outputs})"
        return super().describe()


@layer("nn.Recursor", package="rnn")
class Recursor(AbstractRecurrent):
    """``nn.Recursor(module[, rho])``: any module as one with steps.

    Shapes: the module's, one step a call.
    """

    links = ("module",)

    def __init__(self, module: Module, rho: int | None = None) -> None:
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

    def forward(self, input: Any) -> Any:
        return self.step_module(input)

    def updateOutput(self, input: Any) -> Any:
        if self.training:
            self.recycle()
            module = self.getStepModule(self.step)
        else:
            module = self.step_module
        return self._advance(module.updateOutput(input))

    def _at(self, step: int) -> Any:
        module = self.getStepModule(step)
        module.setOutputStep(step)
        return module

    def step_grad_input(self, step: int, input: Any, gradOutput: Any) -> Any:
        return self._at(step).updateGradInput(input, gradOutput)

    def step_acc_grad(self, step: int, input: Any, gradOutput: Any, scale: float) -> None:
        self._at(step).accGradParameters(input, gradOutput, scale)

    def forget(self) -> Any:
        super().forget()
        self.step_module.forget()
        return self

    def maxBPTTstep(self, rho: int) -> None:
        super().maxBPTTstep(rho)
        self.step_module.maxBPTTstep(rho)

    def getHiddenState(self, step: int | None = None, input: Any = None) -> Any:
        return self.step_module.getHiddenState(step, input)

    def setHiddenState(self, step: int | None, hiddenState: Any) -> None:
        self.step_module.setHiddenState(step, hiddenState)

    def describe(self) -> str:
        return f"{self.class_name} @ {self.step_module.describe()}"
