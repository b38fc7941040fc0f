"""Read the layers of a ``.caffemodel``, a message of Google's protocol buffers.

A message is a sequence of fields, each a tag (the field's number and wire type) and a value. The fields of sequential
networks are known here, in both formats of Caffe: ``layers`` (V1, before 2015) and ``layer``.
"""

from __future__ import annotations

import mmap
import struct
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import torch

from torch7py.ops.errors import TorchError
from torch7py.packages.registry import function

__all__ = ["layers_of"]

_VARINT = 0
_EIGHT = 1
_BYTES = 2
_FOUR = 5

# Types of V1 layers by number, under the names of the later form.
_V1_TYPES = {
    1: "Accuracy",
    3: "Concat",
    4: "Convolution",
    5: "Data",
    6: "Dropout",
    8: "Flatten",
    12: "ImageData",
    14: "InnerProduct",
    15: "LRN",
    17: "Pooling",
    18: "ReLU",
    19: "Sigmoid",
    20: "Softmax",
    21: "SoftmaxWithLoss",
    22: "Split",
    23: "TanH",
    25: "Eltwise",
    39: "Deconvolution",
}

# Field numbers of a layer: name, type, blobs, and of its settings.
_V1 = {
    "name": 4,
    "type": 5,
    "blobs": 6,
    "convolution": 10,
    "dropout": 12,
    "inner": 17,
    "lrn": 18,
    "pooling": 19,
}
_V2 = {
    "name": 1,
    "type": 2,
    "blobs": 7,
    "convolution": 106,
    "dropout": 108,
    "inner": 117,
    "lrn": 118,
    "pooling": 121,
}

# Field numbers of settings, with the values that they have unless said.
_SETTINGS: dict[str, dict[int, tuple[str, Any]]] = {
    "convolution": {
        1: ("num_output", 0),
        3: ("pad", 0),
        9: ("pad_h", 0),
        10: ("pad_w", 0),
        4: ("kernel", 0),
        11: ("kernel_h", 0),
        12: ("kernel_w", 0),
        5: ("group", 1),
        6: ("stride", 1),
        13: ("stride_h", 0),
        14: ("stride_w", 0),
    },
    "pooling": {
        1: ("pool", 0),
        4: ("pad", 0),
        9: ("pad_h", 0),
        10: ("pad_w", 0),
        2: ("kernel", 0),
        5: ("kernel_h", 0),
        6: ("kernel_w", 0),
        3: ("stride", 1),
        7: ("stride_h", 0),
        8: ("stride_w", 0),
        12: ("global_pooling", 0),
    },
    "lrn": {1: ("local_size", 5), 2: ("alpha", 1.0), 3: ("beta", 0.75), 4: ("region", 0), 5: ("k", 1.0)},
    "dropout": {1: ("ratio", 0.5)},
    "inner": {1: ("num_output", 0)},
}


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise TorchError("loadcaffe: the Caffe model is cut off")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise TorchError("loadcaffe: not a Caffe model (a number without end)")


def _fields(data: memoryview) -> Iterator[tuple[int, Any]]:
    """The fields of a message: numbers, floats, or the bytes of other values."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        value: Any
        if kind == _VARINT:
            value, at = _varint(data, at)
        elif kind == _BYTES:
            size, at = _varint(data, at)
            value, at = data[at : at + size], at + size
        elif kind == _FOUR:
            value, at = data[at : at + 4], at + 4
        elif kind == _EIGHT:
            value, at = data[at : at + 8], at + 8
        else:
            raise TorchError(f"loadcaffe: not a Caffe model (a value of kind {kind})")
        if at > end:
            raise TorchError("loadcaffe: the Caffe model is cut off")
        yield number, value


def _bytes(value: Any) -> memoryview:
    if not isinstance(value, memoryview):
        raise TorchError("loadcaffe: not a Caffe model (a number where a message should be)")
    return value


def _settings(kind: str, data: Any) -> dict[str, Any]:
    fields = _SETTINGS[kind]
    settings = dict(fields.values())
    for number, value in _fields(_bytes(data)) if data is not None else ():
        if number in fields:
            name = fields[number][0]
            if isinstance(value, memoryview):
                if len(value) != 4:
                    raise TorchError(f"loadcaffe: not a Caffe model ({name} is no number)")
                value = struct.unpack("<f", value)[0]
            settings[name] = value
    return settings


def _blob(data: memoryview) -> tuple[list[int], torch.Tensor]:
    """The sizes of a blob (those of the older form in the order num, channels, height, width), and its numbers."""
    older, shape = [0, 0, 0, 0], None
    numbers = {5: bytearray(), 8: bytearray()}  # of single and of double precision
    for number, value in _fields(data):
        if 1 <= number <= 4:
            older[number - 1] = value
        elif number in numbers:
            numbers[number] += _bytes(value)
        elif number == 7:
            shape = _shape(_bytes(value))
    single, double = numbers[5], numbers[8]
    if len(single) % 4 or len(double) % 8:
        raise TorchError("loadcaffe: the Caffe model is cut off")
    if double:
        values = torch.frombuffer(double, dtype=torch.float64).float()
    else:
        values = torch.frombuffer(single, dtype=torch.float32) if single else torch.empty(0)
    return (older if shape is None else shape), values


def _shape(data: memoryview) -> list[int]:
    sizes: list[int] = []
    for _, value in _fields(data):
        if isinstance(value, memoryview):
            at = 0
            while at < len(value):
                size, at = _varint(value, at)
                sizes.append(size)
        else:
            sizes.append(value)
    return sizes


def _layer(data: memoryview, numbers: dict[str, int], older: bool) -> dict[str, Any]:
    messages: dict[int, list[Any]] = defaultdict(list)
    for number, value in _fields(data):
        messages[number].append(value)

    def last(name: str) -> Any:
        values = messages[numbers[name]]
        return values[-1] if values else None

    name, kind = last("name"), last("type")
    layer: dict[str, Any] = {"name": "" if name is None else bytes(_bytes(name)).decode("latin1")}
    if older:
        layer["type"] = _V1_TYPES.get(kind, f"type {kind}")
    else:
        layer["type"] = "" if kind is None else bytes(_bytes(kind)).decode("latin1")
    for setting in _SETTINGS:
        parts = messages[numbers[setting]]
        layer[setting] = _settings(setting, parts[-1] if parts else None)
    blobs = [_blob(_bytes(blob)) for blob in messages[numbers["blobs"]]]
    layer["sizes"] = [sizes for sizes, _ in blobs]
    layer["blobs"] = [values for _, values in blobs]
    return layer


@function("loadcaffe.layers")
def layers_of(path: str) -> dict[str, Any] | None:
    """The layers of a model in order, whether they are of the older form, and how many numbers say the input's size.

    A layer is its ``name``, its ``type``, the ``sizes`` of its weights and bias, these as vectors (``blobs``), and its
    settings by kind. None for a file that cannot be read.
    """
    try:
        with open(path, "rb") as file:
            # closed when the last view of it goes
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError:
        return None
    except ValueError as error:
        raise TorchError(f"loadcaffe: {path} is empty") from error
    older: list[dict[str, Any]] = []
    later: list[dict[str, Any]] = []
    inputs = {4: 0, 8: 0}  # sizes of the input, one by one, and shapes
    for number, value in _fields(data):
        if number == 2:
            older.append(_layer(_bytes(value), _V1, True))
        elif number == 100:
            later.append(_layer(_bytes(value), _V2, False))
        elif number in inputs:
            inputs[number] += 1
    return {"older": bool(older), "layers": older or later, "inputs": inputs[4] if older else 4 * inputs[8]}
