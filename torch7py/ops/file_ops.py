"""What scripts call on files: ``torch.File`` and its classes as operations."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from torch7py.ops import types
from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.ops.files import DiskFile, File, MemoryFile, PipeFile
from torch7py.ops.memory import Storage
from torch7py.ops.registry import Form, operation, torch_class
from torch7py.ops.types import NumberType

__all__: list[str] = []

for _name, _cls in (
    ("File", File),
    ("DiskFile", DiskFile),
    ("PipeFile", PipeFile),
    ("MemoryFile", MemoryFile),
):
    torch_class(f"torch.{_name}")(_cls)

F = TypeVar("F", bound=File)


def _as(cls: type[F], value: object, method: str) -> F:
    if not isinstance(value, cls):
        raise ArgumentError(f"{method}: an object of another class where a torch.{cls.__name__} is expected")
    return value


# -- constructors ------------------------------------------------------------------------------------------


def _new_disk(cls: type[DiskFile]) -> Callable[[str, str, bool], DiskFile | None]:
    def new(name: str, mode: str, quiet: bool) -> DiskFile | None:
        """``torch.DiskFile(name[, mode[, quiet]])``: a file to read ('r'), to write anew ('w') or for both ('rw').

        ``torch.PipeFile`` takes a command of the shell in place of the name. What cannot be opened is an error, or nil
        when ``quiet``.
        """
        try:
            return cls(os.fsdecode(name.encode("latin1")), mode, quiet)
        except OSError as error:
            if quiet:
                return None
            raise TorchError(f"cannot open <{name}> in mode '{mode}': {error.strerror}") from None

    return new


for _name, _disk in (("DiskFile", DiskFile), ("PipeFile", PipeFile)):
    operation(
        f"torch.{_name}.new", "name:string mode:string='r' quiet:bool=False", Form.FUNCTION, returns="multi"
    )(_new_disk(_disk))

operation("torch.MemoryFile.new", "mode:string='rw'", Form.FUNCTION, returns="object")(
    lambda mode: MemoryFile(None, mode)
)
operation("torch.MemoryFile.new", "storage:storage mode:string='rw'", returns="object")(MemoryFile)


# -- settings and state ------------------------------------------------------------------------------------


def _set(attribute: str, value: bool) -> Callable[[object], None]:
    def change(file: object) -> None:
        setattr(_as(File, file, attribute), attribute, value)

    return change


for _method, _attribute, _value, _about in (
    ("binary", "binary", True, "From now on numbers are bytes, as in memory."),
    ("ascii", "binary", False, "From now on numbers are text (the default)."),
    (
        "autoSpacing",
        "auto_spacing",
        True,
        "From now on lines end behind what is written as text (the default).",
    ),
    (
        "noAutoSpacing",
        "auto_spacing",
        False,
        "From now on text has no ends of lines but those that are written.",
    ),
    ("quiet", "quiet", True, "From now on what fails is noted for ``hasError`` and raises no error."),
    ("pedantic", "quiet", False, "From now on what fails raises an error (the default)."),
    ("clearError", "has_error", False, "Forget what failed while the file was quiet."),
):
    operation(f"torch.File.{_method}", "file:object", Form.METHOD, returns="self", about=_about)(
        _set(_attribute, _value)
    )


def _get(attribute: str) -> Callable[[object], bool]:
    return lambda file: bool(getattr(_as(File, file, attribute), attribute))


for _method, _attribute, _about in (
    ("isBinary", "binary", "Whether numbers are bytes, not text."),
    ("isAutoSpacing", "auto_spacing", "Whether lines end behind what is written as text."),
    ("isQuiet", "quiet", "Whether what fails is noted and raises no error."),
    ("isReadable", "readable", "Whether the mode allows reading."),
    ("isWritable", "writable", "Whether the mode allows writing."),
    ("isOpened", "opened", "Whether the file has not been closed."),
    ("hasError", "has_error", "Whether something failed while the file was quiet."),
):
    operation(f"torch.File.{_method}", "file:object", Form.METHOD, returns="value", about=_about)(
        _get(_attribute)
    )


def _call(cls: type[F], method: str) -> Callable[[object], Any]:
    return lambda file: getattr(_as(cls, file, method), method)()


for _method, _attribute, _about in (
    ("synchronize", "synchronize", "Have what was written arrive in the file."),
    ("close", "close", "End the use of the file; any later use is an error."),
    ("seekEnd", "seek_end", "Go behind the last byte."),
):
    operation(f"torch.File.{_method}", "file:object", Form.METHOD, returns="self", about=_about)(
        _call(File, _attribute)
    )

operation(
    "torch.File.position",
    "file:object",
    Form.METHOD,
    returns="value",
    about="Where the next byte is read or written; the first is 1.",
)(lambda file: _as(File, file, "position").position() + 1)


@operation("torch.File.seek", "file:object position:int", Form.METHOD, returns="self")
def _seek(file: object, position: int) -> None:
    """``f:seek(position)``: go to the position, 1 is the first."""
    if position < 1:
        raise ArgumentError(f"seek: the first position is 1, not {position}")
    _as(File, file, "seek").seek(position - 1)


# -- numbers and storages ----------------------------------------------------------------------------------


def _register(number_type: NumberType) -> None:
    name = number_type.name

    def read_one(file: object) -> float:
        return _as(File, file, f"read{name}").read_number(number_type)

    def read_many(file: object, count: int) -> Storage:
        numbers = _as(File, file, f"read{name}").read_numbers(number_type, count)
        return Storage(number_type, numbers.untyped_storage())

    def read_into(file: object, storage: Storage) -> int:
        _check_type(storage, f"read{name}")
        numbers = _as(File, file, f"read{name}").read_numbers(number_type, len(storage))
        storage.tensor()[: len(numbers)].copy_(numbers)
        return len(numbers)

    def write_one(file: object, value: float) -> None:
        _as(File, file, f"write{name}").write_number(number_type, value)

    def write_many(file: object, storage: Storage) -> int:
        _check_type(storage, f"write{name}")
        return _as(File, file, f"write{name}").write_numbers(storage.tensor())

    def _check_type(storage: Storage, method: str) -> None:
        if storage.type is not number_type:
            raise ArgumentError(f"{method}: {number_type.storage} expected, got {storage.type.storage}")

    reading = (
        "The next number; with n the next n in a storage; into a storage as many as it holds, how many being returned. "
        "Fewer where a quiet file has no more."
    )
    writing = "Write a number, or all of a storage, how many being returned."
    operation(f"torch.File.read{name}", "file:object", Form.METHOD, returns="value", about=reading)(read_one)
    operation(f"torch.File.read{name}", "file:object n:int", returns="object")(read_many)
    operation(f"torch.File.read{name}", "file:object storage:storage", returns="value")(read_into)
    operation(
        f"torch.File.write{name}", "file:object value:number", Form.METHOD, returns="value", about=writing
    )(write_one)
    operation(f"torch.File.write{name}", "file:object storage:storage", returns="value")(write_many)


for _type in types.NUMBER_TYPES:
    if _type.name != "Half":
        _register(_type)


# -- strings and booleans ----------------------------------------------------------------------------------


@operation("torch.File.readString", "file:object format:string", Form.METHOD, returns="value")
def _read_string(file: object, format: str) -> str:
    """``f:readString(format)``: for '*l' the next line, without its end, for '*a' all that is left."""
    return _as(File, file, "readString").read_string(format).decode("latin1")


@operation("torch.File.writeString", "file:object text:string", Form.METHOD, returns="value")
def _write_string(file: object, text: str) -> int:
    """``f:writeString(text)``: returns the number of bytes written."""
    return _as(File, file, "writeString").write_string(text.encode("latin1"))


@operation("torch.File.readBool", "file:object", Form.METHOD, returns="value")
def _read_bool(file: object) -> bool:
    """``f:readBool()``: whether the next int is 1."""
    return _as(File, file, "readBool").read_int() == 1


# -- methods of some files only ----------------------------------------------------------------------------


def _set_long_size(cls: type[File]) -> Callable[[object, int], None]:
    return lambda file, size: _as(cls, file, "longSize").set_long_size(size)


for _name, _file in (("DiskFile", DiskFile), ("MemoryFile", MemoryFile)):
    operation(
        f"torch.{_name}.longSize",
        "file:object size:int=0",
        Form.METHOD,
        returns="self",
        about="How many bytes a long takes in binary: 4 or 8, 0 for this machine's 8.",
    )(_set_long_size(_file))
    operation(
        f"torch.{_name}.__tostring",
        "file:object",
        Form.METHOD,
        returns="value",
        about="The class, the file's name and what may be done with it.",
    )(
        lambda file: _as(File, file, "__tostring").describe()  # type: ignore[attr-defined]
    )

operation(
    "torch.PipeFile.__tostring",
    "file:object",
    Form.METHOD,
    returns="value",
    about="The class, the command and what may be done with it.",
)(_call(PipeFile, "describe"))
operation(
    "torch.DiskFile.noBuffer",
    "file:object",
    Form.METHOD,
    returns="self",
    about="From now on bytes are written without a buffer.",
)(_call(DiskFile, "no_buffer"))
operation(
    "torch.DiskFile.nativeEndianEncoding",
    "file:object",
    Form.METHOD,
    returns="self",
    about="From now on binary numbers have their bytes in this machine's order (the default).",
)(_call(DiskFile, "set_native_order"))
operation(
    "torch.DiskFile.littleEndianEncoding",
    "file:object",
    Form.METHOD,
    returns="self",
    about="From now on binary numbers have the byte of least value first.",
)(lambda file: _as(DiskFile, file, "littleEndianEncoding").set_order(True))
operation(
    "torch.DiskFile.bigEndianEncoding",
    "file:object",
    Form.METHOD,
    returns="self",
    about="From now on binary numbers have the byte of greatest value first.",
)(lambda file: _as(DiskFile, file, "bigEndianEncoding").set_order(False))
operation(
    "torch.DiskFile.isLittleEndianCPU",
    "file:object=None",
    Form.METHOD,
    returns="value",
    about="Whether this machine has the byte of least value first.",
)(lambda file: sys.byteorder == "little")
operation(
    "torch.DiskFile.isBigEndianCPU",
    "file:object=None",
    Form.METHOD,
    returns="value",
    about="Whether this machine has the byte of greatest value first.",
)(lambda file: sys.byteorder == "big")
operation(
    "torch.MemoryFile.storage",
    "file:object",
    Form.METHOD,
    returns="object",
    moves=True,
    about="The CharStorage that holds the file, with a 0 behind its last byte.",
)(lambda file: _as(MemoryFile, file, "storage").storage())
