"""Methods that the rnn and dpnn packages add to every module: memory over steps, and shared clones.

A module without memory passes these calls on to the modules inside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import torch

from torch7py.nn.copying import CustomSerialization, clone_memo, deep_copy, keep_as_is
from torch7py.nn.object import TorchObject, as_parents, names
from torch7py.ops import state
from torch7py.ops.errors import TorchError
from torch7py.ops.program_output import say

__all__ = ["DPNN_METHODS", "RNN_METHODS", "Stepping", "other_generation", "shared_clone"]

RNN_METHODS = names(
    "forget remember stepClone maxBPTTstep setOutputStep getHiddenState setHiddenState "
    "getGradHiddenState setGradHiddenState backwardThroughTime backwardOnline"
)
DPNN_METHODS = names("sharedClone")

STEP_CLONE = "torch7py step clone"  # memo key: the copy lives as long as the module it is a copy of


def other_generation(method: str, year: int) -> TorchError:
    """The error of a method that only the other generation of the rnn package has."""
    return TorchError(f"{method} is of the rnn package of {year}: run with --rnn-api {year}")


def shared_clone(
    module: TorchObject,
    parameters: bool = True,
    gradients: bool = True,
    step: bool = False,
    companion: bool = False,
) -> Any:
    """A copy of a module whose parameters and gradient buffers are the module's own.

    For another ``step`` of the same sequence, modules inside that keep their steps themselves are not copied. A
    ``companion`` lives as long as the module, as a copy for another step does.
    """
    memo = clone_memo()
    kept: dict[int, Any] = {}  # modules that are not copied, by id
    shared: dict[int, dict[str, torch.Tensor]] = {}  # the shared fields of the others
    for part in module.modules():
        if not isinstance(part, TorchObject):
            continue
        if step and isinstance(part, Stepping) and part.keeps_steps:
            kept[id(part)] = memo[id(part)] = part
            continue
        fields = shared[id(part)] = {}
        if parameters:
            fields |= {
                name: p for name, p in (*part._parameters.items(), *part._buffers.items()) if p is not None
            }
        if gradients:
            if isinstance(part, Stepping):
                memo.update((id(value), value) for value in part.shared_by_clones())
            gradients_of = ((name, part.gradient(name)) for name in part._gradients)
            fields |= {f"grad{name[0].upper()}{name[1:]}": g for name, g in gradients_of if g is not None}
        keep_as_is(memo, fields.values())
    if step or companion:
        memo[STEP_CLONE] = True
    with torch.no_grad():
        try:
            return deep_copy(module, memo)
        except CustomSerialization as custom:
            return _shared_through_a_file(module, custom.saved_and_read, shared, kept)


def _shared_through_a_file(
    module: TorchObject,
    saved_and_read: Callable[[Any], Any],
    shared: dict[int, dict[str, torch.Tensor]],
    kept: dict[int, Any],
) -> Any:
    """The same where a part says itself how it is saved: meanwhile, as in Torch7, no part has what will be shared."""
    as_they_are = {id(part) for above in kept.values() for part in above.modules()}
    parts = [
        part
        for part in module.modules()
        if isinstance(part, TorchObject) and id(part) in shared and id(part) not in as_they_are
    ]
    for part in parts:
        part.get_field("output")  # what is still to be computed for who looks needs the parameters
    try:
        for part in parts:
            for name in shared[id(part)]:
                part.set_field(name, None)
        copied = saved_and_read(module)
    finally:
        for part in parts:
            for name, tensor in shared[id(part)].items():
                part.set_field(name, tensor)

    seen: set[int] = set()

    def match(original: Any, copy: Any) -> Any:
        """What stands in the clone for a part or a list of parts: its copy with what is shared."""
        if isinstance(original, list) and isinstance(copy, list):
            copy[: len(original)] = [match(*pair) for pair in zip(original, copy, strict=False)]
        if id(original) in kept:
            return original
        if not isinstance(original, TorchObject) or id(original) in seen:
            return copy
        seen.add(id(original))
        if not isinstance(copy, TorchObject):
            raise TorchError(f"sharedClone: a {original.class_name} is not there after it was saved and read")
        for name, tensor in shared.get(id(original), {}).items():
            copy.set_field(name, tensor)
        copies = list(copy.child_list() or ())
        matched = match(list(original.child_list() or ()), list(copies))
        if any(one is not other for one, other in zip(matched, copies, strict=True)):
            copy.set_child_list(matched)
            overrides = copy.__dict__.get("_overrides")
            if overrides is not None:
                overrides.show_children(copy)
        for name in (*original.links, *original.lists):
            held = copy.get_field(name)
            counterpart = match(original.get_field(name), held)
            if counterpart is not held:
                copy.set_field(name, counterpart)
        return copy

    return match(module, copied)


def entry(table: Any, number: int) -> Any:
    """An entry of a Lua table by its number, None where there is none: a table with holes comes as a dict."""
    if isinstance(table, dict):
        return table.get(number)
    return table[number - 1] if isinstance(table, list) and number <= len(table) else None


class Stepping(TorchObject):
    """The part of ``Module`` that the recurrent packages add."""

    keeps_steps: ClassVar[bool] = False  # one object serves all steps of a sequence

    def shared_by_clones(self) -> list[Any]:
        """What is the same object, beside the gradients, in a clone that shares these."""
        return []

    def children_of(self) -> list[Any]:
        return self.child_list() or []

    @as_parents
    def forget(self) -> Any:
        """``m:forget()``: start a new sequence."""
        for child in self.children_of():
            child.forget()
        return self

    def remember(self, remember: str | None = None) -> Any:
        """``m:remember([mode])``: which sequencers keep their memory between calls (see ``nn.Sequencer``)."""
        for child in self.children_of():
            child.remember(remember)
        return self

    def maxBPTTstep(self, rho: int) -> None:
        """``m:maxBPTTstep(rho)``: the number of steps to go back through time at most."""
        for child in self.children_of():
            child.maxBPTTstep(rho)

    def setOutputStep(self, step: int) -> None:
        """``m:setOutputStep(step)``: make the output that of an earlier step."""
        for child in self.children_of():
            child.setOutputStep(step)

    def backwardThroughTime(self) -> Any:
        """``m:backwardThroughTime()``, of 2015: let the recurrent modules inside go back through their steps."""
        if state.current().generation != 2015:
            raise other_generation("backwardThroughTime", 2015)
        for child in self.children_of():
            child.backwardThroughTime()

    def backwardOnline(self) -> None:
        """``m:backwardOnline()``, of 2016: what every backward does since January of that year."""
        if state.current().generation == 2015:
            raise other_generation("backwardOnline", 2016)
        say("backwardOnline: since January 2016 every backward goes back step by step; the call does nothing")

    @as_parents
    def sharedClone(
        self, shareParams: bool = True, shareGradParams: bool = True, stepClone: bool = False
    ) -> Any:
        """``m:sharedClone([shareParams, shareGradParams])``: a clone with this module's parameters and gradients."""
        if stepClone and self.keeps_steps:
            return self
        return shared_clone(self, shareParams, shareGradParams, step=stepClone)

    def stepClone(self, shareParams: bool = True, shareGradParams: bool = True) -> Any:
        """``m:stepClone([shareParams, shareGradParams])``: the module for another step of the same sequence."""
        return self.sharedClone(shareParams, shareGradParams, True)

    def getHiddenState(self, step: int | None = None, input: Any = None) -> Any:
        """``m:getHiddenState([step])``: the hidden state after a step, a table over the modules inside.

        These are told of no ``input``, by which a state before the first step would get its size.
        """
        children = self.child_list()
        return None if children is None else [c.getHiddenState(step) for c in children]

    def setHiddenState(self, step: int | None, hiddenState: Any = None) -> None:
        """``m:setHiddenState(step, state)``"""
        for child, part in self._with_entries(hiddenState):
            child.setHiddenState(step, part)

    def getGradHiddenState(self, step: int | None = None) -> Any:
        """``m:getGradHiddenState([step])``: the gradient of the hidden state."""
        children = self.child_list()
        return None if children is None else [c.getGradHiddenState(step) for c in children]

    def setGradHiddenState(self, step: int | None, gradHiddenState: Any = None) -> None:
        """``m:setGradHiddenState(step, gradient)``"""
        for child, part in self._with_entries(gradHiddenState):
            child.setGradHiddenState(step, part)

    def _with_entries(self, hidden_state: Any) -> list[tuple[Any, Any]]:
        """The modules inside, each with its part of a hidden state, None where that is missing."""
        children = self.child_list()
        if children is None:
            return []
        if not isinstance(hidden_state, (list, dict)):
            raise TorchError(f"{self.class_name}: a hidden state is a table of those of the modules inside")
        return [(child, entry(hidden_state, number)) for number, child in enumerate(children, 1)]
