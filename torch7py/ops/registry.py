"""The register of operations: what Torch7's ``torch`` package can do to tensors, a line each.

An operation is a name, a *form* and one or more *cases*. A case is a signature and the Python function
behind it::

    operation("add", "src:T value:real", Form.UPDATE, inplace=torch.Tensor.add_)(torch.add)
    operation("add", "src:T other:like", inplace=torch.Tensor.add_)(torch.add)

The form says how the function ``torch.add(...)`` and the method ``x:add(...)`` call it, so that
neither is written by hand. The register knows nothing of Lua: it is the single source for the Lua
binding, for the translator and for the support table.

Signatures
----------
Parameters are separated by blanks and read ``name:kind`` or ``name:kind=default``; a parameter with a
default may be left out or nil. The kinds:

=========  =====================================================================================
``T``      a tensor; all ``T`` of a call share one number type
``F``      a ``T`` that must be of floating type
``like``   a ``T`` with as many elements as the first parameter; it arrives in the first one's shape
``any``    a tensor of whatever type
``Long``   a LongTensor; ``Byte``: a ByteTensor
``real``   a number, cast to the tensor's number type as C would (2.7 is 2 for an IntTensor)
``number`` a number as it is
``int``    a number cut to an integer
``index``  a 1-based index; the function gets it 0-based
``sizes``  numbers to the end of the call, or one LongStorage; the function gets a tuple of int
``bool``   a boolean; ``string``: a string
``list``   a Lua array, of tensors mostly; the function gets the Python list, changes to it come back
``storage``  a storage; ``generator``: a torch.Generator; ``object``: another object
=========  =====================================================================================
"""

from __future__ import annotations

import ast
import enum
import inspect
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

__all__ = [
    "Case",
    "Fields",
    "Form",
    "Operation",
    "Parameter",
    "classes",
    "operation",
    "operations",
    "torch_class",
]

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)

# The annotation of a parameter that is a table of named values, an optimizer's state say. From Python it is a
# dict; from a script it is a view of the script's table, which is read and written directly and keeps its other fields.
Fields: TypeAlias = MutableMapping[str, Any]

KINDS = frozenset(
    "T F like any Long Byte real number int index sizes bool string list storage generator object".split()
)
RETURNS = frozenset("T Byte view typed item self number value storage object multi".split())
# Names of the kinds in messages, where the kind itself says too little.
WORDS = {
    **dict.fromkeys(("T", "like", "any"), "tensor"),
    **dict.fromkeys(("real", "int", "index"), "number"),
    "F": "tensor of floating type",
    "Long": "LongTensor",
    "Byte": "ByteTensor",
    "sizes": "numbers or a LongStorage",
    "bool": "boolean",
    "list": "table",
}
REQUIRED = object()


class Form(enum.Enum):
    """How the two call forms follow from one function. ``out`` is a tensor for the result."""

    UPDATE = "x:op(...) changes x, x:op(src, ...) writes x; torch.op(src, ...), torch.op(out, src, ...)"
    INPLACE = "x:op(...) and torch.op(x, ...) change x; a case that returns a value takes no x"
    RESULT = "x:op(...) writes x; torch.op(...), torch.op(out, ...)"
    QUERY = "x:op(...), torch.op(x, ...), and both with out (or the first few of several) in front"
    METHOD = "x:op(...) and torch.op(x, ...), nothing else"
    FUNCTION = "torch.op(...) only"
    SOLVE = "torch.op(...) only, and with all outs in front"


@dataclass(frozen=True)
class Parameter:
    name: str
    kind: str
    default: Any = REQUIRED

    @property
    def optional(self) -> bool:
        return self.default is not REQUIRED

    def __str__(self) -> str:
        text = f"{self.name}: {WORDS.get(self.kind, self.kind)}"
        return f"[{text}]" if self.optional else text


@dataclass(frozen=True)
class Case:
    """One signature of an operation.

    ``function`` takes the parameters and returns the result. ``inplace`` does the same to its first
    parameter; without it the result is computed and copied back. In the forms RESULT and QUERY ``inplace`` takes
    ``out`` before the parameters. ``returns`` tells what a plain call gives: ``T`` a new tensor (Lua gets it
    contiguous), ``Byte`` a bool or byte tensor as ByteTensor, ``view`` a tensor on memory that was there
    before (``out`` is then set to that memory, not copied into), ``typed`` a tensor whose type its label tells
    (see ops/types.py), ``item`` a view, or a number where it has 0 dimensions, ``self`` the first parameter,
    ``number`` or ``value`` what Lua can hold, ``storage`` a storage, ``object`` that or another object,
    ``multi`` a tuple of any of these. ``outs`` is the number of result tensors that a call with ``out`` names.
    ``columns`` numbers those of the results (from 0) that lie column by column in memory. ``takes_out``: the
    function takes ``out=``, a tensor of the first parameter's size that the result is to be computed into.
    ``copies_first``: with ``out``, the first tensor is copied there, and the operation is done to the copy.
    ``gives_last``: it gives its last argument where others give the tensor that they wrote to. The original has
    some methods like this by oversight, of tensors of the CPU alone (``"cpu"``) or of all (``"always"``).
    """

    parameters: tuple[Parameter, ...]
    function: Callable[..., Any]
    inplace: Callable[..., Any] | None
    returns: str
    outs: int
    loop: str = ""
    loop_when: str = ""
    columns: tuple[int, ...] = ()
    takes_out: bool = False
    copies_first: bool = False
    gives_last: str = ""

    @property
    def elementwise(self) -> bool:
        """Whether an element of the result depends on one element of every tensor, and on numbers."""
        kinds = [p.kind for p in self.parameters]
        tensors = [kind for kind in kinds if kind not in ("real", "number")]
        return (
            tensors[:1] in (["T"], ["F"])
            and self.returns in ("T", "Byte")
            and all(kind == "like" for kind in tensors[1:])
        )

    @property
    def returns_type_of_code(self) -> bool:
        """Whether the result has the type whose code is the first argument."""
        return self.parameters[:1] == (Parameter("code", "int"),)


