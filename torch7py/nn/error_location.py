"""Finds where in a model an error occurred: the layer, and the path to it from the outermost module.

Nothing is recorded while a model computes. The traceback has the object of each frame; how one is reached from the
next is looked up in the outer object.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from types import TracebackType
from typing import Any, NamedTuple

import torch

from torch7py.nn.arguments import size_text
from torch7py.nn.object import TorchObject
from torch7py.nn.trace import leaves_of
from torch7py.ops import types
from torch7py.ops.error_messages import message_of, unfitting
from torch7py.ops.errors import ArgumentError, TorchError

__all__ = ["explain"]


# What the methods of the protocol call their arguments.
ARGUMENTS = ("input", "target", "gradOutput")


class _Call(NamedTuple):
    """A running method: its object, its name, its local variables."""

    of: TorchObject
    method: str
    variables: dict[str, Any]


def explain(error: Exception, root: TorchObject) -> TorchError:
    """The error message for the author of a program in which a method of ``root`` failed.

    The message names the layer that failed, and the path to it: ``Sequential[3].ParallelTable[1].Linear`` has the
    number of a module in its container, ``Recurrent[feedbackModule]`` a part by name, ``Recursor[step 4]`` the module
    of a step.
    """
    calls = list(_calls(error.__traceback__))
    calls = calls[next((i for i, call in enumerate(calls) if call.of is root), 0) :]
    leaf = calls[-1].of if calls else root
    text = _text_of(error, calls, leaf)
    if leaf.class_name not in text and not re.match(r"\w+\.\w+", text):
        text = f"{leaf.class_name}: {text}"
    if leaf is not root:
        text += f" (at {_path(calls)})"
    return ArgumentError(text) if isinstance(error, ArgumentError) else TorchError(text)


def _calls(traceback: TracebackType | None) -> Iterator[_Call]:
    while traceback is not None:
        frame = traceback.tb_frame
        obj = frame.f_locals.get("self")
        if isinstance(obj, TorchObject):
            yield _Call(obj, frame.f_code.co_name, frame.f_locals)
        traceback = traceback.tb_next


# -- the message -------------------------------------------------------------------------------------------


def _text_of(error: Exception, calls: list[_Call], leaf: TorchObject) -> str:
    text = str(error).strip().split("\n", 1)[0]
    if isinstance(error, (TorchError, RecursionError)):
        return message_of(error)
    arguments: dict[str, Any] = {}
    for call in calls:
        if call.of is leaf:
            for name in ARGUMENTS:
                if name in call.variables:
                    arguments.setdefault(name, call.variables[name])
    mismatch = _mismatch(leaf, arguments)
    if mismatch is not None:
        return mismatch
    if isinstance(error, RuntimeError):  # PyTorch's own complaint
        return (_mixture(calls) if re.search(r"dtype|scalar type", text) else None) or text + _sizes(
            arguments
        )
    foreign = _foreign(arguments) if isinstance(error, (AttributeError, TypeError)) else None
    if foreign is not None:
        return foreign
    described = unfitting(error, leaf)
    if described is not None:
        return described
    text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return text + _sizes(arguments)


def _mismatch(leaf: TorchObject, arguments: dict[str, Any]) -> str | None:
    """What is wrong with the layer's arguments, if that can be seen."""
    input, gradient = arguments.get("input"), arguments.get("gradOutput")
    for name, value in arguments.items():
        if value is None or isinstance(value, (str, bool, int, float)):
            return f"{name} is {_kind(value)}"
    if isinstance(input, torch.Tensor) and input.is_floating_point() and leaf._parameters:
        wanted = types.of(next((p for p in leaf._parameters.values() if p is not None), input))
        if types.of(input).dtype != wanted.dtype:
            return f"the input is a {types.of(input).tensor}, not a {wanted.tensor}"
    output = leaf.output
    if isinstance(gradient, torch.Tensor) and isinstance(output, torch.Tensor):
        if gradient.dtype != output.dtype and output.numel():
            return f"gradOutput is a {types.of(gradient).tensor}, not a {types.of(output).tensor}"
        if gradient.shape != output.shape:
            return f"gradOutput is {size_text(gradient)}, the output {size_text(output)}"
    return None


def _mixture(calls: list[_Call]) -> str | None:
    """Tensor types in the innermost call that differ from the layer's or from each other."""
    for call in reversed(calls):
        for name in ARGUMENTS:
            type_names = {
                types.of(t).tensor for t in leaves_of(call.variables.get(name)) if t.is_floating_point()
            }
            if len(type_names) > 1:
                return f"{name} is of several types: {' and '.join(sorted(type_names))}"
            if type_names and type_names != {call.of._type}:
                return f"{name} is a {type_names.pop()}, the layer of type {call.of._type}"
    return None


def _foreign(arguments: dict[str, Any]) -> str | None:
    """An argument, or an entry of one, that is not a tensor."""
    for name, value in arguments.items():
        if isinstance(value, list):
            others = [_kind(v) for v in _entries(value) if not isinstance(v, torch.Tensor)]
            return f"{name} {f'holds {others[0]}' if others else 'is a table'}: {_form(value)}"
    return None


def _entries(value: Any) -> Iterator[Any]:
    for entry in value:
        if isinstance(entry, list):
            yield from _entries(entry)
        else:
            yield entry


def _form(value: Any) -> str:
    """The sizes in a table of tensors, ``{2x3, {4, 5}}``."""
    if isinstance(value, list):
        return "{" + ", ".join(map(_form, value)) + "}"
    return size_text(value) if isinstance(value, torch.Tensor) else _kind(value)


def _kind(value: Any) -> str:
    if value is None:
        return "nil"
    return {str: "a string", bool: "a boolean"}.get(type(value), "a number")


def _sizes(arguments: dict[str, Any]) -> str:
    known = [f"{name} {_form(v)}" for name, v in arguments.items() if isinstance(v, (torch.Tensor, list))]
    return f" ({', '.join(known)})" if known else ""


# -- the way -----------------------------------------------------------------------------------------------


def _path(calls: list[_Call]) -> str:
    steps = [calls[0].of]
    for call in calls:
        if call.of is not steps[-1]:
            steps.append(call.of)
    words = []
    for outer, inner in itertools.pairwise(steps):
        part = _part(outer, inner)
        words.append(_short(outer) + (f"[{part}]" if part else ""))
    return ".".join([*words, _short(steps[-1])])


def _short(obj: TorchObject) -> str:
    """A class name without its package."""
    return obj.class_name.rpartition(".")[2]


def _part(outer: TorchObject, inner: TorchObject) -> str:
    """What ``inner`` is to ``outer``: the number of a child, the name of a part, the number of a step."""
    children = outer.child_list() or []
    at = next((i for i, child in enumerate(children, 1) if child is inner), None)
    attributes = outer.__dict__
    steps = attributes.get("sharedClones")
    if isinstance(steps, dict):
        step = next((n for n, clone in steps.items() if clone is inner), None)
        if step is not None:
            return f"step {step}"
    if at is not None:
        return str(at)
    for name, part in outer._modules.items():
        if part is inner:
            return str(int(name) + 1) if name.isdigit() else name
    for value in attributes.values():
        if isinstance(value, list):
            at = next((i for i, item in enumerate(value, 1) if item is inner), None)
            if at is not None:
                return str(at)
    return ""
