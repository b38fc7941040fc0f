"""Generates a Python function for each combination of argument kinds with which an operation is called.

A caller describes a call by the kinds of its arguments (``Kind``). The first call of a description is resolved
here against the operation's cases. The answer is an *adapter*, a function generated for this description
alone: it looks up the arguments, converts those that need it and calls the operation. The caller keeps it, so
later calls of the same description cost nothing more.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from torch7py.ops import memory, overlap, types
from torch7py.ops.dispatch.kinds import Kind, describe, is_tensor
from torch7py.ops.dispatch.lenient import lenient, without_surplus
from torch7py.ops.dispatch.matching import CODE, SHARED_TYPE, TENSOR_KINDS, Slot, match
from torch7py.ops.dispatch.python import gives_nothing
from torch7py.ops.errors import ArgumentError
from torch7py.ops.expanded_inplace import apply_inplace, apply_into
from torch7py.ops.mersenne import Generator
from torch7py.ops.registry import Case, Form, Operation

__all__ = ["Adapter", "Adapters", "Mode"]


class Mode:
    """How Lua reads an adapter's result; ``MOVES`` is added when storages may have moved."""

    SELF, HANDLE, PLAIN, MULTI = 0, 1, 2, 3
    MOVES = 4


@dataclass(frozen=True)
class Adapter:
    function: Callable[..., Any]
    mode: int


_AS_INDEX = {"Long": "long", "Byte": "truth"}  # converts a tensor of a CUDA type to an index or a mask
# Operations that a script calls by other means than their name.
_TITLES = {
    "__new": "a new tensor",
    "__new_storage": "a new storage",
    "__index": "tensor[...]",
    "__newindex": "tensor[...] = ...",
    "__storage_index": "storage[...]",
    "__storage_newindex": "storage[...] = ...",
}


def check_generator(value: object) -> Generator:
    """An object argument that must be a torch.Generator."""
    if not isinstance(value, Generator):
        raise ArgumentError("an object of another class where a torch.Generator is expected")
    return value