@dataclass
class Operation:
    """A named operation. ``moves``: it may give a tensor other memory or another shape. ``may_keep``: what it gives may
    be the tensor itself, where there is nothing to do.

    ``about`` describes it: the texts of its cases, or their functions' docstrings, without repetition.
    """

    name: str
    form: Form
    moves: bool = False
    may_keep: bool = False
    about: list[str] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)

    @property
    def has_method(self) -> bool:
        return self.form not in (Form.FUNCTION, Form.SOLVE)

    def usage(self) -> str:
        """The forms for error messages, without ``code``, which the Lua side adds to the caller's arguments."""
        forms = ([p for p in case.parameters if p.name != "code"] for case in self.cases)
        return " | ".join(f"({', '.join(map(str, form))})" for form in forms)


operations: dict[str, Operation] = {}


def _parse(signature: str) -> tuple[Parameter, ...]:
    parameters = []
    for text in signature.split():
        name, _, rest = text.partition(":")
        kind, equals, default = rest.partition("=")
        if kind not in KINDS:
            raise ValueError(f"unknown parameter kind {kind!r} in {signature!r}")
        value = ast.literal_eval(default) if equals else REQUIRED
        parameters.append(Parameter(name, kind, value))
    return tuple(parameters)


def operation(
    name: str,
    signature: str,
    form: Form | None = None,
    *,
    inplace: Callable[..., Any] | None = None,
    returns: str = "T",
    outs: int = 1,
    moves: bool = False,
    may_keep: bool = False,
    loop: str = "",
    loop_when: str = "",
    columns: tuple[int, ...] = (),
    copies_first: bool = False,
    gives_last: str = "",
    about: str = "",
) -> Callable[[F], F]:
    """Register one case of an operation; the first case of a name states its form.

    ``about`` is what it does, in a sentence or two, where the function has no docstring of ours to say so.
    ``loop`` may say what becomes of one element of a floating tensor, as an expression of Lua: ``x``, ``y`` and ``z``
    are the elements of the case's tensors in their order, ``v`` and ``w`` its numbers. It must have the bits of the
    function: one addition, multiplication, division, root or comparison is rounded as there, what is computed of that
    in turn by ``r(...)``, and ``fma(a, b, c)`` is ``a * b + c``, rounded once. ``f(x)`` alone, ``exp(x)`` say, is
    PyTorch's own function, where that can be reached. Of a result that is a number it is the first ``s``; the next
    one, of ``s`` and an element; and what the last gives, of ``n`` elements. ``loop_when`` may say of which numbers
    this is true.
    ``copies_first``: what is written when ``out`` shares memory with an operand is told by that order (see ``Case``).
    ``gives_last``: what a call gives is its last argument (see ``Case``).
    """
    if returns not in RETURNS:
        raise ValueError(f"operation {name!r} returns {returns!r}?")
    parameters = _parse(signature)

    def register(function: F) -> F:
        entry = operations.get(name)
        if form is not None:
            if entry is not None:
                raise ValueError(f"operation {name!r} is registered twice")
            entry = operations[name] = Operation(name, form, moves, may_keep)
        elif entry is None:
            raise ValueError(f"the first case of operation {name!r} must state its form")
        if any(case.parameters == parameters for case in entry.cases):
            raise ValueError(f"operation {name!r} has the case {signature!r} twice")
        words = about or _docstring(function)
        if words and words not in entry.about:
            entry.about.append(words)
        elementwise = entry.form is Form.UPDATE and returns == "T"
        takes_out = elementwise and _takes_out(function)
        if entry.form is Form.QUERY and returns == "T" and not inspect.isbuiltin(function):
            takes_out = _takes_out(function)
        entry.cases.append(
            Case(
                parameters,
                function,
                inplace,
                returns,
                outs,
                loop,
                loop_when,
                columns,
                takes_out,
                copies_first,
                gives_last,
            )
        )
        return function

    return register


def _docstring(function: Callable[..., Any]) -> str:
    """The docstring of a function of this package; those of PyTorch's are written for its users."""
    is_ours = (getattr(function, "__module__", None) or "").startswith("torch7py.")
    return inspect.getdoc(function) or "" if is_ours else ""


def _takes_out(function: Callable[..., Any]) -> bool:
    """Whether a function of a case has the keyword ``out``: PyTorch's own elementwise functions all do."""
    return inspect.isbuiltin(function) or "out" in inspect.signature(function).parameters


classes: dict[str, type] = {}


def torch_class(name: str) -> Callable[[C], C]:
    """Register a Python class whose objects Lua sees as a Torch7 class, ``torch.Timer`` say.

    Its constructor and methods are operations: ``torch.Timer.new`` (form FUNCTION), ``torch.Timer.time``
    (form METHOD, first parameter of kind ``object``). A Python base class that is registered too is the parent.
    """

    def register(cls: C) -> C:
        if name in classes:
            raise ValueError(f"class {name!r} is registered twice")
        classes[name] = cls
        return cls

    return register
