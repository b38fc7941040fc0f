"""A model as a list of instructions on memory: what its forward and backward do, for whoever can run such lists.

A graph of small layers spends its time on the calls between its layers. For sizes that stay the same all that these
calls find out is known beforehand: which tensors are read and written, how their elements lie, what is computed. A
``StepProgram`` has this written down once, as instructions that name no layer (``INSTRUCTIONS``), each of places in
memory (*slots*) and sizes. The lines for each class of layer are in the files ``..._lines.py``.

The results are written into the tensors that the layers own, so that after a run all looks as if the layers' own
methods had run. Tensors that come from outside, the input and gradOutput, are others from call to call: their slots
are filled at each run, as are those of views on them. The fields of layers that hand on such tensors (``shown``) are
brought up to date by ``show`` when somebody may look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import is_
from typing import Any, Protocol

import torch

from torch7py.nn import touched_rows
from torch7py.nn.fields import has_hooks, hooks_of
from torch7py.nn.object import TorchObject

__all__ = ["DTYPES", "INSTRUCTIONS", "SAVED", "Leaf", "StepProgram", "Table", "Unfit", "Value", "leaves"]

Tensor = torch.Tensor

# Their numbers are their places. `o` is written, all others are read; `scale` is that of the call. What lies in
# planes has rows and columns, with a step from one to the next for each operand.
INSTRUCTIONS = (
    "copy",  # o x, dimensions, sizes, steps of o, steps of x
    "clear",  # o, bytes: o lies in one piece, and may hold whole numbers
    "add",  # o x y, rows columns, steps by twos
    "subtract",
    "multiply",
    "accumulate",  # o x, rows columns, steps: o + scale * x
    "tanh",  # o x, rows columns, steps; and so the others of one operand
    "of_tanh",  # o g y: the gradient, of the output y
    "sigmoid",
    "of_sigmoid",
    "threshold",  # ..., limit, value
    "of_threshold",  # o g x, ..., limit
    "softplus",  # ..., beta, limit
    "of_softplus",
    "plus",  # ..., number
    "times",
    "divide",
    "log_softmax",  # o x, rows columns: both in one piece
    "of_log_softmax",  # o g y
    "softmax",
    "of_softmax",
    "sum",  # o x, count and step of what is summed, rows columns, steps
    "sum_up",  # o g, rows columns, steps of g: o + scale * the sum of the rows
    "product",  # o a b, m n k, how a lies, its step, how b lies, its step, step of o, batch, steps, what is done to o
    "product_of_vector",  # o a x, outputs inputs, how a lies, its step, what is done to o
    "look_up",  # o index table, count, columns
    "add_rows",  # o index g, count, columns: to the rows of o, times scale
    "class_loss",  # o x classes, rows columns, by what the sum is divided
    "square_loss",  # o x t, count, by what the sum is divided
    "of_class_loss",  # o classes, rows columns, what is written for each class
    "python",  # the number of a function of Python's
    "call",  # the number of a call
)
MOST_MOVED = 1 << 21  # parameters up to which loops are faster than a call for each tensor
# Nanoseconds that an instruction saves in calls: a list is of use as long as it saves more than its loops lose.
SAVED = 5000
# The types of the tensors that a list may have to do with.
DTYPES = (
    torch.float64,
    torch.float32,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
)
NUMBERS = {name: number for number, name in enumerate(INSTRUCTIONS)}

# Attributes of modules that stand for something that only Python's own methods know.
SPECIAL = ("_passes_marked", "_catch_up", "_lent", "_direct", "_reporter")


class Unfit(Exception):
    """Something of which there is no list of instructions."""


@dataclass(frozen=True)
class Leaf:
    """A tensor that instructions use. ``root`` is that of a tensor from outside, on whose memory it is, else None."""

    slot: int
    tensor: Tensor
    root: int | None = None


Value = Any  # a Leaf, or a list of Values


class Table(list[Value]):
    """Values in a table that a module keeps over its passes: ``held`` is the list that scripts see, filled by each."""

    def __init__(self, values: Iterable[Value], held: list[Any]) -> None:
        super().__init__(values)
        self.held = held


def leaves(value: Value) -> Iterator[Leaf]:
    if isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, Leaf):
        yield value


@dataclass(frozen=True)
class Call:
    """A call of a method that a script has defined: a node of the graph, and the values that it takes and gives.

    ``rest`` is what is needed to go on without the list of instructions where it gives something else: the values of
    the nodes before it; in the backward the gradients that the nodes after it have been given.
    """

    module: TorchObject
    method: str
    number: int
    arguments: list[Value]
    result: Value
    rest: Any


class ListedSteps(Protocol):
    """A module that takes all steps of a sequence, and keeps more of a run than its results."""

    def back(self, g: Value) -> list[Leaf]: ...
    def accumulate(self) -> None: ...
    def holds(self) -> bool: ...
    def show(self, tensor_of: dict[int, Tensor], went_back: bool, accumulated: bool) -> None: ...


class StepProgram:
    """The instructions of one module for inputs of one size.

    A *survey* is one that leaves all as it is: it tells what there would be to do, and cannot be run.

    ``forward`` and, once ``learn_backward`` was called, ``backward`` and ``gradients`` are instructions: a name and
    numbers each. ``slots`` are the tensors by slot, ``indices`` those slots that must hold numbers from 1 to a limit.
    """

    def __init__(
        self,
        module: TorchObject,
        write: Callable[[StepProgram, Any, Value], Value],
        input: Any,
        is_survey: bool = False,
    ) -> None:
        self.is_survey = is_survey
        self.module = module
        self.dtype: torch.dtype | None = None
        self.slots: list[Tensor] = []
        self.roots: list[Leaf] = []  # tensors from outside: those of the input, then those of the gradOutput
        self.root_shapes: list[torch.Size] = []
        self.derived: list[
            tuple[int, int, int]
        ] = []  # slot of a view on one, the one's slot, bytes from its start
        self._offsets: dict[int, int] = {}  # slot of a view -> bytes
        self.indices: list[tuple[int, int, int]] = []  # slot, count, limit
        self.calls: list[Call] = []
        self.functions: list[
            Callable[[dict[int, Tensor], float], object]
        ] = []  # of the tensors from outside, and the scale
        self.written: set[int] = set()  # slots of the results
        self.work, self.products, self.count = 0.0, 0, 0
        self.lines: list[tuple[str, tuple[float, ...]]] = []
        self.kept: list[tuple[dict[str, Any], str, Any]] = []  # what must be as it is: dict, key, value
        self.attached: list[tuple[torch.nn.Parameter, Tensor]] = []
        self.shown: list[tuple[TorchObject, str, Value]] = []
        self.modules: list[TorchObject] = []
        self._special: dict[int, frozenset[str]] = {}
        self._moving: list[TorchObject] = []
        self.lists: list[tuple[list[Any], tuple[Any, ...]]] = []
        self.counts: list[tuple[dict[str, Any], int]] = []
        self.silent: list[
            TorchObject
        ] = []  # modules whose fields change in a run without a word, beside those shown
        self.sequences: dict[int, ListedSteps] = {}  # by the module that takes all steps of one
        self._static: dict[int, Leaf] = {}
        self._homes: set[int] = set()  # the memory that results or parameters lie in
        self._inputs: dict[int, Value] = {}
        self._outputs: dict[int, Value] = {}
        self._gradients: dict[int, Value] = {}
        self.number: tuple[int, int, float] | None = (
            None  # the output: the sum of so many numbers in a slot, divided
        )
        self.keeps_input = False  # whether a way back goes by the forward's input, whatever it is given
        self._done = False
        self.gradOutput: Value = None
        self.gradInput: Value = None
        self.backward: list[tuple[str, tuple[float, ...]]] | None = None
        self.gradients: list[tuple[str, tuple[float, ...]]] = []
        # of zeroGradParameters, and of updateParameters at a rate of minus the scale
        self.zeroing: list[tuple[str, tuple[float, ...]]] = []
        self.moving: list[tuple[str, tuple[float, ...]]] = []
        self.values: list[tuple[list[Any], Value]] = []  # lists that scripts may read, and what they hold
        # What a backward begins with: the copies of what the forward has read, which may have been overwritten since.
        self.again: list[tuple[str, tuple[float, ...]]] = []
        self._is_forward = True
        self.input = self.outside(input)
        self.output = write(self, module, self.input)
        self.forward, self.lines = self.lines, []
        self._is_forward = False
        self.of_forward, self.roots_of_forward = len(self.values), len(self.roots)
        self.seal()

    # -- tensors ------------------------------------------------------------------------------------------

    def outside(self, value: Any) -> Value:
        """A value from outside, as Python has it for now."""
        if isinstance(value, list):
            return [self.outside(item) for item in value]
        if (
            value.__class__ is not Tensor
            or not value.is_cpu
            or value.dtype not in DTYPES
            or not value.numel()
        ):
            raise Unfit  # a number, say
        value = value.contiguous()  # a run copies one that is not (see may_copy)
        self.slots.append(value)
        leaf = Leaf(len(self.slots) - 1, value, len(self.slots) - 1)
        self.roots.append(leaf)
        self.root_shapes.append(value.shape)
        return leaf

    def may_copy(self, root: Leaf) -> bool:
        """Whether a run may take a copy of a tensor from outside that does not lie in one piece.

        Not where fields show views of it: these are views of the tensor itself.
        """
        return not self.sequences and all(
            leaf.root != root.slot or leaf.slot == root.slot
            for _, _, value in self.shown
            for leaf in leaves(value)
        )

    def called(
        self, module: TorchObject, method: str, number: int, arguments: list[Value], like: Any, rest: Any
    ) -> Value:
        """Call a script's method, which gives something in the sizes and the nesting of ``like``."""
        result = None if like is None else self.outside(like)
        self.line("call", len(self.calls))
        self.calls.append(Call(module, method, number, arguments, result, rest))
        return result

    def number_type(self, tensor: Tensor) -> None:
        """All floating tensors are of one type."""
        if self.dtype is None:
            if tensor.dtype not in (torch.float64, torch.float32):
                raise Unfit
            self.dtype = tensor.dtype
        if tensor.dtype is not self.dtype or not tensor.is_cpu:
            raise Unfit

    def static(self, tensor: Tensor) -> Leaf:
        """A tensor that stays where it is."""
        leaf = self._static.get(id(tensor))
        if leaf is None:
            self.slots.append(tensor)
            leaf = self._static[id(tensor)] = Leaf(len(self.slots) - 1, tensor)
        return leaf

    def keep(self, attributes: dict[str, Any], name: str, value: Any) -> None:
        """An entry of a dict must be this very object; None: there may be none."""
        self.kept.append((attributes, name, value))

    def settings(self, module: TorchObject, *names: str) -> None:
        """The lines hold as long as these fields are what they are."""
        for name in names:
            self.keep(module.__dict__, name, module.__dict__.get(name))

    def parameter(self, module: TorchObject, name: str) -> Leaf | None:
        value = module._parameters.get(name)
        self.keep(module._parameters, name, value)
        if value is None:
            return None
        self.number_type(value)
        if not value.is_contiguous():
            raise Unfit
        self._homes.add(value.untyped_storage().data_ptr())
        return self.static(value)

    def gradient(self, module: TorchObject, name: str, by_pointer: bool = True) -> Leaf | None:
        """The buffer that the gradient of a parameter is added to."""
        # A survey writes to nothing.
        value = module.gradient(name) if by_pointer and not self.is_survey else module.own_gradient(name)
        parameter = module._parameters[name]
        self.keep(module._gradients, name, value)
        if value is None or parameter is None:
            return None
        if parameter.grad is not value or value.shape != parameter.shape or not value.is_contiguous():
            raise Unfit
        self.number_type(value)
        self.attached.append((parameter, value))
        self._homes.add(value.untyped_storage().data_ptr())
        return self.static(value)

    def room(
        self, module: TorchObject, name: str, shape: Sequence[int], dtype: torch.dtype | None = None
    ) -> Leaf:
        """The module's own tensor of this name, ``output`` or ``gradInput``, with room for a result of this size."""
        attributes = module.__dict__
        held = attributes[name]
        self._check_held(module, name, held)
        if held.dtype is not (dtype or self.dtype):
            raise Unfit
        self.keep(attributes, name, held)
        return self._make_room(held, shape, module, name)

    def _check_held(self, module: TorchObject, name: str, held: Any) -> None:
        if held.__class__ is not Tensor or module.__dict__["_own"].get(name) is not held or not held.is_cpu:
            raise Unfit

    def _make_room(
        self, held: Tensor, shape: Sequence[int], module: TorchObject | None = None, name: str = ""
    ) -> Leaf:
        """Room in a tensor, which is a result of this name that the module owns if it is said."""
        shape = torch.Size(shape)
        if self.is_survey:
            return self.static(torch.empty(shape, dtype=held.dtype))
        home = held.untyped_storage().data_ptr()
        if held.shape != shape or not held.is_contiguous() or home in self._homes:
            if module is not None and home not in self._homes and module.is_seen(name, held):
                held.resize_(shape).zero_()  # a script has views of it
            else:
                held.data = torch.zeros(shape, dtype=held.dtype)
            home = held.untyped_storage().data_ptr()
        if module is not None:
            module.mark_result(name, held)
        self._homes.add(home)
        leaf = self.static(held)
        self.written.add(leaf.slot)
        return leaf

    def rooms(self, module: TorchObject, shapes: Sequence[Sequence[int]]) -> Table:
        """The tensors of ``gradInput``, a table, with room for results of these sizes."""
        held = module.__dict__["gradInput"]
        if held.__class__ is not list:
            raise Unfit
        if self.is_survey:
            return Table([self.static(torch.empty(tuple(shape), dtype=self.dtype)) for shape in shapes], held)
        if len(held) != len(shapes) or any(
            item.__class__ is not Tensor or item.dtype is not self.dtype for item in held
        ):
            held[:] = [torch.zeros(tuple(shape), dtype=self.dtype) for shape in shapes]
            module.__dict__["_own"].update({f"gradInput/{i}": item for i, item in enumerate(held, 1)})
        self.keep(module.__dict__, "gradInput", held)
        self.listed(held)
        rooms = enumerate(zip(held, shapes, strict=True), 1)
        return Table(
            [self._make_room(item, shape, module, f"gradInput/{i}") for i, (item, shape) in rooms], held
        )

    def listed(self, held: list[Any]) -> None:
        """A list that must hold what it holds."""
        self.lists.append((held, tuple(held)))

    def nested_buffer(self, like: Value, held: Any) -> tuple[Value, Any]:
        """Room in the nesting of a value, in the tensors held or in new ones."""
        if isinstance(like, list):
            entries = held if isinstance(held, list) and len(held) == len(like) else [None] * len(like)
            pairs = [self.nested_buffer(item, entry) for item, entry in zip(like, entries, strict=True)]
            return [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        if held.__class__ is not Tensor or held.dtype is not self.dtype:
            held = torch.zeros(like.tensor.shape, dtype=self.dtype)
        return self._make_room(held, like.tensor.shape), held

    def listed_keys(self, held: dict[str, Any]) -> None:
        """A dict that must have as many entries as it has."""
        self.counts.append((held, len(held)))

    def part(self, leaf: Leaf, view: Tensor) -> Leaf:
        """A view on a leaf's tensor, for instructions alone."""
        if leaf.root is None:
            return self.static(view)
        self.slots.append(view)
        slot = len(self.slots) - 1
        offset = self._offsets[slot] = view.data_ptr() - self.slots[leaf.root].data_ptr()
        self.derived.append((slot, leaf.root, offset))
        return Leaf(slot, view, leaf.root)

    def handed_on(self, module: TorchObject, name: str, leaf: Leaf, view: Tensor) -> Leaf:
        """A view on a leaf's tensor as the content of the module's own tensor of this name."""
        held = module.__dict__[name]
        self._check_held(module, name, held)
        if held.dtype is not view.dtype:
            raise Unfit
        if self.is_survey:
            return self.part(leaf, view)
        self.keep(module.__dict__, name, held)
        held.data = view
        if leaf.root is None:
            return self.static(held)
        part = self.part(leaf, held.detach())
        self.shown.append((module, name, part))
        return part

    def passed(self, module: TorchObject, name: str, value: Value, copies: bool = False) -> Value:
        """A value as it is as a module's field. ``copies``: where it is a table, that is one of the module's."""
        if copies and isinstance(value, list):
            held = module.__dict__.get(name)
            if held.__class__ is not list:
                raise Unfit
            value = Table(value, held)
            self.keep(module.__dict__, name, held)
        if self.is_survey:
            return value
        if (isinstance(value, list) and module is self.module) or any(
            leaf.root is not None for leaf in leaves(value)
        ):
            self.shown.append((module, name, value))
        else:
            current = module.__dict__[name] = self.objects(value, {})
            self.keep(module.__dict__, name, current)
            if current.__class__ is list:
                self.listed(current)
        return value

    # -- instructions -------------------------------------------------------------------------------------

    def line(self, name: str, *numbers: float, work: float = 0, products: int = 0) -> None:
        """Add an instruction.

        ``work``: how much longer than PyTorch a loop takes, in nanoseconds; ``products``: how many multiplications it
        does in products of matrices.
        """
        self.work += work
        self.products += products
        self.count += 1
        self.lines.append((name, numbers))

    def note_copies(self, start: int) -> None:
        """The lines from this one on copy what scripts may overwrite before a backward reads it."""
        if self._is_forward:
            self.again += self.lines[start:]

    def call_python(self, function: Callable[[dict[int, Tensor], float], object]) -> None:
        """Add a call of a function that leaves all tensors where they are."""
        self.line("python", len(self.functions))
        self.functions.append(function)

    # -- backward -----------------------------------------------------------------------------------------

    def learn_backward(
        self,
        write: Callable[[StepProgram, Any, Value, Value], Value],
        accumulate: Callable[[StepProgram, Any, Value, Value], None],
        gradOutput: Any,
    ) -> None:
        """Write the instructions of the backward."""
        gradient = self.outside(gradOutput)
        self.gradOutput = gradient
        self.lines = []
        self.gradInput = write(self, self.module, self.input, gradient)
        self.backward, self.lines = self.lines, []
        accumulate(self, self.module, self.input, gradient)
        self.gradients, self.lines = self.lines, []
        self._learn_moves()
        self.seal()

    def _learn_moves(self) -> None:
        """Write what ``zeroGradParameters`` and ``updateParameters`` do, where every parameter has a gradient here."""
        known = {id(buffer) for _, buffer in self.attached}
        pairs = [
            (parameter, module._gradients.get(name))
            for module in self._moving
            for name, parameter in module._parameters.items()
            if parameter is not None
        ]
        if self.calls or any(id(buffer) not in known for _, buffer in pairs):
            return
        small = [parameter for parameter, buffer in pairs if not touched_rows.saves_more(buffer)]
        if sum(parameter.numel() for parameter in small) > MOST_MOVED:
            return
        for parameter, buffer in pairs:
            if touched_rows.saves_more(buffer):
                self.lines = self.zeroing
                self.call_python(partial(_zero, buffer))
                self.lines = self.moving
                self.call_python(partial(_move, parameter, buffer))
                continue
            o, g, count = self.static(parameter).slot, self.static(buffer).slot, parameter.numel()
            self.zeroing.append(("clear", (g, buffer.nbytes)))
            self.moving.append(("accumulate", (o, g, 1, count, 0, 1, 0, 1)))

    # -- whether all is as it was -------------------------------------------------------------------------

    def seal(self) -> None:
        """Note how all is now."""
        self._checked = tuple(zip(*self.kept, strict=True))
        self._tensors = [leaf.tensor for leaf in self._static.values()]
        self._places = [tensor.data_ptr() for tensor in self._tensors]
        self._shapes = [tensor.shape for tensor in self._tensors]
        self._strides = [tensor.stride() for tensor in self._tensors]
        self._hooks = [hooks for module in self.modules for hooks in hooks_of(module)]
        self._attributes = [(module.__dict__, self._special[id(module)]) for module in self.modules]

    def holds(self) -> bool:
        """Whether the instructions hold: modules, tensors and settings are as they were."""
        dicts, names, values = self._checked
        if not all(map(is_, map(dict.get, dicts, names), values)) or any(self._hooks):
            return False
        for held, entries in self.lists:
            if len(held) != len(entries) or not all(map(is_, held, entries)):
                return False
        for held_by_key, count in self.counts:
            if len(held_by_key) != count:
                return False
        for parameter, buffer in self.attached:
            if parameter.grad is not buffer:
                return False
        tensors = self._tensors
        if (
            list(map(Tensor.data_ptr, tensors)) != self._places
            or [tensor.shape for tensor in tensors] != self._shapes
            or list(map(Tensor.stride, tensors)) != self._strides
        ):
            return False
        for attributes, special in self._attributes:
            if not attributes.keys().isdisjoint(special):
                return False
            attributes.pop("_trace", None)  # it is of results that a run overwrites
        return all(sequence.holds() for sequence in self.sequences.values())

    def take(
        self,
        module: TorchObject,
        may_catch_up: bool = False,
        moves: bool = True,
        holder: TorchObject | None = None,
    ) -> None:
        """A module whose lines are being written: it must be used once, and nothing be special about it.

        ``may_catch_up``: what it shows is computed when somebody reads it. ``moves``: ``updateParameters`` comes to it.
        ``holder``: that which it is in.
        """
        special = SPECIAL_NAMES - {"_catch_up"} if may_catch_up else SPECIAL_NAMES
        if holder is not None and holder.calls_in_passes:
            special |= {"_marked"}
        if id(module) in self._special or not special.isdisjoint(module.__dict__) or has_hooks(module):
            raise Unfit
        self.modules.append(module)
        self._special[id(module)] = special
        if moves:
            self._moving.append(module)

    # -- what scripts see ---------------------------------------------------------------------------------

    def objects(self, value: Value, tensor_of: dict[int, Tensor] | None = None) -> Any:
        """The Python objects of a value, with those of ``tensor_of``, by slot, as tensors from outside.

        Without it tables are others than those that scripts see.
        """
        if isinstance(value, list):
            items = [self.objects(item, tensor_of) for item in value]
            if tensor_of is None or not isinstance(value, Table):
                return items
            value.held[:] = items
            return value.held
        if value is None or value.root is None:
            return None if value is None else value.tensor
        tensor = tensor_of[value.root] if tensor_of is not None else self.slots[value.root]
        if value.slot == value.root:
            return tensor
        view = value.tensor
        offset = self._offsets[value.slot] // view.element_size()
        return tensor.as_strided(view.shape, view.stride(), tensor.storage_offset() + offset)

    @staticmethod
    def has_come_to(value: Value, tensor_of: dict[int, Tensor]) -> bool:
        """Whether a run has come so far that it had this value."""
        return all(leaf.root is None or tensor_of.get(leaf.root) is not None for leaf in leaves(value))

    def show(self, tensor_of: dict[int, Tensor], names: Sequence[str]) -> bool:
        """Bring the fields of these names up to date, but for tables of the module itself.

        Returns whether the memory of a tensor that scripts may know has moved.
        """
        moved = False
        for module, name, value in self.shown:
            if (
                name in names
                and self.has_come_to(value, tensor_of)
                and not (module is self.module and isinstance(value, list))
            ):
                current = self.objects(value, tensor_of)
                if isinstance(value, Leaf) and value.slot != value.root:
                    module.__dict__[name].data = current
                    moved = True
                else:
                    module.__dict__[name] = current
        return moved

    # -- the input and output of each module, between the forward and the backward -----------------------------

    def note(self, module: TorchObject, input: Value, output: Value) -> Value:
        self._inputs[id(module)], self._outputs[id(module)] = input, output
        return output

    def input_of(self, module: TorchObject) -> Value:
        return self._inputs[id(module)]

    def output_of(self, module: TorchObject) -> Value:
        return self._outputs[id(module)]

    def note_gradient(self, module: TorchObject, gradient: Value) -> None:
        self._gradients[id(module)] = gradient

    def gradient_of(self, module: TorchObject) -> Value:
        return self._gradients[id(module)]


SPECIAL_NAMES = frozenset(SPECIAL)


def _zero(buffer: Tensor, given: dict[int, Tensor], scale: float) -> None:
    touched_rows.zero(buffer)


def _move(parameter: Tensor, buffer: Tensor, given: dict[int, Tensor], scale: float) -> None:
    touched_rows.move(parameter.data, buffer, -scale)


def plane(shape: Sequence[int], *tensors: Tensor) -> tuple[int, int, list[tuple[int, int]]]:
    """Rows and columns of elements that several tensors have in common, and the steps of each tensor."""
    sizes, steps = merged(shape, *tensors)
    if len(sizes) > 2:
        raise Unfit
    while len(sizes) < 2:
        sizes.insert(0, 1)
        for step in steps:
            step.insert(0, 0)
    return sizes[0], sizes[1], [(step[0], step[1]) for step in steps]


def merged(shape: Sequence[int], *tensors: Tensor) -> tuple[list[int], list[list[int]]]:
    """Sizes of as few dimensions as possible, and for each tensor its steps along them."""
    sizes: list[int] = []
    steps: list[list[int]] = [[] for _ in tensors]
    for d in reversed(range(len(shape))):
        size = shape[d]
        if size == 1:
            continue
        if sizes and all(
            tensor.stride(d) == step[0] * sizes[0] for tensor, step in zip(tensors, steps, strict=True)
        ):
            sizes[0] *= size
            continue
        sizes.insert(0, size)
        for tensor, step in zip(tensors, steps, strict=True):
            step.insert(0, tensor.stride(d))
    if not sizes:
        return [1], [[1] for _ in tensors]
    return sizes, steps
