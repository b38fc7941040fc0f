"""Files that Torch7 wrote."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import torch
from torch import nn

from torch7py.translate.page_library.metatables import new_table

NUMBERS_IN_FILES = {
    "Double": ("d", torch.float64),
    "Float": ("f", torch.float32),
    "Cuda": ("f", torch.float32),
    "Half": ("e", torch.float16),
    "Long": ("q", torch.int64),
    "Int": ("i", torch.int32),
    "Short": ("h", torch.int16),
    "Char": ("b", torch.int8),
    "Byte": ("B", torch.uint8),
}


def is_torch7_file(path: Any) -> bool:
    """Whether Torch7 wrote a file: it begins with the kind of its value, a number from 0 to 5."""
    with open(path, "rb") as file:
        first = file.read(4)
    return first[:1] in b"012345" or (len(first) == 4 and first[1:] == bytes(3) and first[0] <= 5)


class Torch7Object:
    """An object of a class, such as a layer: what a file has of it."""

    def __init__(self, name: str, fields: Any = None) -> None:
        self.name, self.fields = name, fields

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{name} of a {self.name} from a file, which no class of the page is made from")

    def __call__(self, *_: Any) -> Any:
        raise TypeError(f"a {self.name} from a file, which no class of the page is made from, cannot run")

    def tensors(self, names: tuple[str, ...]) -> list[torch.Tensor]:
        """Its tensors of some names, and those of the layers in it, in their order."""
        own = [self.fields.get(name) for name in names]
        tensors = [x for x in own if isinstance(x, torch.Tensor) and x.numel()]
        for part in self.fields.get("modules") or []:
            tensors += part.tensors(names)
        return tensors


class Torch7File:
    """Reads the values of a file, in binary or as text. Tables come as lists and dicts, tensors as PyTorch's."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0
        self.is_text = data[:1] in b"012345"
        self.done: dict[int, Any] = {}  # tables and objects by their numbers, as they may occur again
        self.unfinished: set[int] = set()
        self.inside_themselves: set[int] = set()

    def numbers(self, form: str, count: int = 1) -> Any:
        """Numbers of one type, as ``struct`` gives them. Bytes are bytes in a text, too, behind an end of line."""
        if self.is_text and form in "bB":
            self.at += 1
        if not self.is_text or form in "bB":
            return struct.unpack(f"<{count}{form}", self.bytes(struct.calcsize(f"<{form}") * count))
        words = []
        for _ in range(count):
            while self.data[self.at : self.at + 1].isspace():
                self.at += 1
            start = self.at
            while self.at < len(self.data) and not self.data[self.at : self.at + 1].isspace():
                self.at += 1
            words.append(self.data[start : self.at])
        return tuple(float(word) if form in "dfe" else int(word) for word in words)

    def bytes(self, count: int) -> bytes:
        """The next bytes, of which all must be there."""
        part = self.data[self.at : self.at + max(count, 0)]
        if len(part) != count:
            raise ValueError(f"byte {self.at}: the file ends before {count} bytes")
        self.at += count
        return part

    def whole(self, form: str = "i") -> int:
        return int(self.numbers(form)[0])

    def text(self) -> str:
        size = self.whole()
        self.at += self.is_text  # the end of the line
        return self.bytes(size).decode("utf-8", "surrogateescape")

    def value(self) -> Any:
        kind = self.whole()
        if kind == 1:
            number = self.numbers("d")[0]
            return int(number) if number.is_integer() else number
        if kind == 5:
            return bool(self.whole())
        if kind not in (2, 3, 4):
            if kind:
                raise ValueError(f"byte {self.at}: a function, or no kind of value ({kind})")
            return None
        if kind == 2:
            return self.text()
        index = self.whole()
        if index in self.unfinished:
            self.inside_themselves.add(index)
        elif index not in self.done:
            (self.table if kind == 3 else self.object)(index)
        return self.done[index]

    def table(self, index: int) -> None:
        count = self.whole()
        self.done[index] = entries = {}
        self.unfinished.add(index)
        for _ in range(count):
            key = self.value()
            if isinstance(key, (list, dict)):  # a table that is a key, as nodes of graphs have them
                key = Torch7Object("table", key)
            entries[key] = self.value()
        self.unfinished.remove(index)
        if index not in self.inside_themselves and set(entries) == set(range(1, count + 1)):
            self.done[index] = [entries[number] for number in range(1, count + 1)]

    def object(self, index: int) -> None:
        name = self.text()
        if name.startswith("V "):
            name = self.text()
        kind = name.removeprefix("torch.").removesuffix("Tensor").removesuffix("Storage")
        if len(kind) > 4:
            kind = kind.removeprefix("Cuda")
        if kind not in NUMBERS_IN_FILES:
            self.done[index] = kept = Torch7Object(name)
            kept.fields = self.value()
            return
        form, dtype = NUMBERS_IN_FILES[kind]
        if name.endswith("Storage"):
            count = self.whole("q")
            if self.is_text:
                self.done[index] = torch.tensor(self.numbers(form, count), dtype=dtype)
                return
            part = bytearray(self.bytes(count * dtype.itemsize))
            self.done[index] = torch.frombuffer(part, dtype=dtype) if count else torch.empty(0, dtype=dtype)
            return
        dims = self.whole()
        sizes, strides = self.numbers("q", dims), self.numbers("q", dims)
        offset = self.whole("q") - 1
        storage = self.value()
        self.done[index] = (
            torch.empty(0, dtype=dtype)
            if storage is None or not dims
            else storage.as_strided(sizes, strides, offset)
        )


def load(path: Any) -> Any:
    """What a file holds, be it PyTorch's or Torch7's."""
    if not is_torch7_file(path):
        return torch.load(path, weights_only=False)
    return Torch7File(Path(path).read_bytes()).value()


def load_tables(path: Any) -> Any:
    """What a file holds, for a page in which all tables are of one kind."""
    return as_tables(load(path), {})


def as_tables(value: Any, done: dict[int, Any]) -> Any:
    """Lists and dicts as tables; what occurs several times is one table."""
    if not isinstance(value, (list, dict)):
        return value
    if id(value) not in done:
        table = done[id(value)] = new_table()
        items = value.items() if isinstance(value, dict) else enumerate(value, 1)
        table.update((key, as_tables(item, done)) for key, item in items)
    return done[id(value)]


def filled_from_file(module: nn.Module, saved: Any) -> None:
    """Give a model the weights and running statistics of one that was saved, and its mode."""
    if isinstance(saved, nn.Module):
        weights, buffers, trains = list(saved.parameters()), list(saved.buffers()), saved.training
    else:
        weights = saved.tensors(("weight", "bias"))
        buffers = saved.tensors(("running_mean", "running_var"))
        trains = saved.fields.get("train") is not False
    own = [x for _, x in module.named_parameters()]
    of_statistics = [x for _, x in module.named_buffers() if x.is_floating_point()]
    if isinstance(saved, nn.Module):
        buffers = [x for x in buffers if x.is_floating_point()]
    with torch.no_grad():
        for into, values in ((own, weights), (of_statistics, buffers)):
            if [x.numel() for x in into] != [x.numel() for x in values]:
                raise ValueError("the file has a model of another form")
            for x, value in zip(into, values, strict=True):
                x.copy_(value.reshape(x.shape))
    nn.Module.train(module, trains)
