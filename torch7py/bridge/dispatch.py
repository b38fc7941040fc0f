"""From a call's argument kinds to a Python function that does just that call.

Lua describes a call by the kinds of its arguments (``Kind``). The first call of a description is resolved
here against the operation's cases; the answer is an *adapter*, a function generated for this description
alone: it looks up the handles, converts what needs converting and calls the operation. Lua keeps it, so
later calls of the same description pay for nothing else.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from torch7py.bridge.handles import STEP, Handles, Kind, is_storage, is_tensor
from torch7py.bridge.lenient import lenient
from torch7py.ops import memory, state, types
from torch7py.ops.errors import ArgumentError
from torch7py.ops.mersenne import Generator
from torch7py.ops.registry import Case, Form, Operation, Parameter, operations
from torch7py.t7.objects import Table

__all__ = ["Adapter", "Dispatcher", "Mode", "describe", "encode_results", "loops"]


class Mode:
    """How Lua reads an adapter's result; ``MOVES`` is added when storages may have moved."""

    SELF, HANDLE, PLAIN, MULTI = 0, 1, 2, 3
    MOVES = 4


@dataclass(frozen=True)
class Adapter:
    function: Callable[..., Any]
    mode: int


@dataclass(frozen=True)
class _Slot:
    """Where one parameter of the case comes from: an argument, several (sizes), or the default (none)."""

    parameter: Parameter
    arguments: tuple[int, ...]
    kinds: tuple[int, ...]


_CODE = {f"{t.name}": t.code for t in types.NUMBER_TYPES}
_OLD_CUDA = types.BY_NAME["Cuda"].code
_AS_INDEX = {"Long": "long", "Byte": "truth"}  # what makes an index or a mask of a CudaTensor
_NAMES = {
    Kind.MODULE: "module",
    Kind.TABLE: "table",
    Kind.OBJECT: "object",
    Kind.NIL: "nil",
    Kind.BOOLEAN: "boolean",
    Kind.NUMBER: "number",
    Kind.STRING: "string",
    Kind.LUA_TABLE: "table",
    Kind.FUNCTION: "function",
    Kind.OTHER: "other",
}
# Operations that a script calls by other means than their name.
_TITLES = {
    "__new": "a new tensor",
    "__new_storage": "a new storage",
    "__index": "tensor[...]",
    "__newindex": "tensor[...] = ...",
    "__storage_index": "storage[...]",
    "__storage_newindex": "storage[...] = ...",
}
_PLAIN = {
    "real": Kind.NUMBER,
    "number": Kind.NUMBER,
    "int": Kind.NUMBER,
    "index": Kind.NUMBER,
    "bool": Kind.BOOLEAN,
    "string": Kind.STRING,
    "list": Kind.TABLE,
    "generator": Kind.OBJECT,
    "object": Kind.OBJECT,
}
_TENSOR_KINDS = frozenset({"T", "F", "like", "any", "Long", "Byte"})
_SHARED_TYPE = ("T", "F", "like")  # kinds of parameter that have the number type of the call


def describe(kinds: Sequence[int]) -> str:
    """Argument kinds in Torch7's words, for messages: ``(DoubleTensor, number)``."""
    words = []
    for kind in kinds:
        if is_tensor(kind):
            words.append(f"{types.BY_CODE[kind].name}Tensor")
        elif is_storage(kind):
            words.append(f"{types.BY_CODE[kind - Kind.STORAGE].name}Storage")
        else:
            words.append(_NAMES[Kind(kind)])
    return f"({', '.join(words)})"


def _fits(parameter: Parameter, kind: int, element: int | None) -> bool:
    """Whether an argument of this kind can be the parameter; ``element``: the number type of ``T`` so far."""
    wanted = parameter.kind
    if wanted in _SHARED_TYPE:
        fits = is_tensor(kind) and element in (None, kind)
        return fits and (wanted != "F" or types.BY_CODE[kind].is_floating)
    if wanted == "any":
        return is_tensor(kind)
    if wanted in _CODE:
        # CUDA tensors take indices and masks of both sorts; until October 2016 there was but one CUDA type
        if kind >= types.CUDA and (element is None or element >= types.CUDA):
            return kind == _CODE[wanted] + types.CUDA or (kind == _OLD_CUDA and element is not None)
        return kind == _CODE[wanted]
    if wanted == "storage":
        return is_storage(kind)
    return kind == _PLAIN[wanted]


