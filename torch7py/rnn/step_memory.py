"""What a module with steps keeps of them.

Every step of a sequence in training runs in a clone of ``recurrentModule``. There are as many clones as steps can be
gone back through, and one more; when a new step takes over the clone of an old one, everything kept of the old step
goes. All tables by step number follow from that. Only this file adds and drops entries: for one step
(``module_forward``, ``advance``) or for all steps of a sequence that ran at once (``keep_steps``, see
fused_sequence.py). What such a sequence leaves out, clones and the gradients inside it, is computed when it is read.

The original keeps more in three tables, ``cells``, ``gradCells`` and ``gradOutputs`` of steps whose clones have been
taken over, and outputs in evaluation, where every step has the same tensor; all of it has been overwritten by then.
Here these entries go with ``outputs``, so that what is kept does not grow with the number of steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import torch

from torch7py.nn.container import Container
from torch7py.nn.copying import TensorMap, map_tensors
from torch7py.nn.object import TorchObject
from torch7py.ops.errors import NotKnown, TorchError
from torch7py.rnn.generation import GENERATIONS, Generation, current_year
from torch7py.rnn.generation_2016 import EVALUATION
from torch7py.rnn.stepped_module import SteppedModule

__all__ = ["StepMemory"]


def clear_results(part: Any) -> None:
    """Clear the results inside a step, except those of modules with steps, which all steps share."""
    if not any(isinstance(module, StepMemory) for module in part.modules()):
        part.clearState()
    elif not isinstance(part, StepMemory):
        part.__dict__.update(output=part.new(), gradInput=part.new())
        for child in part._modules.values():
            clear_results(child)


def put_at(tensors: dict[str, torch.Tensor], name: str, part: Any) -> Any:
    """What a place shows under a name, which takes over the memory of a part (see ``StepMemory.placed``)."""
    if not isinstance(part, torch.Tensor):
        return part
    held = tensors.get(name)
    if held is not None and held.dtype is part.dtype and held.device == part.device:
        held.data = part
        return held
    tensors[name] = part
    return part


class StepMemory(SteppedModule):
    """The part of ``nn.AbstractRecurrent`` that keeps the tables by step."""

    keeps_steps = True
    transient = (*Container.transient, "_run", "_unknown", "_unseen", "_places")
    # The tables by step number, which Lua hands back as arrays.
    by_step: ClassVar[frozenset[str]] = frozenset(
        "outputs gradInputs gradOutputs _gradOutputs inputs scales sharedClones cells gradCells".split()
    )
    # Tables that are not filled after a sequence that was computed as one piece, until somebody looks.
    of_gradients: ClassVar[frozenset[str]] = frozenset(
        "gradInputs gradOutputs _gradOutputs gradCells inputs".split()
    )
    state_gradients: ClassVar[
        tuple[str, ...]
    ] = ()  # tables of what later steps add, beside that of the output
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
    nil_as: ClassVar[dict[str, Any]] = {"copyInputs": False, "copyGradOutputs": False}

    def __init__(self, rho: int | None = None) -> None:
        super().__init__()
        self._start_memory(99999 if rho is None else int(rho))

    def prepare_blank(self) -> None:
        super().prepare_blank()
        self._start_memory(99999)

    def _start_memory(self, rho: int) -> None:
        attributes = self.__dict__
        attributes["_generation"] = current_year()
        attributes.update(rho=rho, step=1, sharedClones={}, nSharedClone=None)
        attributes.update(updateGradInputStep=None, accGradParametersStep=None)
        self.generation.start(self)
        self._clear_steps()

    @property
    def generation(self) -> Generation:
        return GENERATIONS[self.__dict__["_generation"]]

    def _clear_steps(self) -> None:
        """Keep nothing of any step but the clones."""
        attributes = self.__dict__
        attributes.update({name: {} for name in (*self.state_tables, *self.state_gradients)})
        attributes.update(gradInputs={}, gradOutputs={}, _gradOutputs={}, _totals={}, _gradHidden={})
        for name in ("_run", "_unknown", "_places"):
            attributes.pop(name, None)
        self.generation.clear(self)

    # -- clones -------------------------------------------------------------------------------------------

    @property
    def step_module(self) -> Any:
        module = self.__dict__.get("recurrentModule")
        if module is None:
            raise TorchError(f"{self.class_name} has no recurrentModule")
        return module

    def set_step_module(self, module: Any) -> None:
        """The module of one step; it serves the first step that there are clones for."""
        self.__dict__["recurrentModule"] = module
        self.__dict__.pop("_run", None)
        self._modules.clear()
        self._modules["recurrentModule"] = module
        self.__dict__["sharedClones"] = {self.first_clone: module}
        self.__dict__.pop("_unseen", None)

    def _clone_of(self, step: int) -> Any:
        """The clone that serves a step, made when there is none."""
        attributes = self.__dict__
        clones = attributes["sharedClones"]
        clone = clones.get(step)
        if clone is None:
            known = step in clones
            clone = clones[step] = self.step_module.stepClone()
            if not known:
                attributes["nSharedClone"] = len(clones)
        return clone

    def getStepModule(self, step: int) -> Any:
        """``m:getStepModule(step)``: the clone that serves a step, made when there is none."""
        if step < self.step:
            self.look_into_steps()
        return self._clone_of(int(step))

    def existing_clones(self) -> list[Any]:
        """The clones that somebody has asked for, and that are not children themselves."""
        children = self._modules.values()
        clones = [clone for clone in self.sharedClones.values() if clone is not None]
        return [clone for clone in clones if not any(clone is child for child in children)]

    def _show_clones(self) -> None:
        """Make all clones, and let them be looked into: what they show is there when it is read."""
        for step, clone in self.sharedClones.items():
            if clone is None:
                clone = self._clone_of(step)
            if "_catch_up" not in clone.__dict__:
                self._watch(clone)

    def _watch(self, clone: Any) -> None:
        """Nothing of a clone is read before what is missing in it has been computed; a damaged file's may contain
        itself."""
        waiting = [clone]
        while waiting:
            part = waiting.pop()
            if (
                isinstance(part, TorchObject)
                and not isinstance(part, StepMemory)
                and "_catch_up" not in part.__dict__
            ):
                part.__dict__["_catch_up"] = self.look_into_steps
                waiting += part._modules.values()

    def show_step(self, step: int, output: Any, gradInput: Any) -> None:
        """Have the clone for a step show these results; nothing is known of what is inside."""
        clone = self._clone_of(step)
        clear_results(clone)
        clone.show_results(output, gradInput)
        self.__dict__["_unknown"] = step + 1

    def past_module(self, step: int) -> Any:
        """The clone that goes back through a step. One that no step in training has run in is made now, of the module
        as it is: after steps in evaluation, as their last one left it."""
        self.look_into_steps()
        self._check_known(step)
        clone = self._clone_of(step)
        unseen = range(1, self.__dict__.get("_unseen", 1))
        if not self.training and clone is not self.step_module and step in unseen:
            raise NotKnown(
                f"{self.class_name}: a backward in evaluation, through a step whose clone a sequence in training used: "
                "what was inside it then is not known any more"
            )
        return clone

    def _check_known(self, step: int) -> None:
        if step < self.__dict__.get("_unknown", step):
            raise NotKnown(
                f"{self.class_name}: what was inside step {step} is not known any more, for parameters have changed "
                "since"
            )

    def inner(self) -> Iterator[TorchObject]:
        yield from super().inner()
        module = self.__dict__.get("recurrentModule")
        if module is not None:
            yield module
        yield from (clone for clone in self.sharedClones.values() if clone is not None)

    # -- steps forward ------------------------------------------------------------------------------------

    def reach(self) -> int:
        """How many steps back from the next one the clone is that will serve it."""
        return self.generation.reach(self)

    def recycle(self, offset: int = 0) -> Any:
        """``m:recycle()``: let the clone of a step more than rho steps ago serve the next one."""
        self.generation.recycle(self, max(offset, self.first_clone - 1))
        return self

    def _let_go(self) -> None:
        """Drop the state of a step that is too long ago for the next one."""
        attributes = self.__dict__
        old = attributes["step"] - self.reach() - 1
        for name in (*self.state_tables, self.handed_back, *self.state_gradients):
            attributes[name].pop(old, None)

    def _begin_step(self) -> None:
        """What comes before a step in training: a clone serves it."""
        self.recycle()
        self._let_go()
        attributes = self.__dict__
        clones, step = attributes["sharedClones"], attributes["step"]
        if step not in clones:
            clones[step] = None
            attributes["nSharedClone"] = len(clones)

    def module_forward(self) -> Any:
        """The module for the step at hand: a clone in training, always the same one in evaluation."""
        self.look_into_steps()
        if self.training:
            self._begin_step()
            return self.getStepModule(self.step)
        self._let_go()
        return self.step_module

    def advance(self, input: Any, output: Any) -> Any:
        """One step is done."""
        attributes = self.__dict__
        step = attributes["step"]
        attributes["outputs"][step] = output
        self.generation.after_forward(self, input)
        attributes["step"] = step + 1
        attributes["updateGradInputStep"] = attributes["accGradParametersStep"] = None
        attributes.pop("gradPrevOutput", None)
        return self.set_output(output)

    def next_gradient_of_output(self) -> Any:
        """The gradient of the last step's output that a program has put in, as an encoder's that a decoder gave.

        ``userNextGradOutput`` stays until it is set to nil. ``gradPrevOutput``, its name until 2016, is gone with the
        next step forward.
        """
        given = self.__dict__.get("userNextGradOutput")
        return self.__dict__.get("gradPrevOutput") if given is None else given

    def keep_steps(self, states: Sequence[Sequence[Any]]) -> None:
        """Take the states after several steps that ran at once (fused_sequence.py), output first; None for a part that
        is not known yet."""
        attributes, training, generation = self.__dict__, self.training, self.generation
        self._settle(len(states))
        first, places = attributes["step"], self.places
        has_room = training and self._has_room(first, first + len(states))
        for step, state in enumerate(states, first):
            if not has_room:
                attributes["step"] = step
                if training and step >= self.first_clone:
                    self._begin_step()
                else:
                    self._let_go()
            tensors = places.setdefault(step if training else EVALUATION, {})
            for name, part in zip(self.state_tables, state, strict=True):
                if part is None:
                    attributes[name].pop(step, None)
                else:
                    attributes[name][step] = put_at(tensors, name, part)
            if training:
                generation.expect_input(self, step)
        attributes["step"] = first + len(states)
        attributes.pop("gradPrevOutput", None)
        attributes.update(
            updateGradInputStep=None, accGradParametersStep=None, gradParametersAccumulated=False
        )
        self.set_output(attributes["outputs"][attributes["step"] - 1])

    def _has_room(self, first: int, end: int) -> bool:
        """Whether these steps have their clones, and nothing that is kept is too old for any of them."""
        attributes = self.__dict__
        clones = attributes["sharedClones"]
        return (
            end - 1 <= attributes["rho"] + 1
            and attributes["nSharedClone"] is not None
            and all(map(clones.__contains__, range(max(first, self.first_clone), end)))
        )

    def placed(self, step: int, name: str, part: Any) -> Any:
        """The tensor in which the clone that serves a step shows something, which takes over this memory.

        So whoever holds it sees what comes in its place, as when the clone overwrote its buffers, and memory that
        nobody reads any more is free at once, not when Lua has collected.
        """
        return put_at(self.places.setdefault(step, {}), name, part)

    @property
    def places(self) -> dict[int, dict[str, torch.Tensor]]:
        """What the clones show by step, for sequences that are computed as one piece."""
        by_step: dict[int, dict[str, torch.Tensor]] = self.__dict__.setdefault("_places", {})
        return by_step

    def last_steps(self, name: str, parts: Sequence[Any]) -> list[Any]:
        """These parts of the last steps, in the tensors in which the clones show them."""
        places = self.places
        steps = enumerate(parts, self.step - len(parts))
        return [put_at(places.setdefault(step, {}), name, part) for step, part in steps]

    def _settle(self, steps: int) -> None:
        """Have the tables hold those gradients of the last sequence that are still kept after so many steps more."""
        run = self._leave_run()
        if run is not None:
            run.settle(self, self.step + steps - self.reach() - 1)

    def _leave_run(self) -> Any:
        """Part with the last sequence that was computed as one piece. Nobody has looked at its steps: the clones for
        them do not hold what a backward in evaluation would read."""
        run = self.__dict__.pop("_run", None)
        if run is not None and self.training:
            self.__dict__["_unseen"] = max(self.step, self.__dict__.get("_unseen", 0))
        return run

    # -- gradients ----------------------------------------------------------------------------------------

    @property
    def handed_back(self) -> str:
        """The table of what a step adds to the gradient of the one before it."""
        return self.generation.hidden_gradients

    def went_back(self, steps: int) -> None:
        """The last so many steps have gone back at once."""
        first = self.__dict__["step"] - steps
        self.__dict__.update(updateGradInputStep=first, accGradParametersStep=first)

    def next_back(self) -> int:
        """The number after that of the step that goes back next."""
        step: int | None = self.__dict__.get("updateGradInputStep")
        return self.step if step is None else step

    def keep_total(self, step: int, total: Any, gradOutput: Any) -> None:
        """The gradient of all that a step gives, for the second half of its backward. Where a later step has added to
        it, a script finds the output's part."""
        attributes = self.__dict__
        attributes["_totals"][step] = total
        if total is not gradOutput and (self.generation.sums_last or step < self.step - 1):
            attributes["_gradOutputs"][step] = self.of_output(total)

    def total_of(self, step: int) -> Any:
        if step not in self.__dict__["_totals"]:
            raise TorchError(f"{self.class_name}: accGradParameters without the updateGradInput of its step")
        return self.__dict__["_totals"][step]

    def of_output(self, total: Any) -> Any:
        """The part that belongs to the output of the gradient of all that a step gives."""
        return total

    def expect_totals(self, steps: range) -> None:
        """These steps have gone back at once, and a later step has added to each."""
        last = None if self.generation.sums_last else self.step - 1
        self.__dict__["_gradOutputs"].update((step, None) for step in steps if step != last)

    # -- whoever looks ------------------------------------------------------------------------------------

    def look_at_gradients(self) -> None:
        """Fill the tables by step with the gradients of the last sequence, before they are read."""
        run = self.__dict__.get("_run")
        if run is not None:
            run.fill()

    def look_into_steps(self) -> None:
        """Run the steps of the last sequence in their clones, before the clones are read."""
        run = self.__dict__.get("_run")
        if run is not None:
            run.replay()

    def show_inside(self, part: Any, name: str) -> None:
        """A script reads what a part shows that serves steps, and is no clone that it has asked for."""
        self.look_into_steps()

    def set_field(self, name: str, value: Any) -> Any:
        if name in self.by_step and isinstance(value, list):
            value = {step: item for step, item in enumerate(value, 1) if item is not None}
        if name == "recurrentModule":
            self.__dict__[name] = value
            return value
        return super().set_field(name, value)

    def get_field(self, name: str) -> Any:
        if name in self.generation.absent:
            return None
        if name == "sharedClones":
            self._show_clones()
        elif name in self.of_gradients:
            self.look_at_gradients()
            if name in self.generation.reused:
                self._fill_rest(name)
        return super().get_field(name)

    def _fill_rest(self, name: str) -> None:
        """What serves a step that has not gone back yet is empty."""
        table = self.__dict__[name]
        for step, value in table.items():
            if value is None:
                table[step] = self.new()

    def _look(self) -> None:
        """Have everything hold what it would after the steps one by one."""
        self.look_into_steps()
        self._show_clones()
        for name in self.generation.reused:
            self._fill_rest(name)

    def field_to_save(self, name: str) -> Any:
        if name in self.by_step:
            self._look()
        return super().field_to_save(name)

    def __deepcopy__(self, memo: dict[Any, Any]) -> Any:
        self._look()
        return super().__deepcopy__(memo)

    def __getstate__(self) -> dict[str, Any]:
        self._look()
        return super().__getstate__()

    # -- memory -------------------------------------------------------------------------------------------

    def forget(self) -> Any:
        self._leave_run()
        super().forget()
        if self.training:
            self.generation.restart(self)
        self.__dict__["step"] = 1
        return self

    def setOutputStep(self, step: int) -> None:
        if step not in self.outputs:
            raise TorchError(f"{self.class_name} has no output of step {step}")
        self.set_output(self.outputs[step])
        self.set_grad_input(self.gradInputs.get(step))

    def set_training(self) -> None:
        self.look_into_steps()
        super().set_training()
        for clone in self.existing_clones():
            clone.set_training()

    def set_evaluate(self) -> None:
        self.look_into_steps()
        super().set_evaluate()
        for clone in self.existing_clones():
            clone.set_evaluate()

    def convert(self, convert: TensorMap, type_name: str | None, seen: set[int] | None = None) -> None:
        self.look_into_steps()
        attributes = self.__dict__
        attributes.pop("_places", None)
        with torch.no_grad():
            for name in ("_gradOutputs", "_totals"):
                attributes[name] = map_tensors(attributes[name], convert)
            self.generation.convert(self, convert)
        super().convert(convert, type_name, seen)
