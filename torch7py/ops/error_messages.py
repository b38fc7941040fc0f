"""What an exception says to the author of a Lua program."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch

from torch7py.ops.errors import TorchError

__all__ = ["bytes_refused", "kind_of", "message_of", "unfitting"]

_OWN = re.compile(re.escape(str(Path(__file__).parents[1])) + r"[/\\](?!bridge|ops[/\\]dispatch)\w+[/\\]")
_KINDS: tuple[tuple[tuple[type, ...], str], ...] = (
    ((bool,), "boolean"),
    ((int, float), "number"),
    ((str, bytes), "string"),
    ((list, tuple, dict), "table"),
    ((torch.Tensor,), "tensor"),
)
_OUT_OF_MEMORY = re.compile(r"DefaultCPUAllocator: can't allocate memory: you tried to allocate (\d+) bytes")


def bytes_refused(error: BaseException) -> int | None:
    """How many bytes PyTorch asked for when it got none; None for another error."""
    wanted = _OUT_OF_MEMORY.search(str(error)) if isinstance(error, RuntimeError) else None
    return int(wanted[1]) if wanted else None


def message_of(error: BaseException) -> str:
    """An exception in one line for the author of a Lua script."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    text = str(error).strip()
    if isinstance(error, TorchError):
        return text
    if isinstance(error, RecursionError):
        return "stack overflow"
    first = text.split("\n", 1)[0]
    if isinstance(error, RuntimeError):  # raised by PyTorch
        wanted = bytes_refused(error)
        return first or "RuntimeError" if wanted is None else f"not enough memory for {wanted} bytes"
    return unfitting(error) or (f"{type(error).__name__}: {first}" if first else type(error).__name__)


def unfitting(error: BaseException, method_of: Any = None) -> str | None:
    """What a function was called with when Python found that it could do nothing with a value, in Torch7's words.

    The function is the first of this package's own below the bridge, or the first method of an object. None where the
    error is of another sort, or the function was given nothing.
    """
    in_a_loop = type(error).__module__.partition(".")[0] == "lupa"  # a compiled loop's arithmetic
    if not in_a_loop and not isinstance(error, (AttributeError, LookupError, TypeError, ValueError)):
        return None
    traceback = error.__traceback__
    while traceback is not None:
        frame, traceback = traceback.tb_frame, traceback.tb_next
        code, variables = frame.f_code, frame.f_locals
        owner = variables.get("self")
        if owner is not method_of if method_of is not None else not _OWN.match(code.co_filename):
            continue
        names = [name for name in code.co_varnames[: code.co_argcount] if name not in ("self", "cls")]
        rest = variables.get("arguments") if code.co_flags & 4 else None
        kinds = [f"{name} {kind_of(variables.get(name))}" for name in names]
        kinds += [kind_of(value) for value in rest or ()]
        if not kinds:
            return None
        class_name = getattr(owner, "class_name", type(owner).__name__)
        name = class_name if code.co_name == "__init__" else code.co_name
        why = f" ({str(error).strip()})" if isinstance(error, ValueError) else ""
        return f"{name} cannot be called with {', '.join(kinds)}{why}"
    return None


def kind_of(value: Any) -> str:
    """What a value is to a Lua program."""
    for kinds, name in _KINDS:
        if isinstance(value, kinds):
            return name
    if callable(value) and not hasattr(value, "class_name"):
        return "function"
    return str(getattr(value, "class_name", "userdata" if value is not None else "nil"))