class Adapters:
    """Generates the adapters for one language. This class serves callers that pass the objects themselves.

    ``device`` is where new tensors are placed. Elsewhere than on the CPU the adapters also bring operands
    together: the receiver of an in-place call stays where it is, otherwise the accelerator wins.
    """

    fetch = "{}"
    """The code with which an adapter looks up the object of an argument."""
    has_cuda = False
    """Whether there are CUDA types."""

    def __init__(self, device: torch.device) -> None:
        self._names: dict[str, Any] = {
            "give": lambda value, kind: value,
            "give_tensor": _itself,
            "give_view": _itself,
            "give_typed": _itself,
            "encode": _encoded,
            "fit": memory.fit,
            "write": memory.write_expanded,
            "write_once": memory.write,
            "write_columns": memory.write_columns,
            "takes_in_order": overlap.takes_in_order,
            "order_matters": overlap.order_matters,
            "meets": overlap.meets,
            "in_order": overlap.in_order,
            "copied_first": overlap.copied_first,
            "apply_inplace": apply_inplace,
            "apply_into": apply_into,
            "write_elements": memory.write_elements,
            "write_result": memory.write_result,
            "by_columns": memory.by_columns,
            "together": memory.together,
            "share": memory.share,
            "generator": check_generator,
            "GENERATOR": None,
            "long": torch.Tensor.long,
            "truth": lambda mask: (mask != 0).view(torch.uint8),
            **{f"cast{t.code}": t.cast for t in types.BY_CODE.values()},
            "byte": memory.as_byte,
            "STORAGE": int(Kind.STORAGE),
        }
        self._mixed = device.type != "cpu"
        self._count = 0

    def _fits_one_type(self, operation: Operation, method: bool, kinds: list[int], cuda: bool) -> bool:
        """Whether a call that no case fits would fit one if all its tensors had the type of the first."""
        first = next(filter(is_tensor, kinds), None)
        alike = [first if first is not None and is_tensor(kind) else kind for kind in kinds]
        return alike != kinds and self._find(operation, method, alike, cuda) is not None

    def resolve(
        self, operation: Operation, method: bool, kinds: Sequence[int], cuda: bool = False
    ) -> Adapter:
        """The adapter for a call with these argument kinds; ArgumentError when no case fits.

        ``cuda``: the result is of a CUDA type although no argument is.
        """
        kinds = list(kinds)
        while kinds and kinds[-1] == Kind.NIL:
            kinds.pop()
        adapter = self._find(operation, method, kinds, cuda)
        if adapter is not None:
            return adapter
        title = _TITLES.get(operation.name) or f"{'method' if method else 'function'} '{operation.name}'"
        hidden = operation.cases[0].parameters[:1] and operation.cases[0].parameters[0].name == "code"
        one_type = ", with tensors of one type" if self._fits_one_type(operation, method, kinds, cuda) else ""
        if (
            one_type
            and types.CUDA_FLOAT.code in kinds
            and any(kind > types.CUDA_FLOAT.code for kind in kinds)
        ):
            one_type += " (before November 2016 indices and masks were CudaTensors: --cutorch-api 2015)"
        refusal = ArgumentError(
            f"invalid arguments for {title}: {describe(kinds[1:] if hidden else kinds)}; "
            f"expected {operation.usage()}{one_type}"
        )

        def find(kinds: Sequence[int]) -> Adapter | None:
            return self._find(operation, method, kinds, cuda)

        def find_cuda(kinds: Sequence[int]) -> Adapter | None:
            return self._find(operation, method, kinds, True) if self.has_cuda else None

        reading = lenient(find, kinds, method, refusal, find_cuda) or without_surplus(
            find, operation.name, kinds
        )
        if reading is None:
            raise refusal
        return Adapter(*reading)

    def _find(self, operation: Operation, method: bool, kinds: Sequence[int], cuda: bool) -> Adapter | None:
        for case in operation.cases:
            for outs in self.out_counts(operation.form, method, case):
                adapter = self._try(operation, case, outs, list(kinds), cuda)
                if adapter is not None:
                    return adapter
        return None

    @staticmethod
    def out_counts(form: Form, method: bool, case: Case) -> tuple[int, ...]:
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
        if taken and takes_type and any(p.kind in SHARED_TYPE for p in case.parameters):
            element = kinds[0]
        matched = match(case.parameters, kinds[taken:], taken, element)
        if matched is None:
            return None
        slots, element = matched
        last = self._gives_last(case, outs, kinds)
        source = self._source(operation, case, outs, slots, element, len(kinds), last)
        mode = Mode.MULTI if last else self._mode(case, outs)
        if operation.moves or outs > 0:
            mode |= Mode.MOVES
        names = self._names_for(case, kinds, cuda)
        return Adapter(self._compile(operation.name, source, names), mode)

    def _names_for(self, case: Case, kinds: list[int], cuda: bool) -> dict[str, Any]:
        """The global names of an adapter's code."""
        return dict(self._names, function=case.function, inplace=case.inplace)

    def _object(self, number: int) -> str:
        return self.fetch.format(f"a{number}")

    @staticmethod
    def _mode(case: Case, outs: int) -> int:
        if case.returns == "item" or (case.returns == "value" and gives_nothing(case.function)):
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

    @staticmethod
    def _gives_last(case: Case, outs: int, kinds: list[int]) -> bool:
        """Whether a call gives its last argument, and not the tensor that it writes to."""
        writes = outs == 1 or case.returns == "self"
        return writes and (
            case.gives_last == "always" or (case.gives_last == "cpu" and kinds[0] < types.CUDA)
        )

    def _source(
        self,
        operation: Operation,
        case: Case,
        outs: int,
        slots: list[Slot],
        element: int | None,
        count: int,
        last: bool,
    ) -> str:
        lines: list[str] = []
        values: list[str] = []
        tensors: list[str] = []
        for number, slot in enumerate(slots):
            name = f"v{number}"
            if slot.parameter.kind in TENSOR_KINDS and slot.arguments:
                lines.append(f"{name} = {self._object(slot.arguments[0])}")
                tensors.append(name)
                if slot.parameter.kind in CODE and slot.kinds[0] % types.CUDA != CODE[slot.parameter.kind]:
                    lines.append(f"{name} = {_AS_INDEX[slot.parameter.kind]}({name})")
            else:
                lines.append(f"{name} = {self._plain(slot, element)}")
            values.append(name)
        # A tensor that is changed or shares its memory stays on its device; `set` and its like move no operand.
        if self._mixed and len(tensors) > 1 and not operation.moves:
            keep = "True" if outs == -1 or case.returns in ("self", "view", "item") else "False"
            lines.append(f"{', '.join(tensors)} = together({keep}, {', '.join(tensors)})")
        call = f"({', '.join(values)})"
        if outs >= 1 and case.copies_first:
            out, first, *others = [self._object(0), *tensors]
            meeting = f"meets({', '.join([out, *others])}) or order_matters({out}, {first})"
            equal = ", ".join([out, first, *(others if case.elementwise else [])])
            lines.append(f"if {meeting}: {first} = copied_first({equal})")
        if operation.form in (Form.UPDATE, Form.QUERY) and case.elementwise:
            lines += self._guard(case, outs, values, tensors)
        for name, slot in zip(values, slots, strict=True):
            if slot.parameter.kind == "like" and slot.arguments:
                lines.append(f"if {name}.shape != {values[0]}.shape: {name} = fit({values[0]}, {name})")
        lines += self._ending(operation.form, case, outs, values, call)
        if last:
            is_number = case.parameters[-1].kind not in TENSOR_KINDS
            lines.append(f"return encode({f'a{count - 1}' if is_number else self._object(count - 1)})")
        arguments = ", ".join(f"a{i}" for i in range(count))
        body = "\n    ".join(lines)
        return f"def {_identifier(operation.name)}({arguments}):\n    {body}\n"

    def _guard(self, case: Case, outs: int, values: list[str], tensors: list[str]) -> list[str]:
        """Code that checks whether an elementwise call overwrites its operands, and if so computes it in order."""
        first, *others = tensors
        operands, read = ", ".join(values), ", ".join(others)
        if outs == -1:
            return (
                [f"if order_matters({first}, {read}): return in_order({first}, function, {operands})"]
                if others
                else []
            )
        if outs != 1:
            return []
        out = self._object(0)
        question = f"takes_in_order({out}, {', '.join(tensors)})"
        return [f"if {question}: return in_order({out}, function, {operands})"]

    def _ending(self, form: Form, case: Case, outs: int, values: list[str], call: str) -> list[str]:
        if outs == -1:
            if case.inplace is None:
                return [f"write({values[0]}, function{call})"]
            if case.elementwise:
                operands = ", ".join(values)
                return _or_expanded(f"inplace({operands})", f"apply_inplace(error, inplace, {operands})")
            return [f"inplace{call}"]
        if case.returns == "item":
            lines = [f"r = function{call}"]
            if outs:
                lines += [f"out = {self._object(0)}", "share(out, r if r.dim() else r.view(1))"]
            result = "out" if outs else "r"
            return [*lines, f"return (1, give_view({result})) if r.dim() else (0, r.item())"]
        if outs == 1 and case.returns == "view":
            return [f"share({self._object(0)}, function{call})"]
        if outs == 1 and form in (Form.RESULT, Form.QUERY) and case.inplace is not None:
            return [f"inplace({', '.join([self._object(0), *values])})"]

        def put(number: int) -> str:
            return "write_columns" if number in case.columns else "write"

        if outs == 1 and case.returns != "multi":
            out, operands = self._object(0), ", ".join(values)
            once = case.elementwise and form is Form.UPDATE
            first = case.parameters[0].kind in TENSOR_KINDS
            if case.takes_out:
                line = (
                    f"{'write_elements' if once and first else 'write_result'}({out}, function, {operands})"
                )
            else:
                line = f"{'write_once' if once else put(0)}({out}, function{call})"
            if once:
                return _or_expanded(line, f"apply_into(error, {out}, function, {operands})")
            return _or_expanded(line, f"write({out}, function{call})") if case.takes_out else [line]
        if outs >= 1:
            outputs = ", ".join(self._object(i) for i in range(outs))
            return [
                f"results = function{call}",
                *(f"{put(i)}({self._object(i)}, results[{i}])" for i in range(outs)),
                f"return encode(({outputs},) + results[{outs}:])",
            ]
        if case.returns == "value" and gives_nothing(case.function):
            return [f"function{call}", "return encode(())"]
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

    def _plain(self, slot: Slot, element: int | None) -> str:
        parameter = slot.parameter
        if not slot.arguments:
            return "GENERATOR" if parameter.kind == "generator" else repr(parameter.default)
        argument = f"a{slot.arguments[0]}"
        if parameter.kind == "sizes":
            if slot.kinds[0] != Kind.NUMBER:
                return f"{self.fetch.format(argument)}.sizes()"
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
            return f"generator({self.fetch.format(argument)})"
        if parameter.kind in ("list", "storage", "object"):
            return self.fetch.format(argument)
        return argument

    def _compile(self, name: str, source: str, names: dict[str, Any]) -> Callable[..., Any]:
        self._count += 1
        filename = f"<torch7py adapter {self._count}: {name}>"
        linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
        exec(compile(source, filename, "exec"), names)
        adapter: Callable[..., Any] = names[_identifier(name)]
        return adapter


def _or_expanded(line: str, otherwise: str) -> list[str]:
    """Code for an elementwise call, which PyTorch refuses where several positions share an element."""
    return ["try:", f"    {line}", "except RuntimeError as error:", f"    {otherwise}"]


def _itself(value: Any) -> Any:
    return value


def _encoded(value: Any) -> tuple[Any, ...]:
    return (0, *value) if isinstance(value, tuple) else (0, value)


def _identifier(name: str) -> str:
    return name.replace(".", "_")