def _match(
    parameters: Sequence[Parameter], kinds: Sequence[int], offset: int, element: int | None
) -> tuple[list[_Slot], int | None] | None:
    """Fit ``kinds`` (the arguments from number ``offset`` on) to the parameters, or None."""
    if not parameters:
        return ([], element) if not kinds else None
    first, rest = parameters[0], parameters[1:]
    if first.kind == "sizes":
        count = 0
        if kinds and kinds[0] == Kind.STORAGE + types.LONG.code:
            count = 1
        else:
            while count < len(kinds) and kinds[count] == Kind.NUMBER:
                count += 1
        if count or first.optional:
            tail = _match(rest, kinds[count:], offset + count, element)
            if tail is not None:
                slot = _Slot(first, tuple(range(offset, offset + count)), tuple(kinds[:count]))
                return [slot, *tail[0]], tail[1]
        return None
    if kinds and _fits(first, kinds[0], element):
        found = kinds[0] if first.kind in _SHARED_TYPE else element
        tail = _match(rest, kinds[1:], offset + 1, found)
        if tail is not None:
            return [_Slot(first, (offset,), (kinds[0],)), *tail[0]], tail[1]
    if first.optional:
        if kinds and kinds[0] == Kind.NIL:
            tail = _match(rest, kinds[1:], offset + 1, element)
            if tail is not None:
                return [_Slot(first, (), ()), *tail[0]], tail[1]
        tail = _match(rest, kinds, offset, element)
        if tail is not None:
            return [_Slot(first, (), ()), *tail[0]], tail[1]
    return None


def check_generator(value: object) -> Generator:
    """An object argument that must be a torch.Generator."""
    if not isinstance(value, Generator):
        raise ArgumentError("an object of another class where a torch.Generator is expected")
    return value


