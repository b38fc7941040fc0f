"""Models as lists of instructions that Lua runs (``lua/step_programs.lua``, ``nn/step_program.py``)."""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from torch7py.bridge.calls import decode
from torch7py.bridge.dispatch import encode_results
from torch7py.bridge.runtime_interface import RuntimeInterface
from torch7py.bridge.vector_loops import vector_loop
from torch7py.nn.step_lines import learn, learn_backward, roots, survey
from torch7py.nn.step_program import DTYPES, INSTRUCTIONS, NUMBERS, SAVED, Leaf, StepProgram, Table, Value
from torch7py.nn.step_run import Run
from torch7py.ops.dispatch.kinds import Kind

__all__ = ["step_program_functions", "torch_library", "without_steps_in_lua"]

TYPES = {dtype: number for number, dtype in enumerate(DTYPES, 1)}
TABLE, OUTSIDE, STATIC = 1, 2, 3
METHODS = ("updateOutput", "updateGradInput", "accGradParameters")
WITHOUT_BLAS = 1  # nanoseconds that a multiplication in a product of matrices costs without a BLAS


class _Model:
    """A program as numbers for Lua to read."""

    def __init__(self, program: StepProgram, runtime: RuntimeInterface) -> None:
        self.program = program
        self._handles = runtime.handles
        self.runs: Run

    def numbers(self) -> tuple[int, int] | None:
        """Where the numbers are, and how many; None where Lua cannot run this."""
        p = self.program
        if p.dtype is None:
            return None
        self._put: list[float] = [TYPES[p.dtype], len(p.slots)]
        put = self._put
        outside = {leaf.slot for leaf in p.roots} | {slot for slot, _, _ in p.derived}
        for slot, tensor in enumerate(p.slots):
            address = 0 if slot in outside else tensor.data_ptr()
            put += [TYPES[tensor.dtype], address, tensor.nbytes if slot in p.written else 0]
        put.append(len(p.roots))
        for leaf in p.roots:
            put += [leaf.slot, TYPES[leaf.tensor.dtype], p.may_copy(leaf)]
            put += [leaf.tensor.dim(), *leaf.tensor.shape]
        put.append(len(p.derived))
        for slot, base, count in p.derived:
            put += [slot, base, count, TYPES[p.slots[slot].dtype]]
        put.append(len(p.indices))
        for index in p.indices:
            put += index
        try:
            self._calls()
        except _OutOfReach:
            return None
        codes = self._handles.codes
        changed = [*(module for module, *_ in p.shown), *p.silent]
        shown = sorted({codes[id(module)] for module in changed if id(module) in codes})
        watched = [codes[id(module)] for module in p.modules if id(module) in codes]
        put += [len(watched), *watched, len(shown), *shown]
        try:
            self._value(p.input)
            self._value(p.output)
            put += [p.number is not None, *(p.number or ())]
            self._lines(p.forward)
            self._lines(p.again)
            put += [p.roots_of_forward, p.keeps_input, bool(p.sequences), p.backward is not None]
            if p.backward is not None:
                self._value(p.gradOutput)
                self._value(p.gradInput)
                self._lines(p.backward)
                self._lines(p.gradients)
                self._lines(p.zeroing)
                self._lines(p.moving)
        except _OutOfReach:
            return None
        self.array = array("d", put)
        return self.array.buffer_info()

    def _value(self, value: Value) -> None:
        put = self._put
        if isinstance(value, list):
            table = self._handles.give(value.held, Kind.TABLE) if isinstance(value, Table) else 0
            put += [TABLE, table, len(value)]
            for item in value:
                self._value(item)
        elif not isinstance(value, Leaf) or value.root not in (None, value.slot):
            raise _OutOfReach
        elif value.root is None:
            put += [STATIC, self._handles.give_view(value.tensor)]
        else:
            put += [OUTSIDE, value.slot]

    def _calls(self) -> None:
        p, codes = self.program, self._handles.codes
        self._put.append(len(p.calls))
        for call in p.calls:
            handle = codes.get(id(call.module))
            if handle is None:
                raise _OutOfReach
            self._put += [handle, METHODS.index(call.method), len(call.arguments)]
            for value in call.arguments:
                self._value(value)
            self._put.append(call.result is not None)
            if call.result is not None:
                self._value(call.result)

    def _lines(self, lines: list[tuple[str, tuple[float, ...]]]) -> None:
        self._put.append(len(lines))
        for name, numbers in lines:
            self._put += [NUMBERS[name], len(numbers), *numbers]


