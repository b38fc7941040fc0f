"""Values as text and back, for what processes of one run tell each other: nothing that is read can be code."""

from __future__ import annotations

import json
from typing import Any

from torch7py.ops.error_messages import message_of
from torch7py.ops.errors import TorchError

__all__ = ["from_text", "to_text"]


def to_text(value: Any) -> bytes:
    """Write nil, truth, numbers, strings, bytes, exceptions, and lists and tuples of these."""
    return json.dumps(_written(value)).encode()


def from_text(text: bytes) -> Any:
    """What ``to_text`` wrote. An exception of the system's stays one; others are a ``TorchError`` of the same words."""
    return _read(json.loads(text))


def _written(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, list):
        return [_written(item) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [_written(item) for item in value]}
    if isinstance(value, bytes):
        return {"bytes": value.decode("latin1")}
    if isinstance(value, OSError) and value.errno is not None:
        return {
            "system": [value.errno, value.strerror, None if value.filename is None else str(value.filename)]
        }
    if isinstance(value, Exception):
        return {"error": message_of(value)}
    raise TorchError(f"processes cannot tell each other a value of the type {type(value).__name__}")


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return [_read(item) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "tuple":
        return tuple(_read(item) for item in content)
    if kind == "bytes":
        return content.encode("latin1")
    if kind == "system":
        return OSError(*content)
    return TorchError(content)