class Dispatcher:
    """Makes the adapters of one runtime.

    ``device`` is where the runtime places tensors. Elsewhere than on the CPU the adapters also bring operands
    together: the receiver of an in-place call stays where it is, otherwise the accelerator wins.
    """

    def __init__(self, handles: Handles, device: torch.device) -> None:
        self._names: dict[str, Any] = {
            "objects": handles.objects,
            "give": handles.give,
            "give_tensor": handles.give_tensor,
            "give_view": handles.give_view,
            "encode": lambda value: encode_results(handles, value),
            "fit": memory.fit,
            "write": memory.write,
            "write_columns": memory.write_columns,
            "by_columns": memory.by_columns,
            "together": memory.together,
            "share": memory.share,
            "generator": check_generator,
            "GENERATOR": None,
            "give_typed": handles.give_typed,
            "long": torch.Tensor.long,
            "truth": lambda mask: (mask != 0).view(torch.uint8),
            **{f"cast{t.code}": t.cast for t in types.BY_CODE.values()},
            "byte": memory.as_byte,
            "STORAGE": int(Kind.STORAGE),
        }
        self._handles = handles
        self._mixed = device.type != "cpu"
        self._count = 0
        self._cuda_names: dict[str, Any] | None = None  # what differs in an adapter that makes CUDA tensors
        self._default_names: dict[
            str, Any
        ] = {}  # and in one whose result has the default type, if that is CUDA
        self._by_default: list[dict[str, Any]] = []  # the names that such adapters know

    def enable_cuda(self, generator: Generator) -> None:
        """From now on there are CUDA tensors, whose random numbers come from this generator."""
        handles = self._handles

        def encode(value: Any) -> tuple[Any, ...]:
            label_fresh(handles, value)
            return encode_results(handles, value)

        def give(tensor: torch.Tensor) -> int:
            return handles.give_typed(types.label(tensor, default_type_of(tensor)))

        self._cuda_names = {
            "give_tensor": handles.give_cuda,
            "give_view": handles.give_cuda_view,
            "encode": encode,
            "GENERATOR": generator,
        }
        self._default_names = {"give_tensor": give, "give_view": give}

    def follow_default(self, cuda: bool) -> None:
        """Let adapters whose result has the default type make CUDA tensors, or others."""
        for names in self._by_default:
            names.update({n: self._names[n] for n in self._default_names})
            if cuda:
                names.update(self._default_names)

    def resolve(
        self, operation: Operation, method: bool, kinds: Sequence[int], cuda: bool = False
    ) -> Adapter:
        """The adapter for a call with these argument kinds; ArgumentError when no case fits.

        ``cuda``: the result is of a CUDA type although no argument is.
        """
        given = list(kinds)
        while given and given[-1] == Kind.NIL:
            given.pop()
        found = self._find(operation, method, given, cuda)
        if found is not None:
            return found
        title = _TITLES.get(operation.name) or f"{'method' if method else 'function'} '{operation.name}'"
        hidden = operation.cases[0].parameters[:1] and operation.cases[0].parameters[0].name == "code"
        refusal = ArgumentError(
            f"invalid arguments for {title}: {describe(given[1:] if hidden else given)}; "
            f"expected {operation.usage()}"
        )
        read = lenient(lambda kinds: self._find(operation, method, kinds, cuda), given, method, refusal)
        if read is None:
            raise refusal
        return Adapter(*read)

    def _find(self, operation: Operation, method: bool, kinds: Sequence[int], cuda: bool) -> Adapter | None:
        for case in operation.cases:
            for outs in self._out_counts(operation.form, method, case):
                adapter = self._try(operation, case, outs, list(kinds), cuda)
                if adapter is not None:
                    return adapter
        return None

    @staticmethod
    def _out_counts(form: Form, method: bool, case: Case) -> tuple[int, ...]:
        """How many leading arguments take results, in the order to try; -1: the first parameter does."""
        if case.returns in ("number", "value"):
            return (0,)
        if form is Form.UPDATE:
            return (-1, 1) if method else (0, 1)
        if form is Form.INPLACE:
            return (-1,)
        if form is Form.RESULT:
            return (1,) if method else (0, 1)
        if form is Form.QUERY:
            return (0, *range(case.outs, 0, -1))
        if form is Form.SOLVE:
            return (0, case.outs)
        return (0,)

    def _try(
        self, operation: Operation, case: Case, outs: int, kinds: list[int], cuda: bool
    ) -> Adapter | None:
        taken = max(outs, 0)
        if len(kinds) < taken or not all(map(is_tensor, kinds[:taken])):
            return None
        element = None
        takes_type = case.returns in ("T", "multi", "view", "item")
        if taken and takes_type and any(p.kind in _SHARED_TYPE for p in case.parameters):
            element = kinds[0]
        matched = _match(case.parameters, kinds[taken:], taken, element)
        if matched is None:
            return None
        slots, element = matched
        source = self._source(operation, case, outs, slots, element, len(kinds))
        mode = self._mode(case, outs)
        if operation.moves or outs > 0:
            mode |= Mode.MOVES
        names = self._names_for(case, kinds, cuda)
        return Adapter(self._compile(operation.name, source, names), mode)

    def _names_for(self, case: Case, kinds: list[int], cuda: bool) -> dict[str, Any]:
        """What the code of an adapter finds under its names."""
        names = dict(self._names, function=case.function, inplace=case.inplace)
        if self._cuda_names is not None and (cuda or any(kind >= types.CUDA for kind in kinds)):
            names.update(self._cuda_names)
        elif not any(is_tensor(k) or is_storage(k) for k in kinds) and not case.makes_given_type:
            self._by_default.append(names)
            if self._cuda_names is not None and state.current().default_type.is_cuda:
                names.update(self._default_names)
        return names

    @staticmethod
    def _mode(case: Case, outs: int) -> int:
        if case.returns == "item":
            return Mode.MULTI
        if case.returns == "multi" and outs >= 0:
            return Mode.MULTI
        if outs == -1 or outs == 1 or (outs == 0 and case.returns == "self"):
            return Mode.SELF
        if outs > 1:
            return Mode.MULTI
        if case.returns in ("T", "Byte", "view", "typed", "storage", "object"):
            return Mode.HANDLE
        return Mode.PLAIN

    def _source(
        self, operation: Operation, case: Case, outs: int, slots: list[_Slot], element: int | None, count: int
    ) -> str:
        lines: list[str] = []
        values: list[str] = []
        tensors: list[str] = []
        for number, slot in enumerate(slots):
            name = f"v{number}"
            if slot.parameter.kind in _TENSOR_KINDS and slot.arguments:
                lines.append(f"{name} = objects[a{slot.arguments[0]}]")
                tensors.append(name)
                if slot.parameter.kind in _CODE and slot.kinds[0] == _OLD_CUDA:
                    lines.append(f"{name} = {_AS_INDEX[slot.parameter.kind]}({name})")
            else:
                lines.append(f"{name} = {self._plain(slot, element)}")
            values.append(name)
        # What shares memory or is changed stays where it is; to aim a tensor at other memory nothing may move.
        if self._mixed and len(tensors) > 1 and not operation.moves:
            keep = "True" if outs == -1 or case.returns in ("self", "view", "item") else "False"
            lines.append(f"{', '.join(tensors)} = together({keep}, {', '.join(tensors)})")
        for name, slot in zip(values, slots, strict=True):
            if slot.parameter.kind == "like" and slot.arguments:
                lines.append(f"if {name}.shape != {values[0]}.shape: {name} = fit({values[0]}, {name})")
        call = f"({', '.join(values)})"
        lines += self._ending(operation.form, case, outs, values, call)
        arguments = ", ".join(f"a{i}" for i in range(count))
        body = "\n    ".join(lines)
        return f"def {_identifier(operation.name)}({arguments}):\n    {body}\n"

    @staticmethod
    def _ending(form: Form, case: Case, outs: int, values: list[str], call: str) -> list[str]:
        if outs == -1:
            if case.inplace is not None:
                return [f"inplace{call}"]
            return [f"write({values[0]}, function{call})"]
        if case.returns == "item":
            lines = [f"r = function{call}"]
            if outs:
                lines += ["out = objects[a0]", "share(out, r if r.dim() else r.view(1))"]
            given = "out" if outs else "r"
            return [*lines, f"return (1, give_view({given})) if r.dim() else (0, r.item())"]
        if outs == 1 and case.returns == "view":
            return [f"share(objects[a0], function{call})"]
        if outs == 1 and form is Form.RESULT and case.inplace is not None:
            return [f"inplace({', '.join(['objects[a0]', *values])})"]

        def put(number: int) -> str:
            return "write_columns" if number in case.columns else "write"

        if outs == 1 and case.returns != "multi":
            return [f"{put(0)}(objects[a0], function{call})"]
        if outs >= 1:
            outputs = ", ".join(f"objects[a{i}]" for i in range(outs))
            return [
                f"made = function{call}",
                *(f"{put(i)}(objects[a{i}], made[{i}])" for i in range(outs)),
                f"return encode(({outputs},) + made[{outs}:])",
            ]
        new = "return give_tensor(r if r.is_contiguous() else r.contiguous())"
        if case.columns and case.returns == "T":
            return [f"return give_tensor(by_columns(function{call}))"]
        if case.columns:
            results = ", ".join(
                f"by_columns(r[{i}])" if i in case.columns else f"r[{i}].contiguous()"
                for i in range(case.outs)
            )
            return [f"r = function{call}", f"return encode(({results},))"]
        return {
            "T": [f"r = function{call}", new],
            "Byte": [f"r = byte(function{call})", new],
            "view": [f"return give_view(function{call})"],
            "typed": [f"return give_typed(function{call})"],
            "object": [f"return encode(function{call})[1]"],
            "storage": [f"r = function{call}", "return give(r, STORAGE + r.type.code)"],
            "multi": [f"return encode(function{call})"],
            "self": [f"function{call}"],
        }.get(case.returns, [f"return function{call}"])

    def _plain(self, slot: _Slot, element: int | None) -> str:
        parameter = slot.parameter
        if not slot.arguments:
            return "GENERATOR" if parameter.kind == "generator" else repr(parameter.default)
        argument = f"a{slot.arguments[0]}"
        if parameter.kind == "sizes":
            if slot.kinds[0] != Kind.NUMBER:
                return f"objects[{argument}].sizes()"
            return f"({''.join(f'int(a{i}), ' for i in slot.arguments)})"
        if parameter.kind == "real":
            if element is None:
                return argument
            if element == types.DOUBLE.code:  # PyTorch takes 0.7 us more for an int
                return f"float({argument})"
            if not types.BY_CODE[element].is_floating:
                return f"cast{element}({argument})"
            limit = torch.finfo(types.BY_CODE[element].dtype).max
            return (
                f"float({argument}) if {-limit!r} <= {argument} <= {limit!r} else cast{element}({argument})"
            )
        if parameter.kind == "int":
            return f"int({argument})"
        if parameter.kind == "index":
            return f"int({argument}) - 1"
        if parameter.kind == "generator":
            return f"generator(objects[{argument}])"
        if parameter.kind in ("list", "storage", "object"):
            return f"objects[{argument}]"
        return argument

    def _compile(self, name: str, source: str, names: dict[str, Any]) -> Callable[..., Any]:
        self._count += 1
        filename = f"<torch7py adapter {self._count}: {name}>"
        linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
        exec(compile(source, filename, "exec"), names)
        adapter: Callable[..., Any] = names[_identifier(name)]
        return adapter


