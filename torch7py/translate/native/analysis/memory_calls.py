"""Calls of the FFI's that begin at the memory of a tensor: ``ffi.string(x:data())``, ``ffi.copy(x:data(), text)``."""

from __future__ import annotations

from torch7py.translate.native.analysis.program_facts import Known
from torch7py.translate.tree import Call, Expression, Invoke

__all__ = ["CALLS", "first_tensor"]

# Each with the function of the pages' library that does so whatever the tensor is.
CALLS = {"ffi.string": "text_in_memory", "ffi.copy": "text_into_memory"}


def first_tensor(t: Known, node: Call) -> Expression | None:
    """The tensor at whose memory such a call begins, whatever is known of it."""
    first = node.arguments[0] if node.arguments and t.path(node.callee) in CALLS else None
    if isinstance(first, Invoke) and first.method == "data" and not first.arguments:
        return first.receiver if t.path(first.receiver) is None else None
    is_call = isinstance(first, Call) and t.path(first.callee) == "torch.data" and len(first.arguments) == 1
    return first.arguments[0] if is_call and isinstance(first, Call) else None
