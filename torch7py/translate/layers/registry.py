"""The table of native equivalents: what a rule is given, what it says, and where it is kept."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol, TypeAlias, TypeVar

from torch7py.nn.registry import layers as torch7_layers
from torch7py.ops.dispatch.python import defaults_to_number
from torch7py.translate.errors import NotTranslated
from torch7py.translate.facts.layers import class_of
from torch7py.translate.layers.groups import SEQUENCES
from torch7py.translate.layout import items as entries

__all__ = [
    "SETTINGS",
    "Args",
    "Expr",
    "GraphNode",
    "Layer",
    "Native",
    "NotNative",
    "Rule",
    "Use",
    "Value",
    "bind",
    "criterion",
    "criterions",
    "fields",
    "items",
    "modify",
    "native",
    "natives",
    "reasons",
    "structure",
    "structures",
    "unsupported",
]


class NotNative(NotTranslated):
    """There is no native form of this layer with these arguments; the message says why."""

    code = "T7-223"


class Overwritten(NotNative):
    """The original takes gradients at values that it has overwritten since; a native form would not."""

    code = "T7-229"


@dataclass(frozen=True)
class Expr:
    """A value of the page: a Python expression for one tensor, or for a table of unknown size.

    ``ndim`` is the number of dimensions of the Torch7 tensor where it is known. ``lead`` is the number of time axes
    before them: a table of steps in Torch7 is one tensor here. ``heavy`` says that the expression calls a layer
    with weights, ``binds`` is its outermost operator ("" for a name, call or index). ``parts`` is another text for the
    entries of a table of steps where they are to be unpacked; ``rows`` one for those along the first dimension of one
    example. ``note`` is its shape, where that is worth a comment.
    """

    text: str
    ndim: int | None = None
    lead: int = 0
    heavy: bool = False
    binds: str = ""
    parts: str = ""
    rows: str = ""
    note: str = ""

    def __str__(self) -> str:
        return self.text

    @property
    def operand(self) -> str:
        """The text before a dot or an index: in brackets where an operator stands outermost."""
        return f"({self.text})" if self.binds else self.text

    def beside(self, operator: str, right: bool = False) -> str:
        """The text as an operand of an operator, on its left unless ``right``."""
        mine, other = PRECEDENCE.get(self.binds, 0), PRECEDENCE.get(operator, 9)
        loose = self.binds and (mine < other or (mine == other and (right or operator == "**")))
        return f"({self.text})" if loose else self.text


PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "@": 2, "**": 3}

Value: TypeAlias = "Expr | tuple[Value, ...]"


class Args:
    """The constructor arguments of a layer as Python source texts, by the names of the constructor's parameters.

    ``args.inputSize`` is the text; ``args.get(name, default)`` one that may be absent; ``args.value(name, default)``
    the value of a literal, and ``NotNative`` for anything else: ask for it only where the form depends on it.
    """

    def __init__(self, texts: Mapping[str, str] = {}) -> None:
        self.texts = {name: text for name, text in texts.items() if text != "None"}

    def __getattr__(self, name: str) -> str:
        try:
            return self.__dict__["texts"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise NotNative(f"the argument {name} is not known") from None

    def __contains__(self, name: str) -> bool:
        return name in self.texts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Args) and self.texts == other.texts

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Args({self.texts})"

    def get(self, name: str, default: str = "None") -> str:
        return self.texts.get(name, default)

    def value(self, name: str, default: Any = None) -> Any:
        text = self.texts.get(name)
        if text is None:
            return default
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError):
            if text in ("math.inf", "float('inf')"):
                return float("inf")
            raise NotNative(f"the form depends on {name}, which is not a literal: {text}") from None

    def is_literal(self, name: str) -> bool:
        try:
            self.value(name)
        except NotNative:
            return False
        return True


@dataclass
class GraphNode:
    """A node of a graph in order: its layer (None: it hands on), and the numbers of the nodes whose values it takes.

    The first node takes the graph's input. ``select`` is the entry (from 0) that it hands on of a table, ``splits``
    the number of entries of the table that it gives, ``name`` what the value is called.
    """

    layer: Layer | None
    sources: list[int]
    select: int | None = None
    splits: int | None = None
    name: str = ""


@dataclass
class Layer:
    """A layer to be translated: read off a live module, or built from a script's constructor calls.

    ``module`` is the live module where there is one; ``shape_in`` and ``shape_out`` are shapes of its Torch7 input
    and output, nested as they are (a tuple of ints for a tensor, a list for a table), where a run has shown them;
    ``named_in`` and ``named_out`` are the same as texts, with names for sizes that are free.
    ``label`` is a wish for the child's name, ``source`` says where it was made ("train.lua:24"). A layer that
    stands in several places is the same object in all of them. ``children`` are what was added to a container,
    ``slots`` constructor arguments that are modules, by parameter name, ``nodes`` the nodes of a graph. A layer with
    ``passed_as`` is a module that has that name already, which the class takes as an argument.
    """

    name: str
    args: Args = field(default_factory=Args)
    children: list[Layer] = field(default_factory=list)
    slots: dict[str, Layer] = field(default_factory=dict)
    module: Any = None
    label: str = ""
    source: str = ""
    shape_in: Any = None
    shape_out: Any = None
    named_in: Any = None
    named_out: Any = None
    nodes: list[GraphNode] = field(default_factory=list)
    passed_as: str = ""  # the name under which it is given to the model as it is, made elsewhere
    over_time: bool = False  # whether such a module takes a whole sequence

    def inside(self) -> Iterator[Layer]:
        """This layer and all in it."""
        yield self
        nodes = [node.layer for node in self.nodes if node.layer is not None]
        for part in [*self.children, *self.slots.values(), *nodes]:
            yield from part.inside()

    def slot(self, name: str) -> Layer:
        """The module that was given as an argument. ``NotNative`` where there is none."""
        if name not in self.slots:
            raise NotNative(f"{self.name} without its {name}")
        return self.slots[name]

    def child(self, at: int) -> Layer:
        """One of what was added, counted from 0. ``NotNative`` where there is none."""
        if not -len(self.children) <= at < len(self.children):
            raise NotNative(f"{self.name} with {len(self.children)} modules in it")
        return self.children[at]


Call: TypeAlias = "str | Callable[[Use], str | Value]"
Take: TypeAlias = "str | Callable[[Any], Any]"


@dataclass
class Native:
    """The native form of a layer.

    - ``make``: the constructor (``"nn.Linear(4, 3)"``) of its child; empty for a function without one;
    - ``call``: how it is applied: a text with ``{self}``, ``{x}`` and, for an operand, ``{(x)}``; or a function of a
      ``Use`` that gives a text or a value. ``binds`` is the outermost operator of such a text;
    - ``unpack``: what follows the wanted result where the call gives several (``", _"``);
    - ``over_time``: whether the same call is right with a time axis before the layer's own dimensions;
    - ``steps``: whether it takes a table of steps as the tensor that it is here (else it sees a tensor);
    - ``batches_of``: the dimensions of an example, of a layer that takes batches only, and in Torch7 makes one of an
      example that comes alone;
    - ``ndim``: the number of dimensions of the output: as the input (None), a number, or -1 for not known;
    - ``weights``, ``buffers``: entry of the child's state_dict -> where it comes from: a Torch7 field, or a function
      of an object that has them as attributes. The function must be linear and homogeneous, so that it also takes
      the gradients of weights over to theirs; ``constants`` are entries that no gradient reaches, as functions of
      the module;
    - ``setup``: statements after the constructor, with ``{self}``;
    - ``helpers``: names of texts in ``helpers/`` that the page needs;
    - ``name``: the child's name; ``heavy``: whether a call deserves a line of its own;
    - ``comment``: what a reader would wonder about at the constructor, or at the call where there is none;
    - ``random``: whether it draws random numbers in training, or "always"; ``drawn`` makes, of the child and the live
      module, the function that the child is with the numbers that the module drew last;
    - ``tolerance``: how far apart the two may be, and ``because`` why, where it is more than rounding.
    """

    make: str = ""
    call: Call = "{self}({x})"
    binds: str = ""
    unpack: str = ""
    over_time: bool = False
    steps: bool = False
    batches_of: int = 0
    ndim: int | None = None
    weights: Mapping[str, Take] = field(default_factory=dict)
    buffers: Mapping[str, Take] = field(default_factory=dict)
    constants: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    setup: tuple[str, ...] = ()
    helpers: tuple[str, ...] = ()
    name: str = ""
    heavy: bool = False
    comment: str = ""
    random: bool | str = False
    drawn: Callable[[Any, Any], Callable[[Any], Any]] | None = None
    tolerance: float = 0.0
    because: str = ""


class Writing(Protocol):
    """What a ``call`` function may ask of the writer of the class (``translate/layers/writer.py``)."""

    depth: int
    example: int | None
    images: bool
    helpers: dict[str, None]

    def as_expr(self, value: Value) -> Expr:
        """The one expression of a value."""

    def named(self, value: Expr, hint: str = "") -> Expr:
        """A value under a name."""

    def entries(self, value: Value, count: int | None, layer: Layer) -> tuple[Value, ...]:
        """The entries of a table."""

    def is_whole(self, value: Expr) -> bool:
        """Whether a value holds whole numbers."""


class Use:
    """One application of a layer: what a ``call`` function may ask for.

    ``x`` is the value, ``layer`` the layer, ``me`` the child's expression (``self.linear``).
    """

    def __init__(self, writer: Writing, layer: Layer, x: Value, me: str = "") -> None:
        self.writer, self.layer, self.x, self.me = writer, layer, x, me

    @property
    def tensor(self) -> Expr:
        """The one tensor of the input."""
        if isinstance(self.x, tuple):
            if len(self.x) == 1:
                return self.writer.as_expr(self.x[0])
            raise NotNative(f"{self.layer.name} is given a table")
        return self.x

    @property
    def lead(self) -> int:
        """The number of time axes before the layer's own dimensions."""
        x = self.x
        while isinstance(x, tuple) and x:
            x = x[0]
        return x.lead if isinstance(x, Expr) else 0

    @property
    def ndim(self) -> int | None:
        """The number of the layer's own dimensions in its input (in the first entry of a table)."""
        shape = self.layer.shape_in
        while isinstance(shape, list) and shape:
            shape = shape[0]
        if isinstance(shape, tuple):
            return len(shape)
        x = self.x
        while isinstance(x, tuple) and x:
            x = x[0]
        return x.ndim if isinstance(x, Expr) else None

    def numbers(self, text: str) -> str:
        """One number for each vector, which of one vector is in Torch7 a tensor of one element."""
        if self.ndim == 1:
            return f"{text}.reshape(1)"
        return f"torch.atleast_1d({text})" if self.ndim in (None, -1) and not self.lead else text

    def entries(self, count: int | None = None) -> tuple[Value, ...]:
        """The entries of the input table."""
        return self.writer.entries(self.x, count, self.layer)

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The shape of the Torch7 input (of the first entry of a table), where a run has shown it."""
        shape = self.layer.shape_in
        while isinstance(shape, list) and shape:
            shape = shape[0]
        return shape if isinstance(shape, tuple) else None

    def axis(self, dim: int | None, sample_dims: int | None = None) -> int:
        """The axis of a 1-based Torch7 dimension, time axes counted.

        With ``sample_dims`` (``nInputDims``) an input of one dimension more is a batch, which ``dim`` does not
        count: the axis is counted from the end then, which is right for both.
        """
        if dim is None:
            raise NotNative(f"{self.layer.name} without its dimension")
        if dim < 0:
            return dim
        if sample_dims is not None and sample_dims > 0:
            return dim - sample_dims - 1
        return dim - 1 + self.lead

    @property
    def is_steps(self) -> bool:
        """Whether the input is a table of steps, as one tensor with time in front."""
        return isinstance(self.x, Expr) and self.x.lead > self.writer.depth

    def named(self) -> Expr:
        """The one tensor of the input, under a name."""
        return self.writer.named(self.tensor)


R = TypeVar("R")
Rule: TypeAlias = Callable[[Args], Native]
Structure: TypeAlias = "Callable[[Layer, Value, Any], Value]"  # the last is the class's writer
Read: TypeAlias = Callable[[Any], Mapping[str, Any]]

natives: dict[str, Rule] = {}
structures: dict[str, Structure] = {}
criterions: dict[str, Any] = {}
reasons: dict[str, str] = {}  # why a class has no native form
readers: dict[str, Read] = {}  # constructor arguments of a live module that its fields do not give


def _once(name: str) -> None:
    if name in natives or name in structures or name in criterions or name in reasons:
        raise ValueError(f"{name} has two native forms")


def _registering(table: dict[str, R], names: tuple[str, ...], live: Read | None = None) -> Callable[[R], R]:
    def register(rule: R) -> R:
        for name in names:
            _once(name)
            table[name] = rule
            if live is not None:
                readers[name] = live
        return rule

    return register


def native(*names: str, live: Read | None = None) -> Callable[[Rule], Rule]:
    """Register the native form of a layer: ``@native("nn.Linear")`` before a function of ``Args``.

    ``live`` reads the constructor's arguments off a live module, where they are not its fields of the same names.
    """

    return _registering(natives, names, live)


def structure(*names: str, live: Read | None = None) -> Callable[[Structure], Structure]:
    """Register a layer that is written by writing others: a container, a table layer, a sequencer."""

    return _registering(structures, names, live)


def criterion(*names: str, live: Read | None = None) -> Callable[[Any], Any]:
    """Register a criterion: a function ``(layer, prediction, target, writer) -> Expr`` that gives the loss."""

    return _registering(criterions, names, live)


def unsupported(name: str, reason: str) -> None:
    """Say why a class has no native form."""
    _once(name)
    reasons[name] = reason


@cache
def parameter_names(name: str) -> tuple[tuple[str, ...], str | None]:
    """The names of a class's constructor parameters, and of the one that takes all further arguments."""
    cls = class_of(name)
    if cls is None:
        raise NotNative(f"{name} is not a class of nn or rnn")
    names, rest = [], None
    for parameter in list(inspect.signature(cls.__init__).parameters.values())[1:]:
        if parameter.kind is parameter.VAR_POSITIONAL:
            rest = parameter.name
        else:
            names.append(parameter.name)
    return tuple(names), rest