def loops() -> list[list[Any]]:
    """The operations' element expressions for Lua, a row a case.

    Name; what it is called with (``none``, ``number``, ``tensor``, ``reversed``: the number first; ``fold`` where
    the result is a number); expression; whether the method changes its receiver; whether the function does.
    """
    found: list[list[Any]] = []
    for operation in operations.values():
        for case in operation.cases:
            if case.loop:
                kinds = [parameter.kind for parameter in case.parameters if not parameter.optional]
                shape = "fold" if case.returns == "value" else _LOOPS[tuple(k == "real" for k in kinds)]
                in_place = operation.form is Form.INPLACE
                found.append(
                    [operation.name, shape, case.loop, in_place or operation.form is Form.UPDATE, in_place]
                )
    return found


_LOOPS = {(False,): "none", (False, True): "number", (False, False): "tensor", (True, False): "reversed"}


def _identifier(name: str) -> str:
    return name.replace(".", "_")


def encode_results(handles: Handles, value: Any) -> tuple[Any, ...]:
    """A result for Lua: which of the values are handles (a bit each), then the values."""
    if handles.within_cuda:
        label_fresh(handles, value)
    values = value if isinstance(value, tuple) else (value,)
    mask, encoded = 0, []
    for position, item in enumerate(values):
        kind = kind_of(item)
        if kind is None:
            encoded.append(item)
        else:
            mask |= 1 << position
            encoded.append(handles.give_tensor(item) if kind < Kind.STORAGE else handles.give(item, kind))
    return (mask, *encoded)


