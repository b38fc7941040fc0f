"""Cell: one step of a gated network, which scripts see as a tree of modules and which a kernel computes.

To a script the step is the original's tree of small modules: they can be found, printed, initialized, changed.
Computing with them costs some sixty calls a step. As long as the tree is unchanged and holds no method of Lua's, a
kernel does the same arithmetic with the parameters in a few calls; otherwise the tree computes.
"""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch

from torch7py.nn.activation import Sigmoid, Tanh
from torch7py.nn.base import Module
from torch7py.nn.container import Sequential
from torch7py.nn.copying import TensorMap, deep_copy
from torch7py.nn.fields import has_hooks
from torch7py.nn.object import TorchObject
from torch7py.nn.part_names import PartNames
from torch7py.nn.sequence_methods import shared_clone
from torch7py.nn.softmax import SoftMax
from torch7py.nn.trace import leaves_of, same_memory
from torch7py.ops.errors import NotKnown, TorchError
from torch7py.ops.tracing import numbers_known
from torch7py.rnn.steps import nearly

__all__ = ["Cell", "rows"]

NONLINEAR = (Sigmoid, Tanh, SoftMax)


def rows(tensor: torch.Tensor) -> torch.Tensor:
    """A single example as a batch of one."""
    return tensor.unsqueeze(0) if tensor.dim() == 1 else tensor


def _put(layer: Any, value: torch.Tensor, input: Any) -> Any:
    """Let a layer that has run give another output of as many numbers."""
    output = type(layer).updateOutput(layer, input)
    output.data.copy_(value.reshape(output.shape))
    return output


def _is_same(built: Any, read: Any, places: dict[int, Any]) -> bool:
    """Whether two modules compute the same but for their parameters' values; notes which part is in which place."""
    places[id(built)] = read
    ours, theirs = list(built._modules.values()), list(read._modules.values())
    shapes = [
        {name: p.shape for name, p in part._parameters.items() if p is not None} for part in (built, read)
    ]
    return (
        (type(built) is type(read) or (isinstance(built, Cell) and type(read) is Sequential))
        and _settings(built).items() <= _settings(read).items()
        and shapes[0] == shapes[1]
        and len(ours) == len(theirs)
        and all(_is_same(one, other, places) for one, other in zip(ours, theirs, strict=True))
    )


def _ends_nonlinear(part: Any) -> bool:
    """Whether the output of a part is that of a nonlinear layer."""
    while type(part) is Sequential and part._modules:
        *_, part = part._modules.values()
    return type(part) in NONLINEAR


def _settings(module: Any) -> dict[str, Any]:
    """What a module keeps besides tensors, results and parts, as text."""
    return {
        name: repr(value)
        for name, value in module.__dict__.items()
        if not name.startswith("_")
        and name not in ("output", "gradInput", "training")
        and isinstance(value, (int, float, str, list, tuple))
    }


