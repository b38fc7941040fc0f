"""Reads a ``.t7`` file into tensors, tables and objects; makes no layers and runs nothing.

No value of the file is trusted: a count is held against the bytes that are left before anything is made of it, an
index against what it stood for before, a view against its storage. Nothing recurses, so that a file may nest as
deeply as it likes, within ``MAX_DEPTH``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, ClassVar, TypeAlias

import torch

from torch7py.ops import types
from torch7py.ops.errors import TorchError
from torch7py.ops.files import File
from torch7py.ops.generator_file import read_generator
from torch7py.ops.memory import Storage
from torch7py.ops.mersenne import Generator as RandomGenerator
from torch7py.t7 import format as t7
from torch7py.t7.errors import T7Error
from torch7py.t7.objects import HEADED, Function, Object, Table

__all__ = ["MAX_DEPTH", "NamedStorage", "Reader", "class_of_tensor"]

MAX_DEPTH = 50_000
MAX_DIMS = 1000
LONG = types.LONG
NO_INDEX = -1

# A reader of one composite value: yields for the next value, which is sent back; returns its own.
Steps: TypeAlias = Generator[None, Any, Any]


class NamedStorage(Storage):
    """A storage that was saved under the name of another class, such as ``torch.CudaStorage``."""

    __slots__ = ("class_name",)

    def __init__(self, number_type: types.NumberType, untyped: torch.UntypedStorage, class_name: str) -> None:
        super().__init__(number_type, untyped)
        self.class_name = class_name


def class_of_tensor(tensor: torch.Tensor) -> str:
    """The Torch7 class of a tensor, that under which it was saved if it was read."""
    name: str | None = getattr(tensor, "torch7_class", None)
    if name is not None and t7.TENSORS[name].number_type.dtype == tensor.dtype:
        return name
    return types.of(tensor).tensor


class Reader:
    """Reads the objects of one file.

    ``objects``, ``tables`` and ``functions`` hold what was read so far, what is inside something before it;
    ``offsets`` says where in the file an object's content begins. With
    ``referenced`` (true) an index seen before stands for the same object; files written without references hold
    every object each time it occurs. Strings become ``str`` by ``encoding``.
    """

    storage_class: ClassVar[type[Any]] = Storage

    def __init__(self, file: File, *, referenced: bool = True, encoding: str = "latin1") -> None:
        self.file = file
        self.referenced = referenced
        self.encoding = encoding
        self.objects: list[Object] = []
        self.tables: list[Table] = []
        self.functions: list[Function] = []
        self.offsets: dict[int, int | None] = {}  # of the contents of objects, by id
        self._known: dict[int, Any] = {}
        self._kinds: dict[int, int] = {}

    def known(self, index: int) -> Any:
        """What was read under this index, None when nothing was or references do not count."""
        return self._known.get(index) if self.referenced else None

    def tensor_or_storage(self, index: int, name: str) -> Any:
        """The content of a tensor or storage of this class, whose head has been read."""
        class_name = t7.TENSORS[name]
        return (
            self._storage(index, class_name, name)
            if class_name.is_storage
            else self._tensor(index, class_name, name)
        )

    def content(self, like: torch.Tensor | Storage) -> Any:
        """What follows the class of a tensor or storage of the type of ``like`` (``x:read(file)``)."""
        name = like.type.storage if isinstance(like, Storage) else class_of_tensor(like)
        content = self.tensor_or_storage(NO_INDEX, name)
        self._known.pop(NO_INDEX, None)
        return content

    def read(self) -> Any:
        """The next object of the file; T7Error when it is damaged."""
        at = self.file.known_position()
        try:
            return self._run()
        except T7Error:
            raise
        except TorchError as error:  # of the file itself
            where = "" if at is None else f" (the object begins at {at})"
            raise T7Error(f"{error}{where}", self.file.known_position()) from None

    def _run(self) -> Any:
        value, steps = self._next()
        waiting: list[Steps] = []
        while True:
            if steps is not None:
                if len(waiting) >= MAX_DEPTH:
                    raise T7Error(
                        f"more than {MAX_DEPTH} objects inside each other", self.file.known_position()
                    )
                waiting.append(steps)
                value = None
            elif not waiting:
                return value
            try:
                waiting[-1].send(value)
            except StopIteration as result:
                waiting.pop()
                value, steps = result.value, None
            else:
                value, steps = self._next()

    def _next(self) -> tuple[Any, Steps | None]:
        """The next value, or how to read it if it is made of others."""
        file = self.file
        kind = t7.read_kind(file)
        if kind == t7.NUMBER:
            return _plain_number(t7.read_number(file)), None
        if kind == t7.STRING:
            return t7.read_string(file).decode(self.encoding, "surrogateescape"), None
        if kind == t7.NIL:
            return None, None
        if kind == t7.BOOLEAN:
            return file.read_int() == 1, None
        if kind == t7.OLD_FUNCTION:
            return None, self._function(kind, None)
        at = file.known_position()
        index = t7.read_index(file)
        if self.referenced and index in self._known:
            if self._kinds[index] != kind:
                raise T7Error(f"the object {index} is of kind {self._kinds[index]}, not {kind}", at)
            return self._known[index], None
        if kind == t7.TABLE:
            return None, self._table(index)
        if kind == t7.TORCH:
            return self._torch(index)
        return None, self._function(kind, index)

    def _keep(self, index: int, kind: int, value: Any) -> Any:
        if self.referenced:
            self._known[index] = value
            self._kinds[index] = kind
        return value

    # -- tables and functions -----------------------------------------------------------------------------

    def _table(self, index: int) -> Steps:
        table: Table = self._keep(index, t7.TABLE, Table())
        for _ in range(t7.read_count(self.file, t7.entry_size(self.file))):
            at = self.file.known_position()
            key = yield
            value = yield
            if key is None or (isinstance(key, float) and key != key):
                raise T7Error("nil or nan as the key of a table", at)
            if value is not None:
                table[key] = value
        self.tables.append(table)
        return table

    def _function(self, kind: int, index: int | None) -> Steps:
        function = Function(t7.read_string(self.file), None, kind)
        if index is not None:
            self._keep(index, kind, function)
        function.upvalues = yield
        self.functions.append(function)
        return function

    # -- objects ------------------------------------------------------------------------------------------

    def _torch(self, index: int) -> tuple[Any, Steps | None]:
        version, name = t7.read_class(self.file)
        if name in t7.TENSORS:
            return self.tensor_or_storage(index, name), None
        if name == "torch.Generator":
            generator = RandomGenerator()
            read_generator(generator, self.file)
            return self._keep(index, t7.TORCH, generator), None
        return None, self._object(index, version, name)

    def _object(self, index: int, version: int, name: str) -> Steps:
        obj = Object(name, [], version)
        self.offsets[id(obj)] = self.file.known_position()
        self._keep(index, t7.TORCH, obj)
        payload = PAYLOADS.get(name)
        if payload is not None:
            yield from payload(self.file, obj)
        else:
            if version >= HEADED.get(name, version + 1):
                obj.payload.append((yield))
            obj.payload.append((yield))
        self.objects.append(obj)
        return obj

    def _storage(self, index: int, class_name: t7.ClassName, name: str) -> Any:
        at = self.file.known_position()
        count = int(self.file.read_number(LONG))
        left = self.file.remaining()
        # a number of a text takes a digit and a space, bytes are as they are
        unit = class_name.number_type.size if self.file.binary or class_name.number_type.size == 1 else 2
        if class_name.number_type is LONG and self.file.binary:
            unit = self.file.long_size or 8
        if count < 0 or (left is not None and count * unit > left + 1):
            raise T7Error(f"a storage of {count} elements, and {left} bytes are left", at)
        storage = self.make_storage(class_name.number_type, name, count)
        self._keep(index, t7.TORCH, storage)
        return storage

    def make_storage(self, number_type: types.NumberType, name: str, count: int) -> Any:
        """A storage of the next numbers of the file, which has them."""
        untyped = self.file.read_numbers(number_type, count).untyped_storage()
        if name != number_type.storage:
            return NamedStorage(number_type, untyped, name)
        return Storage(number_type, untyped)

    def _tensor(self, index: int, class_name: t7.ClassName, name: str) -> Any:
        file = self.file
        at = file.known_position()
        dims = file.read_int()
        if not 0 <= dims <= MAX_DIMS:
            raise T7Error(f"a tensor of {dims} dimensions", at)
        sizes = [int(n) for n in file.read_numbers(LONG, dims).tolist()]
        strides = [int(n) for n in file.read_numbers(LONG, dims).tolist()]
        offset = int(file.read_number(LONG)) - 1
        storage = self._storage_of_tensor(class_name, name)
        if storage is None:
            if dims:
                raise T7Error(f"a tensor of {dims} dimensions without a storage", at)
        else:
            self._check_view(len(storage), sizes, strides, offset, at)
        return self._keep(
            index, t7.TORCH, self.make_tensor(class_name, name, storage, offset, sizes, strides)
        )

    def make_tensor(
        self,
        class_name: t7.ClassName,
        name: str,
        storage: Any,
        offset: int,
        sizes: list[int],
        strides: list[int],
    ) -> Any:
        """A tensor on a storage, or on none."""
        tensor = torch.empty(0, dtype=class_name.number_type.dtype)
        if name != class_name.number_type.tensor:
            tensor.torch7_class = name  # type: ignore[attr-defined]
        if storage is not None:
            if len(storage) == 0:
                tensor.torch7_storage = storage  # type: ignore[attr-defined]
            if 0 in sizes or not sizes:
                sizes, strides = [0], [1]
            tensor.set_(storage.untyped, offset, sizes, strides)
        return tensor

    @staticmethod
    def _check_view(elements: int, sizes: list[int], strides: list[int], offset: int, at: int | None) -> None:
        if offset < 0 or any(n < 0 for n in sizes) or any(n < 0 for n in strides):
            raise T7Error(
                f"a tensor with negative sizes, strides or offset: {sizes}, {strides}, {offset}", at
            )
        total = 1
        for size in sizes:
            total *= size
        last = offset + sum((n - 1) * s for n, s in zip(sizes, strides, strict=True))
        if total and sizes and last >= elements:
            raise T7Error(f"a tensor that ends at element {last + 1} of a storage of {elements}", at)
        if total >= 1 << 62 or offset > elements:
            raise T7Error(f"a tensor of {total} elements from {offset + 1} on in a storage of {elements}", at)

    def _storage_of_tensor(self, class_name: t7.ClassName, name: str) -> Any:
        at = self.file.known_position()
        kind = t7.read_kind(self.file)
        if kind == t7.NIL:
            return None
        wanted = t7.storage_name(name)
        if kind == t7.TORCH:
            index = t7.read_index(self.file)
            if self.referenced and index in self._known:
                storage = self._known[index]
                if isinstance(storage, self.storage_class) and storage.type is class_name.number_type:
                    return storage
                raise T7Error(f"the storage of a {name} is the object {index}, which is none", at)
            _, stored_name = t7.read_class(self.file)
            if stored_name == wanted:
                return self._storage(index, t7.TENSORS[wanted], stored_name)
        raise T7Error(f"a {name} without its {wanted}", at)


def _plain_number(value: float) -> float:
    """A whole number as an int, as long as it is the same number."""
    if (
        -9007199254740992 < value < 9007199254740992
        and value == (whole := int(value))
        and (whole or str(value)[0] != "-")
    ):
        return whole
    return value


# Classes that do not write one table: how to read what they wrote into an object's payload.


def _read_hash(file: File, obj: Object) -> Steps:
    for _ in range(_long_count(file)):
        obj.payload.append((yield))
        obj.payload.append((yield))


def _read_vector(file: File, obj: Object) -> Steps:
    for _ in range(_long_count(file)):
        obj.payload.append((yield))


def _read_counter(file: File, obj: Object) -> Steps:
    obj.payload.append(int(file.read_number(LONG)))
    yield from ()


def _long_count(file: File) -> int:
    at = file.known_position()
    count = int(file.read_number(LONG))
    left = file.remaining()
    if count < 0 or (left is not None and count * 4 > left):
        raise T7Error(f"a count of {count}, and {left} bytes are left", at)
    return count


PAYLOADS: dict[str, Callable[[File, Object], Steps]] = {
    "tds.AtomicCounter": _read_counter,
    "tds.Hash": _read_hash,
    "tds_hash": _read_hash,  # its name of old
    "tds.Vec": _read_vector,
}
