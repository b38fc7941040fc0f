"""A module with steps, as the generations of the rnn package know it: the tables by step number."""

from __future__ import annotations

from typing import Any, ClassVar

from torch7py.nn.container import Container

__all__ = ["SteppedModule"]


class SteppedModule(Container):
    """The attributes of ``StepMemory`` that ``Generation2015`` and ``Generation2016`` read and write."""

    state_tables: ClassVar[tuple[str, ...]] = ("outputs",)  # the state after each step, output first
    first_step_back: ClassVar[int | None] = (
        1  # below which none goes back; None: nothing stops a backward there
    )
    first_clone: ClassVar[int] = 1  # the first step that a clone of recurrentModule serves

    rho: int
    step: int
    outputs: dict[int, Any]
    gradInputs: dict[int, Any]
    gradOutputs: dict[int, Any]
    sharedClones: dict[int, Any]  # None: a clone that nobody has asked for yet
    inputs: dict[int, Any]
    scales: dict[int, float]
    gradParametersAccumulated: bool