class Cell(PartNames, Sequential):
    """``forward`` takes and gives what the tree does; ``members`` are the layers with parameters by name.

    A subclass brings ``forward`` and the kernel, in parts, so that what needs no state can be done for all steps of
    a sequence at once (stages.py). The parts get and give batches; those that may get the rows of many steps say so.

    - ``from_input(x)``, rows of many steps: what the gates get from the input;
    - ``step_output(of_input, state)``: the new state, output first, and tensors to go back with. ``of_input`` may be
      written to;
    - ``activations(saved)``: what of these the tree's nonlinear layers give, in its order;
    - ``factors(state, saved)``, rows of many steps: all that ``step_grad`` needs and that does not depend on a
      gradient;
    - ``step_grad(gradients, factors, room)``: the gradients of the state before; those of the gates, as many
      tensors as ``from_input`` gives, go to ``room``;
    - ``grad_of_input(of_gates)``, rows of many steps: the gradient of the input;
    - ``acc_grad(x, state, of_gates, saved, scale)``, rows of many steps: accumulate the parameters' gradients.

    ``state`` is always that before the step.
    """

    torch7_name = "nn.Sequential"
    transient = (
        *Sequential.transient,
        "_saved",
        "_gradients_of_gates",
        "_ran_on",
        "_values_then",
        "_went_back",
        "_replay",
        "_unsure",
        "_shown",
    )
    widths: tuple[int, ...]  # of what from_input gives, in sizes of the output
    batches_only: ClassVar[bool] = False  # the tree takes no single examples
    # Whether the parameters' gradients go by what input and output before were at the forward: the tree has copies of
    # them, made by its Dropouts, also by those that drop nothing.
    copies_operands: ClassVar[bool] = False

    def __init__(self, members: dict[str, Module], *modules: Module) -> None:
        super().__init__(*modules)
        self._note_tree(members)

    def _note_tree(self, members: dict[str, Module]) -> None:
        """Keep what the tree is now, so that changes are seen."""
        self.__dict__.update(_light=False, _has_run=False, _members=members, _built=[], _tree=[], _drops=[])
        self._note_parts()

    def _note_parts(self) -> None:
        """Keep it in the same lists, which other steps' clones have too."""
        attributes = self.__dict__
        tree = [part for part in self.modules() if isinstance(part, Module)]
        attributes["_built"][:] = [(part, tuple(part._modules.values())) for part in tree if part._modules]
        attributes["_tree"][:] = tree
        attributes["_drops"][:] = [part for part in tree if "p" in part.__dict__]
        self._watch_parts()

    def _watch_parts(self) -> None:
        """Let what the parts show be computed when a script reads it."""
        for part in self.__dict__["_tree"]:
            if part is not self:
                part.__dict__["_inside"] = self

    def recognize(self, tree: Any) -> bool:
        """Make a cell of a tree out of a file, if it is what this one's tree is, but for the parameters' values."""
        places: dict[int, Any] = {}
        if not _is_same(self, tree, places):
            return False
        tree.__class__ = self.__class__  # which others may refer to
        tree._note_tree({name: places[id(member)] for name, member in self.members.items()})
        return True

    def part_names(self) -> dict[str, Any]:
        return self.__dict__.get("_members", {})

    @property
    def members(self) -> dict[str, Any]:
        return self.__dict__["_members"]

    def intact(self) -> bool:
        """Whether the kernel computes what the tree would."""
        attributes = self.__dict__
        for part, children in attributes["_built"]:
            if tuple(part._modules.values()) != children:
                return False
        for part in attributes["_tree"]:
            if "_marked" in part.__dict__:
                return False
        return all(part.p == 0 for part in attributes["_drops"])

    def __deepcopy__(self, memo: dict[Any, Any]) -> Any:
        """A copy can go back where this one can."""
        copied = super().__deepcopy__(memo)
        self._copy_run(copied, memo)
        if not copied.__dict__["_light"]:
            copied._watch_parts()
        return copied

    def _copy_run(self, copied: Any, memo: dict[Any, Any]) -> None:
        """Let a copy hold what this one keeps for a backward."""
        for name in ("_saved", "_gradients_of_gates", "_ran_on", "_values_then", "_went_back"):
            if self.__dict__.get(name) is not None:
                copied.__dict__[name] = deep_copy(self.__dict__[name], memo)

    # -- PyTorch's face -----------------------------------------------------------------------------------

    def formula(self, input: Any) -> Any:
        """The computation of the tree as one expression, differentiable, without calls of its layers."""
        raise NotImplementedError

    def forward(self, input: Any) -> Any:
        """The formula; or the tree, if it was changed or has hooks."""
        if self.intact() and not any(map(has_hooks, self.__dict__["_tree"][1:])):
            return self.formula(input)
        return super().forward(input)

    # -- clones for other steps ---------------------------------------------------------------------------

    def sharedClone(
        self, shareParams: bool = True, shareGradParams: bool = True, stepClone: bool = False
    ) -> Any:
        """A clone for another step, which can go back where this one can. The kernel needs no tree of its own."""
        if not (stepClone and shareParams and shareGradParams and self.intact()):
            return super().sharedClone(shareParams, shareGradParams, stepClone)
        clone = self.__class__.__new__(self.__class__)
        clone.__dict__.update(
            {name: value for name, value in self.__dict__.items() if name not in self.transient}
        )
        clone.__dict__.update(output=[], gradInput=self.new(), _own={}, _light=True)
        if self.__dict__.get("_saved") is not None:
            memo: dict[Any, Any] = {}
            self._copy_run(clone, memo)
            clone.keep_results("output", [tensor.data for tensor in deep_copy(self._outputs(), memo)])
        return clone

    def _outputs(self) -> list[torch.Tensor]:
        return self.output if isinstance(self.output, list) else [self.output]

    def _forget_run(self) -> None:
        """Keep nothing for a backward by the kernel."""
        self.__dict__.pop("_replay", None)
        self.__dict__.update(
            _saved=None, _gradients_of_gates=None, _ran_on=None, _values_then=None, _went_back=None
        )

    def _compute_by_tree(self) -> None:
        """From now on this step runs through a tree of its own."""
        self._forget_run()
        self._build_tree()

    def _build_tree(self) -> None:
        if self.__dict__["_light"]:
            deep = shared_clone(self.__dict__["_tree"][0], step=True)
            for name in ("_modules", "_members", "_built", "_tree", "_drops"):
                self.__dict__[name] = deep.__dict__[name]
            self.__dict__["_light"] = False
            self._watch_parts()

    def child_list(self) -> list[TorchObject]:
        """The children. A clone whose children are read gets a tree of its own, since the reader may run it."""
        self._build_tree()
        if self.__dict__["_has_run"] and self.intact():
            self.grow_as_run()
        return super().child_list()

    def note_run(self) -> None:
        """Say that the kernel has run."""
        self.__dict__["_has_run"] = True

    def grow_as_run(self) -> None:
        """Give the tree the parts that its own forward would have made."""

    # -- the protocol -------------------------------------------------------------------------------------

    def from_input(self, x: torch.Tensor) -> list[torch.Tensor]:
        raise NotImplementedError

    def step_output(
        self, of_input: list[torch.Tensor], state: list[torch.Tensor]
    ) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        raise NotImplementedError

    def activations(self, saved: list[torch.Tensor]) -> list[torch.Tensor]:
        """The outputs of the tree's nonlinear layers, in its order."""
        raise NotImplementedError

    def factors(self, state: list[torch.Tensor], saved: list[torch.Tensor]) -> list[torch.Tensor]:
        raise NotImplementedError

    def step_grad(
        self, gradients: list[torch.Tensor], factors: list[torch.Tensor], room: list[torch.Tensor]
    ) -> list[torch.Tensor]:
        raise NotImplementedError

    def room(self, rows: int, like: torch.Tensor) -> list[torch.Tensor]:
        """Memory for the gradients of the gates of so many rows; ``like`` is an output."""
        return [like.new_empty(rows, width * like.shape[-1]) for width in self.widths]

    def grad_of_input(self, of_gates: list[torch.Tensor]) -> torch.Tensor:
        raise NotImplementedError

    def acc_grad(
        self,
        x: torch.Tensor,
        state: list[torch.Tensor],
        of_gates: list[torch.Tensor],
        saved: list[torch.Tensor],
        scale: float,
    ) -> None:
        raise NotImplementedError

    # -- as an LSTM without peepholes, for a kernel that does a whole sequence ----------------------------

    def acc_step(
        self,
        x: torch.Tensor,
        state: list[torch.Tensor],
        of_gates: list[torch.Tensor],
        saved: list[torch.Tensor],
        scale: float,
    ) -> None:
        """``acc_grad`` of one step, whose input may have been overwritten since the forward."""
        self.acc_grad(x, state, of_gates, saved, scale)

    def lstm_parameters(self) -> list[torch.Tensor] | None:
        """Copies of the parameters, None where the cell is no such LSTM: the weights of the input and of the output
        before, and the bias, with the gates in the order input, forget, hidden, output."""
        return None

    def acc_lstm(self, gradients: list[torch.Tensor], scale: float) -> None:
        """Accumulate the gradients of these parameters."""
        raise NotImplementedError

    def updateOutput(self, input: Any) -> Any:
        if not self.intact() or (self.batches_only and input[0].dim() == 1):
            self._compute_by_tree()
            return super().updateOutput(input)
        self.note_run()
        self.hide_inside()
        x, *state = [rows(tensor.data) for tensor in input]
        outputs, saved = self.step_output(self.from_input(x), state)
        copied = self._copied() or 1
        self.__dict__.update(
            _unsure=False,
            _saved=saved,
            _gradients_of_gates=None,
            _ran_on=list(input),
            _values_then=[*(tensor.data.clone() for tensor in input[:copied]), *input[copied:]],
        )
        if not self.training:
            self._keep_state()
        if input[0].dim() == 1:
            outputs = [tensor.squeeze(0) for tensor in outputs]
        return self.keep_results("output", outputs)

    def as_outputs(self, gradOutput: Any) -> list[torch.Tensor]:
        """The gradients of the outputs as batches, checked."""
        outputs = self._outputs()
        parts = gradOutput if isinstance(gradOutput, list) else [gradOutput]
        if len(parts) != len(outputs):
            raise TorchError(f"{self.class_name}: {len(parts)} gradients for {len(outputs)} outputs")
        results = []
        for gradient, output in zip(parts, outputs, strict=True):
            if gradient.shape != output.shape:
                if gradient.numel() != output.numel():
                    raise TorchError(
                        f"{self.class_name}: a gradOutput of {'x'.join(map(str, gradient.shape))} "
                        f"for an output of {'x'.join(map(str, output.shape))}"
                    )
                gradient = gradient.reshape(output.shape)
            results.append(rows(gradient))
        return results

    def keep_results(self, name: str, values: list[torch.Tensor], sources: Any = ()) -> Any:
        """The same for a few tensors at every step; nobody but the module with the steps keeps views of them."""
        held = self.__dict__[name]
        known = len(held) if held.__class__ is list else 0
        for number, value in enumerate(values):
            tensor = held[number] if number < known else None
            if (
                isinstance(tensor, torch.Tensor)
                and tensor.dtype is value.dtype
                and tensor.device == value.device
            ):
                tensor.data = value
                values[number] = tensor
        return self.keep_list(name, values)

    def _copied(self) -> int:
        """How many tensors of the input the tree has copies of."""
        return 2 if self.copies_operands else 0

    def _keep_state(self) -> None:
        """Keep the state's values: in evaluation the next step overwrites the state that this one has begun with."""
        start = self._copied() or 1
        self.__dict__["_values_then"][start:] = [
            tensor.data.clone() for tensor in self.__dict__["_ran_on"][start:]
        ]

    def _is_as_it_ran(self, input: Any) -> bool:
        """Whether these are the values of the forward's input; in training the state has no others.

        What the tree has copies of may have any.
        """
        ran_on, then = self.__dict__["_ran_on"], self.__dict__["_values_then"]
        copied = self._copied()
        pairs = list(zip(then, input, strict=True))
        return all(value.shape == given.shape for value, given in pairs[:copied]) and all(
            same_memory(given, ran_on[number])
            if number and value is ran_on[number]
            else not numbers_known(value, given) or torch.equal(value, given)
            for number, (value, given) in enumerate(pairs[copied:], copied)
        )

    def by_kernel(self, input: Any) -> bool:
        """Whether the kernel runs the backward. Of another input, or after changes since the forward, the tree does."""
        if self.__dict__.get("_saved") is None:
            return False
        if self.intact():
            if self._is_as_it_ran(input):
                return True
            self._run_tree(self.__dict__["_ran_on"], self.__dict__["_values_then"])
        else:
            self._compute_by_tree()
            super().updateOutput(input)
        return False

    def _run_tree(self, ran_on: list[torch.Tensor], values: list[torch.Tensor]) -> None:
        """Let the tree run on these values, and refer to what is there now.

        Parameters may have changed since the kernel ran: the tree's nonlinear layers give what the kernel has kept.
        """
        kept = self.activations(self.__dict__["_saved"])
        self._compute_by_tree()
        self.grow_as_run()
        copies = [tensor.data.clone() for tensor in values]
        output, results = self.output, self._outputs().copy()
        layers = [part for part in self.__dict__["_tree"] if type(part) in NONLINEAR]
        for part, value in zip(layers, kept, strict=True):
            part.__dict__["updateOutput"] = partial(_put, part, value)
        try:
            super().updateOutput(copies)
        finally:
            for part in layers:
                del part.__dict__["updateOutput"]
        self.__dict__["output"] = output
        if isinstance(output, list):  # which may be the last layer's as well
            output[:] = results
        for tensor, now in zip(copies, ran_on, strict=True):
            tensor.copy_(now)

    def show_inside(self, part: Any, name: str) -> None:
        """Have the parts show what they would after the last run, which was the kernel's: the tree does it once more.

        After parameters have changed only what the nonlinear layers gave is known; of other parts it is an error.
        """
        attributes = self.__dict__
        replay = attributes.pop("_replay", None)
        if replay is not None:
            replay()  # of a sequence that was computed as one piece
        if attributes.get("_saved") is not None and self.intact():
            if not self._sizes_are_as_they_were():
                raise NotKnown(
                    f"{part.class_name}: what was inside this step is not known any more, for what it was given has "
                    "other sizes now"
                )
            self._run_inside()
        if attributes.get("_unsure") and not (name == "output" and _ends_nonlinear(part)):
            raise NotKnown(
                f"{part.class_name}: what was inside this step is not known any more, for parameters have changed since"
            )

    def _sizes_are_as_they_were(self) -> bool:
        attributes = self.__dict__
        given = [attributes["_ran_on"], attributes["_values_then"]]
        if attributes.get("_gradients_of_gates") is not None:
            given.append(attributes["_went_back"])
        count = len(rows(attributes["_values_then"][0].data))  # a copy
        return all(len(rows(leaf.data)) == count for leaf in leaves_of(given))

    def _run_inside(self) -> None:
        attributes = self.__dict__
        ran_on, values = attributes["_ran_on"], attributes["_values_then"]
        went_back = attributes["_went_back"] if attributes.get("_gradients_of_gates") is not None else None
        results = {name: attributes[name] for name in ("output", "gradInput")}
        tables = {name: value.copy() for name, value in results.items() if isinstance(value, list)}
        known = self.activations(attributes["_saved"])
        self._compute_by_tree()
        self.grow_as_run()
        attributes["_shown"] = True
        copies = [tensor.data.clone() for tensor in values]
        super().updateOutput(copies)
        if went_back is not None:
            super().updateGradInput(copies, went_back[1])
        attributes.update(results)
        for name, value in tables.items():
            results[name][:] = value
        layers = [part for part in attributes["_tree"] if type(part) in NONLINEAR]
        pairs = [
            (part.output, value.reshape(part.output.shape)) for part, value in zip(layers, known, strict=True)
        ]
        attributes["_unsure"] = not all(nearly(now, then) for now, then in pairs)
        for now, then in pairs if attributes["_unsure"] else ():
            now.data.copy_(then)
        for tensor, now in zip(copies, ran_on, strict=True):
            tensor.copy_(now)

    def hide_inside(self) -> None:
        """Let the parts show no tables of an earlier run, which a script holds and reads without asking."""
        if self.__dict__.pop("_shown", False):
            for part in self.__dict__["_tree"]:
                for name in ("output", "gradInput"):
                    value = part.__dict__.get(name)
                    if part is not self and isinstance(value, list):
                        value.clear()

    def take_run(self, saved: list[torch.Tensor] | None, operands: list[torch.Tensor]) -> None:
        """Take a step that another kernel has done, as far as it is known, for whoever looks inside."""
        self.note_run()
        self.__dict__["_unsure"] = True
        if saved is not None:
            self.__dict__.update(
                _saved=saved,
                _gradients_of_gates=None,
                _ran_on=operands,
                _values_then=[tensor.data.clone() for tensor in operands],
            )

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        if not self.by_kernel(input):
            return super().updateGradInput(input, gradOutput)
        state = [rows(tensor.data) for tensor in input[1:]]
        factors = self.factors(state, self.__dict__["_saved"])
        gradients = self.as_outputs(gradOutput)
        of_gates = self.room(len(gradients[0]), gradients[0])
        values = self.step_grad(gradients, factors, of_gates)
        values = [self.grad_of_input(of_gates), *values]
        self.__dict__.update(_gradients_of_gates=of_gates, _went_back=([*input], gradOutput))
        if input[0].dim() == 1:
            values = [tensor.squeeze(0) for tensor in values]
        return self.keep_results("gradInput", values)

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        saved, of_gates = self.__dict__.get("_saved"), self.__dict__.get("_gradients_of_gates")
        if saved is None:
            super().accGradParameters(input, gradOutput, scale)
            return
        if of_gates is None:
            raise TorchError(f"{self.class_name}: accGradParameters comes after updateGradInput")
        before, gradient = self.__dict__["_went_back"]
        if self.copies_operands:
            input = [*self.__dict__["_values_then"][:2], *input[2:]]
        elif not (same_memory(input[0], before[0]) or torch.equal(input[0], before[0])):
            self._run_tree(before, before)
            super().updateGradInput(before, gradient)
            super().accGradParameters(input, gradOutput, scale)
            return
        x, *state = [rows(tensor.data) for tensor in input]
        self.acc_step(x, state, of_gates, saved, scale)

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        self.updateGradInput(input, gradOutput)
        self.accGradParameters(input, gradOutput, scale)
        return self.gradInput

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        if not self.by_kernel(input):
            super().accUpdateGradParameters(input, gradOutput, lr)
            return
        layers = self.members.values()
        buffers = [dict(layer._gradients) for layer in layers]
        try:
            for layer in layers:
                layer.__dict__["_gradients"].update(
                    (name, p.data) for name, p in layer._parameters.items() if p is not None
                )
            self.accGradParameters(input, gradOutput, -lr)
        finally:
            for layer, buffer in zip(layers, buffers, strict=True):
                layer.__dict__["_gradients"].update(buffer)

    # Called by name from a script, the tree computes; these see to it that it goes back as it came.

    def set_output(self, value: Any) -> Any:
        self._forget_run()
        return super().set_output(value)

    def _backwards(self, input: Any) -> list[tuple[Any, Any]]:
        if self.__dict__.get("_saved") is not None:
            self._compute_by_tree()
            super().updateOutput(input)
        return super()._backwards(input)

    # -- what concerns every module of the tree -----------------------------------------------------------

    def torch7_parameters(self) -> Any:
        if not self.intact():
            return super().torch7_parameters()
        pairs = [layer.torch7_parameters() for layer in self.members.values()]
        return [p for pair in pairs for p in pair[0]], [g for pair in pairs for g in pair[1]]

    def zeroGradParameters(self) -> None:
        if not self.intact():
            super().zeroGradParameters()
            return
        for layer in self.members.values():
            layer.zeroGradParameters()

    def updateParameters(self, learningRate: float) -> None:
        if not self.intact():
            super().updateParameters(learningRate)
            return
        for layer in self.members.values():
            layer.updateParameters(learningRate)

    def forget(self) -> Any:
        return self if self.intact() else super().forget()

    def set_training(self) -> None:
        if self.__dict__["_light"]:
            self.__dict__["training"] = self.__dict__["_mode_set"] = True
        else:
            super().set_training()

    def set_evaluate(self) -> None:
        if self.training and self.__dict__.get("_saved") is not None:
            self._keep_state()
        if self.__dict__["_light"]:
            self.__dict__["training"], self.__dict__["_mode_set"] = False, True
        else:
            super().set_evaluate()

    def clearState(self) -> Module:
        self._forget_run()
        if not self.__dict__["_light"]:
            intact = self.intact()
            super().clearState()
            if intact:
                self._note_parts()  # without what a forward made
        self.__dict__.update(_has_run=False, _unsure=False, output=[], gradInput=[], _own={})
        return self

    def convert(self, convert: TensorMap, type_name: str | None, seen: set[int] | None = None) -> None:
        self._forget_run()
        super().convert(convert, type_name, seen)