def is_of_use(program: StepProgram) -> bool:
    """Whether the loops gain more than they lose."""
    lost = program.work if has_blas() else program.work + WITHOUT_BLAS * program.products
    return lost <= SAVED * program.count


def lua_takes_steps() -> bool:
    """Whether Lua itself runs what it can of layers' methods."""
    return os.environ.get("TORCH7PY_SMALL_STEPS") != "0"


def without_steps_in_lua() -> list[tuple[Any, str, Any]]:
    """What to put in place of what, ``(owner, name, value)``, so that in new runtimes Python's methods take all steps.

    For tools that watch these methods.
    """
    return [(sys.modules[__name__], "lua_takes_steps", lambda: False)]


class _OutOfReach(Exception):
    """A value that Lua cannot make."""


def torch_library() -> str:
    """The file of PyTorch's library for the CPU."""
    name = {"darwin": "libtorch_cpu.dylib", "win32": "torch_cpu.dll"}.get(sys.platform, "libtorch_cpu.so")
    return str(Path(torch.__file__).parent / "lib" / name)


@functools.cache
def has_blas() -> bool:
    """Whether Lua finds the products of matrices there."""
    try:
        library = ctypes.CDLL(torch_library())
    except OSError:
        return False
    return all(hasattr(library, name) for name in ("dgemm_", "sgemm_", "dgemv_", "sgemv_"))


def step_program_functions(runtime: RuntimeInterface) -> dict[str, Callable[..., Any]]:
    """The functions for ``step_programs.lua``."""
    handles = runtime.handles
    objects = handles.objects

    def learn_steps(mask: int, *values: Any) -> tuple[Any, ...]:
        """Learn the forward of a module for an input. Returns a handle, where the numbers are, and how many.

        Nothing where there are no instructions now, false where they would be of no use.
        """
        module, input = decode(handles, int(mask), values)
        plan = None if handles.cuda else survey(module, input)
        if plan is not None and not is_of_use(plan):
            return 0, False
        program = None if plan is None else learn(module, input)
        model = None if program is None else _Model(program, runtime)
        numbers = None if model is None else model.numbers()
        if model is None or numbers is None:
            return (0,)
        model.runs = Run(model.program)
        return 0, handles.give_new(model, Kind.OBJECT), *numbers

    def learn_steps_back(mask: int, *values: Any) -> tuple[Any, ...]:
        """Learn the backward too."""
        model, gradOutput = decode(handles, int(mask), values)
        numbers = model.numbers() if learn_backward(model.program, gradOutput) else None
        return (0,) if numbers is None else (0, *numbers)

    def steps_hold(handle: int) -> int:
        """Whether a program holds: 0 where it does not, 2 where its module has run in Python since."""
        model = objects[handle]
        if handles.cuda or not model.program.holds():
            return 0
        return 2 if model.runs.by_python() else 1

    def step_function(handle: int, number: int, scale: float, *given: int) -> None:
        """Call a function of a program with what has been given to it."""
        program: StepProgram = objects[handle].program
        pairs = zip(program.roots, given, strict=False)
        tensor_of = {leaf.slot: objects[code] for leaf, code in pairs if code}
        with torch.no_grad():
            program.functions[int(number)](tensor_of, scale)

    def steps_done(mask: int, *values: Any) -> tuple[Any, ...]:
        """Lua has run a program: have all show it. Returns whether tensors have moved."""
        model, output, gradInput, has_gradients, has_gone_back, accumulated, *handle_list = decode(
            handles, int(mask), values
        )
        tensors = [objects[handle] if handle else None for handle in handle_list]
        passes = has_gradients, has_gone_back, accumulated
        moved = model.runs.show(output or None, gradInput or None, passes, tensors)
        return encode_results(handles, moved)

    def steps_resume(mask: int, *values: Any) -> tuple[Any, ...]:
        """Go on with a run in Python after a call whose result does not fit the instructions."""
        model, number, value, needs_input, *handle_list = decode(handles, int(mask), values)
        tensors = [objects[handle] if handle else None for handle in handle_list]
        if needs_input is True:
            result = model.runs.resume(int(number), value, tensors)
        else:
            result = model.runs.resume_back(
                int(number), value, None if needs_input is False else needs_input, tensors
            )
        return encode_results(handles, result)

    return {
        "steps_resume": steps_resume,
        "learn_steps": learn_steps,
        "learn_steps_back": learn_steps_back,
        "steps_hold": steps_hold,
        "steps_done": steps_done,
        "step_function": step_function,
        "vector_loop": vector_loop,
        "step_instructions": lambda: " ".join(INSTRUCTIONS),
        "step_classes": lambda: " ".join(f"{key} {takes_target:d}" for key, takes_target in roots()),
    }