# Methods that change how a layer works: the argument of the rules that each sets, its text where the method is
# given none, and whether it takes any.
SETTINGS: dict[str, tuple[str, str, bool]] = {
    "noBias": ("bias", "False", False),
    "ceil": ("ceil_mode", "True", False),
    "floor": ("ceil_mode", "False", False),
    "setCountIncludePad": ("count_include_pad", "True", False),
    "setCountExcludePad": ("count_include_pad", "False", False),
    "setNumInputDims": ("numInputDims", "None", True),
    "remember": ("remember", "'both'", True),
    "maskZero": ("maskZero", "1", True),
    "setPadding": ("paddingValue", "0", True),
    "setMaxNorm": ("maxNorm", "None", True),
    "setNormType": ("normType", "None", True),
}
# Methods that every module has, and the layers of which they are settings: a container hands them on to what is in it.
_SETTINGS_OF = {
    "remember": {"nn.Sequencer", *SEQUENCES},
    "maskZero": {"nn.FastLSTM", "nn.LSTM", "nn.GRU", *SEQUENCES},
}


def modify(layer: Layer, method: str, texts: Iterable[str] = ()) -> bool:
    """Note a call of a method that changes how a layer works; whether it is one that the rules know.

    ``modify(layer, "noBias")``, ``modify(layer, "setNumInputDims", ["2"])``.
    """
    if method not in SETTINGS or layer.name not in _SETTINGS_OF.get(method, {layer.name}):
        return False
    name, default, takes = SETTINGS[method]
    if method == "maskZero" and layer.name.startswith("nn.Seq"):
        name, default, takes = "maskzero", "True", False
    values = list(texts)
    layer.args.texts[name] = values[0] if takes and values else default
    return True


