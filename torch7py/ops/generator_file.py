"""torch.Generator in files: the original wrote the memory of its struct, which is what getRNGState holds."""

from __future__ import annotations

import torch

from torch7py.ops import types
from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.ops.files import File
from torch7py.ops.mersenne import STATE_SIZE, Generator
from torch7py.ops.registry import Form, operation

__all__ = ["read_generator", "write_generator"]


def write_generator(generator: Generator, file: File) -> None:
    file.write_numbers(torch.frombuffer(bytearray(generator.get_state()), dtype=torch.uint8))


def read_generator(generator: Generator, file: File) -> None:
    """Go on where the generator in the file was; TorchError when there is none."""
    state = bytes(file.read_numbers(types.BY_NAME["Byte"], STATE_SIZE).tolist())
    if len(state) != STATE_SIZE:
        raise TorchError(f"a torch.Generator takes {STATE_SIZE} bytes, and the file has {len(state)} left")
    generator.set_state(state)


def _both(generator: object, file: object) -> tuple[Generator, File]:
    if not isinstance(generator, Generator) or not isinstance(file, File):
        raise ArgumentError("expected a torch.Generator and a torch.File")
    return generator, file


operation(
    "torch.Generator.write",
    "generator:object file:object",
    Form.METHOD,
    returns="self",
    about="Write the generator's state to a file, as ``torch.save`` does.",
)(lambda generator, file: write_generator(*_both(generator, file)))
operation(
    "torch.Generator.read",
    "generator:object file:object version:number=1",
    Form.METHOD,
    returns="self",
    about="Go on where the generator was that was written to the file.",
)(lambda generator, file, version: read_generator(*_both(generator, file)))