def label_fresh(handles: Handles, value: Any) -> None:
    """Say of tensors that Lua does not hold yet, alone or in tables, that they are CUDA tensors."""
    if isinstance(value, torch.Tensor):
        if id(value) not in handles.codes and getattr(value, "torch7_type", None) is None:
            types.label_all(value)
    elif isinstance(value, (list, tuple)):
        for item in value:
            label_fresh(handles, item)
    elif isinstance(value, dict):
        for item in value.values():
            label_fresh(handles, item)


def default_type_of(tensor: torch.Tensor) -> types.NumberType:
    """The type of a tensor that was made in the default type, or in one that has nothing to do with it."""
    default = state.current().default_type
    return default if tensor.dtype == default.dtype else types.BY_DTYPE[tensor.dtype]


def kind_of(value: Any) -> int | None:
    """The handle kind of a Python object, None for what crosses as it is (numbers, strings, nil)."""
    if isinstance(value, torch.Tensor):
        return Kind.TENSOR + types.of(value).code
    if value is None or isinstance(value, (bool, int, float, str)):
        return None
    if isinstance(value, memory.Storage):
        return Kind.STORAGE + value.type.code
    if isinstance(value, torch.nn.Module):
        return Kind.MODULE
    if isinstance(value, (list, dict, Table)):
        return Kind.TABLE
    return Kind.OBJECT


assert max(Kind) < STEP