def around_zero(size: str) -> str:
    """The ends of the interval of many of Torch7's first weights: one over the square root of a size."""
    bound = f"{size}**-0.5" if re.fullmatch(r"[\w.]+", size) else f"({size}) ** -0.5"
    return "-1, 1" if size == "1" else f"-({bound}), {bound}"


def items(text: str) -> list[str]:
    """The entries of a tuple or list that is written out, as texts."""
    tree = ast.parse(text, mode="eval").body
    if not isinstance(tree, (ast.Tuple, ast.List)):
        raise NotNative(f"not a list of values: {text}")
    return entries(text)


def fields(*same: str, **renamed: str) -> Read:
    """A reader of constructor arguments that are fields of the module; ``renamed`` gives the fields' names."""
    names = {name: name for name in same} | renamed
    return lambda module: {name: module.get_field(field) for name, field in names.items()}


_LITERALS = {"int": (int, float), "float": (int, float), "bool": (bool,), "str": (str,)}


def _may_be(text: str, parameter: inspect.Parameter) -> bool:
    """Whether a parameter may have a value, by what its annotation says where the text is a literal."""
    if text == "None":
        return parameter.default is not parameter.empty
    kinds = [kind for kind in str(parameter.annotation).split(" | ") if kind != "None"]
    if not all(kind in _LITERALS for kind in kinds):
        return True
    if text.startswith("\0"):
        return False  # a module
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return True  # which is known when the page runs
    return any(isinstance(value, _LITERALS[kind]) for kind in kinds)


def bind(name: str, texts: Iterable[str]) -> Args:
    """Source texts of positional arguments by the names of the constructor's parameters.

    Those that a constructor takes in any number are one tuple: ``bind("nn.View", ["2", "n"]).sizes`` is ``(2, n)``.
    """
    values = list(texts)
    names, rest = parameter_names(name)
    if rest is None and len(values) > len(names):
        values = values[: len(names)]  # Lua drops what a function does not take
    args = dict(zip(names, values, strict=False))
    parameters = inspect.signature(torch7_layers[name].__init__).parameters
    for parameter, text in list(args.items()):
        if text == "False" and defaults_to_number(parameters[parameter]):
            del args[parameter]  # x or default
    for parameter in names:
        if not _may_be(args.get(parameter, "None"), parameters[parameter]):
            text = args.get(parameter, "None")
            without = f" without {parameter}" if text == "None" else f": the argument {parameter} {text}"
            raise NotNative(f"{name}{without}")  # which is an error when it computes, if not before
    if rest is not None:
        more = values[len(names) :]
        args[rest] = "(" + ", ".join(more) + ("," if len(more) == 1 else "") + ")"
    return Args(args)
