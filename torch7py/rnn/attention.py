"""RecurrentAttention: a recurrent network that chooses what it looks at next."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn.base import Module
from torch7py.nn.registry import layer
from torch7py.nn.sequence_methods import shared_clone
from torch7py.ops.errors import TorchError
from torch7py.rnn import generation
from torch7py.rnn.abstract import AbstractRecurrent, add_gradients
from torch7py.rnn.recurrent import Recursor
from torch7py.rnn.sequencer import AbstractSequencer, copied

__all__ = ["RecurrentAttention"]


@layer(
    "nn.RecurrentAttention",
    package="rnn",
    takes="any",
    gives="steps",
    parts="steps",
    differs_in_training=True,
)
class RecurrentAttention(AbstractSequencer):
    """``nn.RecurrentAttention(rnn, action, nStep, hiddenSize)``: nStep looks at one input (Mnih et al., Recurrent
    Models of Visual Attention, 2014).

    ``action`` makes an action of the hidden state, at first of zeros of ``hiddenSize`` (a table); ``rnn`` gets
    ``{input, action}`` and gives the next hidden state. The gradient of an action is 0, its module is taught by
    ``reinforce``; with ``forwardActions`` the outputs are pairs ``{hidden state, action}`` and so are their gradients.
    In the package of 2015 rnn must have steps, and the gradient of an action without forwardActions is the action
    itself, for a module that does not look at it.

    Shapes: a batch of what rnn takes -> a table of nStep outputs.
    """

    fields: ClassVar[tuple[str, ...]] = (
        "hiddenSize",
        "nStep",
        "actions",
        "forwardActions",
        "gradHidden",
        "_initInput",
        "_gradAction",
        "sharedClones",
    )
    links = ("rnn", "action")

    nStep: int
    forwardActions: bool
    actions: list[Any]
    gradHidden: list[Any]

    def __init__(self, rnn: Module, action: Module, nStep: int, hiddenSize: list[int]) -> None:
        if not isinstance(rnn, Module) or not isinstance(action, Module):
            raise TorchError("nn.RecurrentAttention expects two modules, one with steps and one for actions")
        if isinstance(nStep, bool) or not isinstance(nStep, (int, float)) or nStep < 1:
            raise TorchError("nn.RecurrentAttention expects a number of steps, at least 1, as argument 3")
        if not isinstance(hiddenSize, list) or not all(isinstance(n, (int, float)) for n in hiddenSize):
            raise TorchError("nn.RecurrentAttention expects a table of sizes as argument 4")
        super().__init__()
        attributes = self.__dict__
        attributes["_generation"] = generation.current_year()
        if generation.current().wraps_plain_modules:
            rnn = rnn if isinstance(rnn, AbstractRecurrent) else Recursor(rnn)
            action = action if isinstance(action, AbstractRecurrent) else Recursor(action)
        elif not isinstance(rnn, AbstractRecurrent):
            raise TorchError("nn.RecurrentAttention: in the rnn package of 2015 rnn must have steps")
        else:
            rnn.__dict__["copyInputs"] = True
        self._modules.update(rnn=rnn, action=action)
        attributes.update(hiddenSize=list(hiddenSize), nStep=int(nStep), output=[], actions=[], gradHidden=[])
        attributes.update(forwardActions=False, _clones=[], _fresh=False)

    def prepare_blank(self) -> None:
        super().prepare_blank()
        self.__dict__.update(_generation=generation.current_year(), _clones=[], _fresh=False)
        self.__dict__.update(forwardActions=False, actions=[], gradHidden=[])

    def set_child_list(self, children: list[Any]) -> None:
        if len(children) != 2:
            raise TorchError(f"{self.class_name} holds two modules, not {len(children)}")
        self._modules.update(rnn=children[0], action=children[1])

    @property
    def rnn(self) -> Any:
        return self._modules["rnn"]

    def action_of(self, step: int) -> Any:
        """The module for the action of a step, counted from 0."""
        action: Any = self._modules["action"]
        if isinstance(action, AbstractRecurrent):
            return action
        clones: list[Any] = self.__dict__["_clones"]
        while len(clones) <= step:
            clones.append(shared_clone(action, companion=True))
        return clones[step]

    def inner(self) -> Any:
        yield from super().inner()
        yield from self.__dict__["_clones"]

    # What a module for all steps is told, its clones for single steps are told too.

    def reinforce(self, reward: Any) -> None:
        super().reinforce(reward)
        for clone in self.__dict__["_clones"]:
            clone.reinforce(reward)

    def set_training(self) -> None:
        super().set_training()
        for clone in self.__dict__["_clones"]:
            clone.set_training()

    def set_evaluate(self) -> None:
        super().set_evaluate()
        for clone in self.__dict__["_clones"]:
            clone.set_evaluate()

    # -- PyTorch's face -----------------------------------------------------------------------------------

    def forward(self, input: torch.Tensor) -> list[Any]:
        raise TorchError(
            f"{self.class_name} has no forward from Python, for its actions are drawn step by step"
        )

    # -- forward ------------------------------------------------------------------------------------------

    def updateOutput(self, input: Any) -> Any:
        if not isinstance(input, torch.Tensor) or not input.dim():
            raise TorchError(f"{self.class_name}: the input must be a batch")
        self.rnn.forget()
        self._modules["action"].forget()  # type: ignore[union-attr,operator]
        sizes = [int(n) for n in self.hiddenSize]
        hidden: Any = self.keep("_initInput", input.data.new_zeros((len(input), *sizes)))
        outputs, actions = [], []
        for step in range(int(self.nStep)):
            action = self.action_of(step).updateOutput(hidden)
            output = self.rnn.updateOutput([input, action])
            actions.append(action)
            hidden = [output, action] if self.forwardActions else output
            outputs.append(hidden)
        self.keep_list("actions", actions)
        self.__dict__["_fresh"] = False
        return self.keep_list("output", outputs)

    # -- backward -----------------------------------------------------------------------------------------

    def _check(self, gradOutput: Any) -> None:
        steps = int(self.nStep)
        if not isinstance(gradOutput, list) or len(gradOutput) != steps:
            raise TorchError(f"{self.class_name}: gradOutput must be a table of {steps} gradients")
        if self.rnn.step - 1 != steps or len(self.output) != steps:
            raise TorchError(f"{self.class_name}: the module has done {self.rnn.step - 1} steps, not {steps}")

    def _of_action(self, step: int, gradOutput: Any) -> Any:
        """The gradient of a step's action."""
        if self.forwardActions:
            return gradOutput[step][1]
        action = self.actions[step].data
        return action if self.__dict__["_generation"] == 2015 else torch.zeros_like(action)

    def _before(self, step: int) -> Any:
        """What the action of a step was made of."""
        return self.output[step - 1] if step else self._initInput

    def _inputs(self, input: Any) -> list[Any]:
        return [[input, action] for action in self.actions]

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        self._check(gradOutput)
        hidden: list[Any] = [None] * int(self.nStep)
        for step in range(int(self.nStep) - 1, -1, -1):
            of_output = gradOutput[step][0] if self.forwardActions else gradOutput[step]
            later = hidden[step]
            hidden[step] = copied(of_output) if later is None else add_gradients(self, later, of_output)
            back = self.action_of(step).updateGradInput(self._before(step), self._of_action(step, gradOutput))
            if step:
                hidden[step - 1] = copied(back)
        self.keep_list("gradHidden", hidden)
        gradients = self.rnn.generation.sequence_grad_input(self.rnn, self._inputs(input), hidden)
        total = gradients[-1][0].data.clone()
        for gradient in reversed(gradients[:-1]):
            total.add_(gradient[0])
        self.__dict__["_fresh"] = True
        return self.keep("gradInput", total, is_result=True)

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        self._check(gradOutput)
        if not self.__dict__["_fresh"]:
            raise TorchError(f"{self.class_name}: accGradParameters comes after updateGradInput")
        for step in range(int(self.nStep) - 1, -1, -1):
            of_action = self._of_action(step, gradOutput)
            self.action_of(step).accGradParameters(self._before(step), of_action, scale)
        self.rnn.generation.sequence_acc_grad(self.rnn, self._inputs(input), self.gradHidden, scale)

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        self._check(gradOutput)
        for step in range(int(self.nStep) - 1, -1, -1):
            of_action = self._of_action(step, gradOutput)
            self.action_of(step).accUpdateGradParameters(self._before(step), of_action, lr)
            self.rnn.accUpdateGradParameters([input, self.actions[step]], self.gradHidden[step], lr)

    def describe(self) -> str:
        action, rnn = (
            self._modules[name].describe().replace("\n", "\n    |    ")  # type: ignore[union-attr,operator]
            for name in ("action", "rnn")
        )
        return f"{self.class_name} {{\n  action : {action}\n  rnn     : {rnn}\n}}"
